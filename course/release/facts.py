"""What the papers say: every figure of a release as words and rows, ready to be set into a template.

Papers that may be published round what counts people, and leave out small groups. The rest stays inside.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from course.assess import advise
from course.assess.figures import SMALLEST
from course.assess.ladder import LABEL
from course.assess.linked import NOT_MEASURED
from course.release import record
from course.release.gaps import filled
from course.release.measures import interval, percent, rows_of

if TYPE_CHECKING:
    from course.release.measures import Measure
    from course.release.record import File, Release

NAME = "What is the data set called, for people who have never seen it?"
MEASURED = "The limit for risk"  # a gap of the guide that is measured here
KINDS = {"singling out", "linkability", "inferences", "membership", "copies"}
MOST_ROWS = 15  # of groups in one table
NO_RECORD = "No record was read: the table was made from a description."
NO_PRIVACY_BUDGET = "as delivered. No differential privacy: there is no epsilon and no delta."

# The public summary in plain words: the purposes of course.assess, and what each level reads.
PURPOSES = {
    "find out what the data hold": "see what the data hold",
    "build or test a system": "build and test a computer system",
    "write analysis code or train people": "write code for the real ones, or learn how to",
    "teach or try a method": "teach a method, or try one out",
    "train or test a model": "train and test a computer model",
}
METHODS = {
    "description": "We wrote down what each column is. The program read no more than that.",
    "structure": "We wrote down what each column is, and which codes it can hold. It read no more than that.",
    "columns": "The program looked at one column at a time. It put small groups together.",
    "together": "The program looked at how the columns go together, two at a time.",
    "near-copy": "The program read real rows, and learned how things in them go together.",
}
# The course's advice on approval and access at each level, as in book/who-decides.md.
APPROVAL = {
    "description": ("the maker and the asset owner", "anybody"),
    "structure": ("the maker and the asset owner", "anybody, with the label"),
    "columns": (
        "also the disclosure control lead, with the DPO's advice",
        "anybody or registered, with a licence",
    ),
    "together": ("also the SIRO; the Caldicott Guardian for health or care", "named people, with a licence"),
    "near-copy": ("also an independent reviewer", "inside a secure setting"),
}


def facts(release: Release, measures: list[Measure], answers: dict[str, str]) -> dict:
    """Every fact the templates use, by name."""
    run, made, files = release.run, release.made, release.files
    named = answers.get(NAME, "").strip()
    name = named if filled(named) else f"synthetic {release.name}"
    return {
        "name": name,
        "linked": release.linked,
        "released_files": [file.released for file in files],
        "fingerprint": _fingerprint(release),  # in the question of approval: another table asks it anew
        "generator": release.generator,
        "level": release.level,
        "answers": release.answers,
        "tested": bool(release.attacks),
        "keys": release.answers.get("keys", []),
        "targets": release.answers.get("targets", []),
        "sources": _sources(run),
        "parts": run.get("parts", {}),
        "left_out": run.get("left out", []),
        "identifiers": [release.named(file, c) for file in files for c in file.schema.of_kind("identifier")],
        "sensitive": [release.named(file, c) for file in files for c in file.schema.sensitive],
        "columns_many": sum(len(file.schema.columns) for file in files),
        "not_measured": NOT_MEASURED,
        "rows": sum(file.made.get("rows", 0) for file in files),
        "made_on": day(run.get("made", "")),
        "seeds": run.get("seeds", []),
        "released_seed": (run.get("seeds") or ["not stated"])[0],
        "parameters": made.get("parameters") or NO_PRIVACY_BUDGET,
        "versions": run.get("versions", {}),
        "libraries": [f"{name} {stated['version']}" for name, stated in run.get("versions", {}).items()],
        "smallest": SMALLEST,
        "tables": release.attacks[0]["tables"] if release.attacks else 1,
        "split_words": _split(run.get("parts")),
        "people_words": _people(run.get("parts")),
        **_likeness(release),
        **_groups(made),
        **_prediction(made),
        **_privacy(release, measures),
        **_advice(release),
        **_plain_words(release, made),
    }


def _fingerprint(release: Release) -> str:
    """What is approved, by the beginning of each file's SHA-256."""
    beginnings = [file.made.get("sha256", "")[:8] for file in release.files]
    return f"tables {', '.join(beginnings)}" if release.linked else f"table {beginnings[0]}"


def _sources(run: dict) -> list[dict]:
    """The real files: the people's, then the linked ones, each with its link."""
    stated = {"name": "not stated", "rows": 0, "columns": 0, "sha256": "not stated", "decisions": []}
    stated["key"] = None  # of a linked file: what its column points to
    return [{**stated, **source} for source in (run["source"], *run.get("linked", []))]


def day(iso: str) -> str:
    """2026-11-22 as 22 November 2026."""
    try:
        found = datetime.date.fromisoformat(iso)
    except ValueError:
        return "a day that was not stated"
    return f"{found.day} {found:%B %Y}"


def _people(parts: dict | None) -> str:
    if not parts:
        return NO_RECORD
    return (
        f"Records of {parts['people']:,} people, households or firms were there: {_rows(parts, 'training')} "
        f"were read to make the table, and {_rows(parts, 'control', '')} to test it."
    )


def _split(parts: dict | None) -> str:
    if not parts:
        return NO_RECORD
    drawn = " They were drawn at random from more." if parts.get("sampled") else ""
    return (
        f"The real people were split at random: the generator learned from {_rows(parts, 'training')}. "
        f"The {_rows(parts, 'control')} of other people, the control, were kept for the tests.{drawn}"
    )


def _rows(parts: dict, part: str, called: str = " rows") -> str:
    """How many rows a part has: of linked tables in each."""
    if tables := parts.get(f"{part} tables"):
        return " and ".join(f"{many:,} rows of {name}" for name, many in tables.items())
    return f"{parts[f'{part} rows']:,}{called}"


# ------------------------------------------------------------------------------ likeness


def _likeness(release: Release) -> dict:
    made, control = release.made, release.run.get("control") or {}
    words = f"{NO_RECORD} So no figure in it means anything, and none was compared."
    if "distances" in made:
        times = {one: f"{made['distances'][one] / control[one]:.1f} times" for one in control if control[one]}
        single, pairs = (times.get(one, "not known how many times") for one in ("columns", "pairs"))
        words = (
            f"Single columns are {single} as far from the real ones as other real people are, and pairs of "
            f"columns {pairs}. Once would be as near as another sample."
        )
    if release.linked:
        words = f"One row for each person was compared, what is theirs in other tables summed up. {words}"
    return {
        "likeness_words": words,
        "files": [_file(file, release.files[0]) for file in release.files],
        "faults": [*_faults(_compared(release)), *([NOT_MEASURED] if release.linked else [])],
    }


def _file(file: File, people: File) -> dict:
    """One table: its name, rows, link and columns."""
    unmeasured = {"kind": None, **dict.fromkeys(("blank_original", "blank_synthetic", "value", "control"))}
    rows = file.made.get("columns") or [{"column": name, **unmeasured} for name in file.schema.columns]
    many, all_of_them = file.made.get("rows", 0), people.made.get("rows", 0)
    return {
        "name": file.name,
        "released": file.released,
        "rows": many,
        "each": f"{many / all_of_them:.2f}" if file.link and all_of_them else "1",
        "link": file.link,
        "columns": [_column(file, row) for row in rows],
    }


def _compared(release: Release) -> list[dict]:
    """What was measured of each column: of linked tables in their own rows, and summed up for each person."""
    rows = release.made.get("columns") or []
    if release.linked:
        named = [
            {**row, "column": release.named(file, row["column"])}
            for file in release.files
            for row in file.made.get("columns") or []
        ]
        rows = [*named, *(row for row in rows if row["column"] not in release.files[0].schema.columns)]
    return rows


def _column(file: File, row: dict) -> dict:
    identifier = file.schema.kind(row["column"]) == "identifier"
    return {
        "name": row["column"],
        "kind": row["kind"] or file.schema.kind(row["column"]),
        "origin": "invented" if identifier else "synthesised",
        "blank_original": _roughly(row["blank_original"]),
        "blank_synthetic": _roughly(row["blank_synthetic"]),
        "value": _distance(row["value"]),
        "control": _distance(row["control"]),
    }


def _roughly(share: float | None) -> str:
    """A share of real people, so rounded that it points to nobody."""
    if share is None:
        return "not compared"
    return "none" if share == 0 else "under 1%" if share < 0.01 else f"{share:.0%}"


def _distance(value: float | None) -> str:
    return "not compared" if value is None else f"{value:.2f}"


def _faults(rows: list[dict]) -> list[str]:
    """What was measured and would mislead somebody who does not know."""
    if not rows:
        return ["No column was compared with a real one."]
    compared = [row for row in rows if row["value"] is not None and row["control"] is not None]
    far = [row["column"] for row in compared if row["value"] > max(0.05, 3 * row["control"])]
    blank = [row["column"] for row in rows if abs(row["blank_original"] - row["blank_synthetic"]) > 0.05]
    found = []
    if far:
        found.append(f"Far from the real columns: {', '.join(far)}.")
    if blank:
        found.append(f"Blanks are much more or less common than in the real table: {', '.join(blank)}.")
    return found or ["No single column is far from the real one, and no column's blanks are."]


def _groups(made: dict) -> dict:
    rows = made.get("by group") or []
    far = sorted(
        (one for one in rows if one["low"] > one["chance"]), key=lambda one: one["chance"] - one["low"]
    )
    by = ", ".join(dict.fromkeys(one["by"] for one in rows))
    if not rows:
        words = "No figures for groups of people: none was looked at."
    elif not far:
        words = f"{len(rows)} figures for groups by {by}: none is further off than chance explains."
    else:
        worst = f"{far[0]['by']} {far[0]['group']} in {far[0]['of']}"
        words = (
            f"{len(rows)} figures for groups by {by}: {len(far)} are further off than chance explains. "
            f"The furthest: {worst}. Do not compare such groups."
        )
    shown = sorted(rows, key=lambda one: one["chance"] - one["low"])[:MOST_ROWS]
    return {"groups_words": words, "group_rows": [_group(one) for one in shown], "group_many": len(rows)}


def _group(one: dict) -> dict:
    return {
        "by": one["by"],
        "group": one["group"],
        "of": one["of"],
        "people": f"about {5 * round(one['people'] / 5):,}",
        "range": f"{one['low']:.2f} to {one['high']:.2f}",
        "chance": f"{one['chance']:.2f}",
        "verdict": "yes" if one["low"] > one["chance"] else "no",
    }


def _prediction(made: dict) -> dict:
    found = made.get("prediction") or {"why": "It was not tried."}
    if not found.get("rows"):
        words = f"No prediction was tried. {found.get('why', '')}"
        return {"prediction_words": words.strip(), "prediction_rows": [], "prediction_target": ""}
    by_group: dict = {}
    for row in found["rows"]:
        figures = f"{row['auc']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        by_group.setdefault(row["group"], {})[row["learned_from"]] = figures
    whole = by_group["everybody"]
    grouped = f" Groups are by {found['by']}." if found.get("by") else ""
    return {
        "prediction_words": (
            f"A model that predicts {found['target']} reaches {whole['synthetic']} when it learned from this "
            f"table and {whole['training']} when it learned from real people.{grouped}"
        ),
        "prediction_target": found["target"],
        "prediction_rows": [
            {"group": group, "real": both.get("training", "-"), "made": both.get("synthetic", "-")}
            for group, both in by_group.items()
        ],
    }


# ------------------------------------------------------------------------------ privacy


def _privacy(release: Release, measures: list[Measure]) -> dict:
    made, failing = release.made, [one for one in measures if not one.passed]
    attacks = [_attack(one, measures) for one in release.attacks]
    named = {one.name: one for one in measures}
    limit = named.get("A limit that was set before looking", named.get("No record was read"))
    copies = named.get("Copies of one real person", limit)
    checks = {name: [] for name in ("labelling", "disclosure", "structure", "documentation")}
    for one in measures:
        checks[one.check].append(
            {"name": one.name, "words": one.words, "state": "done" if one.passed else "[ ] FAILS"}
        )
    return {
        "attacks": attacks,
        "strongest": _strongest(attacks),
        "alone": [one for one in attacks if one["low"] > 0 and not one["leak"]],
        "not_tried": made.get("not tried", {}),
        "kinds": list(dict.fromkeys(one["indicator"] for one in attacks)),
        "kinds_state": "done" if {one["indicator"] for one in attacks} >= KINDS else "[ ] not all tried",
        "failing": failing,
        "measures": measures,
        "by_check": checks,
        "limit_name": limit.name,
        "limit_state": "done" if limit.passed else "[ ] FAILS",
        "limit_words": limit.words,
        "copies_words": copies.words,
        "verdict_words": _verdict(attacks),
        "intruder_words": f"The intruder knew {', '.join(release.answers.get('keys', []))}.",
        **_apparent(release, attacks),
    }


def _attack(one: dict, measures: list[Measure]) -> dict:
    worst = one.get("worst placed") or {}
    held = next((m for m in measures if m.name == one["attack"]), None)
    verdict = "a leak" if one["leak"] else "no leak found"
    if held and not held.passed and not one["leak"]:
        verdict += ", more than the limit not ruled out"
    words = "too few people"
    if worst.get("training") is not None:
        who = worst["share their values with"]
        words = f"{who}: {percent(worst['training'])}, {percent(worst['control'])}"
    return {**one, "worst": words, "verdict": verdict}


def _strongest(attacks: list[dict]) -> list[dict]:
    """The attack with the largest excess of each kind, in the order of the kinds."""
    best: dict[str, dict] = {}
    for one in attacks:
        if one["indicator"] not in best or one["excess"] > best[one["indicator"]]["excess"]:
            best[one["indicator"]] = one
    return list(best.values())


def _verdict(attacks: list[dict]) -> str:
    if not attacks:
        return f"{NO_RECORD} So nobody was attacked."
    leaks = sorted((one for one in attacks if one["leak"]), key=lambda one: -one["excess"])
    if not leaks:
        return (
            f"None of the {len(attacks)} attacks did clearly better on people in the data than on people who "
            "were not."
        )
    worst = leaks[0]
    return (
        f"{len(leaks)} of {len(attacks)} attacks did clearly better on people in the data than on people who "
        f"were not. The largest excess: {worst['attack']}, {interval(worst)}."
    )


def _apparent(release: Release, attacks: list[dict]) -> dict:
    """Who might believe that they see somebody, rightly or not."""
    nobody = {"alone": 0, "seen": 0, "right": 0}
    looks = release.made.get("look-alikes") or {"training": nobody, "control": nobody}
    inside, outside = looks["training"], looks["control"]
    called = rows_of(release, "rows of the released file")
    words = (
        f"{called[0].upper()}{called[1:]} look like {inside['seen']:,} of the {inside['alone']:,} people of "
        f"the data who are alone with their values, and are right about {inside['right']:,}. In the control: "
        f"{outside['seen']:,} of {outside['alone']:,}, right about {outside['right']:,}."
    )
    if not attacks:
        words = "A row may still look like somebody by chance."
    certain = []
    for one in attacks:
        figures = {row["figure"]: row["training"] for row in one.get("details", [])}
        if "Rows with the keys agree" in figures and one["attack"].startswith("Certain"):
            agree, right = figures["Rows with the keys agree"], figures["Right where they agree (TCAP)"]
            if agree < 0.0005:
                certain.append(f"{one['attack']}: hardly any rows with a person's values agree.")
                continue
            certain.append(
                f"{one['attack']}: all rows with a person's values agree for {percent(agree)} of the people "
                f"in the data, and are wrong for {percent(1 - right)} of those. Wrongly certain: "
                f"{percent(agree * (1 - right))}."
            )
    return {"looks": looks, "looks_words": words, "certain_words": certain, "harmed": _harmed(release)}


def _harmed(release: Release) -> list[dict]:
    """The groups in which rows are right about people of the data more often than about the control's."""
    rows = release.made.get("look-alikes by group") or []
    rows = sorted(rows, key=lambda one: one["control"] - one["training"])
    return [
        {
            "by": one["by"],
            "group": one["group"],
            "alone": f"{one['alone'][0]:,}, {one['alone'][1]:,}",
            "training": percent(one["training"]),
            "control": percent(one["control"]),
        }
        for one in rows[:MOST_ROWS]
    ]


# ------------------------------------------------------------------------------ the guide, and plain words


def _advice(release: Release) -> dict:
    advice, level, order = release.advice, release.level, list(record.levels())
    asked = advice.get("level") or order[-1]
    how = {
        "a person": f"A person chose the generator {release.generator}.",
        "the guide": f"The decision guide chose {release.generator}. A person may choose another.",
        "nobody yet": f"Nobody has chosen yet; {release.generator} stands here, the least detailed.",
    }
    levels = [
        {**one, "approval": APPROVAL[name][0], "access": APPROVAL[name][1]}
        for name, one in record.levels().items()
    ]
    return {
        "chosen_by": release.chosen_by,
        "chosen_words": how[release.chosen_by],
        "advised": release.generator in advice.get("rungs", [])
        or order.index(level["id"]) <= order.index(asked),
        "way": advice.get("way", []),
        "access": advice.get("access") or f"{APPROVAL[level['id']][1]} (the course's advice for this level)",
        "guide_checks": list(dict.fromkeys([*record.checks(level["id"]), *advice.get("checks", [])])),
        "advice_gaps": [
            f"From the decision guide, to be settled: {one.rstrip('.')}."
            for one in advice.get("gaps", [])
            if one not in advise.load()["verdicts"]["make"]["gaps"] and not one.startswith(MEASURED)
        ],
        "policy_levels": levels,
    }


def _plain_words(release: Release, made: dict) -> dict:
    """Sentences of the public summary. Its reading age is checked whenever it is written."""
    attacks = release.attacks
    leaks = sum(one["leak"] for one in attacks)
    ending = (
        "None of them did clearly better on the first kind. That does not prove that it is safe."
        if not leaks
        else f"In {leaks} of them, people whose data went in were found more often. So the table gives "
        "something away."
    )
    tested = (
        "A program may keep too much, so we tried to find people in it. We did it for people whose data went "
        f"in, and for some whose data did not. We did {len(attacks)} tests. {ending}"
    )
    far = any(one["low"] > one["chance"] for one in made.get("by group") or [])
    return {
        "plain_purpose": PURPOSES.get(release.answers["purpose"], "use them"),
        "plain_method": METHODS[release.level["id"]],
        "plain_attacks": tested if attacks else "No one's data went in.",
        "plain_control": "We kept half of the real rows apart, so that we could test what was made."
        if attacks
        else "It read no real row.",
        "plain_groups": "It fits some groups of people less well than others."
        if far
        else "It may fit some groups of people less well than others.",
        "plain_what": "It is made-up data in tables that go together. A computer made them."
        if release.linked
        else "It is a table of made-up data. A computer made it.",
        "label": LABEL[1],
    }
