"""The bundled tables: load them, read their description, test their rules.

Each data set is one folder of `datasets/`. Its `datapackage.json` is the one description of its tables:
types, code lists, keys, roles, rules and the true parameters behind the simulation. All that this module
returns comes from that file, so a table and its description cannot drift apart.

    claims = load("claims")
    claims.training["households"]        # the people a generator may learn from
    claims.control["households"]         # as many people, from the same population, whom it never sees
    claims.schema("households").quasi_identifiers
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).resolve().parent.parent / "datasets"


class DataError(ValueError):
    """A bundled or given table cannot be used. The message says what is wrong and what to do."""


@dataclass(frozen=True)
class Schema:
    """The description of one table, read from its `datapackage.json` resource.

    `kind` sorts every column into one of five kinds, and every generator and chart goes by it:
    identifier, categorical (it has a code list, or is true/false), numeric, date, or text.
    """

    name: str
    fields: tuple[dict, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[dict, ...] = ()  # each as Frictionless writes it: fields and reference

    @classmethod
    def from_resource(cls, resource: dict) -> Schema:
        described = resource["schema"]
        return cls(
            resource["name"],
            tuple(described["fields"]),
            tuple(_listed(described.get("primaryKey", []))),
            tuple(described.get("foreignKeys", [])),
        )

    @property
    def columns(self) -> list[str]:
        return [field["name"] for field in self.fields]

    @property
    def quasi_identifiers(self) -> list[str]:
        """Columns that an intruder may know about a person from elsewhere."""
        return self._with_role("quasi-identifier")

    @property
    def sensitive(self) -> list[str]:
        """Columns that an intruder would like to learn."""
        return self._with_role("sensitive")

    def _with_role(self, role: str) -> list[str]:
        return [field["name"] for field in self.fields if field.get("role") == role]

    def field(self, column: str) -> dict:
        """The description of one column. KeyError with the known names if there is none."""
        for field in self.fields:
            if field["name"] == column:
                return field
        raise KeyError(
            f"The table {self.name} has no column {column!r}. Its columns are: {', '.join(self.columns)}."
        )

    def categories(self, column: str) -> dict:
        """The code list of a column: {value: label}. Empty if it has none."""
        return {item["value"]: item["label"] for item in self.field(column).get("categories", [])}

    def kind(self, column: str) -> str:
        field = self.field(column)
        if field.get("role") == "identifier":
            return "identifier"
        if field.get("categories") or field["type"] == "boolean":
            return "categorical"
        return {"integer": "numeric", "number": "numeric", "date": "date"}.get(field["type"], "text")

    def of_kind(self, *kinds: str) -> list[str]:
        return [column for column in self.columns if self.kind(column) in kinds]

    def select(self, columns: list[str]) -> Schema:
        """The schema of a table cut down to `columns`, in their order, with the keys that stay whole."""
        key = self.primary_key if set(self.primary_key) <= set(columns) else ()
        links = tuple(link for link in self.foreign_keys if set(_listed(link["fields"])) <= set(columns))
        return Schema(self.name, tuple(self.field(column) for column in columns), key, links)

    def join(self, other: Schema, columns: list[str]) -> Schema:
        """The schema of a table joined from this one and `other`: each column from the first that has it."""
        fields = [(self if column in self.columns else other).field(column) for column in columns]
        return Schema(self.name, tuple(fields))

    def to_sdv(self):
        """The same description as `sdv.metadata.Metadata`, for SDV's synthesisers and reports.

        A text column becomes categorical: left alone, SDV takes some of them for postcodes or
        telephone numbers and replaces them with invented ones.
        """
        from sdv.metadata import Metadata

        sdtypes = {"identifier": {"sdtype": "id"}, "numeric": {"sdtype": "numerical"}}
        dates = {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"}
        columns = {
            column: dates
            if self.kind(column) == "date"
            else sdtypes.get(self.kind(column), {"sdtype": "categorical"})
            for column in self.columns
        }
        table = {"columns": columns}
        if len(self.primary_key) == 1:
            table["primary_key"] = self.primary_key[0]
        return Metadata.load_from_dict({"tables": {self.name: table}, "relationships": []})


class Dataset:
    """One bundled data set: its training tables, its control tables and its description."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.package = _read_package(folder)
        self.name = self.package["name"]
        self._resources = {resource["name"]: resource for resource in self.package["resources"]}

    def __repr__(self) -> str:
        return f"<data set {self.name}: {', '.join(self._resources)}>"

    @property
    def tables(self) -> list[str]:
        return list(self._resources)

    @property
    def main(self) -> str:
        """The name of the table the labs start from."""
        return self.package["main"]

    @property
    def truth(self) -> dict:
        """The parameters the simulation used: {name: value}. What a perfect analysis would find."""
        return {item["name"]: item["value"] for item in self.package["truth"]}

    @property
    def rules(self) -> list[dict]:
        return self.package["rules"]

    def schema(self, table: str | None = None) -> Schema:
        return Schema.from_resource(self._resource(table or self.main))

    @property
    def schemas(self) -> dict[str, Schema]:
        """The description of every table, by name: what a generator of linked tables learns from."""
        return {name: self.schema(name) for name in self._resources}

    @cached_property
    def training(self) -> dict[str, pd.DataFrame]:
        return {name: self._read(name, resource) for name, resource in self._resources.items()}

    @cached_property
    def control(self) -> dict[str, pd.DataFrame]:
        return {name: self._read(name, resource["control"]) for name, resource in self._resources.items()}

    def _resource(self, table: str) -> dict:
        if table not in self._resources:
            raise KeyError(
                f"The data set {self.name} has no table {table!r}. Its tables are: {', '.join(self.tables)}."
            )
        return self._resources[table]

    def _read(self, table: str, part: dict) -> pd.DataFrame:
        return typed(_read_checked(self.folder / part["path"], part["hash"]), self.schema(table))


def names() -> list[str]:
    """The bundled data sets, in alphabetical order."""
    return sorted(path.parent.name for path in FOLDER.glob("*/datapackage.json"))


def load(name: str, folder: Path | str | None = None) -> Dataset:
    """Open a bundled data set by its name. Each table is read, and its hash checked, when first used.

    Raises DataError, with one sentence on what to do, for an unknown name or damaged files.
    """
    root = Path(folder) if folder else FOLDER
    if not (root / name / "datapackage.json").is_file():
        raise DataError(
            f"There is no data set {name!r} in {root}. The bundled ones are: {', '.join(names())}."
        )
    return Dataset(root / name)


def typed(table: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Give every column of a table, read as text or typed already, the type its schema says.

    Integers become Int64 where values are missing and int64 where none are, true/false columns boolean and
    bool; dates become datetime64. Raises DataError naming the first column that does not fit.
    """
    import pandas as pd

    missing = [column for column in schema.columns if column not in table]
    if missing:
        raise DataError(
            f"The table {schema.name} lacks the column {missing[0]!r} that its description lists."
        )
    typed_table = {}
    for field in schema.fields:
        values, kind = table[field["name"]], field["type"]
        try:
            if kind == "integer":
                values = pd.to_numeric(values).astype("Int64")
                values = values if values.isna().any() else values.astype("int64")
            elif kind == "number":
                values = pd.to_numeric(values).astype("float64")
            elif kind == "date":
                values = pd.to_datetime(values, format="%Y-%m-%d")
                if values.dt.tz is not None:
                    raise ValueError("it has a time zone, which .dt.tz_localize(None) takes off")
            elif kind == "boolean":
                values = _truths(values)
        except (ValueError, TypeError) as error:
            why = str(error).splitlines()[0].rstrip(".")
            raise DataError(f"Column {field['name']!r} of {schema.name} is not all {kind}: {why}.") from error
        typed_table[field["name"]] = values
    return pd.DataFrame(typed_table, index=table.index)


def _truths(values: pd.Series) -> pd.Series:
    """True, False and their spellings in a file as truth values. ValueError for anything else."""
    words = {"true": True, "false": False, "True": True, "False": False, True: True, False: False}
    truths = values.astype(object).map(words)
    strange = values[truths.isna() & values.notna()]
    if len(strange):
        raise ValueError(f"{strange.iloc[0]!r} is neither true nor false")
    return truths.astype("boolean" if truths.isna().any() else "bool")


def broken_rules(
    tables: dict[str, pd.DataFrame], dataset: Dataset, rules: list[dict] | None = None
) -> pd.DataFrame:
    """Count the rows that break each business rule of a data set, or each of some of its `rules`.

    `tables` maps table names to tables, real or synthetic. Returns one row per rule: rule, table, rows,
    broken, share, description. A rule whose table is absent is left out. Rules are pandas expressions
    in the bundled `datapackage.json`; they are never read from a table. Raises DataError where a table lacks
    a column that a rule needs.
    """
    import pandas as pd

    rows = []
    for rule in dataset.rules if rules is None else rules:
        needed = [rule["table"]] + ([rule["join"]] if "join" in rule else [])
        if not all(name in tables for name in needed):
            continue
        table = tables[rule["table"]]
        if "join" in rule:
            table = _joined(tables, dataset, rule["table"], rule["join"])
        try:
            kept = table.eval(rule["expression"], engine="python").fillna(False).astype(bool)
        except NameError as error:
            raise DataError(
                f"The rule {rule['name']} needs a column that {rule['table']} does not have: {error}."
            ) from error
        broken, many = int((~kept).sum()), len(table)
        share = broken / max(many, 1)
        rows.append((rule["name"], rule["table"], many, broken, share, rule["description"]))
    return pd.DataFrame(rows, columns=["rule", "table", "rows", "broken", "share", "description"])


def _joined(tables: dict, dataset: Dataset, child: str, parent: str) -> pd.DataFrame:
    """The child table with its parent's columns beside it, matched on the foreign key.

    Each child row stands once, also where a synthetic parent has a key twice: its first row counts.
    """
    keys = dataset._resource(child)["schema"].get("foreignKeys", [])
    key = next(key for key in keys if key["reference"]["resource"] == parent)
    parent_key = _listed(key["reference"]["fields"])
    return tables[child].merge(
        tables[parent].drop_duplicates(parent_key),
        how="left",
        left_on=_listed(key["fields"]),
        right_on=parent_key,
        suffixes=("", f"_{parent}"),
    )


def _listed(value) -> list:
    return [value] if isinstance(value, str) else list(value)


def _read_package(folder: Path) -> dict:
    path = folder / "datapackage.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"{path} is damaged (line {error.lineno}). {_restore(path)}") from error


def _read_checked(path: Path, expected: str) -> pd.DataFrame:
    """Read a CSV file as text, blanks as missing, after its hash has been checked."""
    import io

    import pandas as pd

    restore = _restore(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"The data file {path} is missing. {restore}") from None
    if "sha256:" + hashlib.sha256(content).hexdigest() != expected:
        raise DataError(f"The data file {path} is not the one this course was built with. {restore}")
    return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, na_values=[""])


def _restore(path: Path) -> str:
    """What to do about a damaged file, for those who use git and those who downloaded the course."""
    return f'Restore it with: git checkout -- "{path}" (or take it from a new download of the course).'
