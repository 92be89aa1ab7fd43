"""Whether what a sweep's folder says is true.

Its files must be whole, and its trainings must come out again as they were written. They are
computed again by the program and from the inputs that the folder holds, without anyone's code:
programs that JAX exports are neither pickled nor tied to the Python that made them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import xarray as xr
from jax import export
from scipy import stats

from approx.disk import assemble, chunks, description
from approx.disk.held import read_arrays
from approx.disk.seals import DamagedError, read_sealed
from approx.sweep import provenance

# On another machine the bits may differ. Losses of the first steps must then agree to this relative
# difference; later, two correct programs part, as training is chaotic.
TOLERANCE = 1e-3
EARLY_STEPS = 10

# On another machine, doubt arises if final losses as different as these, or more, have a smaller
# probability than this, supposed that both programs are correct.
UNLIKELY = 1e-3

# Differences of losses are relative to the loss, or to this where the loss is smaller.
SMALLEST_LOSS = 1e-6


class Verdict(NamedTuple):
    """What `verify` found.

    Attributes:
        damaged: what is wrong with each damaged file, one sentence each.
        sampled: how many trainings were computed again.
        differing: how many of them came out with other bits.
        elsewhere: what differs from the machine where they were made; "" if nothing does, and then
            the bits must be the same.
        parted: largest relative difference of the losses up to step 10; nan on the same machine.
        pvalue: of Kolmogorov and Smirnov's test that the final losses have one distribution; nan
            on the same machine.
        missing: how many trainings of the sweep's axes the folder does not have; 0 for a map that
            chose its trainings one by one.
    """

    damaged: list[str]
    sampled: int
    differing: int
    elsewhere: str
    parted: float
    pvalue: float
    missing: int = 0

    @property
    def fine(self) -> bool:
        """Whether there is nothing to doubt."""
        if self.damaged or self.missing:
            return False
        if self.elsewhere:
            return self.parted <= TOLERANCE and self.pvalue >= UNLIKELY
        return self.differing == 0


class Pair(NamedTuple):
    """Some trainings as a chunk has them, and as they come out again (see `again`)."""

    written: xr.Dataset
    computed: xr.Dataset


def verify(folder: str | Path, count: int = 256, key: int = 0) -> Verdict:
    """Read and check every file of a sweep, and compute a random sample of its trainings again.

    Args:
        folder: that of one recipe's sweep.
        count: how many trainings to compute again, at most.
        key: of the random sample.

    Raises:
        FileNotFoundError: there is no sweep.
        ValueError: its sweep.json is damaged, or of a newer version, so that nothing else can be
            judged.

    Example:
        >>> verify("results/square").fine
        True
    """
    folder = Path(folder)
    sweep = description.read_sweep(folder)
    whole, damaged, missing = checked_chunks(folder, sweep)
    try:
        description.read_coordinates(folder, sweep["sources"])
    except ValueError as error:
        damaged.append(str(error))
    sample = drawn(whole, count, key)
    pairs: list[Pair] = []
    changes: list[str] = []
    for source, about in sweep["sources"].items():
        parts = []
        for path, places in sample.items():
            if whole[path].source == source and len(places):
                part = chunks.read_chunk(path, sweep["sources"])
                parts.append(part.isel(training=places))
        if not parts:
            continue
        written = xr.concat(parts, "training", data_vars="minimal", combine_attrs="drop")
        try:
            pairs.append(Pair(written, again(folder, source, sweep, written)))
        except (OSError, ValueError) as error:
            damaged.append(f"trainings cannot be computed again: {error}")
        changes += machine_differences(about)
    if sweep.get("selective"):
        missing = 0
    elsewhere = "; ".join(dict.fromkeys(changes))
    return judged(list(dict.fromkeys(damaged)), pairs, elsewhere)._replace(missing=missing)


# ---- the files -----------------------------------------------------------------------------------


class Whole(NamedTuple):
    """A chunk that is not damaged: the name of its source, and how many trainings it has."""

    source: str
    size: int


def checked_chunks(
    folder: Path, sweep: Mapping[str, Any]
) -> tuple[dict[Path, Whole], list[str], int]:
    """Read and check every chunk.

    Returns:
        The chunks that are not damaged; what is wrong with the others, one sentence each; and how
        many trainings of the sweep's axes no chunk has.
    """
    axes = description.axes_of(sweep)
    seen = np.zeros([len(values) for values in axes.values()], bool)
    whole: dict[Path, Whole] = {}
    damaged = []
    for path in chunks.paths(folder):
        try:
            part = chunks.read_chunk(path, sweep["sources"], thorough=True)
            at, _ = assemble.positions(axes, part)
        except (ValueError, KeyError, OSError) as error:
            damaged.append(str(error))
            continue
        if seen[at].any():
            damaged.append(f"{path} holds trainings that another chunk has too: choose one")
        seen[at] = True
        whole[path] = Whole(part.attrs["source"], part.sizes["training"])
    return whole, damaged, int((~seen).sum())


def drawn(whole: Mapping[Path, Whole], count: int, key: int) -> dict[Path, np.ndarray]:
    """A random sample of trainings: their places in each chunk, in increasing order.

    Args:
        whole: the chunks.
        count: how many trainings to draw, at most.
        key: seed of the random numbers.
    """
    total = sum(part.size for part in whole.values())
    rng = np.random.default_rng(key)
    chosen = np.sort(rng.choice(total, min(count, total), replace=False))
    found = {}
    begin = 0
    for path, part in whole.items():
        end = begin + part.size
        here = (begin <= chosen) & (chosen < end)
        found[path] = chosen[here] - begin
        begin = end
    return found


# ---- the trainings -------------------------------------------------------------------------------


class Program(NamedTuple):
    """What trainings are computed again with.

    Attributes:
        start: the exported function that begins a block, as JAX reads it.
        advance: the exported function that trains a block, likewise.
        shared: the arrays that all trainings are given, by name: "root" is the root key's data,
            "array0" and so on are the task's, "params0" and so on are parameters to start from.
    """

    start: Any
    advance: Any
    shared: dict[str, np.ndarray]

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
    about = sweep["sources"][source]
    numbers, streams, places = (written[name].values for name in chunks.INPUTS)
    steps = description.read_coordinates(folder, sweep["sources"]).step.values
    program = read_program(folder, source)
    states = []
    with jax.enable_x64(numbers.dtype == np.float64):
        start = compiled(program.start, about["compiler_options"]["start"])
        advance = compiled(program.advance, about["compiler_options"]["advance"])
        for lanes in full_blocks(len(numbers), about["lanes"]):
            first_params = [params[places[lanes]] for params in program.numbered("params")]
            inputs = [program.shared["root"], streams[lanes], numbers[lanes]]
            inputs += [*program.numbered("array"), *first_params]
            state = start(*inputs)
            states.append(advance(np.int32(0), np.int32(steps[-1]), *state, *inputs))
    variables = named(states, sweep["programs"][source], written)
    return xr.Dataset(variables, {"step": steps})


def compiled(exported: Any, options: dict[str, Any]) -> Any:
    """An exported function to be called, to be compiled with these options."""
    return jax.jit(exported.call, compiler_options=options or None)


def full_blocks(count: int, lanes: int) -> Iterator[np.ndarray]:
    """The numbers 0 to count - 1 in blocks of `lanes`; the last number fills up the last block."""
    for first in range(0, count, lanes):
        yield np.minimum(np.arange(first, first + lanes), count - 1)


def named(states: list[Any], program: Mapping[str, Any], written: xr.Dataset) -> dict[str, Any]:
    """The arrays of all blocks' states as variables: their dimensions and values, by name.

    Args:
        states: of every block, the arrays that its program ends with.
        program: what sweep.json says of them: "leaves" are their names, "" for those that become no
            variable, and "axis" is the axis of the lanes.
        written: the trainings as they were written, one per lane up to the last one.
    """
    variables = {}
    for name, *blocks in zip(program["leaves"], *states, strict=True):
        if name not in written:
            continue
        lanes_first = [np.moveaxis(np.asarray(block), program["axis"], 0) for block in blocks]
        values = np.concatenate(lanes_first)[: written.sizes["training"]]
        variables[name] = (written[name].dims, values.reshape(written[name].shape))
    return variables


# ---- the comparison ------------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """What a provenance says of the machine."""
    device = jax.local_devices()[0]
    processor = device.device_kind
    if device.platform == "cpu":
        processor = provenance.processor()
    return {"versions": provenance.versions(), "processor": processor}


def machine_differences(source: Mapping[str, Any]) -> list[str]:
    """In words, how this machine differs from the one of a source."""
    here = machine()
    there = {name: source.get(name) for name in here}
    return list(provenance.differences(here, there))


def judged(damaged: list[str], pairs: list[Pair], elsewhere: str) -> Verdict:
    """Compare what was computed again with what was written.

    Args:
        damaged: what is wrong with files, one sentence each.
        pairs: the trainings of each source.
        elsewhere: how this machine differs from where they were made, "" if it does not.
    """
    sampled = differing = 0
    for pair in pairs:
        same = same_bits(pair)
        sampled += len(same)
        differing += int((~same).sum())
    parted = pvalue = np.nan
    if elsewhere and pairs:
        parted = max(early_difference(pair) for pair in pairs)
        pvalue = min(float(stats.ks_2samp(*final_losses(pair)).pvalue) for pair in pairs)
    return Verdict(damaged, sampled, differing, elsewhere, parted, pvalue)


def same_bits(pair: Pair) -> np.ndarray:
    """For each training, whether all its variables came out with the same bits."""
    same = np.ones(pair.written.sizes["training"], bool)
    for name in pair.computed.data_vars:
        written = bytes_of(pair.written[name])
        computed = bytes_of(pair.computed[name])
        same &= (written == computed).all(axis=1)
    return same


def bytes_of(variable: xr.DataArray) -> np.ndarray:
    """A variable's bytes, one row for each training."""
    values = np.ascontiguousarray(variable.values)
    return values.view(np.uint8).reshape(len(values), -1)


def early_difference(pair: Pair) -> float:
    """The largest relative difference of the losses of the first ten steps."""
    early = pair.computed.step.values <= EARLY_STEPS
    written = pair.written.loss.values[:, early]
    computed = pair.computed.loss.values[:, early]
    with np.errstate(invalid="ignore"):
        relative = abs(computed - written) / np.maximum(abs(written), SMALLEST_LOSS)
    return float(np.nan_to_num(relative).max(initial=0))


def final_losses(pair: Pair) -> list[np.ndarray]:
    """The losses at the last step, as written and as computed; infinity stands for nan."""
    return [np.nan_to_num(runs.loss.values[:, -1], nan=np.inf) for runs in pair]
