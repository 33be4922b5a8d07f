"""The result of a tournament: the order of the policies, with what is shown of it and what is not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self

from ambidex.benchmarks.statistics.letters import compact_letters
from ambidex.benchmarks.statistics.sequential import mean_interval, rate_interval
from ambidex.benchmarks.statistics.text import p_text, points, points_interval
from ambidex.benchmarks.tournament.candidates import Candidate
from ambidex.benchmarks.tournament.folder import TournamentFolder
from ambidex.benchmarks.tournament.rounds import BEST, Outcomes, Pair, Rule, compare_all, open_pairs
from ambidex.text import pluralize, text_table

HEADER = ("policy", "episodes", "successes", "rate [%]", "anytime interval [%]", "letters")
OPEN_HEADER = ("open", "pairs", "difference [points]", "p")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A policy in the order of a tournament.

    Attributes:
        candidate: The policy.
        seeds: Seeds that it ran in each task.
        episodes: Episodes that it ran.
        successes: How many of them succeeded.
        interval: Anytime-valid 95 % interval of the rate: right at all times with probability 0.95, so also where the
            number of episodes depends on outcomes. Wilson's would not be.
        letters: Policies without a letter in common are shown to differ.
    """

    candidate: Candidate
    seeds: int
    episodes: int
    successes: int
    interval: tuple[float, float]
    letters: str

    @property
    def rate(self) -> float:
        """Success rate, 0 to 1; all tasks weigh the same."""
        return self.successes / self.episodes


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two policies, by place from 0, with the better rate first.

    Attributes:
        pair: The comparison on the seeds of both; its indices are places.
        interval: Of the difference, first minus second. With probability 1 - alpha those of all pairs are right at all
            times, so the interval of a pair is wider than that of a single comparison.
        matters: The pair is open, and so the question of the tournament.
    """

    pair: Pair
    interval: tuple[float, float]
    matters: bool


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The result of a tournament. As text it is the table.

    Attributes:
        rule: What decided which episodes were run.
        places: The policies, first those that the fewest others are shown to be better than; of these, the highest rate
            first.
        comparisons: Every two of them.
    """

    rule: Rule
    places: tuple[Place, ...]
    comparisons: tuple[Comparison, ...]

    @classmethod
    def of(cls, folder: TournamentFolder, outcomes: Sequence[Outcomes]) -> Self:
        """Rank the policies of a tournament by their outcomes, shape (seeds, tasks) each."""
        rule, candidates = folder.info.rule, folder.info.candidates
        order = _order(outcomes, rule)
        ranked = [outcomes[index] for index in order]
        pairs = compare_all(ranked, rule.alpha)
        letters = compact_letters(len(ranked), [pair.policies for pair in pairs if pair.better is not None])
        places = zip(order, ranked, letters, strict=True)
        return cls(
            rule=rule,
            places=tuple(_place(candidates[index], found, own, rule.alpha) for index, found, own in places),
            comparisons=_comparisons(pairs, rule),
        )

    @property
    def episodes(self) -> int:
        """Episodes that were run."""
        return sum(place.episodes for place in self.places)

    @property
    def saved(self) -> int:
        """How many more it would be if every policy had run as many as the one with the most."""
        return len(self.places) * max(place.episodes for place in self.places) - self.episodes

    @property
    def remaining(self) -> list[Comparison]:
        """The comparisons that the budget did not settle."""
        return [each for each in self.comparisons if each.matters]

    def to_dict(self) -> dict[str, object]:
        """Everything in the table, and all pairs; rates and differences as fractions."""
        names = [place.candidate.name for place in self.places]
        return {
            **asdict(self.rule),
            "episodes": self.episodes,
            "saved": self.saved,
            "settled": not self.remaining,
            "policies": [asdict(place) | {"rate": place.rate} for place in self.places],
            "pairs": [
                {
                    "first": names[each.pair.first],
                    "second": names[each.pair.second],
                    "better": None if each.pair.better is None else names[each.pair.better],
                    "p": each.pair.p,
                    "difference": each.pair.counts.difference,
                    "interval": each.interval,
                    "open": each.matters,
                    **asdict(each.pair.counts),
                }
                for each in self.comparisons
            ],
        }

    def __str__(self) -> str:
        """The table, what it means, the pairs that are not settled, and how many episodes were saved."""
        table = text_table(HEADER, [row(place) for place in self.places])
        open_table = text_table(OPEN_HEADER, [self.pair_row(each) for each in self.remaining]) if self.remaining else ""
        return "\n\n".join(filter(None, (table, self.verdict, open_table, f"{self.meaning} {self.cost}")))

    @property
    def verdict(self) -> str:
        """What the tournament has settled, in a sentence."""
        asked = "The best policy" if self.rule.mode == BEST else "The order"
        if self.remaining:
            verb = "is" if len(self.remaining) == 1 else "are"
            return f"{asked} is not settled: {len(self.remaining)} of {self._pairs} {verb} open."
        return f"{asked} is settled" + (f": {self.places[0].candidate.name}." if self.rule.mode == BEST else ".")

    @property
    def meaning(self) -> str:
        """What letters and intervals mean."""
        false, right = (f"{100 * share:g} %" for share in (self.rule.alpha, 1 - self.rule.alpha))
        return (
            "Policies without a common letter differ. The probability that any of these differences is false is at "
            f"most {false}, whenever each comparison stopped (sequential tests, Bonferroni's correction for "
            f"{self._pairs}). The interval of each rate is right at all times with a probability of {right}."
        )

    @property
    def cost(self) -> str:
        """How many episodes were run, and how many fewer than without a tournament."""
        most = max(place.episodes for place in self.places)
        fewer = f", {self.saved} fewer than {most} of each policy" if self.saved else ""
        return f"{self.episodes} of {pluralize(self.rule.budget, 'episode')} were run{fewer}."

    @property
    def _pairs(self) -> str:
        return pluralize(len(self.comparisons), "comparison")

    def pair_row(self, comparison: Comparison) -> tuple[str, ...]:
        """The line of a comparison in the table of open ones; see `OPEN_HEADER`."""
        pair = comparison.pair
        first, second = (self.places[index].candidate.name for index in pair.policies)
        difference = f"{points(pair.counts.difference)} {points_interval(*comparison.interval)}"
        return f"{first} and {second}", str(pair.counts.pairs), difference, p_text(pair.p)


def row(place: Place) -> tuple[str, ...]:
    """The line of a policy in the table; see `HEADER`."""
    interval = "{:.1f} to {:.1f}".format(*(100 * end for end in place.interval))
    counts = str(place.episodes), str(place.successes)
    return place.candidate.name, *counts, f"{100 * place.rate:.1f}", interval, place.letters


def _order(outcomes: Sequence[Outcomes], rule: Rule) -> list[int]:
    """The policies by index, the best first.

    Not by rates alone: those of different numbers of seeds may contradict what the common seeds have settled.
    """
    settled = [pair for pair in compare_all(outcomes, rule.alpha) if pair.better is not None]
    worse = Counter(index for pair in settled for index in pair.policies if index != pair.better)
    return sorted(range(len(outcomes)), key=lambda index: (worse[index], -outcomes[index].mean()))


def _place(candidate: Candidate, outcomes: Outcomes, letters: str, alpha: float) -> Place:
    successes = int(outcomes.sum())
    return Place(
        candidate=candidate,
        seeds=len(outcomes),
        episodes=outcomes.size,
        successes=successes,
        interval=rate_interval(successes, outcomes.size, alpha=alpha),
        letters=letters,
    )


def _comparisons(pairs: Sequence[Pair], rule: Rule) -> tuple[Comparison, ...]:
    matter = {pair.policies for pair in open_pairs(pairs, rule.mode)}
    alpha = rule.alpha / len(pairs)
    return tuple(
        Comparison(pair=pair, interval=mean_interval(pair.counts, alpha=alpha), matters=pair.policies in matter)
        for pair in pairs
    )
