"""Makes lab09-runs.csv and lab09-losses.csv: networks trained for longer than a lab.

    python notebooks/results/lab09.py

Run it in the environment, from the folder of the course. It takes about forty minutes
on one core. It can be stopped at any time: each finished run is kept, and the next
start goes on from there. Delete a line of lab09-runs.csv to have that run made again.

Each line of lab09-runs.csv is one training run: what was trained, what it cost, what
was measured, and with which packages. lab09-losses.csv holds the loss of every epoch of
the three runs that lab 9 draws.
"""

from __future__ import annotations

import datetime
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from course import data, generate
from course.measure import fidelity, privacy

RUNS = Path(__file__).with_name("lab09-runs.csv")
LOSSES = Path(__file__).with_name("lab09-losses.csv")
COLUMNS = ["region", "household_type", "people", "reference_age", "ethnic_group"]
COLUMNS += ["tenure", "weekly_income", "health_condition", "universal_credit"]
COLUMNS += ["arrears"]
COMBINED = ["region", "household_type", "ethnic_group", "tenure"]
SEED = 9  # of the choice of rows, and of the first table that is drawn
DRAWN = 10_000  # rows to measure by, so that the luck of the draw is small
DIFFUSION = "synthcity-ddpm"

# What the networks are compared with, and what it is in the course's own words.
QUICK = {"copula": ("copula", {}), "trees": ("cart", {"min_leaf": 5})}
QUICK["trees, leaf 50"] = ("cart", {"min_leaf": 50})

# (generator, rows to learn from, epochs), the quick ones first.
PLAN = [(name, rows, 0) for rows in (3000, 300) for name in QUICK]
PLAN += [("sdv-tvae", 300, epochs) for epochs in (100, 300, 1000, 3000)]
PLAN += [("sdv-tvae", 3000, epochs) for epochs in (10, 50, 150, 300)]
PLAN += [(DIFFUSION, 3000, epochs) for epochs in (1000, 500, 200)]
PLAN += [("sdv-ctgan", 3000, epochs) for epochs in (10, 50, 150, 200, 300)]
# The rows are shuffled: to a network, another order is another seed.
ORDERS = (1, 2, 3)
DRAWN_LOSSES = [("sdv-ctgan", 300), ("sdv-tvae", 300), (DIFFUSION, 1000)]
KEY = ["generator", "rows", "epochs", "order"]


def parts(rows):
    """The households to learn from, as many control households, and the schema."""
    claims = data.load("claims")
    tables = (claims.training["households"], claims.control["households"])
    chosen = [table[COLUMNS].sample(rows, random_state=SEED) for table in tables]
    return *chosen, claims.schema("households").select(COLUMNS)


def gap(table):
    """Arrears among renters on Universal Credit, less arrears among other renters."""
    renters = table[table["tenure"].isin(["SR", "PR"])]
    late = (renters["arrears"] == "Y").groupby(renters["universal_credit"]).mean()
    return late.get("Y", float("nan")) - late.get("N", float("nan"))


def options(name, epochs):
    """What is passed to the generator: for a network, how long it is trained."""
    if name in QUICK:
        return QUICK[name][1]
    if name == DIFFUSION:
        # Three batches of 1,000 rows make an epoch: one loss each.
        shape = {"num_timesteps": 100, "batch_size": 1000, "log_interval": 3}
        return {"n_iter": epochs, "strict": False, **shape}
    return {"epochs": epochs}


def measured(model, real, control, schema):
    """What a fitted generator keeps and gives away."""
    rows = len(real)
    began = time.process_time()
    made = model.sample(DRAWN, SEED)
    seconds = time.process_time() - began
    starts = range(0, DRAWN - rows + 1, rows)
    tables = [made.iloc[start : start + rows] for start in starts][:5]
    while len(tables) < 5:
        tables.append(model.sample(rows, SEED + len(tables)))
    near = {"match": "nearest", "most": 1000}
    risk = privacy.membership(real, control, tables, COLUMNS, **near)
    pairs = fidelity.pairs(real, made, schema=schema)["difference"]
    return {
        "sample_seconds": round(seconds, 2),
        "gap": gap(made),
        "arrears": (made["arrears"] == "Y").mean(),
        "ethnic_groups": made["ethnic_group"].nunique(),
        "combinations": len(made.head(rows)[COMBINED].drop_duplicates()),
        "combinations_real": len(real[COMBINED].drop_duplicates()),
        "column_distance": fidelity.columns(real, made, schema)["value"].mean(),
        "pair_distance": pairs.abs().mean(),
        "member_training": risk.training,
        "member_control": risk.control,
        "member_excess": risk.excess,
        "member_low": risk.low,
        "member_high": risk.high,
    }


def losses(network):
    """The loss of each epoch: columns epoch, part, loss."""
    if hasattr(network, "get_loss_values"):
        table = network.get_loss_values().drop(columns="Batch", errors="ignore")
        table = table.groupby("Epoch").mean().rename_axis("epoch").reset_index()
        table["epoch"] += 1
    else:
        found = network.loss_history["loss"].astype(float).to_numpy()
        table = pd.DataFrame({"epoch": range(1, len(found) + 1), "Loss": found})
    return table.melt("epoch", var_name="part", value_name="loss")


def one_run(name, rows, epochs, order):
    """Train once and measure. Returns the line for RUNS, and the fitted generator."""
    real, control, schema = parts(rows)
    shuffled = real.sample(frac=1, random_state=order)
    kind = QUICK.get(name, (name,))[0]
    began = time.process_time()
    model = generate.fit(kind, shuffled, schema, **options(name, epochs))
    seconds = time.process_time() - began
    line = dict(zip(KEY, (name, rows, epochs, order), strict=True))
    line |= {"fit_seconds": round(seconds, 1), **measured(model, real, control, schema)}
    package = "" if name in QUICK else name.split("-")[0]
    line |= {"package": package, "version": version(package) if package else ""}
    line |= {"torch": version("torch") if package else ""}
    return line | {"made_on": datetime.date.today().isoformat()}, model


def kept(path, columns):
    return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=columns)


def keep(path, table, order):
    """Write a file whole or not at all, so that an interrupt loses nothing."""
    new = path.with_suffix(".new")
    table = table.sort_values(order, kind="stable").round(5)
    table.to_csv(new, index=False, lineterminator="\n")
    new.replace(path)


def keep_losses(name, model):
    old = kept(LOSSES, ["generator", "epoch", "part", "loss"])
    new = losses(model.model).assign(generator=name)[list(old)]
    both = [table for table in (old[old["generator"] != name], new) if len(table)]
    keep(LOSSES, pd.concat(both), ["generator", "part", "epoch"])


def main():
    plan = [(*run, order) for run in PLAN for order in ORDERS]
    for number, run in enumerate(plan, 1):
        done = kept(RUNS, KEY)
        if run in set(done[KEY].itertuples(index=False, name=None)):
            continue
        print(f"{number} of {len(plan)}:", *run, flush=True)
        line, model = one_run(*run)
        if (run[0], run[2]) in DRAWN_LOSSES and run[1] == 3000 and run[3] == 1:
            keep_losses(run[0], model)
        new = pd.DataFrame([line])
        keep(RUNS, pd.concat([done, new]) if len(done) else new, KEY)
        print(f"   gap {line['gap']:.3f}, {line['fit_seconds']:.0f} s", flush=True)


if __name__ == "__main__":
    main()
