"""Exercises and quizzes of lab 23, Your own table."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right, sort_into

_UNKNOWN = {"Household Type": "n/k", "Bedrooms": "99", "Tenancy Start": "1900-01-01"}
_KNOWN = {
    "Tenure": "its two codes, of social and of private rent, are both explained in the handbook.",
    "No. in Household": "large households exist, and each larger size is rarer than the one before.",
    "Age": "the oldest tenants are old, and there is no age that many share by accident.",
    "Weekly Income (£)": "incomes differ, and a blank here is blank already.",
    "Ethnicity": "its code for not known is in the list of codes, and stays.",
    "Health Condition?": "its code for not known is in the list of codes, and stays.",
    "Weekly Rent (£)": "several homes share a rent because rents are set by the size of the home.",
}


def unknowns(answer: dict, table) -> Verdict:
    if not answer:
        return not_attempted("name three columns, each with its value, then run this cell again.")
    if strange := [column for column in answer if column not in list(table)]:
        return not_yet(f"{strange[0]!r} is no column. They are {', '.join(table)}.")
    for column, value in answer.items():
        said = str(value).strip().partition(" 00:00")[0]
        if column in _UNKNOWN and said != _UNKNOWN[column]:
            return not_yet(
                f"{column}: {said!r} is not it. Look for a value far from all others, or one that is no code."
            )
        if column not in _UNKNOWN:
            return not_yet(f"{column}: {_KNOWN.get(column, 'nothing in it stands for not known.')}")
    if missing := [column for column in _UNKNOWN if column not in answer]:
        hints = {
            "Bedrooms": "how many bedrooms has the largest home?",
            "Tenancy Start": "which day did most tenancies begin on, and is anybody that old?",
            "Household Type": "which code of a household is no code?",
        }
        return not_yet(f"there is one more, or several: {hints[missing[0]]}")
    return right("two codes and a date that were typed in where nothing was known. Only a person can tell.")


_MUST = {
    "Tenant Ref": (
        "identifier",
        "it names one household, and with the housing system anybody finds it. As an identifier it is never "
        "synthesised.",
    ),
    "In Arrears?": ("sensitive", "this is what tenants may not want known, and what the intruder is after."),
    "Health Condition?": ("sensitive", "health is special category data. It stays sensitive."),
    "Weekly Income (£)": ("sensitive", "what people earn is what they may not want known."),
}
# Left out or called sensitive is more careful still, and no mistake.
_KEPT_OUT = {"Area": ("leave out",), "Ethnicity": ("sensitive",)}
_SEEN = {
    "Area": "neighbours know where a home is.",
    "Age": "neighbours know about how old somebody is.",
    "Ethnicity": "others may know it. Nobody needs the table for that.",
    "Tenure": "neighbours often know whether a home is let by a landlord or as social housing.",
}


def roles(answer: dict, proposal) -> Verdict:
    if not answer:
        return not_attempted("give at least one column its new role, then run this cell again.")
    from course.assess.answers import ROLES

    proposed = dict(zip(proposal.columns["column"], proposal.columns["role"], strict=True))
    for column, role in answer.items():
        if column not in proposed:
            return not_yet(f"{column!r} is no column. They are {', '.join(proposed)}.")
        if role not in ROLES:
            return not_yet(f"{column}: {role!r} is no role. It is one of: {', '.join(ROLES)}.")
        if column in _MUST and role != _MUST[column][0]:
            return not_yet(f"{column}: {_MUST[column][1]}")
        if column in _SEEN and role not in ("quasi-identifier", *_KEPT_OUT.get(column, ())):
            return not_yet(f"{column}: {_SEEN[column]} An attack that leaves it out is too weak.")
    if answer.get("UC?") not in ("sensitive", "leave out"):
        return not_yet("one heading is an abbreviation: UC is Universal Credit. Who may not want it known?")
    return right(
        "that somebody is on Universal Credit is for them to tell. The others are for you to argue: the "
        "record of the run keeps what you decided."
    )


_DRAFTS = {
    "A": ("nobody", "whom would you ring?"),
    "B": ("stands", "it names a day, and what brings the day forward."),
    "C": ("promise", "which test showed that there is no risk? None can."),
    "D": ("empty", "these words fill the line, and nothing was checked."),
    "E": ("stands", "it names a team that has a duty, the time, and what they do first."),
    "F": ("promise", "it does not name a harm. It claims that there cannot be one."),
    "G": ("own work", "there is a name and an approval. Who else has looked?"),
}
_NEAR = {
    ("A", "empty"): "it says something. But can anybody in particular be held to it?",
    ("E", "nobody"): "a team with a duty and a time limit can be held to it: it is the one that answers.",
    ("F", "empty"): "it is worse than empty: it claims what no test can show.",
    ("D", "nobody"): "true, and it is less than that: nothing was answered at all.",
    ("G", "nobody"): "there is a name. What else did the same person do?",
}


def gaps(answer: dict) -> Verdict:
    done = "two of seven stand. The program would have let six pass: it knows only the words of D."
    return sort_into(answer, _DRAFTS, done, what="draft", near=_NEAR)


_GOOD = "{'Household Type': 'n/k', 'Bedrooms': 99, 'Tenancy Start': '1900-01-01'}"
_REVIEW = (
    "my_review = dict(A='nobody', B='stands', C='promise', D='empty', E='stands', F='promise', G='own work')"
)

EXERCISES = {
    "lab23-unknowns": Exercise(
        "Values that stand for not known",
        "a dict of three columns, each with its value",
        unknowns,
        (
            Wrong("my_unknowns = {'Household Type': 'n/k', 'Tenancy Start': '1900-01-01'}", "largest home"),
            Wrong("my_unknowns = {'Household Type': 'n/k', 'Bedrooms': 99}", "most tenancies"),
            Wrong("my_unknowns = {'Bedrooms': 99, 'Tenancy Start': '1900-01-01'}", "is no code"),
            Wrong(f"my_unknowns = {_GOOD} | {{'Age': 96}}", "oldest tenants"),
            Wrong(f"my_unknowns = {_GOOD} | {{'Bedrooms': 1}}", "far from all others"),
        ),
    ),
    "lab23-roles": Exercise(
        "Correct the proposal",
        "a dict of columns, each with a role",
        roles,
        (
            Wrong("my_changes = {'Weekly Rent (£)': 'sensitive'}", "an abbreviation"),
            Wrong("my_changes = {'UC?': 'sensitive', 'Age': 'other'}", "too weak"),
            Wrong(
                "my_changes = {'UC?': 'sensitive', 'Tenant Ref': 'quasi-identifier'}", "names one household"
            ),
            Wrong("my_changes = {'UC?': 'sensitive', 'In Arrears?': 'leave out'}", "is after"),
        ),
    ),
    "lab23-gaps": Exercise(
        "Would you sign?",
        "a dict with a word for each of A to G",
        gaps,
        (
            Wrong(_REVIEW.replace("'nobody'", "'stands'"), "whom would you ring"),
            Wrong(_REVIEW.replace("D='empty'", "D='stands'"), "nothing was checked"),
            Wrong(_REVIEW.replace("F='promise'", "F='stands'"), "does not name a harm"),
            Wrong(_REVIEW.replace("'own work'", "'stands'"), "Who else has looked"),
        ),
    ),
}

QUIZZES = {
    "lab23-limit": Quiz(
        "No attack on ipf found a leak, and the upper end of an interval is above the limit. What now?",
        (
            Option(
                "Raise the limit a little, since nothing was found.", "then the limit follows the result."
            ),
            Option(
                "Release it: no attack found a leak.",
                "too few were attacked to rule out what the limit forbids.",
            ),
            Option(
                "Hand over a lower rung, or measure again with more people.",
                "both keep the limit where it was written.",
                right=True,
            ),
        ),
    ),
    "lab23-ready": Quiz(
        "A pack says READY. What does that mean?",
        (
            Option(
                "No gap is open and no measure fails. Whether to release is still somebody's decision.",
                "a program counts gaps and failures. It cannot read answers.",
                right=True,
            ),
            Option("The table is anonymous.", "no paper of the pack says so, and none can."),
            Option(
                "The answers in it are true.", "the program cannot know. A person signed for each of them."
            ),
        ),
    ),
    "lab23-file": Quiz(
        "Your export has account numbers such as 00417, and somebody opened and saved it in a spreadsheet. "
        "What may have gone?",
        (
            Option(
                "Nothing: it is the same file.", "spreadsheets read numbers and write them their own way."
            ),
            Option(
                "The leading noughts, and perhaps long numbers and dates. Ask for the export again.",
                "no reader can bring back what was not saved.",
                right=True,
            ),
            Option("Only the colours.", "colours were never in a CSV file. Values may have changed."),
        ),
    ),
}
