"""Every generator compared, and how to choose one.

    results = load()                             # the stored run: one row for each generator and data set
    choose(results, linked=True, seconds=60)     # who qualifies for a need, who does not, and why

The run is made by `python3 -m course compare` and `python3 -m course compare --scale`. What is asked of each
data set stands in `questions`, what the figures mean in `figures`. Nothing here makes one score of them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from course.environment import ROOT

if TYPE_CHECKING:
    import pandas as pd

RESULTS = ROOT / "book" / "comparison.json"
SCALE = ROOT / "book" / "comparison-scale.json"
LEAKS = ROOT / "book" / "leaks.json"
MEASURES = ROOT / "book" / "measures.json"
BASELINES = ("control", "copy")  # a fresh sample of real people, and a verbatim copy of the training part
FIGURES = ("columns", "blanks", "pairs", "pmse", "group", "overlap")
ATTACKS = ("singling out", "attribute inference", "certain disclosure", "membership")

# What the run cannot measure, because it lies in how a generator is made.
FROM_DESCRIPTION = ("structural", "valid")
FROM_COUNTS = ("ipf", "ipf-dp")
GUARANTEED = {"ipf-dp": "differentially private for one row, with what its noise bought listed in `.spent`"}
CLAIMED = dict.fromkeys(
    ("synthcity-privbayes", "synthcity-aim", "synthcity-dpgan", "synthcity-pategan"),
    "its library claims a guarantee, but medians, code lists and ranges are read outside the budget",
)


def load(path: Path = RESULTS) -> pd.DataFrame:
    """The stored run as a table: one row for each data set, shape and generator.

    Figures are means over the tables drawn, with `_low` and `_high` for the lowest and highest of them; for
    an attack, the excess over the control with its 95% interval, and the rates on both parts. `seconds` is
    processor time, to fit and to draw one table; `missed` is how far the mean finding lies from the real one,
    in half lengths of the real 95% interval. A unit without figures has its sentence in `why`.
    """
    import pandas as pd

    stored = json.loads(Path(path).read_text(encoding="utf-8"))
    truth = {name: one for run in stored["runs"].values() for name, one in run["truth"].items()}
    return pd.DataFrame([row(unit, truth) for unit in stored["units"]])


def row(unit: dict, truth: dict) -> dict:
    """One stored unit as one row of `load`."""
    named = {name: unit.get(name) for name in ("dataset", "shape", "generator", "status", "why", "peak_mib")}
    if "seconds" in unit:
        tables = len(unit.get("rows", [])) or 1
        named["fit"], named["draw"] = unit["seconds"]["fitting"], unit["seconds"]["sampling"] / tables
        named["seconds"] = named["fit"] + named["draw"]
    if unit["status"] != "done":
        return named
    for figure in (*FIGURES, "finding"):
        named |= _spread(figure, unit[figure])
    kind = "history" if unit["shape"] == "history" else "table"
    known = truth.get(f"{unit['dataset']} {kind}", {})
    named["truth"] = known.get("value")
    if "training" in known and named.get("finding") is not None:
        real, low, high = known["training"]
        named["missed"] = abs(named["finding"] - real) / ((high - low) / 2)
    for attack, risk in unit["risks"].items():
        for part in ("excess", "low", "high", "training", "control") if risk else ():
            named[attack if part == "excess" else f"{attack}_{part}"] = risk[part]
    named |= {f"rules_{part}": unit["rules"][part] for part in ("asked", "held", "broken", "worst")}
    return {
        **named,
        "orphans": unit["orphans"],
        "children": unit["children"],
        "notes": " ".join(unit["notes"]),
    }


def _spread(name: str, values: list | None) -> dict:
    known = [value for value in values or [] if value is not None]
    if not known:
        return {}
    return {name: sum(known) / len(known), f"{name}_low": min(known), f"{name}_high": max(known)}


def failures(results: pd.DataFrame) -> pd.DataFrame:
    """The units without figures, each with its sentence."""
    return results.loc[results["status"] != "done", ["generator", "dataset", "why"]].reset_index(drop=True)


def missing(results: pd.DataFrame) -> list[str]:
    """The units that the stored run has not come to yet, as "generator on data set"."""
    from course.compare import run

    stood = set(zip(results["generator"], results["dataset"], results["shape"], strict=True))
    todo = [unit for unit in run.units() if (unit.generator, unit.dataset, unit.shape) not in stood]
    return [f"{unit.generator} on {unit.dataset}" for unit in todo]


def ranks(results: pd.DataFrame, figure: str, best: str = "low") -> pd.DataFrame:
    """The place of each generator on each data set by one figure, 1 the best: one column for each data set.

    `best` is "low" or "high". Only generators with that figure on every data set are placed, and no baseline.
    """
    made = results[(results["shape"] == "table") & ~results["generator"].isin(BASELINES)]
    wide = made.pivot(index="generator", columns="dataset", values=figure).dropna()
    return wide.rank(ascending=best == "low", method="min").astype(int)


# ------------------------------------------------------------------------------ choosing


def choose(
    results: pd.DataFrame,
    *,
    no_record: bool = False,
    guarantee: bool = False,
    linked: bool = False,
    history: bool = False,
    seconds: float | None = None,
    finding: bool = False,
    groups: bool = False,
    rules: bool = False,
    outside: bool = False,
) -> pd.DataFrame:
    """Which generators qualify for what is needed, by the evidence of a run: generator, qualifies, reasons.

    Each need that is True must be met on every data set in `results`; cut `results` down to ask about one.

    - no_record: no row of the real table may be opened
    - guarantee: the privacy must hold by proof, not by trying attacks
    - linked, history: several tables tied by keys; several rows for each person
    - seconds: processor time to fit and draw once, at most so much
    - finding: on average over the tables drawn it must lie within the real 95% interval, and its own interval
      must overlap that by 0.6 or more (one that is very wide overlaps anything by 0.5)
    - groups: the worst group's distance may be at most twice that of a fresh sample of real people
    - rules: no row may break a business rule that could be asked
    - outside: no attack may find more about people in the data than about the control, beyond chance

    A need that is met is no proof: these are the attacks and data sets of this run. Those that qualify come
    first.
    """
    import pandas as pd

    needs = [_shape_need("linked" if linked else "history" if history else "table")]
    switched = {_no_record: no_record, _guarantee: guarantee, _finding: finding, _groups: groups}
    switched |= {_rules: rules, _outside: outside}
    needs += [need for need, on in switched.items() if on]
    needs += [_time_need(seconds)] if seconds is not None else []
    rows = []
    for generator, runs in results.groupby("generator", sort=False):
        if generator not in BASELINES:
            said = [needs[0](generator, runs, results)]
            if said[0][0]:  # what makes something else, or does not run, needs no further reasons
                said += [need(generator, runs, results) for need in needs[1:]]
            wrong = [words for ok, words in said if not ok]
            rows.append((generator, not wrong, "; ".join(wrong or [words for _, words in said if words])))
    table = pd.DataFrame(rows, columns=["generator", "qualifies", "reasons"])
    table = table.sort_values("qualifies", ascending=False, kind="stable", ignore_index=True)
    return table.assign(qualifies=table["qualifies"].map({True: "yes", False: "no"}))


def _shape_need(shape: str):
    made = {"table": "single tables", "linked": "tables tied by keys", "history": "histories"}

    def need(generator, runs, results):
        if runs["shape"].iloc[0] != shape:
            return False, f"makes {made[runs['shape'].iloc[0]]}"
        failed = runs[runs["status"] != "done"]
        if len(failed):
            return False, f"on {failed['dataset'].iloc[0]}: {failed['why'].iloc[0].rstrip('.')}"
        if shape == "linked" and not (runs["orphans"] == 0).all():
            return False, f"{runs['orphans'].max():.1%} of rows lead to no parent"
        return True, "every key leads to a parent" if shape == "linked" else ""

    return need


def _time_need(seconds: float):
    def need(generator, runs, results):
        slowest = runs.loc[runs["seconds"].idxmax()] if runs["seconds"].notna().any() else None
        if slowest is None:
            return False, "has no time"
        words = f"{slowest['seconds']:.1f} s on {slowest['dataset']}"
        return bool(slowest["seconds"] <= seconds), words if slowest[
            "seconds"
        ] > seconds else f"at most {words}"

    return need


def _no_record(generator, runs, results):
    if generator in FROM_DESCRIPTION:
        return True, "made from the description alone"
    if generator in FROM_COUNTS:
        return False, "reads the rows to count them (from counts that are published already, it need not)"
    return False, "learns from the rows"


def _guarantee(generator, runs, results):
    if generator in FROM_DESCRIPTION:
        return True, "never sees the data"
    if generator in GUARANTEED:
        return True, GUARANTEED[generator]
    return False, CLAIMED.get(generator, "has no proof")


def _finding(generator, runs, results):
    import pandas as pd

    for _, one in runs.iterrows():
        if pd.isna(one.get("overlap")):
            return False, f"the finding cannot be made on {one['dataset']}"
        if one["missed"] > 1:
            return False, f"the finding lies outside the real 95% interval on {one['dataset']}"
        if one["overlap"] < 0.6:
            return (
                False,
                f"the finding overlaps the real one by {one['overlap']:.2f} only on {one['dataset']}",
            )
    return True, f"the finding overlaps the real one by {runs['overlap'].min():.2f} or more"


def _groups(generator, runs, results):
    control = results[results["generator"] == "control"].set_index(["dataset", "shape"])["group"]
    times = [
        one["group"] / control[one["dataset"], one["shape"]] if one["group"] == one["group"] else float("inf")
        for _, one in runs.iterrows()
    ]
    words = f"the worst group is {max(times):.1f} times as far off as in a fresh sample of real people"
    return max(times) <= 2, words


def _rules(generator, runs, results):
    worst = runs.loc[runs["rules_broken"].fillna(1).idxmax()]
    if worst["rules_broken"] != 0:  # a blank is not 0 either
        return False, f"breaks rules on {worst['dataset']} (most: {worst['rules_worst']})"
    return True, "every rule that could be asked holds"


def _outside(generator, runs, results):
    for _, one in runs.iterrows():
        for attack in ATTACKS:
            low = one.get(f"{attack}_low")
            if low is not None and low > 0:
                return (
                    False,
                    f"{attack} finds more than chance on {one['dataset']} (excess {one[attack]:.1%})",
                )
    return True, "no attack here found more than chance; that is not proof of safety"
