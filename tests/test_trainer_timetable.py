"""A trainer's timetable: whole labs, breaks in time, a day that fits, and a calendar that says the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from test_site import accessibility_faults

from course import tasks
from course.data import DataError
from course.environment import ROOT
from course.trainer import timetable
from course.trainer.__main__ import main
from course.trainer.labs import all_labs
from course.trainer.timetable import LENGTHS, plan

MONDAY = datetime(2026, 11, 30, 9, 30)
LABS = all_labs()
every_time = settings(max_examples=80, deadline=None, derandomize=True)

sessions = some.tuples(
    some.sampled_from(list(LENGTHS)),
    some.dates(datetime(2026, 1, 1).date(), datetime(2030, 12, 31).date()),
    some.integers(8 * 12, 10 * 12 + 6),  # steps of five minutes since midnight, where every length may begin
    some.one_of(
        some.just([]), some.lists(some.sampled_from(sorted(LABS)), min_size=2, max_size=9, unique=True)
    ),
)


def planned(session):
    """A timetable, or None and the sentence of why not."""
    name, day, steps, labs = session
    start = datetime(day.year, day.month, day.day) + timedelta(minutes=5 * steps)
    try:
        return plan(name, start, labs), ""
    except DataError as problem:
        return None, str(problem)


# What holds of every timetable ----------------------------------------------------------------------------


@every_time
@given(sessions)
def test_a_timetable_keeps_its_promises(session):
    made, problem = planned(session)
    if made is None:
        assert re.search(r"do not fit in .*: \d+ minutes too long\. Leave out labs? \d", problem)
        return
    asked = session[3] or LENGTHS[session[0]].labs
    slots = [slot for day in made.days for slot in day.slots]
    assert sorted(slot.lab for slot in slots if slot.lab) == sorted(asked), "every lab once, and no other"
    for slot in slots:
        assert slot.lab is None or slot.minutes == LABS[slot.lab].minutes
    for day in made.days:
        assert all(one.end == other.start for one, other in pairwise(day.slots)), "nothing overlaps"
        assert day.spare >= 0 and day.end <= day.limit
        assert day.limit - day.slots[0].start == timedelta(minutes=made.length.minutes)
        assert longest_sitting(day) <= 90
        lunches = [slot for slot in day.slots if slot.kind == "lunch"]
        assert len(lunches) <= (made.length.minutes > 300)
        taught = sum(slot.minutes for slot in day.slots if slot.lab)
        assert sum(slot.minutes for slot in day.slots if slot.kind == "catch-up") >= taught / 6


def longest_sitting(day) -> int:
    """The most minutes between two pauses."""
    longest = sitting = 0
    for slot in day.slots:
        sitting = 0 if slot.kind in ("break", "lunch") else sitting + slot.minutes
        longest = max(longest, sitting)
    return longest


@every_time
@given(sessions)
def test_what_is_left_out_makes_it_fit(session):
    made, problem = planned(session)
    if made is None:
        out = {int(number) for number in re.findall(r"\d+", problem.partition("Leave out")[2])}
        keep = [lab for lab in session[3] if lab not in out]
        assert out < set(session[3]) and planned((*session[:3], keep))[0], problem


@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("time", ["08:00", "09:00", "09:30", "10:00", "10:30"])
def test_each_path_fits_with_lunch_near_midday(name, time):
    made = plan(name, datetime.fromisoformat(f"2026-12-01T{time}"))
    for day in made.days:
        lunch = [slot.start.hour + slot.start.minute / 60 for slot in day.slots if slot.kind == "lunch"]
        assert lunch == [] if name == "half-day" else 11 <= lunch[0] <= 13.25


def test_longer_paths_end_with_a_table_of_ones_own():
    assert all(length.labs[:3] == (1, 2, 3) for length in LENGTHS.values())
    assert {name for name, length in LENGTHS.items() if length.labs[-1] == 23} == {"one-day", "two-days"}
    assert "show" in {slot.kind for slot in plan("half-day", MONDAY).days[0].slots}


def test_what_a_lab_builds_on_is_said():
    assert plan("one-day", MONDAY).missing() == ["Lab 23 builds on lab 19, which is not before it."]
    assert plan("half-day", MONDAY, [3, 1, 2]).missing() == [
        "Lab 3 builds on labs 1 and 2, which are not before it."
    ]
    assert LABS[12].needs == (1, 2, 3) and LABS[14].needs == (2, 3) and LABS[1].needs == ()


def test_a_friday_goes_on_on_monday():
    days = plan("two-days", datetime(2026, 12, 4, 9, 30)).days
    assert [day.slots[0].start.date().isoformat() for day in days] == ["2026-12-04", "2026-12-07"]


@pytest.mark.parametrize(
    "name, start, labs, words",
    [
        ("three-days", "2026-12-01", [], "There is no session called three-days"),
        ("one-day", "2026-12-01T13:00", [], "begins between 08:00 and 10:30"),
        ("one-day", "2026-12-01", [1, 99], "There is no lab 99: choose from 1 to"),
        ("one-day", "2026-12-01", [1, 1], "name each lab once"),
        ("two-days", "2026-12-01", [1], "does not fill two days"),
        ("one-day", "1 December", [], "is no start"),
        ("one-day", "2026-02-30", [], "a day and a time that exist"),
        ("half-day", "2026-12-01", [1, 2, 3, 23], "Leave out lab"),
    ],
)
def test_bad_words_get_one_sentence(tmp_path, capsys, name, start, labs, words):
    more = ["--labs", *map(str, labs)] if labs else []
    assert main(["--in", str(tmp_path), "timetable", name, start, *more]) == 1
    said = capsys.readouterr().out.strip()
    assert words in said and "\n" not in said and said.endswith(".")
    assert list(tmp_path.iterdir()) == []


# The two files say the same -------------------------------------------------------------------------------


class Rows(HTMLParser):
    """The cells of every row of a page's tables, and the captions."""

    def __init__(self, text: str):
        super().__init__()
        self.rows: list[list[str]] = []
        self.captions: list[str] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th", "caption"):
            self.inside = tag
            (self.captions if tag == "caption" else self.rows[-1]).append("")

    def handle_endtag(self, tag):
        self.inside = "" if tag == self.inside else self.inside

    def handle_data(self, data):
        if self.inside:
            (self.captions if self.inside == "caption" else self.rows[-1])[-1] += data


def events(text: str) -> list[dict[str, str]]:
    """The events of a calendar file, read by the rules of RFC 5545 and by nothing of the course."""
    assert text.endswith("\r\n") and "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    lines = text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    found: list[dict[str, str]] = []
    for line in lines:
        name, value = line.split(":", 1)
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found:
            value = re.sub(r"\\(.)", lambda one: "\n" if one[1] in "nN" else one[1], value)
            found[-1].setdefault(name, value)
    return found


def local(event: dict[str, str], name: str) -> datetime:
    return datetime.strptime(event[f"{name};TZID=Europe/London"], "%Y%m%dT%H%M%S")


@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("day", ["2026-12-01", "2026-07-06"])
def test_page_and_calendar_say_the_same(tmp_path, name, day):
    made = plan(name, timetable.a_time(day))
    page, calendar = timetable.write(made, tmp_path)
    table = Rows(page.read_text(encoding="utf-8"))
    shown = [row for row in table.rows if row[0] != "Time"]
    listed = events(calendar.read_bytes().decode())
    assert len({event["UID"] for event in listed}) == len(listed) == len(shown)
    for row, event in zip(shown, listed, strict=True):
        start, end = (local(event, name) for name in ("DTSTART", "DTEND"))
        assert row[0] == f"{start:%H:%M} to {end:%H:%M}" and int(row[1]) == (end - start).seconds / 60
        assert row[2] == event["SUMMARY"] and row[3] == event.get("DESCRIPTION", "")
        assert timetable.in_words(start) in table.captions
    assert timetable.write(made, tmp_path) == [page, calendar], "made again, it takes the place of the first"


@pytest.mark.parametrize(
    "day, offset",
    [("2026-03-27", 0), ("2026-03-30", 1), ("2026-10-23", 1), ("2026-10-26", 0), ("2027-03-29", 1)],
)
def test_the_clock_is_that_of_the_day_in_london(day, offset):
    """The rules in the file change the clock on the same days as the time zone database does."""
    start = timetable.a_time(day)
    zone = timetable.LONDON
    changes = {
        part: rule_day(start.year, month)
        for part, month in re.findall(r"BEGIN:(DAYLIGHT|STANDARD).*?BYMONTH=(\d+);BYDAY=-1SU", zone, re.S)
    }
    summer = changes["DAYLIGHT"] <= start < changes["STANDARD"]
    assert summer == bool(offset)
    known = start.replace(tzinfo=ZoneInfo("Europe/London")).astimezone(UTC)
    assert (start - known.replace(tzinfo=None)) == timedelta(hours=offset)
    assert f"DTSTART;TZID=Europe/London:{start:%Y%m%d}T093000" in timetable.as_calendar(
        plan("one-day", start)
    )


def rule_day(year: int, month: str) -> datetime:
    """The last Sunday of a month, at one o'clock."""
    last = datetime(year, int(month), 31, 1)
    return last - timedelta(days=(last.weekday() + 1) % 7)


@every_time
@given(some.text(alphabet=some.characters(exclude_categories=["Cc", "Cs"]), max_size=300))
def test_folded_lines_come_back_whole(text):
    pieces = timetable.folded(text).split("\r\n")
    assert all(len(piece.encode()) <= 75 for piece in pieces)
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == text


def test_a_calendar_keeps_the_time_it_was_made():
    made = datetime(2026, 11, 22, 15, 4, 5, tzinfo=UTC)
    stamps = {event["DTSTAMP"] for event in events(timetable.as_calendar(plan("half-day", MONDAY), made))}
    assert stamps == {"20261122T150405Z"}


# The page, and the command --------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_timetable_page_meets_wcag_and_asks_for_nothing(browser, tmp_path, scheme):
    page, _ = timetable.write(plan("two-days", MONDAY), tmp_path)
    context = browser.new_context(viewport={"width": 320, "height": 800}, color_scheme=scheme)
    tab = context.new_page()
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    faults, wide = accessibility_faults(tab), tab.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert (faults, asked, wide <= 320) == ([], [page.as_uri()], True)


def test_the_book_names_the_labs_of_each_path():
    page = (ROOT / "book" / "trainer-timetables.md").read_text(encoding="utf-8")
    assert "| Half a day | 1, 2, 3 |" in page and LENGTHS["half-day"].labs == (1, 2, 3)
    assert "| One day | The same, then 4 and 23 |" in page and LENGTHS["one-day"].labs[3:] == (4, 23)
    assert "| Two days | The same, and 15, 17, 18, 19 before 23 |" in page
    assert LENGTHS["two-days"].labs == (1, 2, 3, 4, 15, 17, 18, 19, 23)
    assert sum(lab.minutes for lab in LABS.values()) > 3 * 7 * 60, "the page says: more than three days"


def test_the_command_writes_where_the_person_is(monkeypatch):
    handed = []
    monkeypatch.setattr(tasks, "ready_python", lambda: "python")
    monkeypatch.setattr(tasks, "run_python", lambda python, words: handed.append(words) or 0)
    assert tasks.trainer(["timetable", "one-day", "2026-12-01"]) == 0
    assert handed[0][:3] == ["-m", "course.trainer", "--in"] and handed[0][-1] == "2026-12-01"
    assert main(["help"]) == 0 and main(["nothing"]) == 2
