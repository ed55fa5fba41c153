"""Put the process that calls it into a learner's place: her limits, her view of the machine, and her user.

The forkserver calls this in a child that will be a server or a kernel, and the spawner in a child that is
about to start a fresh Python. Only root can do it. Where the hub is run by somebody else, for a rehearsal,
nobody calls it.

Linux only. What each call does is in the manual pages: cgroups(7), mount_namespaces(7), proc(5), setuid(2).
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

# Where anybody may write.
TMP = tuple(folder for folder in ("/tmp", "/var/tmp", "/dev/shm", "/run/lock") if os.path.isdir(folder))
EMPTY = "mode=0755,size=64k"
_NEW_MOUNTS = 0x00020000  # CLONE_NEWNS
_NO_SUID, _NO_DEVICES, _BIND, _ALL_BELOW, _PRIVATE = 2, 4, 4096, 16384, 1 << 18  # MS_…
_NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS


def _libc():
    return ctypes.CDLL(None, use_errno=True)


def _called(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    words = [word.encode() if word is not None else None for word in (source, target, kind)]
    _called(_libc().mount(*words, flags, options.encode() if options else None), f"mounting {target}")


def place(
    uid: int, limits: list[str], home: str, homes: str, tmp_mib: int, shown: dict[str, list[str]]
) -> None:
    """A new place: the limits' folders (see ``limits``), a view of the machine of its own, and the user.

    In the view, /tmp and its like are empty and small (MiB), no other home and no other user's process is
    there, and of each folder that ``closed_to_others`` found, only what it says is shown.
    """
    join(limits)
    _called(_libc().unshare(_NEW_MOUNTS), "a view of its own")
    _mount("none", "/", None, _ALL_BELOW | _PRIVATE)
    mine = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    for closed, folders in shown.items():
        options = f"mode=1777,size={tmp_mib}m" if closed in TMP else EMPTY
        _only(closed, options, {folder: os.open(folder, os.O_RDONLY | os.O_DIRECTORY) for folder in folders})
    _only(homes, EMPTY, {home: mine})
    _mount("proc", "/proc", "proc", _NO_SUID | _NO_DEVICES, "hidepid=2")
    become(uid)


def _only(closed: str, options: str, folders: dict[str, int]) -> None:
    """Put an empty folder over one, and into it only these, which are open already."""
    _mount("tmpfs", closed, "tmpfs", _NO_SUID | _NO_DEVICES, options)
    for folder, number in folders.items():
        os.makedirs(folder, exist_ok=True)
        _mount(f"/proc/self/fd/{number}", folder, None, _BIND)
        os.close(number)


def closed_to_others(*folders: Path) -> dict[str, list[str]]:
    """What a learner does not see: /tmp and its like, and each folder on the way to these that others may not
    enter. With each, those of the folders that lie in it and are shown all the same."""
    found: dict[str, list[str]] = {closed: [] for closed in TMP}
    for folder in folders:
        for above in reversed(folder.parents):
            if str(above) in TMP or not above.stat().st_mode & 0o001:
                found.setdefault(str(above), []).append(str(folder))
                break
    return found


def place_of(pid: int, uid: int) -> None:
    """The place of a process that runs already: a kernel goes where the server that asked for it is."""
    process = Path(f"/proc/{pid}")
    with open(process / "ns/mnt") as view:
        if process.stat().st_uid != uid:
            raise PermissionError(f"process {pid} is not user {uid}'s")
        join(_limits_of(process))
        # Where memory is short it is to go, and the server to stay.
        Path("/proc/self/oom_score_adj").write_text("500")
        _called(_libc().setns(view.fileno(), _NEW_MOUNTS), "the server's view")
    become(uid)


def join(limits: list[str]) -> None:
    for folder in limits:
        Path(folder, "cgroup.procs").write_text("0")  # 0 means: whoever writes


def become(uid: int) -> None:
    """The user for good: no other groups, no way back, no program that changes the user."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _called(_libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no new privileges")
    os.umask(0o077)


def _limits_of(process: Path) -> list[str]:
    """The cgroup folders that a process is in, of version 2 and of version 1."""
    folders = []
    for line in (process / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        base = Path("/sys/fs/cgroup")
        for name in [controllers.removeprefix("name=")] if controllers else ["", "unified"]:
            folder = base / name / path.lstrip("/")
            if path != "/" and (folder / "cgroup.procs").exists():
                folders.append(str(folder))
    return folders
