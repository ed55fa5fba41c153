"""What each generator takes as a table grows, beside libraries of the same job.

`python3 -m course compare --scale`. Each generator of single tables learns a table of ten columns and draws
as many rows, at 1,000, 10,000 and 100,000 rows; those made by hand also at 1,000,000. The table is made from
the households of the data set claims: rows drawn again with replacement, incomes and ages moved a little.
The growth exponent is the slope of the processor time on the rows, both as logarithms: 1 means that twice the
rows take twice the time.

Peers are libraries that do the same job as a generator made by hand. Those that are not in the course's
environment are put into a temporary folder for the run, and skipped with a sentence where they cannot be had.
"""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from course import generate
from course.compare import SCALE
from course.compare.peers import OUTSIDE, PEERS
from course.compare.run import OPTIONS, Host, watched
from course.compare.store import Store, key, made_by
from course.environment import ROOT, network_variables

SIZES, LARGEST = (1_000, 10_000, 100_000), 1_000_000
SECONDS, MIB = 40, 12_288
BY_HAND = ("structural", "valid", "marginal", "ipf", "ipf-dp", "copula", "cart")
CODE = [
    *(f"course/compare/{part}.py" for part in ("scale", "peers", "make")),
    "course/generate/base.py",
]
COLUMNS = [
    *("region", "household_type", "people", "reference_age", "tenure"),
    *("bedrooms", "weekly_income", "health_condition", "universal_credit", "arrears"),
]
NUMBERS = ("people", "reference_age", "bedrooms", "weekly_income")
SHORT = 2  # seconds: what is over sooner is done up to three times, and the fastest counts
LEAST_CLOCKED = 0.01  # seconds: less than this says nothing of growth


def table(rows: int, seed: int = 0):
    """The table of ten columns, with its schema. No blanks: two of the peers cannot take any."""
    import numpy as np

    from course import data

    claims = data.load("claims")
    people, rng = claims.training["households"].dropna(subset=["weekly_income"]), np.random.default_rng(seed)
    drawn = people.iloc[rng.integers(0, len(people), rows)][COLUMNS].reset_index(drop=True)
    drawn["weekly_income"] = (drawn["weekly_income"] * np.exp(rng.normal(0, 0.05, rows))).round(2)
    drawn["reference_age"] = (drawn["reference_age"] + rng.integers(-2, 3, rows)).clip(16, 104)
    return drawn, claims.schema("households").select(COLUMNS)


def make(folder: Path) -> None:
    """One unit, in its own process: fit, draw, then how like the table it came out. Writes made.json."""
    from course.compare.make import Clock, load_heavy, settings
    from course.labs import peak_mib

    order, clock = json.loads((folder / "order.json").read_text(encoding="utf-8")), Clock(folder)
    sys.path.append(order["outside"])  # last, so that the environment's own packages come first
    learned, schema = table(order["rows"])
    job = PEERS.get(order["cut"] or order["generator"])
    if job:
        learned, schema = job.cut(learned, schema)
    with clock.phase("loading"):
        load_heavy(order["generator"])
    takes = []
    while len(takes) < 3 and sum(took["wall"] for took in takes) < SHORT:
        clock.seconds, began = {}, time.monotonic()
        with clock.phase("fitting"):
            model = fitted(order, learned, schema)
        with clock.phase("sampling"):
            made = model.sample(order["rows"], 1)
        takes.append({"seconds": clock.seconds, "wall": time.monotonic() - began})
    fastest = min(takes, key=clocked)
    used = {**fastest, "takes": len(takes), "peak_mib": peak_mib(), "settings": settings(model)}
    used |= likeness(learned, made, schema)
    (folder / "made.json").write_text(json.dumps(used), encoding="utf-8")


def fitted(order: dict, learned, schema):
    """The peer, or the generator of the register, fitted to the table."""
    if order["generator"] in PEERS:
        return PEERS[order["generator"]].kind().fit(learned, schema)
    options = {name: value for name, value in order["options"].items() if name != "rules"}
    if order["cut"]:
        options |= PEERS[order["cut"]].ours
    return generate.fit(order["generator"], learned, schema, **options)


def likeness(learned, made, schema, most: int = 20_000) -> dict:
    """The mean distance of columns and the mean change of associations, on at most so many rows of each."""
    from course.measure import fidelity

    some, drawn = learned.head(most), made.head(most)
    pairs = fidelity.pairs(some, drawn, schema=schema)["difference"].abs().mean()
    return {"columns": float(fidelity.columns(some, drawn, schema)["value"].mean()), "pairs": float(pairs)}


# ------------------------------------------------------------------------------ the run


@dataclass(frozen=True)
class Unit:
    """One generator, or one peer, at one size. `cut` names the peer whose part of the table is learned."""

    generator: str
    rows: int
    cut: str = ""

    @property
    def peer(self) -> bool:
        return self.generator in PEERS

    @property
    def name(self) -> dict:
        return {"generator": self.generator, "rows": self.rows, "cut": self.cut}

    @property
    def options(self) -> dict:
        return {} if self.peer else OPTIONS.get(self.generator, {})

    @property
    def key(self) -> str:
        return key(self.generator, CODE, {**self.name, "options": self.options})


def units() -> list[Unit]:
    """Everything there is to do, the smallest sizes first."""
    found = []
    for rows in (*SIZES, LARGEST):
        wanted = [name for name in generate.names() if rows < LARGEST or name in BY_HAND]
        found += [Unit(name, rows) for name in wanted]
        if rows < LARGEST:
            found += [Unit(name, rows) for name in PEERS]
            found += [Unit(peer.beside, rows, name) for name, peer in PEERS.items() if peer.columns]
    return found


def store(path: Path = SCALE) -> Store:
    about = "What each generator takes as a table grows. Made by: python3 -m course compare --scale"
    return Store(path, ("generator", "cut", "rows"), about)


def run(todo: list[Unit], kept: Store, again: bool, seconds: float, mib: int, say=print) -> int:
    """Do what is not done yet. Returns how many units failed, met a limit or were skipped."""
    wanted = [unit for unit in todo if again or (kept.find(**unit.name) or {}).get("key") != unit.key]
    say(f"{len(todo)} units, of which {len(todo) - len(wanted)} stand already.", flush=True)
    by, trouble = made_by(limits={"seconds": seconds, "mib": mib}), 0
    place = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with place as outside, contextlib.closing(Host()) as host:
        missing = fetch(outside, {unit.generator for unit in wanted if unit.peer}, say)
        for number, unit in enumerate(wanted, 1):
            say(f"{number} of {len(wanted)}: {unit.generator} at {unit.rows:,} rows ...", end=" ", flush=True)
            result = missing.get(unit.generator) or too_slow_before(unit, kept)
            result = result or run_unit(unit, outside, host, seconds, mib)
            kept.add({**unit.name, "key": unit.key, "options": unit.options, **result}, by)
            trouble += result["status"] != "done"
            done = result["status"] == "done"
            say(f"{clocked(result):.2f} s, {result['peak_mib']} MiB." if done else result["why"], flush=True)
    return trouble


def clocked(result: dict) -> float:
    """Processor seconds to fit and draw."""
    return result["seconds"]["fitting"] + result["seconds"]["sampling"]


def too_slow_before(unit: Unit, kept: Store) -> dict | None:
    """Not tried where the same generator met a limit with fewer rows."""
    smaller = [kept.find(**{**unit.name, "rows": rows}) for rows in (*SIZES, LARGEST) if rows < unit.rows]
    met = next((one for one in smaller if one and one["status"] in ("limit", "skipped")), None)
    if met is None:
        return None
    return {"status": "skipped", "why": f"Not tried: at {met['rows']:,} rows this was said: {met['why']}"}


def run_unit(unit: Unit, outside: str, host: Host, seconds: float, mib: int) -> dict:
    """One unit's result: what it took, or the sentence that says why that is not known."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        order = {**unit.name, "options": unit.options, "outside": outside}
        Path(place, "order.json").write_text(json.dumps(order), encoding="utf-8")
        return watched(host, Path(place), unit.generator.partition("-")[0], seconds, mib)


def fetch(folder: str, peers: set[str], say=print) -> dict:
    """Put the packages of peers that the environment lacks into a folder. Returns {peer: why it is
    missing}.
    """
    missing = {}
    for peer in sorted(peers & set(OUTSIDE)):
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--target", folder]
        command += ["--python", sys.executable, OUTSIDE[peer]]
        if subprocess.run(command, env=network_variables(), cwd=ROOT, stderr=subprocess.DEVNULL).returncode:
            missing[peer] = {"status": "skipped", "why": f"{OUTSIDE[peer]} could not be fetched."}
            say(missing[peer]["why"], flush=True)
    return missing


def exponent(sizes: list[int], seconds: list[float]) -> float | None:
    """The least-squares slope of log seconds on log rows; None with fewer than two times worth reading."""
    points = [(math.log(n), math.log(s)) for n, s in zip(sizes, seconds, strict=True) if s >= LEAST_CLOCKED]
    if len(points) < 2:
        return None
    x, y = zip(*points, strict=True)
    middle, level = sum(x) / len(x), sum(y) / len(y)
    return sum((a - middle) * (b - level) for a, b in points) / sum((a - middle) ** 2 for a in x)
