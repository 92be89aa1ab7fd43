"""How many seeds, and how long: the budget of a study."""

import re
import time
from typing import Any

import numpy as np

UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def checked_seeds(seeds: Any) -> int:
    """The number of seeds, or an error that says what is wrong with it.

    Raises:
        TypeError: no whole number. ValueError: fewer than two.
    """
    if isinstance(seeds, bool) or not isinstance(seeds, int | np.integer):
        raise TypeError(f"seeds is {seeds!r}; a study takes a number of seeds, such as 256")
    if seeds < 2:
        raise ValueError(f"seeds is {seeds}; a study needs at least 2 seeds")
    return int(seeds)


def seconds_of(budget: str | float) -> float:
    """A time in seconds, from a number of seconds or a text such as "30s", "2m" or "1.5h".

    Raises:
        TypeError: neither a number nor a text.
        ValueError: a text that is no time, or a time that is not positive.

    Example:
        >>> seconds_of("2m")
        120.0
    """
    if isinstance(budget, str):
        found = re.fullmatch(r"\s*([0-9]+\.?[0-9]*|\.[0-9]+)\s*(s|m|min|h)?\s*", budget)
        if not found:
            raise ValueError(f"the budget is {budget!r}; give a time such as '30s', '2m' or '1h'")
        seconds = float(found[1]) * UNITS[found[2] or "s"]
    elif isinstance(budget, bool) or not np.isscalar(budget):
        raise TypeError(f"the budget is {budget!r}; give a time such as '2m', or seconds")
    else:
        seconds = float(budget)
    if not seconds > 0 or not np.isfinite(seconds):
        raise ValueError(f"the budget is {budget!r}; it must be a positive time")
    return seconds


class Deadline:
    """When the time of a budget is over; the time that the batches took is known too."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.began = time.monotonic()

    def allows_another(self) -> bool:
        """Whether a batch that takes as long as all before is likely to end in time."""
        spent = time.monotonic() - self.began
        return 2 * spent <= self.seconds


def deadline(budget: str | float | None) -> Deadline | None:
    """The end of a budget that begins now; None for no budget."""
    if budget is None:
        return None
    return Deadline(seconds_of(budget))
