"""The trainer's board: which exercise the room is on and stuck at, by count, and who asks for help.

A service that JupyterHub starts and puts behind its own sign-in. `configure` adds it to a hub's settings, and
`course.check` sends it verdicts (course/check/_board.py). Two pages, that need no other host:

    /services/board/          a learner's own: what I tried, what the trainer sees, ask for help
    /services/board/trainer   the room: counts for each exercise, who asks for help, export, the end

Everything is in memory. Ending the session forgets it, so does a restart, and so do twelve hours without a
word from a person. Nothing is written down here, not even a line of a log for each request.

What a count may say. The trainer can see the room, so a count of few people is a name. An exercise's counts
are shown once FEWEST learners have reached it. Single counts above that are not masked: from "12 reached, 11
tried" a masked 1 can be worked out, and that a few are stuck is what the board is for. A trainer who watches
who types when a count changes can still guess, and the learner's page says so.

What it counts badly. "Reached" means that the cell ran, so whoever runs all cells has reached every exercise.
"""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment
from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler, HubOAuthenticated
from markupsafe import Markup
from tornado import web
from tornado.httpclient import AsyncHTTPClient

from course import check
from course.environment import ROOT
from course.pages import page

NAME = "board"
ACCESS = f"access:services!service={NAME}"
TRAINERS = "trainers"  # the hub's group whose members are trainers, besides its admins

FEWEST = 3
# The labs' own plan gives an exercise 8 minutes (median) and 10 at most. Half as much again, and a person has
# moved on or is at lunch: no longer stuck.
STUCK_MINUTES = 15
KEPT_HOURS = 12
PER_MINUTE = 40  # messages from one person: far above any learner, far below a loop
LARGEST = 4096  # bytes of a message; a real one has about a hundred
REFRESH_SECONDS = 10

TEMPLATE = Path(__file__).with_name("board.html")
SCRIPT = Path(__file__).with_name("board.js")
STYLE = """
form { margin: 0; }
button { background: var(--page); border: 2px solid var(--control); color: var(--ink); cursor: pointer;
  font: inherit; min-height: 2.25rem; padding: .15rem .75rem; }
input[type=checkbox] { height: 1.5rem; vertical-align: middle; width: 1.5rem; }
th[scope=row] { text-align: left; }
.bar { display: block; white-space: nowrap; }
"""


# ------------------------------------------------------------------------------ what is known


@dataclass
class Tries:
    """One learner's answers to one exercise. `misses`: those "not yet" since the last that was right."""

    number: int = 0
    misses: int = 0
    right: bool = False
    last: float = 0.0

    def stuck(self, now: float) -> bool:
        return self.misses >= 2 and now - self.last <= 60 * STUCK_MINUTES


@dataclass
class Learner:
    """What is held about one person: exercises reached, where they are, and since when they ask for help."""

    exercises: dict[str, Tries] = field(default_factory=dict)
    at: str = ""
    last: float = 0.0
    asks: tuple[str, float] | None = None
    minute: tuple[float, int] = (0.0, 0)


@dataclass(frozen=True)
class Counts:
    """How many learners have reached an exercise (ran its cell), tried it, have it right, are stuck now."""

    reached: int
    tried: int
    right: int
    stuck: int

    @property
    def shown(self) -> bool:
        return self.reached >= FEWEST


def lab_of(exercise: str) -> str:
    return exercise.split("-")[0]


class Board:
    """The room, in memory. `exercises`: {"lab01": {"lab01-arrears": title}}. Times are seconds of `clock`."""

    def __init__(self, exercises: dict[str, dict[str, str]], clock=time.monotonic):
        self.exercises, self.clock = exercises, clock
        self.forget()

    def forget(self) -> None:
        self.learners: dict[str, Learner] = {}
        self.since = datetime.now()

    def known(self, exercise: object) -> bool:
        return isinstance(exercise, str) and exercise in self.exercises.get(lab_of(exercise), {})

    def title(self, exercise: str) -> str:
        return self.exercises[lab_of(exercise)][exercise]

    def allows(self, name: str) -> bool:
        """Whether this person may send one more message in this minute. It counts the message."""
        learner, now = self._learner(name), self.clock()
        began, sent = learner.minute
        learner.minute = (began, sent + 1) if now - began < 60 else (now, 1)
        return learner.minute[1] <= PER_MINUTE

    def hear(self, name: str, exercise: str, verdict: str) -> None:
        """Count one verdict, one of check's three. `exercise` must be known."""
        learner, now = self._learner(name), self.clock()
        tries = learner.exercises.setdefault(exercise, Tries())
        learner.at, learner.last, tries.last = exercise, now, now
        if verdict != check.NOT_ATTEMPTED:
            tries.number += 1
            tries.misses = 0 if verdict == check.RIGHT else tries.misses + 1
            tries.right = tries.right or verdict == check.RIGHT

    def ask(self, name: str, exercise: str = "") -> None:
        """Put a person in the queue. Asking again keeps their place."""
        learner, now = self._learner(name), self.clock()
        learner.last, learner.asks = now, (exercise, learner.asks[1] if learner.asks else now)

    def done(self, name: str) -> None:
        if name in self.learners:
            self.learners[name].asks = None

    def queue(self) -> list[tuple[str, str, int]]:
        """Who asks for help, longest wait first: (name, exercise or "", minutes)."""
        asking = [(who.asks[1], name, who.asks[0]) for name, who in self._present().items() if who.asks]
        return [(name, at, int((self.clock() - began) // 60)) for began, name, at in sorted(asking)]

    def counts(self, exercise: str) -> Counts:
        now, present = self.clock(), self._present().values()
        found = [learner.exercises[exercise] for learner in present if exercise in learner.exercises]
        return Counts(
            len(found),
            sum(tries.number > 0 for tries in found),
            sum(tries.right for tries in found),
            sum(tries.stuck(now) for tries in found),
        )

    def begun(self, lab: str) -> set[str]:
        """Who has reached any exercise of a lab. Names: for counting, not for showing."""
        return {
            name for name, who in self._present().items() if any(map(self.exercises[lab].get, who.exercises))
        }

    def now_at(self) -> Counter:
        """How many were last heard from at each exercise, in the last STUCK_MINUTES."""
        since = self.clock() - 60 * STUCK_MINUTES
        return Counter(who.at for who in self._present().values() if who.at and who.last >= since)

    def of(self, name: str) -> Learner:
        """One person's own record, empty if there is none."""
        return self._present().get(name, Learner())

    def _present(self) -> dict[str, Learner]:
        """Everybody heard from in the last KEPT_HOURS. The others are forgotten here."""
        since = self.clock() - 3600 * KEPT_HOURS
        self.learners = {name: who for name, who in self.learners.items() if who.last >= since}
        return self.learners

    def _learner(self, name: str) -> Learner:
        if name not in self._present():
            self.learners[name] = Learner(last=self.clock())
        return self.learners[name]


def exercises_of_the_course() -> dict[str, dict[str, str]]:
    """The exercises of every lab with their titles, as Board takes them. No other word gets on the screen."""
    return {
        lab: {name: item.title for name, item in check.catalogue_of(lab, "EXERCISES").items()}
        for lab in check.LABS
    }


def titles_of_labs() -> dict[str, str]:
    """{"lab01": "Lab 1, Your first synthetic table", ...}, from the labs themselves."""
    titles = {}
    for file in sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb")):
        about = json.loads(file.read_text(encoding="utf-8"))["metadata"]["course"]
        lab = f"lab{file.name[:2]}"
        titles[lab] = f"{short(lab)}, {about['title']}"
    return titles


# ------------------------------------------------------------------------------ the pages


def people(number: int) -> str:
    return f"{number} learner" + ("" if number == 1 else "s")


def short(lab: str) -> str:
    """ "Lab 1" of "lab01"."""
    return f"Lab {int(lab[3:])}"


def bar(part: int, whole: int) -> Markup:
    """A bar of ten signs. Screen readers pass over it: the number stands beside it."""
    filled = round(10 * part / whole) if whole else 0
    return Markup(f'<span class="bar" aria-hidden="true">{"█" * filled}{"░" * (10 - filled)}</span>')


class View:
    """Draws a board's pages from their template. `titles` are those of labs: {"lab01": "Lab 1, ..."}."""

    def __init__(self, board: Board, titles: dict[str, str]):
        self.board, self.titles = board, titles
        words = Environment(autoescape=True, trim_blocks=True).from_string(
            TEMPLATE.read_text(encoding="utf-8")
        )
        fixed = {
            "people": people,
            "bar": bar,
            "lab_of": lambda exercise: short(lab_of(exercise)),
            "title_of": board.title,
            "seconds": REFRESH_SECONDS,
            "stuck_minutes": STUCK_MINUTES,
            "fewest": FEWEST,
            "kept_hours": KEPT_HOURS,
        }
        self._render = lambda xsrf, **more: words.render(fixed, xsrf=Markup(xsrf), **more)

    def trainer(self, room: set[str] | None, xsrf: str) -> str:
        """The trainer's page. `room`: who has a server, or None if unknown. `xsrf`: a field of each form."""
        board = self.board
        begun = {lab: board.begun(lab) for lab in board.exercises}
        at = board.now_at()
        most_at = max(at, key=at.get, default=None)
        every = [name for names in board.exercises.values() for name in names]
        stuck = {name: n.stuck for name in every if (n := board.counts(name)).shown and n.stuck}
        return self._render(
            xsrf,
            trainer=True,
            room=room,
            queue=board.queue(),
            heard=at.total(),
            most_at=self._place(most_at) if most_at and at[most_at] >= FEWEST else "",
            most_at_number=at[most_at],
            most_stuck=self._place(max(stuck, key=stuck.get)) if stuck else "",
            labs=[
                (
                    short(lab),
                    self.titles[lab],
                    len(names),
                    None if room is None else len(room - names),
                    [(title, board.counts(name)) for name, title in board.exercises[lab].items()],
                )
                for lab, names in begun.items()
                if len(names) >= FEWEST
            ],
            small_labs=[self.titles[lab] for lab, names in begun.items() if 0 < len(names) < FEWEST],
            since=f"{board.since:%H:%M}",
        )

    def learner(self, name: str, xsrf: str) -> str:
        """A learner's own page."""
        waiting = [who for who, _, _ in self.board.queue()]
        ahead = waiting.index(name) if name in waiting else 0
        return self._render(xsrf, trainer=False, me=self.board.of(name), ahead=ahead)

    def _place(self, exercise: str) -> str:
        return f"{short(lab_of(exercise))}, “{self.board.title(exercise)}”"


def counts_csv(board: Board, titles: dict[str, str]) -> str:
    """The counts of every exercise that FEWEST learners have reached, as CSV. There are no names in it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(
        ["lab", "lab_title", "exercise", "exercise_title", "reached", "tried", "right", "stuck_now"]
    )
    for lab, exercises in board.exercises.items():
        for name, title in exercises.items():
            if (n := board.counts(name)).shown:
                writer.writerow([lab, titles[lab], name, title, n.reached, n.tried, n.right, n.stuck])
    return text.getvalue()


# ------------------------------------------------------------------------------ who asks


def is_trainer(user: dict) -> bool:
    """Whether the hub's model of a user is a trainer's: an admin of the hub, or in the group of trainers."""
    return bool(user.get("admin")) or TRAINERS in user.get("groups", [])


class Handler(HubOAuthenticated, web.RequestHandler):
    """What every request has in common: the board, strict headers, an error in one sentence."""

    board: Board = property(lambda self: self.settings["board"])

    def set_default_headers(self) -> None:
        self.nonce = secrets.token_urlsafe(16)
        self.set_header(
            "Content-Security-Policy",
            f"default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{self.nonce}'; "
            "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        )
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.clear_header("Server")

    def refuse_token_in_address(self) -> None:
        if "token" in self.request.query_arguments:
            raise web.HTTPError(403, reason="A token in an address is refused")

    def write_error(self, status_code: int, **_) -> None:
        body = f"<h1>That did not work</h1><p>{escape(self._reason)} (status {status_code}).</p>"
        self.finish(
            page("That did not work", body + f'<p><a href="{self.hub_auth.base_url}">Your board</a></p>')
        )


class Page(Handler):
    """A page or form in a browser, signed in through the hub. Every form holds the hub's XSRF token."""

    async def prepare(self) -> None:
        self.refuse_token_in_address()
        await self.hub_auth.get_user(self, sync=False)  # so that one person's sign-in holds nobody else up
        if not self.current_user:
            visit = self.request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
            if self.request.method == "GET" and visit:
                return self.redirect(self.get_login_url())
            raise web.HTTPError(403, reason="Sign in first")
        self.name, trainer = self.current_user["name"], is_trainer(self.current_user)
        if self.current_user["kind"] != "user" or self.for_trainers not in (None, trainer):
            who = "trainers" if self.for_trainers else "learners"
            raise web.HTTPError(403, reason=f"This page is for {who}")
        return None

    for_trainers: bool | None = False

    def show(self, title: str, body: str) -> None:
        token = escape(self.xsrf_token.decode())
        script = (
            f'<script nonce="{self.nonce}" data-token="{token}" data-seconds="{REFRESH_SECONDS}">'
            f"{self.settings['script']}</script>\n"
        )
        self.finish(page(title, body, script=script, style=STYLE, server=True))

    def back(self) -> None:
        self.redirect(self.hub_auth.base_url + ("trainer" if self.for_trainers else ""), status=303)

    def exercise(self) -> str:
        """The exercise that a form names, or "" for none. 400 for a name that the course does not have."""
        name = self.get_body_argument("exercise", "")
        if name and not self.board.known(name):
            raise web.HTTPError(400, reason="The course has no such exercise")
        return name


class Own(Page):
    for_trainers = None

    def get(self) -> None:
        if is_trainer(self.current_user):
            self.redirect(self.hub_auth.base_url + "trainer")
        else:
            self.show(
                "You on the trainer's board", self.settings["view"].learner(self.name, self.xsrf_form_html())
            )


class Ask(Page):
    def post(self) -> None:
        if not self.board.allows(self.name):
            raise web.HTTPError(429, reason="Too many messages: wait a minute")
        self.board.ask(self.name, self.exercise())
        self.back()


class Cancel(Page):
    def post(self) -> None:
        self.board.done(self.name)
        self.back()


class Room(Page):
    for_trainers = True

    async def get(self) -> None:
        room = await self.settings["room"]()
        self.show("The room", self.settings["view"].trainer(room, self.xsrf_form_html()))


class Done(Page):
    for_trainers = True

    def post(self) -> None:
        self.board.done(self.get_body_argument("name"))
        self.back()


class End(Page):
    for_trainers = True

    def post(self) -> None:
        if self.get_body_argument("sure", "") != "yes":
            raise web.HTTPError(400, reason="Tick the box to forget everything")
        self.board.forget()
        self.back()


class Export(Page):
    for_trainers = True

    def get(self) -> None:
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header("Content-Disposition", 'attachment; filename="board-counts.csv"')
        self.finish(counts_csv(self.board, self.settings["view"].titles))


class Message(Handler):
    """What a learner's kernel sends, as JSON. It takes the hub's token in the header, and never a cookie."""

    def check_xsrf_cookie(self) -> None:
        """No cookie opens this, so no other site can send it in a learner's name."""

    async def prepare(self) -> None:
        self.refuse_token_in_address()
        token = self.hub_auth.get_token(self, in_cookie=False)
        user = await self.hub_auth.user_for_token(token, sync=False) if token else None
        allowed = user and user["kind"] == "user" and self.hub_auth.check_scopes({ACCESS}, user)
        if not allowed:
            raise web.HTTPError(403, reason="This token does not open the board")
        if is_trainer(user):
            raise web.HTTPError(409, reason="Trainers are not counted")
        if not self.board.allows(user["name"]):
            raise web.HTTPError(429, reason="Too many messages: wait a minute")
        self.name = user["name"]

    def post(self, kind: str) -> None:
        try:
            message = json.loads(self.request.body)
            exercise, verdict = message.get("exercise", ""), message.get("verdict", "")
        except (ValueError, AttributeError, RecursionError):
            raise web.HTTPError(400, reason="This is not a message of the course") from None
        none_named = exercise == "" and kind != "verdict"
        verdicts = (check.RIGHT, check.NOT_YET, check.NOT_ATTEMPTED) if kind == "verdict" else ("",)
        if verdict not in verdicts or not (none_named or self.board.known(exercise)):
            raise web.HTTPError(400, reason="The course has no such exercise or verdict")
        if kind == "verdict":
            self.board.hear(self.name, exercise, verdict)
        elif kind == "help":
            self.board.ask(self.name, exercise)
        else:
            self.board.done(self.name)
        self.set_status(204)


# ------------------------------------------------------------------------------ the service


def make_app(board: Board, auth: HubOAuth, room) -> web.Application:
    """The service. `room` is a coroutine function that gives what `View.trainer` takes."""
    here = auth.base_url
    return web.Application(
        [
            (here, Own),
            (here + "ask", Ask),
            (here + "cancel", Cancel),
            (here + "trainer", Room),
            (here + "trainer/done", Done),
            (here + "trainer/end", End),
            (here + "trainer/counts.csv", Export),
            (here + "api/(verdict|help|cancel)", Message),
            (here + "oauth_callback", HubOAuthCallbackHandler),
        ],
        board=board,
        room=room,
        view=View(board, titles_of_labs()),
        script=SCRIPT.read_text(encoding="utf-8"),
        cookie_secret=os.urandom(32),  # a restart asks everybody's browser to sign in again, unseen
        xsrf_cookies=True,
        log_function=lambda handler: None,  # no line for each request: it would say who did what, and when
    )


def room_of(auth: HubOAuth):
    """A coroutine function that asks the hub which learners have a server: names, or None if it fails."""

    async def room() -> set[str] | None:
        names, offset = set(), 0
        try:
            while True:
                answer = await AsyncHTTPClient().fetch(
                    f"{auth.api_url}/users?state=active&limit=100&offset={offset}",
                    headers={"Authorization": f"token {auth.api_token}"},
                    request_timeout=5,
                )
                users = json.loads(answer.body)
                names |= {user["name"] for user in users if not is_trainer(user)}
                if len(users) < 100:
                    return names
                offset += 100
        except Exception:  # the hub is busy or away: the page does without the number
            return None

    return room


def give_up_root() -> None:
    """Become the system's user "nobody", if this is root: reading strangers' messages needs no more."""
    if os.geteuid() == 0:
        import pwd

        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)


def main() -> None:
    """Serve until stopped. The hub that starts this gives it its address and tokens in the environment."""
    import asyncio
    import logging

    from tornado.httpserver import HTTPServer

    logging.getLogger().setLevel(logging.WARNING)

    async def serve() -> None:
        auth = HubOAuth.instance()
        page("", "")  # reads the style while every file can still be read
        app = make_app(Board(exercises_of_the_course()), auth, room_of(auth))
        address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
        server = HTTPServer(app, max_body_size=LARGEST, max_buffer_size=2**16, body_timeout=10)
        server.listen(address.port, address.hostname)
        give_up_root()
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stopped.set)  # the hub ends it so
        await stopped.wait()

    asyncio.run(serve())


def configure(c, address: str = "") -> None:
    """Add the board to a hub's configuration `c`: the service, who may open it, what kernels are told.

    `address` is where the board listens, and where kernels send to. It is this machine's loopback, not the
    hub's public address: nothing leaves the machine, no certificate has to be trusted, the proxy is spared. A
    program that took the port after a crash would hear tokens, so a kernel does not send its server's own. It
    has one that opens the board and nothing else. Where the hub is root, the usual port is below 1024, which
    no learner can take.
    """
    address = address or f"http://127.0.0.1:{1010 if os.geteuid() == 0 else 10101}"

    def where(spawner) -> str:
        return f"{address}{spawner.hub.base_url.removesuffix('hub/')}services/{NAME}/"

    def token(spawner) -> str:
        return spawner.user.new_api_token(note="the trainer's board", expires_in=24 * 3600, scopes=[ACCESS])

    c.JupyterHub.services = [
        *_listed(c.JupyterHub.services),
        {
            "name": NAME,
            "url": address,
            "command": [sys.executable, "-m", "course.hub.board"],
            "cwd": str(ROOT),
            "oauth_no_confirm": True,  # it is part of the hub: no page that asks to share one's name with it
        },
    ]
    roles = [dict(role) for role in _listed(c.JupyterHub.load_roles)]
    if not any(role["name"] == "user" for role in roles):
        roles.append({"name": "user", "scopes": ["self"]})
    for role in roles:
        if role["name"] == "user":
            role["scopes"] = [*role.get("scopes", []), ACCESS]
    counts_the_room = {"name": NAME, "services": [NAME], "scopes": ["list:users", "read:users:groups"]}
    c.JupyterHub.load_roles = [*roles, counts_the_room]
    c.Spawner.environment.update({"COURSE_BOARD": where, "COURSE_BOARD_TOKEN": token})


def _listed(setting) -> list:
    """A list in a configuration, or an empty one if it has not been set."""
    return list(setting) if isinstance(setting, list) else []


if __name__ == "__main__":
    main()
