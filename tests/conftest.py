"""How the tests of the site are shared between two processes: all tests of one page in one of them.

A visit to a page is kept for the tests after it. pytest-xdist 3.8 has groups for this (`--dist=loadgroup`),
but under pytest 9.2 it groups nothing, without a word. So `--dist=loadscope` is told what belongs together.
"""

from __future__ import annotations

import re

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
