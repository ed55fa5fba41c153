"""Every generator compared, and how to choose one.

    results = load()                         # the stored run: one row for each generator and data set
    choose(results, keys=True, seconds=60)   # who qualifies for a need, who does not, and why

The run is made by `python3 -m course compare` and `python3 -m course compare --scale`. What is asked of each
data set stands in `questions`, what the figures are in `figures`. Nothing here makes one score of them.
"""

from __future__ import annotations

from course.environment import ROOT

RESULTS = ROOT / "book" / "comparison.json"
SCALE = ROOT / "book" / "comparison-scale.json"
BASELINES = ("control", "copy")  # a fresh sample of real people, and a verbatim copy of the training part
