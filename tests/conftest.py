"""One browser for all tests of a process, and how the tests of the site are shared between two processes.

All tests of one page run in one process, as a visit to a page is kept for the tests after it. pytest-xdist
3.8 has groups for this (`--dist=loadgroup`), but under pytest 9.2 it groups nothing, without a word. So
`--dist=loadscope` is told what belongs together.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    if config.getoption("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByPage(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            page = re.search(r"(?:book|notebooks|datasets/\w+)/[\w-]+\.html|search\.html", nodeid)
            return page[0] if page else nodeid

    return ByPage(config, log)


def find_chromium() -> str | None:
    """A Chromium, Chrome or Edge: by the CHROMIUM variable, the usual names, the usual places."""
    names = ["chromium-headless-shell"]  # Debian's, with no window of its own to draw: a third of the work
    names += ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"]
    places = [
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ]
    found = [os.environ.get("CHROMIUM"), *map(shutil.which, names), *places]
    return next((path for path in found if path and Path(path).exists()), None)


@pytest.fixture(scope="session")
def browser():
    """One headless browser for the whole session."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = find_chromium() or playwright.chromium.executable_path
        if not Path(path).exists():
            message = (
                "No Chromium, Chrome or Edge was found. Install one (for example with "
                "`python -m playwright install chromium`), or set CHROMIUM to the path of the program."
            )
            (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
        arguments = ["--no-sandbox", "--disable-background-networking"]
        opened = playwright.chromium.launch(executable_path=path, args=arguments)
        yield opened
        opened.close()
