"""The places of stored trainings on the axes of a result."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from approx.disk.chunks import read_index
from approx.late_imports import xarray as xr

Axes = Mapping[str, np.ndarray]  # names and values


def positions(axes: Axes, part: xr.Dataset) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Find the places of a chunk's trainings on the axes.

    Returns:
        For every axis the places of those trainings that stand on all axes; and for every training
        of the chunk whether it does.
    """
    inside = np.ones(part.sizes["training"], bool)
    found = []
    for axis, values in axes.items():
        own = part[axis].values
        order = np.argsort(values, kind="stable")
        after = np.searchsorted(values, own, sorter=order)
        place = order[after.clip(max=len(values) - 1)]
        inside &= values[place] == own
        found.append(place)
    return tuple(place[inside] for place in found), inside


class Survey(NamedTuple):
    """Where the trainings of a folder are.

    Attributes:
        place: on the axes, the position of each training among all stored ones, or -1.
        numbers: on the axes and one more, the numbers that each training was made with.
        counts: how many trainings every chunk has.
    """

    place: np.ndarray
    numbers: np.ndarray
    counts: list[int]


class Surveyor:
    """Finds out where the trainings of a folder are, one chunk after another.

    Args:
        axes: names and values of the axes.

    """

    def __init__(self, axes: Axes):
        self.axes = axes
        self.shape = tuple(map(len, axes.values()))
        self.place = np.full(self.shape, -1, np.int64)
        self.numbers = np.zeros((*self.shape, 0))
        self.counts: list[int] = []

    def add(self, path: Path, part: xr.Dataset) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """Note where a chunk's trainings are, and give their `positions`.

        Args:
            path: the chunk's file, for the error.
            part: the chunk, or its index.

        Raises:
            ValueError: another chunk has the same trainings.
        """
        at, inside = positions(self.axes, part)
        if (self.place[at] >= 0).any():
            raise ValueError(
                f"{path} holds trainings that another chunk has too, made with other inputs: "
                "choose one"
            )
        self.place[at] = sum(self.counts) + np.flatnonzero(inside)
        own = part["training_numbers"].values
        if not self.counts:
            self.numbers = np.zeros((*self.shape, own.shape[1]), own.dtype)
        self.numbers[at] = own[inside]
        self.counts.append(len(inside))
        return at, inside

    def result(self) -> Survey:
        """Where the trainings of all chunks are."""
        return Survey(self.place, self.numbers, self.counts)


def survey(chunks: list[Path], sources: Mapping[str, Any], axes: Axes) -> Survey:
    """Find out where all trainings are, from the chunks' indices.

    Raises:
        ValueError: a chunk is damaged, or has trainings that another chunk has too.
    """
    found = Surveyor(axes)
    for path in chunks:
        found.add(path, read_index(path, sources))
    return found.result()


def finished_everywhere(found: Survey) -> np.ndarray:
    """For each seed, which is the last axis, whether it is finished in all cells."""
    other_axes = tuple(range(found.place.ndim - 1))
    return (found.place >= 0).all(axis=other_axes)


def of_seeds(found: Survey, seeds: np.ndarray) -> Survey:
    """The survey of some of the seeds only."""
    return Survey(found.place[..., seeds], found.numbers[..., seeds, :], found.counts)
