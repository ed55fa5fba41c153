"""What the commands do once the environment stands: open JupyterLab, test, build the book, run the labs.

Standard library only. Everything that needs a package is run with the environment's own Python.
"""

import os
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from course import environment
from course.__main__ import for_this_system
from course.environment import ROOT, variables

FIRST_LAB = "notebooks/01-first-synthetic-table.ipynb"
BUILD = ROOT / "build"

# Jupyter Book's own command, run with the environment's Python wherever its scripts are kept.
JUPYTER_BOOK = [
    "-c",
    "import sys; sys.argv[0] = 'jupyter-book'; from jupyter_book.cli.main import main; main()",
]


def ready_python():
    """The environment's Python, or ``None`` after saying why there is none."""
    try:
        return environment.ensure()
    except environment.InstallError as problem:
        print(for_this_system(f"\n{problem}"))
        return None


def run_python(python, arguments, **more):
    """Run the environment's Python in the course's folder, and return its exit code."""
    process = subprocess.Popen([python, *arguments], cwd=str(ROOT), env=variables(more))
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the terminal has told the process too: let it finish in its own way


# ------------------------------------------------------------------------------ setup and start


def setup(_):
    """Make the environment and open nothing."""
    python = ready_python()
    if python:
        print(f"Python of the environment: {python}")
    return 0 if python else 1


def start(options):
    """Make the environment if need be, and open the first lab in JupyterLab. ``options`` are JupyterLab's."""
    python = ready_python()
    if not python:
        return 1
    print(
        "Opening JupyterLab in your browser. To stop it, come back here and press Control-C twice.",
        flush=True,
    )
    return run_python(python, lab_command(options))


def lab_command(options):
    """JupyterLab's arguments. It takes port 8888, or the next free one, and listens to this computer only."""
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    first_page = f"--LabApp.default_url=/lab/tree/{FIRST_LAB}"
    return ["-m", "jupyterlab", first_page, f"--ServerApp.root_dir={ROOT}", *as_root, *options]


def progress(_):
    """Print what the learner has done so far. This needs no environment."""
    from course import check

    check.progress()
    return 0


# ------------------------------------------------------------------------------ test


def test_steps(options):
    """The whole suite, in order: (name, arguments for Python, the file of its counts or ``None``)."""

    # A file's tests, a lab's cells, or the tests of one page of the book, in one process.
    two_at_a_time = ["-n", "2", "--dist=loadfile"]
    by_page = ["-n", "2", "--dist=loadscope"]  # see tests/conftest.py

    def pytest(name, *arguments):
        counts = BUILD / f"tests-{name.replace(' ', '-')}.xml"
        return name, ["-m", "pytest", *arguments, f"--junitxml={counts}", *options], counts

    return [
        ("rules", ["-m", "ruff", "check", "--output-format=concise", "."], None),
        ("format", ["-m", "ruff", "format", "--check", "--output-format=concise", "."], None),
        pytest("tests", "tests", "--ignore=tests/test_site.py", *two_at_a_time),
        pytest("labs", "notebooks", "--nbval", "--nbval-sanitize-with=tests/sanitize.cfg", *two_at_a_time),
        ("book", book_command(["--all"]), None),
        pytest("site", "tests/test_site.py", *by_page),
    ]


def test(options):
    """Run every test. ``options`` are pytest's. The learner's own progress is left alone."""
    python = ready_python()
    if not python:
        return 1
    BUILD.mkdir(exist_ok=True)
    results = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for name, arguments, counts in test_steps(options):
            if name == "site" and results[-1][1]:
                results.append((name, None, 0, (0, 1, 0)))  # there is no book to test
                continue
            print(f"\n=== {name} ===", flush=True)
            if counts:
                counts.unlink(missing_ok=True)
            began = time.monotonic()
            told = {"COURSE_PROGRESS": str(Path(folder) / "progress.json")}
            if name == "site":
                told["COURSE_BOOK_IS_NEW"] = "yes"
            code = run_python(python, arguments, **told)
            results.append((name, code, time.monotonic() - began, count(code, counts)))
    return summary(results)


def count(code, path):
    """How many passed, failed and were skipped: pytest's own counts, or one for another command."""
    if path is None:
        return (0, 1, 0) if code else (1, 0, 0)
    try:
        suite = ElementTree.parse(path).getroot().find("testsuite")
    except (OSError, ElementTree.ParseError):
        return 0, 1, 0  # pytest stopped before it could count
    total, failures, errors, skipped = (
        int(suite.get(kind)) for kind in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return total - failed - skipped, failed or int(code != 0), skipped


def summary(results):
    """Print what each step did, and a closing line. Returns the exit code."""
    print("\n=== summary ===")
    for name, code, seconds, (passed, failed, skipped) in results:
        verdict = (
            "not run, because the book was not built" if code is None else "passed" if code == 0 else "FAILED"
        )
        print(
            f"{name:8} {passed:5} passed {failed:3} failed {skipped:3} skipped {seconds:6.0f} s   {verdict}"
        )
    passed, failed, skipped = (sum(counts[i] for _, _, _, counts in results) for i in range(3))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return int(any(code != 0 for _, code, _, _ in results))


# ------------------------------------------------------------------------------ the book


def book_command(options):
    """Jupyter Book's arguments. A warning is an error, and so is a link to a page that does not exist."""
    return [*JUPYTER_BOOK, "build", ".", "--toc", "book/_toc.yml", "-W", "-n", *options]


def book(options):
    """Build the book from the labs' stored outputs."""
    python = ready_python()
    if not python:
        return 1
    code = run_python(python, book_command(options))
    if code == 0:
        print(f"The book: {(ROOT / '_build' / 'html' / 'index.html').as_uri()}")
    return code


# ------------------------------------------------------------------------------ run the labs


def run(names):
    """Run labs in place, store their outputs, and record seconds and memory in book/lab-runs.json.

    ``names`` are labs' file names or parts of them; none means every lab. A lab that fails is left as it was.
    """
    python = ready_python()
    if not python:
        return 1
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        return run_python(
            python, ["-m", "course.labs", *names], COURSE_PROGRESS=str(Path(folder) / "progress.json")
        )


# ------------------------------------------------------------------------------ parts with their own words


def part(name):
    """The command of a part of the course. Files in its words are named as the person sees them."""

    def command(options):
        python = ready_python()
        return run_python(python, ["-m", "course." + name, "--in", os.getcwd(), *options]) if python else 1

    return command


assess, release, consensus, hub, trainer = map(part, ("assess", "release", "consensus", "hub", "trainer"))


def certificate(options):
    """A page on what the learner has done, in the folder where the person is. This needs no environment."""
    from course.trainer import certificate

    return certificate.main(options)


# ------------------------------------------------------------------------------ compare the generators


def compare(options):
    """Run every generator on every data set, or with ``--scale`` at several sizes, from where it stopped."""
    python = ready_python()
    return run_python(python, ["-m", "course.compare", *options]) if python else 1
