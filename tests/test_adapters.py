"""The adapters to SDV, synthcity, SynthOpt and metasyn, held to the promises of every generator.

Networks train for one pass over 150 rows: what comes out is poor, and must still fit the schema. The end
shows faults of the tools themselves: each test says what would be right.
"""

from __future__ import annotations

import functools
import importlib
import random
import tempfile
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from course import data, generate
from course.generate import GeneratorError
from course.generate.borrowed import borrowed
from course.generate.synthcity import Synthcity

SDV = {"epochs": 1}
FEW = {"n_iter": 1}
QUICK = {
    "sdv-ctgan": SDV,
    "sdv-tvae": SDV,
    "sdv-copulagan": SDV,
    "synthopt-machine-learning": {"model_name": "ctgan", "iterations": 1},
    "synthcity-arf": {"num_trees": 3, "max_iters": 1},
    "synthcity-ctgan": FEW,
    "synthcity-tvae": FEW,
    "synthcity-nflow": {"n_iter": 1, "n_units_hidden": 10},
    "synthcity-ddpm": {"n_iter": 1, "num_timesteps": 10},
    "synthcity-adsgan": FEW,
    "synthcity-dpgan": FEW,
    "synthcity-pategan": FEW,
    "synthcity-privbayes": {"K": 1},
    "synthcity-aim": {"num_marginals": 2},
}
ADAPTERS = [
    name for name in generate.names() if name.startswith(("sdv-", "synthcity-", "synthopt-", "metasyn"))
]
MAY_FAIL = {"synthopt-correlated"}  # with one sentence, where every value of a column is the same

SCHEMA = data.Schema(
    "t",
    (
        {"name": "key", "type": "string", "role": "identifier"},
        {"name": "code", "type": "string", "categories": [{"value": v, "label": v} for v in "abcd"]},
        {
            "name": "whole code",
            "type": "integer",
            "categories": [{"value": v, "label": str(v)} for v in (1, 2, 9)],
        },
        {"name": "yes", "type": "boolean"},
        {"name": "word", "type": "string"},
        {"name": "pay", "type": "number"},
        {"name": "age", "type": "integer"},
        {"name": "rooms", "type": "integer"},
        {"name": "start", "type": "date"},
    ),
)


def table(rows: int = 150) -> pd.DataFrame:
    """Columns of every kind, some with blanks, for the schema above."""
    rng = np.random.default_rng(3)
    drawn = pd.DataFrame(
        {
            "key": [f"K{i}" for i in range(rows)],
            "code": rng.choice(list("abcd"), rows, p=[0.4, 0.3, 0.2, 0.1]),
            "whole code": pd.Series(rng.choice([1, 2, 9], rows)).astype("Int64"),
            "yes": rng.random(rows) < 0.3,
            "word": rng.choice(["north", "south", "east"], rows),
            "pay": rng.gamma(4, 90, rows).round(2),
            "age": rng.integers(16, 90, rows),
            "rooms": rng.integers(1, 7, rows),
            "start": pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 3000, rows), "D"),
        }
    )
    for column in ("code", "whole code", "pay", "start"):
        drawn.loc[rng.random(rows) < 0.25, column] = None
    return data.typed(drawn, SCHEMA)


@functools.cache
def fitted(name: str) -> generate.Generator:
    return generate.fit(name, table(), SCHEMA, **QUICK.get(name, {}))


def states() -> tuple:
    """The random states that all code shares, and what synthcity would change of pandas."""
    shared = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    return *shared, pd.get_option("mode.chained_assignment"), list(warnings.filters)


@pytest.mark.parametrize("error", [ValueError("two\nlines"), KeyboardInterrupt(), ValueError()])
def test_what_is_borrowed_is_given_back_whatever_happens(error, capfd):
    before, said = states(), GeneratorError if isinstance(error, ValueError) else KeyboardInterrupt
    with pytest.raises(said) as raised, borrowed("The library", seed=1):
        print("a bar")
        np.random.random(), random.random(), torch.rand(1)
        pd.set_option("mode.chained_assignment", "raise")
        warnings.warn("not heard", stacklevel=1)
        raise error
    assert states() == before and capfd.readouterr() == ("", "")
    if said is GeneratorError:
        why = str(error).replace("\n", " ") or "no reason given"
        assert str(raised.value) == f"The library failed on this table (ValueError): {why}"


def test_what_is_borrowed_is_seeded():
    def drawn(seed):
        with borrowed("The library", seed):
            return np.random.random(), random.random(), torch.rand(1).item()

    assert drawn(1) == drawn(1) != drawn(2)


def test_an_interrupted_fit_leaves_nothing_behind(monkeypatch, tmp_path):
    """The folder that synthcity writes into is taken away, and so is the network that was begun."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("synthcity.plugins.generic.plugin_ctgan.CTGANPlugin._fit", interrupted)
    before, model = states(), Synthcity("ctgan", n_iter=1)
    with pytest.raises(KeyboardInterrupt):
        model.fit(table(), SCHEMA)
    assert not list(tmp_path.iterdir()) and not hasattr(model, "model") and states() == before


def test_sdv_keeps_constraints_and_tells_its_losses():
    from sdv.cag import Inequality

    real = table().assign(rooms=lambda t: t["age"] + 1)
    ordered = Inequality(low_column_name="age", high_column_name="rooms")
    model = generate.fit("sdv-ctgan", real, SCHEMA, constraints=[ordered], epochs=2)
    made = model.sample(60, 1)
    assert (made["age"] <= made["rooms"]).all() and len(model.model.get_loss_values()) == 2


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_adapter_keeps_the_interface(name, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    before = states()
    model, real = fitted(name), table()
    first, again, other = model.sample(80, 1), model.sample(80, 1), model.sample(80, 2)
    assert states() == before, "random states are put back"
    assert not any(tmp_path.iterdir()), "nothing is written into the folder one works in"
    said = capfd.readouterr()
    assert said.err == "" and len(said.out.splitlines()) <= 1, "at most the line that says it is fitting"
    pd.testing.assert_frame_equal(first, again)
    assert not first.drop(columns="key").equals(other.drop(columns="key"))
    assert list(first) == SCHEMA.columns and len(first) == 80
    assert first["key"].is_unique and not set(first["key"]) & set(real["key"])
    for column in ("yes", "word", "age", "rooms"):
        assert first[column].notna().all() and first[column].dtype == real[column].dtype, column
    for column in ("whole code", "pay", "start"):
        assert first[column].notna().any() and pd.api.types.is_dtype_equal(
            data.typed(first, SCHEMA)[column].dtype, first[column].dtype
        )
    for column in ("code", "whole code", "yes"):
        assert set(first[column].dropna()) <= set(real[column].dropna()), column
    assert np.isfinite(first["pay"].dropna()).all()


# Networks take their first random numbers while they are built, trees while they are grown.
@pytest.mark.parametrize(
    "name", ["sdv-copulagan", "synthcity-arf", "synthcity-ctgan", "synthcity-privbayes", "synthcity-pategan"]
)
def test_what_is_fitted_twice_draws_the_same_rows(name):
    again = generate.fit(name, table(), SCHEMA, **QUICK[name])
    pd.testing.assert_frame_equal(fitted(name).sample(40, 1), again.sample(40, 1))


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_table_with_hard_columns_works_or_gets_one_sentence(name):
    """A column all blank, one with one value, and one with words and numbers mixed."""
    hard = table().assign(pay=np.nan, code="a", word=["north", 3, None] * 50)
    try:
        made = generate.fit(name, hard, SCHEMA, **QUICK.get(name, {})).sample(30, 1)
    except GeneratorError as error:
        assert name in MAY_FAIL and "\n" not in str(error) and len(str(error)) < 400
    else:
        assert made["pay"].isna().all() and set(made["code"]) == {"a"}
        assert {str(word) for word in made["word"].dropna()} <= {"north", "3"} or name == "metasyn"


FAULTS = {
    "empty": (lambda t: t.head(0), "0 rows"),
    "one row": (lambda t: t.head(1), "1 rows"),
    "a doubled column": (lambda t: pd.concat([t, t[["age"]]], axis=1), "'age'"),
    "infinite values": (lambda t: t.assign(pay=np.inf), "'pay'"),
    "a time zone": (lambda t: t.assign(start=t["start"].dt.tz_localize("UTC")), "time zone"),
}


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_bad_tables_get_one_clear_sentence(name, fault):
    spoil, says = FAULTS[fault]
    with pytest.raises(GeneratorError) as error:
        generate.fit(name, spoil(table()), SCHEMA)
    assert says in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_hundred_thousand_codes_are_taken_or_refused_by_name(name):
    rows = 100_000
    many = pd.DataFrame({"code": [f"c{i}" for i in range(rows)], "n": np.arange(rows) % 7})
    schema = data.Schema("t", ({"name": "code", "type": "string"}, {"name": "n", "type": "integer"}))
    kind = getattr(
        importlib.import_module(f"course.generate.{generate._TABLE[name][0]}"), generate._TABLE[name][1]
    )
    if kind.most_codes is None:
        pytest.skip("it takes them: seconds each, measured once, not in every run")
    with pytest.raises(GeneratorError, match="'code' has 100,000 different values"):
        generate.fit(name, many, schema)


@pytest.mark.parametrize("name", [name for name in ADAPTERS if name != "synthcity-marginal-distributions"])
def test_an_option_that_does_not_exist_gets_one_sentence(name):
    with pytest.raises(GeneratorError) as error:
        generate.fit(name, table(), SCHEMA, depth=3)
    assert "depth" in str(error.value) and "\n" not in str(error.value)
