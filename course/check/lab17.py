"""Exercises and quizzes of lab 17, False comforts."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right, sort_into

_ROOMS = {
    "A": (4, "a date of birth and a salary are too fine to match. In bands, people may be found."),
    "B": (
        5,
        "how often would the same guess be right about people who were not in the data? Ten tables without "
        "a control are still without a control.",
    ),
    "C": (8, "that rows look real says how alike the tables are. A copy looks more real than any."),
}
# Rooms that a reader may well choose, and what to say to them.
_NEAR = {
    ("A", 7): "no average is the trouble here, since nobody at all was found. Ask how the search was made.",
    ("A", 1): "the search was exact, so no distance was used. Ask what it was exact on.",
    ("B", 6): "there were ten seeds. What else does every attack need beside it?",
    ("B", 9): "nobody was compared with a blind guesser here. Nobody was compared with anybody.",
    ("C", 1): "a detection model measures no distance to a record. What does it measure?",
}


def mistakes(answer: dict) -> Verdict:
    done = "keys too fine, no control, likeness taken for privacy. You will meet all three again."
    return sort_into(answer, _ROOMS, done, what="report", near=_NEAR, words=tuple(range(1, 11)))


def control(answer: list, plaque: dict) -> Verdict:
    given = {answer} if isinstance(answer, str) else set(answer)
    unknown = sorted(given - set(plaque))
    if unknown:
        return not_yet(f"{unknown[0]!r} is not one of the columns; they are {', '.join(plaque)}.")
    wanted = {target for target, risk in plaque.items() if risk.low > 0}
    if given == wanted:
        return right(
            "their intervals lie above zero. The column with the highest figure on the plaque is not "
            "among them."
        )
    if given == {target for target, risk in plaque.items() if risk.excess > 0}:
        return not_yet(
            "you have those whose excess is above zero. Chance alone gives that half of the time: look at "
            "the interval, `low` and `high`."
        )
    if given == {target for target, risk in plaque.items() if risk.training > 0.5}:
        return not_yet(
            "you go by the figure on the plaque. It has no control: what is right as often about people "
            "outside the data is general knowledge."
        )
    if given < wanted:
        return not_yet(
            f"those leak, and so does more: {len(wanted)} columns have an interval above zero. The largest "
            "is not the only one."
        )
    wrong = sorted(given - wanted)[0] if given - wanted else "none"
    return not_yet(
        f"the interval of the excess decides, and that of {wrong!r} reaches zero or below. Take those with "
        "`risk.low` above zero."
    )


def bands(answer: dict, attack) -> Verdict:
    columns = ("reference_age", "weekly_income")
    if all(answer.get(column) is None for column in columns):
        return not_attempted("give a width in years and one in pounds, then run this cell again.")
    for column in columns:
        if not isinstance(answer.get(column), int | float) or answer[column] <= 0:
            return not_yet(f"the width for {column} must be a number above 0.")
    risk = attack({column: answer[column] for column in columns})
    unique = risk.details.set_index(risk.details.columns[0]).loc["Unique in their part", "training"]
    if risk.excess >= 0.25:
        return right(
            f"{risk.training:.0%} are exposed in the data and {risk.control:.0%} of the control. Other "
            "widths give other figures: a report has to say which it took."
        )
    if unique > 0.8:
        return not_yet(
            f"too narrow: {unique:.0%} are alone in their band, but the noise carries them into the next "
            "one. Your search misses them, which makes the table look safe."
        )
    if unique < 0.4:
        return not_yet(
            f"too wide: only {unique:.0%} are alone in their band, so hardly anybody can be found by it. "
            "An intruder knows more than that."
        )
    return not_yet(
        f"the excess is {risk.excess:.0%}. One of the two widths is too narrow for the noise or the other "
        "too wide: change them one at a time."
    )


EXERCISES = {
    "lab17-mistakes": Exercise(
        "Name the mistake",
        "a number of a room for each of the reports A, B and C",
        mistakes,
        (
            Wrong("my_rooms = {'A': 3, 'B': 5, 'C': 8}", "too fine to match"),
            Wrong("my_rooms = {'A': 4, 'B': 6, 'C': 8}", "there were ten seeds"),
            Wrong("my_rooms = {'A': 4, 'B': 7, 'C': 8}", "still without a control"),
            Wrong("my_rooms = {'A': 4, 'B': 5, 'C': 1}", "no distance to a record"),
            Wrong("my_rooms = {'A': 7, 'B': 5, 'C': 8}", "nobody at all was found"),
        ),
    ),
    "lab17-control": Exercise(
        "Add the control",
        "a list of names of columns",
        control,
        (
            Wrong("my_leaks = [t for t, r in plaque.items() if r.training > 0.5]", "has no control"),
            Wrong("my_leaks = [t for t, r in plaque.items() if r.excess > 0]", "look at the interval"),
            Wrong(
                "my_leaks = [max(plaque, key=lambda t: plaque[t].excess)]",
                "not the only one",
            ),
            Wrong("my_leaks = ['arrears']", "reaches zero or below"),
        ),
    ),
    "lab17-bands": Exercise(
        "Choose the bands",
        "a width in years and a width in pounds",
        bands,
        (
            Wrong("my_widths = {'reference_age': 1, 'weekly_income': 1}", "too narrow"),
            Wrong("my_widths = {'reference_age': 40, 'weekly_income': 2000}", "too wide"),
            Wrong("my_widths = {'reference_age': 0, 'weekly_income': 50}", "above 0"),
        ),
    ),
}

QUIZZES = {
    "lab17-copy": Quiz(
        "A verbatim copy got the best distance score on four columns. What was at fault?",
        (
            Option(
                "The tool: it cannot measure distances.",
                "it measured them rightly. On all columns it saw the copy.",
            ),
            Option(
                "The question: on few columns the copy is as near to outsiders as to insiders, and a tie "
                "counts as safe.",
                "the score answers whether rows are nearer to the training part. On few columns nobody is.",
                right=True,
            ),
            Option(
                "Nothing: a copy on four columns is private.",
                "the table holds all twelve columns, and every household is in it whole.",
            ),
        ),
    ),
    "lab17-own": Quiz(
        "In room 3 the course's singling-out attack found nothing. What follows?",
        (
            Option(
                "The table is safe from singling out.",
                "it made no guess at all, because no row was alone in the synthetic table.",
            ),
            Option(
                "The attack is useless.",
                "it finds much in other rooms. It looks at one thing, and that thing was hidden.",
            ),
            Option(
                "See how many guesses an attack made, and make several kinds of attack.",
                "nothing tried is nothing found. Another attack on the same table did much better on people "
                "in the data than on the control.",
                right=True,
            ),
        ),
    ),
    "lab17-mended": Quiz(
        "A report gives copies, control, bands, ten seeds and worst-placed people, and finds no leak. "
        "What may it say?",
        (
            Option(
                "That the table is anonymous.",
                "attacks that find nothing prove nothing about attacks that nobody tried.",
            ),
            Option(
                "Which attacks were made, by an intruder who knows what, and that they found no clear "
                "difference.",
                "that is what was shown, and a data owner can act on it.",
                right=True,
            ),
            Option(
                "Nothing, until every possible attack has been tried.",
                "nobody can try them all. A fair report says what it tried, and a decision weighs it.",
            ),
        ),
    ),
}
