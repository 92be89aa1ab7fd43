"""A sweep's program and shared inputs as files, from which `verify` computes again."""

import io
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import xarray as xr
from jax import export, random

from approx.disk import folders
from approx.sweep import blocks, provenance, results
from approx.sweep.plans import Plan, inputs, x64
from approx.sweep.programs import Block, Ready, one_lane


def head(plan: Plan, ready: Ready, block: Block) -> folders.Head:
    """A sweep's provenance, axes and coordinates.

    Raises:
        ValueError: a program that calls functions of the host, whose code and state no folder can
            keep.
    """
    if block.callbacks:
        raise ValueError(
            f"out= cannot keep trainings that call {block.callbacks[0]} by a JAX callback: what it does does not "
            "stand in the program, so that a folder could mix the numbers of two. Compute it with jax.numpy, or leave "
            "out= out"
        )
    trace = jax.tree.map(lambda s: np.empty((0, *one_lane(plan, s)), s.dtype), block.carry[1])
    source = provenance.provenance(plan, block)
    about = results.attributes(plan, trace, source)
    about = {
        name: value
        for name, value in about.items()
        if name not in ("identity", "provenance", "created")
    }
    program = {"leaves": results.leaf_variables(block.carry), "axis": plan.structure.axis}
    coordinates = xr.Dataset(coords=results.coordinates(plan, ready.points))
    return folders.Head(source, plan.axes, coordinates, about, program)


def files(plan: Plan, block: Block) -> dict[str, Callable[[], bytes]]:
    """By the ends of their names, what makes the files from which a sweep can be computed again."""
    return {
        "inputs.npz": lambda: shared(plan),
        "start.jax": lambda: exported(plan, block, "start"),
        "advance.jax": lambda: exported(plan, block, "advance"),
    }


def exported(plan: Plan, block: Block, what: str) -> bytes:
    """`blocks.start` or `blocks.advance` as a function of flat arrays, in JAX's own portable form."""
    if (block.text, what) not in _exported:
        with x64(plan.recipe):
            _exported[block.text, what] = export_one(plan, block, what)
    return _exported[block.text, what]


def export_one(plan: Plan, block: Block, what: str) -> bytes:
    """`exported`, anew."""
    given = inputs(plan, np.arange(1))
    leaves, tree = jax.tree.flatten(given._replace(root=random.key_data(given.root)))
    state, state_tree = jax.tree.flatten(block.carry)

    def whole(leaves) -> blocks.Inputs:
        made = jax.tree.unflatten(tree, leaves)
        return made._replace(root=random.wrap_key_data(made.root))

    def start(*leaves):
        return jax.tree.leaves(blocks.start(plan.structure, whole(leaves)))

    def advance(begin, end, *both):
        carry = jax.tree.unflatten(state_tree, both[: len(state)])
        return jax.tree.leaves(
            blocks.advance(plan.structure, carry, whole(both[len(state) :]), begin, end)
        )

    step = jax.ShapeDtypeStruct((), np.int32)
    shapes = [jax.ShapeDtypeStruct(np.shape(leaf), np.asarray(leaf).dtype) for leaf in leaves]
    made = export.export(jax.jit(start))(*shapes) if what == "start" else None
    made = export.export(jax.jit(advance))(step, step, *state, *shapes) if made is None else made
    return bytes(made.serialize())


def shared(plan: Plan) -> bytes:
    """What all trainings are given, as an npz file: the root's data, the task's arrays, parameters
    to start from.
    """
    file = io.BytesIO()
    arrays: dict[str, Any] = {f"array{n}": np.asarray(each) for n, each in enumerate(plan.arrays)}
    arrays |= {f"params{n}": each for n, each in enumerate(jax.tree.leaves(plan.init_params))}
    np.savez(file, root=np.asarray(random.key_data(plan.root)), **arrays)
    return file.getvalue()


_exported: dict[tuple[str, str], bytes] = {}  # by program text: sweeps of one program share them
