"""Four ways to compare a published number with trainings of our own, and what the verdict is.

A source prints the number of one training (`Run`), the share of its trainings that succeeded or the
probability that it derives (`Share`), a mean over its trainings (`Mean`), or a number that follows
from the set-up without any chance (`Exact`). `evidence` keeps of our trainings what a verdict
needs, as plain numbers, and `judged` reads the verdict from that, so that it can be read again.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import approx as ap

REPRODUCED, DIFFERS, UNDECIDED = "reproduced", "not reproduced", "undecided"
OF_PLACES = {"inside": REPRODUCED, "outside": DIFFERS, "undecided": UNDECIDED}
Z = 1.959963984540054  # the 97.5% quantile of the normal distribution
# A difference that could be as large as this share is undecided, though it could be 0 as well
WIDE = 0.2


@dataclass(frozen=True)
class Number:
    """A number that a source prints.

    Attributes:
        text: what it is.
        reported: the number.
    """

    text: str
    reported: float


@dataclass(frozen=True)
class Run(Number):
    """The number of one training; it is reproduced if it lies within the middle 95% of ours.

    Attributes:
        rounding: half a unit of the last digit that is printed.
    """

    rounding: float

    def evidence(self, values: ArrayLike) -> dict[str, float]:
        """Where the number lies among those of our seeds (`stats.reported`)."""
        one = ap.stats.Reported(self.text, "", values, self.reported, self.rounding)
        found = ap.stats.reported("", [one]).isel(number=0)
        values = np.where(np.isnan(values), np.inf, values)
        low, middle, high = np.quantile(values, (0.025, 0.5, 0.975), method="inverted_cdf")
        n = float(found["n"])
        kept = {"n": n, "rank": float(found["quantile"]) * n}
        return kept | {"low": float(low), "middle": float(middle), "high": float(high)}

    def judged(self, evidence: Mapping[str, float]) -> str:
        """The verdict, from the number's rank among ours and Clopper and Pearson's interval."""
        low, high = ap.stats.binomial_interval(evidence["rank"], evidence["n"])
        if low >= 0.025 and high <= 0.975:
            return REPRODUCED
        return DIFFERS if high <= 0.025 or low >= 0.975 else UNDECIDED

    def said(self) -> str:
        """What the source prints."""
        return f"{self.reported:.6g}"

    def found(self, evidence: Mapping[str, float]) -> str:
        """Our median, and the middle 95%."""
        ends = f"{evidence['low']:.4g} to {evidence['high']:.4g}"
        return f"{evidence['middle']:.4g} ({ends}), n = {evidence['n']:.0f}"


@dataclass(frozen=True)
class Share(Number):
    """A share of trainings that succeed; it is reproduced if the difference to ours may be 0.

    Attributes:
        trainings: how many the source has; None for a probability that it derives.
    """

    trainings: int | None = None

    def evidence(self, values: ArrayLike) -> dict[str, float]:
        """How many of our seeds succeed."""
        hits = np.asarray(values, bool)
        return {"hits": float(hits.sum()), "n": float(hits.size)}

    def difference(self, evidence: Mapping[str, float]) -> tuple[float, float]:
        """95% interval of our probability less the source's.

        With a derived probability it is Clopper and Pearson's interval, moved. With a share of
        trainings it is Newcombe's, from two of Wilson's (R. G. Newcombe, Statistics in Medicine 17,
        1998, method 10).
        """
        hits, n = evidence["hits"], evidence["n"]
        if self.trainings is None:
            low, high = ap.stats.binomial_interval(hits, n)
            return float(low) - self.reported, float(high) - self.reported
        theirs = round(self.reported * self.trainings)
        ours = ap.stats.binomial_interval(hits, n, interval="wilson")
        other = ap.stats.binomial_interval(theirs, self.trainings, interval="wilson")
        middle = hits / n - self.reported
        below = math.hypot(hits / n - ours[0], other[1] - self.reported)
        above = math.hypot(ours[1] - hits / n, self.reported - other[0])
        return middle - below, middle + above

    def judged(self, evidence: Mapping[str, float]) -> str:
        """The verdict, from the interval of the difference."""
        return of_difference(*self.difference(evidence), WIDE)

    def said(self) -> str:
        """What the source prints."""
        if self.trainings is None:
            return f"{self.reported:.4g} (derived)"
        return f"{self.reported:.0%} of {self.trainings}"

    def found(self, evidence: Mapping[str, float]) -> str:
        """Our share, with its exact 95% interval."""
        low, high = ap.stats.binomial_interval(evidence["hits"], evidence["n"])
        share = evidence["hits"] / evidence["n"]
        return f"{share:.3f} ({low:.3f} to {high:.3f}), n = {evidence['n']:.0f}"


@dataclass(frozen=True)
class Mean(Number):
    """A mean over trainings; it is reproduced if the difference to ours may be 0.

    Attributes:
        error: its standard error; 0 for a mean that is derived.
        wide: a difference that could be as large as this is undecided.
    """

    error: float
    wide: float

    def evidence(self, values: ArrayLike) -> dict[str, float]:
        """Mean and standard error of ours."""
        values = np.asarray(values, float)
        error = float(values.std(ddof=1) / math.sqrt(values.size))
        return {"mean": float(values.mean()), "error": error, "n": float(values.size)}

    def judged(self, evidence: Mapping[str, float]) -> str:
        """The verdict, from the 95% interval of the difference of two means."""
        half = Z * math.hypot(evidence["error"], self.error)
        middle = evidence["mean"] - self.reported
        return of_difference(middle - half, middle + half, self.wide)

    def said(self) -> str:
        """What the source prints."""
        if self.error == 0:
            return f"{self.reported:.4g} (derived)"
        return f"{self.reported:.6g} ± {Z * self.error:.2g}"

    def found(self, evidence: Mapping[str, float]) -> str:
        """Our mean, and its 95% interval."""
        return f"{evidence['mean']:.5g} ± {Z * evidence['error']:.2g}, n = {evidence['n']:.0f}"


@dataclass(frozen=True)
class Exact(Number):
    """A number that follows without chance; it is reproduced if ours is printed alike.

    Attributes:
        rounding: half a unit of the last digit that is printed, or what a formula leaves out.
    """

    rounding: float

    def evidence(self, values: ArrayLike) -> dict[str, float]:
        """Our number."""
        return {"value": float(np.asarray(values).item())}

    def judged(self, evidence: Mapping[str, float]) -> str:
        """The verdict; one part in a million is left to float32."""
        allowed = self.rounding * (1 + 1e-6) + 1e-6 * abs(self.reported)
        return REPRODUCED if abs(evidence["value"] - self.reported) <= allowed else DIFFERS

    def said(self) -> str:
        """What the source prints."""
        return f"{self.reported:.6g}"

    def found(self, evidence: Mapping[str, float]) -> str:
        """Our number."""
        return f"{evidence['value']:.6g}"


def of_difference(low: float, high: float, wide: float) -> str:
    """The verdict on an interval of a difference."""
    if low > 0 or high < 0:
        return DIFFERS
    return UNDECIDED if max(-low, high) > wide else REPRODUCED


@dataclass(frozen=True)
class Source:
    """Where numbers stand.

    Attributes:
        authors: who wrote them.
        year: when.
        title: of the paper, book or page.
        place: the table, section or file.
        address: where it can be read.
        read: what was read, if it was not the source itself.
    """

    authors: str
    year: int
    title: str
    place: str
    address: str
    read: str = ""


@dataclass(frozen=True)
class Entry:
    """Numbers of one source that one set of trainings is compared with.

    Attributes:
        title: what was published.
        source: where.
        setup: what is trained, as the source says it.
        guesses: what the source leaves open, and what was taken.
        numbers: what it reports, by a short name.
        train: () -> for each number the values of our trainings.
        reason: the likeliest reason why a number is not reproduced, if one is not.
        afterwards: names of numbers that were compared in search of that reason; they do not count.
        cheap: whether a test trains it anew.
    """

    title: str
    source: Source
    setup: str
    guesses: str
    numbers: Mapping[str, Any]
    train: Any
    reason: str = ""
    afterwards: Collection[str] = ()
    cheap: bool = False
