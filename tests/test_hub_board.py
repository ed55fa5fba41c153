"""The trainer's board: a real hub with its proxy, learners who send, a real browser, and nothing kept."""

from __future__ import annotations

import csv
import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from test_site import accessibility_faults

from course import check
from course.check import _board as sender

pytest.importorskip("jupyterhub", reason="JupyterHub does not run on this system")
if os.name == "nt":
    pytest.skip("JupyterHub does not run on Windows", allow_module_level=True)

from course.hub import board as boards
from course.hub.board import FEWEST, KEPT_HOURS, PER_MINUTE, REFRESH_SECONDS, STUCK_MINUTES, Board, counts_csv

ROOT = Path(__file__).resolve().parent.parent
EXERCISE, OTHER = "lab01-arrears", "lab01-copies"
HOSTILE = "<img src=x onerror=alert(1)>"


# The counts -----------------------------------------------------------------------------------------------


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


SMALL = {"lab01": {"lab01-a": "A", "lab01-b": "B"}, "lab02": {"lab02-c": "C"}}
EVENT = some.tuples(
    some.sampled_from("uvwxyz"),
    some.sampled_from([name for names in SMALL.values() for name in names]),
    some.sampled_from([check.RIGHT, check.NOT_YET, check.NOT_ATTEMPTED]),
    some.integers(0, STUCK_MINUTES),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(some.lists(EVENT, max_size=60))
def test_the_counts_are_those_of_a_plain_recount(events):
    clock = Clock()
    room, log = Board(SMALL, clock), []
    for name, exercise, verdict, waited in events:
        clock.now += 60 * waited
        room.hear(name, exercise, verdict)
        log.append((name, exercise, verdict, clock.now))
    log = [
        one for one in log if any(clock.now - at <= 3600 * KEPT_HOURS for n, _, _, at in log if n == one[0])
    ]
    for exercise in EVENT_EXERCISES:
        mine = defaultdict(list)
        for name, at, verdict, when in log:
            if at == exercise:
                mine[name].append((verdict, when))
        answers = {name: [v for v, _ in tries if v != check.NOT_ATTEMPTED] for name, tries in mine.items()}
        stuck = 0
        for name, tries in mine.items():
            since = answers[name][::-1]
            misses = since.index(check.RIGHT) if check.RIGHT in since else len(since)
            stuck += misses >= 2 and clock.now - tries[-1][1] <= 60 * STUCK_MINUTES
        found = room.counts(exercise)
        assert found.reached == len(mine)
        assert found.tried == sum(map(bool, answers.values()))
        assert found.right == sum(check.RIGHT in given for given in answers.values())
        assert found.stuck == stuck
        assert found.shown == (len(mine) >= FEWEST)


EVENT_EXERCISES = [name for names in SMALL.values() for name in names]


def test_few_are_not_counted_and_no_name_is_on_the_page():
    room = Board(SMALL)
    view = boards.View(room, {"lab01": "Lab 1, One", "lab02": "Lab 2, Two"})
    for name in ("ann", "bob"):
        for _ in range(2):
            room.hear(name, "lab01-a", check.NOT_YET)
    few = view.trainer({"ann", "bob", "cat"}, "")
    assert "most stuck" not in few and "Fewer than 3 learners have begun" in few and "<caption>" not in few
    assert len(counts_csv(room, view.titles).splitlines()) == 1
    for _ in range(2):
        room.hear("cat", "lab01-a", check.NOT_YET)
    room.hear("cat", "lab01-b", check.RIGHT)
    enough = view.trainer({"ann", "bob", "cat", "dan"}, "")
    assert "3 have begun, 1 of those with a server running have not" in enough
    assert "The exercise with the most stuck is Lab 1, “A”." in enough
    assert enough.count("fewer than 3") == 1  # exercise B, which one person has reached
    assert not any(name in enough for name in ("ann", "bob", "cat", "dan"))
    room.ask("bob", "lab01-a")
    assert "<bdi>bob</bdi>" in view.trainer(None, "") and "cat" not in view.trainer(None, "")


def test_everybody_is_forgotten_in_time_and_a_queue_keeps_its_order():
    clock = Clock()
    room = Board(SMALL, clock)
    room.ask("ann")
    clock.now += 120
    room.ask("bob", "lab02-c")
    room.ask("ann", "lab01-a")  # asking again keeps the place
    assert room.queue() == [("ann", "lab01-a", 2), ("bob", "lab02-c", 0)]
    room.done("ann")
    assert [name for name, _, _ in room.queue()] == ["bob"]
    clock.now += 3600 * KEPT_HOURS + 1
    assert room.queue() == [] and room.learners == {}


# What is sent, and where ----------------------------------------------------------------------------------


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """A learner who has just started: no hub, no board, a progress file of their own."""
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.delenv("COURSE_BOARD", raising=False)
    monkeypatch.delenv("COURSE_BOARD_TOKEN", raising=False)
    monkeypatch.setattr(sender, "_told", False)
    monkeypatch.setattr(sender, "_last", "")


def test_nothing_is_sent_at_home(alone, monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("something was sent")

    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "create_connection", forbidden)
    monkeypatch.setattr(threading.Thread, "start", forbidden)
    assert check.exercise(EXERCISE, 2) == check.not_yet("a share lies between 0 and 1.")
    assert check.exercise(EXERCISE, None).note == ""
    assert "no trainer's board here" in check.ask_for_help().message
    assert "no trainer's board here" in check.cancel_help().message


def test_what_is_sent_holds_no_answer_and_the_learner_is_told_once(alone, monkeypatch):
    heard = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, self.headers["Authorization"], json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        monkeypatch.setenv("COURSE_BOARD", f"http://127.0.0.1:{server.server_port}/services/board/")
        monkeypatch.setenv("COURSE_BOARD_TOKEN", "only-for-the-board")
        monkeypatch.setattr(sender, "SECONDS", 60)
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # a department's proxy is not asked
        first, second = check.exercise(EXERCISE, 0.123456), check.exercise(EXERCISE, None)
        assert "/services/board/" in first.note and first.note.count(".") == 1 and second.note == ""
        monkeypatch.setattr(sender, "_told", False)
        monkeypatch.setenv("JUPYTERHUB_PUBLIC_HUB_URL", "https://hub.example:8443/hub/")
        assert "https://hub.example:8443/services/board/ says" in sender.report(EXERCISE, check.RIGHT)
        assert check.ask_for_help().status == "Asked for help"
        assert check.cancel_help().status == "Cancelled"
        until(lambda: len(heard) == 5)
    finally:
        server.shutdown()
        server.server_close()
    told = [
        ("verdict", {"exercise": EXERCISE, "verdict": kind})
        for kind in (check.NOT_YET, check.NOT_ATTEMPTED, check.RIGHT)
    ]
    told += [("help", {"exercise": EXERCISE}), ("cancel", {})]
    assert sorted(map(str, heard)) == sorted(
        str((f"/services/board/api/{path}", "token only-for-the-board", body)) for path, body in told
    )


def test_a_board_that_is_down_or_hangs_costs_a_learner_nothing(alone, monkeypatch, capsys):
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(1)  # it takes a connection and never answers
        for place in (
            f"http://127.0.0.1:{mute.getsockname()[1]}/b/",
            f"http://127.0.0.1:{free_port()}/b/",
            "?",
        ):
            monkeypatch.setenv("COURSE_BOARD", place)
            monkeypatch.setenv("COURSE_BOARD_TOKEN", "x")
            monkeypatch.setattr(sender, "SECONDS", 0.3)
            assert check.exercise(EXERCISE, 2).status == check.NOT_YET
            assert "Raise your hand" in check.ask_for_help().message
            until(lambda: sender._sender is None)
    assert capsys.readouterr().err == ""


def test_the_board_joins_what_a_hub_has_already():
    from traitlets.config import Config

    empty, full = Config(), Config()
    full.JupyterHub.services = [{"name": "cull"}]
    full.JupyterHub.load_roles = [{"name": "user", "scopes": ["self", "shares!user"]}, {"name": "cull"}]
    full.Spawner.environment = {"OMP_NUM_THREADS": "1"}
    for c in (empty, full):
        boards.configure(c)
    assert [one["name"] for one in full.JupyterHub.services] == ["cull", "board"]
    roles = {role["name"]: role.get("scopes") for role in full.JupyterHub.load_roles}
    assert roles["user"] == ["self", "shares!user", boards.ACCESS] and set(roles) == {"user", "cull", "board"}
    assert set(full.Spawner.environment) == {"OMP_NUM_THREADS", "COURSE_BOARD", "COURSE_BOARD_TOKEN"}
    assert {role["name"]: role["scopes"] for role in empty.JupyterHub.load_roles}["user"] == [
        "self",
        boards.ACCESS,
    ]


# A real hub -----------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def until(true, seconds=60, why="it did not happen in time"):
    """Wait for something to be true, and return it. A wait that does not end fails."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.05)
    raise AssertionError(why() if callable(why) else why)


CONFIG = """
import json
from pathlib import Path
from course.hub import board
told = json.loads(Path("told.json").read_text())
c.JupyterHub.bind_url = told["hub"]
c.JupyterHub.hub_bind_url = told["inside"]
c.JupyterHub.proxy_class = "traefik_file"
c.TraefikProxy.traefik_api_url = told["proxy_api"]
c.TraefikProxy.traefik_api_username = "hub"
c.TraefikProxy.traefik_api_password = told["token"]
c.TraefikProxy.extra_static_config = {"global": {"checkNewVersion": False, "sendAnonymousUsage": False}}
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = told["password"]
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {"admin"}
c.JupyterHub.load_groups = {"trainers": {"users": ["coach"]}}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(Path("home-{username}").resolve())
c.Spawner.environment = {
    "COURSE_PROGRESS": str(Path("home-eve/progress.json").resolve()),
    "JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp",
}
c.Spawner.args = ["--allow-root"]
c.SimpleLocalProcessSpawner.interrupt_timeout = 1
c.JupyterHub.services = [{"name": "test", "api_token": told["token"]}]
c.JupyterHub.load_roles = [
    {"name": "test", "services": ["test"], "scopes": ["admin:users", "admin:servers", "tokens",
                                                      "access:servers", "access:services"]},
]
board.configure(c, told["board"])
"""


class Hub(SimpleNamespace):
    """A hub that runs: `hub` and `board` are addresses, `folder` is all that it may write to."""

    def call(self, method, address, token="", body=None, headers=()):
        """One request: the status, the text and the headers. It follows nothing and keeps no cookie."""
        host, _, path = address.removeprefix("http://").partition("/")
        connection = http.client.HTTPConnection(host, timeout=30)
        sent = {"Authorization": f"token {token}"} if token else {}
        try:
            content = body if isinstance(body, (bytes, str, type(None))) else json.dumps(body)
            connection.request(method, "/" + path, content, sent | dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def api(self, method, path, body=None):
        status, text, _ = self.call(method, f"{self.hub}/hub/api/{path}", self.token, body)
        assert status < 300, (status, text)
        return json.loads(text) if text else None

    def token_of(self, name, *scopes):
        return self.api("POST", f"users/{name}/tokens", {"expires_in": 600, "scopes": list(scopes)})["token"]

    def send(self, token, kind="verdict", **message):
        return self.call("POST", f"{self.board}/services/board/api/{kind}", token, message)[0]


@contextmanager
def running_hub(folder: Path):
    """A real hub with its proxy and its board, on this machine's loopback. All are stopped at the end."""
    told = {name: f"http://127.0.0.1:{free_port()}" for name in ("hub", "inside", "proxy_api", "board")}
    told |= {"token": secrets.token_hex(16), "password": secrets.token_hex(8)}
    (folder / "told.json").write_text(json.dumps(told))
    (folder / "config.py").write_text(CONFIG)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    python_path = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)])
    own = {"PATH": path, "PYTHONPATH": python_path, "HOME": str(folder)}
    with (folder / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", "config.py"],
            cwd=folder,
            env=os.environ | own,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            hub = Hub(folder=folder, process=process, **told)
            until(
                lambda: process.poll() is not None or answers(hub),
                why=lambda: f"the hub does not answer:\n{(folder / 'hub.log').read_text()[-3000:]}",
            )
            assert process.poll() is None, (folder / "hub.log").read_text()[-3000:]
            yield hub
        finally:
            stop(process)


def stop(process) -> None:
    """Stop a hub as its administrator does, and then whatever of it is left."""
    import psutil

    if process.poll() is not None:
        return
    everything = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
    for left in psutil.wait_procs(everything, timeout=5)[1]:
        left.kill()


def answers(hub) -> bool:
    try:
        return "client_id=service-board" in hub.call("GET", f"{hub.hub}/services/board/")[2].get(
            "Location", ""
        )
    except (OSError, http.client.HTTPException):
        return False


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with running_hub(tmp_path_factory.mktemp("hub")) as hub:
        hub.api("POST", "users", {"usernames": ["ann", "bob", "cat", "dan", "eve", HOSTILE.lower(), "coach"]})
        yield hub


@pytest.fixture
def tokens(hub):
    """A token for the board for each of four learners, and a board that has forgotten everything before."""
    return {name: hub.token_of(name, boards.ACCESS) for name in ("ann", "bob", "cat", "dan")}


def signed_in(hub, browser, name, to="", **more):
    """A tab in which somebody has signed in at the hub, on the way to a page of the board."""
    context = browser.new_context(**more)
    context.set_default_timeout(60_000)
    tab = context.new_page()
    tab.goto(f"{hub.hub}/services/board/{to}")
    tab.fill("#username_input", name)
    tab.fill("#password_input", hub.password)
    tab.click("#login_submit")
    tab.wait_for_url(f"{hub.hub}/services/board/**")
    return tab


@pytest.fixture(scope="module")
def trainers_tab(hub, browser):
    """The trainer's page, with a clock that the tests can put forward."""
    tab = signed_in(hub, browser, "coach", "trainer")
    tab.clock.install()
    yield tab
    tab.context.close()


@pytest.fixture
def trainer(hub, trainers_tab):
    """The trainer's page, of a session that has just begun."""
    trainers_tab.goto(f"{hub.hub}/services/board/trainer")
    end_session(trainers_tab)
    return trainers_tab


def end_session(tab):
    tab.check("input[name=sure]")
    tab.get_by_role("button", name="End the session").press("Enter")
    tab.wait_for_load_state()


def test_a_real_room(hub, tokens, trainer):
    """Four learners at once; then the trainer's counts are those of a plain recount."""
    sent = defaultdict(list)

    def learner(name, verdicts):
        for exercise, verdict in verdicts:
            assert hub.send(tokens[name], exercise=exercise, verdict=verdict) == 204
            sent[name].append((exercise, verdict))

    wrong, right, begun = check.NOT_YET, check.RIGHT, check.NOT_ATTEMPTED
    work = {
        "ann": [(EXERCISE, begun), (EXERCISE, wrong), (EXERCISE, right), (OTHER, wrong), (OTHER, wrong)],
        "bob": [(EXERCISE, wrong), (EXERCISE, wrong), (OTHER, begun)],
        "cat": [(EXERCISE, wrong), (EXERCISE, wrong), (EXERCISE, wrong), (OTHER, right)],
        "dan": [(EXERCISE, begun), ("lab02-" + lab02().split("-", 1)[1], right)],
    }
    threads = [threading.Thread(target=learner, args=one) for one in work.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert dict(sent) == work
    trainer.reload()
    rows = {
        row.locator("th").inner_text(): [cell.split()[0] for cell in row.locator("td").all_inner_texts()]
        for row in trainer.locator("#live tbody tr").all()
    }
    titles = boards.exercises_of_the_course()["lab01"]
    assert rows[titles[EXERCISE]] == ["4", "3", "1", "2"]
    assert rows[titles[OTHER]] == ["3", "2", "1", "1"]
    assert rows[titles["lab01-impossible"]] == ["fewer", "not", "not", "not"]
    assert f"most stuck is Lab 1, “{titles[EXERCISE]}”." in trainer.inner_text("#said")
    assert "are not counted: Lab 2" in trainer.inner_text("#live")
    seen = trainer.content()
    assert not any(f">{name}<" in seen for name in work)
    with trainer.expect_download() as saved:
        trainer.get_by_role("link", name="Download the counts").click()
    counts = list(csv.DictReader(saved.value.path().read_text().splitlines()))
    assert [(row["exercise"], row["reached"], row["right"]) for row in counts] == [
        (EXERCISE, "4", "1"),
        (OTHER, "3", "1"),
    ]
    end_session(trainer)
    assert trainer.locator("#live table").count() == 0 and "0 learners heard from" in trainer.inner_text(
        "#live"
    )


def lab02() -> str:
    return next(iter(check.catalogue_of("lab02", "EXERCISES")))


def test_asking_for_help_by_keyboard_and_no_name_is_a_program(hub, tokens, trainer, browser):
    """A learner asks in a browser and one from a kernel; the trainer's page follows without a reload."""
    hub.send(tokens["ann"], exercise=EXERCISE, verdict=check.NOT_YET)
    learner = signed_in(hub, browser, "ann")
    hostile = signed_in(hub, browser, HOSTILE)
    try:
        learner.clock.install()
        learner.reload()
        assert "Your trainer does not see your name" in learner.inner_text("#said")
        learner.keyboard.press("Tab")
        assert learner.evaluate("document.activeElement.className") == "skip"
        for _ in range(10):
            learner.keyboard.press("Tab")
            if learner.evaluate("document.activeElement.ariaLabel || ''").startswith("Ask for help:"):
                break
        learner.keyboard.press("Enter")
        learner.get_by_text("You are asking for help with").wait_for()
        hostile.get_by_role("button", name="Ask for help with something else").click()
        assert hub.send(tokens["bob"], "help", exercise=OTHER) == 204
        trainer.evaluate("document.getElementById('pause').focus()")
        trainer.clock.fast_forward(1000 * REFRESH_SECONDS)
        trainer.get_by_text("3 learners ask for help").wait_for()
        assert trainer.evaluate("document.activeElement.id") == "pause"
        rows = trainer.locator("#live tbody tr")
        names = rows.locator("th").all_inner_texts()
        assert names == ["ann", HOSTILE.lower(), "bob"]
        assert trainer.locator("#live img").count() == 0
        trainer.get_by_role("button", name="Stop updates").press("Enter")
        assert hub.send(tokens["cat"], "help") == 204
        trainer.clock.fast_forward(1000 * REFRESH_SECONDS)
        trainer.wait_for_timeout(300)
        assert "3 learners" in trainer.inner_text("#said")  # stopped means stopped
        assert hub.send(tokens["cat"], "cancel") == 204
        button = trainer.get_by_role("button", name="Done: helped ann")
        button.focus()
        trainer.keyboard.press("Enter")
        trainer.get_by_text("2 learners ask for help").wait_for()
        assert hub.send(tokens["bob"], "cancel") == 204
        hostile.get_by_role("button", name="Cancel").click()
        trainer.reload()
        assert "Nobody asks for help" in trainer.inner_text("#said")
        learner.clock.fast_forward(1000 * REFRESH_SECONDS)
        learner.get_by_text("You are not asking for help").wait_for()
        assert "bob" not in learner.content() and "coach" not in learner.content()
    finally:
        learner.context.close()
        hostile.context.close()


def test_the_pages_are_for_everybody(hub, tokens, trainer, browser):
    """Axe finds nothing, light or dark; narrow pages fit; no other host is asked; no storage is used."""
    for name in ("ann", "bob", "cat"):
        hub.send(tokens[name], exercise=EXERCISE, verdict=check.NOT_YET)
        hub.send(tokens[name], "help", exercise=EXERCISE)
    learner = signed_in(hub, browser, "ann", viewport={"width": 320, "height": 900})
    asked, errors = [], []
    for tab in (trainer, learner):
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        tab.reload()
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            assert accessibility_faults(tab) == []
        assert tab.evaluate("localStorage.length + sessionStorage.length") == 0
        assert tab.locator("table caption").count() == tab.locator("table").count() > 0
    assert learner.evaluate("document.documentElement.scrollWidth") <= 320
    assert asked and all(url.startswith(hub.hub + "/") for url in asked) and errors == []
    learner.context.close()
    plain = signed_in(hub, browser, "cat", java_script_enabled=False)
    assert plain.locator("#pause").is_hidden()
    plain.get_by_role("button", name="Cancel").click()
    assert "You are not asking for help" in plain.inner_text("#said")
    plain.context.close()


def test_who_may_do_what(hub, tokens, trainer, browser):
    page = f"{hub.hub}/services/board/"
    status, _, headers = hub.call("GET", page + "trainer")
    assert status == 302 and "/hub/api/oauth2/authorize" in headers["Location"]
    assert hub.call("POST", page + "trainer/end", body="sure=yes")[0] == 403
    for path in ("trainer", "trainer/counts.csv"):
        assert hub.call("GET", page + path, tokens["ann"])[0] == 403
        assert hub.call("GET", f"{page}{path}?token={hub.token_of('coach', boards.ACCESS)}")[0] == 403
    for path in ("trainer/done", "trainer/end"):
        assert hub.call("POST", page + path, tokens["ann"], "name=bob&sure=yes", FORM)[0] == 403
    learner = signed_in(hub, browser, "ann")
    for path in ("trainer", "trainer/counts.csv"):
        answer = learner.goto(page + path)
        assert answer.status == 403 and "for trainers" in learner.inner_text("main")
    learner.goto(page)
    # A form without the hub's token, as another site would send it, or with another person's.
    for tab, path in ((learner, "ask"), (trainer, "trainer/end")):
        other = learner if tab is trainer else trainer
        stolen = other.locator("input[name=_xsrf]").first.get_attribute("value")
        for data in ({"sure": "yes"}, {"sure": "yes", "_xsrf": stolen}):
            assert tab.request.post(page + path, form=data).status == 403
    for kind in ("verdict", "help"):  # a browser's cookie does not send a kernel's message
        assert learner.request.post(f"{page}api/{kind}", data={"exercise": EXERCISE}).status == 403
    assert (
        learner.request.post(page + "ask", form={"exercise": "x" * 99, "_xsrf": xsrf(learner)}).status == 400
    )
    learner.context.close()
    headers = hub.call("GET", page + "trainer", hub.token_of("coach", boards.ACCESS))[2]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def xsrf(tab) -> str:
    return tab.locator("input[name=_xsrf]").first.get_attribute("value")


def test_what_the_board_refuses(hub, tokens):
    wrong = {"exercise": EXERCISE, "verdict": check.NOT_YET}
    token = tokens["dan"]
    assert hub.send("", **wrong) == hub.send("not-a-token", **wrong) == 403
    assert hub.send(hub.token_of("dan", "read:users:name!user"), **wrong) == 403
    assert hub.send(hub.token_of("coach", boards.ACCESS), **wrong) == 409
    address = f"{hub.board}/services/board/api/verdict"
    assert hub.call("POST", f"{address}?token={token}", body=wrong)[0] == 403
    assert hub.call("POST", address, body=wrong, headers={"Cookie": f"service-board={token}"})[0] == 403
    exercises = ["lab99-x", "lab01-good", HOSTILE, ["x"], ""]
    changes = [{"exercise": one} for one in exercises] + [{"verdict": "Dreadful"}, {"verdict": ["x"]}]
    for change in changes:
        assert hub.send(token, **(wrong | change)) == 400
    for body in ("", "[]", "[" * 2000, "{", "null", b"\xff"):
        assert hub.call("POST", address, token, body)[0] == 400
    with suppress(OSError):  # it may hang up on so much
        assert hub.call("POST", address, token, "x" * 100_000)[0] == 400
    answers = {hub.send(tokens["cat"], **wrong) for _ in range(PER_MINUTE + 1)}
    assert answers == {204, 429}
    assert hub.send(tokens["bob"], **wrong) == 204  # another person is not held up


def test_a_real_kernel(hub, trainer):
    """A learner's own server and kernel: the hub's environment reaches the lab, and the board hears it."""
    from jupyter_client import BlockingKernelClient

    lab = json.loads(next((ROOT / "notebooks").glob("01-*.ipynb")).read_text(encoding="utf-8"))
    stub = next("".join(c["source"]) for c in lab["cells"] if "exercise" in c["metadata"].get("tags", []))
    hub.api("POST", "users/eve/server")
    until(lambda: hub.api("GET", "users/eve").get("server"), why="the learner's server did not start")
    token = hub.token_of("eve", "access:servers!user=eve")
    server = f"{hub.hub}/user/eve/api/kernels"
    kernel = json.loads(hub.call("POST", server, token, {})[1])["id"]
    client = BlockingKernelClient()
    client.load_connection_file(until(lambda: next(hub.folder.rglob(f"kernel-{kernel}.json"), None)))
    client.start_channels(hb=False)  # on a busy machine a late heartbeat looks like a death

    def run(cell):
        said = []
        reply = client.execute_interactive(cell, timeout=60, output_hook=said.append)
        assert reply["content"]["status"] == "ok", reply
        said = [message["content"] for message in said]
        return "".join(one.get("text", "") or one.get("data", {}).get("text/plain", "") for one in said)

    try:
        client.wait_for_ready(60)
        assert "/services/board/" in run("from course import check\ncheck._board.SECONDS = 60\n" + stub)
        assert run(stub.replace("None", "2")) == "Not yet: a share lies between 0 and 1."
        assert "Asked for help" in run("check.ask_for_help()")
        sent = run("import os; print(os.environ['COURSE_BOARD_TOKEN'])").strip()
        trainer.reload()
        rows = trainer.locator("#live tbody tr").all_inner_texts()
        assert len(rows) == 1 and rows[0].split()[0] == "eve"
        assert "1 learner with a server running" in trainer.inner_text("#live")
    finally:
        client.stop_channels()
    # What a kernel sends to the board opens the board, and nothing of the hub or of the learner's server.
    assert hub.call("GET", server, token)[0] == 200
    me = f"{hub.hub}/hub/api/users/eve"
    for method, place in (("GET", server), ("DELETE", f"{me}/server"), ("POST", f"{me}/tokens")):
        assert hub.call(method, place, sent)[0] == 403


def test_nothing_is_left_when_the_hub_stops(hub, tokens):
    """No file that the hub, its proxy and its board leave holds a word of what was sent. The last test."""
    assert hub.send(tokens["ann"], exercise=EXERCISE, verdict=check.NOT_YET) == 204
    assert hub.send(tokens["ann"], "help", exercise=EXERCISE) == 204
    if os.geteuid() == 0:
        assert owner_of_port(hub.board) != 0  # the board does not stay root
    stop(hub.process)
    left = [file for file in hub.folder.rglob("*") if file.is_file() and "home-" not in str(file)]
    assert hub.folder / "jupyterhub.sqlite" in left and hub.folder / "hub.log" in left
    for file in left:
        content = file.read_bytes().lower()
        for word in (EXERCISE, check.NOT_YET, "api/verdict", "api/help"):
            assert word.lower().encode() not in content, (file.name, word)


def owner_of_port(address: str) -> int:
    import psutil

    port = int(address.rsplit(":", 1)[1])
    found = next(
        c for c in psutil.net_connections() if c.laddr.port == port and c.status == psutil.CONN_LISTEN
    )
    return psutil.Process(found.pid).uids().real
