"""Which measures catch which leaks: tables with leaks planted on purpose, and clean twins.

`python3 -m course compare --leaks`. The people are households of the data set claims. From the simulated
population come, for each seed, a training part, a control part, and a third part that stands in for a perfect
synthesis: the clean twin. A leak is planted by putting something of the training part into a clean twin. Then
every measure looks at it, ours and those of other tools.

Ours flag a leak by their own test. Where the score of another tool comes without one, the rule is generous:
it flags where the score is worse than on every clean twin of the run.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from course import data
from course.compare import LEAKS
from course.compare.figures import one_sentence
from course.compare.store import Store, key, made_by

ROWS, SEEDS = 1_000, (1, 2, 3, 4, 5)
SECONDS, MIB = 0, 0  # no limit: every measure ends within a minute
KEYS = ["region", "household_type", "age", "tenure", "ethnic_group"]
TARGETS = ["income", "arrears"]
MONEY = ["weekly_income", "weekly_rent"]
CODE = [
    "course/compare/leaks.py",
    *(f"course/measure/{part}.py" for part in ("privacy", "report", "_risk", "_tables")),
]

# ------------------------------------------------------------------------------ tables with a leak


@cache
def population():
    """All simulated households that stand neither in the training part nor in the control part."""
    sys.path.insert(0, str(data.FOLDER))
    import simulation

    claims = data.load("claims")
    seed = simulation.read("claims").package["sampling"]["seed"]
    people = data.typed(
        simulation.load("claims").population(seed=seed)["households"], claims.schema("households")
    )
    taken = [part["households"]["household_id"] for part in (claims.training, claims.control)]
    return people[~people["household_id"].isin([one for part in taken for one in part])]


def people(seed: int):
    """Training, control and a clean twin: so many households each, nobody in two of them, no identifier."""
    drawn = population().sample(3 * ROWS, random_state=seed).drop(columns="household_id")
    return [drawn.iloc[i * ROWS : (i + 1) * ROWS].reset_index(drop=True) for i in range(3)]


def copied(share: float) -> Callable:
    """Rows of the training part, as they are, in place of a share of the clean twin."""

    def plant(training, clean, rng):
        import pandas as pd

        many = int(share * len(clean))
        taken = training.iloc[rng.permutation(len(training))[:many]]
        return pd.concat([taken, clean.iloc[many:]], ignore_index=True)

    return plant


def copied_with_noise(share: float) -> Callable:
    """The same, with ages moved by up to two years and money by about three per cent."""

    def plant(training, clean, rng):
        noisy = training.copy()
        for column in MONEY:
            noisy[column] = (noisy[column] * (1 + rng.normal(0, 0.03, len(noisy)))).round(2)
        noisy["reference_age"] = noisy["reference_age"] + rng.integers(-2, 3, len(noisy))
        return copied(share)(noisy, clean, rng)

    return plant


def repeated(training, clean, rng):
    """A fifth of the people of the training part, five times each, and nobody else."""
    import pandas as pd

    taken = training.iloc[rng.permutation(len(training))[: len(clean) // 5]]
    return pd.concat([taken] * 5, ignore_index=True)


def famous(training, clean, rng):
    """The household of the training part with the highest income, once, as it is."""
    import pandas as pd

    return pd.concat([training.nlargest(1, "weekly_income"), clean.iloc[1:]], ignore_index=True)


def rare_cell(training, clean, rng):
    """Every household of one rare cell, eight of one ethnic group in one region, as they are."""
    import pandas as pd

    cells = training.groupby(["ethnic_group", "region"]).size()
    group, region = (cells - 8).abs().idxmin()
    rare = training[(training["ethnic_group"] == group) & (training["region"] == region)]
    return pd.concat([rare, clean.iloc[len(rare) :]], ignore_index=True)


def one_column(training, clean, rng):
    """Everybody's income is that of a training household with the same keys, where there is one."""
    incomes = training.groupby(_key(training))["weekly_income"].agg(list)
    made = clean.copy()
    found = _key(clean).map(incomes)
    there = found.notna().to_numpy()
    made.loc[there, "weekly_income"] = [rng.choice(values) for values in found[there]]
    return made


def _key(table):
    keys = banded(table)[KEYS].astype(str)
    return keys.agg("|".join, axis=1)


PLANTS = {
    "clean": lambda training, clean, rng: clean,
    "5% copied": copied(0.05),
    "10% copied": copied(0.1),
    "30% copied": copied(0.3),
    "50% copied": copied(0.5),
    "30% copied with noise": copied_with_noise(0.3),
    "a fifth of the people, five times each": repeated,
    "one famous household": famous,
    "a rare cell": rare_cell,
    "one column": one_column,
}


def banded(table):
    """The table as an intruder would use it: ages in bands of five years, incomes of a hundred pounds."""
    from course.measure import privacy

    return table.assign(
        age=privacy.band(table["reference_age"], 5), income=privacy.band(table["weekly_income"], 100)
    )


# ------------------------------------------------------------------------------ the measures


def ours(training, control, made, seed) -> dict:
    """Every attack of the risk report: its excess, and whether its own test finds a leak."""
    from course.measure.report import risk_report

    parts = [banded(table) for table in (training, control, made)]
    report = risk_report(*parts, KEYS, TARGETS, columns=list(training), most=ROWS, seed=seed)
    found = {
        f"course: {name}": {"value": risk.excess, "flag": risk.low > 0} for name, risk in report.risks.items()
    }
    whole = {"value": len(report.leaks), "flag": bool(report.leaks)}
    training_copies, control_copies = report.copies
    listed = {"value": float(training_copies), "flag": bool(training_copies > control_copies)}
    return {
        "course: the risk report, as a whole": whole,
        **found,
        "course: copies named in the report": listed,
    }


def sdmetrics(training, control, made, seed) -> dict:
    """SDMetrics' privacy scores: 1 is called best."""
    from sdmetrics import single_table

    schema = data.load("claims").schema("households").select(list(training))
    table = schema.to_sdv().to_dict()["tables"]["households"]
    described = {"tables": {"households": table}}
    known = [_plain(part)[KEYS + TARGETS] for part in map(banded, (training, made))]
    scores = {
        "DCROverfittingProtection": lambda: single_table.DCROverfittingProtection.compute(
            training, made, control, metadata=described, table_name="households"
        ),
        "DCRBaselineProtection": lambda: single_table.DCRBaselineProtection.compute(
            training, made, metadata=described, table_name="households"
        ),
        "NewRowSynthesis": lambda: single_table.NewRowSynthesis.compute(
            _dated(training), _dated(made), metadata=table
        ),
        "DisclosureProtection": lambda: single_table.DisclosureProtection.compute(
            *known, known_column_names=KEYS, sensitive_column_names=["income"]
        ),
    }
    return {f"SDMetrics: {name}": _tried(score, worse="lower") for name, score in scores.items()}


def anonymeter(training, control, made, seed) -> dict:
    """anonymeter's three risks; it flags where its own interval lies above zero."""
    from anonymeter import evaluators

    tables = {
        name: _plain(banded(table))
        for name, table in {"ori": training, "syn": made, "control": control}.items()
    }
    attacks = {
        "singling out": lambda: evaluators.SinglingOutEvaluator(**tables, n_attacks=400, seed=seed),
        "linkability": lambda: evaluators.LinkabilityEvaluator(
            **tables, aux_cols=(KEYS[::2], KEYS[1::2]), n_attacks=1000
        ),
        "inference": lambda: evaluators.InferenceEvaluator(
            **tables, aux_cols=KEYS, secret="income", n_attacks=1000
        ),
    }
    found = {}
    for name, attack in attacks.items():

        def risk(attack=attack, name=name):
            evaluator = attack()
            evaluator.evaluate(**({"mode": "multivariate"} if name == "singling out" else {"n_jobs": 1}))
            return evaluator.risk()

        found[f"anonymeter: {name}"] = _tried(risk)
    return found


def synthcity(training, control, made, seed) -> dict:
    """synthcity's privacy metrics and its count of common rows."""
    import pandas as pd
    from synthcity.metrics import Metrics
    from synthcity.plugins.core.dataloader import GenericDataLoader

    both = pd.concat([_plain(part) for part in (training, control, made)], keys=range(3))
    coded = both.apply(lambda column: column if column.dtype == float else pd.factorize(column, sort=True)[0])
    loaders = [
        GenericDataLoader(coded.loc[i].fillna(-1), sensitive_features=["weekly_income"]) for i in range(3)
    ]
    wanted = {
        "privacy": ["delta-presence", "k-anonymization", "identifiability_score", "DomiasMIA_KDE"],
        "sanity": ["common_rows_proportion", "nearest_syn_neighbor_distance"],
    }
    real, other, synthetic = loaders
    found = Metrics.evaluate(real, synthetic, X_train=real, X_ref_syn=other, metrics=wanted)["mean"]
    worse = {"k-anonymization": "lower", "nearest_syn": "lower"}
    result = {
        f"synthcity: {name}": {
            "value": float(value),
            "worse": next((way for part, way in worse.items() if part in name), "higher"),
        }
        for name, value in found.items()
        if not name.endswith(".gt") and "_OC" not in name
    }
    if not any("Domias" in name for name in found.index):
        result["synthcity: privacy.DomiasMIA_KDE"] = {
            "value": None,
            "why": "It gives no figure, and no error.",
        }
    return result


MEASURES = (ours, sdmetrics, anonymeter, synthcity)


def _tried(score: Callable, worse: str | None = None) -> dict:
    """A score of another tool, or the sentence with which it stopped."""
    try:
        value = score()
    except Exception as error:
        return {"value": None, "why": one_sentence(error)}
    if hasattr(value, "ci"):
        return {"value": float(value.value), "flag": bool(value.ci[0] > 0)}
    return {"value": float(value), "worse": worse}


def _plain(table):
    """Floats, and words for everything else: what other tools take. Blanks are a word."""
    plain = {}
    for column in table:
        values = table[column]
        number = values.dtype.kind in "if" or str(values.dtype) in ("Int64", "Float64")
        plain[column] = values.astype("Float64").astype(float) if number else values.astype(str)
    return type(table)(plain)


def _dated(table):
    """Dates as words."""
    return table.assign(**{c: table[c].astype(str) for c in table if table[c].dtype.kind == "M"})


# ------------------------------------------------------------------------------ the run


@dataclass(frozen=True)
class Unit:
    """One planted leak, with one seed."""

    plant: str
    seed: int
    generator = "leaks"  # what --only goes by

    @property
    def name(self) -> dict:
        return {"plant": self.plant, "seed": self.seed}

    @property
    def key(self) -> str:
        hashes = [part["hash"] for part in data.load("claims").package["resources"]]
        return key("", CODE, {**self.name, "rows": ROWS, "data": hashes})


def units() -> list[Unit]:
    return [Unit(plant, seed) for plant in PLANTS for seed in SEEDS]


def store(path=LEAKS) -> Store:
    about = "Which measures catch which planted leaks. Made by: python3 -m course compare --leaks"
    return Store(path, ("plant", "seed"), about)


def run(todo: list[Unit], kept: Store, again: bool, seconds: float, mib: int, say=print) -> int:
    """Do what is not done yet. Returns how many measures could not be made."""
    wanted = [unit for unit in todo if again or (kept.find(**unit.name) or {}).get("key") != unit.key]
    say(f"{len(todo)} tables, of which {len(todo) - len(wanted)} stand already.", flush=True)
    by, trouble = made_by(rows=ROWS), 0
    for number, unit in enumerate(wanted, 1):
        say(f"{number} of {len(wanted)}: {unit.plant}, seed {unit.seed} ...", end=" ", flush=True)
        began = time.monotonic()
        found = run_unit(unit)
        kept.add({**unit.name, "key": unit.key, "found": found}, by)
        stopped = [name for name, one in found.items() if one["value"] is None]
        trouble += len(stopped)
        say(f"{time.monotonic() - began:.0f} s. No figure from: {', '.join(stopped) or 'none'}.", flush=True)
    return trouble


def run_unit(unit: Unit) -> dict:
    """What every measure says of one table: {measure: value, and flag or worse}."""
    import numpy as np

    training, control, clean = people(unit.seed)
    made = PLANTS[unit.plant](training, clean, np.random.default_rng(unit.seed))
    made = made.sample(frac=1, random_state=unit.seed).reset_index(drop=True)
    found = {}
    for measure in MEASURES:
        # synthcity and part of anonymeter draw from numpy's shared state, whatever seed they are given.
        np.random.seed(unit.seed)
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            found |= measure(training, control, made, unit.seed)
    return found


def caught():
    """How many of the seeds' tables each measure flagged: a DataFrame of measures x plants, and notes.

    A score without a test of its own flags where it is worse than on every clean twin. Missing where the
    measure gave no figure.
    """
    import pandas as pd

    rows = [
        {"measure": name, **one, "plant": unit["plant"], "seed": unit["seed"]}
        for unit in store().read()["units"]
        for name, one in unit["found"].items()
    ]
    found = pd.DataFrame(rows)
    clean = found[found["plant"] == "clean"].groupby("measure")["value"].agg(["min", "max"])
    ends = found["measure"].map(clean["min"]), found["measure"].map(clean["max"])
    by_score = ((found["worse"] == "lower") & (found["value"] < ends[0])) | (
        (found["worse"] == "higher") & (found["value"] > ends[1])
    )
    found["flag"] = found["flag"].where(found["flag"].notna(), by_score.where(found["worse"].notna()))
    found = found[found["value"].notna()]
    table = found.assign(flag=found["flag"].astype(float)).pivot_table(
        index="measure", columns="plant", values="flag", aggfunc="sum", sort=False
    )
    return table[[plant for plant in PLANTS if plant in table]]
