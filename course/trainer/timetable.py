"""A timetable for a room, made from the minutes that each lab states, as a page and as a calendar file.

    python3 -m course trainer timetable one-day 2026-12-01T09:30
    python3 -m course trainer timetable one-day 2026-12-01T09:30 --labs 1 2 4 16

A day is put together in sittings. A sitting holds whole labs, then time to catch up: a sixth of the labs'
minutes or a little more, since thirty people do not finish together. No sitting is longer than 90 minutes.
Between two sittings there is a break, and once, near midday, lunch.

The calendar file follows RFC 5545 (Internet Calendaring and Scheduling), with the clock of Europe/London as
it is on the day, in winter or summer.
"""

from __future__ import annotations

import argparse
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

from course.data import DataError
from course.files import write_whole
from course.pages import page
from course.trainer.labs import Lab, all_labs

LONGEST_SITTING = 90  # minutes without a break
BREAK, LUNCH, WELCOME, CLOSE, OPEN_AGAIN, CLOSE_DAY, OWN_TABLE = 15, 60, 20, 20, 10, 10, 20
MIDDAY = 12 * 60 + 15  # lunch begins at the break nearest to this minute of the day


@dataclass(frozen=True)
class Length:
    """How long a session is: its days, the minutes of each from first to last, and the labs that it holds.

    `starts` are the earliest and the latest hour at which a day may begin.
    """

    words: str
    days: int
    minutes: int
    starts: tuple[float, float]
    labs: tuple[int, ...]


# Each path begins with what synthetic data is (1), the ladder (2) and an attack (3). The longer ones end with
# lab 23, a table as people have it. A half day has no room for it: there, the trainer shows it.
LENGTHS = {
    "half-day": Length("half a day", 1, 210, (7, 19), (1, 2, 3)),
    "one-day": Length("one day", 1, 420, (8, 10.5), (1, 2, 3, 4, 23)),
    "two-days": Length("two days", 2, 420, (8, 10.5), (1, 2, 3, 4, 15, 17, 18, 19, 23)),
}


@dataclass(frozen=True)
class Slot:
    """One line of a timetable. `kind` is welcome, lab, catch-up, break, lunch, show or close."""

    start: datetime
    minutes: int
    kind: str
    title: str
    note: str = ""
    lab: int | None = None

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class Day:
    """The lines of one day in order, and when the day must end at the latest."""

    slots: tuple[Slot, ...]
    limit: datetime

    @property
    def end(self) -> datetime:
        return self.slots[-1].end

    @property
    def spare(self) -> int:
        """Minutes in hand at the end of the day; below nought, the day is too long."""
        return int((self.limit - self.end).total_seconds()) // 60


@dataclass(frozen=True)
class Timetable:
    """One session: its length by name, its days, its labs in order."""

    name: str
    days: tuple[Day, ...]
    labs: tuple[Lab, ...]

    @property
    def length(self) -> Length:
        return LENGTHS[self.name]

    def missing(self) -> list[str]:
        """A sentence for each lab that builds on labs that do not come before it."""
        said, before = [], set()
        for lab in self.labs:
            if absent := [number for number in lab.needs if number not in before]:
                are = "are" if len(absent) > 1 else "is"
                said.append(f"Lab {lab.number} builds on {labs_in_words(absent)}, which {are} not before it.")
            before.add(lab.number)
        return said


# ------------------------------------------------------------------------------ putting a day together


def plan(name: str, start: datetime, labs: Iterable[int] = ()) -> Timetable:
    """A timetable of the length called `name`, from `start`, with the path's labs or those given by number.

    `start` has no time zone: it is what a clock in the room shows. The second of two days is the next that is
    no Saturday or Sunday. Raises DataError if the labs do not fit: one sentence, with what to leave out.
    """
    length, known = _length(name), all_labs()
    numbers = list(labs) or list(length.labs)
    if unknown := [number for number in numbers if number not in known]:
        raise DataError(f"There is no lab {unknown[0]}: choose from 1 to {max(known)}.")
    if len(set(numbers)) < len(numbers):
        raise DataError("A lab is named twice: name each lab once.")
    if len(numbers) < length.days:
        raise DataError(f"One lab does not fill {length.words}: choose a shorter session, or name more labs.")
    hour = start.hour + start.minute / 60
    if not length.starts[0] <= hour <= length.starts[1]:
        first, last = (f"{int(when):02}:{int(when % 1 * 60):02}" for when in length.starts)
        raise DataError(f"A session of {length.words} begins between {first} and {last}: choose such a time.")
    found = _days(length, start.replace(second=0, microsecond=0), [known[number] for number in numbers])
    if too_long := _overrun(found):
        raise DataError(_does_not_fit(name, start, numbers, too_long))
    return Timetable(name, found, tuple(known[number] for number in numbers))


def _length(name: str) -> Length:
    if name not in LENGTHS:
        raise DataError(f"There is no session called {name}: choose {', '.join(LENGTHS)}.")
    return LENGTHS[name]


def _days(length: Length, start: datetime, labs: list[Lab]) -> tuple[Day, ...]:
    """One day, or the two most even days: those that fit are taken before those that do not."""
    if length.days == 1:
        return (_day(length, start, labs, first=True, last=True),)
    later = _next_working_day(start)
    cuts = [
        (_day(length, start, labs[:cut], first=True), _day(length, later, labs[cut:], last=True))
        for cut in range(1, len(labs))
    ]
    return min(cuts, key=lambda days: (_overrun(days), -min(day.spare for day in days)))


def _next_working_day(day: datetime) -> datetime:
    later = day + timedelta(days=1)
    return later if later.weekday() < 5 else _next_working_day(later)


def _overrun(days: tuple[Day, ...]) -> int:
    """Minutes by which days are too long, all together."""
    return sum(max(0, -day.spare) for day in days)


def _day(length: Length, start: datetime, labs: list[Lab], first=False, last=False) -> Day:
    """One day from its labs: sittings, breaks between them, and lunch near midday in a whole day."""
    opening = (WELCOME, "welcome", "Welcome", "Sign in, and open the first lab.") if first else (
        (OPEN_AGAIN, "welcome", "Good morning", "What we know from yesterday, in three sentences.")
    )  # fmt: skip
    closing = [(CLOSE, "close", "Wrap-up", "One decision each, and where to go next.")] if last else [
        (CLOSE_DAY, "close", "End of the day", "One question each, to start tomorrow with.")
    ]  # fmt: skip
    if 23 not in {lab.number for lab in labs} and length.minutes < 300:
        shown = "Shown by the trainer: what the course does with a file."
        closing.insert(0, (OWN_TABLE, "show", "Your own table", shown))
    sittings = _sittings(opening, labs, closing)
    lunch = _lunch(start, sittings) if length.minutes >= 300 else None
    slots: list[Slot] = []
    clock = start
    for place, sitting in enumerate(sittings):
        pause = (LUNCH, "lunch", "Lunch", "") if place == lunch else (BREAK, "break", "Break", "")
        for minutes, *what in ([pause] if place else []) + sitting:
            slots.append(Slot(clock, minutes, *what))
            clock = slots[-1].end
    return Day(tuple(slots), start + timedelta(minutes=length.minutes))


def _sittings(opening: tuple, labs: list[Lab], closing: list[tuple]) -> list[list[tuple]]:
    """Lines in groups of 90 minutes at most, each with its time to catch up: (minutes, kind, title, note)."""
    sittings, before, held = [], [opening], []
    for lab in labs:
        if held and _minutes(_caught_up(before, [*held, lab])) > LONGEST_SITTING:
            sittings.append(_caught_up(before, held))
            before, held = [], []
        held.append(lab)
    sittings.append(_caught_up(before, held))
    if _minutes(sittings[-1] + closing) > LONGEST_SITTING:
        sittings.append([])
    sittings[-1] += closing
    return sittings


def _caught_up(before: list[tuple], labs: list[Lab]) -> list[tuple]:
    """Labs as lines, and after them a sixth of their minutes to catch up, in whole fives."""
    lines = [
        (lab.minutes, "lab", f"Lab {lab.number}: {lab.title}",
         f"{lab.reading} minutes to read, {lab.practice} to practise.", lab.number)
        for lab in labs
    ]  # fmt: skip
    spare = -(-sum(lab.minutes for lab in labs) // 30) * 5
    return [*before, *lines, (spare, "catch-up", "Catching up, and questions", "")]


def _minutes(lines: list[tuple]) -> int:
    return sum(line[0] for line in lines)


def _lunch(start: datetime, sittings: list[list[tuple]]) -> int | None:
    """The sitting before which lunch stands: the one whose break would be nearest to midday."""
    clock, pauses = start.hour * 60 + start.minute, {}
    for place, sitting in enumerate(sittings[:-1], 1):
        clock += _minutes(sitting)
        pauses[place] = abs(clock - MIDDAY)
        clock += BREAK
    return min(pauses, key=pauses.get, default=None)


def _does_not_fit(name: str, start: datetime, numbers: list[int], too_long: int) -> str:
    """One sentence: how much too long it is, and what to leave out. The path's own labs are kept longest."""
    length, known, path = LENGTHS[name], all_labs(), LENGTHS[name].labs
    keep, out = list(numbers), []
    by_need = sorted(numbers, key=lambda lab: (lab in path, lab == 23, -numbers.index(lab)))
    for number in by_need[: len(numbers) - length.days]:
        if not _overrun(_days(length, start, [known[one] for one in keep])):
            break
        keep.remove(number)
        out.append(number)
    these, those = labs_in_words(sorted(numbers)).capitalize(), labs_in_words(sorted(out))
    return f"{these} do not fit in {length.words}: {too_long} minutes too long. Leave out {those}."


def labs_in_words(numbers: Sequence[int]) -> str:
    """Labs in words: "lab 2", "labs 2, 3 and 19"."""
    *most, final = map(str, numbers)
    return f"labs {', '.join(most)} and {final}" if most else f"lab {final}"


# ------------------------------------------------------------------------------ as a page


def on_a_page(timetable: Timetable) -> str:
    """The timetable as one page that asks no host for anything, and prints."""
    first, last = timetable.days[0].slots[0].start, timetable.days[-1].slots[0].start
    when = in_words(first) if first.date() == last.date() else f"{in_words(first)} and {in_words(last)}"
    body = (
        f"<h1>Synthetic Data in Practice: {escape(timetable.length.words)}</h1>"
        f"{tables(timetable)}{notes(timetable)}"
    )
    return page(f"Synthetic Data in Practice, {when}", body)


def in_words(day: datetime) -> str:
    """A date as people write it: "Tuesday 1 December 2026"."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def tables(timetable: Timetable, dated: bool = True) -> str:
    """One table for each day. `dated` puts the date above it, otherwise the number of the day."""
    made = []
    for number, day in enumerate(timetable.days, 1):
        words = timetable.length.words if timetable.length.days == 1 else f"day {number} of two"
        caption = in_words(day.slots[0].start) if dated else words.capitalize()
        rows = "".join(map(_row, day.slots))
        head = "".join(f'<th scope="col">{name}</th>' for name in ("Time", "Minutes", "What", "How"))
        made.append(
            f'<div class="wide wide-table" role="region" aria-label="Timetable: {caption}" tabindex="0">'
            f'<table class="table timetable"><caption>{caption}</caption><thead><tr>{head}</tr></thead>'
            f"<tbody>{rows}</tbody></table></div>"
        )
    return "".join(made)


def _row(slot: Slot) -> str:
    start, end = (f'<time datetime="{one:%H:%M}">{one:%H:%M}</time>' for one in (slot.start, slot.end))
    title = f"<strong>{escape(slot.title)}</strong>" if slot.kind == "lab" else escape(slot.title)
    return (
        f'<tr><th scope="row" style="white-space: nowrap">{start} to {end}</th>'
        f'<td class="number">{slot.minutes}</td><td>{title}</td>'
        f"<td>{escape(slot.note)}</td></tr>"
    )


def notes(timetable: Timetable) -> str:
    """What is in hand at the end of each day, and what a lab builds on that is not there, as a list."""
    said = [
        f"Day {number} ends at {day.end:%H:%M}. The room is needed until {day.limit:%H:%M}: "
        f"{day.spare} minutes are in hand."
        for number, day in enumerate(timetable.days, 1)
    ]
    if len(said) == 1:
        said = [said[0].replace("Day 1 ends", "The session ends")]
    return "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in said + timetable.missing()) + "</ul>"


# ------------------------------------------------------------------------------ as a calendar file

# Since 1996 the United Kingdom changes at 01:00 UTC on the last Sundays of March and October.
LONDON = """BEGIN:VTIMEZONE
TZID:Europe/London
BEGIN:DAYLIGHT
TZOFFSETFROM:+0000
TZOFFSETTO:+0100
TZNAME:BST
DTSTART:19960331T010000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0100
TZOFFSETTO:+0000
TZNAME:GMT
DTSTART:19961027T020000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE"""


def as_calendar(timetable: Timetable, made: datetime | None = None) -> str:
    """The timetable as an iCalendar file: one event for each line, in the clock of Europe/London.

    `made` is when the file was made, by default now. The same session made again has the same UIDs (unique
    identifiers), so a calendar replaces its events and does not double them.
    """
    stamp = (made or datetime.now(UTC)).astimezone(UTC)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Synthetic Data in Practice//Timetable//EN"]
    lines += ["CALSCALE:GREGORIAN", *LONDON.splitlines()]
    for day in timetable.days:
        for place, slot in enumerate(day.slots):
            lines += _event(slot, f"{timetable.name} {slot.start.date()} {place}", stamp)
    return "".join(f"{folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _event(slot: Slot, key: str, stamp: datetime) -> list[str]:
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:synthetic-data-in-practice:{key}")
    busy = "TRANSPARENT" if slot.kind in ("break", "lunch") else "OPAQUE"
    lines = ["BEGIN:VEVENT", f"UID:{name}", f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}"]
    lines += [f"DTSTART;TZID=Europe/London:{slot.start:%Y%m%dT%H%M%S}"]
    lines += [f"DTEND;TZID=Europe/London:{slot.end:%Y%m%dT%H%M%S}", f"SUMMARY:{_text(slot.title)}"]
    lines += [f"DESCRIPTION:{_text(slot.note)}"] if slot.note else []
    return [*lines, f"TRANSP:{busy}", "END:VEVENT"]


def _text(words: str) -> str:
    """Text as a calendar wants it (RFC 5545, 3.3.11)."""
    return re.sub(r"([\\;,])", r"\\\1", words).replace("\n", "\\n")


def folded(line: str) -> str:
    """A line in pieces of 75 octets at most, none of which cuts a character in two (RFC 5545, 3.1)."""
    pieces = [b""]
    for character in line:
        octets = character.encode()
        if len(pieces[-1]) + len(octets) > 75:
            pieces.append(b" ")  # a piece that carries on begins with a space, which counts
        pieces[-1] += octets
    return b"\r\n".join(pieces).decode()


# ------------------------------------------------------------------------------ the command


def file_name(timetable: Timetable) -> str:
    """The name of a timetable's files, without their endings."""
    return f"timetable-{timetable.days[0].slots[0].start:%Y-%m-%d}-{timetable.name}"


def write(timetable: Timetable, folder: Path, made: datetime | None = None) -> list[Path]:
    """Write the page and the calendar file into a folder, over those of the same session."""
    name = file_name(timetable)
    texts = {"html": on_a_page(timetable), "ics": as_calendar(timetable, made)}
    files = {folder / f"{name}.{kind}": text for kind, text in texts.items()}
    for path, text in files.items():
        try:
            write_whole(path, text)
        except OSError as error:
            why = error.strerror or "why is unknown"
            raise DataError(f"{path} cannot be written ({why}): go to a folder of your own.") from None
    return list(files)


def a_time(words: str) -> datetime:
    """A date with or without a time, as 2026-12-01T09:30; half past nine if there is none."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d)?", words.strip()):
        raise DataError(f"{words!r} is no start: write the date and the time like 2026-12-01T09:30.")
    try:
        found = datetime.fromisoformat(words.strip())
    except ValueError:
        raise DataError(f"There is no {words!r}: write a day and a time that exist.") from None
    return found if ":" in words else found.replace(hour=9, minute=30)


def main(arguments: list[str]) -> int:
    """Write a timetable, and say what is in it."""
    words = argparse.ArgumentParser(
        prog="python3 -m course trainer timetable",
        description="A timetable from the labs' own minutes, as a page and as a calendar file.",
    )
    words.add_argument("length", metavar="LENGTH", help=", ".join(LENGTHS))
    words.add_argument("start", metavar="START", help="the first day and its time, like 2026-12-01T09:30")
    words.add_argument("--labs", type=int, nargs="+", default=[], help="other labs, by number, in your order")
    chosen = words.parse_args(arguments)
    timetable = plan(chosen.length, a_time(chosen.start), chosen.labs)
    files = write(timetable, Path())
    for day in timetable.days:
        print(f"\n{in_words(day.slots[0].start)}, {day.spare} minutes in hand at the end")
        for slot in day.slots:
            print(f"  {slot.start:%H:%M} to {slot.end:%H:%M}  {slot.title}")
    print("", *timetable.missing(), *(f"Wrote {path}" for path in files), sep="\n")
    return 0
