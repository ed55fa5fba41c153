"""Exercises and quizzes of lab 10, Differential privacy."""

from __future__ import annotations

import math

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right


def clipped_sum(answer) -> Verdict:
    import numpy as np

    values, rng = np.array([10.0, 50.0, 5000.0]), np.random.default_rng(1)
    if answer(values, 100, 0.5, rng) is None:
        return not_attempted("let the function return a number, then run this cell again.")
    given = np.array([float(answer(values, 100, 0.5, rng)) for _ in range(4000)])
    middle = float(np.median(given))
    scale = float(
        np.median(np.abs(given - middle)) / math.log(2)
    )  # half of Laplace noise is nearer than that
    if scale < 0.01:
        return not_yet("the answer is the same each time: there is no noise in it.")
    if 8000 < scale < 12000:
        return not_yet(
            "your noise is as large as the largest value in the data asks for. That uses the data, so it can "
            "give that value away: the sensitivity is the bound."
        )
    if abs(middle - 5060) < 40:
        return not_yet(
            "the middle of your answers is the plain sum. One income of 5,000 still counts in full: cut the "
            "values off at the bound first."
        )
    if abs(middle - 160) > 40:
        return not_yet(
            "for 10, 50 and 5,000 with a bound of 100, the answers should lie around 10 + 50 + 100; yours "
            f"lie around {middle:.0f}."
        )
    if abs(scale - 2) < 0.4:
        return not_yet(
            "that is the noise of a count. One household can change this sum by the bound, not by 1."
        )
    if abs(scale - 50) < 8:
        return not_yet(
            "you multiply by epsilon. A smaller epsilon must bring more noise: divide the bound by epsilon."
        )
    if abs(scale - 100) < 15:
        return not_yet("epsilon plays no part: the scale is the bound divided by epsilon.")
    if abs(scale - 200) > 30:
        longer = np.tile(values, 30)
        spread = np.percentile([float(answer(longer, 100, 0.5, rng)) for _ in range(500)], [25, 75])
        if np.ptp(spread) > 3 * np.ptp(np.percentile(given, [25, 75])):
            return not_yet(
                "your noise grows with the number of values. It is the sum that is told, so the sum gets "
                "noise, once."
            )
        return not_yet(
            f"for a bound of 100 and an epsilon of a half the scale should be 200; yours is near {scale:.0f}."
        )
    if np.mean(np.abs(given - middle) > 3 * scale) < 0.02:  # Laplace noise: in one draw of twenty
        return not_yet(
            "the size is right and the shape is not: your noise has hardly any large values. Normal noise "
            "does not keep the promise of epsilon alone. Use rng.laplace."
        )
    return right(
        "cut off first, then noise of scale bound / epsilon. It holds for any income, also for one that you "
        "have not seen."
    )


def budget(answer, report) -> Verdict:
    answer = float(answer)
    bought = [(item["epsilon"], item["cells"]) for item in report]
    total = sum(epsilon for epsilon, _ in bought)
    if math.isclose(answer, total, abs_tol=1e-6):
        return right(
            "what reads the real table adds up, a table of separate groups costs once, and what only reads "
            "noisy answers is free."
        )
    if math.isclose(answer, sum(epsilon * cells for epsilon, cells in bought), abs_tol=1e-6):
        return not_yet(
            "you paid for every cell. A household is in one region and in one tenure only, so one table of "
            "counts costs its epsilon once."
        )
    if math.isclose(answer, max(epsilon for epsilon, _ in bought), abs_tol=1e-6):
        return not_yet("you took the largest. Different answers about the same households add up.")
    if any(math.isclose(answer, total - epsilon, abs_tol=1e-6) for epsilon, _ in bought if epsilon):
        return not_yet("one of the answers is missing. The sum and the count of the mean are two answers.")
    if answer > total:
        return not_yet(
            "that is more than was spent. Rounding and drawing rows go without the real table: they are free."
        )
    return not_yet("add up the epsilons of all answers that were made from the real table.")


def pick(answer) -> Verdict:
    answer = float(answer)
    if math.isclose(answer, -math.log(20) / 20, rel_tol=0.02):
        return not_yet("the size is right, the sign is not: exp(-20 epsilon) has a minus already.")
    if math.isnan(answer) or answer <= 0:
        return not_yet("epsilon is a number above 0.")
    within = 1 - math.exp(-20 * answer)  # the share of Laplace noise nearer than 20, at scale 1 / epsilon
    if math.isclose(answer, math.log(20) / 20, rel_tol=0.02):
        return right(
            f"noise of scale {1 / answer:.1f} is within 20 in {within:.0%} of draws, and no smaller epsilon "
            "does it."
        )
    if math.isclose(answer, 1.959964 * math.sqrt(2) / 20, rel_tol=0.02):
        return not_yet(
            "that is the answer for noise of a normal shape. Laplace noise has longer tails: within 20 in "
            f"only {within:.1%} of draws."
        )
    if math.isclose(answer, 1 / 20, rel_tol=0.02):
        return not_yet(
            f"a scale of 20 does not mean within 20: only {within:.0%} of the noise is. Solve exp(-20 "
            "epsilon) = one in twenty."
        )
    if math.isclose(answer, math.log(40) / 20, rel_tol=0.02):
        return not_yet(
            "you halved the one in twenty, a half for each side. exp(-20 epsilon) counts both sides already."
        )
    if math.isclose(answer, math.log(20), rel_tol=0.02):
        return not_yet("that is 20 times epsilon: divide by 20.")
    if within < 0.95:
        return not_yet(f"too much noise: only {within:.0%} of the counts would be within 20.")
    return not_yet(
        f"good enough ({within:.1%} within 20), but you spend more than you need: look for the smallest "
        "epsilon."
    )


EXERCISES = {
    "lab10-sum": Exercise(
        "A noisy sum",
        "a function of (values, bound, epsilon, rng) that returns a number",
        clipped_sum,
        (
            Wrong(
                "def my_sum(values, bound, epsilon, rng):\n"
                "    return values.sum() + rng.laplace(0, bound / epsilon)",
                "the plain sum",
            ),
            Wrong(
                "def my_sum(values, bound, epsilon, rng):\n"
                "    return values.clip(0, bound).sum() + rng.laplace(0, 1 / epsilon)",
                "noise of a count",
            ),
            Wrong(
                "def my_sum(values, bound, epsilon, rng):\n"
                "    return values.clip(0, bound).sum() + rng.laplace(0, bound * epsilon)",
                "multiply by epsilon",
            ),
            Wrong(
                "def my_sum(values, bound, epsilon, rng):\n"
                "    return values.clip(0, bound).sum() + rng.laplace(0, values.max() / epsilon)",
                "uses the data",
            ),
            Wrong(
                "def my_sum(values, bound, epsilon, rng):\n    return values.clip(0, bound).sum()",
                "no noise",
            ),
            Wrong(
                "def my_sum(values, bound, epsilon, rng):\n"
                "    return (values.clip(0, bound) + rng.laplace(0, bound / epsilon, len(values))).sum()",
                "the sum gets noise, once",
            ),
            Wrong(
                "def my_sum(values, bound, epsilon, rng):\n"
                "    return values.clip(0, bound).sum() + rng.normal(0, bound / epsilon)",
                "the shape is not",
            ),
        ),
    ),
    "lab10-budget": Exercise(
        "What a report costs",
        "one number, the epsilon of the whole report",
        budget,
        (
            Wrong(
                "my_epsilon = sum(item['epsilon'] * item['cells'] for item in report)", "paid for every cell"
            ),
            Wrong("my_epsilon = max(item['epsilon'] for item in report)", "took the largest"),
            Wrong("my_epsilon = sum(item['epsilon'] for item in report) - 0.1", "missing"),
            Wrong("my_epsilon = 1.5", "more than was spent"),
        ),
    ),
    "lab10-epsilon": Exercise(
        "An epsilon for a stated error",
        "one number above 0",
        pick,
        (
            Wrong("my_epsilon = 1.0", "more than you need"),
            Wrong("my_epsilon = 1 / 20", "does not mean within 20"),
            Wrong("my_epsilon = 1.959964 * 2**0.5 / 20", "normal shape"),
            Wrong("my_epsilon = 0.01", "too much noise"),
            Wrong("my_epsilon = -3", "above 0"),
            Wrong("my_epsilon = np.log(0.05) / 20", "the sign is not"),
            Wrong("my_epsilon = np.log(40) / 20", "both sides already"),
            Wrong("my_epsilon = np.log(20)", "divide by 20"),
        ),
    ),
}

QUIZZES = {
    "lab10-direction": Quiz(
        "A tutorial says: 'raise epsilon to make the data more private.' What do you say?",
        (
            Option(
                "Right: epsilon measures privacy, so more is better.",
                "it is the other way round. Epsilon bounds what may be lost, so a larger one promises less.",
            ),
            Option(
                "The wrong way round: a larger epsilon means less noise and a weaker promise.",
                "the noise has scale sensitivity / epsilon, and odds may change by up to e to the epsilon.",
                right=True,
            ),
            Option(
                "Epsilon only sets the speed of training.",
                "it sets how much the result may depend on one household, whatever the method.",
            ),
        ),
    ),
    "lab10-label": Quiz(
        "A package keeps AdsGAN in its folder for privacy methods. Its training adds a penalty for synthetic "
        "rows that are too like real ones. Is it differentially private?",
        (
            Option(
                "Yes: it stands in the folder for privacy.",
                "a folder is no proof. Ask for epsilon, and for the step where noise enters.",
            ),
            Option(
                "Yes, if no synthetic row is too near to a real one.",
                "nearness is a property of one table. The promise is about the method, and distance scores "
                "can be perfect for a table that leaks, as lab 3 showed.",
            ),
            Option(
                "No: without calibrated noise and an epsilon there is no promise.",
                "it may still leak little. Then show that by attacks with a control, and do not call it "
                "differentially private.",
                right=True,
            ),
        ),
    ),
    "lab10-free": Quiz(
        "From noisy counts that cost an epsilon of 1 you draw ten synthetic tables and publish all ten. What "
        "has been spent?",
        (
            Option(
                "1: drawing uses the noisy counts only.",
                "post-processing is free, as long as no step goes back to the real table. Not every program "
                "keeps to that: one library in this lab, as published, adds noise anew at each draw.",
                right=True,
            ),
            Option(
                "10: one for each table.",
                "that would be so if each table came from new counts of the real table.",
            ),
            Option(
                "Nothing: synthetic tables hold no real people.",
                "the counts were made from real people, and that is what the epsilon of 1 paid for.",
            ),
        ),
    ),
}
