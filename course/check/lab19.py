"""Exercises and quizzes of lab 19, Reporting risk."""

from __future__ import annotations

import re

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right, sort_into

_FAULTS = ("no control", "no interval", "average", "fidelity", "too strong", "fine")
_DRAFT = {
    "A": ("too strong", "guidance sets no attack that proves it. Who may write that word after a test?"),
    "B": ("no control", "how often is the same disclosed of pupils who were not in the data?"),
    "C": ("fine", "look again: it has both rates, the excess, its interval and the number of tables."),
    "D": ("average", "what becomes of the one attack that works, among ten that do not?"),
    "E": ("fidelity", "it speaks of likeness. A plain copy passes that test best of all."),
    "F": ("no interval", "it has a control, and one figure. Would another seed have given the same?"),
    "G": ("too strong", "no clear difference by *one* attack is not the same as none by any."),
}
_NEAR = {
    (
        "B",
        "no interval",
    ): "it lacks an interval as well, but with one it would still say nothing. What is "
    "the rate to be compared with?",
    ("D", "no interval"): "an interval would not mend it. Which attack does the figure belong to?",
    ("E", "too strong"): "it is, and the reason is that it rests on something that is no measure of privacy. "
    "Name that.",
    ("F", "no control"): "the excess is over the control already. What else must stand beside it?",
    ("G", "no interval"): "it speaks of an interval. What does it make of it?",
    ("A", "no control"): "no control could carry that sentence. What is wrong with the claim itself?",
}


def draft(answer: dict) -> Verdict:
    done = "one sentence of seven may stay. It is the longest, and that is no accident."
    return sort_into(answer, _DRAFT, done, what="sentence", near=_NEAR, words=_FAULTS)


# What the newspaper says, and what it does not.
_SAID = {
    "sex": "it speaks of a girl",
    "birth_month": "it names a month",
    "school_type": "it says what kind of school",
    "region": "it says where",
    "first_language": "it says what is spoken at home",
}
_UNSAID = {
    "ethnic_group_minor": "a language is no ethnic group, and the paper names none",
    "attainment8": "coming top of a school is no result that can be looked up",
    "sen_provision": "a special school makes one likely, but the paper does not say which provision",
    "looked_after": "the paper says nothing about it",
    "fsm_eligible": "that is what the reader wants to learn",
}


def attack(answer: dict, parts, releases) -> Verdict:
    from course.measure import privacy

    keys, target = answer.get("keys"), answer.get("target")
    if keys is None and target is None:
        return not_attempted("give a list of keys and a target, then run this cell again.")
    if not isinstance(keys, list | tuple | set) or not all(isinstance(key, str) for key in keys):
        return not_yet("`keys` must be a list of names of columns.")
    unknown = sorted({*keys, target} - set(parts[0]), key=str)
    if unknown:
        return not_yet(f"{unknown[0]!r} is not a column; they are {', '.join(parts[0])}.")
    if target in keys:
        return not_yet(f"{target!r} is both a key and the target: who knows it need not guess it.")
    for column in keys:
        if column in _UNSAID:
            return not_yet(f"{column!r} is not known to this intruder: {_UNSAID[column]}.")
    for column, why in _SAID.items():
        if column == target:
            return not_yet(f"{column!r} is no secret here: {why}. What does the reader want to learn?")
        if column not in keys:
            return not_yet(f"this intruder knows more than that. Read the paper again: {why}.")
    if target != "fsm_eligible":
        return not_yet(f"the reader does not ask for {target!r}. What would they like to know?")
    risk = privacy.disco(*parts, releases, list(_SAID), target)
    return right(
        f"with these five keys, free school meals are disclosed with certainty for {risk.training:.1%} of "
        f"the pupils in the data and {risk.control:.1%} of the control, an excess of {risk.excess:.1%} "
        f"({risk.low:.1%} to {risk.high:.1%})."
    )


# Claims that no attack supports, unless the sentence denies them.
_CLAIMS = (
    r"\banonymous\b",
    r"\banonymi[sz]ed\b",
    r"\b(no|zero|without) (privacy |disclosure )?risk\b",
    r"\brisk[- ]free\b",
    r"\b(is|are|fully|completely|perfectly) (safe|private|secure)\b",
    r"\b(nobody|no one|no pupil|no person|none of the pupils) (can|could|will) be\b",
    r"\b(cannot|can not|can't|impossible to) be (re-?)?(identified|singled|linked|learned|told)\b",
    r"\bimpossible to (identify|recogni[sz]e|single|link|learn|tell|find)\b",
    r"\bguarantee[sd]?\b",
    r"\bproves?\b",
)
_DENIED = r"\b(not|never|nothing|no proof|none of this)\b|n't\b"
_PERCENT = r"(?<![\d.])(-?\d+(?:\.\d+)?)\s*(?=%|per ?cent|(?:to|and|-|–)\s*-?\d+(?:\.\d+)?\s*(?:%|per ?cent))"
_NUMBERS = {1: "one", 5: "five", 6: "six", 7: "seven", 8: "eight", 10: "ten"}


def _claimed(text: str) -> str | None:
    """The first sentence that claims what no attack can show, or None."""
    for sentence in re.split(r"(?<=[.!?])\s|\n", text):
        for claim in _CLAIMS:
            found = re.search(claim, sentence, re.I)
            if found and not re.search(_DENIED, sentence.replace(found.group(), ""), re.I):
                return sentence.strip()
    return None


def statement(answer: str, risk) -> Verdict:
    if not isinstance(answer, str):
        return not_yet(f"the statement must be text; this is a {type(answer).__name__}.")
    if not answer.strip():
        return not_attempted("write a statement, then run this cell again.")
    claim = _claimed(answer)
    if claim:
        return not_yet(f"no attack can show this: “{claim[:90]}”. Say what was tried and what was found.")
    given = [float(number) for number in re.findall(_PERCENT, answer)]

    def has(share):
        return any(abs(number - 100 * share) < 0.51 for number in given)

    words = answer.lower()
    needs = (
        (has(risk.training), "the rate in the data is not there, or is that of another attack."),
        (has(risk.control) and ("control" in words or "not in the data" in words), "the control is missing: "
         "the same attack on pupils who were not in the data, and its rate."),
        (has(risk.baseline), "the baseline is missing: what a plain guess would get."),
        (has(risk.excess), "the excess over the control is missing."),
        (has(risk.low) and has(risk.high), "the interval of the excess is missing: both ends of it."),
    )  # fmt: skip
    for there, why in needs:
        if not there:
            return not_yet(why)
    for key in risk.keys:
        if key.lower() not in words and key.lower().replace("_", " ") not in words:
            return not_yet(f"say what the intruder knows: {key!r} is not named.")
    many = rf"\b({risk.tables}|{_NUMBERS.get(risk.tables, risk.tables)})\b[^.]*(table|synthes|seed|release)"
    if not re.search(many, words):
        return not_yet(f"the interval rests on {risk.tables} tables of this generator: say how many.")
    if "worst" not in words:
        return not_yet("an average hides people: say who is worst placed, and how they fare.")
    if not re.search(r"other attacks?|not shown|does not show|not proof|knows? more|one attack", words):
        return not_yet("say what is *not* shown: other attacks, or an intruder who knows more.")
    return right(
        "the figures are right, and no claim goes too far that this check knows. Read once more whether all "
        "eight parts are there, and whether somebody can decide on this page."
    )


_PAGE = "page(mine, 'a table of pupils', 'a teacher with a list')"
EXERCISES = {
    "lab19-draft": Exercise(
        "What is wrong with the draft?",
        "a fault for each of the sentences A to G",
        draft,
        (
            Wrong("my_faults = dict.fromkeys('ABCDEFG', 'fine')", "who may write that word"),
            Wrong(
                "my_faults = dict(A='too strong', B='no interval', C='fine', D='average', E='fidelity', "
                "F='no interval', G='too strong')",
                "to be compared with",
            ),
            Wrong(
                "my_faults = dict(A='too strong', B='no control', C='fine', D='average', E='too strong', "
                "F='no interval', G='too strong')",
                "no measure of privacy",
            ),
            Wrong(
                "my_faults = dict(A='too strong', B='no control', C='fine', D='average', E='fidelity', "
                "F='no control', G='too strong')",
                "over the control already",
            ),
            Wrong(
                "my_faults = dict(A='too strong', B='no control', C='fine', D='average', E='fidelity', "
                "F='no interval', G='fine')",
                "by any",
            ),
        ),
    ),
    "lab19-attack": Exercise(
        "Set the attack",
        "a list of keys and the name of a target",
        attack,
        (
            Wrong(
                "my_attack = {'keys': ['sex', 'birth_month', 'school_type', 'region'], "
                "'target': 'fsm_eligible'}",
                "spoken at home",
            ),
            Wrong("my_attack = {'keys': keys, 'target': 'fsm_eligible'}", "no ethnic group"),
            Wrong(
                "my_attack = {'keys': ['sex', 'birth_month', 'school_type', 'region', 'first_language', "
                "'attainment8'], 'target': 'fsm_eligible'}",
                "can be looked up",
            ),
            Wrong(
                "my_attack = {'keys': ['sex', 'birth_month', 'school_type', 'region', 'first_language'], "
                "'target': 'sen_provision'}",
                "does not ask for",
            ),
            Wrong("my_attack = {'keys': ['sex', 'fsm_eligible'], 'target': 'fsm_eligible'}", "both a key"),
        ),
    ),
    "lab19-statement": Exercise(
        "Write the page",
        "a statement as text",
        statement,
        (
            Wrong("my_statement = 'The release is anonymous.'", "no attack can show this: “The release is"),
            Wrong(
                f"my_statement = {_PAGE} + 'So nobody can be identified from the table.'",
                "“So nobody can be identified",
            ),
            Wrong("my_statement = page(risk, 'a table of pupils', 'a teacher')", "of another attack"),
            Wrong(
                "my_statement = f'A teacher learns {mine.training:.1%} of the pupils.'",
                "the control is missing",
            ),
            Wrong(
                f"my_statement = {_PAGE}.replace(percent(mine.low), '').replace(percent(mine.high), '')",
                "both ends",
            ),
            Wrong(f"my_statement = {_PAGE}.replace('first_language', '')", "'first_language' is not named"),
            Wrong(f"my_statement = {_PAGE}.split('Not shown')[0]", "what is *not* shown"),
        ),
    ),
}

QUIZZES = {
    "lab19-leaks": Quiz(
        "A report makes eleven attacks on one release. One interval lies just above zero, and `leaks` is "
        "empty. What do you write?",
        (
            Option(
                "Nothing about that attack, since it is no leak.",
                "the reader cannot weigh what is left out. Every attack made belongs on the page.",
            ),
            Option(
                "That the release leaks.",
                "with eleven attacks, one interval just above zero is common for a harmless release.",
            ),
            Option(
                "All eleven with their intervals, and that none passes the limit for so many attacks.",
                "the reader sees what was found, and that luck is enough to explain it.",
                right=True,
            ),
        ),
    ),
    "lab19-remote": Quiz(
        "Which excess counts as “sufficiently remote” in the guidance of the ICO?",
        (
            Option("Below five per cent.", "this course found no percentage in the guidance it has read."),
            Option(
                "None is named: the data, the recipient and the means are weighed together.",
                "a rate supports that judgement and cannot replace it.",
                right=True,
            ),
            Option("Exactly zero.", "the guidance does not ask for no risk at all."),
        ),
    ),
    "lab19-tre": Quiz(
        "The same table moves from the open web into a secure environment. What happens to the excess?",
        (
            Option(
                "It falls, because fewer people can try.",
                "fewer can try, but the rate is that of an intruder who does try.",
            ),
            Option(
                "It stays. Who can try, with what, and what happens to them is what changes.",
                "so a statement needs both: the rate, and the environment in words.",
                right=True,
            ),
            Option("It becomes zero.", "approved people can be careless too, and accounts can be stolen."),
        ),
    ),
}
