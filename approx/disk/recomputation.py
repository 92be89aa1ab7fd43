"""Trainings computed again from a sweep's folder alone, without anyone's code.

The program and the inputs are those that the folder holds. Programs that JAX exports are neither
pickled nor tied to the Python that made them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import export

from approx.disk.chunks import INPUTS
from approx.disk.description import read_coordinates
from approx.disk.held import read_arrays
from approx.disk.seals import DamagedError, read_sealed
from approx.late_imports import xarray as xr


class Program(NamedTuple):
    """What the trainings of one source are computed again with.

    Attributes:
        start: the exported function that begins a block, as JAX reads it.
        advance: the exported function that trains a block, likewise.
        shared: the arrays that all trainings are given, by name: "root" is the root key's data,
            "array0" and so on are the task's, "params0" and so on are parameters to start from.
    """

    start: Any
    advance: Any
    shared: dict[str, np.ndarray]

    def inputs(self, trainings: xr.Dataset) -> list[np.ndarray]:
        """The arrays that both functions take for one block, in their order.

        Args:
            trainings: the block's, with the inputs of each.
        """
        numbers, streams, places = (trainings[name].values for name in INPUTS)
        own_params = [params[places] for params in self.numbered("params")]
        return [self.shared["root"], streams, numbers, *self.numbered("array"), *own_params]

    def numbered(self, name: str) -> list[np.ndarray]:
        """The shared arrays called `name` and a number, in the order of the numbers."""
        count = sum(each.startswith(name) for each in self.shared)
        return [self.shared[f"{name}{number}"] for number in range(count)]


def read_program(folder: Path, source: str) -> Program:
    """Read the files from which a source's trainings can be computed again.

    Raises:
        ValueError: a file is missing or damaged; the error names it and says what to do.
    """
    remedy = "delete it, and the same command, of all that was asked for, makes it again"
    path = folder / f"{source}.inputs.npz"
    found = []
    try:
        shared = read_arrays(path)
        if "root" not in shared:
            raise DamagedError(f"{path} is damaged, it has no root")
        for name in ("start", "advance"):
            path = folder / f"{source}.{name}.jax"
            found.append(export.deserialize(bytearray(read_sealed(path))))
    except FileNotFoundError:
        raise ValueError(
            f"{path} is missing: the same command makes it, if JAX can export the program"
        ) from None
    except DamagedError as error:
        raise DamagedError(f"{error}: {remedy}") from None
    except Exception as error:  # other bytes that are read as a program can raise anything
        raise DamagedError(f"{path} is damaged, it cannot be read ({error!r}): {remedy}") from None
    start, advance = found
    return Program(start, advance, shared)


def again(folder: Path, source: str, sweep: dict[str, Any], written: xr.Dataset) -> xr.Dataset:
    """Compute trainings again by the folder's own program, from the inputs that the folder holds.

    Args:
        folder: that of the sweep.
        source: the name of the source that the trainings are of.
        sweep: what `read_sweep` gave.
        written: the trainings, with the inputs of each.

    Returns:
        Those variables of `written` that the program computes, with the record steps.

    Raises:
        ValueError: a file that is needed is missing or damaged.
    """
    record_steps = read_coordinates(folder, sweep["sources"]).step.values
    program = read_program(folder, source)
    about = sweep["sources"][source]
    given = written[list(INPUTS)]
    double = given.training_numbers.dtype == np.float64
    states = []
    with jax.enable_x64(double):
        start = compiled(program.start, about["compiler_options"]["start"])
        advance = compiled(program.advance, about["compiler_options"]["advance"])
        begin, end = np.int32(0), np.int32(record_steps[-1])
        for lanes in full_blocks(written.sizes["training"], about["lanes"]):
            inputs = program.inputs(given.isel(training=lanes))
            states.append(advance(begin, end, *start(*inputs), *inputs))
    variables = named(states, sweep["programs"][source], written)
    return xr.Dataset(variables, {"step": record_steps})


def compiled(exported: Any, options: dict[str, Any]) -> Any:
    """An exported function that can be called, to be compiled with these options of XLA's."""
    return jax.jit(exported.call, compiler_options=options or None)


def full_blocks(count: int, lanes: int) -> Iterator[np.ndarray]:
    """The numbers 0 to count - 1 in blocks of `lanes`. The last number fills up the last block."""
    for first in range(0, count, lanes):
        yield np.minimum(np.arange(first, first + lanes), count - 1)


def named(states: list[Any], program: Mapping[str, Any], written: xr.Dataset) -> dict[str, Any]:
    """The arrays of all blocks' states as variables: their dimensions and values, by name.

    Args:
        states: for every block, the arrays that its program ends with.
        program: what sweep.json says of these arrays. "leaves" are their names, "" for those that
            become no variable, and "axis" is the axis of the lanes.
        written: the trainings as they were written; the lanes are these and those that fill up the
            last block.
    """
    count = written.sizes["training"]
    variables = {}
    for name, *blocks in zip(program["leaves"], *states, strict=True):
        if name not in written:
            continue
        lanes_first = [np.moveaxis(np.asarray(block), program["axis"], 0) for block in blocks]
        values = np.concatenate(lanes_first)[:count]
        variables[name] = (written[name].dims, values.reshape(written[name].shape))
    return variables
