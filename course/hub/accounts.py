"""Accounts for one session: from a list of people to user names, one-time codes and joining slips.

    python3 -m course hub accounts PEOPLE.csv --address https://hub.example.gov.uk

The hub reads one file, ``accounts.json``, which only its owner may read. Codes and passphrases stand in it as
scrypt hashes only. A code is shown once, on its slip. `course.hub.sign_in` is the hub's side.

User names are neutral (``oak-417``), because a user name turns up in addresses, lists of processes, logs and
on projectors. The numbers are drawn, so that a name says nothing about the order of the list.

A code has 12 digits: every accent and every keyboard has the same ten, and none is mistaken for a letter.
That is 10^12 codes, 39.9 bits. `course.hub.sign_in.Limits` lets about 1,500 wrong attempts a day through for
one name, from wherever they come. Against 120 accounts for 14 days that is 2.5 million attempts: a chance of
1 in 400,000 to hit any one of the codes, if nobody signs in and nobody looks at the log.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import hmac
import io
import json
import os
import re
import secrets
import sys
import time
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from course.environment import ROOT
from course.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE = ROOT / "build" / "hub" / "private"
FILE = "accounts.json"
DAYS = 14  # that accounts last, unless --until says otherwise
WORDS = (  # plants that are short, spelt as they sound, and nobody's first name
    *(
        "alder",
        "apple",
        "ash",
        "birch",
        "cedar",
        "cherry",
        "clover",
        "cotton",
        "elm",
        "fern",
        "larch",
        "lemon",
    ),
    *("lime", "maple", "mint", "moss", "oak", "pear", "pine", "plum", "poplar", "reed", "walnut", "wheat"),
)
ROLES = ("learner", "trainer")
# What the headings of a list of people may be called.
HEADINGS = {
    "name": ("name", "full name", "participant", "delegate"),
    "first": ("first name", "forename", "given name"),
    "last": ("last name", "surname", "family name"),
    "email": ("email", "e-mail", "email address", "e-mail address"),
    "role": ("role", "type"),
}
SECRET = (
    "This holds the codes of other people. Keep it where only you can see it, give each person only their "
    "own slip, and delete every copy when the session is over."
)
TO_DO = (
    "Open the address above in a web browser.",
    "Type your user name and your code.",
    "Choose a passphrase of 12 characters or more: three or four words that do not belong together.",
    "From then on, sign in with your user name and your passphrase, at {address} . The code works once.",
)


class AccountError(ValueError):
    """One sentence on what is wrong with a list of people or with the accounts, and what to do."""


@dataclass(frozen=True)
class Person:
    """One line of a list of people. ``role`` is learner or trainer."""

    name: str
    email: str = ""
    role: str = "learner"

    def is_same(self, name: str, email: str) -> bool:
        """Whether a name and an email are this person's. An email that is missing speaks neither way."""
        same_email = not self.email or not email or self.email.casefold() == email.casefold()
        return same_email and self.name.casefold() == name.casefold()


@dataclass(frozen=True)
class Slip:
    """What one person is told, once: the only place where a code stands in the open."""

    person: Person
    user: str
    code: str


# ------------------------------------------------------------------------------ secrets

# scrypt (RFC 7914): the work, as a power of two, and how often; r is 8, so both take 16 MiB. For passphrases
# one of the equal settings in the OWASP Password Storage Cheat Sheet (about 0.2 s of one core). A fifth of it
# for codes: they are drawn, not chosen, and die when they are used.
FOR_PASSPHRASES, FOR_CODES = (14, 5), (14, 1)


def hashed(secret: str, cost: tuple[int, int], salt: bytes | None = None) -> str:
    """The scrypt hash of a secret, with its cost and its salt: ``15:3:salt:hash``."""
    power, times = cost
    salt = salt or secrets.token_bytes(16)
    key = hashlib.scrypt(secret.encode(), salt=salt, n=2**power, r=8, p=times, maxmem=2**26, dklen=32)
    return f"{power}:{times}:{salt.hex()}:{key.hex()}"


def fits(secret: str, stored: str | None, cost: tuple[int, int]) -> bool:
    """Whether a secret is the one that was hashed. Without a hash it takes as long, and is always false."""
    power, times, salt, key = (stored or f"{cost[0]}:{cost[1]}:{'0' * 32}:").split(":")
    tried = hashed(secret, (int(power), int(times)), bytes.fromhex(salt))
    return hmac.compare_digest(tried.rpartition(":")[2], key)


def new_code() -> str:
    """12 digits in three groups, drawn by the system: 39.9 bits."""
    digits = f"{secrets.randbelow(10**12):012}"
    return f"{digits[:4]} {digits[4:8]} {digits[8:]}"


def bare_code(text: str) -> str:
    """A code as it was typed, without blanks, hyphens and other signs between its digits."""
    return "".join(str(unicodedata.digit(sign)) for sign in text if sign.isdigit())


# ------------------------------------------------------------------------------ the account file


class Accounts:
    """The account file in a hub's folder. Every change holds a lock, and is written whole."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)
        self.path = self.folder / FILE

    def read(self) -> dict:
        """What the file holds: address, until, forgiven, and people by user name. Raises AccountError."""
        try:
            status = self.path.stat()
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise AccountError(
                f"There are no accounts in {self.folder}. "
                "Make them with: python3 -m course hub accounts PEOPLE.csv"
            ) from None
        except (OSError, ValueError) as error:
            raise AccountError(f"{self.path} cannot be read ({error}).") from None
        if status.st_mode & 0o077:
            raise AccountError(f"Others can read {self.path}. Take that away with: chmod 600 {self.path}")
        return content

    @contextlib.contextmanager
    def change(self) -> Iterator[dict]:
        """The file's content, to be changed in place. It is written if nothing went wrong."""
        import fcntl

        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.folder / f"{FILE}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.path.exists():
                if self.path.stat().st_uid != os.geteuid():
                    raise AccountError(f"{self.path} belongs to another user. Run this as that user.")
                content = self.read()
            else:
                content = {"address": "", "until": "", "forgiven": 0.0, "people": {}}
            yield content
            write_whole(self.path, json.dumps(content, ensure_ascii=False, indent=1), 0o600)
        finally:
            os.close(lock)

    def add(self, people: list[Person], address: str = "", until: date | None = None) -> list[Slip]:
        """Accounts for those who have none yet. Returns their slips. Others keep theirs as they are."""
        slips = []
        with self.change() as content:
            content["address"] = address or content["address"]
            if until or not content["until"]:
                content["until"] = (until or date.today() + timedelta(DAYS)).isoformat()
            for person in people:
                known = content["people"].values()
                if any(person.is_same(one["name"], one["email"]) for one in known):
                    continue
                taken = {**content["people"], **dict.fromkeys(self._homes())}
                slip = Slip(person, _new_user(taken, person.role), new_code())
                content["people"][slip.user] = {
                    "name": person.name,
                    "email": person.email,
                    "role": person.role,
                    "passphrase": None,
                    **_new_secret(slip.code),
                }
                slips.append(slip)
        return slips

    def _homes(self) -> list[str]:
        """Homes that are there already, of an earlier session: nobody else gets such a name, and so the
        files."""
        homes = self.folder.parent / "homes"
        return [one.name for one in homes.iterdir()] if homes.is_dir() else []

    def new_code(self, user: str) -> Slip:
        """A new code for one account. The old code and passphrase die, and so do its sessions in the hub."""
        code = new_code()
        with self.change() as content:
            if user not in content["people"]:
                raise AccountError(
                    f"There is no user {user}. To see the user names, leave out --new-code {user}"
                )
            account = content["people"][user]
            account |= {"passphrase": None, **_new_secret(code)}
        return Slip(Person(account["name"], account["email"], account["role"]), user, code)

    def use_code(self, user: str, code: str, passphrase: str) -> bool:
        """Burn a code that fits, given as its stored hash, and set a passphrase, given as its hash.

        False if the code was burnt or replaced meanwhile: of two at once, one succeeds.
        """
        with self.change() as content:
            account = content["people"].get(user)
            if account is None or account["code"] != code:
                return False
            account |= {"code": None, "passphrase": passphrase}
        return True

    def release(self) -> None:
        """Let the hub forget all wrong attempts until now."""
        with self.change() as content:
            content["forgiven"] = time.time()


def _new_secret(code: str) -> dict:
    """A code's hash, and a new mark for the sessions of an account: sessions with another mark are ended."""
    return {"code": hashed(bare_code(code), FOR_CODES), "session": secrets.token_hex(16)}


def _new_user(taken: dict, role: str) -> str:
    """A user name that nobody has. Trainers are told by theirs."""
    if role == "trainer":
        return next(f"trainer-{i}" for i in range(1, len(taken) + 2) if f"trainer-{i}" not in taken)
    numbers = {user.rpartition("-")[2] for user in taken}
    free = [number for number in range(100, 1000) if str(number) not in numbers]
    if not free:
        raise AccountError(
            "One session has room for 900 learners. Make another folder for more, with --state."
        )
    return f"{secrets.choice(WORDS)}-{secrets.choice(free)}"


# ------------------------------------------------------------------------------ a list of people


def people_in(path: Path | str) -> tuple[list[Person], list[str]]:
    """The people in a CSV file, and what was decided on the way, in sentences.

    Columns: name (or first name and surname), and if there, email and role. Raises AccountError or DataError.
    """
    rows = _rows(Path(path))
    headings = [_plain(cell) for cell in rows[0][1]]
    where = {
        key: next((i for i, h in enumerate(headings) if h in names), None) for key, names in HEADINGS.items()
    }
    if where["name"] is None and (where["first"] is None or where["last"] is None):
        raise AccountError(f"{Path(path).name} has no column called name. Put one in its first line.")
    people, decisions = [], []
    for line, cells in rows[1:]:
        found = {
            key: cells[i].strip() if i is not None and i < len(cells) else "" for key, i in where.items()
        }
        person = _person(found, line)
        if any(person.is_same(one.name, one.email) for one in people):
            decisions.append(
                f"Line {line}: {person.name} is in the list already, and gets one account. "
                "If these are two people, give each an email."
            )
        else:
            people.append(person)
    if not people:
        raise AccountError(f"{Path(path).name} has headings and no people. Add a line for each person.")
    return people, decisions


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The lines of a CSV file that hold something, with their numbers."""
    from course.assess.read import content_of, encoding_of

    content = content_of(path)
    if content.startswith(b"PK"):
        raise AccountError(f"{path.name} is a workbook. Save the sheet as CSV, and give that file.")
    text = content.decode(encoding_of(content, path.name), errors="replace")
    headings = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=headings.count))
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise AccountError(f"{path.name} cannot be cut into cells ({error}). Export it again.") from None
    rows = rows[rows[0][1][0].startswith("sep=") :] if rows else rows  # a first line that Excel writes
    if not rows:
        raise AccountError(f"{path.name} is empty. Save it again from where it came.")
    return rows


def _plain(heading: str) -> str:
    """A heading in small letters, with single blanks."""
    return re.sub(r"[\s_]+", " ", heading).strip().casefold()


def _person(found: dict[str, str], line: int) -> Person:
    """The person on one line of the list."""
    name = found["name"] or f"{found['first']} {found['last']}"
    name, email = unicodedata.normalize("NFC", _line(name)), _line(found["email"])
    role = found["role"].casefold() or "learner"
    if not name:
        raise AccountError(f"Line {line} has no name. Add the name, or take the line out.")
    if role not in ROLES:
        raise AccountError(f"Line {line} has the role {found['role']!r}. A role is learner or trainer.")
    return Person(name, email, role)


def _line(text: str) -> str:
    """A text with single blanks in place of line ends and signs that steer a screen."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()


# ------------------------------------------------------------------------------ joining slips


def write_slips(folder: Path, slips: list[Slip], address: str, until: str) -> list[Path]:
    """Write slips to print and cut (HTML), and the same for a mail merge (CSV), beside what is there."""
    number = next(n for n in range(1, 10_000) if not list(folder.glob(f"slips-{n}.*")))
    page, table = folder / f"slips-{number}.html", folder / f"slips-{number}.csv"
    write_whole(page, slips_page(slips, address, until), 0o600)
    write_whole(table, slips_table(slips, address), 0o600)
    return [page, table]


def _address_of_first(address: str) -> str:
    """Where a code is used for the first time."""
    return f"{address.rstrip('/')}/hub/first"


def slips_page(slips: list[Slip], address: str, until: str) -> str:
    """One HTML page with a slip for each person, to print and cut."""
    from course import pages

    first = _address_of_first(address)
    steps = "".join(f"<li>{escape(step.format(address=address))}</li>" for step in TO_DO)
    last = date.fromisoformat(until)
    lasts = f"<p>The last day of your account is {last.day} {last:%B %Y}.</p>"
    body = "".join(
        f'<section class="slip"><h2>{escape(slip.person.name)}</h2><dl>'
        f"<dt>Address</dt><dd>{escape(first)}</dd>"
        f"<dt>User name</dt><dd>{escape(slip.user)}</dd><dt>Code</dt><dd>{slip.code}</dd></dl>"
        f"<ol>{steps}</ol>{'<p>You are a trainer here.</p>' if slip.person.role == 'trainer' else ''}"
        f"{lasts}</section>\n"
        for slip in slips
    )
    style = (
        ".slip { border: 2px dashed var(--control); break-inside: avoid; margin: 2rem 0; padding: 0 1rem; }\n"
        "dl { display: grid; gap: .25rem 1rem; grid-template-columns: max-content 1fr; }\n"
        "dt { font-weight: 700; } dd { margin: 0; overflow-wrap: anywhere; }\n"
        "dd + dt + dd { font-family: monospace; font-size: 1.25rem; }\n"
    )
    opening = f'<h1>Joining slips</h1>\n<p class="first">{SECRET}</p>\n'
    return pages.page("Joining slips: hold secrets", opening + body, style=style)


def slips_table(slips: list[Slip], address: str) -> str:
    """The slips as CSV. A cell that would run as a formula begins with an apostrophe."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(["name", "email", "address", "user name", "code", "secret"])
    for slip in slips:
        cells = [
            slip.person.name,
            slip.person.email,
            _address_of_first(address),
            slip.user,
            slip.code,
            SECRET,
        ]
        rows.writerow([f"'{cell}" if cell.startswith(tuple("=+-@＝＋－＠")) else cell for cell in cells])
    return "\ufeff" + out.getvalue()


# ------------------------------------------------------------------------------ the command


def main(argv: list[str]) -> int:
    """``python3 -m course hub accounts``: returns 0, or 1 after one sentence."""
    if sys.platform == "win32":
        print("Accounts are made on the hub's own machine, which runs Linux.")
        return 1
    options = _options().parse_args(argv)
    accounts = Accounts(options.state)
    try:
        if options.new_code:
            _give_new_code(accounts, options.new_code)
        elif options.release:
            accounts.read()
            accounts.release()
            print("The hub forgets all wrong attempts within 5 seconds. Everybody can try again.")
        elif options.people:
            _make(accounts, options)
        else:
            _show(accounts)
    except ValueError as problem:  # AccountError, and DataError from the reader
        print(problem)
        return 1
    return 0


def a_day(words: str) -> date:
    """The day that somebody typed, or one sentence on how to type it."""
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{words}' is no day: write it as 2027-01-31.") from None


def _options() -> argparse.ArgumentParser:
    """The words of the command."""
    parser = argparse.ArgumentParser(
        "python3 -m course hub accounts", description="Accounts for one session."
    )
    parser.add_argument(
        "people", nargs="?", metavar="PEOPLE.csv", help="people to add; none: show who is there"
    )
    parser.add_argument("--address", default="", help="where the hub is, as https://…, for the slips")
    parser.add_argument(
        "--until", type=a_day, metavar="DAY", help=f"last day, as 2027-01-31; else {DAYS} days on"
    )
    parser.add_argument("--new-code", metavar="USER", help="a new code for somebody who lost theirs")
    parser.add_argument("--release", action="store_true", help="forget all wrong attempts to sign in")
    parser.add_argument("--state", type=Path, default=STATE, help="the hub's private folder")
    return parser


def _make(accounts: Accounts, options: argparse.Namespace) -> None:
    """Add people, and write the slips of those who are new."""
    people, decisions = people_in(options.people)
    address = options.address or (accounts.path.exists() and accounts.read()["address"])
    if not address or not re.fullmatch(r"https://[^\s/]+(/\S*)?", address):
        raise AccountError("Say where the hub will be, for the slips: --address https://hub.example.gov.uk")
    if options.until and options.until < date.today():
        raise AccountError(f"{options.until} is over. Give the last day of the session, or a later one.")
    slips = accounts.add(people, address, options.until)
    until = accounts.read()["until"]
    for sentence in decisions:
        print(sentence)
    kept = len(people) - len(slips)
    print(f"Accounts made: {len(slips)}. Kept as they were: {kept}. They end after {until}.")
    if slips:
        paths = write_slips(accounts.folder, slips, address, until)
        print("Joining slips, to print and cut, and for a mail merge:", *paths, SECRET, sep="\n")


def _give_new_code(accounts: Accounts, user: str) -> None:
    """Show a new code once, on the screen."""
    accounts.read()
    slip = accounts.new_code(user)
    first = _address_of_first(accounts.read()["address"])
    print(f"New code for {slip.user} ({slip.person.name}): {slip.code}\nIt is used at {first}")
    print("The old code and passphrase no longer work. A running hub ends their sessions within 5 seconds.")


def _show(accounts: Accounts) -> None:
    """Who has which account, and whether the code was used."""
    content = accounts.read()
    print(f"Accounts in {accounts.path}, which end after {content['until']}:")
    for user, one in sorted(content["people"].items()):
        state = "has a passphrase" if one["passphrase"] else "code not used yet"
        print(f"{user:14} {one['role']:8} {state:18} {one['name']}")
