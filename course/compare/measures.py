"""What each measure takes as tables grow, beside other tools' measure for the same question.

`python3 -m course compare --measures`. Three tables of ten columns (see `scale.table`) stand for the training
part, the control part and the synthetic table. Each measure runs in a process of its own, which is ended when
it passes the limit; with more rows it is then not tried. What a measure imports is not clocked. Ratios are
within one run on one computer.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

from course.compare import MEASURES, scale
from course.compare.run import watched
from course.compare.store import Store, key, made_by
from course.environment import ROOT, variables

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SECONDS, MIB = 60, 12_288
CODE = [
    "course/compare/measures.py",
    *(
        f"course/measure/{part}.py"
        for part in ("fidelity", "utility", "privacy", "report", "_risk", "_tables")
    ),
]
CODES = [column for column in scale.COLUMNS if column not in scale.NUMBERS]
KEYS = ["region", "household_type", "age", "tenure"]
TARGET = "arrears"

# ------------------------------------------------------------------------------ the measures, by question


def _ours(name: str):
    """A measure of the course by what it asks: a function of (training, control, synthetic)."""
    from course.measure import fidelity, privacy, utility
    from course.measure.report import risk_report

    predictors = [column for column in scale.COLUMNS if column != TARGET]
    return {
        "columns": lambda t, c, s: fidelity.columns(t, s),
        "pairs": lambda t, c, s: fidelity.pairs(t, s),
        "Jensen-Shannon": lambda t, c, s: [fidelity.jensen_shannon(t[x], s[x]) for x in scale.COLUMNS],
        "Wasserstein": lambda t, c, s: [fidelity.wasserstein(t[x], s[x]) for x in scale.NUMBERS],
        "detection": lambda t, c, s: fidelity.detection(t, s, scale.COLUMNS),
        "train on synthetic": lambda t, c, s: utility.tstr(t, c, s, TARGET, predictors, seeds=1),
        "copies": lambda t, c, s: privacy.membership(t, c, s, scale.COLUMNS),
        "nearest record": lambda t, c, s: privacy.nearest_record_share(t, c, s, scale.COLUMNS),
        "singling out": lambda t, c, s: privacy.singling_out(t, c, s, KEYS),
        "linkability": lambda t, c, s: privacy.linkability(t, c, s, KEYS[::2], KEYS[1::2]),
        "inference": lambda t, c, s: privacy.attribute_inference(t, c, s, KEYS, TARGET),
        "certain disclosure": lambda t, c, s: privacy.disco(t, c, s, KEYS, TARGET),
        "smallest group": lambda t, c, s: privacy.group_sizes(s, KEYS).min(),
        "membership by density": lambda t, c, s: privacy.domias(t, c, s, scale.COLUMNS),
        "the whole report": lambda t, c, s: risk_report(t, c, s, KEYS, TARGET, columns=scale.COLUMNS),
    }[name]


def _sdmetrics(name: str):
    from sdmetrics import column_pairs, single_column, single_table

    def columns(t, c, s):
        shapes = {True: single_column.KSComplement, False: single_column.TVComplement}
        return [shapes[x in scale.NUMBERS].compute(t[x], s[x]) for x in scale.COLUMNS]

    def pairs(t, c, s):
        from itertools import combinations

        numbers = column_pairs.CorrelationSimilarity
        both = [(numbers, pair) for pair in combinations(scale.NUMBERS, 2)]
        both += [(column_pairs.ContingencySimilarity, pair) for pair in combinations(CODES, 2)]
        return [measure.compute(t[list(pair)], s[list(pair)]) for measure, pair in both]

    table = scale.table(10)[1].to_sdv().to_dict()["tables"]["households"]
    whole = {"tables": {"households": table}}
    return {
        "columns": columns,
        "pairs": pairs,
        "detection": lambda t, c, s: single_table.LogisticDetection.compute(
            t[scale.COLUMNS], s[scale.COLUMNS], metadata=table
        ),
        "train on synthetic": lambda t, c, s: single_table.BinaryDecisionTreeClassifier.compute(
            test_data=c[scale.COLUMNS], train_data=s[scale.COLUMNS], target=TARGET, metadata=table
        ),
        "copies": lambda t, c, s: single_table.NewRowSynthesis.compute(
            t[scale.COLUMNS], s[scale.COLUMNS], metadata=table
        ),
        "nearest record": lambda t, c, s: single_table.DCROverfittingProtection.compute(
            t[scale.COLUMNS],
            s[scale.COLUMNS],
            c[scale.COLUMNS],
            metadata=whole,
            table_name="households",
        ),
        "certain disclosure": lambda t, c, s: single_table.DisclosureProtection.compute(
            t[[*KEYS, TARGET]], s[[*KEYS, TARGET]], known_column_names=KEYS, sensitive_column_names=[TARGET]
        ),
    }[name]


def _anonymeter(name: str):
    from anonymeter import evaluators

    def evaluated(evaluator, **how):
        evaluator.evaluate(**how)
        return evaluator.risk()

    def tables(t, c, s):
        return {"ori": t, "control": c, "syn": s}

    return {
        "singling out": lambda t, c, s: evaluated(
            evaluators.SinglingOutEvaluator(**tables(t, c, s), n_attacks=500), mode="multivariate"
        ),
        "linkability": lambda t, c, s: evaluated(
            evaluators.LinkabilityEvaluator(
                **tables(t, c, s), aux_cols=(KEYS[::2], KEYS[1::2]), n_attacks=500
            ),
            n_jobs=1,
        ),
        "inference": lambda t, c, s: evaluated(
            evaluators.InferenceEvaluator(**tables(t, c, s), aux_cols=KEYS, secret=TARGET, n_attacks=500),
            n_jobs=1,
        ),
    }[name]


def _synthcity(name: str):
    import pandas as pd
    from synthcity.metrics import Metrics
    from synthcity.plugins.core.dataloader import GenericDataLoader

    wanted = {
        "Jensen-Shannon": {"stats": ["jensenshannon_dist"]},
        "Wasserstein": {"stats": ["wasserstein_dist"]},
        "detection": {"detection": ["detection_xgb"]},
        "copies": {"sanity": ["common_rows_proportion"]},
        "smallest group": {"privacy": ["k-anonymization"]},
        "membership by density": {"privacy": ["DomiasMIA_KDE"]},
    }[name]

    def measured(*tables):
        both = pd.concat([table[scale.COLUMNS] for table in tables], keys=range(3))
        for column in CODES:
            both[column] = pd.factorize(both[column], sort=True)[0]
        real, other, made = (GenericDataLoader(both.loc[i]) for i in range(3))
        return Metrics.evaluate(real, made, X_train=real, X_ref_syn=other, metrics=wanted)

    return measured


TOOLS = {"course": _ours, "SDMetrics": _sdmetrics, "anonymeter": _anonymeter, "synthcity": _synthcity}
QUESTIONS = {  # which other tools have a measure for the question
    "columns": ("SDMetrics",),
    "pairs": ("SDMetrics",),
    "Jensen-Shannon": ("synthcity",),
    "Wasserstein": ("synthcity",),
    "detection": ("SDMetrics", "synthcity"),
    "train on synthetic": ("SDMetrics",),
    "copies": ("SDMetrics", "synthcity"),
    "nearest record": ("SDMetrics",),
    "singling out": ("anonymeter",),
    "linkability": ("anonymeter",),
    "inference": ("anonymeter",),
    "certain disclosure": ("SDMetrics",),
    "smallest group": ("synthcity",),
    "membership by density": ("synthcity",),
    "the whole report": (),
}

# ------------------------------------------------------------------------------ one unit, in its own process


def make(folder: Path) -> None:
    """Carry out the order in a folder: one measure on three tables. Writes made.json."""
    from course.compare.make import Clock
    from course.labs import peak_mib
    from course.measure import privacy

    order, clock = json.loads((folder / "order.json").read_text(encoding="utf-8")), Clock(folder)
    with clock.phase("loading"):
        measure = TOOLS[order["tool"]](order["question"])
        tables = [scale.table(order["rows"], seed)[0] for seed in range(3)]
        tables = [table.assign(age=privacy.band(table["reference_age"], 5)) for table in tables]
    with (
        clock.phase("measuring"),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        found = measure(*tables)
    nothing = hasattr(found, "empty") and found.empty
    used = {"seconds": clock.seconds, "peak_mib": peak_mib(), "figure": not nothing}
    (folder / "made.json").write_text(json.dumps(used), encoding="utf-8")


class Starter:
    """Starts a unit as a process of its own, in the way that `course.compare.run.watched` asks for."""

    def start(self, folder: Path, library: str):
        with open(folder / "said.txt", "w", encoding="utf-8") as said:
            command = [sys.executable, "-m", "course.compare.measures", str(folder)]
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=variables({"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}),
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        return process.pid, process.poll


# ------------------------------------------------------------------------------ the run


@dataclass(frozen=True)
class Unit:
    """One measure of one tool at one size."""

    question: str
    tool: str
    rows: int

    @property
    def generator(self) -> str:  # what --only goes by
        return self.tool

    @property
    def name(self) -> dict:
        return {"question": self.question, "tool": self.tool, "rows": self.rows}

    @property
    def key(self) -> str:
        return key("", CODE if self.tool == "course" else CODE[:1], self.name)


def units() -> list[Unit]:
    """Everything there is to do, the smallest sizes first."""
    return [
        Unit(question, tool, rows)
        for rows in SIZES
        for question, others in QUESTIONS.items()
        for tool in ("course", *others)
    ]


def store(path=MEASURES) -> Store:
    about = "What each measure takes as tables grow. Made by: python3 -m course compare --measures"
    return Store(path, ("question", "tool", "rows"), about)


def run(todo: list[Unit], kept: Store, again: bool, seconds: float, mib: int, say=print) -> int:
    """Do what is not done yet. Returns how many units failed, met a limit or were skipped."""
    wanted = [unit for unit in todo if again or (kept.find(**unit.name) or {}).get("key") != unit.key]
    say(f"{len(todo)} units, of which {len(todo) - len(wanted)} stand already.", flush=True)
    by, trouble = made_by(limits={"seconds": seconds, "mib": mib}), 0
    for number, unit in enumerate(wanted, 1):
        doing = f"{number} of {len(wanted)}: {unit.question}, {unit.tool}, {unit.rows:,} rows ..."
        say(doing, end=" ", flush=True)
        result = too_slow_before(unit, kept) or run_unit(unit, seconds, mib)
        kept.add({**unit.name, "key": unit.key, **result}, by)
        trouble += result["status"] != "done"
        done = result["status"] == "done"
        say(f"{result['seconds']['measuring']:.2f} s." if done else result["why"], flush=True)
    return trouble


def too_slow_before(unit: Unit, kept: Store) -> dict | None:
    """Not tried where the same measure met a limit, or failed, with fewer rows."""
    smaller = [kept.find(**{**unit.name, "rows": rows}) for rows in SIZES if rows < unit.rows]
    met = next((one for one in smaller if one and one["status"] != "done"), None)
    if met is None:
        return None
    return {"status": "skipped", "why": f"Not tried: at {met['rows']:,} rows this was said: {met['why']}"}


def run_unit(unit: Unit, seconds: float, mib: int) -> dict:
    """One unit's result: what it took, or the sentence that says why that is not known."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        Path(place, "order.json").write_text(json.dumps(unit.name), encoding="utf-8")
        return watched(Starter(), Path(place), unit.tool, seconds, mib)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
