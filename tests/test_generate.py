"""Every generator, held to the same promises."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course import data, generate
from course.generate import GeneratorError
from course.generate.ipf import CliqueTree, iterative_proportional_fitting

FROM_METADATA = ["structural", "valid"]
LEARNERS = ["marginal", "ipf", "ipf-dp", "copula", "cart"]
TRIED = [*LEARNERS, "sdv-gaussian-copula", "synthopt-correlated"]  # what is tried on unusable tables
HERE = [*FROM_METADATA, *LEARNERS]  # made by hand; the adapters keep the same promises in test_adapters.py
OPTIONS = {"sdv-ctgan": {"epochs": 1}, "sdv-tvae": {"epochs": 1}, "ipf-dp": {"noise_seed": 1, "epsilon": 5}}
# What ipf-dp must be told of the table of `_strange`, whose schema has neither code lists nor limits.
STRANGE = {
    "ipf-dp": {"domain": {"class": ["x", "y"], "word": ["u", "v"], "tiny": (0, 0.0001), "count": (0, 89)}}
}


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


@pytest.mark.parametrize("name", HERE)
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


@pytest.mark.parametrize("name", [name for name in HERE if name != "structural"])
def test_only_known_codes_come_out(name, table, schema):
    made = fitted(name, table, schema).sample(300, 1)
    for column in schema.of_kind("categorical"):
        assert set(made[column].dropna().astype(str)) <= set(map(str, schema.categories(column))), column


def test_the_registry_and_a_seed_do_not_touch_the_global_random_state(table, schema):
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    for name in ("copula", "synthopt-structural", "sdv-tvae"):
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
@pytest.mark.parametrize("name", ["marginal", "ipf", "copula", "cart"])
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
    for name in ("marginal", "ipf", "copula"):
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
    "dates with a time zone": (
        lambda t: t.assign(tenancy_start=t["tenancy_start"].dt.tz_localize("UTC")),
        "time zone",
    ),
    "half a person": (lambda t: t.assign(people=1.5), "'people'"),
}


@pytest.mark.parametrize("name", TRIED)
@pytest.mark.parametrize("fault", BAD)
def test_bad_tables_get_one_clear_sentence(name, fault, table, schema):
    spoil, says = BAD[fault]
    with pytest.raises(GeneratorError) as error:
        generate.fit(name, spoil(table), schema)
    assert says in str(error.value) and "\n" not in str(error.value)


def _mixed(table):
    """A text column that holds numbers, words, dates and truth values."""
    things = np.resize(np.array([1, "one", 2.5, True, pd.Timestamp("2025-01-01"), None], object), len(table))
    return table.assign(area_code=things)


# Hard, but not a mistake: each either works or is refused in one sentence that names the column.
HARD = {
    "an all-blank number": ("weekly_income", lambda t: t.assign(weekly_income=np.nan)),
    "an all-blank code": ("tenure", lambda t: t.assign(tenure=None)),
    "a constant number": ("weekly_income", lambda t: t.assign(weekly_income=5.0)),
    "a constant code": ("tenure", lambda t: t.assign(tenure="SR")),
    "mixed types": ("area_code", _mixed),
    "a category for each row": ("area_code", lambda t: t.assign(area_code=[f"c{i}" for i in range(len(t))])),
    "two rows": ("", lambda t: t.head(2)),
}


@pytest.mark.parametrize("name", TRIED)
@pytest.mark.parametrize("difficulty", HARD)
def test_hard_tables_work_or_get_one_clear_sentence(name, difficulty, table, schema):
    column, change = HARD[difficulty]
    try:
        made = fitted(name, change(table), schema).sample(50, 1)
    except GeneratorError as error:
        # Which column is to blame can only be told where one column was changed.
        assert "\n" not in str(error) and (repr(column) in str(error) or not column)
    else:
        assert list(made.columns) == schema.columns and len(made) == 50


@pytest.mark.parametrize("name", LEARNERS)
def test_a_hundred_thousand_categories_work_or_are_refused(name):
    rows = 100_000
    table = pd.DataFrame({"n": np.arange(rows) % 7, "code": [f"c{i}" for i in range(rows)], "m": range(rows)})
    kinds = {"n": "integer", "code": "string", "m": "integer"}
    schema = data.Schema("t", tuple({"name": name, "type": kind} for name, kind in kinds.items()))
    try:
        made = fitted(name, table, schema).sample(100, 1)
    except GeneratorError as error:
        assert "'code'" in str(error) and "\n" not in str(error)
    else:
        assert made["code"].nunique() > 90


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


def _strange(rows=300):
    """A table unlike the bundled ones, with its schema: odd names, types and rows, blanks, tiny numbers."""
    rng = np.random.default_rng(2)
    some = rng.random(rows) < 0.2
    table = pd.DataFrame(
        {
            "whole code": pd.Series(rng.choice([1, 2, 3], rows)).astype("Int64").mask(some),
            "yes": rng.random(rows) < 0.3,
            "maybe": pd.Series(rng.random(rows) < 0.3).astype("boolean").mask(some),
            "class": pd.Categorical(rng.choice(["x", "y"], rows)),
            "word": pd.Series(rng.choice(["u", "v"], rows), dtype="string").mask(some),
            "tiny": rng.random(rows) / 10_000,
            "count": pd.Series(rng.integers(0, 90, rows)).astype("Int64").mask(some),
        }
    )
    codes = [{"value": code, "label": str(code)} for code in (1, 2, 3)]
    kinds = ["integer", "boolean", "boolean", "string", "string", "number", "integer"]
    fields = [{"name": name, "type": kind} for name, kind in zip(table.columns, kinds, strict=True)]
    fields[0]["categories"] = codes
    for field in fields:
        field["constraints"] = {"required": bool(table[field["name"]].notna().all())}
    return table.set_axis(rng.permutation(rows) + 1000), data.Schema("t", tuple(fields))


@pytest.mark.parametrize("name", [name for name in HERE if name not in FROM_METADATA])
def test_columns_of_every_kind_come_out_as_the_schema_says(name):
    table, schema = _strange()
    made = fitted(name, table, schema, **STRANGE.get(name, {})).sample(200, 1)
    assert set(made["whole code"].dropna()) <= {1, 2, 3} and made["whole code"].dtype == "Int64"
    assert made["yes"].dtype == bool and made["maybe"].dtype == "boolean"
    assert set(made["class"]) <= {"x", "y"} and set(made["word"].dropna()) <= {"u", "v"}
    assert made["count"].dtype == "Int64"
    assert made["tiny"].nunique() > 5, "a column of small numbers must not be rounded away"


@pytest.mark.parametrize("dataset", data.names())
def test_every_table_keeps_the_types_of_the_real_one(dataset):
    opened = data.load(dataset)
    for name in opened.tables:
        table = opened.training[name]
        made = generate.fit("cart", table.head(2000), opened.schema(name)).sample(50, 1)
        marginal = generate.fit("marginal", table.head(2000), opened.schema(name), threshold=1).sample(50, 1)
        for column in table:
            if table[column].notna().all():
                assert made[column].dtype == marginal[column].dtype == table[column].dtype, column


def test_every_kind_of_blank_is_one_blank():
    table = pd.DataFrame({"c": [None] * 6 + [np.nan] * 6 + ["a"] * 12}, dtype=object)
    schema = data.Schema("t", ({"name": "c", "type": "string"},))
    made = generate.fit("marginal", table, schema).sample(1000, 1)
    assert 0.4 < made["c"].isna().mean() < 0.6, "six of one kind and six of the other are twelve blanks"


@pytest.mark.parametrize("rows", [20, 60, 150, 200])
def test_the_outermost_value_of_a_small_table_does_not_show(rows):
    values = np.random.default_rng(1).normal(100, 10, rows).round(2)
    values[0] = 1e7
    schema = data.Schema("t", ({"name": "n", "type": "number"},))
    made = generate.fit("marginal", pd.DataFrame({"n": values}), schema).sample(5000, 1)
    assert made["n"].max() < 200


def test_a_value_that_few_share_is_not_drawn_exactly_however_small_the_table():
    values = pd.Series([*range(100, 117), 500.37, 500.37, 900.0])
    model = generate.fit(
        "marginal", values.to_frame("n"), data.Schema("t", ({"name": "n", "type": "number"},))
    )
    assert not len(model.margins["n"].spike)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("marginal", {"threshold": 0}),
        ("copula", {"bins": 0}),
        ("cart", {"min_leaf": 0}),
        ("ipf", {"rounding": 0}),
        ("ipf", {"margins": ["tenure"]}),
        ("ipf", {"margins": [("tenure", "tenure")]}),
        ("ipf", {"margins": [("tenure", "household_id")]}),
        ("ipf", {"margins": [("tenure", "reference_age", "area_code", "weekly_income", "region", "people")]}),
        ("ipf-dp", {"epsilon": 0}),
        ("ipf-dp", {"domain": {"office": ["a"]}}),
        ("ipf-dp", {"domain": {"weekly_rent": 500}}),
        ("ipf-dp", {"domain": {"area_code": "X01"}}),
        ("sdv-gaussian-copula", {"depth": 3}),
    ],
)
def test_options_that_cannot_work_get_one_sentence(name, options, table, schema):
    with pytest.raises(GeneratorError) as error:
        generate.fit(name, table, schema, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", TRIED)
def test_what_no_generator_can_learn_from_gets_one_sentence(name, schema):
    keys = data.Schema("t", ({"name": "key", "type": "string", "role": "identifier"},))
    with pytest.raises(GeneratorError, match="only identifiers"):
        generate.fit(name, pd.DataFrame({"key": ["a", "b"]}), keys)
    with pytest.raises(GeneratorError, match="DataFrame"):
        generate.fit(name, [1, 2], schema)


def test_what_synthopt_cannot_do_gets_one_sentence():
    table = pd.DataFrame({"same": ["k"] * 50, "n": range(50)})
    schema = data.Schema("t", ({"name": "same", "type": "string"}, {"name": "n", "type": "integer"}))
    with pytest.raises(GeneratorError, match="SynthOpt's correlated level"):
        generate.fit("synthopt-correlated", table, schema).sample(10, 1)


@pytest.mark.parametrize("dataset", data.names())
def test_valid_keeps_within_limits_given_on_one_side_only(dataset):
    opened = data.load(dataset)
    for name in opened.tables:
        schema = opened.schema(name)
        made = generate.fit("valid", None, schema).sample(500, 1)
        for column in schema.of_kind("numeric", "date"):
            limits = schema.field(column).get("constraints", {})
            least, most = (limits.get(end) for end in ("minimum", "maximum"))
            known = made[column].dropna()
            assert least is None or (known >= least).all(), column
            assert most is None or (known <= most).all(), column


TABLES = [(dataset, name) for dataset in data.names() for name in data.load(dataset).tables]


@pytest.mark.parametrize("dataset, name", [one for one in TABLES if one[1] != "episodes"])
def test_valid_keeps_the_rules_of_every_bundled_table(dataset, name):
    opened = data.load(dataset)
    model = generate.fit("valid", None, opened.schema(name), rules=opened.rules)
    found = data.broken_rules({name: model.sample(1000, 1)}, opened).set_index("rule")["broken"]
    assert set(found[found > 0].index) <= set(model.not_kept)


def test_valid_says_which_rule_it_cannot_keep():
    """An episode of a finished stay ends with the stay: no two dates drawn by chance are the same."""
    opened = data.load("admissions")
    model = generate.fit("valid", None, opened.schema("episodes"), rules=opened.rules)
    with pytest.raises(GeneratorError, match="epiend == disdate"):
        model.sample(100, 1)


@pytest.mark.parametrize("name", ["ipf", "ipf-dp", "copula", "cart"])
def test_a_table_read_as_text_is_learned_from_as_it_stands(name, table, schema):
    made = fitted(name, table, schema).sample(50, 1)
    from_text = fitted(name, table.astype(str).where(table.notna()), schema).sample(50, 1)
    pd.testing.assert_frame_equal(made, from_text)


@pytest.mark.parametrize("name", ["sdv-ctgan", "sdv-tvae"])
def test_a_network_fitted_twice_gives_the_same_rows(name, table, schema):
    first, second = (fitted(name, table.head(200), schema).sample(50, 1) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_text_made_from_the_schema_fits_its_pattern():
    import re

    for dataset in data.names():
        opened = data.load(dataset)
        for name in opened.tables:
            made = generate.fit("valid", None, opened.schema(name)).sample(50, 1)
            for column in opened.schema(name).of_kind("text"):
                if pattern := opened.schema(name).field(column).get("constraints", {}).get("pattern"):
                    assert all(re.fullmatch(pattern, value) for value in made[column].dropna()), column


@pytest.mark.parametrize("pattern", ["(a|b)", "a+", "[^a]", ".*", "a{2,3}", "[A-Z"])
def test_a_pattern_that_cannot_be_written_is_refused(pattern):
    field = {"name": "c", "type": "string", "constraints": {"pattern": pattern}}
    with pytest.raises(GeneratorError, match=r"pattern .* of column 'c'"):
        generate.fit("valid", None, data.Schema("t", (field,))).sample(5, 1)


def test_valid_says_which_rules_it_does_not_keep():
    pupils = data.load("pupils")
    model = generate.fit("valid", None, pupils.schema(), rules=pupils.rules)
    assert model.not_kept == ["one-score-for-an-area", "special-school-means-plan"]


@pytest.mark.parametrize("name", ["marginal", "ipf", "copula"])
def test_new_numbers_have_as_many_places_as_the_real_ones(name):
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"one": rng.normal(50, 9, 500).round(1), "three": rng.random(500).round(3)})
    schema = data.Schema("t", tuple({"name": column, "type": "number"} for column in table))
    made = generate.fit(name, table, schema).sample(500, 1)
    for column, places in {"one": 1, "three": 3}.items():
        assert np.allclose(made[column], made[column].round(places))
        assert not np.allclose(made[column], made[column].round(places - 1))


def test_many_categories_cost_a_tree_little_and_keep_its_relationships(monkeypatch):
    from course.generate import cart

    rng = np.random.default_rng(1)
    group = rng.integers(0, 8, 6000)
    codes = np.char.add("c", (group * 40 + rng.integers(0, 40, 6000)).astype(str)).astype(object)
    table = pd.DataFrame({"group": group, "code": codes})
    schema = data.Schema("t", ({"name": "group", "type": "integer"}, {"name": "code", "type": "string"}))

    def kept():
        made = generate.fit("cart", table, schema).sample(6000, 1)
        return (made["code"].str[1:].astype(int) // 40 == made["group"]).mean()

    counted = kept()
    monkeypatch.setattr(cart, "MOST_COUNTS", 0)
    assert counted == kept() == 1


# Fitting by hand, on arrays


def test_fitting_meets_its_margins_and_keeps_the_pattern_of_the_seed():
    seed = np.array([[40.0, 30, 20], [35, 50, 100]])
    rows, columns = np.array([150.0, 300]), np.array([110.0, 140, 200])
    fitted_table = iterative_proportional_fitting(seed, {(0,): rows, (1,): columns})
    assert np.allclose(fitted_table.sum(axis=1), rows) and np.allclose(fitted_table.sum(axis=0), columns)

    def odds(table):
        return table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0])

    assert np.isclose(odds(fitted_table), odds(seed))
    flat = iterative_proportional_fitting(np.ones((2, 3)), {(0,): rows, (1,): columns})
    assert np.allclose(flat, np.outer(rows, columns) / 450), "without a pattern, the columns are unrelated"


def test_fitting_keeps_zeros_and_settles_where_margins_contradict():
    seed = np.array([[0.0, 1], [1, 1]])
    fitted_table = iterative_proportional_fitting(seed, {(0,): [10, 20], (1,): [15, 15]})
    assert np.allclose(fitted_table, [[0, 10], [15, 5]])
    off = iterative_proportional_fitting(np.ones((2, 2)), {(0,): [10, 20], (1,): [12, 16]})
    assert np.allclose(off.sum(axis=0), [12, 16]), "the margin named last holds"


@pytest.mark.parametrize(
    "margins", [{(0,): [1, 2, 3]}, {(1, 0): np.ones((2, 2))}, {(0,): [-1, 2]}, {(2,): [1]}]
)
def test_fitting_refuses_what_is_no_margin(margins):
    with pytest.raises(GeneratorError):
        iterative_proportional_fitting(np.ones((2, 2)), margins)


def test_a_tree_of_cliques_gives_what_the_whole_table_gives():
    rng = np.random.default_rng(4)
    sizes = {"a": 3, "b": 4, "c": 2, "d": 3, "e": 2}
    joint = rng.gamma(0.7, size=tuple(sizes.values()))
    joint /= joint.sum()
    # A ring of four columns, which no tree of pairs can hold, and a column that stands alone.
    asked = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("e",)]

    def axes(margin):
        return tuple(list(sizes).index(column) for column in margin)

    def margin_of(table, margin):
        return table.sum(axis=tuple(set(range(5)) - set(axes(margin))))

    wanted = {margin: margin_of(joint, margin) for margin in asked}
    whole = iterative_proportional_fitting(
        np.ones(joint.shape), {axes(margin): counts for margin, counts in wanted.items()}
    )
    tree = CliqueTree(sizes, wanted)
    for clique, table in zip(tree.cliques, tree.tables, strict=True):
        assert np.allclose(table, margin_of(whole, clique), atol=1e-5), clique
    drawn = tree.draw(200_000, np.random.default_rng(1))
    for margin in [("a", "c"), ("b", "d"), ("a", "e")]:
        code = np.ravel_multi_index([drawn[column] for column in margin], [sizes[c] for c in margin])
        share = np.bincount(code, minlength=margin_of(whole, margin).size) / 200_000
        assert np.abs(share - margin_of(whole, margin).ravel()).max() < 0.006, margin


# Published counts


@pytest.mark.parametrize("dataset", data.names())
def test_every_published_count_is_hidden_or_safe(dataset):
    opened = data.load(dataset)
    model = generate.fit("ipf", opened.training[opened.main], opened.schema(), threshold=12, rounding=5)
    assert len(model.published) > len(model.columns)
    for margin, counts in model.published.items():
        shown = counts.to_numpy(float)
        shown = shown[~np.isnan(shown)]
        assert (shown >= 10).all() and (shown % 5 == 0).all(), margin
        if len(margin) == 2 and not set(margin) & set(opened.schema().of_kind("numeric", "date", "text")):
            real = opened.training[opened.main]
            true = pd.crosstab(*(real[column].fillna("(blank)") for column in margin))
            true = true.reindex(index=counts.index, columns=counts.columns, fill_value=0)
            assert (counts.isna() == (true < 12)).all(axis=None)
            assert ((counts - true).abs().max(axis=None)) <= 2


def _related(rows=3000):
    """Three columns of codes: b follows a, c follows a."""
    rng = np.random.default_rng(3)
    a = rng.integers(0, 3, rows)
    b, c = (np.where(rng.random(rows) < 0.7, a, rng.integers(0, 3, rows)) for _ in "bc")
    table = pd.DataFrame({"a": a, "b": b, "c": c}).astype(str)
    codes = [{"value": code, "label": code} for code in "012"]
    fields = ({"name": name, "type": "string", "categories": codes} for name in "abc")
    return table, data.Schema("t", tuple(fields))


def test_only_published_relationships_survive():
    table, schema = _related()

    def agreement(made, pair):
        return (made[pair[0]] == made[pair[1]]).mean()

    made = generate.fit("ipf", table, schema, margins=[("a", "b")]).sample(20_000, 1)
    assert abs(agreement(made, "ab") - agreement(table, "ab")) < 0.02
    assert abs(agreement(made, "ac") - 1 / 3) < 0.02, "a and c were not published together"
    model = generate.fit("ipf", table, schema)
    assert sorted(model.margins) == [("a", "b"), ("a", "c")]
    assert abs(agreement(model.sample(20_000, 1), "ac") - agreement(table, "ac")) < 0.02


def test_sampling_uses_nothing_but_what_is_published():
    table, schema = _related()
    other = table.assign(
        c=table["c"].sample(frac=1, random_state=1).to_numpy()
    )  # c is related to nothing now
    one, two = (generate.fit("ipf", each, schema, margins=[("a", "b")]) for each in (table, other))
    for margin, counts in one.published.items():
        assert counts.equals(two.published[margin])
    pd.testing.assert_frame_equal(one.sample(500, 1), two.sample(500, 1))


def test_small_groups_keep_their_size_though_their_cells_are_hidden():
    table, schema = _related()
    table.loc[:14, "a"] = "few"
    table["n"] = np.random.default_rng(1).normal(size=len(table)).round(3)
    schema = data.Schema("t", ({"name": "a", "type": "string"}, {"name": "n", "type": "number"}))
    model = generate.fit("ipf", table[["a", "n"]], schema, margins=[("a", "n")])
    assert model.published[("a", "n")].loc["few"].isna().all(), "no cell of fifteen people has ten"
    made = model.sample(30_000, 1)
    assert abs((made["a"] == "few").mean() - 15 / 3000) < 0.002


def test_margins_that_cannot_be_used_are_named():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({name: rng.integers(0, 300, 9000).astype(str) for name in "abc"})
    schema = data.Schema("t", tuple({"name": name, "type": "string"} for name in "abc"))
    with pytest.raises(GeneratorError, match="a x b shows no count"):
        generate.fit("ipf", table, schema, margins=[("a", "b")])
    with pytest.raises(GeneratorError, match="a, b, c together"):
        generate.fit("ipf", table, schema, threshold=1, margins=[("a", "b"), ("b", "c"), ("a", "c")])


# Differential privacy


@pytest.mark.parametrize("dataset", data.names())
def test_the_ledger_of_epsilon_adds_up(dataset):
    opened = data.load(dataset)
    table, schema = opened.training[opened.main], opened.schema()
    model = generate.fit("ipf-dp", table, schema, epsilon=0.7, noise_seed=1)
    assert np.isclose(model.spent["epsilon"].sum(), 0.7)
    assert len(model.spent) >= 3 * len(model.columns) - 2
    counted = model.spent[model.spent["mechanism"] == "discrete Laplace"]
    assert np.allclose(counted["scale"] * counted["epsilon"], counted["sensitivity"])
    pair = [tuple(model.columns[:2])]
    given = generate.fit("ipf-dp", table, schema, epsilon=0.7, margins=pair, noise_seed=1)
    assert np.isclose(given.spent["epsilon"].sum(), 0.7)
    assert not given.spent["part"].str.startswith("choice").any()
    assert abs(model.rows - len(table)) < 0.05 * len(table)


COLUMNS = 60


def _noisy(yes, no, fits, epsilon):
    """Noisy counts of two codes, each with a budget of `epsilon`: (fits x 60 like columns) x 2 codes."""
    columns = [f"c{i}" for i in range(COLUMNS)]
    table = pd.DataFrame(dict.fromkeys(columns, ["y"] * yes + ["n"] * no))
    codes = [{"value": code, "label": code} for code in "yn"]
    field = {"type": "string", "categories": codes, "constraints": {"required": True}}
    schema = data.Schema("t", tuple({"name": column, **field} for column in columns))
    options = {"margins": [], "epsilon": epsilon * COLUMNS}
    models = [generate.fit("ipf-dp", table, schema, noise_seed=seed, **options) for seed in range(fits)]
    assert np.allclose(models[0].spent["epsilon"], epsilon)
    return np.array([model.published[(column,)] for model in models for column in columns])


def test_the_noise_is_what_was_promised():
    from scipy import stats

    epsilon = 0.5
    noise = (_noisy(30, 12, fits=10, epsilon=epsilon) - [30, 12]).ravel()
    alpha = np.exp(-epsilon)  # the discrete Laplace distribution: (1 - alpha) / (1 + alpha) * alpha ** abs(k)
    middle = np.arange(-4, 5)
    share = (1 - alpha) / (1 + alpha) * alpha ** np.abs(middle)
    seen = np.append((noise[:, None] == middle).sum(axis=0), (np.abs(noise) > 4).sum())
    assert stats.chisquare(seen, np.append(share, 1 - share.sum()) * len(noise)).pvalue > 0.001
    assert abs(noise.var() / (2 * alpha / (1 - alpha) ** 2) - 1) < 0.3
    assert abs(np.corrcoef(noise.reshape(-1, 2).T)[0, 1]) < 0.15, "each cell has noise of its own"


def _epsilon_shown(with_row, without, floor):
    """The epsilon that two samples of a count prove, at 95%: from how often each reaches `floor`.

    Source: Jagielski, Ullman and Oprea (2020), Auditing differentially private machine learning.
    """
    from scipy import stats

    hits, fewer = (with_row >= floor).sum(), (without >= floor).sum()
    least = stats.beta.ppf(0.025, hits, len(with_row) - hits + 1)
    most = stats.beta.ppf(0.975, fewer + 1, len(without) - fewer)
    return np.log(least / most)


def test_one_row_more_changes_no_count_more_than_epsilon_allows():
    with_row, without = (_noisy(yes, 12, fits=50, epsilon=1)[:, 0] for yes in (31, 30))
    shown = _epsilon_shown(with_row, without, 31)
    assert shown <= 1, "the noise is too small for what it promises"
    assert shown > 0.8, "an audit that proves next to nothing would pass any noise"


def test_the_choice_of_pairs_follows_the_strength_as_far_as_epsilon_lets_it():
    table, schema = _related(600)

    def first_choices(epsilon, fits=60):
        models = (generate.fit("ipf-dp", table, schema, epsilon=epsilon, noise_seed=i) for i in range(fits))
        return pd.Series([model.margins[0] for model in models]).value_counts()

    assert set(first_choices(20, fits=10).index) <= {("a", "b"), ("a", "c")}
    blind = first_choices(1e-6)
    assert len(blind) == 3 and blind.min() >= 8, "without a budget, each pair is as likely as another"


def test_what_is_counted_does_not_depend_on_the_rows(schema, table):
    one, two = (
        fitted("ipf-dp", each, schema, margins=[("tenure", "people")]) for each in (table, table[:700])
    )
    bounded = [c for c in one.columns if c not in ("weekly_income", "weekly_rent", "tenancy_start")]
    for column in bounded:
        assert one.published[(column,)].index.equals(two.published[(column,)].index), column
    made = one.sample(2000, 1)
    assert made["area_code"].nunique() > 1900, "text without a list is invented, not learned"


def test_ranges_that_the_schema_lacks_are_found_or_given(schema, table):
    found = fitted("ipf-dp", table, schema)
    assert found.spent["part"].str.startswith("range of ").sum() == 3
    low, high = found.cells["weekly_income"].low.min(), found.cells["weekly_income"].high.max()
    assert low == 0 and 1000 < high < 20_000
    domain = {
        "weekly_income": (0, 900),
        "weekly_rent": (0, 500),
        "tenancy_start": ("1990-01-01", "2025-03-31"),
    }
    given = fitted("ipf-dp", table, schema, domain=domain)
    assert not given.spent["part"].str.startswith("range of ").any()
    assert given.sample(2000, 1)["weekly_income"].max() <= 900
    with pytest.raises(GeneratorError, match="hides the range of"):
        fitted("ipf-dp", table.head(40), schema)


def test_noise_differs_from_fit_to_fit_unless_it_is_told_not_to():
    table, schema = _related(300)
    one, two = (generate.fit("ipf-dp", table, schema, epsilon=0.1).published[("a",)] for _ in range(2))
    assert not one.equals(two)


@pytest.mark.parametrize("dataset", data.names())
@pytest.mark.parametrize("name", LEARNERS)
def test_values_stay_within_what_the_schema_allows(name, dataset):
    opened = data.load(dataset)
    schema = opened.schema()
    made = fitted(name, opened.training[opened.main].head(2000), schema).sample(2000, 1)
    for column in schema.columns:
        limits, values = schema.field(column).get("constraints", {}), made[column]
        if schema.kind(column) == "identifier":
            continue  # invented on purpose so that they cannot be taken for real ones
        assert not (limits.get("required") and values.isna().any()), column
        if "minimum" in limits:
            assert (values.dropna() >= limits["minimum"]).all(), column
        if "maximum" in limits:
            assert (values.dropna() <= limits["maximum"]).all(), column
        if "pattern" in limits:
            assert values.dropna().str.fullmatch(limits["pattern"]).all(), column
