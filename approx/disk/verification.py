"""Is what a sweep's folder says true: its files are whole, and its trainings come out again as they
were written.

Recomputing takes the program and the inputs from the folder, no code of anyone's: JAX's exported
programs are neither pickled nor tied to the Python that made them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import xarray as xr
from jax import export
from scipy import stats

from approx.disk import assemble, chunks, files, folders, held
from approx.sweep import provenance

# Of losses of the first ten steps elsewhere: later two correct programs part (chaos)
TOLERANCE = 1e-3
UNLIKELY = 1e-3  # probability of final losses as different as these, or more, if they are alike


class Verdict(NamedTuple):
    """What was found.

    Attributes:
        damaged: what is wrong with a file, one sentence each.
        missing: how many trainings of the sweep's axes are not there; 0 for a map that chose its
            trainings one by one.
        sampled: how many trainings were computed again. differing: how many came out otherwise.
        elsewhere: what differs from where they were made, "" if nothing does; then the bits must be
            the same.
        parted: largest relative difference of the losses up to step 10; pvalue: of the final
            losses' distributions (Kolmogorov and Smirnov's test). Both nan where the bits were
            compared.
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
        alike = (
            self.parted <= TOLERANCE and self.pvalue >= UNLIKELY
            if self.elsewhere
            else self.differing == 0
        )
        return not self.damaged and not self.missing and alike


def verify(folder: str | Path, count: int = 256, key: int = 0) -> Verdict:
    """Read and check every file of a sweep, and compute a random sample of its trainings again.

    Args:
        folder: the sweep's, of one recipe.
        count: how many trainings, at most.
        key: of the sample.

    Raises:
        FileNotFoundError: no sweep there.
        ValueError: its sweep.json is damaged, or of a newer version, so that nothing else can be
            judged.

    Example:
        >>> verify("results/square").fine
        True
    """
    folder = Path(folder)
    sweep = folders.read_sweep(folder)
    seen = np.zeros([len(values) for values in folders.axes_of(sweep).values()], bool)
    whole, damaged = checked_chunks(folder, sweep, seen)
    try:
        folders.read_coordinates(folder, sweep["sources"])
    except ValueError as error:
        damaged.append(str(error))
    total = sum(part.size for part in whole.values())
    chosen = np.sort(np.random.default_rng(key).choice(total, min(count, total), replace=False))
    ends = np.cumsum([0, *(part.size for part in whole.values())])
    pairs: list[tuple[xr.Dataset, xr.Dataset]] = []
    elsewhere = []
    for source, about in sweep["sources"].items():
        parts = []
        for path, begin, end in zip(whole, ends, ends[1:], strict=False):
            here = chosen[(chosen >= begin) & (chosen < end)] - begin
            if whole[path].source == source and len(here):
                parts.append(chunks.read_chunk(path, sweep["sources"]).isel(training=here))
        if parts:
            made = xr.concat(parts, "training", data_vars="minimal", combine_attrs="drop")
            try:
                pairs.append((made, again(folder, source, sweep, made)))
            except (OSError, ValueError) as error:
                damaged.append(f"trainings cannot be computed again: {error}")
            elsewhere += list(
                provenance.differences(
                    surroundings(), {name: about.get(name) for name in surroundings()}
                )
            )
    found = judged(list(dict.fromkeys(damaged)), pairs, "; ".join(dict.fromkeys(elsewhere)))
    return found._replace(missing=0 if sweep.get("selective") else int((~seen).sum()))


class Whole(NamedTuple):
    """Of a chunk that is not damaged: its source, and how many trainings it has."""

    source: str
    size: int


def checked_chunks(
    folder: Path, sweep: Mapping[str, Any], seen: np.ndarray
) -> tuple[dict[Path, Whole], list[str]]:
    """Every chunk that is whole, and what is wrong with the others, one sentence each.

    `seen`, on the sweep's axes, is set where there is a training.
    """
    axes = folders.axes_of(sweep)
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
    return whole, damaged


def surroundings() -> dict[str, Any]:
    """What of a provenance belongs to the machine."""
    device = jax.local_devices()[0]
    processor = provenance.processor() if device.platform == "cpu" else device.device_kind
    return {"versions": provenance.versions(), "processor": processor}


def judged(
    damaged: list[str], pairs: list[tuple[xr.Dataset, xr.Dataset]], elsewhere: str
) -> Verdict:
    """Hold what was computed again against what was written."""
    sampled = sum(old.sizes["training"] for old, _ in pairs)
    differing, parted, ends = 0, 0.0, []
    for old, new in pairs:
        same = np.ones(old.sizes["training"], bool)
        for name in new.data_vars:
            bits = [
                np.ascontiguousarray(one[name].values).view(np.uint8).reshape(len(same), -1)
                for one in (old, new)
            ]
            same &= (bits[0] == bits[1]).all(1)
        differing += int((~same).sum())
        early = [one.loss.values[:, old.step.values <= 10] for one in (old, new)]
        with np.errstate(invalid="ignore"):
            apart = abs(early[1] - early[0]) / np.maximum(abs(early[0]), 1e-6)
        parted = max(parted, float(np.nan_to_num(apart).max(initial=0)))
        ends.append([np.nan_to_num(one.loss.values[:, -1], nan=np.inf) for one in (old, new)])
    if not elsewhere or not ends:
        return Verdict(damaged, sampled, differing, elsewhere, np.nan, np.nan)
    pvalue = min(float(stats.ks_2samp(old, new).pvalue) for old, new in ends)
    return Verdict(damaged, sampled, differing, elsewhere, parted, pvalue)


class Program(NamedTuple):
    """A source's exported functions, as JAX reads them, and what all trainings are given."""

    start: Any
    advance: Any
    shared: dict[str, np.ndarray]


def read_program(folder: Path, source: str) -> Program:
    """The files from which a source's trainings can be computed again.

    Raises:
        ValueError: a file is missing or damaged, by name, and what to do.
    """
    remedy = "delete it, and the same command, of all that was asked for, makes it again"
    path = folder / f"{source}.inputs.npz"
    found = []
    try:
        shared = held.read_arrays(path)
        if "root" not in shared:
            raise files.DamagedError(f"{path} is damaged, it has no root")
        for name in ("start", "advance"):
            path = folder / f"{source}.{name}.jax"
            found.append(export.deserialize(bytearray(files.read_sealed(path))))
    except FileNotFoundError:
        raise ValueError(
            f"{path} is missing: the same command makes it, if JAX can export the program"
        ) from None
    except files.DamagedError as error:
        raise files.DamagedError(f"{error}: {remedy}") from None
    except Exception as error:  # whatever reading another thing's bytes as a program ends in
        raise files.DamagedError(
            f"{path} is damaged, it cannot be read ({error!r}): {remedy}"
        ) from None
    start, advance = found
    return Program(start, advance, shared)


def again(folder: Path, source: str, sweep: dict[str, Any], made: xr.Dataset) -> xr.Dataset:
    """Those trainings, computed by the folder's own program from what the folder says they were
    given.

    Raises:
        ValueError: a file that is needed is missing or damaged.
    """
    about, program = sweep["sources"][source], sweep["programs"][source]
    lanes, axis = about["lanes"], program["axis"]
    numbers, streams, start = (made[name].values for name in chunks.INPUTS)
    steps = folders.read_coordinates(folder, sweep["sources"]).step.values
    exported = read_program(folder, source)
    shared = exported.shared
    arrays = [shared[f"array{n}"] for n in range(sum(name.startswith("array") for name in shared))]
    given = [shared[f"params{n}"] for n in range(sum(name.startswith("params") for name in shared))]
    found: list[list[np.ndarray]] = []
    with jax.enable_x64(numbers.dtype == np.float64):
        begin, advance = (
            jax.jit(code.call, compiler_options=about["compiler_options"][name] or None)
            for code, name in ((exported.start, "start"), (exported.advance, "advance"))
        )
        for first in range(0, len(numbers), lanes):
            each = np.minimum(np.arange(first, first + lanes), len(numbers) - 1)
            leaves = [
                shared["root"],
                streams[each],
                numbers[each],
                *arrays,
                *(p[start[each]] for p in given),
            ]
            state = advance(np.int32(0), np.int32(steps[-1]), *begin(*leaves), *leaves)
            many = min(lanes, len(numbers) - first)
            found.append([np.moveaxis(np.asarray(leaf), axis, 0)[:many] for leaf in state])
    whole = [np.concatenate(leaf) for leaf in zip(*found, strict=True)]
    variables = {}
    for name, values in zip(program["leaves"], whole, strict=True):
        if name and name in made:
            variables[name] = (made[name].dims, values.reshape(made[name].shape))
    return xr.Dataset(variables)
