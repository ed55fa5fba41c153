"""A real hub, driven as learners' browsers drive it: sign in, start a server, run a lab, save. Attacks on it.

What keeps learners apart needs root, so without it only the rehearsal is tested.
"""

import ast
import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import nbformat
import psutil
import pytest
import requests
from extra import run_apart, tools

from course.environment import ROOT

sys.path.insert(0, str(ROOT / "hub"))
if sys.platform != "linux":
    pytest.skip("JupyterHub runs on Linux only", allow_module_level=True)

from room import Learner, hub

from course.hub import enter, forkserver, homes, settings
from course.hub.__main__ import link, main, people

root = pytest.mark.skipif(os.geteuid() != 0, reason="learners are kept apart by the system only under root")
NAMES = ["ann", "bob", "cem"]  # and dot, who comes with a browser
LAB = "course/notebooks/01-first-synthetic-table.ipynb"
IMPORTS = (ast.Import, ast.ImportFrom)
BORROW = """
from course import data, generate
pupils = data.load("pupils")
model = generate.fit("synthcity-marginal-distributions", pupils.training["schools"], pupils.schema("schools"))
print(len(model.sample(5, seed=1)))
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    small = {"memory_mib": 1200, "processes": 150, "disk_mib": 96, "tmp_mib": 32}
    with hub(tmp_path_factory.mktemp("hub"), [*NAMES, "dot"], **small) as one:
        yield one


def together(*tasks):
    """Run these at once, and return what they return."""

    async def all_of_them():
        return await asyncio.gather(*tasks)

    return run_apart(all_of_them())


async def at_work(running, name, work):
    """Sign in, start the server, open a kernel, and do ``work(learner, kernel)``."""
    async with Learner(running.url, running.users[name], running.authority) as learner:
        await learner.sign_in(running.secrets[learner.name])
        await learner.start()
        kernel = await learner.kernel(LAB)
        try:
            return await work(learner, kernel)
        finally:
            await kernel.close()
            with contextlib.suppress(PermissionError):  # the kernel has died, and its session with it
                await learner.api("DELETE", f"sessions/{kernel.session}")


def text(outputs):
    return "".join(each.get("text", "") for each in outputs)


def runs(running, name, code, seconds=120):
    """What a cell of one learner prints."""

    async def work(_, kernel):
        return text(await kernel.run(code, seconds))

    return together(at_work(running, name, work))[0]


def is_alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def lab_cells():
    notebook = nbformat.read(ROOT / "notebooks" / Path(LAB).name, as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


# ------------------------------------------------------------------------------ a session


def test_learners_run_a_lab_at_the_same_time_and_their_work_is_kept(running):
    async def work(learner, kernel):
        printed = "".join([text(await kernel.run(cell)) for cell in lab_cells()])
        saved = (await learner.lab(LAB))["content"]
        saved["cells"].append(nbformat.v4.new_markdown_cell("I was here"))
        await learner.save(LAB, saved)
        return printed

    printed = together(*(at_work(running, name, work) for name in NAMES))
    assert len({one.count("\n") for one in printed}) == 1 and all(printed)
    for name in NAMES:
        kept = json.loads((running.homes / running.users[name] / LAB).read_text(encoding="utf-8"))
        assert "".join(kept["cells"][-1]["source"]) == "I was here"


def test_a_server_that_was_stopped_starts_again_with_the_work_in_it(running):
    async def work():
        async with Learner(running.url, running.users["ann"], running.authority) as learner:
            await learner.sign_in(running.secrets[learner.name])
            await learner.stop()
            await learner.start()
            return (await learner.lab(LAB))["content"]["cells"][-1]["source"]

    assert together(work()) == ["I was here"]


def test_a_kernel_has_sdv_at_once_and_its_own_chance(running):
    code = """
import sys
print("sdv.single_table" in sys.modules)
import random, numpy, torch, faker, os, uuid
print(random.random(), numpy.random.rand(), torch.rand(1).item(), faker.Faker().name(), uuid.uuid4(), sep="|")
"""
    said = [runs(running, name, code).splitlines() for name in NAMES]
    assert all(lines[0] == "True" for lines in said)
    drawn = [lines[1].split("|") for lines in said]
    assert all(len(set(one)) == len(NAMES) for one in zip(*drawn, strict=False))


def test_a_learner_has_what_the_labs_use_and_owns_none_of_it(running):
    lines = {}
    for path in sorted(ROOT.glob("notebooks/[0-9]*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                found = [one for one in ast.walk(ast.parse(cell.source)) if isinstance(one, IMPORTS)]
                lines.update(dict.fromkeys(map(ast.unparse, found)))
    for own in ("import simulation", "from simulate import population", "import lab26"):
        del lines[own]  # from a folder that its lab adds
    said = runs(running, "ann", "\n".join([*lines, BORROW]))
    assert len(lines) > 30 and said.endswith("5\n")


def test_what_a_learner_sets_in_jupyterlab_is_kept_at_her_home(running):
    async def work(learner, _):
        at = f"{learner.at}/lab/api/settings/@jupyterlab/apputils-extension:themes"
        headers = {"X-XSRFToken": learner.token(f"/user/{learner.name}/")}
        raw = {"raw": '{"theme": "JupyterLab Dark"}'}
        async with learner.web.put(at, json=raw, headers=headers) as answer:
            return answer.status

    assert together(at_work(running, "bob", work)) == [204]
    kept = list(
        (running.homes / running.users["bob"]).glob(
            ".jupyter/lab/user-settings/**/themes.jupyterlab-settings"
        )
    )
    assert "Dark" in kept[0].read_text(encoding="utf-8")


def test_a_kernel_can_be_interrupted_and_started_again(running):
    async def work(learner, kernel):
        loop = asyncio.create_task(kernel.run("n = 1\nwhile True: pass"))
        await asyncio.sleep(1)
        await learner.api("POST", f"kernels/{kernel.id}/interrupt")
        with pytest.raises(RuntimeError, match="KeyboardInterrupt"):
            await loop
        assert text(await kernel.run("print(n)")) == "1\n"
        await learner.api("POST", f"kernels/{kernel.id}/restart")
        again = await learner.kernel(LAB)
        with pytest.raises(RuntimeError, match="NameError"):
            await again.run("n")
        await again.close()

    together(at_work(running, "ann", work))


def test_a_learner_in_a_browser_meets_the_hub_and_no_other_host(running, browser):
    """From the slip to a cell's answer and a saved lab, in JupyterLab itself."""
    user = running.users["dot"]
    asked = []
    context = browser.new_context(ignore_https_errors=True)
    try:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        page.goto(f"{running.url}/hub/first")
        page.get_by_label("User name").fill(user)
        page.get_by_label("Code", exact=True).fill(running.secrets[user]["code"])
        page.get_by_label("New passphrase", exact=True).fill(running.secrets[user]["passphrase"])
        page.get_by_label("New passphrase again").fill(running.secrets[user]["passphrase"])
        page.get_by_role("button", name="Set the passphrase and sign in").click()
        page.wait_for_url(re.compile(f"/user/{user}/lab/tree/{LAB}"), timeout=120_000)
        cell = page.locator(".jp-CodeCell").first
        cell.locator(".cm-content").click(timeout=120_000)
        page.keyboard.press("Control+a")
        page.keyboard.type("print('from a', 'browser')")
        page.keyboard.press("Shift+Enter")
        cell.get_by_text("from a browser").wait_for(timeout=120_000)
        page.keyboard.press("Control+s")
        kept, until = running.homes / user / LAB, time.monotonic() + 60
        while "from a browser" not in kept.read_text(encoding="utf-8") and time.monotonic() < until:
            time.sleep(0.3)
        assert "from a browser" in kept.read_text(encoding="utf-8")
        page.goto(link(settings.load(running.state.parent / "hub.yml")))  # nothing new: her edits stay
        page.wait_for_url(re.compile(f"/user/{user}/lab/tree/course/notebooks"), timeout=120_000)
        assert "from a browser" in kept.read_text(encoding="utf-8")
    finally:
        context.close()
    hosts = {url.split("/")[2] for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {running.url.removeprefix("https://")}


# ------------------------------------------------------------------------------ one learner's trouble


TROUBLE = {
    "a crash": "import os; os.abort()",
    "memory": "x = []\nwhile True: x.append(bytearray(50_000_000))",
    "a loop without end": "import time\nuntil = time.time() + 20\nwhile time.time() < until: pass",
    "a fork bomb": """
import os, time
until, made = time.time() + 6, 0
while time.time() < until:
    try:
        if os.fork() == 0:
            time.sleep(10); os._exit(0)
        made += 1
    except OSError:
        time.sleep(0.1)
print(made)
""",
    "many that compute": """
import subprocess, sys
many = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(8)]
import time; time.sleep(8)
for one in many: one.kill()
""",
}


@root
@pytest.mark.parametrize("trouble", TROUBLE)
def test_one_learner_s_trouble_is_not_felt_by_another(running, trouble):
    async def in_trouble(learner, kernel):
        try:
            return text(await kernel.run(TROUBLE[trouble]))
        except (RuntimeError, ConnectionError) as problem:
            ended = type(problem).__name__
        again = await learner.kernel("course/notebooks/02-fidelity-ladder.ipynb")
        assert text(await again.run("print(6 * 7)")) == "42\n"  # the server lives, and gives a kernel
        await again.close()
        return ended

    cell = "import pandas; print(pandas.DataFrame({'a': range(9)}).a.sum())"

    async def neighbour(_, kernel):
        took = []
        for _ in range(12):
            began = time.monotonic()
            assert text(await kernel.run(cell)) == "36\n"
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.4)
        return took

    ended, took = together(at_work(running, "bob", in_trouble), at_work(running, "cem", neighbour))
    assert max(took) < 15, took  # a generous budget: the machine that tests is busy
    if trouble in ("a crash", "memory"):
        assert ended == "ConnectionError"
    if trouble == "a fork bomb":  # it meets the limit on processes, or the one on memory
        assert ended == "ConnectionError" or 0 < int(ended) < 150


@root
def test_a_stopped_server_leaves_none_of_a_learner_s_processes(running):
    started = runs(
        running, "bob", "import os, subprocess\nprint(subprocess.Popen(['setsid', 'sleep', '600']).pid)"
    )

    async def stop():
        async with Learner(running.url, running.users["bob"], running.authority) as learner:
            await learner.sign_in(running.secrets[learner.name])
            await learner.stop()

    assert is_alive(int(started))
    together(stop())
    assert not is_alive(int(started))
    assert not list(Path("/sys/fs/cgroup").glob(f"**/course-hub-*/{running.users['bob']}"))


def test_without_the_forkserver_a_kernel_starts_the_slow_way_and_it_comes_back(running):
    def forkservers():
        found = []
        for one in psutil.Process(running.process.pid).children():
            if "course.hub.forkserver" in one.cmdline():
                found.append(one)
        return found

    [before] = forkservers()
    before.kill()
    assert runs(running, "ann", "import sys; print('sdv.single_table' in sys.modules)") == "False\n"
    until = time.monotonic() + 90
    while running.log.read_text(errors="replace").count("Forks are ready") < 2 and time.monotonic() < until:
        time.sleep(0.5)
    assert [one.pid for one in forkservers()] != [before.pid]
    assert runs(running, "ann", "import sys; print('sdv.single_table' in sys.modules)") == "True\n"


@root
def test_a_full_disk_is_one_learner_s_own(running):
    code = """
import os
for folder in (os.path.expanduser("~"), "/tmp", "/dev/shm", "/var/tmp"):
    try:
        with open(folder + "/big", "wb") as file:
            for _ in range(200): file.write(bytes(1_000_000))
        print("written", folder)
    except OSError as problem:
        print(problem.strerror)
    os.remove(folder + "/big")
"""
    assert runs(running, "ann", code) == "No space left on device\n" * 4
    assert runs(running, "bob", "open('small', 'w').write('x' * 1000); print('fine')") == "fine\n"


# ------------------------------------------------------------------------------ attempts


ATTEMPTS = {
    "another's home": "print(os.listdir('{homes}')); open('{homes}/{b}/progress.json')",
    "another's home by the disk": "open('{state}/disks/{b}.ext4', 'rb')",
    "the hub's database": "open('{state}/private/jupyterhub.sqlite', 'rb')",
    "the hub's cookie secret": "open('{state}/private/cookie_secret', 'rb')",
    "the hub's key": "open('{state}/private/certificates/hub/hub.key', 'rb')",
    "a symlink out of home": "os.path.lexists('l') or os.symlink('{homes}/{b}', 'l'); os.listdir('l')",
    "the passwords of the system": "open('/etc/shadow')",
    "writing into the course": "open('{root}/course/x', 'w')",
    "writing into the environment": "open(sys.prefix + '/x', 'w')",
    "writing into the labs that others get": "open('{state}/labs.git/HEAD', 'w')",
    "becoming root": "os.setuid(0)",
    "a mount": "subprocess.run(['mount', '-t', 'tmpfs', 'x', '/mnt'], check=True)",
    "leaving the limits": "open(glob.glob('/sys/fs/cgroup/*/cgroup.procs')[0], 'w').write('0')",
    "another's process": "os.kill({bob}, 0)",
    "the memory of the forkserver": "open('/proc/{forks}/mem', 'rb')",
    "the environment of the hub": "open('/proc/{hub}/environ', 'rb')",
}


@root
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_learner_s_code_cannot(running, attempt):
    runs(running, "bob", "print()")
    everyone = list(psutil.process_iter(["uids", "cmdline"]))
    bob = (running.homes / running.users["bob"]).stat().st_uid
    known = {
        "homes": running.homes,
        "state": running.state,
        "root": ROOT,
        "b": running.users["bob"],
        "bob": next(one.pid for one in everyone if one.info["uids"] and one.info["uids"].real == bob),
        "forks": next(one.pid for one in everyone if "course.hub.forkserver" in (one.info["cmdline"] or [])),
        "hub": next(one.pid for one in everyone if "jupyterhub" in (one.info["cmdline"] or [])),
    }
    code = f"""
import glob, os, subprocess, sys
try:
    {ATTEMPTS[attempt].format(**known)}
except Exception as problem:
    print("refused", type(problem).__name__)
else:
    print("DONE")
"""
    assert "refused" in runs(running, "ann", code)


@root
def test_what_a_learner_s_processes_can_read_holds_no_secret_of_others(running):
    code = """
import os
for place in ("/proc/self/environ", "/proc/%d/environ" % os.getppid()):
    try: print(open(place).read().replace(chr(0), chr(10)))
    except OSError as problem: print(type(problem).__name__)
print({os.stat("/proc/" + name).st_uid for name in os.listdir("/proc") if name.isdigit()})
"""
    said = runs(running, "ann", code)
    assert "TOKEN" not in said and "SECRET" not in said.upper()
    assert said.splitlines()[-1] == str({(running.homes / running.users["ann"]).stat().st_uid})


@root
def test_there_is_no_place_where_everybody_may_write_for_all_to_see(running):
    code = f"""
import os
found, own = [], ("/proc", "/sys", os.path.expanduser("~"), *{enter.TMP})
for folder, folders, _ in os.walk("/", onerror=lambda _: None):
    folders[:] = [one for one in folders if os.path.join(folder, one) not in own]
    if os.access(folder, os.W_OK): found.append(folder)
print(found)
"""
    assert runs(running, "ann", code, 300) == "[]\n"


@root
def test_the_machine_s_own_addresses_are_all_that_a_learner_reaches(running):
    """A host of our own, in a network namespace: root reaches it, a learner does not."""
    name, here, there = "course-test", "10.213.7.1", "10.213.7.2"
    ip = ["ip"]
    made = [
        ["netns", "add", name],
        ["link", "add", "course-t0", "type", "veth", "peer", "name", "course-t1", "netns", name],
        ["addr", "add", f"{here}/30", "dev", "course-t0"],
        ["link", "set", "course-t0", "up"],
        ["-n", name, "addr", "add", f"{there}/30", "dev", "course-t1"],
        ["-n", name, "link", "set", "course-t1", "up"],
    ]
    server = None
    try:
        for words in made:
            subprocess.run(ip + words, check=True, capture_output=True)
        server = subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-m", "http.server", "8123", "--bind", there],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        code = f"""
import socket
one = socket.socket(); one.settimeout(5)
try: one.connect(("{there}", 8123)); print("reached")
except OSError as problem: print(problem.strerror)
"""
        said, until = "", time.monotonic() + 20
        while said != "reached\n" and time.monotonic() < until:
            said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
        assert said == "reached\n"
        assert runs(running, "ann", code) == "Permission denied\n"
    finally:
        if server:
            server.kill()
            server.wait()
        subprocess.run(["ip", "netns", "del", name], capture_output=True)
        subprocess.run(["ip", "link", "del", "course-t0"], capture_output=True)


def test_another_s_server_is_closed_by_every_way_in(running):
    async def signed_in(name):
        async with Learner(running.url, running.users[name], running.authority) as learner:
            await learner.sign_in(running.secrets[learner.name])
            await learner.start()
            kernel = await learner.kernel(LAB)
            token = text(await kernel.run("import os; print(os.environ['JUPYTERHUB_API_TOKEN'])")).strip()
            await kernel.close()
            return learner.cookies(), token, kernel.id

    (ann, token, _), (_, _, theirs) = together(signed_in("ann"), signed_in("bob"))
    ask = requests.Session()
    ask.verify = str(running.authority)
    ask.trust_env = False  # a variable of this machine would name other authorities
    mine, other = (f"{running.url}/user/{running.users[name]}" for name in ("ann", "bob"))
    header = {"Authorization": f"token {token}"}

    def status(url, **more):
        return ask.get(url, allow_redirects=False, timeout=30, **more).status_code

    assert status(f"{other}/api/contents", cookies=ann) in (302, 403)
    assert status(f"{other}/api/contents", headers=header) == 403
    assert status(f"{other}/api/kernels/{theirs}", cookies=ann) in (302, 403)
    assert status(f"{other}/api/contents") == 403
    assert status(f"{mine}/api/contents", headers=header) == 200  # her own token, for her own server
    assert status(f"{mine}/api/contents?token={token}") == 403  # never in an address
    assert status(f"{mine}/api/terminals", headers=header) == 404
    assert status(f"{running.url}/hub/api/users", headers=header) == 403
    assert status(f"{running.url}/hub/admin", cookies=ann) == 403
    file = {"type": "file", "format": "text", "content": ""}
    put = ask.put(f"{mine}/api/contents/x.txt", json=file, cookies=ann, timeout=30)
    assert put.status_code == 403  # no XSRF token
    assert (
        ask.post(
            f"{running.url}/hub/api/users/{running.users['bob']}/server", cookies=ann, timeout=30
        ).status_code
        == 403
    )
    page = ask.get(f"{running.url}/hub/login", timeout=30)
    assert page.headers["Strict-Transport-Security"]
    assert all("secure" in line.lower() for line in page.raw.headers.getlist("set-cookie"))
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{running.url}/hub/login", timeout=30)  # somebody who does not know who signed


# ------------------------------------------------------------------------------ a fix while the session runs


def test_a_fix_reaches_a_learner_and_leaves_her_edits_alone(running, tmp_path):
    """The link that nbgitpuller follows, after a new commit in the repository that learners copied."""
    fixed, edited = "notebooks/02-fidelity-ladder.ipynb", "notebooks/03-be-the-intruder.ipynb"
    copy = tmp_path / "copy"
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(copy)]
    labs = running.state / "labs.git"
    subprocess.run(["git", "clone", "-q", "-b", "labs", str(labs), str(copy)], check=True)
    for name in (fixed, edited):
        path = copy / name
        path.write_text(path.read_text(encoding="utf-8").replace('"cells": [', '"cells":  [', 1))
    subprocess.run([*git, "commit", "-qam", "A fix"], check=True)
    subprocess.run([*git, "push", "-q", "origin", "labs"], check=True)

    edits = f"""
path = "../{edited}"
text = open(path).read().replace('"cells": [', '"cells":   [', 1)
open(path, "w").write(text)
open("../mine.txt", "w").write("mine")
"""

    async def work(learner, kernel):
        await kernel.run(edits)
        return await learner.pull(f"file://{labs}", "labs")

    said = together(at_work(running, "ann", work))[0]
    assert '"phase": "finished"' in said, said
    home = running.homes / running.users["ann"] / "course"
    assert '"cells":  [' in (home / fixed).read_text(encoding="utf-8")
    assert '"cells":   [' in (home / edited).read_text(encoding="utf-8")
    assert (home / "mine.txt").read_text() == "mine"


# ------------------------------------------------------------------------------ settings, and the end


def test_on_the_hub_before(tmp_path):
    """The same on JupyterHub 5: sign in, start forked, a cell with sdv, the board's page."""
    with hub(tmp_path, ["eve"], packages=tools("jupyterhub-5")) as one:
        assert "Running JupyterHub version 5." in one.log.read_text(errors="replace")
        assert runs(one, "eve", "import sys; print('sdv.single_table' in sys.modules)") == "True\n"


BAD_SETTINGS = {
    "memroy_mib: 100": "did you mean 'memory_mib'?",
    "port: many": "it must be a whole number",
    "port: -1": "it must be a whole number",
    "forked: maybe": "it must be true or false",
    "- one": "put 'key: value' on each line",
    "a: [": "not YAML",
    "key: x.key": "both 'certificate' and 'key'",
}


def test_the_settings_of_a_session_name_every_key_and_no_other():
    text = (ROOT / "hub/hub.yml").read_text(encoding="utf-8")
    assert settings.load(ROOT / "hub/hub.yml").name == "course.example.gov.uk"
    assert all(f"\n{one.name}:" in text or f"\n# {one.name}:" in text for one in fields(settings.Settings))


def test_a_rehearsal_makes_four_accounts_and_shows_their_codes(tmp_path, capsys):
    own = settings.Settings(state=tmp_path)
    names = people(own, rehearsal=True)
    said = capsys.readouterr().out
    assert len(names) == 4 and all(name in said for name in names)
    assert len(re.findall(r"code [\d ]{14}", said)) == 4
    assert people(own, rehearsal=True) == names and not capsys.readouterr().out  # made once, shown once


def test_a_session_without_accounts_says_how_to_make_them(tmp_path, capsys):
    (tmp_path / "hub.yml").write_text("state: state", encoding="utf-8")
    assert main(["--settings", str(tmp_path / "hub.yml")]) == 1
    assert "course hub accounts PEOPLE.csv" in capsys.readouterr().err


@pytest.mark.parametrize("words", BAD_SETTINGS)
def test_settings_that_are_not_right_get_one_sentence(words, tmp_path, capsys):
    (tmp_path / "hub.yml").write_text(words, encoding="utf-8")
    assert main(["--settings", str(tmp_path / "hub.yml")]) == 1
    said = capsys.readouterr().err.strip()
    assert BAD_SETTINGS[words] in said and "\n" not in said


def test_the_forkserver_refuses_when_there_is_a_second_thread(monkeypatch):
    assert forkserver.why_not(os.geteuid(), {}) is None or forkserver.threads() > 1
    monkeypatch.setattr(forkserver, "threads", lambda: 2)
    assert "thread" in forkserver.why_not(os.geteuid(), {})


@root
def test_a_learner_has_so_many_kernels_and_no_more(monkeypatch):
    monkeypatch.setattr(forkserver, "threads", lambda: 1)
    running = dict.fromkeys(range(forkserver.AT_MOST), homes.FIRST_USER)
    assert "shut one down" in forkserver.why_not(homes.FIRST_USER, running)
    assert forkserver.why_not(homes.FIRST_USER + 1, running) is None


def test_a_stopped_hub_leaves_nothing_running_but_the_homes(tmp_path):
    with hub(tmp_path, ["dee"]) as one:
        runs(one, "dee", "open('kept.txt', 'w').write('kept')")
        pids = [child.pid for child in psutil.Process(one.process.pid).children(recursive=True)]
    assert not [pid for pid in pids if is_alive(pid)]
    assert one.log.read_text().rstrip().endswith("...done") and "Traceback" not in one.log.read_text()
    assert not [part for part in psutil.disk_partitions(all=True) if str(tmp_path) in part.mountpoint]
    if os.geteuid() == 0:
        assert not list(Path("/sys/fs/cgroup").glob(f"**/course-hub-{one.url.rpartition(':')[2]}"))
        for family in ("-4", "-6"):
            rules = subprocess.run(["ip", family, "rule"], capture_output=True, text=True).stdout
            assert f"{int(one.url.rpartition(':')[2]) % 32_000 + 1}:" not in rules
    with hub(tmp_path, ["dee"]) as one:
        assert runs(one, "dee", "print(open('kept.txt').read())") == "kept\n"
