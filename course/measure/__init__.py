"""Measure a synthetic table: how close it is, what it is good for, what it gives away.

How to choose:

- `fidelity`: does the synthetic table look like the original? One column at a time (`columns`), two at a
  time (`pairs`), all at once (`pmse`, `detection`), and inside each group of people (`by_group`).
- `utility`: does the analysis you need give the same answer? Compute an estimate on the training
  part, the control part and the synthetic table (`compare`), and see whether the intervals agree
  (`ci_overlap`); put several syntheses together (`combine`); train on synthetic, test on real (`tstr`).
- `privacy`: what does the synthetic table give away about the people it was made from? Every
  function there returns a `Risk`: the attack on people who were in the training part, beside the
  same attack on control people who were not, a baseline, an interval and the worst-placed people.
  None returns a bare number, because a risk without its control means nothing.

`report.risk_report` makes every attack and returns the whole statement. `output` holds the dominance rules
for tables of sums, which are checked before they leave a safe setting.

Fidelity, utility and privacy never mix. A table can be faithful and useful and give people away, or be safe
and useless. Nothing here averages them into one score.

All functions take pandas tables. A missing value is a value: blanks match blanks, unless a docstring
says otherwise. The parts are imported when first used, so `from course import measure` is instant.
"""

from importlib import import_module

__all__ = ["fidelity", "output", "privacy", "report", "utility"]


def __getattr__(name):
    """Import a part of this package when it is first asked for."""
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"course.measure has no part called {name!r}; it has {', '.join(__all__)}.")


def __dir__():
    """Offer the parts to tab completion before they are imported."""
    return [*globals(), *__all__]
