"""The record of a finished run: read, checked, and reduced to what is to be released.

That is one table or several that are linked: one file, or several. All that follows goes by the files.

`course.assess` writes `run.json`; anybody else may give the same as a dict. Here it becomes a `Release`, from
which papers, measures and metadata are made.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from course.assess import advise
from course.data import DataError, Schema

RUN = "run.json"
NEEDED = ("source", "answers", "generators")


@dataclass(frozen=True)
class File:
    """One file of a release: the table, or one of the linked tables."""

    name: str  # the table's
    released: str  # the file's name in the pack
    made: dict  # what the run says about it: file, sha256, rows, columns, and the link of a linked table
    schema: Schema
    content: bytes | None  # None if it is missing

    @property
    def link(self) -> dict | None:
        """For a linked table its column that says whose a row is, and the key that this points to."""
        return self.made.get("link")


@dataclass(frozen=True)
class Release:
    """What is to be released, one table or linked tables, with the run that made it."""

    run: dict
    generator: str
    chosen_by: str  # "a person", "the guide", or "nobody yet"
    folder: Path | None  # where the run's files are; None for a run that was given as a dict

    @property
    def made(self) -> dict:
        """Every figure about the table."""
        return self.run["generators"][self.generator]

    @property
    def attacks(self) -> list[dict]:
        """Every attack that was made; none where no record was read."""
        return self.made.get("attacks") or []

    @property
    def answers(self) -> dict:
        return self.run["answers"]

    @property
    def advice(self) -> dict:
        """What the decision guide says about purpose and audience; empty if it was not asked."""
        return self.run.get("advice") or {}

    @property
    def name(self) -> str:
        return self.answers.get("name", "table")

    @cached_property
    def files(self) -> list[File]:
        """Every file, that of the people first. The record of one table says the same of one file."""
        one = {**self.made, "name": self.name, "fields": self.answers["fields"]}
        found: list[File] = []
        for made in self.made.get("files") or [one]:
            released = f"SYNTHETIC-{_safe(made['name'])}"
            while released.lower() in [f.released.lower().removesuffix(".csv") for f in found]:
                released += "-2"
            schema = Schema(made["name"], tuple(made["fields"]))
            found.append(File(made["name"], f"{released}.csv", made, schema, self._content(made)))
        return found

    def _content(self, made: dict) -> bytes | None:
        path = self.folder / made["file"] if self.folder and made.get("file") else None
        return path.read_bytes() if path and path.is_file() else None

    @property
    def linked(self) -> bool:
        return len(self.files) > 1

    def named(self, file: File, column: str) -> str:
        """A column by its name, and of several tables with its table before it."""
        return f"{file.name}: {column}" if self.linked else column

    @property
    def level(self) -> dict:
        """The level of the decision guide that the generator works at, with what it reads and keeps."""
        name, read, kept = advise.KEEPS.get(
            self.generator, ("near-copy", "the real rows", "what is not listed here")
        )
        if self.run.get("described"):
            read = "a description of the columns, and no record"
        return {"id": name, **levels()[name], "read": read, "kept": kept}


def _safe(name: str) -> str:
    """A name in letters that every system takes."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "table"


def read(folder: Path) -> dict:
    """The record in a run's folder. DataError, in one sentence, if there is none that can be used."""
    path = folder / RUN
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"There is no {RUN} in {folder}. First run: python3 -m course assess FILE --into {folder}"
        ) from None
    except (OSError, ValueError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(
            f"{path} cannot be read{where}. Run assess again: it makes the record anew."
        ) from None
    return checked(run, str(path))


def checked(run: dict, called: str = "the run") -> dict:
    """The same record, if all its parts are there. DataError, in one sentence, if not."""
    if not isinstance(run, dict):
        raise DataError(f"{called} holds no record of a run. Run assess again: it makes the record anew.")
    _held(run, NEEDED, called)
    if not run.get("described"):
        _held(run, ("parts", "control"), called)
    for part in ("fields", "purpose", "audience", *(() if run.get("described") else ("keys", "targets"))):
        if not run["answers"].get(part):
            raise DataError(f'{called} lacks "{part}" among its answers. Run assess again.')
    for made in run["generators"].values():
        for place, file in enumerate(made.get("files", [])):
            parts = ("name", "file", "sha256", "fields", *(("link",) if place else ()))
            if not isinstance(file, dict) or not all(file.get(part) for part in parts):
                raise DataError(f"{called} does not say all about one of its files. Run assess again.")
    if not finished(run):
        raise DataError(f"{called} has no generator with results. Run assess until at least one has some.")
    return run


def _held(run: dict, parts: tuple[str, ...], called: str) -> None:
    for part in parts:
        if not isinstance(run.get(part), dict) or not run[part]:
            raise DataError(f'{called} lacks its part "{part}". Run assess again: it makes the record anew.')


def finished(run: dict) -> list[str]:
    """The generators whose table was made and attacked, from the least to the most detailed.

    A table that was made from a description (`"described": true`) need not be attacked: nobody is in it.
    """
    needed = "file" if run.get("described") else "attacks"
    return [name for name, made in run["generators"].items() if made.get(needed)]


def choose(run: dict, folder: Path | None = None) -> Release:
    """What to release: a person's choice, else the guide's, else for now the least detailed."""
    person, ready = run["answers"].get("generator"), finished(run)
    if person and person not in ready:
        why = run["generators"].get(person, {}).get("why", "it is not in the run.")
        raise DataError(f"The generator {person!r} was chosen and has no results: {why} Choose another.")
    advised = [name for name in (run.get("advice") or {}).get("rungs", []) if name in ready]
    if person:
        return Release(run, person, "a person", folder)
    return Release(run, *((advised[0], "the guide") if advised else (ready[0], "nobody yet")), folder)


def levels() -> dict:
    """The levels of the decision guide, from least to most real, with what each is fit for."""
    return advise.load()["levels"]


def checks(level: str) -> list[str]:
    """What the decision guide asks of a table at a level: four checks for every table, and its own."""
    return advise.checks(advise.load(), {"level": level})
