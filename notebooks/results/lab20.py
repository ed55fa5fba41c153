"""Makes lab20-runs.csv, lab20-risks.csv and lab20-optimiser.csv, which lab 20 reads.

    python notebooks/results/lab20.py             many generators and settings
    python notebooks/results/lab20.py optimiser   SynthOpt's optimiser, asked four times

Run it in the environment, from the folder of the course. The first takes about two
minutes on one core, the second about five. The data, the settings and the
measures are those of lab 20: three thousand simulated pupils to learn from, three
thousand others as control.

lab20-runs.csv has one line for each table: its setting, its seed, and how far it is
from the real one, in pairs of columns, in two estimates, in the worst ethnic group.
lab20-risks.csv has one line for each setting and attack, on all tables of the setting.
lab20-optimiser.csv has one line for each epsilon that SynthOpt's optimiser tried.
All say in their last columns which packages made them, and when.
"""

from __future__ import annotations

import ast
import contextlib
import datetime
import io
import logging
import sys
import textwrap
import time
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from course import data, generate
from course.measure import fidelity, privacy, utility

RUNS = Path(__file__).with_name("lab20-runs.csv")
RISKS = Path(__file__).with_name("lab20-risks.csv")
TRIALS = Path(__file__).with_name("lab20-optimiser.csv")
COLUMNS = ["sex", "birth_month", "ethnic_group_minor", "language_group"]
COLUMNS += ["fsm_eligible", "sen_provision", "sen_primary_need", "ks2_score"]
COLUMNS += ["attendance_rate", "attainment8"]
PEOPLE = 3000
SEEDS = range(1, 11)
KEYS = ["sex", "birth_month", "ethnic_group_minor", "fsm_eligible"]
KEYS += ["ks2_score", "attendance_rate"]
WIDTHS = {"ks2_score": 5, "attendance_rate": 5, "attainment8": 10}

# The tables of counts that answer the two questions of the lab, and no others.
ASKED = [("fsm_eligible", "sen_provision"), ("fsm_eligible", "ks2_score")]
ASKED += [("fsm_eligible", "attainment8"), ("sen_provision", "attainment8")]
ASKED += [("ks2_score", "attainment8"), ("sen_provision", "ks2_score")]

# Setting: (family, generator, options). The two ends are no generators.
SETTINGS = {
    "verbatim copy": ("ends", None, {}),
    "fresh real pupils": ("ends", None, {}),
    "valid": ("simple", "valid", {}),
    "marginal": ("simple", "marginal", {}),
    "copula": ("simple", "copula", {}),
    "ipf, own pairs": ("counts", "ipf", {}),
    "ipf, asked pairs": ("counts", "ipf", {"margins": ASKED}),
    "ipf, asked, from 50": (
        "counts",
        "ipf",
        {"margins": ASKED, "threshold": 50, "rounding": 50},
    ),
    "ipf-dp, epsilon 0.1": ("counts", "ipf-dp", {"margins": ASKED, "epsilon": 0.1}),
    "ipf-dp, epsilon 1": ("counts", "ipf-dp", {"margins": ASKED, "epsilon": 1.0}),
    "ipf-dp, epsilon 10": ("counts", "ipf-dp", {"margins": ASKED, "epsilon": 10.0}),
    "cart, leaf 100": ("trees", "cart", {"min_leaf": 100}),
    "cart, leaf 20": ("trees", "cart", {"min_leaf": 20}),
    "cart, leaf 5": ("trees", "cart", {"min_leaf": 5}),
    "cart, leaf 1": ("trees", "cart", {"min_leaf": 1}),
}


def parts():
    """Pupils to learn from, control, others for fresh samples, and the schema."""
    pupils = data.load("pupils")
    chosen = [part["pupils"][COLUMNS] for part in (pupils.training, pupils.control)]
    training, control = (part.sample(frac=1, random_state=20) for part in chosen)
    others = pd.concat([training[PEOPLE:], control[PEOPLE:]], ignore_index=True)
    schema = pupils.schema("pupils").select(COLUMNS)
    tables = training[:PEOPLE], control[:PEOPLE], others
    return *(table.reset_index(drop=True) for table in tables), schema


def tables(setting, real, others, schema, seeds=SEEDS):
    """One table for each seed. Where fitting has luck of its own, it is fitted anew."""
    family, name, options = SETTINGS[setting]
    if setting == "verbatim copy":
        return [real.sample(frac=1, random_state=seed) for seed in seeds]
    if family == "ends":
        return [others.sample(PEOPLE, random_state=seed) for seed in seeds]
    if name == "ipf-dp":
        fitted = [
            generate.fit(name, real, schema, noise_seed=seed, **options)
            for seed in seeds
        ]
        return [m.sample(PEOPLE, seed=s) for m, s in zip(fitted, seeds, strict=True)]
    model = generate.fit(name, real, schema, **options)
    return [model.sample(PEOPLE, seed=seed) for seed in seeds]


def with_meals(table):
    """Free school meals as a number: 1 where eligible, 0 where not."""
    return table.assign(meals=(table["fsm_eligible"] == "Y").astype(float))


def gap(table):
    """Points of attainment: pupils with free school meals less the others."""
    return utility.slope(with_meals(table), "attainment8", "meals")


def adjusted(table):
    """The same gap among pupils alike in earlier score and in special needs."""
    asked = ["meals", "ks2_score", "sen_provision"]
    return utility.regression(with_meals(table), "attainment8", asked)["meals"]


def worst_group(real, table, least=40):
    """Points by which mean attainment is off in the worst-served ethnic group."""
    by = "ethnic_group_minor"
    large = real[by].value_counts().loc[lambda counted: counted >= least].index
    means = [t.groupby(by)["attainment8"].mean().reindex(large) for t in (real, table)]
    # A group that the table has lost is as far off as the group is from everybody.
    lost = (means[0] - real["attainment8"].mean()).abs()
    off = (means[1] - means[0]).abs().fillna(lost)
    return off.max(), off.idxmax()


def known(table):
    """The table as an intruder knows it: scores and rates in bands."""
    bands = {column: privacy.band(table[column], w) for column, w in WIDTHS.items()}
    return table.assign(**bands)


def measured(real, table, schema):
    """What the table keeps: everything here is a distance, so less is better."""
    pairs = fidelity.pairs(real, table, schema=schema)["difference"].abs().mean()
    singles = fidelity.columns(real, table, schema)["value"].mean()
    found = {"columns": singles, "pairs": pairs}
    for name, estimate in (("gap", gap), ("adjusted", adjusted)):
        true, made = estimate(real), estimate(table)
        found[name] = abs(made.value - true.value)
        found[f"{name}_overlap"] = utility.ci_overlap(true, made)
    found["group"], found["group_named"] = worst_group(real, table)
    return found


def attacked(real, control, made, others):
    """Four attacks, each on all tables of a setting: {attack: Risk}."""
    training, outside = known(real), known(control)
    seen = [known(table) for table in made]
    reference = others.sample(2000, random_state=20)
    return {
        "special needs": privacy.disco(training, outside, seen, KEYS, "sen_provision"),
        "exam result": privacy.disco(training, outside, seen, KEYS, "attainment8"),
        "whole row": privacy.membership(real, control, made, COLUMNS),
        "who was in": privacy.domias(
            real, control, made, COLUMNS, reference=reference, most=PEOPLE
        ),
    }


def stamp(*packages):
    """What made a line, and when."""
    made_by = ", ".join(f"{name} {version(name)}" for name in packages)
    return {"made_by": made_by, "date": datetime.date.today().isoformat()}


def main():
    """Make and measure every setting."""
    real, control, others, schema = parts()
    made_by = stamp("numpy", "pandas", "scikit-learn", "statsmodels")
    runs, risks = [], []
    for setting, (family, *_) in SETTINGS.items():
        made = tables(setting, real, others, schema)
        first = {"setting": setting, "family": family}
        for seed, table in zip(SEEDS, made, strict=True):
            found = measured(real, table, schema)
            runs.append({**first, "seed": seed, **found, **made_by})
        for attack, risk in attacked(real, control, made, others).items():
            figures = risk.table().iloc[0].drop(["measure", "keys"]).to_dict()
            risks.append({**first, "attack": attack, **figures, **made_by})
        print(setting, flush=True)
    pd.DataFrame(runs).round(5).to_csv(RUNS, index=False)
    pd.DataFrame(risks).round(5).to_csv(RISKS, index=False)


def over_seeds(runs, measure):
    """Mean of a measure over the ten seeds of each setting, with its 95% interval."""
    found = runs.groupby("setting")[measure].agg(["mean", "sem"]).loc[list(SETTINGS)]
    mean, reach = found["mean"], 2.262 * found["sem"]  # Student's t for ten seeds
    ends = {"": mean, "_low": (mean - reach).clip(lower=0), "_high": mean + reach}
    return pd.DataFrame({f"{measure}{end}": values for end, values in ends.items()})


def board(runs, risks):
    """One row for each setting: three distances and the risk, and their intervals.

    `risk` is the attack on special needs. `highest` is the upper end of the worst.
    """
    found = [over_seeds(runs, measure) for measure in ("pairs", "gap", "adjusted")]
    found = pd.concat(found, axis=1)
    needs = risks[risks["attack"] == "special needs"].set_index("setting")
    found[["risk", "risk_low", "risk_high"]] = needs[["excess", "low", "high"]]
    found["highest"] = risks.groupby("setting")["high"].max()
    found.insert(0, "family", runs.groupby("setting")["family"].first())
    found.insert(0, "mark", list("ABCDEFGHIJKLMNO"))
    return found


def drawn(found):
    """The columns of a board that the chart shows, and the families in words."""
    families = {"ends": "two ends", "simple": "columns, correlations"}
    families |= {"counts": "published counts", "trees": "trees"}
    ends = ("", "_low", "_high")
    shown = [f"{name}{end}" for name in ("pairs", "gap", "risk") for end in ends]
    shown = found.reset_index()[["mark", "family", "setting", *shown]]
    return shown.assign(family=shown["family"].map(families))


def worst_groups(runs, settings):
    """How far off the worst-served ethnic group is, and which it mostly is."""
    some = runs[runs["setting"].isin(settings)].groupby("setting", sort=False)
    found = some["group"].agg(["mean", "min", "max"])
    found.columns = ["points off", "least", "most"]
    found["named most often"] = some["group_named"].agg(lambda named: named.mode()[0])
    return found.reset_index()


def in_numbers(table):
    """Seven columns of numbers, since SynthOpt's generators take no text."""
    low = (table["attainment8"] < 40).astype(int)
    coded = {
        "girl": (table["sex"] == "F").astype(int),
        "month": table["birth_month"],
        "meals": (table["fsm_eligible"] == "Y").astype(int),
        "needs": (table["sen_provision"] != "N").astype(int),
        "attendance": table["attendance_rate"],
        "attainment": table["attainment8"],
        "low": low,
    }
    return pd.DataFrame(coded).reset_index(drop=True)


def three_ends(real, control, others, rows=300):
    """Pupils, their control, and three tables: a copy, fresh real pupils, and noise.

    In the noise, every whole number from the least to the largest is equally likely.
    """
    chosen = [in_numbers(part.head(rows)) for part in (real, control, others)]
    pupils, outside, fresh = chosen
    rng = np.random.default_rng(20)
    ends = pupils.agg(["min", "max"]).astype(int)
    noise = {c: rng.integers(*ends[c] + [0, 1], rows) for c in pupils}
    copy = pupils.sample(frac=1, random_state=1).reset_index(drop=True)
    tables = {"verbatim copy": copy, "fresh real pupils": fresh}
    return pupils, outside, tables | {"noise": pd.DataFrame(noise)}


FILES = ["evaluate/privacy.py", "evaluate/utility.py", "optimise/optimise.py"]
# What the exercise shows: of which file, and how the lines begin.
PIECES = {
    "A": (0, "singling_evaluator = "),
    "B": (0, "exact_matches_score = "),
    "C": (0, "singling_risk = "),
    "D": (0, "for secret in columns", "inference_evaluator = Inf"),
    "E": (1, "classifier_synthetic.fit", "y_pred_synthetic = classifier"),
    "F": (2, "privacy_scores['Detection Total'] = ", "privacy_mean_total_score = "),
    "G": (2, "privacy_scores['Inference Risk Total'] = 1"),
    "H": (2, "x0=[5]", "method=", "options="),
    "I": (2, "data,", "dp_epsilon=epsilon", "privacy_scores = evaluate"),
}


def sources():
    """The text of three files of SynthOpt, as they stand on the disk."""
    folder = Path(find_spec("synthopt").origin).parent
    return [(folder / name).read_text(encoding="utf-8") for name in FILES]


def pieces():
    """Nine pieces of SynthOpt's source, without comments, as text."""
    shown, texts = [], sources()
    for letter, (where, *wanted) in PIECES.items():
        lines = [line.strip() for line in texts[where].splitlines()]
        for start in wanted:
            line = next(line for line in lines if line.startswith(start)).split(" #")[0]
            line = line.replace(", ", ",").replace(",", ", ").strip()
            shown.append(
                textwrap.fill(f"{letter}  {line}", 84, subsequent_indent="     ")
            )
    return "\n".join(shown)


def lifted(name):
    """The source of one function of SynthOpt, word for word."""
    nodes = [(source, node) for source in sources() for node in ast.parse(source).body]
    return next(
        ast.get_source_segment(source, node)
        for source, node in nodes
        if getattr(node, "name", "") == name
    )


def create_metadata(table):
    """What SDV would say of each column: a few values are a category."""
    few = {column: table[column].nunique() <= 10 for column in table}
    kinds = {True: "categorical", False: "numerical"}
    return {"columns": {column: {"sdtype": kinds[few[column]]} for column in table}}


def six_scores(real, table, control, asked_for):
    """SynthOpt's scores of privacy, turned round as its optimiser does it.

    Its own function runs, word for word. It is given what SDV would say of the columns,
    and an attack that takes a list of one secret. `asked_for` is a list that keeps
    what each inference attack was asked. More is called safer.
    """
    from anonymeter import evaluators
    from sdmetrics import single_table

    class OneSecret(evaluators.InferenceEvaluator):
        def __init__(self, secret, **others):
            asked_for.append((*secret, *others["aux_cols"]))
            super().__init__(secret=secret[0], **others)

    logging.disable(logging.WARNING)  # anonymeter says when it has few guesses to make
    space = vars(evaluators) | vars(single_table) | {"np": np}
    space |= {"InferenceEvaluator": OneSecret, "create_metadata": create_metadata}
    exec(lifted("evaluate_privacy"), space)  # noqa: S102 - the installed tool's own code
    asked = [None, ["needs"], ["girl", "month"], control.copy()]
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        got = space["evaluate_privacy"](real.copy(), table.copy(), *asked)
    turned = ("Detection", "Singling", "Linkability", "Inference Risk")
    return {k: 1 - v if k.startswith(turned) else v for k, v in got.items()}


def synthopt():
    """SynthOpt's optimiser, made to load beside today's SDV and anonymeter.

    Its code is not touched. It asks SDV for a class that SDV 2 has removed, and hands
    anonymeter a list of one secret, where anonymeter now wants the name alone.
    """
    import sdv.metadata
    from anonymeter.evaluators import InferenceEvaluator
    from sdv.metadata._single_table import _SingleTableMetadata

    class SingleTableMetadata(dict):
        columns = property(lambda self: self["columns"])

        def detect_from_dataframe(self, table):
            found = _SingleTableMetadata()
            found.detect_from_dataframe(table)
            self["columns"] = found.columns

    class OneSecret(InferenceEvaluator):
        def __init__(self, secret, **others):
            super().__init__(secret=secret[0], **others)

    sdv.metadata.SingleTableMetadata = SingleTableMetadata
    sdv.metadata.MultiTableMetadata = None
    from synthopt.evaluate import privacy as part
    from synthopt.optimise import optimise

    part.InferenceEvaluator = OneSecret
    return optimise


def optimiser(rows=200, iterations=3, most=60):
    """Let it look for the best epsilon, asked four times; then look at some."""
    real, control, *_ = parts()
    real, control = (in_numbers(part.head(rows)) for part in (real, control))
    tool, trials, now = synthopt(), [], {"asked": 0}
    packages = ["SynthOpt", "synthcity", "anonymeter", "sdmetrics", "sdv", "scipy"]
    made_by, score = stamp(*packages), tool.objective_function
    logging.disable(logging.WARNING)

    def watched(epsilon, weights, table, model, *others):
        if sum(trial["asked"] == now["asked"] for trial in trials) == most:
            raise RuntimeError(f"stopped after {most} trials")
        begun = time.process_time()
        said = sys.stdout if now["asked"] == 0 else io.StringIO()
        with contextlib.redirect_stdout(said):
            reached = score(epsilon, weights, table, model, *others)
        spent = round(time.process_time() - begun, 1)
        line = {**now, "model": model, **weights}
        line |= {"epsilon": f"{epsilon[0]:.12g}", "score": -reached, "seconds": spent}
        trials.append({**line, "answer": None, **made_by})
        print(line, flush=True)
        return reached

    tool.objective_function = watched
    same = ["single", None, "low", "binary", ["needs"], ["girl", "month"], control]
    same += [rows, iterations]
    askings = [("dpgan", 1, 1), ("dpgan", 10, 1), ("dpgan", 1, 10), ("pategan", 1, 1)]
    for model, privacy_counts, utility_counts in askings:
        now["asked"] += 1
        weights = {"privacy": privacy_counts, "utility": utility_counts}
        try:
            answer, _ = tool.optimise_epsilon(real, model, *same, weights)
        except RuntimeError as error:
            answer = str(error)
        trials[-1]["answer"] = answer
    now["asked"] = 0  # tried by us, and not by the optimiser
    for epsilon in (0.01, 0.1, 1, 5, 10):
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                watched(
                    np.array([epsilon]),
                    {"privacy": 1, "utility": 1},
                    real,
                    "dpgan",
                    *same,
                )
        except Exception as error:  # the tool prints why, and goes on with no table
            why = [text for text in said.getvalue().splitlines() if "Error:" in text]
            line = {**now, "model": "dpgan", "epsilon": f"{epsilon:.12g}"}
            trials.append({**line, "answer": (why or [str(error)])[0], **made_by})
    pd.DataFrame(trials).to_csv(TRIALS, index=False)


if __name__ == "__main__":
    optimiser() if "optimiser" in sys.argv else main()
