"""Makes the environment that every lab, test and page runs in. Standard library only.

The environment is the folder ``.venv`` beside this package, filled with exactly what ``requirements.lock``
names. An environment that already holds all of that (conda, Binder, JupyterHub) is used as it is, and no
``.venv`` is made.

A stamp file, written last, says which lock the environment was made from. Without it, or with another lock's,
the next command finishes the work. So it is always safe to interrupt.
"""

import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
STAMP = "course-lock"
DOWNLOADS = VENV / "downloads"

# One kernel, one thread. Numerical libraries start a thread per core each, and on a small or shared
# computer the threads then wait for one another: training one network took 35 seconds, and under 5 with
# one thread.
THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
THREADS = dict.fromkeys(THREAD_LIMITS, "1")

# torch's ordinary builds for these machines carry about 4 GB for graphics cards. Builds without it exist.
CPU_BUILDS = ("torch", "torchvision")
# Somebody who sets one of these has decided where uv gets packages from.
OWN_INDEX = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_NO_INDEX", "UV_OFFLINE")
IMPATIENT = {"UV_HTTP_TIMEOUT": "8", "UV_HTTP_CONNECT_TIMEOUT": "5", "UV_HTTP_RETRIES": "0"}

# Each of these may name the workplace's certificates. The first wins, for every installer.
CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")

# JupyterLab asks its makers for news and newer versions. A course on privacy does not.
QUIET_LAB = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}


class InstallError(Exception):
    """The environment could not be made. The message says why."""


# ------------------------------------------------------------------------------ the lock


def read_lock(text):
    """Split a lock into blocks of lines, one for each pin: its version, marker, hashes and who asked for it.

    A package can have two blocks, with markers for two systems.
    """
    blocks = []
    for line in text.splitlines():
        if re.match(r"[A-Za-z0-9._-]+==", line):
            blocks.append([])
        if blocks:
            blocks[-1].append(line)
    return blocks


def name_of(block):
    """The package of a block."""
    return block[0].partition("==")[0]


def pin(block):
    """The requirement on a block's first line: ``'torch==2.2.2'``, with its marker if it has one."""
    return block[0].rstrip("\\ ")


def pins(blocks, *names):
    """The requirements of the packages named."""
    return [pin(block) for block in blocks if name_of(block) in names]


def askers(block):
    """The packages that asked for this one, from the comment below it."""
    comment = " ".join(line for line in block if line.lstrip().startswith("#"))
    return set(re.sub(r"#|\bvia\b|\(.*?\)", " ", comment).split())


def graphics_only(blocks):
    """Packages that only torch's graphics-card builds need, so that its CPU builds can do without them.

    A package that something else asks for as well stays: xgboost names one of these, and an environment
    without it would not satisfy its own list.
    """
    asked_by = {name_of(block): askers(block) for block in blocks}
    gone = {name for name in asked_by if name.startswith("nvidia-") or name == "triton"}
    while True:
        kept = {name for name in gone if not asked_by[name] <= gone | {"torch"}}
        if not kept:
            return gone
        gone -= kept


def has_cpu_builds():
    """Whether torch's ordinary builds for this machine are for graphics cards, and smaller ones exist."""
    return sys.platform == "linux" and os.uname().machine == "x86_64"


def locked():
    """The blocks of requirements.lock."""
    return read_lock(LOCK.read_text(encoding="utf-8"))


def stamp(folder=ROOT):
    """What the stamp of a finished environment says: the lock's sha256, and the folder it was made in."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest() + "\n" + str(folder) + "\n"


# ------------------------------------------------------------------------------ which environment


def python_of(prefix):
    """The Python of a virtual environment."""
    return Path(prefix) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def read_stamp(prefix):
    """A stamp's lock and folder. Two empty strings if there is no stamp."""
    try:
        lock, folder = (Path(prefix) / STAMP).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return "", ""
    return lock, folder


def state(prefix=None):
    """``'ready'``, ``'old'`` (other lock), ``'moved'`` (other folder), ``'unfinished'`` or ``'missing'``."""
    prefix = Path(prefix or VENV)
    if not prefix.exists():
        return "missing"
    lock, folder = read_stamp(prefix)
    if not lock:
        return "unfinished"
    if folder != str(ROOT):
        return "moved"
    if lock != stamp().splitlines()[0]:
        return "old"
    return "ready" if python_of(prefix).exists() else "unfinished"


def holds_the_lock():
    """Whether the environment this runs in has every locked package, at its version."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return False  # an environment without it lacks most of the lock
    installed = {_plain(d.name): d.version for d in metadata.distributions() if d.name}
    blocks = locked()
    needless = graphics_only(blocks)
    for block in blocks:
        wanted = Requirement(pin(block))
        if wanted.name in needless or (wanted.marker and not wanted.marker.evaluate()):
            continue
        # A CPU build of torch calls itself 2.2.2+cpu.
        if installed.get(_plain(wanted.name), "").partition("+")[0] != str(wanted.specifier).removeprefix(
            "=="
        ):
            return False
    return True


def _plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def find():
    """The environment to use: its state and its Python.

    The one this runs in, if it holds the locked set (``'unlinked'`` if it does not know the course yet), or
    else ``.venv``.
    """
    if Path(sys.prefix).resolve() == VENV.resolve():
        return state(), sys.executable
    if read_stamp(sys.prefix)[0] == stamp().splitlines()[0]:
        return "ready", sys.executable
    found = state()
    if found != "ready" and holds_the_lock():
        return "unlinked", sys.executable
    return found, str(python_of(VENV))


def ensure(say=print):
    """Return the Python to run everything with, making or refreshing ``.venv`` if need be.

    Raises ``InstallError``.
    """
    found, python = find()
    if found == "unlinked":
        _link_if_allowed()
    elif found != "ready":
        make(say)
    return python


def _link_if_allowed():
    try:
        link()
    except OSError:  # a shared environment: whoever made it links it, and the packages are all there
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


# ------------------------------------------------------------------------------ making it

OPENINGS = {
    "missing": "Making the course's environment in the folder .venv. This happens once.",
    "old": "The course's list of packages has changed. Bringing the environment up to date.",
    "moved": "The course's folder was moved or renamed. Making its environment again.",
    "unfinished": "The environment is not complete. Finishing it.",
}
NO_VENV = (
    "Python could not make an environment in the folder .venv. On Debian and Ubuntu, run "
    "'sudo apt-get install python3.11-venv'. Elsewhere, install Python 3.11 again with all its parts."
)
FAILED = (
    "The lines above say why. 'python3 -m course check' looks for the usual reasons, and says what to do. "
    "Then give the same command again: it carries on from here."
)


def make(say=print, run=subprocess.call):
    """Make ``.venv``, or bring it up to date. ``run`` runs a command and returns its exit code.

    Raises ``InstallError``.
    """
    began = time.monotonic()

    def step(number, text):
        say(f"{number} of 4 ({time.monotonic() - began:.0f} s): {text}", flush=True)

    found = state()
    say(OPENINGS[found], flush=True)
    step(1, "an empty environment")
    make_venv(found, run)
    step(2, "the installer")
    uv = find_uv(run)
    step(3, f"{len(locked())} packages. This is the long step: many minutes on a slow network")
    install(uv, say, run)
    shutil.rmtree(DOWNLOADS, ignore_errors=True)
    step(4, "linking the course, and a last check")
    if execute([python_of(VENV), "-m", "course", "link"], run):
        raise InstallError(f"The environment was filled, but does not work. {FAILED}")
    say(f"The environment is ready ({time.monotonic() - began:.0f} s).", flush=True)


def make_venv(found, run):
    """Make the empty environment. One that works is kept, with what was already installed in it."""
    if found in ("old", "unfinished") and _works(python_of(VENV)):
        (VENV / STAMP).unlink(missing_ok=True)
        return
    if VENV.is_symlink():  # what it leads to would be emptied
        raise InstallError(
            f"The folder .venv is a link to {VENV.resolve()}, which belongs elsewhere. Delete the link, then "
            "run setup again."
        )
    execute([sys.executable, "-m", "venv", "--clear", VENV], run)
    if _works(python_of(VENV)):
        return
    uv = shutil.which(
        "uv"
    )  # some systems leave out the part of Python that puts pip there; uv does not need it
    if uv:
        execute([uv, "venv", "--clear", "--seed", "--python", sys.executable, VENV], run)
    if not _works(python_of(VENV)):
        raise InstallError(NO_VENV)


def _works(python):
    """Whether this is a Python 3.11 with pip that runs."""
    return runs(python, "-c", "import sys, pip; sys.exit(sys.version_info[:2] != (3, 11))")


def runs(*command):
    """Whether a command can be started and succeeds. Its output goes nowhere."""
    return execute(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def find_uv(run=subprocess.call):
    """The command of uv: this computer's, or the locked one, put into ``.venv``. ``None`` if none runs."""
    found = shutil.which("uv")
    if found and runs(found, "--version"):
        return [found]
    python = python_of(VENV)
    if not runs(python, "-m", "uv", "--version"):
        block = next(block for block in locked() if name_of(block) == "uv")
        with requirements(block) as path:
            execute([python, "-m", "pip", "install", "--require-hashes", "--quiet", "-r", path], run)
    return [python, "-m", "uv"] if runs(python, "-m", "uv", "--version") else None


def install(uv, say, run):
    """Install the lock: with uv, torch's CPU builds if they can be had; without uv, with pip."""
    python, blocks = python_of(VENV), locked()
    if uv is None:
        say("   uv does not run on this computer, so pip does the work. It is slower.")
        command = [python, "-m", "pip", "install", "--require-hashes", "-r", LOCK]
    else:
        command = [*uv, "pip", "sync", "--python", python, "--require-hashes", "--compile-bytecode", LOCK]
        if cpu_builds_answer(uv, blocks, say, run) and install_with_cpu_builds(
            uv, blocks, command[:-1], say, run
        ):
            return
    if execute(command, run):
        raise InstallError(f"The packages could not be installed. {FAILED}")


def install_with_cpu_builds(uv, blocks, sync, say, run):
    """Install the lock without torch's ordinary builds, then its CPU builds. Returns whether that worked."""
    left_out = graphics_only(blocks).union(CPU_BUILDS)
    rest = [line for block in blocks if name_of(block) not in left_out for line in block]
    with requirements(rest) as path:
        failed = execute([*sync, path], run) or execute(cpu_install(uv, blocks), run)
    if failed:
        say("   The smaller builds of PyTorch did not arrive. Trying again with the ordinary ones.")
    return not failed


def cpu_install(uv, blocks, *options):
    """The command that installs torch's CPU builds. uv knows where they are kept.

    They have other hashes than the lock's ordinary builds. So for these two packages uv checks each file
    against the hash that their own index publishes, not against the lock.
    """
    command = [*uv, "pip", "install", "--python", python_of(VENV), "--torch-backend", "cpu"]
    return [*command, "--no-deps", "--compile-bytecode", *options, *pins(blocks, *CPU_BUILDS)]


def cpu_builds_answer(uv, blocks, say, run):
    """Whether this machine has use for torch's CPU builds, and their index answers at once."""
    if not has_cpu_builds():
        return False
    if any(os.environ.get(name) for name in OWN_INDEX):
        return False  # somebody has decided where packages come from
    ask = cpu_install(uv, blocks, "--dry-run", "--reinstall", "--quiet")
    if execute(ask, run, env={**network_variables(), **IMPATIENT}, stderr=subprocess.DEVNULL) == 0:
        say("   PyTorch: the builds for computers without a graphics card. They take about 4 GB less.")
        return True
    say("   PyTorch: the builds for computers without a graphics card cannot be reached from here.")
    say("   The ordinary ones are installed. They work the same, and take about 4 GB more.")
    return False


@contextmanager
def requirements(lines):
    """A requirements file that lasts for one command."""
    handle, path = tempfile.mkstemp(suffix=".txt", prefix="course-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(lines) + "\n")
        yield path
    finally:
        os.unlink(path)


def execute(command, run=subprocess.call, **options):
    """Run a command in the course's folder and return its exit code; 127 if it cannot be started at all."""
    try:
        return run(
            [str(part) for part in command], **{"env": network_variables(), "cwd": str(ROOT), **options}
        )
    except OSError:
        return 127


def variables(more=None):
    """The environment variables for the commands that the course starts."""
    result = {**os.environ, **THREADS, "PYTHONUTF8": "1", **(more or {})}
    result.pop("PYTHONHOME", None)
    result.pop("__PYVENV_LAUNCHER__", None)
    return result


def network_variables():
    """The same, with what installers need to get through a workplace's network.

    pip and uv each learn what only the other, or only the operating system, was told: the proxy, and the
    certificate with which many workplaces inspect traffic.
    """
    result = variables({"PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    # Downloads go into the environment's folder and from there to the trash, not into a cache of 7 GB in the
    # learner's home. Whoever has chosen a cache keeps it.
    result.setdefault("UV_CACHE_DIR", str(DOWNLOADS))
    result.setdefault("PIP_NO_CACHE_DIR", "1")
    for scheme, address in urllib.request.getproxies().items():
        if scheme in ("http", "https") and not result.get(f"{scheme}_proxy"):
            result.setdefault(f"{scheme.upper()}_PROXY", address)
    certificates = next((result[name] for name in CERTIFICATES if result.get(name)), None)
    if certificates:
        result.update(dict.fromkeys(CERTIFICATES, certificates))
    # uv brings its own certificates unless it is told to use the system's. Small Linux images have none.
    paths = ssl.get_default_verify_paths()
    if sys.platform != "linux" or paths.cafile or paths.capath:
        result.setdefault("UV_SYSTEM_CERTS", "1")
        result.setdefault("UV_NATIVE_TLS", "1")  # the name in older versions of uv
    return result


# ------------------------------------------------------------------------------ linking


def link(_=()):
    """Tell the environment this runs in where the course is, and give it the course's kernel and its stamp.

    The stamp is written last, and only if the environment holds every locked package. Returns an exit code.
    """
    prefix = Path(sys.prefix)
    _site_packages().joinpath("synthetic-data-in-practice.pth").write_text(path_line(ROOT), encoding="ascii")
    _write_json(prefix / "share/jupyter/kernels/python3/kernel.json", kernelspec(sys.executable))
    _write_json(prefix / "etc/jupyter/labconfig/page_config.json", QUIET_LAB)
    if not holds_the_lock():
        print(
            "This environment is linked to the course, but does not hold every package in requirements.lock."
        )
        return 1
    (prefix / STAMP).write_text(stamp(), encoding="utf-8", newline="\n")
    return 0


def path_line(folder):
    """The line of a .pth file that makes ``folder`` importable.

    Python reads these files in the computer's own encoding, so a plain path with letters outside it would be
    lost. An import line can spell any path in ASCII.
    """
    return f"import sys; sys.path.append({str(folder)!a})\n"


def kernelspec(python):
    """The kernel that every lab names (``python3``), run by this environment's Python on one thread."""
    return {
        "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Synthetic Data in Practice",
        "language": "python",
        "env": THREADS,
        "metadata": {"debugger": True},
    }


def _site_packages():
    import sysconfig

    return Path(sysconfig.get_paths()["purelib"])


def _write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")


# ------------------------------------------------------------------------------ locking

LOCK_HEADER = """\
# Every package of the course's environment: exact version, and the hash of each file that may be installed.
# Made from pyproject.toml by `python3 -m course lock`. Do not edit: change pyproject.toml and make it again.
"""

CONDA_HEADER = """\
# The same environment for conda, Binder and JupyterHub. Made by `python3 -m course lock`: do not edit.
# The list is written out so that Binder keeps its copy of the environment when only a lesson changes.
# After making it with conda, run `python -m course link` in it once. Binder does so itself (see postBuild).
name: synthetic-data-in-practice
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def lock(options):
    """Choose versions from pyproject.toml and write both lists of them. Returns an exit code."""
    uv = find_uv()
    if uv is None:
        print("Locking needs uv. Run 'python3 -m course setup' first: it brings uv.")
        return 1
    # One answer for every operating system, for one Python. Versions already locked stay, unless --upgrade
    # is given.
    one_python = ["--universal", "--python-version", "3.11"]
    files = ["--generate-hashes", "--no-header", "--output-file", LOCK, ROOT / "pyproject.toml"]
    code = execute([*uv, "pip", "compile", "--quiet", *one_python, *files, *options])
    if code:
        return code
    text = LOCK_HEADER + for_one_python(LOCK.read_text(encoding="utf-8"))
    LOCK.write_text(text, encoding="utf-8", newline="\n")
    (ROOT / "environment.yml").write_text(conda_file(text), encoding="utf-8", newline="\n")
    print(f"{len(read_lock(text))} packages are locked. Now run 'python3 -m course test'.")
    return 0


def for_one_python(text):
    """Take the marker "Python below 3.12" off every line.

    With it, an installer run by a later Python would install nothing and report success. Without it, that
    installer says which package does not fit.
    """
    marker = r"python_full_version < '3\.12'"
    text = re.sub(rf" ; {marker}( and )?", lambda found: " ; " if found.group(1) else "", text)
    text = re.sub(rf" and {marker}|{marker} and ", "", text)
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def conda_file(lock_text):
    """environment.yml, with the lock's versions written out. Its pip section cannot carry so many hashes."""
    return CONDA_HEADER + "".join(f"      - {pin(block)}\n" for block in read_lock(lock_text))
