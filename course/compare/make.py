"""One generator, one table, one process of its own: fit, draw, and say what it took.

    python -m course.compare.make FOLDER           carry out the order in FOLDER/order.json
    python -m course.compare.make --host LIBRARY   load a library, then do so for each folder that is named

It writes the synthetic tables and made.json into the folder. The process that started it watches its time and
memory, and ends it when it takes too much.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import sys
import time
import traceback
from pathlib import Path

from course.data import typed
from course.labs import peak_mib

# What is imported before the clock of "fit" starts, by the first part of a generator's name.
HEAVY = {
    "sdv": ("sdv.single_table", "sdv.multi_table", "sdv.sequential"),
    "synthcity": ("synthcity.plugins",),
    "synthopt": ("synthopt.process.statistical_metadata",),
    "metasyn": ("metasyn",),
    "cart": ("sklearn.tree",),
    "copulas": ("copulas.multivariate",),
}


def cpu_seconds() -> float:
    """Processor time of this process and of those it has waited for."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


class Clock:
    """Seconds of processor time by phase. The phase that runs is written to a file for the watching
    process.
    """

    def __init__(self, folder: Path):
        self.folder, self.seconds = folder, {}

    @contextlib.contextmanager
    def phase(self, name: str):
        (self.folder / "phase.txt").write_text(name, encoding="utf-8")
        began = cpu_seconds()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + cpu_seconds() - began


def load_heavy(name: str) -> None:
    """Import what a generator needs. What is not there is the generator's own affair."""
    for module in HEAVY.get(name.partition("-")[0], ()):
        with contextlib.suppress(ImportError):
            importlib.import_module(module)


def make(folder: Path) -> None:
    """Carry out the order in a folder. Raises what the generator raises."""
    from course import data, generate
    from course.compare.questions import ask, smaller

    order = json.loads((folder / "order.json").read_text(encoding="utf-8"))
    name, options, clock = order["generator"], dict(order["options"]), Clock(folder)
    question, dataset = ask(order["dataset"], order["shape"]), data.load(order["dataset"])
    (table, schema), more = question.learned(smaller(dataset.training, dataset.schemas), dataset.schemas)
    if options.get("rules"):  # the order only says that the data set's own rules are to be kept
        options["rules"] = rules_to_keep(dataset, schema)
    with clock.phase("loading"):
        load_heavy(name)
    with clock.phase("fitting"):
        model = generate.fit(name, table, schema, **more, **options)
    for seed in order["seeds"]:
        with clock.phase("sampling"):
            made = model.sample(order["rows"], seed)
        write(made, folder / f"seed-{seed}")
    used = {"seconds": clock.seconds, "peak_mib": peak_mib(), "settings": settings(model)}
    (folder / "made.json").write_text(json.dumps(used), encoding="utf-8")


def settings(model) -> dict:
    """The options that a generator really handed to its library, those that JSON can hold."""
    given = vars(model).get("options", {})
    return {
        name: value for name, value in given.items() if isinstance(value, str | int | float | bool | None)
    }


def rules_to_keep(dataset, schema) -> list[dict]:
    """The rules of one table that need no column besides those of the schema."""
    known = set(schema.columns)
    left_out = {column for table in dataset.tables for column in dataset.schema(table).columns} - known
    return [
        rule
        for rule in dataset.rules
        if rule["table"] == schema.name and not left_out & set(re.findall(r"\w+", rule["expression"]))
    ]


def write(made, folder: Path) -> None:
    """What a generator made, as CSV: one table, or several by name."""
    folder.mkdir()
    for name, table in (made if isinstance(made, dict) else {"": made}).items():
        table.to_csv(folder / f"{name or 'made'}.csv", index=False, date_format="%Y-%m-%d")


def read(folder: Path, schemas: dict):
    """The inverse of `write`. `schemas` holds the schema of each table; "" is that of a single one."""
    import pandas as pd

    made = {}
    for name, schema in schemas.items():
        text = pd.read_csv(folder / f"{name or 'made'}.csv", dtype=str, keep_default_na=False, na_values=[""])
        made[name] = typed(text, schema)
    return made[""] if list(schemas) == [""] else made


def carry_out(folder: Path) -> None:
    """Do what the order in a folder asks: a unit of the comparison, or of the benchmark."""
    order = json.loads((folder / "order.json").read_text(encoding="utf-8"))
    if "dataset" in order:
        return make(folder)
    from course.compare import scale

    return scale.make(folder)


def host(library: str) -> None:
    """Load a library, then split off a fresh process for each folder named on standard input, one at a time.

    Loading a large library takes longer than most fits, and this way it is done once for all data sets.
    Writes the number of each process on standard output, and how it ended into ended.txt. Not on Windows.
    """
    load_heavy(library)
    for line in sys.stdin:
        folder = Path(line.rstrip("\n"))
        process = os.fork()
        if process == 0:
            alone(folder)
        print(process, flush=True)
        _, status = os.waitpid(process, 0)
        (folder / "ended.txt").write_text(str(os.waitstatus_to_exitcode(status)), encoding="utf-8")


def alone(folder: Path) -> None:
    """Carry out an order in a process that was split off, with its words in a file, and end the process."""
    os.chdir(folder)  # some libraries leave files where they run
    said = os.open("said.txt", os.O_WRONLY | os.O_CREAT)
    for output in (1, 2):
        os.dup2(said, output)
    code = 1
    try:
        carry_out(folder)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    if sys.argv[1] == "--host":
        host(sys.argv[2])
    else:
        carry_out(Path(sys.argv[1]))
