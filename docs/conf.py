"""Sphinx configuration. `make docs` builds the site into docs/_build/html, without network."""

import contextlib
import io
import os
import re
import sys
from importlib import import_module
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

os.environ["COLUMNS"] = "88"  # of the help of commands, which fits the page then

import ambidex  # noqa: E402

project = "ambidex"
author = "the ambidex contributors"
version = release = ambidex.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header", "misc.highlighting_failure"]

html_theme = "furo"
html_title = f"ambidex {release}"

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False

COMMANDS = {
    "record-episodes": "ambidex.recorders.record_episodes",
    "render-episodes": "ambidex.recorders.render_episodes",
    "verify-episodes": "ambidex.recorders.verify_episodes",
    "train-policy": "ambidex.policies.train_policy",
    "run-benchmark": "ambidex.benchmarks.run_benchmark",
    "compare-policies": "ambidex.benchmarks.compare_policies",
    "watch-rollouts": "ambidex.benchmarks.watch_rollouts",
}


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
    app.connect("source-read", link_to_root_pages)
