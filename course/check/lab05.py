"""Exercises and quizzes of lab 5, From metadata and rules."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right

OWNERS, RENT = "owners are adults", "least rent"


def rules(answer: dict, schema, rules) -> Verdict:
    if all(given is None for given in answer.values()):
        return not_attempted("write an expression for each sentence, then run this cell again.")
    for name in (OWNERS, RENT):
        if not isinstance(answer.get(name), str):
            return not_yet(f"there is no expression for {name!r} yet. It is a text, in quotes.")
    grid = _households()
    for name in (OWNERS, RENT):
        if found := _unreadable(grid, answer[name]):
            return not_yet(f"{name}: {found}")
    adults = (grid["reference_age"] >= 18) | grid["tenure"].isin(["SR", "PR"])
    least = grid["weekly_rent"].isna() | (grid["weekly_rent"] >= 40)
    said = _about_owners(grid, _kept(grid, answer[OWNERS]), adults)
    said = said or _about_rent(grid, _kept(grid, answer[RENT]), least)
    if said:
        return not_yet(said)
    return _with_the_generator(answer, schema, rules)


def _households():
    """Households of every tenure and of ages about 18, with rents about 40 or none."""
    import pandas as pd

    grid = pd.MultiIndex.from_product(
        [(16, 17, 18, 19, 70), ("OO", "OM", "SR", "PR"), (None, 39.99, 40.0, 55.0)],
        names=["reference_age", "tenure", "weekly_rent"],
    ).to_frame(index=False)
    return grid.astype({"weekly_rent": "float64"})


def _kept(grid, expression: str):
    return grid.eval(expression, engine="python").fillna(False).astype(bool)


def _unreadable(grid, expression: str) -> str:
    """Why pandas cannot work the expression out, or nothing."""
    try:
        _kept(grid, expression)
    except NameError as error:
        return f"{error}. The columns are {', '.join(grid.columns)}, and texts stand in quotes."
    except (SyntaxError, NotImplementedError, TypeError, ValueError) as error:
        return (
            f"pandas cannot work this out ({error}). There is no 'if' and no 'is': write 'not A, or B', and "
            "weekly_rent.isna() for a blank."
        )
    return ""


def _about_owners(grid, kept, wanted) -> str:
    young, owns = grid["reference_age"] < 18, grid["tenure"].isin(["OO", "OM"])
    if kept.equals(wanted):
        return ""
    if kept.equals(~wanted):
        return f"{OWNERS}: it is the wrong way round. A rule is true of the rows that keep it."
    if len(broken := grid["tenure"][young & ~owns & ~kept].unique()):
        return (
            f"{OWNERS}: a tenant of 17 breaks your rule (tenure {', '.join(broken)}). Write 'not an owner, "
            "or 18 and over'."
        )
    if not kept[(grid["reference_age"] == 70) & owns].all():
        return f"{OWNERS}: an owner of 70 breaks your rule. Whoever is 18 or over keeps it."
    if kept[young & owns].any():
        return f"{OWNERS}: an owner of 17 keeps your rule, with one kind of ownership at least."
    if not kept[(grid["reference_age"] == 18) & owns].all():
        return f"{OWNERS}: an owner of 18 breaks your rule, and is not under 18. Use >=, not >."
    return f"{OWNERS}: some owners of 19 break your rule."


def _about_rent(grid, kept, wanted) -> str:
    rent = grid["weekly_rent"]
    if kept.equals(wanted):
        return ""
    if not kept[rent.isna()].all():
        return f"{RENT}: households with no rent break your rule: a blank is not >= 40. Let blanks pass."
    if kept[rent < 40].any():
        return f"{RENT}: a rent of 39.99 keeps your rule."
    return f"{RENT}: a rent of exactly 40 is at least 40. Use >=, not >."


def _with_the_generator(answer: dict, schema, rules) -> Verdict:
    """The proof: rows drawn under the old rules and the new ones, and each rule worked out on them."""
    from course import generate

    table = schema.name
    new = [{"name": name, "table": table, "expression": answer[name]} for name in (OWNERS, RENT)]
    rows = generate.fit("valid", None, schema, rules=[*rules, *new]).sample(200, seed=1)
    broken = sum(int((~_kept(rows, rule["expression"])).sum()) for rule in [*rules, *new])
    if broken:
        return not_yet(f"drawn under your rules, {broken} of 200 rows break one.")
    return right(f"in 200 rows drawn under {len(rules) + len(new)} rules, {broken} rows break one.")


def canary(answer: dict, kept: dict, canary: dict) -> Verdict:
    if all(given is None for given in answer.values()):
        return not_attempted("list the columns for each tool, then run this cell again.")
    for tool in ("SynthOpt", "metasyn"):
        given = answer.get(tool)
        if not isinstance(given, (list, tuple, set)) or not set(given) <= set(canary):
            return not_yet(f"{tool}: answer with a list of column names of the canary.")
        given, (seen, control) = set(given), (kept[tool, part] for part in ("with", "without"))
        wanted = {
            column
            for column, value in canary.items()
            if _stands(value, seen.get(column)) and not _stands(value, control.get(column))
        }
        shared = {column for column in given - wanted if _stands(canary[column], seen.get(column))}
        if shared:
            return not_yet(
                f"{tool}: other households have the same {min(shared)}, and the control keeps it too. "
                "It gives no canary away."
            )
        if given - wanted:
            column = min(given - wanted)
            return not_yet(
                f"{tool}: of {column} it keeps {str(seen.get(column))[:80]}. The canary's is not there."
            )
        if "tenancy_start" in wanted - given:
            return not_yet(f"{tool}: you missed a day. It is written in another form: read the first end.")
        if wanted - given:
            return not_yet(f"{tool}: {len(wanted - given)} more. Look at the ends and the lists.")
    return right(
        "one tool has four of the canary's values and the other two, in a file that is called metadata."
    )


def _stands(value, stored) -> bool:
    """Whether a value stands in what a tool keeps of a column, as number, text, day or seconds since 1970."""
    from numbers import Real

    import pandas as pd

    if isinstance(stored, dict):
        return any(_stands(value, each) for each in stored.values())
    if isinstance(stored, list | tuple):
        return any(_stands(value, each) for each in stored)
    if isinstance(value, pd.Timestamp):
        if isinstance(stored, str):
            return stored[:10] == f"{value:%Y-%m-%d}"
        return isinstance(stored, Real) and stored == value.timestamp()
    if isinstance(value, str):
        return isinstance(stored, str) and value in stored
    return isinstance(stored, Real) and float(stored) == float(value)


_SUPPLIER = {
    "household_type": "there is no key for the code OTH: try each code of household_type.",
    "tenancy_start": "an owner has no tenancy, and int('') is an error.",
    "weekly_income": "no error is raised for income, but it is compared as text: '95.5' < '300' is "
    "false, and a blank is less than everything.",
}
_FINE = {
    "weekly_rent": "a blank rent is taken as 0, and whoever has none gets no letter. That is meant.",
    "reference_age": "the age is always there, and it is turned into a number.",
}


def supplier(answer) -> Verdict:
    given = set(answer)
    if isinstance(answer, str) or not given <= set(_SUPPLIER) | set(_FINE):
        return not_yet(f"answer with a list of columns of the code: {', '.join({**_SUPPLIER, **_FINE})}.")
    if wrong := sorted(given & set(_FINE)):
        return not_yet(f"{wrong[0]} is treated well: {_FINE[wrong[0]]}")
    for column, why in _SUPPLIER.items():
        if column not in given:
            return not_yet(f"there is more: {why}")
    return right(
        "two stop with an error. The third decides wrongly who is poor, in silence, and would have gone live."
    )


_TOLD = "my_rules = {{'owners are adults': {!r}, 'least rent': {!r}}}"
_ADULTS, _LEAST = (
    "reference_age >= 18 or tenure.isin(['SR', 'PR'])",
    "weekly_rent.isna() or weekly_rent >= 40",
)

EXERCISES = {
    "lab05-rules": Exercise(
        "Two sentences written as rules",
        "two expressions, as text",
        rules,
        (
            Wrong(_TOLD.format("reference_age >= 18", _LEAST), "a tenant of 17"),
            Wrong(
                _TOLD.format("reference_age < 18 and tenure.isin(['OO', 'OM'])", _LEAST), "wrong way round"
            ),
            Wrong(_TOLD.format("reference_age > 18 or tenure.isin(['SR', 'PR'])", _LEAST), "an owner of 18"),
            Wrong(_TOLD.format("reference_age >= 18 or tenure != 'OO'", _LEAST), "an owner of 17"),
            Wrong(_TOLD.format("tenure.isin(['SR', 'PR'])", _LEAST), "an owner of 70"),
            Wrong(_TOLD.format(_ADULTS, "weekly_rent is None or weekly_rent >= 40"), "there is no 'if'"),
            Wrong(_TOLD.format(_ADULTS, "rent >= 40"), "The columns are"),
            Wrong(_TOLD.format(_ADULTS, "weekly_rent >= 40"), "let blanks pass"),
            Wrong(_TOLD.format(_ADULTS, "weekly_rent.isna() or weekly_rent > 40"), "exactly 40"),
        ),
    ),
    "lab05-canary": Exercise(
        "The canary in what two tools keep",
        "a list of column names for each tool",
        canary,
        (
            Wrong(
                "my_finds = {'SynthOpt': ['people', 'weekly_income', 'weekly_rent'], 'metasyn': ['people']}",
                "missed a day",
            ),
            Wrong(
                "my_finds = {'SynthOpt': ['people', 'weekly_income', 'weekly_rent', 'tenancy_start'],\n"
                "            'metasyn': ['people', 'tenancy_start', 'household_type']}",
                "the control keeps it too",
            ),
            Wrong(
                "my_finds = {'SynthOpt': ['people', 'weekly_income', 'weekly_rent', 'tenancy_start'],\n"
                "            'metasyn': ['weekly_income']}",
                "is not there",
            ),
            Wrong("my_finds = {'SynthOpt': ['tenancy_start'], 'metasyn': ['tenancy_start']}", "3 more"),
            Wrong(
                "my_finds = {'SynthOpt': ['people', 'weekly_income', 'weekly_rent', 'tenancy_start']}",
                "metasyn: answer with a list",
            ),
        ),
    ),
    "lab05-supplier": Exercise(
        "What a supplier's code gets wrong",
        "a list of column names",
        supplier,
        (
            Wrong("my_columns = ['household_type', 'tenancy_start']", "compared as text"),
            Wrong("my_columns = ['household_type', 'tenancy_start', 'weekly_rent']", "treated well"),
            Wrong("my_columns = ['weekly_income']", "no key for the code OTH"),
        ),
    ),
}

QUIZZES = {
    "lab05-word": Quiz(
        "A tool calls its output 'metadata only'. What tells you whether people's values are in it?",
        (
            Option(
                "The name: metadata are data about data, not about people.",
                "the exact largest income is metadata of the column and a fact about one household.",
            ),
            Option(
                "The size of the file: it is too small to hold the rows.",
                "one number can give one person away. Two numbers for each column are enough.",
            ),
            Option(
                "A canary: plant a value, make the output, and look for it in every form.",
                "what comes out was looked at and kept. Do the same without the canary, as the control.",
                right=True,
            ),
        ),
    ),
    "lab05-description": Quiz(
        "A dummy table was made from the description alone. What can still give somebody away?",
        (
            Option(
                "Nothing: no row was opened.",
                "no row was opened to make the table. Rows may have been opened to write the description.",
            ),
            Option(
                "A code list or a limit in the description that was taken from the rows.",
                "a code that one person has, or a highest income, comes through every table made from it.",
                right=True,
            ),
            Option(
                "Two dummy rows that happen to look alike.",
                "the rows are drawn from codes and limits. That two agree says nothing about anybody.",
            ),
        ),
    ),
    "lab05-count": Quiz(
        "A manager counts in the dummy table: 'So about half of those households have somebody ill.' "
        "What do you say?",
        (
            Option(
                "No count in it means anything: codes were drawn as if all were equally common.",
                "and the rules tilted even that. For counts, start from published ones, as in lab 6.",
                right=True,
            ),
            Option(
                "About right: the rules make the table realistic.",
                "rules say which rows can be, not how many there are.",
            ),
            Option(
                "It would be right with more rows.",
                "more rows make the same meaningless share more exact.",
            ),
        ),
    ),
}
