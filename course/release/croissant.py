"""The released tables described for machines: Croissant metadata, which its own validator must accept.

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
    from course.release.record import File, Release

TABLE, ROWS = "table", "rows"  # the names of a file and of its records, where there is one file
VERSION = "Which version is this, such as 1.0.0?"
CONTACT = "Whom can anybody write to about it? Give a team and an email address."
PROVIDER = "Which organisation provides the data, as it should stand in a licence?"
PLACE = "Where is it found: a web address, or a digital object identifier (DOI)? Say so if there is none."


def metadata(release: Release, facts: dict, answers: dict[str, str]) -> dict:
    """Croissant metadata of the released files as a dict, ready for JSON."""
    import mlcroissant

    tables, records = [], []
    for place, file in enumerate(release.files, 1):
        table, rows = (f"{TABLE}-{place}", f"{ROWS}-{place}") if release.linked else (TABLE, ROWS)
        tables.append(
            mlcroissant.FileObject(
                id=table,
                name=table,
                description=LABEL[1],
                content_url=file.released,
                encoding_formats=["text/csv"],
                sha256=hashlib.sha256(file.content).hexdigest(),
            )
        )
        records.append(
            mlcroissant.RecordSet(
                id=rows,
                name=rows,
                description=f"The table {file.name}." if release.linked else None,
                fields=_fields(release, file, table, rows),
            )
        )
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
            distribution=tables,
            record_sets=records,
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


def _fields(release: Release, file: File, table: str, rows: str) -> list:
    """One field for every column of a file, the label first."""
    import mlcroissant

    heads = next(lines(file.content))
    known = {re.sub(r"^(?=[=+\-@\t\r])", "'", name): name for name in file.schema.columns}
    fields = []
    for place, head in enumerate(heads):
        column = known.get(head)
        more = {}
        if file.link and column == file.link["column"]:
            more["references"] = mlcroissant.Source(field=_key(release, file))
        fields.append(
            mlcroissant.Field(
                id=_id(rows, place),
                name=head,
                description=_described(file, column),
                data_types=[_type(file, column)],
                source=mlcroissant.Source(file_object=table, extract=mlcroissant.Extract(column=head)),
                **more,
            )
        )
    return fields


def _id(rows: str, place: int) -> str:
    """The name of a field: which column it is, the label being the first."""
    return f"{rows}/column-{place + 1}"


def _key(release: Release, file: File) -> str:
    """The field of the people's key, to which a linked table points. The people's file is the first."""
    return _id(f"{ROWS}-1", release.files[0].schema.columns.index(file.link["key"]) + 1)


def _described(file: File, column: str | None) -> str:
    if column is None:
        return "The label. Every row says that it is made up."
    title = file.schema.field(column).get("title") or column
    points = ", which says whose a row is" if file.link and column == file.link["column"] else ""
    return f"{title}: {file.schema.kind(column)}{points}, made up."


def _type(file: File, column: str | None) -> str:
    import mlcroissant

    types = {"integer": "INTEGER", "number": "FLOAT", "date": "DATE", "boolean": "BOOL"}
    identifier = column is not None and file.schema.kind(column) == "identifier"
    kind = "string" if column is None or identifier else file.schema.field(column)["type"]
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
