"""Makes lab18-scores.csv.gz: a membership attack with hundreds of shadow syntheses.

    python notebooks/results/lab18.py

Run it in the environment, from the folder of the course. It takes about five minutes
on one core.

There is a pool of 1,000 households. Each run puts a random half of them into the data,
and makes one synthetic table from that half. Eighty households of the pool are
attacked: the forty that are least like anybody else, and forty others drawn at random.
In the first SHADOW runs the intruder learns, for each household, how tables with it
differ from tables without it. In the other runs they say whether it is in the data.

Each line of lab18-scores.csv.gz is one household in one of those other runs. `part` is
the truth: training if the household was in the data, control if not. Each further
column is the score of one attack, and a higher score is a surer claim:

- cart-nearest: the most columns in which a synthetic row agrees with the household
- cart-sample: less the same among as many other real people, whom the intruder has
- cart-others: shadow runs with other people in the place of the pool
- cart, ipf, ipf-dp, marginal: shadow runs with the pool itself, for each generator
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from course import data, generate
from course.measure import privacy

RESULTS = Path(__file__).with_name("lab18-scores.csv.gz")
COLUMNS = ["region", "household_type", "people", "reference_age", "ethnic_group"]
COLUMNS += ["tenure", "bedrooms", "weekly_income", "council_tax_band"]
COLUMNS += ["health_condition", "universal_credit", "arrears"]
GENERATORS = {"cart": {"min_leaf": 2}, "ipf": {}, "ipf-dp": {"epsilon": 1.0}}
GENERATORS["marginal"] = {}
POOL, OF_EACH, SHADOW, TESTED = 1000, 40, 200, 120
SEED = 18
LEVELS = range(4, len(COLUMNS) + 1)  # rows that agree on so many columns are counted


def households(part, rows, seed):
    """Rows of one part, as the generators learn them."""
    table = data.load("claims")
    table = (table.training, table.control)[part]["households"][COLUMNS]
    return table.sample(rows, random_state=seed).reset_index(drop=True)


def banded(table):
    """Text: ages in bands of five years, incomes in bands of a hundred pounds."""
    age = privacy.band(table["reference_age"], 5)
    income = privacy.band(table["weekly_income"], 100)
    return table.assign(reference_age=age, weekly_income=income).astype(str).to_numpy()


def agreeing(people, table):
    """In how many columns each row of a table (second axis) agrees with each person."""
    columns = zip(people.T, table.T, strict=True)
    return sum((one[:, None] == other[None]) for one, other in columns)


def chosen(pool, seed):
    """The places of the people attacked: those least like anybody else, then others."""
    alike = agreeing(pool, pool)
    np.fill_diagonal(alike, -1)
    closest = np.sort(alike, axis=1)[:, -5:].mean(axis=1)
    order = np.argsort(closest, kind="stable")
    others = np.random.default_rng(seed).choice(order[OF_EACH:], OF_EACH, replace=False)
    return np.append(order[:OF_EACH], others)


def runs(name, pool, targets, schema, how_many, seed):
    """Fit and draw many times: counts (run, person, level), most, and who was in."""
    counts, most, inside = [], [], []
    known = banded(pool)[targets]
    for run in range(how_many):
        rng = np.random.default_rng([seed, run])
        order = rng.permutation(len(pool))[: len(pool) // 2]
        half = pool.iloc[np.sort(order)].reset_index(drop=True)
        options = dict(GENERATORS[name])
        if name == "ipf-dp":
            options["noise_seed"] = 1000 * seed + run
        table = generate.fit(name, half, schema, **options).sample(len(half), seed=run)
        agree = agreeing(known, banded(table))
        levels = [(agree >= level).sum(axis=1) for level in LEVELS]
        counts.append(np.stack(levels, axis=1))
        most.append(agree.max(axis=1))
        inside.append(np.isin(targets, order))
    return np.array(counts), np.array(most), np.array(inside)


def scores(shadow, inside, counts):
    """One model per person: how surely each table was made with that person in it."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    found = np.zeros(counts.shape[:2])
    for person in range(counts.shape[1]):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
        model.fit(shadow[:, person], inside[:, person])
        found[:, person] = model.decision_function(counts[:, person])
    return found


def attacks(seed=SEED):
    """All scores as a table, one line per household and tested run."""
    schema = data.load("claims").schema("households").select(COLUMNS)
    pool, sample = (households(part, POOL, seed) for part in (0, 1))
    targets = chosen(banded(pool), seed)
    # The intruder's own pool: other people, and the households under attack.
    own = [sample.iloc[len(targets) :], pool.iloc[targets]]
    own = pd.concat(own, ignore_index=True)
    own_targets = np.arange(POOL - len(targets), POOL)
    found = {}
    for name in GENERATORS:
        print(name, flush=True)
        counts, most, inside = runs(name, pool, targets, schema, SHADOW + TESTED, seed)
        if name == "cart":
            near = most[SHADOW:]
            people = banded(sample.head(POOL // 2))
            usual = agreeing(banded(pool)[targets], people).max(axis=1)
            more = (name, own, own_targets, schema, SHADOW, seed + 1)
            shadow, _, known = runs(*more)
            found["cart-nearest"], found["cart-sample"] = near, near - usual
            found["cart-others"] = scores(shadow, known, counts[SHADOW:])
        found[name] = scores(counts[:SHADOW], inside[:SHADOW], counts[SHADOW:])
    found = {name: score.ravel().round(2) for name, score in found.items()}
    table = pd.DataFrame(found)
    run, person = np.divmod(np.arange(len(table)), len(targets))
    table.insert(0, "run", run)
    table.insert(1, "person", person)
    table.insert(2, "kind", np.where(person < OF_EACH, "unusual", "ordinary"))
    table.insert(3, "part", np.where(inside[SHADOW:].ravel(), "training", "control"))
    return table


def main():
    warnings.simplefilter("ignore")
    # No time goes into the file, so that the same run makes the same file.
    zipped = {"method": "gzip", "mtime": 0}
    attacks().to_csv(RESULTS, index=False, lineterminator="\n", compression=zipped)


if __name__ == "__main__":
    main()
