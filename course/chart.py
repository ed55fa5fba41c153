"""One house style for every chart: a figure, the finding in words, and the numbers behind it.

A chart that cannot be read in words is not finished. `show` therefore asks for the finding (used as the
alternative text and as the visible caption) and for the table of what is drawn.

Colours are told apart by lightness as well as hue, and every series is also named or shaped, so that no
meaning rests on colour alone. Contrast with both page backgrounds (white, and the book's dark grey) is at
least 3 to 1, as WCAG 2.2 asks of graphics.
"""

from __future__ import annotations

from html import escape
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
        margin={"l": 60, "r": 20, "t": 40, "b": 50},
        font={"family": "system-ui, sans-serif", "size": 14, "color": "#6b7075"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hoverlabel={"font": {"size": 14}},
    )
    figure.update_xaxes(automargin=True, gridcolor="rgba(128,128,128,.25)", zerolinecolor="rgba(128,128,128,.5)")
    figure.update_yaxes(automargin=True, gridcolor="rgba(128,128,128,.25)", zerolinecolor="rgba(128,128,128,.5)")
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
    display(HTML(finding(alt, table)))


def table(frame: pd.DataFrame, caption: str):
    """A plain table with a caption, for results that are read rather than drawn. Long text is not cut."""
    import pandas as pd
    from IPython.display import HTML

    with pd.option_context("display.max_colwidth", None):
        body = frame.to_html(index=False, border=0, float_format=lambda value: f"{value:.3g}", na_rep="–")
    return HTML(body.replace("<thead>", f"<caption>{escape(caption)}</caption><thead>", 1))


def finding(alt: str, table: pd.DataFrame) -> str:
    """The caption and the folded data table that follow a chart, as accessible HTML."""
    body = table.to_html(index=False, border=0, float_format=lambda value: f"{value:.3g}", na_rep="–")
    return (
        f'<p class="chart-finding">{escape(alt)}</p>'
        f'<details class="chart-data"><summary>The numbers in this chart</summary>{body}</details>'
    )


def bars(table: pd.DataFrame, category: str, series: list[str], title: str, unit: str) -> Figure:
    """Grouped bars: one group per value of `category`, one bar per column in `series`.

    `table` holds one row per category and one numeric column per series. `unit` labels the value axis.
    """
    import plotly.graph_objects as go

    figure = go.Figure(
        [
            go.Bar(
                name=name,
                x=table[category].astype(str).tolist(),
                y=_rounded(table[name]),
                marker={"color": COLOURS[i % 4], "pattern": {"shape": PATTERNS[i % 4]}},
            )
            for i, name in enumerate(series)
        ]
    )
    return figure.update_layout(barmode="group", title=title, yaxis_title=unit, height=380)


def side_by_side(series: dict[str, pd.Series], labels: dict, name: str) -> pd.DataFrame:
    """One table from several Series that share an index: the labels in column `name`, then one column each.

    `labels` maps the index values to words, in the order to show; values in no Series are left out.
    """
    import pandas as pd

    table = pd.DataFrame(series)
    table = table.reindex([value for value in labels if value in table.index]).fillna(0)
    table.insert(0, name, [labels[value] for value in table.index])
    return table.reset_index(drop=True)


def densities(samples: dict[str, pd.Series], title: str, unit: str, bins: int = 40) -> tuple[Figure, pd.DataFrame]:
    """Outline histograms of one numeric column in several tables, on shared bins.

    `samples` maps a series name to its values; the outer 1% of all values is gathered in the end bins.
    Returns the figure and the table it draws: bin start, then the share of rows per series.
    """
    import numpy as np
    import pandas as pd
    import plotly.graph_objects as go

    values = {name: pd.to_numeric(series).dropna().to_numpy(float) for name, series in samples.items()}
    everything = np.concatenate(list(values.values()))
    low, high = np.quantile(everything, [0.005, 0.995])
    edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    table = pd.DataFrame({"from": edges[:-1]})
    for name, column in values.items():
        counts, _ = np.histogram(np.clip(column, edges[0], edges[-1]), edges)
        table[name] = counts / max(len(column), 1)
    figure = go.Figure(
        [
            go.Scatter(
                name=name,
                x=_rounded(table["from"]),
                y=_rounded(table[name]),
                line={"shape": "hv", "dash": DASHES[i % 4], "color": COLOURS[i % 4], "width": 2.5},
                mode="lines",
            )
            for i, name in enumerate(values)
        ]
    )
    figure.update_layout(title=title, xaxis_title=unit, yaxis_title="share of rows", height=360)
    return figure, table.round(4)


def panels(tables: dict[str, pd.DataFrame], x: str, y: str, title: str, most: int = 250) -> Figure:
    """One small scatter per table, all on the same axes: columns `x` and `y` of the first `most` rows.

    Two panels stand beside each other, so that the chart can be read on a telephone.
    """
    import pandas as pd
    from plotly.subplots import make_subplots

    deep = -(-len(tables) // 2)
    figure = make_subplots(deep, 2, shared_xaxes="all", shared_yaxes="all", subplot_titles=list(tables), vertical_spacing=0.35 / deep)
    for place, table in enumerate(tables.values()):
        shown = table[[x, y]].apply(pd.to_numeric).dropna().head(most)
        figure.add_scatter(
            x=_rounded(shown[x]),
            y=_rounded(shown[y]),
            mode="markers",
            marker={"color": ORIGINAL if place == 0 else SYNTHETIC, "size": 4, "symbol": SYMBOLS[place > 0]},
            row=place // 2 + 1,
            col=place % 2 + 1,
        )
    figure.update_xaxes(title_text=x, row=deep)
    return figure.update_layout(title=title, height=80 + 190 * deep, showlegend=False)


def steps(views: dict[str, str]):
    """Views to step through, one open at a time, with no code running: they work in the book as well.

    `views` maps a heading to the HTML shown under it. The first is open.
    """
    from IPython.display import HTML

    name = "steps-" + "".join(letter for letter in next(iter(views)).lower() if letter.isalnum())
    return HTML(
        '<div class="steps">'
        + "".join(
            f'<details name="{name}"{" open" if place == 0 else ""}><summary>{escape(heading)}</summary>{view}</details>'
            for place, (heading, view) in enumerate(views.items())
        )
        + "</div>"
    )


def intervals(table: pd.DataFrame, label: str, value: str, low: str, high: str, title: str, unit: str) -> Figure:
    """Points with intervals, one row each: the way the course draws every estimate."""
    import plotly.graph_objects as go

    figure = go.Figure(
        go.Scatter(
            x=_rounded(table[value]),
            y=table[label].astype(str).tolist(),
            mode="markers",
            marker={"color": ORIGINAL, "size": 11, "symbol": "diamond"},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": _rounded(table[high] - table[value]),
                "arrayminus": _rounded(table[value] - table[low]),
                "thickness": 2,
            },
        )
    )
    figure.update_yaxes(autorange="reversed")
    return figure.update_layout(title=title, xaxis_title=unit, height=120 + 46 * len(table), showlegend=False)


def _rounded(values) -> list:
    """Four decimal places: enough to draw, and the same text on every machine."""
    return [None if value != value else round(float(value), 4) for value in values]


def _plain(figure: Figure) -> dict:
    """The figure as plain JSON, with no binary arrays, so that a stored notebook can be read and compared."""
    import json

    return json.loads(figure.to_json(engine="json"))
