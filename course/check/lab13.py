"""Exercises and quizzes of lab 13, The hard parts."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right

_KINDS = ("MCAR", "MAR", "MNAR")


def blanks(answer: dict, jobs) -> Verdict:
    if answer and all(given is None for given in answer.values()):
        return not_attempted("write MCAR, MAR or MNAR for each column, then run this cell again.")
    given = {
        column: str(answer[column]).strip().upper() for column in ("area_code", "start_date", "annual_bonus")
    }
    unknown = [column for column, kind in given.items() if kind not in _KINDS]
    if unknown:
        return not_yet(f"{unknown[0]} needs one of {', '.join(_KINDS)}.")
    part_time = jobs["full_time"] == "P"
    shares = {column: jobs[column].isna().groupby(part_time).mean() for column in given}
    if given["area_code"] != "MCAR":
        area = shares["area_code"]
        return not_yet(
            f"area_code is blank for {area[True]:.1%} of part-time and {area[False]:.1%} of full-time "
            f"jobs, and "
            "no other column parts them more than chance does. Nothing speaks against the plainest kind."
        )
    if given["start_date"] == "MCAR":
        start = shares["start_date"]
        return not_yet(
            f"start_date is blank for {start[True]:.1%} of part-time and {start[False]:.1%} of full-time "
            f"jobs: "
            "that is not completely at random."
        )
    if given["start_date"] == "MNAR":
        return not_yet(
            "start_date is blank more often for part-time jobs and temporary contracts. Both are columns you "
            "can see, and the truth names no effect of the date itself."
        )
    if given["annual_bonus"] == "MCAR":
        return not_yet(
            "annual_bonus is blank about twice as often where hourly pay is high: that is not completely "
            "at random."
        )
    if given["annual_bonus"] == "MAR":
        return not_yet(
            "by the table alone, annual_bonus could depend on pay, which is seen. Here the table cannot "
            "decide. "
            "Look for bonus_lost_slope in the truth: what does the chance depend on?"
        )
    return right(
        "the area is lost to a failed match, the start date by columns that are seen, the bonus because of "
        "its own "
        "size. For the bonus only the people who collect the data could have told you."
    )


def codes(answer, stays, threshold) -> Verdict:
    import pandas as pd

    from course.measure import fidelity

    if len(answer) != len(stays):
        return not_yet(f"give one group for each of the {len(stays):,} stays; you gave {len(answer):,}.")
    groups = pd.Series(list(answer), index=stays.index).astype(str).where(pd.notna(list(answer)))
    if groups.isna().any():
        return not_yet(f"{groups.isna().sum():,} stays have no group. Every code needs one.")
    if groups.groupby(stays["diag_01"]).nunique().max() > 1:
        return not_yet("some code is in two groups. The group must follow from the code alone.")
    sizes, own = groups.value_counts(), stays["diag_01"].value_counts()
    if sizes.min() < threshold:
        return not_yet(
            f"{(sizes < threshold).sum()} of your {len(sizes)} groups have fewer than {threshold} stays; "
            f"the smallest "
            f"has {sizes.min()}. Coarser groups are needed."
        )
    nights = stays["speldur"].astype("float64")
    if len(sizes) == 1:
        return not_yet("one group for all holds every threshold and keeps nothing.")
    if fidelity.association(nights, groups) < 0.25:
        return not_yet(
            "the groups are large enough, but the difference in nights between diagnoses is mostly gone: "
            "they put "
            "unlike illnesses together. Use more groups, by kind of illness."
        )
    rare = stays["diag_01"].map(own) < threshold
    if fidelity.association(nights[rare], groups[rare]) < 0.2:
        return not_yet(
            "the common codes keep their nights, but the rare ones are all together, so that a rare mental "
            "illness "
            "stands beside a rare broken bone. Put a rare code with others of its own kind."
        )
    return right(
        f"{len(sizes)} groups, the smallest of {sizes.min()} stays, and the rare codes still tell how long "
        f"people stay."
    )


def caveat(answer: tuple, real, made, labels, least=50) -> Verdict:
    group, words = answer
    sizes = real["ethnic_group"].value_counts()
    shares = [(part["tenure"] == "PR").groupby(part["ethnic_group"]).mean() for part in (real, made)]
    if group not in sizes:
        return not_yet(f"{group!r} is no code of ethnic_group. Give a code such as 'AIND'.")
    if sizes[group] < least or group == "X":
        return not_yet(
            f"{labels[group]}: leave out X and groups with fewer than {least} households. In so small a "
            f"group the "
            "difference may be chance, and the caveat would say so much about so few."
        )
    enough = sizes[(sizes >= least) & (sizes.index != "X")].index
    error = (shares[1].reindex(enough).fillna(0) - shares[0][enough]).abs()
    if group != error.idxmax():
        return not_yet(
            f"{labels[group]}: the copy is {100 * error[group]:.0f} points wrong there. For another group "
            f"it is "
            "further off."
        )
    if not isinstance(words, str) or not words.strip():
        return not_yet("the group is right. Now write the caveat: one sentence, as text.")
    if labels[group].split("–")[-1].strip().lower() not in words.lower():
        return not_yet(f"the caveat does not name the group in words a reader knows: {labels[group]}.")
    stated = [f"{share[group]:.0%}" for share in shares]
    if not all(
        share in words.replace(" %", "%").replace(" per cent", "%").replace(" percent", "%")
        for share in stated
    ):
        return not_yet("the caveat should give both shares in whole percent, the copy's and the real one.")
    if " not " not in f" {words.lower()} ":
        return not_yet("the caveat does not say what the table must not be used for.")
    return right(
        f"{len(enough)} groups were large enough to judge, and this one fares worst. A reader of your "
        f"sentence knows "
        "for whom the table is wrong, by how much, and what not to do."
    )


_SHARES = (
    "s = [(t['tenure'] == 'PR').groupby(t['ethnic_group']).mean() for t in (real, made['copula'])]\n"
    "n = real['ethnic_group'].value_counts()\n"
    "n = n[(n >= 50) & (n.index != 'X')]\n"
    "my_group = (s[1] - s[0])[n.index].abs().idxmax()\n"
)

EXERCISES = {
    "lab13-blanks": Exercise(
        "Which kind of missing three columns have",
        "the three columns, each with MCAR, MAR or MNAR",
        blanks,
        (
            Wrong(
                "my_kinds = {'area_code': 'MAR', 'start_date': 'MAR', 'annual_bonus': 'MNAR'}",
                "more than chance does",
            ),
            Wrong(
                "my_kinds = {'area_code': 'MCAR', 'start_date': 'MCAR', 'annual_bonus': 'MNAR'}",
                "not completely at random",
            ),
            Wrong(
                "my_kinds = {'area_code': 'MCAR', 'start_date': 'MNAR', 'annual_bonus': 'MNAR'}",
                "columns you can see",
            ),
            Wrong(
                "my_kinds = {'area_code': 'MCAR', 'start_date': 'MAR', 'annual_bonus': 'MAR'}",
                "the table cannot decide",
            ),
        ),
    ),
    "lab13-codes": Exercise(
        "Groups of rare codes that keep the finding",
        "a Series with one group for each stay",
        codes,
        (
            Wrong("my_groups = stays['diag_01'].str[:3]", "the smallest has"),
            Wrong(
                "my_groups = stays['diag_01'].where(stays['diag_01'].map(sizes) >= 10, 'other')",
                "broken bone",
            ),
            Wrong("my_groups = pd.Series('all', index=stays.index)", "keeps nothing"),
            Wrong(
                "my_groups = (stays['diag_01'].str[0] < 'K').map({True: 'A-J', False: 'K-Z'})",
                "unlike illnesses",
            ),
            Wrong("my_groups = stays['diag_01'].str[0].unique()", "one group for each"),
        ),
    ),
    "lab13-caveat": Exercise(
        "For whom the copy fails, and the caveat",
        "a code of ethnic_group and a sentence",
        caveat,
        (
            Wrong("my_group, my_caveat = 'WROM', 'Roma: not to be used.'", "may be chance"),
            Wrong("my_group, my_caveat = 'WBRI', 'White British: not to be used.'", "further off"),
            Wrong(_SHARES + "my_caveat = f'{my_group}: do not use.'", "name the group in words"),
            Wrong(
                _SHARES + "my_caveat = schema.categories('ethnic_group')[my_group] + ': do not use this.'",
                "both shares",
            ),
            Wrong(
                _SHARES + "my_caveat = schema.categories('ethnic_group')[my_group]"
                " + f': {s[0][my_group]:.0%} and {s[1][my_group]:.0%}.'",
                "must not be used for",
            ),
        ),
    ),
}

QUIZZES = {
    "lab13-mnar": Quiz(
        "Blank incomes are more common among owners than among renters. What does the table show?",
        (
            Option(
                "That income is missing at random, given tenure.",
                "it may be, but owners also earn more. The table cannot tell the two apart.",
            ),
            Option(
                "That income is not missing completely at random. Whether income itself is the reason, it "
                "cannot show.",
                "the values that would decide it are the ones that are missing. Ask whoever collected them.",
                right=True,
            ),
            Option(
                "That rows with a blank income should be dropped first.",
                "then the rich are left out, and every figure about income is too low.",
            ),
        ),
    ),
    "lab13-average": Quiz(
        "A copy has the national share of private renters exactly right. Is it fit for planning services "
        "by ethnic group?",
        (
            Option(
                "Yes: if the whole is right, the parts are right.",
                "one large group makes the average. The others can all be wrong and hardly move it.",
            ),
            Option(
                "Only after the share has been compared within each group, with a control for what chance "
                "does.",
                "an error by group is what the equality duty asks you to know, and an average hides it.",
                right=True,
            ),
            Option(
                "Yes, if small groups are merged into one.",
                "merging hides the groups from the reader. It does not make the copy right about them.",
            ),
        ),
    ),
    "lab13-areas": Quiz(
        "A copy agrees with the real small-area rates much better than a second real sample does. What is "
        "that?",
        (
            Option(
                "Excellent quality: it is closer to the truth than real data.",
                "the truth about the areas is what two real samples have in common. More than that is no "
                "truth.",
            ),
            Option(
                "A sign that the copy remembers the very households it was made from.",
                "agreement beyond the control is chance in the original, repeated. Repeating it takes the "
                "rows.",
                right=True,
            ),
            Option(
                "Proof that the areas were chosen well.",
                "the areas are the same for both samples, so they cannot explain the difference.",
            ),
        ),
    ),
}
