"""Invent patients and their hospital stays in one financial year.

The order is the order in which one thing leads to another:

    small area -> patient (age, sex, ethnic category) -> way in (emergency, planned, birth, delivery)
        -> diagnosis -> day of admission -> nights -> how it ended -> the next stay
        -> consultant episodes of each stay

Parameters stand in `truth` in datapackage.json, published totals in ../calibration.yaml, and what
kind of patient has which diagnosis in casemix.csv beside this file. Its columns:

    share       how common the diagnosis is, relative to the others with the same way in
    kinds       ways in: E emergency, D day case, O planned with nights, M maternity, B birth, with shares
    sex         f, m or b (both)
    youngest, usual_age, oldest     a hill of chances with its top at the usual age
    specialty   of the consultant; two where it varies
    operation   usual main operation, or - for none
    stay        nights relative to other diagnoses
    again       chance that the next stay has the same diagnosis

All of casemix.csv is a design assumption. Run this through ../build.py.
"""

from pathlib import Path

import numpy as np
import pandas as pd

import simulation as sim

FIRST_DAY = pd.Timestamp("2023-04-01")
MID_JANUARY = 289  # days after the first day
SURGICAL = ["100", "101", "110", "120", "130", "140", "160", "170", "180", "190", "501", "502", "560", "710"]
OLDEST = 103  # apart from planted patients

EMERGENCY_METHODS = {"21": 70, "2A": 9, "22": 8, "24": 6, "2B": 3, "2D": 3, "23": 1}
PLANNED_METHODS = {"11": 45, "12": 33, "13": 22}
LONDON = "E12000007"

# Ethnic categories: more common in London, and in younger people (log-odds per ten years of age).
LONDON_LEAN = {"A": -1.1, "B": 0.3, "C": 0.8, "M": 1.1, "N": 1.3, "P": 1.1, "K": 1.0, "S": 0.9}
AGE_LEAN = {"A": 0.0, "B": 0.25, "M": 0.02, "H": -0.12, "C": -0.15}

# What else patients have: share of patients, by diagnosis. Ages as in casemix.csv.
SECOND_DIAGNOSES = {
    "I10X": 20, "E119": 11, "E780": 7, "I259": 7, "I489": 7, "J449": 5, "J459": 7, "F171": 8, "E669": 5,
    "N183": 5, "F329": 5, "F411": 2, "E039": 4, "K219": 4, "M199": 4, "Z922": 4, "Z864": 3, "I252": 3,
    "Z888": 5, "F03X": 3, "I500": 3, "Z955": 2, "G409": 1.5, "F102": 1.5, "F200": 0.5, "Z602": 2,
    "Z874": 1.5, "B182": 0.3, "F840": 0.3,
}  # fmt: skip


# ---------------------------------------------------------------- Reference tables


def casemix():
    """casemix.csv as a table, one row for each diagnosis."""
    table = pd.read_csv(Path(__file__).with_name("casemix.csv"), dtype={"specialty": str})
    shares = table["kinds"].str.extractall(r"([A-Z])(\d+)")
    shares = shares[1].astype(float).groupby([shares.index.get_level_values(0), shares[0]]).sum().unstack()
    return table.join(shares.div(100)).fillna(dict.fromkeys("EDOMB", 0))


def age_chances(mix):
    """How likely each diagnosis is at each age, array (ages 0 to 110, diagnoses): a hill with two slopes."""
    ages = np.arange(111)[:, None]
    low, top, high = (mix[column].to_numpy(dtype=float) for column in ("youngest", "usual_age", "oldest"))
    width = np.where(ages < top, top - low, high - top) / 2.2 + 0.3
    return np.where((ages >= low) & (ages <= high), np.exp(-0.5 * ((ages - top) / width) ** 2), 0.0)


def draw_codes(rng, chances, mix, age, sex, allowed):
    """A diagnosis (row number in mix) for each patient, from those `allowed` (weight for each diagnosis)."""
    codes, group = np.zeros(len(age), dtype=int), 2 * age + (sex == "2")
    rows = np.argsort(group, kind="stable")
    for these in np.split(rows, np.flatnonzero(np.diff(group[rows])) + 1):
        if len(these):
            label = "f" if sex[these[0]] == "2" else "m"
            weights = chances[age[these[0]]] * allowed * mix["sex"].isin(["b", label]).to_numpy()
            codes[these] = rng.choice(len(mix), size=len(these), p=weights / weights.sum())
    return codes


def at_age(values, age):
    """The value for each age, from {first age: value}: straight lines between the ages given."""
    return np.interp(age, [int(key) for key in values], list(values.values()))


def from_age(values, age):
    """The value for each age, from {first age: value}: the last one whose age is reached."""
    ages = np.array([int(key) for key in values])
    return np.array(list(values.values()))[np.searchsorted(ages, age, side="right") - 1]


# ---------------------------------------------------------------- Patients


def small_areas(design, seed):
    """One row for each small area: its code, region, deprivation decile and nearest GP practice."""
    rng = sim.stream(seed, "areas")
    count, regions = design.truth["areas"], design.published["admissions-region-2021"]
    bounds = np.round(np.cumsum([0, *regions.values()]) / 100 * count).astype(int)
    region = np.repeat(list(regions), np.diff(bounds))
    areas = pd.DataFrame({"region": region, "area_code": sim.area_codes(count)[rng.permutation(count)]})
    lean = {"E12000001": -0.7, "E12000002": -0.5, "E12000003": -0.4, "E12000005": -0.3, "E12000008": 0.7,
            "E12000006": 0.3, "E12000009": 0.3}  # fmt: skip
    wealth = areas["region"].map(lean).fillna(0) + rng.standard_normal(count)
    areas["imd_decile"] = np.ceil(wealth.rank(method="first") / count * 10).astype(int)
    areas["practice"] = np.arange(count) * design.truth["gp_practices"] // count
    return areas


def ages_and_sexes(design, size, seed):
    """Kind of first stay (B birth, M delivery, or blank), age in years and sex of each patient."""
    rng = sim.stream(seed, "ages")
    truth = design.truth
    kinds = {"B": truth["births"], "M": truth["deliveries"], "": 1 - truth["births"] - truth["deliveries"]}
    kind = sim.draw(rng, kinds, size)
    first = sim.draw(rng, truth["age_shares"], size).astype(int)
    bounds = [*(int(key) for key in truth["age_shares"]), OLDEST]
    last = np.array(bounds)[np.searchsorted(bounds, first) + 1]
    # Within a band, the old get fewer with every year.
    place = rng.random(size) ** np.where(first >= 95, 3.0, np.where(first >= 75, 1.25, 1.0))
    age = (first + place * (last - first)).astype(int)
    age = np.where(kind == "B", 0, age)
    age = np.where(
        kind == "M", np.clip(np.round(30.5 + 5.6 * rng.standard_normal(size)), 15, 47).astype(int), age
    )
    lean = from_age(truth["female_by_age"], age)
    share = design.published["admissions-female-2014"]["2"] / 100
    mothers = (kind == "M").mean()
    others = kind != "M"
    constant = sim.intercept_for((share - mothers) / (1 - mothers), lean[others])
    female = (kind == "M") | sim.happens(rng, sim.logistic(lean + constant))
    return kind, age, np.where(female, "2", "1")


def ethnic_categories(design, age, region, area, seed):
    """An ethnic category for each patient: shares as assumed, younger and more in London for minorities."""
    rng = sim.stream(seed, "ethnos")
    shares = design.truth["ethnos_shares"]
    london = np.array([LONDON_LEAN.get(code, 0.7) for code in shares])
    young = np.array([AGE_LEAN.get(code, -0.22) for code in shares])
    place = 0.7 * rng.standard_normal((design.truth["areas"], len(shares)))
    scores = (region == LONDON)[:, None] * london + (age / 10 - 5)[:, None] * young + place[area]
    return sim.draw_rows(rng, sim.shares_for(list(shares.values()), scores), shares)


def registered(design, areas, size, seed):
    """The patients table without dates of birth, with columns the stays need (kind, age)."""
    rng = sim.stream(seed, "patients")
    crowd = pd.Series(rng.gamma(6.0, size=len(areas)))
    share = areas["region"].map(design.published["admissions-region-2021"])
    crowd = crowd / crowd.groupby(areas["region"]).transform("sum") * share
    area = rng.choice(len(areas), size=size, p=(crowd / crowd.sum()).to_numpy())
    patients = areas.iloc[area].reset_index(drop=True)
    patients["patient_id"] = np.sort(sim.identifiers(rng, size, "PT", 7))
    patients["nhs_number"] = sim.nhs_numbers(rng, size)
    patients["kind"], patients["age"], patients["sex"] = ages_and_sexes(design, size, seed)
    region = patients["region"].to_numpy()
    patients["ethnos"] = ethnic_categories(design, patients["age"].to_numpy(), region, area, seed)
    codes = sim.identifiers(rng, design.truth["gp_practices"], "X", 5)
    near = sim.draw(rng, {0: 74, -1: 13, 1: 13}, size).astype(int)
    patients["gp_practice"] = codes[(patients["practice"] + near).clip(0, len(codes) - 1)]
    return patients


# ---------------------------------------------------------------- Stays


def day_weights(design, way):
    """Chance of each day of the year, by way in: P planned, J chest emergencies, E other emergencies."""
    days = np.arange(366)
    weekday = (FIRST_DAY.weekday() + days) % 7
    if way == "P":
        weights = np.array([1.0, 1.05, 1.05, 1.0, 0.95, 0.12, 0.06])[weekday]
        return np.where((days >= 265) & (days <= 275), 0.3, 1.0) * weights  # Christmas and New Year
    weights = np.array([1.06, 1.03, 1.01, 1.0, 1.02, 0.94, 0.94])[weekday]
    if way == "J":
        season = np.cos(2 * np.pi * (days - MID_JANUARY) / 365.25)
        weights = weights * (1 + design.truth["winter_amplitude"] * season)
    return weights


def starts(design, rng, mix, codes, group, further):
    """The day (0 to 365) of each patient's first stay in the year, and how many more are to come.

    A series of stays may have begun before the year did. Then the stays before 1 April are
    skipped, so that the number of stays does not grow over the year.
    """
    gap = usual_gap(mix["again"].to_numpy()[codes])
    chest = mix["code"].str.startswith("J").to_numpy()[codes] & (group == "E")
    begin = rng.uniform(-gap * further, 366)
    skipped = np.where(begin < 0, 1 + rng.poisson(np.clip(-begin, 0, None) / gap), 0)
    running = (skipped > 0) & (skipped <= further) & ~chest
    ways = np.select([group == "P", chest], ["P", "J"], "E")
    days = np.zeros(len(ways), dtype=int)
    for way in np.unique(ways):
        weights = day_weights(design, way)
        days[ways == way] = rng.choice(366, size=(ways == way).sum(), p=weights / weights.sum())
    resumed = on_weekday(rng, np.floor(rng.exponential(gap)).astype(int), group == "P")
    running = running & (resumed < 366)
    left = np.where(running, further - skipped, np.where(skipped > 0, 0, further))
    return np.where(running, resumed, days), left


def usual_gap(again):
    """Average days from one stay to the next: short in a course of treatment."""
    return np.where(again > 0.5, 21.0, 60.0)


def on_weekday(rng, days, planned):
    """The same days, but planned stays at a weekend move into the week that follows."""
    weekday = (FIRST_DAY.weekday() + days) % 7
    moved = days + 7 - weekday + rng.integers(0, 5, len(days))
    return np.where(planned & (weekday >= 5), moved, days)


def ways_in(design, rng, patients):
    """E (emergency) or P (planned) for each patient who is neither born nor gives birth."""
    score = at_age(design.truth["emergency_by_age"], patients["age"])
    score = score + design.truth["emergency_per_decile"] * (patients["imd_decile"].to_numpy() - 5.5)
    constant = sim.intercept_for(design.truth["emergency_share"], score)
    return np.where(sim.happens(rng, sim.logistic(score + constant)), "E", "P")


def diagnoses(rng, mix, chances, patients, group):
    """The diagnosis (row number in mix) and kind (E, D, O, M or B) of one stay for each patient."""
    age, sex = patients["age"].to_numpy(), patients["sex"].to_numpy()
    codes = np.zeros(len(patients), dtype=int)
    for name, columns in (("E", ["E"]), ("P", ["D", "O"]), ("M", ["M"]), ("B", ["B"])):
        these = group == name
        allowed = (mix["share"] * mix[columns].sum(axis=1)).to_numpy()
        codes[these] = draw_codes(rng, chances, mix, age[these], sex[these], allowed)
    nights = sim.happens(rng, (mix["O"] / (mix["O"] + mix["D"]).clip(lower=1e-9)).to_numpy()[codes])
    return codes, np.where(group == "P", np.where(nights, "O", "D"), group)


def log_nights(design, patients, mix, codes, kind):
    """Log of the expected nights of each stay, up to the constant of emergency and planned stays.

    Deliveries and births do not follow the age of the patient: their constant is set here.
    """
    truth = design.truth
    score = np.log(mix["stay"].to_numpy()[codes])
    general = truth["stay_per_ten_years"] * patients["age"].to_numpy() / 10
    general = general + truth["stay_per_decile"] * patients["imd_decile"].to_numpy()
    general = general + np.where(kind == "O", np.log(truth["stay_planned"]), 0)
    family = np.where(kind == "M", np.log(1.75), np.log(1.5))
    return score + np.where(np.isin(kind, ["M", "B"]), family, general)


def stay_constant(design, score, kind):
    """The constant that gives ordinary stays their published mean length."""
    family, general = np.isin(kind, ["M", "B"]), np.isin(kind, ["E", "O"])
    nights = (
        design.published["admissions-length-2015"] * (family | general).sum() - np.exp(score[family]).sum()
    )
    return np.log(nights / np.exp(score[general]).sum())


def draw_nights(design, rng, score, kind, constant):
    """Nights of each stay: negative binomial around exp(score), none for day cases."""
    family = np.isin(kind, ["M", "B"])
    mean = np.exp(score + np.where(family, 0, constant))
    shape = np.where(family, 2.5, design.truth["stay_dispersion"])
    nights = rng.poisson(mean * rng.gamma(shape, 1 / shape))
    return np.where(kind == "D", 0, nights)


def stays(design, patients, seed):
    """All stays: one row each with patient (row number), day, code, kind, nights, died.

    Round by round: a first stay for everybody, then a next stay for those who come again.
    """
    rng, mix, truth = sim.stream(seed, "stays"), casemix(), design.truth
    chances = age_chances(mix)
    kind = patients["kind"].to_numpy()
    group = np.where(kind == "", "", kind)
    general = kind == ""
    group[general] = ways_in(design, rng, patients[general])
    codes, kinds = diagnoses(rng, mix, chances, patients, group)
    again = mix["again"].to_numpy()
    eagerness = (0.35 + 3.2 * again[codes]) * rng.gamma(0.8, 1 / 0.8, len(patients))
    further = rng.poisson(truth["further_admissions"] * eagerness / eagerness.mean())
    days, further = starts(design, rng, mix, codes, group, further)
    score = log_nights(design, patients, mix, codes, kinds)
    constant = stay_constant(design, score, kinds)
    who = np.arange(len(patients))
    rounds = []
    while len(who):
        here = patients.iloc[who]
        nights = draw_nights(design, rng, log_nights(design, here, mix, codes, kinds), kinds, constant)
        died = deaths(design, rng, here, mix, codes, kinds)
        rounds.append(as_stays(who, days, codes, kinds, nights, died))
        next_day = next_days(rng, days + nights, again[codes], kinds)
        stay_on = ~died & (further[who] >= len(rounds)) & (next_day < 366)
        who, days, codes, kinds = who[stay_on], next_day[stay_on], codes[stay_on], kinds[stay_on]
        new = ~sim.happens(rng, np.where(np.isin(kinds, ["M", "B"]), 0, again[codes]))
        fresh = patients.iloc[who[new]]
        codes, kinds = codes.copy(), kinds.copy()
        if new.any():
            codes[new], kinds[new] = diagnoses(rng, mix, chances, fresh, ways_in(design, rng, fresh))
        season = day_weights(design, "J")[days] / day_weights(design, "E")[days]
        # New chest diagnoses follow the season too; repeated ones follow a first one that did.
        chest = new & mix["code"].str.startswith("J").to_numpy()[codes] & (kinds == "E")
        happen = ~chest | sim.happens(rng, season / (1 + truth["winter_amplitude"]))
        who, days, codes, kinds = who[happen], days[happen], codes[happen], kinds[happen]
    return pd.concat(rounds, ignore_index=True)


def as_stays(patient, day, code, kind, nights, died):
    """Stays as a table. Each argument is an array, or one value for all stays."""
    columns = {"patient": patient, "day": day, "code": code, "kind": kind, "nights": nights, "died": died}
    return pd.DataFrame(columns)


def next_days(rng, day, again, kind):
    """The day of the next stay, after some weeks at home."""
    later = np.ceil(day + 1 + rng.exponential(usual_gap(again) - 1)).astype(int)
    return on_weekday(rng, later, np.isin(kind, ["D", "O"]))


def deaths(design, rng, patients, mix, codes, kind):
    """Whether each stay ends in death. The odds rise with age and with the severity of the diagnosis."""
    truth = design.truth
    severity = 0.6 * np.log(mix["stay"].to_numpy()[codes])
    score = truth["death_per_ten_years"] * patients["age"].to_numpy() / 10 + severity
    emergency = kind == "E"
    psychiatric = mix["specialty"].str.startswith("710").to_numpy()[codes]
    constant = sim.intercept_for(truth["death_share"], score[emergency]) if emergency.any() else -9.0
    chance = sim.logistic(score + constant + np.where(kind == "O", -2.2, 0) + np.where(psychiatric, -3, 0))
    return sim.happens(rng, np.where(np.isin(kind, ["E", "O"]), chance, 0))


# ---------------------------------------------------------------- Standing out


def plant(design, patients, table, seed):
    """Change a few patients so that they stand out, as listed under `planted` in the package."""
    rng, mix = sim.stream(seed, "planted"), casemix()
    count = design.truth["planted"]
    once = table.groupby("patient")["day"].transform("size") == 1
    age, sex = patients["age"].to_numpy()[table["patient"]], patients["sex"].to_numpy()[table["patient"]]
    row = {code: number for number, code in enumerate(mix["code"])}

    def some(condition):
        return rng.choice(table.index[condition], size=count, replace=False)

    emergency = once & (table["kind"] == "E") & ~table["died"]
    oldest = some(emergency & (sex == "2") & (age >= 85) & (table["day"] < 200))
    patients.loc[table.loc[oldest, "patient"], "age"] = 104
    table.loc[oldest, "nights"] = rng.integers(101, 150, count)
    young = some(emergency & (sex == "1") & (age >= 15) & (age < 30))
    patients.loc[table.loc[young, "patient"], "age"] = rng.integers(19, 25, count)
    patients.loc[table.loc[young, "patient"], "ethnos"] = "R"
    table.loc[young, "code"] = [row[code] for code in sim.draw(rng, {"B24X": 2, "B238": 1, "B207": 1}, count)]
    mothers = some(once & (table["kind"] == "M"))
    patients.loc[table.loc[mothers, "patient"], "age"] = rng.integers(51, 54, count)
    children = some(once & (table["kind"] == "D") & (age >= 6) & (age < 17))
    return pd.concat(
        [table.drop(index=children), dialysis(rng, table.loc[children], row["Z491"])], ignore_index=True
    )


def dialysis(rng, chosen, code):
    """Stays for patients who come for dialysis about once a week, more than 40 times in the year."""
    weeks = np.arange(1, 48)
    day = (7 * weeks[None, :] + rng.integers(0, 5, size=(len(chosen), 1)) + 2).ravel()
    patient = np.repeat(chosen["patient"].to_numpy(), len(weeks))
    return as_stays(patient, day, code, "D", 0, False)


# ---------------------------------------------------------------- From stays to episodes


def birth_dates(patients, table, seed):
    """A date of birth that gives each patient the right age at the first stay."""
    rng = sim.stream(seed, "birth dates")
    first = FIRST_DAY + pd.to_timedelta(
        table.groupby("patient")["day"].min().sort_index().to_numpy(), unit="D"
    )
    spare = np.where(patients["kind"] == "B", 0, (365 * rng.random(len(patients))).astype(int))
    lived = np.floor(365.25 * patients["age"].to_numpy()).astype(int) + spare
    return first - pd.to_timedelta(lived + (patients["age"].to_numpy() > 0), unit="D")


def completed_years(born, dates):
    """Age in completed years, exact to the day."""
    before = (dates.month < born.month) | ((dates.month == born.month) & (dates.day < born.day))
    return (dates.year - born.year - before).to_numpy()


def describe_stays(design, patients, table, mix, seed):
    """Add to each stay its method, classification, way out and destination."""
    rng = sim.stream(seed, "stay details")
    size, kind = len(table), table["kind"].to_numpy()
    code = mix["code"].to_numpy()[table["code"]]
    options = [text.split("/") for text in mix["specialty"].fillna("-")]
    pick = rng.random(size) < 0.6
    table["specialty"] = [
        options[number][0] if first else options[number][-1]
        for number, first in zip(table["code"], pick, strict=True)
    ]
    psychiatric = (table["specialty"] == "710").to_numpy()
    method = np.where(
        kind == "E", sim.draw(rng, EMERGENCY_METHODS, size), sim.draw(rng, PLANNED_METHODS, size)
    )
    method = np.where((kind == "E") & psychiatric & sim.happens(rng, np.full(size, 0.2)), "25", method)
    method = np.where((kind == "O") & sim.happens(rng, np.full(size, 0.03)), "81", method)
    method = np.where(kind == "M", sim.draw(rng, {"31": 97, "32": 3}, size), method)
    method = np.where(kind == "B", sim.draw(rng, {"82": 97.5, "83": 2.5}, size), method)
    dialysed = (code == "Z491") & (kind == "D")
    table["admimeth"] = np.where(dialysed, "13", method)
    delivery_only = (kind == "M") & (table["nights"] == 0) & sim.happens(rng, np.full(size, 0.2))
    table["classpat"] = np.where(kind == "D", np.where(dialysed, "3", "2"), np.where(delivery_only, "5", "1"))
    age = patients["age"].to_numpy()[table["patient"]]
    left = (kind == "E") & sim.happens(rng, np.where((age > 15) & (age < 55), 0.035, 0.008))
    tribunal = psychiatric & sim.happens(rng, np.full(size, 0.04))
    table["way_out"] = np.where(table["died"], "4", np.where(tribunal, "3", np.where(left, "2", "1")))
    frail = (kind == "E") & (age >= 75)
    elsewhere = np.where(
        frail,
        sim.draw(rng, {"19": 87, "85": 6, "54": 2, "65": 1.5, "51": 3.5}, size),
        sim.draw(rng, {"19": 97.6, "29": 0.9, "51": 1.5}, size),
    )
    table["goes_to"] = np.where(table["died"], "79", elsewhere)
    return table


def split(design, table, seed):
    """One row for each consultant episode: stay (row number), epiorder, count, first and last day."""
    rng = sim.stream(seed, "episodes")
    truth, nights = design.truth["multi_episode"], table["nights"].to_numpy()
    expected = truth["base"] + truth["per_log_night"] * np.log1p(nights)
    expected = expected * np.where(
        table["kind"].isin(["E", "O"]), 1.0, np.where(table["kind"] == "D", 0.0, 0.15)
    )
    count = 1 + np.minimum(rng.poisson(expected), 7)
    stay = np.repeat(np.arange(len(table)), count)
    order = np.arange(len(stay)) - np.repeat(np.cumsum(count) - count, count) + 1
    start = np.where(order == 1, 0, np.floor(rng.random(len(stay)) * (nights[stay] + 1))).astype(int)
    episodes = pd.DataFrame({"stay": stay, "offset": start}).sort_values(
        ["stay", "offset"], ignore_index=True
    )
    episodes["epiorder"], episodes["count"] = order, count[stay]
    following = episodes["offset"].shift(-1).fillna(0).astype(int).to_numpy()
    episodes["until"] = np.where(order == episodes["count"], nights[stay], following)
    return episodes


def code_episodes(design, patients, table, episodes, mix, seed):
    """Add diagnoses, specialty and operation to each episode."""
    rng = sim.stream(seed, "coding")
    stay, size = episodes["stay"].to_numpy(), len(episodes)
    patient = table["patient"].to_numpy()[stay]
    age, sex = patients["age"].to_numpy()[patient], patients["sex"].to_numpy()[patient]
    kind, main = table["kind"].to_numpy()[stay], table["code"].to_numpy()[stay]
    first = (episodes["epiorder"] == 1).to_numpy()
    last = (episodes["epiorder"] == episodes["count"]).to_numpy()
    # The first doctor in an emergency often knows only the symptom.
    unsure = first & ~last & (kind == "E") & sim.happens(rng, np.full(size, 0.22))
    symptoms = (mix["share"] * mix["E"] * mix["code"].str.startswith("R")).to_numpy()
    main = main.copy()
    main[unsure] = draw_codes(rng, age_chances(mix), mix, age[unsure], sex[unsure], symptoms)
    episodes["diag_01"] = mix["code"].to_numpy()[main]
    specialty = table["specialty"].to_numpy()[stay].astype(object)
    medical = ~np.isin(specialty, [*SURGICAL, "420"])
    specialty = np.where(medical & first & ~last & sim.happens(rng, np.full(size, 0.6)), "300", specialty)
    specialty = np.where(medical & (age >= 80) & sim.happens(rng, np.full(size, 0.3)), "430", specialty)
    specialty = np.where(medical & (age < 16) & (kind != "D"), "420", specialty)
    episodes["mainspef"] = np.where((specialty == "420") & (age >= 19), "300", specialty)
    usual = mix["operation"].to_numpy()[main]
    urgent = np.isin(usual, ["W471", "W241", "H011"])
    often = np.select([kind == "M", np.isin(kind, ["D", "O"]), urgent], [1, 0.93, 0.85], 0.3)
    operated = last & ~unsure & sim.happens(rng, np.where(kind == "B", 0, often))
    episodes["opertn_01"] = np.where(operated, usual, "-")
    second = second_diagnoses(design, rng, mix, patients, patient, kind, episodes["diag_01"])
    treated = (episodes["diag_01"] == "Z511").to_numpy()
    second[treated] = treated_cancers(mix, patients, seed)[patient[treated]]
    episodes["diag_02"] = second
    return episodes


def treated_cancers(mix, patients, seed):
    """The cancer each patient would have if treated for one: the same at every session of chemotherapy."""
    rng = sim.stream(seed, "treated cancers")
    skin = mix["code"].isin(["C443", "C445"])  # cut out, not treated with drugs
    cancers = (mix["share"] * (mix["code"].str.startswith("C") & ~skin)).to_numpy()
    age, sex = patients["age"].to_numpy().clip(20, 100), patients["sex"].to_numpy()
    return mix["code"].to_numpy()[draw_codes(rng, age_chances(mix), mix, age, sex, cancers)]


def second_diagnoses(design, rng, mix, patients, patient, kind, main):
    """A second diagnosis or None: a condition the patient has anyway, not always written down."""
    age = patients["age"].to_numpy()
    hill = age_chances(mix)[age][:, [list(mix["code"]).index(code) for code in SECOND_DIAGNOSES]]
    weights = hill * np.array(list(SECOND_DIAGNOSES.values()))
    weights[:, 0] += 1e-9
    condition = sim.draw_rows(rng, weights, SECOND_DIAGNOSES)
    ill = sim.happens(rng, np.minimum(weights.sum(axis=1) / 55, 0.93))
    hiv = sim.happens(rng, np.where((age >= 18) & (age < 75), design.truth["hiv_as_second_diagnosis"], 0))
    condition = np.where(hiv, sim.draw(rng, {"B24X": 1, "Z21X": 1}, len(age)), np.where(ill, condition, None))
    written = sim.happens(rng, np.where(np.isin(kind, ["E", "O"]), 0.85, 0.5))
    second = np.where(written, condition[patient], None)
    second = np.where((kind == "M") & sim.happens(rng, np.full(len(kind), 0.9)), "Z370", second)
    second = np.where(kind == "B", None, second)
    return np.where(second == main, None, second)


def date_episodes(design, patients, table, episodes, born, seed, complete):
    """Turn day numbers into dates, and number the records.

    Episodes that go on when the extract is taken have no end, except with `complete`.
    """
    rng = sim.stream(seed, "record numbers")
    stay = episodes["stay"].to_numpy()
    end_of_extract = pd.Timestamp(design.truth["extract_date"])
    admitted = FIRST_DAY + pd.to_timedelta(table["day"].to_numpy()[stay], unit="D")
    episodes["admidate"] = admitted
    episodes["epistart"] = admitted + pd.to_timedelta(episodes["offset"].to_numpy(), unit="D")
    episodes["epiend"] = admitted + pd.to_timedelta(episodes["until"].to_numpy(), unit="D")
    patient = table["patient"].to_numpy()[stay]
    episodes["patient_id"] = patients["patient_id"].to_numpy()[patient]
    episodes["spell_id"] = sim.identifiers(rng, len(table), "SP", 8)[stay]
    for column in ("admimeth", "classpat"):
        episodes[column] = table[column].to_numpy()[stay]
    episodes["startage"] = completed_years(born[patient], pd.DatetimeIndex(episodes["epistart"]))
    nights = table["nights"].to_numpy()[stay]
    over = (episodes["epiend"] <= end_of_extract).to_numpy() | complete
    out = over & (episodes["epiorder"] == episodes["count"]).to_numpy()
    episodes["disdate"] = episodes["epiend"].where(out)
    episodes["epiend"] = episodes["epiend"].where(over)
    episodes["epistat"] = np.where(over, "3", "1")
    episodes["speldur"] = pd.array(np.where(out, nights, 0), dtype="Int64")
    episodes["speldur"] = episodes["speldur"].where(out)
    episodes["dismeth"] = np.where(out, table["way_out"].to_numpy()[stay], "8")
    episodes["disdest"] = np.where(out, table["goes_to"].to_numpy()[stay], "98")
    return episodes[episodes["epistart"] <= end_of_extract].copy()


def lose_values(design, patients, episodes, seed):
    """Let values go missing, each column by the mechanism its `missingness` describes."""
    rng, truth = sim.stream(seed, "missing"), design.truth
    chances = truth["ethnos_missing"]
    age = 2023 - patients["birth_year"].to_numpy()
    chance = from_age({key: value for key, value in chances.items() if key.isdigit()}, age.clip(0))
    chance = chance + chances[LONDON] * (patients["region"] == LONDON)
    lost = sim.happens(rng, np.where(patients["planted"], 0, chance))
    patients["ethnos"] = patients["ethnos"].mask(
        lost, pd.Series(sim.draw(rng, {"Z": 70, "99": 30}, len(patients)))
    )
    patients["gp_practice"] = sim.go_missing(rng, patients["gp_practice"], truth["gp_practice_lost"])
    ends = episodes.groupby("spell_id")["disdate"].transform("max")
    late = ends.isna() | (ends >= pd.Timestamp(truth["extract_date"]).replace(day=1))
    chance = np.where(late, truth["not_coded"]["2024-03"], truth["not_coded"]["other"])
    episodes["diag_01"] = sim.go_missing(rng, episodes["diag_01"], chance, "R69X")


# ---------------------------------------------------------------- The whole


def population(seed=2026, size=None, complete=False):
    """The tables patients and episodes for `size` patients. With `complete`, nothing is missing."""
    design, mix = sim.read("admissions"), casemix()
    size = size or design.package["sampling"]["population"]
    patients = registered(design, small_areas(design, seed), size, seed)
    table = stays(design, patients, seed)
    before = patients[["age", "ethnos"]].copy()
    table = plant(design, patients, table, seed)
    patients["planted"] = (before != patients[["age", "ethnos"]]).any(axis=1)
    table = describe_stays(
        design, patients, table.sort_values(["patient", "day"], ignore_index=True), mix, seed
    )
    born = birth_dates(patients, table, seed)
    patients["birth_year"], patients["birth_month"] = born.year, born.month
    episodes = code_episodes(design, patients, table, split(design, table, seed), mix, seed)
    episodes = date_episodes(design, patients, table, episodes, born, seed, complete)
    episodes["epikey"] = sim.identifiers(sim.stream(seed, "epikey"), len(episodes), "5", 11)
    if not complete:
        lose_values(design, patients, episodes, seed)
    unknown = sim.stream(seed, "sex not known")
    some = sim.happens(unknown, np.full(size, 0.0008))
    patients["sex"] = np.where(some, sim.draw(unknown, {"0": 1, "9": 2}, size), patients["sex"])
    tables = {
        "patients": patients.sort_values("patient_id"),
        "episodes": episodes.sort_values(["patient_id", "admidate", "spell_id", "epiorder"]),
    }
    return {name: tidy(design, name, table) for name, table in tables.items()}


def tidy(design, name, table):
    """The columns of the description, in its order."""
    columns = [field["name"] for field in design.resource(name)["schema"]["fields"]]
    return table[columns].reset_index(drop=True)


def parts(population, seed):
    """Training and control: two random samples of patients, each with all their episodes."""
    return sim.parts(sim.read("admissions"), population, seed)
