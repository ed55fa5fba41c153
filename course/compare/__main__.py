"""`python -m course.compare`, in the environment: see `python3 -m course help`."""

from __future__ import annotations

import argparse
import sys

from course.compare import run


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m course compare",
        description="Every generator on every data set. Results are kept as they come. Run again to go on.",
    )
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="only these generators (and 'control', 'copy')"
    )
    parser.add_argument("--data", nargs="+", metavar="SET", help="only these data sets")
    parser.add_argument("--again", action="store_true", help="do again what stands already")
    parser.add_argument(
        "--seconds", type=float, default=run.SECONDS, help="limit of processor time (%(default)s)"
    )
    parser.add_argument("--mib", type=int, default=run.MIB, help="limit of memory in MiB (%(default)s)")
    options = parser.parse_args(argv)
    todo = [
        unit
        for unit in run.units()
        if (not options.only or unit.generator in options.only)
        and (not options.data or unit.dataset in options.data)
    ]
    if not todo:
        print("No generator or data set has such a name. 'course.generate.names()' lists the generators.")
        return 1
    trouble = run.run(todo, run.store(), options.again, options.seconds, options.mib)
    print(f"Done. {trouble} could not be measured; each says why in {run.RESULTS.relative_to(run.ROOT)}.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\nStopped. What was done is kept; the same command carries on from here.")
        sys.exit(130)
