"""The comparison: what it asks, what it measures, and that a run can be interrupted and carried on."""

from __future__ import annotations

import contextlib
import json
import platform
import re
import warnings

import numpy as np
import pandas as pd
import pytest

from course import compare, data, generate
from course.compare import leaks, measures, page, peers, run, scale
from course.compare.figures import ATTACKS, MEANING, Judge, one_sentence, orphans, rules
from course.compare.questions import ask, parentless, smaller
from course.compare.run import Unit
from course.compare.store import code_hash, code_of, key, rounded
from course.measure import fidelity

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

    monkeypatch.setattr("os.replace", interrupted)
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


# ------------------------------------------------------------------------------ the benchmark


def test_the_table_of_the_benchmark_has_ten_columns_and_no_blanks():
    table, schema = scale.table(500)
    assert table.shape == (500, 10) and list(table) == schema.columns and not table.isna().any().any()
    assert table.equals(scale.table(500)[0])
    real = data.load("claims").training["households"]
    assert fidelity.total_variation(real["tenure"], table["tenure"]) < 0.1


def test_the_growth_exponent_is_a_slope():
    sizes = [1_000, 10_000, 100_000]
    assert scale.exponent(sizes, [n**1.5 for n in sizes]) == pytest.approx(1.5)
    assert scale.exponent(sizes, [0.001, 0.002, 5.0]) is None, "one time that can be read is no slope"


def test_a_peer_does_the_same_job():
    table, schema = scale.table(800)
    made = peers.Copulas().fit(table, schema).sample(800, 1)
    likeness = scale.likeness(table, made, schema)
    assert likeness["columns"] < 0.2 and set(made["tenure"]) <= set(table["tenure"])


def test_the_benchmark_is_kept_and_larger_sizes_are_not_tried_in_vain(tmp_path):
    kept, said = scale.store(tmp_path / "scale.json"), []
    todo = [scale.Unit("cart", rows) for rows in (1_000, 10_000)]

    def say(text, **_):
        said.append(text)

    assert scale.run(todo, kept, again=False, seconds=0.001, mib=4000, say=say) == 2
    first, second = (kept.find(**unit.name) for unit in todo)
    assert first["status"] == "limit" and second["status"] == "skipped" and "1,000 rows" in second["why"]
    assert scale.run(todo, kept, again=True, seconds=60, mib=4000, say=say) == 0
    found = kept.find(**todo[1].name)
    assert found["columns"] < 0.1 and scale.clocked(found) > 0 and found["takes"] >= 1


# ------------------------------------------------------------------------------ reading and choosing


def fake(generator, dataset="claims", **more):
    good = {"shape": "table", "status": "done", "seconds": 1.0, "overlap": 0.8, "missed": 0.3, "group": 0.1}
    risks = {f"{attack}{part}": 0.0 for attack in ATTACKS for part in ("", "_low", "_high")}
    good |= {**risks, "rules_broken": 0.0, "rules_worst": "a-rule", "orphans": None, "why": None}
    return {"generator": generator, "dataset": dataset, **good, **more}


def test_choosing_names_what_stands_against_each():
    results = pd.DataFrame(
        [
            fake("control"),
            fake("structural", overlap=None),
            fake("cart", membership_low=0.02, membership=0.1),
            fake("copula", overlap=0.59),
            fake("marginal", missed=1.1, group=0.21),
            fake("sdv-ctgan", seconds=70.0, rules_broken=0.2),
            fake("synthcity-aim", status="limit", why="It did not finish in 60 s."),
            fake("sdv-hma", shape="linked", orphans=0.1),
            fake("parent-child", shape="linked", orphans=0.0),
            fake("markov", shape="history"),
        ]
    )

    def against(**needs):
        chosen = compare.choose(results, **needs).set_index("generator")
        assert "control" not in chosen.index
        assert (chosen["qualifies"] == "yes").sum() == chosen["qualifies"].tolist().index("no"), (
            "yes comes first"
        )
        return chosen.loc[chosen["qualifies"] == "no", "reasons"].to_dict()

    shapes = {"sdv-hma", "parent-child", "markov", "synthcity-aim"}
    assert set(against()) == shapes and "did not finish" in against()["synthcity-aim"]
    assert set(against(linked=True)) >= {"sdv-hma", "cart"} and "parent-child" not in against(linked=True)
    assert "markov" not in against(history=True)
    assert "70.0 s" in against(seconds=60)["sdv-ctgan"] and "cart" not in against(seconds=60)
    assert set(against(no_record=True)) >= {"cart", "copula"} and "structural" not in against(no_record=True)
    lost = against(finding=True)
    assert (
        set(lost) == shapes | {"structural", "copula", "marginal"} and "cannot be made" in lost["structural"]
    )
    assert "2.1 times" in {**against(groups=True)}["marginal"] and "copula" not in against(groups=True)
    assert "a-rule" in against(rules=True)["sdv-ctgan"]
    assert set(against(outside=True)) == shapes | {"cart"} and "membership" in against(outside=True)["cart"]
    assert {"cart", "copula"} <= set(against(guarantee=True))
    assert against(finding=True, outside=True).keys() == lost.keys() | {"cart"}


def test_ranks_place_only_what_was_measured_everywhere():
    pairs = [("cart", 0.1, 0.3), ("copula", 0.2, 0.2), ("marginal", 0.3, None), ("control", 0.0, 0.0)]
    results = pd.DataFrame(
        [
            fake(name, dataset, pairs=pair)
            for name, *both in pairs
            for dataset, pair in zip("ab", both, strict=True)
        ]
    )
    places = compare.ranks(results, "pairs")
    assert places.to_dict() == {"a": {"cart": 1, "copula": 2}, "b": {"cart": 2, "copula": 1}}
    assert compare.ranks(results, "pairs", best="high")["a"]["copula"] == 1


# ------------------------------------------------------------------------------ the stored run and its page


@pytest.fixture(scope="module")
def stored():
    return compare.load()


def test_the_stored_run_says_what_made_it_and_where_it_was_not(stored):
    text = compare.RESULTS.read_text(encoding="utf-8")
    assert str(run.ROOT) not in text and "/home/" not in text and platform.node() not in text
    runs = json.loads(text)["runs"]
    assert all(
        {"date", "packages", "lock", "processor", "truth", "seeds"} <= set(made) for made in runs.values()
    )
    failed = stored[stored["status"] != "done"]
    assert failed["why"].str.len().min() > 10 if len(failed) else True
    copies = stored[stored["generator"] == "copy"]
    assert (copies["pairs"] == 0).all()
    histories = copies["shape"] == "history"  # few people have keys of their own there: a wider interval
    assert copies.loc[~histories, "singling out_low"].min() > 0.9
    assert (
        copies.loc[histories, "singling out"].min() > 0.9
        and copies.loc[histories, "singling out_low"].min() > 0.8
    )


@pytest.mark.parametrize("part", page.PARTS)
def test_each_part_of_the_page_is_made_from_what_is_stored(part):
    html = page.PARTS[part]()
    assert html.startswith("<") and "nan" not in re.sub(r"<[^>]*>", " ", html).lower().split()
    assert html.count("<table") == html.count("<caption>")


def test_the_charts_state_their_finding():
    for figure, caption in page.charts():
        alt = figure["layout"]["meta"]["alt"]
        assert alt.endswith(".") and re.search(r"finds more than chance on \d+ of \d+ generators", alt)
        assert "<table" in caption


# ------------------------------------------------------------------------------ the measures, tried


def test_a_planted_leak_is_what_it_says():
    training, control, clean = leaks.people(1)
    rows = {tuple(row) for row in training.astype(str).to_numpy()}

    def made(plant):
        table = leaks.PLANTS[plant](training, clean, np.random.default_rng(1))
        assert list(table) == list(clean) and len(table) == len(clean)
        return table, sum(tuple(row) in rows for row in table.astype(str).to_numpy())

    copies = {plant: made(plant)[1] for plant in leaks.PLANTS}
    assert copies["clean"] == 0 and copies["5% copied"] == 50 and copies["50% copied"] == 500
    assert copies["30% copied with noise"] < 60 and copies["one famous household"] == 1
    assert 2 <= copies["a rare cell"] <= 15
    assert training["weekly_income"].max() in set(made("one famous household")[0]["weekly_income"])
    leaked = made("one column")[0]["weekly_income"]
    assert leaked.isin(training["weekly_income"]).mean() > 0.3 > leaked.isin(control["weekly_income"]).mean()


def test_a_score_without_a_test_flags_what_is_worse_than_every_clean_twin(tmp_path, monkeypatch):
    kept = leaks.store(tmp_path / "leaks.json")
    values = {("clean", 1): 0.9, ("clean", 2): 0.8, ("5% copied", 1): 0.85, ("5% copied", 2): 0.7}
    for (plant, seed), value in values.items():
        found = {
            "score": {"value": value, "worse": "lower"},
            "tested": {"value": value, "flag": value < 0.75},
            "broken": {"value": None, "why": "It stopped."},
        }
        kept.add({"plant": plant, "seed": seed, "key": "k", "found": found}, {"date": "today"})
    monkeypatch.setattr(leaks, "store", lambda: kept)
    table = leaks.caught()
    assert table.loc["score"].to_dict() == table.loc["tested"].to_dict() == {"clean": 0, "5% copied": 1}
    assert "broken" not in table.index and "It stopped." in page.leaks_stopped()


def test_our_report_catches_the_least_planted_leak_and_clears_its_clean_twin():
    training, control, clean = leaks.people(7)
    planted = leaks.PLANTS["5% copied"](training, clean, np.random.default_rng(7))
    whole = "course: the risk report, as a whole"
    assert leaks.ours(training, control, planted, 7)[whole]["flag"]
    assert not leaks.ours(training, control, clean, 7)[whole]["flag"]


def test_people_repeated_are_caught_by_their_copies_and_singling_out_says_that_it_tried_nobody():
    training, control, clean = leaks.people(7)
    plant = leaks.PLANTS["a fifth of the people, five times each"]
    made = plant(training, clean, np.random.default_rng(7))
    assert len(made) == len(clean) and (made.value_counts(dropna=False) >= 5).all()
    found = leaks.ours(training, control, made, 7)
    assert found["course: the risk report, as a whole"]["flag"]
    assert "course: Singling out" not in found


@pytest.mark.parametrize("question", measures.QUESTIONS)
def test_the_course_has_a_measure_for_each_question(question):
    tables = [scale.table(300, seed)[0] for seed in range(3)]
    tables = [table.assign(age=table["reference_age"] // 5 * 5) for table in tables]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert measures.TOOLS["course"](question)(*tables) is not None


def test_the_page_says_where_another_tool_is_faster_and_where_only_the_course_has_a_figure():
    def run(seconds, figure=True):
        return {"status": "done", "figure": figure, "seconds": {"measuring": seconds}}

    runs = {("columns", "course", 100_000): run(2.0), ("columns", "SDMetrics", 100_000): run(1.0)}
    runs |= {("pairs", "course", 100_000): run(0.1), ("pairs", "SDMetrics", 100_000): run(1.0)}
    runs |= {("pairs", "course", 1_000_000): run(1.0), ("pairs", "SDMetrics", 1_000_000): run(1.0, False)}
    far, beaten, alone = page._faster_and_slower(runs)
    assert "pairs" in far and "columns" not in far
    assert "columns (SDMetrics, 0.5 times)" in beaten and "pairs" not in beaten
    assert alone.endswith("only the course has a figure for: pairs.")


def test_a_measure_that_met_the_limit_is_not_tried_with_more_rows(tmp_path):
    kept = measures.store(tmp_path / "measures.json")
    unit = measures.Unit("copies", "SDMetrics", 10_000)
    assert measures.too_slow_before(unit, kept) is None
    smaller = measures.Unit("copies", "SDMetrics", 1_000)
    result = measures.run_unit(smaller, 0.05, 4096)
    assert result["status"] == "limit"
    kept.add({**smaller.name, "key": "k", **result}, {"date": "today"})
    assert "at 1,000 rows" in measures.too_slow_before(unit, kept)["why"]
