"""Agree together: the statistics, the rule that cannot be changed unseen, what is held back, the pages."""

from __future__ import annotations

import csv
import doctest
import itertools
import json
import random
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from test_site import accessibility_faults

from course import consensus, forms, tasks
from course.consensus import GROUPS, IN, OUT, RULES, UNDECIDED, Rating, Rule, Study
from course.data import DataError

every_time = settings(max_examples=60, deadline=None, derandomize=True)
SCORES = some.lists(some.integers(1, 9), min_size=1, max_size=40)
RULE = some.sampled_from([rule for rule, _ in RULES.values()])


def small_study(folder=None, rule=RULES["seventy"][0], statements=None):
    return Study(
        folder, statements or {"S01": "Do it.", "S02": "Leave it."}, ("A", "B", "C"), rule, "2026-11-22"
    )


def answers(scores, group="A", turn=1, statement="S01", start=0):
    """Ratings of one statement by as many people as there are scores."""
    return [Rating(f"{group}{start + i}", group, turn, statement, score) for i, score in enumerate(scores)]


# The statistics -------------------------------------------------------------------------------------------

VECTORS = [
    ([9, 8, 8, 7, 7, 7, 7, 6, 5, 2], (70, 10, 7, 1.5), IN),  # exactly 70%: the limit itself is enough
    ([9, 9, 9, 8, 8, 8, 7, 7, 2, 1], (80, 20, 8, None), UNDECIDED),  # a higher median, and not in
    ([9, 8, *[7] * 6, 4, 3], (80, 10, None, 0), IN),
]


@pytest.mark.parametrize("scores, figures, verdict", VECTORS)
def test_published_vectors(scores, figures, verdict):
    part = consensus.summarise(scores)
    found = (100 * part.high / part.n, 100 * part.low / part.n, part.median, part.iqr)
    assert all(wanted in (None, value) for wanted, value in zip(figures, found, strict=True))
    assert RULES["seventy"][0].verdict(scores) == verdict


@every_time
@given(SCORES, some.randoms())
def test_the_order_of_scores_changes_nothing(scores, chance):
    mixed = chance.sample(scores, len(scores))
    assert consensus.summarise(mixed) == consensus.summarise(scores)
    assert all(rule.verdict(mixed) == rule.verdict(scores) for rule, _ in RULES.values())


@every_time
@given(SCORES)
def test_quartiles_are_numpys(scores):
    part = consensus.summarise(scores)
    assert (part.q1, part.median, part.q3) == tuple(np.percentile(scores, [25, 50, 75], method="linear"))
    assert part.high + part.low <= part.n


@every_time
@given(SCORES, RULE)
def test_turning_the_scale_round_turns_in_into_out(scores, rule):
    turned = rule.verdict([10 - score for score in scores])
    if rule.out == "mirror":
        assert turned == {IN: OUT, OUT: IN, UNDECIDED: UNDECIDED}[rule.verdict(scores)]


@every_time
@given(SCORES, RULE)
def test_a_higher_score_never_takes_a_statement_out(scores, rule):
    order = (OUT, UNDECIDED, IN)
    raised = [*scores[1:], 9]
    if rule.iqr is None:  # raising one score can widen the middle half
        assert order.index(rule.verdict(raised)) >= order.index(rule.verdict(scores))


@pytest.mark.parametrize("n", [7, 10, 20, 30, 70, 90, 100])
def test_shares_are_compared_exactly(n):
    rule = Rule(high=70, low=None)
    for high in range(n + 1):
        assert (rule.verdict([8] * high + [5] * (n - high)) == IN) == (10 * high >= 7 * n)
    assert Rule().verdict([8] * 17 + [2] * 3) == UNDECIDED  # exactly 15% low is too many
    assert Rule().verdict([8] * 18 + [2] * 2) == IN


def test_each_group_must_agree_where_the_rule_says_so():
    groups = [8] * 20, [8, 8, 2, 2], [1, 1]
    everyone = [score for group in groups for score in group]
    assert Rule(low=None).verdict(everyone, groups) == IN
    assert Rule(low=None, each_group=True).verdict(everyone, groups) == UNDECIDED
    assert (
        Rule(low=None, each_group=True).verdict(everyone, [groups[0], groups[2]]) == IN
    )  # two decide nothing


def test_out_by_half_asks_every_group():
    rule = RULES["seventy-half"][0]
    assert rule.verdict([8, 8, 5, 5] * 2, [[8, 8, 5, 5]] * 2) == OUT
    assert rule.verdict([8, 8, 5, 5, 8, 8, 8, 5], [[8, 8, 5, 5], [8, 8, 8, 5]]) == UNDECIDED


def test_the_limits_of_median_and_spread_themselves_are_enough():
    rule = RULES["median-iqr"][0]
    assert consensus.summarise([6, 6, 7, 8, 8]).iqr == 2 and rule.verdict([6, 6, 7, 8, 8]) == IN
    assert rule.verdict([5, 5, 7, 8, 8]) == UNDECIDED and rule.verdict([6, 6, 6, 8, 8]) == UNDECIDED
    assert rule.verdict([2, 2, 3, 4, 4]) == OUT


def test_the_examples_hold():
    assert doctest.testmod(consensus) == (0, 4)


def test_no_score_is_undecided():
    assert Rule().verdict([]) == UNDECIDED
    with pytest.raises(DataError, match="no score"):
        consensus.summarise([])


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"high": 40}, "high is 40"),
        ({"high": "70"}, "high is '70'"),
        ({"low": -1}, "low is -1"),
        ({"median": 3}, "median is 3"),
        ({"iqr": True}, "iqr is True"),
        ({"high": None}, "neither"),
        ({"out": "never"}, "out is 'never'"),
        ({"each_group": "yes"}, "each_group is 'yes'"),
        ({"hihg": 70}, "holds hihg"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(tmp_path, fields, said):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(fields))
    one_sentence(said, consensus.choose_rule, path)


def test_a_rule_of_ones_own_is_taken(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{"high": 75, "low": 10, "each_group": true}')
    assert consensus.choose_rule(path) == Rule(75, 10, each_group=True)
    one_sentence("no rule 'most'", consensus.choose_rule, "most")
    assert all(words.endswith(".") for rule, _ in RULES.values() for words in rule.words())


# Rounds ---------------------------------------------------------------------------------------------------


def test_attrition_leavers_and_kept_scores_by_hand():
    study = small_study()
    first = answers([8] * 7 + [5] * 5) + answers([2] * 4, "B")
    ratings = first + answers([8] * 7 + [7], turn=2)  # five people left: the last four of A, and all of B
    rows = consensus.attrition(ratings, study)
    counts = [(row["who"], row["first"], row["second"], row["left"]) for row in rows]
    assert counts == [("Everyone", 16, 8, 8), ("A", 12, 8, 4), ("B", 4, 0, 4), ("C", 0, 0, 0)]
    assert rows[0]["left_percent"] == 50 and rows[3]["left_percent"] is None
    kept = consensus.kept_scores(ratings)
    assert sorted(one.score for one in kept) == sorted([8] * 7 + [7] + [5] * 4 + [2] * 4)
    assert consensus.by_rule_of(study, ratings)["S01"] == IN
    assert consensus.by_rule_of(study, kept)["S01"] == UNDECIDED
    assert all(row["left"]["shown"] != "figures" for row in consensus.leavers(ratings, study))


def test_leavers_are_compared_where_there_are_enough():
    first = answers([2] * 10 + [8] * 12)
    ratings = first + answers([8] * 12, turn=2, start=10)
    row = consensus.leavers(ratings, small_study())[0]
    assert (row["left"]["median"], row["stayed"]["median"]) == (2, 8)


def test_nine_leavers_are_not_shown_beside_those_who_stayed():
    ratings = answers([2] * 9 + [8] * 12) + answers([8] * 12, turn=2, start=9)
    row = consensus.leavers(ratings, small_study())[0]
    assert row["left"]["shown"] == row["stayed"]["shown"] == "third"


@pytest.mark.parametrize(
    "median, said",
    [
        (1, "1 to 3"),
        (3, "1 to 3"),
        (3.5, "between 3 and 4"),
        (4, "4 to 6"),
        (6, "4 to 6"),
        (6.5, "between 6 and 7"),
        (7, "7 to 9"),
        (9, "7 to 9"),
    ],
)
def test_thirds_of_the_scale(median, said):
    assert consensus.third(median) == said


def test_stability_by_hand():
    before, after = [1, 1, 4, 4, 5, 6, 7, 7, 8, 9], [1, 4, 1, 4, 5, 6, 7, 7, 8, 7]
    ratings = answers(before) + answers(after, turn=2)
    row = consensus.stability(ratings, small_study())[0]
    assert (
        row["changed"] == 30 and row["moved_third"] == 20 and row["net"] == 10 and row["median_change"] == 0
    )
    assert consensus.stability(answers(before[:9]) + answers(after[:9], turn=2), small_study())[0].keys() == {
        "statement",
        "n",
    }


@every_time
@given(some.lists(some.tuples(some.integers(1, 9), some.integers(1, 9)), min_size=10, max_size=30))
def test_net_change_is_never_above_change(pairs):
    moved = consensus._movement(pairs)
    assert 0 <= moved["net"] <= moved["changed"] + 1e-9 and moved["moved_third"] <= moved["changed"]
    assert consensus._movement([(a, a) for a, _ in pairs])["net"] == 0


# What is held back ----------------------------------------------------------------------------------------


@every_time
@given(some.dictionaries(some.sampled_from("abcdef"), some.integers(0, 30)))
def test_nobody_is_found_by_subtraction(sizes):
    shown = consensus.shown_groups(sizes)
    rest = sum(sizes.values()) - sum(sizes[group] for group in shown)
    assert all(sizes[group] >= consensus.FEWEST for group in shown)
    assert not shown or rest == 0 or rest >= consensus.FEWEST


@every_time
@given(some.tuples(*[some.lists(some.integers(1, 9), max_size=14)] * 3))
def test_no_figures_of_fewer_than_ten(groups):
    named = zip("ABC", groups, strict=True)
    ratings = [one for group, scores in named for one in answers(scores, group)]
    for row in consensus.results(ratings, small_study(), 1):
        if row["n"] < 10:
            assert row["shown"] != "figures" and not {"median", "high", "low", "iqr", "histogram"} & set(row)
        if row["n"] < 3:
            assert "third" not in row
        assert consensus.in_words(row).endswith(".")


@settings(every_time, max_examples=4)
@given(some.randoms())
def test_the_order_of_answers_changes_nothing(chance):
    ratings = consensus.simulate(seed=2)
    mixed, study = chance.sample(ratings, len(ratings)), Study(None, consensus.STATEMENTS, GROUPS, Rule())
    for function in (consensus.attrition, consensus.stability, consensus.leavers):
        assert function(mixed, study) == function(ratings, study)
    assert consensus.results(mixed, study, 2) == consensus.results(ratings, study, 2)
    assert consensus.anonymous_reasons(mixed) == consensus.anonymous_reasons(ratings)


def test_reasons_lose_names_of_people():
    rating = Rating("P07", "A", 1, "S01", 2, "Ask p07, me@example.org or 020 7946 0000. 15% is enough.")
    found = consensus.anonymous_reasons([rating])["S01"]
    assert found == ["Ask [removed], [removed] or [removed]. 15% is enough."]


# Odd answers ----------------------------------------------------------------------------------------------


def one_sentence(said, function, *arguments):
    with pytest.raises(DataError) as refused:
        function(*arguments)
    sentence = str(refused.value)
    assert said in sentence and "\n" not in sentence and len(sentence) < 300, sentence


@pytest.fixture
def study(tmp_path):
    return consensus.new(tmp_path / "study")


def put(study, text, name="answers.csv"):
    path = study.folder / "ratings" / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


HEAD = "participant,group,round,statement id,rating,reason,rule\n"
GOOD = "P01,Data owners,1,S01,7,,\n"
REFUSED = {
    "rating of ten": (HEAD + "P01,Data owners,1,S01,10,,\n", "rating is '10'"),
    "rating of nought": (HEAD + "P01,Data owners,1,S01,0,,\n", "rating is '0'"),
    "many lines": (HEAD + f'P01,Data owners,1,S01,"{"7" * 400}\n8",,\n', "rating is '777"),
    "a rule of many lines": (HEAD + 'P01,Data owners,1,S01,7,,"a\nb"\n', "under another rule"),
    "half a point": (HEAD + "P01,Data owners,1,S01,7.5,,\n", "rating is '7.5'"),
    "a word": (HEAD + "P01,Data owners,1,S01,seven,,\n", "rating is 'seven'"),
    "a minus": (HEAD + "P01,Data owners,1,S01,-3,,\n", "rating is '-3'"),
    "twice": (HEAD + GOOD + GOOD, "round 1 twice"),
    "twice, differently": (HEAD + GOOD + GOOD.replace("7", "3"), "line 2"),
    "unknown statement": (HEAD + "P01,Data owners,1,S99,7,,\n", "no statement 'S99'"),
    "unknown group": (HEAD + "P01,Owners,1,S01,7,,\n", "no group 'Owners'"),
    "two groups": (HEAD + GOOD + "P01,Governance and legal,1,S02,7,,\n", "in two groups"),
    "round 2 alone": (HEAD + "P01,Data owners,2,S01,7,,\n", "round 2 without round 1"),
    "round 3": (HEAD + "P01,Data owners,3,S01,7,,\n", "round is '3'"),
    "no code": (HEAD + ",Data owners,1,S01,7,,\n", "is no code"),
    "a name": (HEAD + "Ann Lee,Data owners,1,S01,7,,\n", "is no code"),
    "a path": (HEAD + "../P01,Data owners,1,S01,7,,\n", "is no code"),
    "another rule": (HEAD + "P01,Data owners,1,S01,7,,0123456789abcdef\n", "under another rule"),
    "no such column": ("participant,group,round,rating\nP01,Data owners,1,7\n", "'statement id'"),
    "a column twice": (HEAD.replace("reason", "rating") + GOOD, "'rating'"),
    "too many cells": (HEAD + "P01,Data owners,1,S01,7,because, of this,,\n", "more cells than columns"),
    "long reason": (HEAD + f"P01,Data owners,1,S01,7,{'a' * 2001},\n", "longer than 2,000"),
    "mixed": (HEAD + GOOD + "SIM-001,Data owners,1,S01,7,,\n", "Keep them in two folders"),
    "capitals": (HEAD + GOOD + GOOD.replace("P01", "p01"), "differ by capitals only"),
    "no end of quotation": (HEAD + 'P01,Data owners,1,S01,7,"' + "a" * 140_000, "quotation mark"),
    "empty": ("", "'participant'"),
    "a spreadsheet": (b"PK\x03\x04 and so on", "CSV UTF-8"),
    "utf-16": ((HEAD + GOOD).encode("utf-16"), "CSV UTF-8"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_odd_answers_get_one_sentence(study, case):
    text, said = REFUSED[case]
    put(study, text)
    one_sentence(said, consensus.read_ratings, study)


def test_another_librarys_limit_on_cells_changes_nothing(study):
    text, said = REFUSED["no end of quotation"]
    put(study, text)
    before = csv.field_size_limit(10**9)
    try:
        one_sentence(said, consensus.read_ratings, study)
        assert csv.field_size_limit() == 10**9
    finally:
        csv.field_size_limit(before)


READ = {
    "semicolons": (HEAD + GOOD).replace(",", ";"),
    "tabs": (HEAD + GOOD).replace(",", "\t"),
    "byte order mark": "\ufeff" + HEAD + GOOD,
    "windows lines": (HEAD + GOOD).replace("\n", "\r\n"),
    "capitals and spaces": HEAD.title().replace("Statement Id", "Statement_ID") + GOOD.replace(",", " , "),
    "blank lines": HEAD + "\n,,,,,,\n" + GOOD + "\n",
    "no reason, no rule": "participant,group,round,statement id,rating\nP01,Data owners,1,S01,7\n",
    "windows letters": (HEAD + "P01,Data owners,1,S01,7,café £5,\n").encode("cp1252"),
}


@pytest.mark.parametrize("case", READ)
def test_answers_as_people_save_them_are_read(study, case):
    put(study, READ[case])
    (rating,) = consensus.read_ratings(study)
    assert (rating.participant, rating.score, rating.statement) == ("P01", 7, "S01")
    if case == "windows letters":
        assert rating.reason == "café £5"


def test_a_blank_means_cannot_say_and_files_are_joined(study):
    put(study, HEAD + "P01,Data owners,1,S01,,,\n", "one.csv")
    put(study, HEAD + "P02,Data owners,1,S01,4,,\n", "two.csv")
    assert [one.score for one in consensus.read_ratings(study)] == [None, 4]
    put(study, HEAD + "P02,Data owners,1,S01,4,,\n", "three.csv")
    one_sentence("twice", consensus.read_ratings, study)


@every_time
@given(some.binary(max_size=200), some.booleans())
def test_any_bytes_are_read_or_refused_in_one_sentence(tmp_path_factory, content, headed):
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "ratings").mkdir()
    (folder / "ratings" / "any.csv").write_bytes(HEAD.encode() + content if headed else content)
    try:
        assert consensus.read_ratings(Study(folder, consensus.STATEMENTS, GROUPS, Rule())) == []
    except DataError as refused:
        assert str(refused) and "\n" not in str(refused)


def test_a_file_that_is_no_csv_is_not_passed_over(study):
    put(study, HEAD + GOOD, "ONE.CSV")
    put(study, "", ".DS_Store")
    assert len(consensus.read_ratings(study)) == 1
    put(study, "", "answers.xlsx")
    one_sentence("is no CSV file", consensus.read_ratings, study)


def test_no_answers_is_said(study):
    one_sentence("no answers yet", consensus.read_ratings, study)
    put(study, HEAD + GOOD)
    one_sentence("no answers of round 2", consensus.report, study)
    assert not (study.folder / "report").exists()


def test_a_formula_goes_out_and_comes_back_as_text(study):
    rating = Rating("P01", "Data owners", 1, "S01", 7, '=HYPERLINK("http://example.org")')
    path = consensus.write_ratings([rating], study, "one.csv")
    with open(path, encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1][5].startswith("'=")
    assert consensus.read_ratings(study) == [rating]


# The rule is fixed ----------------------------------------------------------------------------------------


def test_a_rule_changed_in_its_file_is_refused(study):
    path = study.folder / "rule.json"
    path.write_text(path.read_text().replace('"high": 70', '"high": 60'))
    one_sentence("changed after they were fixed", consensus.load, study.folder)


def test_a_statement_changed_is_refused(study):
    path = study.folder / "statements.csv"
    path.write_text(path.read_text().replace("S01,A named", "S01,Some"))
    one_sentence("changed after they were fixed", consensus.load, study.folder)


def test_another_rule_with_its_own_fingerprint_is_refused_after_round_1(study, tmp_path):
    put(study, HEAD + "".join(f"P{i:02d},Data owners,1,S01,7,,\n" for i in range(3)))
    consensus.feedback(study)
    other = consensus.new(tmp_path / "other", rule="eighty")
    (study.folder / "rule.json").write_text((other.folder / "rule.json").read_text())
    one_sentence("changed after round 1", consensus.load, study.folder)


def test_answers_carry_the_rule_they_were_given_under(study, tmp_path):
    other = consensus.new(tmp_path / "other", rule="eighty")
    consensus.write_ratings([Rating("P01", "Data owners", 1, "S01", 7)], other, "one.csv")
    put(study, (other.folder / "ratings" / "one.csv").read_bytes())
    one_sentence("under another rule", consensus.read_ratings, study)
    assert study.fingerprint != other.fingerprint and study.fingerprint in consensus.form(study)


def test_answers_changed_after_feedback_are_noted(study):
    rows = [f"P{i:02d},Data owners,{{}},S01,7,,\n" for i in range(12)]
    path = put(study, HEAD + "".join(row.format(1) for row in rows))
    consensus.feedback(study)
    put(study, HEAD + "".join(row.format(2) for row in rows), "second.csv")
    assert consensus.report(study)["round_1_as_in_feedback"] is True
    path.write_text(path.read_text().replace("P03,Data owners,1,S01,7", "P03,Data owners,1,S01,2"))
    said = consensus.report(study, study.folder / "again")
    assert said["round_1_as_in_feedback"] is False
    assert "Careful: the answers of round 1" in (study.folder / "again" / "report.html").read_text()


@pytest.mark.parametrize(
    "text, said",
    [
        ("id,statement\nS1,One\nS1,Two\n", "there twice"),
        ("id,statement\nS1,\n", "has no statement"),
        ("id,statement\nS 1,One\n", "letters and figures"),
        ("id,statement\n", "holds no statement"),
        ("number,statement\n1,One\n", "'id'"),
    ],
)
def test_odd_statements_get_one_sentence(tmp_path, text, said):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    one_sentence(said, consensus.read_statements, path)


def test_nothing_is_written_over(study):
    put(study, HEAD + "".join(f"P{i},Data owners,{turn},S01,7,,\n" for i in range(3) for turn in (1, 2)))
    for step in (consensus.feedback, consensus.report):
        step(study)
        before = {path: path.read_bytes() for path in study.folder.rglob("*") if path.is_file()}
        one_sentence("nothing is written over", step, study)
        assert {path: path.read_bytes() for path in study.folder.rglob("*") if path.is_file()} == before
    one_sentence("nothing is written over", consensus.new, study.folder)


def test_a_damaged_note_of_round_1_is_refused(study):
    (study.folder / "after-round-1.json").write_text("[1]")
    one_sentence("after-round-1.json is not whole", consensus.load, study.folder)


def test_a_folder_that_is_no_study(tmp_path):
    one_sentence("holds no rule.json", consensus.load, tmp_path)
    (tmp_path / "rule.json").write_text("{")
    one_sentence("cannot be read as JSON", consensus.load, tmp_path)
    (tmp_path / "rule.json").write_text("[]")
    one_sentence("not whole", consensus.load, tmp_path)


# The simulated panel --------------------------------------------------------------------------------------


def test_the_panel_is_the_same_for_the_same_seed():
    assert consensus.simulate(seed=3) == consensus.simulate(seed=3) != consensus.simulate(seed=4)
    ratings = consensus.simulate(seed=3)
    assert all(1 <= one.score <= 9 and one.participant.startswith("SIM-") for one in ratings)
    assert consensus._people(ratings, 2) <= consensus._people(ratings, 1)


def test_feedback_draws_a_conforming_panel_together_and_not_another():
    def spread(conformity):
        panel = [consensus.SimulatedGroup("A", 40, conformity=conformity)]
        ratings = consensus.simulate(panel=panel, seed=5)
        found = {
            turn: [consensus._scores(ratings, turn, one)["A"] for one in consensus.STATEMENTS]
            for turn in (1, 2)
        }
        return np.mean([np.std(scores) for scores in found[2]]) / np.mean([np.std(s) for s in found[1]])

    assert spread(0.9) < 0.6 < 0.9 < spread(0.0)


def test_a_group_that_leans_down_scores_lower():
    panel = [consensus.SimulatedGroup("A", 30, lean=1.5), consensus.SimulatedGroup("B", 30, lean=-1.5)]
    means = [
        np.mean([one.score for one in consensus.simulate(panel=panel, seed=seed) if one.group == group])
        for seed in range(5)
        for group in "AB"
    ]
    assert all(high > low for high, low in zip(means[::2], means[1::2], strict=True))


# Pages ----------------------------------------------------------------------------------------------------


class Shape(HTMLParser):
    """What a page is made of, as far as a reader with assistive technology meets it."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.headings, self.ids, self.addresses = [], [], [], []
        self.labels, self.controls, self.heads, self.captions = set(), [], [], 0
        self.lang = None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        has = dict(attributes)
        self.tags.append(tag)
        self.ids += [has["id"]] if "id" in has else []
        self.addresses += [has[name] for name in ("src", "href", "action") if name in has]
        if tag == "html":
            self.lang = has.get("lang")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "label" and "for" in has:
            self.labels.add(has["for"])
        if tag in ("input", "select", "textarea") and has.get("type") != "radio" and "aria-label" not in has:
            self.controls.append(has.get("id"))
        if tag == "th":
            self.heads.append(has.get("scope"))


def check_structure(html):
    shape = Shape(html)
    assert shape.lang == "en-GB" and shape.tags.count("title") == shape.tags.count("main") == 1
    assert shape.headings[0] == 1 and shape.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(shape.headings))
    assert len(shape.ids) == len(set(shape.ids))
    assert set(shape.controls) <= shape.labels
    assert all(scope in ("col", "row") for scope in shape.heads)
    assert shape.tags.count("fieldset") == shape.tags.count("legend")
    assert all(address.startswith("#") for address in shape.addresses), "a page must ask nobody"
    assert not re.search(r"url\(|@import|fetch\(|XMLHttp|sendBeacon|WebSocket|localStorage", html)
    return shape


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study that has been through both rounds, by a panel that is made up."""
    folder = tmp_path_factory.mktemp("finished") / "study"
    assert consensus.main(["simulate", str(folder), "--seed", "7"]) == 0
    study = consensus.load(folder)
    consensus.feedback(study)
    consensus.report(study)
    return study


def test_the_report_has_a_sound_structure(finished):
    html = (finished.folder / "report" / "report.html").read_text(encoding="utf-8")
    shape = check_structure(html)
    assert shape.tags.count("table") == shape.tags.count("caption") >= 6
    first = html.index("Simulated: nobody in this report is real. Not ready: 20 of 20")
    assert first < html.index("<h2>")
    assert html.count("Gap: ") == len(consensus.GAPS)


def test_the_report_is_the_same_in_all_three_forms(finished):
    folder = finished.folder / "report"
    said = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    html = (folder / "report.html").read_text(encoding="utf-8")
    with open(folder / "results.csv", encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["round"] == "2" and row["who"] == "Everyone"]
    assert {row["statement"]: row["verdict"] for row in rows} == said["verdicts"]
    for statement, verdict in said["verdicts"].items():
        assert f"{statement}. {finished.statements[statement]}</th>" in html and verdict in (
            IN,
            OUT,
            UNDECIDED,
        )
    assert (
        said["verdicts"]
        == consensus.by_rule(consensus.read_ratings(finished), finished.statements)["seventy"]
    )


def test_no_file_of_the_report_holds_scores_of_a_small_group(finished):
    small = GROUPS[3]
    said = json.loads((finished.folder / "report" / "report.json").read_text(encoding="utf-8"))
    for row in said["results"]["1"] + said["results"]["2"]:
        if row["who"] == small:
            assert set(row) <= {"statement", "who", "n", "shown", "third"} and row["n"] < 10
    for path in (finished.folder / "report").iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"SIM-\d", text) and "Simulated reason" not in text


def test_answering_the_gaps_makes_the_report_ready(finished, tmp_path):
    path = finished.folder / "details.csv"
    before = path.read_text(encoding="utf-8")
    try:
        rows = [(*gap, "Written <by> a person.") for gap in consensus.GAPS]
        path.unlink()
        forms.write_csv(path, ("item", "question", "answer"), rows)
        said = consensus.report(finished, tmp_path / "ready")
        html = (tmp_path / "ready" / "report.html").read_text(encoding="utf-8")
        assert said["gaps"] == [] and "Not ready" not in html and "Gap: " not in html
        assert "Written &lt;by&gt; a person." in html
        path.write_text("item,answer\nColour,blue\n", encoding="utf-8")
        one_sentence("is no item", consensus.report, finished, tmp_path / "odd")
    finally:
        path.write_text(before, encoding="utf-8")


def test_a_feedback_page_shows_ones_own_scores_and_nobody_elses_code(finished):
    pages = sorted((finished.folder / "round-2").glob("*.html"))
    ratings = [one for one in consensus.read_ratings(finished) if one.round == 1]
    assert {page.stem.removesuffix("-round-2") for page in pages} == consensus._people(ratings, 1)
    for page in random.Random(0).sample(pages, 3):
        html = page.read_text(encoding="utf-8")
        check_structure(html)
        assert set(re.findall(r"SIM-\d+", html)) == {page.stem.removesuffix("-round-2")}
        own = [one.score for one in ratings if page.stem == f"{one.participant}-round-2"]
        assert [int(score) for score in re.findall(r"Your score in round 1 was (\d)", html)] == own
        assert html.count("How everyone scored") == len(finished.statements)
        assert "The middle score is in" in html and "Simulated reason" in html


def test_what_people_write_is_shown_as_text(tmp_path):
    mine = tmp_path / "mine.csv"
    mine.write_text("id,statement\nA1,<script>alert(1)</script> & more\n")
    study = consensus.new(tmp_path / "study", statements=mine, groups=["R&D <1>", "B"])
    put(study, "participant;group;round;statement id;rating;reason\nP1;R&D <1>;1;A1;7;<img src=x>\n")
    html = (consensus.feedback(study) / "P1-round-2.html").read_text(encoding="utf-8")
    assert "<script>alert" not in html and "<img" not in html and "&lt;img src=x&gt;" in html
    check_structure(html)


def test_the_form_has_a_sound_structure(study):
    html = (study.folder / "form.html").read_text(encoding="utf-8")
    shape = check_structure(html)
    assert shape.tags.count("fieldset") == 12 and html.count('<input type="radio"') == 12 * 10
    assert all(f"{statement}. " in html for statement in study.statements)
    assert "default-src 'none'" in html and "<noscript>" in html


@pytest.mark.parametrize("width, scheme", [(1280, "light"), (1280, "dark"), (320, "light"), (320, "dark")])
def test_pages_meet_wcag_in_a_browser(browser, finished, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab = context.new_page()
    person = next(iter((finished.folder / "round-2").glob("*.html")))
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    for path in (finished.folder / "form.html", person, finished.folder / "report" / "report.html"):
        tab.goto(path.as_uri())
        tab.evaluate("document.getElementById('errors')?.removeAttribute('hidden')")
        assert accessibility_faults(tab) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
    assert all(url.startswith(("file:", "blob:")) for url in asked)


def test_the_form_is_filled_by_keyboard_and_its_file_is_read(browser, study):
    context = browser.new_context(accept_downloads=True)
    tab = context.new_page()
    tab.goto((study.folder / "form.html").as_uri())
    save = tab.get_by_role("button", name="Save my answers as a file")
    save.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#errors li").count() == 2 + len(study.statements)
    assert tab.evaluate("document.activeElement.id") == "errors"
    tab.locator("#errors a").first.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "participant"
    tab.keyboard.type("P-09")
    tab.keyboard.press("Tab")
    tab.keyboard.type("Governance")
    for _ in study.statements:
        tab.keyboard.press("Tab")  # into the scores: nothing is chosen yet
        if tab.evaluate("document.activeElement.tagName") == "SUMMARY":
            tab.keyboard.press("Tab")
        tab.keyboard.press("Space")
        tab.keyboard.press("ArrowRight")
        tab.keyboard.press("Tab")
        tab.keyboard.type('=1+1 "quoted", café')
    save.focus()
    with tab.expect_download() as download:
        tab.keyboard.press("Enter")
    assert download.value.suggested_filename == "round-1-P-09.csv"
    download.value.save_as(study.folder / "ratings" / "round-1-P-09.csv")
    assert tab.evaluate("document.activeElement.id") == "saved"
    context.close()
    ratings = consensus.read_ratings(study)
    assert [one.statement for one in ratings] == list(study.statements)
    assert {(one.participant, one.group, one.round, one.score, one.reason) for one in ratings} == {
        ("P-09", "Governance and legal", 1, 2, '=1+1 "quoted", café')
    }


# The command and the book ---------------------------------------------------------------------------------


def test_the_command_goes_through_all_steps(tmp_path, capsys):
    where = ["--in", str(tmp_path)]
    assert consensus.main([*where, "simulate", "mine", "--rule", "eighty"]) == 0
    assert consensus.main([*where, "feedback", "mine"]) == 0
    assert consensus.main([*where, "report", "mine", "--to", "first"]) == 0
    said = capsys.readouterr().out
    assert "at least 80%" in said and "Not ready" in said and "one for each person" in said
    assert (tmp_path / "first" / "report.html").exists()
    assert consensus.main([*where, "report", "mine", "--to", "first"]) == 1
    assert capsys.readouterr().out.count("\n") == 1
    assert consensus.main([*where, "new", "other", "--rule", "most"]) == 1
    assert consensus.main([*where, "new", "other", "--groups", "A;A"]) == 1
    assert not (tmp_path / "other").exists()
    assert consensus.main([*where, "new", "other", "--groups", "A;B"]) == 0
    assert consensus.load(tmp_path / "other").groups == ("A", "B")


def test_the_course_hands_the_command_on(monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr(tasks, "ready_python", lambda: "python")
    monkeypatch.setattr(tasks, "run_python", lambda python, arguments: called.append(arguments) or 0)
    monkeypatch.chdir(tmp_path)
    assert tasks.consensus(["new", "mine"]) == 0
    assert called == [["-m", "course.consensus", "--in", str(tmp_path), "new", "mine"]]


@pytest.mark.parametrize("part", consensus.PARTS)
def test_the_parts_of_the_page_are_whole(part):
    html = consensus.PARTS[part]()
    assert html.count("<table") == html.count("<caption>") >= 1 and html == consensus.PARTS[part]()


def test_rules_differ_on_the_same_scores():
    verdicts = consensus.by_rule(consensus.simulate(), consensus.STATEMENTS)
    assert len({tuple(found.values()) for found in verdicts.values()}) > 1
