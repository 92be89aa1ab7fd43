"""Is what a sweep's folder says true: its files are whole, and its trainings come out again as they were written.

Recomputing takes the program and the inputs from the folder, no code of anyone's: JAX's exported programs are neither
pickled nor tied to the Python that made them.
"""

from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import xarray as xr
from jax import export
from scipy import stats

from approx import chunks, store

TOLERANCE = 1e-3  # of losses of the first ten steps elsewhere: later two correct programs part (chaos)
UNLIKELY = 1e-3  # probability of final losses as different as these, or more, if they are alike


class Verdict(NamedTuple):
    """What was found.

    Attributes:
        damaged: what is wrong with a file, one sentence each.
        sampled: how many trainings were computed again. differing: how many came out otherwise.
        elsewhere: what differs from where they were made, "" if nothing does; then the bits must be the same.
        parted: largest relative difference of the losses up to step 10; pvalue: of the final losses' distributions
            (Kolmogorov and Smirnov's test). Both nan where the bits were compared.
    """

    damaged: list[str]
    sampled: int
    differing: int
    elsewhere: str
    parted: float
    pvalue: float

    @property
    def fine(self) -> bool:
        """Whether there is nothing to doubt."""
        alike = self.parted <= TOLERANCE and self.pvalue >= UNLIKELY if self.elsewhere else self.differing == 0
        return not self.damaged and alike


def verify(folder: str | Path, count: int = 256, key: int = 0) -> Verdict:
    """Read and check every chunk of a sweep, and compute a random sample of its trainings again.

    Args:
        folder: the sweep's.
        count: how many trainings, at most.
        key: of the sample.

    Raises:
        FileNotFoundError, ValueError: no sweep there.
    """
    folder = Path(folder)
    sweep = chunks.read_sweep(folder)
    whole, damaged = [], []
    for path in chunks.paths(folder):
        try:
            part = chunks.read_chunk(path, sweep["sources"])
            whole.append((path, part.attrs["source"], part.sizes["training"]))
        except ValueError as error:
            damaged.append(str(error))
    total = sum(many for *_, many in whole)
    chosen = np.sort(np.random.default_rng(key).choice(total, min(count, total), replace=False))
    ends = np.cumsum([0, *(many for *_, many in whole)])
    pairs: list[tuple[xr.Dataset, xr.Dataset]] = []
    elsewhere = []
    for source, about in sweep["sources"].items():
        parts = []
        for (path, its, _), begin, end in zip(whole, ends, ends[1:], strict=False):
            here = chosen[(chosen >= begin) & (chosen < end)] - begin
            if its == source and len(here):
                parts.append(chunks.read_chunk(path, sweep["sources"]).isel(training=here))
        if parts:
            made = xr.concat(parts, "training", data_vars="minimal", combine_attrs="drop")
            try:
                pairs.append((made, again(folder, source, sweep, made)))
            except OSError as error:
                damaged.append(f"trainings cannot be computed again: {error}")
            elsewhere += list(chunks.differences(surroundings(), {name: about[name] for name in surroundings()}))
    return judged(damaged, pairs, "; ".join(dict.fromkeys(elsewhere)))


def surroundings() -> dict[str, Any]:
    """What of a provenance belongs to the machine."""
    device = jax.local_devices()[0]
    processor = store.processor() if device.platform == "cpu" else device.device_kind
    return {"versions": store.versions(), "processor": processor}


def judged(damaged: list[str], pairs: list[tuple[xr.Dataset, xr.Dataset]], elsewhere: str) -> Verdict:
    """Hold what was computed again against what was written."""
    sampled = sum(old.sizes["training"] for old, _ in pairs)
    differing, parted, ends = 0, 0.0, []
    for old, new in pairs:
        same = np.ones(old.sizes["training"], bool)
        for name in new.data_vars:
            bits = [np.ascontiguousarray(one[name].values).view(np.uint8).reshape(len(same), -1) for one in (old, new)]
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


def again(folder: Path, source: str, sweep: dict[str, Any], made: xr.Dataset) -> xr.Dataset:
    """Those trainings, computed by the folder's own program from what the folder says they were given."""
    about, program = sweep["sources"][source], sweep["programs"][source]
    lanes, axis = about["lanes"], program["axis"]
    numbers, streams, start = (made[name].values for name in chunks.INPUTS)
    steps = chunks.read_coordinates(folder).step.values
    exported = [(folder / f"{source}.{name}.jax").read_bytes() for name in ("start", "advance")]
    with np.load(folder / f"{source}.inputs.npz", allow_pickle=False) as file:
        shared = {name: file[name] for name in file.files}
    arrays = [shared[f"array{n}"] for n in range(sum(name.startswith("array") for name in shared))]
    given = [shared[f"params{n}"] for n in range(sum(name.startswith("params") for name in shared))]
    found: list[list[np.ndarray]] = []
    with jax.enable_x64(numbers.dtype == np.float64):
        begin, advance = (
            jax.jit(export.deserialize(bytearray(code)).call, compiler_options=about["compiler_options"][name] or None)
            for code, name in zip(exported, ("start", "advance"), strict=True)
        )
        for first in range(0, len(numbers), lanes):
            each = np.minimum(np.arange(first, first + lanes), len(numbers) - 1)
            leaves = [shared["root"], streams[each], numbers[each], *arrays, *(p[start[each]] for p in given)]
            state = advance(np.int32(0), np.int32(steps[-1]), *begin(*leaves), *leaves)
            many = min(lanes, len(numbers) - first)
            found.append([np.moveaxis(np.asarray(leaf), axis, 0)[:many] for leaf in state])
    whole = [np.concatenate(leaf) for leaf in zip(*found, strict=True)]
    variables = {}
    for name, values in zip(program["leaves"], whole, strict=True):
        if name and name in made:
            variables[name] = (made[name].dims, values.reshape(made[name].shape))
    return xr.Dataset(variables)
