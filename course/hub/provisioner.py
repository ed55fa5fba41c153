"""Kernels that are forked from a process which has imported their libraries already (see ``forkserver``).

A provisioner is jupyter_client's way of saying how a kernel is started. This one asks the forkserver, whose
socket is named in $COURSE_FORKSERVER. If that does not answer, or refuses, the kernel is started as always.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import select
import signal
from pathlib import Path

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from course.hub import forkserver

NAME = "course-forked"
SOCKET = "COURSE_FORKSERVER"


def register() -> None:
    """Make the name known to jupyter_client in this process. A package would say it in its metadata."""
    group = KernelProvisionerFactory.GROUP_NAME
    entry = importlib.metadata.EntryPoint(NAME, f"{__name__}:ForkedProvisioner", group)
    KernelProvisionerFactory.provisioners[NAME] = entry


# A kernel watches for the end of the process that started it. A forked one was started by the forkserver,
# which is not its owner. So it is told not to watch, and the forkserver ends it when the line to this
# process is cut.
OWN = {"JPY_PARENT_PID"}
NO_PARENT = "--IPKernelApp.parent_handle=1"


class ForkedProvisioner(LocalProvisioner):
    """LocalProvisioner, but a kernel of this environment's Python comes from the forkserver if it can."""

    async def launch_kernel(self, cmd: list[str], **options) -> KernelConnectionInfo:
        path = os.environ.get(SOCKET)
        if path and cmd[1:2] == ["-m"]:
            folder = str(options.get("cwd") or Path.cwd())
            env = {name: value for name, value in options.get("env", os.environ).items() if name not in OWN}
            try:
                # The fork itself takes milliseconds, so the server may wait for it.
                pid, line = forkserver.ask(
                    path, argv=[*cmd[1:], NO_PARENT], env=env, cwd=folder, until_we_end=True
                )
            except OSError as problem:
                self.log.warning("The forkserver: %s. The kernel is started the slow way.", problem)
            else:
                self.process = Forked(pid, line)
                self.pid = self.pgid = pid
                self.cwd = folder
                return self.connection_info
        return await super().launch_kernel(cmd, **options)


class Forked:
    """A process that another one started, with as much of ``subprocess.Popen`` as LocalProvisioner uses."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, line):
        self.pid, self._line = pid, line
        self._handle = os.pidfd_open(pid)  # the process itself: its number may be given to another later
        self._ended = False

    def poll(self) -> int | None:
        """0 once the process has ended; how it ended, only the forkserver knows."""
        if not self._ended and select.select([self._handle], [], [], 0)[0]:
            self._ended = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)  # what it had started, or forked, and left behind
            os.close(self._handle)
            self._line.close()
        return 0 if self._ended else None

    def wait(self) -> int:
        if not self._ended:
            select.select([self._handle], [], [])
        return self.poll()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)
