"""Writes the result of a tournament: a page, report.html, and ranking.json."""

import html
from collections.abc import Sequence
from string import Template
from urllib.parse import quote

from ambidex.atomic_files import write_json, write_text
from ambidex.benchmarks.gallery.report import REPORT
from ambidex.benchmarks.tournament.folder import TournamentFolder
from ambidex.benchmarks.tournament.ranking import HEADER, OPEN_HEADER, Comparison, Place, Ranking, row
from ambidex.text import printable

RANKING_JSON = "ranking.json"
PAIR_HEADER = ("policies", *OPEN_HEADER[1:], "result")
PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #ccc; text-align: left; }
</style>
</head>
<body>
<h1>$title</h1>
<p>$verdict</p>
$policies
<p>$meaning</p>
<p>$cost</p>
<h2>Every two policies</h2>
<p>The difference is first minus second, on the seeds that both ran. The intervals of all pairs together are right at
all times with a probability of $confidence %; p is corrected for the number of pairs.</p>
$pairs
<h2>Command</h2>
<p><code>$command</code></p>
</body>
</html>
""")


def write_files(folder: TournamentFolder, ranking: Ranking) -> str:
    """Write the page and the JSON file, and return a sentence that names the page.

    Raises:
        DatasetError: They cannot be written.
    """
    write_json(folder.path / RANKING_JSON, ranking.to_dict())
    write_text(folder.path / REPORT, page(folder, ranking))
    return f"See {(folder.path / REPORT).resolve().as_uri()}"


def page(folder: TournamentFolder, ranking: Ranking) -> str:
    """The page as HTML, with links to the pages of the policies. No text of the results can become markup in it."""
    return PAGE.substitute(
        title=_text(f"{len(ranking.places)} policies in {', '.join(folder.info.tasks)}"),
        verdict=_text(ranking.verdict),
        policies=_table(HEADER, [_policy_cells(place) for place in ranking.places]),
        meaning=_text(ranking.meaning),
        cost=_text(ranking.cost),
        confidence=f"{100 - 100 * ranking.rule.alpha:g}",
        pairs=_table(PAIR_HEADER, [_pair_cells(ranking, each) for each in ranking.comparisons]),
        command=_text(folder.info.command),
    )


def _policy_cells(place: Place) -> list[str]:
    name, *others = map(_text, row(place))
    address = quote(f"{place.candidate.name}/{REPORT}")
    return [f'<a href="{address}">{name}</a>', *others]


def _pair_cells(ranking: Ranking, comparison: Comparison) -> list[str]:
    better = comparison.pair.better
    if better is not None:
        result = f"{ranking.places[better].candidate.name} is better"
    else:
        result = "open" if comparison.matters else "not compared further"
    return [_text(cell) for cell in (*ranking.pair_row(comparison), result)]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    lines = ["".join(f"<td>{cell}</td>" for cell in cells) for cells in rows]
    head = "".join(f"<th>{_text(name)}</th>" for name in header)
    return "\n".join(["<table>", *(f"<tr>{line}</tr>" for line in (head, *lines)), "</table>"])


def _text(text: str) -> str:
    return html.escape(printable(text))
