"""What one learner's processes may take together: memory, a share of the processors, a number of processes.

These are Linux control groups (cgroups(7)). Version 2 is what systems of today have; version 1 is older.
Only root can make them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

BASE = Path("/sys/fs/cgroup")


def make(group: str, name: str, memory_mib: int, processes: int) -> list[str]:
    """Make a learner's group in the hub's, or set its limits. Returns its folders, one for each controller.

    Every learner has the same weight where the processors are short, so an endless loop takes one learner's
    share and no more. Raises OSError where this system lets nobody do it.
    """
    memory = str(memory_mib * 2**20)
    if (BASE / "cgroup.controllers").exists():
        top = BASE / group
        for folder in (BASE, top):
            folder.mkdir(exist_ok=True)
            (folder / "cgroup.subtree_control").write_text("+memory +cpu +pids")
        wanted = {
            top / name: {
                "memory.max": memory,
                "memory.swap.max": "0",
                "pids.max": str(processes),
                "cpu.weight": "100",
            }
        }
    else:
        wanted = {
            BASE / "memory" / group / name: {"memory.limit_in_bytes": memory},
            BASE / "pids" / group / name: {"pids.max": str(processes)},
            BASE / "cpu" / group / name: {"cpu.shares": "1024"},
        }
    for folder, settings in wanted.items():
        folder.mkdir(parents=True, exist_ok=True)
        for file, value in settings.items():
            if file != "memory.swap.max" or (folder / file).exists():  # some kernels have no swap to limit
                (folder / file).write_text(value)
    return [str(folder) for folder in wanted]


def remove(group: str) -> None:
    """Take away the hub's own group, and those of learners with whatever still runs in them."""
    for top in [BASE / group, *BASE.glob(f"*/{group}")]:
        for folder in [*top.glob("*/"), top]:
            end([str(folder)])


def processes(folders: list[str]) -> list[int]:
    """Who is in the group now."""
    try:
        return [int(pid) for pid in Path(folders[0], "cgroup.procs").read_text().split()]
    except (OSError, IndexError):
        return []


def end(folders: list[str], seconds: float = 5) -> None:
    """Kill everything in the group, and take the group away. A group that will not go is left."""
    until = time.monotonic() + seconds
    while (left := processes(folders)) and time.monotonic() < until:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    for folder in folders:
        with contextlib.suppress(OSError):
            os.rmdir(folder)
