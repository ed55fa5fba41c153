"""How the hub starts a learner's server: as a user of its own, with limits, forked if it can be.

As root, every learner has a user number of her own, a home that only she can read and that cannot grow
beyond its size, limits on memory and processes, and a view of the machine without the others (see ``enter``
and ``limits``). Run by anybody else, for a rehearsal, the learners have separate folders and servers, and no
more.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Any, Integer, Unicode

from course.environment import ROOT
from course.hub import enter, forkserver, homes, limits
from course.hub.settings import free_port


class CourseSpawner(LocalProcessSpawner):
    """LocalProcessSpawner without the system's accounts: each home has a user number of its own."""

    homes = Unicode(help="The folder of all homes.", config=True)
    labs = Unicode(help="The copy of the labs that a new home gets.", config=True)
    forks = Unicode(help="The forkserver's socket.", config=True)
    memory_mib = Integer(2048, help="Memory of all of a learner's processes together.", config=True)
    processes = Integer(512, help="Processes and threads of a learner.", config=True)
    disk_mib = Integer(1024, help="What a home can hold. 0: no limit.", config=True)
    tmp_mib = Integer(128, help="What /tmp can hold. It counts as memory.", config=True)

    group = Unicode("course-hub", help="The control group that learners' groups lie in.", config=True)

    limit_folders = Any()
    as_root = os.geteuid() == 0

    @property
    def home(self) -> Path:
        return Path(self.homes, self.user.name)

    def user_env(self, env: dict) -> dict:
        runtime = "/tmp/runtime" if self.as_root else str(Path(self.forks).parent / self.user.name)
        return {
            **env,
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "USER": self.user.name,
            "LOGNAME": self.user.name,
            "HOME": str(self.home),
            "SHELL": "/bin/sh",
            "JUPYTER_RUNTIME_DIR": runtime,  # short: the name of a socket has at most 107 bytes
            "COURSE_FORKSERVER": self.forks,
            "COURSE_PROGRESS": str(self.home / "progress.json"),
        }

    def make_preexec_fn(self, name: str):
        if self.as_root:
            place = self.place()
            return lambda: enter.place(**place)
        return lambda: os.umask(0o077)

    def place(self) -> dict:
        """What ``enter.place`` needs."""
        shown = (sys.base_prefix, sys.prefix, ROOT, Path(self.homes).parent)
        return {
            "uid": self.home.stat().st_uid,
            "limits": self.limit_folders,
            "home": str(self.home),
            "homes": self.homes,
            "tmp_mib": self.tmp_mib,
            "shown": enter.closed_to_others(*map(Path, shown)),
        }

    async def start(self):
        """Start the server: forked, or else as a fresh Python."""
        loop = asyncio.get_running_loop()
        size = self.disk_mib if self.as_root else None
        await loop.run_in_executor(None, homes.make, self.home, Path(self.labs), size)
        if self.as_root:
            self.limit_folders = limits.make(self.group, self.user.name, self.memory_mib, self.processes)
        self.port = self.port or free_port()
        message = {"argv": [*self.cmd[1:], *self.get_args()], "env": self.get_env(), "cwd": str(self.home)}
        if self.as_root:
            message["place"] = self.place()
        try:
            self.pid, line = await loop.run_in_executor(None, lambda: forkserver.ask(self.forks, **message))
            line.close()
        except OSError as problem:
            self.log.warning(
                "The forkserver: %s. %s's server is started the slow way.", problem, self.user.name
            )
            return await super().start()
        return (self.ip or "127.0.0.1", self.port)

    async def poll(self) -> int | None:
        """``None`` while the server runs. What it left running, if it has died, is ended."""
        status = await super().poll()
        if status is not None:
            await self._end_all()
        return status

    async def stop(self, now: bool = False) -> None:
        """Stop the server, and whatever the learner left running."""
        await super().stop(now)
        await self._end_all()

    async def _end_all(self) -> None:
        if self.as_root and self.limit_folders:
            folders, self.limit_folders = self.limit_folders, None
            await asyncio.get_running_loop().run_in_executor(None, limits.end, folders)

    def get_state(self) -> dict:
        return {**super().get_state(), "limit_folders": self.limit_folders}

    def load_state(self, state: dict) -> None:
        super().load_state(state)
        self.limit_folders = state.get("limit_folders")
