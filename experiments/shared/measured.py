"""Claims about one measure of success: a rate somewhere, or the difference of two paired rates."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import xarray as xr

import approx as ap

Region = tuple[float, float]


def worded(at: dict[str, Any]) -> str:
    """A place in the result in words: "widths 4, activation tanh"."""
    return ", ".join(f"{name} {value}" for name, value in at.items())


@dataclass(frozen=True)
class Measured:
    """What counts as a success, in words, and which trainings are one.

    Attributes:
        says: the measure, such as "mean squared error at most 0.001".
        hits: what `stats.success` returned.

    Example:
        `Measured("loss at most 0.1", hits).rate("ten units learn it", stats.USUALLY, widths=10)`
    """

    says: str
    hits: xr.Dataset

    def rate(self, text: str, holds: Region, **at: Any) -> ap.stats.Claim:
        """The claim that the rate of success at a place lies in a region."""
        effect = partial(ap.stats.rate, self.hits.sel(at))
        return ap.stats.Claim(text, worded(at), self.says, effect, holds)

    def pair(
        self, text: str, holds: Region, dim: str, values: tuple[Any, Any], **at: Any
    ) -> ap.stats.Claim:
        """The claim on the rate with the first value of `dim` less that with the second."""
        one, other = values
        effect = partial(ap.stats.compare, self.hits.sel(at), one, other, dim=dim)
        where = worded({dim: f"{one} and {other}"} | at)
        return ap.stats.Claim(text, where, self.says, effect, holds)
