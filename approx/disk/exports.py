"""A sweep's program and its shared inputs as files, from which `verify` computes again."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export, random

from approx.disk import folders
from approx.late_imports import xarray as xr
from approx.sweep import blocks, provenance, results
from approx.sweep.facts import x64
from approx.sweep.plans import Plan, inputs
from approx.sweep.programs import Block, Ready, one_lane
from approx.training.loop import left_behind

# Attributes of a result that a folder's result gets when it is read
MADE_ANEW = ("fingerprint", "identity", "provenance", "created")


def head(plan: Plan, ready: Ready) -> folders.Head:
    """A sweep's provenance, axes and coordinates.

    Raises:
        ValueError: a program that calls functions of the host, whose code and state no folder can
            keep.

    """
    block = ready.block
    if block.callbacks:
        raise ValueError(
            f"out= cannot keep trainings that call {block.callbacks[0]} by a JAX callback: what it "
            "does does not stand in the program, so that a folder could mix the numbers of two. "
            "Compute it with jax.numpy, or leave out= out"
        )

    def of_no_training(leaf: Any) -> np.ndarray:
        return np.empty((0, *one_lane(plan, leaf)), leaf.dtype)

    trace = jax.tree.map(of_no_training, left_behind(block.carry, plan.structure.keep))
    source = provenance.provenance(plan, block)
    about = results.attributes(plan, trace, source)
    for name in MADE_ANEW:
        del about[name]
    program = {
        "leaves": results.leaf_variables(block.carry, plan.structure.keep),
        "axis": plan.structure.axis,
    }
    coordinates = xr.Dataset(coords=results.coordinates(plan, ready.points))
    return folders.Head(source, plan.axes, coordinates, about, program)


def files(plan: Plan, block: Block) -> dict[str, Callable[[], bytes]]:
    """Functions that make the files from which a sweep can be computed again, by names' ends."""
    return {
        "inputs.npz": lambda: shared(plan),
        "start.jax": lambda: exported(plan, block, "start"),
        "advance.jax": lambda: exported(plan, block, "advance"),
    }


_exported: dict[tuple[str, str], bytes] = {}  # by program text: sweeps of one program share them


def exported(plan: Plan, block: Block, what: str) -> bytes:
    """`blocks.start` or `blocks.advance` as JAX's portable form of a function of flat arrays."""
    if (block.text, what) not in _exported:
        make = export_start if what == "start" else export_advance
        with x64(plan.recipe):
            _exported[block.text, what] = make(plan, block)
    return _exported[block.text, what]


# JAX remembers what it traced when the block was compiled, and does not trace it again inside these
TRACED_START = jax.jit(blocks.start, static_argnums=0)
TRACED_ADVANCE = jax.jit(blocks.advance, static_argnums=0)


def export_start(plan: Plan, block: Block) -> bytes:
    """`blocks.start` as a function of the leaves of `blocks.Inputs`, with a plain root."""
    whole, shapes = flat_inputs(plan)
    table = blocks.table_of(plan.structure, inputs(plan, np.arange(1)))

    def start(*leaves):
        given = whole(leaves)
        if table is None:
            return jax.tree.leaves(TRACED_START(plan.structure, given))
        wide = given.numbers.dtype == np.float64
        bits = blocks.draw(wide, given.root, given.seeds, jnp.asarray(table))
        return jax.tree.leaves(TRACED_START(plan.structure, given, bits))

    return bytes(export.export(jax.jit(start))(*shapes).serialize())


def export_advance(plan: Plan, block: Block) -> bytes:
    """`blocks.advance` as a function of two steps, the state's leaves and those of the inputs."""
    whole, shapes = flat_inputs(plan)
    state, state_tree = jax.tree.flatten(block.carry)
    step = jax.ShapeDtypeStruct((), np.int32)

    def advance(begin, end, *leaves):
        carry = jax.tree.unflatten(state_tree, leaves[: len(state)])
        given = whole(leaves[len(state) :])
        return jax.tree.leaves(TRACED_ADVANCE(plan.structure, carry, given, begin, end))

    made = export.export(jax.jit(advance))(step, step, *state, *shapes)
    return bytes(made.serialize())


def flat_inputs(plan: Plan) -> tuple[Callable[..., blocks.Inputs], list[jax.ShapeDtypeStruct]]:
    """A block's inputs from flat arrays, and the shapes of these; the root is plain numbers."""
    given = inputs(plan, np.arange(1))
    leaves, tree = jax.tree.flatten(given._replace(root=random.key_data(given.root)))
    shapes = [jax.ShapeDtypeStruct(np.shape(leaf), np.asarray(leaf).dtype) for leaf in leaves]

    def whole(leaves) -> blocks.Inputs:
        made = jax.tree.unflatten(tree, leaves)
        return made._replace(root=random.wrap_key_data(made.root))

    return whole, shapes


def shared(plan: Plan) -> bytes:
    """What all trainings are given, as an npz file.

    It holds the root key's numbers, the task's arrays, and parameters to start from.
    """
    file = io.BytesIO()
    arrays: dict[str, Any] = {"root": np.asarray(random.key_data(plan.root))}
    for n, each in enumerate(plan.arrays):
        arrays[f"array{n}"] = np.asarray(each)
    for n, each in enumerate(jax.tree.leaves(plan.init_params)):
        arrays[f"params{n}"] = each
    np.savez(file, **arrays)
    return file.getvalue()
