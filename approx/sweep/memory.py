"""Results in memory, while their trainings end one after another, and after an interrupt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from approx.late_imports import xarray as xr
from approx.sweep import provenance, results
from approx.sweep.plans import Plan
from approx.sweep.programs import Ready, one_lane
from approx.training.loop import Trace, left_behind


class Memory:
    """The results of one plan, as a sink of finished trainings (see `devices.Sink`).

    Attributes:
        plan: of the trainings. ready: its compiled blocks.
        trace: what each training left behind, filled as they end.
        finished: which of the trainings have ended.

    """

    hold = None  # a batch that is under way when the process ends is lost

    def __init__(self, plan: Plan, ready: Ready):
        def empty(leaf: Any) -> np.ndarray:
            return np.empty((plan.trainings, *one_lane(plan, leaf)), leaf.dtype)

        self.plan = plan
        self.ready = ready
        self.trace: Trace = jax.tree.map(empty, left_behind(ready.block.carry, plan.structure.keep))
        self.finished = np.zeros(plan.trainings, bool)

    def add(self, trainings: np.ndarray, found: Trace) -> None:
        """Put what finished trainings left behind into its place."""
        self.finished[trainings] = True
        for whole, part in zip(jax.tree.leaves(self.trace), jax.tree.leaves(found), strict=True):
            whole[trainings] = part

    def said(self) -> str:
        """Nothing beside the bar."""
        return ""

    def tell(self, share: float) -> None:
        """Nobody else looks how far it is."""

    def finish(self) -> None:
        """All is in its place already."""

    def stop(self, error: BaseException) -> None:
        """Hand on what had ended before an interrupt.

        Raises:
            Interrupted: with that.

        """
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(self.plan.trainings, self.ended()) from None

    def result(self) -> xr.Dataset:
        """All trainings as a Dataset."""
        source = provenance.provenance(self.plan, self.ready.block)
        return results.dataset(self.plan, self.trace, self.ready.points, source)

    def ended(self) -> xr.Dataset | None:
        """Those seeds whose trainings have ended in every cell, or None if there are none."""
        seeds = self.finished.reshape(-1, len(self.plan.seeds)).all(0)
        if not seeds.any():
            return None
        plan = with_seeds(self.plan, seeds)
        cells = len(self.finished) // len(seeds)
        every = np.tile(seeds, cells)
        trace = jax.tree.map(lambda values: values[every], self.trace)
        source = provenance.provenance(plan, self.ready.block)
        return results.dataset(plan, trace, self.ready.points, source)


def with_seeds(plan: Plan, chosen: np.ndarray) -> Plan:
    """The plan with some of its seeds.

    Args:
        plan: of the trainings. chosen: which of its seeds, (seeds,) of bool.

    """

    def start_of(params: np.ndarray) -> np.ndarray:
        return params[chosen] if len(params) == len(chosen) else params

    rows = np.tile(chosen, len(plan.streams) // len(chosen))
    return plan._replace(
        seeds=plan.seeds[chosen],
        streams=plan.streams[rows],
        init_params=jax.tree.map(start_of, plan.init_params),
    )


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while trainings went on in memory: what had ended by then is not lost.

    Attributes:
        runs: a Dataset of the seeds that had ended in every cell, with an identity of its own; None
            if there is none. Of several recipes, those of the one that was interrupted; with
            `until`, of all batches of seeds so far.
        recipes: of several recipes, {label: Dataset} of those that had ended, and of the one that
            was interrupted.
        asked: how many trainings were asked for.

    Example:
        `try: runs = ap.run(...)`, then `except ap.runs.Interrupted as stopped: runs =
        stopped.runs`; in a notebook or a console, `sys.last_value.runs` after the fact.

    """

    def __init__(
        self, asked: int, runs: xr.Dataset | None, recipes: Mapping[Any, xr.Dataset] | None = None
    ):
        self.asked, self.runs, self.recipes = asked, runs, dict(recipes or {})
        super().__init__(self.message())

    def message(self) -> str:
        """How many trainings had ended, and where they are."""
        kept = "no seed had ended in every cell"
        if self.runs is not None:
            kept = (
                f"{self.runs.sizes['seed']:,} seeds had ended: they are in sys.last_value.runs, "
                "or in the .runs of what except catches"
            )
        parts = [f"interrupted: of {self.asked:,} trainings, {kept}"]
        if self.recipes:
            parts.append(f"those of {', '.join(map(str, self.recipes))} are in .recipes")
        parts.append("with out=FOLDER the same call would go on where it was stopped")
        return "; ".join(parts)

    def of_several(self, label: Any, made: Mapping[Any, xr.Dataset]) -> Interrupted:
        """The same, with the recipes that had ended before the one that was interrupted."""
        recipes = dict(made)
        if self.runs is not None:
            recipes[label] = self.runs
        return Interrupted(self.asked, self.runs, recipes)

    def after(self, parts: list[xr.Dataset]) -> Interrupted:
        """The same, with the batches of seeds before.

        Of several recipes there are only those batches that all recipes have.
        """
        found = list(parts)
        if self.runs is not None and not self.recipes:
            found.append(self.runs)
        if not found:
            return self
        return Interrupted(self.asked, results.append(found), self.recipes)
