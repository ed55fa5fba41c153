"""From nothing to a first synthetic table: how long the course takes, beside a plain ``pip install sdv``.

A script, not a test: it downloads several gigabytes, twice, with empty caches. Run it when nothing else runs:

    python3 tests/benchmark.py [FOLDER]

Both sides are measured in one run on one computer, so the ratios mean something where the seconds do not.
The plain side does the first steps of SDV's tutorial on the course's table of households, because the
tutorial's own table has to be fetched. CPU seconds are given beside wall seconds: they change less when the
computer is busy. Linux and macOS only. Writes build/benchmark.json.
"""

import contextlib
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

COURSE_TABLE = """
from course import data, generate
claims = data.load("claims")
model = generate.fit("sdv-gaussian-copula", claims.training["households"], claims.schema("households"))
print(model.sample(500, seed=1).head())
"""
PLAIN_TABLE = """
import sys
import pandas as pd
from sdv.metadata import Metadata
from sdv.single_table import GaussianCopulaSynthesizer
tables = {"households": pd.read_csv(sys.argv[1])}
synthesizer = GaussianCopulaSynthesizer(Metadata.detect_from_dataframes(tables))
synthesizer.fit(tables)
print(synthesizer.sample(num_rows=500)["households"].head())
"""


def newcomer(home):
    """The environment variables of somebody who starts from nothing: empty home, no caches, no settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("UV_", "PIP_", "XDG_", "CONDA", "VIRTUAL_ENV", "PYTHON", "OMP_"))
    }
    certificates = {name: os.environ[name] for name in ("PIP_CERT",) if name in os.environ}
    return {**kept, **certificates, "HOME": str(home), "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}


def measure(command, variables, folder):
    """Run a command: wall seconds and CPU seconds. Its output is kept to itself, unless it fails."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [str(part) for part in command],
        env=variables,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{done.stdout[-3000:]}\nfailed: {' '.join(str(part) for part in command)}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"  {wall:6.1f} s  {' '.join(str(part) for part in command)[:90]!r}", flush=True)
    return {"wall": round(wall, 1), "cpu": round(cpu, 1)}


def fastest(command, variables, folder, times=3):
    """The fastest of several runs, by wall seconds."""
    return min((measure(command, variables, folder) for _ in range(times)), key=lambda one: one["wall"])


def added(*parts):
    """Steps one after the other."""
    return {kind: round(sum(part[kind] for part in parts), 1) for kind in ("wall", "cpu")}


def megabytes(folder):
    """The room a folder takes on disk, each file counted once however many names it has."""
    seen, total = set(), 0
    for path in folder.rglob("*"):
        facts = path.lstat()
        if (facts.st_dev, facts.st_ino) not in seen:
            seen.add((facts.st_dev, facts.st_ino))
            total += facts.st_blocks * 512
    return round(total / 1e6)


def packages(python, variables, folder):
    """How many packages an environment holds."""
    code = "from importlib.metadata import distributions; print(len({d.name for d in distributions()}))"
    return int(subprocess.check_output([str(python), "-c", code], env=variables, cwd=folder))


def course(folder):
    """The course, as its README says: clone, one command, first table; then every lab."""
    home, clone = folder / "home", folder / "course"
    home.mkdir()
    variables = newcomer(home)
    python = clone / ".venv" / "bin" / "python"
    fetch = measure(["git", "clone", "-q", ROOT, clone], variables, folder)
    install = measure([sys.executable, "-m", "course", "setup"], variables, clone)
    variables["OMP_NUM_THREADS"] = "1"  # as in the course's kernel
    first = measure([python, "-c", COURSE_TABLE], variables, clone)
    again = fastest([python, "-c", COURSE_TABLE], variables, clone)
    result = {
        "clone and install": added(fetch, install),
        "first table after that": first,
        "from nothing to a first table": added(fetch, install, first),
        "the same table again": again,
        "environment, MB": megabytes(clone / ".venv"),
        "environment and caches, MB": megabytes(folder),
        "packages": packages(python, variables, clone),
        "import sdv": fastest([python, "-c", "import sdv"], variables, clone),
        "import course": fastest([python, "-c", "import course"], variables, clone),
        "import synthcity": fastest([python, "-c", "import synthcity.plugins"], variables, clone),
    }
    measure([sys.executable, "-m", "course", "run"], variables, clone)
    runs = json.loads((clone / "book" / "lab-runs.json").read_text(encoding="utf-8"))
    return result, runs


def plain(folder):
    """A plain ``pip install sdv`` and the first steps of its tutorial."""
    home, venv = folder / "home", folder / "venv"
    home.mkdir()
    variables = newcomer(home)
    python = venv / "bin" / "python"
    table = [python, "-c", PLAIN_TABLE, ROOT / "datasets" / "claims" / "households.csv"]
    make = measure([sys.executable, "-m", "venv", venv], variables, folder)
    install = measure([python, "-m", "pip", "install", "sdv"], variables, folder)
    first = measure(table, variables, folder)
    return {
        "clone and install": added(make, install),
        "first table after that": first,
        "from nothing to a first table": added(make, install, first),
        "the same table again": fastest(table, variables, folder),
        "environment, MB": megabytes(venv),
        "environment and caches, MB": megabytes(folder),
        "packages": packages(python, variables, folder),
        "import sdv": fastest([python, "-c", "import sdv"], variables, folder),
    }


def report(ours, theirs, runs):
    """The table that is printed: the figure, the course, plain SDV, and how many times as much."""
    lines = [f"{'':34}{'course':>16}{'plain sdv':>16}{'ratio':>8}"]
    for name, our in ours.items():
        their = theirs.get(name)
        ratio = "" if their is None else f"{number(our) / number(their):.2f}"
        lines.append(f"{name:34}{shown(our):>16}{shown(their):>16}{ratio:>8}")
    for name, run in runs.items():
        lines.append(f"{'lab ' + name:34}{run['seconds']:>14} s{run['peak_mib']:>12} MiB")
    return "\n".join(lines)


def number(value):
    """What ratios are taken of: wall seconds, or the figure itself."""
    return max(value["wall"], 0.01) if isinstance(value, dict) else value


def shown(value):
    """A figure as text: wall seconds, with CPU seconds in brackets."""
    if value is None:
        return "-"
    return f"{value['wall']} s ({value['cpu']})" if isinstance(value, dict) else str(value)


def main(arguments):
    """Measure both sides in a folder, print the table and write build/benchmark.json."""
    place = Path(arguments[0]).resolve() if arguments else None
    with contextlib.ExitStack() as stack:
        if place is None:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("plain", "course"):
            shutil.rmtree(place / name, ignore_errors=True)
            (place / name).mkdir(parents=True)
        print("A plain pip install sdv", flush=True)
        theirs = plain(place / "plain")
        print("The course", flush=True)
        ours, runs = course(place / "course")
    table = report(ours, theirs, runs)
    facts = {
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "machine": platform.platform(),
    }
    facts["processors"] = os.cpu_count()
    out = ROOT / "build" / "benchmark.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({**facts, "course": ours, "plain": theirs, "labs": runs}, indent=1) + "\n")
    print(f"\n{table}\n\nWall seconds, with CPU seconds in brackets. Written to {out}.")


if __name__ == "__main__":
    main(sys.argv[1:])
