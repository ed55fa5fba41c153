"""Simulate employers in the United Kingdom and the jobs they pay, April 2025.

The story, in the order it is told: employers in an industry, a region and a size, with a few
giants that dominate their cell; the jobs each of them returns; who holds them; what is paid.
Pay is scaled once so that the published median holds. Only then do some values go missing.
Parameters are read from the `truth` of datapackage.json.
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
    read,
    shares_for,
    stream,
)
from simulation import parts as take_parts

DESIGN = read("businesses")
TRUTH, PUBLISHED = DESIGN.truth, DESIGN.published
PAY_DAY = pd.Timestamp("2025-04-23")
LONDON = "E12000007"
BANDS = {
    "1-4": (1, 4),
    "5-9": (5, 9),
    "10-19": (10, 19),
    "20-49": (20, 49),
    "50-99": (50, 99),
    "100-249": (100, 249),
}
LARGEST = "250+"

# Turnover per employee (thousand pounds) and share of foreign-owned firms, by industry section.
PER_HEAD = {
    "A": 95, "C": 190, "D": 900, "E": 260, "F": 150, "G": 260, "H": 120, "I": 48, "J": 170, "K": 320,
    "L": 190, "M": 115, "N": 85, "O": 70, "P": 48, "Q": 42, "R": 80, "S": 45,
}  # fmt: skip
EXPORTERS = {"C": 0.45, "G": 0.2, "H": 0.12, "J": 0.3, "K": 0.25, "M": 0.2, "N": 0.08, "D": 0.05, "A": 0.08}

# One line for each occupation: its code; how far its log pay lies from its level; the share of
# women; the share of full-time jobs; its weight in each industry section.
OCCUPATIONS = """
1111   0.75 0.36 0.95  A1 C2 D1 E1 F1 G1 H1 I1 J2 K3 L1 M3 N1 O2 P1 Q1 R1 S1
1131   0.30 0.47 0.92  C2 D2 E1 F1 G1 H1 J3 K9 L1 M3 N1 O1 P1 Q1
1136   0.18 0.62 0.88  C1 D1 G1 H1 J1 K2 M2 N2 O2 P1 Q1
1121   0.05 0.18 0.97  C8
1122   0.05 0.10 0.96  F8
1150  -0.42 0.40 0.93  G7
1211  -0.40 0.20 0.88  A9
1222  -0.50 0.42 0.88  I8
1232  -0.28 0.76 0.85  Q3
1251  -0.22 0.48 0.85  L16 O2
2111  -0.12 0.42 0.93  C2 M1
2114  -0.12 0.55 0.82  M1 O2 P1 R1
2121  -0.05 0.17 0.94  F3 M4 E2 D1
2122  -0.02 0.10 0.97  C5 D4 M2
2133   0.18 0.28 0.96  J8 K4 M1 O1
2134   0.15 0.21 0.95  J26 K5 M3 C1
2135   0.15 0.18 0.96  J3 K2 O1
2211   0.70 0.52 0.60  Q3
2221  -0.20 0.75 0.62  Q2 R1
2237  -0.16 0.87 0.66  Q12
2251   0.02 0.62 0.70  G1 Q1
2311   0.10 0.46 0.74  P7
2313   0.02 0.64 0.80  P15
2314  -0.06 0.84 0.72  P15
2315  -0.25 0.95 0.68  P3
2412   0.15 0.54 0.86  M9 K1 O1
2421  -0.05 0.47 0.85  M9 K4 C1 G1 N1
2422   0.12 0.46 0.92  K14 M1
2433   0.28 0.42 0.90  K3 O1
2444  -0.50 0.30 0.75  S4
2451  -0.10 0.32 0.86  M4
2461  -0.12 0.81 0.78  Q5 O3
3131  -0.08 0.20 0.93  J9 K2 N1 O1
3213  -0.12 0.68 0.72  Q3
3312   0.22 0.36 0.93  O10
3411  -0.10 0.50 0.55  R3
3413   0.00 0.45 0.55  R5 J1
3511   0.95 0.07 0.92  H1
3512   0.35 0.05 0.95  H0.5
3531   0.42 0.30 0.93  K5
3544  -0.02 0.42 0.93  J4 K4 M2 O1 N1
3556   0.22 0.38 0.95  C3 G5 J6 K2 N2 M2 L1
3571  -0.10 0.80 0.80  N4 M2 O2 C1 K1 Q1
4112   0.05 0.66 0.76  O22
4122   0.02 0.80 0.58  A1 C3 F5 G4 H2 L4 M6 N4 S3
4123   0.00 0.64 0.72  K14 H1
4159  -0.05 0.76 0.60  A2 C3 D3 E3 F5 G4 H4 I2 J4 K6 L10 M9 N8 O9 P9 Q7 R5 S7
4211  -0.08 0.95 0.55  Q5
4216  -0.14 0.92 0.48  I4 L3 M3 Q5 R4 S5
5111  -0.15 0.14 0.85  A22
5119  -0.20 0.16 0.85  A10
5223   0.12 0.03 0.97  C12 D5 E3 H2
5231  -0.02 0.02 0.96  G9 H2
5241   0.12 0.02 0.97  F16 D8 C3
5315   0.08 0.01 0.96  F12 D2
5316  -0.02 0.01 0.96  F15 C2
5435  -0.22 0.50 0.60  I8 Q2 P3
6111  -0.12 0.96 0.55  Q4 P6
6112  -0.08 0.90 0.40  P24
6131   0.02 0.82 0.62  Q14
6135   0.00 0.82 0.55  Q28
6221  -0.10 0.86 0.50  S22
6138   0.05 0.28 0.80  S2
7111  -0.03 0.64 0.36  G40
7112  -0.05 0.68 0.24  G9
7211   0.00 0.58 0.72  N7 K6 J4 D7 H2
7219   0.06 0.60 0.72  G5 K5 N4 D5 E3 L6 R5 H3
8111  -0.06 0.38 0.90  C14
8149  -0.05 0.28 0.93  C10
8160  -0.02 0.08 0.95  C6 E16 F4
8211   0.08 0.03 0.94  H26 G4 E8 C2
8214  -0.07 0.08 0.78  H22 G6
8219  -0.05 0.08 0.70  H8
8220   0.05 0.02 0.97  F6 C2 E8 A3
9111  -0.05 0.20 0.82  A34
9119  -0.03 0.12 0.85  A6
9129   0.12 0.03 0.95  F14
9139   0.02 0.30 0.92  C8 E10
9223  -0.02 0.72 0.22  N30 I7 P5 Q4 L4 R4 S5
9231   0.06 0.12 0.85  N16
9252   0.06 0.24 0.88  H18 G12 N10 C4
9263  -0.04 0.62 0.30  I26 P7 Q3 R4
9264  -0.06 0.66 0.28  I22 R3
9265  -0.06 0.58 0.24  I15 R5
"""


def occupations():
    """The table above: offset, women and full_time by code, and a matrix of weights by section."""
    lines = [line.split() for line in OCCUPATIONS.strip().splitlines()]
    table = pd.DataFrame(
        {
            name: [float(line[place]) for line in lines]
            for place, name in enumerate(("offset", "women", "full_time"), 1)
        },
        index=[line[0] for line in lines],
    )
    weights = pd.DataFrame(0.0, index=table.index, columns=list(DESIGN.codes("employers", "industry")))
    for line in lines:
        for pair in line[4:]:
            weights.loc[line[0], pair[0]] = float(pair[1:])
    return table, weights


def population(seed=2026, size=None, complete=False):
    """The tables `employers` and `jobs` of the whole population.

    size: employers; as the package says when None. complete=True returns the values
    before any went missing.
    """
    size = size or DESIGN.package["sampling"]["population"]
    firms = employers(seed, size)
    jobs = pay_jobs(firms, seed)
    if not complete:
        lose_values(firms, jobs, seed)
    tables = {"employers": firms, "jobs": jobs}
    return {
        name: table[[field["name"] for field in DESIGN.resource(name)["schema"]["fields"]]]
        for name, table in tables.items()
    }


def parts(population, seed):
    """Two parts: employers at random with their jobs, then as many jobs in one part as in the other."""
    halves = take_parts(DESIGN, population, seed)
    for part, tables in halves.items():
        for name, rows in DESIGN.package["sampling"]["rows"].items():
            kept = stream(seed, f"{part} {name}").permutation(len(tables[name]))[:rows]
            tables[name] = tables[name].iloc[np.sort(kept)].reset_index(drop=True)
    return halves


# ---------------------------------------------------------------- Employers


def employers(seed, size):
    """One row for each employer, and `giant`, which no table shows."""
    firms = pd.DataFrame({"employer_ref": identifiers(stream(seed, "employer_ref"), size, "EMP", 6)})
    firms["region"] = draw(
        stream(seed, "region"), with_published("region_shares", "business-london-2024"), size
    )
    industry = with_published("industry_shares", "business-professional-2024")
    firms["industry"] = draw(stream(seed, "industry"), industry, size)
    firms["division"] = divisions(firms, seed)
    firms["giant"] = giants(firms, seed)
    firms["employees"] = employees(firms, seed)
    edges = [low for low, _ in BANDS.values()] + [250]
    firms["size_band"] = np.array([*BANDS, LARGEST], dtype=object)[
        np.searchsorted(edges, firms["employees"], "right") - 1
    ]
    firms["legal_status"] = legal_status(firms, seed)
    firms["turnover"] = turnover(firms, seed)
    firms["export_share"] = exports(firms, seed)
    chance = logistic(
        -4.6 + 0.42 * np.log(firms["employees"]) + 0.5 * firms["industry"].isin(["C", "J", "K"])
    )
    firms["foreign_owned"] = np.where(happens(stream(seed, "foreign_owned"), chance), "Y", "N")
    age = stream(seed, "year_started").exponential(9 + 2.5 * np.log(firms["employees"]))
    firms["year_started"] = np.maximum(2024.9 - age, 1973).astype(int)
    return firms


def with_published(assumed, published):
    """Shares in percent: the published code keeps its share, the assumed ones fill the rest."""
    fixed, rest = PUBLISHED[published], TRUTH[assumed]
    left = (100 - sum(fixed.values())) / sum(rest.values())
    return {**fixed, **{code: share * left for code, share in rest.items()}}


def divisions(firms, seed):
    """A division of the section, the larger divisions first in the code list being likelier."""
    labels, rng = DESIGN.codes("employers", "division"), stream(seed, "division")
    chosen = pd.Series(index=firms.index, dtype=object)
    for section, rows in firms.groupby("industry").groups.items():
        codes = [code for code, label in labels.items() if label.startswith(f"{section} ")]
        weights = dict(zip(codes, rng.dirichlet(np.full(len(codes), 3.0)) + 0.03, strict=True))
        chosen[rows] = draw(rng, weights, len(rows))
    return chosen


def giants(firms, seed):
    """True for the few firms that dwarf the others of their cell, in the cells the package names."""
    cells = {tuple(cell) for cell in TRUTH["dominated_cells"]}
    inside = [cell in cells for cell in zip(firms["industry"], firms["region"], strict=True)]
    return np.array(inside) & happens(stream(seed, "giant"), np.full(len(firms), TRUTH["giant_share"]))


def employees(firms, seed):
    """Employees: a size band, then a number inside it that thins out towards the top."""
    rng, size = stream(seed, "employees"), len(firms)
    band = draw(rng, TRUTH["size_band_shares"], size)
    low = np.array([BANDS.get(code, (250, 0))[0] for code in band])
    high = np.array([BANDS.get(code, (0, 250))[1] for code in band])
    within = np.floor(low * (high / low + 0.999 / low) ** rng.random(size))
    large = 250 * (1 + rng.pareto(1.6, size)).clip(max=16)
    number = np.where(band == LARGEST, large, np.clip(within, low, high))
    number = np.where(firms["giant"], TRUTH["giant_employees"] * rng.lognormal(0, 0.45, size), number)
    # Schools, hospitals and public bodies are larger than firms.
    number = np.where(firms["industry"].isin(["P", "Q"]), 3 * number + 8, number)
    return np.where(firms["industry"] == "O", 20 * number + 60, number).astype(int)


def legal_status(firms, seed):
    """Legal form: the published shares, moved so that large firms are companies and only some are public."""
    shares = {**PUBLISHED["business-legal-status-2024"], **TRUTH["legal_status_rest"]}
    code, score = list(shares), np.zeros((len(firms), len(shares)))
    column = {name: place for place, name in enumerate(code)}
    log_size = np.log(firms["employees"].to_numpy())
    score[:, column["2"]] += 1.7 - 0.95 * log_size
    score[:, column["3"]] += 1.2 - 0.5 * log_size
    score[:, column["7"]] += firms["industry"].isin(["P", "Q", "R", "S"]) * 2.0 - 0.3
    public = firms["industry"].map({"O": 8.0, "P": 3.5, "Q": 2.0}).fillna(-30).to_numpy()
    for name in ("5", "6"):
        score[:, column[name]] += public
    score[:, column["1"]] -= np.where(firms["industry"] == "O", 6, 0)
    score[:, column["2"]] -= np.where((firms["industry"] == "O") | (firms["employees"] >= 250), 40, 0)
    return draw_rows(stream(seed, "legal_status"), shares_for(list(shares.values()), score), code)


def turnover(firms, seed):
    """Turnover in thousand pounds: employees times a skewed amount a head, which differs by industry."""
    noise = stream(seed, "turnover").normal(0, TRUTH["turnover_per_head_spread"], len(firms))
    per_head = firms["industry"].map(PER_HEAD) * np.exp(noise)
    amount = firms["employees"] * per_head * np.where(firms["giant"], 1.6, 1.0)
    return amount.round(0).clip(lower=1)


def exports(firms, seed):
    """Share of turnover exported: nothing for most, and then anything."""
    rng = stream(seed, "export_share")
    some = happens(
        rng, firms["industry"].map(EXPORTERS).fillna(0.02) * np.where(firms["employees"] < 10, 0.5, 1.1)
    )
    return np.where(some, 5 * np.ceil(20 * rng.beta(0.8, 2.2, len(firms))), 0).astype(int)


# ---------------------------------------------------------------- Jobs


def pay_jobs(firms, seed):
    """One row for each job returned: who holds it, when and how, and the pay."""
    factor, power, most = TRUTH["jobs_per_employer"]
    count = np.minimum(
        np.minimum(np.ceil(factor * firms["employees"] ** power), most), firms["employees"]
    ).astype(int)
    firm = firms.loc[firms.index.repeat(count)].reset_index(drop=True)
    jobs = pd.DataFrame({"employer_ref": firm["employer_ref"]})
    jobs["job_id"] = identifiers(stream(seed, "job_id"), len(jobs), "J", 8)
    jobs["nino"] = ni_numbers(stream(seed, "nino"), len(jobs))
    kinds, weights = occupations()
    jobs["area_code"] = workplaces(firm, seed)
    jobs["occupation"] = draw_by(
        stream(seed, "occupation"), firm["industry"], (weights / weights.sum()).to_dict()
    )
    kind = kinds.loc[jobs["occupation"]].reset_index(drop=True)
    planted = plant(jobs, firm, seed)
    people(jobs, kind, seed)
    jobs.loc[planted == 1, "age"] = 80 + stream(seed, "old").integers(0, 8, (planted == 1).sum())
    jobs.loc[planted == 3, "age"] = stream(seed, "young").integers(17, 20, (planted == 3).sum())
    jobs.loc[planted > 0, "full_time"] = np.where(planted[planted > 0] == 1, "P", "F")
    contracts(jobs, firm, seed)
    starts(jobs, firm, seed)
    pay(jobs, firm, kinds, planted, seed)
    return jobs.sort_values("job_id", ignore_index=True)


def workplaces(firm, seed):
    """Small area of work: mostly in the employer's region, for large employers often elsewhere."""
    codes, regions = area_codes(TRUTH["areas"]), list(DESIGN.codes("employers", "region"))
    rng = stream(seed, "area_code")
    weight = rng.lognormal(0, 0.9, len(codes))
    area_region = np.array(regions, dtype=object)[np.arange(len(codes)) % len(regions)]
    anywhere = happens(rng, np.where(firm["employees"] >= 250, 0.45, 0.04))
    everywhere = dict(zip(codes, weight, strict=True))
    local = {
        region: {code: (weight[i] if area_region[i] == region else 0) for i, code in enumerate(codes)}
        for region in regions
    }
    return np.where(anywhere, draw(rng, everywhere, len(firm)), draw_by(rng, firm["region"], local))


def plant(jobs, firm, seed):
    """Make a few jobs stand out: change their occupation, and return which kind each is (0 for none)."""
    order = stream(seed, "planted").permutation(len(jobs))
    count = min(TRUTH["planted"], max(1, len(jobs) // 1500))
    transport = order[firm["industry"].to_numpy()[order] == "H"]
    at_giants = order[firm["giant"].to_numpy()[order]]
    planted = np.zeros(len(jobs), dtype=int)
    planted[transport[:count]], planted[transport[count : 2 * count]] = 1, 3
    planted[at_giants[:count]] = 2
    for number, occupation in ((1, "3512"), (2, "1111"), (3, "3511")):
        jobs.loc[planted == number, "occupation"] = occupation
    return planted


def people(jobs, kind, seed):
    """Sex, age and full-time or part-time, from the occupation."""
    women = happens(stream(seed, "sex"), kind["women"])
    jobs["sex"] = np.where(women, "F", "M")
    level = jobs["occupation"].str[0].astype(int)
    rng = stream(seed, "age")
    youthful = level.isin([7, 9]).to_numpy()
    middle = np.where(level <= 2, 45, np.where(level <= 5, 42, 41))
    age = np.where(
        youthful & (rng.random(len(jobs)) < 0.45),
        16 + rng.gamma(2.0, 4.0, len(jobs)),
        middle + rng.normal(0, 12, len(jobs)),
    )
    youngest = np.where(level <= 2, 22, np.where(level == 3, 19, 16))
    jobs["age"] = np.clip(
        np.where(age < youngest, youngest + np.abs(rng.normal(4, 4, len(jobs))), age), 16, 79
    ).astype(int)
    # Women, the young and those past 65 work part-time more often than the occupation's average.
    part = np.log((1 - kind["full_time"]) / kind["full_time"])
    part = part + np.where(women, 0.45, -0.55) + 0.9 * (jobs["age"] < 22) + 1.4 * (jobs["age"] > 65) - 0.15
    jobs["full_time"] = np.where(happens(stream(seed, "full_time"), logistic(part)), "P", "F")


def contracts(jobs, firm, seed):
    """Kind of contract: zero hours in hospitality and care, apprentices among the young."""
    level = jobs["occupation"].str[0]
    part, young = jobs["full_time"] == "P", jobs["age"] < 25
    weights = {
        "P": np.full(len(jobs), 100.0),
        "T": 5 + 6 * firm["industry"].isin(["N", "P"]) + 3 * young,
        "Z": 0.4 + (part & level.isin(["6", "7", "9"])) * (3 + 14 * firm["industry"].isin(["I", "Q"])),
        "A": young * level.isin(["3", "4", "5", "6"]) * 9
        + (jobs["age"] <= 40) * level.isin(["4", "5"]) * 0.6,
        "9": np.full(len(jobs), 1.5),
    }
    jobs["contract"] = draw_rows(stream(seed, "contract"), np.column_stack(list(weights.values())), weights)


def starts(jobs, firm, seed):
    """First day with the employer: not before the employer began, nor before the age of sixteen."""
    rng = stream(seed, "start_date")
    years = rng.lognormal(1.25, 1.05, len(jobs)) * np.where(jobs["full_time"] == "P", 0.75, 1)
    birthday = jobs["age"] - 16 + 0.2
    firm_age = 2025.3 - firm["year_started"] - 0.35
    longest = np.minimum(birthday, firm_age)
    years = np.where(years < longest, years, longest * rng.random(len(jobs)))
    jobs["start_date"] = PAY_DAY - pd.to_timedelta(np.floor(years * 365.25), unit="D")


# ---------------------------------------------------------------- Pay


def pay(jobs, firm, kinds, planted, seed):
    """Hours, hourly pay, overtime, gross pay, bonus and pension, added to `jobs`."""
    jobs["weekly_hours"] = hours(jobs, seed)
    log_pay = log_hourly_pay(jobs, firm, kinds, seed)
    overtime = overtime_share(jobs, seed)
    floor = pay_floor(jobs)
    full = (jobs["full_time"] == "F").to_numpy()
    hourly = scaled_to_median(log_pay, floor, jobs["weekly_hours"] * (1 + overtime), full)
    hourly = np.where(planted == 2, 620 * (1 + stream(seed, "planted pay").pareto(6, len(jobs))), hourly)
    jobs["hourly_pay"] = np.round(hourly, 2)
    jobs["overtime_pay"] = (jobs["weekly_hours"] * overtime * jobs["hourly_pay"]).round(2)
    jobs["gross_weekly_pay"] = (jobs["weekly_hours"] * jobs["hourly_pay"] + jobs["overtime_pay"]).round(2)
    jobs["annual_bonus"] = bonuses(jobs, firm, seed)
    enrolled = happens(stream(seed, "pension"), np.where(jobs["gross_weekly_pay"] > 192, 0.9, 0.35))
    stated = happens(stream(seed, "pension stated"), np.where(firm["employees"] < 10, 0.9, 0.98))
    jobs["pension"] = np.where(stated, np.where(enrolled, "Y", "N"), "X")


def hours(jobs, seed):
    """Paid hours: full-time weeks of a few usual lengths; part-time weeks between four and thirty hours."""
    rng, size = stream(seed, "weekly_hours"), len(jobs)
    full = draw(rng, {35: 17, 36: 6, 37: 18, 37.5: 24, 38: 5, 39: 6, 40: 17, 42: 3, 45: 3, 48: 1.4}, size)
    part = draw(
        rng, {30: 9, 25: 8, 24: 7, 22.5: 8, 20: 12, 18: 5, 16: 15, 15: 7, 12: 8, 10: 6, 8: 6, 4: 2}, size
    )
    other = np.round(4 + 52 * rng.random(size)) / 2
    part = np.where(rng.random(size) < 0.2, np.clip(other, 2, 30), part.astype(float))
    return np.where(jobs["full_time"] == "F", full.astype(float), part).astype(float)


def log_hourly_pay(jobs, firm, kinds, seed):
    """Log pay an hour, up to a constant: occupation, industry, region, firm, age, hours, sex and luck."""
    age = jobs["age"] - TRUTH["pay_age_peak"]
    of_firm = pd.Series(
        stream(seed, "employer pay").normal(0, TRUTH["pay_spread_employer"], firm["employer_ref"].nunique())
    )
    return (
        jobs["occupation"].str[0].map(TRUTH["pay_by_level"])
        + kinds["offset"].loc[jobs["occupation"]].to_numpy()
        + firm["industry"].map(TRUTH["pay_industry"])
        + firm["region"].map(TRUTH["pay_region"])
        + TRUTH["pay_per_log_employees"] * np.log(firm["employees"])
        + of_firm.iloc[pd.factorize(firm["employer_ref"])[0]].to_numpy()
        + TRUTH["pay_age_curve"] * age**2
        + TRUTH["pay_part_time"] * (jobs["full_time"] == "P")
        + TRUTH["pay_gap_like_for_like"] * (jobs["sex"] == "F")
        + stream(seed, "hourly_pay").normal(0, TRUTH["pay_spread_person"], len(jobs))
    )


def pay_floor(jobs):
    """Lowest pay an hour allowed to each job, by age and contract."""
    rates = TRUTH["pay_floor"]
    by_age = np.where(
        jobs["age"] >= 21,
        rates["adult"],
        np.where(jobs["age"] >= 18, rates["18-20"], rates["young or apprentice"]),
    )
    return np.where(jobs["contract"] == "A", rates["young or apprentice"], by_age)


def overtime_share(jobs, seed):
    """Overtime pay as a share of basic pay: none for most, more often in skilled and manual work."""
    rng, level = stream(seed, "overtime_pay"), jobs["occupation"].str[0]
    chance = level.map({"5": 0.22, "8": 0.24, "9": 0.13, "6": 0.12, "7": 0.08, "3": 0.06}).fillna(0.03)
    return np.where(happens(rng, chance), (0.14 * rng.lognormal(0, 0.6, len(jobs))).clip(max=0.6), 0)


def scaled_to_median(log_pay, floor, paid_hours, full):
    """Hourly pay with the one constant for which full-time gross weekly pay has the published median."""
    target = PUBLISHED["pay-full-time-2025"]
    low, high = -5.0, 10.0
    for _ in range(50):
        middle = (low + high) / 2
        hourly = np.maximum(np.exp(middle + log_pay), floor)
        low, high = (middle, high) if np.median((hourly * paid_hours)[full]) < target else (low, middle)
    return hourly


def bonuses(jobs, firm, seed):
    """Bonus of the year: none for most; finance and the top levels get more, and far more at the tail."""
    rng, level = stream(seed, "annual_bonus"), jobs["occupation"].str[0].astype(int)
    finance = firm["industry"] == "K"
    some = happens(
        rng, logistic(-2.1 + 0.9 * (level <= 2) + 1.6 * finance + 0.4 * (firm["employees"] >= 250))
    )
    share = 0.05 * np.exp(0.5 * finance + 0.3 * (level == 1)) * rng.lognormal(0, 0.95, len(jobs))
    amount = jobs["gross_weekly_pay"] * 52 * share
    return np.where(some, np.maximum(np.round(amount / 10) * 10, 50), 0.0)


# ---------------------------------------------------------------- Missing values


def lose_values(firms, jobs, seed):
    """Lose values by the mechanisms the package describes. Changes both tables."""
    lost = TRUTH["area_code_lost"]
    jobs["area_code"] = go_missing(stream(seed, "lose area"), jobs["area_code"], lost)

    score = TRUTH["start_date_lost_odds_part_time"] * (jobs["full_time"] == "P")
    score = score + TRUTH["start_date_lost_odds_temporary"] * (jobs["contract"] == "T")
    chance = logistic(intercept_for(TRUTH["start_date_lost_rate"], score) + score)
    jobs["start_date"] = go_missing(stream(seed, "lose start"), jobs["start_date"], chance)

    some = jobs["annual_bonus"] > 0
    score = TRUTH["bonus_lost_slope"] * np.log(jobs["annual_bonus"].where(some, 1))
    chance = logistic(intercept_for(TRUTH["bonus_lost_rate"], score[some]) + score)
    chance = np.where(some, chance, TRUTH["bonus_zero_lost_rate"])
    jobs["annual_bonus"] = go_missing(stream(seed, "lose bonus"), jobs["annual_bonus"], chance)

    score = TRUTH["foreign_owned_lost_odds_small"] * (firms["employees"] < 10)
    chance = logistic(intercept_for(TRUTH["foreign_owned_lost_rate"], score) + score)
    firms["foreign_owned"] = go_missing(stream(seed, "lose owner"), firms["foreign_owned"], chance, code="X")
