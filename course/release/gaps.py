"""Gaps: what only a person can say. Each is a question in plain words, with an answer that is empty at first.

The questions stand in the papers' templates. They are gathered into `gaps.json`, where a person answers them
once for all papers. The file is never written over: new questions are added, and no answer is lost.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from course.data import DataError
from course.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

NAME = "gaps.json"
ABOUT = (
    "Write each answer between the quotation marks after its question, then run the release command again. "
    "What does not apply is answered too: say that it does not, and why. Your answers stand in the papers."
)
# What people write to mean "later". It fills no gap.
LATER = re.compile(
    r"(tb[acd]|to ?do|to be (added|confirmed|decided|done)|n/?a|x+|none yet|[\W_]*)\.?", re.IGNORECASE
)


def filled(answer) -> bool:
    """Whether an answer says something."""
    return isinstance(answer, str) and not LATER.fullmatch(answer.strip())


def load(folder: Path) -> dict[str, str]:
    """The questions of a folder with their answers; empty if none were asked yet."""
    path = folder / NAME
    try:
        stored = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path} is not whole: look at line {error.lineno}, perhaps for a comma or a quotation mark."
        ) from None
    except (OSError, ValueError):
        raise DataError(f"{path} cannot be read. Save it as plain text in UTF-8.") from None
    answers = stored.get("answers") if isinstance(stored, dict) else None
    if not isinstance(answers, dict):
        raise DataError(f'{path} lacks its part "answers". Put it back, or move the file away for a new one.')
    for question, answer in answers.items():
        if not isinstance(answer, str):
            raise DataError(f"{path}: the answer to {question!r} is no text. Put it in quotation marks.")
    return answers


def keep(folder: Path, questions: list[str]) -> dict[str, str]:
    """Add questions that are new to the file, and return all that are asked now, with their answers."""
    answers = load(folder)
    new = [question for question in questions if question not in answers]
    if new:
        content = {"about": ABOUT, "answers": {**answers, **dict.fromkeys(new, "")}}
        write_whole(folder / NAME, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return {question: answers.get(question, "") for question in questions}
