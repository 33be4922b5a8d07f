"""summary.json of a results folder, as it is read again."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.benchmarks.results_folder import SUMMARY
from ambidex.errors import DatasetError


@dataclass(frozen=True, kw_only=True)
class StoredSummary:
    """What summary.json says of the episodes beside it.

    Attributes:
        complete: Every episode that was asked for then has its row.
        episodes: How many rows it counts.
    """

    complete: bool
    episodes: int

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Of a results folder; None if it has no summary yet.

        Raises:
            DatasetError: It is damaged.
        """
        path = folder / SUMMARY
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            counts = [int(task["n"]) for task in values["tasks"].values()]
            return cls(complete=values["complete"] is True, episodes=sum(counts))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DatasetError(
                f"{path} cannot be read as a summary ({type(error).__name__}: {error}). Remove it and run the "
                "benchmark again with --resume, which writes it anew."
            ) from error
