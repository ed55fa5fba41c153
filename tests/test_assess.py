"""Bring your own data: files as people have them end in a decision or one sentence, and are never changed."""

import json
import os
import select
import signal
import subprocess
import sys
import time

import messy
import numpy as np
import pandas as pd
import psutil
import pytest

from course import data
from course.assess import __main__ as command
from course.assess import advise, answers, ask, describe, ladder, linked
from course.assess.propose import propose
from course.assess.read import read
from course.data import DataError
from course.release import record


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("case", messy.TABLES)
def test_a_messy_file_is_read_with_its_decisions(case, tmp_path):
    name, content, said = messy.TABLES[case]
    path = written(tmp_path, name, content)
    reading = read(path)
    assert path.read_bytes() == content
    assert reading.table.shape[0] >= 5 and reading.table.shape[1] >= 2
    assert all(isinstance(column, str) and column for column in reading.table)
    assert not reading.table.columns.duplicated().any()
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in reading.decisions)
    if said:
        assert said in " ".join(reading.decisions), reading.decisions


@pytest.mark.parametrize("case", messy.REFUSED)
def test_a_file_that_is_no_table_gets_one_sentence(case, tmp_path):
    name, content, said = messy.REFUSED[case]
    path = written(tmp_path, name, content)
    with pytest.raises(DataError) as refused:
        read(path)
    sentence = str(refused.value)
    assert said in sentence and sentence.endswith(".") and "\n" not in sentence
    assert path.read_bytes() == content


SAME = {
    "no newline at the end", "windows line ends", "old mac line ends", "byte order mark", "windows-1252",
    "utf-16", "utf-16 without its mark", "utf-16 big end first", "semicolons", "tabs", "upright bars",
    "excel's own word for the separator", "all quoted", "decimal commas", "UK dates", "US dates",
    "dates with words", "two-digit years", "times of day", "times with a zone",
    "numbers with blanks round them", "trailing separators", "a title above", "notes below",
    "a total below", "blank lines between", "excel", "excel under another name",
    "excel with several sheets", "excel with colour far to the right", "binary excel", "open document",
    "line ends of two kinds", "parquet", "parquet with categories",
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(SAME))
def test_the_same_table_comes_out_however_it_was_written(case, tmp_path):
    name, content, _ = messy.TABLES[case]
    table = read(written(tmp_path, name, content)).table
    pd.testing.assert_frame_equal(table, messy.people(), check_dtype=False)


def column(case, name, folder):
    return read(written(folder, *messy.TABLES[case][:2])).table[name]


def test_numbers_are_read_as_people_write_them(tmp_path):
    plain = messy.people()["income"]
    for case, wanted in {
        "thousands and pounds": (plain * 30).round(2),
        "accountants' brackets": plain.where(plain >= 400, -plain),
        "minus at the end": plain.where(plain >= 400, -plain),
        "per cent": (plain / 10).round(1),
        "scientific numbers": plain,
    }.items():
        assert np.allclose(column(case, "income", tmp_path), wanted, atol=0.1), case


def test_codes_stay_text(tmp_path):
    for case in ("NHS-like numbers", "leading noughts", "codes that look like powers"):
        found = column(case, "ref", tmp_path)
        assert found.map(type).eq(str).all() and found.str.len().nunique() == 1, case


def test_marks_for_missing_are_blank_in_numbers_and_stay_in_words(tmp_path):
    ages = messy.people()["age"]
    assert column("marks for missing", "age", tmp_path).isna().sum() == (ages > 90).sum()
    words = messy.changed(benefit=lambda b: "n/a" if b == "N" else b)
    assert "n/a" in set(read(written(tmp_path, "w.csv", words)).table["benefit"])


@pytest.mark.parametrize("case", ["excel with merged headings", "old excel"])
def test_merged_headings_are_put_together(case, tmp_path):
    table = read(written(tmp_path, *messy.TABLES[case][:2])).table
    assert list(table)[:3] == ["Who ref", "Who area", "What age"] and len(table) == messy.ROWS


def test_text_that_the_library_cannot_cut_gets_one_sentence(tmp_path, monkeypatch):
    """pandas stops on some mixtures of line ends and stray bytes ("Buffer overflow caught")."""
    monkeypatch.setattr("course.assess.read._cells", lambda *_: None)
    with pytest.raises(DataError, match="cannot be cut into lines and cells"):
        read(written(tmp_path, "a.csv", messy.csv()))


def test_years_stay_headings(tmp_path):
    table = read(written(tmp_path, *messy.TABLES["years as headings"][:2])).table
    assert list(table) == ["area", "1990", "1991", "1992"] and len(table) == 60


def test_a_folder_a_missing_file_and_a_wrong_sheet_get_one_sentence(tmp_path):
    path = written(tmp_path, *messy.TABLES["excel"][:2])
    for given, sheet, words in (
        (tmp_path, None, "is a folder"),
        (tmp_path / "none.csv", None, "There is no file"),
        (path, "Sheet9", "Its sheets are: Sheet1"),
        (written(tmp_path, "b.csv", messy.csv()), "Sheet1", "not a workbook"),
    ):
        with pytest.raises(DataError, match=words):
            read(given, sheet=sheet)


def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("course.assess.read.MOST_UNPACKED", 1000)
    for case in ("excel", "binary excel", "open document"):
        with pytest.raises(DataError, match="which is too much"):
            read(written(tmp_path, *messy.TABLES[case][:2]))


def roles(table):
    return propose(table, "table").columns.set_index("column")["role"]


@pytest.mark.parametrize("name", data.names())
def test_no_identifier_and_no_sensitive_column_is_taken_for_less(name):
    """On the bundled tables, whose roles are known (and whose headings the lists of words have seen)."""
    dataset = data.load(name)
    for table, schema in dataset.schemas.items():
        proposed = propose(dataset.training[table], table)
        found = proposed.columns.set_index("column")["role"]
        assert (found[schema.of_kind("identifier")] == "identifier").all()
        assert (found[schema.quasi_identifiers] == "quasi-identifier").all()
        assert found[schema.sensitive].isin(["sensitive", "quasi-identifier"]).all()
        assert proposed.columns["reason"].str.endswith(".").all()
        data.typed(dataset.training[table], proposed.schema)


def test_direct_identifiers_and_free_text_are_known_by_their_values():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "a": [f"person{i}@example.org" for i in range(200)],
            "b": rng.choice(["943 476 5919", "9434765870"], 200),
            "c": [f"AB{i:06d}C" for i in range(200)],
            "d": [f"They said on day {i} that the letter had not come" for i in range(200)],
            "e": rng.choice(["SW1A 1AA", "LS1 4AP"], 200),
            "f": rng.normal(size=200),
        }
    )
    assert roles(table).tolist() == ["identifier"] * 3 + ["text", "quasi-identifier", "other"]


def test_a_value_on_few_rows_is_not_written_into_the_description():
    table = pd.DataFrame({"area": ["North"] * 50 + ["South"] * 50 + ["St Kilda"] * 3, "n": range(103)})
    assert list(propose(table, "table").schema.categories("area")) == ["North", "South"]


# ------------------------------------------------------------------------------ decisions and the ladder


@pytest.fixture
def brought(tmp_path):
    """A table of 300 households, read and described, and a folder with proposed answers."""
    table = (
        data.load("claims")
        .training["households"][
            ["region", "household_type", "tenure", "reference_age", "weekly_income", "arrears"]
        ]
        .head(300)
    )
    path = written(tmp_path, "homes.csv", messy.csv(table.assign(tenure="=" + table["tenure"])))
    reading = read(path)
    proposal = propose(reading.table, "homes")
    answers.write(tmp_path / "out", reading, proposal)
    return reading, proposal, tmp_path / "out"


def answer(folder, **changes):
    path = folder / answers.NAME
    given = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(given), encoding="utf-8")


DECIDED = {"purpose": "teach or try a method", "audience": "named people who sign terms"}


def test_answers_are_never_overwritten(brought):
    reading, proposal, folder = brought
    before = (folder / answers.NAME).read_bytes()
    with pytest.raises(DataError, match="is there already, and was left as it is"):
        answers.write(folder, reading, proposal)
    assert (folder / answers.NAME).read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "write the purpose first"),
        (DECIDED | {"audience": "the moon"}, "write the audience first"),
        (DECIDED | {"keys": []}, 'name at least one column under "keys"'),
        (DECIDED | {"targets": ["pay"]}, "'pay' is among the targets"),
        (DECIDED | {"keys": ["arrears"], "targets": ["arrears"]}, "among keys and targets"),
        (DECIDED | {"person": "ref"}, "which is no column"),
        (DECIDED | {"seed": "one"}, "Write a whole number"),
        (DECIDED | {"generator": "best"}, "Write null, or one of: valid"),
        (DECIDED | {"limit": 5}, "between 0 and 1, such as 0.05"),
        (DECIDED | {"limit": True}, "between 0 and 1, such as 0.05"),
        (DECIDED | {"guide": ["open-records"]}, "with curly brackets"),
        (DECIDED | {"guide": {"open-doors": "No"}}, "no question 'open-doors'"),
        (DECIDED | {"guide": {"model-tested": "Yes"}}, "no question 'model-tested'"),
        (DECIDED | {"guide": {"open-records": "Perhaps"}}, "answer 'open-records' with one of: Yes"),
        (DECIDED | {"columns": {"region": {"role": "other"}}}, "is not in it"),
        (DECIDED | {"columns": 3}, 'lacks its part "columns"'),
        (DECIDED | {"file": {"sha256": "0"}}, "about another file"),
    ],
)
def test_wrong_answers_get_one_sentence(brought, changes, words):
    reading, proposal, folder = brought
    answer(folder, **changes)
    with pytest.raises(DataError, match=words):
        answers.check(folder, reading, proposal)


def test_a_wrong_role_and_broken_json_get_one_sentence(brought):
    reading, proposal, folder = brought
    given = json.loads((folder / answers.NAME).read_text(encoding="utf-8"))
    given["columns"]["region"]["role"] = "secret"
    answer(folder, **given)
    with pytest.raises(DataError, match="'region' has no role"):
        answers.check(folder, reading, proposal)
    (folder / answers.NAME).write_text('{"columns": ', encoding="utf-8")
    with pytest.raises(DataError, match="is not whole"):
        answers.check(folder, reading, proposal)


def test_what_to_release_and_the_limit_are_kept_and_make_no_table_again(brought):
    reading, proposal, folder = brought
    answer(folder, **DECIDED)
    without = answers.check(folder, reading, proposal)
    assert without.generator is None and without.limit is None
    answer(folder, generator="ipf", limit=0.05)
    given = answers.check(folder, reading, proposal)
    assert (given.generator, given.limit) == ("ipf", 0.05) and str(given) == str(without)


GUIDE = advise.load()
SCHEMA = data.Schema("t", ({"name": "a", "type": "integer", "role": "sensitive"},))


def decided(purpose, audience, **more):
    return answers.Answers(SCHEMA, [], ["a"], None, purpose, audience, 1, **more)


@pytest.mark.parametrize("purpose", answers.PURPOSES)
@pytest.mark.parametrize("audience", answers.AUDIENCES)
def test_advice_is_that_of_the_guide_for_every_purpose_and_audience(purpose, audience):
    found = advise.advise(decided(purpose, audience))
    result = GUIDE["results"][found.result]
    assert (found.title, found.access, found.why) == tuple(
        result[part] for part in ("title", "access", "why")
    )
    assert set(advise.checks(GUIDE, result)) == set(found.checks)
    assert set(advise.gaps(GUIDE, result)) < set(found.gaps)
    assert found.verdict != "make" or found.rungs
    assert all(found.allows(rung) for rung in found.rungs)
    assert found.title in str(found) and json.loads(json.dumps(found.record()))["result"] == found.result


def test_advice_takes_a_test_only_against_a_limit_that_was_set_first():
    lent = {"serious-harm": "No, and somebody has looked"}
    for limit, highest, result in (
        (0.05, None, "test-model-first"),
        (0.05, 0.04, "named-people"),
        (0.05, 0.05, "over-the-limit"),
        (None, 0.001, "test-model-first"),
    ):
        given = decided(*DECIDED.values(), limit=limit, guide=lent)
        assert advise.advise(given, highest).result == result, (limit, highest)
    assert advise.advise(decided("teach or try a method", "anybody", guide=lent), 0.0).verdict == "refuse"


def to_release(given, advice) -> tuple[str, str]:
    """The rung that the papers are about, and who chose it, where every rung was made and attacked."""
    made = {name: {"attacks": [{}]} for name in ladder.GENERATORS}
    run = {"answers": {"generator": given.generator}, "advice": advice.record(), "generators": made}
    chosen = record.choose(run)
    return chosen.generator, chosen.chosen_by


def test_the_rung_to_release_is_the_one_chosen_or_else_the_first_advised():
    given = decided("write analysis code or train people", "anybody")
    found = advise.advise(given)
    assert (found.level, to_release(given, found)) == ("structure", ("valid", "the guide"))
    assert found.allows("valid") and not found.allows("marginal")
    say = "Yes, and somebody trained can check the counts for small numbers"
    may = decided(given.purpose, given.audience, guide={"open-records": say})
    assert to_release(may, advise.advise(may)) == ("marginal", "the guide")
    chosen = decided(given.purpose, given.audience, generator="cart")
    assert to_release(chosen, found) == ("cart", "a person") and not found.allows("cart")
    refused = decided("decide something", "anybody")
    assert to_release(refused, advise.advise(refused)) == ("valid", "nobody yet")


# ------------------------------------------------------------------------------ asked at the terminal

REPLIES = [
    *("99", "?", "tenure", "4", "", ""),  # no such column, help, a role, no more roles; each row a person
    *("region, nowhere", "1,2,4", "region", "6"),  # what is known (reference_age is 4); what is not
    *("?", "0", "3", "2", "", "200", "5"),  # purpose, audience, may somebody count (as proposed), limit
]


def typed_in(monkeypatch, replies):
    """Answer every question from a list; at its end the person presses Control-C."""
    left = iter(replies)

    def reply(question):
        try:
            return next(left)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("builtins.input", reply)
    return left


def test_questions_are_answered_by_number_and_kept(brought, monkeypatch, capsys):
    reading, proposal, folder = brought
    given = answers.load(folder, reading)
    assert ask.wanted(given)
    typed_in(monkeypatch, REPLIES)
    ask.ask(given, folder / answers.NAME)
    said = answers.check(folder, reading, proposal)
    assert said.keys == ["region", "household_type", "reference_age"] and said.targets == ["arrears"]
    assert said.schema.field("tenure")["role"] == "other" and said.person is None and said.limit == 0.05
    assert (said.purpose, said.audience) == ("write analysis code or train people", DECIDED["audience"])
    assert said.guide == {"open-records": "I do not know"}
    shown = capsys.readouterr().out
    for words in (
        "no column '99'",
        "identifier: names",
        "no column 'nowhere'",
        "known already",
        "from 1 to 8",
    ):
        assert words in shown, words
    assert "between 0 and 100" in shown and not ask.wanted(answers.load(folder, reading))


@pytest.mark.parametrize("stop", range(8))
def test_asking_goes_on_where_it_was_stopped(brought, monkeypatch, stop):
    reading, proposal, folder = brought
    asked = []

    def reply(question):
        if len(asked) == stop:
            asked.append("stopped")
            raise KeyboardInterrupt
        asked.append(question)
        return "3" if question == "Number? " else ""

    monkeypatch.setattr("builtins.input", reply)
    with pytest.raises(KeyboardInterrupt):
        ask.ask(answers.load(folder, reading), folder / answers.NAME)
    ask.ask(answers.load(folder, reading), folder / answers.NAME)
    assert len(asked) == 9 and answers.check(folder, reading, proposal).audience == answers.AUDIENCES[2]


def test_answers_given_in_the_file_are_not_asked_again(brought):
    reading, _, folder = brought
    answer(folder, **DECIDED)
    assert not ask.wanted(answers.load(folder, reading))


def test_a_terminal_is_asked_and_control_c_ends_in_one_sentence(brought):
    pty = pytest.importorskip("pty")
    _, _, folder = brought
    here, there = pty.openpty()
    command = [sys.executable, "-m", "course.assess", str(folder.parent / "homes.csv"), "--into", str(folder)]

    def as_in_a_terminal():
        os.login_tty(there)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # tests that run in the background are told to ignore it

    asked = subprocess.Popen(command, stdin=there, stdout=there, stderr=there, preexec_fn=as_in_a_terminal)
    os.close(there)
    said = ""

    def until(words, times=1):
        nonlocal said
        while said.count(words) < times:
            assert select.select([here], [], [], 60)[0], said
            said += os.read(here, 1).decode(errors="replace")

    try:
        for number, reply in enumerate((b"\n", b"\n", b"\x03"), 1):
            until("] ", number)
            # It has asked, and perhaps does not read yet. A Control-C just then is heard with the next key.
            while psutil.Process(asked.pid).status() != psutil.STATUS_SLEEPING:
                time.sleep(0.01)
            os.write(here, reply)
        until("carries on from here.")
        assert asked.wait(60) == 130
    finally:
        asked.kill()
        asked.wait()
        os.close(here)
    assert json.loads((folder / answers.NAME).read_text(encoding="utf-8"))["asked"] == ["roles", "person"]
    assert "Traceback" not in said


# ------------------------------------------------------------------------------ no data, but a description


def described(folder, text=messy.DESCRIPTION, name="t.yml"):
    return describe.read(written(folder, name, text.encode()))


@pytest.mark.parametrize("case", messy.BAD_DESCRIPTIONS)
def test_a_bad_description_gets_one_sentence(case, tmp_path):
    text, words = messy.BAD_DESCRIPTIONS[case]
    with pytest.raises(DataError) as refused:
        described(tmp_path, text)
    sentence = str(refused.value)
    assert words in sentence and sentence.endswith(".") and "\n" not in sentence


def test_a_description_gives_tables_that_keep_to_it(tmp_path):
    reading, proposal = described(tmp_path)
    roles = proposal.columns.set_index("column")["role"]
    assert roles["ref"] == "identifier" and roles["income"] == "sensitive" and len(reading.table) == 0
    assert list(proposal.schema.categories("area")) == ["N", "NO", "007", "W"]
    answers.write(tmp_path / "out", reading, proposal)
    answer(tmp_path / "out", **DECIDED, rows=300)
    given = answers.check(tmp_path / "out", reading, proposal)
    found = describe.make(given, tmp_path / "out", lambda *_, **__: None).set_index("generator")
    assert found.loc["valid", "strange"] == 0 < found.loc["structural", "strange"]
    assert "nobody was attacked" in describe.in_words(found.reset_index(), given)
    made = pd.read_csv(tmp_path / "out" / "synthetic" / "valid.csv", dtype=str)
    assert made.iloc[:, 0].eq(ladder.LABEL[1]).all() and len(made) == 300
    assert made["area"].dropna().isin(["N", "NO", "007", "W"]).all() and made["age"].notna().all()
    assert made["code"].dropna().str.fullmatch("[A-C]{2}[0-9]").all() and made["ref"].str.match("SYN").all()


@pytest.mark.parametrize("name", data.names())
def test_the_course_s_own_descriptions_are_read(name, tmp_path):
    package = data.load(name).package
    for resource in package["resources"]:
        one = json.dumps({"resources": [resource]})
        reading, proposal = described(tmp_path, one, "datapackage.json")
        wanted = data.Schema.from_resource(resource)
        assert list(reading.table) == wanted.columns
        assert [proposal.schema.kind(c) for c in wanted.columns] == [wanted.kind(c) for c in wanted.columns]
        assert not any("formula" in field for field in proposal.schema.fields)  # nothing in a file is run


def test_a_pattern_that_cannot_be_written_says_so_and_the_other_table_is_made(tmp_path):
    text = 'fields: [{name: a, constraints: {pattern: "(x|y)+"}}, {name: b}]'
    reading, proposal = described(tmp_path, text)
    answers.write(tmp_path, reading, proposal)
    answer(tmp_path, **DECIDED)
    given = answers.check(tmp_path, reading, proposal)
    found = describe.make(given, tmp_path, lambda *_, **__: None)
    assert "(x|y)+" in describe.in_words(found, given) and found["why"].notna().sum() == 1


TYPED = [
    *("area", "1", "N, S; 007", "", "age", "2", "16", "3", "99", "2"),
    *("area", "ref", "7", "start", "4", "2020-01-01", "soon", "", "1", ""),
]


@pytest.mark.parametrize("stop", [0, 4, 10, 13])
def test_a_description_is_typed_column_by_column_and_taken_up_again(tmp_path, monkeypatch, stop):
    path = tmp_path / "t.json"
    typed_in(monkeypatch, TYPED[:stop])
    with pytest.raises(KeyboardInterrupt):
        describe.typed_in(path)
    typed_in(monkeypatch, TYPED[stop:])
    describe.typed_in(path)
    reading, proposal = describe.read(path)
    assert list(reading.table) == ["area", "age", "ref", "start"]
    assert list(proposal.schema.categories("area")) == ["N", "S", "007"]
    assert proposal.schema.field("age")["constraints"] == {"minimum": 16, "maximum": 99, "required": True}
    assert proposal.schema.field("start")["constraints"] == {"minimum": "2020-01-01"}
    typed_in(monkeypatch, [])
    describe.typed_in(path)  # it is whole: nothing is asked


def test_the_command_takes_a_description(tmp_path, capsys):
    written(tmp_path, "t.yml", messy.DESCRIPTION.encode())
    there = ["t.yml", "--describe", "--in", str(tmp_path), "--into", "out"]
    assert command.main(there) == 0 and command.main(there) == 1
    answer(tmp_path / "out", **DECIDED)
    assert command.main(there) == 0
    assert "made from a description" in capsys.readouterr().out.lower()
    assert command.main(["none.yml", "--describe", "--in", str(tmp_path)]) == 1
    assert "There is no file" in capsys.readouterr().out


# ------------------------------------------------------------------------------ linked tables


def families(folder, orphans=4):
    """300 households, 700 claims of theirs or of nobody, and both as readings with the link between them."""
    rng = np.random.default_rng(0)
    homes = pd.DataFrame(
        {
            "home_id": [f"H{i:04d}" for i in range(300)],
            "region": rng.choice(["North", "South"], 300),
            "income": rng.normal(500, 100, 300).round(),
        }
    )
    owners = [*rng.choice(homes["home_id"][:200], 700 - orphans), *["H9999"] * orphans]
    claims = pd.DataFrame({"claim_no": range(700), "home": owners, "award": rng.integers(10, 99, 700)})
    people = read(written(folder, "homes.csv", messy.csv(homes)))
    other = read(written(folder, "claims.csv", messy.csv(claims)))
    return people, other, linked.propose(people, other, "claims")


def test_a_link_is_proposed_with_its_orphans(tmp_path):
    people, other, link = families(tmp_path)
    assert (link.column, link.key, link.orphans) == ("home", "home_id", 4)
    assert "Rows of nobody there are left out: 4 of 700" in str(link)
    with pytest.raises(DataError, match=r"claims\.csv points to homes\.csv, not the"):
        linked.propose(other, people, "homes")
    alone = read(written(tmp_path, "alone.csv", messy.csv()))
    with pytest.raises(DataError, match=r"No column of alone\.csv points to homes\.csv"):
        linked.propose(people, alone, "alone")


def with_links(folder, **changes):
    """The answers of a folder about linked tables, and all that `check` made of them."""
    people, _, link = families(folder)
    proposal = propose(people.table, "homes")
    if not (folder / "out").exists():
        answers.write(folder / "out", people, proposal, linked.as_answers([link]))
        answer(folder / "out", **DECIDED, keys=["region"], targets=["income"])
    given = json.loads((folder / "out" / answers.NAME).read_text(encoding="utf-8"))
    given["linked"][0] |= changes
    answer(folder / "out", linked=given["linked"])
    decided = answers.check(folder / "out", people, proposal)
    return people, linked.check(given, people, [link], folder / "out" / answers.NAME), decided


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"column": "house"}, "'house' is no column that could link claims.csv"),
        ({"key": "region"}, "'region' has blanks or repeats"),
        ({"column": "award"}, "no row of claims.csv belongs to anybody"),
        ({"columns": {}}, "'claim_no' is not in it"),
        ({"file": {"sha256": "0"}}, "is about another claims.csv"),
    ],
)
def test_wrong_links_get_one_sentence(tmp_path, changes, words):
    with pytest.raises(DataError, match=words):
        with_links(tmp_path, **changes)


def test_other_linked_tables_than_before_get_one_sentence(tmp_path):
    people, links, _ = with_links(tmp_path)
    for given, now in (({}, links), ({"linked": linked.as_answers(links)}, [])):
        with pytest.raises(DataError, match="made with other linked tables"):
            linked.check(given, people, now, tmp_path)


def test_what_is_theirs_goes_with_the_people(tmp_path):
    people, links, decided = with_links(tmp_path)
    training, control = linked.split(people, links, decided, lambda *_: None)
    assert len(training["people"]) == len(control["people"]) == 150
    for part, other in ((training, control), (control, training)):
        assert part["claims"]["home"].isin(part["people"]["home_id"]).all()
        assert not part["claims"]["home"].isin(other["people"]["home_id"]).any()
    assert len(training["claims"]) + len(control["claims"]) == 696  # without the four orphans


def test_one_row_for_each_person_sums_up_what_is_theirs(tmp_path):
    people, links, decided = with_links(tmp_path)
    table = linked.flat(linked.tables(people, links), decided, links)
    claims = links[0].reading.table.query("home != 'H9999'").groupby("home")["award"].agg(["size", "mean"])
    claims = claims.reindex(people.table["home_id"])
    assert (table["claims: rows"].to_numpy() == claims["size"].fillna(0)).all()
    assert np.allclose(table["claims: mean award"], claims["mean"].round(2), equal_nan=True)
    assert list(table) == linked.flat_answers(decided, links).schema.columns


def test_linked_tables_are_made_measured_and_taken_up_again(tmp_path, monkeypatch):
    people, links, decided = with_links(tmp_path)
    said, folder = [], tmp_path / "out"
    monkeypatch.setattr(ladder, "SEEDS", (1, 2))
    found = linked.climb(people, links, decided, folder, lambda *words, **_: said.append(words[0]))
    assert found["generator"].tolist() == ["control", "parent-child-25", "parent-child-5"]
    words = linked.in_words(found, decided, links)
    assert linked.NOT_MEASURED in words and "no proof of safety" in words
    made = {
        name: pd.read_csv(folder / "synthetic/parent-child-5" / f"{name}.csv")
        for name in ("people", "claims")
    }
    assert made["claims"]["home"].isin(made["people"]["home_id"]).all()
    assert (
        made["people"].iloc[:, 0].eq(ladder.LABEL[1]).all()
        and not made["people"]["home_id"].isin(people.table["home_id"]).any()
    )
    before = json.loads((folder / ladder.RUN).read_text(encoding="utf-8"))
    assert before["parts"]["people"] == 300 and before["linked"][0]["orphans"] == 4
    assert before["left out"] == ["claims: claim_no"]
    linked.climb(people, links, decided, folder, lambda *words, **_: said.append(words[0]))
    assert said.count("stands already.") == 2
    (folder / "synthetic/parent-child-5/claims.csv").write_text("changed", encoding="utf-8")
    linked.climb(people, links, decided, folder, lambda *words, **_: said.append(words[0]))
    assert said.count("stands already.") == 3
    after = json.loads((folder / ladder.RUN).read_text(encoding="utf-8"))
    for run in (before, after):
        run.pop("seconds"), run["generators"]["parent-child-5"].pop("seconds")
    assert after == before


def test_the_command_takes_linked_tables(tmp_path, capsys):
    families(tmp_path)
    there = ["homes.csv", "--linked", "claims.csv", "--in", str(tmp_path), "--into", "out"]
    assert command.main(there) == 0
    assert "left out: 4 of 700" in capsys.readouterr().out
    answer(tmp_path / "out", **DECIDED, keys=[])
    assert command.main(there) == 1
    answer(tmp_path / "out", keys=["region"], generator="cart")
    assert command.main(there) == 1
    assert "one of: parent-child-25, parent-child-5" in capsys.readouterr().out
    assert command.main([*there, "--describe"]) == 1
    assert "Leave out --linked, or --describe" in capsys.readouterr().out


def test_the_ladder_is_climbed_labelled_and_taken_up_again(brought, monkeypatch):
    reading, proposal, folder = brought
    answer(folder, **DECIDED)
    given, said = answers.check(folder, reading, proposal), []
    monkeypatch.setattr(ladder, "GENERATORS", ("marginal", "cart"))
    found = ladder.climb(reading, given, folder, lambda *words, **_: said.append(words[0]))
    assert found["generator"].tolist() == ["control", "marginal", "cart"]
    made = pd.read_csv(folder / "synthetic" / "cart.csv")
    assert made.iloc[:, 0].eq(ladder.LABEL[1]).all() and len(made) == 150
    assert made["tenure"].str.startswith("'=").all()  # a spreadsheet shows it, and does not run it
    words = ladder.in_words(found, given)
    assert "cart" in words and "no proof of safety" in words
    again = ladder.climb(reading, given, folder, lambda *words, **_: said.append(words[0]))
    assert said.count("stands already.") == 2 and again.shape == found.shape
    answer(folder, seed=7)
    ladder.climb(reading, answers.check(folder, reading, proposal), folder, lambda *w, **_: said.append(w[0]))
    assert said.count("stands already.") == 2  # other answers, other results


def test_a_generator_that_fails_says_why_and_the_others_go_on(brought, monkeypatch):
    reading, proposal, folder = brought
    answer(folder, **DECIDED)
    monkeypatch.setattr(ladder, "GENERATORS", ("no such generator", "marginal"))
    given = answers.check(folder, reading, proposal)
    found = ladder.climb(reading, given, folder, lambda *_, **__: None).set_index("generator")
    assert "no generator" in found.loc["no such generator", "why"] and found.loc["marginal", "attacks"] > 3
    assert "no result: There is no generator" in ladder.in_words(found.reset_index(), given)


def test_both_parts_hold_different_people(brought):
    reading, _, _ = brought
    reading.table = pd.concat([reading.table.assign(who=range(300))] * 2)
    roles = tuple({"name": name, "type": "string", "role": "other"} for name in ("who", "region"))
    given = answers.Answers(data.Schema("t", roles), ["region"], ["who"], "who", *DECIDED.values(), 1)
    training, control = ladder.split(reading.table, given)
    assert not set(training["who"]) & set(control["who"]) and len(training) == len(control) == 300
    with pytest.raises(DataError, match="There are 50 people"):
        ladder.split(reading.table.query("who < 50"), given)


def test_bands_are_round_and_about_ten():
    for values, wanted in ((range(100), 10), (np.linspace(0, 0.4, 50), 0.05), ([3, 3, 3], 1.0)):
        assert ladder.width(pd.Series(values)) == pytest.approx(wanted)


def test_the_command_asks_first_and_then_works(brought, capsys, monkeypatch):
    _, _, folder = brought
    file = folder.parent / "homes.csv"
    assert command.main([str(file), "--into", str(folder)]) == 1
    assert "write the purpose first" in capsys.readouterr().out
    answer(folder, **DECIDED)
    monkeypatch.setattr(ladder, "GENERATORS", ("marginal",))
    assert command.main([str(file), "--into", str(folder)]) == 0
    assert "attacks found a leak" in capsys.readouterr().out
    assert command.main([file.name, "--in", str(folder.parent), "--into", "new"]) == 0
    assert (folder.parent / "new" / answers.NAME).exists()
    assert "run the same command again" in capsys.readouterr().out


def test_the_command_prints_both_or_one_sentence(tmp_path, capsys):
    path = written(tmp_path, *messy.TABLES["semicolons"][:2])
    assert command.main([str(path)]) == 0
    said = capsys.readouterr().out
    assert "120 rows, 6 columns" in said and "separated by semicolons" in said and "sensitive" in said
    assert command.main([str(tmp_path)]) == 1
    assert "is a folder" in capsys.readouterr().out
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
