"""Exercises and quizzes of lab 22, Releasing a model."""

from __future__ import annotations

import math
from numbers import Integral, Real

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right

_CLOSE = 0.006  # figures are printed with two decimals, and may be copied from there


def leaf(answer: dict, leaves, late, person) -> Verdict:
    names = ("leaf", "households", "in arrears")
    if all(answer.get(name) is None for name in names):
        return not_attempted("give three whole numbers: leaf, households, in arrears.")
    for name in names:
        if not isinstance(answer.get(name), Integral) or isinstance(answer[name], bool):
            return not_yet(f"{name!r} must be a whole number.")
    mates = leaves == leaves[person]
    if answer["leaf"] != leaves[person]:
        if answer["leaf"] == person:
            return not_yet(f"{person} is the number of the household. Ask the tree: `tree.apply(...)`.")
        return not_yet(
            f"household {person} does not end in leaf {answer['leaf']}. `leaf` has every household's."
        )
    if answer["households"] == mates.sum() - 1:
        return not_yet("you left out the household itself. It is one of the count that the file holds.")
    if answer["households"] != mates.sum():
        return not_yet("count the households of the data whose leaf is the same: `leaf == leaf[richest]`.")
    if answer["in arrears"] == answer["households"]:
        return not_yet(
            "you counted everybody in the leaf as in arrears. `late` is 1 for those who are: add it up."
        )
    if answer["in arrears"] != late[mates].sum():
        return not_yet("add up `late` over the households of that leaf, and no others.")
    return right(
        f"{mates.sum()} households, {late[mates].sum()} in arrears. If all in a small leaf have one answer, "
        "the leaf tells it of each of them, without anybody being alone."
    )


_FLAGS = {
    "small groups": "a leaf has fewer than ten households. Make `min_samples_leaf` larger.",
    "risky settings": "the tool calls these settings risky: many leaves, and small ones allowed. Make "
    "`min_samples_leaf` larger.",
    "one answer only": "in some leaf nobody is in arrears, so it tells that of each household in it. The "
    "leaves have to be larger, or fewer.",
    "few with an answer": "in some leaf fewer than ten households are in arrears. Large leaves are not "
    "enough: allow fewer of them with `max_leaf_nodes`.",
}


def settings(answer: dict, attempt, least: float) -> Verdict:
    names = ("min_samples_leaf", "max_leaf_nodes")
    if all(answer.get(name) is None for name in names):
        return not_attempted("give two whole numbers, then run this cell again.")
    for name in names:
        if answer.get(name) is None and name == "max_leaf_nodes":
            continue
        if not isinstance(answer.get(name), Integral) or answer[name] < 1 + (name == "max_leaf_nodes"):
            return not_yet(f"{name!r} must be a whole number: 1 or more for a leaf, 2 or more leaves.")
    if answer.get("max_leaf_nodes") == 8:
        return not_yet("a tree of 8 leaves is the one which you know already. Allow fewer leaves, or more.")
    raised, auc = attempt({name: answer.get(name) for name in names})
    for flag, why in _FLAGS.items():
        if flag in raised:
            return not_yet(f"flag '{flag}': {why}")
    if raised:
        return not_yet(f"it still raises: {', '.join(raised)}.")
    if auc < least:
        return not_yet(
            f"no flag, but too coarse: its AUC on the control is {auc:.2f}. Nobody is exposed by a model "
            "that nobody can use. Allow smaller leaves, or more of them."
        )
    return right(
        f"no flag, and an AUC of {auc:.2f} on the control. The rules are passed, which is where the attacks "
        "begin."
    )


_SHAPES = ("a few, surely", "many, a little", "nothing")


def curves(answer: dict, curves: dict) -> Verdict:
    if all(answer.get(shape) is None for shape in _SHAPES):
        return not_attempted("write A, B or C for each of the three, then run this cell again.")
    given = {shape: str(answer.get(shape)).strip().upper() for shape in _SHAPES}
    for shape, name in given.items():
        if name not in curves:
            return not_yet(f"'{shape}' needs one of {', '.join(curves)}.")
    if len(set(given.values())) < len(_SHAPES):
        return not_yet("each of the three models belongs to one line: you used one of them twice.")
    wanted = _by_shape(curves)
    if given == wanted:
        return right(
            f"{wanted['a few, surely']} has nearly the area of a guess, and names a few with no false "
            "claim: the overrides. A rule on the area would let it pass."
        )
    if given["a few, surely"] == wanted["many, a little"]:
        return not_yet(
            "you went by the area under the whole curve. Look at the left edge: who names anybody at one "
            "false claim in a hundred?"
        )
    if given["nothing"] == wanted["a few, surely"]:
        return not_yet(
            "its area is near a half, so it looks like a guess. But at the left edge, where an attacker "
            "works, it lies above the line of as many true claims as false ones."
        )
    return not_yet("one curve begins late but lies high, one starts far above a guess, one does neither.")


def _by_shape(curves: dict) -> dict:
    """Which curve has which shape, from the scores themselves."""
    import numpy as np
    from sklearn.metrics import roc_auc_score

    area, edge = {}, {}
    for name, (members, others) in curves.items():
        truth = np.repeat([1, 0], [len(members), len(others)])
        area[name] = roc_auc_score(truth, np.concatenate([members, others]))
        edge[name] = float(np.mean(members > np.max(others)))
    surely, little = max(edge, key=edge.get), max(area, key=area.get)
    (nothing,) = set(curves) - {surely, little}
    return dict(zip(_SHAPES, (surely, little, nothing), strict=True))


_CLAIMS = {
    "a": "it holds counts of some twenty households in each leaf, and an attack told who was in the data. "
    "Nobody can sign 'no personal data'.",
    "c": "over-claimed: everybody is an average, and households in arrears are few. Below a limit is "
    "not safe.",
    "d": "true, and chosen: a weaker attack is quoted, and a stronger one is known. A card names the "
    "strongest.",
}


def card(answer: dict, facts: dict, tests: list) -> Verdict:
    names = ("score", "strongest", "claim", "gaps")
    if all(answer.get(name) is None for name in names):
        return not_attempted("give score, strongest, claim and gaps, then run this cell again.")
    missing = [name for name in names if answer.get(name) is None]
    if missing:
        return not_yet(f"the card is not complete: {', '.join(missing)} missing.")
    return (
        _number(
            answer["score"],
            facts["score"],
            "the score must be a number: an AUC.",
            {facts["seen"]: "that is the score on its own households, which it has seen. Take the control."},
            "that is not the AUC of this model on the control. `use` has it, by model.",
        )
        or _number(
            answer["strongest"],
            facts["LiRA"]["households in arrears"],
            "the strongest attack is wanted as a number: its AUC.",
            {
                facts["LiRA"]["everybody"]: "that is LiRA over everybody. The exposed are the households in "
                "arrears.",
                facts["by hand"]: "that is the attack by hand. Another one, in this lab, did better.",
            },
            "look in the table of LiRA: this model, households in arrears.",
        )
        or _claim(answer["claim"])
        or _gaps(answer["gaps"], tests)
        or right("score from the control, the strongest attack, a claim that it bears, and the gaps as gaps.")
    )


def _number(given, wanted: float, kind: str, mistakes: dict[float, str], otherwise: str) -> Verdict | None:
    """None for the figure that is wanted; a hint of its own for each figure that is easily taken for it."""
    if not isinstance(given, Real) or not math.isfinite(given):
        return not_yet(kind)
    if abs(given - wanted) <= _CLOSE:
        return None
    return not_yet(next((why for other, why in mistakes.items() if abs(given - other) <= _CLOSE), otherwise))


def _claim(given) -> Verdict | None:
    given = str(given).strip().lower().rstrip(".")
    if given == "b":
        return None
    return not_yet(f"claim {given}: {_CLAIMS[given]}" if given in _CLAIMS else "a claim is a, b, c or d.")


def _gaps(given, tests) -> Verdict | None:
    if isinstance(given, str) or not isinstance(given, list | tuple | set):
        return not_yet("gaps are a list of names from `TESTS`.")
    unknown = [name for name in given if name not in tests]
    if unknown:
        return not_yet(f"{unknown[0]!r} is not in `TESTS`.")
    done, gaps = set(tests[:-2]), set(tests[-2:])
    if gaps - set(given):
        return not_yet(f"a gap is not declared: {sorted(gaps - set(given))[0]}. Nobody has looked at it.")
    if done & set(given):
        return not_yet(
            f"{sorted(done & set(given))[0]!r} was done in this lab. To call it a gap hides what it found."
        )
    return None


EXERCISES = {
    "lab22-leaf": Exercise(
        "Find a household in its leaf",
        "three whole numbers: the leaf, its households, those in arrears",
        leaf,
        (
            Wrong(
                "my_leaf = {'leaf': richest, 'households': 1, 'in arrears': 0}", "the number of the household"
            ),
            Wrong(
                "my_leaf = {'leaf': leaf[richest], 'households': (leaf == leaf[richest]).sum() - 1, "
                "'in arrears': 0}",
                "left out the household itself",
            ),
            Wrong(
                "my_leaf = {'leaf': leaf[richest], 'households': (leaf == leaf[richest]).sum(), "
                "'in arrears': (leaf == leaf[richest]).sum()}",
                "counted everybody",
            ),
            Wrong("my_leaf = {'leaf': 0, 'households': 3000, 'in arrears': 237}", "does not end in leaf"),
        ),
    ),
    "lab22-settings": Exercise(
        "Pass the rules",
        "min_samples_leaf and max_leaf_nodes",
        settings,
        (
            Wrong("my_settings = {'min_samples_leaf': 5, 'max_leaf_nodes': None}", "small groups"),
            Wrong("my_settings = {'min_samples_leaf': 10, 'max_leaf_nodes': 7}", "risky settings"),
            Wrong("my_settings = {'min_samples_leaf': 100, 'max_leaf_nodes': None}", "one answer only"),
            Wrong("my_settings = {'min_samples_leaf': 300, 'max_leaf_nodes': None}", "few with an answer"),
            Wrong("my_settings = {'min_samples_leaf': 500, 'max_leaf_nodes': 4}", "too coarse"),
            Wrong("my_settings = {'min_samples_leaf': 90, 'max_leaf_nodes': 8}", "which you know already"),
        ),
    ),
    "lab22-curves": Exercise(
        "Read the low end",
        "A, B or C for each of three lines",
        curves,
        (
            Wrong(
                "my_reading = {'a few, surely': 'A', 'many, a little': 'C', 'nothing': 'B'}",
                "area under the whole curve",
            ),
            Wrong(
                "my_reading = {'a few, surely': 'B', 'many, a little': 'A', 'nothing': 'C'}",
                "left edge, where an attacker",
            ),
            Wrong("my_reading = {'a few, surely': 'C', 'many, a little': 'C', 'nothing': 'B'}", "twice"),
            Wrong(
                "my_reading = {'a few, surely': 'C', 'many, a little': 'B', 'nothing': 'A'}", "begins late"
            ),
        ),
    ),
    "lab22-card": Exercise(
        "Complete the card",
        "score, strongest, claim and gaps",
        card,
        (
            Wrong(
                "my_card = {'score': facts['seen'], 'strongest': 0.8, 'claim': 'b', 'gaps': TESTS[-2:]}",
                "which it has seen",
            ),
            Wrong(
                "my_card = {'score': facts['score'], 'strongest': facts['by hand'], 'claim': 'b', "
                "'gaps': TESTS[-2:]}",
                "did better",
            ),
            Wrong(
                "my_card = {'score': facts['score'], 'strongest': facts['LiRA']['everybody'], 'claim': 'b', "
                "'gaps': TESTS[-2:]}",
                "over everybody",
            ),
            Wrong(
                "my_card = {'score': facts['score'], 'strongest': facts['LiRA']['households in arrears'], "
                "'claim': 'c', 'gaps': TESTS[-2:]}",
                "over-claimed",
            ),
            Wrong(
                "my_card = {'score': facts['score'], 'strongest': facts['LiRA']['households in arrears'], "
                "'claim': 'd', 'gaps': TESTS[-2:]}",
                "a weaker attack is quoted",
            ),
            Wrong(
                "my_card = {'score': facts['score'], 'strongest': facts['LiRA']['households in arrears'], "
                "'claim': 'b', 'gaps': []}",
                "not declared",
            ),
            Wrong(
                "my_card = {'score': facts['score'], 'strongest': facts['LiRA']['households in arrears'], "
                "'claim': 'b', 'gaps': TESTS}",
                "was done in this lab",
            ),
            Wrong(
                "my_card = {'score': facts['score'], 'strongest': None, 'claim': 'b', 'gaps': TESTS[-2:]}",
                "not complete",
            ),
        ),
    ),
}

QUIZZES = {
    "lab22-file": Quiz(
        "You search a model's file for incomes of its training rows, and find none. What do you know?",
        (
            Option(
                "The file holds no rows.",
                "the nearest neighbours held all of them, scaled. The search looked for the unscaled bytes.",
            ),
            Option(
                "That those bytes are not there, and nothing more.",
                "values may be scaled, shortened or packed. What a method needs to work tells you more.",
                right=True,
            ),
            Option(
                "The model may go out.",
                "the forest kept no income, and recited who is in arrears to anybody who asked.",
            ),
        ),
    ),
    "lab22-service": Quiz(
        "The forest with leaves of 1 is put behind a query service that answers only yes or no. What "
        "changes?",
        (
            Option(
                "Nothing can be learned any more.",
                "the attack that asks the model used only yes and no, and was right about nearly all.",
            ),
            Option(
                "The file is out of reach, but what it says of its own households is not.",
                "the service helps with what is in the file. It cannot help with what is in the answers, "
                "unless the model is another one.",
                right=True,
            ),
            Option(
                "The attack needs probabilities, so it fails.",
                "one of the attacks needs them. The other asks for the answer itself.",
            ),
        ),
    ),
    "lab22-silence": Quiz(
        "SACRO-ML raises no flag, and its worst-case attack has an AUC of a half. What may the card say?",
        (
            Option(
                "That the model is safe.",
                "the tree that knew everybody by heart had an AUC of a half. The attack was not told "
                "the truth.",
            ),
            Option(
                "Which checks and attacks were made, with which settings and version, on whom, and what they "
                "found.",
                "so that a reader can see what was not tried, and on whom it was not tried.",
                right=True,
            ),
            Option(
                "Nothing, since the tool has faults.",
                "its attacks found much that would have gone unseen. Say what was done, and check by hand.",
            ),
        ),
    ),
}
