"""Whether what a sweep's folder says is true.

Its files must be whole, and its trainings, computed again, must come out as they were written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import scipy

from approx.disk import chunks, description
from approx.disk.places import positions
from approx.disk.recomputation import again
from approx.late_imports import xarray as xr
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
        of_source = {
            path: places for path, places in sample.items() if whole[path].source == source
        }
        if not of_source:
            continue
        written = read_trainings(of_source, sweep["sources"])
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
            at, _ = positions(axes, part)
        except (ValueError, KeyError, OSError) as error:
            damaged.append(str(error))
            continue
        if seen[at].any():
            damaged.append(f"{path} holds trainings that another chunk has too: choose one")
        seen[at] = True
        whole[path] = Whole(part.attrs["source"], part.sizes["training"])
    return whole, damaged, int((~seen).sum())


def drawn(whole: Mapping[Path, Whole], count: int, key: int) -> dict[Path, np.ndarray]:
    """A random sample of trainings: the places of one or more in each chunk, in increasing order.

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
        if here.any():
            found[path] = chosen[here] - begin
        begin = end
    return found


def read_trainings(places: Mapping[Path, np.ndarray], sources: Mapping[str, Any]) -> xr.Dataset:
    """Some trainings of one source.

    Args:
        places: those of the trainings in each chunk.
        sources: those of the sweep, by name.
    """
    parts = []
    for path, here in places.items():
        part = chunks.read_chunk(path, sources)
        parts.append(part.isel(training=here))
    return xr.concat(parts, "training", data_vars="minimal", combine_attrs="drop")


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
        pvalue = min(float(scipy.stats.ks_2samp(*final_losses(pair)).pvalue) for pair in pairs)
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
