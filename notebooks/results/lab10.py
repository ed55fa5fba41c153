"""Makes lab10.json: the results of lab 10 that take too long for a lesson.

    python notebooks/results/lab10.py

Run it in the environment, from the folder of the course. It takes many minutes. Each
task runs in a process of its own, so that the memory it is charged with is its own.
"""

from __future__ import annotations

import inspect
import itertools
import json
import subprocess
import sys
import textwrap
import time
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from course import data, generate
from course.labs import peak_mib

RESULTS = Path(__file__).with_suffix(".json")
COLUMNS = ["region", "household_type", "tenure", "ethnic_group", "health_condition"]
COLUMNS += ["universal_credit", "arrears", "weekly_income"]
CELL = ["ethnic_group", "tenure"]  # the table with the cell of one household
RUNS = [("marginal", {}), ("ipf", {})]
RUNS += [("ipf-dp", {"epsilon": epsilon}) for epsilon in (0.1, 1, 10)]
RUNS += [("synthcity-privbayes", {"epsilon": epsilon}) for epsilon in (0.1, 1, 10)]
RUNS += [("synthcity-aim", {"epsilon": 1})]
for name in ("synthcity-dpgan", "synthcity-pategan"):  # the course's default, and more
    RUNS += [(name, {"epsilon": 1, "n_iter": passes}) for passes in (2, 10)]
TIMES = 2000


def claims():
    """The households, eight columns of them, and their description."""
    bundled = data.load("claims")
    schema = bundled.schema("households").select(COLUMNS)
    return bundled.training["households"][COLUMNS], schema


def run(name, options):
    """Fit and draw once: seconds of processor time, memory, and what came out."""
    real, schema = claims()
    more = {}
    if name == "ipf-dp":
        more = {"noise_seed": 1, "domain": {"weekly_income": (0, 3000)}}
    began = time.process_time()
    model = generate.fit(name, real, schema, **options, **more)
    fitted = time.process_time()
    made = model.sample(len(real), seed=1)
    drawn = time.process_time()
    return {
        "generator": name,
        "epsilon": options.get("epsilon"),
        "passes": options.get("n_iter"),
        "fit_seconds": round(fitted - began, 1),
        "sample_seconds": round(drawn - fitted, 1),
        "peak_mib": peak_mib(),
        "pairs": round(pair_error(real, made), 4),
        "counted_with_arrears": counted_with(model, "arrears"),
        **outcomes(made),
    }


def counted_with(model, column):
    """The columns counted together with `column`, by a generator that counts pairs."""
    counted = getattr(model, "published", {})
    return [c for pair in counted if column in pair for c in pair if c != column]


def outcomes(table):
    """The share on Universal Credit, and the share in arrears among those."""
    chosen = table[table["universal_credit"] == "Y"]
    late = float((chosen["arrears"] == "Y").mean()) if len(chosen) else None
    return {"on_credit": len(chosen) / len(table), "arrears_on_credit": late}


def pair_error(real, made):
    """The distance of two-way tables, total variation, averaged over all pairs."""
    edges = [-1, 250, 500, 750, 1000, 1500, np.inf]

    def counted(table, pair):
        bands = pd.cut(table["weekly_income"], edges).astype(str)
        return (
            table.assign(weekly_income=bands).groupby(list(pair), dropna=False).size()
        )

    def distance(pair):
        first, second = (counted(table, pair) / len(table) for table in (real, made))
        return first.sub(second, fill_value=0).abs().sum() / 2

    pairs = itertools.combinations(COLUMNS, 2)
    return float(np.mean([distance(pair) for pair in pairs]))


def codes(table):
    return table.apply(lambda column: pd.factorize(column, sort=True)[0])


def only_one(real):
    """The household that has its ethnic group and tenure to itself."""
    return (real["ethnic_group"] == "WROM") & (real["tenure"] == "SR")


def privbayes():
    """The noise that synthcity's own PrivBayes adds to counts, at an epsilon of 1.

    Also its noisy count of a household that is alone in its cell, with the household in
    the table and without. A cell that it does not list counts as 0.
    """
    from synthcity.plugins.privacy.plugin_privbayes import PrivBayes

    real, _ = claims()
    alone = only_one(real)
    income = pd.qcut(real["weekly_income"], 10, labels=False)
    table = codes(real.assign(weekly_income=income))
    place = tuple(table.loc[alone, CELL].iloc[0])
    model = PrivBayes(epsilon=1.0)
    model.K = model._compute_K(table)
    true = table.groupby(CELL).size()

    def counts(rows):
        return model._get_noisy_counts_for_attributes(rows, CELL).set_index(CELL)[
            "count"
        ]

    np.random.seed(1)
    noise = pd.concat([counts(table) - true for _ in range(30)])
    seen = {
        "in": [counts(table).get(place, 0) for _ in range(TIMES)],
        "out": [counts(table[~alone]).get(place, 0) for _ in range(TIMES)],
    }
    facts = {"parents": int(model.K), "columns": len(COLUMNS), "rows": len(real)}
    return facts | {"noise": short(noise)} | {side: short(seen[side]) for side in seen}


def ipf_dp():
    """The same count from ipf-dp, at an epsilon of 1. A hidden count is 0."""
    real, schema = claims()
    options = {"epsilon": 1.0, "margins": [tuple(CELL)]}

    def count(table, seed):
        part = schema.select(CELL)
        model = generate.fit("ipf-dp", table[CELL], part, noise_seed=seed, **options)
        shown = model.published[tuple(CELL)]
        return shown.reindex(index=["WROM"], columns=["SR"]).fillna(0).iloc[0, 0]

    seeds = range(TIMES)
    rows = {"in": real, "out": real[~only_one(real)]}
    return {side: short([count(rows[side], seed) for seed in seeds]) for side in rows}


def aim():
    """What synthcity's AIM makes of exact counts, and when its noise is added.

    The noise is watched twice: in the library, and in the course's adapter to it.
    """
    from synthcity.plugins.core.models.mbi.domain import Domain
    from synthcity.plugins.core.models.mbi.identity import Identity
    from synthcity.plugins.core.models.mbi.inference import FactoredInference
    from synthcity.plugins.core.models.tabular_aim import TabularAIM

    real, schema = claims()
    table = codes(real[["universal_credit", "arrears"]])
    column = ("universal_credit",)
    counts = np.bincount(table[column[0]]).astype(float)

    def estimated():
        engine = FactoredInference(Domain(column, [2]), iters=1000)
        fitted = engine.estimate([(Identity(2), counts, 1.0, column)])
        return short(fitted.project(column).datavector())

    as_it_is = estimated()
    kept = FactoredInference.mirror_descent
    FactoredInference.mirror_descent = with_a_growing_step(kept)
    mended = estimated()
    FactoredInference.mirror_descent = kept

    model = TabularAIM(table, epsilon=1.0)
    library = noisy_tables(lambda: model.fit(table), lambda _, __: model.generate(10))
    part = real[table.columns], schema.select(list(table.columns))
    adapter = noisy_tables(
        lambda: generate.fit("synthcity-aim", *part, epsilon=1.0),
        lambda fitted, seed: fitted.sample(10, seed),
    )
    held = (model.dataset.df.to_numpy() == table.to_numpy()).all(axis=1)
    return {
        "exact_counts": counts.tolist(),
        "estimated": as_it_is,
        "estimated_with_a_growing_step": mended,
        "rows_held_after_fit": int(held.sum()),
        "noisy_tables_after_fit_and_each_draw": {"library": library, "course": adapter},
    }


def noisy_tables(fit, draw):
    """How many noisy tables AIM has made after fitting, after one draw, after two."""
    from synthcity.plugins.core.models.aim import AIM

    add_noise, made = AIM.gaussian_noise, []

    def watched(model, sigma, size):
        made.append(size)
        return add_noise(model, sigma, size)

    with mock.patch.object(AIM, "gaussian_noise", watched):
        fitted, counts = fit(), [len(made)]
        for seed in (1, 2):
            draw(fitted, seed)
            counts.append(len(made))
    return counts


def with_a_growing_step(function):
    """The same function, its step doubled each time as in the code it comes from."""
    source = textwrap.dedent(inspect.getsource(function))
    constant = "alpha = stepsize\n"
    assert source.count(constant) == 1
    names = dict(function.__globals__)
    exec(source.replace(constant, "alpha = 2.0 * alpha\n"), names)  # noqa: S102
    return names[function.__name__]


def short(numbers):
    """Four significant digits: enough to see, and a small file."""
    return [float(f"{number:.4g}") for number in numbers]


def in_a_process(task):
    """Run one task in a process of its own. Its last line of output is the result."""
    command = [sys.executable, __file__, json.dumps(task)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{task} failed: {done.stderr}")
    print(*task, "done", flush=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    packages = {
        name: version(name) for name in ("synthcity", "opacus", "torch", "numpy")
    }
    made = {"made_by": "python notebooks/results/lab10.py", "packages": packages}
    made["real"] = outcomes(claims()[0])
    made["runs"] = [in_a_process(["run", *each]) for each in RUNS]
    for task in ("privbayes", "ipf_dp", "aim"):
        made[task] = in_a_process([task])
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(made[key])}" for key in made)
    RESULTS.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        task, *arguments = json.loads(sys.argv[1])
        print(json.dumps(globals()[task](*arguments)))
    else:
        main()
