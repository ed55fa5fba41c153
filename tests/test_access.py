"""The data-access study of lab 24: its scripts, its mock secure room, and what it counts."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

from course import data

FILE = Path(__file__).resolve().parent.parent / "notebooks" / "results" / "lab24.py"


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("study", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def real(study, tmp_path_factory):
    folders = {}
    for name in study.SETS:
        folders[name] = tmp_path_factory.mktemp(name)
        study.written(data.load(name).training, folders[name])
    return folders


def test_right_scripts_run_on_the_real_tables(study, real):
    for name, script in study.SCRIPTS.items():
        for checks in (True, False):
            ended = study.run(script.text, real[script.dataset], checks)
            assert ended.status == "ran" and ended.error > 0, (name, ended)


def test_each_defect_changes_one_line(study):
    names = [defect.name for script in study.SCRIPTS.values() for defect in script.defects]
    assert len(names) == len(set(names))
    for script in study.SCRIPTS.values():
        for defect in script.defects:
            lines = zip(script.text.splitlines(), script.draft(defect.name).splitlines(), strict=True)
            assert sum(one != other for one, other in lines) == 1, defect.name


def test_the_stored_runs_are_those_of_the_scripts(study, real):
    """Every draft of one data set, run again on its real tables, ends as the file says."""
    runs = pd.read_csv(study.RUNS).fillna({"defect": "", "where": ""})
    assert set(runs["script"]) == set(study.SCRIPTS)
    kept = runs[(runs["dataset"] == "claims") & (runs["part"] == "training") & (runs["level"] == "real")]
    key = ["script", "defect", "checks"]
    kept = kept.set_index(key).sort_index()
    again = pd.DataFrame(study.tried("claims", real["claims"])).set_index(key).sort_index()
    assert (again["status"] == kept["status"]).all() and (again["where"] == kept["where"]).all()
    assert again["estimate"].to_numpy() == pytest.approx(kept["estimate"].to_numpy(), rel=1e-4, nan_ok=True)


def test_the_room_lets_no_message_and_no_small_group_out(study):
    error = study.send("open('no such person.csv')")
    assert error == {"status": "stopped", "where": "FileNotFoundError in line 1"}
    few = "import pandas as pd\nestimate, error = 1, 1\ntable = pd.DataFrame({'people': [9]})"
    assert study.send(few)["status"] == "refused" and "table" not in study.send(few)
    enough = study.send(few.replace("9", "10"))
    assert enough["status"] == "ran" and enough["table"]["people"].tolist() == [10]


def runs_of(*rows):
    """Runs of one script and one draft, on the real table and on one synthetic table."""
    columns = ["level", "defect", "checks", "status", "where", "estimate", "error"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(dataset="claims", part="training", seed=0, script="one")


def both(level, defect, *ended):
    return [(level, defect, checks, *ended) for checks in (True, False)]


def outcome(study, rows, level="valid", checks=True):
    judged = study.verdicts(runs_of(*rows)).set_index(["level", "checks"])
    return judged.loc[(level, checks), "outcome"]


RAN = ("ran", "", 10.0, 1.0)
LATE = ("stopped", "KeyError in line 9", None, None)
SOON = ("stopped", "KeyError in line 5", None, None)
CHECK = ("stopped", "AssertionError in line 5", None, None)


def test_what_became_of_a_draft(study):
    real = [*both("real", None, *RAN), *both("real", "d", *LATE)]
    fine = both("valid", None, *RAN)
    assert outcome(study, [*real, *fine, *both("valid", "d", *LATE)]) == "found before"
    assert outcome(study, [*real, *fine, *both("valid", "d", *RAN)]) == "stopped"
    assert outcome(study, [*real, *fine, *both("valid", "d", *RAN)], "no data") == "stopped"
    # Where the right script stops too, the draft must stop sooner, or in another way.
    alarm = both("valid", None, *LATE)
    assert outcome(study, [*real, *alarm, *both("valid", "d", *LATE)]) == "stopped"
    assert outcome(study, [*real, *alarm, *both("valid", "d", *SOON)]) == "found before"
    assert outcome(study, [*real, *both("valid", None, *SOON), *both("valid", "d", *LATE)]) == "stopped"


def test_checks_are_passed_over_where_they_raise_a_false_alarm(study):
    real = [*both("real", None, *RAN), *both("real", "d", *LATE)]
    rows = [("valid", None, True, *CHECK), ("valid", None, False, *RAN)]
    rows += [("valid", "d", True, *CHECK), ("valid", "d", False, *LATE)]
    assert outcome(study, [*real, *rows]) == "found before"


@pytest.mark.parametrize(("estimate", "fate"), [(10.05, "harmless"), (10.5, "wrong")])
def test_a_result_that_moved_is_wrong(study, estimate, fate):
    rows = [*both("real", None, *RAN), *both("real", "d", "ran", "", estimate, 1.0)]
    rows += [*both("valid", None, *RAN), *both("valid", "d", "ran", "", estimate, 1.0)]
    assert outcome(study, rows) == fate
