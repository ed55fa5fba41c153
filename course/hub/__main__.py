"""``python3 -m course hub``: make what the hub needs on this machine, run it, and put the machine back."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from course.environment import ROOT
from course.hub import accounts, homes, limits
from course.hub import settings as settings_of
from course.hub.settings import HubError, Settings, free_port

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def main(argv: list[str]) -> int:
    """Run a sub-command: an exit code, and one sentence for what is wrong."""
    words = argparse.ArgumentParser(prog="python3 -m course hub", description=__doc__, add_help=False)
    add = words.add_argument
    add("--help", "-h", action="store_true", help="these words; after accounts, that command's own")
    add("what", nargs="?", choices=["accounts", "share"], help=WHAT)
    add("--settings", metavar="FILE", help="hub.yml of a real session; without it, a rehearsal")
    add("--in", dest="base", type=Path, default=Path(), help=argparse.SUPPRESS)  # where the person is
    chosen, more = words.parse_known_args(argv)
    if chosen.help and chosen.what == "accounts":
        return accounts.main(["--help"])
    if chosen.help:
        words.print_help()
        return 0
    try:
        if sys.platform != "linux":
            raise HubError("JupyterHub runs on Linux: use a Linux machine, or Windows Subsystem for Linux.")
        os.chdir(chosen.base)
        settings = settings_of.load(chosen.settings)
        if chosen.what == "accounts":
            return accounts.main(["--state", str(settings.private), "--address", settings.url, *more])
        if more:
            words.error(f"'{more[0]}' means nothing here")
        make_folders(settings)
        if chosen.what == "share":
            share(settings)
            print(f"Learners get it, and keep their own edits, by opening:\n{link(settings)}")
            return 0
        return run(settings, chosen.settings)
    except (HubError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1


# The board's is a port that only root can take: see there.
BOARD_PORTS = (600, 1024) if AS_ROOT else (20_000, 32_000)
WHAT = (
    "accounts: who may sign in (--help says more). share: give learners a fix that you have committed. "
    "Without a word: run the hub"
)
REHEARSAL = [
    ("A trainer", "trainer"),
    ("Learner A", "learner"),
    ("Learner B", "learner"),
    ("Learner C", "learner"),
]


def people(settings: Settings, rehearsal: bool) -> list[str]:
    """The user names of everybody with an account. A rehearsal makes four, and shows their codes."""
    known = accounts.Accounts(settings.private)
    if not known.path.exists():
        if not rehearsal:
            command = "python3 -m course hub accounts PEOPLE.csv --settings FILE"
            raise HubError(f"There are no accounts yet. Make them with: {command}")
        made = known.add([accounts.Person(name, "", role) for name, role in REHEARSAL], settings.url)
        print(f"Four accounts to rehearse with. Each code works once, at {settings.url}/hub/first")
        for slip in made:
            print(f"  {slip.person.name:10} user name {slip.user:12} code {slip.code}")
    return list(known.read()["people"])


def run(settings: Settings, file: str | None) -> int:
    """The hub, until it is stopped."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell that starts us in the background says so. Children would ignore it too, and it is what the
        # hub ends them with. What we listen to, they do not ignore.
        signal.signal(signal.SIGINT, lambda *_: None)
    share(settings)
    names = [] if settings.oidc else people(settings, file is None)
    certificate, key = certificates(settings)
    with contextlib.ExitStack() as undo:
        sockets = Path(
            undo.enter_context(tempfile.TemporaryDirectory(prefix="course-hub-", dir=_run_folder()))
        )
        sockets.chmod(0o711)
        if AS_ROOT:
            undo.callback(homes.let_go, settings.homes)
            undo.callback(limits.remove, settings.group)
            if settings.no_egress:
                undo.enter_context(closed_network(settings.port))
        for name in names:  # now, and not while everybody waits
            homes.make(settings.homes / name, settings.copy, settings.disk_mib if AS_ROOT else None)
        environment = {
            **os.environ,
            "COURSE_HUB_SETTINGS": str(Path(file).resolve()) if file else "",
            "COURSE_HUB_SOCKETS": str(sockets),
            "COURSE_HUB_CERTIFICATE": str(certificate),
            "COURSE_HUB_KEY": str(key),
            "COURSE_HUB_PORT": str(free_port()),
            "COURSE_HUB_PROXY_PORT": str(free_port()),
            "COURSE_HUB_BOARD_PORT": str(free_port(*BOARD_PORTS)),
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        }
        said = None  # where a session's log goes is the service's; a rehearsal's screen shows the codes
        if file is None:
            said = undo.enter_context((settings.private / "hub.log").open("w", encoding="utf-8"))
            print(f"What the hub says is written to {said.name}")
        forks = None
        if settings.forked:
            forks = undo.enter_context(Kept({**forkserver_command(sockets), "stdout": said, "stderr": said}))
        hub = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyterhub",
                f"--config={Path(__file__).with_name('jupyterhub_config.py')}",
            ],
            env=environment,
            cwd=settings.private,
            stdout=said,
            stderr=said,
        )
        undo.callback(stop, hub)
        if (code := wait(hub, forks, settings)) and said:
            print(f"The hub ended by itself. Why is in {said.name}", file=sys.stderr)
        return code


def wait(hub: subprocess.Popen, forks: Kept | None, settings: Settings) -> int:
    """Until the hub ends, or we are told to stop. The forkserver is started again whenever it ends."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    told = False
    while hub.poll() is None:
        if forks:
            forks.look()
        if not told and (told := is_open(settings)):
            print(f"The hub is at {settings.url} . To stop it, press Control-C here.", flush=True)
        time.sleep(0.5)
    return hub.returncode


def is_open(settings: Settings) -> bool:
    """Whether somebody answers at the hub's door."""
    here = "127.0.0.1" if settings.address in ("0.0.0.0", "") else settings.address
    with contextlib.suppress(OSError), socket.create_connection((here, settings.port), 1):
        return True
    return False


class Kept:
    """A process that is started again if it ends, but no more often than every five seconds."""

    def __init__(self, command: dict):
        self.command, self.process, self.since = command, None, 0.0

    def __enter__(self) -> Kept:
        self.look()
        return self

    def look(self) -> None:
        ended = self.process is None or self.process.poll() is not None
        if ended and time.monotonic() - self.since > 5:
            self.process, self.since = subprocess.Popen(**self.command), time.monotonic()

    def __exit__(self, *_) -> None:
        stop(self.process)


def forkserver_command(sockets: Path) -> dict:
    """Its children can read the environment it began with, so nothing of ours is in it."""
    kept = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "TZ")
    return {
        "args": [sys.executable, "-m", "course.hub.forkserver", str(sockets / "forks")],
        "env": {"HOME": "/nonexistent", **{name: os.environ[name] for name in kept if name in os.environ}},
        "cwd": "/",
        "stdin": subprocess.DEVNULL,
    }


def stop(process: subprocess.Popen) -> None:
    """Ask it to end, and after a minute make it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# ------------------------------------------------------------------------------ what it needs on this machine


def make_folders(settings: Settings) -> None:
    """The state: passable, so that learners reach their homes; the hub's own part closed."""
    settings.state.mkdir(parents=True, exist_ok=True)
    # The proxy reads its routes again whenever a file beside them changes: they have a folder of their own.
    closed = settings.private, settings.private / "proxy"
    for folder, mode in ((settings.state, 0o711), (settings.homes, 0o711), *((one, 0o700) for one in closed)):
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)
    (settings.state / "gitconfig").write_text(
        f"[safe]\n\tdirectory = {settings.labs}\n\tdirectory = {settings.labs}/.git\n"
        "[user]\n\tname = A learner\n\temail = learner@localhost\n",
        encoding="utf-8",
    )


def share(settings: Settings) -> None:
    """Bring the repository that learners copy up to what is committed in the course's folder."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        raise HubError(f"Learners copy the labs with git: {ROOT} must be a git copy, and git be installed.")

    def git(*words: str) -> str:
        command = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), *words]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise HubError(f"git {words[0]} failed: {done.stderr.strip().splitlines()[-1]}")
        return done.stdout

    if not settings.labs.exists():
        git("init", "--quiet", "--bare", "--initial-branch=labs", str(settings.labs))
        git("-C", str(settings.labs), "config", "receive.shallowUpdate", "true")  # ours may be a shallow copy
    git("push", "--quiet", "--force", str(settings.labs), "HEAD:refs/heads/labs")
    for path in (settings.labs, *settings.labs.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    shutil.rmtree(settings.copy, ignore_errors=True)
    git("clone", "--quiet", "--depth", "1", f"file://{settings.labs}", str(settings.copy))
    if changed := git("status", "--porcelain", "--", "notebooks", "datasets"):
        print(f"{len(changed.splitlines())} changed files are not committed, so learners do not get them.")


def link(settings: Settings, path: str = "notebooks") -> str:
    """What a learner opens to have the newest labs: nbgitpuller's address on her own server."""
    words = {
        "repo": f"file://{settings.labs}",
        "branch": "labs",
        "targetPath": homes.LABS,
        "urlpath": f"lab/tree/{homes.LABS}/{path}",
    }
    return f"{settings.url}/hub/user-redirect/git-pull?{urlencode(words)}"


def certificates(settings: Settings) -> tuple[Path, Path]:
    """The department's certificate, or one made here, which a browser warns of."""
    if settings.certificate and settings.key:
        for file in (settings.certificate, settings.key):
            if not file.is_file():
                raise HubError(f"The settings name {file}, and it is not there.")
        return settings.certificate, settings.key
    from certipy import Certipy

    store = settings.private / "certificates"
    made = Certipy(store_dir=str(store))
    with contextlib.suppress(Exception):
        made.store.load()
    if not (store / "hub" / "hub.crt").exists():
        made.create_ca("course")
        names = ["DNS:localhost", "IP:127.0.0.1", f"DNS:{settings.name}"]
        made.create_signed_pair("hub", "course", alt_names=list(dict.fromkeys(names)))
    print(
        f"The certificate was made on this machine, so browsers warn once: {store / 'course' / 'course.crt'}"
    )
    return store / "hub" / "hub.crt", store / "hub" / "hub.key"


@contextlib.contextmanager
def closed_network(port: int):
    """Learners' processes reach this machine's own addresses, and no other: a rule for their user numbers.

    The rule's place in the list comes from the hub's port: two hubs do not take each other's away.
    """
    users = f"{homes.FIRST_USER}-{homes.LAST_USER}"
    rule = ["uidrange", users, "prohibit", "pref", str(port % 32_000 + 1)]
    ip = shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if ip is None:
        raise HubError("The learners' network cannot be closed without the command 'ip': install iproute2.")
    with contextlib.ExitStack() as undo:
        for family in ("-4", "-6"):
            done = subprocess.run([ip, family, "rule", "add", *rule], capture_output=True, text=True)
            if done.returncode == 0:
                undo.callback(subprocess.run, [ip, family, "rule", "del", *rule], capture_output=True)
            elif family == "-4" or Path("/proc/net/if_inet6").exists():
                raise HubError(f"The learners' network could not be closed: {done.stderr.strip()}")
        yield


def _run_folder() -> str:
    """Where sockets live: names of sockets are short, and learners must be able to reach them."""
    return "/run" if AS_ROOT else tempfile.gettempdir()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
