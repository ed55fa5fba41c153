"""The release pack: every paper says what it must, gaps stay gaps, and ready is said only when it is so."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import io
import json
import re
import shutil
from difflib import SequenceMatcher
from html import unescape
from itertools import combinations, pairwise, product
from pathlib import Path

import messy
import pandas as pd
import pytest
from test_site import Visit, accessibility_faults, listen

from course import data
from course.assess import __main__ as assess
from course.assess import advise, answers, figures, ladder, linked
from course.assess.propose import propose
from course.assess.read import read
from course.data import DataError
from course.release import __main__ as command
from course.release import croissant, facts, gaps, measures, pack, papers, reading, record, word

ALL = [*papers.PAPERS, "index"]
every_paper = pytest.mark.parametrize("name", papers.PAPERS)
COLUMNS = ["household_id", "region", "household_type", "tenure", "reference_age", "weekly_income", "arrears"]
RUNGS = ("valid", "ipf", "cart")


@pytest.fixture(scope="session")
def brought(tmp_path_factory):
    """1,200 households as a stranger would bring them, read and decided upon: reading, answers, folder."""
    base = tmp_path_factory.mktemp("brought")
    path = base / "homes of 2025.csv"
    table = data.load("claims").training["households"][COLUMNS].head(1200)
    path.write_bytes(messy.csv(table.assign(tenure="=" + table["tenure"])))
    reading_of, folder = read(path), base / "run"
    proposal = propose(reading_of.table, path.stem)
    answers.write(folder, reading_of, proposal)
    given = json.loads((folder / answers.NAME).read_text(encoding="utf-8"))
    given |= {"purpose": answers.PURPOSES[2], "audience": answers.AUDIENCES[1]}
    (folder / answers.NAME).write_text(json.dumps(given), encoding="utf-8")
    return reading_of, answers.check(folder, reading_of, proposal), folder


def climb(brought, folder: Path) -> list[str]:
    """Climb three rungs in a folder. Returns what was said."""
    said = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ladder, "GENERATORS", RUNGS)
        ladder.climb(*brought[:2], folder, lambda *words, **_: said.append(words[0]), {"title": "As advised"})
    return said


@pytest.fixture(scope="session")
def climbed(brought):
    """A folder as `course assess` leaves it."""
    climb(brought, brought[2])
    return brought[2]


@pytest.fixture
def folder(climbed, tmp_path):
    """A copy of that folder, to change at will. The generator `ipf` was chosen, and a wide limit was set."""
    return shutil.copytree(climbed, tmp_path / "run") if decided(climbed) else None


def decided(where: Path, **more) -> dict:
    """Write a person's decisions into the record of a run."""
    run = json.loads((where / record.RUN).read_text(encoding="utf-8"))
    run["answers"] |= {"generator": "ipf", "limit": 0.9} | more
    run["limit written"] = "first"
    (where / record.RUN).write_text(json.dumps(run), encoding="utf-8")
    return run


def fill(folder: Path, answer: str = "We settled this on 3 March.") -> None:
    """Answer every question of a folder."""
    path = folder / gaps.NAME
    asked = json.loads(path.read_text(encoding="utf-8"))
    asked["answers"] = {question: text or answer for question, text in asked["answers"].items()}
    path.write_text(json.dumps(asked), encoding="utf-8")


@pytest.fixture(scope="session")
def made(climbed, tmp_path_factory):
    """A whole pack with open gaps and failing measures, written once: the tests below only read it."""
    where = shutil.copytree(climbed, tmp_path_factory.mktemp("made") / "run")
    decided(where, generator="cart", limit=0.05)
    return pack.write(where), where / pack.FOLDER


# What each paper must hold ---------------------------------------------------------------------------------

REQUIRED = {
    "licence": (
        "The provider", "The user", "The data set", "version", "not real data", "What you may do",
        "What you must not do", "Do not look for real people", "to link the data", "Section 171",
        "decide anything about people", "publish findings", "Do not pass the data on",
        "Do not take the label off", "Security", "cite", "Report at once, and within",
        "suspected real person|seems to be a real person", "a loss, a theft", "No warranty",
        "intellectual property", "audit", "licence ends", "delete", "refuse you", "withdraw",
        "A lawyer must read this",
    ),
    "policy": (
        "Scope", "Definitions and levels", "Information asset owner", "Senior information risk owner",
        "Data protection officer", "Caldicott Guardian", "Disclosure control lead", "Approved by at least",
        "Methods that are allowed", "Quality assurance", "Access", "Use of artificial intelligence",
        "Public involvement", "Incidents", "Looked at again", "A lawyer", "to be checked",
    ),
    "checklist": (
        "Labelling", "Disclosure", "Structure", "Documentation", "Rights", "DPIA",
        "Disclosure control of the inputs", "rare values", "Membership, exact match",
        "Nearest record share", "Singling out", "Linkability", "inferences", "beside control and baseline",
        "Figures by group", "named approver", "licence", "A plan to take it back",
    ),
    "data-card": (
        "Name", "Version", "DOI", "Contact", "Source", "Period and coverage", "Level", "What it keeps",
        "Method", "Program", "Seed", "Software", "epsilon and no delta", "Dictionary", "Origin",
        "synthesised", "Blank", "What it is good for", "For whom it is wrong", "Privacy tests", "interval",
        "Known faults", "Fit for", "Not for",
    ),
    "model-card": (
        "Specification", "Intended use", "Out of scope", "Data", "Method", "Evaluation", "Ethics",
        "Caveats", "Release decision", "Attack results",
    ),
    "risk-assessment": (
        "The data", "The environment", "The recipient", "motivated intruder", "singling out",
        "linkability", "inferences", "Real breach", "Apparent breach", "Harm, and to whom",
        "held against the same attack", "risk that is left", "Owner of that risk", "Looked at again",
        "Section 171",
    ),
    "summary": (
        "What is it", "Why was it made", "Who gains", "How was it made", "Whose data", "Could it be me",
        "What can go wrong", "Who decided", "How can I ask, or say no",
    ),
    "transparency-record": (
        "Tier 1", "Tier 2", "of our own accord", "not an official ATRS record", "Owner and responsibility",
        "Description and rationale", "Decisions and people", "Tool specification", "Data",
        "Risks, mitigations and impact assessments",
    ),
    "impact-assessment": (
        "Is one needed", "What is done, and why", "Lawful basis", "necessary, and in proportion",
        "Risks to people", "Measures against them", "Sign-off", "data protection officer's advice",
        "to be checked",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "wanted"), [(name, wanted) for name, all_of in REQUIRED.items() for wanted in all_of]
)
def test_paper_holds_what_it_must(made, name, wanted):
    text = next(paper for paper in made[0].papers if paper.name == name).markdown
    assert re.search(wanted, text), f"{name} lacks: {wanted}"


def test_every_template_is_a_paper_with_required_contents():
    assert sorted(REQUIRED) == sorted(papers.PAPERS)
    assert sorted(path.stem for path in papers.TEMPLATES.glob("*.md")) == sorted(ALL)


@pytest.mark.parametrize("name", ALL)
def test_template_promises_nothing_and_is_plain(name):
    text = (papers.TEMPLATES / f"{name}.md").read_text(encoding="utf-8")
    assert not re.search(
        r"no risk|zero risk|risk-free|completely safe|fully anonymous|\bfake\b|—", text.lower()
    )


def test_no_question_is_asked_twice_in_other_words(made):
    """One question, one wording: or a person would answer it twice."""
    for one, other in combinations(made[0].answers, 2):
        if not one.startswith(("Which law", "Who is the", "On which day will the")):
            assert SequenceMatcher(None, one, other).ratio() < 0.85, (one, other)


def test_questions_that_the_program_reads_are_asked(made):
    for question in (
        facts.NAME,
        croissant.VERSION,
        croissant.CONTACT,
        croissant.PROVIDER,
        croissant.PLACE,
    ):
        assert question in made[0].answers


# Figures ---------------------------------------------------------------------------------------------------


def test_record_holds_what_a_release_needs(climbed):
    run = json.loads((climbed / record.RUN).read_text(encoding="utf-8"))
    assert run["source"]["rows"] == 1200 and len(run["source"]["sha256"]) == 64
    assert run["parts"] == {
        "people": 1200,
        "people in each part": 600,
        "sampled": False,
        "training rows": 600,
        "control rows": 600,
    }
    assert run["versions"]["pandas"]["licence"] and "household_id" in run["left out"]
    for rung in run["generators"].values():
        assert rung["sha256"] == hashlib.sha256((climbed / rung["file"]).read_bytes()).hexdigest()
        assert {one["indicator"] for one in rung["attacks"]} == facts.KINDS
        for one in rung["attacks"]:
            assert {"control", "baseline", "low", "high", "people", "worst placed"} <= set(one)
        assert all(one["chance"] > 0 and one["people"] >= figures.SMALLEST for one in rung["by group"])
    assert {path.name for path in climbed.iterdir()} == {answers.NAME, record.RUN, "synthetic"}


def test_the_ladder_goes_on_from_its_record(brought, climbed, tmp_path):
    """What stands is not made again; a file that was changed, or a rung that is missing, is."""
    folder = shutil.copytree(climbed, tmp_path / "run")
    before = json.loads((folder / record.RUN).read_text(encoding="utf-8"))
    assert before["advice"] == {"title": "As advised"}
    (folder / "synthetic" / "valid.csv").write_text("changed", encoding="utf-8")
    assert climb(brought, folder).count("stands already.") == 2
    after = json.loads((folder / record.RUN).read_text(encoding="utf-8"))
    for run in (before, after):
        run.pop("seconds"), run["generators"]["valid"].pop("seconds")
    assert after == before
    (folder / record.RUN).write_text("{", encoding="utf-8")
    assert climb(brought, folder).count("stands already.") == 0


def test_copies_and_look_alikes_are_counted_by_hand():
    schema = data.Schema("t", tuple({"name": c, "type": "string", "role": "other"} for c in "abc"))
    people = pd.DataFrame(
        [["x", "1", "p"], ["y", "2", "q"], ["y", "2", "q"], ["z", None, "r"]], columns=list("abc")
    )
    others = pd.DataFrame(
        [["w", "1", "p"], ["x", "9", "p"], ["v", "2", "q"], ["u", "3", "r"]], columns=list("abc")
    )
    rows = pd.DataFrame(
        [["x", "1", "p"], ["x", "1", "p"], ["y", "2", "q"], ["z", None, "s"]], columns=list("abc")
    )
    found = figures.copies(rows, people, others, schema)
    assert found["training"] == {"rows": 2, "people": 1} and found["control"] == {"rows": 0, "people": 0}
    looks = figures.look_alikes(rows, [people, others], ["a", "b"], ["c"])
    assert looks["training"] == {"alone": 2, "seen": 2, "right": 1}
    assert looks["control"] == {"alone": 4, "seen": 0, "right": 0}


def test_look_alikes_by_group_find_the_group_that_was_copied():
    """Half of the people are copied whole, all of one group: the attack is right about them and no others."""
    people = pd.DataFrame({"key": map(str, range(100)), "sex": ["F", "M"] * 50, "secret": list("abcde") * 20})
    others = people.assign(key=[f"{key}x" for key in people["key"]])
    found = figures.look_alikes_by_group(
        people[people["sex"] == "F"], [people, others], ["key"], ["secret"], ["sex"]
    )
    assert [(one["group"], one["training"], one["control"]) for one in found] == [
        ("F", 1.0, 0.0),
        ("M", 0.0, 0.0),
    ]
    assert found[0]["alone"] == [50, 50]
    assert figures.look_alikes_by_group(people, [people.head(30), others], ["key"], ["secret"], ["sex"]) == []


def test_more_than_luck_is_a_binomial_test():
    assert not measures._more_than_luck(4, 1) and measures._more_than_luck(9, 1)
    assert not measures._more_than_luck(310, 290) and measures._more_than_luck(360, 240)


def test_the_figures_of_the_run_stand_in_the_papers(made):
    card = next(paper for paper in made[0].papers if paper.name == "data-card").markdown.replace("\\", "")
    for one in made[0].release.made["attacks"]:
        assert measures.interval(one) in card and one["attack"].replace("\\", "") in card


def test_published_papers_keep_small_numbers_and_source_values_inside(made):
    """What reads the file may hold real values, and counts of few people point at them."""
    for paper in made[0].papers:
        if paper.readers == papers.PUBLIC:
            text = paper.markdown.replace("\\", "")
            assert made[0].release.run["source"]["sha256"] not in text
            assert not any(one in text for one in made[0].release.run["source"]["decisions"])
            assert "alone with" not in text
    rows = facts._groups(made[0].release.made)["group_rows"]
    assert rows and all(re.fullmatch(r"about [\d,]*[05]", row["people"]) for row in rows)


# Ready or not ----------------------------------------------------------------------------------------------


def test_ready_is_reached_by_filling_every_gap(folder):
    first = pack.write(folder)
    assert not first.ready and first.failing == [] and len(first.gaps) > 40
    fill(folder)
    second = pack.write(folder)
    assert second.ready and second.status.startswith("READY: ")
    page = (folder / pack.FOLDER / "index.html").read_text(encoding="utf-8")
    assert first_line(page).startswith("READY: ") and papers.GAP not in page
    assert "We settled this on 3 March." in (folder / pack.FOLDER / "licence.html").read_text(
        encoding="utf-8"
    )


def test_one_open_gap_is_enough(folder):
    pack.write(folder)
    fill(folder)
    path = folder / gaps.NAME
    asked = json.loads(path.read_text(encoding="utf-8"))
    asked["answers"][croissant.VERSION] = " tbc "
    path.write_text(json.dumps(asked), encoding="utf-8")
    assert pack.write(folder).status == "NOT READY: 1 gap to fill, 0 measures fail"


def test_another_table_is_approved_anew(folder):
    """Answers may be carried on. An approval holds for one file."""
    pack.write(folder)
    fill(folder)
    assert pack.write(folder).ready
    decided(folder, generator="valid")
    found = pack.write(folder)
    fingerprint = found.release.made["sha256"][:8]
    assert [question for question in found.gaps if "approved" in question] == [
        f"Who approved the release of the table {fingerprint}, in which role, and on which day?"
    ]
    assert not found.ready


@pytest.mark.parametrize("later", ["", "  ", "TBC", "todo", "to be confirmed", "?", "...", "xxx", "n/a", "-"])
def test_a_word_that_means_later_fills_no_gap(later):
    assert not gaps.filled(later)


@pytest.mark.parametrize("answer", ["None: it is not published.", "Not applicable, as nobody is named.", "7"])
def test_an_answer_fills_a_gap(answer):
    assert gaps.filled(answer)


def failing(folder: Path) -> list[str]:
    """What fails once every question is answered."""
    pack.write(folder)
    fill(folder)
    found = pack.write(folder)
    assert found.ready == (found.failing == [])
    return [one.name for one in found.failing]


def test_a_table_that_leaks_is_never_ready(folder):
    decided(folder, generator="cart")
    names = failing(folder)
    assert "Singling out" in names and "Copies of one real person" in names and len(names) > 5


@pytest.mark.parametrize(
    ("changes", "more", "fails"),
    [
        ({"limit": None}, {}, ["A limit that was set before looking"]),
        ({}, {"limit written": "afterwards"}, ["A limit that was set before looking"]),
        ({"purpose": "decide something"}, {}, ["A purpose that synthetic data can serve"]),
        ({}, {"advice": {"verdict": "refuse", "title": "Do not"}}, ["The answer of the decision guide"]),
        ({}, {"advice": {"verdict": "not-yet", "result": "test-model-first"}}, []),
        ({"generator": "valid", "limit": None}, {}, []),
    ],
)
def test_decisions_fail_or_pass(folder, changes, more, fails):
    run = decided(folder, **changes) | more
    (folder / record.RUN).write_text(json.dumps(run), encoding="utf-8")
    assert failing(folder) == fails


def test_an_upper_end_over_the_limit_fails_and_says_so(folder):
    decided(folder, limit=0.001)
    found = [one for one in pack.write(folder).failing if "not ruled out" in one.words]
    assert found and all("limit of 0.1%" in one.words for one in found)


def changed(folder: Path, **figures_of_ipf) -> None:
    run = json.loads((folder / record.RUN).read_text(encoding="utf-8"))
    run["generators"]["ipf"] |= figures_of_ipf
    (folder / record.RUN).write_text(json.dumps(run), encoding="utf-8")


@pytest.mark.parametrize(
    ("figure", "fails"),
    [
        ({"by group": []}, "Figures by group of people"),
        ({"copies": None}, "Copies of one real person"),
        (
            {
                "copies": {
                    "columns": 6,
                    "training": {"rows": 1, "people": 1},
                    "control": {"rows": 0, "people": 0},
                }
            },
            "Copies of one real person",
        ),
    ],
)
def test_missing_groups_and_a_single_copy_fail(folder, figure, fails):
    changed(folder, **figure)
    assert failing(folder) == [fails]


def test_a_file_without_its_label_or_changed_or_missing_fails(folder):
    path = folder / "synthetic" / "ipf.csv"
    table = pd.read_csv(path, dtype=str)
    table.iloc[3, 0] = ""
    table.to_csv(path, index=False)
    assert failing(folder) == ["The file that was measured", "A label in every row"]
    changed(folder, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert failing(folder) == ["A label in every row"]
    table.drop(columns=table.columns[2]).to_csv(path, index=False)
    assert "Names and order of the columns" in failing(folder)
    path.unlink()
    assert {"The file that was measured", "A label in the metadata"} <= set(failing(folder))


def test_the_limit_counts_only_if_no_result_was_there():
    seen = {"generators": {"cart": {"attacks": [1]}}, "answers": {"limit": 0.1}, "limit written": "first"}
    assert ladder._limit_written({}, None) is None
    assert ladder._limit_written({}, 0.1) == "first"
    assert ladder._limit_written({"generators": {"cart": {"why": "it broke"}}}, 0.1) == "first"
    assert ladder._limit_written(seen, 0.1) == "first"
    assert ladder._limit_written(seen, 0.2) == "afterwards"
    assert (
        ladder._limit_written(seen | {"answers": {"limit": None}, "limit written": None}, 0.1) == "afterwards"
    )
    assert ladder._limit_written(seen | {"limit written": "afterwards"}, 0.1) == "afterwards"


def test_what_the_run_leaves_open_becomes_a_question(folder):
    run = decided(folder, generator=None)
    assert pack.prepare(run, {}, folder).release.generator == "valid"
    asked = pack.prepare(run, {}, folder).answers
    assert any(question.startswith("Nobody has chosen the table") for question in asked)
    run["advice"] = {
        "verdict": "make",
        "level": "columns",
        "rungs": ["ipf"],
        "gaps": ["Whether a row is a person"],
    }
    found = pack.prepare(run, {}, folder)
    assert found.release.chosen_by == "the guide" and found.release.generator == "ipf"
    assert "From the decision guide, to be settled: Whether a row is a person." in found.answers
    run["answers"]["generator"] = "cart"
    asked = pack.prepare(run, {}, folder).answers
    assert any(question.startswith("The guide advises another generator") for question in asked)
    one = run["generators"]["cart"]["attacks"][0]
    one |= {"leak": False, "low": 0.01}
    run["generators"]["cart"]["not tried"] = {"Linkability": "There is one key."}
    asked = pack.prepare(run, {}, folder).answers
    assert any(f"lies above zero: {one['attack']}" in question for question in asked)
    assert any("was not made: Linkability" in question for question in asked)


# Gaps and files --------------------------------------------------------------------------------------------


def test_answers_are_never_lost(folder):
    (folder / gaps.NAME).write_text(
        json.dumps({"about": "mine", "answers": {"An old question?": "Kept.", croissant.VERSION: "2.0.0"}}),
        encoding="utf-8",
    )
    pack.write(folder)
    stored = json.loads((folder / gaps.NAME).read_text(encoding="utf-8"))["answers"]
    assert stored["An old question?"] == "Kept." and stored[croissant.VERSION] == "2.0.0" and len(stored) > 40
    before = (folder / gaps.NAME).read_bytes()
    pack.write(folder)
    assert (folder / gaps.NAME).read_bytes() == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"answers": {"a": "b" "c"}}', "is not whole: look at line 1"),
        (b'["a"]', 'lacks its part "answers"'),
        (b'{"answers": {"Who?": 3}}', "is no text"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_bad_gaps_get_one_sentence_and_are_left(folder, content, words, capsys):
    (folder / gaps.NAME).write_bytes(content)
    assert command.main([str(folder)]) == 1
    said = capsys.readouterr().out.strip()
    assert words in said and "\n" not in said
    assert (folder / gaps.NAME).read_bytes() == content and not (folder / pack.FOLDER).exists()


def broken(**parts):
    return lambda run: {**run, **parts}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda run: [run], "holds no record"),
        (broken(answers={}), 'lacks its part "answers"'),
        (broken(generators={"cart": {"why": "no"}}), "no generator with results"),
        (lambda run: {**run, "answers": {**run["answers"], "keys": []}}, 'lacks "keys"'),
        (lambda run: {**run, "answers": {**run["answers"], "generator": "magic"}}, "has no results"),
    ],
)
def test_a_bad_record_gets_one_sentence(folder, change, words):
    run = json.loads((folder / record.RUN).read_text(encoding="utf-8"))
    (folder / record.RUN).write_text(json.dumps(change(run)), encoding="utf-8")
    with pytest.raises(DataError, match=words) as refused:
        pack.write(folder)
    assert "\n" not in str(refused.value)


def test_no_record_and_no_json_get_one_sentence(folder):
    with pytest.raises(DataError, match="First run: python3 -m course assess"):
        pack.write(folder.parent)
    (folder / record.RUN).write_text('{"a": ', encoding="utf-8")
    with pytest.raises(DataError, match=r"cannot be read \(line 1\)"):
        pack.write(folder)


def test_a_file_that_somebody_changed_is_not_written_over(folder):
    pack.write(folder)
    paper = folder / pack.FOLDER / "licence.docx"
    paper.write_bytes(paper.read_bytes() + b"mine")
    with pytest.raises(DataError, match=r"licence.docx was changed by somebody"):
        pack.write(folder)
    assert paper.read_bytes().endswith(b"mine")
    paper.unlink()
    (folder / pack.FOLDER / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match=r"notes.txt was not written by this command"):
        pack.write(folder)
    (folder / pack.FOLDER / "notes.txt").unlink()
    pack.write(folder)
    assert paper.exists()


def test_a_folder_called_pack_that_is_somebodys_own_is_left(folder):
    (folder / pack.FOLDER).mkdir()
    (folder / pack.FOLDER / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match="is not a pack of this command"):
        pack.write(folder)


@pytest.mark.parametrize("at", ["write_bytes", "rename"])
def test_a_stop_leaves_the_old_pack_or_the_new(folder, monkeypatch, at):
    pack.write(folder)
    before = {path.name for path in (folder / pack.FOLDER).iterdir()}
    whole, calls = getattr(Path, at), []

    def stops(self, *given):
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(self, *given)

    monkeypatch.setattr(Path, at, stops)
    with pytest.raises(KeyboardInterrupt):
        pack.write(folder)
    monkeypatch.undo()
    pack.write(folder)
    assert {path.name for path in (folder / pack.FOLDER).iterdir()} == before
    assert not list(folder.glob("pack.*"))


# Pages -----------------------------------------------------------------------------------------------------


def body(page: str) -> str:
    return page.partition("<main")[2].partition(">")[2].partition("</main>")[0]


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def first_line(page: str) -> str:
    return unescape(re.search(r"\s*<p[^>]*>(.*?)</p>", body(page))[1])


@pytest.mark.parametrize("name", ALL)
def test_page_begins_with_the_status_and_has_headings_in_order(made, name):
    page = (made[1] / f"{name}.html").read_text(encoding="utf-8")
    assert first_line(page) == made[0].status and made[0].status.startswith("NOT READY: ")
    assert '<html lang="en-GB">' in page and re.search(r"<title>NOT READY: \S.*</title>", page)
    levels = [int(level) for level in re.findall(r"<h(\d)", body(page))]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for table in re.findall(r"<table>.*?</table>", page, flags=re.S):
        assert len(words_of(re.search(r"<caption>(.*?)</caption>", table)[1])) > 5
        assert set(re.findall(r"<th\b([^>]*)>", table)) == {' scope="col"', ' scope="row"'}
    assert page.count("<table>") == page.count('tabindex="0"') == page.count("</table>")


@pytest.mark.parametrize("name", ALL)
def test_gaps_are_marked_in_words(made, name):
    page = (made[1] / f"{name}.html").read_text(encoding="utf-8")
    if name == "index":
        assert all(question in words_of(page) for question in made[0].gaps)
        return
    paper = next(paper for paper in made[0].papers if paper.name == name)
    assert paper.gaps and all(f"{papers.GAP} {question}" in words_of(page) for question in paper.gaps)
    assert page.count('<strong class="gap">') == page.count(f">{papers.GAP}")


def test_index_lists_failing_measures_and_its_links_hold(made):
    page = (made[1] / "index.html").read_text(encoding="utf-8")
    assert all(f"FAILS: {one.name}." in words_of(page) for one in made[0].failing)
    links = re.findall(r'href="([^"#]+)"', page)
    assert links and all((made[1] / link).is_file() for link in links)
    assert {path.name for path in made[1].iterdir()} == {*links, "index.html"}


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ALL)
def test_page_meets_wcag_and_asks_nobody(browser, made, name, width, scheme):
    seen = Visit()
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab = context.new_page()
    listen(tab, seen)
    address = (made[1] / f"{name}.html").as_uri()
    tab.goto(address, wait_until="load")
    assert accessibility_faults(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert (seen.requests, seen.errors) == ([address], [])
    context.close()


def test_page_is_used_by_keyboard_and_printed(browser, made):
    tab = browser.new_page(viewport={"width": 320, "height": 900}, color_scheme="dark")
    tab.goto((made[1] / "data-card.html").as_uri())
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"
    tab.keyboard.press("Tab")
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.emulate_media(media="print")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    tab.close()


def test_summary_fits_on_a_page(browser, folder):
    pack.write(folder)
    fill(folder)
    pack.write(folder)
    tab = browser.new_page()
    tab.goto((folder / pack.FOLDER / "summary.html").as_uri())
    assert len(re.findall(rb"/Type /Page\b", tab.pdf(format="A4"))) == 1
    tab.close()


# Word files ------------------------------------------------------------------------------------------------


@every_paper
def test_word_file_says_the_same_in_real_headings_and_tables(made, name):
    import docx
    from docx.oxml.ns import qn

    opened = docx.Document(made[1] / f"{name}.docx")
    page = body((made[1] / f"{name}.html").read_text(encoding="utf-8"))
    assert opened.paragraphs[0].text == made[0].status
    assert opened.core_properties.title.startswith("NOT READY: ")
    assert opened.core_properties.language == "en-GB"
    wide = any(len(table.columns) > word.MOST_UPRIGHT for table in opened.tables)
    sides = [round(side.mm) for side in (opened.sections[0].page_width, opened.sections[0].page_height)]
    assert sides == ([297, 210] if wide else [210, 297])
    spoken = opened.styles.element.find(f".//{qn('w:rPrDefault')}//{qn('w:lang')}")
    assert spoken.get(qn("w:val")) == "en-GB"
    headings = [one for one in opened.paragraphs if one.style.name.startswith("Heading")]
    levels = [(int(level), words_of(text)) for level, text in re.findall(r"<h(\d)>(.*?)</h\d>", page)]
    assert [(int(one.style.name[-1]), one.text) for one in headings] == levels
    tables = re.findall(r"<table>(.*?)</table>", page, flags=re.S)
    assert len(opened.tables) == len(tables)
    captions = [one.text for one in opened.paragraphs if one.style.name == "Caption"]
    assert captions == [words_of(re.search(r"<caption>(.*?)</caption>", one)[1]) for one in tables]
    for table, html in zip(opened.tables, tables, strict=True):
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        cells = [cell.text for row in table.rows for cell in row.cells]
        assert cells == [
            words_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", html, flags=re.S)
        ]
    gaps_in = sum(run.text.startswith(papers.GAP) for run in runs(opened))
    assert gaps_in == page.count('<strong class="gap">')
    assert all(run.bold for run in runs(opened) if run.text.startswith(papers.GAP))


def runs(opened):
    paragraphs = [*opened.paragraphs]
    paragraphs += [p for t in opened.tables for row in t.rows for cell in row.cells for p in cell.paragraphs]
    return [run for paragraph in paragraphs for run in paragraph.runs]


# Words -----------------------------------------------------------------------------------------------------


HOSTILE = (
    '<script>alert(1)</script> | # head [x](javascript:alert(1)) **b** `c` &amp; "q" \\ {{ 7 * 7 }}\n## no'
)


def test_what_people_and_files_say_is_shown_and_never_run(folder):
    run = decided(folder)
    text = json.dumps(run).replace('"tenure"', json.dumps(HOSTILE)).replace("tenure,", "x,")
    run = json.loads(text)
    found = pack.prepare(run, {}, None)
    found = pack.prepare(run, dict.fromkeys(found.answers, HOSTILE), None)
    shown = " ".join(HOSTILE.split())
    for paper in [*found.papers, found.index]:
        page = paper.html(found.status)
        assert "<script" not in body(page) and "javascript:" not in re.sub(r">[^<]*<", "><", body(page))
        assert body(page).count("<h1") == 1
    assert shown in words_of(body(found.papers[0].html(found.status)))
    opened = word.document(found.papers[0], found.status)
    assert opened[:2] == b"PK"


@pytest.mark.parametrize(
    ("purpose", "generator", "leaks"),
    list(product(answers.PURPOSES, ["valid", "marginal", "ipf", "cart"], [True, False])),
)
def test_public_summary_is_easy_in_every_wording(climbed, purpose, generator, leaks):
    run = json.loads((climbed / record.RUN).read_text(encoding="utf-8"))
    run["answers"] |= {"purpose": purpose, "generator": generator}
    run["generators"].setdefault(generator, copy.deepcopy(run["generators"]["ipf"]))
    for one in run["generators"][generator]["attacks"]:
        one["leak"] = leaks
    release = record.choose(record.checked(run))
    easy = pack._easy(release, measures.measures(release))
    assert easy.passed, easy.words


def test_a_summary_that_is_hard_to_read_fails(folder, monkeypatch):
    hard = dict.fromkeys(
        facts.METHODS, "Administrative organisations operationalise statistical confidentiality. " * 40
    )
    monkeypatch.setattr(facts, "METHODS", hard)
    found = pack.prepare(decided(folder), {}, folder)
    assert [one.name for one in found.failing] == ["A public summary that is easy to read"]
    assert reading.grade(hard["together"]) > reading.HARDEST


# The table and its metadata --------------------------------------------------------------------------------


def test_label_survives_what_people_do_with_a_file(made, tmp_path):
    """A spreadsheet, a filter, a cut, two files in one, Parquet: every row still says that it is made up."""
    import openpyxl

    path = made[1] / made[0].files[0]
    assert path.name.startswith("SYNTHETIC-")
    table = pd.read_csv(path)
    book = openpyxl.Workbook()
    for row in [list(table), *table.astype(object).where(table.notna(), None).to_numpy().tolist()]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    table.to_parquet(tmp_path / "a.parquet")
    some = table[table["region"] == table["region"].iloc[0]].sample(frac=0.5, random_state=1)
    for kept in (
        pd.read_excel(tmp_path / "a.xlsx"),
        pd.read_csv(io.StringIO(pd.read_excel(tmp_path / "a.xlsx").to_csv(index=False))),
        pd.read_parquet(tmp_path / "a.parquet"),
        some,
        table.sort_values("weekly_income").head(3),
        pd.concat([table, some]),
    ):
        assert len(kept) and kept[ladder.LABEL[0]].eq(ladder.LABEL[1]).all()


def test_released_file_is_the_one_that_was_measured(made):
    content = (made[1] / made[0].files[0]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == made[0].release.made["sha256"]
    assert measures.labelled(content) == (600, 0)


def test_the_validator_accepts_the_metadata_and_reads_the_table(made):
    import mlcroissant

    described = mlcroissant.Dataset(jsonld=str(made[1] / "croissant.json"))
    assert described.metadata.ctx.issues.errors == set()
    assert described.metadata.description.startswith(ladder.LABEL[1])
    rows = list(described.records("rows"))
    table = pd.read_csv(made[1] / made[0].files[0])
    assert len(rows) == len(table) and len(rows[0]) == table.shape[1]
    names = [field.name for field in described.metadata.record_sets[0].fields]
    assert names == list(table)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda d: d["recordSet"][0]["field"][1]["source"].update(fileObject={"@id": "nothing"}),
        lambda d: d["recordSet"][0]["field"][1].pop("dataType"),
        lambda d: d["distribution"][0].pop("contentUrl"),
        lambda d: d["distribution"][0].pop("sha256"),
    ],
)
def test_the_validator_refuses_broken_metadata(made, break_it):
    described = json.loads((made[1] / "croissant.json").read_text(encoding="utf-8"))
    assert croissant.refused(described) is None
    break_it(described)
    assert croissant.refused(described)


def test_a_pack_is_made_without_a_network(folder, monkeypatch):
    import socket

    def refuse(*_, **__):
        raise OSError("A pack asked the network for something.")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert pack.write(folder).failing == []


def test_metadata_that_are_refused_fail(folder, monkeypatch):
    monkeypatch.setattr(croissant, "refused", lambda _: "it has no name")
    found = pack.prepare(decided(folder), {}, folder)
    assert [one.words for one in found.failing] == ["It is refused: it has no name"]


def test_metadata_take_what_people_wrote(folder):
    said = {
        croissant.VERSION: "Version 1.2.3",
        croissant.PROVIDER: "Example Council",
        croissant.CONTACT: "Data team, data@example.org.",
        croissant.PLACE: "https://example.org/data.",
    }
    found = pack.prepare(decided(folder), said, folder).metadata
    assert found["version"] == "1.2.3" and found["url"] == "https://example.org/data"
    assert found["creator"]["email"] == "data@example.org"


# Linked tables ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def patients(tmp_path_factory):
    """300 patients and their episodes, one of nobody's among them, brought to the command: its folder."""
    base, all_of = tmp_path_factory.mktemp("patients"), data.load("admissions").training
    people = all_of["patients"][["patient_id", "sex", "birth_year", "imd_decile"]].head(300)
    theirs = all_of["episodes"]["patient_id"].isin(people["patient_id"])
    episodes = all_of["episodes"].loc[theirs, ["epikey", "patient_id", "admimeth", "speldur"]]
    episodes.iloc[0, 1] = "PT9999999"
    (base / "patients.csv").write_bytes(messy.csv(people))
    (base / "episodes.csv").write_bytes(messy.csv(episodes))
    there = ["patients.csv", "--linked", "episodes.csv", "--in", str(base), "--into", "run"]
    assert assess.main(there) == 0
    path = base / "run" / answers.NAME
    given = json.loads(path.read_text(encoding="utf-8"))
    given |= {"purpose": answers.PURPOSES[3], "audience": answers.AUDIENCES[2], "limit": 0.9}
    path.write_text(json.dumps(given), encoding="utf-8")
    assert assess.main(there) == 0
    return base / "run"


@pytest.fixture
def harmless(patients, tmp_path):
    """A copy of that folder, in whose record no attack found anything: nothing fails by what was attacked."""
    folder = shutil.copytree(patients, tmp_path / "run")
    shutil.rmtree(folder / pack.FOLDER)
    linked_run(folder, lambda made: [one.update(leak=False, low=-0.1, high=0.1) for one in made["attacks"]])
    linked_run(folder, lambda made: made["copies"]["training"].update(people=0))
    return folder


def linked_run(folder: Path, change) -> None:
    """Change what the record of a folder says about the linked tables that are to be released."""
    run = record.read(folder)
    change(run["generators"]["parent-child-25"])
    (folder / record.RUN).write_text(json.dumps(run), encoding="utf-8")


def test_a_run_with_linked_tables_ends_with_a_pack(patients):
    """Each file labelled and as it was measured, and every paper as sound as those of one table."""
    found, place = pack.prepare(record.read(patients), {}, patients), patients / pack.FOLDER
    assert found.files == ["SYNTHETIC-people.csv", "SYNTHETIC-episodes.csv"]
    for file in found.release.files:
        content = (place / file.released).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.made["sha256"]
        assert measures.labelled(content) == (file.made["rows"], 0)
    for name in ALL:
        test_page_begins_with_the_status_and_has_headings_in_order((found, place), name)
        test_gaps_are_marked_in_words((found, place), name)
    for name in papers.PAPERS:
        test_word_file_says_the_same_in_real_headings_and_tables((found, place), name)
    test_index_lists_failing_measures_and_its_links_hold((found, place))
    test_published_papers_keep_small_numbers_and_source_values_inside((found, place))
    test_summary_for_machines_agrees_with_the_papers((found, place))


def test_the_papers_say_what_linked_tables_are(patients):
    found = pack.prepare(record.read(patients), {}, patients)
    said = {paper.name: paper.markdown.replace("\\", "") for paper in found.papers}
    first, second = (file.made["sha256"][:8] for file in found.release.files)
    assert any(f"release of the tables {first}, {second}," in question for question in found.answers)
    rows = f"| episodes | SYNTHETIC-episodes.csv | {found.release.files[1].made['rows']} | patient_id, which"
    assert rows in said["data-card"] and "Dictionary of episodes" in said["data-card"]
    assert linked.NOT_MEASURED in said["data-card"] and linked.NOT_MEASURED in said["risk-assessment"]
    assert "The attacks saw one row for each person" in said["risk-assessment"]
    assert "Rows of nobody there, which were left out: 1." in said["risk-assessment"]
    assert found.release.run["linked"][0]["sha256"] in said["risk-assessment"]
    assert "every row of every table" in said["model-card"]
    assert found.release.level["id"] == "near-copy" and found.release.chosen_by == "the guide"
    assert {*linked.RUNGS, *ladder.GENERATORS} <= set(advise.KEEPS)
    assert "at least 25 real rows in each leaf" in said["model-card"]
    assert not any(re.search(r"[|:(] ?None\b|;[a-z]", text) for text in said.values())


def test_croissant_ties_linked_tables(patients):
    import mlcroissant

    described = mlcroissant.Dataset(jsonld=str(patients / pack.FOLDER / "croissant.json"))
    assert described.metadata.ctx.issues.errors == set()
    people, episodes = described.metadata.record_sets
    key = next(field for field in people.fields if field.name == "patient_id")
    ties = {field.name: field.references.field for field in episodes.fields if field.references.field}
    assert ties == {"patient_id": key.id}
    for records, file in zip((people, episodes), record.choose(record.read(patients)).files, strict=True):
        table = pd.read_csv(patients / pack.FOLDER / file.released)
        assert [field.name for field in records.fields] == list(table)
        assert len(list(described.records(records.id))) == len(table)
    broken_one = json.loads((patients / pack.FOLDER / "croissant.json").read_text(encoding="utf-8"))
    broken_one["recordSet"][1]["field"][1]["references"]["field"]["@id"] = "nothing"
    assert croissant.refused(broken_one)


def test_harmless_linked_tables_can_be_ready(harmless):
    assert failing(harmless) == []


MEASURED_FILES = ("The file that was measured", "A label in every row", "Keys that lead to a person")
LABELLED, KEYS = MEASURED_FILES[1:]


@pytest.mark.parametrize(
    ("name", "rows", "column", "value", "fails", "words"),
    [
        ("people", [3], 0, "", LABELLED, "SYNTHETIC-people.csv: 1 of {} rows do not say"),
        ("episodes", [3], 0, "", LABELLED, "SYNTHETIC-episodes.csv: 1 of {} rows do not say"),
        ("episodes", [5, 6], 1, "SYN999999", KEYS, "2 of {} rows of episodes lead to no row of people"),
        ("episodes", [5], 1, "", KEYS, "1 of {} rows of episodes lead to no row of people"),
        (
            "people",
            [1],
            1,
            "SYN000001",
            KEYS,
            "that stand in several rows of people: 1.",
        ),
    ],
)
def test_a_fault_planted_in_a_linked_file_fails(harmless, name, rows, column, value, fails, words):
    """It is found in the file itself. That the file changed fails too, until the record agrees with it."""
    path = harmless / "synthetic" / "parent-child-25" / f"{name}.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.iloc[rows, column] = value
    table.to_csv(path, index=False)
    assert failing(harmless) == [one for one in MEASURED_FILES if one in (MEASURED_FILES[0], fails)]
    digest, place = hashlib.sha256(path.read_bytes()).hexdigest(), ("people", "episodes").index(name)
    linked_run(harmless, lambda made: made["files"][place].update(sha256=digest))
    found = pack.write(harmless)
    assert [one.name for one in found.failing] == [fails] and not found.ready
    assert words.format(len(table)) in found.failing[0].words
    assert found.status.endswith(" 1 measure fails") and found.status.startswith("NOT READY: ")


def test_a_linked_file_that_is_missing_or_lacks_its_key_fails(harmless):
    path = harmless / "synthetic" / "parent-child-25" / "episodes.csv"
    table = pd.read_csv(path, dtype=str)
    table.drop(columns="patient_id").to_csv(path, index=False)
    assert {KEYS, "Names and order of the columns"} <= set(failing(harmless))
    path.unlink()
    found = pack.write(harmless)
    assert {"The file that was measured", LABELLED, KEYS} <= {one.name for one in found.failing}
    assert any("episodes.csv is missing" in one.words for one in found.failing)
    assert (harmless / pack.FOLDER / "SYNTHETIC-people.csv").exists()


def test_linked_tables_without_their_link_get_one_sentence(harmless):
    linked_run(harmless, lambda made: made["files"][1].pop("link"))
    with pytest.raises(DataError, match="does not say all about one of its files"):
        pack.write(harmless)


def test_files_of_one_name_are_both_released(harmless):
    linked_run(harmless, lambda made: made["files"][1].update(name="People"))
    released = [file.released for file in record.choose(record.read(harmless), harmless).files]
    assert released == ["SYNTHETIC-people.csv", "SYNTHETIC-People-2.csv"]


# For machines, and the command -----------------------------------------------------------------------------


def test_summary_for_machines_agrees_with_the_papers(made):
    path = made[1] / pack.SUMMARY
    said = json.loads(path.read_text(encoding="utf-8"))
    assert next(iter(said.items())) == ("status", made[0].status)
    assert said["gaps"] == made[0].gaps and len(said["failing"]) == len(made[0].failing)
    assert said["table"] == made[0].release.made
    for name, content in said["files"].items():
        assert hashlib.sha256((made[1] / name).read_bytes()).hexdigest() == content
    asked = {question for paper in said["papers"].values() for question in paper["asks"]}
    assert asked == set(said["answers"])
    many = len(said["gaps"]), len(said["failing"])
    assert said["status"] == "NOT READY: {} gaps to fill, {} measures fail".format(*many)


def test_a_pack_is_made_in_memory_from_a_dict(climbed):
    run = json.loads((climbed / record.RUN).read_text(encoding="utf-8"))
    for part in ("made", "seeds", "versions", "left out", "advice", "format", "limit written"):
        run.pop(part, None)
    run["source"] = {"name": "a table of the lab"}
    found = pack.prepare(run)
    assert not found.ready and found.release.files[0].content is None
    assert {"The file that was measured", "A label in every row"} <= {one.name for one in found.failing}
    assert found.papers[0].html(found.status) and word.document(found.papers[0], found.status)


def test_a_table_from_a_description_needs_no_attack(tmp_path):
    """No record was read: nothing is attacked, every paper says so, and the pack can be ready."""
    from course import generate

    schema = data.load("claims").schema("households").select(COLUMNS)
    roles = tuple({**one, "role": "other"} if one["name"] == "household_id" else one for one in schema.fields)
    purpose, audience = answers.PURPOSES[1], answers.AUDIENCES[0]
    given = answers.Answers(data.Schema("homes", roles), [], [], None, purpose, audience, 1)
    for name in ("structural", "valid"):
        table = generate.fit(name, None, given.schema).sample(50, 1)
        ladder.save(table, tmp_path / "synthetic" / f"{name}.csv")
    advice = {"rungs": ["valid"], "level": "structure"}
    ladder.write_described(given, tmp_path, ("structural", "valid"), advice)
    first = pack.write(tmp_path)
    assert first.release.generator == "valid" and first.failing == []
    fill(tmp_path)
    found = pack.write(tmp_path)
    assert found.ready
    wrong = r"were split at random|intruder knew|0 of the 0| rows, 0 columns|None\b"
    for paper in found.papers:
        assert not re.search(wrong, words_of(body(paper.html(found.status)))), paper.name
    assert sum("No record was read" in paper.markdown for paper in found.papers) >= 5
    run = record.read(tmp_path)
    run["generators"]["cart"] = run["generators"]["valid"]
    run["answers"]["generator"] = "cart"
    assert [one.name for one in pack.prepare(run, {}, tmp_path).failing] == ["No record was read"]


def test_the_command_says_the_status_first(folder, capsys):
    decided(folder, generator="cart", limit=None)
    assert command.main(["run", "--in", str(folder.parent)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"NOT READY: \d+ gaps to fill, \d+ measures fail", said[0])
    assert any(line.startswith("- FAILS: Singling out.") for line in said)
    assert str(folder / pack.FOLDER / "index.html") in said[-2]


def test_release_is_light_to_import():
    import subprocess
    import sys

    program = "import sys, course.release, course.release.reading; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_rung_can_be_measured_without_the_ladder(climbed):
    """What a lab does: tables of its own, measured, and a pack from them."""
    run = json.loads((climbed / record.RUN).read_text(encoding="utf-8"))
    table = data.load("claims").training["households"][COLUMNS[1:]].head(400)
    schema = data.load("claims").schema("households").select(COLUMNS[1:])
    given = answers.Answers(
        schema, ["region", "tenure"], ["arrears"], None, *map(run["answers"].get, ("purpose", "audience")), 1
    )
    training, control = ladder.split(table, given)
    figures_of = ladder.measured(
        [training] * 5, training, control, ladder.attack_basis(training, control, given), given
    )
    assert figures_of["copies"]["training"]["people"] > 150 > figures_of["copies"]["control"]["people"]
    assert dataclasses.is_dataclass(given) and any(one["leak"] for one in figures_of["attacks"])
