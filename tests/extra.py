"""What several test files use. Above all, tools that only tests need: fetched once, at fixed versions, into
build/tools. Without a network a test that needs one is skipped with its reason; in CI it fails.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

from course.environment import ROOT

TOOLS = ROOT / "build/tools"
PINS = {
    "repo2docker": ["jupyter-repo2docker==2026.4.0"],
    "kubernetes": ["jupyterhub-kubespawner==7.1.0", "kubernetes-validate==1.37.0"],
    "jupyterhub-5": ["--no-deps", "jupyterhub==5.5.0"],  # its dependencies are the course's own
    "nbgrader": ["--no-deps", "nbgrader==0.9.6", "notebook==7.6.5", "rapidfuzz==3.14.6"],  # the same
    "helm": ["helm-python-sdk==0.2.2", "kubernetes-validate==1.37.0"],
}


@cache
def fetch(kind: str) -> str:
    """Put the pinned tools of one kind into their folder, once. What went wrong, or nothing."""
    folder, pins = TOOLS / kind, "\n".join(PINS[kind])
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / ".pins"
    with FileLock(TOOLS / f"{kind}.lock", timeout=600):
        if stamp.exists() and stamp.read_text(encoding="utf-8") == pins:
            return ""
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable]
        ran = subprocess.run(
            [*command, "--target", folder, *PINS[kind]],
            env={"UV_HTTP_TIMEOUT": "30", **os.environ},
            capture_output=True,
            text=True,
            timeout=600,
        )
        if ran.returncode == 0:
            stamp.write_text(pins, encoding="utf-8")
        return ran.stderr if ran.returncode else ""


def tools(kind: str) -> Path:
    """The folder with the pinned tools of one kind."""
    if problem := fetch(kind):
        cannot(f"{PINS[kind][-1]} could not be fetched. The first time, this test needs a network.", problem)
    return TOOLS / kind


def cannot(why: str, more: str = "") -> None:
    """Skip a test that cannot be run here; in CI, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"{why}\n{more}")
    pytest.skip(why)


def run_apart(coroutine):
    """asyncio.run in a thread of its own: once a test has used the browser, its loop runs in this thread."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, coroutine).result()
