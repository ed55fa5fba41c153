"""The environment: its list, its lock, how it is made, and the check whether a computer is ready.

Nothing here installs or downloads anything from outside. Faults are real where one can be made here: a closed
proxy, a proxy that wants a password, a server with a certificate nobody trusts, a port in use, an old stamp.
"""

import ast
import contextlib
import functools
import http.server
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import tomllib
from collections import namedtuple
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from course import environment, labs, ready, tasks
from course.__main__ import COMMANDS, HELP, main, wrong_python

ROOT = environment.ROOT
LOCK = environment.LOCK.read_text(encoding="utf-8")
BLOCKS = environment.read_lock(LOCK)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


# ------------------------------------------------------------------------------ the command line


@pytest.mark.parametrize("minor", [8, 9, 10, 12, 13, 14])
@pytest.mark.parametrize("present", [(), ("python3.11",), ("uv",), ("py",)])
def test_wrong_python_gets_one_clear_line(minor, present):
    says = wrong_python((3, minor, 1), "test", lambda name: name if name in present else None)
    assert "\n" not in says
    assert says.startswith(f"The course needs Python 3.11 and this is Python 3.{minor}.1.")
    assert re.search(r"(python3\.11|py -3\.11|--python 3\.11 python) -m course test$", says)


def test_right_python_passes():
    assert wrong_python((3, 11, 0)) is None


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_old_pythons_can_read_what_they_meet_first(name):
    ast.parse((ROOT / "course" / name).read_text(encoding="utf-8"), feature_version=(3, 6))


def test_help_names_every_command(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out.strip() == HELP.strip()
    for command in COMMANDS:
        assert f"python3 -m course {command} " in HELP
    assert main(["stert"]) == 2
    assert "no command 'stert'" in capsys.readouterr().out


# ------------------------------------------------------------------------------ the list and the lock


def test_every_direct_dependency_names_its_use_and_licence():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", text, flags=re.S | re.M).group(1)
    lines = [line for line in listed.splitlines() if line.strip().startswith('"')]
    assert len(lines) == len(PROJECT["dependencies"])
    licence = r"MIT|BSD|Apache|MPL|BUSL|Public domain"
    assert [line for line in lines if not re.search(rf"# \w.*({licence})", line)] == []


def test_lock_has_hashes_and_no_addresses():
    assert "://" not in LOCK
    for block in BLOCKS:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", "".join(block)), block[0]


def test_lock_answers_the_list():
    locked = {environment.name_of(block).lower(): environment.pin(block) for block in BLOCKS}
    for line in PROJECT["dependencies"]:
        wanted = Requirement(line)
        found = Requirement(locked[wanted.name.lower()])
        assert wanted.specifier.contains(str(found.specifier).removeprefix("==")), line


def test_conda_file_is_made_from_the_lock():
    assert (ROOT / "environment.yml").read_text(encoding="utf-8") == environment.conda_file(LOCK)


def test_lock_serves_one_python():
    before = (
        "# a comment\na==1 ; python_full_version < '3.12' \\\n"
        "b==1 ; python_full_version < '3.12' and sys_platform == 'win32' \\\n"
        "c==1 ; python_full_version >= '3.11.5' and python_full_version < '3.12' \\\n"
        "d==1 ; (python_full_version < '3.12' and x) or (python_full_version < '3.12' and y) \\\n"
    )
    after = (
        "a==1 \\\nb==1 ; sys_platform == 'win32' \\\nc==1 ; python_full_version >= '3.11.5' \\\n"
        "d==1 ; (x) or (y) \\\n"
    )
    assert environment.for_one_python(before) == after
    assert "< '3.12'" not in LOCK


def test_only_what_torch_alone_asks_for_is_left_out():
    gone = environment.graphics_only(BLOCKS)
    assert {"triton", "nvidia-cudnn-cu12", "nvidia-nvjitlink-cu12"} <= gone
    assert "nvidia-nccl-cu12" not in gone, "xgboost asks for it too"
    assert not {name for name in gone if not name.startswith(("nvidia", "triton"))}


# ------------------------------------------------------------------------------ making the environment


@pytest.fixture
def computer(tmp_path, monkeypatch):
    """A pretended computer: commands are noted, not run. ``fails`` lists words of commands that fail."""
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "has_cpu_builds", lambda: True)
    monkeypatch.setattr(environment, "runs", lambda *command: computer.works(command))
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    for name in environment.OWN_INDEX:
        monkeypatch.delenv(name, raising=False)

    class Computer:
        def __init__(self):
            self.commands, self.fails, self.said = [], [], []

        def run(self, command, **_):
            self.commands.append(" ".join(command))
            if "venv" in command:
                environment.python_of(environment.VENV).parent.mkdir(parents=True)
                environment.python_of(environment.VENV).touch()
            elif command[-1].endswith("link") and not self.failing(command):
                (environment.VENV / environment.STAMP).write_text(environment.stamp(), encoding="utf-8")
            elif Path(command[-1]).name.startswith("course-"):
                self.requirements = Path(command[-1]).read_text(encoding="utf-8")
            return int(self.failing(command))

        def failing(self, command):
            return any(word in " ".join(command) for word in self.fails)

        def works(self, command):
            return Path(command[0]).exists() and not self.failing([str(part) for part in command])

        def make(self):
            environment.make(lambda text, **_: self.said.append(text), self.run)

        def ran(self, *words):
            return [line for line in self.commands if all(word in line for word in words)]

    computer = Computer()
    return computer


def test_small_torch_where_it_can_be_had(computer):
    computer.make()
    ask, sync, torch = (
        computer.ran("--dry-run"),
        computer.ran("pip sync"),
        computer.ran("--torch-backend cpu"),
    )
    assert len(ask) == 1 and len(sync) == 1 and len(torch) == 2
    assert "--require-hashes" in sync[0] and "--compile-bytecode" in sync[0]
    assert torch[1].endswith("--no-deps --compile-bytecode torch==2.2.2 torchvision==0.17.2")
    assert not re.search(
        r"^(torch|torchvision|triton|nvidia-cudnn-cu12)==", computer.requirements, flags=re.M
    )
    assert re.search(r"^nvidia-nccl-cu12==", computer.requirements, flags=re.M)
    assert environment.state() == "ready"


def test_ordinary_torch_where_it_cannot(computer):
    computer.fails = ["--dry-run"]
    computer.make()
    assert computer.ran("pip sync", "requirements.lock") and len(computer.ran("--torch-backend")) == 1
    assert any("cannot be reached" in line for line in computer.said)
    assert environment.state() == "ready"


def test_ordinary_torch_when_the_small_one_fails_halfway(computer):
    computer.fails = ["--no-deps --compile-bytecode torch"]
    computer.make()
    assert computer.commands.index(computer.ran("pip sync", "requirements.lock")[0]) > 2
    assert environment.state() == "ready"


@pytest.mark.parametrize("name", environment.OWN_INDEX)
def test_a_workplace_that_chose_its_index_is_obeyed(computer, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    computer.make()
    assert not computer.ran("--torch-backend")
    assert computer.ran("pip sync", "requirements.lock")


def test_without_uv_it_is_fetched_by_hash_and_without_that_pip_does_it(computer):
    computer.fails = ["-m uv"]
    computer.make()
    fetched, installed = computer.ran("-m pip install")
    assert "--require-hashes" in fetched and computer.requirements.startswith("uv==")
    assert "--require-hashes" in installed and installed.endswith("requirements.lock")


def test_failure_is_one_sentence_and_leaves_no_stamp(computer):
    computer.fails = ["pip sync"]
    with pytest.raises(environment.InstallError, match="python3 -m course check"):
        computer.make()
    assert environment.state() == "unfinished"


def test_interrupted_and_taken_up_again(computer):
    def interrupt(command, **_):
        if "sync" in command:
            raise KeyboardInterrupt
        return computer.run(command)

    with pytest.raises(KeyboardInterrupt):
        environment.make(lambda *_, **__: None, interrupt)
    assert environment.state() == "unfinished"
    before = len(computer.ran("venv --clear"))
    computer.make()
    assert environment.state() == "ready"
    assert len(computer.ran("venv --clear")) == before, "what was installed is kept"


def test_an_old_environment_is_refreshed_and_a_moved_one_made_again(computer):
    computer.make()
    stamp = environment.VENV / environment.STAMP
    stamp.write_text("0" * 64 + f"\n{ROOT}\n", encoding="utf-8")
    assert environment.state() == "old"
    computer.commands.clear()
    computer.make()
    assert not computer.ran("venv --clear") and environment.state() == "ready"

    stamp.write_text(environment.stamp("/another/folder"), encoding="utf-8")
    assert environment.state() == "moved"
    shutil.rmtree(environment.python_of(environment.VENV).parent)
    computer.make()
    assert computer.ran("venv --clear") and environment.state() == "ready"


def test_which_environment_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment.sys, "prefix", str(tmp_path / "conda"))
    monkeypatch.setattr(environment, "holds_the_lock", lambda: False)
    assert environment.find() == ("missing", str(environment.python_of(tmp_path / ".venv")))
    monkeypatch.setattr(environment, "holds_the_lock", lambda: True)
    assert environment.find() == ("unlinked", sys.executable), "a conda environment is used as it is"
    (tmp_path / "conda").mkdir()
    (tmp_path / "conda" / environment.STAMP).write_text(environment.stamp("/elsewhere"), encoding="utf-8")
    assert environment.find() == ("ready", sys.executable), (
        "one shared environment serves every copy of the course"
    )


def test_states_of_a_folder(tmp_path):
    assert environment.state(tmp_path / "none") == "missing"
    assert environment.state(tmp_path) == "unfinished"
    (tmp_path / environment.STAMP).write_text("half wri", encoding="utf-8")
    assert environment.state(tmp_path) == "unfinished"


def test_an_environment_with_the_locked_set_is_recognised(monkeypatch):
    Fake = namedtuple("Fake", "name version")
    wanted = [Requirement(environment.pin(block)) for block in BLOCKS]
    here = {r.name: str(r.specifier)[2:] for r in wanted if not r.marker or r.marker.evaluate()}

    def holds(changes):
        held = {**here, **changes}
        found = [Fake(name, version) for name, version in held.items() if version]
        monkeypatch.setattr(environment.metadata, "distributions", lambda: found)
        return environment.holds_the_lock()

    assert holds({})
    assert holds({"torch": "2.2.2+cpu", "triton": None}), "a smaller build of torch is the same version"
    assert not holds({"pandas": "3.0.0"})
    assert not holds({"sdv": None})


@pytest.mark.parametrize("name", ["with spaces", "d'été", "数据", "жить"])
def test_link_finds_the_course_in_a_folder_of_any_name(tmp_path, name):
    folder = tmp_path / name
    (folder / "kurs").mkdir(parents=True)
    (folder / "kurs" / "__init__.py").write_text("")
    venv = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = environment.python_of(venv)
    code = "import sysconfig; print(ascii(sysconfig.get_paths()['purelib']))"
    site = ast.literal_eval(subprocess.check_output([python, "-c", code], text=True))
    (Path(site) / "kurs.pth").write_text(environment.path_line(folder), encoding="ascii")
    assert subprocess.run([python, "-c", "import kurs"], cwd=tmp_path).returncode == 0


def test_the_kernel_runs_on_one_thread():
    spec = environment.kernelspec("/a/python")
    assert spec["display_name"] == "Synthetic Data in Practice"
    assert spec["env"]["OMP_NUM_THREADS"] == "1"
    assert spec["argv"][0] == "/a/python"


def test_installers_learn_of_proxy_and_certificate(monkeypatch):
    for name in ("SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CERT", "/workplace.pem")
    monkeypatch.setattr(environment.urllib.request, "getproxies", lambda: {"https": "http://proxy:8080"})
    told = environment.network_variables()
    assert {told[name] for name in environment.CERTIFICATES} == {"/workplace.pem"}
    assert told["HTTPS_PROXY"] == "http://proxy:8080"
    assert "HTTPS_PROXY" not in environment.variables(), "JupyterLab is not sent through it"


# ------------------------------------------------------------------------------ test, book, run


def test_closing_line_adds_up(capsys):
    steps = [("tests", 0, 3.2, (40, 0, 1)), ("labs", 1, 9, (5, 2, 0)), ("site", None, 0, (0, 1, 0))]
    assert tasks.summary(steps) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "45 passed, 3 failed, 1 skipped"
    assert tasks.summary(steps[:1]) == 0


def test_counts_come_from_pytest(tmp_path):
    counts = tmp_path / "counts.xml"
    counts.write_text('<testsuites><testsuite tests="9" failures="1" errors="1" skipped="2"/></testsuites>')
    assert tasks.count(1, counts) == (5, 2, 2)
    assert tasks.count(2, tmp_path / "none.xml") == (0, 1, 0)
    counts.write_text("<testsui")
    assert tasks.count(2, counts) == (0, 1, 0)


def test_tests_leave_the_learners_progress_alone(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(tasks, "ready_python", lambda: sys.executable)
    monkeypatch.setattr(tasks, "BUILD", tmp_path)
    monkeypatch.setattr(tasks, "run_python", lambda python, arguments, **more: seen.append(more) or 0)
    tasks.test([])
    assert len(seen) == 6 and all("progress" in more["COURSE_PROGRESS"] for more in seen)
    assert not any(str(ROOT) in more["COURSE_PROGRESS"] for more in seen)


def test_start_opens_the_first_lab_and_hands_options_on():
    command = tasks.lab_command(["--no-browser"])
    assert f"--LabApp.default_url=/lab/tree/{tasks.FIRST_LAB}" in command and command[-1] == "--no-browser"
    assert (ROOT / tasks.FIRST_LAB).is_file()


def test_a_lab_is_run_in_place_and_a_failing_one_is_left_alone(tmp_path, monkeypatch):
    import nbformat
    from nbclient.exceptions import CellExecutionError

    lab = tmp_path / "09-tiny.ipynb"
    monkeypatch.setattr(labs, "RUNS", tmp_path / "lab-runs.json")
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("6 * 7")]), lab)
    seconds, peak = labs.store(lab)
    labs.record(lab, seconds, peak)
    cells = nbformat.read(lab, as_version=4).cells
    assert len(cells) == 1 and cells[0].outputs[0]["data"]["text/plain"] == "42"
    assert seconds > 0 and 20 < peak < 500
    assert set(labs.json.loads(labs.RUNS.read_text())["09-tiny"]) == {"seconds", "peak_mib", "date"}

    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]), lab)
    before = lab.read_bytes()
    with pytest.raises(CellExecutionError):
        labs.store(lab)
    assert lab.read_bytes() == before


# ------------------------------------------------------------------------------ is this computer ready?


def fixed(finding, *words):
    """A problem whose fix says each of ``words``."""
    assert finding.word == "PROBLEM", finding
    for word in words:
        assert word in finding.fix, finding
    return True


def test_python_that_cannot_hold_the_packages():
    assert ready.check_python((3, 11, 7), 64, "x86_64").word == "ok"
    assert fixed(ready.check_python((3, 13, 0), 64, "x86_64"), "3.11")
    assert fixed(ready.check_python((3, 11, 7), 32, "x86"), "64-bit")
    assert fixed(ready.check_python((3, 11, 7), 64, "ARM64", windows=True), "Windows installer (64-bit)")


def test_folder_that_cannot_be_written(tmp_path):
    assert ready.check_folder(tmp_path).word == "ok"
    assert fixed(ready.check_folder(tmp_path / "gone"), "home folder")


@pytest.mark.parametrize("name", ["OneDrive - Department", "Dropbox", "Library/Mobile Documents/x"])
def test_synced_folder(tmp_path, name):
    assert fixed(ready.check_synced(tmp_path / name / "course", {}), "Move")
    assert ready.check_synced(tmp_path / "course", {}).word == "ok"
    assert fixed(ready.check_synced(tmp_path / "course", {"OneDriveCommercial": str(tmp_path)}), "Move")


def test_long_path_matters_on_windows_only(tmp_path):
    long = Path("/" + "a" * 120)
    assert fixed(ready.check_path(long, windows=True, long_paths=False), "shorter path")
    assert ready.check_path(long, windows=True, long_paths=True).word == "ok"
    assert ready.check_path(long, windows=False).word == "ok"


def test_disk_too_full():
    Usage = namedtuple("Usage", "free")
    assert fixed(ready.check_space("missing", lambda _: Usage(2 * ready.GB), system="linux"), "Free 8.0 GB")
    assert ready.check_space("missing", lambda _: Usage(99 * ready.GB)).word == "ok"
    assert ready.check_space("ready", lambda _: Usage(2 * ready.GB)).word == "ok", "it is already installed"


def test_memory_too_small():
    assert fixed(ready.check_memory((2 * ready.GB, ready.GB)), "4 GB")
    assert fixed(ready.check_memory((16 * ready.GB, ready.GB)), "Close other programs")
    assert ready.check_memory((16 * ready.GB, None)).word == "ok"
    total, free = ready.memory()
    assert total > ready.GB and (free is None or 0 < free < total)


def test_port_in_use():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        finding = ready.check_port(port)
    assert finding.word == "note"
    assert re.search(r"python3 -m course start --port \d+$", finding.fix)
    assert not finding.fix.endswith(str(port))


class Index(http.server.BaseHTTPRequestHandler):
    """A package index that answers with one status, and with a file that is not the locked one."""

    status, link = 200, b"<a href='six-1.17.0-py2.py3-none-any.whl'>six</a>"

    def do_GET(self):
        self.send_response(self.status)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"not the real file" if self.path.endswith(".whl") else self.link)

    do_CONNECT = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(handler, wrap=lambda server: None):
    """A server on a free port of this computer."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        wrap(server)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def through(index, **more):
    """The variables of a computer that knows this package index only."""
    plain = {
        name: value
        for name, value in environment.network_variables().items()
        if not name.upper().startswith(("PIP_", "UV_", "HTTP", "ALL_PROXY", "NO_PROXY", "SSL_", "REQUESTS_"))
    }
    alone = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_INDEX_URL": index}
    return {**plain, **alone, **more}


@functools.cache
def self_signed(folder):
    """A certificate that nobody trusts, as one file with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not on this computer")
    file = Path(folder) / "server.pem"
    subprocess.run(
        [
            openssl,
            *["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            file,
            "-out",
            file.with_suffix(".crt"),
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    file.write_bytes(file.read_bytes() + file.with_suffix(".crt").read_bytes())
    return file


def test_no_network():
    finding = ready.check_network(through(f"http://127.0.0.1:{closed_port()}/simple"))
    assert "cannot be reached" in finding.says and fixed(finding, "Connect to the internet")


def test_name_that_nobody_knows():
    finding = ready.check_network(through("https://packages.invalid/simple"))
    assert "cannot be reached" in finding.says


def test_proxy_that_does_not_answer():
    proxy = f"http://someone:secret@127.0.0.1:{closed_port()}"
    finding = ready.check_network(through("https://packages.invalid/simple", HTTPS_PROXY=proxy))
    assert "use the proxy 127.0.0.1" in finding.says and fixed(finding, "HTTPS_PROXY")
    assert "secret" not in finding.says + finding.fix


def test_proxy_that_wants_a_password():
    with serving(type("Locked", (Index,), {"status": 407})) as port:
        proxy = f"http://127.0.0.1:{port}"
        finding = ready.check_network(through("https://packages.invalid/simple", HTTPS_PROXY=proxy))
    assert "name and password" in finding.says and fixed(finding, f"http://NAME:PASSWORD@127.0.0.1:{port}")


def test_certificate_that_nobody_trusts(tmp_path_factory, monkeypatch):
    file = self_signed(tmp_path_factory.mktemp("certificate"))

    def wrap(server):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        server.socket = context.wrap_socket(server.socket, server_side=True)

    with serving(Index, wrap) as port:
        index = f"https://127.0.0.1:{port}/simple"
        finding = ready.check_network(through(index))
        assert "does not trust" in finding.says and fixed(finding, "SSL_CERT_FILE")
        # The fix works: pip gets as far as the file, and finds that it is not the one in the lock.
        monkeypatch.setenv("SSL_CERT_FILE", str(file.with_suffix(".crt")))
        told = environment.network_variables()
        trusted = ready.check_network(
            through(index, **{name: told[name] for name in environment.CERTIFICATES})
        )
        assert "not the one the course lists" in trusted.says


def test_file_that_was_changed_on_the_way():
    with serving(Index) as port:
        finding = ready.check_network(through(f"http://127.0.0.1:{port}/simple"))
    assert "not the one the course lists" in finding.says


@pytest.mark.parametrize(("status", "words"), [(403, "refuses"), (404, "does not have")])
def test_index_that_says_no(status, words):
    with serving(type("No", (Index,), {"status": status, "link": b""})) as port:
        finding = ready.check_network(through(f"http://127.0.0.1:{port}/simple"))
    assert words in finding.says and fixed(finding, "IT team")


def test_index_that_never_answers():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        finding = ready.check_network(through(index), seconds=3)
    assert "in time" in finding.says and fixed(finding, "UV_HTTP_TIMEOUT")


def test_every_trouble_has_words_and_a_fix():
    assert set(ready.SIGNS) < set(ready.TROUBLES)
    assert ready.diagnose("certificate verify failed: certificate is not yet valid") == "clock"
    unknown = ready.network_finding("something quite new")
    assert "something quite new" in unknown.says and fixed(unknown, "IT team")


def test_old_environment():
    assert ready.check_environment("ready").word == "ok"
    assert fixed(ready.check_environment("unlinked"), "python3 -m course link")
    for state in ("missing", "old", "moved", "unfinished"):
        assert fixed(ready.check_environment(state), "python3 -m course setup")


def lab(folder, source):
    import nbformat

    cells = [
        nbformat.v4.new_code_cell(source, metadata={"tags": ["slice"]}),
        nbformat.v4.new_code_cell("1 / 0"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "07-tiny.ipynb")
    return folder / "07-tiny.ipynb"


def test_slice_of_a_lab(tmp_path):
    finding = ready.check_lab(lab(tmp_path, "import course"), sys.executable)
    assert finding.word == "ok" and finding.name == "Lab 07", "only the tagged cell is run"
    finding = ready.check_lab(lab(tmp_path, "import no_such_package"), sys.executable)
    assert "no_such_package" in finding.says and fixed(finding, "python3 -m course setup")
    finding = ready.check_lab(lab(tmp_path, "import course"), sys.executable, seconds=0.1)
    assert "timed out" in finding.says and fixed(finding, "Close other programs")


def test_memory_of_a_lab_is_its_own_and_not_that_of_whoever_started_it():
    ballast = bytearray(400 * 2**20)  # what pytest might hold after loading a large library
    code = "from course.labs import peak_mib; print(peak_mib())"
    peak = int(subprocess.check_output([sys.executable, "-c", code], text=True))
    assert len(ballast) > 0 and 5 < peak < 200


def test_every_lab_has_a_slice():
    for path in sorted(labs.NOTEBOOKS.glob("*.ipynb")):
        assert labs.slice_of(path), path.name


def test_check_ends_with_what_to_do(monkeypatch, capsys):
    wrong = ready.Finding("Disk space", "too little", "Make room.")
    monkeypatch.setattr(ready, "findings", lambda: iter([ready.Finding("Python", "3.11"), wrong]))
    assert ready.main() == 1
    assert "PROBLEM  Disk space: too little\n         Make room.\n" in capsys.readouterr().out
    monkeypatch.setattr(ready, "findings", lambda: iter([ready.Finding("Python", "3.11")]))
    assert ready.main() == 0
    assert capsys.readouterr().out.endswith("Ready. Start with: python3 -m course start\n")


def test_an_environment_that_is_a_link_is_not_emptied(monkeypatch, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (tmp_path / ".venv").symlink_to(elsewhere)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    with pytest.raises(environment.InstallError, match="Delete the link"):
        environment.make_venv("moved", None)
    assert (elsewhere / "kept").exists()
