"""Bring your own data: files as people have them end in a decision or one sentence, and are never changed."""

import messy
import numpy as np
import pandas as pd
import pytest

from course import data
from course.assess import __main__ as command
from course.assess.propose import propose
from course.assess.read import read
from course.data import DataError


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
    "excel with several sheets", "parquet", "parquet with categories",
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


def test_merged_headings_are_put_together(tmp_path):
    table = read(written(tmp_path, *messy.TABLES["excel with merged headings"][:2])).table
    assert list(table)[:3] == ["Who ref", "Who area", "What age"] and len(table) == messy.ROWS


def test_a_folder_a_missing_file_and_a_wrong_sheet_get_one_sentence(tmp_path):
    path = written(tmp_path, *messy.TABLES["excel"][:2])
    for given, sheet, words in (
        (tmp_path, None, "is a folder"),
        (tmp_path / "none.csv", None, "There is no file"),
        (path, "Sheet9", "Its sheets are: Sheet1"),
        (written(tmp_path, "b.csv", messy.csv()), "Sheet1", "not an Excel file"),
    ):
        with pytest.raises(DataError, match=words):
            read(given, sheet=sheet)


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


def test_the_command_prints_both_or_one_sentence(tmp_path, capsys):
    path = written(tmp_path, *messy.TABLES["semicolons"][:2])
    assert command.main([str(path)]) == 0
    said = capsys.readouterr().out
    assert "120 rows, 6 columns" in said and "separated by semicolons" in said and "sensitive" in said
    assert command.main([str(tmp_path)]) == 1
    assert "is a folder" in capsys.readouterr().out
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
