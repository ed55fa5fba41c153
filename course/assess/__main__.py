"""``python3 -m course assess FILE``: read somebody's table, describe it, and climb the ladder with it."""

import argparse
import dataclasses
import sys
from pathlib import Path

from course.__main__ import STOPPED, until_stopped
from course.data import DataError

CHECK = (
    "Check every role. An identifier is never synthesised, a sensitive column is what people may not want\n"
    "known, and a quasi-identifier is what others may know."
)
ONWARDS = "To go on, run it again with --into and the name of a folder for the results."


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python3 -m course assess",
        description="Read a table of yours and propose what each column is. Then ask for your decisions, at "
        "the terminal or in a file, make synthetic tables, attack them, and write the papers of a release. "
        "It can be stopped, and goes on where it was. Your file is never changed. Nothing is sent anywhere.",
    )
    made.add_argument("file", help="a CSV file, a workbook (.xlsx, .xls, .xlsb, .ods) or a Parquet file")
    made.add_argument(
        "--describe",
        action="store_true",
        help="there is no data: FILE holds or is to hold a description of the columns (JSON or YAML)",
    )
    made.add_argument(
        "--linked",
        action="append",
        default=[],
        help="another file, with rows that belong to those of FILE; may be given more than once",
    )
    made.add_argument("--sheet", help="the sheet of a workbook; by default the one with the most rows")
    made.add_argument(
        "--into", type=Path, help="a folder for your decisions and the results; made if need be"
    )
    made.add_argument("--in", dest="base", type=Path, default=Path(), help=argparse.SUPPRESS)
    return made


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0, or 1 after one sentence on what to do."""
    chosen = parser().parse_args(arguments)
    chosen.file = chosen.base / chosen.file
    chosen.into = chosen.into and chosen.base / chosen.into
    print(f"Reading {chosen.file} ...", flush=True)
    try:
        return run(chosen)
    except EOFError:
        print(f"\n{STOPPED}")
        return 130
    except (DataError, OSError) as error:
        print(error)
        return 1


def run(chosen: argparse.Namespace) -> int:
    from course.assess import advise, answers, ask, describe, ladder, linked

    if chosen.linked and chosen.describe:
        raise DataError("A description is of one table. Leave out --linked, or --describe.")
    terminal = sys.stdin.isatty()
    if chosen.describe and terminal:
        describe.typed_in(chosen.file)
    reading, proposal = describe.read(chosen.file) if chosen.describe else _read(chosen)
    print(reading, "\n")
    links = _links(chosen, reading)
    into = chosen.into or (_folder(chosen) if terminal else None)
    if into is None:
        print(f"{proposal}\n\n{CHECK} Nothing was written. {ONWARDS}")
        return 0
    if not (into / answers.NAME).exists():
        path = answers.write(into, reading, proposal, linked.as_answers(links))
        if not terminal:
            print(f"{proposal}\n\n{CHECK}\n")
            print(f"Open {path}, correct what is wrong, give the purpose and the audience,")
            print("and run the same command again.")
            return 0
    given = answers.load(into, reading)
    if terminal and ask.wanted(given):
        ask.ask(given, into / answers.NAME)
    decided = answers.check(into, reading, proposal)
    links = linked.check(given, reading, links, into / answers.NAME)
    advice = advise.advise(decided)
    if links:
        close = advice.allows("cart")
        advice = dataclasses.replace(advice, rungs=[])
        print(f"{advice}\n  {linked.ABOUT if close else linked.TOO_CLOSE}\n")
        advice = dataclasses.replace(advice, rungs=[*linked.RUNGS] if close else [])
        found = linked.climb(reading, links, decided, into, advice=advice.record())
        print("\n" + linked.in_words(found, decided, links) + "\n")
    elif chosen.describe:
        print(advice, "\n")
        print(describe.in_words(describe.make(decided, into), decided))
        ladder.write_described(decided, into, describe.RUNGS, advice.record())
    else:
        print(advice, "\n")
        found = ladder.climb(reading, decided, into, advice=advice.record())
        print("\n" + ladder.in_words(found, decided) + "\n")
    return release([str(into)])


def release(arguments: list[str]) -> int:
    """Write the papers of the release, and say what is missing for it."""
    from course.release import __main__ as command

    return command.main(arguments)


def _read(chosen: argparse.Namespace) -> tuple:
    from course.assess.propose import propose
    from course.assess.read import read

    reading = read(chosen.file, sheet=chosen.sheet)
    return reading, propose(reading.table, chosen.file.stem)


def _links(chosen: argparse.Namespace, people) -> list:
    """The linked tables, each read, with the key that is proposed for it."""
    from course.assess import linked
    from course.assess.read import read

    links, names = [], [linked.PEOPLE]
    for file in chosen.linked:
        other = read(chosen.base / file)
        name = Path(file).stem
        while name.lower() in names:  # files whose names differ in case only are one file on some computers
            name += "-2"
        names.append(name.lower())
        links.append(linked.propose(people, other, name))
        print(f"{other}\n- {links[-1]}\n")
    return links


def _folder(chosen: argparse.Namespace) -> Path | None:
    """Where somebody at a terminal wants the results, or None to stop here."""
    proposed = f"{chosen.file.stem}-assessed"
    print("This can go on: ask for your decisions, make synthetic tables, attack them, and report on them.")
    said = input(f"In which folder? Enter for {proposed}, n to stop here. ").strip()
    return None if said.lower() in ("n", "no") else chosen.base / (said or proposed)


if __name__ == "__main__":
    sys.exit(until_stopped(main, sys.argv[1:]))
