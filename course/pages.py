"""Pages that stand alone: one HTML file with its style inside, that asks no host for anything."""

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
