"""Simulate households and benefit claims in England on 31 March 2025.

The story, in the order it is told: where households live, who is in them, how they hold
their home, what they earn and pay, whether they are on Universal Credit, what they claim,
and whether they fall into arrears. Only then do some values go missing. Parameters are
read from the `truth` of datapackage.json; smaller tastes of the story stand here as tables.
"""

import numpy as np
import pandas as pd

from simulation import (
    area_codes,
    draw,
    draw_by,
    draw_rows,
    go_missing,
    happens,
    identifiers,
    intercept_for,
    logistic,
    ni_numbers,
    rake,
    read,
    shares_for,
    stream,
)
from simulation import parts as take_parts

DESIGN = read("claims")
TRUTH, PUBLISHED = DESIGN.truth, DESIGN.published
EXTRACT = pd.Timestamp("2025-03-31")
PENSION_AGE = 66

# Chances of each household type by age of the reference person, in the order of the code list.
TYPE_BY_AGE = {
    "16-24": {"1WA": 26, "1PA": 0, "CNC": 22, "CDC": 9, "LPC": 12, "OTH": 31},
    "25-34": {"1WA": 25, "1PA": 0, "CNC": 27, "CDC": 27, "LPC": 9, "OTH": 12},
    "35-44": {"1WA": 19, "1PA": 0, "CNC": 12, "CDC": 50, "LPC": 12, "OTH": 7},
    "45-54": {"1WA": 23, "1PA": 0, "CNC": 20, "CDC": 33, "LPC": 7, "OTH": 17},
    "55-64": {"1WA": 29, "1PA": 0, "CNC": 41, "CDC": 6, "LPC": 1.2, "OTH": 22.8},
    "65-74": {"1WA": 3, "1PA": 32, "CNC": 54, "CDC": 0.6, "LPC": 0.2, "OTH": 10.2},
    "75-104": {"1WA": 0, "1PA": 53, "CNC": 40, "CDC": 0.05, "LPC": 0.05, "OTH": 6.9},
}
PEOPLE_BY_TYPE = {
    "1WA": {1: 1, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0, 8: 0, 9: 0},
    "1PA": {1: 1, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0, 8: 0, 9: 0},
    "CNC": {1: 0, 2: 1, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0, 8: 0, 9: 0},
    "CDC": {1: 0, 2: 0, 3: 38, 4: 42, 5: 14, 6: 4, 7: 1.3, 8: 0.5, 9: 0.2},
    "LPC": {1: 0, 2: 52, 3: 31, 4: 12, 5: 3.5, 6: 1, 7: 0.4, 8: 0.1, 9: 0},
    "OTH": {1: 0, 2: 38, 3: 33, 4: 18, 5: 7, 6: 2.5, 7: 1, 8: 0.3, 9: 0.2},
}
BAND_SHARES = {"A": 24.0, "B": 19.5, "C": 22.0, "D": 15.7, "E": 9.7, "F": 5.1, "G": 3.4, "H": 0.6}


def population(seed=2026, size=None, complete=False):
    """The tables `households` and `claims` of the whole population.

    size: households; as the package says when None. complete=True returns the values
    before any went missing, to compare with: a luxury nobody has with real data.
    """
    size = size or DESIGN.package["sampling"]["population"]
    homes, latent = people_and_homes(seed, size)
    money(homes, latent, seed)
    claims = all_claims(homes, latent, seed)
    lift_income(homes, claims)
    homes["arrears"] = arrears(homes, seed)
    if not complete:
        lose_values(homes, seed)
    tables = {"households": homes, "claims": claims}
    return {
        name: table[[field["name"] for field in DESIGN.resource(name)["schema"]["fields"]]]
        for name, table in tables.items()
    }


def parts(population, seed):
    """The training part and the control part: households drawn at random, with their claims."""
    return take_parts(DESIGN, population, seed)


# ---------------------------------------------------------------- People and homes


def people_and_homes(seed, size):
    """Who lives where and in what kind of home, and `latent`: what no table shows."""
    areas = small_areas(seed)
    position = draw(stream(seed, "area"), dict(enumerate(areas["weight"])), size).astype(int)
    here = areas.iloc[position].reset_index(drop=True)
    homes = pd.DataFrame({"household_id": identifiers(stream(seed, "household_id"), size, "HH", 7)})
    homes["region"], homes["area_code"] = here["region"], here["area_code"]
    homes["ethnic_group"] = ethnic_groups(here, seed)
    band = age_bands(homes, seed)
    homes["reference_age"] = ages(band, seed)
    homes["household_type"] = household_types(homes, band, seed)
    homes["people"] = draw_by(stream(seed, "people"), homes["household_type"], PEOPLE_BY_TYPE).astype(int)
    latent = pd.DataFrame({"deprivation": here["deprivation"], "office": here["office"]})
    homes["tenure"] = tenures(homes, latent, seed)
    homes["bedrooms"] = bedrooms(homes, seed)
    latent["planted"] = plant(homes, seed)
    return homes, latent


def small_areas(seed):
    """The fictional areas: code, region, chance of a household, deprivation, diversity, office."""
    count, shares = TRUTH["areas"], PUBLISHED["region-people-2021"]
    rng = stream(seed, "areas")
    ends = np.round(count * np.cumsum(list(shares.values())) / sum(shares.values())).astype(int)
    region = np.repeat(list(shares), np.diff(ends, prepend=0))
    areas = pd.DataFrame({"area_code": area_codes(count), "region": region})
    size = rng.lognormal(0, 0.7, count)
    # The published shares are of people. London households are larger, so it has fewer of them.
    households = areas["region"].map(shares) / areas["region"].map({"E12000007": 1.05}).fillna(1)
    areas["weight"] = size / pd.Series(size).groupby(region).transform("sum") * households
    north = {"E12000001": 0.45, "E12000002": 0.3, "E12000003": 0.25, "E12000005": 0.25, "E12000008": -0.4}
    areas["deprivation"] = areas["region"].map(north).fillna(0) + rng.normal(0, 0.95, count)
    urban = areas["region"].map({"E12000007": 1.5, "E12000005": 0.4}).fillna(0)
    areas["diversity"] = urban + 0.25 * areas["deprivation"] + rng.normal(0, 0.8, count)
    letter = areas["region"].map(dict(zip(shares, "ABCDEFGHJ", strict=True)))
    number = areas.groupby("region").cumcount() // 2 + 1
    areas["office"] = letter + "J" + number.map("{:03d}".format)
    return areas


def ethnic_groups(here, seed):
    """Ethnic group by area: the national shares raked onto areas of unequal diversity."""
    shares = pd.Series(TRUTH["ethnic_group_shares"])
    in_area = here.groupby("area_code").size()
    diversity = here.groupby("area_code")["diversity"].first()
    minority = np.where(shares.index == "WBRI", 0, np.where(shares.index.str.startswith("W"), 0.5, 1))
    # Each group also gathers in areas of its own, beyond how diverse an area is.
    gather = stream(seed, "gather").normal(0, 0.5, (len(in_area), len(shares)))
    start = shares.to_numpy() * np.exp(np.outer(diversity, minority) + gather * minority)
    table = rake(start, in_area, shares / shares.sum() * in_area.sum())
    chances = pd.DataFrame(table, index=in_area.index).loc[here["area_code"]].to_numpy()
    return draw_rows(stream(seed, "ethnic_group"), chances, shares.index)


def age_bands(homes, seed):
    """Age band of the reference person: minority groups and London are younger."""
    shares = TRUTH["age_band_shares"]
    young = homes["ethnic_group"].ne("WBRI") * ~homes["ethnic_group"].isin(["WIRI"]) + 0.4 * homes[
        "region"
    ].eq("E12000007")
    scores = np.outer(young, np.linspace(0.9, -0.9, len(shares)))
    return draw_rows(stream(seed, "age_band"), shares_for(list(shares.values()), scores), shares)


def ages(band, seed):
    """Single years of age inside a band; the last band thins out, the first fills up."""
    low, high = (np.array([int(text.split("-")[end]) for text in band]) for end in (0, 1))
    place = stream(seed, "age").random(len(band))
    place = np.where(low == 75, place**2.6, np.where(low == 16, place**0.5, place))
    return (low + place * (high - low + 1)).astype(int)


def household_types(homes, band, seed):
    """Household type by age band; one-person households are told apart at pension age."""
    kind = pd.Series(draw_by(stream(seed, "household_type"), band, TYPE_BY_AGE))
    alone = kind.isin(["1WA", "1PA"])
    return kind.mask(alone, np.where(homes["reference_age"] >= PENSION_AGE, "1PA", "1WA"))


def tenures(homes, latent, seed):
    """Tenure by age, household type, deprivation, region and ethnic group; the published shares hold."""
    age = (homes["reference_age"].clip(upper=80) - 50) / 10
    older = (homes["reference_age"] >= 60).astype(float)
    family = homes["household_type"].isin(["CDC", "LPC"]).astype(float)
    lone, couple = homes["household_type"].eq("LPC"), homes["household_type"].isin(["CNC", "CDC"])
    black = homes["ethnic_group"].isin(["BAFR", "BCRB", "BOTH", "MWBC", "ABAN", "WIRT"])
    newer = homes["ethnic_group"].isin(["WOTH", "WROM", "AOTH", "ACHN", "OARA", "BAFR"])
    london = homes["region"].eq("E12000007")
    poor = latent["deprivation"]
    scores = {
        "OO": 0.8 * age + 0.6 * older - 0.25 * poor + 0.5 * couple - 0.8 * black - 0.5 * newer,
        "OM": -0.15 * age
        - 1.2 * older
        - 0.25 * poor
        + 0.9 * couple
        + 0.3 * family
        - 0.5 * black
        - 0.4 * newer,
        "SR": 0.15 * age + 0.3 * older + 0.65 * poor + 1.5 * lone - 0.3 * couple + 1.0 * black + 0.3 * london,
        "PR": -0.5 * age + 0.1 * poor + 0.6 * lone - 0.2 * couple + 0.9 * newer + 0.65 * london,
    }
    shares = PUBLISHED["tenure-2024-25"]
    chances = shares_for([shares[code] for code in scores], np.column_stack(list(scores.values())))
    return draw_rows(stream(seed, "tenure"), chances, scores)


def bedrooms(homes, seed):
    """More people and owning a home mean more bedrooms; seven or more are written 7."""
    base = homes["tenure"].map({"OO": 2.4, "OM": 2.35, "SR": 1.5, "PR": 1.6})
    rooms = base + 0.33 * (homes["people"] - 1) + stream(seed, "bedrooms").normal(0, 0.75, len(homes))
    return rooms.round().clip(1, 7).astype(int)


def plant(homes, seed):
    """Make a few households stand out, and return which kind each is (0 for none).

    The four kinds are those the package lists under "planted". They are ordinary rows to
    everything that follows; only `money` gives the third kind its income and band.
    """
    count, kind = TRUTH["planted"], np.zeros(len(homes), dtype=int)
    count = max(1, min(count, len(homes) // 300))
    order = stream(seed, "planted").permutation(len(homes))
    london = order[homes["region"].to_numpy()[order] == "E12000007"][:count]
    rest = order[~np.isin(order, london)]
    kind[london] = 2
    for number, start in ((1, 0), (3, count), (4, 2 * count)):
        kind[rest[start : start + count]] = number
    rng = stream(seed, "planted age")
    looks = {
        1: {"household_type": "OTH", "people": 11, "bedrooms": 1, "tenure": "SR"},
        2: {"household_type": "1PA", "people": 1, "tenure": "PR"},
        3: {"household_type": "1WA", "people": 1, "tenure": "OO", "bedrooms": 6},
        4: {"household_type": "LPC", "people": 9, "bedrooms": 6},
    }
    for number, values in looks.items():
        homes.loc[kind == number, list(values)] = list(values.values())
    homes.loc[kind == 2, "reference_age"] = rng.integers(97, 103, (kind == 2).sum())
    homes.loc[kind == 3, "reference_age"] = rng.integers(19, 25, (kind == 3).sum())
    homes.loc[kind == 4, "reference_age"] = rng.integers(28, 46, (kind == 4).sum())
    homes.loc[kind == 4, "ethnic_group"] = draw(rng, {"WROM": 1, "WIRT": 1}, (kind == 4).sum())
    return kind


# ---------------------------------------------------------------- Money


def money(homes, latent, seed):
    """Income, rent, tenancy, Council Tax band, health and Universal Credit, added to `homes`."""
    homes["weekly_income"] = incomes(homes, latent, seed)
    homes["weekly_rent"] = rents(homes, seed)
    homes["tenancy_start"] = tenancies(homes, seed)
    homes["council_tax_band"] = bands(homes, latent, seed)
    homes["health_condition"] = health(homes, latent, seed)
    homes["universal_credit"] = universal_credit(homes, seed)


def incomes(homes, latent, seed):
    """Lognormal around what age, household, tenure, area and London explain, with a Pareto tail."""
    rng = stream(seed, "weekly_income")
    age = homes["reference_age"]
    by_age = -0.00045 * (age - 47) ** 2 * (age < 47) - 0.00035 * (age - 47) ** 2 * (age >= 47)
    by_type = homes["household_type"].map({"1WA": -0.5, "1PA": -0.45, "LPC": -0.38, "CDC": 0.12, "OTH": 0.05})
    by_tenure = homes["tenure"].map({"OO": -0.02, "SR": -0.62, "PR": -0.22})
    log_income = (
        np.log(TRUTH["income_median_couple"])
        + by_age.clip(lower=-0.45)
        + by_type.fillna(0)
        + by_tenure.fillna(0)
        + TRUTH["income_per_deprivation"] * latent["deprivation"]
        + 0.22 * homes["region"].eq("E12000007")
        + rng.normal(0, TRUTH["income_spread"], len(homes))
    )
    tail = happens(rng, np.full(len(homes), TRUTH["income_tail_share"]))
    stretch = np.where(tail, 1 + rng.pareto(TRUTH["income_tail_index"], len(homes)), 1)
    income = np.exp(log_income) * stretch
    rich = latent["planted"] == 3
    income = income.mask(rich, 6200 + 400 * rng.pareto(1.5, len(homes)))
    return income.clip(lower=60, upper=60_000).round(2)


def rents(homes, seed):
    """Rent of renters: tenure and region set the level, bedrooms multiply it."""
    tenure = homes["tenure"].where(homes["tenure"].isin(["SR", "PR"]))
    level = np.log(tenure.map(TRUTH["rent_base"]))
    by_region = pd.Series(np.nan, index=homes.index)
    for code, effects in TRUTH["rent_region"].items():
        by_region = by_region.mask(tenure == code, homes["region"].map(effects))
    spread = tenure.map({"SR": TRUTH["rent_spread_social"], "PR": TRUTH["rent_spread_private"]})
    noise = stream(seed, "weekly_rent").normal(0, 1, len(homes))
    log_rent = level + by_region + TRUTH["rent_per_bedroom"] * (homes["bedrooms"] - 1) + spread * noise
    rent = np.exp(log_rent)
    # Most private rents are agreed by the month, in steps of 25 pounds.
    monthly = (tenure == "PR") & happens(stream(seed, "monthly rent"), np.full(len(homes), 0.7))
    return rent.mask(monthly, (rent * 52 / 12 / 25).round() * 25 * 12 / 52).round(2)


def tenancies(homes, seed):
    """Start of the tenancy: social tenancies last longer; none begins before the age of sixteen."""
    typical = homes["tenure"].map({"SR": 11.0, "PR": 3.6})
    years = typical * stream(seed, "tenancy_start").weibull(0.9, len(homes))
    longest = (homes["reference_age"] - 16).clip(lower=0.1)
    # A tenancy longer than the person's adult life starts at a random point within it.
    inside = longest * stream(seed, "tenancy_inside").random(len(homes))
    years = years.where(years < longest, inside)
    start = EXTRACT - pd.to_timedelta((years * 365).round(), unit="D")
    return start.where(homes["tenure"].isin(["SR", "PR"]))


def bands(homes, latent, seed):
    """Council Tax band: a ranking by size, income and place, cut so that each band has its share."""
    value = (
        0.55 * homes["bedrooms"]
        + 0.5 * np.log(homes["weekly_income"])
        + homes["tenure"].map({"OO": 0.35, "OM": 0.3, "PR": 0.1, "SR": 0.1})
        + homes["region"]
        .map({"E12000007": 0.9, "E12000008": 0.7, "E12000006": 0.5, "E12000009": 0.25})
        .fillna(0)
        - 0.4 * latent["deprivation"]
        + stream(seed, "council_tax_band").normal(0, 0.7, len(homes))
    )
    cuts = np.quantile(value, np.cumsum(list(BAND_SHARES.values()))[:-1] / sum(BAND_SHARES.values()))
    band = pd.Series(np.array(list(BAND_SHARES), dtype=object)[np.searchsorted(cuts, value)])
    return band.mask(latent["planted"] == 3, "H")


def health(homes, latent, seed):
    """Somebody with a long-term condition: likelier with age, deprivation and in social rent."""
    score = (
        -0.95
        + 0.028 * (homes["reference_age"] - 50)
        + 0.2 * latent["deprivation"]
        + homes["tenure"].map({"OO": -0.1, "OM": -0.3, "PR": 0.0, "SR": 0.85})
        + 0.25 * (homes["people"] > 1)
    )
    ill = happens(stream(seed, "health_condition"), logistic(score))
    unsure = happens(stream(seed, "health_unsure"), np.full(len(homes), 0.02))
    return np.where(unsure, "9", np.where(ill, "Y", "N"))


def universal_credit(homes, seed):
    """On Universal Credit or not: low income, rent, children and ill health; never past pension age."""
    working_age = homes["reference_age"] < PENSION_AGE
    score = (
        TRUTH["uc_per_log_income"] * np.log(homes["weekly_income"] / 600)
        + homes["tenure"].map({"OO": -2.2, "OM": -1.5, "SR": 1.3, "PR": 0.6})
        + homes["household_type"].map({"LPC": 1.5, "CDC": 0.5}).fillna(0)
        + 0.6 * (homes["health_condition"] == "Y")
    )
    constant = intercept_for(TRUTH["uc_rate_working_age"], score[working_age])
    paid = happens(stream(seed, "universal_credit"), logistic(constant + score)) & working_age
    return np.where(paid, "Y", "N")


def lift_income(homes, claims):
    """Income counts benefits, so no household has less than its open awards."""
    awards = claims[claims["status"] == "LIVE"].groupby("household_id")["weekly_award"].sum()
    floor = homes["household_id"].map(awards).fillna(0)
    homes["weekly_income"] = homes["weekly_income"].where(homes["weekly_income"] >= floor, floor).round(2)


def arrears(homes, seed):
    """In arrears or not: three groups with known rates; inside each, less income means more arrears."""
    renter, on_uc = homes["tenure"].isin(["SR", "PR"]), homes["universal_credit"] == "Y"
    score = TRUTH["arrears_per_log_income"] * np.log(homes["weekly_income"])
    chance = pd.Series(0.0, index=homes.index)
    groups = {
        "arrears_rate_uc_renters": renter & on_uc,
        "arrears_rate_other_renters": renter & ~on_uc,
        "arrears_rate_owners": ~renter,
    }
    for name, group in groups.items():
        chance[group] = logistic(intercept_for(TRUTH[name], score[group]) + score[group])
    return np.where(happens(stream(seed, "arrears"), chance), "Y", "N")


# ---------------------------------------------------------------- Claims


def all_claims(homes, latent, seed):
    """Every claim of every household: who claims what, when, how much, and how it ended."""
    claims = pd.concat([open_claims(homes, seed), closed_claims(homes, seed)], ignore_index=True)
    home = homes.iloc[claims["home"]].reset_index(drop=True)
    claims["household_id"] = home["household_id"]
    claims["claim_id"] = identifiers(stream(seed, "claim_id"), len(claims), "C", 8)
    claims["nino"] = claimants(claims, home, len(homes), seed)
    claim_dates(claims, home, seed)
    claims["weekly_housing"] = housing_costs(claims, home, seed)
    claims["weekly_award"] = awards(claims, home, seed)
    claims["conditionality"] = conditionality(claims, home, seed)
    claims["office"] = offices(latent["office"].iloc[claims["home"]].reset_index(drop=True), seed)
    claims["channel"] = channels(claims, seed)
    return claims.sort_values("claim_id", ignore_index=True)


def open_claims(homes, seed):
    """Which benefits are open in each household: columns `home` (row of homes), benefit, status."""
    pension = homes["reference_age"] >= PENSION_AGE
    renter = homes["tenure"].isin(["SR", "PR"])
    children = homes["household_type"].isin(["CDC", "LPC"])
    ill = homes["health_condition"] == "Y"
    on_uc = homes["universal_credit"] == "Y"
    poor = logistic(-2.2 * np.log(homes["weekly_income"] / 290))
    chances = {
        "UC": on_uc * 1.0,
        "HB": renter * np.where(pension, 0.9 * poor, 0.02),
        "CTR": np.where(on_uc, 0.62, np.where(pension, 0.6 * poor, 0.02)),
        "PC": pension * 0.55 * poor,
        "PIP": ill * np.where(homes["reference_age"] < 80, 0.3, 0.05),
        "ESA": ill * ~pension * 0.04,
        "JSA": ~pension * 0.008,
        "CA": ill * ~pension * (homes["people"] > 1) * 0.09,
        "CHB": children * np.where(homes["weekly_income"] > 1600, 0.62, 0.95),
        "BSP": ~pension * children * 0.006,
    }
    frames = []
    for benefit, chance in chances.items():
        rows = np.flatnonzero(happens(stream(seed, f"open {benefit}"), chance))
        frames.append(pd.DataFrame({"home": rows, "benefit": benefit}))
    claims = pd.concat(frames, ignore_index=True)
    waiting = happens(stream(seed, "suspended"), np.full(len(claims), 0.02))
    claims["status"] = np.where(waiting, "SUSP", "LIVE")
    return claims


def closed_claims(homes, seed):
    """Claims closed since April 2019: earlier spells, and benefits that Universal Credit replaced."""
    working_age = homes["reference_age"] < PENSION_AGE
    renter, on_uc = homes["tenure"].isin(["SR", "PR"]), homes["universal_credit"] == "Y"
    chances = {
        "UC": working_age * np.where(on_uc, 0.2, np.where(renter, 0.16, 0.05)),
        "HB": renter * np.where(on_uc, 0.2, 0.03),
        "CTR": np.where(on_uc, 0.1, 0.03),
        "JSA": working_age * 0.025,
        "ESA": (homes["health_condition"] == "Y") * working_age * 0.05,
        "PIP": (homes["health_condition"] == "Y") * 0.04,
        "CHB": homes["reference_age"].between(36, 66) * homes["household_type"].isin(["CNC", "OTH"]) * 0.14,
    }
    frames = []
    for benefit, chance in chances.items():
        rows = np.flatnonzero(happens(stream(seed, f"closed {benefit}"), chance))
        frames.append(pd.DataFrame({"home": rows, "benefit": benefit}))
    return pd.concat(frames, ignore_index=True).assign(status="TERM")


def claimants(claims, home, households, seed):
    """National Insurance numbers: two adults' numbers per household; a couple may use either."""
    numbers = ni_numbers(stream(seed, "nino"), 2 * households).reshape(households, 2)
    couple = home["household_type"].isin(["CNC", "CDC", "OTH"])
    second = happens(stream(seed, "claimant"), np.where(couple, 0.38, 0))
    return numbers[claims["home"], second.astype(int)]


def claim_dates(claims, home, seed):
    """Start, end and reason for the end, added to `claims`.

    Universal Credit has a wave of claims from spring 2020 and another from the move of
    older benefits in 2023 and 2024. Durations are lognormal. No claim starts before the
    claimant is sixteen or the benefit exists.
    """
    rng = stream(seed, "claim_dates")
    closed = claims["status"] == "TERM"
    span = (EXTRACT - pd.Timestamp("2019-04-01")).days
    end = EXTRACT - pd.to_timedelta(rng.integers(1, span, len(claims)), unit="D")
    claims["claim_end"] = pd.Series(end).where(closed)
    typical = {
        "UC": 2.1,
        "HB": 5,
        "CTR": 3,
        "PC": 6,
        "PIP": 4,
        "ESA": 2,
        "JSA": 0.2,
        "CA": 3,
        "CHB": 6,
        "BSP": 0.7,
    }
    days = claims["benefit"].map(typical) * 365 * rng.lognormal(0, 0.75, len(claims))
    days = days.where(claims["benefit"] != "BSP", days.clip(upper=540))
    start = claims["claim_end"].fillna(EXTRACT) - pd.to_timedelta(days.round().clip(lower=7), unit="D")
    wave = rng.random(len(claims))
    spring = pd.Timestamp("2020-03-16") + pd.to_timedelta(
        (rng.random(len(claims)) ** 2 * 100).round(), unit="D"
    )
    moved = pd.Timestamp("2023-06-01") + pd.to_timedelta((rng.random(len(claims)) * 650).round(), unit="D")
    open_uc = (claims["benefit"] == "UC") & ~closed
    start = start.where(~(open_uc & (wave < 0.14)), pd.Series(spring))
    start = start.where(~(open_uc & (wave > 0.72)), pd.Series(moved))
    sixteenth = EXTRACT - pd.to_timedelta((home["reference_age"] - 16) * 365, unit="D")
    first = {
        "UC": "2013-04-29",
        "PIP": "2013-04-08",
        "CTR": "2013-04-01",
        "ESA": "2008-10-27",
        "BSP": "2017-04-06",
    }
    earliest = pd.to_datetime(claims["benefit"].map(first).fillna("1995-04-03"))
    earliest = earliest.where(earliest > sixteenth, sixteenth)
    late = pd.to_timedelta(rng.integers(0, 200, len(claims)), unit="D")
    start = start.where(start >= earliest, earliest + late)
    start = start.where(start <= claims["claim_end"].fillna(EXTRACT), claims["claim_end"].fillna(EXTRACT))
    claims["claim_start"] = start.dt.normalize()
    claims["end_reason"] = end_reasons(claims, seed).where(closed)


def end_reasons(claims, seed):
    """Why a claim ended, by benefit."""
    common = {"01": 30, "02": 12, "03": 0, "04": 0, "05": 4, "06": 3, "07": 22, "99": 18}
    own = {
        "UC": {**common, "01": 48},
        "PIP": {**common, "01": 0, "02": 0, "03": 40, "05": 0, "06": 15},
        "ESA": {**common, "03": 35, "05": 12},
        "CHB": {**common, "01": 8, "02": 5, "04": 70, "05": 0, "06": 1},
        "HB": {**common, "07": 30, "99": 30},
    }
    weights = {benefit: own.get(benefit, common) for benefit in DESIGN.codes("claims", "benefit")}
    return pd.Series(draw_by(stream(seed, "end_reason"), claims["benefit"], weights))


def housing_costs(claims, home, seed):
    """Help with rent in Universal Credit and Housing Benefit: all of a social rent, most of a private one."""
    rng = stream(seed, "weekly_housing")
    helps = claims["benefit"].isin(["UC", "HB"]) & home["weekly_rent"].notna()
    share = np.where(
        home["tenure"] == "SR",
        np.where(rng.random(len(claims)) < 0.72, 1.0, 0.86),
        0.62 + 0.38 * rng.random(len(claims)),
    )
    # Private rents are met up to a ceiling that stands for the local allowance.
    ceiling = home["region"].map({code: 150 * np.exp(up) for code, up in TRUTH["rent_region"]["PR"].items()})
    ceiling = ceiling * (1 + 0.16 * (home["bedrooms"].clip(upper=4) - 1))
    costs = (home["weekly_rent"] * share).where(
        home["tenure"] == "SR", np.minimum(home["weekly_rent"] * share, ceiling)
    )
    return np.floor(costs * 100).where(helps) / 100


def awards(claims, home, seed):
    """Weekly award: fixed rates, so that many claims share an amount, or a rate less a share of earnings."""
    rates, rng = TRUTH["award_amounts"], stream(seed, "weekly_award")
    size = len(claims)
    children = np.maximum(home["people"] - np.where(home["household_type"] == "CDC", 2, 1), 0)
    children = np.where(home["household_type"].isin(["CDC", "LPC"]), children, 0)
    couple = home["household_type"].isin(["CNC", "CDC"])
    band = home["council_tax_band"].map(
        {"A": 0.8, "B": 0.9, "C": 1, "D": 1.12, "E": 1.35, "F": 1.6, "G": 1.9, "H": 2.2}
    )
    amounts = {
        "UC": universal_credit_award(claims, home, children, couple, rates, rng),
        "HB": claims["weekly_housing"].fillna(0),
        "CTR": rates["CTR"] * band * np.where(rng.random(size) < 0.6, 1, 0.3 + 0.6 * rng.random(size)),
        "PC": rates["PC"] * rng.lognormal(0, 0.7, size),
        "PIP": draw(rng, dict(zip(rates["PIP"], (15, 16, 22, 18, 17, 12), strict=True)), size).astype(float),
        "ESA": draw(rng, dict(zip(rates["ESA"], (45, 55), strict=True)), size).astype(float),
        "JSA": np.where(home["reference_age"] < 25, rates["JSA"][1], rates["JSA"][0]),
        "CA": np.full(size, rates["CA"]),
        "CHB": rates["CHB"][0] + rates["CHB"][1] * np.maximum(children - 1, 0),
        "BSP": np.where(children > 0, rates["BSP"][0], rates["BSP"][1]),
    }
    award = pd.Series(np.nan, index=claims.index)
    for benefit, amount in amounts.items():
        award = award.mask(claims["benefit"] == benefit, amount)
    # Rates rise every April, so a claim that closed years ago was paid less. Rent was not adjusted.
    years_ago = 2025 - claims["claim_end"].dt.year.fillna(2025)
    older = award * 0.96**years_ago
    award = older.where(~claims["benefit"].isin(["UC", "HB"]), award)
    return award.clip(lower=1).round(2)


def universal_credit_award(claims, home, children, couple, rates, rng):
    """Allowance for adults, at most two children, health and rent, less 55 pence of each pound earned."""
    young = home["reference_age"] < 25
    adults = np.where(
        couple, np.where(young, 0.79, 1) * rates["UC couple"], np.where(young, 0.79, 1) * rates["UC single"]
    )
    health = rates["UC health"] * ((home["health_condition"] == "Y") & (rng.random(len(claims)) < 0.45))
    full = adults + rates["UC child"] * np.minimum(children, 2) + health + claims["weekly_housing"].fillna(0)
    earned = np.where(rng.random(len(claims)) < 0.38, 210 * rng.lognormal(0, 0.6, len(claims)), 0)
    taken = 0.55 * np.maximum(earned - np.where(children > 0, 95, 0), 0)
    # Nobody stays on Universal Credit once earnings have taken all of it, so part of it is left.
    taken = np.where(taken < full, taken, full * (0.6 + 0.39 * rng.random(len(claims))))
    deducted = np.where(rng.random(len(claims)) < 0.45, 0.05 + 0.1 * rng.random(len(claims)), 0)
    return (full - taken) * (1 - deducted)


def conditionality(claims, home, seed):
    """Regime of Universal Credit claims, by health and children."""
    weights = {
        "ill": {"SFW": 14, "WWR": 8, "WNR": 12, "PLN": 2, "PRP": 10, "NWR": 54},
        "children": {"SFW": 22, "WWR": 17, "WNR": 24, "PLN": 6, "PRP": 8, "NWR": 23},
        "neither": {"SFW": 42, "WWR": 17, "WNR": 19, "PLN": 1, "PRP": 2, "NWR": 19},
    }
    children = home["household_type"].isin(["CDC", "LPC"])
    group = np.where(home["health_condition"] == "Y", "ill", np.where(children, "children", "neither"))
    return pd.Series(draw_by(stream(seed, "conditionality"), group, weights)).where(claims["benefit"] == "UC")


def offices(home_office, seed):
    """The office of the area; a few claims stay with another office of the same region."""
    rng = stream(seed, "office")
    moved = happens(rng, np.full(len(home_office), 0.04))
    other = home_office.str[:2] + pd.Series(rng.integers(1, 13, len(home_office))).map("{:03d}".format)
    return home_office.where(~moved, other)


def channels(claims, seed):
    """How the claim was made: mostly online for Universal Credit, by telephone or paper for pensioners."""
    usual = {"ONL": 45, "TEL": 30, "PAP": 18, "F2F": 3, "99": 4}
    own = {"UC": {**usual, "ONL": 93, "TEL": 4, "PAP": 0}, "PC": {**usual, "ONL": 25, "TEL": 50}}
    weights = {benefit: own.get(benefit, usual) for benefit in DESIGN.codes("claims", "benefit")}
    return draw_by(stream(seed, "channel"), claims["benefit"], weights)


# ---------------------------------------------------------------- Missing values


def lose_values(homes, seed):
    """Lose values by the three mechanisms the package describes. Changes `homes`."""
    log_income = np.log(homes["weekly_income"])
    hides = TRUTH["income_lost_slope"] * (log_income - log_income.mean())
    chance = logistic(intercept_for(TRUTH["income_lost_rate"], hides) + hides)
    homes["weekly_income"] = go_missing(stream(seed, "lose income"), homes["weekly_income"], chance)

    score = TRUTH["ethnic_group_lost_odds_private_rent"] * (homes["tenure"] == "PR")
    score = score + TRUTH["ethnic_group_lost_odds_under_35"] * (homes["reference_age"] < 35)
    chance = logistic(intercept_for(TRUTH["ethnic_group_lost_rate"], score) + score)
    homes["ethnic_group"] = go_missing(stream(seed, "lose ethnic"), homes["ethnic_group"], chance, code="X")

    lost = TRUTH["council_tax_band_lost"]
    homes["council_tax_band"] = go_missing(stream(seed, "lose band"), homes["council_tax_band"], lost)
