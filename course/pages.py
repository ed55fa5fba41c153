"""Pages that stand alone: one HTML file with its style inside, that asks no host for anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from pathlib import Path

STYLE = Path(__file__).with_name("pages.css")


@cache
def _style() -> str:
    return STYLE.read_text(encoding="utf-8")


def page(
    title: str, body: str, *, script: str = "", style: str = "", server: bool = False, beside: bool = False
) -> str:
    """A whole page around its content, which holds the first heading. Its own rules forbid it any request.

    A page that a `server` of the course made may ask that server, and no other. `beside` lets it take scripts
    that lie beside it, on its own site or on disk.
    """
    asks = "connect-src 'self'; form-action 'self'" if server else "form-action 'none'"
    scripts = "'unsafe-inline' 'self' file:" if beside else "'unsafe-inline'"
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {scripts}; {asks}"
    return (
        f'<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_style()}{style}</style>\n"
        f'</head>\n<body>\n<a class="skip" href="#main">Skip to the content</a>\n'
        f'<main id="main" tabindex="-1">\n{body}\n</main>\n{script}</body>\n</html>\n'
    )


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence], kind: str = "") -> str:
    """A table with a caption, in a box that scrolls sideways and the keyboard reaches. Cells are text."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    inner = f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    name = f'role="region" aria-label="{escape(caption)}" tabindex="0"'
    return f'<div class="wide wide-table" {name}><table class="{kind}">{inner}</table></div>'


def _cells(row: Sequence) -> str:
    first, *rest = (str(text) for text in row)
    words = ' class="words"' if len(first) > 25 else ""
    cells = [f'<td class="{"number" if len(text) < 12 else "text"}">{_marked(text)}</td>' for text in rest]
    return f'<th scope="row"{words}>{escape(first)}</th>' + "".join(cells)


def _marked(text: str) -> str:
    """The text, a gap set off; the word "Gap" says it as well as the colour."""
    return f'<span class="gap">{escape(text)}</span>' if text.startswith("Gap:") else escape(text)
