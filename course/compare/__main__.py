"""`python -m course.compare`, in the environment: see `python3 -m course help`."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile

from course.__main__ import until_stopped
from course.compare import leaks, measures, run, scale


def main(argv: list[str]) -> int:
    options = parse(argv)
    asked = {scale: options.scale, leaks: options.leaks, measures: options.measures}
    part = next((each for each, wanted in asked.items() if wanted), run)
    todo = [unit for unit in part.units() if not options.only or unit.generator in options.only]
    if options.data and part is run:
        todo = [unit for unit in todo if unit.dataset in options.data]
    if not todo:
        print("No generator or data set has such a name. course.generate.names() lists the generators.")
        return 1
    kept = part.store()
    limits = options.seconds or part.SECONDS, options.mib or part.MIB
    # Some libraries leave files in the folder they run in.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as elsewhere, contextlib.chdir(elsewhere):
        trouble = part.run(todo, kept, options.again, *limits)
    print(f"Done. {trouble} could not be measured; each says why in {kept.path.relative_to(run.ROOT)}.")
    return 0


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m course compare",
        description="Every generator on every data set. Results are kept as they come. Run again to go on.",
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these generators (and control, copy)")
    parser.add_argument("--data", nargs="+", metavar="SET", help="only these data sets")
    parser.add_argument("--scale", action="store_true", help="at several sizes, beside other libraries")
    parser.add_argument("--leaks", action="store_true", help="which measures catch which planted leaks")
    parser.add_argument("--measures", action="store_true", help="what measures take, beside other tools")
    parser.add_argument("--again", action="store_true", help="do again what stands already")
    parser.add_argument("--seconds", type=float, help="limit of processor time for each")
    parser.add_argument("--mib", type=int, help="limit of memory for each, in MiB")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(until_stopped(main, sys.argv[1:]))
