"""Exercises and quizzes of lab 9, Neural generators."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right


def length(answer, runs, truth) -> Verdict:
    import pandas as pd

    # True gap 20, near enough 5. By length: misses of 19 and 20; +9 and -9; -1 and -2; 0 and +1; +30 and +31.
    found = [1, 0, 29, 11, 19, 18, 20, 21, 50, 51]
    table = pd.DataFrame({"epochs": [10, 10, 50, 50, 100, 100, 200, 200, 300, 300], "gap": found})
    table = table.sample(frac=1, random_state=1)  # the lines of a file come in any order
    given = answer(table.copy(), 20, 5)
    if given is None:
        return not_attempted("let the function return a number of epochs, then run this cell again.")
    said = {
        10: "a run far below the true gap was taken for near: a miss counts in both directions (abs).",
        50: "of its two runs one is far too high and one far too low. Their mean is right, and no run is: "
        "look at the largest miss, not at the mean.",
        200: "it comes nearest, but a shorter training was near enough already. Longer training costs more "
        "and remembers more.",
        300: "that is the longest. More epochs are not better: take the smallest number that is near enough.",
    }
    if given != 100:
        why = said.get(given, "take the largest miss of each length, and the smallest length that is near.")
        return not_yet(f"for the check's own table it should give 100 and gives {given}: {why}")
    none = answer(table[table["epochs"].isin([10, 300])].copy(), 20, 5)
    if not isinstance(none, str) or none != "none":
        return not_yet(f'where no length is near enough it should give "none", and gives {none!r}.')
    full = runs[runs["rows"] == 3000]
    here = {name: answer(full[full["generator"] == name], truth, 6) for name in _NETWORKS}
    words = "; ".join(f"{_NETWORKS[name]}: {found}" for name, found in here.items())
    return right(f"within six points of the rows aside, here: {words}.")


_NETWORKS = {"sdv-ctgan": "CTGAN", "sdv-tvae": "TVAE", "synthcity-ddpm": "diffusion"}


def left_out(answer, real, made) -> Verdict:
    import pandas as pd

    # Ten households. The synthetic table lacks "c" (three of them) and "d" (one), and invents "z".
    known = pd.DataFrame({"group": list("aaaabbcccd"), "other": list("xxxxxxxxxy")})
    drawn = pd.DataFrame({"group": list("aaaaaaaaaabz"), "other": list("x" * 12)})
    given = answer(known.copy(), drawn.copy(), "group")
    if given is None:
        return not_attempted("let the function return a share, then run this cell again.")
    given = float(given)
    said = {
        0.5: "half of the values are lost. Count the households that have them.",
        0.6: "that is the share whose value does occur. Count the others.",
        0.08: "that is the share of synthetic rows with a value that no real one has: the wrong way round.",
        0.25: "compare the two lists of values, not their lengths: the synthetic table invents a value too.",
        4: "that is the number of households. Divide by how many there are.",
        2: "that is the number of lost values. Count the households that have them, as a share.",
    }
    if round(given, 2) != 0.4:
        why = said.get(round(given, 2), "ask of each real household: does its value occur in made?")
        return not_yet(f"for the check's own tables it should give 0.4 and gives {given:.2f}: {why}")
    if round(float(answer(known.copy(), drawn.copy(), "other")), 2) != 0.1:
        return not_yet("it works for one column only: use the name that is passed in.")
    lost = real["ethnic_group"].nunique() - made["ethnic_group"].nunique()
    share = float(answer(real.copy(), made.copy(), "ethnic_group"))
    return right(
        f"TVAE after 30 epochs leaves out {lost} ethnic groups, and with them {share:.0%} of households."
    )


def memory(answer) -> Verdict:
    from course.measure.privacy import Risk

    if not isinstance(answer, Risk):
        return not_yet(
            "answer with the whole Risk, not with a part of it: a number without its control misleads."
        )
    if not answer.name.startswith("Membership"):
        return not_yet(f"that is the attack {answer.name!r}. Ask for membership.")
    if "exact" in answer.name:
        return not_yet(
            'the exact match finds only copies, and a network hardly ever makes one: ask for match="nearest".'
        )
    if len(answer.keys) < 10:
        return not_yet("give the attack all the columns: whoever knows a household well knows all of them.")
    if answer.training == answer.control:
        return not_yet(
            "the control tells as much as the training rows, to the last digit: it is the same people. "
            "The control must be people that the network never saw: others."
        )
    if answer.people != 300:
        return not_yet(
            f"{answer.people:,} people were attacked. The network learned from the 300 of few; anybody else "
            "was never in its data."
        )
    if answer.tables < 5:
        return not_yet(
            "one table was attacked, so the interval leaves out the luck of synthesis: give a list of five."
        )
    told = "all of it is above" if answer.low > 0 else "it includes"
    return right(
        f"the excess is {answer.excess:.2f}, from {answer.low:.2f} to {answer.high:.2f}: {told} zero. "
        "With three hundred people an interval is wide: that it includes zero is no proof of no memory."
    )


EXERCISES = {
    "lab09-length": Exercise(
        "The shortest training that is good enough",
        "a function of (table, truth, near) that returns a number of epochs",
        length,
        (
            Wrong(
                "def my_length(table, truth, near):\n"
                "    worst = (table['gap'] - truth).groupby(table['epochs']).max()\n"
                "    return worst.index[worst <= near].min()",
                "in both directions",
            ),
            Wrong(
                "def my_length(table, truth, near):\n"
                "    miss = (table.groupby('epochs')['gap'].mean() - truth).abs()\n"
                "    return miss.index[miss <= near].min()",
                "their mean is right",
            ),
            Wrong(
                "def my_length(table, truth, near):\n"
                "    return (table['gap'] - truth).abs().groupby(table['epochs']).max().idxmin()",
                "near enough already",
            ),
            Wrong(
                "def my_length(table, truth, near):\n    return table['epochs'].max()",
                "more epochs are not better",
            ),
            Wrong(
                "def my_length(table, truth, near):\n"
                "    worst = (table['gap'] - truth).abs().groupby(table['epochs']).max()\n"
                "    return worst.index[worst <= near].min()",
                "where no length is near enough",
            ),
        ),
    ),
    "lab09-left-out": Exercise(
        "Whom a synthetic table leaves out",
        "a function of (real, made, column) that returns a share",
        left_out,
        (
            Wrong(
                "def my_left_out(real, made, column):\n"
                "    values = pd.Series(real[column].unique())\n"
                "    return 1 - values.isin(made[column]).mean()",
                "half of the values",
            ),
            Wrong(
                "def my_left_out(real, made, column):\n    return real[column].isin(made[column]).mean()",
                "does occur",
            ),
            Wrong(
                "def my_left_out(real, made, column):\n    return 1 - made[column].isin(real[column]).mean()",
                "wrong way round",
            ),
            Wrong(
                "def my_left_out(real, made, column):\n"
                "    return 1 - made[column].nunique() / real[column].nunique()",
                "not their lengths",
            ),
            Wrong(
                "def my_left_out(real, made, column):\n    return (~real[column].isin(made[column])).sum()",
                "divide by how many",
            ),
        ),
    ),
    "lab09-memory": Exercise(
        "Does a network remember its rows?",
        "a Risk from privacy.membership",
        memory,
        (
            Wrong(
                "tables = [tiny.sample(300, seed) for seed in range(1, 6)]\n"
                "same = few.sample(frac=1, random_state=1)\n"
                "my_risk = privacy.membership(few, same, tables, columns, match='nearest')",
                "it is the same people",
            ),
            Wrong(
                "tables = [tiny.sample(300, seed) for seed in range(1, 6)]\n"
                "my_risk = privacy.membership(few, others, tables, columns)",
                "finds only copies",
            ),
            Wrong(
                "my_risk = privacy.membership(few, others, tiny.sample(300, 1), columns, match='nearest')",
                "luck of synthesis",
            ),
            Wrong(
                "tables = [tiny.sample(300, seed) for seed in range(1, 6)]\n"
                "my_risk = privacy.membership(real, control, tables, columns, match='nearest')",
                "learned from the 300",
            ),
            Wrong(
                "tables = [tiny.sample(300, seed) for seed in range(1, 6)]\n"
                "my_risk = privacy.membership(few, others, tables, columns, match='nearest').excess",
                "the whole risk",
            ),
        ),
    ),
}

QUIZZES = {
    "lab09-flat": Quiz(
        "A supplier writes: 'We trained our GAN until the loss was flat, so the table is as good as it "
        "gets.' What do you answer?",
        (
            Option(
                "Then it is ready.",
                "in this lab the losses of CTGAN were flat while the gap went from nothing to far too much. "
                "Flat means that neither player wins.",
            ),
            Option(
                "Train it for longer, to be on the safe side.",
                "longer training made the gap too large here, and longer training remembers more.",
            ),
            Option(
                "Show the figures that we need, for several seeds, on rows that the network never saw.",
                "the loss measures the game. What you need has to be measured itself, and one run is luck.",
                right=True,
            ),
        ),
    ),
    "lab09-rare": Quiz(
        "A table from a TVAE has a low loss, and seventeen of the twenty ethnic groups are missing. Why?",
        (
            Option(
                "The network rebuilds rows one by one, and the likeliest answer is nearly always right.",
                "who belongs to a rare group is seldom the likeliest answer, so leaving the rare out hardly "
                "raises the loss.",
                right=True,
            ),
            Option(
                "There is a fault in the program.",
                "the program does what it is rewarded for. The reward counts rows, and the rare have few.",
            ),
            Option(
                "The groups were left out to protect them.",
                "nobody decided that. It is no protection either: with longer training they come back, and "
                "memory with them.",
            ),
        ),
    ),
    "lab09-tuning": Quiz(
        "A team tried two hundred settings of a network. It reports the error of the best one, measured on "
        "the rows that were used to choose it. What is wrong?",
        (
            Option(
                "Nothing: those rows were not used for training.",
                "they were used for choosing. By luck alone the best of many looks good on those rows.",
            ),
            Option(
                "The error is too small, and two hundred questions were put to real people.",
                "measure the chosen one once, on rows that had no part in it. And a promise such as an "
                "epsilon must count every look.",
                right=True,
            ),
            Option(
                "Two hundred are too few for a network.",
                "more tries make the best one look better still, without its being better.",
            ),
        ),
    ),
}
