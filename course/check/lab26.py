"""Exercises and quizzes of lab 26, A medical device."""

from __future__ import annotations

import re

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right

_OFFERS = {
    "A": "these rows come from the generator that the device learned from. What the generator missed, the "
    "device and its test miss together.",
    "B": "real people, but not independent: the generator learned from them, and the device from the "
    "generator. What if it copied some?",
    "D": "real and independent, but nobody in it is 65 or over, and the device is meant for all adults. "
    "Most long stays are among the old.",
    "E": "half of these rows are synthetic. The mixture looks like more people; it is the same people, "
    "and an answer about neither.",
}


def _auc(score, people) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(people["long_stay"] == "Y", score(people)))


def validation(answer: str, offers: dict, device) -> Verdict:
    if not isinstance(answer, str):
        return not_yet(f"the answer must be one letter, such as 'A'; this is a {type(answer).__name__}.")
    letter = answer.strip().upper()
    if not letter:
        return not_attempted("give one letter, then run this cell again.")
    if letter not in offers:
        return not_yet(f"give one letter of {', '.join(offers)}; {answer[:20]!r} is not one of them.")
    if letter != "C":
        return not_yet(f"{_OFFERS[letter]} Its AUC there would be {_auc(device, offers[letter]):.3f}.")
    claims = ", ".join(f"{name} {_auc(device, offers[name]):.3f}" for name in offers)
    return right(
        "real, independent, and of all the ages the device is for. The AUCs would be " + claims + ". None of "
        "the others looks false from outside: where the people come from decides, and not the figure."
    )


_AT = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7)


def _case():
    """Risks and outcomes for which each likely mistake gives a list of its own."""
    import numpy as np

    rng = np.random.default_rng(26)
    long = (rng.random(4000) < 0.3).astype(int)
    log_odds = -1.6 + 0.6 * long + rng.normal(0, 1, 4000)
    return 1 / (1 + np.exp(-log_odds)), long


def _useful(risk, long, price=lambda at: at / (1 - at), everybody=True, nobody=True):
    found = []
    for at in _AT:
        flagged, cost = risk >= at, price(at)
        benefit = (flagged & (long == 1)).mean() - cost * (flagged & (long == 0)).mean()
        rivals = [long.mean() - cost * (1 - long.mean())] * everybody + [0.0] * nobody
        if all(benefit > rival for rival in rivals):
            found.append(at)
    return found


_MISTAKES = (
    ({"everybody": False}, "you compare with flagging nobody only. At a low threshold, flagging "
     "everybody is a strong rival: most scores do not beat it there."),
    ({"nobody": False}, "you compare with flagging everybody only. At a high threshold even flagging nobody, "
     "which gives nought, can be better than the score."),
    ({"price": lambda at: 1}, "you count a false flag as much as a right one. The threshold says what it is "
     "worth: at / (1 - at)."),
    ({"price": lambda at: (1 - at) / at}, "the rate of exchange is upside down. Who acts at a low risk "
     "finds a false flag cheap: the price is at / (1 - at)."),
    ({"price": lambda at: 0.3 / 0.7}, "you take the price of one threshold for all of them. It changes with "
     "each: at / (1 - at)."),
    ({"price": lambda at: at}, "the price of a false flag is not the threshold but its odds, at / (1 - at)."),
)  # fmt: skip


def useful(answer) -> Verdict:
    risk, long = _case()
    given = answer(risk.copy(), long.copy(), list(_AT))
    if given is None:
        return not_attempted("let the function return a list of thresholds, then run this cell again.")
    if isinstance(given, dict | str) or not hasattr(given, "__iter__"):
        return not_yet(f"the function must return a list of thresholds; this is a {type(given).__name__}.")
    given = [float(one) for one in given]
    strange = [one for one in given if one not in _AT]
    if strange:
        return not_yet(f"{strange[0]:g} is not one of the given thresholds. Return those that pass.")
    wanted = _useful(risk, long)
    if sorted(given) == wanted:
        return right(
            f"of {', '.join(map(str, _AT))}, the score in this test is worth using at "
            f"{', '.join(map(str, wanted))}. Outside, a rule without any score does as well or better."
        )
    for mistake, why in _MISTAKES:
        if sorted(given) == _useful(risk, long, **mistake):
            return not_yet(why)
    return not_yet(
        f"for a test score it should be {wanted}, and yours gives {sorted(given)}. Take right flags per "
        "person, less false flags per person times at / (1 - at); then compare with both rivals."
    )


_SAID = ("fails", "holds", "cannot say")
_TABLE = {
    "group": ["north", "south", "east", "west", "hills", "coast"],
    "long_stays": [200, 200, 40, 40, 12, 12],
    "sensitivity": [0.70, 0.20, 0.45, 0.60, 0.00, 1.00],
    "low": [0.63, 0.15, 0.31, 0.45, 0.00, 0.76],
    "high": [0.76, 0.26, 0.60, 0.74, 0.24, 1.00],
}
_TRUE = dict(zip(_TABLE["group"], ["holds", "fails", *["cannot say"] * 4], strict=True))


def verdicts(answer, groups) -> Verdict:
    import pandas as pd

    given = answer(pd.DataFrame(_TABLE), 0.5, 30)
    if given is None:
        return not_attempted("let the function return a dict, then run this cell again.")
    if not isinstance(given, dict):
        return not_yet(f"the function must return a dict of group to verdict, not a {type(given).__name__}.")
    missing = [group for group in _TRUE if group not in given]
    if missing:
        return not_yet(f"in a table for testing, the group {missing[0]!r} has no verdict. Give each one.")
    odd = [given[group] for group in _TRUE if given[group] not in _SAID]
    if odd:
        return not_yet(f"{str(odd[0])[:30]!r} is not a verdict; they are {', '.join(_SAID)}.")
    if given["hills"] != "cannot say" or given["coast"] != "cannot say":
        return not_yet(
            "you judge a group with 12 long stays. It is small: mark it, whatever its interval says, in "
            "both directions."
        )
    if given["east"] == "fails" and given["west"] == "holds":
        return not_yet(
            "you go by the middle of the interval. With 40 long stays, an interval from 0.31 to 0.60 holds "
            "the floor: neither verdict is safe."
        )
    if given["east"] == "holds" or given["west"] == "fails":
        return not_yet(
            "you took the wrong end: a group *fails* by its upper end, and *holds* by its lower. The one is "
            "not the rest of the other."
        )
    if any(given[group] != _TRUE[group] for group in _TRUE):
        wrong = next(group for group in _TRUE if given[group] != _TRUE[group])
        return not_yet(
            f"{wrong!r} {_TRUE[wrong]}, and you say {given[wrong]!r}. Compare both ends with the floor."
        )
    mine = answer(groups.copy(), 0.5, 30)
    named = {said: [group for group, one in mine.items() if one == said] for said in _SAID}
    lowest = groups.loc[groups["specificity"].idxmin()]
    return right(
        "; ".join(f"{said}: {', '.join(some) or 'none'}" for said, some in named.items())
        + f". They hold a floor of sensitivity only: at {lowest['group']} the specificity is "
        f"{lowest['specificity']:.2f}, so nearly everybody is flagged."
    )


_CLAIMS = (
    (r"\b(approved|accepted|cleared|certified|endorsed)\b",
     "it claims that somebody approved the device. Nobody has, and we found no such position."),
    (r"\bvalidated on (\S+ )?(\S+ )?synthetic|\bsynthetic (patients?|people|rows?) (validat|prov|confirm)",
     "it says that the device was validated on synthetic rows. They taught it; the test was on real people."),
    (r"\b(it|score|device|tool|software|model)( alone)? (decides|chooses|selects)\b(?! nothing)",
     "you let the score decide. Say who does: a score does not act."),
    (r"\b(safe|accurate|reliable|works|proven)\b[^.]*\b(all|every|everybody|any)\b|\bno risk\b|\bguarantee"
     r"|\b(it|score|device|tool|and) works( well)?(?=[.,;!]|$)",
     "it promises too much. Some groups fail, and of others nothing can be said."),
)  # fmt: skip
_DENIED = r"\b(not|never|nobody|no)\b|n't\b"
_YOUNG = r"\b(under|below|younger than|up to) (the age of )?65\b|\b18 ?(to|and|-|–) ?6[45]\b"
_FAILED = rf"{_DENIED}|\b(miss|fail|few|hardly|cannot|poor)"
_PARTS = (
    (r"\b(long[- ]stays?|stays? long|(seven|7)( or more)? nights|a week)\b",
     "say what the score predicts: a stay of seven nights or more."),
    (r"\badults?\b|\b(people|persons?|patients?|those|anybody|anyone)\b[^.]*\b65\b",
     "say for whom it is: adults, and of which ages."),
    (r"\bemergenc", "say for which stays: it has only seen people admitted as an emergency."),
    (r"\b65\b|\bsixty-five\b",
     "under 65 it misses most long stays. Say for which ages it is not to be used."),
    (r"\b75\b|\bseventy-five\b",
     "from 75 on it flags nearly everybody, and is no better than flagging all. Say that too."),
    (r"\b(ward|team|nurses?|doctors?|clinicians?|staff|consultants?)\b",
     "say who decides what to do. A score does not act."),
    (r"\b(not|never)\b[^.]*\b(discharg|refus|den(y|ied)|ration|withh|delay|limit|replac|decid|child|alone)",
     "say what it must *not* be used for, such as refusing care or delaying a discharge."),
    (r"\breal\b[^.]{0,40}\b(people|patients|adults|ones)\b",
     "say on whom it was validated: real people, and how many."),
)  # fmt: skip
_NOT_READY = r"(\bnot|n't)( yet| in this form)? ready\b|\bnot( be)? used( yet| at all| (at|for) any age)"
_AGES = (
    (r"\b65 ?(to|and|-|–) ?7[45]\b", "65 to 74", (65, 74)),
    (r"\b65 (years )?(or|and) (over|older|above|more)\b|\bover 64\b|\b65\+|\bfrom 65\b",
     "65 or over", (65, 120)),
)  # fmt: skip
_TEST_AGAIN = (
    r"\b(new|another|further|second|fresh)\b[^.]{0,60}\b(test|validat|people|patients|hospital)"
    r"|\b(test|validat)[^.]{0,60}\b(again|anew|other|others)\b"
)


def intended_use(answer: str, control) -> Verdict:
    if not isinstance(answer, str):
        return not_yet(f"the intended use must be text; this is a {type(answer).__name__}.")
    if not answer.strip():
        return not_attempted("write the intended use, then run this cell again.")
    words = " ".join(answer.split()).lower()
    sentences = re.split(r"(?<=[.!?;])\s", words)
    for sentence in sentences:
        for claim, why in _CLAIMS:
            found = re.search(claim, sentence)
            if found and not re.search(_DENIED, sentence[: found.start()]):
                return not_yet(f"{why} Read again: “{sentence.strip()[:80]}”.")
    for sentence in sentences:
        young = re.search(_YOUNG, sentence)
        near = young and sentence[: young.start()] + "|" + sentence[young.end() :][:30]
        if young and not re.search(_FAILED, near):
            return not_yet("you offer it to people under 65, and there it misses most long stays.")
    for part, why in _PARTS:
        if not re.search(part, words):
            return not_yet(why)
    return _people_and_ages(words, control["age"])


def _people_and_ages(words: str, ages) -> Verdict:
    """Are the people counted of the ages that the text is for, and is a new test asked for?"""
    numbers = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d|\d", words)}
    counts = {label: int(ages.between(*ends).sum()) for _, label, ends in _AGES}
    if re.search(_NOT_READY, words):
        if not numbers & {len(ages), *counts.values()}:
            return not_yet(f"how many real people was it validated on? In the control are {len(ages):,}.")
        return right(
            "what, for whom, who decides, what not, on how many real people, and that it is not ready. That "
            "is less than the maker hoped for, and all that this test allows."
        )
    label = next((label for pattern, label, _ in _AGES if re.search(pattern, words)), None)
    if not label:
        return not_yet("say for which ages it is meant, or that it is not ready for any.")
    if counts[label] not in numbers:
        return not_yet(
            f"you name the ages {label}. Give the number of real people of these ages that it was validated "
            f"on: {counts[label]:,}, and not all {len(ages):,}."
        )
    if not re.search(_TEST_AGAIN, words):
        return not_yet("you chose the ages after a look at the results. Say that they need a new test.")
    return right(
        "what, for whom, who decides, what not, and on how many real people. Until the new test at "
        f"{label} is done, it is not ready for these ages either."
    )


_RIGHT_USE = (
    "'The score predicts a stay of seven nights or more for adults of 65 or over admitted as an emergency. "
    "From 75 on it flags nearly everybody. The ward team decides. {} It was validated on {} real people.'"
)
_USEFUL = "def my_useful(risk, long, thresholds):\n    useful = []\n    for at in thresholds:\n"
_USEFUL += "        price, flagged = {price}, risk >= at\n"
_USEFUL += "        gain = np.mean(flagged & (long == 1)) - price * np.mean(flagged & (long == 0))\n"
_USEFUL += "        everybody = long.mean() - price * (1 - long.mean())\n"
_USEFUL += "        if gain > {rival}:\n            useful.append(at)\n    return useful"
_VERDICTS = "def my_verdicts(groups, floor, fewest):\n    said = {}\n    for row in groups.itertuples():\n"
_VERDICTS += "        said[row.group] = "


EXERCISES = {
    "lab26-validation": Exercise(
        "Choose the people to test on",
        "one letter",
        validation,
        (
            Wrong("my_choice = 'A'", "what the generator missed"),
            Wrong("my_choice = 'B'", "not independent"),
            Wrong("my_choice = 'D'", "nobody in it is 65 or over"),
            Wrong("my_choice = 'e'", "half of these rows are synthetic"),
            Wrong("my_choice = 'control'", "one letter of"),
            Wrong("my_choice = control", "must be one letter"),
        ),
    ),
    "lab26-useful": Exercise(
        "Where is the score worth using?",
        "a function of risks, outcomes and thresholds that returns a list",
        useful,
        (
            Wrong(_USEFUL.format(price="at / (1 - at)", rival="0"), "flagging nobody only"),
            Wrong(_USEFUL.format(price="at / (1 - at)", rival="everybody"), "flagging everybody only"),
            Wrong(_USEFUL.format(price="1", rival="max(everybody, 0)"), "as much as a right one"),
            Wrong(_USEFUL.format(price="(1 - at) / at", rival="max(everybody, 0)"), "upside down"),
            Wrong(_USEFUL.format(price="0.3 / 0.7", rival="max(everybody, 0)"), "of one threshold"),
            Wrong("def my_useful(risk, long, thresholds):\n    return True", "must return a list"),
            Wrong("my_useful = [0.3]", "could not be used"),
        ),
    ),
    "lab26-verdicts": Exercise(
        "Who fails, who holds, of whom can nothing be said?",
        "a function of the table, the floor and the fewest long stays that returns a dict",
        verdicts,
        (
            Wrong(
                _VERDICTS + "'fails' if row.sensitivity < floor else 'holds'\n"
                "        if row.long_stays < fewest:\n            said[row.group] = 'cannot say'\n"
                "    return said",
                "the middle of the interval",
            ),
            Wrong(
                _VERDICTS
                + "'cannot say'\n        if row.high < floor:\n            said[row.group] = 'fails'\n"
                "        if row.low >= floor:\n            said[row.group] = 'holds'\n    return said",
                "12 long stays",
            ),
            Wrong(
                _VERDICTS + "'cannot say'\n        if row.long_stays >= fewest:\n"
                "            said[row.group] = 'fails' if row.high < floor else 'holds'\n    return said",
                "wrong end",
            ),
            Wrong(
                _VERDICTS + "'cannot say'\n        if row.long_stays >= fewest and row.high < floor:\n"
                "            said[row.group] = 'fails'\n    return said",
                "both ends with the floor",
            ),
            Wrong("def my_verdicts(groups, floor, fewest):\n    return ['north']", "must return a dict"),
        ),
    ),
    "lab26-intended-use": Exercise(
        "The intended use",
        "two or three sentences as text",
        intended_use,
        (
            Wrong("my_intended_use = 'The score predicts how patients do.'", "what the score predicts"),
            Wrong(
                "my_intended_use = 'The score finds every long stay of adults, is approved, and was tested.'",
                "claims that somebody approved",
            ),
            Wrong(
                "my_intended_use = 'The score predicts a long stay and was validated on synthetic patients.'",
                "validated on synthetic rows",
            ),
            Wrong(
                "my_intended_use = 'The score predicts a stay of seven nights or more for adults admitted as "
                "an emergency. The ward team decides. It was validated on 2,182 real people.'",
                "for which ages",
            ),
            Wrong(
                "my_intended_use = 'The score predicts a stay of seven nights or more for adults under 65 "
                "admitted as an emergency. The ward team decides. It must not be used to refuse care. It was "
                "validated on 2,182 real people.'",
                "to people under 65",
            ),
            Wrong(
                "my_intended_use = 'The score predicts long stays of adults of 18 to 65 admitted as an "
                "emergency. It decides who gets rehabilitation, and works. It must not be used alone.'",
                "let the score decide",
            ),
            Wrong(
                "my_intended_use = 'The score predicts a long stay of adults of 65 or over admitted as an "
                "emergency. The ward team decides. It must not be used to refuse care, nor under 65. It was "
                "validated on 1,102 real people.'",
                "from 75 on",
            ),
            Wrong("my_intended_use = " + _RIGHT_USE.format("", "1,102"), "must *not* be used for"),
            Wrong(
                "my_intended_use = " + _RIGHT_USE.format("It must not be used to refuse care.", "2,182"),
                "and not all 2,182",
            ),
            Wrong(
                "my_intended_use = " + _RIGHT_USE.format("It must not be used to refuse care.", "1,102"),
                "need a new test",
            ),
            Wrong("my_intended_use = 65", "must be text"),
        ),
    ),
}

QUIZZES = {
    "lab26-flatter": Quiz(
        "A maker writes: 'AUC 0.90 on 500,000 synthetic patients, slope 1.0.' What do you know about the AUC "
        "on real patients?",
        (
            Option(
                "It is about 0.90: with so many rows the interval is tiny.",
                "The rows are many, and the generator is one. More rows make its error more exact, not "
                "smaller.",
            ),
            Option(
                "It is lower: synthetic validation always flatters.",
                "Not always: in this lab it ran one generator's score down, and was nearly right for others.",
            ),
            Option(
                "Nothing yet: it may be lower, equal or higher.",
                "A test on real people who stand behind neither the score nor the generator would tell.",
                right=True,
            ),
        ),
    ),
    "lab26-fill": Quiz(
        "A team has 20 real people of a group. It adds 180 synthetic ones, and the score's figures for the "
        "group improve when tested on 145 other real people of it. What may it write?",
        (
            Option(
                "The group is now represented by 200 people.",
                "It is represented by 20. The other rows are what a generator made of them and of everybody.",
            ),
            Option(
                "Synthetic filling helped here, by a test on 145 real people of the group; it may not "
                "elsewhere.",
                "The evidence is the 145 real people. For another group, or another generator, the same step "
                "can do harm.",
                right=True,
            ),
            Option(
                "Synthetic filling makes scores fairer.",
                "One group improved in one test. In this lab no synthetic filling helped by the measure "
                "fixed beforehand, and plain copies of the 20 did as much.",
            ),
        ),
    ),
    "lab26-seen": Quiz(
        "The training rows of a score are all synthetic, so none of the tested patients is among them. The "
        "generator had learned from everybody, the tested patients too. Is the test independent?",
        (
            Option(
                "Yes: no tested person is in the training rows.",
                "What the generator copied of them is. The score gained from it without ever seeing a real "
                "row.",
            ),
            Option(
                "No: set the tested people aside before the generator is fitted.",
                "How much it matters depends on generator and model, and without a second test nobody knows.",
                right=True,
            ),
            Option(
                "It is, if the generator passed its privacy tests.",
                "Such tests look for people given away. A small gain in a test can pass through them.",
            ),
        ),
    ),
}
