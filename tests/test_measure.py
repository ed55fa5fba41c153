"""The measures: vectors worked by hand, published values, properties that must hold, and bad input."""

import doctest
import inspect
import subprocess
import sys
import warnings
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course import measure
from course.measure import _risk, _tables, fidelity, output, privacy, utility
from course.measure.privacy import roc
from course.measure.report import risk_report

KEYS = ["age", "region", "household"]
every_time = settings(max_examples=12, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)


def people(seed, rows=300):
    """A table of people whose keys are mostly unique and whose arrears depend on their region."""
    rng = np.random.default_rng(seed)
    region = rng.integers(0, 9, rows)
    return pd.DataFrame(
        {
            "age": rng.integers(16, 90, rows),
            "region": [f"Region {r}" for r in region],
            "household": rng.choice(["single", "couple", "family", None], rows),
            "arrears": np.where(rng.random(rows) < 0.2 + 0.05 * region, "Y", "N"),
            "income": np.exp(rng.normal(6, 0.6, rows)).round(2),
        }
    )


ATTACKS = {
    "singling out": lambda *parts, **more: privacy.singling_out(*parts, KEYS, **more),
    "replicated uniques": lambda *parts, **more: privacy.replicated_uniques(*parts, KEYS, **more),
    "linkability": lambda *parts, **more: privacy.linkability(*parts, KEYS[:2], KEYS[2:], k=200, **more),
    "inference": lambda *parts, **more: privacy.attribute_inference(*parts, KEYS, "arrears", **more),
    "disco": lambda *parts, **more: privacy.disco(*parts, KEYS, "arrears", **more),
    "tcap": lambda *parts, **more: privacy.tcap(*parts, KEYS, "arrears", **more),
    "dcap": lambda *parts, **more: privacy.dcap(*parts, KEYS, "arrears", **more),
    "membership, exact": lambda *parts, **more: privacy.membership(*parts, KEYS, **more),
    "membership, nearest": lambda *parts, **more: privacy.membership(
        *parts, [*KEYS, "income"], match="nearest", **more
    ),
    "domias": lambda *parts, **more: privacy.domias(
        *parts, ["age", "household", "income"], reference=people(99_999), **more
    ),
    "nearest record": lambda *parts, **more: privacy.nearest_record_share(*parts, [*KEYS, "income"], **more),
}
each_attack = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)


def rates(risk):
    return (risk.training, risk.control)


# ---- the documentation and the rule


@pytest.mark.parametrize("name", measure.__all__)
def test_the_examples_in_the_docstrings_are_right(name):
    module = getattr(measure, name)
    failed, tried = doctest.testmod(module)
    assert tried >= 3
    assert failed == 0
    for public, function in inspect.getmembers(module, inspect.isfunction):
        if public[0] != "_" and function.__module__ == module.__name__:
            assert "Source:" in function.__doc__ or ">>>" in function.__doc__, public


def test_importing_is_light():
    code = (
        "import sys; from course import measure; assert 'pandas' not in sys.modules;"
        "[getattr(measure, part) for part in measure.__all__];"
        "assert not {'torch', 'sdv', 'synthcity', 'sklearn', 'scipy.stats'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_function_of_privacy_returns_a_bare_risk():
    helpers = {"band", "group_sizes", "rows_like", "membership_scores", "roc"}  # rows and columns, not risks
    attacks = set()
    for name in privacy.__all__:
        if name in helpers | {"Risk"}:
            continue
        parameters = list(inspect.signature(getattr(privacy, name)).parameters)
        assert parameters[:3] == ["training", "control", "synthetic"], name
        attacks.add(name)
    parts = people(1, 50), people(2, 50), people(3, 50)
    for name in attacks:
        asked = {"keys_a": "age", "keys_b": "region", "keys": "age", "columns": "age", "target": "arrears"}
        known = inspect.signature(getattr(privacy, name)).parameters
        risk = getattr(privacy, name)(*parts, **{k: v for k, v in asked.items() if k in known})
        assert isinstance(risk, privacy.Risk), name
    public = {name for name, value in vars(privacy).items() if inspect.isfunction(value) and name[0] != "_"}
    assert public - set(privacy.__all__) == {"people_hits", "percent"}


def test_a_risk_refuses_to_be_a_number_and_prints_all_it_holds():
    risk = ATTACKS["disco"](people(1), people(2), people(1))
    for number in (float, int):
        with pytest.raises(TypeError, match="control, baseline, interval and worst-placed"):
            number(risk)
    for words in (str(risk), risk._repr_html_()):
        for wanted in ("Same attack on the control part", "Baseline", "95% interval", "nobody else"):
            assert wanted in words
        for wanted in ("What this shows", "What this does not show", "not the luck of", "TCAP"):
            assert wanted in words
        for share in (risk.training, risk.control, risk.baseline, risk.excess, risk.low, risk.high):
            assert f"{100 * share:.1f}%" in words
    assert len(risk.table()) == 1
    assert {"training", "control", "baseline", "low", "high", "worst_training"} <= set(risk.table().columns)


class Tables(HTMLParser):
    """Collects what an accessible table needs."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def test_the_html_has_captions_scoped_headers_and_no_raw_names():
    awkward = 'age <b>"&'
    parts = [people(seed).rename(columns={"age": awkward}) for seed in (1, 2, 3)]
    html = privacy.disco(*parts, [awkward, "region"], "arrears")._repr_html_()
    assert "<b>" not in html
    parsed = Tables()
    parsed.feed(html)
    tags = [tag for tag, _ in parsed.seen]
    assert tags.count("table") == tags.count("caption") == 2
    assert all(attrs.get("scope") in ("row", "col") for tag, attrs in parsed.seen if tag == "th")
    assert not any("style" in attrs or "color" in attrs for _, attrs in parsed.seen)


# ---- fidelity


def test_total_variation_counts_blanks_as_a_value():
    assert fidelity.total_variation(pd.Series(["a", "b"]), pd.Series(["b", "a"])) == 0
    assert fidelity.total_variation(pd.Series(["a", "a"]), pd.Series(["b", "b"])) == 1
    # shares .5 .25 blank .25 against 0 .75 blank .25
    original, synthetic = pd.Series(["a", "a", "b", None]), pd.Series(["b", "b", "b", np.nan])
    assert fidelity.total_variation(original, synthetic) == 0.5


def test_distances_of_numbers_agree_with_scipy():
    from scipy.stats import ks_2samp, wasserstein_distance

    original, synthetic = people(1)["income"], people(2, 200)["income"] * 1.2
    blanks = pd.concat([synthetic, pd.Series([np.nan] * 50)])
    assert fidelity.ks(original, blanks) == pytest.approx(ks_2samp(original, synthetic).statistic)
    expected = wasserstein_distance(original, synthetic) / np.std(original)
    assert fidelity.wasserstein(original, blanks) == pytest.approx(expected)


def test_distances_work_on_dates():
    dates = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-03", None]))
    assert fidelity.ks(dates, dates + pd.Timedelta(days=1)) == 0.5
    assert fidelity.wasserstein(dates, dates + pd.Timedelta(days=1)) == pytest.approx(1)  # sd is one day


def test_cramers_v_by_hand():
    # 2 by 2 table 30 10 / 10 30: chi-squared 20, phi2 .25 - 1/79, both sides shrink to 2 - 1/79
    first = pd.Series(["a"] * 40 + ["b"] * 40)
    second = pd.Series(["x"] * 30 + ["y"] * 10 + ["x"] * 10 + ["y"] * 30)
    expected = np.sqrt((0.25 - 1 / 79) / (1 - 1 / 79))
    assert fidelity.association(first, second) == pytest.approx(expected)


def test_correlation_ratio_by_hand():
    # groups 1 2 3 and 5 6 7: total 28, within 4, so 1 - (5/4) * 4/28
    numbers, groups = pd.Series([1, 2, 3, 5, 6, 7, None]), pd.Series(list("aaabbbc"))
    assert fidelity.association(numbers, groups) == pytest.approx(np.sqrt(1 - 5 / 4 * 4 / 28))
    assert fidelity.association(groups, numbers) == fidelity.association(numbers, groups)


def test_unrelated_columns_score_about_zero_however_many_categories():
    rng = np.random.default_rng(1)
    many, few = (pd.Series(rng.integers(0, k, 4000).astype(str)) for k in (200, 5))
    assert fidelity.association(many, few) < 0.06
    assert fidelity.association(many, pd.Series(rng.normal(size=4000))) < 0.12
    assert fidelity.association(few, pd.Series([1.0] * 4000)) == 0


def test_columns_and_pairs_see_a_lost_relation():
    table = people(1)
    made = table.assign(arrears=table["arrears"].sample(frac=1, random_state=1).to_numpy())
    found = fidelity.columns(table, made).set_index("column")
    assert list(found.index) == list(table.columns)
    assert (found["value"] == 0).all()
    assert found.loc["age", "measure"] == "Kolmogorov-Smirnov"
    assert found.loc["household", "blank_original"] == table["household"].isna().mean()
    pairs = fidelity.pairs(table, made, ["region", "arrears", "age"])
    assert list(zip(pairs["first"], pairs["second"], strict=True)) == [
        ("region", "arrears"),
        ("region", "age"),
        ("arrears", "age"),
    ]
    assert pairs.loc[0, "difference"] < -0.1
    assert pairs.loc[1, "difference"] == 0


class Schema:
    """As much of `course.data.Schema` as the measures use."""

    def __init__(self, kinds):
        self.columns, self.kind = list(kinds), kinds.get


def test_columns_reads_a_column_as_the_schema_says():
    original = pd.DataFrame({"id": ["a", "b"], "code": [1, 2], "start": ["2024-01-01", "2024-01-02"]})
    synthetic = pd.DataFrame(
        {"id": ["c", "d"], "code": ["1", "2"], "start": pd.to_datetime(original["start"])}
    )
    with pytest.raises(ValueError, match=r"'code' holds number values in the original table and text"):
        fidelity.columns(original, synthetic)
    schema = Schema({"id": "identifier", "code": "categorical", "start": "date"})
    found = fidelity.columns(original, synthetic, schema).set_index("column")
    assert found["measure"].tolist() == ["not compared", "total variation", "Kolmogorov-Smirnov"]
    assert found["value"].tolist()[1:] == [0, 0]
    assert fidelity.pairs(original, synthetic, schema=schema)["difference"].tolist() == [0]


def test_by_group_finds_a_lost_group():
    table = people(1)
    made = table[table["region"] != "Region 3"].copy()
    made.loc[made["region"] == "Region 4", "arrears"] = "Y"
    found = fidelity.by_group(table, made, "region", "arrears").set_index("group")
    assert np.isnan(found.loc["Region 3", "value"]) and found.loc["Region 3", "rows_synthetic"] == 0
    assert found.loc["Region 4", "value"] > 0.4
    assert (found.drop(["Region 3", "Region 4"])["value"] == 0).all()
    assert found["rows_original"].is_monotonic_increasing
    ages = fidelity.by_group(table, made, "household", "age", fidelity.ks)
    assert ages["group"].isna().sum() == 1 and ages["rows_original"].sum() == len(table)


def test_by_group_takes_measures_of_whole_tables_and_says_why_none_could_be_made():
    table = people(1)
    made = table.assign(arrears=np.where(table["region"] == "Region 4", "Y", table["arrears"]))

    def cells(real, synthetic):
        return fidelity.contingency(real, synthetic, ["arrears", "household"])

    found = fidelity.by_group(table, made, "region", ["arrears", "household"], cells).set_index("group")
    assert found["measure"].eq("cells").all() and found.loc["Region 4", "value"] > 0.4
    assert (found.drop("Region 4")["value"] == 0).all()
    with pytest.raises(ValueError, match=r"No group of 'region' could be measured.*holds categories"):
        fidelity.by_group(table, made, "region", "arrears", fidelity.ks)


def sample(rng, rows, means=(0.0, 0.3), sd=1.0):
    """A number and a yes/no, unrelated."""
    return pd.DataFrame({"x": rng.normal(means[0], sd, rows), "y": rng.random(rows) < means[1]})


def test_pmse_ratio_is_1_for_a_correct_synthesis_and_1_over_1_minus_c_for_fresh_people():
    rng = np.random.default_rng(1)
    correct, fresh, unequal = [], [], []
    for _ in range(250):
        real = sample(rng, 300)
        fitted = (real["x"].mean(), real["y"].mean()), real["x"].std()
        correct.append(fidelity.pmse(real, sample(rng, 300, *fitted)).ratio)
        fresh.append(fidelity.pmse(real, sample(rng, 300)).ratio)
        unequal.append(fidelity.pmse(real, sample(rng, 100)))
    assert np.mean(correct) == pytest.approx(1, abs=0.2)
    assert np.mean(fresh) == pytest.approx(2, abs=0.3)
    assert unequal[0].fresh_sample == pytest.approx(1 / 0.75)
    assert np.mean([one.ratio for one in unequal]) == pytest.approx(4 / 3, abs=0.25)


def test_pmse_agrees_with_scikit_learn_and_sees_pairs_only_with_order_2():
    from sklearn.linear_model import LogisticRegression

    original, synthetic = people(1)[["age", "income"]], people(2, 200)[["age", "income"]] * 1.1
    both = pd.concat([original, synthetic])
    made = np.repeat([0, 1], [300, 200])
    fitted = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit((both - both.mean()) / both.std(), made)
    chance = fitted.predict_proba((both - both.mean()) / both.std())[:, 1]
    found = fidelity.pmse(original, synthetic)
    assert found.value == pytest.approx(np.mean((chance - 0.4) ** 2), rel=1e-4)
    assert found.expected == pytest.approx(2 * 0.4 * 0.36 / 500)

    table = pd.DataFrame({"a": ["x", "y"] * 200, "b": ["p", "q"] * 200})
    broken = table.assign(b=["p", "p", "q", "q"] * 100)
    assert fidelity.pmse(table, broken).ratio == 0
    assert fidelity.pmse(table, broken, order=2).ratio > 20


def test_pmse_copes_with_blanks_constants_and_values_found_in_one_table_only():
    table = people(1).assign(constant=1, region="A")
    made = people(2).assign(constant=1, region="B", income=np.nan)
    made.loc[:5, "income"] = 100.0
    found = fidelity.pmse(table, made)
    assert np.isfinite(found.ratio) and found.value == pytest.approx(0.25, abs=0.01)
    assert found.parameters < 10
    assert fidelity.pmse(people(1), people(2), ["region"]).parameters == 8  # nine regions
    assert fidelity.pmse(people(1), people(2), ["region"], most=3).parameters == 3  # three, and the rest


# ---- utility


def test_intervals_match_published_values():
    # Wilson 81/263 and Newcombe's example (a), 56/70 against 48/80: .2000 with .0524 to .3339
    table = pd.DataFrame({"hit": ["Y"] * 81 + ["N"] * 182})
    found = utility.rate(table, "hit", "Y")
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    table = pd.DataFrame(
        {"hit": ["Y"] * 56 + ["N"] * 14 + ["Y"] * 48 + ["N"] * 32, "g": ["a"] * 70 + ["b"] * 80}
    )
    found = utility.rate_difference(table, "hit", "Y", "g", "a", "b")
    assert found[1:4] == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_rates_leave_out_blanks():
    table = pd.DataFrame({"hit": ["Y", "N", "N", None], "age": pd.array([20, 20, None, 20], dtype="Int64")})
    assert utility.rate(table, "hit", "Y").value == pytest.approx(1 / 3)
    assert utility.rate(table, "hit", "Y", among={"age": 20}).rows == 2


def test_slope_agrees_with_scipy():
    from scipy.stats import linregress, t

    table = people(1)
    found = utility.slope(pd.concat([table, pd.DataFrame({"age": [50]})]), "income", "age")
    expected = linregress(table["age"], table["income"])
    reach = t.ppf(0.975, len(table) - 2) * expected.stderr
    assert found[1:] == pytest.approx((expected.slope, expected.slope - reach, expected.slope + reach, 300))


def test_ci_overlap_by_hand():
    assert utility.ci_overlap((0, 4), (2, 4)) == 0.75  # half of the first, all of the second
    assert utility.ci_overlap((0, 1), (1, 2)) == 0
    assert utility.ci_overlap((0, 1), (2, 3)) == -1
    with pytest.raises(ValueError, match="upper end must be above"):
        utility.ci_overlap((0, 0), (1, 2))


def test_ci_overlap_of_a_correct_synthesis_is_about_80_per_cent():
    rng = np.random.default_rng(1)
    synthetic = rng.normal(0, 1, 20_000)  # the estimate on each synthesis, in standard errors
    found = [utility.ci_overlap((-1.96, 1.96), (x - 1.96, x + 1.96)) for x in synthetic]
    assert np.mean(found) == pytest.approx(0.796, abs=0.005)


def test_compare_puts_the_parts_side_by_side():
    parts = {"training": people(1), "control": people(2), "synthetic": people(3).assign(arrears="N")}
    found = utility.compare(parts, lambda part: utility.rate(part, "arrears", "Y", {"region": "Region 8"}))
    found = found.set_index("table")
    assert np.isnan(found.loc["training", "overlap"])
    assert found.loc["control", "overlap"] > 0 > found.loc["synthetic", "overlap"]


# ---- likeness and use, the rest


def test_jensen_shannon_agrees_with_scipy():
    from scipy.spatial.distance import jensenshannon

    first, second = people(1)["region"], people(2)["region"].replace("Region 1", "Region 2")
    shares = [part.value_counts(normalize=True) for part in (first, second)]
    both = pd.concat(shares, axis=1).fillna(0).to_numpy()
    assert fidelity.jensen_shannon(first, second) == pytest.approx(jensenshannon(*both.T, base=2))


def test_contingency_agrees_with_sdmetrics():
    sdmetrics = pytest.importorskip("sdmetrics.column_pairs")
    first, second = (people(seed)[["region", "household"]].fillna("blank") for seed in (1, 2))
    theirs = sdmetrics.ContingencySimilarity.compute(first, second)
    assert fidelity.contingency(first, second, ["region", "household"]) == pytest.approx(1 - theirs)


def test_detection_finds_a_lost_relation_that_columns_do_not_show():
    real, fresh, control = (
        people(seed, 1500).assign(income=lambda t: 300 * np.sin(t["age"] / 5) + t["income"] / 20)
        for seed in (1, 2, 3)
    )
    lost = fresh.assign(income=fresh["income"].sample(frac=1, random_state=1).to_numpy())
    columns = ["age", "region", "household", "income", "arrears"]
    honest, found = (fidelity.detection(control, made, columns) for made in (fresh, lost))
    assert honest.low < 0.5 < honest.high and found.low > 0.5
    assert set(found.gives_away["column"].head(2)) == {"income", "age"}
    assert fidelity.detection(real, real.copy(), columns).auc < 0.5


def test_detection_calls_a_fresh_sample_different_no_more_often_than_stated():
    found = [fidelity.detection(people(s), people(s + 500), ["age", "region", "income"]) for s in range(12)]
    assert sum(not one.low <= 0.5 <= one.high for one in found) <= 3


def test_regression_agrees_with_statsmodels_formulas():
    import statsmodels.formula.api as smf

    table = people(1, 400).dropna().assign(late=lambda t: (t["arrears"] == "Y").astype(float))
    ours = utility.regression(table, "arrears", ["age", "region"], kind="logistic")
    first = table["region"].mode().iloc[0]
    theirs = smf.logit(f"late ~ age + C(region, Treatment('{first}'))", table).fit(disp=0)
    assert ours["age"].value == pytest.approx(theirs.params["age"])
    assert (ours["age"].low, ours["age"].high) == pytest.approx(tuple(theirs.conf_int().loc["age"]))
    linear = utility.regression(table, "income", ["age"])["age"]
    assert linear[1:4] == pytest.approx(utility.slope(table, "income", "age")[1:4])


@pytest.mark.parametrize("kind", ["linear", "logistic"])
def test_a_regression_that_has_no_answer_says_so(kind):
    table = people(1).assign(twice=lambda t: 2 * t["age"])
    outcome = "income" if kind == "linear" else "arrears"
    with pytest.raises(ValueError, match="no single answer"):
        utility.regression(table, outcome, ["age", "twice"], kind=kind)


def test_a_logistic_regression_needs_two_outcomes():
    with pytest.raises(ValueError, match="outcome of two values"):
        utility.regression(people(1), "region", ["age"], kind="logistic")


def _covered(rule, tables, times=2000, n=400, k=400):
    """How often the combined interval of a mean holds the truth, 0, for a correct normal synthesis."""
    rng, covered = np.random.default_rng(1), 0
    for _ in range(times):
        original = rng.normal(size=n)
        mean, spread = original.mean(), original.std(ddof=1)
        found = []
        for _ in range(tables):
            drawn = mean + rng.normal() * spread / np.sqrt(n) if rule == "proper" else mean
            made = rng.normal(drawn, spread, k)
            reach = 1.959963984540054 * made.std(ddof=1) / np.sqrt(k)
            found.append(utility.Estimate("mean", made.mean(), made.mean() - reach, made.mean() + reach, k))
        one = utility.combine(found, n, rule=rule)
        covered += one.low <= 0 <= one.high
    return covered / times


@pytest.mark.parametrize("tables", [1, 5])
@pytest.mark.parametrize("rule", ["fitted", "proper"])
def test_combined_intervals_hold_the_truth_as_often_as_they_say(rule, tables):
    assert 0.935 < _covered(rule, tables) < 0.965


def test_the_interval_of_one_synthetic_table_alone_is_too_short():
    """Read as real people, a synthetic table of as many rows holds the truth 83 times in 100, not 95."""
    rng, held = np.random.default_rng(2), 0
    for _ in range(2000):
        mean = rng.normal() + rng.normal()  # the luck of the sample and that of the synthesis
        held += abs(mean) <= 1.959963984540054
    assert held / 2000 == pytest.approx(0.834, abs=0.02)


def test_tstr_tells_a_useful_table_from_a_useless_one():
    training, control = people(1, 1500), people(2, 1500)
    rng = np.random.default_rng(1)
    for part in (training, control):
        part["owns"] = np.where(rng.random(len(part)) < 1 / (1 + np.exp(-(part["age"] - 50) / 8)), "Y", "N")
    useless = training.assign(owns=training["owns"].sample(frac=1, random_state=1).to_numpy())
    found = {
        name: utility.tstr(training, control, made, "owns", ["age", "region"], seeds=2).set_index(
            "learned_from"
        )
        for name, made in {"copy": training, "useless": useless}.items()
    }
    assert found["copy"]["auc"].nunique() == 1 and found["copy"].loc["training", "auc"] > 0.8
    assert abs(found["useless"].loc["synthetic", "auc"] - 0.5) < 0.1
    groups = utility.tstr(training, control, training, "owns", ["age"], group="household", seeds=2)
    assert groups["group"].iloc[0] == "everybody" and "blank" in set(groups["group"])
    assert groups.query("group != 'everybody'").groupby("learned_from")["people"].sum().eq(1500).all()


DOMINANCE = [  # values, p-ratio, NK(2): worked by hand
    ([50] * 10, 8.0, 0.2),
    ([100, 40, 3, 2], 0.05, 140 / 145),
    ([1000, 50, *[10] * 8], 0.08, 1050 / 1130),
    ([400, 60, 20, 10, *[5] * 6], 0.15, 460 / 520),
    ([90, 80, 5, 3, *[2] * 6], 20 / 90, 170 / 190),
    ([7], 0.0, 1.0),
    ([0, 0], 0.0, 1.0),
]


@pytest.mark.parametrize(("values", "p", "share"), DOMINANCE)
def test_dominance_by_hand(values, p, share):
    assert output.p_ratio(values) == pytest.approx(p) and output.nk(values) == pytest.approx(share)
    cell = output.dominance(pd.DataFrame({"cell": "a", "value": [*values, np.nan]}), "value", "cell").iloc[0]
    assert (cell["p_ratio"], cell["nk"]) == pytest.approx((p, share)) and cell["rows"] == len(values)


def test_dominance_agrees_with_acro(tmp_path, monkeypatch):
    from acro import ACRO

    monkeypatch.chdir(tmp_path)  # it writes its outputs into the folder it runs in
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"cell": rng.integers(0, 40, 1200), "value": rng.lognormal(3, 4, 1200), "all": "x"})
    checker = ACRO(suppress=False)
    checker.crosstab(table["cell"], table["all"], values=table["value"], aggfunc="sum")
    said = checker.results.get_index(0).outcome["x"]
    ours = output.dominance(table, "value", "cell").set_index("cell")
    assert (said.str.contains("PPercentCheck") == (ours["p_ratio"] < 0.1)).all()
    assert (said.str.contains("NKCheck") == (ours["nk"] >= 0.9)).all()
    assert 3 < (ours["p_ratio"] < 0.1).sum() < 37


def test_negative_contributions_get_one_sentence():
    with pytest.raises(ValueError, match="negative"):
        output.p_ratio([5, -1])


def test_a_risk_report_states_everything_and_averages_nothing():
    training, control = people(1), people(2)
    report = risk_report(training, control, training, KEYS, ["arrears"])
    assert len(report.leaks) > 5
    table = report.table()
    assert {"singling out", "linkability", "inferences", "membership", "copies"} == set(table["indicator"])
    assert {"training", "control", "baseline", "low", "high", "worst_training"} <= set(table.columns)
    for words in (str(report), report._repr_html_()):
        assert report.leaks[0] in words and "one in forty" in words and "Do not write" in words
    assert not any(hasattr(report, name) for name in ("score", "average", "__float__"))
    five = risk_report(training, control, [people(seed) for seed in range(10, 15)], KEYS, ["arrears"])
    assert "luck of 5 syntheses" in str(five)


def test_a_risk_report_names_the_copy_of_one_person():
    training, control, fresh = people(1), people(2), people(3)
    one = pd.concat([training[:1], fresh[1:]])
    words = [str(risk_report(training, control, made, KEYS, "arrears")) for made in (one, fresh)]
    assert "0.33% of synthetic rows equal a person" in words[0] and "Look at the copies" not in words[1]


def test_a_risk_report_clears_fresh_people_as_often_as_it_says():
    reports = [
        risk_report(*(people(s + 100 * part) for part in range(3)), KEYS, "arrears") for s in range(12)
    ]
    made = sum(len(report.risks) for report in reports)
    # One in forty is stated; two of twelve would be 1 in 30 by chance.
    assert sum(bool(report.leaks) for report in reports) <= 2
    assert sum(risk.low > 0 for report in reports for risk in report.risks.values()) <= 3 * 0.025 * made


def test_a_risk_report_goes_on_without_an_attack_that_cannot_be_made():
    training, control, fresh = people(1), people(2), people(3)
    report = risk_report(training, control, fresh, "age", "arrears")
    assert list(report.left_out) == ["Linkability"] and "Not tried: Linkability." in str(report)
    with pytest.raises(KeyError, match="'nothing'"):
        risk_report(training, control, fresh, ["nothing"], "arrears")


# ---- privacy, by hand


@pytest.fixture
def tiny():
    """Five training people, five control people, five synthetic rows."""
    return (
        pd.DataFrame({"key": list("aabcd"), "target": list("xxyxy")}),
        pd.DataFrame({"key": list("abeef"), "target": list("xxxyy")}),
        pd.DataFrame({"key": list("aabcg"), "target": list("xxyyx")}),
    )


def test_replicated_uniques_by_hand(tiny):
    risk = privacy.replicated_uniques(*tiny, "key", draws=5)  # b and c of b c d; b of a b f
    assert rates(risk) == (0.4, 0.2)
    assert risk.excess == pytest.approx(0.25)
    assert risk.details.loc[0, ["training", "control"]].tolist() == [0.6, 0.6]
    assert risk.always_hit == (2, 1)


def test_singling_out_by_hand(tiny):
    risk = privacy.singling_out(*tiny, "key", draws=5)  # guesses b c g: right b c; b
    assert rates(risk) == pytest.approx((2 / 3, 1 / 3))
    assert risk.excess == pytest.approx(0.5)
    assert risk.tried == (3, 3)
    assert risk.always_hit == (2, 1)


def test_linkability_by_hand(tiny):
    risk = privacy.linkability(*tiny, "key", "target", k=3, draws=5)  # a a b; a
    assert rates(risk) == (0.6, 0.2)
    risk = privacy.linkability(*tiny, "key", "target", k=2, draws=5)  # x matches three rows, so only b
    assert rates(risk) == (0.2, 0)


def test_attribute_inference_by_hand(tiny):
    risk = privacy.attribute_inference(*tiny, "key", "target", draws=5)
    assert rates(risk) == (0.6, 0.4)  # a a b right; a and one e, by the commonest value, right
    assert risk.baseline == 0.6  # x for everybody
    assert risk.excess == pytest.approx(1 / 3)
    assert risk.details.loc[0, ["training", "control"]].tolist() == [0.8, 0.4]


def test_attribute_inference_guesses_the_commonest_and_breaks_ties_by_the_whole_table():
    known = pd.DataFrame({"key": ["p"] * 10, "target": ["x"] * 5 + ["y"] * 5})
    other = known.assign(target=["x"] * 4 + ["y"] * 6)
    tie = pd.DataFrame({"key": ["p", "p", "q", "q"], "target": ["x", "y", "y", "y"]})
    assert privacy.attribute_inference(known, other, tie, "key", "target").control == 0.6
    more = pd.DataFrame({"key": ["p", "p", "p", "q", "q"], "target": ["x", "x", "y", "y", "y"]})
    assert privacy.attribute_inference(known, other, more, "key", "target").control == 0.4
    for order in (known, known[::-1]):  # a tie everywhere goes to the lower value, whatever the order of rows
        assert privacy.attribute_inference(order, other, tie[:2], "key", "target").control == 0.4


def test_disco_by_hand(tiny):
    risk = privacy.disco(*tiny, "key", "target", draws=5)  # a a b right, c wrong, d unknown; a right, b wrong
    assert rates(risk) == (0.6, 0.2)
    assert risk.excess == pytest.approx(0.5)
    assert risk.details["training"].tolist() == [0.8, 0.75]
    assert risk.details["control"].tolist() == [0.4, 0.5]
    split = tiny[2].assign(target=list("xyyyx"))  # the rows of a no longer agree
    assert rates(privacy.disco(*tiny[:2], split, "key", "target", draws=5)) == (0.2, 0)


def test_tcap_and_dcap_by_hand(tiny):
    risk = privacy.tcap(*tiny, "key", "target", draws=5)  # tried: a a b c, of which c wrong; a b, b wrong
    assert rates(risk) == (0.75, 0.5) and risk.tried == (4, 2)
    assert risk.training == privacy.disco(*tiny, "key", "target", draws=5).details.loc[1, "training"]
    split = tiny[2].assign(target=list("xyyyx"))  # the rows of a no longer agree
    risk = privacy.dcap(*tiny[:2], split, "key", "target", draws=5)  # 1/2 1/2 1 0 0; 1/2 0 0 0 0
    assert rates(risk) == (0.4, 0.1)


def test_measures_of_attribution_agree_with_published_definitions():
    """DCAP, TCAP and DiSCO from the sums over keys and targets, as their papers write them."""
    training, control, made = people(1, 500), people(2, 500), people(3, 500)
    keys, target = ["age", "household"], "arrears"
    d = training.fillna("blank").groupby([*keys, target]).size()
    s = made.fillna("blank").groupby([*keys, target]).size()
    of_key = {name: part.groupby(level=keys).sum() for name, part in {"d": d, "s": s}.items()}
    both = pd.concat([d, s], axis=1, keys=["d", "s"]).fillna(0).reset_index()
    both = both.join(of_key["d"].rename("dq"), on=keys).join(of_key["s"].rename("sq"), on=keys).fillna(0)
    certain = both[(both["s"] == both["sq"]) & (both["sq"] > 0)]
    parts = training, control, made, keys, target
    assert privacy.disco(*parts).training == pytest.approx(certain["d"].sum() / len(training))
    assert privacy.tcap(*parts).training == pytest.approx(certain["d"].sum() / certain["dq"].sum())
    known = both[both["sq"] > 0]
    assert privacy.dcap(*parts).training == pytest.approx((known["s"] / known["sq"] * known["d"]).sum() / 500)


def test_domias_does_not_take_a_crowd_for_memory():
    """A crowd that the synthetic table gets right is near to everybody in it, in the data or not."""
    training, control, reference, fresh = (people(seed) for seed in (1, 2, 3, 4))
    columns = [*KEYS, "income"]
    memory = pd.concat([training[:100], fresh[100:]])
    assert privacy.domias(training, control, memory, columns, reference=reference).low > 0
    scores = [
        privacy.membership_scores(training, control, table, columns, by="domias", reference=reference)
        for table in (memory, fresh)
    ]
    caught = [roc(s).query("false_positive_rate <= 0.01")["true_positive_rate"].max() for s in scores]
    assert caught[0] > 0.25 and caught[1] < 0.06
    inside = scores[0].query("part == 'training'").set_index("row")["score"]
    assert inside[training.index[:100]].min() > inside[training.index[100:]].median()


@pytest.mark.parametrize("part", ["training", "control"])
def test_domias_refuses_a_reference_that_holds_the_people_attacked(part):
    tables = {"training": people(1), "control": people(2)}
    columns = [*KEYS, "arrears"]
    tables = {name: table.assign(arrears=np.arange(len(table))) for name, table in tables.items()}
    given = *tables.values(), people(3).assign(arrears=0), columns
    with pytest.raises(ValueError, match=f"of the {part} people stand in the reference"):
        privacy.domias(*given, reference=tables[part])


def test_roc_counts_shares_without_a_rounding_error():
    scores = pd.DataFrame({"part": ["training"] * 100 + ["control"] * 100, "score": [*range(100)] * 2})
    assert (privacy.roc(scores)["false_positive_rate"] == np.arange(101) / 100).all()


def test_roc_runs_from_nobody_to_everybody_and_agrees_with_scikit_learn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1)
    scores = pd.DataFrame({"part": ["training"] * 60 + ["control"] * 40, "score": rng.integers(0, 9, 100)})
    curve = roc(scores)
    ends = curve[["false_positive_rate", "true_positive_rate"]]
    assert ends.iloc[0].tolist() == [0, 0] and ends.iloc[-1].tolist() == [1, 1]
    wanted = roc_auc_score(scores["part"] == "training", scores["score"])
    assert np.trapz(ends["true_positive_rate"], ends["false_positive_rate"]) == pytest.approx(wanted)
    inside = (scores["part"] == "training").to_numpy().astype(int)
    assert fidelity.auc(scores["score"], inside) == pytest.approx(wanted)


def test_membership_by_hand(tiny):
    risk = privacy.membership(*tiny, "key", draws=5)  # a a b c; a b
    assert rates(risk) == (0.8, 0.4)
    assert risk.details.loc[0, "training"] == pytest.approx(0.4)
    near = pd.DataFrame({"x": [1.0, 2, 3, 4, 5]}), pd.DataFrame({"x": [5.5, 9.0, 10, 11, 12]})
    synthetic = pd.DataFrame({"x": [0.9, 3.0, 3.1, 3.2, 5.4]})
    # claimed: the five nearest of ten; control's 5.5 is nearer to a row than training's 4 (see percentiles)
    assert privacy.membership(*near, synthetic, "x", match="nearest", draws=5).control == 0.2


def test_nearest_membership_shares_its_claims_among_ties():
    risk = privacy.membership(people(1), people(2), people(3), ["region", "household"], match="nearest")
    assert sum(rates(risk)) == pytest.approx(1)  # half of all the people are claimed


def test_copies_are_named_first():
    training, control, fresh = people(1), people(2), people(3)
    copies = pd.concat([training[:30], fresh[30:]])
    assert (
        ATTACKS["nearest record"](training, control, copies)
        .notes[0]
        .startswith("Look at the copies first: 10.0%")
    )
    assert "Look at the copies" not in str(ATTACKS["nearest record"](training, control, fresh))


def test_nearest_record_share_by_hand():
    training, control = pd.DataFrame({"x": [0, 1, 2, 3, 4]}), pd.DataFrame({"x": [10, 11, 12, 13, 14]})
    synthetic = pd.DataFrame({"x": [0, 1, 4, 10, 7]})  # three, one, and 7 is half way: a tie
    risk = privacy.nearest_record_share(training, control, synthetic, "x", draws=5)
    assert rates(risk) == pytest.approx((0.7, 0.3))
    assert risk.details["training"].tolist() == pytest.approx([0.6, 0.2])
    assert risk.details["control"].tolist()[0] == pytest.approx(0.2)
    assert risk.always_hit == (3, 1)


def test_a_table_far_from_everybody_is_no_leak_by_the_few_people_nearest_to_it():
    """Rows beyond all people have one or two nearest ones, and it is luck in which part those stand."""
    flagged = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        training, control, made = (
            pd.DataFrame(rng.normal(size=(200, 5)), columns=list("abcde")) for _ in range(3)
        )
        risk = privacy.nearest_record_share(training, control, made.abs() + 6, list("abcde"))
        flagged += risk.low > 0
    assert flagged <= 2  # one in forty is stated


def test_gower_distance_by_hand():
    """Categories are 0 or 1 apart, numbers by their percentiles, a blank 1 from the middle."""
    table = pd.DataFrame({"c": ["a", "b"] * 3, "x": [0, 1, 2, 3, 4, None]})
    release = _risk.Release(table, table.assign(c="a"), table, ["c", "x"], 0, 5)
    place = privacy._places(release)

    def apart(one, other):
        return privacy._nearest(place(0, [one]), place(0, [other]))[0]

    assert apart(0, 2) == pytest.approx(4 / 9, abs=1e-5)  # ranks 0.5 and 4.5 of 0 to 9
    assert apart(0, 1) == pytest.approx(1 + 2 / 9, abs=1e-5)
    assert apart(1, 5) == pytest.approx(0.5 + 2.5 / 9, abs=1e-5)
    assert apart(5, 5) == 0
    everyone = [min(apart(i, j) for j in range(1, 6)) for i in range(6)]
    nearest = privacy._nearest(place(0), place(0, slice(1, None)), rows=4, piece=2)
    assert nearest == pytest.approx(everyone, abs=1e-5)


def test_worst_placed_counts_others_in_the_same_part():
    training = pd.DataFrame({"key": list("a" * 10 + "bbcdd")})
    control = pd.DataFrame({"key": list("z" * 5 + "c" * 4 + "a" * 6)})
    worst = privacy.membership(training, control, pd.DataFrame({"key": list("abb")}), "key").worst_placed
    assert worst["training_people"].tolist() == [1, 4, 0, 10]  # c; b b d d; none; a
    assert worst["control_people"].tolist() == [0, 4, 11, 0]  # none; c; z and a; none
    assert worst["training_hit"].tolist()[:2] == [0, 0.5] and worst["training_hit"].tolist()[3] == 1
    assert worst["control_hit"].tolist()[1:3] == [0, 6 / 11] and np.isnan(worst["control_hit"][0])


def test_the_interval_by_hand():
    # rate .5 of 98 and 0 of 98: 50/100 and 1/100 after one success and one failure are added
    by_hand = 0.0025 / 0.99**2 + 0.01 * 0.99 / 100 * 0.25 / 0.99**4
    assert _risk._least_variance(0.5, 0.0, (98, 98)) == pytest.approx(by_hand)
    assert _risk._variance_of_mean([1, 2, 3, np.nan]) == pytest.approx(1 / 3)
    assert _risk._excess(0.5, 0.2) == pytest.approx(0.375)
    assert _risk._excess(0.9, 1.0) == 0
    risk = ATTACKS["membership, exact"](people(1), people(2), people(1))
    assert rates(risk)[0] == 1 and risk.low < 1 == risk.high  # all of 300 hit is not certainty


def test_parts_of_unequal_size_are_attacked_alike():
    small, large = people(1, 300), people(2, 3000)
    risk = ATTACKS["replicated uniques"](small, large, people(3, 300))
    # uniqueness in all 3,000 would be rarer: the two shares must be those of 300 people each
    assert abs(np.subtract(*risk.details.loc[0, ["training", "control"]])) < 0.15
    assert risk.people == 300 and "drawn from each" in str(risk)
    assert ATTACKS["replicated uniques"](large, small, people(3, 300)).people == 300


@pytest.mark.filterwarnings("ignore:Most people")
def test_the_baseline_keeps_each_column_and_breaks_every_relation():
    training = pd.DataFrame({"x": range(400), "y": range(400), "target": ["a", "b"] * 200})
    control = training.assign(x=training["x"] + 400)
    risk = privacy.membership(training, control, training, ["x", "y"])
    assert risk.training == 1 and risk.baseline < 0.02  # a shuffled row meets its pair once in 400
    assert privacy.membership(training, control, training, ["x"]).baseline == 1  # one column is kept whole
    assert privacy.attribute_inference(training, control, training, ["x"], "target").baseline == 0.5


def test_five_tables_cover_the_luck_of_synthesis_and_say_so():
    training, control = people(1), people(2)
    made = [people(seed) for seed in range(10, 15)]
    risk = ATTACKS["disco"](training, control, made)
    each = [rates(ATTACKS["disco"](training, control, one)) for one in made]
    assert rates(risk) == pytest.approx(tuple(np.mean(each, axis=0)))
    assert risk.tables == 5 and "covers the luck of synthesis" in " ".join(str(risk).split())
    assert risk.always_hit[0] <= min(round(one[0] * 300) for one in each)


def test_the_same_table_five_times_is_no_more_certain_than_once():
    parts = people(1), people(2), people(3)
    once, often = ATTACKS["disco"](*parts), ATTACKS["disco"](*parts[:2], [parts[2]] * 5)
    assert rates(often) == pytest.approx(rates(once))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))
    assert "identical" in str(often) and "identical" not in str(once)


def test_always_the_same_guess_is_not_a_leak_even_where_the_parts_differ_by_chance():
    """With five tables that make the same guesses, only the choice of people varies; it must count."""
    training, control = people(1), people(2)
    made = [people(seed).assign(arrears="N", age=5) for seed in range(20, 25)]
    above = []
    for seed in range(20):
        training, control = people(100 + seed), people(200 + seed)
        risk = ATTACKS["inference"](training, control, made)
        assert risk.training != risk.control
        above.append(risk.low > 0)
    assert sum(above) <= 2


def test_bands_group_what_exact_keys_miss():
    """Left unbinned, a copy with a little noise has no replicated uniques at all."""
    training, control = people(1), people(2)
    noisy = training.assign(income=training["income"] + 0.01)
    with pytest.warns(UserWarning, match=r"'income' that nobody else has.*band\(table"):
        fine = privacy.replicated_uniques(training, control, noisy, ["income", "region"])
    assert fine.training == 0 and "group it first" in " ".join(str(fine).split())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        banded = [t.assign(income=privacy.band(t["income"], 200)) for t in (training, control, noisy)]
        assert privacy.replicated_uniques(*banded, ["income", "region", "age"]).low > 0


def test_nothing_to_try_is_not_reported_as_safety():
    doubled = pd.concat([people(3)] * 2)
    risk = ATTACKS["singling out"](people(1), people(2), doubled)
    assert risk.tried == (0, 0) and "had nothing to try" in str(risk)
    assert risk.low < -0.3 and risk.high > 0.3


def test_rows_like_finds_a_person_blanks_and_all():
    table = people(1)
    person = table[table["household"].isna()].iloc[0]
    found = privacy.rows_like(person, table, KEYS)
    assert person.name in found.index and (found["age"] == person["age"]).all()
    assert len(found) == privacy.group_sizes(table, KEYS)[person.name]
    assert privacy.rows_like(person.replace({person["age"]: 200}), table, KEYS).empty


# ---- privacy, properties


@each_attack
@every_time
@given(seed=seeds)
def test_a_verbatim_copy_is_caught(attack, seed):
    training, control = people(seed), people(seed + 20_000)
    risk = attack(training, control, training.sample(frac=1, random_state=seed))
    assert risk.low > 0 and risk.excess > 0.5


@each_attack
def test_independent_people_are_called_a_leak_no_more_often_than_stated(attack):
    """A 95% interval misses zero once in twenty; more than three of twenty would be 1 in 60 by chance."""
    risks = [attack(people(seed), people(seed + 20_000), people(seed + 40_000)) for seed in range(20)]
    assert sum(not risk.low <= 0 <= risk.high for risk in risks) <= 3
    assert abs(np.mean([risk.excess for risk in risks])) < 0.05
    placed = pd.concat([risk.worst_placed for risk in risks]).groupby("others")
    gap = placed[["training_hit", "control_hit"]].mean().diff(axis=1)["control_hit"].drop("9 or more others")
    assert gap.dropna().abs().max() < 0.1  # unique people are no worse placed for having been in the data


@each_attack
@every_time
@given(seed=seeds)
def test_row_labels_column_order_and_names_of_values_change_nothing(attack, seed):
    parts = people(seed), people(seed + 20_000), people(seed + 40_000)
    renamed = {f"Region {i}": f"{9 - i} & Sons, Ltd – {i}" for i in range(9)}
    other = [
        part.set_axis(range(1000, 1000 + len(part)))[part.columns[::-1]].replace({"region": renamed})
        for part in parts
    ]
    pd.testing.assert_frame_equal(attack(*other).table(), attack(*parts).table())


@each_attack
@every_time
@given(seed=seeds)
def test_the_order_of_rows_does_not_change_the_rates(attack, seed):
    parts = people(seed), people(seed + 20_000), people(seed + 40_000)
    mixed = [part.sample(frac=1, random_state=seed) for part in parts]
    assert rates(attack(*mixed)) == pytest.approx(rates(attack(*parts)))


@each_attack
def test_swapping_the_parts_swaps_the_rates(attack):
    training, control, synthetic = people(1), people(2), people(3)
    assert rates(attack(control, training, synthetic)) == rates(attack(training, control, synthetic))[::-1]


@each_attack
def test_more_copies_leak_more(attack):
    training, control, fresh = people(1, 600), people(2, 600), people(3, 600)
    found = []
    for copied in (0, 150, 300, 600):
        found.append(attack(training, control, pd.concat([training[:copied], fresh[copied:]])).excess)
    assert found == sorted(found)


# ---- a comfort that is false


def test_sdmetrics_calls_a_verbatim_copy_perfectly_protected():
    """Documents SDMetrics 0.32: it counts ties as safe, so a copy in bands scores 1, the best there is."""
    sdmetrics = pytest.importorskip("sdmetrics.single_table")
    columns = ["age_band", "region", "household"]
    training, control = (
        people(seed, 1000).assign(age_band=lambda t: privacy.band(t["age"], 5)).fillna("blank")[columns]
        for seed in (1, 2)
    )
    described = {"columns": {column: {"sdtype": "categorical"} for column in columns}}
    found = sdmetrics.DCROverfittingProtection.compute_breakdown(
        real_training_data={"people": training},
        synthetic_data={"people": training.copy()},
        real_validation_data=control,
        metadata={"tables": {"people": described}},
        table_name="people",
    )
    assert found["score"] == 1.0
    # Ours says what the copies are, and the attack that looks for them finds them.
    risk = privacy.nearest_record_share(training, control, training, columns)
    assert risk.details.loc[0, "training"] == 1
    assert privacy.replicated_uniques(training, control, training, columns).low > 0


# ---- bad input


def broken(**changes):
    """The three parts with one of them changed."""
    parts = {"training": people(1), "control": people(2), "synthetic": people(3)}
    return {**parts, **{name: change(parts[name]) for name, change in changes.items()}}


BAD = {
    "missing column": (
        broken(synthetic=lambda t: t.drop(columns="age")),
        KeyError,
        "synthetic table has no column called 'age'",
    ),
    "empty table": (broken(training=lambda t: t[:0]), ValueError, r"training table has 0 row\(s\)"),
    "one row": (broken(synthetic=lambda t: t[:1]), ValueError, r"synthetic table has 1 row\(s\)"),
    "few people": (broken(control=lambda t: t[:9]), ValueError, "at least 10 are needed"),
    "all blank": (
        broken(synthetic=lambda t: t.assign(age=np.nan)),
        ValueError,
        "'age' is blank on every row of the synthetic",
    ),
    "types differ": (
        broken(synthetic=lambda t: t.assign(age=t["age"].map(lambda a: f"age {a}"))),
        ValueError,
        "'age' holds number values in the training table and text values in the synthetic table",
    ),
    "repeated column": (
        broken(control=lambda t: pd.concat([t, t[["age"]]], axis=1)),
        ValueError,
        "control table has more than one column called 'age'",
    ),
    "not a table": (broken(synthetic=lambda t: t.to_dict()), ValueError, "synthetic table is a dict"),
    "control is training": (broken(control=lambda t: people(1)), ValueError, "not in training"),
    "two tables": (broken(synthetic=lambda t: [t, t]), ValueError, "There are 2 synthetic tables"),
    "no tables": (broken(synthetic=lambda t: []), ValueError, "There are 0 synthetic tables"),
}


@each_attack
@pytest.mark.parametrize(("parts", "error", "words"), BAD.values(), ids=BAD)
def test_bad_input_gets_one_clear_sentence(attack, parts, error, words):
    with pytest.raises(error, match=words) as raised:
        attack(*parts.values())
    message = raised.value.args[0]
    assert message[-1] == "." and message.count(". ") == 0 and "\n" not in message


def test_bad_choices_get_one_clear_sentence():
    parts = people(1), people(2), people(3)
    cases = [
        (lambda: privacy.disco(*parts, ["age", "arrears"], "arrears"), "both a key and the target"),
        (lambda: privacy.singling_out(*parts, []), "list of keys is empty"),
        (lambda: privacy.singling_out(*parts, ["age", "age"]), "names a column twice"),
        (lambda: privacy.singling_out(*parts, "age", draws=4), "at least 5"),
        (lambda: privacy.linkability(*parts, ["age"], ["age", "region"]), "share a column"),
        (lambda: privacy.linkability(*parts, ["age"], ["region"], k=0), "at least 1"),
        (lambda: privacy.membership(*parts, ["age"], match="near"), "exact"),
        (lambda: privacy.disco(*(p.assign(t=1) for p in parts), ["age"], "t"), "nothing to guess"),
        (lambda: privacy.band(parts[0]["age"], 0), "more than 0"),
        (lambda: privacy.band(parts[0]["region"], 5), "Only numbers"),
        (lambda: fidelity.ks(parts[0]["region"], parts[1]["region"]), "total_variation"),
        (lambda: fidelity.ks(parts[0]["age"], pd.Series([np.nan])), "synthetic column is blank"),
        (lambda: fidelity.total_variation(parts[0]["age"], []), "no rows"),
        (lambda: fidelity.wasserstein(pd.Series([1, 1]), pd.Series([1, 2])), "one value only"),
        (lambda: fidelity.pmse(*parts[:2], order=3), "order must be 1"),
        (lambda: fidelity.pmse(parts[0][["age"]] * 0, parts[1][["age"]] * 0), "None of the columns varies"),
        (lambda: utility.rate(parts[0], "arrears", "Y", {"region": "Wales"}), "choose another group"),
        (lambda: utility.slope(parts[0].assign(age=1), "income", "age"), "varies"),
        (lambda: utility.slope(parts[0], "region", "age"), "'region' of the given table should hold numbers"),
    ]
    for call, words in cases:
        with pytest.raises(ValueError, match=words):
            call()


def test_columns_of_different_but_equal_types_are_compared_by_value():
    values = pd.Series([1, 2, None])
    for other in (values.astype("Int64"), values.astype("category"), values.astype(object)):
        assert fidelity.total_variation(values, other) == 0
    text = pd.Series(["1", "X", None])
    assert fidelity.total_variation(text, pd.Series([1.0, "X", None], dtype=object)) == 0
    assert fidelity.total_variation(text, text.astype("string")) == 0
    assert fidelity.total_variation(pd.Series([True, False]), pd.Series([0, 1])) == 0
    assert _tables.kind(pd.Series([None, None])) == "empty"
    dates = pd.Series(pd.to_datetime(["2024-01-01", None]))
    assert fidelity.total_variation(dates, dates.dt.date.astype(object)) == 0


def test_bands_of_fractions_hold_their_own_edge():
    named = privacy.band(pd.Series([0.3, 0.7, 0.29]), 0.1).tolist()
    assert [name.split(" to ")[0] for name in named] == ["0.3", "0.7", "0.2"]


def test_the_slope_on_a_date_is_per_day():
    days = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-05"]))
    found = utility.slope(pd.DataFrame({"day": days, "score": [1.0, 3.0, 5.0, 9.0]}), "score", "day")
    assert found.value == pytest.approx(2.0)
