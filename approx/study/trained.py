"""What a study has trained so far."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from approx.study.rows import View
from approx.sweep.results import append

FIRST_LOOK = 64  # seeds of the first batch, where seeds are added until all is decided


@dataclass(eq=False)
class Trained:
    """The trainings of a study by row. `run` adds to it, and everything else reads it.

    Attributes:
        by_row: {label: the row's runs}, over the seeds trained so far, in their order.
        looks: {label: at which look at the data its seeds are}, where seeds are added in batches.
        tuned: {label: {name of a number: the value that was chosen}}.
        looked_often: whether seeds were added in batches until all was decided, so that intervals
            must allow for having looked several times.
        answer: the tables of what is trained, once somebody asked for them.
    """

    by_row: dict[str, xr.Dataset] = field(default_factory=dict)
    looks: dict[str, int] = field(default_factory=dict)
    tuned: dict[str, dict[str, float]] = field(default_factory=dict)
    looked_often: bool = False
    answer: Any = None

    def seeds(self, label: str) -> int:
        """How many seeds of a row are trained."""
        if label not in self.by_row:
            return 0
        return self.by_row[label].sizes["seed"]

    def add(self, label: str, runs: xr.Dataset) -> None:
        """Add the trainings of further seeds of a row, or replace them by more of the same."""
        self.answer = None
        before = self.by_row.get(label)
        if before is None or _covers(runs, before):
            self.by_row[label] = runs
        else:
            self.by_row[label] = append([before, runs])

    def look(self, labels: Iterable[str], look: int) -> None:
        """Note at which look at the data rows are, which never goes back."""
        self.answer = None
        for label in labels:
            self.looks[label] = max(look, self.looks.get(label, 1))

    def runs(self, views: Mapping[str, View], label: str) -> xr.Dataset:
        """The runs of a row or a view.

        Raises:
            KeyError: it is not trained.
        """
        if label in views:
            view = views[label]
            return view.take(self.runs(views, view.of))
        if label not in self.by_row:
            there = ", ".join(map(repr, self.by_row)) or "none yet"
            raise KeyError(f"{label!r} is not trained; trained rows: {there}")
        return self.by_row[label]

    def has(self, views: Mapping[str, View], label: str) -> bool:
        """Whether a row is trained, or enough seeds of the row that a view looks at."""
        if label in views:
            view = views[label]
            return self.seeds(view.of) >= view.seeds
        return label in self.by_row


def _covers(runs: xr.Dataset, before: xr.Dataset) -> bool:
    """Whether runs hold all seeds that were there before."""
    return bool(np.isin(before.seed.values, runs.seed.values).all())


def look_number(seeds: int) -> int:
    """Which look at the data it is that sees so many seeds: 64 is the first, 128 the second."""
    look = 1
    while FIRST_LOOK * 2 ** (look - 1) < seeds:
        look += 1
    return look


def share_of_risk(look: int) -> float:
    """The share of the risk of a wrong verdict that one look may take.

    The shares 1 / (k (k + 1)) of the looks k = 1, 2, ... add up to 1, however many there are, so
    that one may stop at any of them (an alpha-spending sequence; by the union bound).
    """
    return 1 / (look * (look + 1))
