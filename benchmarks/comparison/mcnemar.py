"""McNemar's test: is one policy more often the only one to succeed?

Under the null hypothesis each pair in which exactly one of the two succeeded is a fair coin; pairs in which both or
neither did say nothing. Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
percentages", Psychometrika 12 (1947); exact by the binomial distribution, so right for any number of episodes.
"""

from scipy.stats import binom, binomtest


def exact_p(only_a: int, only_b: int) -> float:
    """Two-sided exact p-value. Without a discordant pair it is 1.

    Args:
        only_a: Pairs in which the first alone succeeded.
        only_b: Pairs in which the second alone succeeded.
    """
    discordant = only_a + only_b
    return float(binomtest(only_a, discordant, 0.5).pvalue) if discordant else 1.0


def mid_p(only_a: int, only_b: int) -> float:
    """Two-sided mid-p value: less cautious than the exact one, with a level that is kept in practice, not by proof.

    M. W. Fagerland, S. Lydersen, P. Laake, "The McNemar test for binary matched-pairs data: mid-p and asymptotic are
    better than exact conditional", BMC Medical Research Methodology 13:91 (2013).
    """
    share = float(binom.pmf(only_a, only_a + only_b, 0.5))
    return exact_p(only_a, only_b) - (share / 2 if only_a == only_b else share)
