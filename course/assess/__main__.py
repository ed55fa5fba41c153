"""``python3 -m course assess FILE``: read somebody's table, describe it, and climb the ladder with it."""

import argparse
import sys
from pathlib import Path

from course.data import DataError

CHECK = (
    "Check every role. An identifier is never synthesised, a sensitive column is what people may not want\n"
    "known, and a quasi-identifier is what others may know."
)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python3 -m course assess",
        description="Read a table of yours and propose what each column is. With --into, ask for your "
        "decisions in a file, then make synthetic tables and attack them. Your file is never changed.",
    )
    made.add_argument("file", help="a CSV, Excel (.xlsx) or Parquet file")
    made.add_argument("--sheet", help="the sheet of an Excel file; by default the one with the most rows")
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
        run(chosen)
    except (DataError, OSError) as error:
        print(error)
        return 1
    return 0


def run(chosen: argparse.Namespace) -> None:
    from course.assess import advise, answers, ladder
    from course.assess.propose import propose
    from course.assess.read import read

    reading = read(chosen.file, sheet=chosen.sheet)
    print(reading, "\n")
    proposal = propose(reading.table, Path(chosen.file).stem)
    if chosen.into is None:
        print(f"{proposal}\n\n{CHECK} Nothing was written.")
    elif not (chosen.into / answers.NAME).exists():
        path = answers.write(chosen.into, reading, proposal)
        print(
            f"{proposal}\n\n{CHECK}\nOpen {path}, correct what is wrong, give the purpose and the audience,"
        )
        print("and run the same command again.")
    else:
        given = answers.check(chosen.into, reading, proposal)
        print(advise.advise(given), "\n")
        found = ladder.climb(reading, given, chosen.into)
        print("\n" + ladder.in_words(found, given))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\nStopped. What was done is kept; the same command carries on from here.")
        sys.exit(130)
