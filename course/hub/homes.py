"""Learners' homes: each of a user number of its own, with a copy of the labs, and no larger than it may
be."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path

FIRST_USER = 200_000  # users' numbers from here on belong to learners
LAST_USER = 299_999
LABS = "course"  # the folder of the labs in a home

_numbering = threading.Lock()


def make(home: Path, labs: Path, mib: int | None) -> None:
    """Make a home that is not there yet, or put its disk back.

    ``labs`` is the copy of the labs that it gets. ``mib``: how much it can hold; 0: no limit. ``None``: this
    is not root, so it is an ordinary folder of whoever runs the hub.
    """
    if mib is None:
        home.mkdir(mode=0o700, exist_ok=True)
    else:
        with _numbering:
            _number(home)
        if mib and not home.is_mount():
            _mount_disk(home, mib)
    if not (home / LABS).exists():
        draft = home / f".{LABS}.part"
        shutil.rmtree(draft, ignore_errors=True)
        subprocess.run(["cp", "-a", str(labs), str(draft)], check=True)
        if mib is not None:
            number = home.stat().st_uid
            subprocess.run(["chown", "-R", "-h", f"{number}:{number}", str(draft)], check=True)
        draft.rename(home / LABS)


def _number(home: Path) -> None:
    """Give a new home the next number. The homes themselves are the list of the numbers that are taken."""
    if not home.exists():
        taken = [other.stat().st_uid for other in home.parent.iterdir() if other.is_dir()]
        number = max([FIRST_USER - 1, *taken]) + 1
        if number > LAST_USER:
            raise OSError("every user number for learners is taken: remove homes that nobody needs")
        home.mkdir(mode=0o700)
        shutil.chown(home, number, number)


def _mount_disk(home: Path, mib: int) -> None:
    """Put a disk of this size, kept in one file beside the homes, where the home is."""
    image = home.parent.parent / "disks" / f"{home.name}.ext4"
    if not image.exists():
        number = home.stat().st_uid
        image.parent.mkdir(mode=0o700, exist_ok=True)
        draft = image.with_suffix(".part")
        with draft.open("wb") as file:
            file.truncate(mib * 2**20)  # takes room only as it is filled
        owned = f"root_owner={number}:{number},nodiscard"
        _run("mkfs.ext4", "-q", "-m", "0", "-E", owned, str(draft))
        draft.rename(image)
    _run("mount", "-o", "loop,nosuid,nodev,noatime", str(image), str(home))
    home.chmod(0o700)


def let_go(homes: Path) -> None:
    """Take the disks off again. What is on them stays."""
    for home in homes.iterdir():
        if home.is_mount():
            subprocess.run(["umount", str(home)], capture_output=True)


def _run(*command: str) -> None:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": path})
    if done.returncode:
        raise OSError(f"{command[0]} failed: {done.stderr.strip()}")
