"""Sign-in to the hub: by user name and one-time code, or by the department's own sign-in (OpenID Connect).

    from course.hub import sign_in
    sign_in.configure(c, {"state": "/srv/hub"})                            # accounts of `course.hub.accounts`
    sign_in.configure(c, {"oidc": {"client_id": …}, "address": "https://…"})  # the department's own
    c.JupyterHub.load_roles = [sign_in.TRAINER]

With accounts: the page /hub/first takes a code and a new passphrase, and /hub/login takes the passphrase. A
wrong, used or unknown code or name gets the same sentence after the same work: no name is given away.

Works with JupyterHub 6.1 and 5.5.
"""

from __future__ import annotations

import asyncio
import re
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from jupyterhub import orm
from jupyterhub.auth import Authenticator
from jupyterhub.handlers.login import LoginHandler
from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError
from traitlets import Unicode, default

from course.hub.accounts import (
    FOR_CODES,
    FOR_PASSPHRASES,
    AccountError,
    Accounts,
    bare_code,
    fits,
    hashed,
)

TEMPLATES = Path(__file__).with_name("templates")
TRAINERS, LEARNERS = "trainers", "learners"

# What a trainer may do: see who is there, start and stop servers, use the hub's admin page. Not there, on
# purpose: access:servers (to open somebody's lab and read their files without their knowledge), tokens (to
# act as somebody), admin:users and admin:groups (to become anybody). A hub's admin has all of these.
TRAINER = {
    "name": "trainer",
    "description": "Sees who is there, starts and stops servers. Cannot open anybody's lab.",
    "scopes": ["admin-ui", "list:users", "read:users", "servers", "read:hub"],
    "groups": [TRAINERS],
}

LEAST, MOST = 12, 256  # letters of a passphrase
# Passphrases start with these so often that they are tried first (NCSC: keep a list of passwords to refuse).
TRIED_FIRST = re.compile(r"passw[o0]rd|123456|abcdef|qwerty|letmein|welcome|iloveyou", re.IGNORECASE)
WRONG_CODE = (
    "The user name or the code is wrong, or the code was used before. Look at your slip and try again. "
    "If you have used your code, sign in with your passphrase. Your trainer can give you a new code."
)
WRONG_PASSPHRASE = (
    "The user name or the passphrase is wrong. If this is your first time here, use the code on your slip. "
    "Your trainer can give you a new code."
)
BUSY = "Many people are signing in. Wait a few seconds, then try again."
MOST_WAITING = 300  # sign-ins at once, each of which takes a fifth of a second of one core
DEVICE = "course-device"  # the cookie of a browser that has signed in before


class Limits:
    """Wrong attempts, by whom and from where, kept in memory until 15 minutes pass without another.

    So many are free, and from then on each must wait after the one before: 4 seconds, 8, 16, 32, 60. Nobody
    is locked out for longer than a minute after the last wrong attempt, so a learner who types another's name
    on purpose delays them a minute, and has to go on for more. Three things keep that small: a browser that
    has signed in to an account before is counted apart, and so is another computer; a room behind one address
    has 300 free attempts and then waits 8 seconds at most; and a trainer can make the hub forget.
    """

    # What is counted: free attempts, and the longest wait in seconds. "name" is from everywhere together, for
    # somebody who changes addresses: 30 free, then one a minute, or about 1,500 a day.
    RULES = MappingProxyType({"device": (5, 60), "place": (5, 60), "name": (30, 60), "source": (300, 8)})
    MEMORY = 15 * 60

    def __init__(self, clock=time.monotonic):
        self.clock, self.seen = clock, {}

    def wait(self, keys: list[tuple]) -> float:
        """Seconds until an attempt that counts under these keys may be made; 0 for now."""
        return max(self._wait(key) for key in keys)

    def _wait(self, key: tuple) -> float:
        count, last = self.seen.get(key, (0, 0.0))
        free, most = self.RULES[key[0]]
        if count < free:
            return 0.0
        return max(0.0, last + min(most, 2.0 ** min(count - free + 2, 6)) - self.clock())

    def count(self, keys: list[tuple]) -> None:
        """Count an attempt, before it is known whether it is wrong: a thousand at once are a thousand."""
        now = self.clock()
        self.seen = {key: one for key, one in self.seen.items() if now - one[1] < self.MEMORY}
        for key in keys:
            self.seen[key] = (self.seen.get(key, (0, 0.0))[0] + 1, now)

    def was_right(self, keys: list[tuple]) -> None:
        """Forget what was counted for a person. Of their source, take back this one attempt only."""
        for key in keys:
            count, last = self.seen.pop(key, (0, 0.0))
            if key[0] == "source" and count > 1:
                self.seen[key] = (count - 1, last)


class FirstHandler(LoginHandler):
    """The page for a one-time code: the hub's own sign-in page, with other fields."""

    def _render(self, *arguments, **more):
        return super()._render(*arguments, first=True, **more)


class CodeAuthenticator(Authenticator):
    """Accounts from `course.hub.accounts`: a one-time code at first, then a passphrase of one's own."""

    state = Unicode(config=True, help="The folder with accounts.json.")

    @default("any_allow_config")
    def _accounts_allow(self):
        return True  # whoever has an account in the file may sign in, and nobody else: see check_allowed

    def __init__(self, **more):
        super().__init__(**more)
        self.manage_groups = True
        self.accounts = Accounts(self.state)
        self.limits = Limits()
        self.forgiven = time.time()
        self.waiting = 0
        self.workers = ThreadPoolExecutor(2)  # scrypt lets other threads run

    def get_handlers(self, app):
        """The sign-in page and the page for a code. From here on, ended accounts are looked for."""
        self.app = app
        PeriodicCallback(self.sweep, 5000).start()
        return [*super().get_handlers(app), ("/first", FirstHandler)]

    def check_allowed(self, username, authentication=None):
        """Whether somebody has an account in the file."""
        return username in self._read()["people"]

    def _read(self) -> dict:
        """The accounts, or a page that says sign-in is not ready; the log says why."""
        try:
            return self.accounts.read()
        except AccountError as problem:
            self.log.error("%s", problem)
            raise HTTPError(503, "Sign-in is not ready. Tell your trainer.") from None

    # -------------------------------------------------------------------------- signing in

    async def authenticate(self, handler, data):
        """The name and group of somebody who gave the right code or passphrase; HTTPError for others."""
        content = self._read()
        if is_over(content):
            raise HTTPError(403, "These accounts have ended. Ask your trainer.")
        first = "code" in data
        user = re.sub(r"\s+", "-", data.get("username", "")[:64].strip().lower())
        passphrase, again = (
            unicodedata.normalize("NFKC", data.get(key, "")[: 2 * MOST]) for key in ("passphrase", "again")
        )
        if first and (problem := problem_with(passphrase, again, user)):
            raise HTTPError(400, problem)
        account = content["people"].get(user, {})
        keys = self._keys(handler, user, account, content)
        if (wait := self.limits.wait(keys)) > 0:
            self.log.warning("Too many wrong attempts for %r from %s", user, handler.request.remote_ip)
            raise HTTPError(
                429, f"There were too many wrong attempts. Wait {int(wait) + 1} seconds, then try again."
            )
        self.limits.count(keys)
        if first:
            right = await self._burn(user, account.get("code"), bare_code(data["code"][:64]), passphrase)
        else:
            right = await self._apart(fits, passphrase[:MOST], account.get("passphrase"), FOR_PASSPHRASES)
        if not right:
            raise HTTPError(403, WRONG_CODE if first else WRONG_PASSPHRASE)
        self.limits.was_right(keys)
        await self._welcome(handler, user, account["session"])
        return {
            "name": user,
            "admin": False,
            "groups": [TRAINERS if account["role"] == "trainer" else LEARNERS],
        }

    def _keys(self, handler, user: str, account: dict, content: dict) -> list[tuple]:
        """What an attempt counts under. Forgets all attempts first, if a trainer said so."""
        if content["forgiven"] > self.forgiven:
            self.forgiven = content["forgiven"]
            self.limits.seen.clear()
        device = handler.get_secure_cookie(DEVICE)
        if account and device and device.decode() == _device_of(account["session"]):
            return [("device", user)]
        source = handler.request.remote_ip
        return [("place", user, source), ("name", user), ("source", source)]

    async def _burn(self, user: str, stored: str | None, code: str, passphrase: str) -> bool:
        """Whether a code was right, and now is burnt."""
        if not await self._apart(fits, code, stored, FOR_CODES):
            return False
        kept = await self._apart(hashed, passphrase, FOR_PASSPHRASES)
        return await self._apart(self.accounts.use_code, user, stored, kept)

    async def _apart(self, function, *arguments):
        """Slow work, or a wait for the file, on one of two threads, so that the hub answers meanwhile."""
        if self.waiting >= MOST_WAITING:
            raise HTTPError(503, BUSY)
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.workers, function, *arguments)
        finally:
            self.waiting -= 1

    async def _welcome(self, handler, user: str, session: str) -> None:
        """End what is left of an account's former sessions, and remember this browser."""
        known = orm.User.find(self.app.db, user)
        if known and known.cookie_id != session:
            await self._end(known, session)
        secure = handler.request.protocol == "https"
        path = handler.hub.base_url
        mark = _device_of(session)
        handler.set_secure_cookie(DEVICE, mark, path=path, httponly=True, secure=secure, samesite="Lax")

    # -------------------------------------------------------------------------- ending sessions

    def add_user(self, user):
        """Mark a new user's cookies with the account's session. The sweep sees to users that were there."""
        super().add_user(user)
        account = self._read()["people"].get(user.name)
        if account and not isinstance(user, orm.User):
            user.orm_user.cookie_id = account["session"]
            self.app.db.commit()

    async def sweep(self):
        """End the sessions of accounts that got a new code, are over, or are not in the file any more."""
        try:
            content = self.accounts.read()
        except AccountError as problem:
            self.log.error("%s", problem)
            return
        over = is_over(content)
        ending = []
        for user in list(self.app.db.query(orm.User)):
            account = content["people"].get(user.name)
            session = account["session"] if account and not over else f"ended-{user.name}"
            if user.cookie_id != session:
                ending.append(self._end(user, session))
        await asyncio.gather(*ending)

    async def _end(self, known: orm.User, session: str) -> None:
        """End a user's cookies and tokens, and stop their servers. New cookies are marked ``session``."""
        self.log.warning("Ending the sessions of %s", known.name)
        known.cookie_id = session
        for token in [*known.api_tokens, *known.oauth_codes]:
            self.app.db.delete(token)
        self.app.db.commit()
        user = self.app.users[known]
        for name, spawner in list(user.spawners.items()):
            for _ in range(600):  # a server that is on its way is stopped when it is there
                if not spawner.pending:
                    break
                await asyncio.sleep(0.1)
            if spawner.active:
                await self.app.proxy.delete_user(user, name)
                await user.stop(name)


def _device_of(session: str) -> str:
    """The mark of a browser that has signed in. A new code makes it worthless."""
    return sha256(session.encode()).hexdigest()


def is_over(content: dict) -> bool:
    """Whether the last day of a session's accounts has passed, by this machine's calendar."""
    return date.today().isoformat() > content["until"]


def problem_with(passphrase: str, again: str, user: str) -> str | None:
    """What is wrong with a new passphrase, in a sentence, or None. It says nothing about the account.

    Long, and not among those tried first; no rules on signs or capitals (NCSC and OWASP advise against them).
    """
    if len(passphrase) < LEAST:
        return (
            f"Your new passphrase is too short. Use {LEAST} characters or more: three or four words are good."
        )
    if len(passphrase) > MOST:
        return f"Your new passphrase is too long. Use {MOST} characters or fewer."
    if passphrase != again:
        return "Your new passphrase was typed in two ways. Type the same twice."
    if len(set(passphrase)) < 5 or TRIED_FIRST.match(passphrase) or (user and user in passphrase.lower()):
        return "Your new passphrase is easy to guess. Use three or four words that do not belong together."
    return None


# ------------------------------------------------------------------------------ configuration

# What the department's own sign-in needs, and what each is.
OIDC = {
    "client_id": "the name under which the department knows the hub",
    "client_secret": "the secret that goes with it",
    "authorize_url": "where people sign in, from the provider's .well-known/openid-configuration",
    "token_url": "where the hub fetches tokens, from the same",
    "userdata_url": "where the hub asks who somebody is (userinfo_endpoint), from the same",
    "username_claim": "what a user name is made of, such as preferred_username",
    "groups_claim": "where the provider lists somebody's groups, such as groups or roles",
    "learners": "the group whose members may take part",
    "trainers": "the group whose members are trainers",
}


def configure(c, settings: dict) -> None:
    """Set up a hub's sign-in. Raises AccountError, with a sentence for each setting that is missing.

    ``settings``: either state, the folder with accounts.json; or address, where the hub is, and oidc, with
    everything in `OIDC`. Roles are the hub's to load: see `TRAINER`.
    """
    c.JupyterHub.template_paths = [str(TEMPLATES)]
    if "oidc" in settings:
        _configure_oidc(c, settings["oidc"], settings.get("address", ""))
        return
    Accounts(settings["state"]).read()
    c.JupyterHub.authenticator_class = CodeAuthenticator
    c.CodeAuthenticator.state = str(settings["state"])


def _configure_oidc(c, oidc: dict, address: str) -> None:
    """The department's own sign-in, through oauthenticator's GenericOAuthenticator."""
    from oauthenticator.generic import GenericOAuthenticator

    problems = [f"Sign-in needs {key}: {what}." for key, what in OIDC.items() if not oidc.get(key)]
    problems += [f"Sign-in does not know {key}. Take it out." for key in sorted(set(oidc) - set(OIDC))]
    urls = {"address": address, **{key: oidc.get(key) for key in OIDC if key.endswith("_url")}}
    problems += [
        f"{key} must begin with https://, so that nobody reads along."
        for key, url in urls.items()
        if (url or key == "address") and not _is_safe(url)
    ]
    if problems:
        raise AccountError(" ".join(problems))
    c.JupyterHub.authenticator_class = GenericOAuthenticator
    own = c.GenericOAuthenticator
    own.login_service = "your department's account"
    own.oauth_callback_url = f"{address.rstrip('/')}/hub/oauth_callback"
    for key in ("client_id", "client_secret", "authorize_url", "token_url", "userdata_url", "username_claim"):
        setattr(own, key, oidc[key])
    own.scope = ["openid", "profile", "email"]
    own.enable_pkce = True
    own.manage_groups = True
    own.allowed_groups = {TRAINERS, LEARNERS}
    own.allow_existing_users = False
    own.auth_state_groups_key = lambda state: groups_of(state["oauth_user"], oidc)


def _is_safe(url: str) -> bool:
    """Whether nobody can read along: TLS, or this machine itself."""
    return bool(re.match(r"https://[^/\s]|http://127\.0\.0\.1[:/]", url))


def groups_of(claims: dict, oidc: dict) -> list[str]:
    """The hub's groups of somebody, from the provider's. The hub keeps nothing of their other groups."""
    theirs = claims.get(oidc["groups_claim"]) or []
    theirs = {theirs} if isinstance(theirs, str) else set(theirs)
    return [ours for ours in (TRAINERS, LEARNERS) if oidc[ours] in theirs]
