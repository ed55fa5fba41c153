"""Propose a description of somebody's table: for every column a kind and a role, with the reason.

    proposal = propose(table, "claims")
    proposal.columns     # a DataFrame: column, kind, role, reason, values
    proposal.schema      # a course.data.Schema, as every generator and measure here wants

Nobody can tell from a table alone what an intruder knows or what hurts. The proposal goes by headings and by
the values, says why, and leans to caution: in doubt a column is one that others may know. A person decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course.data import Schema

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = 10  # a value on fewer rows is not written into the description: it would give somebody away
ENOUGH = 3 * FEW  # rows that a column's commonest value needs, so that half the table has enough of it
SMALL = 200  # a table with fewer rows is not learned from (see ladder.py), so nothing is too rare in it
SHOWN = 60  # columns in a printed proposal
MANY = 60  # a text column with more different values than this has no list of them
# Words of headings, whole or as a beginning. Each heading is split at spaces, underscores and capitals.
DIRECT = "name surname forename email phone telephone mobile nhs nino uprn passport iban address urn upn"
WHOSE = "id ref reference urn uuid identifier"  # the last word of a heading over whole numbers
REFERENCE = "id ref reference key number no urn uuid identifier record"
SENSITIVE = (
    "income pay salary wage earn bonus turnover profit benefit award credit arrears debt fraud health "
    "diag disab illness condition drug alcohol mental pregnan hiv treatment procedure operation opertn "
    "offence convict crime arrest police relig faith union politic sexual orientation gay score "
    "grade attain result exam exclusion suspension absence absent attendance sanction fsm meals sen "
    "looked safeguarding dismeth disdest death dead export award conditionality speldur"
)
KNOWN = (
    "age birth born dob sex gender female male black white region area ward lsoa msoa postcode district "
    "county country nation town city local authority la ethnic race nationality language "
    "marital married marriage partner household family child people tenure house occupation job "
    "industry sector division employer employees size legal "
    "school college practice gp hospital trust office team start admi date year month band foreign "
    "urban rural full contract"
)
PATTERNS = {
    "an email address": r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}",
    "a National Insurance number": r"[A-Z]{2}\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D]?",
    "a telephone number": r"(\+44|0)\s?\d{2,4}[\s-]?\d{3,4}[\s-]?\d{3,4}",
}
POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}"


@dataclass
class Proposal:
    """What `propose` found: the description and the reasons."""

    schema: Schema
    columns: pd.DataFrame  # column, kind, role, reason
    person: str | None  # an identifier that stands on several rows: whose rows they are

    def __str__(self):
        more = len(self.columns) - SHOWN
        shown = self.columns.head(SHOWN).to_string(index=False, max_colwidth=70)
        return shown if more <= 0 else f"{shown}\n... and {more:,} more columns."


def propose(table: pd.DataFrame, name: str) -> Proposal:
    """Propose a `Schema` for a typed table (see `course.assess.read`), with a reason for each role."""
    fields, rows = [], []
    for column in table:
        role, reason = next(_roles(column, table[column]))
        field = {"name": column, "type": _type(table[column]), "title": column, "role": role}
        if role not in ("identifier", "text"):
            values, limits = _values(table[column]), _limits(table[column])
            field |= {"categories": [{"value": value, "label": value} for value in values]} if values else {}
            field |= {"constraints": limits} if limits else {}
        fields.append(field)
        rows.append((column, role, reason))
    schema = Schema(name, tuple(fields))
    found = pd.DataFrame(rows, columns=["column", "role", "reason"])
    found.insert(1, "kind", [schema.kind(column) for column in schema.columns])
    identifiers = found["column"][found["role"] == "identifier"]
    person = next((name for name in identifiers if 1 < table[name].nunique() < 0.9 * len(table)), None)
    return Proposal(schema, found, person)


def _roles(name: str, column: pd.Series) -> Iterator[tuple[str, str]]:
    """Roles that fit a column, the first to be taken, each with its reason."""
    present, words = column.dropna(), words_of(name)
    text = not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_datetime64_any_dtype(column)
    sample = present.astype(str).head(1000) if text else present.head(0).astype(str)
    different = present.nunique() / max(1, len(present))
    for what, pattern in PATTERNS.items():
        if len(sample) and sample.str.fullmatch(pattern).mean() > 0.8:
            yield "identifier", f"Its values look like {what}."
    if len(sample) and sample.map(_is_nhs_number).mean() > 0.8:
        yield "identifier", "Its values pass the check of NHS numbers."
    hit = _hit(words, DIRECT, whole=True)
    if hit and (hit != "name" or different > 0.05 or present.empty):  # not the name of a region
        yield "identifier", f"The heading says {hit!r}, which points at one person."
    if len(column) >= SMALL and len(present) < ENOUGH:
        yield "text", f"It holds {len(present)} values: too few to learn from, so it is left out."
    if len(sample) and sample.str.split().str.len().mean() > 4 and different > 0.5:
        yield "text", "It is free text: nobody can check it for names, so it is left out."
    whole = text or pd.api.types.is_integer_dtype(column)
    if whole and different == 1 and len(present) > 20 and (text or _hit(words, REFERENCE, whole=True)):
        yield "identifier", "No two rows have the same value."
    listed = REFERENCE if text else WHOSE
    if whole and (hit := _hit(words[-1:] if not text else words, listed, whole=True)) and different > 0.05:
        yield "identifier", f"The heading says {hit!r} and most values are few people's."
    if text and len(column) >= SMALL and present.value_counts().iloc[0] < ENOUGH:
        yield "text", f"No value is on {ENOUGH} rows or more: group its values, or it is left out."
    if hit := _hit(words, SENSITIVE):
        yield "sensitive", f"The heading says {hit!r}, which people may not want known."
    if len(sample) and sample.str.fullmatch(POSTCODE).mean() > 0.8:
        yield "quasi-identifier", "Its values look like postcodes. A larger area is safer."
    if hit := _hit(words, KNOWN):
        yield "quasi-identifier", f"The heading says {hit!r}, which others may know."
    if pd.api.types.is_float_dtype(column):
        yield "other", "It is a measurement, and nothing in the heading says more."
    yield "quasi-identifier", "Nothing tells. In doubt, others may know it."


def words_of(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", name)]


def _hit(words: list[str], listed: str, whole: bool = False) -> str | None:
    """The first word of a heading that is in a list or, unless `whole`, begins with a listed word."""
    known = listed.split()
    for word in words:
        if word in known or (not whole and any(len(k) > 3 and word.startswith(k) for k in known)):
            return word
    return None


def _is_nhs_number(value: str) -> bool:
    """Whether ten digits pass the modulus 11 check of NHS numbers."""
    digits = re.sub(r"[\s-]", "", value)
    if not re.fullmatch(r"\d{10}", digits):
        return False
    check = 11 - sum(int(digit) * (10 - place) for place, digit in enumerate(digits[:9])) % 11
    return check % 11 == int(digits[9]) and check != 10


def _type(column: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(column):
        return "boolean"
    if pd.api.types.is_integer_dtype(column):
        return "integer"
    if pd.api.types.is_float_dtype(column):
        return "number"
    return "date" if pd.api.types.is_datetime64_any_dtype(column) else "string"


def _limits(column: pd.Series) -> dict:
    """Round limits of a column of numbers or dates, from its middle 98%: nobody's own value shows in them."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return _years(column) if pd.api.types.is_datetime64_any_dtype(column) else {}
    low, high = column.dropna().astype(float).quantile([0.01, 0.99])
    if not high > low:
        return {}
    step = 10.0 ** np.floor(np.log10(high - low))
    limits = {"minimum": np.floor(low / step) * step, "maximum": np.ceil(high / step) * step}
    whole = pd.api.types.is_integer_dtype(column)
    return {end: int(limit) if whole else float(f"{limit:.9g}") for end, limit in limits.items()}


def _years(column: pd.Series) -> dict:
    first, last = column.dropna().quantile([0.01, 0.99]).dt.year
    return {"minimum": f"{first}-01-01", "maximum": f"{last}-12-31"}


def _values(column: pd.Series) -> list[str]:
    """The values of a text column that stand on enough rows, if they are few; in order."""
    if _type(column) != "string" or column.nunique() > MANY:
        return []
    counts = column.value_counts()
    return sorted(counts.index[counts >= FEW], key=str)
