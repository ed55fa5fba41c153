"""Loading the bundled tables, and what happens when a file is damaged or gone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from course import data


def test_import_course_is_light():
    code = (
        "import sys, time; t = time.perf_counter(); import course; s = time.perf_counter() - t;"
        "from course import data, generate, measure, check, chart;"
        "heavy = {'torch', 'sdv', 'synthcity', 'synthopt'} & set(sys.modules);"
        "assert not heavy, heavy; print(s)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=data.FOLDER.parent
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.5


@pytest.mark.parametrize("name", data.names())
def test_tables_have_the_types_of_their_schema(name):
    dataset = data.load(name)
    for part in (dataset.training, dataset.control):
        for table, frame in part.items():
            schema = dataset.schema(table)
            assert list(frame.columns) == schema.columns
            for column in schema.of_kind("numeric"):
                assert pd.api.types.is_numeric_dtype(frame[column])
            for column in schema.of_kind("date"):
                assert pd.api.types.is_datetime64_dtype(frame[column])
            for column in schema.columns:
                if codes := schema.categories(column):
                    assert set(frame[column].dropna()) <= set(codes)


@pytest.mark.parametrize("name", data.names())
def test_sdv_accepts_the_schema(name):
    dataset = data.load(name)
    for table in dataset.tables:
        metadata = dataset.schema(table).to_sdv()
        metadata.validate()
        assert list(metadata.tables[table].columns) == dataset.schema(table).columns


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(data.FOLDER / "claims", tmp_path / "claims")
    return tmp_path


def sentence(error):
    """The message of an error, which must be one line that says what to do."""
    said = str(error.value)
    assert "\n" not in said and "git checkout" in said
    return said


def test_a_missing_file(copy):
    (copy / "claims" / "households.csv").unlink()
    with pytest.raises(data.DataError) as error:
        data.load("claims", copy).training  # noqa: B018
    assert "missing" in sentence(error)


def test_a_damaged_file(copy):
    path = copy / "claims" / "households.csv"
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(data.DataError) as error:
        data.load("claims", copy).training  # noqa: B018
    assert "not the one" in sentence(error)


def test_one_changed_digit(copy):
    path = copy / "claims" / "households.csv"
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    with pytest.raises(data.DataError) as error:
        data.load("claims", copy).training  # noqa: B018
    assert "not the one" in sentence(error)


def test_a_wrong_hash_in_the_description(copy):
    path = copy / "claims" / "datapackage.json"
    package = json.loads(path.read_text(encoding="utf-8"))
    package["resources"][0]["hash"] = "sha256:" + "0" * 64
    path.write_text(json.dumps(package), encoding="utf-8")
    with pytest.raises(data.DataError) as error:
        data.load("claims", copy).training  # noqa: B018
    assert "not the one" in sentence(error)


def test_a_damaged_description(copy):
    path = copy / "claims" / "datapackage.json"
    path.write_text(path.read_text(encoding="utf-8")[:1000], encoding="utf-8")
    with pytest.raises(data.DataError) as error:
        data.load("claims", copy)
    assert "damaged" in sentence(error)


def test_an_unknown_data_set_names_the_known_ones():
    with pytest.raises(data.DataError, match="claims"):
        data.load("claimz")


def test_an_unknown_table_and_column():
    claims = data.load("claims")
    with pytest.raises(KeyError, match="households"):
        claims.schema("houses")
    with pytest.raises(KeyError, match="tenure"):
        claims.schema("households").field("tenancy")


@pytest.mark.parametrize(
    ("kind", "value"), [("integer", "old"), ("integer", "1.5"), ("date", "2020-13-01"), ("boolean", "yes")]
)
def test_a_column_of_the_wrong_type_is_named(kind, value):
    schema = data.Schema("t", ({"name": "age", "type": kind},))
    with pytest.raises(data.DataError, match=rf"'age'.*{kind}") as error:
        data.typed(pd.DataFrame({"age": [value]}), schema)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["true", "False"], "bool"), ([True, False], "bool"), (["true", None], "boolean"), ([None], "boolean")],
)
def test_true_and_false_are_read_from_words_and_kept_as_they_are(values, kind):
    typed = data.typed(pd.DataFrame({"x": values}), data.Schema("t", ({"name": "x", "type": "boolean"},)))
    assert typed["x"].dtype == kind
    assert typed["x"].dropna().tolist() == [
        str(value).lower() == "true" for value in values if value is not None
    ]


@pytest.mark.parametrize("name", data.names())
def test_the_rules_hold_and_a_broken_row_is_counted(name):
    dataset = data.load(name)
    assert data.broken_rules(dataset.training, dataset)["broken"].sum() == 0
    spoiled = {table: frame.copy() for table, frame in dataset.training.items()}
    for frame in spoiled.values():
        for column in frame.select_dtypes("number"):
            frame[column] = -frame[column] - 999_999
    assert data.broken_rules(spoiled, dataset)["broken"].sum() > 0


def test_a_row_counts_once_however_often_its_parent_stands():
    claims = data.load("claims")
    once = data.broken_rules(claims.training, claims)
    households = claims.training["households"]
    twice = {**claims.training, "households": pd.concat([households, households])}
    again = data.broken_rules(twice, claims)
    assert again.loc[again["table"] == "claims"].equals(once.loc[once["table"] == "claims"])


def test_a_table_that_lacks_a_column_of_a_rule_is_named():
    claims = data.load("claims")
    cut = {"households": claims.training["households"].drop(columns="tenure")}
    with pytest.raises(data.DataError, match=r"households.*'tenure'"):
        data.broken_rules(cut, claims)
