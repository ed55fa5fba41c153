"""Invent schools and pupils: who they are, how often they come, what they achieve.

The order is the order in which one thing leads to another:

    local authority -> small area -> pupil -> attainment at 11 -> school
        -> attendance in three years -> attainment at 16

Parameters stand in `truth` in datapackage.json, published totals in ../calibration.yaml.
Run it through ../build.py.
"""

import numpy as np
import pandas as pd

import simulation as sim

YEARS = ["2021/22", "2022/23", "2023/24"]
SETTINGS = {"UMC": 30, "UCT": 50, "RTV": 20}  # of schools outside London
GRADES = {1: 17, 2: 64, 3: 15, 4: 4}  # of schools that have one
NO_GRADE = 0.06
ETHNICITY_UNKNOWN = {"NOBT": 60, "REFU": 40}

# Which first languages are likely where English is not the first (weights), by ethnic group.
# Romani is spoken by some Gypsy/Roma families; the others draw from the languages of the region of origin.
OTHER_LANGUAGES = {
    "WBRI": {"OTB": 4, "BSL": 1, "POL": 2, "FRN": 1, "GER": 1},
    "WIRI": {"OTB": 3, "SCB": 2, "POL": 1},
    "WIRT": {"SCB": 4, "OTB": 1},
    "WROM": {"RMI": 10, "RMN": 60, "SLO": 14, "CZE": 7, "BUL": 5, "HUN": 2},
    "WOTH": {"POL": 30, "RMN": 20, "LIT": 7, "BUL": 6, "POR": 7, "SPA": 5, "ALB": 6, "TUR": 6, "ITA": 4,
             "RUS": 3, "UKR": 5, "HUN": 3, "GRE": 2, "LTV": 2, "FRN": 2, "GER": 1, "CZE": 1, "DUT": 1,
             "KUR": 1},
    "MWBC": {"OTB": 3, "FRN": 1, "SPA": 1},
    "MWBA": {"FRN": 4, "POR": 4, "OTB": 3, "SWA": 2, "ARA": 2},
    "MWAS": {"URD": 3, "PNJ": 2, "TGL": 2, "OTB": 2, "THA": 1, "JPN": 1},
    "MOTH": {"ARA": 5, "SPA": 4, "POR": 3, "FRN": 3, "TUR": 2, "PRS": 2, "ITA": 2, "OTB": 2,
             "JPN": 1, "KOR": 1},
    "AIND": {"PNJ": 28, "GUJ": 24, "MLM": 14, "HIN": 10, "TAM": 10, "TEL": 8, "URD": 4, "BNG": 2},
    "APKN": {"URD": 62, "PNJ": 28, "PAT": 7, "OTB": 3},
    "ABAN": {"BNG": 96, "URD": 2, "OTB": 2},
    "AOTH": {"TAM": 22, "PAT": 12, "NEP": 10, "TGL": 10, "PRS": 10, "URD": 8, "VIE": 6, "ARA": 6, "SNH": 4,
             "KUR": 5, "THA": 2, "JPN": 2, "KOR": 2, "MLM": 3},
    "BCRB": {"OTB": 2, "FRN": 1, "SPA": 1},
    "BAFR": {"SOM": 30, "YOR": 12, "AKA": 9, "FRN": 9, "ARA": 8, "POR": 6, "TIG": 5, "SHO": 5, "LIN": 4,
             "IGB": 4, "SWA": 4, "AMR": 3},
    "BOTH": {"SOM": 4, "FRN": 4, "POR": 4, "OTB": 4, "ARA": 2, "SPA": 1},
    "CHNE": {"CHI": 97, "OTB": 3},
    "OOTH": {"ARA": 42, "KUR": 14, "PRS": 10, "PAT": 8, "SPA": 8, "POR": 6, "VIE": 5, "TUR": 3, "OTB": 4},
}  # fmt: skip

# Log-odds of a first language other than English (moved together to meet the published share).
LANGUAGE_LEAN = {
    "WBRI": -5.6, "WIRI": -3.8, "WIRT": -2.5, "WROM": 1.2, "WOTH": 1.6, "MWBC": -3.6, "MWBA": -1.4,
    "MWAS": -1.9, "MOTH": -0.7, "AIND": 0.9, "APKN": 1.1, "ABAN": 1.5, "AOTH": 1.5, "BCRB": -3.0, "BAFR": 0.7,
    "BOTH": -0.9, "CHNE": 1.3, "OOTH": 1.6,
}  # fmt: skip

# How ethnic groups settle: log-odds per unit of the authority's diversity, in London, and by deprivation.
URBAN_LEAN = {"WBRI": 0.0, "WIRI": 0.2, "WIRT": -0.3, "WROM": 0.2}
LONDON_LEAN = {"WBRI": -0.4, "WIRT": -0.2, "WROM": -0.2, "APKN": -0.3, "BAFR": 1.3, "BCRB": 1.1, "BOTH": 1.1,
               "ABAN": 1.1, "OOTH": 0.9, "WOTH": 0.7, "AOTH": 0.7, "MWBA": 0.6, "MOTH": 0.7,
               "AIND": 0.4}  # fmt: skip
DEPRIVATION_LEAN = {"WROM": 1.0, "WIRT": 0.8, "APKN": 0.8, "ABAN": 0.8, "BAFR": 0.6, "BCRB": 0.4, "OOTH": 0.5,
                    "MWBC": 0.4, "BOTH": 0.5, "AIND": -0.5, "CHNE": -0.4, "MWAS": -0.4}  # fmt: skip

NEEDS = {
    "K": {"SPLD": 17, "MLD": 18, "SEMH": 26, "SLCN": 14, "ASD": 10, "HI": 1.8, "VI": 1.0, "PD": 2.2, "OTH": 5,
          "NSA": 4.6, "MSI": 0.3, "DS": 0.05},
    "E": {"SPLD": 4, "MLD": 11, "SEMH": 16, "SLCN": 13, "ASD": 34, "SLD": 9, "PMLD": 2.5, "HI": 1.6,
          "VI": 1.0, "PD": 3.8, "OTH": 2.4, "MSI": 0.2, "DS": 1.2},
}  # fmt: skip
SEVERE_NEEDS = ["SLD", "PMLD", "DS"]


# ---------------------------------------------------------------- Places


def authorities(design, seed):
    """One row for each local authority: la_code, region, deprivation and diversity (both in log-odds)."""
    rng = sim.stream(seed, "authorities")
    count, regions = design.truth["local_authorities"], design.published["pupils-region-2021"]
    exact = count * np.array(list(regions.values())) / sum(regions.values())
    sizes = np.floor(exact).astype(int)
    sizes[np.argsort(sizes - exact)[: count - sizes.sum()]] += 1
    las = pd.DataFrame({"region": np.repeat(list(regions), sizes)})
    las["la_code"] = [f"X02{number:06d}" for number in 1 + rng.permutation(count)]
    middle = las["region"].map(design.truth["idaci_mean_by_region"]).to_numpy()
    las["deprivation"] = middle + design.truth["idaci_sd"]["la"] * rng.standard_normal(count)
    las["diversity"] = 0.9 * rng.standard_normal(count) + np.where(las["region"] == "E12000007", 1.2, 0.0)
    return las


def small_areas(design, las, seed):
    """One row for each small area: its code, deprivation score, authority and nearest mainstream school."""
    rng = sim.stream(seed, "areas")
    schools = design.truth["schools_by_type"]["mainstream"]
    catchment = np.repeat(np.arange(schools), design.truth["areas_per_mainstream_school"])
    la = catchment * len(las) // schools
    spread = design.truth["idaci_sd"]["area"]
    score = las["deprivation"].to_numpy()[la] + spread * rng.standard_normal(len(la))
    return pd.DataFrame(
        {
            "area_code": sim.area_codes(len(la))[rng.permutation(len(la))],
            "la": la,
            "catchment": catchment,
            "idaci_score": sim.logistic(score).round(3).clip(0.005, 0.95),
        }
    )


def empty_schools(design, las, areas, seed):
    """One row for each school before pupils come: mainstream, then special, then alternative provision."""
    rng = sim.stream(seed, "schools")
    counts = design.truth["schools_by_type"]
    la = np.concatenate([np.arange(count) * len(las) // count for count in counts.values()])
    mainstream = np.arange(len(la)) < counts["mainstream"]
    schools = pd.DataFrame({"la": la, "school_urn": sim.identifiers(rng, len(la), "X", 5)})
    schools["school_type"] = np.concatenate(
        [mainstream_types(design, areas, seed), ["SPE"] * counts["SPE"], ["APR"] * counts["APR"]]
    )
    schools["region"] = las["region"].to_numpy()[la]
    schools["la_code"] = las["la_code"].to_numpy()[la]
    schools["diversity"] = las["diversity"].to_numpy()[la]
    # One authority in ten keeps grammar schools: the second and fifth of its mainstream schools.
    place = np.where(mainstream, np.arange(len(la)) - np.searchsorted(la[mainstream], la), -1)
    grammar = (la % 10 == 3) & np.isin(place, [1, 4])
    schools["admissions_policy"] = pd.Series(np.where(grammar, "SEL", "NON")).where(mainstream)
    schools["effect"] = design.truth["attainment_school_sd"] * rng.standard_normal(len(la))
    return schools


def mainstream_types(design, areas, seed):
    """The type of each mainstream school: sponsors took over schools in deprived catchments."""
    shares = design.truth["schools_shares"]
    catchment = areas.groupby("catchment")["idaci_score"].mean().to_numpy()
    leanings = {"ACS": 6.0, "ACC": -2.0}
    scores = np.outer(catchment - 0.2, [leanings.get(kind, 0.0) for kind in shares])
    chances = sim.shares_for(list(shares.values()), scores)
    return sim.draw_rows(sim.stream(seed, "school types"), chances, shares)


def describe_schools(design, schools, pupils, seed):
    """Add what a school register says, and the sizes and shares of the pupils who came."""
    rng = sim.stream(seed, "school register")
    size = len(schools)
    voluntary, small = schools["school_type"] == "VOL", schools["school_type"].isin(["SPE", "APR"])
    faith = np.where(
        voluntary,
        sim.draw(rng, {"COE": 40, "RCA": 48, "OCH": 4, "OTH": 8}, size),
        sim.draw(rng, {"NON": 84, "COE": 6, "RCA": 7, "OCH": 1.5, "OTH": 1.5}, size),
    )
    schools["religious_character"] = np.where(small, "NON", faith)
    london = (schools["region"] == "E12000007").to_numpy()
    scores = np.outer(schools["diversity"], [0.8, 0.0, -1.2])
    setting = sim.draw_rows(rng, sim.shares_for(list(SETTINGS.values()), scores), SETTINGS)
    schools["urban_rural"] = np.where(london, "UMC", setting)
    schools["sixth_form"] = np.where(sim.happens(rng, np.where(small, 0.35, 0.62)), "Y", "N")
    # Better schools get better grades, but not reliably.
    impression = schools["effect"] / design.truth["attainment_school_sd"] + rng.standard_normal(size)
    cuts = np.cumsum(list(GRADES.values())) / sum(GRADES.values())
    grade = 1 + np.searchsorted(cuts, (-impression).rank(pct=True)).clip(0, 3)
    schools["ofsted_rating"] = np.where(sim.happens(rng, np.full(size, NO_GRADE)), 9, grade)
    by_school = pupils.groupby("school_urn")
    schools = schools[schools["school_urn"].isin(pupils["school_urn"])].copy()
    schools["year11_pupils"] = schools["school_urn"].map(by_school.size()).astype(int)
    years = np.where(schools["sixth_form"] == "Y", 5.9, 5.05)
    noise = np.exp(0.05 * sim.stream(seed, "rolls").standard_normal(len(schools)))
    schools["pupils_on_roll"] = np.ceil(schools["year11_pupils"] * years * noise).astype(int)
    share = pupils["fsm_eligible"].eq("Y").groupby(pupils["school_urn"]).mean()
    schools["fsm_percent"] = (100 * schools["school_urn"].map(share)).round(1)
    return schools


# ---------------------------------------------------------------- Pupils


def lean(groups, leanings):
    """The leaning of each value in `groups`; those not listed have the average of those listed."""
    usual = float(np.mean(list(leanings.values())))
    return np.array([leanings.get(group, usual) for group in groups])


def ethnic_groups(design, areas, home, las, seed):
    """An ethnic group for each pupil: published shares over all, mixed differently in every authority."""
    rng = sim.stream(seed, "ethnic group")
    shares = design.published["pupils-ethnic-group-2021"]
    groups = list(shares)
    urban = np.array([URBAN_LEAN.get(group, 1.0) for group in groups])
    london = np.array([LONDON_LEAN.get(group, 0.3) for group in groups])
    deprived = np.array([DEPRIVATION_LEAN.get(group, 0.0) for group in groups])
    # Communities cluster: the same group is common in one authority and rare in the next.
    cluster = 0.8 * rng.standard_normal((len(las), len(groups))) * (urban != 0)
    by_la = las["diversity"].to_numpy()[:, None] * urban + cluster
    by_la = by_la + (las["region"] == "E12000007").to_numpy()[:, None] * london
    la = areas["la"].to_numpy()
    logit = np.log(areas["idaci_score"] / (1 - areas["idaci_score"])).to_numpy() + 1.5
    chances = sim.shares_for(list(shares.values()), (by_la[la] + logit[:, None] * deprived)[home])
    return sim.draw_rows(rng, chances, groups)


def first_languages(design, groups, seed):
    """A first language for each pupil, the published share of them other than English."""
    rng = sim.stream(seed, "first language")
    score = np.array([LANGUAGE_LEAN[group] for group in groups])
    share = design.published["pupils-eal-2024"]["2_OTH"] / 100
    other = sim.happens(rng, sim.logistic(score + sim.intercept_for(share, score)))
    languages = np.where(sim.happens(rng, np.full(len(groups), 0.02)), "ENB", "ENG").astype(object)
    for group, weights in OTHER_LANGUAGES.items():
        these = other & (groups == group)
        languages[these] = sim.draw(rng, weights, these.sum())
    return languages


def free_school_meals(design, pupils, seed):
    """Y or N for each pupil, held to the published rates of England and of two of its regions."""
    rng = sim.stream(seed, "free school meals")
    logit = np.log(pupils["idaci_score"] / (1 - pupils["idaci_score"])).to_numpy()
    score = design.truth["fsm_per_logit_idaci"] * logit
    rates = design.published["pupils-fsm-2024"]["Y"] / 100
    known = {
        "E12000001": design.published["pupils-fsm-north-east-2024"]["Y"] / 100,
        "E12000008": design.published["pupils-fsm-south-east-2024"]["Y"] / 100,
    }
    region = pupils["region"].to_numpy()
    chance = np.zeros(len(pupils))
    for code, rate in known.items():
        here = region == code
        chance[here] = sim.logistic(score[here] + sim.intercept_for(rate, score[here]))
    rest = ~np.isin(region, list(known))
    rate = (rates * len(pupils) - chance.sum()) / rest.sum()
    chance[rest] = sim.logistic(score[rest] + sim.intercept_for(rate, score[rest]))
    return np.where(sim.happens(rng, chance), "Y", "N")


def special_needs(design, pupils, seed):
    """Provision (N, K, E) for each pupil, the published shares of K and E, and the main need."""
    rng = sim.stream(seed, "special needs")
    published = design.published["pupils-sen-2024"]
    shares = [100 - published["K"] - published["E"], published["K"], published["E"]]
    boy, fsm, care = (pupils["sex"] == "M"), (pupils["fsm_eligible"] == "Y"), (pupils["looked_after"] == "Y")
    summer_born = pupils["birth_month"].between(5, 8)
    support = 0.45 * boy + 0.7 * fsm + 0.8 * care + 0.15 * summer_born
    plan = 0.95 * boy + 0.8 * fsm + 1.7 * care + 0.1 * summer_born
    scores = np.column_stack([np.zeros(len(pupils)), support, plan]).astype(float)
    provision = sim.draw_rows(rng, sim.shares_for(shares, scores), ["N", "K", "E"])
    need = np.full(len(pupils), None, dtype=object)
    for code, weights in NEEDS.items():
        need[provision == code] = sim.draw(rng, weights, (provision == code).sum())
    return provision, need


def attainment_at_11(design, pupils, seed):
    """The key stage 2 score everybody would have, on the scale 80 to 120 in halves."""
    rng = sim.stream(seed, "key stage 2")
    truth = design.truth
    months_after_september = (pupils["birth_month"] - 9) % 12
    mean = (
        106.6
        + truth["ks2_per_idaci"] * (pupils["idaci_score"] - 0.2)
        + truth["ks2_if_fsm"] * (pupils["fsm_eligible"] == "Y")
        + pupils["sen_provision"].map(truth["ks2_if_sen"]).astype(float)
        + pupils["ethnic_group_minor"].map(truth["ks2_by_ethnic_group"]).astype(float).fillna(0)
        + truth["ks2_if_looked_after"] * (pupils["looked_after"] == "Y")
        + truth["ks2_per_month_older"] * (5.5 - months_after_september)
    )
    return (2 * (mean + truth["ks2_noise_sd"] * rng.standard_normal(len(pupils)))).round() / 2


def choose_schools(schools, pupils, seed):
    """The school of each pupil (row number): special, alternative, grammar, or the one next door."""
    rng = sim.stream(seed, "choice of school")
    size, la = len(pupils), pupils["la"].to_numpy()
    school = pupils["catchment"].to_numpy().copy()
    policy, kind = schools["admissions_policy"].to_numpy(), schools["school_type"].to_numpy()
    in_la = {code: np.flatnonzero(schools["la"] == code) for code in range(la.max() + 1)}

    def of_kind(code, wanted):
        return [row for row in in_la[code] if kind[row] == wanted]

    # Where there is a grammar school, its places go to the highest scores at 11, with some luck.
    luck = pupils["ks2_score"].to_numpy() + 3 * rng.standard_normal(size)
    plan = (pupils["sen_provision"] == "E").to_numpy()
    severe = pupils["sen_primary_need"].isin(SEVERE_NEEDS).to_numpy()
    special = plan & sim.happens(rng, np.where(severe, 0.92, 0.36))
    semh = (pupils["sen_primary_need"] == "SEMH").to_numpy()
    fsm = (pupils["fsm_eligible"] == "Y").to_numpy()
    alternative = ~special & sim.happens(rng, np.where(semh, 0.07, np.where(fsm, 0.008, 0.0015)))
    moves = sim.happens(rng, np.full(size, 0.06))
    for code, rows in in_la.items():
        here = la == code
        mainstream = [row for row in rows if policy[row] == "NON"]
        grammar = [row for row in rows if policy[row] == "SEL"]
        lost = here & np.isin(school, grammar)
        school[lost | (here & moves)] = rng.choice(mainstream, size=(lost | (here & moves)).sum())
        if grammar:
            cut = np.quantile(luck[here], 0.76)
            taken = here & (luck >= cut) & ~special & ~alternative
            school[taken] = rng.choice(grammar, size=taken.sum())
        for choice, wanted in ((special, "SPE"), (alternative, "APR")):
            near = of_kind(code, wanted) or list(np.flatnonzero(kind == wanted))
            school[here & choice] = rng.choice(near, size=(here & choice).sum())
    return school


# ---------------------------------------------------------------- Attendance and attainment


def absence_scores(design, pupils, schools, school, seed):
    """Log-odds of missing a session, rows pupils and columns years, before they meet published rates.

    What a pupil brings beyond background is carried on from year to year:
    habit(t) = persistence * habit(t - 1) + news, scaled so that its spread stays the same.
    """
    truth = design.truth
    rng = sim.stream(seed, "absence")
    fixed = (
        truth["absence_if_fsm"] * (pupils["fsm_eligible"] == "Y")
        + truth["absence_per_idaci"] * pupils["idaci_score"]
        + pupils["sen_provision"].map(truth["absence_if_sen"]).astype(float)
        + pupils["ethnic_group_minor"].map(truth["absence_by_ethnic_group"]).astype(float).fillna(0)
    ).to_numpy() + truth["absence_school_sd"] * rng.standard_normal(len(schools))[school]
    carried = truth["absence_persistence"]
    habit = rng.standard_normal(len(pupils))
    habits = [habit]
    for _ in YEARS[1:]:
        habit = carried * habit + np.sqrt(1 - carried**2) * rng.standard_normal(len(pupils))
        habits.append(habit)
    habits = np.column_stack(habits)
    # A long tail: those who miss most miss very much more, so that some hardly come at all.
    tail = truth["absence_tail"] * np.clip(habits, 0, None) ** 2
    return fixed[:, None] + truth["absence_pupil_sd"] * habits + tail


def absence_rates(design, kind):
    """Share of sessions missed in each year, for pupils in one kind of school (mainstream, SPE or APR)."""
    published = design.published
    if kind == "APR":
        return [design.truth["absence_in_alternative_provision"]] * 3
    if kind == "SPE":
        return [sum(published["pupils-absence-special-2024"].values()) / 100] * 3
    return [
        design.truth["absence_share_2021_22"],
        sum(published["pupils-absence-secondary-2023"].values()) / 100,
        sum(published["pupils-absence-secondary-2024"].values()) / 100,
    ]


def possible_sessions(schools, school, seed):
    """Sessions each pupil could have attended, rows pupils and columns years.

    Year 11 is short, because pupils leave for their exams. A few pupils join during a year.
    """
    rng = sim.stream(seed, "possible sessions")
    calendar = np.array([378, 380, 312]) + 2 * rng.integers(-2, 3, size=(len(schools), 3))
    possible = calendar[school]
    joined = sim.happens(rng, np.broadcast_to([0.03, 0.02, 0.008], possible.shape))
    part = rng.uniform(0.2, 0.95, size=possible.shape)
    return np.where(joined, np.ceil(possible * part), possible).astype(int)


def attendance(design, pupils, schools, school, seed):
    """The years table without attainment: sessions possible, attended and missed, and suspensions."""
    rng = sim.stream(seed, "sessions")
    scores = absence_scores(design, pupils, schools, school, seed)
    possible = possible_sessions(schools, school, seed)
    fsm = (pupils["fsm_eligible"] == "Y").to_numpy()
    small = schools["school_type"].isin(["SPE", "APR"])
    kinds = schools["school_type"].where(small, "mainstream").to_numpy()[school]
    absent, unauthorised = np.zeros_like(possible), np.zeros_like(possible)
    for kind in ("mainstream", "SPE", "APR"):
        these = kinds == kind
        for year, rate in enumerate(absence_rates(design, kind)):
            score, weights = scores[these, year], possible[these, year]
            chance = sim.logistic(score + sim.intercept_for(rate, score, weights))
            absent[these, year] = rng.binomial(weights, chance)
            lax = 0.5 * fsm[these] + 0.4 * score
            share = unauthorised_share(design, kind, year)
            excused = sim.intercept_for(share, lax, absent[these, year])
            unauthorised[these, year] = rng.binomial(absent[these, year], sim.logistic(lax + excused))
    years = pd.DataFrame(
        {
            "pupil_ref": np.repeat(pupils["pupil_ref"].to_numpy(), len(YEARS)),
            "academic_year": np.tile(np.array(YEARS, dtype=object), len(pupils)),
            "nc_year": np.tile([9, 10, 11], len(pupils)),
            "possible_sessions": possible.ravel(),
            "authorised_absence_sessions": (absent - unauthorised).ravel(),
            "unauthorised_absence_sessions": unauthorised.ravel(),
        }
    )
    years["suspensions"] = suspensions(pupils, scores, seed).ravel()
    return years


def unauthorised_share(design, kind, year):
    """Share of the sessions missed that are not authorised, in a year (0, 1, 2) and kind of school.

    There is no figure for alternative provision (so it is a parameter) nor for 2021/22 (so the next is used).
    """
    if kind == "APR":
        return design.truth["unauthorised_in_alternative_provision"]
    mainstream = "pupils-absence-secondary-2024" if year == 2 else "pupils-absence-secondary-2023"
    sessions = design.published["pupils-absence-special-2024" if kind == "SPE" else mainstream]
    return sessions["unauthorised_absence_sessions"] / sum(sessions.values())


def suspensions(pupils, scores, seed):
    """Suspensions in each year: most pupils none, a few many (a gamma-mixed Poisson count)."""
    rng = sim.stream(seed, "suspensions")
    risk = (
        0.8 * (pupils["fsm_eligible"] == "Y")
        + 0.8 * (pupils["sen_provision"] == "K")
        + 1.3 * (pupils["sen_primary_need"] == "SEMH")
        + 0.5 * (pupils["sex"] == "M")
        + 0.7 * (pupils["looked_after"] == "Y")
    ).to_numpy(dtype=float)
    mean = np.exp(-2.9 + risk[:, None] + 0.35 * (scores - scores.mean(axis=0)))
    proneness = rng.gamma(0.3, 1 / 0.3, size=(len(pupils), 1))
    return rng.poisson(mean * proneness * np.exp(0.3 * rng.standard_normal(scores.shape) - 0.045))


def complete_attendance(years):
    """Add the columns that follow from the sessions, so that they always add up."""
    missed = years["authorised_absence_sessions"] + years["unauthorised_absence_sessions"]
    years["attended_sessions"] = years["possible_sessions"] - missed
    years["persistent_absentee"] = np.where(10 * missed >= years["possible_sessions"], "Y", "N")
    return years


def attainment_at_16(design, pupils, schools, school, seed):
    """The Attainment 8 score of each pupil, in halves, with the published average over all."""
    rng = sim.stream(seed, "attainment 8")
    truth = design.truth
    kind_effect = schools["school_type"].map(truth["attainment_by_school_type"]).astype(float).fillna(0)
    london = truth["attainment_in_london"] * (schools["region"] == "E12000007")
    school_effect = (schools["effect"] + kind_effect + london).to_numpy()
    score = (
        truth["attainment_per_ks2"] * (pupils["ks2_score"].clip(80, 120) - 105)
        + truth["attainment_per_idaci"] * pupils["idaci_score"]
        + truth["attainment_if_fsm"] * (pupils["fsm_eligible"] == "Y")
        + truth["attainment_per_attendance"] * (pupils["attendance_rate"] - 91)
        + truth["attainment_if_female"] * (pupils["sex"] == "F")
        + truth["attainment_if_eal"] * (pupils["language_group"] == "2_OTH")
        + pupils["sen_provision"].map(truth["attainment_if_sen"]).astype(float)
        + truth["attainment_if_looked_after"] * (pupils["looked_after"] == "Y")
        + school_effect[school]
        + truth["attainment_noise_sd"] * rng.standard_normal(len(pupils))
    )
    # Scores stop at 0 and 90, so the constant that meets the published mean is found step by step.
    target, constant = design.published["pupils-attainment8-2023"], 46.0
    for _ in range(50):
        constant += target - (score + constant).clip(0, 90).mean()
    return (2 * (score + constant).clip(0, 90)).round() / 2


def school_tests(pupils, seed):
    """A standardised test score for each pupil and year: from the score at 11 towards the score at 16."""
    rng = sim.stream(seed, "school tests")
    start = 100 + 1.5 * (pupils["ks2_score"].to_numpy() - 105)
    end = 100 + 0.8 * (pupils["attainment8"].to_numpy() - 47)
    way = np.array([0.4, 0.65, 0.9])
    score = (
        (1 - way) * start[:, None] + way * end[:, None] + 5 * rng.standard_normal((len(pupils), len(YEARS)))
    )
    return score.round().clip(55, 145).ravel()


# ---------------------------------------------------------------- Standing out, going missing


def plant(design, pupils, schools, years, seed):
    """Change a few pupils so that they stand out, as listed under `planted` in the package."""
    rng = sim.stream(seed, "planted")
    count = design.truth["planted"]
    register = pupils[["school_urn"]].merge(schools, on="school_urn")

    def some(condition):
        return rng.choice(np.flatnonzero(condition), size=count, replace=False)

    present = some(register["school_type"] == "APR")
    rows = years["pupil_ref"].isin(pupils["pupil_ref"].iloc[present])
    years.loc[rows, ["authorised_absence_sessions", "unauthorised_absence_sessions", "suspensions"]] = 0
    pupils.loc[present, "attendance_rate"] = 100.0
    signing = some((register["urban_rural"] == "RTV") & register["admissions_policy"].notna())
    pupils.loc[signing, ["first_language", "language_group"]] = ["BSL", "2_OTH"]
    pupils.loc[signing, ["sen_provision", "sen_primary_need"]] = ["K", "HI"]
    pupils.loc[signing, "ks2_score"] = 117 + rng.integers(0, 7, count) / 2
    pupils.loc[signing, "attainment8"] = 85 + rng.integers(0, 8, count) / 2
    cared_for = some(register["admissions_policy"] == "SEL")
    pupils.loc[cared_for, ["looked_after", "sen_provision"]] = ["Y", "E"]
    pupils.loc[cared_for, "sen_primary_need"] = sim.draw(rng, {"HI": 2, "PD": 2, "ASD": 1}, count)


def lose_values(design, pupils, years, seed):
    """Let values go missing, each column by the mechanism its `missingness` describes."""
    truth, rng = design.truth, sim.stream(seed, "missing")
    unmatched = sim.happens(rng, np.full(len(pupils), truth["address_not_matched"]))
    pupils.loc[unmatched, ["area_code", "idaci_score"]] = None
    chances = truth["ks2_missing"]
    chance = pupils["sen_provision"].map(chances) + chances["2_OTH"] * (pupils["language_group"] == "2_OTH")
    pupils["ks2_score"] = sim.go_missing(rng, pupils["ks2_score"], chance)
    refusal = truth["ethnicity_not_given"]
    chance = pupils["ethnic_group_minor"].map(refusal).astype(float).fillna(refusal["other"])
    group = sim.go_missing(rng, pupils["ethnic_group_minor"], chance)
    pupils["ethnic_group_minor"] = group.where(group.notna(), sim.draw(rng, ETHNICITY_UNKNOWN, len(pupils)))
    low = truth["test_missing_per_15_points"] * (100 - years["test_score"]).to_numpy() / 15
    chance = sim.logistic(low + sim.intercept_for(truth["test_missing"], low))
    years["test_score"] = sim.go_missing(rng, years["test_score"], chance)


# ---------------------------------------------------------------- The whole


def population(seed=2026, size=None, complete=False):
    """The tables schools, pupils and years for `size` pupils. With `complete`, nothing is missing."""
    design = sim.read("pupils")
    size = size or design.package["sampling"]["population"]
    las = authorities(design, seed)
    areas = small_areas(design, las, seed)
    schools = empty_schools(design, las, areas, seed)
    pupils = enrolled(design, las, areas, schools, size, seed)
    schools = describe_schools(design, schools, pupils, seed)
    years = complete_attendance(attendance(design, pupils, *positions(schools, pupils), seed))
    last = years[years["nc_year"] == 11]
    rate = 100 * last["attended_sessions"] / last["possible_sessions"]
    pupils["attendance_rate"] = rate.round(1).to_numpy()
    pupils["attainment8"] = attainment_at_16(design, pupils, *positions(schools, pupils), seed)
    pupils["ks2_score"] = pupils["ks2_score"].clip(80, 120)
    plant(design, pupils, schools, years, seed)
    years = complete_attendance(years)
    years["test_score"] = pd.array(school_tests(pupils, seed), dtype="Int64")
    if not complete:
        lose_values(design, pupils, years, seed)
    tables = {"schools": schools, "pupils": pupils, "years": years}
    return {name: tidy(design, name, table) for name, table in tables.items()}


def enrolled(design, las, areas, schools, size, seed):
    """Pupils with everything about them up to the choice of school, in the order of their references."""
    rng = sim.stream(seed, "pupils")
    home = rng.choice(len(areas), size=size, p=rng.dirichlet(np.full(len(areas), 12.0)))
    pupils = areas.iloc[home].reset_index(drop=True)
    pupils["pupil_ref"] = np.sort(sim.identifiers(rng, size, "PMR", 7))
    pupils["region"] = las["region"].to_numpy()[pupils["la"]]
    pupils["birth_month"] = rng.integers(1, 13, size)
    pupils["birth_year"] = np.where(pupils["birth_month"] >= 9, 2007, 2008)
    pupils["sex"] = sim.draw(rng, {"M": 51.1, "F": 48.9}, size)
    pupils["ethnic_group_minor"] = ethnic_groups(design, areas, home, las, seed)
    pupils["first_language"] = first_languages(design, pupils["ethnic_group_minor"].to_numpy(), seed)
    english = pupils["first_language"].isin(["ENG", "ENB"])
    pupils["language_group"] = np.where(english, "1_ENG", "2_OTH")
    pupils["fsm_eligible"] = free_school_meals(design, pupils, seed)
    eligible = pupils["fsm_eligible"] == "Y"
    before = sim.happens(rng, (0.02 + 0.12 * pupils["idaci_score"]).to_numpy())
    pupils["ever_fsm6"] = np.where(eligible | before, "Y", "N")
    pupils["looked_after"] = np.where(sim.happens(rng, np.where(eligible, 0.016, 0.006)), "Y", "N")
    pupils["sen_provision"], pupils["sen_primary_need"] = special_needs(design, pupils, seed)
    pupils["ks2_score"] = attainment_at_11(design, pupils, seed)
    school = choose_schools(schools, pupils, seed)
    pupils["school_urn"] = schools["school_urn"].to_numpy()[school]
    return pupils


def positions(schools, pupils):
    """The schools, and for each pupil the row number of its school."""
    place = pd.Series(np.arange(len(schools)), index=schools["school_urn"].to_numpy())
    return schools, place[pupils["school_urn"]].to_numpy()


def tidy(design, name, table):
    """The columns of the description, in its order, sorted by the primary key."""
    schema = design.resource(name)["schema"]
    columns = [field["name"] for field in schema["fields"]]
    return table.sort_values(schema["primaryKey"])[columns].reset_index(drop=True)


def parts(population, seed):
    """Training and control: first a tenth of the schools, then half of their pupils for each part.

    Real extracts come by school, and an intruder may know the school. So both parts have
    pupils of the same schools, and the control pupils differ from those in training only by chance.
    Schools are taken at equal steps along a list sorted by kind, region and deprivation.
    """
    design = sim.read("pupils")
    kind = population["schools"]["school_type"].where(population["schools"]["admissions_policy"].isna())
    order = ["kind", "region", "fsm_percent", "school_urn"]
    schools = population["schools"].assign(kind=kind).sort_values(order)
    step = len(schools) / design.package["sampling"]["schools"]
    start = sim.stream(seed, "schools sampled").uniform(0, step)
    chosen = schools["school_urn"].iloc[np.arange(start, len(schools), step).astype(int)]
    pupils = population["pupils"]
    sampled = population | {"pupils": pupils[pupils["school_urn"].isin(chosen)]}
    return sim.parts(design, sampled, seed)
