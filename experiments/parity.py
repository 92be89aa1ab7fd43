"""Parity: how often small networks learn whether an odd number of n bits is 1, for n from 2 to 8.

Question: networks of n inputs, with one hidden layer of n tanh units, of 4 n tanh units, or of n
sines, are trained on all 2^n rows, with bits as -1 and 1. How does the share of seeds that have all
rows right fall with n? Two more ask what 0 and 1 as inputs change, and whether the wide network,
trained on three quarters of the rows (drawn once, the same for all seeds), knows the others.
Source: Minsky and Papert, "Perceptrons" (1969), where parity is what needs to see all inputs at
once; Rumelhart, Hinton and Williams, "Learning internal representations by error propagation"
(1986), to whom n hidden units suffice; LeCun, Bottou, Orr and Müller, "Efficient BackProp" (1998),
whose inputs are symmetric about 0; Shalev-Shwartz, Shamir and Shammah, "Failures of gradient-based
deep learning" (2017), to whom gradients say less of parity the larger n is; Livni, Shalev-Shwartz
and Shamir, "On the computational efficiency of training neural networks" (2014), to whom networks
larger than necessary are easier to train; Wilamowski, Hunter and Malinowski, "Solving parity-N
problems with feedforward neural networks" (2003), where other activations need fewer units.
Set-up: Adam at 0.01 on all rows in every step, 3,000 steps, first weights as Keras draws them. A
seed is right if it has all rows right after the last step.
Expected, before anything was trained: what the sources say, as `statements` has it.
Cost: a minute of one core for 128 seeds, half of it compilation.
Writes results/parity_{signs,bits,kept}_*.nc and experiments/summaries/parity_{rates,verdicts}.csv.
"""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
import xarray as xr

import approx as ap
from experiments.shared import judged

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
DIMENSIONS = (2, 3, 4, 6, 8)
KEPT = (6, 8)  # dimensions in which a quarter of the rows is kept from training
NARROW, WIDE, SINES = "n tanh", "4n tanh", "n sines"
STEPS = 3_000
ALL = 1.0  # of the rows
KNOWS = 0.75  # of the rows that were kept; a coin has half of them right
SOURCE = "Minsky and Papert 1969, Rumelhart et al. 1986 and others, see experiments/parity.py"


def recipes(n: int, steps: int) -> dict[str, ap.Recipe]:
    """How each network of n inputs is trained."""
    models = {
        NARROW: ap.MLP((n,), "tanh", initializer="keras"),
        WIDE: ap.MLP((4 * n,), "tanh", initializer="keras"),
        SINES: ap.MLP((n,), "sin", initializer="keras"),
    }
    base = ap.Recipe(
        optimizer="adam", learning_rate=1e-2, batch_size=None, steps=steps, records=(0, steps)
    )
    return {name: replace(base, model=model) for name, model in models.items()}


def three_quarters(n: int) -> ap.Task:
    """Parity on three quarters of the rows, drawn once, and judged on the others."""
    known = ap.tasks.parity(n, signs=True)
    order = np.random.default_rng(n).permutation(2**n)
    shown, kept = np.split(order, [3 * 2**n // 4])
    x, y = np.asarray(known.x), np.asarray(known.y)
    return ap.given(x[shown], y[shown], x[kept], y[kept], loss="binary_cross_entropy")


def train(seeds: int, steps: int = STEPS) -> dict[str, xr.Dataset]:
    """Each network on signs, the narrow one on bits, the wide one on three quarters of the rows."""
    found = {}
    for n in DIMENSIONS:
        asked = recipes(n, steps)
        signs, bits = ap.tasks.parity(n, signs=True), ap.tasks.parity(n)
        found[f"signs_{n}"] = ap.run(signs, asked, seeds=seeds, keep=())
        narrow = {NARROW: asked[NARROW]}
        found[f"bits_{n}"] = ap.run(bits, narrow, seeds=seeds, keep=())
    for n in KEPT:
        wide = {WIDE: recipes(n, steps)[WIDE]}
        found[f"kept_{n}"] = ap.run(three_quarters(n), wide, seeds=seeds, keep=())
    return found


def right(runs: xr.Dataset, network: str) -> xr.Dataset:
    """Which seeds of a network have all of their training rows right."""
    return ap.stats.success(runs.sel(recipe=network), above=ALL, of="accuracy")


def knows(runs: xr.Dataset) -> xr.Dataset:
    """Which seeds of the wide network have three quarters of the rows right that were kept."""
    return ap.stats.success(runs.sel(recipe=WIDE), above=KNOWS, of="test_accuracy")


def statements(runs: Mapping[str, xr.Dataset]) -> list[ap.stats.Claim]:
    """The claims; their regions were written before anything was trained."""
    stats, claim = ap.stats, ap.stats.Claim
    says = "all rows right"

    def rate(text, n, network, holds):
        effect = partial(stats.rate, right(runs[f"signs_{n}"], network))
        return claim(text, f"n = {n}, {network}", says, effect, holds)

    def pair(text, one, other, holds):
        hits: dict[Hashable, xr.Dataset] = {
            ", ".join(each): right(runs[each[0]], each[1]) for each in (one, other)
        }
        first, second = map(", ".join, (one, other))
        effect = partial(stats.compare, hits, first, second)
        return claim(text, f"{first}; {second}", says, effect, holds)

    kept = [
        claim(
            f"who fits three quarters of the rows does not know the others, n = {n}",
            f"n = {n}, {WIDE}",
            f"{KNOWS:.0%} of the rows right that were kept",
            partial(stats.rate, knows(runs[f"kept_{n}"])),
            stats.NEVER,
        )
        for n in KEPT
    ]
    return [
        rate("n = 2 (XOR): two tanh units learn it", 2, NARROW, stats.USUALLY),
        rate("n = 4: four tanh units learn it", 4, NARROW, stats.USUALLY),
        rate("n = 8: eight tanh units mostly fail", 8, NARROW, stats.RARELY),
        rate("n = 8: 32 tanh units learn it", 8, WIDE, stats.USUALLY),
        pair(
            "n tanh units: n = 8 is harder than n = 4",
            ("signs_8", NARROW),
            ("signs_4", NARROW),
            stats.HURTS,
        ),
        pair(
            "n = 4: four times the units help", ("signs_4", WIDE), ("signs_4", NARROW), stats.HELPS
        ),
        pair(
            "n = 8: four times the units help", ("signs_8", WIDE), ("signs_8", NARROW), stats.HELPS
        ),
        pair("n = 8: sines help", ("signs_8", SINES), ("signs_8", NARROW), stats.HELPS),
        pair(
            "n = 2: signs are better than bits",
            ("signs_2", NARROW),
            ("bits_2", NARROW),
            stats.HELPS,
        ),
        pair(
            "n = 6: signs are better than bits",
            ("signs_6", NARROW),
            ("bits_6", NARROW),
            stats.HELPS,
        ),
        *kept,
    ]


def table(runs: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """A line for each dimension, kind of rows and network: the rate with its exact interval."""
    lines = []
    for label, each in runs.items():
        rows, n = label.split("_")
        for network in each.recipe.values.tolist():
            line = {"rows": rows, "n_bits": int(n), "network": network}
            line |= judged.rated(right(each, network))
            of = "accuracy"
            if rows == "kept":
                line |= judged.rated(knows(each), "knows")
                of = "test_accuracy"
            last = each[of].sel(recipe=network).isel(step=-1).values
            line["median_accuracy"] = float(ap.stats.order_quantiles(last, worst=0.0))
            lines.append(line | {"fingerprint": each.fingerprint[:12]})
    return pd.DataFrame(lines)


def main(
    seeds: int = 128, results: Path = RESULTS, summaries: Path = SUMMARIES, quick: bool = False
) -> None:
    """Train, judge the claims, and save.

    Args:
        seeds: of each network and dimension.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: a look at few seeds and steps, into results/quick.
    """
    steps = STEPS
    if quick:
        seeds, steps = 8, STEPS // 20
        results = summaries = results / "quick"
        print(f"Quick look: {seeds} seeds, few steps: not the experiment.", flush=True)
    runs = train(seeds, steps)
    judged.write("parity", runs, table(runs), (SOURCE, statements(runs)), (results, summaries))


if __name__ == "__main__":
    tyro.cli(main)
