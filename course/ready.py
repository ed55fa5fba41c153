"""``python3 -m course check``: is this computer ready for the course? Standard library only.

Each check looks at one thing and returns a ``Finding``: what it saw, and the exact fix if something is wrong.
A check takes the facts it judges as arguments, so that a test can hand it a full disk or a broken network.
None of them changes anything.
"""

import os
import platform
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path
from typing import NamedTuple

from course import environment
from course.__main__ import for_this_system, wrong_python
from course.environment import ROOT

GB = 10**9
# Measured: 7.7 GB with torch's ordinary Linux builds. Without the parts for graphics cards, about 4 GB
# less. The rest is headroom for the installer.
SPACE = {"linux": 10 * GB, "other": 6 * GB}
# The heaviest lab may use 1.5 GiB; JupyterLab and a browser need about as much again.
MEMORY_TOTAL, MEMORY_FREE = 3.5 * GB, 2 * GB
# The longest path inside the environment, with Windows' shorter folder names. Windows allows 259 characters.
LONGEST_PATH, WINDOWS_LIMIT = 165, 259
PORT = 8888
INSTALLED = ("ready", "unlinked")
SLICE_SECONDS = 240
SYNCED = (
    "OneDrive",
    "Dropbox",
    "iCloud",
    "Mobile Documents",
    "Google Drive",
    "GoogleDrive",
    "CloudStorage",
    "Box Sync",
)


class Finding(NamedTuple):
    """What one check saw. ``fix`` is empty when nothing is wrong; a note is a fix that can wait."""

    name: str
    says: str
    fix: str = ""
    only_a_note: bool = False

    @property
    def word(self):
        """How the finding is headed."""
        if not self.fix:
            return "ok"
        return "note" if self.only_a_note else "PROBLEM"


# ------------------------------------------------------------------------------ this computer


def check_python(version=sys.version_info, bits=None, machine=None, windows=os.name == "nt"):
    """Python 3.11, 64 bits, on a processor that the packages are built for."""
    bits = bits or 8 * struct.calcsize("P")
    machine = machine or platform.machine()
    found = f"{'.'.join(str(part) for part in version[:3])}, {bits} bit, {machine}"
    fix = wrong_python(version, "check") or ""
    if not fix and bits != 64:
        fix = "Install the 64-bit edition of Python 3.11, and use that one."
    if not fix and windows and machine.upper() == "ARM64":
        fix = "Install the edition of Python 3.11 called 'Windows installer (64-bit)', not the ARM64 one."
    return Finding("Python", found, fix)


def check_folder(root=ROOT):
    """The course can write in its own folder."""
    try:
        with tempfile.TemporaryFile(dir=root):
            return Finding("Folder", str(root))
    except OSError as error:
        return Finding(
            "Folder",
            f"{root} cannot be written to ({error.strerror}).",
            f"Copy the whole folder into your home folder, {Path.home()}, and work there.",
        )


def check_synced(root=ROOT, variables=os.environ):
    """The folder is not one that a program copies to the internet, which slows and locks 100,000 files."""
    service = next((name for name in SYNCED for part in root.parts if part.startswith(name)), None)
    for name in ("OneDrive", "OneDriveCommercial", "OneDriveConsumer"):
        if variables.get(name) and root.is_relative_to(variables[name]):
            service = "OneDrive"
    if service is None:
        return Finding("Synced folder", "no")
    return Finding(
        "Synced folder",
        f"{root} looks like a folder that {service} copies to the internet.",
        f"Move the course's folder out of it, for example to {_plain_place(root)}.",
    )


def check_path(root=ROOT, windows=os.name == "nt", long_paths=None):
    """Spaces and non-English letters work. On Windows, a long path may not."""
    length = len(str(root))
    if windows and length + LONGEST_PATH > WINDOWS_LIMIT and not (long_paths or _long_paths_allowed()):
        return Finding(
            "Path",
            f"{length} characters long. Windows would refuse some files of the environment.",
            f"Move the course's folder to a shorter path, for example {_plain_place(root)}.",
        )
    return Finding("Path", "short enough; spaces and letters of any language work")


def _plain_place(root):
    return r"C:\course" if os.name == "nt" else str(Path.home() / root.name)


def _long_paths_allowed():
    try:
        import winreg

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem") as key:
            return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])
    except (ImportError, OSError):
        return False


def check_space(state, usage=shutil.disk_usage, root=ROOT, system=sys.platform):
    """Room for the environment, unless it is there already."""
    free = usage(root).free
    needed = GB // 2 if state in INSTALLED else SPACE.get(system, SPACE["other"])
    says = f"{free / GB:.1f} GB free, {needed / GB:.1f} GB needed"
    if free >= needed:
        return Finding("Disk space", says)
    fix = f"Free {(needed - free) / GB:.1f} GB on the disk of {root}, or move the course to another disk."
    return Finding("Disk space", says, fix)


def memory():
    """Total and free memory in bytes. ``None`` for what this system does not say."""
    if os.name == "nt":
        return _windows_memory()
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        total = None
    facts = {}
    if Path("/proc/meminfo").exists():
        for line in Path("/proc/meminfo").read_text().splitlines():
            name, _, value = line.partition(":")
            facts[name] = int(value.split()[0]) * 1024
    limit = Path("/sys/fs/cgroup/memory.max")  # a container's or a hub's own limit
    if total and limit.exists() and limit.read_text().strip().isdigit():
        total = min(total, int(limit.read_text()))
    return total, facts.get("MemAvailable")


def _windows_memory():
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
            (name, ctypes.c_ulonglong) for name in ("total", "free", "a", "b", "c", "d", "e")
        ]

    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None, None
    return status.total, status.free


def check_memory(facts=None):
    """Enough memory for a lab, JupyterLab and a browser."""
    total, free = facts or memory()
    if total is None:
        return Finding("Memory", "this system does not say how much it has")
    says = f"{total / GB:.1f} GB" + ("" if free is None else f", {free / GB:.1f} GB of it free")
    if total < MEMORY_TOTAL:
        fix = "Use a computer with 4 GB or more, or a JupyterHub, or read the labs in the book."
        return Finding("Memory", says, fix)
    if free is not None and free < MEMORY_FREE:
        return Finding("Memory", says, "Close other programs, browser windows first, until 2 GB are free.")
    return Finding("Memory", says)


def check_port(port=PORT):
    """JupyterLab can listen on this computer. If its usual port is taken, it uses another by itself."""
    if _free(port):
        return Finding("Port", f"{port} is free")
    other = next((number for number in range(port + 1, port + 50) if _free(number)), None)
    if other:
        fix = f"Nothing to do: JupyterLab takes {other}. To choose: python3 -m course start --port {other}"
        return Finding("Port", f"{port} is in use by another program.", fix, only_a_note=True)
    fix = "Ask your IT team to let Python listen on 127.0.0.1. Until then, use the book or a JupyterHub."
    return Finding("Port", f"no port from {port} to {port + 49} can be opened.", fix)


def _free(port):
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


# ------------------------------------------------------------------------------ the network

# What pip's error output contains, by what is the matter. The first that matches counts.
SIGNS = {
    "clock": r"certificate is not yet valid|certificate has expired",
    "sign in": r"\b407\b|Proxy Authentication Required",
    "proxy": r"ProxyError|Cannot connect to proxy",
    "certificate": r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerification",
    "changed": r"DO NOT MATCH THE HASHES",
    "refused": r"\b40[13]\b|Forbidden|Unauthorized",
    "no network": r"NameResolution|Name or service not known|getaddrinfo|nodename nor servname|"
    r"NewConnectionError|No route to host|Network is unreachable|Connection (refused|reset|aborted)",
    "slow": r"timed out|Timeout",
    "not there": r"No matching distribution|\b404\b",
}


def setting(name, value):
    """How to set a variable in this system's usual terminal."""
    return f'$env:{name} = "{value}"' if os.name == "nt" else f'export {name}="{value}"'


OWN_INDEX = f"{setting('UV_DEFAULT_INDEX', 'ITS-ADDRESS')} and {setting('PIP_INDEX_URL', 'ITS-ADDRESS')}"
FORGET_PROXY = "Remove-Item Env:HTTPS_PROXY" if os.name == "nt" else "unset HTTPS_PROXY https_proxy"

# What each of them means, and what to do.
TROUBLES = {
    "clock": (
        "the package index's certificate is out of date, or this computer's clock is wrong.",
        "Set this computer's date, time and time zone, then check again.",
    ),
    "sign in": (
        "the proxy {proxy} wants a name and password.",
        "Ask your IT team for both, then: " + setting("HTTPS_PROXY", "http://NAME:PASSWORD@{proxy}"),
    ),
    "proxy": (
        "this computer is told to use the proxy {proxy}, which does not answer.",
        "Away from the office, connect to the office network, or do without the proxy: "
        + FORGET_PROXY
        + "\nAt the office, ask your IT team for the right address, then: "
        + setting("HTTPS_PROXY", "http://ADDRESS:PORT"),
    ),
    "certificate": (
        "something on the way shows a certificate that Python does not trust{certificates}.",
        "Many workplaces inspect traffic so. Ask your IT team for their root certificate in PEM form, then: "
        + setting("SSL_CERT_FILE", "FULL-PATH-OF-THE-FILE"),
    ),
    "changed": (
        "a file arrived that is not the one the course lists. Something on the way changed it.",
        "Use another network, or show your IT team this line: package files must pass unchanged.",
    ),
    "refused": (
        "the package index refuses this computer.",
        f"Ask your IT team which package index you may use, then: {OWN_INDEX}",
    ),
    "not there": (
        "the package index answers, but does not have what the course needs.",
        "Use another network, or ask your IT team to let their index serve everything in requirements.lock.",
    ),
    "slow": (
        "the package index did not answer in time.",
        "Use a faster network, or allow more time: "
        f"{setting('UV_HTTP_TIMEOUT', '300')} and {setting('PIP_DEFAULT_TIMEOUT', '300')}",
    ),
    "no network": (
        "the package index cannot be reached.",
        "Connect to the internet, and to your workplace's private network if it asks for one.\n"
        f"If your workplace has a package index of its own: {OWN_INDEX}",
    ),
    "unknown": ("a small package could not be downloaded:\n{output}", "Show these lines to your IT team."),
}


def diagnose(output, proxy=""):
    """What is the matter with the network, from an installer's output: a key of ``TROUBLES``."""
    found = next((name for name, sign in SIGNS.items() if re.search(sign, output, re.I)), "unknown")
    return "proxy" if found == "no network" and proxy else found


def network_finding(output, proxy="", certificates=""):
    """The finding for an installer's output, the proxy in use and the certificate file in use."""
    facts = {
        "proxy": without_password(proxy),
        "certificates": f" (the certificates it trusts are in {certificates})" if certificates else "",
        "output": "\n".join(output.strip().splitlines()[-5:]),
    }
    says, fix = TROUBLES[diagnose(output, proxy)]
    return Finding("Network", says.format(**facts), fix.format(**facts))


def check_network(variables=None, seconds=60):
    """Download one small package of the lock with pip, as ``start`` would, and throw it away."""
    variables = variables or environment.network_variables()
    proxy = variables.get("HTTPS_PROXY") or variables.get("https_proxy") or ""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        pip = find_pip(folder)
        if pip is None:
            return Finding("Network", "cannot be tried, because Python has no pip.", environment.NO_VENV)
        options = [
            "-vv",
            "--retries",
            "1",
            "--timeout",
            "20",
            "--no-cache-dir",
            "--no-deps",
            "--require-hashes",
        ]
        with environment.requirements(smallest_block()) as path:
            command = [*pip, "download", *options, "--dest", folder, "-r", path]
            code, output = listen(command, variables, seconds)
    if code == 0:
        return Finding("Network", "a package was downloaded, and its hash was right")
    return network_finding(output, proxy, variables.get("SSL_CERT_FILE", ""))


def listen(command, variables, seconds):
    """Run a command in the course's folder: its exit code, and what it printed. Too slow is a failure."""
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=variables,
            timeout=seconds,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return 1, f"timed out after {seconds} seconds"
    return done.returncode, done.stdout


def find_pip(folder):
    """The command of a pip: this Python's, or one in a throw-away environment in ``folder``. Or ``None``."""
    if environment.runs(sys.executable, "-m", "pip", "--version"):
        return [sys.executable, "-m", "pip"]
    environment.execute([sys.executable, "-m", "venv", folder], stdout=subprocess.DEVNULL)
    python = str(environment.python_of(folder))
    return [python, "-m", "pip"] if environment.runs(python, "-m", "pip", "--version") else None


def smallest_block():
    """A small package of the lock that every system uses."""
    return next(block for block in environment.locked() if environment.name_of(block) == "six")


def without_password(address):
    """A proxy's address, without the name and password that may be in it."""
    parts = urllib.parse.urlsplit(address if "//" in address else "//" + address)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname or "")


# ------------------------------------------------------------------------------ the environment and the labs


def check_environment(state):
    """The environment is there, complete and made from today's list of packages."""
    says = {
        "ready": "complete",
        "missing": "not made yet.",
        "old": "made from an older list of packages.",
        "moved": "made when the course was in another folder.",
        "unfinished": "not complete.",
        "unlinked": "complete, but does not know where the course is.",
    }[state]
    fix = {"ready": "", "unlinked": "python3 -m course link"}.get(state, "python3 -m course setup")
    return Finding("Environment", says, fix)


def check_lab(lab, python, seconds=SLICE_SECONDS):
    """The cells of one lab that are tagged ``slice`` run, in a kernel of the environment."""
    name = f"Lab {Path(lab).stem.split('-')[0]}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        variables = environment.variables({"COURSE_PROGRESS": str(Path(folder) / "progress.json")})
        code, output = listen([python, "-m", "course.labs", "--slice", str(lab)], variables, seconds)
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in output.splitlines() if line.strip()]
    last = lines[-1] if lines else f"stopped with code {code}"
    if code == 0:
        return Finding(name, last)
    if last.startswith("timed out"):
        return Finding(name, f"{last}.", "Close other programs and check again, or use a faster computer.")
    if code in (-9, 137) or "MemoryError" in last or "DeadKernelError" in last:
        return Finding(name, f"ran out of memory ({last}).", "Close other programs, browser windows first.")
    fix = "Get the course's files again, then: python3 -m course setup\nIf it stays, send your trainer this."
    return Finding(name, last, fix)


def findings():
    """Every check in turn, each as soon as it is done."""
    state, python = environment.find()
    yield check_python()
    yield check_folder()
    yield check_synced()
    yield check_path()
    yield check_space(state)
    yield check_memory()
    yield check_port()
    yield Finding("Network", "not needed any more") if state in INSTALLED else check_network()
    yield check_environment(state)
    if state in INSTALLED:
        for lab in sorted((ROOT / "notebooks").glob("*.ipynb")):
            yield check_lab(lab, python)


def main(_=()):
    """Print every finding and what to do about it. Returns 1 if something has to be done first."""
    print("Is this computer ready for the course?\n", flush=True)
    problems = 0
    for finding in findings():
        print(f"{finding.word:8} {finding.name}: {finding.says}", flush=True)
        for line in finding.fix.splitlines():
            print(f"{'':8} {for_this_system(line)}", flush=True)
        problems += finding.word == "PROBLEM"
    if problems:
        print(f"\nNot ready. To fix: {problems}. What to do is below each PROBLEM. Then check again.")
    else:
        print(for_this_system("\nReady. Start with: python3 -m course start"))
    return int(problems > 0)
