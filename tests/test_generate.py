"""Every generator, held to the same promises."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course import data, generate
from course.generate import GeneratorError

BY_HAND = ["structural", "valid", "marginal", "copula", "cart"]
FROM_METADATA = ["structural", "valid"]
OPTIONS = {"sdv-ctgan": {"epochs": 1}, "sdv-tvae": {"epochs": 1}}


@pytest.fixture(scope="module")
def claims():
    return data.load("claims")


@pytest.fixture(scope="module")
def table(claims):
    return claims.training["households"].head(1500)


@pytest.fixture(scope="module")
def schema(claims):
    return claims.schema("households")


def fitted(name, table, schema, **options):
    return generate.fit(
        name, None if name in FROM_METADATA else table, schema, **OPTIONS.get(name, {}), **options
    )


@pytest.mark.parametrize("name", generate.names())
def test_every_generator_keeps_the_interface(name, table, schema):
    model = fitted(name, table, schema)
    first, again, other = model.sample(300, 1), model.sample(300, 1), model.sample(300, 2)
    assert list(first.columns) == schema.columns and len(first) == 300
    pd.testing.assert_frame_equal(first, again)
    assert not first.drop(columns=schema.of_kind("identifier")).equals(
        other.drop(columns=schema.of_kind("identifier"))
    )
    for column in schema.of_kind("identifier"):
        assert first[column].is_unique and not set(first[column]) & set(table[column])
    for column in schema.of_kind("numeric"):
        assert pd.api.types.is_numeric_dtype(first[column])
    for column in schema.of_kind("date"):
        assert pd.api.types.is_datetime64_dtype(first[column])


@pytest.mark.parametrize("name", [name for name in generate.names() if name != "structural"])
def test_only_known_codes_come_out(name, table, schema):
    made = fitted(name, table, schema).sample(300, 1)
    for column in schema.of_kind("categorical"):
        assert set(made[column].dropna().astype(str)) <= set(map(str, schema.categories(column))), column


def test_the_registry_and_a_seed_do_not_touch_the_global_random_state(table, schema):
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    for name in ("copula", "synthopt-structural"):
        fitted(name, table, schema).sample(50, 1)
    assert (np.random.get_state()[1] == before).all()


@pytest.mark.parametrize("dataset", data.names())
def test_valid_keeps_the_row_rules_of_the_main_table(dataset):
    opened = data.load(dataset)
    made = generate.fit("valid", None, opened.schema(), rules=opened.rules).sample(400, 1)
    broken = data.broken_rules({opened.main: made}, opened)
    across_rows = [rule["name"] for rule in opened.rules if ".groupby(" in rule["expression"]]
    assert broken.loc[~broken["rule"].isin(across_rows), "broken"].sum() == 0, broken


def test_no_real_row_comes_out_of_the_metadata_levels(claims, table, schema):
    columns = [column for column in schema.columns if schema.kind(column) != "identifier"]
    real = set(map(tuple, table[columns].astype(str).to_numpy()))
    for name in FROM_METADATA:
        made = fitted(name, None, schema).sample(2000, 1)[columns].astype(str)
        assert not real & set(map(tuple, made.to_numpy()))


@pytest.mark.parametrize("dataset", data.names())
@pytest.mark.parametrize("name", ["marginal", "copula", "cart"])
def test_the_shape_of_each_column_survives(name, dataset):
    from course.measure import fidelity

    opened = data.load(dataset)
    real, schema = opened.training[opened.main], opened.schema()
    made = generate.fit(name, real, schema).sample(len(real), 1)
    for column in schema.of_kind("categorical"):
        if real[column].nunique() <= 10:
            # Categories under the threshold are left out on purpose, so the limit is loose.
            assert fidelity.total_variation(real[column], made[column]) < 0.05, column
    for column in schema.of_kind("numeric", "date"):
        share = abs(real[column].isna().mean() - made[column].isna().mean())
        assert share < 0.03, f"{column}: the share of blanks moved by {share:.3f}"


def test_relationships_rise_with_the_ladder():
    rng = np.random.default_rng(5)
    x = rng.normal(size=4000)
    table = pd.DataFrame({"x": x, "y": x + rng.normal(size=4000), "u": x**2 + 0.2 * rng.normal(size=4000)})
    schema = data.Schema("t", tuple({"name": name, "type": "number"} for name in "xyu"))

    def relation(name):
        made = generate.fit(name, table, schema).sample(4000, 1)
        return abs(made["x"].corr(made["y"])), (made["x"] ** 2).corr(made["u"])

    true_line, true_curve = relation_of = (
        abs(table["x"].corr(table["y"])),
        (table["x"] ** 2).corr(table["u"]),
    )
    assert relation("marginal")[0] < 0.06
    line, curve = relation("copula")
    assert abs(line - true_line) < 0.06 and curve < 0.3, "a copula carries lines, not curves"
    line, curve = relation("cart")
    assert abs(line - true_line) < 0.06 and abs(curve - true_curve) < 0.1, relation_of


def test_rare_categories_and_extremes_are_held_back():
    table = pd.DataFrame(
        {"c": ["a"] * 990 + ["rare"] * 10 + ["rarer"] * 9, "n": [*range(1008), 10_000_000.0]}
    )
    schema = data.Schema(
        "t",
        (
            {
                "name": "c",
                "type": "string",
                "categories": [{"value": v, "label": v} for v in ("a", "rare", "rarer")],
            },
            {"name": "n", "type": "number"},
        ),
    )
    for name in ("marginal", "copula"):
        made = generate.fit(name, table, schema).sample(20_000, 1)
        assert set(made["c"]) == {"a", "rare"}, "fewer than ten rows share 'rarer'"
        assert made["n"].max() < 2000


BAD = {
    "empty": (lambda t: t.head(0), "0 rows"),
    "one row": (lambda t: t.head(1), "1 rows"),
    "a missing column": (lambda t: t.drop(columns="tenure"), "'tenure'"),
    "a doubled column": (lambda t: pd.concat([t, t[["tenure"]]], axis=1), "'tenure'"),
    "infinite values": (lambda t: t.assign(weekly_income=np.inf), "'weekly_income'"),
    "words in a numeric column": (lambda t: t.assign(weekly_income="lots"), "'weekly_income'"),
    "a date column of words": (lambda t: t.assign(tenancy_start="soon"), "'tenancy_start'"),
}


@pytest.mark.parametrize("name", ["marginal", "copula", "cart", "sdv-gaussian-copula", "synthopt-correlated"])
@pytest.mark.parametrize("fault", BAD)
def test_bad_tables_get_one_clear_sentence(name, fault, table, schema):
    spoil, says = BAD[fault]
    with pytest.raises(GeneratorError) as error:
        generate.fit(name, spoil(table), schema)
    assert says in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["marginal", "copula"])
def test_an_all_blank_column_is_named(name, table, schema):
    with pytest.raises(GeneratorError, match="'weekly_income'"):
        generate.fit(name, table.assign(weekly_income=np.nan), schema)


def test_cart_takes_constant_and_all_blank_columns(table, schema):
    spoiled = table.assign(weekly_income=np.nan, tenure=table["tenure"].iloc[0])
    made = generate.fit("cart", spoiled, schema).sample(100, 1)
    assert made["weekly_income"].isna().all() and made["tenure"].nunique() == 1


def test_other_misuse(table, schema):
    with pytest.raises(GeneratorError, match="Choose one of"):
        generate.fit("cartt", table, schema)
    with pytest.raises(GeneratorError, match="options"):
        generate.fit("cart", table, schema, depth=3)
    with pytest.raises(GeneratorError, match="needs a table"):
        generate.fit("cart", None, schema)
    for rows in (0, -1, 2.5, "ten"):
        with pytest.raises(GeneratorError, match="1 or more"):
            generate.fit("structural", None, schema).sample(rows, 1)


def test_rules_that_cannot_hold_are_refused(schema):
    never = [{"name": "never", "table": "households", "expression": "weekly_income < -1", "description": ""}]
    with pytest.raises(GeneratorError, match="still break a rule"):
        generate.fit("valid", None, schema, rules=never).sample(10, 1)


@pytest.mark.parametrize("dataset", data.names())
def test_valid_keeps_within_limits_given_on_one_side_only(dataset):
    opened = data.load(dataset)
    for name in opened.tables:
        schema = opened.schema(name)
        made = generate.fit("valid", None, schema).sample(500, 1)
        for column in schema.of_kind("numeric", "date"):
            limits = schema.field(column).get("constraints", {})
            if "formula" not in schema.field(column):
                least, most = (limits.get(end) for end in ("minimum", "maximum"))
                known = made[column].dropna()
                assert least is None or (known >= least).all(), column
                assert most is None or (known <= most).all(), column
