"""What the book needs beyond Jupyter Book: charts from this site alone, honest labels, measured run times.

A few small jobs, each in its own section below:

1. Charts. A lab stores a chart as Plotly JSON. The page shows it with one shared copy of Plotly, taken from
   the installed `plotly` package at build time. Only pages with charts load it, and only when one is near.
2. Accessible names. A folded cell says what it holds; a citation has no role that readers do not know; a
   very long table is folded, and says how long it is.
3. Lesson header. Minutes, level and a download link, from the `course` metadata of the notebook.
4. Status page. The `lab-status` directive sets measured run times beside the budgets in the notebooks.
5. Front door. `index.html` at the top of the site, which leads to the landing page.
6. Tool catalogue. The `tool-catalogue` directive writes out `book/tools.yml`.
7. Comparison. The `comparison` directive shows a part of the stored run of every generator.
8. Consensus. The `consensus` directive shows a part of `course.consensus`, computed when the book is built.
9. Example pack. The release pack of lab 23's stored run, written beside the page that leads to it.

The decision guide, the pictures of "Could it be me?" and the trainer's pages have files of their own beside
this one.

Nothing here asks another host for anything, and every page works when opened as a file.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from html import escape
from pathlib import Path

from docutils import nodes
from myst_nb.core.render import NbElementRenderer
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from course.chart import chart_html

PLOTLY = "application/vnd.plotly.v1+json"
LONGEST_OPEN_TABLE = 25  # rows

EXAMPLE_RUN = Path(__file__).resolve().parents[2] / "notebooks" / "results" / "lab23" / "run"

# The script and the looks of what stands on some pages only, by the class of the node that holds it.
OWN_FILES = {
    "chart": ["charts.js"],
    "decision-guide": ["guide.js", "guide.css"],
    "could-it-be-me": ["could-it-be-me.js", "could-it-be-me.css"],
}


# 1. Charts ------------------------------------------------------------------------------------------------


def render_charts(renderer_class: type[NbElementRenderer]) -> None:
    """Teach MyST-NB's renderer the Plotly type; every other type goes the usual way."""
    usual = renderer_class.render_mime_type
    if getattr(usual, "knows_charts", False):
        return

    def render_mime_type(self, data):
        if data.mime_type == PLOTLY:
            return [nodes.raw(text=chart_html(data.content), format="html", classes=["output", "chart"])]
        return usual(self, data)

    render_mime_type.knows_charts = True
    renderer_class.render_mime_type = render_mime_type


def add_own_files(app: Sphinx, pagename, templatename, context, doctree) -> None:
    """Load a script and its looks on the pages that need them, and on no other page."""
    held = {name for node in doctree.findall(nodes.raw) for name in node["classes"]} if doctree else set()
    for name in OWN_FILES.keys() & held:
        for file in OWN_FILES[name]:
            if file.endswith(".css"):
                app.add_css_file(file, priority=910)
            else:
                app.add_js_file(file, loading_method="defer")


def copy_plotly(app: Sphinx, exception: Exception | None) -> None:
    """Put the one shared copy of Plotly beside the site's own files, if any page has a chart."""
    if exception or app.builder.format != "html":
        return
    import plotly

    target = Path(app.outdir, "_static", "plotly.min.js")
    if not target.exists():
        shutil.copyfile(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", target)


# 2. Accessible names --------------------------------------------------------------------------------------


def name_folded_cells(app: Sphinx, doctree: nodes.document) -> None:
    """Say what a folded cell holds: a solution, or code."""
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code" and cell.get("hide_mode"):
            what = "solution" if "tag_solution" in cell["classes"] else "code"
            cell["prompt_show"], cell["prompt_hide"] = f"Show the {what}", f"Hide the {what}"


def visit_folded_cell(translator, node: HideCodeCellNode) -> None:
    """The visible words name the control; MyST-NB's own label hides them from screen readers."""
    show, hide = escape(node["prompt_show"]), escape(node["prompt_hide"])
    translator.body.append(
        f'<details class="folded-cell {" ".join(node["classes"])}"><summary>'
        f'<span class="when-closed">{show}</span><span class="when-open">{hide}</span></summary>\n'
    )


def depart_folded_cell(translator, node: HideCodeCellNode) -> None:
    translator.body.append("</details>\n")


def mend_bibliography(app: Sphinx, pagename, templatename, context, doctree) -> None:
    """Call the entries of the bibliography list items; the role they are given is no longer in use."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def fold_long_tables(app: Sphinx, doctree: nodes.document) -> None:
    """On the card of a data set, fold each table that is longer than a screen, and say how long it is."""
    if not app.env.docname.startswith("datasets/"):
        return
    for table in list(doctree.findall(nodes.table)):
        rows = len(next(iter(table.findall(nodes.tbody))))
        if rows > LONGEST_OPEN_TABLE:
            start = f"<details><summary>Show the {rows} rows of this table</summary>"
            place = table.parent.index(table)
            table.parent.insert(place, nodes.raw(text=start, format="html"))
            table.parent.insert(place + 2, nodes.raw(text="</details>", format="html"))


# 3. Lesson header -----------------------------------------------------------------------------------------


def course_metadata(source: Path) -> dict:
    """The `course` block of a notebook's metadata; empty for any other page."""
    if source.suffix != ".ipynb":
        return {}
    return json.loads(source.read_text(encoding="utf-8"))["metadata"].get("course", {})


def add_lesson_header(app: Sphinx, doctree: nodes.document) -> None:
    """Put the minutes, the level and the notebook's own file under the title of a lab."""
    docname = app.env.docname
    course = course_metadata(Path(app.env.doc2path(docname)))
    title = next(iter(doctree.findall(nodes.title)), None)
    if not course or title is None:
        return
    facts = [
        f"{course['reading_minutes']} minutes to read",
        f"{course['practice_minutes']} minutes to practise",
        f"level: {course['level']}",
    ]
    root = "../" * docname.count("/")
    file = f"{docname}.ipynb"
    html = (
        '<ul class="lesson-facts">'
        + "".join(f"<li>{escape(fact)}</li>" for fact in facts)
        + f'<li><a href="{root}_sources/{escape(file)}" download>Download this notebook</a></li></ul>'
    )
    title.parent.insert(title.parent.index(title) + 1, nodes.raw(text=html, format="html"))


# 4. Status page -------------------------------------------------------------------------------------------


class LabStatus(SphinxDirective):
    """`lab-status`: one row per lab, measured time and memory beside the budget. Takes no options."""

    def run(self) -> list[nodes.Node]:
        source = Path(self.env.srcdir)
        runs_file = source / "book" / "lab-runs.json"
        runs = json.loads(runs_file.read_text(encoding="utf-8")) if runs_file.exists() else {}
        self.env.note_dependency(str(runs_file))
        rows = []
        for notebook in sorted(source.glob("notebooks/*.ipynb")):
            self.env.note_dependency(str(notebook))
            if f"notebooks/{notebook.stem}" in self.env.found_docs:
                rows.append(status_row(notebook, course_metadata(notebook), runs.get(notebook.stem)))
        if not rows:
            return [nodes.paragraph(text="There is no lab in this copy of the course.")]
        head = "".join(f'<th scope="col">{name}</th>' for name in STATUS_COLUMNS)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        label = "Lab run times and memory"
        html = f'<div class="wide-table" role="region" aria-label="{label}" tabindex="0">{table}</div>'
        return [nodes.raw(text=html, format="html")]


STATUS_COLUMNS = ("Lab", "Time", "Time budget", "Peak memory", "Memory budget", "Measured")


def status_row(notebook: Path, course: dict, run: dict | None) -> str:
    """One row of the status table. `run` holds seconds, peak_mib and date, or is None if never measured."""
    lab = f'<a href="../notebooks/{notebook.stem}.html">{escape(course.get("title", notebook.stem))}</a>'
    budgets = f"{course.get('time_budget_seconds', '–')} s", f"{course.get('memory_budget_mib', '–')} MiB"
    if run is None:
        measured = "not measured yet", "not measured yet", "–"
    else:
        measured = f"{run['seconds']:.0f} s", f"{run['peak_mib']:.0f} MiB", escape(str(run["date"]))
    cells = measured[0], budgets[0], measured[1], budgets[1], measured[2]
    return f'<tr><th scope="row">{lab}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


# 5. Front door --------------------------------------------------------------------------------------------

FRONT_DOOR = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta http-equiv="refresh" content="0; url={target}">
<link rel="icon" href="_static/favicon.svg" type="image/svg+xml">
</head>
<body><main><h1>{title}</h1><p><a href="{target}">Go to the course</a></p></main></body>
</html>
"""


def write_front_door(app: Sphinx, exception: Exception | None) -> None:
    """Write `index.html`, which leads at once to the landing page."""
    if exception or app.builder.format != "html":
        return
    target = f"{app.config.root_doc}.html"
    text = FRONT_DOOR.format(title=escape(app.config.html_title), target=target)
    Path(app.outdir, "index.html").write_text(text, encoding="utf-8")


# 6. Tool catalogue ----------------------------------------------------------------------------------------

KINDS = {
    "generator": "Generators",
    "evaluator": "Measures of likeness and risk",
    "output checker": "Checking what leaves a secure environment",
    "privacy library": "Differential privacy",
    "description": "Describing data",
    "federation": "Working across several environments",
}
RESULTS = {"works": "Works", "fault": "Fault"}


class ToolCatalogue(SphinxDirective):
    """`tool-catalogue`: one section per kind of tool, one entry per tool of `book/tools.yml`. No options."""

    def run(self) -> list[nodes.Node]:
        import yaml

        source = Path(self.env.srcdir, "book", "tools.yml")
        self.env.note_dependency(str(source))
        tools = yaml.safe_load(source.read_text(encoding="utf-8"))["tools"]
        return [
            titled(heading, [tool_entry(tool) for tool in tools if tool["kind"] == kind])
            for kind, heading in KINDS.items()
        ]


def titled(heading: str, content: list[nodes.Node]) -> nodes.section:
    """A section with its heading, which the page's own table of contents will list."""
    known = {"ids": [nodes.make_id(heading)], "names": [nodes.fully_normalize_name(heading)]}
    return nodes.section("", nodes.title(text=heading), *content, **known)


def tool_entry(tool: dict) -> nodes.section:
    """One tool: what it is for, the facts about it, and what it did when it was tried."""
    licence = tool.get("declared") or tool["licence"]
    facts = [
        f"By {tool['by']}. Version {tool['version']}. Licence: {licence}.",
        f"In this course: {tool['here']}".removesuffix(".") + ".",
    ]
    content = [nodes.paragraph(text=text) for text in (tool["for"], *facts)]
    if "note" in tool:
        content.append(nodes.paragraph(text=tool["note"]))
    tried = nodes.bullet_list()
    for statement in tool.get("smoke", []):
        result = nodes.strong(text=f"{RESULTS[statement['result']]}. ")
        tried += nodes.list_item("", nodes.paragraph("", "", result, nodes.Text(statement["says"])))
    return titled(tool["name"], [*content, tried] if tried.children else content)


# 7. Comparison --------------------------------------------------------------------------------------------


class Comparison(SphinxDirective):
    """`comparison`: one part of `course.compare.page`, by its name, made from the stored run."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        from course import compare
        from course.compare import page

        for file in (compare.RESULTS, compare.SCALE, compare.LEAKS, compare.MEASURES):
            self.env.note_dependency(str(file))
        part = self.arguments[0]
        if part == "charts":
            return [chart_node(figure, caption) for figure, caption in page.charts()]
        if part not in page.PARTS:
            raise self.error(f"There is no part {part!r}. Known: charts, {', '.join(page.PARTS)}.")
        return [nodes.raw(text=page.PARTS[part](), format="html")]


def chart_node(figure: dict, caption: str) -> nodes.raw:
    """A chart on a page that is no lab, with its caption and its numbers."""
    html = f'<div class="cell_output">{chart_html(figure)}{caption}</div>'
    return nodes.raw(text=html, format="html", classes=["chart"])


# 8. Consensus ---------------------------------------------------------------------------------------------


class Consensus(SphinxDirective):
    """`consensus`: one part of `course.consensus`, by its name, computed from panels that are made up."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        from course import consensus

        self.env.note_dependency(consensus.__file__)
        part = self.arguments[0]
        if part not in consensus.PARTS:
            raise self.error(f"There is no part {part!r}. Known: {', '.join(consensus.PARTS)}.")
        return [nodes.raw(text=consensus.PARTS[part](), format="html")]


# 9. Example pack ------------------------------------------------------------------------------------------


def write_example_pack(app: Sphinx, exception: Exception | None) -> None:
    """The papers of lab 23's stored run, as anybody gets them from `course release`."""
    if exception or app.builder.format != "html":
        return
    from course import release

    with tempfile.TemporaryDirectory() as folder:
        run = shutil.copytree(EXAMPLE_RUN, Path(folder, "run"))
        release.write(run)
        shutil.copytree(run / "pack", Path(app.outdir, "book", "example-pack"), dirs_exist_ok=True)


# Set-up ---------------------------------------------------------------------------------------------------


def setup(app: Sphinx) -> dict:
    """Register everything above with Sphinx."""
    render_charts(NbElementRenderer)
    app.add_css_file("course.css", priority=900)
    app.add_js_file("site.js", loading_method="defer")
    app.setup_extension("decision_guide")
    app.setup_extension("could_it_be_me")
    app.setup_extension("trainer_pack")
    app.add_node(HideCodeCellNode, override=True, html=(visit_folded_cell, depart_folded_cell))
    app.add_directive("lab-status", LabStatus)
    app.add_directive("tool-catalogue", ToolCatalogue)
    app.add_directive("comparison", Comparison)
    app.add_directive("consensus", Consensus)
    app.connect("doctree-read", name_folded_cells)
    app.connect("doctree-read", fold_long_tables)
    app.connect("doctree-read", add_lesson_header)
    app.connect("html-page-context", add_own_files)
    app.connect("html-page-context", mend_bibliography)
    app.connect("build-finished", copy_plotly)
    app.connect("build-finished", write_example_pack)
    app.connect("build-finished", write_front_door, priority=400)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
