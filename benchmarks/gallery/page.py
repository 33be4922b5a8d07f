"""Makes the page: one HTML file with its style, program and data, which loads nothing from elsewhere."""

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from ambidex.benchmarks.gallery.model import PageModel
from ambidex.text import printable

_STATIC = files("ambidex.benchmarks") / "gallery" / "static"


def page(model: PageModel, videos: Mapping[str, Path] | None = None) -> str:
    """The page as HTML. No text of the results can become markup or program code in it.

    `videos` maps ids to the files of the videos to embed.
    """
    style, script = _text("gallery.css"), _script()
    return Template(_text("page.html")).substitute(
        policy=html.escape(_security_policy(style, script)),
        title=html.escape(printable(model.title)),
        summary=html.escape(printable(model.summary)),
        style=style,
        script=script,
        model=data_block(model.to_dict()),
        videos="\n".join(_video(name, file) for name, file in (videos or {}).items()),
    )


def data_block(values: object) -> str:
    """JSON for a script element, in ASCII: no character in it can end the element or start a comment."""
    text = json.dumps(_shown(values), separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _shown(values: object) -> object:
    """The same with control characters as text."""
    if isinstance(values, str):
        return printable(values)
    if isinstance(values, Mapping):
        return {name: _shown(value) for name, value in values.items()}
    return [_shown(value) for value in values] if isinstance(values, list | tuple) else values


def _script() -> str:
    parts = sorted(part.name for part in _STATIC.iterdir() if part.name.endswith(".js"))
    return '(() => {\n"use strict";\n' + "\n".join(_text(name) for name in parts) + "})();\n"


def _text(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


def _security_policy(style: str, script: str) -> str:
    """The content security policy: only this style and this program, and only the server that the page came from."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src 'self' data:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _video(name: str, file: Path) -> str:
    content = base64.b64encode(file.read_bytes()).decode()
    return f'<script type="text/plain" id="{html.escape(printable(name))}">{content}</script>'
