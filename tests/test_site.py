"""The book, opened in a real browser: every page, light and dark, wide and narrow, by keyboard, as a file.

The book is built first, with warnings as errors. Each page is then opened a few times in one headless
Chromium, and each visit is kept, so that one test can look at one thing and name the page it is about.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
WIDE, NARROW = 1280, 320
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE_COLOUR_RULES = ["color-contrast", "link-in-text-block"]  # axe's category "cat.color" at these levels


def pages_in_contents() -> list[str]:
    """Every page of the book, as its address in the site: those in the contents, and the search."""
    contents = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
    files = [contents["root"]]
    files += [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    return [f"{file}.html" for file in files] + ["search.html"]


PAGES = pages_in_contents()
every_page = pytest.mark.parametrize("page", PAGES)
both_widths = pytest.mark.parametrize("width", [WIDE, NARROW])


# The built site and the browser ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def site() -> Path:
    """The book, built anew unless it has just been; any warning fails the build."""
    if os.environ.get("COURSE_BOOK_IS_NEW"):
        return SITE
    shutil.rmtree(SITE, ignore_errors=True)
    program = "from jupyter_book.cli.main import main; main()"
    arguments = ["build", ".", "--toc", "book/_toc.yml", "-W", "-n", "--all"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, f"The book does not build:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return SITE


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without writing a line for each."""

    def log_message(self, *args) -> None:
        pass


@pytest.fixture(scope="session")
def address(site):
    """The site on this machine's own loopback address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@dataclass
class Visit:
    """What one visit to one page showed."""

    faults: dict[str, list[str]] = field(default_factory=dict)  # axe findings, by colour scheme
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    page_width: int = 0
    charts: list[dict] = field(default_factory=list)
    pressed: dict = field(default_factory=dict)


def listen(tab, visit: Visit) -> None:
    """Write down every request and every error of a tab."""
    tab.on("request", lambda request: visit.requests.append(request.url))
    tab.on("console", lambda said: visit.errors.append(said.text) if said.type == "error" else None)
    tab.on("pageerror", lambda error: visit.errors.append(str(error)))
    tab.on("requestfailed", lambda request: visit.errors.append(f"failed: {request.url}"))


# The theme lets the keyboard into a wide table a moment after the table is shown.
REACHED = """() => [...document.querySelectorAll('.pst-scrollable-table-container')].every(
    (box) => box.tabIndex === 0 || box.scrollWidth <= box.clientWidth)"""


def open_everything(tab) -> None:
    """Open all that opens, and scroll past every chart until it is drawn."""
    tab.evaluate("document.querySelectorAll('article details').forEach((details) => (details.open = true))")
    for chart in tab.query_selector_all(".course-chart"):
        chart.scroll_into_view_if_needed()
        tab.wait_for_function("(chart) => chart.querySelector('svg.main-svg')", arg=chart, timeout=10_000)
    tab.evaluate("scrollTo(0, 0)")
    tab.wait_for_function(REACHED, timeout=5_000)


def accessibility_faults(tab, colours_only: bool = False) -> list[str]:
    """What axe-core finds against WCAG 2.0, 2.1 and 2.2, levels A and AA; or by its rules about colour alone.

    A page that was looked at in light colours is the same page in dark ones: only its colours are new.
    """
    from axe_playwright_python.sync_playwright import Axe

    rules = {"type": "rule", "values": AXE_COLOUR_RULES}
    # Without "preload", axe would ask for every style sheet again, and misread the addresses in some.
    options = {
        "runOnly": rules if colours_only else {"type": "tag", "values": AXE_TAGS},
        "resultTypes": ["violations"],
        "preload": False,
    }
    found = Axe().run(tab, options=options).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


CHART_FACTS = """() => [...document.querySelectorAll('.course-chart')].map((chart) => ({
    name: chart.getAttribute('aria-label'),
    role: chart.getAttribute('role'),
    ink: getComputedStyle(chart.querySelector('.xtick text, .ytick text, text')).fill,
    overflows: chart.querySelector('svg').getBoundingClientRect().right > innerWidth,
    table: Boolean(chart.closest('.cell_output')?.querySelector('details.chart-data table')),
}))"""


@pytest.fixture(scope="session")
def visits(browser, address):
    """Open a page at one width, in light and then in dark colours. Each page and width is opened once.

    Wide pages turn dark because the device asks for it; narrow ones because the button was pressed.
    """

    @cache
    def visit(page: str, width: int) -> Visit:
        seen = Visit()
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme="light")
        tab = context.new_page()
        listen(tab, seen)
        tab.goto(f"{address}/{page}", wait_until="load")
        open_everything(tab)
        seen.page_width = tab.evaluate("document.documentElement.scrollWidth")
        seen.faults["light"] = accessibility_faults(tab)
        light = tab.evaluate(CHART_FACTS)
        if width == WIDE:
            tab.emulate_media(color_scheme="dark")
        else:
            while tab.evaluate("document.documentElement.dataset.mode") != "dark":
                tab.click(".theme-switch-button")
        tab.wait_for_function("document.documentElement.dataset.theme === 'dark'", timeout=3_000)
        tab.wait_for_timeout(50)
        seen.faults["dark"] = accessibility_faults(tab, colours_only=True)
        dark = tab.evaluate(CHART_FACTS)
        seen.charts = [{**one, "dark_ink": other["ink"]} for one, other in zip(light, dark, strict=True)]
        context.close()
        return seen

    return visit


# Each page, by what it must be ----------------------------------------------------------------------------


@every_page
@both_widths
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_meets_wcag(visits, page, width, scheme):
    assert visits(page, width).faults[scheme] == []


@every_page
@both_widths
def test_page_asks_no_other_host(visits, address, page, width):
    others = [
        url for url in visits(page, width).requests if not url.startswith((f"{address}/", "data:", "blob:"))
    ]
    assert others == []


@every_page
@both_widths
def test_page_has_no_errors(visits, page, width):
    assert visits(page, width).errors == []


@every_page
def test_page_does_not_scroll_sideways(visits, page):
    assert visits(page, NARROW).page_width <= NARROW


@every_page
@both_widths
def test_charts_are_named_drawn_and_backed_by_numbers(visits, page, width):
    for chart in visits(page, width).charts:
        assert chart["role"] == "img" and len(chart["name"]) > 20
        assert chart["table"], f"No table of numbers beside: {chart['name']}"
        assert not chart["overflows"], f"Wider than the page: {chart['name']}"
        assert chart["ink"] != chart["dark_ink"], f"Does not follow light and dark: {chart['name']}"


# As a file, with the keyboard alone -----------------------------------------------------------------------

REACHABLE = """() => [...document.querySelectorAll(
    'a[href], button, summary, input, select, textarea, [tabindex="0"]')].filter((control) => {
    const box = control.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && control.checkVisibility({ visibilityProperty: true })
        && !control.disabled && control.tabIndex >= 0;
}).map((control, i) => { control.dataset.control = i; return control.outerHTML.slice(0, 150); })"""

FOCUSED = """() => {
    const control = document.activeElement;
    const style = getComputedStyle(control);
    const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const name = control === document.body ? null : control.dataset.control ?? 'other';
    return [name, seen, control.outerHTML.slice(0, 150)];
}"""


@every_page
def test_keyboard_opens_and_reaches_everything(browser, site, page):
    """Enter opens whatever is closed; then Tab stops at every control, and each stop can be seen."""
    seen = Visit()
    context = browser.new_context(viewport={"width": WIDE, "height": 900})
    tab = context.new_page()
    listen(tab, seen)
    tab.goto((site / page).as_uri(), wait_until="load")
    closed = []
    for summary in tab.query_selector_all("article details:not([open]) > summary"):
        summary.focus()
        tab.keyboard.press("Enter")
        if not summary.evaluate("(summary) => summary.parentElement.open"):
            closed.append(summary.inner_text())
    tab.wait_for_timeout(400)  # the theme waits 300 ms before it lets the keyboard into boxes that scroll
    controls = tab.evaluate(REACHABLE)
    tab.evaluate("document.activeElement.blur()")
    reached, unseen = set(), []
    for _ in range(len(controls) + 10):
        tab.keyboard.press("Tab")
        control, visible, html = tab.evaluate(FOCUSED)
        if control is not None:
            reached.add(control)
            if not visible:
                unseen.append(html)
    context.close()
    assert closed == [], "The Enter key does not open these"
    assert [html for i, html in enumerate(controls) if str(i) not in reached] == [], (
        "The Tab key does not reach these"
    )
    assert unseen == [], "Focus cannot be seen on these"
    assert seen.errors == [], "Errors when the page is opened as a file"


def test_search_works_as_a_file(browser, site):
    seen = Visit()
    tab = browser.new_page()
    listen(tab, seen)
    tab.goto(f"{(site / 'search.html').as_uri()}?q=fidelity", wait_until="load")
    tab.wait_for_selector("#search-results li a", timeout=5_000)
    found = tab.eval_on_selector_all("#search-results li a", "(links) => links.map((link) => link.href)")
    tab.close()
    assert any("glossary.html" in link for link in found)
    assert seen.errors == []


@pytest.mark.parametrize("width, button", [(NARROW, "Pages"), (NARROW, "On this page"), (WIDE, "Search")])
def test_menus_open_close_and_give_the_focus_back(browser, address, width, button):
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto(f"{address}/book/what-synthetic-data-is.html", wait_until="load")
    opener = tab.get_by_role("button", name=button)
    opener.focus()
    tab.keyboard.press("Enter")
    dialog = tab.get_by_role("dialog", name=button)
    dialog.wait_for(state="visible", timeout=3_000)
    tab.keyboard.press("Escape")
    dialog.wait_for(state="hidden", timeout=3_000)
    assert opener.evaluate("(button) => button === document.activeElement")
    tab.keyboard.press("Enter")
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="hidden", timeout=3_000)
    tab.close()


COLUMN = """(table, place) => [...table.tBodies[0].rows].map((row) => row.cells[place])
    .filter((cell) => cell.dataset.value !== undefined).map((cell) => Number(cell.dataset.value))"""


def test_tables_sort_by_a_press_and_show_one_data_set(browser, site):
    tab = browser.new_page()
    tab.goto((site / "book" / "comparison.html").as_uri(), wait_until="load")
    table = tab.locator(".by-data-set table.sortable").first
    button = table.get_by_role("button", name="Pairs")
    place = button.evaluate("(button) => button.closest('th').cellIndex")
    for direction in ("ascending", "descending"):
        button.focus()
        tab.keyboard.press("Enter")
        assert button.evaluate("(button) => button.closest('th').ariaSort") == direction
        values = table.evaluate(f"(table) => ({COLUMN})(table, {place})")
        assert values == sorted(values, reverse=direction == "descending") and len(values) > 3
    tables = tab.locator(".by-data-set")
    assert all(one.is_visible() for one in tables.all())
    tab.get_by_role("combobox", name="Data set").select_option("claims")
    shown = [one.get_attribute("data-name") for one in tables.all() if one.is_visible()]
    tab.close()
    assert shown == ["claims"]


def test_sortable_tables_are_whole_without_javascript(browser, site):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((site / "book" / "comparison.html").as_uri())
    assert tab.locator("table.sortable th button").count() == 0
    assert all(one.is_visible() for one in tab.locator(".by-data-set").all())
    context.close()


# The decision guide, and "Could it be me?" -----------------------------------------------------------------

sys.path.insert(0, str(ROOT / "book" / "_ext"))
import decision_guide  # noqa: E402

GUIDE = decision_guide.load()
FIRST_WAY = {}  # one way to each answer of the guide
for trail, result in sorted(decision_guide.paths(GUIDE), key=lambda way: -len(way[0])):
    FIRST_WAY.setdefault(result, trail)


def answer_guide(tab, trail) -> None:
    """Answer every question of a way through the guide, with the keyboard alone."""
    for question, answer in trail:
        heading = tab.locator("#guide-ask h3")
        assert heading.inner_text() == GUIDE["questions"][question]["ask"]
        tab.locator("#guide-ask").get_by_role("button", name=answer["say"], exact=True).press("Enter")
        assert tab.evaluate("document.activeElement.tagName") == "H3", "The focus moves to the new heading"


@pytest.fixture
def guide_tab(browser, site):
    """The guide, opened as a file: nothing may be asked for once it is there, and nothing may be kept."""
    seen = Visit()
    context = browser.new_context(viewport={"width": WIDE, "height": 900})
    tab = context.new_page()
    tab.goto((site / "book" / "decision-guide.html").as_uri(), wait_until="load")
    listen(tab, seen)
    where = tab.url
    kept = tab.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    yield tab
    asked = [url for url in seen.requests if not url.endswith("favicon.svg")]  # which may come late
    assert (asked, seen.errors, tab.url) == ([], [], where)
    assert tab.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])") == kept
    context.close()


@pytest.mark.parametrize("result", FIRST_WAY)
def test_guide_answers_by_keyboard_and_prints_one_page(guide_tab, result):
    answer_guide(guide_tab, FIRST_WAY[result])
    record = guide_tab.locator("#guide-ask .guide-record")
    text, found = record.inner_text(), GUIDE["results"][result]
    given = [answer["say"] for _, answer in FIRST_WAY[result]]
    gaps = [answer["gap"] for _, answer in FIRST_WAY[result] if "gap" in answer]
    parts = [found["title"], found["access"], *given, *gaps, *decision_guide.gaps(GUIDE, found)]
    assert [part for part in (*parts, *decision_guide.checks(GUIDE, found)) if part not in text] == []
    assert record.locator("time").get_attribute("datetime") == date.today().isoformat()
    guide_tab.emulate_media(media="print")
    shown = guide_tab.locator("article").inner_text()
    guide_tab.emulate_media(media="null")  # as the browser has it: on screen, and paper for the next line
    assert found["title"] in shown and "Every question" not in shown and "Print this" not in shown
    assert len(re.findall(rb"/Type /Page\b", guide_tab.pdf(format="A4"))) == 1


def test_guide_goes_back_and_starts_again(guide_tab):
    way = max(FIRST_WAY.values(), key=len)
    answer_guide(guide_tab, way)
    box = guide_tab.locator("#guide-ask")
    box.get_by_role("button", name="Back").press("Enter")
    assert box.locator("h3").inner_text() == GUIDE["questions"][way[-1][0]]["ask"]
    answer_guide(guide_tab, way[-1:])
    box.get_by_role("button", name="Change the answer to").nth(1).press("Enter")
    assert box.locator("h3").inner_text() == GUIDE["questions"][way[1][0]]["ask"]
    answer_guide(guide_tab, way[1:])
    box.get_by_role("button", name="Start again").press("Enter")
    assert box.locator("h3").inner_text() == GUIDE["questions"][GUIDE["start"]]["ask"]


@both_widths
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_record_of_the_guide_meets_wcag(browser, site, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab = context.new_page()
    tab.goto((site / "book" / "decision-guide.html").as_uri(), wait_until="load")
    answer_guide(tab, max(FIRST_WAY.values(), key=len))
    assert accessibility_faults(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_guide_is_whole_without_javascript(browser, site):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((site / "book" / "decision-guide.html").as_uri())
    assert tab.get_by_role("link", name="Begin with the first question").is_visible()
    names = [decision_guide.place(name) for name in (*GUIDE["questions"], *GUIDE["results"])]
    assert all(tab.locator(f"section#{name}").is_visible() for name in names)
    assert tab.locator("#guide-ask button").count() == 0
    context.close()


def test_pictures_follow_the_slider_and_the_list(browser, site):
    tab = browser.new_page()
    tab.goto((site / "book" / "public-could-it-be-me.html").as_uri(), wait_until="load")
    slider, who = tab.get_by_role("slider"), tab.get_by_role("combobox")
    assert tab.locator(".me-view:visible").count() == 1
    slider.focus()
    for step in range(2, 7):
        tab.keyboard.press("ArrowRight")
        view = tab.locator(".me-view:visible")
        assert view.get_attribute("data-level") == str(step)
        assert slider.get_attribute("aria-valuetext") == f"{step}. {view.get_attribute('data-name')}"
    for group in who.locator("option").all():
        who.select_option(group.get_attribute("value"))
        view = tab.locator(".me-view:visible")
        assert view.get_attribute("data-group") == group.get_attribute("value")
        assert tab.get_by_role("status").inner_text() == view.locator(".me-finding").inner_text()
    tab.close()


def test_pictures_are_all_there_without_javascript(browser, site):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((site / "book" / "public-could-it-be-me.html").as_uri())
    for group in tab.locator("#me-all details").all():
        if group.get_attribute("open") is None:
            group.locator("summary").click()
        assert group.locator(".me-view:visible").count() == 6
    context.close()


# Without JavaScript, and on the way in --------------------------------------------------------------------


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("notebooks/")])
def test_charts_have_words_and_numbers_without_javascript(browser, site, page):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((site / page).as_uri())
    charts = tab.locator(".course-chart").count()
    findings, tables = tab.locator("p.chart-finding"), tab.locator("details.chart-data > table")
    assert findings.count() == tables.count() == charts
    assert all(finding.is_visible() for finding in findings.all())
    context.close()


def test_paper_is_white_and_open(browser, site):
    tab = browser.new_page(color_scheme="dark")
    tab.goto((site / "notebooks" / "01-first-synthetic-table.html").as_uri(), wait_until="load")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print")
    ink, ground = tab.evaluate(
        "['color', 'backgroundColor'].map((name) => getComputedStyle(document.body)[name])"
    )
    assert (ink, ground) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    assert tab.locator("article details:not([open])").count() == 0
    tab.close()


def test_front_door_leads_to_the_landing_page(browser, site):
    tab = browser.new_page()
    tab.goto((site / "index.html").as_uri())
    tab.wait_for_url("**/book/index.html", timeout=5_000)
    tab.close()


# Links, pictures and weight -------------------------------------------------------------------------------


class Anchors(HTMLParser):
    """The addresses a page points to, and the places in it that others can point to."""

    def __init__(self, text: str):
        super().__init__()
        self.targets: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.targets += [given[name] for name in ("href", "src") if given.get(name)]
        self.names |= {given[name] for name in ("id", "name") if given.get(name)}


@cache
def anchors(path: Path) -> Anchors:
    return Anchors(path.read_text(encoding="utf-8"))


@every_page
def test_no_link_or_picture_is_broken(site, page):
    here = site / page
    broken = []
    for target in anchors(here).targets:
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            continue  # other sites are not asked: a test must not depend on them
        file, name = urldefrag(target)
        path = (here.parent / unquote(urlsplit(file).path)).resolve() if file else here
        place_missing = (
            path.is_file() and name and path.suffix == ".html" and unquote(name) not in anchors(path).names
        )
        if not path.is_file() or place_missing:
            broken.append(target)
    assert broken == []


def luminance(colour: str) -> float:
    """The relative luminance of "#rrggbb", as WCAG 2.2 defines it."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, as WCAG 2.2 defines it: from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_noted_beside_each_colour_is_true():
    """The style sheet notes a contrast against page and panel beside each colour; measure it again."""
    style = (ROOT / "book" / "_static" / "course.css").read_text(encoding="utf-8")
    for scheme in ("light", "dark"):
        block = re.search(rf'data-theme="{scheme}"\] \{{\n(  --page.*?)\}}', style, flags=re.S)[1]
        colours = dict(re.findall(r"--([\w-]+): (#\w{6})", block))
        notes = re.findall(r"--([\w-]+): #\w{6}; /\* ([\d.]+) / ([\d.]+)", block)
        assert len(notes) >= 9
        for name, *noted in notes:
            measured = [contrast(colours[name], colours[ground]) for ground in ("page", "panel")]
            assert [float(value) for value in noted] == pytest.approx(measured, abs=0.06), (
                f"{scheme}: --{name}"
            )


def test_colour_rules_are_all_that_axe_has(browser, address):
    tab = browser.new_page()
    tab.goto(f"{address}/search.html")
    accessibility_faults(tab)
    known = tab.evaluate("(tags) => axe.getRules(tags)", AXE_TAGS)
    assert sorted(rule["ruleId"] for rule in known if "cat.color" in rule["tags"]) == AXE_COLOUR_RULES
    tab.close()


@every_page
def test_page_without_charts_is_light(visits, site, address, page, record_property):
    """Under one megabyte on a first visit, uncompressed. The weight stands in pytest's report."""
    seen = visits(page, WIDE)
    paths = {urlsplit(url).path.lstrip("/") for url in seen.requests if url.startswith(address)}
    weight = sum((site / unquote(path)).stat().st_size for path in paths)
    record_property("bytes", weight)
    assert seen.charts or weight < 1_000_000
