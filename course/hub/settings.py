"""What a session is set up with: one small file, hub.yml, and the same defaults for a rehearsal."""

from __future__ import annotations

import contextlib
import difflib
import random
import socket
from collections import deque
from dataclasses import dataclass, field, fields
from pathlib import Path

from course.environment import ROOT


class HubError(Exception):
    """One sentence that says what is wrong, and what to do."""


@dataclass
class Settings:
    """The keys of hub.yml. What each means is said in ``hub/hub.yml``."""

    address: str = "127.0.0.1"
    port: int = 8443
    name: str = "localhost"
    state: Path = ROOT / "build" / "hub"
    certificate: Path | None = None
    key: Path | None = None
    oidc: dict = field(default_factory=dict)
    memory_mib: int = 2048
    processes: int = 512
    disk_mib: int = 1024
    tmp_mib: int = 128
    idle_minutes: int = 90
    no_egress: bool = True
    forked: bool = True

    @property
    def private(self) -> Path:
        """What only the hub reads: its database, its keys, its accounts."""
        return self.state / "private"

    @property
    def homes(self) -> Path:
        return self.state / "homes"

    @property
    def labs(self) -> Path:
        """The repository that learners' copies come from, and are brought up to date from."""
        return self.state / "labs.git"

    @property
    def copy(self) -> Path:
        """One copy of it, which a new home gets."""
        return self.state / "labs"

    @property
    def group(self) -> str:
        """The control group of this hub's learners."""
        return f"course-hub-{self.port}"

    @property
    def url(self) -> str:
        return f"https://{self.name}:{self.port}"


def load(path: str | Path | None = None) -> Settings:
    """The settings in a file, or the defaults. Raises HubError for a file or a key that is not right."""
    if path is None:
        return Settings()
    import yaml

    file = Path(path)
    try:
        given = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except OSError as problem:
        raise HubError(f"The settings {file} cannot be read: {problem.strerror}.") from None
    except yaml.YAMLError as problem:
        where = getattr(problem, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise HubError(f"The settings {file} are not YAML{line}: put 'key: value' on each line.") from None
    if not isinstance(given, dict):
        raise HubError(f"The settings {file} are not a list of keys: put 'key: value' on each line.")
    known = {each.name: each for each in fields(Settings)}
    for key, value in given.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            meant = f"did you mean '{near[0]}'?" if near else f"the keys are {', '.join(known)}."
            raise HubError(f"The settings {file} have a key '{key}' that means nothing here: {meant}")
        given[key] = _as(known[key].type, key, value, file)
    settings = Settings(**given)
    if (settings.certificate is None) != (settings.key is None):
        raise HubError(f"The settings {file} must name both 'certificate' and 'key', or neither.")
    return settings


def _as(kind: str, key: str, value: object, file: Path) -> object:
    """A value as its key's type. A path is taken from where the settings lie."""
    if kind.startswith("Path") and isinstance(value, str):
        return (file.resolve().parent / value).resolve()
    wanted = {"int": int, "bool": bool, "str": str, "dict": dict}.get(kind)
    right = wanted is not None and type(value) is wanted and (wanted is not int or value >= 0)
    if not right:
        needed = {"int": "a whole number", "bool": "true or false", "dict": "a list of keys"}.get(
            kind, "words"
        )
        raise HubError(f"The settings {file} have '{key}: {value}', and it must be {needed}.")
    return value


GIVEN: deque[int] = deque(maxlen=1000)


def free_port(lowest: int = 20_000, highest: int = 32_000) -> int:
    """A port that nobody has, and that was not given out here lately: who got it may not have taken it yet.

    The system gives ports above these to whoever asks for any, at any moment.
    """
    for port in random.sample(range(lowest, highest), 100):
        with socket.socket() as one, contextlib.suppress(OSError):
            if port not in GIVEN:
                one.bind(("127.0.0.1", port))
                GIVEN.append(port)
                return port
    raise HubError(f"No port is free between {lowest} and {highest}: end some programs on this machine.")
