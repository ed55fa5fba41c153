"""Accounts for a session, and sign-in to a real hub: what must work, and the attacks that must fail.

The hub is JupyterHub itself on loopback, without a proxy, driven over HTTP and once by a browser.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import io
import json
import os
import re
import secrets
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit

import psutil
import pytest
from extra import run_apart, tools
from test_site import accessibility_faults

from course.data import DataError
from course.environment import ROOT
from course.hub import accounts
from course.hub.accounts import AccountError, Accounts, Person

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the hub runs on Linux")

ADDRESS = "https://hub.example.gov.uk"
PHRASE = "teapot gravel Tuesday"


# A list of people -----------------------------------------------------------------------------------------


def people_of(tmp_path, content):
    path = tmp_path / "people.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return accounts.people_in(path)


MESSY = [
    "Name;E-mail;Role\r\n\r\nZoë Ångström;zoe@example.gov.uk;Learner\r\n ; ;\r\nAnn  Smith ;;TRAINER\n",
    "sep=;\nname;email;role\nZoë Ångström;zoe@example.gov.uk;\n\n\nAnn Smith;;trainer\n",
    "role\tfirst name\tSurname\temail\n\tZoë\tÅngström\tzoe@example.gov.uk\ntrainer\tAnn\tSmith\n",
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("text", MESSY)
def test_a_list_is_read_as_people_have_it(tmp_path, text, encoding):
    people, decisions = people_of(tmp_path, text.encode(encoding))
    assert people == [Person("Zoë Ångström", "zoe@example.gov.uk"), Person("Ann Smith", "", "trainer")]
    assert decisions == []


def test_a_name_that_stands_twice_is_one_account_and_said_so(tmp_path):
    text = "name,email\nAnn Smith,a@b.uk\nann smith,A@B.UK\nAnn Smith,other@b.uk\nNull,\n"
    people, decisions = people_of(tmp_path, text)
    assert [person.email for person in people] == ["a@b.uk", "other@b.uk", ""]
    assert len(decisions) == 1
    assert decisions[0].startswith("Line 3: ann smith is in the list already")
    assert people_of(tmp_path, "Name\nJo\nSam\n")[0] == [Person("Jo"), Person("Sam")]  # one column will do


@pytest.mark.parametrize(
    "content, says",
    [
        ("who,role\nAnn,learner\n", "has no column called name"),
        ("name,role\nAnn,boss\n", "Line 2 has the role 'boss'"),
        ("name,role\nAnn,\n,learner\n", "Line 3 has no name"),
        ("name,role\n", "has headings and no people"),
        ("", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"PK\x03\x04 and so on", "Save the sheet as CSV"),
        (b"%PDF" + bytes(range(30)) * 9, "Export the data as CSV"),
    ],
)
def test_a_list_that_cannot_be_used_gets_one_sentence(tmp_path, content, says):
    with pytest.raises((AccountError, DataError), match=re.escape(says)):
        people_of(tmp_path, content)


# The account file and the slips ---------------------------------------------------------------------------

NASTY = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "＝1+1",
    "<script>alert(1)</script>",
    'Zoë "Z" O\'Neill, MP',
]


def command(tmp_path, text, *words):
    (tmp_path / "people.csv").write_text(text, encoding="utf-8")
    return accounts.main([str(tmp_path / "people.csv"), "--state", str(tmp_path / "state"), *words])


def slips_in(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def test_the_command_makes_accounts_once_and_adds_more(tmp_path, capsys):
    state = tmp_path / "state"
    assert command(tmp_path, "name,role\nAnn,\nBo,trainer\n") == 1
    assert "--address https://" in capsys.readouterr().out
    assert command(tmp_path, "name,role\nAnn,\nBo,trainer\n", "--address", ADDRESS) == 0
    before = (state / "accounts.json").read_text()
    assert command(tmp_path, "name,role\nAnn,\nBo,trainer\nCy,\n") == 0
    assert "Accounts made: 1. Kept as they were: 2." in capsys.readouterr().out
    first, second = slips_in(state / "slips-1.csv"), slips_in(state / "slips-2.csv")
    assert [[slip["name"] for slip in slips] for slips in (first, second)] == [["Ann", "Bo"], ["Cy"]]
    kept, now = json.loads(before)["people"], Accounts(state).read()["people"]
    assert {user: now[user] for user in kept} == kept
    assert now["trainer-1"]["name"] == "Bo"
    assert re.fullmatch(r"[a-z]+-[1-9]\d\d", first[0]["user name"])
    for path in state.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    for slip in first + second:  # a code is on its slip, and nowhere in the hub's file
        assert re.fullmatch(r"\d{4} \d{4} \d{4}", slip["code"])
        assert accounts.bare_code(slip["code"]) not in (state / "accounts.json").read_text().replace(" ", "")
    assert accounts.main(["--state", str(state)]) == 0
    shown = capsys.readouterr().out
    assert "code not used yet" in shown and first[0]["code"] not in shown


def test_a_new_code_kills_the_old_secrets(tmp_path, capsys):
    book = Accounts(tmp_path)
    slip = book.add([Person("Ann")], ADDRESS)[0]
    before = book.read()["people"][slip.user]
    assert book.use_code(slip.user, before["code"], "a hash")
    assert not book.use_code(slip.user, before["code"], "another")  # burnt
    assert accounts.main(["--new-code", slip.user, "--state", str(tmp_path)]) == 0
    code = re.search(r"\d{4} \d{4} \d{4}", capsys.readouterr().out)[0]
    now = book.read()["people"][slip.user]
    assert now["passphrase"] is None and now["session"] != before["session"]
    assert accounts.fits(accounts.bare_code(code), now["code"], accounts.FOR_CODES)
    assert not accounts.fits(accounts.bare_code(slip.code), now["code"], accounts.FOR_CODES)
    assert accounts.main(["--new-code", "nobody-1", "--state", str(tmp_path)]) == 1
    assert accounts.main(["--new-code", slip.user, "--state", str(tmp_path / "elsewhere")]) == 1
    assert not (tmp_path / "elsewhere").exists()


def test_names_cannot_run_in_the_slips(tmp_path):
    slips = [accounts.Slip(Person(name), "oak-100", "1234 5678 9012") for name in NASTY]
    page = accounts.slips_page(slips, ADDRESS, "2027-01-31")
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page
    assert accounts.SECRET in page and "31 January 2027" in page
    rows = list(csv.DictReader(io.StringIO(accounts.slips_table(slips, ADDRESS).lstrip("\ufeff"))))
    assert [row["name"] for row in rows] == [f"'{name}" for name in NASTY[:5]] + NASTY[5:]
    assert {row["secret"] for row in rows} == {accounts.SECRET}


def test_a_file_that_others_can_read_is_refused(tmp_path):
    book = Accounts(tmp_path)
    book.add([Person("Ann")], ADDRESS)
    book.path.chmod(0o644)
    with pytest.raises(AccountError, match="chmod 600"):
        book.read()


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"
)
def test_another_system_user_cannot_read_the_accounts():
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # so that only the state folder's own rights stand in the way
        Accounts(f"{folder}/state").add([Person("Ann")], ADDRESS)
        for look in (["cat", f"{folder}/state/accounts.json"], ["ls", f"{folder}/state"]):
            other = {"user": 65534, "group": 65534, "extra_groups": []}
            found = subprocess.run(look, **other, capture_output=True, text=True, timeout=30)
            assert found.returncode and "Permission denied" in found.stderr, found


# Limits and passphrases -----------------------------------------------------------------------------------


def test_a_day_that_is_none_gets_one_sentence(capsys):
    with pytest.raises(SystemExit):
        accounts.main(["people.csv", "--until", "31/01/2027"])
    assert "write it as 2027-01-31" in capsys.readouterr().err


def test_wrong_attempts_must_wait_and_nobody_waits_long():
    from course.hub.sign_in import Limits

    now = [1000.0]
    limits = Limits(lambda: now[0])
    here = [("place", "oak-100", "10.0.0.1"), ("name", "oak-100"), ("source", "10.0.0.1")]
    waits = []
    for _ in range(12):
        waits.append(limits.wait(here))
        now[0] += waits[-1]
        limits.count(here)
    assert waits == [0, 0, 0, 0, 0, 4, 8, 16, 32, 60, 60, 60]
    # The same person elsewhere, and others behind the same address, do not wait.
    assert limits.wait([("place", "oak-100", "10.0.0.2"), ("name", "oak-100"), ("source", "10.0.0.2")]) == 0
    assert limits.wait([("place", "elm-200", "10.0.0.1"), ("name", "elm-200"), ("source", "10.0.0.1")]) == 0
    # Somebody who changes addresses is stopped by the name, and a known browser is not.
    for i in range(30):
        limits.count([("place", "oak-100", f"10.1.0.{i}"), ("name", "oak-100"), ("source", f"10.1.0.{i}")])
    assert limits.wait([("place", "oak-100", "10.2.0.1"), ("name", "oak-100"), ("source", "10.2.0.1")]) == 60
    assert limits.wait([("device", "oak-100")]) == 0
    # Guessing one name for a day, as fast as the hub lets anybody.
    day, tried = now[0] + 86400, 0
    while now[0] < day:
        keys = [("place", "elm-300", f"10.3.0.{tried}"), ("name", "elm-300"), ("source", f"10.3.0.{tried}")]
        if wait := limits.wait(keys):
            now[0] += wait
            continue
        limits.count(keys)
        tried += 1
    assert 1000 < tried < 1500
    now[0] += Limits.MEMORY
    limits.count(here)
    assert len(limits.seen) == 3 and limits.wait(here) == 0  # all else is forgotten


@pytest.mark.parametrize(
    "phrase, says",
    [
        ("elevensigns", "too short"),
        ("aaaaaaaaaaaaaaaa", "easy to guess"),
        ("Password12345", "easy to guess"),
        ("i am oak-100 !", "easy to guess"),
        ("x" * 257, "too long"),
        ("no capitals no figures", None),
        ("ŵyddfa a'r môr", None),
    ],
)
def test_a_passphrase_is_long_and_nothing_else_is_asked(phrase, says):
    from course.hub.sign_in import problem_with

    found = problem_with(phrase, phrase, "oak-100")
    assert (says in found) if says else found is None
    assert "typed in two ways" in problem_with("teapot gravel 1", "teapot gravel 2", "oak-100")


def test_a_name_that_is_nobodys_takes_the_same_work_and_gets_the_same_words(tmp_path, monkeypatch):
    from tornado.web import HTTPError

    from course.hub import sign_in

    book = Accounts(tmp_path)
    waiting, settled = book.add([Person("Ann"), Person("Bo")], ADDRESS)
    code = book.read()["people"][settled.user]["code"]
    assert book.use_code(settled.user, code, accounts.hashed(PHRASE, accounts.FOR_PASSPHRASES))
    work, scrypt = [], hashlib.scrypt
    monkeypatch.setattr(
        hashlib, "scrypt", lambda *a, **k: work.append((k["n"], k["r"], k["p"])) or scrypt(*a, **k)
    )
    one = sign_in.CodeAuthenticator(state=str(tmp_path))

    def told(user, **fields):
        work.clear()
        handler = SimpleNamespace(
            request=SimpleNamespace(remote_ip=user), get_secure_cookie=lambda name: b"not a mark"
        )
        with pytest.raises(HTTPError) as refusal:
            run_apart(
                one.authenticate(handler, {"username": user, "passphrase": "not the right one", **fields})
            )
        return refusal.value.status_code, refusal.value.log_message, tuple(work)

    names = [waiting.user, settled.user, "nobody-100", "", "../etc/passwd", "x" * 10_000]
    by_code = {told(name, again="not the right one", code=waiting.code[1:]) for name in names}
    by_passphrase = {told(name) for name in names}
    assert by_code == {(403, sign_in.WRONG_CODE, ((2**14, 8, 1),))}
    assert by_passphrase == {(403, sign_in.WRONG_PASSPHRASE, ((2**14, 8, 5),))}


# A real hub -----------------------------------------------------------------------------------------------

CONFIG = """
import sys
from jupyterhub.proxy import Proxy
from jupyterhub.spawner import SimpleLocalProcessSpawner
from course.hub import sign_in

class NoProxy(Proxy):
    should_start = False
    routes = {}
    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}
    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)
    async def get_all_routes(self):
        return self.routes

class Stub(SimpleLocalProcessSpawner):
    cmd = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]
    def get_args(self):
        return [str(self.port)]

c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.spawner_class = Stub
c.Spawner.ip = "127.0.0.1"
c.SimpleLocalProcessSpawner.home_dir_template = HOMES
c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_port = PORT
c.JupyterHub.bind_url = "http://127.0.0.1:%d" % PORT
c.JupyterHub.cleanup_servers = True
c.JupyterHub.load_roles = [sign_in.TRAINER]
sign_in.configure(c, SETTINGS)
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def running_hub(folder, settings, port=None, path=()):
    """A hub on loopback until the end of the block: its address and its log."""
    folder.mkdir(exist_ok=True)
    port = port or free_port()
    values = {"PORT": port, "SETTINGS": settings, "HOMES": str(folder / "{username}")}
    lines = [f"{key} = {value!r}" for key, value in values.items()]
    (folder / "hub.py").write_text("\n".join(lines) + CONFIG, encoding="utf-8")
    told = {key: value for key, value in os.environ.items() if not key.startswith("JUPYTERHUB")}
    told["PYTHONPATH"] = os.pathsep.join([*map(str, path), str(ROOT)])
    log = folder / "hub.log"
    start = [sys.executable, "-m", "jupyterhub", "-f", str(folder / "hub.py")]
    with open(log, "w") as out:
        hub = subprocess.Popen(start, cwd=folder, env=told, stdout=out, stderr=subprocess.STDOUT)
    family = []
    try:
        address = f"http://127.0.0.1:{port}/hub"
        end = time.monotonic() + 90
        while True:
            assert hub.poll() is None and time.monotonic() < end, log.read_text()[-3000:]
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield SimpleNamespace(address=address, log=log)
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(hub.pid).children(recursive=True)
        hub.terminate()
        try:
            hub.wait(30)
        finally:
            hub.kill()
            for one in psutil.wait_procs(family, timeout=5)[1]:
                one.kill()


class Room:
    """A session: a hub, its accounts, and browsers that speak HTTP."""

    def __init__(self, hub, book, slips):
        self.hub, self.book, self.slips = hub, book, iter(slips)

    def browser(self, source=None):
        import requests

        one = requests.Session()
        one.trust_env = False
        one.headers["Sec-Fetch-Mode"] = "navigate"
        if source:
            one.headers["X-Forwarded-For"] = source
        return one

    def post(self, page, fields, browser=None, xsrf=True):
        """What a form's answer is: (status, the sentence that is shown, where it leads)."""
        browser = browser or self.browser(f"10.9.{secrets.randbelow(250)}.{secrets.randbelow(250)}")
        form = browser.get(f"{self.hub.address}/{page}", timeout=60).text
        token = re.search(r'name="_xsrf" value="([^"]+)"', form)[1] if xsrf else ""
        send = {**fields, **({"_xsrf": token} if xsrf else {})}
        got = browser.post(f"{self.hub.address}/{page}", data=send, timeout=60, allow_redirects=False)
        said = re.search(r'id="what"[^>]*>([^<]*)<', got.text)
        return got.status_code, said and said[1], got.headers.get("Location", "")

    def first(self, user, code, phrase=PHRASE, browser=None, **more):
        fields = {"username": user, "code": code, "passphrase": phrase, "again": phrase}
        return self.post("first", fields, browser, **more)

    def later(self, user, phrase=PHRASE, browser=None, **more):
        return self.post("login", {"username": user, "passphrase": phrase}, browser, **more)

    def api(self, browser, method, path, **more):
        headers = {"X-XSRFToken": browser.cookies.get("_xsrf", path="/hub/"), "Sec-Fetch-Mode": "cors"}
        return browser.request(method, f"{self.hub.address}/api/{path}", headers=headers, timeout=60, **more)

    def until(self, wanted):
        end = time.monotonic() + 60
        while not wanted():
            assert time.monotonic() < end, self.hub.log.read_text()[-3000:]
            time.sleep(0.2)

    def is_in(self, browser):
        got = browser.get(f"{self.hub.address}/home", timeout=60, allow_redirects=False)
        return got.status_code == 200


@contextlib.contextmanager
def session(folder, learners, path=()):
    book = Accounts(folder / "state")
    people = [Person(f"Learner {i}") for i in range(learners)] + [Person("Trainer", "", "trainer")]
    slips = book.add(people, ADDRESS)
    with running_hub(folder, {"state": str(book.folder)}, path=path) as hub:
        yield Room(hub, book, slips)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    with session(tmp_path_factory.mktemp("hub"), 12) as one:
        yield one


def by_turns(room):
    """A code, used once; then a passphrase; then every way round them."""
    slip, other = next(room.slips), next(room.slips)
    mine = room.browser()
    status, _, to = room.first(slip.user.upper().replace("-", " "), slip.code.replace(" ", "-"), browser=mine)
    assert status == 302 and "/hub/login" not in to
    assert room.is_in(mine)
    wrong = room.first("nobody-100", slip.code)
    assert wrong[0] == 403 and "wrong, or the code was used" in wrong[1]
    assert room.first(slip.user, slip.code, "some other phrase") == wrong  # used
    assert room.first(other.user, slip.code) == wrong  # of somebody else
    assert room.first(slip.user, other.code) == wrong
    assert room.later(slip.user)[0] == 302
    wrong = room.later("nobody-100")
    assert wrong[0] == 403 and "passphrase is wrong" in wrong[1]
    assert room.later(slip.user, PHRASE.lower()) == wrong
    assert room.later(slip.user, slip.code) == wrong
    assert room.later(other.user) == wrong  # has no passphrase yet
    assert room.later(other.user, "") == wrong
    assert room.first(other.user, other.code)[0] == 302  # and the other's code still works
    log = room.hub.log.read_text()
    assert slip.user in log and not any(secret in log for secret in (PHRASE, slip.code, other.code))


def test_a_code_works_once_and_then_the_passphrase(room):
    by_turns(room)


def test_a_form_that_is_not_right_does_not_burn_the_code(room):
    slip = next(room.slips)
    short = room.first(slip.user, slip.code, "short")
    assert short[0] == 400 and "too short" in short[1]
    assert room.first("nobody-100", slip.code, "short") == short  # and tells nothing of the account
    assert room.first(slip.user, slip.code)[0] == 302


def test_of_two_who_use_a_code_at_once_one_gets_in(room):
    slip = next(room.slips)
    with ThreadPoolExecutor(4) as four:
        found = list(four.map(lambda i: room.first(slip.user, slip.code, f"{PHRASE} {i}")[0], range(4)))
    assert sorted(found) == [302, 403, 403, 403]


def test_guessing_is_stopped_and_others_are_not(room):
    slip = next(room.slips)
    learner, guesser = room.browser("10.0.0.1"), room.browser("10.0.0.2")
    assert room.first(slip.user, slip.code, browser=learner)[0] == 302
    learner.get(f"{room.hub.address}/logout", timeout=60)
    found = [room.later(slip.user, f"guess number {i}", browser=guesser) for i in range(7)]
    assert [status for status, _, _ in found] == [403] * 5 + [429] * 2
    assert re.fullmatch(r"There were too many wrong attempts. Wait \d+ seconds, then try again.", found[5][1])
    assert room.later(slip.user, browser=guesser)[0] == 429  # even with the right one
    same_room = room.browser("10.0.0.2")
    assert room.later(slip.user, browser=same_room)[0] == 429  # behind the same address, unknown
    learner.headers["X-Forwarded-For"] = "10.0.0.2"
    assert room.later(slip.user, browser=learner)[0] == 302  # behind the same address, signed in before
    # The same for a name that is nobody's: a lock tells nothing.
    found = [room.later("nobody-200", browser=guesser)[0] for _ in range(6)]
    assert found == [403] * 5 + [429]
    assert accounts.main(["--release", "--state", str(room.book.folder)]) == 0
    assert room.later(slip.user, browser=same_room)[0] == 302


def test_a_thousand_guesses_at_once_are_a_thousand(room):
    slip = next(room.slips)
    with ThreadPoolExecutor(12) as many:
        found = list(
            many.map(lambda i: room.first(slip.user, str(i), browser=room.browser("10.0.0.3"))[0], range(12))
        )
    assert sorted(found) == [403] * 5 + [429] * 7


def test_a_form_without_its_token_is_refused(room):
    slip = next(room.slips)
    assert room.first(slip.user, slip.code, xsrf=False)[0] == 403
    fields = {"username": slip.user, "code": slip.code, "passphrase": PHRASE, "again": PHRASE}
    got = room.browser().post(f"{room.hub.address}/first", data=fields, timeout=60, allow_redirects=False)
    assert got.status_code == 403  # no cookie at all
    for page in ("first", "login"):
        asked = room.browser()
        asked.get(f"{room.hub.address}/{page}?{urlencode(fields)}", timeout=60)
        assert not room.is_in(asked)
    assert room.first(slip.user, slip.code)[0] == 302  # the code was not burnt


def test_a_new_code_ends_sessions_tokens_and_servers(room):
    slip, mine = next(room.slips), room.browser()
    assert room.first(slip.user, slip.code, browser=mine)[0] == 302
    assert room.is_in(mine)
    token = room.api(mine, "POST", f"users/{slip.user}/tokens", json={"note": "mine"}).json()["token"]
    assert room.api(mine, "POST", f"users/{slip.user}/server").status_code in (201, 202)
    with_token = {"Authorization": f"token {token}"}

    def me(headers=with_token, query=""):
        import requests

        return requests.get(f"{room.hub.address}/api/user{query}", headers=headers, timeout=60)

    room.until(lambda: me().json().get("server"))
    assert me({}, f"?token={token}").status_code == 403  # a token in an address is not taken
    route = rf"Adding user {slip.user} to proxy .* => http://127.0.0.1:(\d+)"
    port = int(re.search(route, room.hub.log.read_text())[1])
    assert is_open(port)
    code = room.book.new_code(slip.user).code
    room.until(lambda: not room.is_in(mine))
    room.until(lambda: me().status_code == 403)
    trainer = Room(room.hub, room.book, []).browser()
    assert room.later(slip.user)[0] == 403
    assert room.first(slip.user, slip.code)[0] == 403
    assert room.first(slip.user, code, browser=trainer)[0] == 302
    room.until(lambda: room.api(trainer, "GET", "user").json().get("server") is None)
    room.until(lambda: not is_open(port))


def is_open(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def test_a_trainer_runs_the_room_and_reads_nobodys_files(room):
    slip, learner = room.book.add([Person("Second trainer", "", "trainer"), Person("Watched")])
    assert room.first(learner.user, learner.code)[0] == 302
    trainer = room.browser()
    assert room.first(slip.user, slip.code, browser=trainer)[0] == 302
    assert trainer.get(f"{room.hub.address}/admin", timeout=60).status_code == 200
    me = room.api(trainer, "GET", "user").json()
    assert me["admin"] is False and me["groups"] == ["trainers"]
    people = room.api(trainer, "GET", "users").json()
    other = learner.user
    assert other in {one["name"] for one in people}
    assert room.api(trainer, "POST", f"users/{other}/server").status_code in (201, 202, 400)
    # Not theirs: another's lab, tokens, role or groups; the hub's configuration.
    assert not {"access:servers", "tokens", "admin:users", "inherit"} & {
        scope.partition("!")[0] for scope in me["scopes"] if f"user={slip.user}" not in scope
    }
    lab = {
        "client_id": f"jupyterhub-user-{other}",
        "redirect_uri": f"/user/{other}/oauth_callback",
        "response_type": "code",
    }
    opened = trainer.get(f"{room.hub.address}/api/oauth2/authorize?{urlencode(lab)}", timeout=60)
    assert opened.status_code == 403 and "do not have permission to access" in opened.text
    scopes = {"scopes": [f"access:servers!user={other}"]}
    assert room.api(trainer, "POST", f"users/{other}/tokens").status_code in (403, 404)
    assert room.api(trainer, "POST", f"users/{slip.user}/tokens", json=scopes).status_code in (400, 403)
    assert room.api(trainer, "PATCH", f"users/{slip.user}", json={"admin": True}).status_code in (403, 404)
    assert room.api(trainer, "DELETE", f"users/{other}").status_code in (403, 404)
    assert room.api(trainer, "POST", "shutdown").status_code == 403


def test_on_the_hub_before(tmp_path):
    """The same on JupyterHub 5. CI fetches it; a learner's computer need not."""
    older = tools("jupyterhub-5")
    with session(tmp_path, 3, path=[older]) as room:
        assert 'value="' in room.browser().get(f"{room.hub.address}/first", timeout=60).text
        assert "version 5." in room.hub.log.read_text()
        by_turns(room)


# In a browser ---------------------------------------------------------------------------------------------


def faults(page):
    """What axe finds on a page in light colours, and then in dark ones."""
    found = accessibility_faults(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("!document.scripts.length || document.documentElement.dataset.bsTheme == 'dark'")
    found += accessibility_faults(page, colours_only=True)
    page.emulate_media(color_scheme="light")
    return found


def test_sign_in_by_keyboard_and_screen_reader(browser, room, tmp_path):
    slip = room.book.add([Person("Learner at a keyboard")])[0]
    context = browser.new_context(color_scheme="light")
    try:
        page = context.new_page()
        asked = []
        page.on("request", lambda request: asked.append(urlsplit(request.url).netloc))
        page.goto(f"{room.hub.address}/login?next=/hub/home")
        page.get_by_role("link", name="First time here? Use the code on your slip").click()
        assert page.title() == "Use your code"
        assert faults(page) == []
        fill_by_keyboard(page, [slip.user, "000000000000", PHRASE, PHRASE])
        problem = page.get_by_role("alert")
        problem.wait_for()
        assert "The user name or the code is wrong" in problem.inner_text()
        assert page.title() == "Error: Use your code"
        assert page.evaluate("document.activeElement.id") == "problem"
        assert page.locator("[aria-invalid]").get_attribute("id") == "username"
        assert page.get_by_label("User name").input_value() == slip.user
        assert page.get_by_label("Code").input_value() == ""
        assert faults(page) == []
        fill_by_keyboard(page, [slip.user, slip.code, PHRASE, PHRASE])
        page.wait_for_url("**/hub/home")
        page.goto(f"{room.hub.address}/logout")
        assert page.title() == "Sign in"
        assert faults(page) == []
        fill_by_keyboard(page, [slip.user, PHRASE])
        page.wait_for_url(lambda url: "/hub/login" not in url, wait_until="commit")
        assert set(asked) == {urlsplit(room.hub.address).netloc}
        slips = tmp_path / "slips.html"
        slips.write_text(accounts.slips_page([slip] * 3, ADDRESS, "2027-01-31"), encoding="utf-8")
        page.goto(slips.as_uri())
        assert faults(page) == []
    finally:
        context.close()


def fill_by_keyboard(page, values):
    """Type into each field in turn, as somebody without a mouse does, and press Enter."""
    page.get_by_label("User name").focus()
    page.keyboard.press("Control+A")
    for i, value in enumerate(values):
        if i:
            page.keyboard.press("Tab")
        page.keyboard.insert_text(value)  # as a paste does
    kinds = page.eval_on_selector_all(
        "#sign-in input:not([type=hidden])", "all => all.map(one => one.autocomplete)"
    )
    assert kinds in (
        ["username", "one-time-code", "new-password", "new-password"],
        ["username", "current-password"],
    )
    page.keyboard.press("Enter")


def test_accounts_that_are_over_are_over(room):
    slip, mine = room.book.add([Person("Last")])[0], room.browser()
    assert room.first(slip.user, slip.code, browser=mine)[0] == 302
    assert room.is_in(mine)
    room.book.add([], until=date.today() - timedelta(1))
    try:
        room.until(lambda: not room.is_in(mine))
        assert room.later(slip.user)[:2] == (403, "These accounts have ended. Ask your trainer.")
    finally:
        room.book.add([], until=date.today() + timedelta(1))


# The department's own sign-in -----------------------------------------------------------------------------

DEPARTMENT = {
    "client_id": "course",
    "client_secret": "a secret of the hub's",
    "username_claim": "preferred_username",
    "groups_claim": "roles",
    "learners": "Course learners",
    "trainers": "Course trainers",
}


def department(port):
    address = f"http://127.0.0.1:{port}"
    urls = {"authorize_url": "/authorize", "token_url": "/token", "userdata_url": "/userinfo"}
    return {**DEPARTMENT, **{key: address + path for key, path in urls.items()}}


def test_settings_that_are_missing_are_named():
    from traitlets.config import Config

    from course.hub import sign_in

    whole = department(1)
    sign_in.configure(Config(), {"oidc": whole, "address": ADDRESS})
    for key in whole:
        less = {name: value for name, value in whole.items() if name != key}
        with pytest.raises(AccountError, match=f"^Sign-in needs {key}: "):
            sign_in.configure(Config(), {"oidc": less, "address": ADDRESS})
    for more, says in (
        ({"oidc": {**whole, "admins": "me"}, "address": ADDRESS}, "does not know admins"),
        (
            {"oidc": {**whole, "token_url": "http://dept.gov.uk/t"}, "address": ADDRESS},
            "token_url must begin",
        ),
        ({"oidc": whole, "address": ""}, "address must begin"),
        ({"state": "/no/such/folder"}, "There are no accounts"),
    ):
        with pytest.raises(AccountError, match=says):
            sign_in.configure(Config(), more)


class Provider(BaseHTTPRequestHandler):
    """A small OpenID provider: code flow with PKCE, signed tokens. ``next_person`` is whom it signs in."""

    def do_GET(self):
        import jwt

        url = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path == "/authorize":
            assert asked["client_id"] == DEPARTMENT["client_id"] and asked["code_challenge_method"] == "S256"
            code = secrets.token_urlsafe()
            self.server.codes[code] = (asked["code_challenge"], self.server.next_person)
            self.send_response(302)
            to = urlencode({"code": code, "state": asked["state"]})
            self.send_header("Location", f"{asked['redirect_uri']}?{to}")
            self.end_headers()
        elif url.path == "/userinfo":
            token = self.headers["Authorization"].removeprefix("Bearer ")
            self.answer(jwt.decode(token, self.server.key.public_key(), algorithms=["RS256"]))

    def do_POST(self):
        import jwt

        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        sent = {key: values[0] for key, values in sent.items()}
        challenge, person = self.server.codes.pop(sent["code"])
        proof = hashlib.sha256(sent["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(proof).decode().rstrip("=") == challenge
        assert sent["client_secret"] == DEPARTMENT["client_secret"]
        token = jwt.encode({**person, "exp": time.time() + 60}, self.server.key, algorithm="RS256")
        self.answer({"access_token": token, "token_type": "Bearer", "id_token": token})

    def answer(self, content):
        text = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def test_the_departments_own_sign_in(browser, tmp_path):
    from cryptography.hazmat.primitives.asymmetric import rsa

    provider = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    provider.key, provider.codes = rsa.generate_private_key(65537, 2048), {}
    Thread(target=provider.serve_forever, daemon=True).start()
    port = free_port()
    settings = {"oidc": department(provider.server_port), "address": f"http://127.0.0.1:{port}"}

    def sign_in(name, groups):
        provider.next_person = {"sub": name, "preferred_username": name, "roles": groups}
        one = room.browser()
        page = one.get(f"{hub.address}/login", timeout=60).text
        assert "Sign in with your department" in page
        return one, one.get(f"{hub.address}/oauth_login?next=/hub/home", timeout=60)

    try:
        with running_hub(tmp_path, settings, port) as hub:
            room = Room(hub, None, [])
            learner, _ = sign_in("ann", ["Course learners", "Payroll"])
            assert room.api(learner, "GET", "user").json()["groups"] == ["learners"]
            trainer, _ = sign_in("bo", ["Course trainers"])
            found = room.api(trainer, "GET", "user").json()
            assert found["groups"] == ["trainers"] and "servers" in found["scopes"] and not found["admin"]
            stranger, got = sign_in("cy", ["Payroll"])
            assert got.status_code == 403 and not room.is_in(stranger)
            page = browser.new_page()
            page.goto(f"{hub.address}/login")
            assert page.get_by_role("link", name="Sign in with your department").count() == 1
            assert faults(page) == []
            page.close()
            forged = room.browser()
            got = forged.get(f"{hub.address}/oauth_callback?code=x&state=made-up", timeout=60)
            assert got.status_code in (400, 403) and not room.is_in(forged)
    finally:
        provider.shutdown()
        provider.server_close()
