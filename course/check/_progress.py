"""The learner's progress: one small JSON file on this computer, and nowhere else.

It holds the name of each exercise or quiz tried, how often, and the day it was first right. There are no
answers in it, no account and no network. The file is replaced in one step, so a power cut leaves either the
old one or the new one. A file that cannot be read is set aside, never overwritten.
"""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

from course.files import write_whole

VERSION = 1


def path() -> Path:
    """Where progress is kept: $COURSE_PROGRESS, or progress.json in the course's own folder."""
    chosen = os.environ.get("COURSE_PROGRESS")
    return Path(chosen) if chosen else Path(__file__).resolve().parents[2] / "progress.json"


def read() -> tuple[dict, str]:
    """The entries kept so far, and a sentence for the learner if something had to be set aside."""
    file = path()
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["version"] == VERSION and all(map(_is_entry, content["entries"].values())):
            return content["entries"], ""
        why = "was made by another version of the course"
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return (
            {},
            f"The progress file {file} could not be read ({error.strerror}), so it is not shown.",
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        why = "is damaged"
    try:
        kept = _set_aside(file)
    except OSError as error:
        return (
            {},
            f"The progress file {file} {why} and could not be set aside ({error.strerror}): move it.",
        )
    return {}, f"The progress file {why}. It is kept as {kept.name}, and a new one is started."


def record(name: str, right: bool) -> str:
    """Keep one result. Returns a sentence for the learner, or nothing if all went well."""
    entries, note = read()
    if note and path().exists():
        return note
    entry = entries.setdefault(name, {"tries": 0, "right": False})
    entry["tries"] += 1
    if right and not entry["right"]:
        entry.update(right=True, on=datetime.date.today().isoformat())
    try:
        write_whole(path(), json.dumps({"version": VERSION, "entries": entries}, indent=1))
    except OSError as error:
        return f"The result could not be kept in {path()} ({error.strerror}). Your answer still counts."
    return note


def _is_entry(entry: object) -> bool:
    """Whether an entry is of the form that `record` writes."""
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("tries"), int)
        and isinstance(entry.get("right"), bool)
    )


def _set_aside(file: Path) -> Path:
    number = 1
    while (kept := file.with_name(f"{file.stem}-set-aside-{number}.json")).exists():
        number += 1
    os.replace(file, kept)
    return kept
