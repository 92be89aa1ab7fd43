"""Claims and what was measured: a rule that turns an effect's interval into a verdict.

The rule. A claim says in which region an effect lies, chosen before anything is measured. With m
claims in a table each effect is judged by an interval at level 1 - (1 - level) / m, so that with a
probability of at least `level` all of them cover (Bonferroni). That interval is exact: it never
covers less often than it says. (Score intervals, which are shown beside it at `level`, cover as
often as they say on average; their tails are far too light at levels such as 99.9%.) The claim is

    supported       if that interval lies inside the region,
    contradicted    if it lies outside,
    undecided       otherwise.

So the probability that a table holds any wrong verdict is at most 1 - level, whatever depends on
whatever. Effects are probabilities or differences of paired probabilities, which share one axis
from -1 to 1.
"""

import inspect
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import ArrayLike

from approx.stats.intervals import binomial_interval, check_level

Region = tuple[float, float]

# Regions of a difference of rates, first minus second; one below a tenth does not matter
HELPS: Region = (0.1, 1.0)
HURTS: Region = (-1.0, -0.1)
SAME: Region = (-0.1, 0.1)
# Regions of a probability of ending better; 0.55 is a difference of wins of a tenth
BETTER: Region = (0.55, 1.0)
WORSE: Region = (0.0, 0.45)
# Regions of a rate; "never" and "always" leave one seed in twenty
NEVER: Region = (0.0, 0.05)
RARELY: Region = (0.0, 0.5)
USUALLY: Region = (0.5, 1.0)
ALWAYS: Region = (0.95, 1.0)

EXACT, OWN = "exact", "its own"  # which interval decided a claim

# A reported number is judged like a claim that its quantile among our seeds lies in the middle 95%
MIDDLE: Region = (0.025, 0.975)
PLACES = {"supported": "inside", "contradicted": "outside", "undecided": "undecided"}


class Claim(NamedTuple):
    """A statement that an effect decides.

    Attributes:
        text: what is claimed, in one line.
        compared: the recipe, or the two.
        measure: what the effect is a probability of.
        effect: a function of `level` and `interval` as keywords. Its Dataset has the estimate
            first, then `low`, `high` and `n`, all without dimensions: `partial(stats.rate, hits)`,
            `partial(stats.compare, hits, "a", "b")`, or `partial(stats.improvement, runs, "a",
            "b")`. The verdict is by its interval "exact". Where a function of your own takes no
            `interval`, the verdict is by the interval that it gives, and the table says so.
        holds: from where to where the effect must lie for the claim to hold.
    """

    text: str
    compared: str
    measure: str
    effect: Callable[..., xr.Dataset]
    holds: Region


class Reported(NamedTuple):
    """A number that a source reports of one training.

    Attributes:
        text: what the number is.
        recipe: the recipe that it was measured with.
        values: the same quantity of our seeds, shape (n,).
        value: the number.
        rounding: half a unit of its last digit: values that would be printed alike count as equal.
    """

    text: str
    recipe: str
    values: ArrayLike
    value: float
    rounding: float = 0.0


# ---- claims --------------------------------------------------------------------------------------


def claims(source: str, statements: Sequence[Claim], level: float = 0.95) -> xr.Dataset:
    """Measure and judge claims; see the top of this file for the rule.

    Args:
        source: where the claims come from: a thread, a paper.
        statements: all claims of one table, the number of which sets the level of each.
        level: probability that no verdict of the table is wrong; also that of the intervals `low`,
            `high`.

    Returns:
        `effect`, `low`, `high` (one claim's interval), `low_all`, `high_all` (the simultaneous one
        that is judged by, at `level_all`), `interval` ("exact", or "its own" where the effect takes
        no `interval`), `n`, `verdict`, `holds_from`, `holds_to`, and the texts `source`,
        `compared`, `measure`, over `claim`.

    Raises:
        ValueError: no claims, two of one text, a region that is none, an effect with dimensions.

    Example:
        >>> effect = partial(stats.compare, hits, "adam", "sgd")
        >>> claim = stats.Claim("Adam helps", "adam, sgd", "success", effect, stats.HELPS)
        >>> stats.claims("a thread", [claim])
    """
    check_level(level)
    texts = [one.text for one in statements]
    if not texts or len(set(texts)) < len(texts):
        raise ValueError(f"claims must be at least one, each with a text of its own; got {texts}")
    rows = [judge(one, level, len(texts)) | {"source": source} for one in statements]
    return labelled(pd.DataFrame(rows, index=pd.Index(texts, name="claim")), level)


def judge(one: Claim, level: float, many: int) -> dict[str, str | float | int]:
    """One row of a table of `many` claims."""
    begin, end = one.holds
    if not begin < end:
        raise ValueError(
            f"{one.text!r}: holds must go from a lower to a higher number, got {one.holds}"
        )
    level_all = 1 - (1 - level) / many
    effect, low, high, n = _numbers(one, one.effect(level=level))
    interval, deciding = _deciding_effect(one, level_all)
    _, low_all, high_all, _ = _numbers(one, deciding)
    return {
        "compared": one.compared,
        "measure": one.measure,
        "holds_from": float(begin),
        "holds_to": float(end),
        "effect": effect,
        "low": low,
        "high": high,
        "low_all": low_all,
        "high_all": high_all,
        "level_all": level_all,
        "interval": interval,
        "n": int(n),
        "verdict": verdict(low_all, high_all, one.holds),
    }


def _deciding_effect(one: Claim, level: float) -> tuple[str, xr.Dataset]:
    """The kind of interval that decides a claim, and the effect measured with it."""
    if takes_interval(one.effect):
        return EXACT, one.effect(level=level, interval="exact")
    return OWN, one.effect(level=level)


def _numbers(one: Claim, measured: xr.Dataset) -> tuple[float, float, float, float]:
    """The estimate of an effect, the ends of its interval, and the number of seeds."""
    names: list[Hashable] = [next(iter(measured.data_vars)), "low", "high", "n"]
    if any(measured[name].ndim for name in names):
        dims = ", ".join(str(dim) for dim in measured[names[0]].dims)
        raise ValueError(
            f"{one.text!r}: the effect must be one number, but it has the dimensions {dims}"
        )
    effect, low, high, n = (float(measured[name]) for name in names)
    return effect, low, high, n


def takes_interval(effect: Callable[..., xr.Dataset]) -> bool:
    """Whether a function has a keyword `interval`, so that it can be asked for an exact one."""
    try:
        parameters = inspect.signature(effect).parameters.values()
    except ValueError:  # a compiled function that does not say what it takes
        return False
    return any(one.name == "interval" or one.kind is one.VAR_KEYWORD for one in parameters)


def verdict(low: float, high: float, holds: Region) -> str:
    """What an interval says of a claim that the effect lies in a closed region.

    Args:
        low: the lower end of the interval; nan decides nothing.
        high: the upper end.
        holds: the ends of the region.

    Returns:
        "supported", "contradicted" or "undecided".

    Example:
        >>> stats.verdict(0.2, 0.4, stats.HELPS)
        'supported'
    """
    begin, end = holds
    if begin <= low and high <= end:
        return "supported"
    if high < begin or low > end:
        return "contradicted"
    return "undecided"


def tested_at_once(judged: xr.Dataset) -> str:
    """A sentence on how many claims are tested at once, and how sure their verdicts are."""
    level = judged.attrs["level"]
    each = judged.level_all.values
    tables = judged[["source", "level_all"]].to_dataframe().drop_duplicates()
    many = round((1 - level) / (1 - float(each[0])))  # the level of each follows from their number
    first = percent(each[0])
    whose = "this"
    if len(tables) > 1:
        whose = "a"
        ends = [percent(each.min()), percent(each.max())]
        levels = " to ".join(dict.fromkeys(ends))
        text = "Because all claims of a table are tested at once, they are judged by intervals at "
        text += levels
    elif many == 1:
        text = f"One claim is tested; it is judged by a {first} interval"
    else:
        text = f"Because {many} claims are tested at once, each is judged by a {first} interval"
    risk = percent(1 - level)
    text += f"; the chance of any wrong verdict in {whose} table is then below {risk}"
    return text + _reservation(judged)


def _reservation(judged: xr.Dataset) -> str:
    """What the sentence of `tested_at_once` adds if some of the intervals are not exact."""
    others = np.count_nonzero(judged["interval"].values != EXACT)
    if not others:
        return ""
    text = f", if the intervals of {others} of the claims cover as often as they say, for "
    return text + "they are not exact"


# ---- reported numbers ----------------------------------------------------------------------------


def reported(source: str, numbers: Sequence[Reported], level: float = 0.95) -> xr.Dataset:
    """At which quantile of our seeds each reported number lies.

    Args:
        source: where the numbers come from.
        numbers: what was reported.
        level: probability of covering the quantile, for each number by itself (Clopper and
            Pearson's interval, never below it; nor with ties that count half, of which every
            trinomial on a grid was summed at n = 11 to 88).

    Returns:
        `value`, `quantile` (share of seeds below, of those equal after rounding a half) with `low`
        and `high`, the seeds' own quantiles `q05`, `q50`, `q95`, `n`, and `place`: "inside" if that
        interval lies in the middle 95% of our seeds, "outside" if it lies beyond, "undecided" if it
        reaches over an edge. Over `number`.

    Raises:
        ValueError: no numbers, or no seeds for one.

    Example:
        >>> ends = runs.test_loss.sel(recipe="adam").isel(step=-1)
        >>> stats.reported("a thread", [stats.Reported("loss of Adam", "adam", ends, 0.12, 0.005)])
    """
    check_level(level)
    if not numbers:
        raise ValueError("no reported numbers")
    rows = [place_of(one, level) | {"source": source} for one in numbers]
    index = pd.Index([one.text for one in numbers], name="number")
    return labelled(pd.DataFrame(rows, index=index), level)


def place_of(one: Reported, level: float) -> dict[str, str | float | int]:
    """One row of a table of reported numbers."""
    values = np.asarray(one.values, float).ravel()
    n = values.size
    if not n:
        raise ValueError(f"{one.text!r}: no seeds")
    values = np.where(np.isnan(values), np.inf, values)  # what diverged lies above every number
    below = np.count_nonzero(values < one.value - one.rounding)
    not_above = np.count_nonzero(values <= one.value + one.rounding)
    rank = (below + not_above) / 2  # ties count half
    low, high = map(float, binomial_interval(rank, n, level, "exact"))
    q05, q50, q95 = np.quantile(values, (0.05, 0.5, 0.95), method="inverted_cdf")
    return {
        "recipe": one.recipe,
        "value": float(one.value),
        "quantile": rank / n,
        "low": low,
        "high": high,
        "q05": q05,
        "q50": q50,
        "q95": q95,
        "n": n,
        "place": PLACES[verdict(low, high, MIDDLE)],
    }


# ---- both ----------------------------------------------------------------------------------------


def labelled(frame: pd.DataFrame, level: float) -> xr.Dataset:
    """A table of rows as a Dataset that says its level."""
    return frame.to_xarray().assign_attrs(level=level)


def percent(share: float) -> str:
    """With as many digits as tell 99.97% from 99.98%."""
    return f"{100 * share:.4g}%"
