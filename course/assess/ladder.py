"""Climb the fidelity ladder with somebody's own table: on every rung synthetic tables, measured and attacked.

`climb(reading, answers, folder)` splits the table at random into training and control people, makes five
tables with each generator, measures them beside the control, and writes every result into one record,
`run.json`, as it comes. Run it again and it goes on from there. A generator that fails says why, and the
others go on. What a release needs to know is all in that record: `course.release` makes its papers from it.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course import generate
from course.assess import figures
from course.assess.read import Reading
from course.data import DataError
from course.files import write_whole
from course.measure import privacy, report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from course.assess.answers import Answers

GENERATORS = ("valid", "marginal", "ipf", "copula", "cart")
RUN, FORMAT = "run.json", 1  # the one record of a run, and the version of its layout
SEEDS = (1, 2, 3, 4, 5)
LEAST, MOST = 100, 20_000  # people in each part: fewer say nothing, and of more a sample is taken
LABEL = "synthetic_data", "Made up by a computer. Not real people."
FORMULA = r"^[=+\-@\t\r]"  # what a spreadsheet would run


def split(table: pd.DataFrame, answers: Answers, say: Callable = print) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The training and the control part: half of the people each, drawn at random, nobody in both."""
    rng, people = np.random.default_rng(answers.seed), _people(table, answers)
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


def _people(table: pd.DataFrame, answers: Answers) -> pd.Series:
    """A number for each row that says whose it is."""
    if answers.person is None:
        return pd.Series(np.arange(len(table)))
    return pd.Series(pd.factorize(table[answers.person])[0])


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


def climb(
    reading: Reading, answers: Answers, folder: Path, say: Callable = print, advice: dict | None = None
) -> pd.DataFrame:
    """Make, measure and attack, and write `run.json`. Returns a DataFrame with one row per generator.

    `advice` is what the decision guide says about the purpose and the audience. It is written down as it is.
    """
    training, control = split(reading.table, answers, say)
    say(
        f"{len(training):,} rows to learn from, {len(control):,} rows of other people to compare with. "
        f"The results go to {folder}."
    )
    run = {**described(reading, answers, advice), **parts_of(reading.table, answers, training, control)}
    rungs = {
        name: (result_key(reading, answers, name), partial(_made, name, training, answers, folder))
        for name in GENERATORS
    }
    return climb_rungs(run, rungs, training, control, answers, folder, say)


def climb_rungs(
    run: dict, rungs: dict[str, tuple], training, control, answers: Answers, folder: Path, say: Callable
) -> pd.DataFrame:
    """Every rung of a run, measured and attacked, as `climb` does it. Goes on after a stop.

    `rungs` has for each name what its result depends on (see `result_key`), and how it is made: a call that
    writes its files, and returns what is released and five tables for the attacks.
    """
    before, began = stored(folder / RUN), time.monotonic()
    run["limit written"] = _limit_written(before, run["answers"]["limit"])
    run["control"] = figures.distances(training, control, answers.schema)
    basis, stood = None, 0
    for number, (name, (key, make)) in enumerate(rungs.items(), 1):
        say(f"{number} of {len(rungs)}: {name} ...", end=" ", flush=True)
        started, result = time.monotonic(), before.get("generators", {}).get(name, {})
        if result.get("key") == key and _as_it_was(folder, result):
            stood += 1
            say("stands already.", flush=True)
        else:
            basis = basis or attack_basis(training, control, answers)
            result = {"key": key, **rung(make, training, control, basis, answers)}
            result["seconds"] = round(time.monotonic() - started, 1)
            say(result.get("why") or f"{result['seconds']:.0f} s.", flush=True)
        run["generators"][name] = result
        run["seconds"] = round(time.monotonic() - began, 1) if not stood else before.get("seconds")
        write_whole(folder / RUN, json.dumps(run, indent=1, ensure_ascii=False))
    return table_of(run)


def write_described(
    answers: Answers, folder: Path, names: tuple[str, ...], advice: dict | None = None
) -> Path:
    """Write `run.json` for tables made from a description: nothing was read, and nobody attacked."""
    reading = Reading(
        pd.DataFrame(columns=answers.schema.columns), {"name": "a description", "format": "none"}
    )
    run = {**described(reading, answers, advice), "described": True, "seeds": [answers.seed], "left out": []}
    for name in names:
        path = folder / "synthetic" / f"{name}.csv"
        if path.exists():
            run["generators"][name] = released(path, folder)
    write_whole(folder / RUN, json.dumps(run, indent=1, ensure_ascii=False))
    return folder / RUN


def released(path: Path, folder: Path) -> dict:
    """Which file it is that is to be released: its place, its SHA-256 and its rows."""
    content = path.read_bytes()
    return {
        "file": path.relative_to(folder).as_posix(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "rows": len(pd.read_csv(path, usecols=[0], dtype=str)),
    }


def described(reading: Reading, answers: Answers, advice: dict | None) -> dict:
    """What `run.json` says about the file, the decisions, the program and the day."""
    rows, columns = reading.table.shape
    used = answers.schema.columns
    return {
        "format": FORMAT,
        "made": datetime.date.today().isoformat(),
        "source": {**reading.source, "rows": rows, "columns": columns, "decisions": reading.decisions},
        "answers": {
            "purpose": answers.purpose,
            "audience": answers.audience,
            "person": answers.person,
            "keys": answers.keys,
            "targets": answers.targets,
            "seed": answers.seed,
            "generator": getattr(answers, "generator", None),
            "limit": getattr(answers, "limit", None),
            "name": answers.schema.name,
            "fields": list(answers.schema.fields),
        },
        "left out": [name for name in reading.table if name not in used],
        "seeds": [answers.seed + seed for seed in SEEDS],
        "versions": figures.versions(),
        "advice": advice or {},
        "generators": {},
    }


def parts_of(table: pd.DataFrame, answers: Answers, training, control) -> dict:
    """How many people there are, how many were drawn, and how many rows are in each part."""
    people, drawn = (
        int(_people(table, answers).nunique()),
        min(len(_people(table, answers).unique()) // 2, MOST),
    )
    return {
        "parts": {
            "people": people,
            "people in each part": drawn,
            "sampled": people // 2 > MOST,
            "training rows": len(training),
            "control rows": len(control),
        }
    }


def result_key(reading: Reading, answers: Answers, name: str) -> str:
    """What a rung's result depends on: the file, and the decisions that change a table or an attack."""
    parts = (answers.schema, answers.keys, answers.targets, answers.person, answers.seed)
    return hashlib.sha256(f"{FORMAT} {reading.source['sha256']} {parts} {name}".encode()).hexdigest()


def _limit_written(before: dict, limit: float | None) -> str | None:
    """Whether the limit was there before any result was: "first", or "afterwards". None without a limit."""
    if limit is None:
        return None
    seen = any("attacks" in one for one in before.get("generators", {}).values())
    if not seen:
        return "first"
    same = before.get("answers", {}).get("limit") == limit
    return before.get("limit written") if same else "afterwards"


def rung(make: Callable, training, control, basis, answers: Answers) -> dict:
    """One rung: what is released, and every figure about its tables; or the sentence why not."""
    try:
        released_now, made = make()
    except (ValueError, KeyError, TypeError, MemoryError) as error:
        return {"why": " ".join(str(error).split()) or f"It stopped with {type(error).__name__}."}
    return {**released_now, **measured(made, training, control, basis, answers)}


def _made(name: str, training, answers: Answers, folder: Path) -> tuple[dict, list[pd.DataFrame]]:
    """Five tables of one generator, of which the first is written to be released."""
    model = generate.fit(name, training, answers.schema)
    made = [model.sample(len(training), seed=answers.seed + seed) for seed in SEEDS]
    path = folder / "synthetic" / f"{name}.csv"
    save(made[0], path)
    return released(path, folder), made


def measured(made: list, training, control, basis: dict, answers: Answers) -> dict:
    """Every figure about tables of one generator, of which the first is the one to be released."""
    parts, shown = basis["parts"], seen(made, training, answers)
    found = [figures.distances(training, table, answers.schema) for table in made]
    result = {
        "distances": {one: float(np.mean([each[one] for each in found])) for one in found[0]},
        "columns": figures.columns(training, control, made[0], answers.schema),
        "copies": figures.copies(made[0], training, control, answers.schema),
        "look-alikes": figures.look_alikes(shown[0], parts, answers.keys, answers.targets),
        "look-alikes by group": figures.look_alikes_by_group(
            shown[0], parts, answers.keys, answers.targets, basis["groups"]
        ),
        "by group": figures.by_group(parts[0], shown, basis["groups"], answers.targets, basis["chance"]),
        "prediction": figures.prediction(*parts, shown[0], answers.schema, answers.targets, basis["groups"]),
    }
    try:
        risk = report.risk_report(*parts, shown, answers.keys, answers.targets, most=3000)
    except ValueError as error:
        return {**result, "why": f"It could not be attacked: {error}"}
    return {
        **result,
        "attacks": figures.attacks(risk.risks, risk.leaks),
        "not tried": risk.left_out,
        "words": risk.words(),
    }


def table_of(run: dict) -> pd.DataFrame:
    """The ladder of a run, one row per generator: distances, attacks, leaks, and the surest attack."""
    rows = [{"generator": "control", **run["control"]}]
    for name, result in run["generators"].items():
        row = {"generator": name, **result.get("distances", {})}
        if "why" in result:
            row["why"] = result["why"]
        else:
            surest = max(result["attacks"], key=lambda one: one["low"])
            row |= {
                "attacks": len(result["attacks"]),
                "found a leak": sum(a["leak"] for a in result["attacks"]),
            }
            row |= {"surest": surest["attack"], **{one: surest[one] for one in ("excess", "low", "high")}}
        rows.append(row)
    return pd.DataFrame(rows)


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
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, safe.to_csv(index=False))


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


def attack_basis(training, control, answers: Answers) -> dict:
    """What every rung is held against: both parts as an intruder sees them, and chance in groups."""
    parts = seen([training, control], training, answers)
    groups = figures.group_columns(parts[0], answers.schema, answers.keys)
    return {
        "parts": parts,
        "groups": groups,
        "chance": figures.chance(*parts, groups, answers.targets, answers.seed),
    }


def stored(path: Path) -> dict:
    """The record of an earlier run in this folder; empty if there is none, or none that can be used."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return before if isinstance(before, dict) and before.get("format") == FORMAT else {}


def _as_it_was(folder: Path, result: dict) -> bool:
    """Whether the synthetic files of a result are still those that were measured."""
    files = result.get("files", [result] if "file" in result else [])
    try:
        return all(
            hashlib.sha256((folder / one["file"]).read_bytes()).hexdigest() == one["sha256"] for one in files
        )
    except OSError:
        return False
