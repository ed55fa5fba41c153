"""Exercises and quizzes of lab 25, Three secure rooms."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right

_TURNED = {str(code): str(11 - code) for code in range(1, 11)}


def agree(answer: tuple) -> Verdict:
    recode, cannot = answer
    if not recode and cannot is None:
        return not_attempted("write the translation and name the column, then run this cell again.")
    if not isinstance(recode, dict) or not all(isinstance(codes, dict) for codes in recode.values()):
        return not_yet(
            "`my_recode` must be a dictionary of dictionaries: {column: {code there: agreed code}}."
        )
    told = {column: {str(a): str(b) for a, b in codes.items()} for column, codes in recode.items()}
    sexes = told.get("sex", {})
    if not sexes:
        return not_yet("the sexes are words in this room, and 1 and 2 in the others.")
    if set(sexes) == {"1", "2"}:
        return not_yet(
            "the translation of the sexes runs the wrong way: from the code *there* to the agreed one."
        )
    if sexes != {"male": "1", "female": "2"}:
        return not_yet("the sexes: male is 1 and female is 2 in the other rooms. Both need a line.")
    turned = told.get("deprivation", {})
    if not turned:
        return not_yet("the codes of deprivation look alike. Read what 10 means here.")
    if turned != {code: turned.get(code) for code in _TURNED} or set(turned.values()) != set(_TURNED):
        return not_yet("deprivation needs all ten codes, each going to another of the ten.")
    if turned != _TURNED:
        return not_yet("in the other rooms 1 is the most deprived, so 10 here is 1 there, 9 is 2, and so on.")
    if "ethnic" in told:
        return not_yet(
            "no translation of `ethnic` is right: who is Chinese cannot be told apart from others here."
        )
    extra = [column for column in told if column not in ("sex", "deprivation")]
    if extra:
        return not_yet(f"{extra[0]!r} has the same codes, with the same meaning, in all four rooms.")
    if cannot != "ethnic":
        return not_yet("which column puts some people into another group, and keeps no code for them?")
    return right(
        "two columns need a translation, and only one of those would have been found by a trial run. For "
        "`ethnic`, the rooms must go back to the finer codes, or join Asian and Other everywhere."
    )


def mean(answer: float, cells) -> Verdict:
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        try:
            answer = float(answer)
        except (TypeError, ValueError):
            return not_yet(f"the mean must be one number; this is a {type(answer).__name__}.")
    each = cells["total"] / cells["count"]
    wanted = cells["total"].sum() / cells["count"].sum()
    if abs(answer - wanted) < 0.005:
        return right(
            f"{wanted:.2f} nights. Counts and totals add up over the rooms; means do not "
            f"(the mean of the three means is {each.mean():.2f})."
        )
    if abs(answer - each.mean()) < 0.005:
        return not_yet("that is the mean of three means: the smallest room counts as much as the largest.")
    if abs(answer - cells["total"].sum()) < 1 or abs(answer - cells["total"].mean()) < 1:
        return not_yet("those are nights, of all patients or of a room's. Divide by the patients.")
    for room, value in zip(cells["room"], each, strict=True):
        if abs(answer - value) < 0.005:
            return not_yet(f"that is the mean of {room} alone. Add the three rooms first.")
    return not_yet("add the totals of the three rooms, add the counts, and divide once.")


def three(answer: list, room: tuple) -> Verdict:
    from course.federated import Room

    if not isinstance(answer, list | tuple) or not all(isinstance(each, dict) for each in answer):
        return not_yet("`my_questions` must be a list of three dictionaries, such as {'age': [0, 49]}.")
    if len(answer) == 2:
        return not_yet(
            "two questions meet the room's log: between them are fewer than ten people. Take three."
        )
    if len(answer) != 3:
        return not_yet(f"there must be three questions, and these are {len(answer)}.")
    fresh, counts = Room("South East", *room), []
    for number, where in enumerate(answer, start=1):
        given = fresh.answer("table", by=[], where=where)
        if "refused" in given:
            return not_yet(f"the room does not answer question {number}. It says: {given['refused']}")
        counts.append(given["cells"][0]["count"])
    found, truth = counts[0] - counts[1] - counts[2], int((room[0]["age"] > 100).sum())
    if found == truth:
        return right(
            f"{counts[0]} less {counts[1]} less {counts[2]} is {found}. Each answer was safe, and the room "
            "had no reason to refuse any of them."
        )
    if found < 0:
        return not_yet(f"the difference is {found}: somebody is taken away twice. Do the last two overlap?")
    if found > 10:
        return not_yet(
            f"the difference is {found}, so more than those over 100 are left. Whom did you not ask for?"
        )
    return not_yet(
        f"the difference is {found}, and that is not how many are over 100. Look at the ends of the ages."
    )


_MIRROR = "{str(c): str(11 - c) for c in range(1, 11)}"
_SEX = "'sex': {'male': '1', 'female': '2'}"
EXERCISES = {
    "lab25-agree": Exercise(
        "A fourth room joins",
        "a dictionary of translations and the name of a column",
        agree,
        (
            Wrong(f"my_recode = {{{_SEX}}}\nmy_cannot = 'ethnic'", "Read what 10 means"),
            Wrong("my_recode = {'sex': {'1': 'male', '2': 'female'}}\nmy_cannot = 'ethnic'", "wrong way"),
            Wrong(
                f"my_recode = {{{_SEX}, 'deprivation': {{'1': '10', '10': '1'}}}}\nmy_cannot = 'ethnic'",
                "all ten codes",
            ),
            Wrong(
                f"my_recode = {{{_SEX}, 'deprivation': {_MIRROR}, 'ethnic': {{'Asian': 'Other'}}}}\n"
                "my_cannot = 'ethnic'",
                "cannot be told apart",
            ),
            Wrong(
                f"my_recode = {{{_SEX}, 'deprivation': {_MIRROR}}}\nmy_cannot = 'deprivation'",
                "keeps no code for them",
            ),
            Wrong("my_recode = ['sex']\nmy_cannot = 'ethnic'", "dictionary of dictionaries"),
        ),
    ),
    "lab25-mean": Exercise(
        "A mean over three rooms",
        "one number",
        mean,
        (
            Wrong("my_mean = (white['total'] / white['count']).mean()", "mean of three means"),
            Wrong("my_mean = white['total'].sum()", "Divide by the patients"),
            Wrong("my_mean = (white['total'] / white['count']).iloc[0]", "of London alone"),
            Wrong("my_mean = 0.5", "divide once"),
            Wrong("my_mean = 'three'", "must be one number"),
        ),
    ),
    "lab25-three": Exercise(
        "Three questions",
        "a list of three questions",
        three,
        (
            Wrong("my_questions = [{}, {'age': [0, 100]}]", "Take three"),
            Wrong(
                "my_questions = [{}, {'age': [0, 100]}, {'age': [101, 110]}]", "does not answer question 2"
            ),
            Wrong("my_questions = [{}, {'age': [0, 64]}, {'age': [60, 100]}]", "taken away twice"),
            Wrong("my_questions = [{}, {'age': [0, 40]}, {'age': [65, 100]}]", "did you not ask for"),
            Wrong("my_questions = 'age > 100'", "list of three dictionaries"),
        ),
    ),
}

QUIZZES = {
    "lab25-trial": Quiz(
        "The trial run on synthetic rows passed in all three rooms. What does that show?",
        (
            Option(
                "That the result on the real rows will be right.",
                "the synthetic rows were made from descriptions. No relationship in them is real.",
            ),
            Option(
                "That the codes fit and the route works from end to end.",
                "form and route are what such rows can test. Meaning, small groups and results they cannot.",
                right=True,
            ),
            Option(
                "That no room will refuse the real question.",
                "a refusal depends on how many real people are behind a figure, and a trial does not know.",
            ),
        ),
    ),
    "lab25-threshold": Quiz(
        "A group has eight patients in each of three rooms. With a threshold of 10, what is given?",
        (
            Option(
                "24, since the rooms' counts are added up.",
                "each room withholds its own eight before anything is added, so nothing of it arrives.",
            ),
            Option(
                "Nothing, though a pooled table could show 24.",
                "the threshold is applied three times. That is the price, and small groups pay it.",
                right=True,
            ),
            Option(
                "Eight from each room, because the group is not small in all.",
                "a room knows its own people only, and eight are below its threshold.",
            ),
        ),
    ),
    "lab25-memory": Quiz(
        "A room refuses answers that differ from earlier ones by fewer than ten people. What is left to do?",
        (
            Option(
                "Nothing: differencing is now impossible.",
                "three answers, or one and a published table, can still leave a few people between them.",
            ),
            Option(
                "Somebody has to read the log, knowing what other rooms and publications show.",
                "the rule sees pairs in one room. People can see the rest, if the federation asks them to.",
                right=True,
            ),
            Option(
                "Raise the ten to a hundred, and then it is impossible.",
                "a higher number refuses more honest work too, and three answers still add up.",
            ),
        ),
    ),
}
