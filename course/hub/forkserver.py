"""A process that has imported what a learner needs, and starts servers and kernels by forking itself.

A fresh Python takes seconds to import sdv, and half a gigabyte that it shares with nobody. A fork has it at
once, and shares with everybody what nobody changes. ``python -m course.hub.forkserver SOCKET`` waits at a
socket of the file system. Whoever connects sends one line of JSON: ``argv`` (as after ``python``: ``-m
module …``), ``env``, ``cwd``; and beside it the files for what is printed. The answer is one line: ``{"pid":
…}`` or ``{"refused": …}``.

- **Whose process?** The system says who connects (SO_PEERCRED), not the message. The child becomes that
  user, in that user's limits and view of the machine, before it reads a word of the message. Only root may
  ask for another user's place; the spawner does so for a server.
- **No threads.** A fork copies one thread and all locks. So if this process has a second thread, it refuses,
  and whoever asked starts a fresh Python.
- **Chance.** A fork copies the state of every generator of random numbers, so the child seeds them again.
- **Memory.** ``gc.freeze`` keeps the collector from touching, and so copying, what is shared.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import random
import signal
import socket
import struct
import sys
import threading

from course.environment import THREADS

# What is imported before anybody asks. None of these may start a thread: polars does, so statsmodels,
# anonymeter and metasyn, which import it, are left to the cell that needs them.
PRELOAD = [
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "IPython.core.completer",
    "ipywidgets",
    "numpy",
    "pandas",
    "scipy.stats",
    "scipy.optimize",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.model_selection",
    "plotly.graph_objects",
    "plotly.express",
    "plotly.io",
    "torch",
    "sdv.single_table",
    "sdv.multi_table",
    "sdv.sequential",
    "sdv.metadata",
    "sdmetrics.reports.single_table",
    "sdmetrics.single_table",
    "frictionless",
    "course.data",
    "course.chart",
    "course.check",
    "course.generate",
    "course.measure",
    "jupyterhub.singleuser.extension",
    "jupyterlab.labapp",
    "notebook_shim",
    "nbgitpuller.handlers",
    "course.hub.provisioner",
]

# Libraries that would start threads of their own do not, in this process and so in its children.
ALONE = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    **THREADS,
}

AT_MOST = 12  # kernels of one learner
LONGEST = 256 * 1024  # bytes of a message


def main(path: str) -> None:
    """Import, then wait at the socket for ever."""
    os.environ.update(ALONE)
    # Where this was started is no place for a child's modules. (-P would say so too, and then a notebook
    # would not find the files beside it.)
    sys.path[:] = [place for place in sys.path if place != os.getcwd()]
    for name in PRELOAD:
        importlib.import_module(name)
    gc.collect()
    gc.disable()
    gc.freeze()
    running: dict[int, int] = {}  # process: user

    def reap(*_):
        with contextlib.suppress(ChildProcessError):
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                running.pop(pid, None)

    signal.signal(signal.SIGCHLD, reap)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        os.chmod(path, 0o666)
        door.listen(256)
        print(f"Forks are ready: {len(PRELOAD)} modules, {threads()} thread.", flush=True)
        while True:
            asked, _ = door.accept()
            pid, uid, _ = struct.unpack("3i", asked.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            if refused := why_not(uid, running):
                answer(asked, refused=refused)
            elif child := os.fork():
                running[child] = uid
                reap()  # it may have ended before it was written down
            else:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                door.close()
                be_child(asked, pid, uid)
            asked.close()


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def why_not(uid: int, running: dict[int, int]) -> str | None:
    """Why nothing is started for this user, or ``None``."""
    if threads() > 1:
        return "this process has more than one thread"
    if os.geteuid() not in (0, uid):
        return "this hub is run by another user"
    if uid != os.geteuid() and list(running.values()).count(uid) >= AT_MOST:
        return f"you have {AT_MOST} kernels already; shut one down"
    return None


def answer(asked: socket.socket, **words) -> None:
    with contextlib.suppress(OSError):
        asked.sendall(json.dumps(words).encode() + b"\n")


def be_child(asked: socket.socket, pid: int, uid: int) -> None:
    """In the child: become the user, then read what is wanted, and do it. Never returns."""
    code, told = 1, False
    try:
        os.setsid()
        asked.settimeout(10)
        if uid != os.geteuid():
            from course.hub import enter

            enter.place_of(pid, uid)
        wanted, files = receive(asked)
        if place := wanted.get("place"):  # only root comes here as root
            from course.hub import enter

            enter.place(**place)
        for number, file in zip((1, 2), files, strict=False):
            os.dup2(file, number)
            os.close(file)
        settle(wanted)
        answer(asked, pid=os.getpid())
        told = True
        if wanted.get("until_we_end"):
            threading.Thread(target=end_with, args=(asked,), daemon=True).start()
        code = run(wanted["argv"])
    except BaseException as problem:
        if not told:
            answer(asked, refused=f"{type(problem).__name__}: {problem}")
        if not isinstance(problem, SystemExit):
            sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def receive(asked: socket.socket) -> tuple[dict, list[int]]:
    """The message, and the files that came with it."""
    data, files, _, _ = socket.recv_fds(asked, LONGEST, 2)
    while not data.endswith(b"\n"):
        more = asked.recv(LONGEST)
        if not more or len(data) > LONGEST:
            raise ValueError("the message is not one line")
        data += more
    return json.loads(data), files


def settle(wanted: dict) -> None:
    """What a fresh process would have: its folder, its environment, its signals, its own chance."""
    os.environ.clear()
    os.environ.update(wanted["env"])
    os.chdir(wanted["cwd"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.enable()
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if torch := sys.modules.get("torch"):
        torch.seed()
    if faker := sys.modules.get("faker.generator"):
        faker.mod_random.seed()


def end_with(asked: socket.socket) -> None:
    """End this process when whoever asked for it has ended, and so has closed the line."""
    asked.settimeout(None)
    with contextlib.suppress(OSError):
        asked.recv(1)
    os._exit(1)


def run(argv: list[str]) -> int:
    """What ``python -m module words`` does."""
    import runpy

    if argv[0] != "-m":
        raise ValueError("only 'python -m module' can be forked")
    sys.argv = argv[1:]
    try:
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def ask(path: str, seconds: float = 20, **message) -> tuple[int, socket.socket]:
    """The other side: have a process forked. Returns its number, and a socket that closes when it ends.

    Raises OSError, with why, if the forkserver is not there or refuses.
    """
    line = socket.socket(socket.AF_UNIX)
    try:
        line.settimeout(seconds)
        line.connect(path)
        with contextlib.suppress(BrokenPipeError):  # refused already: the answer says why
            socket.send_fds(line, [json.dumps(message).encode() + b"\n"], [1, 2])
        said = b""
        while not said.endswith(b"\n"):
            more = line.recv(4096)
            if not more:
                raise OSError("the forkserver closed the line")
            said += more
        words = json.loads(said)
        if "pid" not in words:
            raise OSError(words["refused"])
        return words["pid"], line
    except BaseException:
        line.close()
        raise


if __name__ == "__main__":
    main(sys.argv[1])
