"""Reads the folder of a robustness benchmark for the page: the pairs of which one episode succeeded only."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ambidex.benchmarks.gallery.model import CellCounts, GalleryEpisode, GalleryRun
from ambidex.benchmarks.gallery.results import read_results, results_episode
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.robustness.figures import CellFigure
from ambidex.benchmarks.robustness.folder import Cell, RobustnessFolder
from ambidex.benchmarks.robustness.report import RobustnessReport


def read_robustness(path: Path) -> list[GalleryRun]:
    """Read the clean and the perturbed episodes of all discordant pairs, those that the report counts as lost or won.

    Raises:
        DatasetError: The folder is damaged, or has no clean episodes yet.
    """
    folder = RobustnessFolder.open(path)
    report = RobustnessReport.of(folder)
    figures = [figure for axis in report.axes for figure in axis.cells]
    episodes = [episode for figure in figures for episode in _lost_or_won(folder.results(figure.cell), figure)]
    keys = {(each.task, each.seed) for each in episodes}
    results = read_results(folder.results(Cell()))
    clean = replace(
        results,
        folder=path,
        label=f"{results.label}, clean",
        episodes=tuple(each for each in results.episodes if (each.task, each.seed) in keys),
    )
    perturbed = replace(
        clean,
        label="perturbed",
        episodes=tuple(episodes),
        warning="\n".join(report.notes),
        incomplete="",
        cells=tuple(map(_counts, figures)),
    )
    return [clean, perturbed]


def _lost_or_won(results: ResultsFolder, figure: CellFigure) -> Iterator[GalleryEpisode]:
    """The perturbed episodes of a cell whose clean twin has the other outcome."""
    for row, clean in figure.pairs.values():
        if row.success != clean.success:
            spec = results.info.env_specs[row.task]
            yield replace(results_episode(results, row), cell=figure.cell, spec=spec)


def _counts(figure: CellFigure) -> CellCounts:
    changes = list(figure.changes.values())
    return CellCounts(
        axis=figure.cell.axis,
        level=figure.cell.level,
        pairs=len(changes),
        lost=changes.count(-1.0),
        won=changes.count(1.0),
    )
