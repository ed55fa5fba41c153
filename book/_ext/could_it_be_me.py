"""The pictures of the page "Could it be me?": what a stranger learns from made-up rows, at six levels.

    python book/_ext/could_it_be_me.py

Run it in the environment, from the folder of the course: it makes `book/could-it-be-me.json` in some ten
seconds. The `could-it-be-me` directive shows that file on the page: every picture is there without
JavaScript, and `could-it-be-me.js` lets the reader choose which one to see.

A stranger knows four facts about a household (KNOWN) and wants a fifth: has somebody there a long-term
health condition? The stranger looks at the made-up rows with the same four facts. If all of them agree,
the stranger is sure. We count the households in which somebody has a condition (for the others, "no" is the
usual answer and tells nothing), once for those whose rows were used, once for a control group whose rows
were not.
"""

from __future__ import annotations

import json
import sys
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "book" / "could-it-be-me.json"
COMMAND = "python book/_ext/could_it_be_me.py"
KNOWN = ["region", "household_type", "reference_age", "tenure"]
SECRET = "health_condition"
KEPT = [*KNOWN, "area_code", "people", "bedrooms", "weekly_income", "universal_credit", "arrears", SECRET]
SEEDS = range(1, 11)
FEWEST = 50  # a group with fewer households in either part is not shown

# What each level reads and does: the recipes of lab 2, and the words of the public page.
LEVELS = [
    ("Shape only", "The columns have the right names. What is in them is nonsense.", "structural", False, {}),
    ("Allowed words", "Each box holds something that is allowed, picked at random.", "valid", False, {}),
    ("Right mix", "Each fact is as common as in real life. Facts do not fit together.", "marginal", True, {}),
    ("Rough fit", "Facts that go together in real life go together roughly.", "copula", True, {}),
    ("Close fit", "Facts go together closely, even for smaller groups.", "cart", True, {"min_leaf": 25}),
    ("Near copy", "Made to be as close to the real rows as it can be.", "cart", True, {"min_leaf": 1}),
]  # fmt: skip
GROUPS = {
    "nobody else": "Nobody else has my four facts",
    "1 to 3 others": "1 to 3 others have my four facts",
    "4 to 8 others": "4 to 8 others have my four facts",
}
EVERYBODY = "Everybody"


# 1. The figures -------------------------------------------------------------------------------------------


def compute() -> dict:
    """Make ten tables at each level, attack them, and return every figure of the page.

    Rates are shares between 0 and 1. `groups` holds, for everybody and by how many others in their own
    part share the four facts, the households tried and how many of them the stranger is sure about, rightly
    (`hit`) or wrongly (`wrong`), in the data and in the control. `gap` is the use: how much more often a
    household on Universal Credit has somebody with a condition (mean of the tables, least and most).
    """
    sys.path.insert(0, str(ROOT))
    from course import data, generate

    claims = data.load("claims")
    schema = claims.schema("households").select(KEPT)
    real, control = (part["households"][KEPT] for part in (claims.training, claims.control))
    levels = []
    for name, words, generator, reads, options in LEVELS:
        model = generate.fit(generator, real if reads else None, schema, **options)
        tables = [model.sample(len(real), seed=seed) for seed in SEEDS]
        levels.append({"name": name, "words": words, **measured(real, control, tables)})
    return {
        "made_by": COMMAND,
        "data": "claims, households (simulated)",
        "known": KNOWN,
        "secret": SECRET,
        "rows": len(real),
        "tables_each": len(SEEDS),
        "real_gap": round(gap(real), 3),
        "levels": levels,
    }


def measured(real, control, tables) -> dict:
    """The figures of one level: what the stranger gets right, by group; rows like me; copies; use."""
    parts = [grouped(part)[lambda rows: rows[SECRET] == "Y"] for part in (real, control)]
    answers = [answer(table) for table in tables]
    asked = [[said.reindex(part["four"]) for said in answers] for part in parts]
    groups = []
    for group in (EVERYBODY, *GROUPS):
        inside = [(part["group"] == group) | (group == EVERYBODY) for part in parts]
        if min(part.sum() for part in inside) >= FEWEST:
            groups.append(
                {"group": group, "people": [int(part.sum()) for part in inside], **rates(asked, inside)}
            )
    gaps = [gap(table) for table in tables]
    rows = set(map(tuple, real.astype(str).to_numpy()))
    copies = [sum(tuple(row) in rows for row in table.astype(str).to_numpy()) for table in tables]
    return {
        "groups": groups,
        "like_me": [round(mean([said.notna().mean() for said in part]), 3) for part in asked],
        "copies": round(mean(copies)),
        "gap": None if gaps[0] is None else [round(figure(gaps), 3) for figure in (mean, min, max)],
    }


def grouped(part):
    """A part with the four facts as one text, and in words how many others in it have the same."""
    four = four_facts(part)
    others = four.map(four.value_counts()) - 1
    bins = [-1, 0, 3, 8, len(part)]
    import pandas as pd

    return part.assign(four=four, group=pd.cut(others, bins, labels=[*GROUPS, "more"]).astype(str))


def four_facts(table):
    return table[KNOWN].astype(str).agg("|".join, axis=1)


def answer(table):
    """What made-up rows with the same four facts say of the secret; "unsure" if they differ."""
    said = table[SECRET].astype(str).groupby(four_facts(table)).agg(["nunique", "first"])
    return said["first"].where(said["nunique"] == 1, "unsure")


def rates(asked, inside) -> dict:
    """Shares of people about whom the stranger is sure and right, or sure and wrong: data, then control.

    `least` and `most` are the lowest and the highest share sure and right of any of the tables.
    """
    found = {"hit": [], "wrong": [], "least": [], "most": []}
    for part, chosen in zip(asked, inside, strict=True):
        mine = [said[chosen.to_numpy()] for said in part]
        hits = [(said == "Y").mean() for said in mine]
        wrong = [(said == "N").mean() for said in mine]
        for name, value in zip(found, (mean(hits), mean(wrong), min(hits), max(hits)), strict=True):
            found[name].append(round(float(value), 3))
    return found


def mean(values) -> float:
    return float(sum(values) / len(values))


def gap(table) -> float | None:
    """Share with a condition among households on Universal Credit, less that among the others.

    Households of whom either is not known are left out. None if the codes mean nothing.
    """
    pair = table[["universal_credit", SECRET]]
    known = pair[pair.isin(["Y", "N"]).all(axis=1)]
    if len(known) < len(table) / 2:
        return None
    shares = known[SECRET].eq("Y").groupby(known["universal_credit"]).mean()
    return float(shares["Y"] - shares["N"])


# 2. The pictures ------------------------------------------------------------------------------------------


def stored() -> dict:
    return json.loads(STORED.read_text(encoding="utf-8"))


def page_html(found: dict) -> str:
    """Every picture, by who the reader is, and the table of numbers. The script shows one at a time."""
    shown = [group["group"] for group in found["levels"][0]["groups"]]
    parts = []
    for group in shown:
        views = "".join(view_html(found, place, group) for place in range(len(found["levels"])))
        title = f"Who are you? {heading(group)}"
        start = "<details open>" if group == EVERYBODY else "<details>"
        parts.append(
            f'{start}<summary>{escape(title)}</summary><div class="me-views">{views}</div></details>'
        )
    return (
        f'<div id="me-try"></div><div id="me-all">{KEY_HTML}{"".join(parts)}</div>'
        f"<details><summary>All the numbers in a table</summary>{table_html(found)}</details>"
    )


KEY_HTML = (
    '<ul class="me-key"><li><span class="me-filled" aria-hidden="true"></span>Filled: the stranger is sure, '
    'and right.</li><li><span class="me-crossed" aria-hidden="true"></span>Crossed: the stranger is sure, '
    'and wrong.</li><li><span aria-hidden="true"></span>Empty: the stranger finds no answer, or more than '
    "one.</li></ul>"
)


def heading(group: str) -> str:
    return GROUPS.get(group, "Any home")


def view_html(found: dict, place: int, group: str) -> str:
    """One picture: one level and one kind of reader, in the data and left out of it."""
    level = found["levels"][place]
    figure = next(one for one in level["groups"] if one["group"] == group)
    name = f"{place + 1}. {level['name']}"
    halves = "".join(
        f'<div class="me-half"><p><strong>{title}</strong></p>{squares(hit, wrong)}'
        f"<p>Sure and right: <strong>{hit} in 100</strong>. Sure and wrong: {wrong} in 100.</p></div>"
        for title, hit, wrong in zip(
            ("Homes in the data", "Homes left out"),
            *map(in_100, (figure["hit"], figure["wrong"])),
            strict=True,
        )
    )
    return (
        f'<figure class="me-view" data-group="{escape(group)}" data-heading="{escape(heading(group))}" '
        f'data-level="{place + 1}" data-name="{escape(level["name"])}"><p><strong>{escape(name)}.</strong> '
        f'{escape(level["words"])}</p><div class="me-halves">{halves}</div>'
        f'<p class="me-finding">{escape(finding(figure))}</p>{rest(found, place)}</figure>'
    )


def in_100(shares) -> list[int]:
    return [round(100 * share) for share in shares]


def finding(figure: dict) -> str:
    """What the picture shows. It is called a difference only if every table of the ten shows it."""
    (hit, control), (least, _), (_, most) = in_100(figure["hit"]), figure["least"], figure["most"]
    if least > most:
        return f"Being in the data made a difference: {hit} in 100. If left out: {control} in 100."
    if max(figure["most"]) == 0:
        return "The stranger learned nothing."
    return (
        "Being in the data made no clear difference. The stranger is right by luck, or knows what is usual."
    )


def rest(found: dict, place: int) -> str:
    """Rows like the reader, and what the level is good for: the same for every kind of reader."""
    level = found["levels"][place]
    mine, left_out = in_100(level["like_me"])
    said = "cannot say" if level["gap"] is None else f"say {more(level['gap'][0])}"
    return (
        f"<p><strong>Rows like you.</strong> Of 100 homes in the data, {mine} find a made-up row with their "
        f"four facts. Of 100 homes left out, {left_out} do.</p><p><strong>Use.</strong> Are people ill more "
        f"often in homes on Universal Credit? The real rows say {more(found['real_gap'])}. The made-up rows "
        f"{said}.</p>"
    )


def more(share: float) -> str:
    """A difference in words: "8 more in 100"."""
    number = round(100 * share)
    return "no more" if number == 0 else f"{abs(number)} {'more' if number > 0 else 'fewer'} in 100"


def squares(hit: int, wrong: int) -> str:
    """A hundred squares in ten rows: filled, crossed and empty. The words beside it say the same."""
    cells = [(12 * (i % 10) + 1, 12 * (i // 10) + 1) for i in range(100)]
    filled = "".join(f"M{x} {y}h10v10h-10z" for x, y in cells[:hit])
    empty = "".join(f"M{x} {y}h10v10h-10z" for x, y in cells[hit:])
    crossed = "".join(f"M{x} {y}l10 10m0-10l-10 10" for x, y in cells[hit : hit + wrong])
    return (
        f'<svg viewBox="0 0 120 120" aria-hidden="true" focusable="false">'
        f'<path class="me-filled" d="{filled}"/><path class="me-empty" d="{empty}"/>'
        f'<path class="me-empty" d="{crossed}"/></svg>'
    )


def table_html(found: dict) -> str:
    """The numbers behind the pictures, one row for each level and kind of reader."""
    columns = ("Level", "Who", "Homes in the data", "Sure and right", "Sure and wrong")
    columns += ("Homes left out", "Sure and right", "Sure and wrong")
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    rows = []
    for place, level in enumerate(found["levels"], 1):
        for one in level["groups"]:
            hit, wrong = in_100(one["hit"]), in_100(one["wrong"])
            cells = [heading(one["group"])]
            for part in (0, 1):
                cells += [f"{one['people'][part]:,}", f"{hit[part]} in 100", f"{wrong[part]} in 100"]
            row = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            rows.append(f'<tr><th scope="row">{place}. {escape(level["name"])}</th>{row}</tr>')
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


class CouldItBeMe(SphinxDirective):
    """`could-it-be-me`: the pictures, from the stored figures. Takes no options."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(STORED))
        return [nodes.raw(text=page_html(stored()), format="html", classes=["could-it-be-me"])]


def setup(app: Sphinx) -> dict:
    """Register the directive with Sphinx."""
    app.add_directive("could-it-be-me", CouldItBeMe)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    STORED.write_text(json.dumps(compute(), indent=1) + "\n", encoding="utf-8")
