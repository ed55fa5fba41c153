"""Exercises and quizzes of lab 15, Fidelity."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right


def four_files(real, control) -> dict:
    """The files of the second exercise: {letter: (rows it was made from, the file)}."""
    import pandas as pd

    half = len(real) // 2
    copies = real.sample(frac=0.85, random_state=1)
    others = real.sample(len(real) - len(copies), replace=True, random_state=2)
    drawn = real.sample(frac=1, replace=True, random_state=3)
    age = drawn["reference_age"]
    return {
        "A": (real, drawn.assign(reference_age=age.where(age < 45, age - 8))),
        "B": (real, pd.concat([copies, others], ignore_index=True)),
        "C": (real.sample(half // 5, random_state=4), control),
        "D": (real, real.sample(frac=1, replace=True, random_state=6)),
    }


def next_version(table):
    """The delivery of the third exercise: groups under twenty households are joined to "any other"."""
    few = table["ethnic_group"].map(table["ethnic_group"].value_counts()) < 20
    return table.assign(ethnic_group=table["ethnic_group"].mask(few, "OOTH"))


def distance(answer) -> Verdict:
    import pandas as pd

    plain = pd.Series(list("aabb")), pd.Series(list("abbb"))
    cases = [
        (plain, 0.25, "for a, a, b, b and a, b, b, b"),
        ((plain[0], pd.Series(list("ab" * 10))), 0.0, "where one column is five times as long as the other"),
        ((plain[0], pd.Series(list("abcc"))), 0.5, "where a value is found in the second column only"),
        ((pd.Series(list("abdd")), plain[0]), 0.5, "where a value is found in the first column only"),
        ((plain[0], pd.Series(["a", "b", None, None])), 0.5, "where half of the second column is blank"),
    ]
    hints = {
        "where one column is five times": "compare shares of rows, not counts.",
        "where a value": "a value that one column lacks has the share 0 there: it must not fall out of it.",
        "where half": "a blank is a value too: value_counts leaves blanks out unless told otherwise.",
    }
    for (first, second), wanted, where in cases:
        given = answer(first.copy(), second.copy())
        if given is None:
            return not_attempted("let the function return a number, then run this cell again.")
        if abs(given - wanted) > 1e-9:
            if where == cases[0][2] and abs(given - 2 * wanted) < 1e-9:
                return not_yet(
                    "that is twice the distance. Whoever moves leaves one value and joins another: halve it."
                )
            hint = next((text for begin, text in hints.items() if where.startswith(begin)), "")
            return not_yet(f"{where}, it gives {given:.3g} and should give {wanted:.3g}. {hint}".rstrip())
    return right("blanks, new values and different lengths are all taken care of.")


_READINGS = {"A": "told apart", "B": "too close", "C": "fresh", "D": "correct"}


def ratio(answer: dict, files) -> Verdict:
    from course.measure import fidelity

    if all(given is None for given in answer.values()):
        return not_attempted("write one of the four readings for each letter, then run this cell again.")
    for letter, wanted in _READINGS.items():
        given = answer.get(letter)
        if given == wanted:
            continue
        if given is None:
            return not_yet(f"there is no reading yet for {letter}.")
        if given not in _READINGS.values():
            return not_yet(f"{letter}: write 'correct', 'fresh', 'told apart' or 'too close'.")
        got = fidelity.pmse(*files[letter])
        said = f"{letter}: the ratio is {got.ratio:.2g}, and fresh people would give {got.fresh_sample:.2g}."
        if wanted == "fresh":
            return not_yet(f"{said} The file is longer than the rows it was made from: c is not a half.")
        if wanted == "too close":
            return not_yet(f"{said} A correct synthesis gives about 1: this is far below chance.")
        if wanted == "told apart":
            return not_yet(f"{said} The tables have equal size, so this is far beyond the mark.")
        return not_yet(f"{said} A correct synthesis gives about 1, give or take some chance.")
    return right(
        "A and C have ratios of one order, and only A is at fault: C is real people. B is far below chance. "
        "D is real rows drawn again: a good ratio, and no privacy at all."
    )


def groups(answer: dict, real, control, delivered) -> Verdict:
    from course.measure import fidelity

    if all(given is None for given in answer.values()):
        return not_attempted("fill in both, then run this cell again.")
    if answer["gone"] is None or answer["worst"] is None:
        return not_yet("one of the two is still to be filled in.")
    named = ("ethnic_group", "tenure")
    got = fidelity.by_group(real, delivered, *named).set_index("group")
    chance = fidelity.by_group(real, control, *named).set_index("group")
    gone, said = set(got.index[got["rows_synthetic"] == 0]), answer["gone"]
    said = {said} if isinstance(said, str) else set(said)
    if not said:
        return not_yet("some groups are gone. Where a group has no synthetic rows, its value is missing.")
    if said - gone:
        return not_yet(f"{', '.join(sorted(said - gone))}: still there. Look at rows_synthetic.")
    if said < gone:
        return not_yet(f"those are gone, but they are not all: there are {len(gone)}.")
    worst = answer["worst"]
    excess = (got["value"] - chance["value"])[got["rows_original"] >= 100]
    if worst == excess.idxmax():
        return right(
            f"{', '.join(sorted(gone))} are gone, and the average did not notice. {worst} is "
            f"there, and {excess.max():.2f} further from the real one than other real people are."
        )
    if worst in gone:
        return not_yet("the worst group must still be there to have a distance.")
    if worst not in got.index:
        return not_yet(f"{worst!r} is not a code of ethnic_group.")
    if got.loc[worst, "rows_original"] < 100:
        return not_yet(
            f"{worst} has {got.loc[worst, 'rows_original']} households: too few to tell a fault from chance. "
            "Take groups of a hundred or more."
        )
    return not_yet(
        f"for {worst} the distance is {excess[worst]:+.2f} from the control's. Another is further above it."
    )


EXERCISES = {
    "lab15-distance": Exercise(
        "Total variation, for any two columns",
        "a function of two columns that returns a number",
        distance,
        (
            Wrong(
                "def my_distance(a, b):\n"
                "    a, b = (x.value_counts(normalize=True, dropna=False) for x in (a, b))\n"
                "    return a.sub(b, fill_value=0).abs().sum()",
                "twice the distance",
            ),
            Wrong(
                "def my_distance(a, b):\n    n = len(a)\n"
                "    a, b = (x.value_counts(dropna=False) for x in (a, b))\n"
                "    return a.sub(b, fill_value=0).abs().sum() / n / 2",
                "shares of rows",
            ),
            Wrong(
                "def my_distance(a, b):\n"
                "    a, b = (x.value_counts(normalize=True, dropna=False) for x in (a, b))\n"
                "    return (a - b).abs().sum() / 2",
                "fall out of it",
            ),
            Wrong(
                "def my_distance(a, b):\n    a, b = (x.value_counts(normalize=True) for x in (a, b))\n"
                "    return a.sub(b, fill_value=0).abs().sum() / 2",
                "a blank is a value",
            ),
        ),
    ),
    "lab15-ratio": Exercise(
        "Read the pMSE ratio of four files",
        "a reading for each of the four letters",
        ratio,
        (
            Wrong(
                "my_reading = {'A': 'told apart', 'B': 'too close', 'C': 'told apart', 'D': 'correct'}",
                "c is not a half",
            ),
            Wrong(
                "my_reading = {'A': 'told apart', 'B': 'correct', 'C': 'fresh', 'D': 'correct'}",
                "far below chance",
            ),
            Wrong(
                "my_reading = {'A': 'fresh', 'B': 'too close', 'C': 'fresh', 'D': 'correct'}",
                "far beyond the mark",
            ),
            Wrong(
                "my_reading = {'A': 'told apart', 'B': 'too close', 'C': 'fresh', 'D': 'too close'}",
                "give or take",
            ),
        ),
    ),
    "lab15-groups": Exercise(
        "Who is lost, and who is wrong",
        "a dict with a list of codes under 'gone' and a code under 'worst'",
        groups,
        (
            Wrong("my_groups = {'gone': [], 'worst': 'BAFR'}", "some groups are gone"),
            Wrong("my_groups = {'gone': ['WIRT'], 'worst': 'BAFR'}", "they are not all"),
            Wrong("my_groups = {'gone': ['WBRI'], 'worst': 'BAFR'}", "still there"),
            Wrong(
                "_got = fidelity.by_group(real, delivered, 'ethnic_group', 'tenure').set_index('group')\n"
                "my_groups = {'gone': list(_got.index[_got['rows_synthetic'] == 0]),\n"
                "             'worst': _got['value'].idxmax()}",
                "too few to tell",
            ),
            Wrong(
                "_got = fidelity.by_group(real, delivered, 'ethnic_group', 'tenure').set_index('group')\n"
                "my_groups = {'gone': list(_got.index[_got['rows_synthetic'] == 0]), 'worst': 'WBRI'}",
                "further above it",
            ),
        ),
    ),
}

QUIZZES = {
    "lab15-score": Quiz(
        "A data sheet gives an average column similarity that is higher than that of fresh real people. What "
        "does it show?",
        (
            Option(
                "The table is better than real data.",
                "it is closer to this one sample than other people are. It may hold no relationship at all.",
            ),
            Option(
                "Single columns are kept. It says nothing of relationships, of groups or of privacy.",
                "a table whose columns know nothing of each other reaches it too.",
                right=True,
            ),
            Option(
                "The table must hold copies.",
                "a correct synthesis is closer than fresh people too: it differs by one chance, they by two.",
            ),
        ),
    ),
    "lab15-two": Quiz(
        "Two tables of equal size: the pMSE ratio of a synthetic table is two. What do you say?",
        (
            Option(
                "It failed: a correct synthesis has one.",
                "other real people would score two on average. That is nothing to fail a table for.",
            ),
            Option(
                "It is as far from the original as other real people are. Now tell me the order.",
                "two is the mark of fresh people at equal sizes, and at order one a table can lose every "
                "relationship and still get there.",
                right=True,
            ),
            Option(
                "It is twice as bad as the control.",
                "it scores about two itself: it and the original each differ from the truth by chance.",
            ),
        ),
    ),
    "lab15-below": Quiz(
        "Trees reach an AUC of 0.30 on a synthetic table. What is the likely reason?",
        (
            Option(
                "The synthesis is so good that the trees are confused.",
                "a perfect synthesis leaves them guessing, at a half. Being wrong on purpose takes a reason.",
            ),
            Option(
                "Rows of the original stand in the synthetic table.",
                "the trees learn that a row is real, then meet its twin that is synthetic. Look for copies.",
                right=True,
            ),
            Option(
                "There are too few rows.",
                "few rows make the interval wide. They do not push the AUC below a half.",
            ),
        ),
    ),
}
