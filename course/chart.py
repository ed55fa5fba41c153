"""One house style for every chart: a figure, the finding in words, and the numbers behind it.

A chart that cannot be read in words is not finished. Every function here therefore takes the finding, which
becomes the alternative text and the visible caption, and prints the table of what is drawn below the chart.

Colours are told apart by lightness as well as hue, and every series is also named or shaped, so that no
meaning rests on colour alone. Contrast with both page backgrounds (white, and the book's dark grey) is at
least 3 to 1, as WCAG 2.2 asks of graphics.
"""

from __future__ import annotations

from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

# Original, synthetic, control, warning: in this order in every chart of the course.
COLOURS = ("#3a7ca5", "#c8553d", "#6f7f3a", "#8e6bb8")
ORIGINAL, SYNTHETIC, CONTROL, OTHER = COLOURS
PATTERNS = ("", "/", "x", ".")
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "x", "diamond", "square")


def styled(figure: Figure, height: int = 360) -> Figure:
    """Apply the house style: no decoration, room for labels, series names above the plot."""
    figure.update_layout(
        template="none",
        colorway=COLOURS,
        height=height,
        margin={"l": 60, "r": 20, "t": 80, "b": 50},
        title={"x": 0, "xanchor": "left", "xref": "container", "y": 1, "yanchor": "top", "pad": {"t": 12}},
        font={"family": "system-ui, sans-serif", "size": 14, "color": "#6b7075"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hoverlabel={"font": {"size": 14}},
    )
    figure.update_xaxes(
        automargin=True, gridcolor="rgba(128,128,128,.25)", zerolinecolor="rgba(128,128,128,.5)"
    )
    figure.update_yaxes(
        automargin=True, gridcolor="rgba(128,128,128,.25)", zerolinecolor="rgba(128,128,128,.5)"
    )
    return figure


def show(figure: Figure, alt: str, table: pd.DataFrame) -> None:
    """Display a figure with its finding and its data table.

    `alt` is one or two sentences that state what the chart shows; `table` holds the numbers drawn.
    The figure goes out as Plotly's own JSON, so the book draws it with one shared copy of Plotly.
    """
    from IPython.display import HTML, display

    if not alt.strip():
        raise ValueError("A chart needs its finding in words: pass alt='...'.")
    figure = styled(figure, figure.layout.height or 360)
    figure.update_layout(meta={"alt": alt})
    display({"application/vnd.plotly.v1+json": _plain(figure), "text/plain": alt}, raw=True)
    display(HTML(caption(alt, table)))


def table(frame: pd.DataFrame, caption: str):
    """A plain table with a caption, for results that are read rather than drawn."""
    from IPython.display import HTML

    return HTML(_html(frame).replace("<thead>", f"<caption>{escape(caption)}</caption><thead>", 1))


def caption(alt: str, table: pd.DataFrame) -> str:
    """The caption and the folded data table that follow a chart, as accessible HTML."""
    return (
        f'<p class="chart-finding">{escape(alt)}</p>'
        f'<details class="chart-data"><summary>The numbers in this chart</summary>{_html(table)}</details>'
    )


def bars(table: pd.DataFrame, title: str, unit: str, finding: str) -> None:
    """Show grouped bars: the first column of `table` names the groups, each further column is a series.

    `unit` labels the value axis; `finding` says in words what the chart shows.
    """
    import plotly.graph_objects as go

    groups, *series = table.columns
    names = ["<br>".join(wrap(name, 30)) for name in table[groups].astype(str)]
    figure = go.Figure()
    for i, name in enumerate(series):
        marker = {"color": COLOURS[i % 4], "pattern": {"shape": PATTERNS[i % 4]}}
        figure.add_bar(name=name, x=_rounded(table[name]), y=names, orientation="h", marker=marker)
    # Bars lie down, so that a name of any length can be read.
    figure.update_yaxes(type="category", autorange="reversed", title_text=groups)
    height = 130 + len(names) * (20 + 20 * max(len(series), *(name.count("<br>") + 1 for name in names)))
    figure.update_layout(barmode="group", title=title, xaxis_title=unit, height=height)
    show(figure, finding, table)


def densities(
    samples: dict[str, pd.Series], title: str, unit: str, finding: str, bins: int = 40, of: str = "rows"
) -> None:
    """Show outline histograms of one numeric column in several tables, on shared bins.

    `samples` maps a series name to its values; `of` says what they are: rows, draws, people.
    Values beyond the middle 99% are outside the picture.
    Raises ValueError where no series has a value.
    """
    import numpy as np
    import pandas as pd
    import plotly.graph_objects as go

    values = {name: pd.to_numeric(series).dropna().to_numpy(float) for name, series in samples.items()}
    everything = np.concatenate(list(values.values()))
    if not len(everything):
        raise ValueError(f"No value of {' or '.join(values)} is there to be drawn: every one is blank.")
    low, high = np.quantile(everything, [0.005, 0.995])
    edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    table = pd.DataFrame({"from": edges[:-1].round(4)})
    for name, column in values.items():
        counts, _ = np.histogram(column, edges)
        table[name] = (counts / max(len(column), 1)).round(4)
    figure = go.Figure()
    for i, name in enumerate(values):
        line = {"shape": "hv", "dash": DASHES[i % 4], "color": COLOURS[i % 4], "width": 2.5}
        figure.add_scatter(
            name=name, x=_rounded(table["from"]), y=_rounded(table[name]), line=line, mode="lines"
        )
    figure.update_layout(title=title, xaxis_title=unit, yaxis_title=f"share of {of}")
    show(figure, finding, table)


def panels(
    tables: dict[str, pd.DataFrame],
    x: str,
    y: str,
    title: str,
    finding: str,
    table: pd.DataFrame,
    most: int = 250,
) -> None:
    """Show one small scatter per table: columns `x` and `y` of the first `most` rows, on the same axes.

    The first of `tables` is the original. Two panels stand beside each other, which a telephone can show.
    `table` holds the figures to print below, since hundreds of points are no table to read.
    """
    import pandas as pd
    from plotly.subplots import make_subplots

    deep = -(-len(tables) // 2)
    figure = make_subplots(
        deep,
        2,
        shared_xaxes="all",
        shared_yaxes="all",
        subplot_titles=list(tables),
        vertical_spacing=0.35 / deep,
    )
    for place, rows in enumerate(tables.values()):
        shown = rows[[x, y]].apply(pd.to_numeric).dropna().head(most)
        marker = {"color": SYNTHETIC if place else ORIGINAL, "size": 4, "symbol": SYMBOLS[place > 0]}
        figure.add_scatter(
            x=_rounded(shown[x]),
            y=_rounded(shown[y]),
            mode="markers",
            marker=marker,
            row=place // 2 + 1,
            col=place % 2 + 1,
        )
    figure.update_xaxes(title_text=x, row=deep)
    figure.update_layout(title=title, height=80 + 190 * deep, showlegend=False)
    show(figure, finding, table)


def intervals(table: pd.DataFrame, title: str, unit: str, finding: str) -> None:
    """Show points with their intervals, the way the course draws every estimate.

    `table` has one row per point: its label first, then the estimate, then `low` and `high`.
    """
    import plotly.graph_objects as go

    label, value = table.columns[:2]
    figure = go.Figure()
    figure.add_scatter(
        x=_rounded(table[value]),
        y=table[label].astype(str).tolist(),
        mode="markers",
        marker={"color": ORIGINAL, "size": 11, "symbol": "diamond"},
        error_x=_reach(table, value, "low", "high"),
    )
    figure.update_xaxes(rangemode="tozero")  # whether an interval reaches zero is the first thing to see
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(title=title, xaxis_title=unit, height=120 + 46 * len(table), showlegend=False)
    show(figure, finding, table)


def crosses(
    table: pd.DataFrame, across: dict[str, str], up: tuple[str, str], title: str, finding: str
) -> None:
    """Show points with intervals in both directions: one panel for each measure across, the same one up.

    `table` has one row per point: the mark to print beside it, then the series it belongs to. Every measure
    drawn has three columns: "x", "x_low" and "x_high". `across` maps measures to the titles of their axes, a
    panel each, one below the other; `up` is the measure that every panel has upwards, and its title.
    """
    from plotly.subplots import make_subplots

    mark, series = table.columns[:2]
    table = table.reset_index(drop=True)
    places = ("top left", "bottom right", "top right", "top center", "bottom left")
    figure = make_subplots(len(across), 1, vertical_spacing=0.3 / len(across))
    for row, (measure, words) in enumerate(across.items(), 1):
        for place, (name, some) in enumerate(table.groupby(series, sort=False)):
            figure.add_scatter(
                name=name,
                x=_rounded(some[measure]),
                y=_rounded(some[up[0]]),
                text=some[mark].astype(str).tolist(),
                # In turn, so that the marks of neighbours do not cover each other.
                textposition=[places[i % 5] for i in some.index],
                mode="markers+text",
                cliponaxis=False,
                marker={"color": COLOURS[place % 4], "size": 11, "symbol": SYMBOLS[place % 4]},
                error_x=_reach(some, measure),
                error_y=_reach(some, up[0]),
                legendgroup=name,
                showlegend=row == 1,
                row=row,
                col=1,
            )
        figure.update_xaxes(title_text=words, rangemode="tozero", row=row, col=1)
        figure.update_yaxes(title_text=up[1], rangemode="tozero", row=row, col=1)
    figure.update_layout(title=title, height=80 + 340 * len(across))
    show(figure, finding, table)


def chart_html(figure: dict) -> str:
    """The place where a chart is drawn: its finding as the accessible name, its JSON for `charts.js`.

    `figure` is Plotly JSON; `layout.meta.alt` holds the finding in words and `layout.height` the height in
    pixels. A chart with no finding is an error: a reader who cannot see it would get nothing.
    """
    import json

    layout = figure.get("layout", {})
    alt = (layout.get("meta") or {}).get("alt", "").strip()
    if not alt:
        raise ValueError("A chart has no finding in words: layout.meta.alt is missing.")
    # "</" would end the script element early; "<\/" is the same text in JSON.
    data = json.dumps(figure, separators=(",", ":")).replace("</", "<\\/")
    height = int(layout.get("height") or 360)
    return (
        f'<div class="course-chart" role="img" aria-label="{escape(alt)}" style="min-height:{height}px">'
        f'<script type="application/json">{data}</script>'
        "<noscript><p>This chart needs JavaScript. Its finding and its numbers follow as text.</p></noscript>"
        "</div>"
    )


def side_by_side(series: dict[str, pd.Series], labels: dict, name: str) -> pd.DataFrame:
    """One table from several Series that share an index: the labels in column `name`, then one column each.

    `labels` maps the index values to words, in the order to show; values in no Series are left out.
    """
    import pandas as pd

    table = pd.DataFrame(series)
    table = table.reindex([value for value in labels if value in table.index]).fillna(0)
    table.insert(0, name, [labels[value] for value in table.index])
    return table.reset_index(drop=True)


def steps(views: dict[str, str]):
    """Views to step through, one open at a time, with no code running: they work in the book as well.

    `views` maps a heading to the HTML shown under it. The first is open.
    """
    from IPython.display import HTML

    name = "steps-" + "".join(letter for letter in next(iter(views)).lower() if letter.isalnum())
    folded = "".join(
        f'<details name="{name}"{" open" if place == 0 else ""}>'
        f"<summary>{escape(heading)}</summary>{view}</details>"
        for place, (heading, view) in enumerate(views.items())
    )
    return HTML(f'<div class="steps">{folded}</div>')


def _html(table: pd.DataFrame) -> str:
    """A table as plain HTML: numbers people can read, a dash for a blank, text at its full length."""
    return table.to_html(index=False, border=0, float_format=_readable, na_rep="–")


def _readable(value: float) -> str:
    """Three significant digits, whole numbers from a hundred upwards: 0.0123, 4.56, 1,235."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _reach(table: pd.DataFrame, value: str, low: str = "", high: str = "") -> dict:
    """How far the interval of each value reaches to both sides, as Plotly wants it."""
    return {
        "type": "data",
        "symmetric": False,
        "array": _rounded(table[high or f"{value}_high"] - table[value]),
        "arrayminus": _rounded(table[value] - table[low or f"{value}_low"]),
        "thickness": 2,
    }


def _rounded(values) -> list:
    """Four decimal places: enough to draw, and the same text on every machine. A blank becomes None."""
    import pandas as pd

    return [None if pd.isna(value) else round(float(value), 4) for value in values]


def _plain(figure: Figure) -> dict:
    """The figure as plain JSON, with no binary arrays, so that a stored notebook can be read and compared."""
    import json

    return json.loads(figure.to_json(engine="json"))
