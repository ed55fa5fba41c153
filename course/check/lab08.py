"""Exercises and quizzes of lab 8, Trees and networks."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right


def _made_up(rows: int, seed: int):
    """Two numbers and a target with a curve, each target value once: a case with a known answer."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(seed)
    known = pd.DataFrame({"age": rng.integers(16, 90, rows), "rooms": rng.integers(1, 6, rows)})
    level = 600 - 0.4 * (known["age"] - 50) ** 2 + 100 * (known["rooms"] > 3)
    return known, pd.Series((level + rng.normal(0, 40, rows)).round(6), name="income")


def step(answer) -> Verdict:
    import numpy as np

    known, target = _made_up(1500, 1)
    made, ideal = _made_up(800, 2)

    def run(min_leaf, seed):
        return answer(known.copy(), target.copy(), made.copy(), min_leaf, seed)

    first = run(20, 1)
    if first is None:
        return not_attempted(
            "let the function return a value for each row of made, then run this cell again."
        )
    given = np.asarray(first, dtype=float)
    if given.shape != (len(made),):
        return not_yet(f"return one value for each of the {len(made)} rows of made, in their order.")
    if not np.isin(given, target).all():
        if len(np.unique(given)) > 400:
            return not_yet(
                "most values stand in no real row. CART takes a real value as it is; to blur it would be a "
                "step of its own, afterwards."
            )
        return not_yet(
            "some values stand in no real row. The mean of a leaf (tree.predict) is the same for everybody "
            "in it: draw one real value from the leaf instead."
        )
    if len(np.unique(given)) < 200:
        return not_yet("the households of one leaf all get the same value. Draw anew for each row of made.")
    close = np.corrcoef(given, ideal)[0, 1]
    if close < 0.6:
        return not_yet(
            "the values do not fit the rows of made: ask the tree in which leaf each row of made ends "
            "(tree.apply(made)), draw from the real rows of that leaf, and keep the order of made."
        )
    if np.array_equal(given, np.asarray(run(20, 2), dtype=float)):
        return not_yet("two seeds give the same values. Make the random generator from the seed.")
    whole = np.asarray(run(len(known), 1), dtype=float)  # one leaf holds everybody
    if abs(np.corrcoef(whole, ideal)[0, 1]) > 0.3:
        return not_yet(
            "min_leaf is not used: with a leaf as large as the table, age should no longer matter."
        )
    return right(
        "a tree, a leaf for each new row, and a real value from it. Do it column by column, and you "
        "have CART."
    )


def leaf(answer: dict, risks, lists, measure, limit=0.05) -> Verdict:
    import numpy as np

    if answer["size"] is None and answer["cost"] is None:
        return not_attempted("write a size of leaf and what it costs, then run this cell again.")
    names = [name.removeprefix("leaf ") for name in risks]
    sizes = sorted(int(name) for name in names if name.isdigit())
    high = {size: {k: r.high for k, r in risks[f"leaf {size}"].items()} for size in sizes}
    size = answer["size"]
    if size not in sizes:
        return not_yet(f"the size must be one of {', '.join(map(str, sizes))}.")
    over = [attack for attack, value in high[size].items() if value >= limit]
    if len(over) == 1:
        return not_yet(
            f"with {size} in a leaf one attack is under the limit, and the other is not: the upper end for "
            f"{over[0]!r} is {high[size][over[0]]:.3f}."
        )
    if over:
        return not_yet(f"with {size} in a leaf both attacks are over the limit: look at the column high.")
    if size != min(s for s in sizes if max(high[s].values()) < limit):
        return not_yet(
            f"{size} meets the limit, but it is not the smallest that does: it costs more than it must."
        )
    if answer["cost"] is None:
        return not_yet(
            f"{size} is right. Now the cost: black_renters in the real table, less that in these tables."
        )
    fact, made = measure(lists["real"][0]), [measure(table) for table in lists[f"leaf {size}"]]
    cost, given = fact - np.mean(made), abs(float(answer["cost"]))
    if abs(given - cost) < 0.6:  # also when rounded to whole points
        return right(
            f"{size} in a leaf, and {cost:.0f} points too few Black households renting. Whether that is a "
            "fair price is not for the measure to say."
        )
    if abs(given - cost / 100) < 0.006:
        return not_yet("give the cost in points of a hundred, as black_renters does.")
    if abs(given - np.mean(made)) < 0.6:
        return not_yet(
            "that is how many rent in these tables. The cost is what is lost from the real figure."
        )
    from_control = abs(given - (measure(lists["control"][0]) - np.mean(made)))
    from_one = min(abs(given - (fact - one)) for one in made)
    if from_control < min(from_one, 0.06):
        return not_yet("you compare with the control. The cost is what is lost from the real table.")
    if from_one < 0.06:
        return not_yet("that is the cost in one of the five tables: take the mean over all five.")
    return not_yet(
        f"{size} is right, and the cost is not {given:.1f} points: take the mean over the five tables from "
        "the real figure."
    )


_ORDER = (
    "region",
    "ethnic_group",
    "reference_age",
    "household_type",
    "people",
    "tenure",
    "weekly_income",
    "weekly_rent",
    "universal_credit",
    "arrears",
)


def arrow(answer, found) -> Verdict:
    if isinstance(answer, str) or len(answer) != 2:
        return not_yet("answer with a pair: ('from', 'to').")
    start, end = answer
    if start not in _ORDER or end not in _ORDER:
        return not_yet("choose two columns of the table; a mark for blanks was not made by the simulation.")
    if (start, end) not in found:
        turned = " It points the other way." if (end, start) in found else ""
        return not_yet(f"the network has no arrow {start} -> {end}.{turned}")
    if _ORDER.index(start) < _ORDER.index(end):
        return not_yet(
            f"{start} was made before {end}: that arrow follows the simulation. Look for one against it."
        )
    return right(
        f"{end} came first, and yet the arrow runs from {start}. It helps to draw {end}; it is no "
        "cause of it."
    )


EXERCISES = {
    "lab08-step": Exercise(
        "One step of sequential CART",
        "a function of (known, target, made, min_leaf, seed) that returns values",
        step,
        (
            Wrong(
                "def my_step(known, target, made, min_leaf, seed):\n"
                "    tree = DecisionTreeRegressor(min_samples_leaf=min_leaf).fit(known, target)\n"
                "    return tree.predict(made)",
                "the mean of a leaf",
            ),
            Wrong(
                "def my_step(known, target, made, min_leaf, seed):\n"
                "    return np.random.default_rng(seed).choice(target, len(made))",
                "do not fit the rows of made",
            ),
            Wrong(
                "def my_step(known, target, made, min_leaf, seed):\n"
                "    tree = DecisionTreeRegressor(min_samples_leaf=min_leaf).fit(known, target)\n"
                "    leaf = tree.apply(known)\n"
                "    first = {name: np.asarray(target)[leaf == name][0] for name in np.unique(leaf)}\n"
                "    return np.array([first[name] for name in tree.apply(made)])",
                "draw anew",
            ),
            Wrong(
                "def my_step(known, target, made, min_leaf, seed):\n"
                "    rng = np.random.default_rng(seed)\n"
                "    tree = DecisionTreeRegressor(min_samples_leaf=5).fit(known, target)\n"
                "    leaf = tree.apply(known)\n"
                "    return np.array([rng.choice(np.asarray(target)[leaf == name]) for name in "
                "tree.apply(made)])",
                "min_leaf is not used",
            ),
            Wrong(
                "def my_step(known, target, made, min_leaf, seed):\n"
                "    rng = np.random.default_rng(seed)\n"
                "    tree = DecisionTreeRegressor(min_samples_leaf=min_leaf).fit(known, target)\n"
                "    return tree.predict(made) + rng.normal(0, 40, len(made))",
                "a real value as it is",
            ),
            Wrong(
                "def my_step(known, target, made, min_leaf, seed):\n"
                "    rng = np.random.default_rng(0)\n"
                "    tree = DecisionTreeRegressor(min_samples_leaf=min_leaf).fit(known, target)\n"
                "    leaf = tree.apply(known)\n"
                "    return np.array([rng.choice(np.asarray(target)[leaf == name]) for name in "
                "tree.apply(made)])",
                "two seeds give the same",
            ),
        ),
    ),
    "lab08-leaf": Exercise(
        "The smallest leaf under a limit, and its cost",
        "a size of leaf and its cost",
        leaf,
        (
            Wrong("my_leaf = {'size': 5, 'cost': 6}", "both attacks are over"),
            Wrong("my_leaf = {'size': 20, 'cost': 9}", "one attack is under the limit"),
            Wrong("my_leaf = {'size': 100, 'cost': 21}", "not the smallest"),
            Wrong("my_leaf = {'size': 50, 'cost': 0.16}", "points of a hundred"),
            Wrong("my_leaf = {'size': 50, 'cost': 5}", "take the mean"),
            Wrong(
                "my_leaf = {'size': 50, 'cost': np.mean([black_renters(t) for t in tables['leaf 50']])}",
                "lost from the real figure",
            ),
            Wrong(
                "my_leaf = {'size': 50, 'cost': black_renters(control)\n"
                "    - np.mean([black_renters(t) for t in tables['leaf 50']])}",
                "with the control",
            ),
            Wrong(
                "my_leaf = {'size': 50, 'cost': black_renters(real) - black_renters(tables['leaf 50'][0])}",
                "one of the five tables",
            ),
        ),
    ),
    "lab08-arrow": Exercise(
        "An arrow against the simulation",
        "a pair of column names",
        arrow,
        (
            Wrong("my_arrow = ('universal_credit', 'arrears')", "follows the simulation"),
            Wrong("my_arrow = ('arrears', 'region')", "has no arrow"),
            Wrong("my_arrow = 'weekly_rent'", "with a pair"),
            Wrong("my_arrow = ('weekly_rent is blank', 'arrears')", "a mark for blanks"),
        ),
    ),
}

QUIZZES = {
    "lab08-copy": Quiz(
        "A supplier says: 'Our trees add noise to every number, so no real value is ever released.' "
        "What do you ask?",
        (
            Option(
                "How much noise was added.",
                "more noise hides the value better, but a few per cent left most of what the attack on "
                "income learns. The amount alone does not say what is learned about a person.",
            ),
            Option(
                "How many people stand in a leaf, and what attacks find beside a control.",
                "what is learned about a person comes from how few were alike in the leaf. Noise hides the "
                "copies only.",
                right=True,
            ),
            Option(
                "Nothing: without real values there is no risk.",
                "after blurring, most copies were gone in this lab, and most of what was learned about "
                "incomes remained.",
            ),
        ),
    ),
    "lab08-group": Quiz(
        "Every overall measure of quality is as good with a hundred in a leaf as with five. Is the "
        "larger leaf free?",
        (
            Option(
                "Yes: quality is the same and the risk is lower.",
                "quality was measured over everybody. The share of Black households that rent moved a long "
                "way towards the average.",
            ),
            Option(
                "No: look at small groups, which have no leaf of their own any more.",
                "a group smaller than a leaf is mixed with others, and overall measures hardly see it.",
                right=True,
            ),
            Option(
                "No: a larger leaf takes longer to fit.",
                "it is as fast or faster, because fewer questions are asked.",
            ),
        ),
    ),
    "lab08-causes": Quiz(
        "A Bayesian network, fitted to the real table, has an arrow from rent to region. What does "
        "it tell you?",
        (
            Option(
                "Households move to a region because of the rent.",
                "an arrow says what helps to draw what. The pair is described as well the other way "
                "round, so it cannot tell a cause.",
            ),
            Option(
                "Rent and region go together: the rent helps to draw the region.",
                "that is all an arrow says. The other way round would have described the pair as well.",
                right=True,
            ),
            Option(
                "The network is wrong and must not be used.",
                "for drawing rows either direction does as well. Only the reading as a cause is wrong.",
            ),
        ),
    ),
}
