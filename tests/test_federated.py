"""The three secure rooms: rules in a room, and rooms as real processes that let no row out."""

import json
import os
import socket

import numpy as np
import pandas as pd
import pytest

from course.data import DataError, Schema
from course.federated import FUNCTIONS, Federation, Room, Rules, prepare


def coded(name, *codes, kind="string"):
    listed = [{"value": code, "label": str(code)} for code in codes]
    return {"name": name, "type": kind, "categories": listed, "constraints": {"required": True}}


def number(name, highest):
    limits = {"required": True, "minimum": 0, "maximum": highest}
    return {"name": name, "type": "integer", "constraints": limits}


SCHEMA = Schema(
    "people",
    (
        coded("sex", "1", "2"),
        coded("group", "a", "b", "c"),
        coded("tenth", *range(1, 11), kind="integer"),
        number("age", 120),
        number("nights", 400),
        coded("emergency", "Y", "N"),
    ),
)
LETTERS = Schema("people", (coded("sex", "M", "F"), *SCHEMA.fields[1:]))


def made(rows, seed):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "sex": rng.choice(["1", "2"], rows),
            "group": rng.choice(["a", "b", "c"], rows, p=[0.8, 0.18, 0.02]),
            "tenth": rng.integers(1, 11, rows),
            "age": rng.integers(0, 95, rows),
            "nights": rng.poisson(3, rows),
        }
    )
    chance = 1 / (1 + np.exp(0.1 * table["tenth"] - 0.5))
    table["emergency"] = np.where(rng.random(rows) < chance, "Y", "N")
    table.loc[0, ["age", "nights"]] = [104, 142]
    return table


@pytest.fixture
def room():
    return Room("here", made(400, 1), SCHEMA)


def refused(room, function, **question):
    return room.answer(function, **question).get("refused", "")


# Rules, in a room of this process.


def test_counts_under_the_threshold_stay_and_so_do_zeros(room):
    cells = room.answer("table", by=["group", "tenth"])["cells"]
    true = room.rows.groupby(["group", "tenth"]).size()
    assert len(cells) == 30, "a cell that is left out would say that nobody is there"
    for cell in cells:
        people = true.get((cell["group"], int(cell["tenth"])), 0)
        assert cell["count"] == (people if people >= 10 else None)


def test_the_threshold_is_the_rooms_own():
    table = made(400, 1)
    few = (table["group"] == "c").sum()
    assert 3 <= few < 10
    for threshold, given in ((3, few), (10, None)):
        room = Room("here", table, SCHEMA, Rules(threshold=threshold, differ=1))
        cells = room.answer("table", by=["group"])["cells"]
        assert cells[2] == {"group": "c", "count": given}


def test_rounded_counts(room):
    cells = room.answer("table", by=["tenth"], rounded=True)["cells"]
    assert all(cell["count"] % 5 == 0 for cell in cells)


def test_two_answers_with_few_people_between_them(room):
    assert "refused" not in room.answer("table", by=[])
    assert "difference" in refused(room, "table", by=[], where={"age": [0, 100]})
    assert "refused" not in room.answer("table", by=[]), "the same answer again tells nothing new"
    assert "refused" not in room.answer("table", by=[], where={"age": [0, 49]})


def test_a_refused_question_is_not_held_against_later_ones(room):
    assert "small" in refused(room, "table", by=[], where={"age": [103, 110]})
    assert "splits off" in refused(
        room, "step", outcome="emergency=Y", predictors=["sex=2", "group=c"], beta=[0, 0, 0]
    )
    assert not room.groups_given


def test_sums_with_two_large_contributors_stay(room):
    room.rows.loc[room.rows["group"] == "b", "nights"] = 0
    room.rows.loc[room.rows.index[room.rows["group"] == "b"][:2], "nights"] = [300, 200]
    answer = room.answer("total", value="nights", by=["group"])
    assert answer["withheld"]["dominance"] == 1 and answer["withheld"]["small"] == 1
    assert [cell["total"] is None for cell in answer["cells"]] == [False, True, True]


def test_a_sum_of_codes_is_refused(room):
    for value in ("tenth", "sex=2"):
        assert "count in disguise" in refused(room, "total", value=value, by=[])


def test_recoding_numbers_may_only_swap_them(room):
    for codes in ({"1": "1000000"}, {"1": "2"}, {"11": "12", "12": "11"}):
        assert "change places" in refused(room, "table", by=["sex"], recode={"tenth": codes})
    turned = {str(code): str(11 - code) for code in range(1, 11)}
    cells = room.answer("table", by=["tenth"], recode={"tenth": turned})["cells"]
    assert cells[0] == {"tenth": "10", "count": int((room.rows["tenth"] == 1).sum())}


def test_too_many_parameters_for_the_people():
    small = Room("here", made(60, 1), SCHEMA)
    many = ["age", "nights", "tenth"] * 7
    assert "parameters" in refused(
        small, "step", outcome="emergency=Y", predictors=many, beta=[0] * (len(many) + 1)
    )
    strict = Room("here", made(60, 1), SCHEMA, Rules(share=1, freedom=58))
    question = {"outcome": "emergency=Y", "predictors": ["age", "tenth"], "beta": [0, 0, 0]}
    assert "would be the data" in refused(strict, "step", **question)


def test_a_pair_of_groups_in_a_model_is_a_table_too():
    table = made(400, 1)
    table.loc[(table["group"] == "b") & (table.index > 40), "emergency"] = "N"
    room = Room("here", table, SCHEMA)
    both = ((table["group"] == "b") & (table["emergency"] == "Y")).sum()
    assert 0 < both < 10 < (table["group"] == "b").sum()
    question = {"outcome": "emergency=Y", "predictors": ["group=b"], "beta": [0, 0]}
    assert "together split off" in refused(room, "step", **question)


def test_a_sum_with_two_large_contributors_stays_in_a_model_too(room):
    few = room.rows.index[room.rows["emergency"] == "Y"]
    room.rows.loc[few, "nights"] = 0
    room.rows.loc[few[:2], "nights"] = [300, 200]
    question = {"outcome": "emergency=Y", "predictors": ["nights"], "beta": [0, 0]}
    assert "nearly all nights" in refused(room, "step", **question)


def test_a_model_aimed_at_one_person(room):
    """Two sums over everybody, whose difference is one row: refused, and real where the rule is off."""
    question = {"outcome": "emergency=Y", "predictors": ["age", "nights"]}
    nobody, oldest = [-400, 0, 0], [-40 * 99, 40, 0]
    assert "worse than a coin" in refused(room, "step", beta=oldest, **question)
    lax = Room("here", room.rows, SCHEMA, Rules(worse=float("inf")))
    sums = [np.array(lax.answer("step", beta=beta, **question)["gradient"]) for beta in (nobody, oldest)]
    assert np.allclose(sums[0] - sums[1], [1, 104, 142])


def test_synthetic_rows_come_from_the_description(room):
    rows = pd.DataFrame(room.answer("synthetic")["rows"])
    other = pd.DataFrame(Room("here", made(50, 9), SCHEMA).answer("synthetic")["rows"])
    pd.testing.assert_frame_equal(rows, other)
    assert len(rows) != len(room.rows) and not rows.isna().any().any()


def test_a_trial_leaves_no_trace_in_the_log_of_answers(room):
    room.answer("table", on="synthetic", by=["sex"])
    assert not room.groups_given and not room.asked and room.twin.groups_given


@pytest.mark.parametrize(
    ("function", "question", "words"),
    [
        ("rows", {}, "no function 'rows'"),
        ("__class__", {}, "no function"),
        ("table", {"by": ["colour"]}, "no column 'colour'"),
        ("table", {"by": ["age"]}, "no code list"),
        ("table", {"by": [], "where": {"sex": "3"}}, "no code '3'"),
        ("table", {"by": ["tenth", "group", "sex", "emergency", "tenth"]}, "cells; a room answers"),
        ("table", {"columns": ["sex"]}, "not given what it takes"),
        ("total", {"value": "sex", "by": []}, "disguise"),
        ("step", {"outcome": "emergency", "predictors": [], "beta": [0]}, "not a column of numbers"),
        ("step", {"outcome": "nights", "predictors": ["age"], "beta": [0, 0]}, "must be 0 or 1"),
        ("step", {"outcome": "emergency=Y", "predictors": ["age"], "beta": [0]}, "2 numbers"),
        ("step", {"outcome": "emergency=Y", "predictors": ["age"], "beta": ["x", None]}, "2 numbers"),
        ("step", {"outcome": "emergency=Y", "predictors": ["age"], "beta": [float("nan"), 0]}, "2 numbers"),
    ],
)
def test_what_is_refused(room, function, question, words):
    why = refused(room, function, **question)
    assert words in why and "\n" not in why
    assert room.asked[-1]["refused"] == why


def test_a_room_is_not_put_where_one_is(tmp_path):
    prepare(tmp_path, {"A": (made(30, 1), SCHEMA)})
    with pytest.raises(DataError, match="already"):
        prepare(tmp_path, {"A": (made(30, 1), SCHEMA)})


def test_a_folder_without_rooms(tmp_path):
    with pytest.raises(DataError, match="no room"):
        Federation(tmp_path)


# Three rooms, each a process. They are started once, and the tests below go in order.

ROWS = {"East": made(301, 2), "North": made(402, 3), "West": made(503, 4)}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rooms")
    west = ROWS["West"].assign(sex=ROWS["West"]["sex"].map({"1": "M", "2": "F"}))
    tables = {"East": (ROWS["East"], SCHEMA), "North": (ROWS["North"], SCHEMA), "West": (west, LETTERS)}
    prepare(folder, tables)
    with Federation(folder) as federation:
        yield federation


AGREED = {"West": {"recode": {"sex": {"M": "1", "F": "2"}}}}


def processes(rooms):
    return [rooms.hub, *rooms.rooms.values()]


def newton(rooms, names, predictors, steps=6):
    beta = np.zeros(len(predictors) + 1)
    for _ in range(steps):
        question = {"outcome": "emergency=Y", "predictors": predictors, "beta": beta.tolist()}
        answers = [a.value for a in rooms.ask("step", names, each=AGREED, **question).values()]
        information, gradient = (
            sum(np.array(a[part]) for a in answers) for part in ("information", "gradient")
        )
        beta = beta + np.linalg.solve(information, gradient)
    return beta


def test_each_room_is_a_process_that_talks_to_this_computer_only(rooms):
    psutil = pytest.importorskip("psutil")
    numbers = {process.pid for process in processes(rooms)}
    assert len(numbers | {os.getpid()}) == 5
    for number in numbers:
        for link in psutil.Process(number).net_connections("inet"):
            for end in filter(None, (link.laddr, link.raddr)):
                assert end.ip == "127.0.0.1", link
    assert os.environ["FLWR_TELEMETRY_ENABLED"] == "0" and os.environ["FLWR_DISABLE_UPDATE_CHECK"] == "1"


def test_the_room_itself_refuses_rows(rooms):
    for name, answer in rooms.ask("rows").items():
        assert answer.value is None and not answer.missing
        assert answer.refused.startswith("There is no function 'rows' in this room"), name


def test_no_reply_holds_a_row_or_as_many_things_as_there_are_rows(rooms, monkeypatch):
    """Everything that comes back, read from the messages themselves."""
    replies = []
    pull = rooms.grid.pull_messages
    monkeypatch.setattr(
        rooms.grid, "pull_messages", lambda wanted: replies.extend(found := list(pull(wanted))) or found
    )
    step = {"outcome": "emergency=Y", "predictors": ["sex=2", "tenth"], "beta": [0, 0, 0]}
    asked = [
        ("dictionary", {}),
        ("synthetic", {}),
        ("table", {"by": ["sex", "tenth"]}),
        ("table", {"by": ["age"]}),
        ("total", {"value": "nights", "by": ["group"]}),
        ("step", step),
        ("step", {**step, "beta": "?"}),
        ("log", {}),
        ("rows", {}),
    ]
    assert {function for function, _ in asked} >= set(FUNCTIONS)
    for function, question in asked:
        rooms.ask(function, each=AGREED, **question)
    assert len(replies) == 3 * len(asked)
    smallest = min(map(len, ROWS.values()))
    for reply in replies:
        if reply.has_error():
            assert len(reply.error.reason) < 200
            continue
        assert list(reply.content) == ["answer"] and list(reply.content["answer"]) == ["json"]
        given = json.loads(reply.content["answer"]["json"])
        if "rows" in given:
            continue  # synthetic, by test_synthetic_rows_come_from_the_description
        assert longest(given) < smallest / 3


def longest(given):
    if isinstance(given, dict):
        return max([len(given), *map(longest, given.values())], default=0)
    if isinstance(given, list):
        return max([len(given), *map(longest, given)], default=0)
    return 0


def test_a_fault_in_a_room_does_not_tell_what_it_was(rooms):
    answers = rooms.ask("table", by=[], where=5)
    for answer in answers.values():
        assert answer.refused.startswith("The question failed in this room.")
    assert rooms.ask("table", by=["sex"], each=AGREED)["East"].value, "the room stays open"


def test_sums_over_rooms_are_the_pooled_sums(rooms):
    pooled = pd.concat(ROWS.values())
    answers = rooms.ask("table", by=["sex"], each=AGREED)
    counts = pd.concat(pd.DataFrame(answer.value["cells"]) for answer in answers.values())
    given = counts.groupby("sex")["count"].sum()
    assert given.to_dict() == pooled["sex"].value_counts().to_dict()

    import statsmodels.api as sm

    X = np.column_stack([np.ones(len(pooled)), pooled["sex"] == "2", pooled["tenth"]]).astype(float)
    fit = sm.Logit(pooled["emergency"].eq("Y").astype(float).to_numpy(), X).fit(disp=0)
    assert np.allclose(newton(rooms, None, ["sex=2", "tenth"]), fit.params, atol=1e-9)


def test_a_code_that_differs_is_found_on_synthetic_rows(rooms):
    question = {"outcome": "emergency=Y", "predictors": ["sex=2"], "beta": [0, 0], "on": "synthetic"}
    answers = rooms.ask("step", **question)
    assert {name: bool(answer.refused) for name, answer in answers.items()} == {
        "East": False,
        "North": False,
        "West": True,
    }
    assert "M, F" in answers["West"].refused


def test_an_unknown_room(rooms):
    with pytest.raises(DataError, match="no room 'South'"):
        rooms.ask("table", ["South"], by=[])


def test_a_room_that_ends_is_missing_and_the_others_answer(rooms):
    rooms.rooms["West"].kill()
    rooms.rooms["West"].wait()
    answers = rooms.ask("table", by=["sex"])
    assert answers["West"].missing and answers["West"].refused == "West has ended."
    assert answers["East"].value and not answers["East"].missing


def test_closing_ends_every_process(rooms):
    started, port = processes(rooms), rooms.port
    rooms.close()
    rooms.close()
    assert all(process.poll() is not None for process in started)
    with socket.socket() as found:
        assert found.connect_ex(("127.0.0.1", port)) != 0
    with pytest.raises(DataError, match="closed"):
        rooms.ask("table", by=[])


def test_a_room_that_cannot_open_is_one_sentence_and_leaves_nothing_running(tmp_path, monkeypatch):
    prepare(tmp_path, {"A": (made(30, 1), SCHEMA)})
    (tmp_path / "A" / "table.csv").write_text("sex\n1\n")
    started = []
    start = Federation._start
    monkeypatch.setattr(
        Federation, "_start", lambda self, *words: started.append(start(self, *words)) or started[-1]
    )
    with pytest.raises(DataError, match=r"The room 'A' did not open: .*lacks the column 'group'"):
        Federation(tmp_path)
    assert len(started) == 2 and all(process.poll() is not None for process in started)


def test_the_processes_end_when_whoever_started_them_is_killed(tmp_path):
    """As when a notebook's kernel is killed: no handler runs, only the pipe closes."""
    psutil = pytest.importorskip("psutil")
    import subprocess
    import sys

    prepare(tmp_path, {"A": (made(30, 1), SCHEMA)})
    code = (
        "import sys\nfrom course.federated import Federation\nrooms = Federation(sys.argv[1])\n"
        "print(rooms.hub.pid, rooms.rooms['A'].pid, flush=True)\nsys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    children = [psutil.Process(int(number)) for number in parent.stdout.readline().split()]
    assert len(children) == 2
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
