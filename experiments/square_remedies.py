"""Which remedies let a small network learn x², which let it go on outside, and what becomes of
those that fail.

Source: the thread on approximating x², its recipes A, B and C (experiments/square.py) and the
advice in its answers. Around C (ten tanh units, SGD 1e-3, 21 integers from -10 to 10, 15,000 steps)
one factor at a time is changed: range, rows, scale of x and y, width, depth, activation, gated and
multiplied units, optimiser, learning rate, steps. Then a
factorial: four optimisers x nine kinds of unit x raw or scaled data, each first-order method with
the best of four rates, which 64 other seeds chose. Scaling x to [-1, 1] and y by the square is
range 1: the same numbers. All recipes share their seeds and are paired. Learned is an error inside
of at most 0.1% of the targets' variance there (0.89 for C), held one outside, to three times the
range, of at most 1% of the variance there; these and the claims' regions were set before the
remedies ran, with the results of A, B and C known.
Expected finding: scale and second order help; only a unit that is a product, x*x or u*v, goes on
outside.
Found: of C's seeds 5% learn, of its best of five 25%, of B's all 128; the thread's six outputs of B
are ordinary among these. By itself a smaller range does not help SGD 1e-3, nor do scaling x or y
alone, more rows (101 or 1,001: 0%) or Adam 1e-3; twenty units (69%), gelu (74%), highway units
(69%), Adam 1e-2 (75%) do, and one may overdo it (100 units: 13%). Most failures are still falling;
of BFGS' and LM's many are right on the 21 rows and wrong between them. With the rates chosen
scaling settles it for tanh (SGD 98% after 4%, LM 100%), and does harm to relu (Adam 28% after 88%,
LM 13% after 41%): half of its kinks, -b / w, then start outside the range, of the raw data's one in
twenty. x*x and u*v diverge as C is trained, in every seed, and at SGD 1e-4 or by LM are exact,
inside and outside, in every seed. That gates are bounded and cannot is wrong inside, where LSTM's
and highway units learn in every seed (LM, scaled); outside it is right of the LSTM's, while 38% of
the highway's hold to three times the range. "A larger range is harder" was first to be a fall of
C's rate by a tenth; of 5% that cannot be, so it is judged, since the results, by who errs less.
Cost: a quarter of an hour on two busy cores, and B's 128 seeds four to eight minutes.
Writes results/square_remedies_{LABEL}.nc,
experiments/summaries/square_{claims,reported,remedies,factorial}.csv and square_claims.md.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import tyro
import xarray as xr
from square import RECIPES as LITERAL
from square import REPORTED

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
LEARNED, HELD = 1e-3, 1e-2  # mean squared error over the targets' variance, inside and outside
ASYMMETRIC = 0.16  # |f(4) - f(-4)|: one per cent of the target; the thread's is 1.6
SHOWN, C = LITERAL["C"]
UNITS = 10
ROWS_ONLY, FALLING = "on its rows only", "still falling"


def gated(combine: Callable) -> tuple[Callable, Callable]:
    """A network of ten units, each `combine(u, v, x)` of two affine maps u and v of x, as (init,
    apply).
    """
    first, last = ap.MLP((), outputs=2 * UNITS), ap.MLP(())

    def init(key, x):
        one, two = jax.random.split(key)
        return first.init(one, x) + last.init(two, jnp.zeros((1, UNITS)))

    def apply(params, x):
        z = first.apply(params[:1], x)
        return last.apply(params[1:], combine(z[:, :UNITS], z[:, UNITS:], x))

    return init, apply


GATED: dict[str, Any] = {
    "u v": gated(lambda u, v, x: u * v),
    "u sigmoid(v)": gated(lambda u, v, x: u * jax.nn.sigmoid(v)),  # a gated linear unit
    # Its output: a gate times tanh of the cell
    "LSTM": gated(lambda u, v, x: jnp.tanh(u) * jax.nn.sigmoid(v)),
    "highway": gated(lambda u, v, x: jnp.tanh(u) * jax.nn.sigmoid(v) + x * (1 - jax.nn.sigmoid(v))),
}
ACTIVATIONS = {
    name: name for name in ("tanh", "sigmoid", "gaussian", "relu", "gelu", "snake", "sin")
} | {"x*x": "square"}
MODELS = {name: ap.MLP((UNITS,), of) for name, of in ACTIVATIONS.items()} | GATED
# In the factorial
CROSSED = ("tanh", "sigmoid", "relu", "snake", "sin", "x*x", "u v", "LSTM", "highway")
METHODS = {"bfgs": 2_000, "lm": 1_000}  # steps: evaluations, trials
RATES = {
    "sgd": (1e-4, 1e-3, 1e-2, 1e-1),
    "adam": (1e-3, 1e-2, 1e-1, 1.0),
}
OTHERS = range(10**6, 10**6 + 64)  # the seeds that choose a rate, none of those that are reported
SCALINGS = {"raw": 10.0, "scaled": 1.0}  # the range; scaled is x / 10 and y / 100


def change(model: Any = None, **options: Any) -> ap.Recipe:
    """Recipe C with another model or other options."""
    return replace(C, model=model or C.model, **options)


def method(name: str, model: Any = None) -> ap.Recipe:
    """Recipe C by a method of second order, which takes no rate."""
    return change(model, optimizer=name, learning_rate=None, steps=METHODS[name])


# factor -> {label: (task, recipe)}, each one change away from C
FACTORS: dict[str, dict[str, tuple[ap.Task, ap.Recipe]]] = {
    "recipe C": {"C": (SHOWN, C)},
    "range": {f"range {range_:g}": (replace(SHOWN, range=range_), C) for range_ in (1.0, 50.0)},
    "rows": {f"{rows:,} rows": (replace(SHOWN, size=rows), C) for rows in (101, 1_001, 10_001)},
    "scale": {
        "x / 10": (replace(SHOWN, range=1.0, frequency=10.0), C),
        "y / 100": (replace(SHOWN, frequency=0.1), C),
    },
    "width": {
        f"{width} units": (SHOWN, change(ap.MLP((width,), "tanh"))) for width in (2, 5, 20, 50, 100)
    },
    "depth": {
        f"{depth} layers": (SHOWN, change(ap.MLP((UNITS,) * depth, "tanh"))) for depth in (2, 3)
    },
    "activation": {name: (SHOWN, change(MODELS[name])) for name in ACTIVATIONS if name != "tanh"},
    "gates": {name: (SHOWN, change(model)) for name, model in GATED.items()},
    "optimiser": {
        "momentum": (SHOWN, change(optimizer="momentum")),
        "Adam": (SHOWN, change(optimizer="adam")),
        "BFGS": (SHOWN, method("bfgs")),
        "LM": (SHOWN, method("lm")),
    },
    "rate": {
        "SGD 1e-4": (SHOWN, change(learning_rate=1e-4)),
        "SGD 1e-2": (SHOWN, change(learning_rate=1e-2)),
        "Adam 1e-2": (SHOWN, change(optimizer="adam", learning_rate=1e-2)),
    },
    "steps": {"150,000 steps": (SHOWN, change(steps=10 * C.steps))},
}
ONE_FACTOR = {label: entry for entries in FACTORS.values() for label, entry in entries.items()}


def factorial(optimizer: str, unit: str) -> ap.Recipe:
    """One cell's recipe before its rate is chosen."""
    if optimizer in METHODS:
        return replace(method(optimizer, MODELS[unit]), records=2)
    return change(MODELS[unit], optimizer=optimizer, records=2)


FACTORIAL = {
    f"{optimizer}, {unit}, {scaling}": (
        replace(SHOWN, range=SCALINGS[scaling]),
        factorial(optimizer, unit),
    )
    for optimizer in ("lm", "sgd", "adam", "bfgs")
    for unit in CROSSED
    for scaling in SCALINGS
}
RECIPES = {"A": LITERAL["A"], "B": LITERAL["B"]} | ONE_FACTOR | FACTORIAL
LANES = {"B": 8}
FEWER = {"B": 4, "10,001 rows": 8}  # what the number of seeds is divided by
QUICK = ("A", "B", "C", "range 1", "relu", "x*x", "LM")


def path_of(results: Path, label: str) -> Path:
    """The file of one recipe."""
    plain = label.replace("*", "times")
    return results / f"square_remedies_{re.sub('[^0-9A-Za-z]+', '_', plain).strip('_')}.nc"


def shares_of_variance(runs: xr.Dataset) -> xr.Dataset:
    """Errors in the end, `inside` and `outside` over (..., seed), as shares of the judged targets'
    variance there.
    """
    here = runs.distance == 0
    variance = {"inside": runs.y_test.where(here).var(), "outside": runs.y_test.where(~here).var()}
    of = {"inside": "test_loss", "outside": "outside_loss"}
    ends = {name: runs[of[name]].isel(step=-1, drop=True) / float(variance[name]) for name in of}
    return xr.Dataset(ends).reset_coords(drop=True)


def learned(errors: xr.Dataset) -> xr.Dataset:
    """Which seeds are right inside."""
    return ap.stats.success(errors, below=LEARNED, of="inside")


def held(errors: xr.Dataset) -> xr.Dataset:
    """Which seeds are right outside, to three times the range."""
    return ap.stats.success(errors, below=HELD, of="outside")


def asymmetric(runs: xr.Dataset) -> xr.DataArray:
    """Which seeds have f(4) and f(-4) apart."""
    x = runs.x_test[:, 0].values
    f = runs.prediction.isel(output=0)
    apart = abs(f.isel(point=int(abs(x - 4).argmin())) - f.isel(point=int(abs(x + 4).argmin())))
    return (~(apart <= ASYMMETRIC)).reset_coords(drop=True)


def best_of_five(runs: xr.Dataset) -> xr.Dataset:
    """Errors of the best seed of every five, by the loss on the training rows."""
    count = runs.sizes["seed"] // 5
    loss = runs.loss.isel(step=-1, seed=slice(5 * count)).values.reshape(count, 5)
    best = np.where(np.isfinite(loss), loss, np.inf).argmin(1) + 5 * np.arange(count)
    return shares_of_variance(runs.isel(seed=best)).assign_coords(seed=np.arange(count))


def plateaus(label: str, runs: xr.Dataset) -> xr.Dataset:
    """What each seed became: learned, right on the rows alone, a plateau of the training loss,
    none, or divergence.

    What is on no plateau with a name may be still falling, see `stats.falling`.
    Plateaus of known value: the best constant; of bounded units also the best steps, those of
    saturated ones; of relu the best of few units, the others dead. Further ones are found by
    `stats.plateaus`.
    """
    task, _ = RECIPES[label]
    half = float(np.asarray(task.range))
    x = np.linspace(-half, half, task.size)
    y = (x * float(np.asarray(1 if task.frequency is None else task.frequency))) ** 2
    named = {"best constant": float(y.var())}
    if label == "relu":
        found = [ap.floors.relu_optimum(x, y, units).mse for units in (1, 2, 3)]
        named |= {
            f"{units} relu unit{'s' * (units > 1)}": mse for units, mse in enumerate(found, 1)
        }
    elif label in ("C", "sigmoid", "LSTM"):
        named |= {f"{steps} steps": steps_mse(y, steps + 1) for steps in (1, 2)}
    least = float(runs.y_test.where(runs.distance == 0).var()) * LEARNED
    kinds = ap.stats.plateaus(runs, named, learned=least, tolerance=0.02)
    kind, names = kinds.kind.astype(object), list(kinds.attrs["kinds"])
    right = learned(shares_of_variance(runs)).hit.values
    kind = xr.where((kind == "learned") & ~right, ROWS_ONLY, xr.where(right, "learned", kind))
    falling = ap.stats.falling(runs).values
    # One that still falls was no plateau
    unnamed = (kind == "on no plateau") | kind.str.startswith("at ")
    kind = xr.where(unnamed & falling, FALLING, kind)
    names = [names[0], ROWS_ONLY, *names[1:-2], FALLING, *names[-2:]]
    return kinds.assign(kind=kind.astype(str)).assign_attrs(kinds=names)


def steps_mse(y: np.ndarray, pieces: int) -> float:
    """Least mean squared error of a function with so many constant pieces, on equispaced rows (all
    cuts are tried).
    """
    if pieces == 1:
        return float(y.var())
    cuts = range(1, len(y) - pieces + 2)
    return min(
        (k * y[:k].var() + (len(y) - k) * steps_mse(y[k:], pieces - 1)) / len(y) for k in cuts
    )


def idle(label: str, runs: xr.Dataset) -> xr.DataArray:
    """Share of the hidden units that are constant on the rows: dead relus, saturated tanhs."""
    task, recipe = RECIPES[label]
    half = float(np.asarray(task.range))
    x = np.linspace(-half, half, 201)[:, None]
    shares = jax.vmap(partial(ap.models.idle_units, recipe.model, x=x))(ap.params(runs))
    return xr.DataArray(np.asarray(shares), dims=("seed", "layer"))


def run_one(label: str, seeds: int, steps: int | None) -> xr.Dataset:
    """One recipe's seeds; of the two that cost the most fewer, to be compared with the same seeds
    of the others.
    """
    task, recipe = RECIPES[label]
    recipe = replace(recipe, steps=min(recipe.steps, steps or recipe.steps))
    count = max(2, seeds // FEWER.get(label, 1))
    keep = ("prediction", "params") if isinstance(recipe.model, ap.MLP) else ("prediction",)
    return ap.run(
        task, recipe, seeds=count, lanes=LANES.get(label), keep=keep, progress=label == "B"
    )


def run_cell(label: str, seeds: int, steps: int | None) -> xr.Dataset:
    """One cell of the factorial, with the rate with which most of the other seeds learn, of equals
    the least error.
    """
    task, recipe = FACTORIAL[label]
    recipe = replace(recipe, steps=min(recipe.steps, steps or recipe.steps))
    rate = np.nan
    if recipe.optimizer in RATES:
        rates = RATES[recipe.optimizer]
        tried = ap.run(task, recipe, seeds=OTHERS, learning_rate=rates, keep=(), progress=False)
        errors = shares_of_variance(tried)
        middle = ap.stats.quantiles(errors, of="inside", q=0.5).inside.isel(quantile=0, drop=True)
        rate = rates[int(np.lexsort((middle, -learned(errors).hit.sum("seed")))[0])]
        recipe = replace(recipe, learning_rate=rate)
    count = max(2, seeds // 2)
    return ap.run(task, recipe, seeds=count, progress=False).assign_attrs(learning_rate=rate)


def kept_or(
    train: Callable, label: str, seeds: int, steps: int | None, results: Path, saved: bool
) -> xr.Dataset:
    """What is in the folder, if that is wanted and there is something; else trained and saved."""
    path = path_of(results, label)
    if saved and path.exists():
        return ap.load(path)
    runs = train(label, seeds, steps)
    ap.save(runs, path)
    return runs


def statements(
    runs: Mapping[str, xr.Dataset], errors: Mapping[str, xr.Dataset]
) -> list[ap.stats.Claim]:
    """The thread's claims and advice, and the regions that were set before anything ran."""
    hits = {label: learned(one) for label, one in errors.items()}
    far = {label: held(one) for label, one in errors.items()}
    inside = f"MSE inside ≤ {LEARNED:.1%} of the variance"
    outside = f"MSE outside, to 3 x range, ≤ {HELD:.0%} of the variance"
    claims: list[ap.stats.Claim] = []

    def rate(text: str, label: str, holds, of=None, measure: str = inside) -> None:
        if label in hits:
            claims.append(
                ap.stats.Claim(
                    text, label, measure, partial(ap.stats.rate, (of or hits)[label]), holds
                )
            )

    def against(text: str, a: str, b: str, holds) -> None:
        if a in hits and b in hits:
            first, second = xr.align(hits[a], hits[b], join="inner")
            effect = partial(ap.stats.compare, {a: first, b: second}, a, b)
            claims.append(ap.stats.Claim(text, f"{a} against {b}", inside, effect, holds))

    rate("a linear unit cannot", "A", ap.stats.NEVER)
    rate("ten tanh units can, each seed by itself", "C", ap.stats.USUALLY)
    rate("ten tanh units can, the best of five by training loss", "C, best of 5", ap.stats.USUALLY)
    rate("two layers of eight relu units can", "B", ap.stats.USUALLY)
    against("more examples help: 101", "101 rows", "C", ap.stats.HELPS)
    against("more examples help: 1,001", "1,001 rows", "C", ap.stats.HELPS)
    against("more examples help: 10,001", "10,001 rows", "C", ap.stats.HELPS)
    apart = {label: asymmetric(one) for label, one in runs.items() if label in ("B", "C")}
    for label in ("B", "C"):
        rate(
            f"f(-4) is not f(4): {label}",
            label,
            ap.stats.ALWAYS,
            apart,
            f"|f(4) - f(-4)| > {ASYMMETRIC:g}",
        )
    for label in (
        "B",
        "C",
        "lm, tanh, scaled",
        "lm, relu, scaled",
        "lm, snake, scaled",
        "lm, sin, scaled",
    ):
        rate(f"no extrapolation: {label}", label, ap.stats.NEVER, far, outside)
    against("a smaller range is easier: 1", "range 1", "C", ap.stats.HELPS)
    if "range 50" in errors and "C" in errors:
        first, second = xr.align(errors["range 50"], errors["C"], join="inner")
        effect = partial(
            ap.stats.improvement, {"range 50": first, "C": second}, "range 50", "C", of="inside"
        )
        measure = "less MSE inside, as a share of the variance"
        text = "a larger range is harder: 50"
        claims.append(ap.stats.Claim(text, "range 50 against C", measure, effect, ap.stats.WORSE))
    for name in RATES:
        text = f"a smaller range is easier, each with its best rate: {name}"
        against(text, f"{name}, tanh, scaled", f"{name}, tanh, raw", ap.stats.HELPS)
    against("scaling x alone helps", "x / 10", "C", ap.stats.HELPS)
    against("scaling y alone helps", "y / 100", "C", ap.stats.HELPS)
    for name, label in (("a gate times tanh (LSTM)", "LSTM"), ("highway units", "highway")):
        rate(f"{name} cannot inside", f"lm, {label}, scaled", ap.stats.NEVER)
        rate(f"{name} cannot outside", f"lm, {label}, scaled", ap.stats.NEVER, far, outside)
    for name, label in (("x*x", "x*x"), ("a product u v", "u v")):
        rate(f"{name} learns it as C is trained", label, ap.stats.USUALLY)
        rate(f"{name} is exact, outside too", f"lm, {label}, scaled", ap.stats.ALWAYS, far, outside)
    against("more units help", "50 units", "C", ap.stats.HELPS)
    against("more layers help", "2 layers", "C", ap.stats.HELPS)
    against("relu instead of tanh helps", "relu", "C", ap.stats.HELPS)
    against("Adam helps", "Adam", "C", ap.stats.HELPS)
    against("momentum helps", "momentum", "C", ap.stats.HELPS)
    against("Levenberg-Marquardt helps", "LM", "C", ap.stats.HELPS)
    against("more steps help", "150,000 steps", "C", ap.stats.HELPS)
    return claims


def reported(runs: xr.Dataset) -> xr.Dataset:
    """The thread's outputs of recipe B among ours."""
    x = runs.x_test[:, 0].values
    at = {number: int(abs(x - number).argmin()) for number in REPORTED}
    numbers = [
        ap.stats.Reported(
            f"f({number})",
            "B",
            runs.prediction.isel(point=at[number], output=0).values,
            value,
            0.005,
        )
        for number, value in REPORTED.items()
    ]
    return ap.stats.reported("square", numbers)


def rows_of(label: str, errors: xr.Dataset) -> dict[str, Any]:
    """One recipe's line of a summary."""
    row: dict[str, Any] = {"label": label, "n": errors.sizes["seed"]}
    for name, hits in (("learned", learned(errors)), ("held", held(errors))):
        found = ap.stats.rate(hits)
        row |= {
            name: float(found.rate),
            f"{name}_low": float(found.low),
            f"{name}_high": float(found.high),
        }
    for name in ("inside", "outside"):
        low, middle, high = ap.stats.quantiles(errors, of=name, q=(0.05, 0.5, 0.95))[name].values
        row |= {f"{name}_q05": low, f"{name}_q50": middle, f"{name}_q95": high}
    return row


def failures(label: str, runs: xr.Dataset) -> dict[str, Any]:
    """What the seeds of one recipe became, and how many of their units do nothing."""
    found = ap.stats.shares(plateaus(label, runs))
    said = [
        f"{one.kind.item()} {float(one.rate):.1%} [{float(one.low):.1%}, {float(one.high):.1%}]"
        for one in (found.sel(kind=kind) for kind in found.kind.values)
        if float(one.rate) > 0
    ]
    row: dict[str, Any] = {"became": "; ".join(said)}
    model = RECIPES[label][1].model
    if isinstance(model, ap.MLP) and model.widths:
        row["idle_units"] = float(
            idle(label, runs).where(np.isfinite(runs.loss.isel(step=-1))).mean()
        )
    return row


def said(row: Mapping[str, Any]) -> str:
    """A line of a summary as text."""
    return (
        f"  {row['label']:28} n {row['n']:3d}  learned {row['learned']:6.1%} [{row['learned_low']:.1%}, "
        f"{row['learned_high']:.1%}]  held {row['held']:6.1%}  median inside {row['inside_q50']:.2g} "
        f"outside {row['outside_q50']:.2g}  {row.get('became', '')}"
        + (f"  idle {row['idle_units']:.0%}" if "idle_units" in row else "")
        + (
            f"  rate {row['learning_rate']:g}"
            if np.isfinite(row.get("learning_rate", np.nan))
            else ""
        )
    )


def main(
    seeds: int = 512,
    steps: int | None = None,
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    quick: bool = False,
    saved: bool = False,
) -> None:
    """Train every recipe, hold the claims against what came out, print it, and save it.

    Args:
        seeds: of each recipe; of B a quarter, of 10,001 rows an eighth, of the factorial's cells
            half.
        steps: at most so many updates of each.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: half a minute, few recipes, seeds and steps; everything goes to results/quick.
        saved: train only what is not in the folder of results, to go on, or to judge anew what is.
    """
    note, one_factor, cells = "", ["A", "B", *ONE_FACTOR], list(FACTORIAL)
    if quick:
        seeds, steps = min(seeds, 16), min(steps or 500, 500)
        results, summaries = results / "quick", results / "quick"
        one_factor = list(QUICK)
        cells = [
            label
            for label in cells
            if label.startswith("lm, ") and label.split(", ")[1] in ("tanh", "x*x")
        ]
        note = f"Quick look: {seeds} seeds, at most {steps} steps, few recipes: not the experiment."
        print(note, flush=True)
    summaries.mkdir(parents=True, exist_ok=True)
    runs: dict[str, xr.Dataset] = {}
    errors: dict[str, xr.Dataset] = {}
    tables: dict[str, list[dict[str, Any]]] = {"remedies": [], "factorial": []}
    for label in one_factor:
        one = kept_or(run_one, label, seeds, steps, results, saved)
        errors[label] = shares_of_variance(one)
        if label in ("B", "C"):
            runs[label] = one
        row = rows_of(label, errors[label]) | failures(label, one) | {"identity": one.identity[:12]}
        tables["remedies"].append(row)
        print(said(row), flush=True)
    errors["C, best of 5"] = best_of_five(runs["C"])
    tables["remedies"].append(rows_of("C, best of 5", errors["C, best of 5"]))
    print(said(tables["remedies"][-1]), flush=True)
    for label in cells:
        one = kept_or(run_cell, label, seeds, steps, results, saved)
        errors[label] = shares_of_variance(one)
        optimizer, unit, scaling = label.split(", ")
        row = {
            "optimizer": optimizer,
            "unit": unit,
            "scaling": scaling,
            "learning_rate": one.learning_rate,
        }
        row |= rows_of(label, errors[label]) | {"identity": one.identity[:12]}
        tables["factorial"].append(row)
        print(said(row), flush=True)
    for name, table in tables.items():
        pd.DataFrame(table).to_csv(
            summaries / f"square_{name}.csv", index=False, float_format="%.6g", lineterminator="\n"
        )
    judged, numbers = ap.stats.claims("square", statements(runs, errors)), reported(runs["B"])
    print(*ap.stats.write_claims(summaries, "square", judged, numbers, note), sep="\n")


if __name__ == "__main__":
    tyro.cli(main)
