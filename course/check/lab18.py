"""Exercises and quizzes of lab 18, Attacks."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right


def _number(value: object) -> float | None:
    """The value as a number, or None where it is no number."""
    import numpy as np

    if isinstance(value, bool) or not np.isscalar(value) or isinstance(value, str):
        return None
    return None if not np.isfinite(value) else float(value)


def disco(answer) -> Verdict:
    """Twelve people in a small town: the rates of DiSCO and of its likely mistakes all differ."""
    import pandas as pd

    town = [("N", 1, "Y"), ("N", 2, "N"), ("N", 3, "Y"), ("S", 1, "Y"), ("S", 1, "N")]
    town += [("S", 2, "N"), ("S", 2, "N"), ("S", 3, "Y"), ("E", 1, "N"), ("E", 2, "N")]
    town += [("W", 1, "N"), ("W", 1, "N")]
    # The rows agree for N1 (Y), N3 (N), S1 (Y) and E1 (N), and not for N2, S2 and W1. S3 and E2 have none.
    rows = [("N", 1, "Y"), ("N", 1, "Y"), ("N", 2, "N"), ("N", 2, "N"), ("N", 2, "Y"), ("N", 3, "N")]
    rows += [("S", 1, "Y"), ("S", 2, "N"), ("S", 2, "N"), ("S", 2, "Y"), ("E", 1, "N")]
    rows += [("W", 1, "N"), ("W", 1, "N"), ("W", 1, "Y")]
    part, release = (pd.DataFrame(table, columns=["area", "size", "ill"]) for table in (town, rows))
    given = answer(part.copy(), release.copy(), ["area", "size"], "ill")
    if given is None:
        return not_attempted("let the function return a share, then run this cell again.")
    share = _number(given)
    if share is None:
        return not_yet(f"the function must return one number; it returned a {type(given).__name__}.")
    if abs(share - 3 / 12) < 1e-9:
        return right(
            "rows that agree, and are right, as a share of everybody. Now the same on the control, always."
        )
    if abs(share - 3 / 5) < 1e-9:
        return not_yet(
            "that is TCAP: you divide by the people for whom the rows agree. DiSCO divides by all people of "
            "the part."
        )
    if abs(share - 5 / 12) < 1e-9:
        return not_yet("that is everybody for whom the rows agree. Count only those for whom they are right.")
    if min(abs(share - 8 / 12), abs(share - 9 / 12)) < 1e-9:
        return not_yet(
            "that counts people whose commonest value is right. The rows with their keys must *all* agree, "
            "and people without such rows do not count."
        )
    if share > 1:
        return not_yet("that is a count and not a share: divide by the number of people in the part.")
    return not_yet(
        "in a small town of twelve people, three are disclosed. Group the release by the keys, keep groups "
        "with one value of the target, and compare with each person's own."
    )


def low_end(answer) -> Verdict:
    """Twenty training people and twenty of the control, with ties."""
    import pandas as pd

    training = [9, 9, 8, 8, 7, 7, 6, 6, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    others = [8, 7, 6, 6, 5, 5, 4, 4, 4, 4, 3, 3, 3, 2, 2, 2, 1, 1, 1, 1]
    table = pd.DataFrame({"part": ["training"] * 20 + ["control"] * 20, "score": training + others})
    wanted = {0.01: 0.1, 0.07: 0.2, 0.12: 0.3, 0.22: 0.5}
    given = {}
    for allowed in wanted:
        value = answer(table.copy(), allowed)
        if value is None:
            return not_attempted("let the function return a share, then run this cell again.")
        given[allowed] = _number(value)
        if given[allowed] is None:
            return not_yet(f"the function must return one number; it returned a {type(value).__name__}.")

    def all_equal(others_):
        return all(abs(given[a] - value) < 1e-9 for a, value in zip(wanted, others_, strict=True))

    if all_equal(wanted.values()):
        return right("with ties and all. An honest limit looks at the control, and at nobody else.")
    if len(set(given.values())) == 1:
        return not_yet(
            "your figure is the same whatever the share of false alarms. The AUC is like that: here the "
            "limit on the score must follow from `false_alarms`."
        )
    if given[0.22] <= 0.25 and given[0.01] <= 0.06:
        return not_yet(
            "you set the limit by the *training* people, or count the control. The limit follows from the "
            "control; what it claims is counted among the training people."
        )
    if any(given[allowed] > wanted[allowed] + 1e-9 for allowed in wanted):
        return not_yet(
            "too many: at your limit more of the control is claimed than is allowed. People with the *same* "
            "score are claimed together, so a limit that falls on a tie may claim too many."
        )
    return not_yet(
        "too few: a lower limit claims more of the training people, and still no more of the control than "
        "is allowed. A score equal to the limit is claimed."
    )


def _areas(table) -> dict:
    """The AUC of the attack `ipf` for each victim."""

    def area(rows):
        rank, inside = rows["ipf"].rank(), rows["part"] == "training"
        n, others = inside.sum(), (~inside).sum()
        return (rank[inside].sum() - n * (n + 1) / 2) / (n * others)

    return {person: area(rows) for person, rows in table.groupby("person")}


def worst(answer: list, first, second) -> Verdict:
    import numpy as np

    given = {int(person) for person in answer}
    if len(given) != 5 or not given <= set(first["person"]):
        return not_yet("give five different numbers from the column `person`, which runs from 0 to 79.")
    before, after = _areas(first), _areas(second)

    def mean(areas, people):
        return float(np.mean([areas[person] for person in people]))

    def top(areas):
        return set(sorted(areas, key=areas.get)[-5:])

    limit = sorted(before.values())[-5]
    if all(before[person] >= limit for person in given):
        return right(
            f"their mean AUC is {mean(before, given):.2f} in the first half and {mean(after, given):.2f} in "
            f"the second; that of all eighty is {mean(after, after):.2f} there. Part of what made them the "
            "worst was luck, and only the second figure may go into a report."
        )
    if given == top(after):
        return not_yet(
            "those are the worst in the *second* half. If you choose where you measure, luck counts twice: "
            "choose in the first half."
        )
    if given == top({p: -area for p, area in before.items()}):
        return not_yet("those have the *lowest* AUC in the first half: they are the best hidden.")
    if given == top(first.groupby("person")["ipf"].mean().to_dict()):
        return not_yet(
            "those have the highest scores. But their scores may be high in every table, whether they are in "
            "it or not: compare the two, with `auc`."
        )
    hidden = sorted(given - {p for p, area in before.items() if area >= limit})
    return not_yet(
        f"person {hidden[0]} is not among the five with the highest AUC in the first half. Work out `auc` "
        "for each victim, on the column `ipf` renamed to `score`."
    )


EXERCISES = {
    "lab18-disco": Exercise(
        "DiSCO by hand",
        "a function of a part, a release, the keys and a target that returns a share",
        disco,
        (
            Wrong(
                "def my_disco(part, release, keys, target):\n"
                "    groups = release.groupby(keys)[target]\n"
                "    certain = groups.first()[groups.nunique() == 1]\n"
                "    says = certain.reindex(pd.MultiIndex.from_frame(part[keys]))\n"
                "    return (says.to_numpy() == part[target].to_numpy()).sum() / says.notna().sum()",
                "that is TCAP",
            ),
            Wrong(
                "def my_disco(part, release, keys, target):\n"
                "    groups = release.groupby(keys)[target]\n"
                "    certain = groups.first()[groups.nunique() == 1]\n"
                "    return certain.reindex(pd.MultiIndex.from_frame(part[keys])).notna().mean()",
                "only those for whom they are right",
            ),
            Wrong(
                "def my_disco(part, release, keys, target):\n"
                "    likely = release.groupby(keys)[target].agg(lambda v: v.mode()[0])\n"
                "    says = likely.reindex(pd.MultiIndex.from_frame(part[keys])).to_numpy()\n"
                "    return (says == part[target].to_numpy()).mean()",
                "commonest value",
            ),
            Wrong(
                "def my_disco(part, release, keys, target):\n"
                "    groups = release.groupby(keys)[target]\n"
                "    certain = groups.first()[groups.nunique() == 1]\n"
                "    says = certain.reindex(pd.MultiIndex.from_frame(part[keys])).to_numpy()\n"
                "    return (says == part[target].to_numpy()).sum()",
                "a count and not a share",
            ),
        ),
    ),
    "lab18-low-end": Exercise(
        "The low end",
        "a function of a table of scores and a share of false alarms that returns a share",
        low_end,
        (
            Wrong("def my_caught(scores, false_alarms):\n    return auc(scores)", "whatever the share"),
            Wrong(
                "def my_caught(scores, false_alarms):\n"
                "    training = scores.loc[scores['part'] == 'training', 'score']\n"
                "    others = scores.loc[scores['part'] == 'control', 'score']\n"
                "    return (others > training.quantile(1 - false_alarms)).mean()",
                "count the control",
            ),
            Wrong(
                "def my_caught(scores, false_alarms):\n"
                "    training = scores.loc[scores['part'] == 'training', 'score']\n"
                "    others = scores.loc[scores['part'] == 'control', 'score']\n"
                "    limit = others.sort_values(ascending=False).iloc[int(false_alarms * len(others))]\n"
                "    return (training >= limit).mean()",
                "too many",
            ),
            Wrong(
                "def my_caught(scores, false_alarms):\n"
                "    training = scores.loc[scores['part'] == 'training', 'score']\n"
                "    others = scores.loc[scores['part'] == 'control', 'score']\n"
                "    limits = [x for x in others.unique() if (others >= x).mean() <= false_alarms]\n"
                "    return max([(training > x).mean() for x in limits], default=0)",
                "too few",
            ),
        ),
    ),
    "lab18-worst": Exercise(
        "Name the worst placed",
        "a list of five numbers of victims",
        worst,
        (
            Wrong(
                "my_five = [p for _, p in sorted((auc(r.rename(columns={'ipf': 'score'})), p) "
                "for p, r in second.groupby('person'))][-5:]",
                "luck counts twice",
            ),
            Wrong(
                "my_five = [p for _, p in sorted((auc(r.rename(columns={'ipf': 'score'})), p) "
                "for p, r in first.groupby('person'))][:5]",
                "best hidden",
            ),
            Wrong(
                "my_five = list(first.groupby('person')['ipf'].mean().nlargest(5).index)",
                "in every table",
            ),
            Wrong("my_five = [0, 1, 2, 3, 4]", "not among the five"),
            Wrong("my_five = [1, 1, 2]", "five different numbers"),
        ),
    ),
}

QUIZZES = {
    "lab18-low": Quiz(
        "Two attacks have the same AUC. Half of the people tried are in the data. With one false alarm in a "
        "hundred, the first catches one person in a hundred and the second thirty. Which does more harm?",
        (
            Option(
                "Neither: the AUC is the same.",
                "the AUC averages over all limits. The second attack is nearly sure of many people.",
            ),
            Option(
                "The second: its surest claims are nearly all right.",
                "an intruder acts on claims they are sure of. That is what the low end shows.",
                right=True,
            ),
            Option(
                "The first: it makes fewer false alarms.",
                "both make one in a hundred. The first is then no better than a guess.",
            ),
        ),
    ),
    "lab18-nothing": Quiz(
        "Five attacks found nothing in the table made with `ipf`, and the shadow syntheses found a little. "
        "What do you write?",
        (
            Option(
                "Five of six attacks found nothing, so the table is safe.",
                "attacks are not votes. One that works is one, however many do not.",
            ),
            Option(
                "All six, each with its intruder, and that unusual households leave a small trace.",
                "that is what was seen. The reader can weigh how likely such an intruder is.",
                right=True,
            ),
            Option(
                "Nothing of the sixth, since no real intruder knows so much.",
                "whether that intruder is likely is for the data owner to judge, who must be told.",
            ),
        ),
    ),
    "lab18-keys": Quiz(
        "With eight keys in place of five, fewer households in the data are disclosed, but the gap to the "
        "control is about the same. May you report the eight alone, as the intruder who knows most?",
        (
            Option(
                "Yes: more knowledge is the harder test.",
                "not for an intruder who wants equality in every key. Such a search misses near matches.",
            ),
            Option(
                "No: report several sets of keys, each beside its control.",
                "who knows eight things also knows five of them, and can leave the others out.",
                right=True,
            ),
            Option(
                "Neither: the number of keys makes no difference.",
                "the chart showed a gap of nearly nought with one key, and a wide one with five.",
            ),
        ),
    ),
}
