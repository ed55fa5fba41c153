"""Makes lab22.json: the results of lab 22 that take too long for a lesson.

    python notebooks/results/lab22.py

Run it in the environment, from the folder of the course. It takes some minutes:
a hundred shadow models for each of four models, and ten generators whose fitted
state is searched.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import struct
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from course import data, generate

RESULTS = Path(__file__).with_suffix(".json")
KNOWN = ["region", "household_type", "people", "reference_age", "tenure", "bedrooms"]
KNOWN += ["weekly_income", "council_tax_band", "health_condition", "universal_credit"]
ROWS = 3000
SHADOWS = 100
GENERATORS = [
    "marginal",
    "ipf",
    "ipf-dp",
    "copula",
    "cart",
    "metasyn",
    "synthopt-correlated",
]
GENERATORS += ["sdv-gaussian-copula", "synthcity-bayesian-network", "synthcity-arf"]


def parts():
    """The households, as in the lab: training and control."""
    claims = data.load("claims")
    return [part["households"].head(ROWS) for part in (claims.training, claims.control)]


def numbers(table, like):
    """The columns as the lab gives them to a model."""
    known = pd.get_dummies(table[KNOWN]).astype(float)
    columns = pd.get_dummies(like[KNOWN]).columns
    known = known.reindex(columns=columns, fill_value=0)
    return known.fillna(like["weekly_income"].median())


def quiet():
    return contextlib.redirect_stdout(io.StringIO())


def searched():
    """Which of the real incomes stand in the file of each fitted generator?"""
    real, control = parts()
    schema = data.load("claims").schema("households").select([*KNOWN, "arrears"])
    incomes = [set(part["weekly_income"].dropna()) for part in (real, control)]
    only = incomes[0] - incomes[1], incomes[1] - incomes[0]
    rows = []
    for name in GENERATORS:
        with quiet(), contextlib.redirect_stderr(io.StringIO()):
            fitted = generate.fit(name, real[schema.columns], schema)
            stored = cloudpickle.dumps(fitted)
            drawn = set(fitted.sample(ROWS, seed=1)["weekly_income"].dropna())
        found = [
            np.mean([struct.pack("<d", income) in stored for income in part])
            for part in only
        ]
        top = struct.pack("<d", max(only[0])) in stored
        rows.append(
            {
                "generator": name,
                "kilobytes": round(len(stored) / 1000),
                "real incomes in the file": round(float(found[0]), 4),
                "control incomes in the file": round(float(found[1]), 4),
                "the highest income in the file": bool(top),
                "real incomes in a table drawn from it": round(
                    len(only[0] & drawn) / len(only[0]), 4
                ),
            }
        )
        print(rows[-1], flush=True)
    return rows


def attacked():
    """LiRA with a hundred shadow models: everybody, and the households in arrears."""
    from sacroml.attacks.likelihood_attack import LIRAAttack
    from sacroml.attacks.target import Target

    real, control = parts()
    known = [numbers(part, real).to_numpy() for part in (real, control)]
    owes = [(part["arrears"] == "Y").to_numpy(int) for part in (real, control)]
    models = {
        "forest, leaves of 1": RandomForestClassifier(50, random_state=0),
        "forest, leaves of 20": RandomForestClassifier(
            50, min_samples_leaf=20, random_state=0
        ),
        "tree of 8 leaves": DecisionTreeClassifier(
            min_samples_leaf=100, max_leaf_nodes=8, random_state=0
        ),
        "logistic regression": LogisticRegression(max_iter=5000, random_state=0),
    }
    lira = []
    fresh = data.load("claims").training["households"].iloc[ROWS : 2 * ROWS]
    third = numbers(fresh, real).to_numpy(), (fresh["arrears"] == "Y").to_numpy(int)
    for name, model in models.items():
        began = time.process_time()
        model.fit(known[0], owes[0])
        split = {
            "X_train": known[0],
            "y_train": owes[0],
            "X_test": known[1],
            "y_test": owes[1],
        }
        late = np.concatenate(owes) == 1
        with tempfile.TemporaryDirectory() as folder:
            figures, member, score = lira_of(LIRAAttack, folder, model, Target, split)
            # The control: the same settings and shadows, but it has seen neither part.
            blind = clone(model).fit(*third)
            _, _, blind_score = lira_of(LIRAAttack, folder, blind, Target, split)
        figure, low, high = with_interval(member[late], score[late])
        lira.append(
            {
                "model": name,
                "everybody": round(float(figures["AUC"]), 4),
                "households in arrears": figure,
                "low": low,
                "high": high,
                "a model that saw neither": with_interval(
                    member[late], blind_score[late]
                )[0],
                "seconds": round(time.process_time() - began),
            }
        )
        print(lira[-1], flush=True)
    return lira


def lira_of(attack, folder, model, target, split):
    """One run of LiRA: figures over everybody, and each one's membership and score."""
    made = attack(folder, False, SHADOWS, fix_variance=True, report_individual=True)
    figures = only_run(made.attack(target(model=model, **split)))
    return figures, *(np.array(made.result[key]) for key in ("member", "member_prob"))


def only_run(report):
    """The figures of an attack that is made once."""
    return report["attack_experiment_logger"]["attack_instance_logger"]["instance_0"]


def with_interval(member, score, times=2000):
    """AUC of a membership attack, with a 95% interval: the people are drawn again."""
    rng, found = np.random.default_rng(0), []
    inside, outside = score[member == 1], score[member == 0]
    truth = np.repeat([1, 0], [len(inside), len(outside)])
    for _ in range(times):
        again = rng.choice(inside, len(inside)), rng.choice(outside, len(outside))
        found.append(roc_auc_score(truth, np.concatenate(again)))
    low, high = np.quantile(found, [0.025, 0.975])
    return [
        round(float(figure), 4) for figure in (roc_auc_score(member, score), low, high)
    ]


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    result = {"sacroml": version("sacroml"), "shadows": SHADOWS, "rows": ROWS}
    result |= {"lira": attacked(), "generators": searched()}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
