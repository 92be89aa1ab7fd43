"""The lines of a study's table of rows: rates, differences, verdicts, values and costs."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr

from approx.stats.comparisons import compare
from approx.stats.costs import ert
from approx.stats.evidence import EXACT
from approx.stats.paired import improvement
from approx.stats.rates import rate
from approx.stats.values import quantiles
from approx.study import verdicts
from approx.study.declaration import Declaration
from approx.study.levels import judged_labels, level_of_one, level_of_verdict
from approx.study.measures import Measure, judged_values
from approx.study.samples import Sample, Samples, on_common_seeds, trained_label
from approx.sweep import facts

SPREAD = (0.05, 0.5, 0.95)  # the quantiles over seeds that are reported
UNEQUAL = 1.01  # budgets whose ratio is beyond count as different
NEAR = 0.8  # share of a budget at which a record still shows what it gave


def line(study: Declaration, samples: Samples, one: Sample, name: str) -> dict[str, Any]:
    """One line of the table of rows: a row by one measure."""
    hits = one.hits[name]
    level = level_of_one(study, one.label)
    found = rate(hits, when=study.when, level=level)
    row: dict[str, Any] = {
        "measure": name,
        "label": one.label,
        "group": one.group,
        "change": one.row.change,
        "n": int(found.n),
        "successes": int(found.successes),
        "rate": float(found.rate),
        "low": float(found.low),
        "high": float(found.high),
    }
    row |= difference_of(study, samples, one, name)
    row |= equal_budget(study, samples, one, name)
    row |= value_at_end(study.measures[name], one, level)
    row |= better_values(study, samples, one, name)
    row |= cost(hits, level)
    row |= about(study, one)
    return row


def difference_of(study: Declaration, samples: Samples, one: Sample, name: str) -> dict[str, Any]:
    """How much a row's rate differs from that of the baseline or another row, and the verdict."""
    other = partner_of(study, samples, one, name)
    if other is None:
        return {}
    hits, others = on_common_seeds(one.hits[name], other)
    n = hits.sizes["seed"]
    pair: dict[Hashable, xr.Dataset] = {"row": hits, "other": others}
    labels = compared_labels(study, one)
    level = level_of_one(study, *labels)
    beside = compare(pair, "row", "other", when=study.when, level=level)
    found: dict[str, Any] = {
        "against": study.against.get(one.label, ""),
        "pairs": n,
        "difference": float(beside.difference),
        "difference_low": float(beside.low),
        "difference_high": float(beside.high),
        "pvalue": float(beside.pvalue),
    }
    main = next(iter(study.measures))
    if name != main or one.label not in judged_labels(study):
        return found
    level = level_of_verdict(study, *labels)
    deciding = compare(pair, "row", "other", when=study.when, level=level, interval=EXACT)
    low, high = float(deciding.low), float(deciding.high)
    return found | {
        "deciding_low": low,
        "deciding_high": high,
        "deciding_level": level,
        "verdict": verdicts.finding(low, high, study.matters),
    }


def partner_of(study: Declaration, samples: Samples, one: Sample, name: str) -> xr.Dataset | None:
    """The hits that a row is compared with: another row's, or its own partner's."""
    if one.partner is not None:
        return one.partner[name]
    other = study.other_of(one.label)
    if one.label == other or other not in samples:
        return None
    return samples[other].hits[name]


def compared_labels(study: Declaration, one: Sample) -> list[str]:
    """The labels of the rows whose seeds a comparison rests on."""
    if one.partner is not None:
        return [one.label]
    return [one.label, study.other_of(one.label)]


def equal_budget(study: Declaration, samples: Samples, one: Sample, name: str) -> dict[str, Any]:
    """The difference to the other row where both have seen equally many rows; {} if they always do.

    The side with the larger budget is judged at its last record within the smaller one.
    """
    hits = one.hits[name]
    label = study.other_of(one.label)
    if one.partner is not None or one.label == label or label not in samples:
        return {}
    base = samples[label]
    if "step" not in hits.dims or "step" not in base.hits[name].dims or study.when != "last":
        return {}
    mine, its = rows_seen(one), rows_seen(base)
    budget = min(mine[-1], its[-1])
    if max(mine[-1], its[-1]) <= UNEQUAL * budget:
        return {}
    if min(last_within(mine, budget), last_within(its, budget)) < NEAR * budget:
        return {}  # the longer training has no record near the end of the shorter one
    cut, other = within(hits, mine, budget), within(base.hits[name], its, budget)
    cut, other = on_common_seeds(cut, other)
    level = level_of_one(study, one.label, label)
    pair: dict[Hashable, xr.Dataset] = {"row": cut, "other": other}
    found = compare(pair, "row", "other", level=level)
    return {
        "equal_rows_seen": float(budget),
        "equal_difference": float(found.difference),
        "equal_low": float(found.low),
        "equal_high": float(found.high),
    }


def rows_seen(one: Sample) -> np.ndarray:
    """How many rows a training has seen at each record."""
    return one.runs.step.values * facts.find(one.row.task, one.row.recipe).rows_in_step


def last_within(seen: np.ndarray, budget: float) -> float:
    """How many rows were seen at the last record within a number of rows."""
    return float(np.max(seen, where=seen <= UNEQUAL * budget, initial=0))


def within(hits: xr.Dataset, seen: np.ndarray, budget: float) -> xr.Dataset:
    """The records of hits up to a number of rows seen."""
    return hits.isel(step=seen <= UNEQUAL * budget)


def value_at_end(measure: Measure, one: Sample, level: float) -> dict[str, float]:
    """The judged value of the seeds at the end: its 5, 50 and 95% quantiles, the median's ends."""
    values = judged_values(measure, one.runs)
    if values is None:
        return {}
    (name,) = values
    found = quantiles(values, str(name), SPREAD, level=level)
    low, middle, high = found[name].values.tolist()
    return {
        "q05": low,
        "median": middle,
        "q95": high,
        "median_low": float(found.low[1]),
        "median_high": float(found.high[1]),
    }


def better_values(study: Declaration, samples: Samples, one: Sample, name: str) -> dict[str, Any]:
    """How many seeds end with a better judged value than with the other row."""
    label = study.other_of(one.label)
    if one.partner is not None or one.label == label or label not in samples:
        return {}
    mine = judged_values(study.measures[name], one.runs)
    its = judged_values(study.measures[name], samples[label].runs)
    if mine is None or its is None:
        return {}
    row, other = on_common_seeds(mine, its)
    (of,) = row
    pair: dict[Hashable, xr.Dataset] = {"row": row, "other": other}
    level = level_of_one(study, one.label, label)
    found = improvement(pair, "row", "other", of=str(of), pairs="seed", level=level)
    return {
        "better": float(found.improvement),
        "better_low": float(found.low),
        "better_high": float(found.high),
    }


def cost(hits: xr.Dataset, level: float) -> dict[str, float]:
    """The expected number of steps to a success by restarts, with its interval."""
    if "step" not in hits.dims or hits.sizes["step"] < 2:
        return {}
    found = ert(hits, level=level)
    return {"ert": float(found.ert), "ert_low": float(found.low), "ert_high": float(found.high)}


def about(study: Declaration, one: Sample) -> dict[str, Any]:
    """What else is said of a row: its steps, what diverged, idle units, tuned numbers."""
    last = one.runs.loss.isel(step=-1)
    tuned = study.trained.tuned.get(trained_label(study, one.label), {})
    return {
        "steps": int(one.runs.step[-1]),
        "diverged": int((~np.isfinite(last)).sum()),
        "idle_units": mean_known(one.idle),
        "tuned": "; ".join(f"{name} = {value:g}" for name, value in tuned.items()),
        "fingerprint": str(one.runs.attrs.get("fingerprint", ""))[:12],
    }


def mean_known(values: np.ndarray) -> float:
    """The mean of the values that are known; nan if none is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan
