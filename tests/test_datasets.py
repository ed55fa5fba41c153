"""The bundled data sets are what they say: bytes, descriptions, rules, calibration, missingness and truth.

The first half asks the same of every data set. The second half tests what is special to one of them.
Each simulation runs once for the whole file.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import re
import sys

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from course import data

sys.path.insert(0, str(data.FOLDER))

import build
import simulation

SIMULATE = build.simulate
NAMES = data.names()
PARTS = ("training", "control")


@functools.cache
def simulated(name):
    """Design, population and parts, as the build makes them."""
    return SIMULATE(name)


@functools.cache
def nothing_missing(name):
    """The population before any value went missing."""
    design = simulation.read(name)
    return simulation.load(name).population(seed=design.package["sampling"]["seed"], complete=True)


@functools.cache
def figures(name):
    """Published and simulated figures, as the card shows them."""
    _, population, parts = simulated(name)
    return build.calibration_table(name, population=population, training=parts["training"])


@functools.cache
def loaded(name):
    return data.load(name)


EVERY_TABLE = [(name, table, part) for name in NAMES for table in data.load(name).tables for part in PARTS]


# ---------------------------------------------------------------- Files and descriptions


@pytest.mark.parametrize("name", NAMES)
def test_a_rebuild_gives_the_same_bytes(name, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "simulate", simulated)
    assert build.differences(name, tmp_path) == []


def test_a_changed_file_is_found(tmp_path, monkeypatch):
    """`--check` compares with the bundled files; here the bundled file lacks its last byte."""
    monkeypatch.setattr(build, "simulate", simulated)
    bundled = tmp_path / "bundled"
    build.build("claims", bundled / "claims")
    cut = bundled / "claims" / "control" / "claims.csv"
    cut.write_bytes(cut.read_bytes()[:-1])
    monkeypatch.setattr(build, "HERE", bundled)
    assert build.differences("claims", tmp_path / "fresh") == ["claims/control/claims.csv"]


@pytest.mark.parametrize("name", NAMES)
def test_rows_bytes_and_hashes_are_those_of_the_files(name):
    for resource in loaded(name).package["resources"]:
        for part in (resource, resource["control"]):
            content = (loaded(name).folder / part["path"]).read_bytes()
            assert part["hash"] == "sha256:" + hashlib.sha256(content).hexdigest()
            assert part["bytes"] == len(content)
            assert part["rows"] == content.count(b"\n") - 1
            assert b"\r" not in content


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", NAMES)
def test_frictionless_finds_no_error(name, part):
    """Types, code lists, limits, keys, row counts and hashes, by an independent program."""
    report = frictionless_report(name, part, lambda resource: resource)
    assert report.valid, report.flatten(["title", "rowNumber", "fieldName", "message"])[:5]


def test_frictionless_would_find_a_wrong_code():
    def without_council_rent(resource):
        for field in resource["schema"]["fields"]:
            if field["name"] == "tenure":
                field["constraints"]["enum"].remove("SR")
        return resource

    assert not frictionless_report("claims", "training", without_council_rent).valid


def frictionless_report(name, part, change):
    from frictionless import Package

    package = copy.deepcopy(loaded(name).package)
    for resource in package["resources"]:
        control = resource.pop("control")
        if part == "control":
            resource.update(control)
        change(resource)
    return Package(package, basepath=str(loaded(name).folder)).validate()


@pytest.mark.parametrize("name", NAMES)
def test_the_description_is_coherent(name):
    package = loaded(name).package
    truth = [item["name"] for item in package["truth"]]
    assert len(set(truth)) == len(truth)
    assert package["name"] == name
    assert package["main"] in loaded(name).tables
    assert all(item["assumption"] is True for item in package["truth"])
    assert len({rule["name"] for rule in package["rules"]}) == len(package["rules"])
    mechanisms = set()
    for resource in package["resources"]:
        for field in resource["schema"]["fields"]:
            assert field["role"] in {"identifier", "quasi-identifier", "sensitive", "other"}
            assert field["title"]
            codes = [code["value"] for code in field.get("categories", [])]
            assert field.get("constraints", {}).get("enum", []) == codes
            if "missingness" in field:
                mechanisms.add(field["missingness"]["mechanism"])
                assert field["missingness"]["parameter"] in truth
    assert mechanisms == {"MCAR", "MAR", "MNAR"}


@pytest.mark.parametrize(("name", "table", "part"), EVERY_TABLE)
def test_only_described_columns_have_blanks(name, table, part):
    """A blank is either forbidden, explained as missing, or explained by the column's description."""
    for field in loaded(name).schema(table).fields:
        if getattr(loaded(name), part)[table][field["name"]].isna().any():
            assert not field.get("constraints", {}).get("required")
            assert "missingness" in field or "lank" in field["description"], field["name"]


# ---------------------------------------------------------------- Keys and rules


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", NAMES)
def test_keys_are_unique_and_link(name, part):
    tables = getattr(loaded(name), part)
    for resource in loaded(name).package["resources"]:
        schema, table = resource["schema"], tables[resource["name"]]
        assert not table.duplicated(schema["primaryKey"]).any()
        for key in schema.get("foreignKeys", []):
            parent = tables[key["reference"]["resource"]][key["reference"]["fields"][0]]
            assert table[key["fields"][0]].isin(parent).all()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", NAMES)
def test_every_rule_holds_on_every_row(name, part):
    broken = data.broken_rules(getattr(loaded(name), part), loaded(name))
    assert len(broken) == len(loaded(name).rules)
    assert broken[broken["broken"] > 0].empty


@pytest.mark.parametrize("name", NAMES)
def test_rules_hold_in_another_population(name):
    """Rules come from the simulation, not from luck with one seed."""
    units = simulation.read(name).package["sampling"]["population"] // 10
    broken = data.broken_rules(simulation.load(name).population(seed=7, size=units), loaded(name))
    assert broken[broken["broken"] > 0].empty


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_can_be_broken(name):
    """No rule is empty: shuffling columns, turning values round or leaving rows out breaks it."""
    counts = 0
    for change in (shuffled, negated, thinned, reversed_identifiers):
        training = loaded(name).training.items()
        wrong = {table: change(frame, loaded(name).schema(table)) for table, frame in training}
        counts = counts + data.broken_rules(wrong, loaded(name)).set_index("rule")["broken"]
    assert counts[counts == 0].empty


def shuffled(table, schema):
    """Each column in an order of its own, but identifiers left alone so that tables still link."""
    rng = np.random.default_rng(1)
    columns = [column for column in table if schema.kind(column) != "identifier"]
    return table.assign(
        **{column: table[column].to_numpy()[rng.permutation(len(table))] for column in columns}
    )


def negated(table, schema):
    """Numbers times -1.01, which also spoils rounding; dates moved a century on."""
    numbers = {column: -1.01 * table[column].astype(float) - 1 for column in schema.of_kind("numeric")}
    dates = {column: table[column] + pd.DateOffset(years=100) for column in schema.of_kind("date")}
    return table.assign(**numbers, **dates)


def thinned(table, schema):
    """Half of the rows."""
    return table.sample(frac=0.5, random_state=1)


def reversed_identifiers(table, schema):
    """Identifiers written backwards."""
    return table.assign(**{column: table[column].str[::-1] for column in schema.of_kind("identifier")})


# ---------------------------------------------------------------- Calibration


@pytest.mark.parametrize("name", NAMES)
def test_population_meets_the_published_figures(name):
    table = figures(name)
    assert len(table)
    away = (table["population"] - table["published"]).abs()
    assert table[away > table["tolerance"]].empty


@pytest.mark.parametrize("name", NAMES)
def test_training_differs_from_the_population_only_by_chance(name):
    """Within the tolerance and four standard deviations of the same figure over other random parts."""
    module, population = simulation.load(name), simulated(name)[1]
    others = {f"part {seed}": module.parts(population, seed)["control"] for seed in range(6)}
    spread = build.calibration_table(name, **others)[list(others)].std(axis=1)
    table = figures(name)
    away = (table["training"] - table["published"]).abs()
    assert table[away > table["tolerance"] + 4 * spread].empty


def test_every_figure_says_where_it_comes_from():
    ids = [figure["id"] for figure in simulation.calibration()]
    assert len(set(ids)) == len(ids)
    for figure in simulation.calibration():
        assert figure["geography"] in {"England", "England and Wales", "Great Britain", "United Kingdom"}
        assert figure["read"] in {"primary", "secondary"}
        if figure["read"] == "secondary":
            assert figure["note"].startswith("To be checked")
        assert figure["source"]["title"]
        assert figure["source"]["path"].startswith(("https://", "http://"))
        assert figure["tolerance"] > 0
        assert figure["date"]
        assert figure["unit"]


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_uses_figures_of_its_own_geography_only(name):
    used = [figure for figure in simulation.calibration() if figure["calibrates"]["dataset"] == name]
    assert {figure["geography"] for figure in used} == {loaded(name).package["geography"]}
    assert [source["path"] for source in loaded(name).package["sources"]] == list(
        dict.fromkeys(figure["source"]["path"] for figure in used)
    )


def test_a_figure_of_another_geography_is_refused(monkeypatch):
    foreign = [{**figure, "geography": "Great Britain"} for figure in simulation.calibration()]
    monkeypatch.setattr(simulation, "calibration", lambda: foreign)
    with pytest.raises(ValueError, match="Great Britain, but claims is for England"):
        simulation.read("claims")


# ---------------------------------------------------------------- Training and control


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_in_both_parts(name):
    sampling = loaded(name).package["sampling"]
    keys = {
        resource["name"]: resource["schema"]["primaryKey"][0]
        for resource in loaded(name).package["resources"]
    }
    for table in linked_to_unit(name):
        training, control = loaded(name).training[table], loaded(name).control[table]
        assert not set(training[keys[table]]) & set(control[keys[table]])
    assert len(loaded(name).training[sampling["unit"]]) == sampling["size"]
    assert len(loaded(name).control[sampling["unit"]]) == sampling["size"]


@pytest.mark.parametrize("name", NAMES)
def test_no_column_separates_training_from_control(name):
    for table in linked_to_unit(name):
        apart = separating(loaded(name).schema(table), *(one_row_each(name, table, part) for part in PARTS))
        assert apart == {}


def test_a_biased_control_part_would_be_found():
    training, control = loaded("claims").training["households"], loaded("claims").control["households"]
    richer = control[control["weekly_income"].isna() | (control["weekly_income"] > 250)]
    assert "weekly_income" in separating(loaded("claims").schema("households"), training, richer)


def linked_to_unit(name):
    """The sampled table and all tables that lead to it by a foreign key. Shared parents are left out."""
    tables = [loaded(name).package["sampling"]["unit"]]
    for resource in loaded(name).package["resources"]:
        if any(key["reference"]["resource"] in tables for key in resource["schema"].get("foreignKeys", [])):
            tables.append(resource["name"])
    return tables


def one_row_each(name, table, part):
    """One random row for each sampled unit: rows of the same unit are alike, so they would count double."""
    frame = getattr(loaded(name), part)[table].sample(frac=1, random_state=1)
    unit = loaded(name).package["sampling"]["unit"]
    key = loaded(name).schema(unit).primary_key[0]
    return frame.drop_duplicates(key) if key in frame else frame


def separating(schema, training, control):
    """{column: p-value} of the columns whose distribution differs between the parts beyond chance.

    Kolmogorov-Smirnov for numbers and dates, chi-squared for codes (pooling rare ones) and for blanks.
    With about 100 comparisons in all, a p-value below 0.00001 is not chance.
    """
    found = {}
    for column in schema.columns:
        first, second = training[column], control[column]
        values = [stats.fisher_exact([[c.isna().sum(), c.notna().sum()] for c in (first, second)]).pvalue]
        if schema.kind(column) in ("numeric", "date"):
            numbers = [
                c.dropna().astype("int64" if schema.kind(column) == "date" else float)
                for c in (first, second)
            ]
            values.append(stats.ks_2samp(*numbers).pvalue)
        elif schema.kind(column) in ("categorical", "text"):
            counts = pd.concat([first.value_counts(), second.value_counts()], axis=1).fillna(0)
            counts = counts[counts.sum(axis=1) >= 10]
            values.append(stats.chi2_contingency(counts).pvalue if len(counts) > 1 else 1.0)
        if min(values) < 1e-5:
            found[column] = min(values)
    return found


# ---------------------------------------------------------------- Identifiers


REAL_FORMS = {
    "small area": re.compile(r"[EWSN]0[1-9]\d{6}"),
    "postcode": re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"),
    "telephone": re.compile(r"(\+44|0[1-9])[\d ]{8,12}"),
    "National Insurance number": re.compile(r"(?!QQ)[A-Z]{2}\d{6}[A-D]"),
    "NHS number": re.compile(r"(?!999)\d{10}"),
}


@pytest.mark.parametrize(("name", "table", "part"), EVERY_TABLE)
def test_no_identifier_could_be_real(name, table, part):
    texts = getattr(loaded(name), part)[table].select_dtypes("object")
    for column in texts:
        values = texts[column].dropna()
        for form, pattern in REAL_FORMS.items():
            assert not values.str.fullmatch(pattern).any(), f"{column} looks like a real {form}"
        for number in values[values.str.fullmatch(r"999\d{7}")]:
            assert simulation.nhs_check_digit(number[:9]) == number[9]


def test_the_check_digit_of_nhs_numbers():
    """943 476 5919 is a number often printed as an example; the next has no check digit at all."""
    assert simulation.nhs_check_digit("943476591") == "9"
    assert simulation.nhs_check_digit("000000006") is None  # it would need the digit 10
    numbers = simulation.nhs_numbers(simulation.stream(1, "test"), 500)
    assert len(set(numbers)) == 500
    assert all(n.startswith("999") and simulation.nhs_check_digit(n[:9]) == n[9] for n in numbers)


# ---------------------------------------------------------------- The steps of a simulation


def test_rates_shares_and_margins_are_met():
    rng = simulation.stream(1, "test")
    score = rng.normal(0, 2, 5000)
    constant = simulation.intercept_for(0.2, score)
    assert simulation.logistic(constant + score).mean() == pytest.approx(0.2)
    chances = simulation.shares_for([50, 30, 20], rng.normal(0, 1, (5000, 3)))
    assert chances.mean(axis=0) == pytest.approx([0.5, 0.3, 0.2])
    table = simulation.rake(rng.random((3, 4)), [10, 20, 30], [15, 15, 15, 15])
    assert table.sum(axis=1) == pytest.approx([10, 20, 30])
    assert table.sum(axis=0) == pytest.approx([15, 15, 15, 15])
    with pytest.raises(ValueError, match="between 0 and 1"):
        simulation.intercept_for(1.0, score)


def test_raking_keeps_the_odds_of_the_start_table():
    start = np.array([[40.0, 10.0], [20.0, 30.0]])
    table = simulation.rake(start, [30, 70], [50, 50])
    odds = start[0, 0] * start[1, 1] / (start[0, 1] * start[1, 0])
    assert table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0]) == pytest.approx(odds)


def test_columns_draw_from_streams_of_their_own():
    first, again, other = (simulation.stream(1, name).random(4) for name in ("age", "age", "sex"))
    assert (first == again).all()
    assert not (first == other).any()


def test_two_parts_that_do_not_fit_are_refused():
    design, population, _ = simulated("claims")
    few = {name: table.head(100) for name, table in population.items()}
    with pytest.raises(ValueError, match="two parts of 6000 do not fit in 100 households"):
        simulation.parts(design, few, 1)


# ---------------------------------------------------------------- How values go missing


def lost(name, table, column):
    """The complete table with `lost`: True where the population's value of `column` is missing."""
    complete, kept = nothing_missing(name)[table], simulated(name)[1][table]
    same = (complete[column] == kept[column]) | (complete[column].isna() & kept[column].isna())
    return complete.assign(lost=~same.fillna(False).astype(bool))


def log_odds(outcome, **columns):
    """Coefficients and standard errors of a logistic regression of `outcome` on the columns."""
    X = sm.add_constant(pd.DataFrame(columns).astype(float))
    fit = sm.Logit(outcome.astype(float), X).fit(disp=False)
    return fit.params, fit.bse


def close(estimate, error, truth, errors=4.0):
    """Whether an estimate lies within so many standard errors of the truth."""
    return abs(estimate - truth) < errors * error


COMPLETELY_AT_RANDOM = [
    ("claims", "households", "council_tax_band", "council_tax_band_lost"),
    ("businesses", "jobs", "area_code", "area_code_lost"),
    ("pupils", "pupils", "area_code", "address_not_matched"),
    ("admissions", "patients", "gp_practice", "gp_practice_lost"),
]


@pytest.mark.parametrize(("name", "table", "column", "parameter"), COMPLETELY_AT_RANDOM)
def test_mcar_has_its_rate_and_depends_on_nothing(name, table, column, parameter):
    frame = lost(name, table, column)
    rate = loaded(name).truth[parameter]
    assert close(frame["lost"].mean(), np.sqrt(rate * (1 - rate) / len(frame)), rate)
    schema = loaded(name).schema(table)
    assert separating(schema, frame[frame["lost"]], frame[~frame["lost"]]) == {}


def test_mar_depends_on_what_is_seen_and_not_on_what_is_lost():
    truth, frame = loaded("claims").truth, lost("claims", "households", "ethnic_group")
    params, errors = log_odds(
        frame["lost"],
        rents=frame["tenure"] == "PR",
        young=frame["reference_age"] < 35,
        itself=frame["ethnic_group"] != "WBRI",
    )
    assert close(params["rents"], errors["rents"], truth["ethnic_group_lost_odds_private_rent"])
    assert close(params["young"], errors["young"], truth["ethnic_group_lost_odds_under_35"])
    assert close(params["itself"], errors["itself"], 0)

    truth, frame = loaded("businesses").truth, lost("businesses", "jobs", "start_date")
    params, errors = log_odds(
        frame["lost"],
        part_time=frame["full_time"] == "P",
        temporary=frame["contract"] == "T",
        itself=frame["start_date"].dt.year - 2020,
    )
    assert close(params["part_time"], errors["part_time"], truth["start_date_lost_odds_part_time"])
    assert close(params["temporary"], errors["temporary"], truth["start_date_lost_odds_temporary"])
    assert close(params["itself"], errors["itself"], 0)


def test_mar_of_pupils_and_admissions_has_the_rates_stated():
    truth, frame = loaded("pupils").truth["ks2_missing"], lost("pupils", "pupils", "ks2_score")
    for provision in ("N", "K", "E"):
        for group, more in (("1_ENG", 0), ("2_OTH", truth["2_OTH"])):
            rows = frame[(frame["sen_provision"] == provision) & (frame["language_group"] == group)]
            assert share_is(rows["lost"], truth[provision] + more)
            high = rows["ks2_score"] > rows["ks2_score"].median()
            assert close(*difference(rows["lost"], high), 0)

    truth, frame = loaded("admissions").truth["ethnos_missing"], lost("admissions", "patients", "ethnos")
    frame = frame[frame["ethnos"] != "R"]  # some planted patients of this category never lose it
    for low, high, key in ((1900, 1958, "65"), (1959, 1993, "30"), (1994, 2018, "5"), (2019, 2024, "0")):
        rows = frame[frame["birth_year"].between(low, high)]
        london = rows["region"] == "E12000007"
        assert share_is(rows["lost"][~london], truth[key])
        assert share_is(rows["lost"][london], truth[key] + truth["E12000007"])
        assert close(*difference(rows["lost"][~london], (rows["ethnos"] != "A")[~london]), 0)

    truth, frame = loaded("admissions").truth["not_coded"], lost("admissions", "episodes", "diag_01")
    kept = simulated("admissions")[1]["episodes"]
    ends = kept.groupby("spell_id")["disdate"].transform("max")
    late, frame = ends.isna() | (ends >= "2024-03-01"), frame[frame["diag_01"] != "R69X"]
    assert share_is(frame["lost"][late], truth["2024-03"])
    assert share_is(frame["lost"][~late], truth["other"])


def difference(lost_rows, group):
    """How much more often rows are lost inside a group than outside, with its standard error."""
    shares = [(lost_rows[rows].mean(), rows.sum()) for rows in (group, ~group)]
    error = np.sqrt(sum(share * (1 - share) / count for share, count in shares))
    return shares[0][0] - shares[1][0], error


def test_mnar_depends_on_the_value_that_is_lost():
    truth, frame = loaded("claims").truth, lost("claims", "households", "weekly_income")
    params, errors = log_odds(
        frame["lost"], itself=np.log(frame["weekly_income"]), owner=frame["tenure"].isin(["OO", "OM"])
    )
    assert close(params["itself"], errors["itself"], truth["income_lost_slope"])
    assert close(params["owner"], errors["owner"], 0)
    assert params["itself"] > 20 * errors["itself"]

    truth, frame = loaded("businesses").truth, lost("businesses", "jobs", "annual_bonus")
    paid = frame[frame["annual_bonus"] > 0]
    params, errors = log_odds(
        paid["lost"], itself=np.log(paid["annual_bonus"]), full=paid["full_time"] == "F"
    )
    assert close(params["itself"], errors["itself"], truth["bonus_lost_slope"])
    assert close(params["full"], errors["full"], 0)
    assert params["itself"] > 20 * errors["itself"]

    truth, frame = loaded("pupils").truth, lost("pupils", "years", "test_score")
    frame = frame.merge(nothing_missing("pupils")["pupils"], on="pupil_ref")
    params, errors = log_odds(
        frame["lost"],
        itself=(100 - frame["test_score"]) / 15,
        fsm=frame["fsm_eligible"] == "Y",
        attendance=frame["attendance_rate"],
    )
    assert close(params["itself"], errors["itself"], truth["test_missing_per_15_points"])
    assert close(params["fsm"], errors["fsm"], 0)
    assert close(params["attendance"], errors["attendance"], 0)
    assert params["itself"] > 20 * errors["itself"]


def test_refused_ethnic_groups_depend_on_the_group():
    truth, frame = (
        loaded("pupils").truth["ethnicity_not_given"],
        lost("pupils", "pupils", "ethnic_group_minor"),
    )
    traveller = frame["ethnic_group_minor"].isin(["WROM", "WIRT"])
    assert share_is(frame["lost"][traveller], truth["WROM"])
    assert share_is(frame["lost"][~traveller], truth["other"])


def test_cut_off_stays_are_cut_off_because_they_are_long():
    """Exactly the episodes that go on after the day of the extract have no end: the long ones."""
    frame = lost("admissions", "episodes", "epiend")
    day = pd.Timestamp(loaded("admissions").truth["extract_date"])
    assert (frame["lost"] == (frame["epiend"] > day)).all()
    nights = (frame["epiend"] - frame["epistart"]).dt.days
    assert nights[frame["lost"]].mean() > 3 * nights[~frame["lost"]].mean()


# ---------------------------------------------------------------- What a learner should find


def share_is(rows, truth):
    """Whether a share of rows is within four standard errors of a true share."""
    return close(rows.mean(), np.sqrt(truth * (1 - truth) / len(rows)), truth)


def test_claims_arrears_are_as_stated():
    truth, homes = loaded("claims").truth, loaded("claims").training["households"]
    renter, on_uc = homes["tenure"].isin(["SR", "PR"]), homes["universal_credit"] == "Y"
    late = homes["arrears"] == "Y"
    assert share_is(late[renter & on_uc], truth["arrears_rate_uc_renters"])
    assert share_is(late[renter & ~on_uc], truth["arrears_rate_other_renters"])
    assert share_is(late[~renter], truth["arrears_rate_owners"])
    assert share_is(on_uc[homes["reference_age"] < 66], truth["uc_rate_working_age"])
    assert not share_is(late[renter], truth["arrears_rate_uc_renters"])
    known = homes["weekly_income"].notna()
    params, errors = log_odds(
        late[known],
        uc_renter=(renter & on_uc)[known],
        other_renter=(renter & ~on_uc)[known],
        income=np.log(homes["weekly_income"][known]),
    )
    assert close(params["income"], errors["income"], truth["arrears_per_log_income"])


def test_claims_rents_are_as_stated():
    truth, homes = loaded("claims").truth, loaded("claims").training["households"]
    for tenure, spread in (("PR", "rent_spread_private"), ("SR", "rent_spread_social")):
        renters = homes[homes["tenure"] == tenure]
        regions = pd.get_dummies(renters["region"], drop_first=True)  # the North East is left out
        X = sm.add_constant(regions.assign(bedrooms=renters["bedrooms"]).astype(float))
        fit = sm.OLS(np.log(renters["weekly_rent"]), X).fit()
        assert close(fit.params["bedrooms"], fit.bse["bedrooms"], truth["rent_per_bedroom"])
        for region, effect in list(truth["rent_region"][tenure].items())[1:]:
            assert close(fit.params[region], fit.bse[region], effect)
        assert np.sqrt(fit.scale) == pytest.approx(truth[spread], rel=0.1)
        assert len(renters) > 500


def test_claims_income_is_skewed_and_missing_incomes_are_higher():
    homes = loaded("claims").training["households"]
    assert stats.skew(homes["weekly_income"].dropna()) > 2
    frame = lost("claims", "households", "weekly_income")
    means = frame.groupby("lost")["weekly_income"].mean()
    assert means[True] > 1.2 * means[False]


def pupils_with_schools(part):
    tables = getattr(loaded("pupils"), part)
    return tables["pupils"].merge(tables["schools"], on="school_urn")


def mainstream_design(frame, target, **more):
    """Known rows of mainstream pupils and the columns that go into the simulation, for a regression."""
    X = pd.DataFrame(
        {
            "idaci": frame["idaci_score"],
            "fsm": frame["fsm_eligible"] == "Y",
            "support": frame["sen_provision"] == "K",
            "plan": frame["sen_provision"] == "E",
            "care": frame["looked_after"] == "Y",
            "eal": frame["language_group"] == "2_OTH",
            **more,
        }
    )
    rows = X.notna().all(axis=1) & frame[target].notna() & frame["admissions_policy"].notna()
    return sm.add_constant(X[rows].astype(float)), frame.loc[rows, target]


def test_pupils_attainment_is_as_stated():
    """The regression named in the package, on the training part, with errors clustered by school."""
    truth, frame = loaded("pupils").truth, pupils_with_schools("training")
    X, score = mainstream_design(
        frame,
        "attainment8",
        ks2=frame["ks2_score"],
        attendance=frame["attendance_rate"],
        female=frame["sex"] == "F",
        london=frame["region"] == "E12000007",
    )
    groups = pd.factorize(frame.loc[X.index, "school_urn"])[0]
    fit = sm.OLS(score, X).fit(cov_type="cluster", cov_kwds={"groups": groups})
    for column, parameter in {
        "idaci": "attainment_per_idaci",
        "fsm": "attainment_if_fsm",
        "ks2": "attainment_per_ks2",
        "attendance": "attainment_per_attendance",
        "female": "attainment_if_female",
        "eal": "attainment_if_eal",
        "care": "attainment_if_looked_after",
        "london": "attainment_in_london",
    }.items():
        assert close(fit.params[column], fit.bse[column], truth[parameter]), column
    assert close(fit.params["support"], fit.bse["support"], truth["attainment_if_sen"]["K"])
    assert not close(fit.params["idaci"], fit.bse["idaci"], 0, errors=2)
    between = fit.resid.groupby(groups).mean()[np.bincount(groups) >= 30].std()
    assert between == pytest.approx(truth["attainment_school_sd"], rel=0.25)
    assert np.hypot(truth["attainment_school_sd"], truth["attainment_noise_sd"]) == pytest.approx(
        np.sqrt(fit.scale), rel=0.05
    )


def test_pupils_attainment_at_11_is_as_stated():
    truth, frame = loaded("pupils").truth, pupils_with_schools("training")
    months = 5.5 - (frame["birth_month"] - 9) % 12
    ethnic = {group: frame["ethnic_group_minor"] == group for group in truth["ks2_by_ethnic_group"]}
    X, score = mainstream_design(frame, "ks2_score", months=months, **ethnic)
    fit = sm.OLS(score, X).fit()
    for column, parameter in {
        "idaci": "ks2_per_idaci",
        "fsm": "ks2_if_fsm",
        "months": "ks2_per_month_older",
        "care": "ks2_if_looked_after",
    }.items():
        assert close(fit.params[column], fit.bse[column], truth[parameter]), column
    assert close(fit.params["support"], fit.bse["support"], truth["ks2_if_sen"]["K"])
    for group, effect in truth["ks2_by_ethnic_group"].items():
        assert close(fit.params[group], fit.bse[group], effect), group


def test_pupils_absence_persists_from_year_to_year():
    truth, years = loaded("pupils").truth, loaded("pupils").training["years"]
    rates = years.assign(rate=years["attended_sessions"] / years["possible_sessions"]).pivot(
        index="pupil_ref", columns="nc_year", values="rate"
    )
    for first, second in ((9, 10), (10, 11)):
        found = stats.spearmanr(rates[first], rates[second]).statistic
        assert found == pytest.approx(truth["absence_persistence"], abs=0.06)
    two_years_on = stats.spearmanr(rates[9], rates[11]).statistic
    assert two_years_on < truth["absence_persistence"] - 0.1


def test_pupils_relations_show_in_the_one_table_of_lab_02():
    frame = loaded("pupils").training["pupils"]
    numbers = frame[["idaci_score", "ks2_score", "attendance_rate", "attainment8"]].corr()["attainment8"]
    assert numbers["idaci_score"] < -0.2
    assert numbers["ks2_score"] > 0.65
    assert numbers["attendance_rate"] > 0.3
    means = frame.groupby("fsm_eligible")["attainment8"].mean()
    assert means["N"] - means["Y"] > 10
    means = frame.groupby("sen_provision")["attainment8"].mean()
    assert means["N"] > means["K"] + 10 > means["E"] + 20
    assert frame["ethnic_group_minor"].value_counts().min() < 10
    assert frame["school_urn"].value_counts().min() < 10


def first_admissions():
    """The first episode of each patient of the population; births and maternity left out."""
    tables = simulated("admissions")[1]
    first = tables["episodes"].drop_duplicates("patient_id").merge(tables["patients"], on="patient_id")
    return first[first["admimeth"].str[0].isin(["1", "2", "8"]) & ~first["admimeth"].isin(["82", "83"])]


def test_admissions_of_the_deprived_are_more_often_emergencies():
    truth, first = loaded("admissions").truth, first_admissions()
    emergency = first["admimeth"].str[0] == "2"
    ages = pd.get_dummies(pd.cut(first["startage"], [-1, 2, 10, 20, 35, 50, 65, 75, 80, 85, 90, 110]))
    ages.columns = [str(column) for column in ages.columns]
    params, errors = log_odds(emergency, decile=first["imd_decile"], **ages.iloc[:, 1:])
    assert close(params["decile"], errors["decile"], truth["emergency_per_decile"])
    assert not close(params["decile"], errors["decile"], 0)
    assert emergency.mean() == pytest.approx(truth["emergency_share"], abs=0.01)


def emergency_stays():
    """Finished emergency stays of the population, with `stay`: how long the diagnosis keeps people in.

    Stays admitted in the last quarter are left out, because the long ones among them are cut off.
    """
    tables = simulated("admissions")[1]
    ends = tables["episodes"].merge(tables["patients"], on="patient_id")
    ends = ends[ends["speldur"].notna() & (ends["admimeth"].str[0] == "2")]
    ends = ends[(ends["startage"] < 104) & (ends["diag_01"] != "R69X") & (ends["admidate"] < "2024-01-01")]
    mix = simulation.load("admissions").casemix().set_index("code")["stay"]
    return ends.assign(stay=ends["diag_01"].map(mix))


def test_admissions_of_the_old_last_longer():
    """Poisson regression with the diagnosis held equal, and without: then the slope is steeper, as stated."""
    truth, ends = loaded("admissions").truth, emergency_stays()
    X = sm.add_constant(ends[["startage", "imd_decile"]].astype(float))
    nights, poisson = ends["speldur"].astype(float), sm.families.Poisson()
    fit = sm.GLM(nights, X, family=poisson, offset=np.log(ends["stay"])).fit(cov_type="HC0")
    assert close(10 * fit.params["startage"], 10 * fit.bse["startage"], truth["stay_per_ten_years"])
    assert close(fit.params["imd_decile"], fit.bse["imd_decile"], truth["stay_per_decile"])
    raw = sm.GLM(nights, X, family=poisson).fit()
    assert 10 * raw.params["startage"] > truth["stay_per_ten_years"] + 0.03


def test_admissions_end_in_death_as_stated():
    truth, ends = loaded("admissions").truth, emergency_stays()
    ends = ends[ends["mainspef"] != "710"]
    died = ends["dismeth"] == "4"
    params, errors = log_odds(died, decades=ends["startage"] / 10, stay=np.log(ends["stay"]))
    assert close(params["decades"], errors["decades"], truth["death_per_ten_years"])
    assert died.mean() == pytest.approx(truth["death_share"], abs=0.005)


def test_admissions_for_the_chest_peak_in_winter():
    """The size of the yearly wave is twice the mean of its cosine."""
    first = first_admissions()
    chest = first[(first["admimeth"].str[0] == "2") & first["diag_01"].str.startswith("J")]
    days = (chest["admidate"] - pd.Timestamp("2024-01-15")).dt.days
    wave = 2 * np.cos(2 * np.pi * days / 365.25)
    amplitude = loaded("admissions").truth["winter_amplitude"]
    assert close(wave.mean(), wave.std() / np.sqrt(len(wave)), amplitude)


@pytest.mark.parametrize("part", PARTS)
def test_admissions_make_sense_across_the_stays_of_a_patient(part):
    """What no rule on one row can say: nobody is in two places, or comes back after death."""
    episodes = getattr(loaded("admissions"), part)["episodes"]
    stays = episodes.groupby(["patient_id", "spell_id"], sort=False).agg(
        start=("admidate", "min"), end=("disdate", "max"), died=("dismeth", lambda way: (way == "4").any())
    )
    before = stays.groupby("patient_id").shift(1)
    again = before["start"].notna()
    assert (stays["start"] > before["end"])[again].all()
    assert not before.loc[again, "died"].any()
    assert stays["died"].sum() > 20


@pytest.mark.parametrize("part", PARTS)
def test_admissions_give_an_intruder_something_to_find(part):
    """People alone in the whole population on what a neighbour knows, some with a diagnosis to hide."""
    tables, everyone = getattr(loaded("admissions"), part), simulated("admissions")[1]
    known = ["birth_year", "birth_month", "sex", "ethnos", "gp_practice"]
    alone = ~everyone["patients"].duplicated(known, keep=False)
    unique = set(everyone["patients"].loc[alone, "patient_id"])
    found = tables["patients"]["patient_id"].isin(unique)
    assert 0.3 < found.mean() < 0.95
    hidden = tables["episodes"][tables["episodes"]["diag_01"].str.contains("^B2[0-4]|^F[12]|^O04|^A5")]
    assert hidden.loc[hidden["patient_id"].isin(unique), "patient_id"].nunique() >= 20


def test_businesses_pay_is_as_stated():
    """One regression on the training part, as a learner would run it; errors clustered by employer."""
    truth, parts = loaded("businesses").truth, loaded("businesses").training
    jobs = parts["jobs"].merge(parts["employers"], on="employer_ref")
    X = pd.concat(
        [
            (jobs["sex"] == "F").rename("women"),
            (jobs["full_time"] == "P").rename("part"),
            (jobs["region"] == "E12000007").rename("london"),
            np.log(jobs["employees"]).rename("employees"),
            (jobs["age"] - truth["pay_age_peak"]).rename("age"),
            ((jobs["age"] - truth["pay_age_peak"]) ** 2).rename("age_squared"),
            pd.get_dummies(jobs["occupation"], drop_first=True),
            pd.get_dummies(jobs["industry"], drop_first=True),
            pd.get_dummies(jobs["region"].where(jobs["region"] != "E12000007", "E12000004")).drop(
                columns="E12000004"
            ),
        ],
        axis=1,
    ).astype(float)
    # The pay floor hides differences between low-paid jobs, so only the better-paid occupations are used.
    upper = jobs["occupation"].str[0].isin(["1", "2", "3", "5", "8"])
    X = sm.add_constant(X[upper].loc[:, X[upper].std() > 0])
    groups = pd.factorize(jobs["employer_ref"][upper])[0]
    fit = sm.OLS(np.log(jobs["hourly_pay"][upper]), X).fit(cov_type="cluster", cov_kwds={"groups": groups})
    for column, parameter in {
        "women": "pay_gap_like_for_like",
        "part": "pay_part_time",
        "london": "pay_london",
        "employees": "pay_per_log_employees",
        "age_squared": "pay_age_curve",
    }.items():
        assert close(fit.params[column], fit.bse[column], truth[parameter]), column
    assert not close(fit.params["women"], fit.bse["women"], 0, errors=2)


def test_businesses_have_cells_dominated_by_one_firm_and_many_that_are_safe():
    """The p-ratio and the share of the two largest, with the limits of ACRO (0.10 and 0.90)."""
    for part in PARTS:
        firms = getattr(loaded("businesses"), part)["employers"]
        cells = [cell for _, cell in firms.groupby(["industry", "region"])["turnover"] if len(cell) >= 10]
        flagged = [dominated(cell.to_numpy()) for cell in cells]
        assert sum(flagged) >= 3
        assert len(flagged) - sum(flagged) >= 15


def dominated(turnover):
    largest = np.sort(turnover)[::-1]
    rest = largest[2:].sum()
    return rest / largest[0] < 0.10 or largest[:2].sum() / largest.sum() >= 0.90


def test_dominance_on_known_cells():
    """The test vectors: ten equal firms are safe; one that holds nearly all is not."""
    assert not dominated(np.full(10, 50.0))
    assert dominated(np.array([1000.0, 50, 10, 10, 10, 10, 10, 10, 10, 10]))
    assert not dominated(np.array([400.0, 60, 20, 10, 5, 5, 5, 5, 5, 5]))


STANDING_OUT = [
    ("claims", "households", "people == 11 and bedrooms == 1 and tenure == 'SR'"),
    ("claims", "households", "reference_age >= 97 and tenure == 'PR' and region == 'E12000007'"),
    ("claims", "households", "reference_age < 25 and tenure == 'OO' and bedrooms == 6"),
    ("claims", "households", "household_type == 'LPC' and people == 9 and bedrooms == 6"),
    ("businesses", "jobs", "occupation == '3512' and age >= 80 and full_time == 'P'"),
    ("businesses", "jobs", "occupation == '1111' and gross_weekly_pay > 20000"),
    ("businesses", "jobs", "occupation == '3511' and age < 20"),
]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("name", "table", "who"), STANDING_OUT)
def test_some_stand_out_in_each_part(name, table, who, part):
    found = getattr(loaded(name), part)[table].query(who)
    assert 1 <= len(found) <= 20


STANDING_OUT_WHEN_LINKED = [
    ("pupils", "years pupils schools", "school_type == 'APR' and nc_year == 9 and always"),
    ("pupils", "pupils schools", "first_language == 'BSL' and urban_rural == 'RTV' and attainment8 >= 85"),
    (
        "pupils",
        "pupils schools",
        "looked_after == 'Y' and sen_provision == 'E' and admissions_policy == 'SEL'",
    ),
    ("admissions", "episodes patients", "startage >= 104 and speldur > 100 and sex == '2'"),
    ("admissions", "episodes patients", "diag_01.str.startswith('B2') and startage < 25 and ethnos == 'R'"),
    ("admissions", "episodes patients", "admimeth == '31' and startage > 50"),
    ("admissions", "episodes patients", "diag_01 == 'Z491' and startage < 18 and visit == 40"),
]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("name", "tables", "who"), STANDING_OUT_WHEN_LINKED)
def test_some_stand_out_in_each_part_of_linked_tables(name, tables, who, part):
    """As above, where what is special about a person lies in more than one table."""
    first, *parents = tables.split()
    frame = getattr(loaded(name), part)[first]
    for parent in parents:
        frame = frame.merge(getattr(loaded(name), part)[parent])
    if first == "years":
        missed = frame["possible_sessions"] - frame["attended_sessions"]
        frame["always"] = missed.groupby(frame["pupil_ref"]).transform("sum") == 0
    if first == "episodes":
        frame["visit"] = frame.groupby(["patient_id", "diag_01"]).cumcount() + 1
    assert 1 <= len(frame.query(who, engine="python")) <= 20
