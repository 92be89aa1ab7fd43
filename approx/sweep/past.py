"""What trainings have done so far, as the blocks of a longer run are given it."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from approx.late_imports import xarray as xr
from approx.sweep import plans, programs, results
from approx.sweep.devices import Batch
from approx.sweep.plans import Plan
from approx.sweep.programs import Ready
from approx.training.loop import KEPT_FIELDS


class Past:
    """What trainings have done so far, as the blocks of a longer run are given it.

    Attributes:
        plan: of the longer run. ready: its compiled blocks.
        runs: the result so far, on the axes of the plan.
        made: how many steps it has.

    """

    def __init__(self, plan: Plan, ready: Ready, runs: xr.Dataset, made: int):
        self.plan, self.ready, self.runs, self.made = plan, ready, runs, made
        self.check_running()

    def batches(self, trainings: np.ndarray) -> list[Batch]:
        """Trainings, by number, dealt into blocks that go on from where they are."""
        return [
            Batch(each, self.carry(each), self.made)
            for each in plans.blocks_of(self.plan, trainings)
        ]

    def carry(self, trainings: np.ndarray) -> Any:
        """The (State, Trace) of a block of these trainings, as far as they are."""
        missing = self.plan.lanes - len(trainings)
        padded = np.pad(trainings, (0, missing), "edge")
        state, trace = self.ready.block.carry
        names = results.leaf_variables((state, trace), self.plan.structure.keep)
        leaves, tree = jax.tree_util.tree_flatten_with_path((state, trace))
        found = []
        for name, (path, leaf) in zip(names, leaves, strict=True):
            shape = programs.one_lane(self.plan, leaf)
            values = self.filled(name, getattr(path[1], "name", ""), shape, leaf.dtype, padded)
            found.append(np.moveaxis(values, 0, self.plan.structure.axis))
        return jax.tree.unflatten(tree, found)

    def filled(
        self, name: str, field: str, shape: tuple[int, ...], dtype: Any, trainings: np.ndarray
    ) -> np.ndarray:
        """An array of some trainings: what is known of it, and nan in the records to come.

        Args:
            name: of the variable. field: of the State or the Trace that it comes from.
            shape: of one training's part. dtype: of the array.
            trainings: by number.

        """
        if name not in self.runs:  # no points inside, or none outside: it is nan there
            return np.full((len(trainings), *shape), np.nan, dtype)
        known = self.of_trainings(name)[trainings]
        if name.startswith("state_") or not shape:
            return known.astype(dtype)
        values = np.full((len(trainings), *shape), np.nan, dtype)
        if field not in KEPT_FIELDS or "kept_step" in self.runs[name].dims:
            values[:, : known.shape[1]] = known
        else:
            values[:, 0] = known
        return values

    def of_trainings(self, name: str) -> np.ndarray:
        """A variable with an axis of trainings first."""
        variable = self.runs[name].transpose(*self.plan.axes, ...)
        return variable.values.reshape(self.plan.trainings, *variable.shape[len(self.plan.axes) :])

    def check_running(self) -> None:
        """Refuse networks that were given their best parameters at the end of their steps.

        Raises:
            ValueError: with how many there are.
        """
        rules = self.plan.recipe.rules
        if not any(rule.restore_best for rule in rules):
            return
        went_on = int((self.of_trainings("stop_reason") == 0).sum())
        if went_on:
            raise ValueError(
                f"{went_on:,} trainings were not stopped by a rule and got their best parameters at"
                " the last step, so that those to go on with are gone: give the rule "
                "restore_best=False when you run"
            )
