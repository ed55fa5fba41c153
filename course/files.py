"""Write a file whole or not at all, so that a run that is stopped leaves the old one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, text: str, mode: int = 0o666) -> None:
    """Write text beside a file, then let it take its place. If that fails, the old one stays.

    ``mode`` is who may read and write the file from its first byte on (less what the system takes away):
    0o600 for its owner only.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    draft.unlink(missing_ok=True)
    try:
        with open(draft, "x", encoding="utf-8", newline="\n", opener=lambda p, f: os.open(p, f, mode)) as out:
            out.write(text)
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
