"""Climb the fidelity ladder with somebody's own table: on every rung synthetic tables, measured and attacked.

`climb(reading, answers, folder)` splits the table at random into training and control people, makes five
tables with each generator, measures them beside the control, and writes every result into the folder as it
comes. Run it again and it goes on from there. A generator that fails says why, and the others go on.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course import generate
from course.data import DataError
from course.measure import fidelity, privacy, report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from course.assess.answers import Answers
    from course.assess.read import Reading

GENERATORS = ("valid", "marginal", "ipf", "copula", "cart")
SEEDS = (1, 2, 3, 4, 5)
LEAST, MOST = 100, 20_000  # people in each part: fewer say nothing, and of more a sample is taken
LABEL = "synthetic_data", "Made up by a computer. Not real people."
FORMULA = r"^[=+\-@\t\r]"  # what a spreadsheet would run


def split(table: pd.DataFrame, answers: Answers, say: Callable = print) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The training and the control part: half of the people each, drawn at random, nobody in both."""
    rng = np.random.default_rng(answers.seed)
    people = pd.Series(
        np.arange(len(table)) if answers.person is None else pd.factorize(table[answers.person])[0]
    )
    drawn = rng.permutation(people.unique())
    half = len(drawn) // 2
    if half < LEAST:
        raise DataError(
            f"There are {len(drawn):,} people. To make synthetic data and to test it, two parts of at least "
            f"{LEAST} are needed. With fewer, make data from the description alone (lab 5)."
        )
    if half > MOST:
        say(f"Of {len(drawn):,} people, {2 * MOST:,} were drawn at random, to keep the time short.")
    some = min(half, MOST)
    parts = drawn[:some], drawn[half : half + some]
    return tuple(
        table.loc[people.isin(part).to_numpy(), answers.schema.columns].reset_index(drop=True)
        for part in parts
    )


def seen(tables: list[pd.DataFrame], training: pd.DataFrame, answers: Answers) -> list[pd.DataFrame]:
    """The tables as an intruder looks at them: numbers in about ten bands, dates by their year."""
    made = [table.copy() for table in tables]
    for column in [*answers.keys, *answers.targets]:
        kind = answers.schema.kind(column)
        for table in made:
            if kind == "date":
                table[column] = table[column].dt.year
            elif kind == "numeric":
                table[column] = privacy.band(
                    table[column].astype("Float64").astype(float), width(training[column])
                )
    return made


def width(column: pd.Series) -> float:
    """A round width of band (1, 2 or 5 times a power of ten) that cuts the middle 95% into about ten."""
    low, high = column.dropna().astype(float).quantile([0.025, 0.975])
    if high <= low:
        return 1.0
    power = 10.0 ** np.floor(np.log10((high - low) / 10))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power * 10 >= high - low))


def climb(reading: Reading, answers: Answers, folder: Path, say: Callable = print) -> pd.DataFrame:
    """Make, measure and attack. Returns a DataFrame with one row per generator, and writes `ladder.csv`."""
    training, control = split(reading.table, answers, say)
    people = f"{len(training):,} rows to learn from, {len(control):,} rows of other people to compare with."
    say(f"{people} The results go to {folder}.")
    kept = folder / "results"
    kept.mkdir(exist_ok=True)
    basis = _basis(training, control, answers)
    rows = [{"generator": "control", **_distances(training, control, answers)}]
    for number, name in enumerate(GENERATORS, 1):
        say(f"{number} of {len(GENERATORS)}: {name} ...", end=" ", flush=True)
        began, path = time.monotonic(), kept / f"{name}.json"
        key = hashlib.sha256(f"{reading.source['sha256']} {answers} {name}".encode()).hexdigest()
        result = _stored(path, key)
        if result is None:
            result = {"key": key, **rung(name, training, control, basis, answers, folder)}
            _replace(path, json.dumps(result, indent=1))
            say(result.get("why") or f"{time.monotonic() - began:.0f} s.", flush=True)
        else:
            say("stands already.", flush=True)
        rows.append({"generator": name, **{k: v for k, v in result.items() if k not in ("key", "words")}})
    table = pd.DataFrame(rows)
    _replace(folder / "ladder.csv", table.to_csv(index=False))
    return table


def rung(name: str, training, control, basis, answers: Answers, folder: Path) -> dict:
    """One generator: five tables, their distances and the whole risk report; or the sentence why not."""
    try:
        model = generate.fit(name, training, answers.schema)
        made = [model.sample(len(training), seed=answers.seed + seed) for seed in SEEDS]
    except (ValueError, KeyError, TypeError, MemoryError) as error:
        return {"why": " ".join(str(error).split()) or f"It stopped with {type(error).__name__}."}
    save(made[0], folder / "synthetic" / f"{name}.csv")
    found = [_distances(training, table, answers) for table in made]
    result = {measure: float(np.mean([one[measure] for one in found])) for measure in found[0]}
    try:
        risk = report.risk_report(
            *basis, seen(made, training, answers), answers.keys, answers.targets, most=1000
        )
    except ValueError as error:
        return {**result, "why": f"It could not be attacked: {error}"}
    worst = max(risk.risks.values(), key=lambda one: one.low)
    return {
        **result,
        "attacks": len(risk.risks),
        "found a leak": len(risk.leaks),
        "surest": worst.name,
        "excess": worst.excess,
        "low": worst.low,
        "high": worst.high,
        "words": risk.words(),
    }


def save(table: pd.DataFrame, path: Path) -> None:
    """Write a synthetic table with its label as the first column, and nothing a spreadsheet would run."""
    safe = table.rename(columns=lambda name: f"'{name}" if re.match(FORMULA, name) else name)
    for column in safe.select_dtypes(["object", "string"]):
        words = safe[column].astype(object)
        runs = words.astype(str).str.match(FORMULA) & words.notna()
        safe[column] = words.where(~runs, "'" + words.astype(str))
    label = LABEL[0]
    while label in safe:
        label += "_label"
    safe.insert(0, label, LABEL[1])
    path.parent.mkdir(exist_ok=True)
    _replace(path, safe.to_csv(index=False))


def in_words(found: pd.DataFrame, answers: Answers) -> str:
    """What the ladder shows, in lines: distances as multiples of the control's, and the attacks."""
    control = found.iloc[0]
    lines = [
        f"Purpose: {answers.purpose}. Audience: {answers.audience}.",
        f"The intruder knows {', '.join(answers.keys)}.",
        f"They would like to learn {', '.join(answers.targets)}.",
        "How far from your table, in multiples of how far other real people are, and what the attacks found:",
    ]
    for row in found.iloc[1:].to_dict("records"):
        why = row.get("why")
        if isinstance(why, str):
            lines.append(f"  {row['generator']:9} no result: {why}")
            continue
        columns, pairs = (row[one] / control[one] for one in ("columns", "pairs"))
        leak = f"{row['found a leak']:.0f} of {row['attacks']:.0f} attacks found a leak"
        surest = (
            f"surest: {row['surest']}, excess {row['excess']:.1%} ({row['low']:.1%} to {row['high']:.1%})"
        )
        lines.append(f"  {row['generator']:9} columns {columns:5.1f}, pairs {pairs:5.1f}; {leak}; {surest}")
    lines.append("An attack that found nothing is no proof of safety. These figures make no table anonymous.")
    return "\n".join(lines)


def _basis(training, control, answers: Answers) -> list[pd.DataFrame]:
    return seen([training, control], training, answers)


def _distances(training, table, answers: Answers) -> dict:
    """How far a table is from the training part: in single columns, and in pairs of them."""
    columns = fidelity.columns(training, table, answers.schema)["value"]
    pairs = fidelity.pairs(training, table, schema=answers.schema)["difference"].abs()
    return {"columns": float(columns.mean()), "pairs": float(pairs.mean())}


def _stored(path: Path, key: str) -> dict | None:
    """A result that was made from the same table and the same answers, or None."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
    return result if result.get("key") == key else None


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8", newline="\n")
    new.replace(path)
