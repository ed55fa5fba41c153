"""What a room costs: rooms of several sizes, kernels started as always and forked, in one run.

    sudo python hub/load.py 1 10 20 40        # in the course's environment; takes about a quarter of an hour

Each room has a hub of its own on this machine. Its learners all arrive at once; each signs in, starts a
server, opens a lab and runs its first cell, then all of the lab, and saves it. Reported: seconds from the
click to the first cell's answer, proportional memory (PSS) of a learner's server and kernel when the lab is
done, how much of the machine's memory the room took at most, and what failed. The requests come from this
machine too, and take some of its time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import nbformat
import psutil
from room import Learner, hub

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def cells(lab: str) -> list[str]:
    """The lab's code, cell by cell."""
    notebook = nbformat.read(NOTEBOOKS / f"{lab}.ipynb", as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def memory(uids: set[int]) -> dict[int, float]:
    """Proportional memory of each user's processes together, in MiB."""
    found = dict.fromkeys(uids, 0.0)
    for process in psutil.process_iter(["uids"]):
        uid = process.info["uids"] and process.info["uids"].real
        if uid in found:
            try:
                lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
            except (OSError, ProcessLookupError):
                continue
            found[uid] += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return found


async def attend(
    one: Learner, secret: dict, lab: str, whole: bool, seen: dict, all_in: asyncio.Barrier
) -> None:
    """One learner's morning. Writes into ``seen``; an error is kept, not raised."""
    try:
        began = time.monotonic()
        await one.sign_in(secret)
        seen["sign in"] = time.monotonic() - began
        await all_in.wait()
        clicked = time.monotonic()
        await one.start(300)
        path = f"course/notebooks/{lab}.ipynb"
        kernel = await one.kernel(path)
        code = cells(lab)
        await kernel.run("print('ready')")
        seen["first cell"] = time.monotonic() - clicked
        began = time.monotonic()
        await kernel.run("import sdv.single_table")
        seen["import sdv"] = time.monotonic() - began
        if whole:
            for cell in code:
                await kernel.run(cell, 900)
            saved = await one.lab(path)
            await one.save(path, saved["content"])
        seen["lab"] = time.monotonic() - began
        await kernel.close()
    except Exception as problem:
        seen["failed"] = f"{type(problem).__name__}: {problem}"[:300]
        await all_in.abort()  # nobody waits for somebody who does not come


def measure(learners: int, forked: bool, lab: str, whole: bool) -> dict:
    """One room: its numbers."""
    free = [psutil.virtual_memory().available / 2**30]
    names = [f"learner-{number:03}" for number in range(learners)]
    with tempfile.TemporaryDirectory() as folder, hub(Path(folder), names, forked=forked) as running:
        names = [running.users[name] for name in names]
        seen = {name: {} for name in names}

        async def room():
            all_in, watching = asyncio.Barrier(learners), asyncio.create_task(watch())
            async with asyncio.TaskGroup() as group:
                for name in names:
                    group.create_task(one(name, all_in))
            watching.cancel()

        async def watch():
            while True:
                free.append(psutil.virtual_memory().available / 2**30)
                await asyncio.sleep(0.5)

        async def one(name, all_in):
            async with Learner(running.url, name, running.authority) as learner:
                await attend(learner, running.secrets[name], lab, whole, seen[name], all_in)

        asyncio.run(room())
        uids = {(running.homes / name).stat().st_uid for name in names if (running.homes / name).exists()}
        pss = sorted(memory(uids).values())

    def spread(what):
        values = sorted(each[what] for each in seen.values() if what in each)
        return (
            [
                round(value, 1)
                for value in (statistics.median(values), values[int(0.9 * (len(values) - 1))], values[-1])
            ]
            if values
            else None
        )

    return {
        "learners": learners,
        "kernels": "forked" if forked else "stock",
        "lab": lab,
        "sign in: median, 90%, last (s)": spread("sign in"),
        "first cell: median, 90%, last (s)": spread("first cell"),
        "import sdv: median, 90%, last (s)": spread("import sdv"),
        "whole lab: median, 90%, last (s)": spread("lab"),
        "MiB a learner: median, most": [round(statistics.median(pss)), round(pss[-1])] if pss else None,
        "MiB of all learners": round(sum(pss)),
        "GiB taken at most, hub and all": round(free[0] - min(free), 1),
        "failed": sorted({each["failed"] for each in seen.values() if "failed" in each}),
        "failures": sum("failed" in each for each in seen.values()),
    }


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("rooms", nargs="*", type=int, default=[1, 10, 20, 40])
    words.add_argument("--only", choices=["stock", "forked"])
    words.add_argument("--lab", default="01", help="the lab's number")
    words.add_argument("--no-lab", action="store_true", help="only arrive and import sdv")
    chosen = words.parse_args()
    (lab,) = (path.stem for path in NOTEBOOKS.glob(f"{chosen.lab}-*.ipynb"))
    for learners in chosen.rooms:
        for forked in {"stock": [False], "forked": [True], None: [False, True]}[chosen.only]:
            print(json.dumps(measure(learners, forked, lab, not chosen.no_lab)), flush=True)
