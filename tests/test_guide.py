"""The decision guide and the public pages: no way ends nowhere, page and file agree, words are plain."""

from __future__ import annotations

import re
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from course.release.reading import HARDEST, grade, plain, syllables

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
sys.path.insert(0, str(BOOK / "_ext"))

import could_it_be_me  # noqa: E402
import decision_guide  # noqa: E402

from course.assess import advise, ladder  # noqa: E402

GUIDE = decision_guide.load()
PATHS = list(decision_guide.paths(GUIDE))
every_result = pytest.mark.parametrize("name", GUIDE["results"])
PUBLIC = ["public-what-it-is", "public-could-it-be-me", "public-who-decides"]


# The ways through the guide -------------------------------------------------------------------------------


def test_every_way_ends_in_an_answer_and_all_are_used():
    """`paths` follows every answer of every question, and fails if a way comes back to where it was."""
    asked = {question for trail, _ in PATHS for question, _ in trail}
    assert asked == set(GUIDE["questions"])
    assert {result for _, result in PATHS} == set(GUIDE["results"])
    assert max(len(trail) for trail, _ in PATHS) <= 8


def test_the_command_goes_every_way_that_the_page_does():
    for trail, result in PATHS:
        way, found = advise.walk({question: answer["say"] for question, answer in trail})
        assert found == result and all(step["given"] for step in way)
        assert [(step["question"], step["gap"]) for step in way] == [(q, a.get("gap")) for q, a in trail]


def test_what_nobody_answered_is_taken_with_care():
    """With only purpose and audience said, no more than structure and codes leaves a secure setting."""
    for name, question in GUIDE["questions"].items():
        if name not in (advise.PURPOSE, advise.AUDIENCE):
            assert question["unsaid"] in [answer["say"] for answer in question["answers"]]
    for purpose in advise.shorts(advise.PURPOSE).values():
        for audience in advise.shorts(advise.AUDIENCE).values():
            _, name = advise.walk({advise.PURPOSE: purpose, advise.AUDIENCE: audience})
            result = GUIDE["results"][name]
            if result["verdict"] == "make" and "inside a secure setting" not in result["access"]:
                assert result["level"] == "structure", (purpose, audience)


def test_every_rung_of_the_ladder_stands_on_a_level_with_words_for_it():
    riskiest = {rung: name for name, level in GUIDE["levels"].items() for rung in level["rungs"]}
    assert set(riskiest) == set(ladder.GENERATORS)
    assert riskiest == {rung: advise.KEEPS[rung][0] for rung in riskiest}


def test_a_way_that_comes_back_is_found():
    looped = {"start": "a", "results": {}, "questions": {"a": {"answers": [{"say": "again", "go": "a"}]}}}
    with pytest.raises(ValueError, match="comes back"):
        list(decision_guide.paths(looped))


@every_result
def test_answer_has_verdict_reason_steps_checks_and_gaps(name):
    result = GUIDE["results"][name]
    assert set(result) <= {"verdict", "title", "level", "access", "why", "now", "checks", "evidence"}
    assert result["title"] and result["access"] and result["why"] and result["now"]
    assert decision_guide.checks(GUIDE, result) and decision_guide.gaps(GUIDE, result)
    for lab in result["evidence"]:
        assert (ROOT / "notebooks" / f"{lab}.ipynb").exists()
    assert result["evidence"] and result.get("level", "structure") in GUIDE["levels"]


def test_every_question_offers_different_answers():
    for question in GUIDE["questions"].values():
        said = [answer["say"] for answer in question["answers"]]
        assert len(said) >= 2 and len(set(said)) == len(said) and question["help"].endswith(".")


def test_every_text_is_text():
    """A bare yes or no is no text in YAML, and a colon makes a list item something else."""

    def texts(part):
        if isinstance(part, dict):
            return [text for value in part.values() for text in texts(value)]
        return [text for value in part for text in texts(value)] if isinstance(part, list) else [part]

    assert [text for text in texts(GUIDE) if not isinstance(text, str)] == []


def verdict(result: str) -> str:
    return GUIDE["results"][result]["verdict"]


def test_the_guide_can_refuse_and_can_send_to_the_published_table():
    assert {verdict(result) for _, result in PATHS} == set(GUIDE["verdicts"])
    assert GUIDE["verdicts"]["refuse"]["name"] == "Do not make this"
    assert GUIDE["results"]["published-table"]["title"] == "Take the published table instead"


def test_no_way_lets_out_what_the_labs_would_not():
    """What labs 2, 14, 19 and 20 concluded, as rules for every way through the guide."""
    for trail, result in PATHS:
        said = {(question, answer["say"]) for question, answer in trail}
        found = GUIDE["results"][result]
        level, outside = found.get("level"), "inside a secure setting" not in found["access"]
        inside = {
            (q, "Tested, and every result is inside its limit") for q in ("counts-tested", "model-tested")
        }
        broken = {(q, "Tested, and at least one result is outside its limit") for q, _ in inside}
        if said & broken or ("who-gets-it", "Anybody, on the open web") in said:
            assert verdict(result) == "refuse"
        if found["verdict"] == "make" and level == "together" and outside:
            assert said & inside, f"{result} lets columns together out untested"
        if level == "near-copy":
            assert "inside" in found["access"]
        if ("open-records", "No") in said:
            assert level == "structure" and found["verdict"] == "make"
        if trail[0][1]["go"] == "no-decisions":
            assert verdict(result) == "refuse"


def test_tables_that_are_made_ask_for_the_four_checks_and_more_with_each_level():
    asked = {}
    for name, result in GUIDE["results"].items():
        if result["verdict"] == "make":
            assert set(GUIDE["all_made"]) < set(decision_guide.checks(GUIDE, result)), name
            asked.setdefault(result["level"], []).append(len(decision_guide.checks(GUIDE, result)))
    assert max(asked["structure"]) <= max(asked["columns"]) < min(asked["together"])
    assert list(GUIDE["levels"]) == ["description", "structure", "columns", "together", "near-copy"]


# The page and the file ------------------------------------------------------------------------------------


class Sections(HTMLParser):
    """The sections of a part of the page: their text, and the links of their list items."""

    def __init__(self, html: str):
        super().__init__()
        self.text: dict[str, str] = {}
        self.links: dict[str, list[tuple[str, str]]] = {}
        self.gaps: dict[str, list[str]] = {}
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "section":
            self.here = given["id"]
            self.text[self.here], self.links[self.here], self.gaps[self.here] = "", [], []
        elif tag == "li" and "data-go" in given:
            self.go = given["data-go"]
            self.gaps[self.here].append(given.get("data-gap"))
        elif tag == "a" and given["href"].startswith("#"):
            self.links[self.here].append((self.go, given["href"]))

    def handle_data(self, data):
        self.text[self.here] += data


def test_page_has_every_question_with_its_links():
    page = Sections(decision_guide.questions_html(GUIDE))
    assert list(page.text) == [decision_guide.place(name) for name in GUIDE["questions"]]
    for name, question in GUIDE["questions"].items():
        place = decision_guide.place(name)
        places = [decision_guide.place(answer["go"]) for answer in question["answers"]]
        assert page.links[place] == [(go, f"#{go}") for go in places]
        assert page.gaps[place] == [answer.get("gap") for answer in question["answers"]]
        for text in (question["ask"], question["help"], *(answer["say"] for answer in question["answers"])):
            assert text in page.text[place]


@every_result
def test_page_has_every_answer_whole(name):
    result = GUIDE["results"][name]
    text = Sections(decision_guide.answers_html(GUIDE)).text[decision_guide.place(name)]
    parts = [result["title"], result["why"], result["access"], GUIDE["verdicts"][result["verdict"]]["name"]]
    parts += [*result["now"], *decision_guide.checks(GUIDE, result), *decision_guide.gaps(GUIDE, result)]
    assert [part for part in parts if part not in text] == []


def test_page_shows_every_part_of_the_guide():
    page = (BOOK / "decision-guide.md").read_text(encoding="utf-8")
    assert re.findall(r"```\{decision-guide\} (\w+)", page) == list(decision_guide.PARTS)


# "Could it be me?" ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found():
    return could_it_be_me.stored()


def test_pictures_are_made_from_the_data_as_it_is(found):
    """The stored figures, made again; they may differ a little between machines."""
    assert figures_only(could_it_be_me.compute()) == pytest.approx(figures_only(found), abs=0.03)


def figures_only(found: dict) -> list[float]:
    numbers = [found["real_gap"]]
    for level in found["levels"]:
        numbers += [*level["like_me"], level["copies"] / found["rows"], *(level["gap"] or [])]
        for group in level["groups"]:
            numbers += [*group["hit"], *group["wrong"], *group["least"], *group["most"]]
    return numbers


def test_attack_of_the_pictures_is_that_of_the_course():
    """A table in which everybody's answer is known by hand, and DiSCO on the same people."""
    import pandas as pd

    from course.measure import privacy

    known = could_it_be_me.KNOWN
    rows = [
        ["A", "x", 40, "OO", "Y"],
        ["A", "x", 40, "OO", "N"],
        ["B", "x", 50, "PR", "Y"],
        ["C", "y", 60, "SR", "N"],
    ]
    made = pd.DataFrame(rows, columns=[*known, could_it_be_me.SECRET])
    assert could_it_be_me.answer(made).tolist() == ["unsure", "Y", "N"]
    real = pd.concat([made] * 5, ignore_index=True)  # the other way round, it serves as the control
    said = could_it_be_me.answer(made).reindex(could_it_be_me.four_facts(real))
    hit = (said.to_numpy() == real[could_it_be_me.SECRET]).mean()
    assert hit == privacy.disco(real, real[::-1], made, known, could_it_be_me.SECRET).training == 0.5


def test_what_the_page_says_it_saw_is_so(found):
    """The sentences under "What did we see?", held against the stored figures."""
    everybody = [level["groups"][0] for level in found["levels"]]
    shown = ["made a difference" in could_it_be_me.finding(figure) for figure in everybody]
    assert shown == [False, False, False, False, True, True]
    early = [figure for level in found["levels"][:4] for figure in level["groups"]]
    assert not any("made a difference" in could_it_be_me.finding(figure) for figure in early)
    assert [level["copies"] for level in found["levels"]][:4] == [0] * 4
    assert found["levels"][5]["copies"] == found["rows"]
    excess = [figure["hit"][0] - figure["hit"][1] for figure in everybody]
    assert 0 < excess[4] < 0.1 < 0.25 < excess[5]
    near_copy = [group["hit"][0] for group in found["levels"][5]["groups"][1:]]
    assert near_copy == sorted(near_copy, reverse=True) and near_copy[0] > 5 * near_copy[-1]
    assert all(figure["hit"][1] > 0.05 and figure["wrong"][1] > 0.05 for figure in everybody[1:])
    step_5, step_6 = (level["gap"][0] for level in found["levels"][4:])
    assert abs(step_6 - step_5) < 0.02 < found["real_gap"]


def test_every_picture_has_its_hundred_squares(found):
    for hit, wrong in ((0, 0), (63, 0), (40, 60), (12, 20)):
        filled, empty, crossed = re.findall(r' d="(.*?)"', could_it_be_me.squares(hit, wrong))
        assert (filled.count("z"), empty.count("z"), crossed.count("M")) == (hit, 100 - hit, wrong)
    page = could_it_be_me.page_html(found)
    pictures = sum(len(level["groups"]) for level in found["levels"])
    assert page.count('class="me-view"') == pictures and page.count("<svg") == 2 * pictures


# Reading age ----------------------------------------------------------------------------------------------


def test_syllables_are_counted_by_the_rule():
    counted = {
        "made": 1,
        "table": 2,
        "people": 2,
        "looked": 1,
        "wanted": 2,
        "homes": 1,
        "houses": 2,
        "data": 2,
    }
    counted |= {"synthetic": 3, "the": 1, "used": 1, "computer": 3, "rows": 1, "6,000": 4, "stranger": 2}
    assert {word: syllables(word) for word in counted} == counted


def test_grade_is_that_of_the_formula():
    assert grade("The cat sat on the mat.") == pytest.approx(0.39 * 6 + 11.8 - 15.59)
    hard = "Administrative organisations systematically operationalise statistical confidentiality."
    assert grade(hard) > 20 > HARDEST > grade("We made it up. You can see how.")


@pytest.mark.parametrize("page", PUBLIC)
def test_public_page_is_easy_to_read(page):
    text = plain((BOOK / f"{page}.md").read_text(encoding="utf-8"))
    assert len(text.split()) < 900, "A short page stays under 900 words"
    assert grade(text) <= HARDEST, f"Grade {grade(text):.1f}"


def test_pictures_are_easy_to_read(found):
    html = could_it_be_me.page_html(found).split("<summary>All the numbers")[0]
    text = unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</(p|li|summary)>", ". ", html)))
    assert grade(text) <= HARDEST, f"Grade {grade(text):.1f}"


@pytest.mark.parametrize("page", PUBLIC)
def test_public_page_promises_nothing(page):
    """ "No risk" may stand there only as what nobody should say."""
    text = (BOOK / f"{page}.md").read_text(encoding="utf-8").lower()
    assert not re.search(
        r"risk-free|zero risk|completely safe|always safe\b(?!\?)|fully anonymous|\bfake\b", text
    )
    allowed = ("no one should tell you that there is no risk", '"there is no risk."')
    for sentence in allowed:
        text = text.replace(sentence, "")
    assert "no risk" not in text
