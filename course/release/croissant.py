"""The released table described for machines: Croissant metadata, which its own validator must accept.

The description begins with the label, so that a catalogue which shows only that shows the label too.
"""

from __future__ import annotations

import hashlib
import logging
import re
from typing import TYPE_CHECKING

from course.assess.ladder import LABEL
from course.release.gaps import filled
from course.release.measures import lines

if TYPE_CHECKING:
    from course.release.record import Release

FILE = "table"
VERSION = "Which version is this, such as 1.0.0?"
CONTACT = "Whom can anybody write to about it? Give a team and an email address."
PROVIDER = "Which organisation provides the data, as it should stand in a licence?"
PLACE = "Where is it found: a web address, or a digital object identifier (DOI)? Say so if there is none."


def metadata(release: Release, facts: dict, answers: dict[str, str], content: bytes) -> dict:
    """Croissant metadata of the released file as a dict, ready for JSON."""
    import mlcroissant

    table = mlcroissant.FileObject(
        id=FILE,
        name=FILE,
        description=LABEL[1],
        content_url=facts["released_file"],
        encoding_formats=["text/csv"],
        sha256=hashlib.sha256(content).hexdigest(),
    )
    rows = mlcroissant.RecordSet(id="rows", name="rows", fields=_fields(release, content))
    more = _from_people(answers)
    with _quiet():
        made = mlcroissant.Metadata(
            name=facts["name"],
            description=f"{LABEL[1]} Synthetic data, which keep {facts['level']['kept']}.",
            cite_as=f"{facts['name']}, synthetic data, made on {facts['made_on']}",
            license=["licence.html"],
            in_language=["en-GB"],
            keywords=["synthetic data"],
            data_use_cases=[facts["level"]["fit_for"]],
            data_limitations=[f"Not for: {facts['level']['not_for']}", *facts["faults"]],
            data_biases=[facts["groups_words"]],
            distribution=[table],
            record_sets=[rows],
            **more,
        )
        return made.to_json()


def _from_people(answers: dict[str, str]) -> dict:
    """What people wrote, where it has the form that Croissant wants."""
    import mlcroissant

    found, version = {}, re.search(r"\d+\.\d+\.\d+", answers.get(VERSION, ""))
    if version:
        found["version"] = version[0]
    if place := re.search(r"https?://\S+", answers.get(PLACE, "")):
        found["url"] = place[0].rstrip(".,)")
    if filled(answers.get(PROVIDER)):
        mail = re.search(r"[^\s@<]+@[^\s@>]+", answers.get(CONTACT, ""))
        found["creators"] = [
            mlcroissant.Organization(name=answers[PROVIDER], email=mail[0].rstrip(".,)") if mail else None)
        ]
    return found


def _fields(release: Release, content: bytes) -> list:
    """One field for every column of the file, the label first."""
    import mlcroissant

    heads = next(lines(content))
    known = {re.sub(r"^(?=[=+\-@\t\r])", "'", name): name for name in release.schema.columns}
    fields = []
    for place, head in enumerate(heads):
        column = known.get(head)
        fields.append(
            mlcroissant.Field(
                id=f"rows/column-{place + 1}",
                name=head,
                description=_described(release, column),
                data_types=[_type(release, column)],
                source=mlcroissant.Source(file_object=FILE, extract=mlcroissant.Extract(column=head)),
            )
        )
    return fields


def _described(release: Release, column: str | None) -> str:
    if column is None:
        return "The label. Every row says that it is made up."
    field = release.schema.field(column)
    title = field.get("title") or column
    return f"{title}: {release.schema.kind(column)}, made up."


def _type(release: Release, column: str | None) -> str:
    import mlcroissant

    types = {"integer": "INTEGER", "number": "FLOAT", "date": "DATE", "boolean": "BOOL"}
    identifier = column is not None and release.schema.kind(column) == "identifier"
    kind = "string" if column is None or identifier else release.schema.field(column)["type"]
    return getattr(mlcroissant.DataType, types.get(kind, "TEXT"))


def refused(described: dict) -> str | None:
    """Why the validator does not accept the metadata, in one line; None if it does."""
    import mlcroissant

    try:
        with _quiet():
            mlcroissant.Dataset(jsonld=described)
    except (mlcroissant.ValidationError, ValueError, KeyError, TypeError) as error:
        return " ".join(str(error).split())
    return None


class _quiet:  # noqa: N801 (used like a function)
    """Keep the validator's recommendations off the screen: its errors are raised."""

    def __enter__(self):
        self.before = logging.getLogger("absl").level
        logging.getLogger("absl").setLevel(logging.ERROR)

    def __exit__(self, *_):
        logging.getLogger("absl").setLevel(self.before)
