"""The stored results of a run: one line of JSON for each unit, each with what made it.

The file is replaced as a whole after every unit, so an interrupt leaves the last complete one. A unit is
done when the file holds it with the same key; its key is worked out from all that could change the result.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import re
from datetime import date
from importlib import metadata
from pathlib import Path

from course import generate
from course.environment import LOCK, ROOT
from course.files import write_whole

PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "torch", "sdv", "synthcity", "SynthOpt", "metasyn")


class Store:
    """Results in one file: {"about", "runs": {number: what made them}, "units": [...]}.

    `names` are the entries that tell one unit from another, such as generator and data set.
    """

    def __init__(self, path: Path, names: tuple[str, ...], about: str):
        self.path, self.names, self.about = path, names, about

    def read(self) -> dict:
        if not self.path.exists():
            return {"about": self.about, "runs": {}, "units": []}
        return json.loads(self.path.read_text(encoding="utf-8"))

    def find(self, **named) -> dict | None:
        """The stored unit with these names, or None."""
        return next((unit for unit in self.read()["units"] if self._name(unit) == self._name(named)), None)

    def add(self, unit: dict, made_by: dict) -> None:
        """Put a unit in place of the one with the same names, and say what made it."""
        stored = self.read()
        units = [other for other in stored["units"] if self._name(other) != self._name(unit)]
        runs = stored["runs"]
        number = next((number for number, run in runs.items() if run == made_by), None)
        number = number or str(max(map(int, runs), default=0) + 1)
        units.append({**unit, "run": number})
        used = {other["run"] for other in units}
        runs = {known: run for known, run in {**runs, number: made_by}.items() if known in used}
        self._write(runs, sorted(units, key=self._order))

    def _name(self, unit: dict) -> tuple:
        return tuple(unit[name] for name in self.names)

    def _order(self, unit: dict) -> tuple:
        return tuple(str(value).zfill(12) if isinstance(value, int) else value for value in self._name(unit))

    def _write(self, runs: dict, units: list) -> None:
        """One line for each run and unit: short enough to compare in a review, and replaced in one step."""
        lines = {
            "runs": ",\n".join(f"  {json.dumps(number)}: {_line(run)}" for number, run in runs.items()),
            "units": ",\n".join(f"  {_line(unit)}" for unit in units),
        }
        text = f'{{\n "about": {json.dumps(self.about)},\n "runs": {{\n{lines["runs"]}\n }},\n'
        text += f' "units": [\n{lines["units"]}\n ]\n}}\n'
        write_whole(self.path, text)


def _line(entry: dict) -> str:
    return json.dumps(rounded(entry), ensure_ascii=False, allow_nan=False)


def rounded(value):
    """Numbers with five significant digits, blanks as None: what JSON can hold and people can compare."""
    if isinstance(value, dict):
        return {str(name): rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    if isinstance(value, str | bool | int) or value is None:
        return value
    number = float(value)
    return None if number != number else float(f"{number:.5g}")


# ------------------------------------------------------------------------------ what made a result


def made_by(**more) -> dict:
    """What a run was made with: date, computer (its kind only), packages, the lock, and `more`."""
    made_with = {
        "date": date.today().isoformat(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "lock": hashlib.sha256(LOCK.read_bytes()).hexdigest(),
        **more,
    }
    return rounded(made_with)


def processor() -> str:
    """The kind of processor, as the system names it."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    return found.group(1).strip() if found else platform.processor()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def key(generator: str, code: list[str], parts: dict) -> str:
    """A short hash of all that could change a result: the lock, the code that makes and measures it, and
    `parts`.
    """
    text = json.dumps(
        {
            "generator": generator,
            "lock": hashlib.sha256(LOCK.read_bytes()).hexdigest(),
            "code": [code_hash(path) for path in code_of(generator) + [ROOT / part for part in code]],
            "parts": parts,
        },
        sort_keys=True,
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def code_of(generator: str) -> list[Path]:
    """The files of a generator: its module and the modules beside it that this one imports. Sorted."""
    folder = Path(generate.__file__).parent
    entries = [register.get(generator) for register in generate._REGISTER.values()]
    modules = [entry[0] for entry in entries if entry]
    found, waiting = set(), [folder / f"{module}.py" for module in modules]
    while waiting:
        path = waiting.pop()
        if path in found or not path.exists():
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                names = [node.module] if node.module else [alias.name for alias in node.names]
                waiting += [folder / f"{name}.py" for name in names]
    return sorted(found)


def code_hash(path: Path) -> str:
    """A hash of what a file does: comments, docstrings and layout do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                body[0].value = ast.Constant("")
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]
