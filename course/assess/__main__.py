"""``python3 -m course assess FILE``: read a table that somebody brought, and propose a description of it."""

import argparse
import sys

from course.data import DataError


def main(arguments: list[str]) -> int:
    """Print what was read and what each column is taken for. Nothing is written; the file is unchanged."""
    parser = argparse.ArgumentParser(prog="python3 -m course assess", description=main.__doc__)
    parser.add_argument("file", help="a CSV, Excel (.xlsx) or Parquet file")
    parser.add_argument("--sheet", help="the sheet of an Excel file; by default the one with the most rows")
    chosen = parser.parse_args(arguments)
    print(f"Reading {chosen.file} ...", flush=True)
    from course.assess.propose import propose
    from course.assess.read import read

    try:
        reading = read(chosen.file, sheet=chosen.sheet)
    except DataError as error:
        print(error)
        return 1
    print(reading, "\n")
    print(propose(reading.table, "table"))
    print(
        "\nCheck every role. An identifier is never synthesised, a sensitive column is what people may not\n"
        "want known, and a quasi-identifier is what others may know. Nothing was written."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
