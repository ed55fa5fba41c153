"""Privacy: what a synthetic table gives away about the people it was made from.

Every attack is made twice: on people who were in the training part, and on control people who were not.
What it learns about control people is general knowledge, and no release can prevent it. What it learns
about training people beyond that is what the release gives away. So every function here returns a `Risk`,
never a bare number: the attack on both parts, a baseline, an interval, and the worst-placed people.

All attacks are called alike: `attack(training, control, synthetic, keys, ...)`.

- `training` and `control` are drawn at random from the same people, none in both. If one is larger it is
  sampled down, so that equal numbers are attacked and uniqueness is judged in samples of equal size.
- `synthetic` is the table to be released, or a list of at least five tables made with different seeds. One
  table is attacked through groups of people drawn at random (`draws`: ten unless told, at least five), and
  the interval then covers the choice of people only. Five or more tables also cover the luck of synthesis.
- `keys` are the columns the intruder knows. They are compared exactly: put ages and money in bands first
  (`band`), or almost nobody will match and the table will look safer than it is. Blank keys match each other.

Which attack answers which question:

- can one person be picked out?               `singling_out`, `replicated_uniques`
- can two files about a person be joined?     `linkability`
- can something unknown be learned?           `attribute_inference`, `disco`, `tcap`, `dcap`
- can it be told who was in the data?         `membership`, `domias`
- are synthetic rows copies of people?        `nearest_record_share`
"""

import warnings

import numpy as np
import pandas as pd

from course.measure import _tables
from course.measure._risk import Hits, Release, Risk, people_hits, percent

__all__ = [
    "Risk",
    "attribute_inference",
    "band",
    "dcap",
    "disco",
    "domias",
    "group_sizes",
    "linkability",
    "membership",
    "membership_scores",
    "nearest_record_share",
    "replicated_uniques",
    "roc",
    "rows_like",
    "singling_out",
    "tcap",
]

TRAINING, CONTROL = 0, 1  # where the two parts stand in `Release.frames`


def band(series, width, start=0):
    """Return a column of numbers in bands of equal width, as text; blanks stay blank.

    A band is named by where it starts and where the next one starts.

    >>> band(pd.Series([19, 20, 34.5, None]), 10).tolist()
    ['10 to under 20', '20 to under 30', '30 to under 40', nan]
    """
    if width <= 0:
        raise ValueError(f"The width of a band is {width}; it must be more than 0.")
    kind, (values,) = _tables.alike(series.name, [series], ("given",))
    if kind != "number":
        raise ValueError("Only numbers can be put in bands; for a date use its year, series.dt.year.")
    # Rounded first, or 0.3 in bands of 0.1 falls into the band below: 0.3 / 0.1 is 2.9999999999999996.
    lower = start + np.floor(((values - start) / width).round(9)) * width
    names = {low: f"{low:.10g} to under {low + width:.10g}" for low in lower.dropna().unique()}
    return lower.map(names).astype(object)


def group_sizes(table, keys):
    """Return, for each row, how many rows of the table have the same keys, itself included.

    1 means nobody else has them. A Series with the index of `table`.

    >>> group_sizes(pd.DataFrame({"age": [30, 30, 71], "sex": ["F", "F", "M"]}), ["age", "sex"]).tolist()
    [2, 2, 1]
    """
    keys = _tables.names(keys, "keys")
    _tables.check(table, keys, "given", rows=1)
    (code,) = _tables.combine([_tables.codes(key, [table[key]], ("given",)) for key in keys])
    return pd.Series(np.bincount(code)[code], index=table.index, name="rows_with_the_same_keys")


def rows_like(person, table, keys):
    """Return the rows of `table` whose keys equal those of `person` (one row of another table, a Series).

    What an intruder who looks for this person finds. Blank keys match each other.

    >>> table = pd.DataFrame({"age": [30, 30, 71], "tenure": ["own", "rent", "rent"]})
    >>> rows_like(pd.Series({"age": 71}), table, ["age"])["tenure"].tolist()
    ['rent']
    """
    keys = _tables.names(keys, "keys")
    _tables.check(table, keys, "given", rows=1)
    one = pd.DataFrame([person])
    _tables.check(one, keys, "person's", rows=1)
    codes = [_tables.codes(key, [one[key], table[key]], ("person's", "given")) for key in keys]
    wanted, code = _tables.combine(codes)
    return table[code == wanted[0]]


def singling_out(training, control, synthetic, keys, *, seed=0, draws=10):
    """Attack: claim that a combination of keys unique in the synthetic table picks out one real person.

    Each such combination is a guess; it is right if exactly one person in the part has it. The rate is
    the share of guesses that are right. For the worst-placed people, hit means picked out by a guess.
    Returns a `Risk`; lower is safer.
    Source: the singling-out criterion of Article 29 Working Party opinion 05/2014, with guesses from unique
    synthetic records as in Giomi and others, PoPETs 2023(2); here on exact keys.

    >>> people = pd.DataFrame({"age": range(20), "sex": ["F", "M"] * 10})
    >>> others = people.assign(age=people["age"] + 50)
    >>> risk = singling_out(people, others, people, ["age", "sex"])
    >>> risk.training, risk.control
    (1.0, 0.0)
    """
    release, keys = _release(training, control, synthetic, keys, seed, draws)
    code = release.codes(keys)
    count = _counts(code)

    def attack(table):
        guesses = code[table][count[table][code[table]] == 1]
        right = [(count[part][guesses] == 1).astype(float) for part in (TRAINING, CONTROL)]
        picked = [_both_unique(code, count, part, table) for part in (TRAINING, CONTROL)]
        return Hits(*right, *picked, {})

    question = (
        "when a combination of keys is unique in the synthetic table, does it pick out one real person?"
    )
    return release.risk(
        "Singling out", question, keys, attack, counted="guesses right", hit_means="picked out by a guess"
    )


def replicated_uniques(training, control, synthetic, keys, *, seed=0, draws=10):
    """Attack: find people who are unique on their keys, and unique again in the synthetic table.

    The rate is the share of people unique both in their part and in the synthetic table (repU). The share
    unique in their part (UiO) stands beside it. Returns a `Risk`; lower is safer.
    Source: Raab, Nowok and Dibben, Practical privacy metrics for synthetic data (2024), arXiv 2406.16826.

    >>> people = pd.DataFrame({"age": range(20), "sex": ["F", "M"] * 10})
    >>> replicated_uniques(people, people.assign(age=50), people, ["age", "sex"]).training
    1.0
    """
    release, keys = _release(training, control, synthetic, keys, seed, draws)
    code = release.codes(keys)
    count = _counts(code)
    unique = tuple(float((count[part] == 1).sum() / release.people) for part in (TRAINING, CONTROL))

    def attack(table):
        hits = [_both_unique(code, count, part, table) for part in (TRAINING, CONTROL)]
        return people_hits(*hits, {"Unique in their part": unique})

    question = "how many people are unique on their keys, and unique again in the synthetic table?"
    return release.risk("Replicated uniques", question, keys, attack)


def linkability(training, control, synthetic, keys_a, keys_b, *, k=10, seed=0, draws=10):
    """Attack: use the synthetic table to join two files about the same people.

    The intruder has one file with `keys_a` and another with `keys_b`. A person's two records are joined
    where each matches at most `k` synthetic rows exactly, and one synthetic row matches both. The rate is
    the share of people joined. Larger k makes a bolder intruder: try several. Returns a `Risk`; lower is
    safer. Source: the linkability attack of Giomi and others, PoPETs 2023(2), with equal keys in place of the
    nearest neighbours, so that it needs no distances.

    >>> people = pd.DataFrame({"age": range(20), "rent": range(100, 120)})
    >>> others = people.assign(rent=people["rent"] + 1)
    >>> risk = linkability(people, others, people, ["age"], ["rent"])
    >>> risk.training, risk.control
    (1.0, 0.0)
    """
    keys_a, keys_b = _tables.names(keys_a, "keys_a"), _tables.names(keys_b, "keys_b")
    if k < 1:
        raise ValueError(f"k is {k}; it must be at least 1.")
    if set(keys_a) & set(keys_b):
        raise ValueError("keys_a and keys_b share a column; the two files must know different things.")
    release, keys = _release(training, control, synthetic, keys_a + keys_b, seed, draws)
    sides = [release.codes(columns) for columns in (keys_a, keys_b, keys)]
    counts = [_counts(code) for code in sides]

    def attack(table):
        def joined(part):
            matches = [count[table][code[part]] for code, count in zip(sides, counts, strict=True)]
            return (matches[0] <= k) & (matches[1] <= k) & (matches[2] > 0)

        return people_hits(joined(TRAINING), joined(CONTROL))

    question = (
        f"can a file with {', '.join(keys_a)} be joined to a file with {', '.join(keys_b)}, one person at a "
        f"time, through at most {k} matching synthetic rows?"
    )
    return release.risk("Linkability", question, keys, attack, hit_means="joined")


def attribute_inference(training, control, synthetic, keys, target, *, seed=0, draws=10):
    """Attack: guess the `target` of a person whose keys are known.

    The guess is the commonest target among the synthetic rows with the same keys; where there are none, or
    to break a tie, the commonest in the whole synthetic table. Coverage is the share of people with such
    rows. The baseline guesses the commonest target for everybody. Put a target of numbers in bands first. A
    blank target is a value to be guessed. Returns a `Risk`; lower is safer.
    Source: the inference attack of Giomi and others, PoPETs 2023(2), with equal keys in place of the nearest
    neighbour.

    >>> people = pd.DataFrame({"age": range(20), "arrears": ["Y", "N", "N", "N"] * 5})
    >>> others = people.assign(arrears=["N", "Y", "N", "N"] * 5)
    >>> risk = attribute_inference(people, others, people, ["age"], "arrears")
    >>> risk.training, risk.control, risk.baseline
    (1.0, 0.5, 0.75)
    """
    release, keys, code, value = _with_target(training, control, synthetic, keys, target, seed, draws)
    count = _counts(code)

    def attack(table):
        guess = _guesses(code[table], value[table], len(count[table]))
        hits = [guess[code[part]] == value[part] for part in (TRAINING, CONTROL)]
        covered = tuple(float((count[table][code[part]] > 0).mean()) for part in (TRAINING, CONTROL))
        return people_hits(*hits, {"Coverage, keys found in the synthetic table": covered})

    released = range(2, 2 + len(release.synthetic))
    usual = float(np.mean([np.mean(value[TRAINING] == _commonest(value[table])) for table in released]))
    return release.risk(
        "Attribute inference",
        f"knowing a person's keys, can their {target} be guessed?",
        keys,
        attack,
        hit_means="guessed right",
        baseline=("always guess the commonest value", usual),
    )


def disco(training, control, synthetic, keys, target, *, seed=0, draws=10):
    """Attack: learn the `target` where all synthetic rows with a person's keys agree on it.

    The rate is the share of all people for whom the synthetic rows with their keys all hold one target
    and it is theirs (DiSCO: disclosive in synthetic, correct in original). Beside it stand the share for
    whom the rows agree at all, and how often they are then right (TCAP). Returns a `Risk`; lower is safer.
    Sources: DiSCO, Raab, Nowok and Dibben (2024), arXiv 2406.16826; TCAP, Little, Elliot and Allmendinger,
    Privacy in Statistical Databases (2022).

    >>> people = pd.DataFrame({"age": range(20), "arrears": ["Y", "N", "N", "N"] * 5})
    >>> others = people.assign(arrears=["N", "Y", "N", "N"] * 5)
    >>> risk = disco(people, others, people, ["age"], "arrears")
    >>> risk.training, risk.control
    (1.0, 0.5)
    """
    release, keys, code, value = _with_target(training, control, synthetic, keys, target, seed, draws)
    size = len(_counts(code)[0])

    def attack(table):
        agreed = _agreed(code[table], value[table], size)
        certain = [agreed[code[part]] >= 0 for part in (TRAINING, CONTROL)]
        hits = [agreed[code[part]] == value[part] for part in (TRAINING, CONTROL)]
        known = tuple(float(part.mean()) for part in certain)
        right = tuple(float(hit.sum() / max(1, part.sum())) for hit, part in zip(hits, certain, strict=True))
        return people_hits(*hits, {"Rows with the keys agree": known, "Right where they agree (TCAP)": right})

    question = f"do all synthetic rows with a person's keys agree on their {target}, and rightly?"
    return release.risk("Certain disclosure (DiSCO)", question, keys, attack, hit_means="disclosed")


def tcap(training, control, synthetic, keys, target, *, seed=0, draws=10):
    """Attack: learn the `target` where all synthetic rows with a person's keys agree (TCAP).

    Only people for whom the rows agree are tried, and the rate is how often they are then right: the
    certainty of the intruder who speaks up. `disco` says how many people that concerns. A rare target that
    is well predicted for everybody gives a high TCAP in both parts, which is no leak. Returns a `Risk`; lower
    is safer.
    Source: Little, Elliot and Allmendinger, Privacy in Statistical Databases (2022).

    >>> people = pd.DataFrame({"age": range(20), "arrears": ["Y", "N", "N", "N"] * 5})
    >>> others = people.assign(arrears=["N", "Y", "N", "N"] * 5)
    >>> risk = tcap(people, others, people, ["age"], "arrears")
    >>> risk.training, risk.control
    (1.0, 0.5)
    """
    release, keys, code, value = _with_target(training, control, synthetic, keys, target, seed, draws)
    size = len(_counts(code)[0])

    def attack(table):
        agreed = _agreed(code[table], value[table], size)
        hits = [
            np.where(agreed[code[part]] >= 0, agreed[code[part]] == value[part], np.nan)
            for part in (TRAINING, CONTROL)
        ]
        tried = tuple(float(np.isfinite(part).mean()) for part in hits)
        return people_hits(*hits, {"People for whom the rows agree": tried})

    question = f"where all synthetic rows with a person's keys agree on {target}, are they right?"
    counted, means = "people for whom the rows agree", "guessed right for certain"
    return release.risk("Certainty (TCAP)", question, keys, attack, counted=counted, hit_means=means)


def dcap(training, control, synthetic, keys, target, *, seed=0, draws=10):
    """Attack: guess the `target` by drawing one of the synthetic rows with a person's keys (DCAP).

    The rate is the mean, over all people, of the share of those rows that hold the person's target: the
    chance that the guess is right, 0 where no row has the keys. Returns a `Risk`; lower is safer.
    Source: Taub, Elliot, Pampaka and Smith, Privacy in Statistical Databases (2018).

    >>> people = pd.DataFrame({"age": range(20), "arrears": ["Y", "N", "N", "N"] * 5})
    >>> others = people.assign(arrears=["N", "Y", "N", "N"] * 5)
    >>> risk = dcap(people, others, pd.concat([people, others]), ["age"], "arrears")
    >>> risk.training, risk.control
    (0.75, 0.75)
    """
    release, keys, code, _ = _with_target(training, control, synthetic, keys, target, seed, draws)
    cell = release.codes([*keys, target])
    count, both = _counts(code), _counts(cell)

    def attack(table):
        chance = [
            both[table][cell[part]] / np.maximum(count[table][code[part]], 1) for part in (TRAINING, CONTROL)
        ]
        return people_hits(*chance)

    question = f"drawing one synthetic row with a person's keys, is its {target} theirs?"
    return release.risk("Correct attribution (DCAP)", question, keys, attack, hit_means="guessed right")


def membership(training, control, synthetic, columns, *, match="exact", most=2000, seed=0, draws=10):
    """Attack: tell who was in the training part.

    match="exact": a person is claimed to have been in the data if a synthetic row equals theirs in all
    `columns`. match="nearest": the half of the people nearest to a synthetic row are claimed (see
    `nearest_record_share` for the distance; at most `most` people of each part are tried, ties share their
    claims). The training rate is the true positive rate, the control rate the false positive rate; their
    difference is the membership advantage, shown below the excess. Returns a `Risk`; lower is safer.
    Source: Yeom, Giacomelli, Fredrikson and Jha, IEEE Computer Security Foundations (2018), section 3.

    >>> people = pd.DataFrame({"age": range(20), "sex": ["F", "M"] * 10})
    >>> risk = membership(people, people.assign(age=people["age"] + 50), people, ["age", "sex"])
    >>> risk.training, risk.control
    (1.0, 0.0)
    """
    if match not in ("exact", "nearest"):
        raise ValueError('match must be "exact" or "nearest".')
    columns = _tables.names(columns)
    release = Release(training, control, synthetic, columns, seed, draws)
    attack = _claim_copies(release) if match == "exact" else _claim_half(release, _near(release), most)
    return _membership(release, f"Membership ({match} match)", columns, attack)


def domias(training, control, synthetic, columns, *, reference=None, most=2000, seed=0, draws=10):
    """Attack: tell who was in the training part by where the synthetic table is denser than people are.

    A generator that learned a person puts rows about them where few people live. So a person's score is the
    distance to the nearest row of a reference table of real people, over the distance to the nearest
    synthetic row (see `nearest_record_share` for the distance); the half with the highest scores are
    claimed. Unlike `membership` it does not mistake a crowded place for memory, and it needs an intruder who
    has a sample of such people. `reference` is that sample: none of them may be in the other tables. Without
    one, half of the control part is set aside for it. At most `most` people of each part are tried.
    Returns a `Risk`; lower is safer.
    Source: van Breugel, Sun, Qian and van der Schaar, AISTATS (2023), here with densities from nearest
    neighbours (Loftsgaarden and Quesenberry, Annals of Mathematical Statistics 36, 1965).

    >>> people = pd.DataFrame({"age": range(20), "pay": range(20)})
    >>> others, sample = (people.assign(pay=people["pay"] + away) for away in (40, 80))
    >>> risk = domias(people, others, people, ["age", "pay"], reference=sample)
    >>> risk.training, risk.control
    (1.0, 0.0)
    """
    columns, split = _tables.names(columns), reference is None
    training, control, reference = _with_reference(training, control, reference, columns, seed)
    release = Release(training, control, synthetic, columns, seed, draws)
    release.notes.append(
        f"The intruder has a sample of {len(reference):,} other people to compare with"
        + (", half of the control part; another half (seed) gives a somewhat other figure." if split else ".")
    )
    score = _denser(release, reference[columns])
    return _membership(release, "Membership (DOMIAS)", columns, _claim_half(release, score, most))


def membership_scores(
    training, control, synthetic, columns, *, by="nearest", reference=None, most=2000, seed=0
):
    """Return the score that a membership attack gives each person: the higher, the surer the claim.

    by="nearest": less the distance to the nearest synthetic row, as in `membership`. by="domias": the ratio
    of `domias`. `synthetic` is one table. Returns a DataFrame, one row per person tried: part (training or
    control), row (the index label in that part), score, others (people of their own part with the same
    values). Feed it to `roc`.

    >>> people = pd.DataFrame({"age": range(20), "pay": range(20)})
    >>> scores = membership_scores(people, people.assign(pay=people["pay"] + 40), people, ["age", "pay"])
    >>> [round(float(score), 2) for score in scores.groupby("part")["score"].max()]
    [-0.51, 0.0]
    """
    if by not in ("nearest", "domias"):
        raise ValueError('by must be "nearest" or "domias".')
    columns = _tables.names(columns)
    if by == "domias":
        training, control, reference = _with_reference(training, control, reference, columns, seed)
    release = Release(training, control, synthetic, columns, seed, 5)
    score = _near(release) if by == "nearest" else _denser(release, reference[columns])
    tried = release.rng(2).permutation(release.people)[:most]
    others = [np.bincount(code)[code] - 1 for code in release.codes(columns)[:2]]
    rows = [
        pd.DataFrame(
            {
                "part": called,
                "row": release.frames[part].index[tried],
                "score": score(part, 2, tried),
                "others": others[part][tried],
            }
        )
        for part, called in ((TRAINING, "training"), (CONTROL, "control"))
    ]
    return pd.concat(rows, ignore_index=True)


def roc(scores):
    """Return the receiver operating characteristic (ROC) of a membership attack.

    `scores` comes from `membership_scores`, or is any DataFrame with part and score. One row for each
    score at which claims can begin: claimed_from, false_positive_rate (share of control people claimed) and
    true_positive_rate (share of training people claimed). The averages hide what matters most: an attack
    that is right about a few people, and hardly ever wrong, shows at the low end of the false positives.
    Source: Carlini and others, IEEE Security and Privacy (2022), arXiv 2112.03570.

    >>> scores = pd.DataFrame({"part": ["training", "training", "control"], "score": [3, 1, 2]})
    >>> roc(scores)["true_positive_rate"].tolist()
    [0.0, 0.5, 0.5, 1.0]
    """
    _tables.check(scores, ["part", "score"], "given")
    inside = (scores["part"] == "training").to_numpy()
    if inside.all() or not inside.any():
        raise ValueError('The column "part" must hold both "training" and "control".')
    value = scores["score"].to_numpy(float)
    found = np.append(np.inf, np.unique(value)[::-1])
    false, true = (
        (part.sum() - np.searchsorted(np.sort(value[part]), found, "left")) / part.sum()
        for part in (~inside, inside)
    )
    return pd.DataFrame({"claimed_from": found, "false_positive_rate": false, "true_positive_rate": true})


def _membership(release, name, columns, attack):
    question = "can it be told, from the synthetic table, who was in the training part?"
    return release.risk(
        name, question, columns, attack, counted="people claimed", hit_means="claimed to be in the data"
    )


def _with_reference(training, control, reference, columns, seed):
    """The parts, with a reference sample set aside from the control part if none is given."""
    given = reference is not None
    if not given:
        _tables.check(control, columns, "control", rows=20)
        order = np.random.default_rng([seed, 3]).permutation(len(control))
        half = len(control) // 2
        control, reference = control.iloc[np.sort(order[half:])], control.iloc[np.sort(order[:half])]
    _tables.check(reference, columns, "reference", rows=2)
    if given:
        _refuse_people_twice(training, control, reference, columns)
    return training, control, reference


def _refuse_people_twice(training, control, reference, columns):
    """One sentence where the people of one part, and not of the other, stand in the reference as well."""
    for part, called in ((training, "training"), (control, "control")):
        _tables.check(part, columns, called)
    parts, called = (training, control, reference), ("training", "control", "reference")
    codes = [_tables.codes(column, [part[column] for part in parts], called) for column in columns]
    *two, known = _tables.combine(codes)
    found = [np.isin(part, known).mean() for part in two]
    if abs(found[1] - found[0]) > 0.2:
        raise ValueError(
            f"{percent(max(found))} of the {called[int(found[1] > found[0])]} people stand in the reference "
            "too, and far fewer of the others; give a reference of other people."
        )


def _near(release):
    """Score: less the distance to the nearest synthetic row."""
    place = _places(release)
    return lambda part, table, tried: 0 - _nearest(place(part, tried), place(table))


def _denser(release, reference):
    """Score: how much nearer the nearest synthetic row is than the nearest row of a reference table."""
    release.frames.append(reference)
    release.called.append("reference")
    place, last = _places(release), len(release.frames) - 1
    to_people = {}  # the same for every synthetic table

    def score(part, table, tried):
        people = place(part, tried)
        if part not in to_people:
            to_people[part] = _nearest(people, place(last))
        # A little is added to both, so that an exact copy is a strong sign and not an infinite one.
        return np.log((to_people[part] + 0.01) / (_nearest(people, place(table)) + 0.01)).round(5)

    return score


def _claim_copies(release):
    code = release.codes(release.columns)
    count = _counts(code)

    def attack(table):
        hits = [count[table][code[part]] > 0 for part in (TRAINING, CONTROL)]
        return people_hits(*hits, _advantage(*hits))

    return attack


def _claim_half(release, score, most):
    """Claim the half of the people with the highest score; people who tie share the claims."""
    tried = release.rng(2).permutation(release.people)[:most]
    if len(tried) < release.people:
        release.notes.append(f"{len(tried):,} people of each part were tried, drawn at random.")

    def attack(table):
        away = -np.concatenate([score(part, table, tried) for part in (TRAINING, CONTROL)])
        cut = np.sort(away)[len(tried) - 1]
        tie = (len(tried) - (away < cut).sum()) / (away == cut).sum()
        claims = np.where(away < cut, 1.0, np.where(away == cut, tie, 0.0))
        hits = np.full((2, release.people), np.nan)
        hits[:, tried] = claims.reshape(2, -1)
        return people_hits(*hits, _advantage(*hits))

    return attack


def _advantage(training, control):
    return {"Advantage, true minus false positive rate": (np.nanmean(training) - np.nanmean(control), np.nan)}


def nearest_record_share(training, control, synthetic, columns, *, most=2000, seed=0, draws=10):
    """Attack: see whether synthetic rows lie nearer to training people than to control people.

    The rate is the share of synthetic rows whose nearest real person is in the training part; the control
    rate is the rest, and a tie counts half to each. If the release gives nothing away both are about 50%.
    Ties and exact copies are reported apart, because a tie at distance zero can be a copy. Rows whose nearest
    person is the same one count together in the interval: a table far from everybody, which cannot leak, has
    few such persons, and it is luck in which part they are. For the
    worst-placed people, hit means that a synthetic row is an exact copy of them. Returns a `Risk`.

    Distance: the sum over `columns` of 1 for different categories and the difference in percentiles for
    numbers and dates, 1/2 to 3/2 where one is blank (Gower, Biometrics 27, 1971, with percentiles for
    ranges). At most `most` rows of each synthetic table, drawn at random, are compared with every person,
    so the time grows in line with the rows; copies are counted among all rows.
    Source: Platzer and Reutterer, Frontiers in Big Data 4 (2021).

    >>> people = pd.DataFrame({"age": range(20), "sex": ["F", "M"] * 10})
    >>> risk = nearest_record_share(people, people.assign(age=people["age"] + 0.5), people, ["age", "sex"])
    >>> risk.training, risk.control
    (1.0, 0.0)
    """
    columns = _tables.names(columns)
    release = Release(training, control, synthetic, columns, seed, draws)
    code, place = release.codes(columns), _places(release)
    count = _counts(code)
    _note_copies(release, code, count)
    if max(len(table) for table in release.synthetic) > most:
        release.notes.append(f"{most:,} rows of each synthetic table were compared, drawn at random.")

    def attack(table):
        tried = release.rng(2).permutation(len(code[table]))[:most]
        rows = place(table, tried)
        to_training, to_control = (_nearest(rows, place(part), who=True) for part in (TRAINING, CONTROL))
        about = np.where(to_training[0] <= to_control[0], to_training[1], to_control[1] + release.people)
        to_training, to_control = to_training[0], to_control[0]
        nearer = np.where(to_training == to_control, 0.5, to_training < to_control)
        ties = float((to_training == to_control).mean())
        copies = tuple(float((count[part][code[table]] > 0).mean()) for part in (TRAINING, CONTROL))
        copied = [(count[table][code[part]] > 0).astype(float) for part in (TRAINING, CONTROL)]
        details = {"Synthetic rows that are exact copies": copies, "Synthetic rows that tie": (ties, np.nan)}
        return Hits(nearer, 1 - nearer, *copied, details, about)

    question = "do synthetic rows lie nearer to training people than to control people?"
    return release.risk(
        "Nearest record share",
        question,
        columns,
        attack,
        counted="synthetic rows",
        hit_means="copied exactly by a synthetic row",
    )


def _note_copies(release, code, count):
    """Say first where rows are copies of training people: the nearest-record share can hide them."""
    rows = np.concatenate([code[2 + i] for i in range(len(release.synthetic))])
    training, control = (np.sum(count[part][rows] > 0) for part in (TRAINING, CONTROL))
    # The difference of two counts varies by about the square root of their sum.
    if training - control > 3 * np.sqrt(training + control):
        release.notes.append(
            f"Look at the copies first: {percent(training / len(rows))} of synthetic rows equal a training "
            f"person in all these columns, and {percent(control / len(rows))} equal a control person. Ties "
            "and averages can make a table that holds copies look safe on distance."
        )


def _release(training, control, synthetic, keys, seed, draws, more=(), depth=4):
    """A `Release` with its keys checked, and warned of where they are too fine."""
    keys = _tables.names(keys, "keys")
    release = Release(training, control, synthetic, [*keys, *more], seed, draws)
    for key in keys:
        _warn_if_too_fine(training[key], key, release.notes, depth)
    return release, keys


def _warn_if_too_fine(series, key, notes, depth, rows=100):
    """Warn where most people have a value of their own, so that exact matching will miss them."""
    present = series.dropna()
    if len(present) < rows or not (~present.duplicated(keep=False)).mean() > 0.5:
        return
    number = _tables.kind(series) == "number"
    advice = f"with band(table[{key!r}], width)" if number else "by the year of a date or a larger area"
    words = (
        f"Most people have a value of {key!r} that nobody else has, so an exact match will miss people an "
        f"intruder would find; group it first, for example {advice}."
    )
    notes.append(words)
    warnings.warn(words, UserWarning, stacklevel=depth)


def _with_target(training, control, synthetic, keys, target, seed, draws):
    """A `Release` with the codes of the keys and of the target."""
    if target in _tables.names(keys, "keys"):
        raise ValueError(f"{target!r} is both a key and the target; the intruder would know it already.")
    release, keys = _release(training, control, synthetic, keys, seed, draws, more=(target,), depth=5)
    if training[target].nunique(dropna=False) == 1:
        raise ValueError(
            f"Everybody has the same {target!r}, so there is nothing to guess; choose another target."
        )
    return release, keys, release.codes(keys), release.codes([target])


def _counts(code):
    """How many rows of each frame have each code: one array per frame, all of one length."""
    size = max(part.max() for part in code) + 1
    return [np.bincount(part, minlength=size) for part in code]


def _both_unique(code, count, part, table):
    """For each person of a part: are their keys unique there and in the synthetic table?"""
    return ((count[part] == 1) & (count[table] == 1))[code[part]].astype(float)


def _commonest(value):
    """The commonest code; of equally common ones, the one whose code is lowest."""
    return int(np.bincount(value).argmax())


def _guesses(code, value, size):
    """For each code the commonest value with it; the commonest of all where there is none."""
    overall = np.bincount(value)
    guess = np.full(size, _commonest(value))
    group, target, count = _tables.cells(code, value)
    order = np.lexsort((-target, overall[target], count))  # the last one written for a code wins
    guess[group[order]] = target[order]
    return guess


def _agreed(code, value, size):
    """For each code the value that all its rows share, or -1."""
    group, target, _ = _tables.cells(code, value)
    agreed = np.full(size, -1)
    alone = np.bincount(group, minlength=size)[group] == 1
    agreed[group[alone]] = target[alone]
    return agreed


def _places(release):
    """Return `place(frame, rows)`: people as two arrays for `_nearest`, their numbers and their categories.

    Each has one row per column, because distances are worked out a column at a time. A number is its
    percentile, 0 to 1; a blank is -1/2, which is 1 away from a typical number. A category is its code.
    """
    numbers, categories = [], []
    for column in release.columns:
        kind, parts = _tables.alike(column, [frame[column] for frame in release.frames], release.called)
        if kind == "text":
            code = release.codes([column])
            small = np.min_scalar_type(max(part.max() for part in code))
            categories.append([part.astype(small) for part in code])
        else:
            parts = _percentiles([part.to_numpy(dtype=float) for part in parts])
            numbers.append([np.nan_to_num(part, nan=-0.5).astype(np.float32) for part in parts])

    def place(frame, rows=slice(None)):
        return [part[frame][rows] for part in numbers], [part[frame][rows] for part in categories]

    return place


def _percentiles(parts):
    """Numbers as their place (0 to 1) among the real people's, so that one huge value does not rule.

    Values between two real ones fall between their places.
    """
    known = np.sort(np.concatenate([part[~np.isnan(part)] for part in parts[:2]]))
    values, first = np.unique(known, return_index=True)
    middle = (first + np.append(first[1:], len(known)) - 1) / 2 / max(1, len(known) - 1)
    return [np.where(np.isnan(part), np.nan, np.interp(part, values, middle)) for part in parts]


def _nearest(some, others, rows=64, piece=4096, who=False):
    """Distance from each of some people to the nearest of others: differences summed over the columns.

    With `who`, also where that other stands (the first of equally near ones). A block of so many `rows`
    against a `piece` of the others at a time, small enough for a processor's cache, on two cores. Every one
    is compared with every other, which is why callers bound `some`: a search tree is slower with more than a
    few columns.
    """
    from concurrent.futures import ThreadPoolExecutor

    size, against = (len((numbers + categories)[0]) for numbers, categories in (some, others))

    def nearest(start):
        one = [[part[start : start + rows, None] for part in parts] for parts in some]
        found, place = np.full(min(rows, size - start), np.inf), np.zeros(min(rows, size - start), dtype=int)
        for begin in range(0, against, piece):
            other = [[part[None, begin : begin + piece] for part in parts] for parts in others]
            away = _apart(one, other)
            least = away.min(axis=1)
            if who:
                place = np.where(least < found, begin + away.argmin(axis=1), place)
            found = np.minimum(found, least)
        return found, place

    with ThreadPoolExecutor(2) as pool:
        found, place = map(np.concatenate, zip(*pool.map(nearest, range(0, size, rows)), strict=True))
    found = found.round(5)  # so that distances that are equal but for rounding tie
    return (found, place) if who else found


def _apart(one, other):
    """Distances of a column of people to a row of others: a table of them."""
    shape = len((one[0] + one[1])[0]), (other[0] + other[1])[0].shape[1]
    away, each = np.zeros(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)
    for number, others in zip(one[0], other[0], strict=True):
        away += np.abs(np.subtract(number, others, out=each), out=each)
    unlike, differs = np.zeros(shape, dtype=np.min_scalar_type(len(one[1]))), np.empty(shape, dtype=bool)
    for category, others in zip(one[1], other[1], strict=True):
        unlike += np.not_equal(category, others, out=differs)
    return away + unlike
