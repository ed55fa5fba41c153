"""Exercises and quizzes of lab 21, Output checking."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_yet, right, sort_into


def unsafe(answer: list, cells) -> Verdict:
    if isinstance(answer, dict) or not all(isinstance(name, str) for name in answer):
        return not_yet("give a list of codes of divisions in quotes, such as ['01', '02'].")
    given = {answer} if isinstance(answer, str) else set(answer)
    unknown = sorted(given - set(cells["division"]))
    if unknown or not given:
        what = f"{unknown[0]!r} is no code of a division here" if unknown else "the list is empty"
        return not_yet(f"{what}. Take codes from the column `division`.")
    divisions = cells.set_index("division")
    few = set(divisions.index[divisions["rows"] < 10])
    ratio, share = (set(divisions.index[bad]) for bad in (divisions["p_ratio"] < 0.1, divisions["nk"] >= 0.9))
    if given == few | ratio | share:
        return right(
            f"{len(given)} of {len(divisions)} divisions, {len((ratio | share) - few)} of them with 10 firms "
            "or more. A threshold alone would have let those out."
        )
    if given == few:
        return not_yet("those have fewer than 10 firms. Which larger cells belong to one or two firms?")
    if given == ratio | share:
        return not_yet("those are dominated. The threshold finds others: a cell needs 10 firms as well.")
    if given == set(divisions.index) - (few | ratio | share):
        return not_yet("you have the safe ones. The list is to hold those that may not be published.")
    if given in (few | ratio, few | share):
        name = "NK rule, `nk` of nine tenths or more" if given == few | ratio else "p-ratio"
        return not_yet(f"one rule of dominance is not applied yet: the {name}. One broken rule is enough.")
    if given == few & (ratio | share):
        return not_yet(
            "you have the cells that break both kinds of rule. One broken rule is enough: use `|`."
        )
    wrong = sorted(given - (few | ratio | share))
    if wrong:
        row = divisions.loc[wrong[0]]
        return not_yet(
            f"{wrong[0]} passes all three rules: {row['rows']:.0f} firms, p-ratio {row['p_ratio']:.2f}, "
            f"share of the two largest {row['nk']:.2f}."
        )
    missing = sorted((few | ratio | share) - given)
    return not_yet(f"{len(missing)} more break a rule, {missing[0]} among them. Look at each of the three.")


def mend(answer: list, counts, small, bounds) -> Verdict:
    extra = [answer] if isinstance(answer, tuple) else list(answer)
    known = set(counts.stack().index)
    for cell in extra:
        if not isinstance(cell, tuple | list) or tuple(cell) not in known:
            return not_yet(f"{cell!r} is no cell here. Write pairs of type and tenure, as ('CDC', 'SR').")
    extra = list(dict.fromkeys(tuple(cell) for cell in extra))
    if not extra:
        return not_yet(
            "with nothing more hidden, the totals give all four away. Which line has one hole only?"
        )
    if set(extra) & set(small):
        return not_yet(f"{(set(extra) & set(small)).pop()} is hidden already. Choose among the other cells.")
    if len(extra) > 3:
        return not_yet(
            f"{len(extra)} more cells are hidden, and up to three are allowed. Each costs the reader a "
            "result: two can be enough."
        )
    ranges = bounds(counts, [*small, *extra])
    width = {cell: high - low for cell, (low, high) in ranges.items()}
    narrow = [cell for cell in width if width[cell] < 5]
    if not narrow:
        return right(
            f"with {len(extra)} more cells hidden, each hidden count has a range of {min(width.values())} or "
            "more. You paid with harmless results, which is what secondary suppression costs."
        )
    lonely = [cell for cell in extra if width[cell] == 0]
    if lonely:
        return not_yet(
            f"{lonely[0]} itself can be worked out, so hiding it helps nobody. It needs company in its row "
            "and in its column."
        )
    if width[narrow[0]] == 0:
        return not_yet(
            f"{narrow[0]} can still be worked out exactly. Look for a row or a column with a single hole, "
            "and fill in from there."
        )
    low, high = ranges[narrow[0]]
    return not_yet(
        f"{narrow[0]} is known to lie from {low} to {high}, which is too near. Hide cells with larger counts "
        "in its row and its column."
    )


_NESTED = {("A", "B"), ("A", "C"), ("A", "D"), ("B", "D")}


def pair(answer: list, tables: dict) -> Verdict:
    letters = sorted({str(letter).strip().upper() for letter in answer})
    if len(letters) != 2 or not set(letters) <= set(tables):
        return not_yet("give two different letters out of A, B, C and D, as ['A', 'B'].")
    if tuple(letters) not in _NESTED:
        return not_yet(
            "neither of these two selections holds the other, so a subtraction gives no group of households."
        )
    between = (tables[letters[0]] - tables[letters[1]]).abs()
    nearest = {nested: (tables[nested[0]] - tables[nested[1]]).abs().sum() for nested in _NESTED}
    if tuple(letters) == min(nearest, key=nearest.get):
        return right(
            f"between them are {between.sum()} households in {int((between > 0).sum())} regions: large "
            f"renting families. No count in either table is below {min(tables[x].min() for x in letters)}."
        )
    return not_yet(
        f"they nest, but {between.sum()} households lie between them, and {between.min()} in the region with "
        "the fewest. Another pair is far closer."
    )


_QUEUE = {
    "A": ("accept", "it passes, no other table is near it, and a safe result that stays has a cost too"),
    "B": ("ask", "alone it passes. Subtract it from the table of last month: one firm lies between them"),
    "C": (
        "refuse",
        "a maximum is the turnover of one firm. A pass counts the firms beside it, and no change "
        "to the table makes it a statistic",
    ),
    "D": (
        "ask",
        "nobody has checked it, and sums by industry can be mended: through ACRO, and cells withheld",
    ),
    "E": (
        "accept",
        "thousands of degrees of freedom and no groups in disguise: this is as safe as outputs get",
    ),
    "F": ("refuse", "those are rows of the data. Removing a column leaves the rows"),
}


def queue(answer: dict) -> Verdict:
    return sort_into(
        answer,
        _QUEUE,
        "two go, two come back better, two stay. A pass was not enough for B and C, and D may turn out fine.",
        what="output",
    )


EXERCISES = {
    "lab21-unsafe": Exercise(
        "Find the unsafe cells",
        "a list of codes of divisions",
        unsafe,
        (
            Wrong("my_unsafe = list(by_division.query('rows < 10')['division'])", "larger cells"),
            Wrong(
                "my_unsafe = list(by_division.query('p_ratio < 0.1 or nk >= 0.9')['division'])",
                "the threshold finds others",
            ),
            Wrong(
                "my_unsafe = list(by_division.query('rows < 10 or p_ratio < 0.1')['division'])",
                "one rule of dominance",
            ),
            Wrong(
                "my_unsafe = list(by_division.query('rows > 9 and p_ratio >= .1 and nk < .9')['division'])",
                "the safe ones",
            ),
            Wrong(
                "my_unsafe = list(by_division.query('rows < 10 and (p_ratio < .1 or nk >= .9)')['division'])",
                "one broken rule is enough: use",
            ),
            Wrong("my_unsafe = ['01']", "more break a rule"),
            Wrong("my_unsafe = ['47']", "passes all three"),
            Wrong("my_unsafe = by_division['rows'] < 10", "codes of divisions in quotes"),
            Wrong("my_unsafe = []", "the list is empty"),
        ),
    ),
    "lab21-mend": Exercise(
        "Mend the suppression",
        "a list of up to three pairs of type and tenure",
        mend,
        (
            Wrong("my_extra = []", "one hole only"),
            Wrong("my_extra = [('1PA', 'OO')]", "can still be worked out exactly"),
            Wrong("my_extra = [('CDC', 'SR')]", "needs company"),
            Wrong("my_extra = [('1PA', 'OM'), ('LPC', 'PR')]", "hidden already"),
            Wrong(
                "my_extra = [('1PA', 'OO'), ('LPC', 'PR'), ('CDC', 'OO'), ('CDC', 'PR')]",
                "up to three are allowed",
            ),
            Wrong("my_extra = ['LPC', 'PR']", "is no cell here"),
        ),
    ),
    "lab21-pair": Exercise(
        "Find the pair",
        "two letters out of A, B, C and D",
        pair,
        (
            Wrong("my_pair = ['A', 'B']", "another pair is far closer"),
            Wrong("my_pair = ['B', 'C']", "neither of these two"),
            Wrong("my_pair = ['A']", "two different letters"),
        ),
    ),
    "lab21-queue": Exercise(
        "Clear the queue",
        "accept, ask or refuse for each of the outputs A to F",
        queue,
        (
            Wrong(
                "my_answers = dict(A='accept', B='accept', C='refuse', D='ask', E='accept', F='refuse')",
                "one firm lies between",
            ),
            Wrong(
                "my_answers = dict(A='accept', B='ask', C='accept', D='ask', E='accept', F='refuse')",
                "a maximum is the turnover of one firm",
            ),
            Wrong(
                "my_answers = dict(A='accept', B='ask', C='refuse', D='refuse', E='accept', F='refuse')",
                "can be mended",
            ),
            Wrong(
                "my_answers = dict(A='accept', B='ask', C='refuse', D='ask', E='ask', F='refuse')",
                "as safe as outputs get",
            ),
            Wrong(
                "my_answers = dict(A='ask', B='ask', C='refuse', D='ask', E='accept', F='refuse')",
                "a safe result that stays",
            ),
            Wrong(
                "my_answers = dict(A='accept', B='ask', C='refuse', D='ask', E='accept', F='ask')",
                "rows of the data",
            ),
            Wrong("my_answers = {'A': 'accept'}", "needs one of"),
        ),
    ),
}

QUIZZES = {
    "lab21-pass": Quiz(
        "ACRO says pass. What do you know?",
        (
            Option(
                "The output is safe to leave.",
                "it checked this output alone, by the checks of its statbarn. What else has left, and on "
                "which rows, it was not asked.",
            ),
            Option(
                "The checks that ACRO ties to this kind of output found nothing in its cells.",
                "that is what it says, and it is worth much: it saves you the arithmetic. The rest is yours.",
                right=True,
            ),
            Option(
                "Nothing, since it can be wrong.",
                "it agreed with the hand on every dominated cell here. Know what it checks, and use it.",
            ),
        ),
    ),
    "lab21-zero": Quiz(
        "A table has a group of 40 people, and all 40 have the same answer. What do you do?",
        (
            Option(
                "Accept: 40 is far above every threshold.",
                "the count protects nobody here, because what is said holds for each of the 40.",
            ),
            Option(
                "Refuse: a zero may never leave.",
                "some zeros only repeat a rule that everybody knows, and then nothing is disclosed.",
            ),
            Option(
                "Ask whether the answer is known anyway, and merge groups if it is not.",
                "a structural zero tells nothing new. Any other tells something about every member.",
                right=True,
            ),
        ),
    ),
    "lab21-totals": Quiz(
        "A table has its small cells withheld and no totals. May it leave?",
        (
            Option(
                "Yes: without totals nothing can be subtracted.",
                "totals may stand in another table, in this request or one of last year.",
            ),
            Option(
                "It depends on which totals are out, or can be had, elsewhere.",
                "here two tables of totals, in which no check failed, brought back all that ACRO had "
                "suppressed.",
                right=True,
            ),
            Option(
                "No: nothing with a withheld cell may leave.",
                "suppression works, if enough cells are hidden for the totals that others can get.",
            ),
        ),
    ),
}
