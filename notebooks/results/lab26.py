"""Makes lab26-runs.csv and lab26-network.csv.gz: ten teams build the same score.

    python notebooks/results/lab26.py

Run it in the environment, from the folder of the course. It takes up to an hour
on one core. It can be stopped at any time: each team that is done is kept, and the next
start goes on from there. Delete lab26-runs.csv to begin again.

The population of the data set admissions has 120,000 simulated patients. Lab 26 has
two parts of it, 6,000 patients each; nobody of these is used here. Of the others, ten
teams get emergency patients to learn from, as many as the lab has. Each team tests on
people of its own as well, from a second population: the same simulation with another
seed. Nobody is in two teams, or tested on twice, so that the spread over teams holds
the luck of both.

Each line of lab26-runs.csv is one score, tested once:

learn   learned from real rows or synthetic rows; tested on real people (all, or a
        group), or on fresh rows of the same generator ("own rows")
leak    tested on real people whom the generator had seen, or had not
gap     twenty people of a group, and what is put beside them; tested on real people
        of that group

lab26-network.csv.gz holds five tables of a network that learned from the training part
of the lab: fitting it takes too long for a lab. The lab takes its functions from this
file, so that both do the same.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "datasets")]

from course import data, generate

RUNS = Path(__file__).with_name("lab26-runs.csv")
NETWORK = Path(__file__).with_name("lab26-network.csv.gz")
TEAMS, SIZE, SEED = 10, 2200, 26
SECOND = 2627  # the seed of the population to test on; that of the data set is 2026
THRESHOLD = 0.3
GENERATORS = ("ipf", "copula", "cart", "sdv-tvae", "sdv-ctgan")
LEAKY = {"ipf": {}, "copula": {}, "cart": {}, "cart, leaf 1": {"min_leaf": 1}}
FEW, ADDED, CHOICES = 20, 180, 12  # of the group that is short of people
CHAPTERS = list("ABCDEFGIJKLNORST")
ETHNIC = {"Asian": "HJKL", "Black": "MNP", "Mixed": "DEFG", "Other": "RS"}
BROAD = {code: name for name, codes in ETHNIC.items() for code in codes}
BROAD |= dict.fromkeys("ABC", "White")
AGES = {"18 to 39": (18, 39), "40 to 64": (40, 64), "65 to 74": (65, 74)}
AGES |= {"75 to 84": (75, 84), "85 and over": (85, 120)}


# ---------------------------------------------------------------- People, as in lab 26


def adults(tables):
    """One row for each adult: the first emergency stay, and if it was long."""
    episodes = tables["episodes"].sort_values(["admidate", "spell_id", "epiorder"])
    nights = episodes.groupby("spell_id")["speldur"].max()
    stays = episodes[
        episodes["epiorder"].eq(1) & episodes["admimeth"].str.startswith("2")
    ]
    stays = stays[stays["startage"].ge(18) & stays["admidate"].le("2024-03-24")]
    stays = stays.drop_duplicates("patient_id").merge(
        tables["patients"], on="patient_id"
    )
    stayed = stays["spell_id"].map(nights)
    letter = stays["diag_01"].str[0]
    return pd.DataFrame(
        {
            "age": stays["startage"],
            "sex": stays["sex"],
            "ethnic": stays["ethnos"].map(BROAD).fillna("not known"),
            "region": stays["region"],
            "imd_decile": stays["imd_decile"],
            "chapter": letter.where(letter.isin(CHAPTERS), "other"),
            "from_ae": np.where(stays["admimeth"] == "21", "Y", "N"),
            "long_stay": np.where(stayed.isna() | stayed.ge(7), "Y", "N"),
        }
    )


def description(table):
    """The schema of `adults`: two numbers, and categories."""
    fields = []
    for column in table:
        if column in ("age", "imd_decile"):
            fields.append({"name": column, "type": "integer"})
        else:
            codes = [
                {"value": code, "label": code}
                for code in sorted(table[column].unique())
            ]
            fields.append({"name": column, "type": "string", "categories": codes})
    return data.Schema("adults", tuple(fields))


def in_group(table, group):
    """Which people are in a group, by its name."""
    if group in AGES:
        return table["age"].between(*AGES[group])
    masks = {
        "everybody": table["age"] > 0,
        "male": table["sex"] == "1",
        "female": table["sex"] == "2",
        "most deprived fifth": table["imd_decile"] <= 2,
        "least deprived fifth": table["imd_decile"] >= 9,
        "mental illness": table["chapter"] == "F",
    }
    return masks[group] if group in masks else table["ethnic"] == group


GROUPS = ["everybody", *AGES, "male", "female"]
GROUPS += ["most deprived fifth", "least deprived fifth"]
GROUPS += ["Asian", "Black", "Mixed", "Other", "White", "not known", "mental illness"]


# ---------------------------------------------------------------- The score


def features(table, groups=()):
    age = (table["age"] - 60) / 20
    known = {"age": age, "age squared": age**2, "decile": (table["imd_decile"] - 5) / 3}
    known |= {"female": table["sex"] == "2", "from A&E": table["from_ae"] == "Y"}
    known |= {chapter: table["chapter"] == chapter for chapter in CHAPTERS}
    known |= {group: table["ethnic"] == group for group in groups}
    return pd.DataFrame(known).astype(float)


def outcome(table):
    return (table["long_stay"] == "Y").to_numpy(int)


def regression(table, groups=()):
    """A function of a table that gives each person a risk: a logistic regression."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000).fit(
        features(table, groups), outcome(table)
    )
    return lambda people: model.predict_proba(features(people, groups))[:, 1]


def trees(table):
    """The same with boosted trees, which can learn single people by heart."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    options = {"max_iter": 60, "learning_rate": 0.05, "max_leaf_nodes": 15}
    model = HistGradientBoostingClassifier(**options, random_state=0)
    model.fit(features(table), outcome(table))
    return lambda people: model.predict_proba(features(people))[:, 1]


def figures(risk, long):
    """What a validation reports. `risk` and `long` (0 or 1) are arrays of one length.

    excess is the share who stayed long less the mean risk; slope is that of the
    outcome on the log-odds of the risk. Only the counts, where all or none stayed.
    """
    import statsmodels.api as sm
    from sklearn.metrics import roc_auc_score

    found = {"people": len(long), "long": int(long.sum())}
    if not 0 < long.sum() < len(long):
        return found
    risk = np.clip(risk, 1e-6, 1 - 1e-6)
    flagged, logit = risk >= THRESHOLD, np.log(risk / (1 - risk))
    right, false = (flagged & (long == 1)).mean(), (flagged & (long == 0)).mean()
    again = sm.Logit(long, sm.add_constant(logit)).fit(disp=0)
    found |= {"auc": roc_auc_score(long, risk), "slope": again.params[1]}
    found |= {"excess": long.mean() - risk.mean()}
    found |= {
        "brier": np.mean((risk - long) ** 2),
        "sensitivity": flagged[long == 1].mean(),
    }
    found |= {"specificity": 1 - flagged[long == 0].mean()}
    found |= {"ppv": long[flagged].mean() if flagged.any() else np.nan}
    return found | {"net_benefit": right - false * THRESHOLD / (1 - THRESHOLD)}


def with_intervals(score, people, draws=200, seed=26):
    """`figures` of a score on a table of people, each with its 95% interval.

    The interval comes from drawing the people again, with replacement.
    """
    risk, long = score(people), outcome(people)
    some = np.random.default_rng(seed).integers(0, len(long), (draws, len(long)))
    again = pd.DataFrame([figures(risk[rows], long[rows]) for rows in some])
    ends = again.quantile([0.025, 0.975]).set_axis(["low", "high"]).T
    ends.insert(0, "value", pd.Series(figures(risk, long)))
    return ends


def by_group(score, people, fewest=30):
    """Sensitivity of a score in each group, with Wilson's 95% interval, and more.

    Returns a DataFrame: group, people, long_stays, sensitivity, low, high, specificity,
    excess (the share who stayed long less the mean risk), size: "small" with fewer than
    `fewest` long stays.
    """
    from statsmodels.stats.proportion import proportion_confint

    risk, long, rows = score(people), outcome(people), []
    for group in GROUPS:
        inside = in_group(people, group).to_numpy()
        stayed = inside & (long == 1)
        found = int((risk[stayed] >= THRESHOLD).sum())
        ends = proportion_confint(found, int(stayed.sum()), method="wilson")
        specificity = (risk[inside & (long == 0)] < THRESHOLD).mean()
        excess = long[inside].mean() - risk[inside].mean()
        counts = int(inside.sum()), int(stayed.sum())
        found_share = found / stayed.sum(), *ends
        rows.append((group, *counts, *found_share, specificity, excess))
    names = ["group", "people", "long_stays", "sensitivity", "low", "high"]
    names += ["specificity", "excess"]
    found = pd.DataFrame(rows, columns=names)
    return found.assign(size=np.where(found["long_stays"] < fewest, "small", ""))


def change(some, others, by, on=("team",), measure="auc"):
    """How much more of a measure some runs have than others, paired by what is in `on`.

    Returns a DataFrame with the columns in `by`, the mean difference over teams as
    `change`, and its 95% t interval as `low` and `high`. Runs of a team that are alike
    in these columns are averaged first.
    """
    from statsmodels.stats.weightstats import DescrStatsW

    before = others.groupby(list(on))[measure].mean().rename("before")
    after = some.groupby([*by, "team"], sort=False)[measure].mean().reset_index()
    both = after.join(before, on=list(on))
    rows = []
    for key, part in both.groupby(by, sort=False):
        differences = (part[measure] - part["before"]).to_numpy()
        ends = DescrStatsW(differences).tconfint_mean()
        rows.append((*key, differences.mean(), *ends))
    return pd.DataFrame(rows, columns=[*by, "change", "low", "high"])


# ---------------------------------------------------------------- The experiments


def learn(team, made_by, test):
    """Scores from real rows and from synthetic rows."""
    for kind, method in (("regression", regression), ("trees", trees)):
        sources = {("real", "real"): team}
        for name, model in made_by.items():
            sources[name, "synthetic"] = model.sample(len(team), seed=1)
        for (name, source), rows in sources.items():
            score = method(rows)
            told = {"generator": name, "learned_from": source, "model": kind}
            risk = score(test)
            for group in GROUPS if kind == "regression" else ["everybody"]:
                inside = in_group(test, group).to_numpy()
                tested = {"tested_on": "real people", "group": group}
                yield told | tested | figures(risk[inside], outcome(test)[inside])
            if source == "synthetic":
                rows = made_by[name].sample(len(team), seed=2)
                tested = {"tested_on": "own rows", "group": "everybody"}
                yield told | tested | figures(score(rows), outcome(rows))


def leak(team, validation, others, schema):
    """A generator learns from the team and as many more: those tested on, or others."""
    for name, options in LEAKY.items():
        for arm, more in (("seen", validation), ("not seen", others)):
            both = pd.concat([team, more], ignore_index=True)
            model = generate.fit(name.split(",")[0], both, schema, **options)
            drawn = model.sample(len(both), seed=1)
            for kind, method in (("regression", regression), ("trees", trees)):
                told = {"generator": name, "model": kind}
                told |= {"tested_on": arm, "group": "everybody"}
                yield told | figures(method(drawn)(validation), outcome(validation))


def gap(team, elsewhere, test, schema):
    """Twenty people of a group are left. What do added rows do for the group?"""
    for group, columns in (("mental illness", ()), ("Black", tuple(ETHNIC))):
        of_group, tested = team[in_group(team, group)], test[in_group(test, group)]
        more = elsewhere[in_group(elsewhere, group)]
        for choice in range(CHOICES):
            few = of_group.sample(FEW, random_state=choice)
            thin = pd.concat([team[~in_group(team, group)], few], ignore_index=True)
            from_few = generate.fit("cart", few, schema)
            from_all = generate.fit("cart", thin, schema).sample(40_000, seed=choice)
            from_all = from_all[in_group(from_all, group)].head(ADDED)
            arms = {
                "nothing": few.head(0),
                "copies of the 20": pd.concat([few] * (ADDED // FEW)),
                "synthetic, learned from the 20": from_few.sample(ADDED, seed=choice),
                "synthetic, learned from everybody": from_all,
                "as many real people": more.sample(ADDED, random_state=choice),
            }
            for arm, added in arms.items():
                rows = pd.concat([thin, added], ignore_index=True)
                found = figures(regression(rows, columns)(tested), outcome(tested))
                told = {"group": group, "learned_from": arm, "choice": choice}
                yield told | {"added": len(added)} | found


def everybody():
    """Ten teams, ten tables of people to test on, and their schema.

    Nobody in them is in the two parts that lab 26 has.
    """
    import simulation

    simulate, ours = simulation.load("admissions"), data.load("admissions")
    parts = [part["patients"]["patient_id"] for part in (ours.training, ours.control)]
    first = simulate.population()
    for name, table in first.items():
        first[name] = table[~table["patient_id"].isin(pd.concat(parts))]
    people = adults(first).sample(frac=1, random_state=SEED)
    teams = [people.iloc[i * SIZE : (i + 1) * SIZE] for i in range(TEAMS)]
    teams = [team.reset_index(drop=True) for team in teams]
    second = adults(simulate.population(seed=SECOND)).sample(frac=1, random_state=SEED)
    tests = [second.iloc[i::TEAMS].reset_index(drop=True) for i in range(TEAMS)]
    return teams, tests, description(pd.concat([people, second]))


def network_tables():
    """Five tables for the lab. To a network, another order of rows is another seed."""
    training = adults(data.load("admissions").training)
    schema = description(training)
    tables = []
    for order in range(1, 6):
        shuffled = training.sample(frac=1, random_state=order)
        model = generate.fit("sdv-tvae", shuffled, schema)
        tables.append(model.sample(len(training), seed=order).assign(table=order))
    packed = {"method": "gzip", "mtime": 0}  # no time stamp: the same file each time
    pd.concat(tables).to_csv(NETWORK, index=False, compression=packed)


def main():
    warnings.filterwarnings("ignore")
    if not NETWORK.exists():
        network_tables()
    teams, tests, schema = everybody()
    done = pd.read_csv(RUNS) if RUNS.exists() else pd.DataFrame({"team": []})
    for number, team in enumerate(teams):
        if number in set(done["team"]):
            continue
        made_by = {name: generate.fit(name, team, schema) for name in GENERATORS}
        validation, others = teams[(number + 1) % TEAMS], teams[(number + 2) % TEAMS]
        elsewhere = pd.concat(teams[:number] + teams[number + 1 :])
        parts = {
            "learn": learn(team, made_by, tests[number]),
            "leak": leak(team, validation, others, schema),
            "gap": gap(team, elsewhere, tests[number], schema),
        }
        for name, part in parts.items():
            rows = [{"experiment": name, "team": number} | row for row in part]
            done = pd.concat([done, pd.DataFrame(rows)], ignore_index=True)
        whole = dict.fromkeys(("team", "people", "long"), int)
        done.astype(whole).round(4).to_csv(RUNS, index=False)
        print(f"team {number + 1} of {TEAMS} is done", flush=True)


if __name__ == "__main__":
    main()
