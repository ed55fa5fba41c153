"""A room of learners for tests and measurements: each signs in, starts a server, runs a lab and saves it.

Real requests to a real hub: the form, the spawn page, the kernel's websocket, the file of the lab.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe

import aiohttp
from yarl import URL

sys.path.insert(0, str(Path(__file__).parents[1]))

from course.environment import ROOT
from course.hub.accounts import Accounts, Person
from course.hub.settings import free_port


class Learner:
    """One browser's cookies. ``url``: the hub's; ``authority``: the file of who signed its certificate."""

    def __init__(self, url: str, name: str, authority: str | Path | None):
        self.url, self.name = url.rstrip("/"), name
        context = ssl.create_default_context(cafile=authority) if authority else None
        self.web = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context or True, limit=8),
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=180),
        )
        self.at = f"{self.url}/user/{name}"

    async def __aenter__(self) -> Learner:
        return self

    async def __aexit__(self, *_) -> None:
        await self.web.close()

    def token(self, path: str = "/hub/") -> str:
        """The XSRF token that the site has given for this path."""
        return self.web.cookie_jar.filter_cookies(URL(self.url + path))["_xsrf"].value

    async def sign_in(self, secret: dict) -> None:
        """Fill in the form and send it: the code the first time, then the passphrase. Raises if it is
        refused."""
        first = "code" in secret
        form = {"username": self.name, "passphrase": secret["passphrase"]}
        if first:
            form |= {"again": secret["passphrase"], "code": secret["code"]}
        page = f"{self.url}/hub/{'first' if first else 'login'}?next=%2Fhub%2Fhome"
        async with self.web.get(page) as shown:
            await shown.text()
        async with self.web.post(page, data={**form, "_xsrf": self.token()}) as answer:
            text = await answer.text()
            if answer.status != 200 or not answer.url.path.endswith("/hub/home"):
                said = re.search(r'id="what"[^>]*>(.*?)</', text, re.S)
                raise PermissionError(said.group(1).strip() if said else f"status {answer.status}")
        secret.pop("code", None)

    async def start(self, seconds: float = 120) -> None:
        """Ask for the server, wait until the hub says it is ready, and open JupyterLab, as the page does."""
        until = time.monotonic() + seconds
        async with self.web.get(f"{self.url}/hub/spawn/{self.name}") as page:
            await page.text()
        progress = f"{self.url}/hub/api/users/{self.name}/server/progress"
        async with self.web.get(progress, params={"_xsrf": self.token()}) as events:
            if events.status == 200:  # 400: it is ready, or it never began
                async for line in events.content:
                    if line.startswith(b"data:") and {"ready", "failed"} & json.loads(line[5:]).keys():
                        break
        while time.monotonic() < until:
            async with self.web.get(f"{self.at}/lab") as page:  # signs in there too, by way of the hub
                text = await page.text()
                if page.status == 200 and str(page.url).startswith(f"{self.at}/lab"):
                    return
            await asyncio.sleep(0.5)
        raise TimeoutError(f"{self.name}'s server did not start in {seconds} s: {page.status} {text[-300:]}")

    async def stop(self, seconds: float = 60) -> None:
        """Stop the server, and wait until it has stopped."""
        headers = {"X-XSRFToken": self.token()}
        server = f"{self.url}/hub/api/users/{self.name}/server"
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            async with self.web.delete(server, headers=headers) as answer:
                if answer.status in (204, 404):
                    return
            await asyncio.sleep(0.2)
        raise TimeoutError(f"{self.name}'s server did not stop in {seconds} s")

    async def pull(self, repository: str, branch: str) -> str:
        """What nbgitpuller says when the trainer's link is followed."""
        words = {"repo": repository, "branch": branch, "targetpath": "course"}
        words["_xsrf"] = self.token(f"/user/{self.name}/")
        async with self.web.get(f"{self.at}/git-pull/api", params=words) as answer:
            return await answer.text()

    def cookies(self) -> dict[str, str]:
        """Every cookie, by name, for somebody else to try."""
        return {cookie.key: cookie.value for cookie in self.web.cookie_jar}

    async def api(self, method: str, to: str, **body):
        """The server's own API, as JupyterLab uses it."""
        headers = {"X-XSRFToken": self.token(f"/user/{self.name}/")}
        more = {"json": body} if body else {}
        async with self.web.request(method, f"{self.at}/api/{to}", headers=headers, **more) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise PermissionError(f"{answer.status}: {text[:200]}")
            return json.loads(text) if text else None

    async def kernel(self, path: str = "course/notebooks/01-first-synthetic-table.ipynb") -> Kernel:
        """Open a lab: a session with a kernel, and the line to it."""
        named = {"name": Path(path).name, "path": path, "type": "notebook", "kernel": {"name": "python3"}}
        session = await self.api("POST", "sessions", **named)
        line = await self.web.ws_connect(
            f"{self.at}/api/kernels/{session['kernel']['id']}/channels", max_msg_size=0
        )
        return Kernel(session["kernel"]["id"], session["id"], line)

    async def lab(self, path: str) -> dict:
        return await self.api("GET", f"contents/{path}")

    async def save(self, path: str, notebook: dict) -> None:
        await self.api("PUT", f"contents/{path}", type="notebook", format="json", content=notebook)


class Kernel:
    """A line to a kernel: run a cell, and get what it printed and showed."""

    def __init__(self, id: str, session: str, line):
        self.id, self.session, self.line = id, session, line

    async def run(self, code: str, seconds: float = 180) -> list[dict]:
        """Run one cell. Returns its outputs, in a notebook's form. Raises RuntimeError for an error in it."""
        number = uuid.uuid4().hex
        header = {
            "msg_id": number,
            "msg_type": "execute_request",
            "username": "",
            "session": number,
            "version": "5.3",
        }
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "allow_stdin": False,
            "stop_on_error": True,
        }
        message = {
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
        }
        await self.line.send_str(json.dumps(message))
        outputs, replied, idle = [], False, False
        while not (replied and idle):
            received = await asyncio.wait_for(self.line.receive(), seconds)
            if received.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                raise ConnectionError("the line to the kernel was cut")
            if received.type is aiohttp.WSMsgType.BINARY:
                continue
            got = json.loads(received.data)
            if got["parent_header"].get("msg_id") != number:
                if got["msg_type"] == "status" and got["content"]["execution_state"] in (
                    "restarting",
                    "dead",
                ):
                    raise ConnectionError("the kernel ended")
                continue
            kind, said = got["msg_type"], got["content"]
            replied |= kind == "execute_reply"
            idle |= kind == "status" and said["execution_state"] == "idle"
            if kind == "stream":
                outputs.append({"output_type": "stream", **said})
            elif kind in ("display_data", "execute_result"):
                outputs.append({"output_type": kind, "data": said["data"], "metadata": said["metadata"]})
            elif kind == "error":
                outputs.append({"output_type": "error", **said})
        if outputs and outputs[-1]["output_type"] == "error":
            raise RuntimeError("\n".join(outputs[-1]["traceback"]))
        return outputs

    async def close(self) -> None:
        await self.line.close()


@dataclass
class Hub:
    """A hub that runs."""

    url: str
    authority: Path
    state: Path
    users: dict[str, str]  # the user name of each person
    secrets: dict[str, dict]  # what each user name signs in with
    log: Path
    process: subprocess.Popen

    @property
    def homes(self) -> Path:
        return self.state / "homes"


@contextmanager
def hub(folder: Path, names: list[str], seconds: float = 120, packages: Path | None = None, **settings):
    """A hub of its own for these learners and a trainer, its state in this folder. Stopped at the end.

    ``packages``: a folder of packages that go before the environment's, such as another JupyterHub.
    """
    port = free_port()
    state = folder / "state"
    file, log = folder / "hub.yml", folder / "hub.log"
    words = {"state": str(state), "port": port, **settings}
    listed = [Person(name, "", "learner") for name in names] + [Person("The trainer", "", "trainer")]
    slips = Accounts(state / "private").add(listed, f"https://localhost:{port}")
    file.write_text(
        "".join(f"{key}: {json.dumps(value)}\n" for key, value in words.items()), encoding="utf-8"
    )
    notes = folder / "people.json"  # for a hub that is started again
    kept = json.loads(notes.read_text()) if notes.exists() else {"users": {}, "secrets": {}}
    for slip in slips:
        kept["users"][slip.person.name] = slip.user
        kept["secrets"][slip.user] = {"code": slip.code, "passphrase": token_urlsafe(16)}
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "course.hub", "--settings", str(file)],
            stdout=said,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **({"PYTHONPATH": f"{packages}:{ROOT}"} if packages else {})},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # as in a shell's background
        )
    try:
        until = time.monotonic() + seconds
        while not (
            "is now running" in (text := log.read_text(errors="replace"))
            and ("Forks are ready" in text or not settings.get("forked", True))
        ):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the hub did not start: {text[-3000:]}")
            time.sleep(0.2)
        yield Hub(
            f"https://localhost:{port}",
            state / "private/certificates/course/course.crt",
            state,
            kept["users"],
            kept["secrets"],
            log,
            process,
        )
    finally:
        notes.write_text(json.dumps(kept))
        process.terminate()
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
