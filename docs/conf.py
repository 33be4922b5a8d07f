"""Sphinx configuration. `make docs` builds the site into docs/_build/html, without network."""

import contextlib
import io
import os
import re
import sys
from dataclasses import MISSING, fields
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

os.environ["COLUMNS"] = "110"  # of the help of commands, which fits the page then

import ambidex  # noqa: E402
from ambidex.flags import field_descriptions, type_name  # noqa: E402

project = "ambidex"
author = "the ambidex contributors"
version = release = ambidex.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
highlight_language = "text"
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header", "misc.highlighting_failure"]

html_theme = "furo"
html_title = f"ambidex {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

COMMANDS = {
    "record-episodes": "ambidex.recorders.record_episodes",
    "merge-datasets": "ambidex.recorders.merge_datasets",
    "render-episodes": "ambidex.recorders.render_episodes",
    "convert-dataset": "ambidex.recorders.convert_dataset",
    "verify-episodes": "ambidex.recorders.verify_episodes",
    "inspect-dataset": "ambidex.recorders.inspect_dataset",
    "train-policy": "ambidex.policies.train_policy",
    "serve-policy": "ambidex.policies.serve_policy",
    "run-benchmark": "ambidex.benchmarks.run_benchmark",
    "merge-results": "ambidex.benchmarks.merge_results",
    "evaluate-robot": "ambidex.benchmarks.evaluate_robot",
    "compare-policies": "ambidex.benchmarks.compare_policies",
    "export-results": "ambidex.benchmarks.export_results",
    "report-robustness": "ambidex.benchmarks.report_robustness",
    "verify-results": "ambidex.benchmarks.verify_results",
    "watch-rollouts": "ambidex.benchmarks.watch_rollouts",
}


class ConfigFields(Directive):
    """A table of the fields of a config: `config-fields:: RecordConfig`."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        kind = getattr(ambidex, " ".join(self.content).strip())
        hints, texts = get_type_hints(kind), field_descriptions(kind)
        rows = [("field", "type", "default", "")]
        for field in fields(kind):
            default = "" if field.default is MISSING else repr(field.default)
            rows.append((field.name, type_name(hints[field.name]), default, texts[field.name]))
        return [table(rows)]


def with_literal_flags(text: str) -> list[nodes.Node]:
    parts = re.split(r"(--[\w-]+)", text)
    return [nodes.literal(part, part) if part.startswith("--") else nodes.Text(part) for part in parts if part]


def table(rows: list[tuple[str, ...]]) -> nodes.Node:
    """A table with a header; the cells of all columns but the last are code."""
    group = nodes.tgroup(cols=len(rows[0]))
    group += [nodes.colspec(colwidth=width) for width in (15, 20, 15, 50)]
    head, body = nodes.thead(), nodes.tbody()
    for index, cells in enumerate(rows):
        row = nodes.row()
        for column, text in enumerate(cells):
            is_code = index > 0 and column < len(cells) - 1
            content = [nodes.literal(text, text)] if is_code else with_literal_flags(text)
            row += nodes.entry("", nodes.paragraph("", "", *content))
        (body if index else head).append(row)
    group += [head, body]
    return nodes.table("", group)


ROOT_PAGES = {"CONTRIBUTING.md": "/project/contributing.md", "CHANGELOG.md": "/project/changelog.md"}


def link_to_root_pages(app: Sphinx, name: str, source: list[str]) -> None:
    """Links to files in the root of the repository lead to the pages that include them."""
    for file, page in ROOT_PAGES.items():
        source[0] = re.sub(rf"\]\((\.\./)+{file}", f"]({page}", source[0])


class CommandHelp(Directive):
    """Shows what a command prints for --help-all: `command-help:: train-policy --policy uniact`."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        name, *flags = " ".join(self.content).split()
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            import_module(COMMANDS[name]).main([*flags, "--help-all"])
        return [nodes.literal_block(printed.getvalue(), printed.getvalue(), language="text")]


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_directive("command-help", CommandHelp)
    app.add_directive("config-fields", ConfigFields)
    app.connect("source-read", link_to_root_pages)
