"""The trained rows and views of a study, as its tables are made of them."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from approx.stats.kept import steps_kept
from approx.study.claims import BASELINE
from approx.study.declaration import Declaration
from approx.study.measures import hits_of
from approx.study.plateaus import training_rows
from approx.study.rows import Row
from approx.study.tuning import tuned_row
from approx.study.units import idle_share


class Sample(NamedTuple):
    """A row or a view with its trainings, as the tables are made of.

    Attributes:
        label: of the row or view.
        row: that was trained.
        runs: the trainings.
        hits: {name of a measure: which seeds succeed}.
        group: "baseline", "change", "cell" or "view".
        idle: the share of each seed's hidden units that are idle at the end, see `idle_of`.
        partner: of a view: the hits that it is compared with instead of the baseline's.
    """

    label: str
    row: Row
    runs: xr.Dataset
    hits: dict[str, xr.Dataset]
    group: str
    idle: np.ndarray
    partner: dict[str, xr.Dataset] | None = None


Samples = dict[str, Sample]


def samples_of(study: Declaration) -> Samples:
    """Every trained row and view with its hits."""
    found = {}
    for label in study.labels:
        if study.trained.has(study.views, label):
            found[label] = sample_of(study, label)
    return found


def sample_of(study: Declaration, label: str) -> Sample:
    """One trained row or view with its hits."""
    runs = study.trained.runs(study.views, label)
    hits = {name: hits_of(name, measure, runs) for name, measure in study.measures.items()}
    row = tuned_row(study, trained_label(study, label))
    if label not in study.views:
        return Sample(label, row, runs, hits, group_of(row), idle_of(row, runs))
    view = study.views[label]
    partner = None
    if view.beside is not None:
        others = view.beside(study.trained.runs(study.views, view.of))
        partner = {name: hits_of(name, measure, others) for name, measure in study.measures.items()}
    idle = idle_of(row, runs)
    return Sample(label, row._replace(change=view.says), runs, hits, "view", idle, partner)


def group_of(row: Row) -> str:
    """Which group of rows a row belongs to."""
    if row.label == BASELINE:
        return "baseline"
    return "cell" if row.levels else "change"


def trained_label(study: Declaration, label: str) -> str:
    """The label of the row that was trained, through all views."""
    while label in study.views:
        label = study.views[label].of
    return label


def idle_of(row: Row, runs: xr.Dataset) -> np.ndarray:
    """The share of every seed's hidden units that are idle at the end; nan if it is unknown."""
    unknown = np.full(runs.sizes["seed"], np.nan)
    if "params" not in runs.attrs or not params_are_last(runs):
        return unknown
    rows = next(training_rows(row.task, 0))
    share = idle_share(runs, row.recipe.model, rows.x)
    return unknown if share is None else share.values


def params_are_last(runs: xr.Dataset) -> bool:
    """Whether the last parameters that were kept are those of the last record."""
    return int(steps_kept(runs)[-1]) == int(runs.step[-1])


def on_common_seeds(one: xr.Dataset, other: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Two hits, or two runs, on the seeds that both have."""
    seeds = np.intersect1d(one.seed.values, other.seed.values)
    return one.sel(seed=seeds), other.sel(seed=seeds)
