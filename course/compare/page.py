"""The stored run as parts of a page: tables to sort, charts, the guide, the failures, and what made it all.

The book's `comparison` directive shows `PARTS[name]()`, and `charts`. Every table is whole without
JavaScript; the site's script makes the heads of those marked sortable into buttons, and adds the list of
data sets.
"""

from __future__ import annotations

import json
from html import escape

import pandas as pd

from course import chart, compare
from course.compare import leaks, measures
from course.compare.figures import ATTACKS, MEANING
from course.compare.peers import PEERS, SAME_JOB
from course.compare.scale import SIZES, clocked, exponent

MAKES = {"table": "one table", "linked": "tables tied by keys", "history": "histories"}
ROLES = {"control": "control (real people)", "copy": "copy (of the training part)"}
FAMILIES = {
    "by hand": chart.ORIGINAL,
    "SDV": chart.SYNTHETIC,
    "synthcity": chart.CONTROL,
    "others": chart.OTHER,
}

# Heading, column of `compare.load`, what it is in words.
COLUMNS = [
    ("Seconds", "seconds", "Processor time to fit and to draw one table."),
    (
        "MiB",
        "peak_mib",
        "The most memory the process held, Python and libraries included, in mebibytes (MiB).",
    ),
    ("Columns", "columns", MEANING["columns"]),
    ("Blanks", "blanks", MEANING["blanks"]),
    ("Pairs", "pairs", MEANING["pairs"]),
    ("Told apart", "pmse", MEANING["pmse"]),
    ("Finding", "overlap", MEANING["overlap"]),
    ("Worst group", "group", MEANING["group"]),
    *(
        (name.capitalize(), name, f"Excess over the control when the attack is: {words}.")
        for name, words in ATTACKS.items()
    ),
    ("Rules broken", "rules_broken", MEANING["rules"]),
    ("Orphans", "orphans", MEANING["orphans"]),
]
# A question that people ask, in words and as arguments of `compare.choose`.
QUESTIONS = {
    "No real record may be opened": {"no_record": True},
    "It must be ready in ten seconds": {"seconds": 10},
    "Every business rule must hold": {"rules": True},
    "The finding must survive, in small groups too": {"finding": True, "groups": True},
    "Several tables whose keys must fit": {"linked": True},
    "Several rows for each person, in order": {"history": True},
    "The privacy must be proved, not only tried": {"guarantee": True},
    "It may leave the building": {"outside": True},
}


def family(generator: str) -> str:
    """Who made a generator: by hand, SDV, synthcity, others."""
    start = generator.partition("-")[0]
    return {"sdv": "SDV", "synthcity": "synthcity", "synthopt": "others", "metasyn": "others"}.get(
        start, "by hand"
    )


# ------------------------------------------------------------------------------ tables


def tables() -> str:
    """One table for each data set, and one for each data set with histories."""
    results = compare.load()
    shown = []
    for dataset, runs in results.groupby("dataset"):
        for history, part in runs.groupby(runs["shape"] == "history"):
            what = f"{dataset}, histories" if history else str(dataset)
            shown.append(f'<div class="by-data-set" data-name="{what}">{_table(part, what)}</div>')
    return "".join(shown)


def _table(runs: pd.DataFrame, what: str) -> str:
    heads = ["Generator", "Makes", *(heading for heading, _, _ in COLUMNS)]
    body = []
    for _, run in runs.sort_values(
        "generator", key=lambda names: ~names.isin(ROLES), kind="stable"
    ).iterrows():
        name = ROLES.get(run["generator"], run["generator"])
        cells = [_cell(run, column) for _, column, _ in COLUMNS]
        body.append(f'<th scope="row">{escape(name)}</th><td>{MAKES[run["shape"]]}</td>' + "".join(cells))
    return wide(heads, body, f"Data set {what}: every generator", sortable=True)


def wide(heads: list[str], rows: list[str], caption: str, sortable: bool = False) -> str:
    """A table in a box that scrolls sideways, which the keyboard can reach. `rows` are cells as HTML."""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    kind = ' class="sortable"' if sortable else ""
    return (
        f'<div class="wide-table" role="region" aria-label="{escape(caption)}" tabindex="0"><table{kind}>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(run: pd.Series, column: str) -> str:
    """One figure as a cell, with the value to sort by; a dash where there is none."""
    if run["status"] != "done" and column == "seconds":
        return f"<td>{'over the limit' if run['status'] == 'limit' else 'failed'}</td>"
    value = run.get(column)
    if value is None or pd.isna(value):
        return "<td>–</td>"
    words = _words(run, column, float(value))
    return f'<td data-value="{float(value):.6g}">{words}</td>'


def _words(run: pd.Series, column: str, value: float) -> str:
    low, high = run.get(f"{column}_low"), run.get(f"{column}_high")
    if column in ATTACKS:
        return f"{value:.1%} ({100 * low:.1f} to {100 * high:.1f})"
    if column in ("rules_broken", "orphans"):
        return f"{value:.1%}"
    if column == "overlap" and low != high:
        return f"{value:.2f} ({low:.2f} to {high:.2f})"
    return (
        f"{value:,.0f}"
        if value >= 100 or column == "peak_mib"
        else f"{value:.2g}"
        if value < 1
        else f"{value:.1f}"
    )


def meanings() -> str:
    """What each column is, in words."""
    entries = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, _, words in COLUMNS)
    return f"<dl>{entries}</dl>"


def findings() -> str:
    """The finding asked of each data set, in words, and its true value."""
    stored = json.loads(compare.RESULTS.read_text(encoding="utf-8"))
    truth = {name: one for run in stored["runs"].values() for name, one in run["truth"].items()}
    rows = [
        f'<th scope="row">{escape(name.replace(" table", "").replace(" history", " (histories)"))}</th>'
        f"<td>{escape(one['means'])}</td><td>{one['value']:.3g}</td>"
        for name, one in sorted(truth.items())
    ]
    heads = ["Data set", "The finding", "In the whole population"]
    return wide(heads, rows, "The finding that each data set is asked for")


def failures() -> str:
    """Every unit without figures, with its sentence, and every unit that the run has not come to."""
    results = compare.load()
    failed, missing = compare.failures(results), compare.missing(results)
    waiting = f"<p>Not measured yet ({len(missing)}): {escape(', '.join(missing))}.</p>" if missing else ""
    if failed.empty:
        return waiting or "<p>Every generator could be measured on every data set.</p>"
    rows = [
        f'<th scope="row">{escape(name)}</th><td>{escape(dataset)}</td><td class="words">{escape(why)}</td>'
        for name, dataset, why in failed.itertuples(index=False)
    ]
    said = ["Generator", "Data set", "What it said"]
    return waiting + wide(said, rows, "What could not be measured, and why", sortable=True)


def made_by() -> str:
    """What the run was made with."""
    stored = json.loads(compare.RESULTS.read_text(encoding="utf-8"))
    units = pd.Series([unit["run"] for unit in stored["units"]]).value_counts()
    rows = []
    for number, run in stored["runs"].items():
        packages = ", ".join(f"{name} {version}" for name, version in run["packages"].items())
        computer = f"{run['system']}, {run['processor']}, {run['cores']} cores, Python {run['python']}"
        rows.append(
            f'<th scope="row">{escape(run["date"])}</th><td>{units[number]}</td><td>{escape(computer)}</td>'
            f"<td>{escape(packages)}</td><td><code>{run['lock'][:12]}</code></td>"
        )
    heads = ["Date", "Results", "Computer", "Packages", "Lock"]
    return wide(heads, rows, "What the results were made with")


# ------------------------------------------------------------------------------ charts


def charts() -> list[tuple[dict, str]]:
    """For each data set what is lost against what is given away: Plotly's JSON, and the caption as HTML."""
    results, drawn = compare.load(), []
    for dataset in sorted(set(results["dataset"])):
        figure, finding, table = kept_and_given(results, dataset)
        figure = chart.styled(figure, figure.layout.height)
        figure.update_layout(meta={"alt": finding})
        drawn.append((json.loads(figure.to_json(engine="json")), chart.caption(finding, table)))
    return drawn


def kept_and_given(results: pd.DataFrame, dataset: str, attack: str = "certain disclosure"):
    """A figure, its finding in words, and its table: association lost against the excess of an attack."""
    import plotly.graph_objects as go

    runs = results[
        (results["dataset"] == dataset) & (results["shape"] == "table") & (results["status"] == "done")
    ]
    runs = runs[runs["generator"] != "copy"].assign(family=runs["generator"].map(family))
    made, control = runs[runs["generator"] != "control"], runs[runs["generator"] == "control"].iloc[0]
    figure = go.Figure()
    finding, named = _said(made, control, dataset, attack)
    for (name, colour), symbol in zip(FAMILIES.items(), chart.SYMBOLS, strict=True):
        some = made[made["family"] == name].dropna(subset=["pairs", attack])
        figure.add_scatter(
            name=name, **_points(some, attack, named), marker={"color": colour, "size": 11, "symbol": symbol}
        )
    real = runs[runs["generator"] == "control"]
    marker = {"color": "#6b7075", "size": 14, "symbol": "star"}
    figure.add_scatter(name="real people", **_points(real, attack, named), marker=marker)
    figure.update_layout(
        title=f"{dataset.capitalize()}: what is lost, and what is given away",
        xaxis_title="mean change in association (left is closer)",
        yaxis_title=f"{attack}, excess over control",
        yaxis_tickformat=".0%",
        height=460,
    )
    table = made[["generator", "pairs", attack, f"{attack}_low", f"{attack}_high"]].sort_values("pairs")
    return figure, finding, table.reset_index(drop=True)


def _points(some: pd.DataFrame, attack: str, named: set) -> dict:
    value, low, high = (some[name].round(4) for name in (attack, f"{attack}_low", f"{attack}_high"))
    error = {
        "type": "data",
        "symmetric": False,
        "array": (high - value).tolist(),
        "arrayminus": (value - low).tolist(),
    }
    return {
        "x": some["pairs"].round(4).tolist(),
        "y": value.tolist(),
        "text": [name if name in named else "" for name in some["generator"]],
        "hovertext": some["generator"].tolist(),
        "textposition": "middle right",
        "mode": "markers+text",
        "error_y": {**error, "thickness": 1.5},
        "hovertemplate": "%{hovertext}: association lost %{x}, excess %{y}<extra></extra>",
    }


def _said(made: pd.DataFrame, control: pd.Series, dataset: str, attack: str) -> tuple[str, set]:
    """The finding of `kept_and_given`, worked out from its numbers, and the generators that it names."""
    near, clear = made.nsmallest(3, "pairs"), made[made[f"{attack}_low"] > 0]
    quiet = made[made[f"{attack}_low"] <= 0].nsmallest(1, "pairs")
    named = {*near["generator"], *quiet["generator"]}
    words = (
        f"On {dataset}, {_and(near['generator'])} change associations least ({near['pairs'].min():.3f} to "
        f"{near['pairs'].max():.3f}; a fresh sample of real people {control['pairs']:.3f}). "
        f"The attack finds more than chance on {len(clear)} of {len(made)} generators"
    )
    if len(clear):
        worst = made.loc[made[attack].idxmax()]
        named.add(worst["generator"])
        words += f", most on {worst['generator']} ({worst[attack]:.1%})"
    for _, one in quiet.iterrows():
        words += f". Of the others, {one['generator']} comes closest ({one['pairs']:.3f})"
    return f"{words}.", named


def _and(names) -> str:
    *first, last = list(names)
    return f"{', '.join(first)} and {last}" if first else last


# ------------------------------------------------------------------------------ the guide


def guide(results: pd.DataFrame | None = None) -> str:
    """For each question of `QUESTIONS`: who qualifies and why, then who does not and why."""
    results = compare.load() if results is None else results
    return chart.steps({question: answer(results, needs) for question, needs in QUESTIONS.items()}).data


def answer(results: pd.DataFrame, needs: dict) -> str:
    """Who qualifies for some needs, as two tables."""
    chosen = compare.choose(results, **needs)
    good, rest = (chosen[chosen["qualifies"] == word].drop(columns="qualifies") for word in ("yes", "no"))
    start = (
        chart.table(good, f"{len(good)} of {len(chosen)} qualify").data
        if len(good)
        else "<p>None qualifies.</p>"
    )
    return start + chart.table(rest, "The others, and what stands against them").data


# ------------------------------------------------------------------------------ scale


def scale_results() -> pd.DataFrame:
    """The benchmark as a table: one row for each generator, part of the table and number of rows."""
    wanted = ("generator", "cut", "rows", "status", "why", "peak_mib", "columns", "pairs")
    units = json.loads(compare.SCALE.read_text(encoding="utf-8"))["units"]
    table = pd.DataFrame([{name: unit.get(name) for name in wanted} for unit in units])
    return table.assign(seconds=[clocked(unit) if unit["status"] == "done" else None for unit in units])


def growth() -> str:
    """Seconds and memory by rows, and the growth exponent."""
    if not compare.SCALE.exists():
        return "<p>The benchmark has not been run yet.</p>"
    results = scale_results()
    sizes, rows = sorted(set(results["rows"])), []
    for generator, runs in results[results["cut"] == ""].groupby("generator", sort=False):
        at = {run["rows"]: run for _, run in runs.iterrows()}
        done = runs[runs["status"] == "done"]
        slope = exponent(done["rows"].tolist(), done["seconds"].tolist())
        cells = [_at_size(at.get(size)) for size in sizes]
        cells.append("<td>–</td>" if slope is None else f'<td data-value="{slope:.4g}">{slope:.2f}</td>')
        rows.append(f'<th scope="row">{escape(str(generator))}</th>' + "".join(cells))
    heads = ["Generator", *(f"{size:,} rows" for size in sizes), "Growth exponent"]
    return wide(heads, rows, "Processor time to fit and draw, and memory, as a table grows", sortable=True)


NOT_DONE = {"limit": "over the limit", "skipped": "not tried", "failed": "failed"}


def _at_size(run: pd.Series | None) -> str:
    if run is None:
        return "<td>–</td>"
    if run["status"] != "done":
        return f"<td>{NOT_DONE[run['status']]}</td>"
    words = f"{_short(run['seconds'])} s, {run['peak_mib']:,.0f} MiB"
    return f'<td data-value="{run["seconds"]:.6g}">{words}</td>'


def _short(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds >= 1 else f"{seconds:.2g}"


def peers() -> str:
    """Ours beside a library that does the same job, in the same run."""
    if not compare.SCALE.exists():
        return ""
    results, rows = scale_results(), []
    for ours, theirs in SAME_JOB:
        cut = theirs if theirs in PEERS and PEERS[theirs].columns else ""
        for size in SIZES:
            mine, other = _found(results, ours, size, cut), _found(results, theirs, size, "")
            if mine is not None and other is not None:
                name = f'<th scope="row">{escape(ours)} beside {escape(theirs)}</th>'
                rows.append(f'{name}<td data-value="{size}">{size:,}</td>{_beside(mine, other)}')
    heads = ["Same job", "Rows", "Ours, s", "Theirs, s", "Theirs / ours"]
    heads += ["Columns, ours", "Columns, theirs", "Pairs, ours", "Pairs, theirs"]
    return wide(heads, rows, "By hand, beside a library that does the same job", sortable=True)


def _found(results: pd.DataFrame, generator: str, size: int, cut: str) -> pd.Series | None:
    named = (results["generator"] == generator) & (results["rows"] == size) & (results["cut"] == cut)
    return results[named].iloc[0] if named.any() else None


def _beside(mine: pd.Series, other: pd.Series) -> str:
    """Seconds of both, their ratio, and the likeness of both."""
    if (mine["status"], other["status"]) != ("done", "done"):
        seconds = [NOT_DONE.get(run["status"]) or _short(run["seconds"]) for run in (mine, other)]
        return f"<td>{seconds[0]}</td><td>{seconds[1]}</td>" + "<td>–</td>" * 5
    cells = [(run["seconds"], _short(run["seconds"])) for run in (mine, other)]
    cells.append((ratio := other["seconds"] / mine["seconds"], f"{ratio:.1f}"))
    for figure in ("columns", "pairs"):
        cells += [(run[figure], f"{run[figure]:.3f}") for run in (mine, other)]
    return "".join(f'<td data-value="{value:.6g}">{words}</td>' for value, words in cells)


# No leak, and leaks of a few rows of a thousand, which no rate can show.
SMALL = ("clean", "one famous household", "a rare cell")


def leaks_caught() -> str:
    """The table of `course.compare.leaks` as HTML for the book, with what it shows in words above it."""
    table = leaks.caught()
    whole, seeds = "course: the risk report, as a whole", len(leaks.SEEDS)
    large = [plant for plant in table if plant not in SMALL]
    missed = [plant for plant in large if table.loc[whole, plant] < seeds]
    others = [name for name in table.index if not name.startswith("course:")]
    all_large = [name for name in others if (table.loc[name, large] == seeds).all()]
    words = [
        "The course's risk report flagged "
        + (f"some but not all of: {', '.join(missed)}. " if missed else f"all of: {', '.join(large)}. ")
        + f"It flagged {table.loc[whole, 'clean']:.0f} of {seeds} clean twins.",
        f"Of {len(others)} measures of other tools, {', '.join(all_large) or 'none'} flagged all of these.",
    ]
    heads = ["Measure", "Tool", *(plant[0].upper() + plant[1:] for plant in table)]
    rows = [
        '<th scope="row">{}</th><td>{}</td>'.format(*map(escape, _measure_and_tool(name)))
        + "".join(
            "<td>–</td>" if value != value else f'<td data-value="{value:.0f}">{value:.0f} of {seeds}</td>'
            for value in line
        )
        for name, line in zip(table.index, table.to_numpy(), strict=True)
    ]
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in words)
    return said + wide(heads, rows, "Tables flagged, by measure and planted leak", sortable=True)


def _measure_and_tool(name: str) -> tuple[str, str]:
    """ "synthcity: privacy.k-anonymization.syn" as ("k-anonymization", "synthcity")."""
    tool, measure = name.split(": ", 1)
    return measure.split(".")[1] if "." in measure else measure, tool


def leaks_stopped() -> str:
    """The measures that gave no figure, with what they said, as HTML."""
    said = {
        name: one["why"]
        for unit in leaks.store().read()["units"]
        for name, one in unit["found"].items()
        if one["value"] is None
    }
    return "<ul>" + "".join(f"<li>{escape(name)}: {escape(why)}</li>" for name, why in said.items()) + "</ul>"


def measures_beside() -> str:
    """Each measure of the course, with its growth, beside those of other tools for the same question."""
    stored = measures.store().read()["units"]
    runs = {(unit["question"], unit["tool"], unit["rows"]): unit for unit in stored}
    rows = []
    for question, others in measures.QUESTIONS.items():
        for tool in ("course", *others):
            cells = [_measured(runs, question, tool, size) for size in measures.SIZES]
            found = [runs.get((question, tool, size)) for size in measures.SIZES]
            done = [one for one in found if one and one["status"] == "done"]
            grows = exponent([one["rows"] for one in done], [one["seconds"]["measuring"] for one in done])
            cells.append("<td>–</td>" if grows is None else f'<td data-value="{grows:.3g}">{grows:.2f}</td>')
            rows.append(f'<th scope="row">{escape(question)}</th><td>{tool}</td>' + "".join(cells))
    sizes = [f"{size:,} rows, s" for size in measures.SIZES]
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in _faster_and_slower(runs))
    return said + wide(["Question", "Tool", *sizes, "Growth"], rows, "What each measure takes", sortable=True)


def _faster_and_slower(runs: dict) -> list[str]:
    """In words: where the course's measure is ten times as fast as every other, and where one beats it."""
    size, largest = measures.SIZES[-2:]
    asked = {question: others for question, others in measures.QUESTIONS.items() if others}
    times = {
        (question, tool): _times(runs, question, tool, size) for question in asked for tool in asked[question]
    }
    far = [q for q in asked if all((times[q, tool] or float("inf")) >= 10 for tool in asked[q])]
    beaten = [f"{q} ({tool}, {ratio:.2g} times)" for (q, tool), ratio in times.items() if ratio and ratio < 1]
    alone = [
        q
        for q in asked
        if _done(runs, q, "course", largest) and not any(_done(runs, q, tool, largest) for tool in asked[q])
    ]
    return [
        f"At {size:,} rows, of {len(asked)} questions that another tool asks too, every other tool takes at "
        f"least ten times as long as the course, or gives no figure, in {len(far)}: "
        f"{', '.join(far) or 'none'}.",
        f"Another tool is faster, and takes so many times as long, in: {', '.join(beaten) or 'none'}.",
        f"At {largest:,} rows, only the course has a figure for: {', '.join(alone) or 'none'}.",
    ]


def _done(runs: dict, question: str, tool: str, size: int) -> bool:
    run = runs.get((question, tool, size))
    return run is not None and run["status"] == "done" and run["figure"]


def _times(runs: dict, question: str, tool: str, size: int) -> float | None:
    """How many times as long as the course another tool takes; None where either gives no figure."""
    if not (_done(runs, question, tool, size) and _done(runs, question, "course", size)):
        return None
    seconds = [runs[question, one, size]["seconds"]["measuring"] for one in (tool, "course")]
    return seconds[0] / seconds[1]


def _measured(runs: dict, question: str, tool: str, size: int) -> str:
    """Seconds, and for another tool how many times ours; or why there are none."""
    run = runs.get((question, tool, size))
    if run is None:
        return "<td>–</td>"
    if run["status"] != "done":
        return f"<td>{NOT_DONE[run['status']]}</td>"
    seconds = run["seconds"]["measuring"]
    words = _short(seconds) + ("" if run["figure"] else ", no figure")
    times = None if tool == "course" else _times(runs, question, tool, size)
    if times is not None:
        words += f" ({times:,.0f} x)" if times >= 10 else f" ({times:.2g} x)"
    return f'<td data-value="{seconds:.6g}">{words}</td>'


PARTS = {
    "tables": tables,
    "meanings": meanings,
    "findings": findings,
    "guide": guide,
    "failures": failures,
    "growth": growth,
    "peers": peers,
    "made-by": made_by,
    "measures": measures_beside,
    "leaks": leaks_caught,
    "leaks-stopped": leaks_stopped,
}
