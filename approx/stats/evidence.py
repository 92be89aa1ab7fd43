"""Claims and what was measured: a rule that turns an effect's interval into a verdict, and tables
of them.

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
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import ArrayLike

from approx.stats.intervals import binomial_interval, check_level
from approx.stats.layouts import LAYOUTS

# Regions. A difference of rates below a tenth does not matter; "never" and "always" leave one seed
# in twenty. Of a difference of rates, first minus second
HELPS, HURTS, SAME = (0.1, 1.0), (-1.0, -0.1), (-0.1, 0.1)
# Of a probability of ending better: a difference of wins of a tenth
BETTER, WORSE = (0.55, 1.0), (0.0, 0.45)
NEVER, RARELY, USUALLY, ALWAYS = (0.0, 0.05), (0.0, 0.5), (0.5, 1.0), (0.95, 1.0)  # of a rate

EXACT, OWN, UNKNOWN = "exact", "its own", "unknown"  # which interval decided a claim

# A reported number's quantile among our seeds is judged like a claim that it lies in the middle of
# them.
MIDDLE, PLACES = (
    (0.025, 0.975),
    {"supported": "inside", "contradicted": "outside", "undecided": "undecided"},
)


class Claim(NamedTuple):
    """A statement that an effect decides.

    Attributes:
        text: what is claimed, in one line.
        compared: the recipe, or the two.
        measure: what the effect is a probability of.
        effect: a function of `level` and `interval` as keywords; its Dataset has the estimate
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
    holds: tuple[float, float]


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
    """
    check_level(level)
    texts = [one.text for one in statements]
    if not texts or len(set(texts)) < len(texts):
        raise ValueError(f"claims must be at least one, each with a text of its own; got {texts}")
    rows = [judge(one, level, len(texts)) | {"source": source} for one in statements]
    return _dataset(pd.DataFrame(rows, index=pd.Index(texts, name="claim")), level)


def judge(one: Claim, level: float, many: int) -> dict[str, str | float | int]:
    """One row of a table of `many` claims."""
    begin, end = one.holds
    level_all = 1 - (1 - level) / many
    if not begin < end:
        raise ValueError(
            f"{one.text!r}: holds must go from a lower to a higher number, got {one.holds}"
        )
    exact = takes_interval(one.effect)
    effect, low, high, n = _numbers(one, one.effect(level=level))
    deciding = (
        one.effect(level=level_all, interval="exact") if exact else one.effect(level=level_all)
    )
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
        "interval": EXACT if exact else OWN,
        "n": int(n),
        "verdict": verdict(low_all, high_all, one.holds),
    }


def takes_interval(effect: Callable[..., xr.Dataset]) -> bool:
    """Whether a function has a keyword `interval`, so that it can be asked for an exact one."""
    try:
        parameters = inspect.signature(effect).parameters.values()
    except ValueError:  # a compiled function that does not say what it takes
        return False
    return any(one.name == "interval" or one.kind is one.VAR_KEYWORD for one in parameters)


def verdict(low: float, high: float, holds: tuple[float, float]) -> str:
    """What an interval says of a claim that the effect lies in the closed region `holds`; nan
    decides nothing.
    """
    begin, end = holds
    if begin <= low and high <= end:
        return "supported"
    return "contradicted" if high < begin or low > end else "undecided"


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
    """
    check_level(level)
    if not numbers:
        raise ValueError("no reported numbers")
    rows = []
    for one in numbers:
        values = np.asarray(one.values, float).ravel()
        if not values.size:
            raise ValueError(f"{one.text!r}: no seeds")
        values = np.where(np.isnan(values), np.inf, values)  # what diverged lies above every number
        n = values.size
        below = np.count_nonzero(values < one.value - one.rounding)
        rank = (below + np.count_nonzero(values <= one.value + one.rounding)) / 2
        low, high = map(float, binomial_interval(rank, n, level, "exact"))
        q05, q50, q95 = np.quantile(values, (0.05, 0.5, 0.95), method="inverted_cdf")
        rows.append(
            {
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
                "source": source,
            }
        )
    index = pd.Index([one.text for one in numbers], name="number")
    return _dataset(pd.DataFrame(rows, index=index), level)


def write_claims(
    folder: Path | str,
    name: str,
    judged: xr.Dataset,
    numbers: xr.Dataset | None = None,
    note: str = "",
    sections: Mapping[str, pd.DataFrame | str] | None = None,
    show: bool = True,
) -> list[Path]:
    """Write folder/name_claims.csv and .md, and name_reported.csv where there are such numbers;
    print the tables too.

    Args:
        folder: where to; it is made.
        name: of the case.
        judged: what `claims` returned.
        numbers: what `reported` returned.
        note: a remark below the title, such as that this is a quick look only.
        sections: further tables or texts of the .md, by title. Floats are shown with four digits.
        show: whether to print what the .md says, as text.

    Returns:
        The files written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = {f"{name}_claims.csv": _csv(judged)}
    if numbers is not None:
        files[f"{name}_reported.csv"] = _csv(numbers)
    everything = (name, judged, numbers, note, sections or {})
    files[f"{name}_claims.md"] = _document(*everything, form="markdown")
    for file, text in files.items():
        (folder / file).write_text(text)
    if show:
        print(_document(*everything, form="text"), flush=True)
    return [folder / file for file in files]


def _document(name, judged, numbers, note, sections, form: str) -> str:
    """Everything that is said of a case."""
    mark = "#" if form == "markdown" else ""
    parts = [f"{mark} Claims: {name}", note, claims_table(judged, form)]
    if numbers is not None:
        parts += [f"{2 * mark} Reported numbers among our seeds", reported_table(numbers, form)]
    for title, body in sections.items():
        parts += [
            f"{2 * mark} {title}",
            body if isinstance(body, str) else LAYOUTS[form](_cells(body), "").rstrip(),
        ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _cells(frame: pd.DataFrame) -> list[list[str]]:
    """A table's texts, its title first; a named index is columns."""
    if any(frame.index.names):
        frame = frame.reset_index()
    return [
        list(map(str, frame.columns)),
        *(list(map(_cell, row)) for row in frame.itertuples(index=False)),
    ]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.4g}"
    return str(value)


def read_claims(*paths: Path | str) -> xr.Dataset:
    """Tables of claims that `write_claims` wrote as csv, one after another, each with its own error
    rate.

    Raises:
        ValueError: a file that is no such table.
    """
    frames = []
    for path in paths:
        frame = pd.read_csv(path)
        if missing := {"claim", "effect", "low_all", "level_all", "verdict", "level"} - set(
            frame.columns
        ):
            raise ValueError(f"{path} is no table of claims: it lacks {', '.join(sorted(missing))}")
        if "interval" not in frame:
            frame["interval"] = UNKNOWN  # written before exact intervals decided
        frames.append(frame.set_index("claim"))
    whole = pd.concat(frames)
    levels = whole.pop("level").unique()
    if len(levels) > 1:
        raise ValueError(f"the tables have different levels: {', '.join(f'{x:g}' for x in levels)}")
    return _dataset(whole, float(levels[0]))


def claims_table(judged: xr.Dataset, form: str = "text") -> str:
    """What `claims` returned as a table, "text", "markdown" or "latex", with the interval that
    decides each verdict.
    """
    percent = f"{100 * judged.attrs['level']:g}%"
    heads = [
        "claim",
        "recipes",
        "measure",
        "holds if",
        "effect",
        f"{percent} interval",
        "decided by",
        "n",
        "verdict",
    ]
    rows = [heads]
    for claim, row in judged.to_dataframe().iterrows():
        region, own = _range(row.holds_from, row.holds_to), _interval(row.low, row.high)
        deciding = f"{_interval(row.low_all, row.high_all)} at {_percent(row.level_all)}"
        texts = [
            str(claim),
            row.compared,
            row.measure,
            region,
            _short(row.effect),
            own,
            deciding,
            str(row.n),
        ]
        rows.append([*texts, row.verdict])
    return LAYOUTS[form](rows, claims_caption(judged))


def claims_caption(judged: xr.Dataset) -> str:
    """What stands below a table of claims: how sure the verdicts are, and what they mean."""
    return (
        f"{tested_at_once(judged)}. Supported: that interval lies inside the region of the claim; contradicted: "
        "outside; undecided: it reaches over an edge. Effects are probabilities, or differences of probabilities on "
        "the same seeds."
    )


def tested_at_once(judged: xr.Dataset) -> str:
    """In words: how many claims are tested at once, by which interval each is judged, and how sure
    the verdicts are.
    """
    level, each = judged.attrs["level"], judged.level_all.values
    tables = judged[["source", "level_all"]].to_dataframe().drop_duplicates()
    many = round((1 - level) / (1 - float(each[0])))  # the level of each follows from their number
    if len(tables) > 1:
        levels = " to ".join(dict.fromkeys(_percent(end) for end in (each.min(), each.max())))
        text = f"Because all claims of a table are tested at once, they are judged by intervals at {levels}"
    elif many == 1:
        text = f"One claim is tested; it is judged by a {_percent(each[0])} interval"
    else:
        text = f"Because {many} claims are tested at once, each is judged by a {_percent(each[0])} interval"
    whose = "a" if len(tables) > 1 else "this"
    text += (
        f"; the chance of any wrong verdict in {whose} table is then below {_percent(1 - level)}"
    )
    others = np.count_nonzero(judged["interval"].values != EXACT)
    if others:
        text += f", if the intervals of {others} of the claims cover as often as they say, for they are not exact"
    return text


def reported_table(numbers: xr.Dataset, form: str = "text") -> str:
    """What `reported` returned as a table: "text", "markdown" or "latex"."""
    level = numbers.attrs["level"]
    rows = [
        [
            "number",
            "recipe",
            "reported",
            "ours: 5, 50, 95%",
            "quantile",
            f"{100 * level:g}% interval",
            "n",
            "place",
        ]
    ]
    for number, row in numbers.to_dataframe().iterrows():
        ours = ", ".join(f"{q:.4g}" for q in (row.q05, row.q50, row.q95))
        place = f"[{row.low:.2f}, {row.high:.2f}]"
        rows.append(
            [
                str(number),
                row.recipe,
                f"{row.value:.4g}",
                ours,
                f"{row['quantile']:.2f}",
                place,
                str(row.n),
                row.place,
            ]
        )
    return LAYOUTS[form](
        rows,
        "Quantile: the share of our seeds below the reported number; inside: in their middle 95%. Each place is judged "
        f"by that number's own {100 * level:g}% interval.",
    )


def _numbers(one: Claim, measured: xr.Dataset) -> tuple[float, float, float, float]:
    names: list[Hashable] = [next(iter(measured.data_vars)), "low", "high", "n"]
    if any(measured[name].ndim for name in names):
        dims = ", ".join(str(dim) for dim in measured[names[0]].dims)
        raise ValueError(
            f"{one.text!r}: the effect must be one number, but it has the dimensions {dims}"
        )
    effect, low, high, n = (float(measured[name]) for name in names)
    return effect, low, high, n


def _dataset(frame: pd.DataFrame, level: float) -> xr.Dataset:
    return frame.to_xarray().assign_attrs(level=level)


def _csv(data: xr.Dataset) -> str:
    return (
        data.to_dataframe()
        .assign(level=data.attrs["level"])
        .to_csv(float_format="%.6g", lineterminator="\n")
    )


def _percent(share: float) -> str:
    """With as many digits as tell 99.97% from 99.98%."""
    return f"{100 * share:.4g}%"


def _interval(low: float, high: float) -> str:
    return f"[{_short(low)}, {_short(high)}]"


def _short(value: float) -> str:
    return f"{value:.3f}"


def _range(begin: float, end: float) -> str:
    return f"{begin:g} to {end:g}"
