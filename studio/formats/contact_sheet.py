"""An HTML page that shows results with the requests that made them; one file and its pictures."""

from __future__ import annotations

import html

import msgspec


class SheetEntry(msgspec.Struct, frozen=True):
    """One result: a heading, the prompt, what it was made with; the file names of a picture or a sound, or text."""

    heading: str
    prompt: str
    facts: str
    picture: str = ""
    text: str = ""
    sound: str = ""


_STYLE = """
:root{color-scheme:light dark;--ground:#f4f3f1;--card:#fff;--line:#dedcd8;
--text:#222326;--quiet:#6b6d74;--accent:#c65f32}
@media(prefers-color-scheme:dark){:root{--ground:#1b1c1f;--card:#2c2e33;--line:#34363c;
--text:#e8e9ec;--quiet:#9a9da6;--accent:#e8875b}}
body{margin:0;background:var(--ground);color:var(--text);font:15px/1.5 Inter,system-ui,sans-serif}
main{max-width:960px;margin:0 auto;padding:32px 24px}h1{font-size:20px;margin:0 0 4px}
.grid{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));margin-top:24px}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px;min-width:0}
h2{font-size:13px;color:var(--accent);margin:0 0 8px}p{margin:0 0 8px}small{color:var(--quiet);font-size:12px}
img{width:100%;max-width:384px;image-rendering:pixelated;border-radius:6px;display:block;margin:0 0 8px}
audio{width:100%;display:block;margin:0 0 8px}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.5 ui-monospace,monospace;margin:0 0 8px}
"""


def contact_sheet(title: str, introduction: str, entries: list[SheetEntry]) -> str:
    """The page as HTML; everything from outside is escaped and nothing is loaded from elsewhere."""
    cards = "\n".join(_card(entry) for entry in entries)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{html.escape(title)}</h1><small>{html.escape(introduction)}</small>\n"
        f'<div class="grid">\n{cards}\n</div></main></body></html>\n'
    )


def _card(entry: SheetEntry) -> str:
    parts = [f"<article><h2>{html.escape(entry.heading)}</h2>"]
    if entry.picture:
        parts.append(f'<img src="{html.escape(entry.picture)}" alt="{html.escape(entry.prompt)}">')
    if entry.sound:
        parts.append(f'<audio controls src="{html.escape(entry.sound)}"></audio>')
    if entry.prompt:
        parts.append(f"<p>{html.escape(entry.prompt)}</p>")
    if entry.text:
        parts.append(f"<pre>{html.escape(entry.text)}</pre>")
    parts.append(f"<small>{html.escape(entry.facts)}</small></article>")
    return "".join(parts)
