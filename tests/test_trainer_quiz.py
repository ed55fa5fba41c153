"""The quiz before and after a session: its questions, its page, its files and its statistics."""

from __future__ import annotations

import doctest
import itertools
import re
from fractions import Fraction

import numpy as np
import pytest
from test_consensus import check_structure
from test_site import accessibility_faults

from course import check, forms
from course.data import DataError
from course.trainer import items, papers, quiz

# Ten people on ten questions, worked by hand at https://core.ecu.edu/wuenschk/StatHelp/KR20.txt: the sum of
# pq is 2.18, and the variance of the totals 5.84.
ROWS = "1111110110 1011011101 1111011001 0010001000 0000010010"
ROWS += " 1110111111 1101110111 1111111101 0101111101 1101101110"
TEN = np.array([[int(mark) for mark in row] for row in ROWS.split()])


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A session's folder with made-up answers."""
    folder = tmp_path_factory.mktemp("quiz") / "session"
    papers.write(folder, example=True)
    return folder


@pytest.fixture(scope="module")
def said(session):
    return quiz.findings(quiz.read(session / "quiz"))


# The questions ------------------------------------------------------------------------------------------


def test_twelve_aims_each_with_two_questions_of_four_answers():
    found = quiz.load()
    assert list(found) == [f"{number:02d}{form}" for number in range(1, 13) for form in "AB"]
    for one in found.values():
        assert set(one.options) == set("abcd") and one.right in "abcd"
        assert len(set(one.options.values())) == 4
        assert all(len(why.split()) >= 4 for why in one.reasons.values()), one.name
    assert len({one.aim for one in found.values()}) == 12


def test_the_right_answer_is_not_given_away_by_its_place_or_length():
    for form in "AB":
        asked = [one for one in quiz.load().values() if one.form == form]
        assert all(sum(one.right == letter for one in asked) <= 4 for letter in "abcd")
        assert sum(max(one.options, key=lambda a: len(one.options[a])) == one.right for one in asked) <= 4


def test_each_aim_names_labs_that_are_there():
    import yaml

    for aim in yaml.safe_load((quiz.HERE / "quiz.yml").read_text(encoding="utf-8")):
        assert aim["labs"] and all(f"lab{number:02d}" in check.LABS for number in aim["labs"])


# The statistics -----------------------------------------------------------------------------------------


def test_examples_in_docstrings():
    assert doctest.testmod(items).failed == 0


def test_kr20_is_as_worked_by_hand():
    found = items.kr20(TEN)
    assert found.value == pytest.approx(float(Fraction(10, 9) * (1 - Fraction(218, 584))))
    # The value at which Feldt's F would be its own 2.5% and 97.5% points, by the definition of the interval.
    from scipy.stats import f

    for end, point in ((found.low, 0.975), (found.high, 0.025)):
        assert f(9, 81).cdf((1 - end) / (1 - found.value)) == pytest.approx(point)


def test_kr20_is_cronbachs_alpha_on_marks():
    rng = np.random.default_rng(4)
    marks = (rng.normal(size=(25, 1)) + rng.normal(size=(25, 8)) > 0).astype(int)
    covariance = np.cov(marks.T)
    alpha = 8 / 7 * (1 - np.trace(covariance) / covariance.sum())
    assert items.kr20(marks).value == pytest.approx(alpha)


@pytest.mark.parametrize("marks", [TEN[:9], TEN[:, :1], np.ones((12, 4)), np.empty((0, 12)), [[]]])
def test_kr20_is_not_given_where_it_is_not_defined(marks):
    assert items.kr20(marks) is None


def test_discrimination_is_the_correlation_with_the_other_questions():
    right, rest = TEN[:, 0], TEN[:, 1:].sum(axis=1)
    assert items.discrimination(right, rest) == pytest.approx(np.corrcoef(right, rest)[0, 1])
    # The point-biserial formula: difference of means, over the spread, times the root of pq.
    p = right.mean()
    formula = (rest[right == 1].mean() - rest[right == 0].mean()) / rest.std() * (p * (1 - p)) ** 0.5
    assert items.discrimination(right, rest) == pytest.approx(formula)


def test_discrimination_takes_before_and_after_apart():
    """Everyone learns, nobody is told apart: without the groups the question would seem excellent."""
    right = [0, 1] + [0] * 8 + [1] * 8 + [1, 0]
    rest = [2, 2, 3, 1] * 2 + [2, 2] + [9, 9, 8, 10] * 2 + [9, 9]
    assert items.discrimination(right, rest) > 0.7
    assert abs(items.discrimination(right, rest, ["before"] * 10 + ["after"] * 10)) < 0.1


@pytest.mark.parametrize("right, rest", [([1] * 12, range(12)), ([0, 1] * 6, [5] * 12), ([0, 1], [1, 2])])
def test_discrimination_is_not_given_where_it_is_not_defined(right, rest):
    assert items.discrimination(right, list(rest)) is None


def test_facility_has_wilsons_interval():
    # Wilson's interval solves |p - x/n| = z * root(p(1 - p) / n): put its ends back into that equation.
    found = items.facility([1] * 9 + [0] * 21)
    assert found.value == 0.3 and found.n == 30
    for end in (found.low, found.high):
        assert abs(end - 0.3) == pytest.approx(1.959964 * (end * (1 - end) / 30) ** 0.5, rel=1e-5)
    with pytest.raises(DataError, match="Nobody answered"):
        items.facility([])


def test_gain_has_agresti_and_mins_interval_and_the_exact_test():
    # The example of diffpropci.mp in the R package PropCIs: 40 and 20 discordant pairs of 160.
    found = items.gain([0] * 40 + [1] * 20 + [1] * 100, [1] * 40 + [0] * 20 + [1] * 100)
    assert (found.low, found.high) == pytest.approx((0.03089632, 0.21601726), abs=1e-8)
    assert found.value == 20 / 160 and (found.gained, found.lost) == (40, 20)
    # By hand: with 5 against 1, p is 2 * (1 + 6) / 2**6.
    assert items.gain([0] * 5 + [1], [1] * 5 + [0]).p == pytest.approx(14 / 64)
    assert items.gain([1, 0], [1, 0]).p == 1
    with pytest.raises(DataError, match="Nobody answered both"):
        items.gain([], [])


def test_gain_covers_what_is_true_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(8), 0
    for _ in range(400):
        before, after = rng.random(30) < 0.4, rng.random(30) < 0.7
        found = items.gain(before.astype(int), after.astype(int))
        covered += found.low <= 0.3 <= found.high
    assert 0.92 <= covered / 400 <= 0.99


def test_score_gain_is_free_of_the_order_of_the_forms():
    """Form B is two questions easier. Eighteen have it second, twelve have it first: all gain three."""
    first, second = np.tile([4.0, 5, 6], 6), np.tile([0.0, 1, 2], 4)
    found = items.score_gain(first, second)
    assert found.value == 3 and found.low < 3 < found.high
    assert np.concatenate([first, second]).mean() != 3
    # Welch's standard error of the mean of two means, by hand.
    error = (first.var(ddof=1) / 18 + second.var(ddof=1) / 12) ** 0.5 / 2
    assert (found.high - found.low) / 2 / error == pytest.approx(2.07, abs=0.03)
    assert items.score_gain([3, 4], [1]) is None and items.score_gain([2, 2], [2, 2]) is None


# Files --------------------------------------------------------------------------------------------------


def sheet_text(code="P-1", when="before", answer="a", skip=0):
    form = quiz.form_of(code, when)
    names = [name for name, one in quiz.load().items() if one.form == form][skip:]
    rows = [f"{code},{when},{form},{name},{answer},{quiz.fingerprint()}" for name in names]
    return "\n".join(["code,when,form,question,answer,quiz", *rows]) + "\n"


def test_half_the_room_has_each_form_first_and_nobody_has_one_twice():
    codes = [f"{word}-{number}" for word in ("teapot", "otter", "Lamp") for number in range(100)]
    assert all({quiz.form_of(code, "before"), quiz.form_of(code, "after")} == {"A", "B"} for code in codes)
    assert 120 <= sum(quiz.form_of(code, "before") == "A" for code in codes) <= 180
    assert quiz.form_of("LAMP-7", "before") == quiz.form_of("lamp-7", "before")


ODD = {
    "code": (sheet_text().replace("P-1", "Ann Smith", 1), "may hold letters"),
    "when": (sheet_text().replace("before", "during", 1), "must be before or after"),
    "form": (re.sub(r"before,([AB])", "before,C", sheet_text(), count=1), "in form 'C'"),
    "question": (re.sub(r"01[AB]", "99A", sheet_text(), count=1), "no question '99A'"),
    "answer": (sheet_text(answer="e"), "must be a, b, c or d"),
    "version": (sheet_text().replace(quiz.fingerprint(), "0" * 12, 1), "another version"),
    "twice": (sheet_text() + sheet_text().partition("\n")[2], "answers before the session twice"),
    "made up": (sheet_text() + sheet_text("example-01").partition("\n")[2], "Some answers are the example's"),
    "no columns": ("a,b\n1,2\n", "needs one column 'code'"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_files_get_one_sentence(tmp_path, kind):
    text, expected = ODD[kind]
    (tmp_path / "one.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(expected)) as caught:
        quiz.read(tmp_path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_fewer_than_ten_people_make_no_report(tmp_path):
    for number in range(9):
        (tmp_path / f"{number}.csv").write_text(sheet_text(f"P{number}"), encoding="utf-8")
    with pytest.raises(DataError, match="9 people"):
        quiz.findings(quiz.read(tmp_path))


def test_what_was_left_blank_is_not_right(tmp_path):
    (tmp_path / "one.csv").write_text(sheet_text(answer="", skip=3), encoding="utf-8")
    (sheet,) = quiz.read(tmp_path)
    assert sheet.right == [0] * 12


# The report ---------------------------------------------------------------------------------------------


def test_the_report_counts_what_the_files_hold(session, said):
    sheets = quiz.read(session / "quiz")
    assert {sheet.code: sheet for sheet in sheets}.keys() == {sheet.code for sheet in quiz.example()}
    for row in said["questions"]:
        one = row["question"]
        for when in ("before", "after"):
            asked = [s for s in sheets if s.when == when and s.form == one.form]
            chosen = [s.answers[one.name] for s in asked]
            assert row[f"chosen_{when}"].total() == len(asked)
            assert row[when].value == pytest.approx(chosen.count(one.right) / len(asked))
    assert said["matched"] == sum(said["orders"].values()) == said["after"] < said["before"] == 30
    for row, place in zip(said["aims"], itertools.count()):
        pairs = {}
        for sheet in sheets:
            pairs.setdefault(sheet.code, {})[sheet.when] = sheet.right[place]
        both = [pair for pair in pairs.values() if len(pair) == 2]
        assert row["gain"].gained == sum(p["before"] < p["after"] for p in both)
        assert row["p"] >= row["gain"].p


def test_the_report_holds_no_code_and_says_what_it_does_not_show(session, said):
    html = quiz.report_page(said)
    check_structure(html)
    assert not [s.code for s in quiz.read(session / "quiz") if s.code in html]
    assert "Made-up answers" in html and "What this does not show" in html and quiz.summary(said) in html


def test_a_question_that_the_best_miss_is_pointed_out():
    one = quiz.load()["01A"]
    wrong = next(letter for letter in one.options if letter != one.right)
    sheets = []
    for number in range(24):
        good = number < 12
        names = [question for question in quiz.load().values() if question.form == "A"]
        answers = {q.name: q.right if good else quiz.DO_NOT_KNOW for q in names}
        answers["01A"] = wrong if good else one.right
        sheets.append(quiz.Sheet(f"P{number}", quiz.AFTER, "A", answers))
    rows = {row["question"].name: row for row in quiz.findings(sheets)["questions"]}
    assert "read the question again" in rows["01A"]["look"] and rows["01A"]["discrimination"] < -0.9
    assert "wrong answer is the commonest" not in rows["02A"]["look"]


# The page in a browser ----------------------------------------------------------------------------------


def test_pages_hold_no_answer_key(session):
    for when in ("before", "after"):
        html = (session / f"quiz-{when}.html").read_text(encoding="utf-8")
        check_structure(html)
        assert html.count("<fieldset") == 24 and "default-src 'none'" in html
        assert not [one for one in quiz.load().values() if any(why in html for why in one.reasons.values())]


def test_the_quiz_is_done_by_keyboard_and_its_file_is_read(browser, session, tmp_path):
    context = browser.new_context(accept_downloads=True, viewport={"width": 320, "height": 800})
    tab = context.new_page()
    for when, code in (("before", "Otter-31"), ("after", "otter-31")):
        tab.goto((session / f"quiz-{when}.html").as_uri())
        tab.keyboard.press("Tab")
        tab.get_by_role("button", name="Start").press("Enter")
        assert "Enter your code" in tab.locator("#errors").inner_text()
        tab.locator("#errors a").press("Enter")
        tab.keyboard.type(code)
        tab.keyboard.press("Enter")
        form = quiz.form_of(code, when)
        assert tab.evaluate("document.activeElement.textContent") == f"Questions, form {form}"
        assert not tab.locator("#errors").is_visible() and tab.locator("fieldset:visible").count() == 12
        save = tab.get_by_role("button", name="Save my answers as a file")
        save.press("Enter")
        assert tab.locator("#errors li").count() == 12
        tab.locator("#errors a").first.press("Enter")
        tab.keyboard.press("Space")
        for _ in range(11):
            tab.keyboard.press("Tab")
            tab.keyboard.press("Space")
            tab.keyboard.press("ArrowDown")
        with tab.expect_download() as download:
            save.press("Enter")
        download.value.save_as(tmp_path / download.value.suggested_filename)
    context.close()
    assert {path.name for path in tmp_path.iterdir()} == {
        "quiz-before-Otter-31.csv",
        "quiz-after-otter-31.csv",
    }
    before, after = sorted(quiz.read(tmp_path), key=lambda sheet: sheet.when, reverse=True)
    assert before.code == after.code == "otter-31" and before.form != after.form
    assert [*before.answers.values()] == ["a"] + ["b"] * 11


@pytest.mark.parametrize("width, scheme", [(1280, "light"), (320, "dark")])
def test_pages_meet_wcag_in_a_browser(browser, session, said, tmp_path, width, scheme):
    forms.write_new(tmp_path / "report.html", quiz.report_page(said))
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab = context.new_page()
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    for path in (session / "quiz-before.html", session / "quiz-key.html", tmp_path / "report.html"):
        tab.goto(path.as_uri())
        if path.name == "quiz-before.html":
            tab.get_by_role("button").press("Enter")  # with the list of what is wrong
            assert accessibility_faults(tab) == []
            tab.fill("#code", "teapot-1")
            tab.get_by_role("button").press("Enter")
        tab.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        assert accessibility_faults(tab) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
    assert all(url.startswith("file:") for url in asked)


# The command --------------------------------------------------------------------------------------------


def test_the_command_makes_papers_and_report(tmp_path, capsys):
    from course.trainer.__main__ import main

    where = ["--in", str(tmp_path)]
    assert main([*where, "papers", "day", "--example"]) == 0
    assert main([*where, "quiz-report", "day"]) == 0
    assert "The matched people gained" in capsys.readouterr().out
    assert (tmp_path / "day" / "quiz-report.html").is_file()
    for words in (["papers", "day"], ["quiz-report", "day"], ["quiz-report", "nowhere"]):
        assert main([*where, *words]) == 1
        assert capsys.readouterr().out.count("\n") == 1
    assert main([*where, "quiz-report", "day", "--to", "second.html"]) == 0
    assert (tmp_path / "second.html").is_file()
