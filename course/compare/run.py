"""`python3 -m course compare`: every generator on every data set, one process for each, results kept at once.

Interrupt it whenever you like. Run again, it carries on: what stands in the file with the same key is not
done again. A generator that fails is listed with its sentence, and the run goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from course import data, generate
from course.compare import BASELINES, RESULTS, row
from course.compare.figures import Judge, one_sentence
from course.compare.make import read
from course.compare.questions import ask, parentless
from course.compare.store import Store, key, made_by
from course.environment import ROOT, variables

SECONDS, MIB = 120, 6144  # of processor time to fit and draw five times, once loaded; of memory
SEEDS = (1, 2, 3, 4, 5)

# Options that differ from a generator's own. Networks are trained as long as the limit lets them: the same
# limit for everybody is the fair rule, and the number of rounds that SDV's have of their own would pass it.
OPTIONS = {
    "valid": {"rules": True},
    "ipf-dp": {"epsilon": 1.0, "noise_seed": 1},
    "sdv-ctgan": {"epochs": 40},
    "sdv-copulagan": {"epochs": 40},
    "sdv-tvae": {"epochs": 150},
    "sdv-par": {"epochs": 5},
    "synthcity-dpgan": {"epsilon": 1.0},
    "synthcity-pategan": {"epsilon": 1.0},
    "synthcity-privbayes": {"epsilon": 1.0},
    "synthcity-aim": {"epsilon": 1.0},
}
# What measures and makes every unit. A change here means that all results are made again.
CODE = [
    *(f"course/compare/{part}.py" for part in ("figures", "questions", "make")),
    *(f"course/measure/{part}.py" for part in ("fidelity", "utility", "privacy", "_risk", "_tables")),
    "course/generate/base.py",
]


@dataclass(frozen=True)
class Unit:
    """One generator on one data set."""

    generator: str
    dataset: str
    shape: str

    @property
    def name(self) -> dict:
        return {"generator": self.generator, "dataset": self.dataset, "shape": self.shape}

    @property
    def options(self) -> dict:
        return OPTIONS.get(self.generator, {})

    @property
    def key(self) -> str:
        package = data.load(self.dataset).package
        hashes = [part["hash"] for one in package["resources"] for part in (one, one["control"])]
        parts = {**self.name, "options": self.options, "seeds": SEEDS, "data": hashes}
        return key(self.generator, CODE, parts)


def units() -> list[Unit]:
    """Everything there is to do: each generator on every data set in turn, the baselines first."""
    return [
        Unit(name, dataset, shape)
        for shape in generate.SHAPES
        if generate.names(shape)
        for name in (*BASELINES, *generate.names(shape))
        for dataset in data.names()
        if ask(dataset, shape) is not None
    ]


def store(path: Path = RESULTS) -> Store:
    about = "Every generator on every bundled data set. Made by: python3 -m course compare"
    return Store(path, ("dataset", "shape", "generator"), about)


def done(stored: dict | None, unit: Unit, seconds: float, mib: int) -> bool:
    """Whether a stored result stands: same key, and no limit was met that is wider now."""
    if stored is None or stored["key"] != unit.key:
        return False
    limits = stored.get("limits", {})
    return stored["status"] != "limit" or (limits["seconds"] >= seconds and limits["mib"] >= mib)


# ------------------------------------------------------------------------------ one unit


class Judges:
    """One judge for each data set and shape, made when first needed."""

    def __init__(self):
        self.held: dict[tuple, Judge] = {}

    def of(self, unit: Unit) -> Judge:
        asked = unit.dataset, unit.shape
        if asked not in self.held:
            self.held[asked] = Judge(ask(*asked))
        return self.held[asked]


def run_unit(unit: Unit, judge: Judge, host: Host, seconds: float = SECONDS, mib: int = MIB) -> dict:
    """One unit's result, whatever happens in it: its figures, or the sentence that says why there are
    none.
    """
    result = {**unit.name, "key": unit.key, "options": unit.options}
    if unit.generator in BASELINES:
        return {**result, "status": "done", **getattr(judge, f"judge_{unit.generator}")()}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place)
        order = {**unit.name, "options": unit.options, "seeds": SEEDS, "rows": rows_to_draw(judge)}
        (folder / "order.json").write_text(json.dumps(order), encoding="utf-8")
        ended = watched(host, folder, unit.generator.partition("-")[0], seconds, mib)
        result |= {"limits": {"seconds": seconds, "mib": mib}, **ended}
        if ended["status"] != "done":
            return result
        try:
            schemas = schemas_of(judge)
            made = [read(folder / f"seed-{seed}", schemas) for seed in SEEDS]
            return {**result, **judge.judge(made)}
        except (ValueError, KeyError, TypeError) as error:
            why = f"What it made cannot be measured: {one_sentence(error)}"
            return {**result, "status": "failed", "why": why}


def schemas_of(judge: Judge) -> dict:
    """The schema of each table that a generator of this shape makes; "" for the only one."""
    question, dataset = judge.question, judge.dataset
    if question.shape == "linked":
        return dataset.schemas
    return {"": dataset.schema(question.history[0]) if question.history else question.schema}


def rows_to_draw(judge: Judge) -> int:
    """As many as were learned from: rows of the table, people, or rows of the table that has no parent."""
    if judge.question.shape != "linked":
        return len(judge.training)
    return len(judge.parts["training"][parentless(judge.dataset.schemas)])


class Host:
    """Starts units. Where processes can be split off, one with the library loaded is kept ready."""

    def __init__(self):
        self.library, self.process = None, None

    def start(self, folder: Path, library: str):
        """Start the order in a folder.

        Returns the number of its process, and a function that gives its exit code, or None while it runs.
        """
        ended = folder / "ended.txt"
        if hasattr(os, "fork"):
            if self.library != library or self.process.poll() is not None:
                self.close()
                self.library, self.process = library, _python("--host", library, stdin=subprocess.PIPE)
            self.process.stdin.write(f"{folder}\n")
            self.process.stdin.flush()
            said = self.process.stdout.readline()
            while said and not said.strip().isdigit():  # some libraries print when they are loaded
                said = self.process.stdout.readline()
            number = int(said or -1)
            return number, lambda: int(ended.read_text() or 1) if ended.exists() else self.process.poll()
        with open(folder / "said.txt", "w", encoding="utf-8") as said:
            process = _python(str(folder), cwd=folder, stdout=said, stderr=subprocess.STDOUT)
        return process.pid, process.poll

    def close(self) -> None:
        """End the process that was kept ready."""
        if self.process:
            self.process.kill()
            self.process.wait()


def _python(*arguments: str, **more) -> subprocess.Popen:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True, **more}
    command = [sys.executable, "-m", "course.compare.make", *arguments]
    return subprocess.Popen(command, env=variables({"PYTHONPATH": str(ROOT)}), **options)


def watched(host: Host, folder: Path, library: str, seconds: float, mib: int) -> dict:
    """Start an order, and end it when it has used `seconds` of processor time or `mib` of memory.

    Returns status ("done", "failed" or "limit"), and why, seconds by phase and peak memory as far as known.
    """
    import psutil

    number, ended = host.start(folder, library)
    loaded, peak, began = 0.0, 0, time.monotonic()
    while ended() is None:
        with contextlib.suppress(psutil.Error, ValueError):
            seen = psutil.Process(number)
            clock, peak = seen.cpu_times(), max(peak, seen.memory_info().rss // 2**20)
            loaded = clock.user + clock.system if _phase(folder) in ("starting", "loading") else loaded
            spent, waited = clock.user + clock.system - loaded, time.monotonic() - began
            if spent > seconds or peak > mib or waited > 300 + 20 * seconds:
                why = _limit(folder, spent > seconds, peak > mib, seconds, mib)
                seen.kill()
                while ended() is None:
                    time.sleep(0.05)
                return {"status": "limit", "why": why}
        time.sleep(0.05)
    if (folder / "made.json").exists():
        return {"status": "done", **json.loads((folder / "made.json").read_text(encoding="utf-8"))}
    return {"status": "failed", "why": _last_words(folder, ended())}


def _phase(folder: Path) -> str:
    """What a process says that it is doing."""
    phase = folder / "phase.txt"
    return phase.read_text(encoding="utf-8") if phase.exists() else "starting"


def _limit(folder: Path, time_out: bool, memory_out: bool, seconds: float, mib: int) -> str:
    doing = _phase(folder)
    if time_out:
        return f"It did not finish in {seconds:g} s of processor time: it was still {doing}."
    if memory_out:
        return f"It needed more than {mib:,} MiB of memory while {doing}."
    return f"It waited for so long while {doing} that it was stopped."


def _last_words(folder: Path, code: int) -> str:
    """The error in one sentence, from the last lines that a process wrote."""
    lines = (folder / "said.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    errors = [
        line for line in lines if line and not line.startswith((" ", "Traceback", "During", "The above"))
    ]
    if not errors:
        return f"The process ended with code {code} and said nothing."
    kind, _, words = errors[-1].partition(": ")
    if kind.endswith("GeneratorError"):
        return one_sentence(ValueError(words))
    return one_sentence(ValueError(f"{kind.rpartition('.')[2]}: {words}" if words else errors[-1]))


def try_out(generators: list[str], dataset: str, seconds: float = SECONDS):
    """The same run for a few generators of single tables, here and now. Returns rows as `load` gives them.

    Kept nowhere. The row of real people (control) comes first. Prints what runs.
    """
    import pandas as pd

    judge, host, rows = Judge(ask(dataset)), Host(), []
    truth = {f"{dataset} table": {"training": [judge.real.value, judge.real.low, judge.real.high]}}
    for name in ("control", *generators):
        result = run_unit(Unit(name, dataset, "table"), judge, host, seconds)
        print(f"{name}: {'measured' if result['status'] == 'done' else result['why']}", flush=True)
        rows.append(row(result, truth))
    host.close()
    return pd.DataFrame(rows)


# ------------------------------------------------------------------------------ the whole run


def truths() -> dict:
    """Each finding in the whole simulated population, which is the truth, and in the training part."""
    sys.path.insert(0, str(data.FOLDER))
    import simulation

    found = {}
    for dataset in data.names():
        seed = simulation.read(dataset).package["sampling"]["seed"]
        population = simulation.load(dataset).population(seed=seed)
        for shape in ("table", "history"):
            if question := ask(dataset, shape):
                real = Judge(question).real
                found[f"{dataset} {shape}"] = {
                    "means": question.finding_means,
                    "value": question.finding(question.judged(population)).value,
                    "training": [real.value, real.low, real.high],
                }
    return found


def run(todo: list[Unit], kept: Store, again: bool, seconds: float, mib: int, say=print) -> int:
    """Do what is not done yet. Returns how many units failed or met a limit."""
    wanted = [unit for unit in todo if again or not done(kept.find(**unit.name), unit, seconds, mib)]
    say(f"{len(todo)} units, of which {len(todo) - len(wanted)} stand already.", flush=True)
    if not wanted:
        return 0
    say("First the truth: the findings in the simulated populations. About 15 seconds.", flush=True)
    by, began, judges, trouble = made_by(seeds=list(SEEDS), truth=truths()), time.monotonic(), Judges(), 0
    with contextlib.closing(Host()) as host:
        for number, unit in enumerate(wanted, 1):
            so_far = time.strftime("%H:%M:%S", time.gmtime(time.monotonic() - began))
            doing = f"{number} of {len(wanted)}, {so_far}: {unit.generator} on {unit.dataset} ..."
            say(doing, end=" ", flush=True)
            result = run_unit(unit, judges.of(unit), host, seconds, mib)
            kept.add(result, by)
            trouble += result["status"] != "done"
            say(said(result), flush=True)
    return trouble


def said(result: dict) -> str:
    """One unit's result in a few words."""
    if result["status"] != "done":
        return result["why"]
    if "seconds" not in result:
        return "measured."
    fit, sample = result["seconds"]["fitting"], result["seconds"]["sampling"] / len(SEEDS)
    return f"fit {fit:.1f} s, sample {sample:.1f} s, {result['peak_mib']} MiB."
