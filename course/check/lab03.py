"""Exercises and quizzes of lab 3, Be the intruder."""

from __future__ import annotations

import math

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right, sort_into


def alone(answer: float, real, known) -> Verdict:
    sizes = real.groupby(list(known), dropna=False).size()
    answer = float(answer)
    if answer == (sizes == 1).sum():
        return right(
            "nobody else in the data has their four values. Somebody outside the data may: unique in a "
            "sample is "
            "not unique in the population."
        )
    if answer == len(sizes):
        return not_yet("that is how many combinations there are. Count only those that one patient has.")
    if 0 < answer < 1 and abs(answer - (sizes == 1).sum() / len(real)) < 0.01:
        return not_yet("that is the share. Give the number of patients.")
    if answer == (sizes > 1).sum():
        return not_yet(
            "those are the combinations that several patients share. Count those that only one has."
        )
    return not_yet(
        "group the real table by the four known columns (blanks too: dropna=False) and count the groups of "
        "size one."
    )


def excess(answer) -> Verdict:
    given = answer(0.7, 0.4)
    if given is None:
        return not_attempted("let the function return a number, then run this cell again.")
    if math.isclose(given, 0.3):
        return not_yet(
            "that is the difference. Divide it by the share whom general knowledge would have spared: 1 - "
            "control."
        )
    if math.isclose(given, 1.75):
        return not_yet(
            "that is a ratio. It explodes when the control rate is small: take the difference, then divide "
            "by 1 - control."
        )
    if math.isclose(given, 0.75):
        return not_yet("you divide by the control rate. Divide by what is left to lose, 1 - control.")
    if not math.isclose(given, 0.5):
        return not_yet(
            f"for an attack rate of .7 and a control rate of .4 it should give .5; yours gives {given}."
        )
    negative = answer(0.2, 0.3)
    if negative >= 0:
        return not_yet(
            "when the attack does better on the control, the excess is negative. Do not cut it off at zero: "
            "chance must "
            "stay "
            "visible."
        )
    if not math.isclose(negative, -1 / 7):
        return not_yet(
            "it is right for one pair of rates and wrong for another: use both numbers you are given."
        )
    return right("with .7 and .4 the excess is .5: half of those whom general knowledge would have spared.")


_READ = {
    "A": ("cannot say", "there is no control: perhaps anyone can guess that much."),
    "B": (
        "none found",
        "the interval includes zero, so this attack found no difference. It is not proof that there is none.",
    ),
    "C": (
        "leak",
        "the interval lies above zero. That the rates are low does not matter: the release adds to what is "
        "known.",
    ),
    "D": (
        "cannot say",
        "neither figure is an attack, and both are perfect for tables that leak. You saw it.",
    ),
}


def reports(answer: dict) -> Verdict:
    return sort_into(
        answer, _READ, "control, interval, attack: the three things to look for in any report.", what="report"
    )


EXERCISES = {
    "lab03-alone": Exercise(
        "Patients who stand alone",
        "a whole number",
        alone,
        (
            Wrong("my_number = real.groupby(known, dropna=False).ngroups", "how many combinations"),
            Wrong(
                "my_number = (real.groupby(known, dropna=False)['diag_01'].transform('size') == 1).mean()",
                "that is the share",
            ),
            Wrong(
                "my_number = int((real.groupby(known, dropna=False).size() > 1).sum())",
                "several patients share",
            ),
        ),
    ),
    "lab03-excess": Exercise(
        "The excess over the control",
        "a function of (training, control) that returns a number",
        excess,
        (
            Wrong("def my_excess(t, c):\n    return t - c", "that is the difference"),
            Wrong("def my_excess(t, c):\n    return t / c", "explodes"),
            Wrong("def my_excess(t, c):\n    return (t - c) / c", "what is left to lose"),
            Wrong("def my_excess(t, c):\n    return max(0, (t - c) / (1 - c))", "negative"),
        ),
    ),
    "lab03-reports": Exercise(
        "Four reports on releases",
        "a verdict for each of the reports A, B, C and D",
        reports,
        (
            Wrong(
                "my_verdicts = {'A': 'leak', 'B': 'none found', 'C': 'leak', 'D': 'cannot say'}",
                "there is no control",
            ),
            Wrong(
                "my_verdicts = {'A': 'cannot say', 'B': 'leak', 'C': 'leak', 'D': 'cannot say'}",
                "includes zero",
            ),
            Wrong(
                "my_verdicts = {'A': 'cannot say', 'B': 'none found', 'C': 'none found', 'D': 'cannot say'}",
                "above zero",
            ),
            Wrong(
                "my_verdicts = {'A': 'cannot say', 'B': 'none found', 'C': 'leak', 'D': 'none found'}",
                "neither figure is an attack",
            ),
        ),
    ),
}

QUIZZES = {
    "lab03-control": Quiz(
        "An attack guesses the diagnosis of nine in ten patients in the data, and of nine in ten control "
        "patients. What has the release given away?",
        (
            Option(
                "The diagnoses of nine in ten patients.",
                "the control patients were never in the data, and fare the same.",
            ),
            Option(
                "Nothing that this attack can see: the diagnosis can be guessed of anybody.",
                "what is known of people outside the data is not a leak about those inside. It may still "
                "harm them, but it does not come from their own records.",
                right=True,
            ),
            Option(
                "It cannot be known without the names of the patients.",
                "names are not needed: the comparison is between two groups.",
            ),
        ),
    ),
    "lab03-copies": Quiz(
        "Why did taking out every exact copy not make the release safe?",
        (
            Option(
                "Because a row that differs from a patient's in one column still carries the rest, "
                "diagnosis included.",
                "the intruder needs the known columns to match and the diagnosis to be right. The others "
                "may differ.",
                right=True,
            ),
            Option(
                "Because the copies were taken out only once.",
                "doing it twice changes nothing: there is none left to take out.",
            ),
            Option(
                "Because it was the wrong seed.",
                "you made six releases with six seeds, and the attack beat the control over all of them.",
            ),
        ),
    ),
    "lab03-average": Quiz(
        "The average excess of a release is small, and its interval includes zero. May it go out?",
        (
            Option(
                "Yes: the risk is zero.",
                "no difference was found, on average, by one attack. That is less than zero risk.",
            ),
            Option(
                "No: nothing may ever go out.",
                "then nobody could use any data. The task is to judge and to say on what grounds.",
            ),
            Option(
                "Look at the worst-placed people and at other attacks before you decide.",
                "a few people in a small group can be exposed while the average stays calm.",
                right=True,
            ),
        ),
    ),
}
