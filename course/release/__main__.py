"""``python3 -m course release FOLDER``: the papers of a release, from a folder of ``course assess``."""

import argparse
import sys
from pathlib import Path

from course.__main__ import until_stopped
from course.data import DataError


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python3 -m course release",
        description="Write the papers of a release: from the run in FOLDER, and from what people answered in "
        "its gaps.json. Run it again after answering. Nothing that somebody changed is written over.",
    )
    made.add_argument("folder", type=Path, help="a folder that course assess has filled")
    made.add_argument("--in", dest="base", type=Path, default=Path(), help=argparse.SUPPRESS)
    return made


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0, or 1 after one sentence on what to do."""
    from course.release import gaps, pack

    chosen = parser().parse_args(arguments)
    folder = chosen.base / chosen.folder
    try:
        made = pack.write(folder)
    except (DataError, OSError) as error:
        print(error)
        return 1
    print(made.status)
    for one in made.failing:
        print(f"- FAILS: {one.name}. {one.words}")
    print(f"The pack: {folder / pack.FOLDER / 'index.html'}")
    if made.gaps:
        print(f"Answer the questions in {folder / gaps.NAME}, and run the same command again.")
    return 0


if __name__ == "__main__":
    sys.exit(until_stopped(main, sys.argv[1:]))
