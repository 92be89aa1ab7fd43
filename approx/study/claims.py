"""Claims as short rows: a row of a study, and the region in which its effect must lie."""

from collections.abc import Callable
from typing import Any, NamedTuple

import xarray as xr

from approx.stats.evidence import ALWAYS, BETTER, NEVER, RARELY, USUALLY, Region

BASELINE = "baseline"  # the label of the row that nothing was changed in

RATE, DIFFERENCE, VALUES, OWN = "rate", "difference", "values", "own"


class Claim(NamedTuple):
    """A statement about the rows of a study, and what must hold for it to be true.

    The functions `never`, `helps`, ... of this file make them.

    Attributes:
        text: what is claimed, in one line; "" for a text of our own.
        kind: "rate" of one row, "difference" of two rows' rates, "values" for the share of seeds
            that end better with the first row, or "own", a function.
        row: the label of the row.
        against: the label of the row it is compared with, or None.
        holds: from where to where the effect must lie. None stands for a difference that matters,
            as the study says.
        sign: of a difference without `holds`: 1 if it must be positive, -1 if negative, 0 if too
            small to matter.
        measure: the name of the measure; None is the first.
        of: the variable whose values are compared, for the kind "values".
        effect: for the kind "own": a function of (study's runs by row, level=, interval=).
        compared: for the kind "own": what is compared, in words.
    """

    text: str
    kind: str
    row: str
    against: str | None = None
    holds: Region | None = None
    sign: int = 1
    measure: str | None = None
    of: str = "test_loss"
    effect: Callable[..., xr.Dataset] | None = None
    compared: str = ""


def never(row: str = BASELINE, text: str = "", *, most: float = NEVER[1], measure=None) -> Claim:
    """Claim that a row hardly ever succeeds.

    Args:
        row: its label; the baseline by default.
        text: what is claimed, in one line; by default a text is made.
        most: the largest rate that still counts as never; 0.05 leaves one seed in twenty.
        measure: the name of the measure, where a study has several.

    Example:
        >>> ap.Study(task, recipe, changes=changes, claims=[ap.never("tanh")])
    """
    text = text or f"{row}: at most {most:.0%} of the seeds succeed"
    return Claim(text, RATE, row, holds=(0.0, checked_share(most)), measure=measure)


def rarely(row: str = BASELINE, text: str = "", *, most: float = RARELY[1], measure=None) -> Claim:
    """Claim that a row fails more often than not; see `never` for the arguments."""
    text = text or f"{row}: at most {most:.0%} of the seeds succeed"
    return Claim(text, RATE, row, holds=(0.0, checked_share(most)), measure=measure)


def usually(
    row: str = BASELINE, text: str = "", *, least: float = USUALLY[0], measure=None
) -> Claim:
    """Claim that a row succeeds more often than not.

    Args:
        row: its label; the baseline by default.
        text: what is claimed, in one line; by default a text is made.
        least: the smallest rate that counts.
        measure: the name of the measure, where a study has several.

    Example:
        >>> ap.usually("Adam", "Adam learns it more often than not")
    """
    text = text or f"{row}: at least {least:.0%} of the seeds succeed"
    return Claim(text, RATE, row, holds=(checked_share(least), 1.0), measure=measure)


def always(row: str = BASELINE, text: str = "", *, least: float = ALWAYS[0], measure=None) -> Claim:
    """Claim that a row hardly ever fails; see `usually` for the arguments."""
    return usually(row, text, least=least, measure=measure)


def between(low: float, high: float, row: str = BASELINE, text: str = "", *, measure=None) -> Claim:
    """Claim that a row's rate of success lies between two numbers.

    Args:
        low: the lower end of the region.
        high: the upper end.
        row: the row's label; the baseline by default.
        text: what is claimed, in one line; by default a text is made.
        measure: the name of the measure, where a study has several.

    Raises:
        ValueError: ends that are no rates, or in the wrong order.

    Example:
        >>> ap.study.between(0.4, 0.6, "Adam")
    """
    if not checked_share(low) < checked_share(high):
        raise ValueError(f"between needs a lower end below the upper one, got {low:g} and {high:g}")
    text = text or f"{row}: {low:.0%} to {high:.0%} of the seeds succeed"
    return Claim(text, RATE, row, holds=(float(low), float(high)), measure=measure)


def helps(row: str, text: str = "", *, against: str = BASELINE, by=None, measure=None) -> Claim:
    """Claim that a row succeeds more often than another one, by as much as matters.

    Args:
        row: its label.
        text: what is claimed, in one line; by default a text is made.
        against: the label of the other row; the baseline by default.
        by: the smallest difference of the two rates that counts; by default the study's `matters`.
        measure: the name of the measure, where a study has several.

    Example:
        >>> ap.helps("tanh", "tanh is better than relu", by=0.05)
    """
    text = text or f"{row} helps" + _against(against)
    holds = None if by is None else (checked_share(by), 1.0)
    return Claim(text, DIFFERENCE, row, against, holds, 1, measure)


def hurts(row: str, text: str = "", *, against: str = BASELINE, by=None, measure=None) -> Claim:
    """Claim that a row succeeds less often than another one; see `helps` for the arguments."""
    text = text or f"{row} hurts" + _against(against)
    holds = None if by is None else (-1.0, -checked_share(by))
    return Claim(text, DIFFERENCE, row, against, holds, -1, measure)


def same(row: str, text: str = "", *, against: str = BASELINE, within=None, measure=None) -> Claim:
    """Claim that two rows' rates differ by less than matters.

    Args:
        row: the label of one row.
        text: what is claimed, in one line; by default a text is made.
        against: the label of the other row; the baseline by default.
        within: the largest difference that does not count; by default the study's `matters`.
        measure: the name of the measure, where a study has several.

    Example:
        >>> ap.same("momentum", "momentum changes nothing")
    """
    text = text or f"{row} makes no difference" + _against(against)
    holds = None if within is None else (-checked_share(within), checked_share(within))
    return Claim(text, DIFFERENCE, row, against, holds, 0, measure)


def better(
    row: str, text: str = "", *, against: str = BASELINE, of: str = "test_loss", holds=BETTER
) -> Claim:
    """Claim that most seeds end with a better value than they do with another row.

    The effect is the probability that a seed ends better with the first row; ties count half.

    Args:
        row: the label of the row that is said to be better.
        text: what is claimed, in one line; by default a text is made.
        against: the label of the other row; the baseline by default.
        of: the variable that is compared; a lower value is better, and of an accuracy a higher one.
        holds: the region of the probability; by default from 0.55 to 1.

    Example:
        >>> ap.study.better("range 1", of="outside_loss")
    """
    text = text or f"{row} ends with a better {of}" + _against(against)
    return Claim(text, VALUES, row, against, tuple(holds), of=of)


def own(
    text: str, effect: Callable[..., xr.Dataset], holds: Region, *, compared: str, measure: str
) -> Claim:
    """Claim that an effect of your own lies in a region.

    Args:
        text: what is claimed, in one line.
        effect: a function (runs, level=, interval=) of the runs of all rows by label. It returns a
            Dataset with the effect first, then `low`, `high` and `n`, like `stats.rate`.
        holds: from where to where the effect must lie.
        compared: the rows that it is about, in words.
        measure: what the effect is a probability of, in words.

    Example:
        >>> def best_of_ten(runs, level, interval): ...
        >>> ap.study.own("ten tries help", best_of_ten, (0.1, 1), compared="SGD", measure="gain")
    """
    return Claim(text, OWN, compared, None, holds, 1, measure, effect=effect, compared=compared)


def checked_share(value: Any) -> float:
    """A number from 0 to 1, or a ValueError that says so."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"a claim's share or difference of rates lies from 0 to 1, got {value!r}")
    return float(value)


def _against(label: str) -> str:
    """What a text adds for a comparison with another row than the baseline."""
    return "" if label == BASELINE else f" against {label}"
