"""Exercises and quizzes of lab 12, Histories."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right


def _shared_years():
    """Nine people with three years each, out of order: of those absent, half are absent next year."""
    import pandas as pd

    states = ["YYN", "YYN", "YNN", "NYY", "YYY", "YNN", "NNN", "YYN", "YNY"]
    rows = [(f"p{i}", 2021 + k, state) for i, history in enumerate(states) for k, state in enumerate(history)]
    return pd.DataFrame(rows, columns=["person", "year", "absent"]).sample(frac=1, random_state=3)


def _shares(table) -> dict:
    """The right share, and those that the likely mistakes give, by what to say of them."""
    ranked = table.sort_values(["person", "year"])
    following = ranked.groupby("person")["absent"].shift(-1)
    absent = ranked["absent"] == "Y"
    next_absent = following == "Y"
    return {
        "right": next_absent[absent & following.notna()].mean(),
        "last years have no next year: leave them out, do not count them as not absent.": next_absent[
            absent
        ].mean(),
        "that is the share among all rows. Ask only about the rows with absent Y.": next_absent[
            following.notna()
        ].mean(),
        "that is the other way round: of those absent next year, the share absent now.": absent[
            next_absent
        ].mean(),
        "the next row may be another person's: shift inside each person, with groupby.": (
            ranked["absent"].shift(-1) == "Y"
        )[absent].mean(),
    }


def transition(answer) -> Verdict:
    import math

    table = _shared_years()
    given = answer(table.copy())
    if given is None:
        return not_attempted("let the function return a share, then run this cell again.")
    shares = _shares(table)
    if math.isclose(given, shares.pop("right")):
        return right(
            "each person's rows in order, the next row of the same person, and no guess for the last."
        )
    for why, share in shares.items():
        if math.isclose(given, share):
            return not_yet(why)
    unsorted = table.groupby("person")["absent"].shift(-1)
    if math.isclose(given, (unsorted == "Y")[(table["absent"] == "Y") & unsorted.notna()].mean()):
        return not_yet("the rows come in any order: sort them by person and year first.")
    return not_yet(
        f"for the check's own table it gives {given:.3f}. Sort by person and year, shift inside each "
        f"person, and "
        "take the rows with absent Y that have a next year."
    )


def mend(answer, drawn, dataset) -> Verdict:
    from course.data import broken_rules

    made = answer(drawn.copy())
    if made is None:
        return not_attempted("let the function return a table, then run this cell again.")
    if list(made.columns) != list(drawn.columns) or len(made) != len(drawn):
        return not_yet("the table you return should have the same columns and rows as the one given.")
    counted = ["attended_sessions", "authorised_absence_sessions", "unauthorised_absence_sessions"]
    others = [column for column in drawn if column not in (*counted, "persistent_absentee")]
    changed = [column for column in others if not made[column].equals(drawn[column])]
    if changed:
        return not_yet(f"{changed[0]} has changed, and should stay as it was drawn.")
    if (made[counted] < 0).any().any():
        return not_yet("some sessions are negative: more were taken away than there were.")
    broken = broken_rules({"years": made}, dataset).set_index("rule")["broken"]
    if count := broken["sessions-add-up"]:
        return not_yet(f"in {count:,} rows the three do not add up to the possible sessions.")
    if count := broken["persistent-means-ten-per-cent"]:
        return not_yet(f"the sums hold; in {count:,} rows persistent_absentee does not fit them.")
    moved = (made["attended_sessions"] - drawn["attended_sessions"]).abs().mean()
    if moved > 5:
        return not_yet(
            f"everything adds up, but attendance moved by {moved:.0f} sessions on average, so that "
            f"the histories "
            "are no longer those that were drawn. Change the absences instead."
        )
    return right("the sums hold in every row, the flag follows from them, and attendance is as it was drawn.")


def blur(answer, attended) -> Verdict:
    from course.measure import privacy

    widths = (5, 10, 20, 40, 80)
    if answer not in widths:
        return not_yet(f"answer with one of {', '.join(map(str, widths))}.")

    def alone(width):
        bands = attended.apply(privacy.band, width=width)
        return (privacy.group_sizes(bands, list(bands)) == 1).mean()

    share = alone(answer)
    if share >= 0.1:
        return not_yet(f"at {answer} still {share:.0%} of the pupils are alone.")
    narrower = [width for width in widths if width < answer and alone(width) < 0.1]
    if narrower:
        return not_yet(f"at {answer} it is {share:.1%}; {narrower[0]} blurs less and is enough.")
    return right(
        f"at {answer} it is {share:.1%}. Alone in a sample is not alone among all pupils, but an "
        f"intruder who "
        "knows that somebody is in the data need not care."
    )


EXERCISES = {
    "lab12-transition": Exercise(
        "The share absent again next year",
        "a function of a table that returns a share",
        transition,
        (
            Wrong(
                "def my_transition(t):\n    n = t.groupby('person')['absent'].shift(-1)\n"
                "    return (n[(t['absent'] == 'Y') & n.notna()] == 'Y').mean()",
                "sort them",
            ),
            Wrong(
                "def my_transition(t):\n    t = t.sort_values(['person', 'year'])\n"
                "    n = t.groupby('person')['absent'].shift(-1)\n    return (n[t['absent'] == 'Y'] "
                "== 'Y').mean()",
                "leave them out",
            ),
            Wrong(
                "def my_transition(t):\n    t = t.sort_values(['person', 'year'])\n"
                "    return (t['absent'].shift(-1) == 'Y')[t['absent'] == 'Y'].mean()",
                "another person's",
            ),
            Wrong(
                "def my_transition(t):\n    t = t.sort_values(['person', 'year'])\n"
                "    n = t.groupby('person')['absent'].shift(-1)\n    return (t['absent'] == 'Y')[n "
                "== 'Y'].mean()",
                "other way round",
            ),
        ),
    ),
    "lab12-mend": Exercise(
        "Sums that add up again",
        "a function of a table that returns a table",
        mend,
        (
            Wrong(
                "def my_mended(t):\n    t['attended_sessions'] = t['possible_sessions'] - "
                "t['authorised_absence_sessions'] - t['unauthorised_absence_sessions']\n    return t",
                "negative",
            ),
            Wrong(
                "def my_mended(t):\n    t['possible_sessions'] = t[['attended_sessions', "
                "'authorised_absence_sessions', 'unauthorised_absence_sessions']].sum(axis=1)\n    return t",
                "possible_sessions has changed",
            ),
            Wrong(
                "def my_mended(t):\n    t['attended_sessions'] = t['possible_sessions']\n"
                "    t['authorised_absence_sessions'] = t['unauthorised_absence_sessions'] = 0\n"
                "    t['persistent_absentee'] = 'N'\n    return t",
                "no longer those",
            ),
            Wrong(
                "def my_mended(t):\n    p = t['possible_sessions']\n"
                "    t['attended_sessions'] = t['attended_sessions'].clip(upper=p)\n"
                "    t['authorised_absence_sessions'] = 0\n"
                "    t['unauthorised_absence_sessions'] = p - t['attended_sessions']\n    return t",
                "does not fit them",
            ),
        ),
    ),
    "lab12-blur": Exercise(
        "The narrowest band for sessions attended",
        "one of the widths",
        blur,
        (
            Wrong("my_width = 5", "are alone"),
            Wrong("my_width = 80", "blurs less"),
            Wrong("my_width = 25", "answer with one of"),
        ),
    ),
}

QUIZZES = {
    "lab12-chain": Quiz(
        "The synthetic histories come from a Markov chain. An analyst finds that, for pupils absent "
        "this year, the "
        "year before last makes no difference. What does that say about real pupils?",
        (
            Option(
                "That the year before last makes no difference.",
                "the chain cannot show one: it draws each year from the year before and nothing else.",
            ),
            Option(
                "Nothing: the method cannot carry such a difference, whatever the real records say.",
                "ask what a method can carry before you read anything from what it made.",
                right=True,
            ),
            Option(
                "That it makes a large difference, which the chain has hidden.",
                "it may or may not; these histories cannot tell.",
            ),
        ),
    ),
    "lab12-network": Quiz(
        "A supplier offers histories from a deep network, 'because it learns patterns that simple "
        "models miss'. "
        "What do you ask for?",
        (
            Option(
                "The number of its layers.",
                "size says what a network could learn, not what it did.",
            ),
            Option(
                "The patterns you need, measured in its histories beside the real ones and beside a "
                "simple chain.",
                "a baseline that costs nothing is the first thing to beat.",
                right=True,
            ),
            Option(
                "Nothing: a network contains the chain as a special case.",
                "it could represent the chain. Whether training got there must be measured.",
            ),
        ),
    ),
    "lab12-print": Quiz(
        "Nearly every pupil is alone with the sessions attended in three years, in the data and in "
        "the control. "
        "Is that the risk of the release?",
        (
            Option(
                "Yes: whoever is alone is exposed.",
                "they are alone in the real data, which nobody releases. What matters is what the "
                "release shows.",
            ),
            Option(
                "No: it says how easily somebody would be recognised, if the release held their history.",
                "so the next question is whether it holds real histories, more of people in the data "
                "than of the "
                "control.",
                right=True,
            ),
            Option(
                "No: the control shows the same, so there is no risk at all.",
                "the control shows that it is the nature of histories. A release that copies them is "
                "a risk all "
                "the same.",
            ),
        ),
    ),
}
