"""The course's command line: ``python3 -m course COMMAND``.

This file only finds the command. It uses the standard library, and grammar that Pythons back to 3.6 can read,
so that a person with another Python meets one clear sentence instead of a syntax error.
"""

import os
import shutil
import sys

WANTED = (3, 11)

HELP = """Synthetic Data in Practice

python3 -m course start      make the environment if need be, and open the first lab in JupyterLab
python3 -m course test       run every test of the course
python3 -m course check      is this computer ready? Says what to fix, and how
python3 -m course book       build the book, from the labs' stored outputs, into _build/html
python3 -m course progress   what you have done so far
python3 -m course certificate  a page on what you have done, to print. Your name goes after it
python3 -m course assess     a table of your own: read, decide, make, attack, write the papers. Words: --help
python3 -m course release    write the papers of a release, from a folder that assess has filled
python3 -m course consensus  agree with others in two rounds of scores. Words: new, simulate, feedback, report
python3 -m course hub        a session for many on this Linux machine: a JupyterHub of its own. Words: --help
python3 -m course trainer    for a trainer: a timetable, slides, quiz, feedback, nbgrader. Words: help

For people who change the course:
python3 -m course setup      make the environment, and open nothing
python3 -m course run        run the labs again and store their outputs; name labs to run only those
python3 -m course compare    every generator on every data set, measured; run again to carry on. Words: --help
python3 -m course compare --scale      what each generator takes at 1,000, 10,000 and 100,000 rows
python3 -m course compare --leaks      which measures catch leaks that were planted
python3 -m course compare --measures   what each measure takes, beside other tools
python3 -m course lock       choose package versions again, from pyproject.toml; --upgrade takes newer ones
python3 -m course link       tell the environment this runs in where the course is (conda, Binder, JupyterHub)

Words after start, test and book are handed on to JupyterLab, pytest and Jupyter Book.
"""

STOPPED = "Stopped. What was done is kept: the same command carries on from here."

# Where each command lives: (module, function). The module is imported only when its command is asked for.
COMMANDS = {
    "start": ("tasks", "start"),
    "test": ("tasks", "test"),
    "check": ("ready", "main"),
    "book": ("tasks", "book"),
    "progress": ("tasks", "progress"),
    "assess": ("tasks", "assess"),
    "release": ("tasks", "release"),
    "consensus": ("tasks", "consensus"),
    "hub": ("tasks", "hub"),
    "trainer": ("tasks", "trainer"),
    "certificate": ("tasks", "certificate"),
    "setup": ("tasks", "setup"),
    "run": ("tasks", "run"),
    "compare": ("tasks", "compare"),
    "lock": ("environment", "lock"),
    "link": ("environment", "link"),
}


def wrong_python(version, command="start", which=shutil.which):
    """One sentence on which Python to use, or ``None`` if ``version`` (major, minor, …) is the right one."""
    if tuple(version[:2]) == WANTED:
        return None
    found = ".".join(str(part) for part in version[:3])
    opening = f"The course needs Python 3.11 and this is Python {found}"
    if which("python3.11"):
        return f"{opening}. This computer has 3.11 too, so run: python3.11 -m course {command}"
    if which("uv"):
        python = "uv run --no-project --python 3.11 python"
        return f"{opening}. uv can fetch 3.11, so run: {python} -m course {command}"
    python = "py -3.11" if which("py") else "python3.11"
    source = "your software centre or python.org"
    return f"{opening}. Install 3.11 from {source}, then run: {python} -m course {command}"


def for_this_system(text):
    """The same text, with the command that Windows has in place of python3."""
    return text.replace("python3 -m course", "py -3.11 -m course") if os.name == "nt" else text


def main(argv):
    """Run one command and return its exit code."""
    problem = wrong_python(sys.version_info, " ".join(argv[:1]) or "start")
    if problem:
        print(problem)
        return 1
    if not argv or argv[0] in ("help", "-h", "--help"):
        print(for_this_system(HELP))
        return 0
    if argv[0] not in COMMANDS:
        print(f"There is no command '{argv[0]}'.\n\n{for_this_system(HELP)}")
        return 2
    from importlib import import_module

    module, function = COMMANDS[argv[0]]
    return until_stopped(getattr(import_module("course." + module), function), argv[1:])


def until_stopped(command, argv):
    """A command's exit code, or 130 and one sentence if it is stopped from the keyboard."""
    try:
        return command(argv)
    except KeyboardInterrupt:
        print("\n" + STOPPED)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
