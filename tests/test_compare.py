"""The comparison: what it asks, what it measures, and that a run can be interrupted and carried on."""

from __future__ import annotations

import contextlib
import json
import platform

import pandas as pd
import pytest

from course import data, generate
from course.compare import run
from course.compare.figures import ATTACKS, MEANING, Judge, one_sentence, orphans, rules
from course.compare.questions import ask, parentless, smaller
from course.compare.run import Unit
from course.compare.store import code_hash, code_of, key, rounded

# ------------------------------------------------------------------------------ what is asked


@pytest.mark.parametrize("dataset", data.names())
def test_every_data_set_is_asked_about_tables_and_links(dataset):
    for shape in ("table", "linked"):
        question = ask(dataset, shape)
        assert question.shape == shape and question.target not in question.keys
        judged = question.judged(data.load(dataset).training)
        assert list(judged.columns) == question.schema.columns
        assert {question.group, question.outcome, *question.together} <= set(judged.columns)
        assert {*question.keys, question.target} <= set(question.known(judged).columns)
        estimate = question.finding(judged)
        assert estimate.low < estimate.value < estimate.high and not estimate.low <= 0 <= estimate.high


@pytest.mark.parametrize("dataset", ["pupils", "admissions"])
def test_histories_are_judged_by_one_row_for_each_person(dataset):
    question, opened = ask(dataset, "history"), data.load(dataset)
    name, person, _ = question.history
    judged = question.judged(opened.training)
    assert len(judged) == opened.training[name][person].nunique()
    assert set(question.schema.columns) == set(judged.columns)


@pytest.mark.parametrize("dataset", data.names())
def test_the_smaller_part_keeps_its_keys(dataset):
    opened = data.load(dataset)
    part, root = smaller(opened.training, opened.schemas), parentless(opened.schemas)
    assert len(part[root]) == len(opened.training[root]) // 2
    assert orphans(part, opened) == 0
    assert 2500 < len(ask(dataset, "table").judged(part)) < 4500


def test_the_truth_is_what_the_simulation_was_told(monkeypatch):
    monkeypatch.setattr(data, "names", lambda: ["claims"])
    truth, told = run.truths(), data.load("claims").truth
    gap = told["arrears_rate_uc_renters"] - told["arrears_rate_other_renters"]
    assert truth["claims table"]["value"] == pytest.approx(gap, abs=0.01)


# ------------------------------------------------------------------------------ what is measured


@pytest.fixture(scope="module")
def judge():
    return Judge(ask("claims"))


def test_a_copy_is_the_likest_and_gives_everybody_away(judge):
    found = judge.judge_copy()
    assert set(MEANING) | {"risks", "finding", "notes", "rows"} == set(found)
    for distance in ("columns", "pairs", "pmse", "group"):
        assert found[distance] == [0]
    assert found["overlap"] == [1] and found["notes"] == []
    assert set(found["risks"]) == set(ATTACKS)
    for name, risk in found["risks"].items():
        assert risk["low"] > 0.6, name


def test_real_people_are_neither_alike_nor_given_away(judge):
    found = judge.judge_control()
    for distance in ("columns", "pairs", "group"):
        assert 0 < found[distance][0] < 0.2, distance
    assert 1.2 < found["pmse"][0] < 3, "a fresh sample of real people gives about 2"
    for name, risk in found["risks"].items():
        assert risk["low"] <= 0 and {"training", "control", "worst_training", "worst_control"} <= set(risk), (
            name
        )


def test_single_columns_alone_lose_the_finding_and_the_pairs(judge):
    model = generate.fit("marginal", judge.training, judge.question.schema)
    made = [model.sample(len(judge.training), seed) for seed in run.SEEDS]
    lost, real = judge.judge(made), judge.judge_control()
    assert max(lost["columns"]) < 0.1 and min(lost["pairs"]) > 2 * real["pairs"][0]
    assert max(lost["overlap"]) < 0 and min(lost["pmse"]) > 10
    assert 0 < lost["rules"]["broken"] < 1 and lost["rules"]["held"] < lost["rules"]["asked"]


def test_what_cannot_be_worked_out_is_none_with_a_sentence(judge):
    broken = judge.training.assign(universal_credit="QQ", arrears="QQ", area_code=pd.NA)
    found = judge.judge([broken])
    assert found["finding"] is None and found["overlap"] is None
    assert found["risks"]["singling out"] is None and found["columns"][0] > 0.1
    assert len(found["notes"]) >= 2 and all(note.endswith((".", "...")) for note in found["notes"])


def test_keys_that_lead_nowhere_and_rules_that_break_are_counted():
    claims = data.load("claims")
    tables = smaller(claims.training, claims.schemas)
    lost = {**tables, "claims": tables["claims"].assign(household_id="HH0000000")}
    assert orphans(lost, claims) == 1
    assert orphans({"claims": tables["claims"]}, claims) is None
    assert rules(tables, claims)["held"] == rules(tables, claims)["asked"] == len(claims.rules)
    wrong = {**tables, "households": tables["households"].assign(people=1, household_type="CDC")}
    assert rules(wrong, claims)["worst"] == "people-fit-type" and rules(wrong, claims)["worst_share"] == 1


def test_what_went_wrong_is_one_sentence_without_places():
    said = one_sentence(ValueError("It failed\n in  /home/somebody/course/x.py at line 3"))
    assert said == "It failed in …/x.py at line 3."
    assert len(one_sentence(ValueError("word " * 200))) <= 300


# ------------------------------------------------------------------------------ the store


@pytest.fixture
def kept(tmp_path):
    return run.store(tmp_path / "results.json")


def entry(generator, **more):
    return {
        "generator": generator,
        "dataset": "claims",
        "shape": "table",
        "key": "k",
        "status": "done",
        **more,
    }


def test_each_unit_stands_once_with_what_made_it(kept):
    kept.add(entry("cart", value=1), {"date": "1"})
    kept.add(entry("copula", value=float("nan")), {"date": "1"})
    kept.add(entry("cart", value=2.000000004), {"date": "2"})
    stored = kept.read()
    assert [(unit["generator"], unit["value"]) for unit in stored["units"]] == [("cart", 2), ("copula", None)]
    assert [stored["runs"][unit["run"]]["date"] for unit in stored["units"]] == ["2", "1"]
    kept.add(entry("copula", value=1), {"date": "2"})
    assert len(kept.read()["runs"]) == 1, "what made nothing that stands is not kept"


def test_an_interrupt_leaves_the_last_whole_file(kept, monkeypatch):
    kept.add(entry("cart"), {})
    before = kept.path.read_text()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kept.add(entry("copula"), {})
    assert kept.path.read_text() == before and len(json.loads(before)["units"]) == 1


def test_numbers_are_short_and_blanks_are_none():
    assert rounded({"a": [1.23456789, float("nan")], "b": (True, 3, "x", None)}) == {
        "a": [1.2346, None],
        "b": [True, 3, "x", None],
    }


def test_the_key_follows_code_and_options_and_not_comments(tmp_path):
    file = tmp_path / "code.py"
    hashes = []
    for text in (
        "x = 1\n",
        '"""Words."""\nx = 1  # a comment\n',
        'def f():\n    """Words."""\n    return 1\n',
    ):
        file.write_text(text)
        hashes.append(code_hash(file))
    file.write_text('def f():\n    """Other words."""\n\n    return 1\n')
    assert code_hash(file) == hashes[2] and len(set(hashes)) == 3
    assert key("cart", [], {"a": 1}) != key("cart", [], {"a": 2}) != key("copula", [], {"a": 2})
    assert {"copula.py", "marginal.py", "base.py"} <= {path.name for path in code_of("copula")}


# ------------------------------------------------------------------------------ the run


def test_a_run_goes_on_after_a_failure_and_carries_on_after_an_interrupt(kept, judge, monkeypatch):
    monkeypatch.setattr(run, "truths", dict)
    monkeypatch.setattr(run.Judges, "of", lambda self, unit: judge)
    monkeypatch.setattr(run, "OPTIONS", {"cart": {"min_leaf": 0}})
    said = []

    def say(text, **_):
        said.append(text)

    todo = [Unit(name, "claims", "table") for name in ("control", "cart", "marginal")]
    assert run.run(todo[:2], kept, again=False, seconds=60, mib=4000, say=say) == 1
    failed = kept.find(**todo[1].name)
    assert failed["status"] == "failed" and failed["why"].startswith("The least number of rows in a leaf")
    said.clear()
    assert run.run(todo, kept, again=False, seconds=60, mib=4000, say=say) == 0
    assert said[0].startswith("3 units, of which 2 stand") and "marginal on claims" in " ".join(said)
    found = kept.find(**todo[2].name)
    assert found["status"] == "done" and found["peak_mib"] > 50 and found["seconds"]["fitting"] >= 0
    assert len(found["columns"]) == len(found["rows"]) == len(run.SEEDS)
    said.clear()
    assert run.run(todo, kept, again=False, seconds=60, mib=4000, say=say) == 0 and len(said) == 1
    text = kept.path.read_text()
    assert str(run.ROOT) not in text and platform.node() not in text


def test_a_limit_is_said_and_tried_again_only_when_it_is_wider(judge):
    unit = Unit("cart", "claims", "table")
    with contextlib.closing(run.Host()) as host:
        result = run.run_unit(unit, judge, host, seconds=0.05)
        memory = run.run_unit(unit, judge, host, mib=20)
    assert result["status"] == "limit" and "did not finish in 0.05 s" in result["why"]
    assert run.done(result, unit, 0.05, run.MIB) and run.done(result, unit, 0.01, run.MIB)
    assert not run.done(result, unit, 1, run.MIB)
    assert not run.done({**result, "key": "another"}, unit, 0.05, run.MIB)
    assert memory["status"] == "limit" and "more than 20 MiB" in memory["why"]


def test_where_processes_cannot_be_split_off_each_unit_starts_its_own(judge, monkeypatch):
    monkeypatch.delattr("os.fork")
    with contextlib.closing(run.Host()) as host:
        result = run.run_unit(Unit("marginal", "claims", "table"), judge, host)
    assert result["status"] == "done" and result["notes"] == []


def test_every_generator_is_in_the_run():
    listed = {(unit.generator, unit.dataset) for unit in run.units()}
    for dataset in data.names():
        assert {(name, dataset) for name in generate.names()} <= listed
