"""Tuning: the numbers of a row that are chosen on other seeds than those reported."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import xarray as xr

from approx.stats.labels import final, worst_value
from approx.stats.rates import reading
from approx.study.declaration import Declaration
from approx.study.measures import Measure, hits_of, judged_values
from approx.study.rows import Row
from approx.sweep import numbers


def tuned_row(study: Declaration, label: str) -> Row:
    """The row with the numbers that tuning chose."""
    row = study.rows[label]
    chosen = study.trained.tuned.get(label, {})
    if not chosen:
        return row
    full = {numbers.qualify(name, row.task, row.recipe): value for name, value in chosen.items()}
    task, recipe = numbers.setting(row.task, row.recipe, full)
    return row._replace(task=task, recipe=recipe)


def best_setting(
    runs: xr.Dataset, names: Sequence[str], name: str, measure: Measure, when: str
) -> dict[str, float]:
    """The values of swept numbers with which most seeds succeed.

    Of equal settings the one with the best median of the judged variable is taken, and of equal
    medians the first.

    Args:
        runs: over the swept numbers and seeds.
        names: of the swept numbers.
        name: of the measure.
        measure: that judges.
        when: which success counts, see `stats.reading`.
    """
    settings = list(product(*(runs[number].values for number in names)))
    scores = []
    for setting in settings:
        here = runs.sel(dict(zip(names, setting, strict=True)), drop=True)
        hits = reading(hits_of(name, measure, here), when)
        scores.append((-int(hits.sum()), badness(here, measure)))
    best = settings[scores.index(min(scores))]
    return {number: float(value) for number, value in zip(names, best, strict=True)}


def badness(runs: xr.Dataset, measure: Measure) -> float:
    """The median of what is judged at the end, the smaller the better; what diverged is worst.

    The lower median is one of the values and so allows for infinite ones. Without a judged value it
    is that of the training loss.
    """
    judged = judged_values(measure, runs)
    if judged is None:
        judged = xr.Dataset({"loss": final(runs, "loss")})
    (of,) = judged
    values = np.asarray(judged[of], float) * np.sign(worst_value(str(of), None))
    values = np.where(np.isfinite(values), values, np.inf)
    return float(np.quantile(values, 0.5, method="inverted_cdf"))
