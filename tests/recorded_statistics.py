"""What every statistic gives for a few small results, as it was when it was recorded.

    python tests/recorded_statistics.py

writes recorded/statistics.json, and recorded/defaults.json with what arguments of statistics and
numbers of optimisers, schedules and stopping rules are if nothing is said. Whether the numbers are
right is tested elsewhere, against independent formulas. The recorded files are there so that no
number, name, dimension or attribute changes unnoticed. Run the script again if you mean to change
one, and read the files' difference.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import approx as ap
from approx import stats
from approx.training import optimizers, schedules, stops

RECORDED = Path(__file__).parent / "recorded" / "statistics.json"
DEFAULTS = Path(__file__).parent / "recorded" / "defaults.json"
STEPS = np.array([0, 1, 10, 100, 1000])
SEEDS = 12


# ---- results -------------------------------------------------------------------------------------


def losses() -> xr.Dataset:
    """Three recipes of twelve seeds that fall at different rates; two seeds diverged."""
    rng = np.random.default_rng(0)
    start = rng.lognormal(0, 0.5, (3, SEEDS, 1))
    rate = np.array([0.2, 0.35, 0.6])[:, None, None] * rng.uniform(0.3, 1.5, (3, SEEDS, 1))
    fallen = start * (1.0 + STEPS) ** -rate
    # Some are lost again: in the end, and on the way
    fallen[0, 1, 4] = fallen[1, 2, 4] = fallen[2, 7, 4] = 0.9
    fallen[1, 4, 3] = fallen[2, 0, 2] = 0.7
    fallen[0, 3, 2:] = np.nan
    fallen[1, 5, 4] = np.inf
    outside = fallen * rng.uniform(1, 20, fallen.shape)
    validation = fallen * rng.uniform(0.8, 1.3, fallen.shape)
    dims = ("recipe", "seed", "step")
    variables = {
        "loss": (dims, 0.9 * fallen),
        "test_loss": (dims, fallen),
        "outside_loss": (dims, outside),
        "validation_loss": (dims, validation),
        "test_accuracy": (dims, 1 / (1 + np.nan_to_num(fallen, nan=np.nan, posinf=1e9))),
    }
    coords = {"recipe": ["adam", "sgd", "wide"], "seed": np.arange(SEEDS), "step": STEPS}
    return xr.Dataset(variables, coords)


def functions() -> xr.Dataset:
    """Eight functions on [-2, 2], shown x² on [-1, 1]: right, flat, straight, odd, shifted, ..."""
    x = np.linspace(-2, 2, 81)
    inside = np.clip(x, -1, 1)
    outputs = np.stack(
        [
            x**2,
            inside**2,
            np.abs(x) ** 1.5,
            2 * np.abs(x) - 1,
            np.tanh(3 * x),
            (x - 0.05) ** 2,
            np.full_like(x, 0.3),
            np.where(x > 1.9, np.nan, x**2),
        ]
    )
    losses = np.square(outputs - x**2)
    is_inside = np.abs(x) <= 1

    def two_records(values):
        ends = values.mean(1)
        return ("seed", "step"), np.stack([1 + ends, ends], 1)

    return xr.Dataset(
        {
            "prediction": (("seed", "point", "output"), outputs[..., None]),
            "loss": two_records(losses[:, is_inside]),
            "test_loss": two_records(losses[:, is_inside]),
            "outside_loss": two_records(losses[:, ~is_inside]),
            "validation_loss": two_records(losses[:, is_inside][:, ::4]),
        },
        {
            "x_test": (("point", "input"), x[:, None]),
            "y_test": (("point", "output"), (x**2)[:, None]),
            "distance": ("point", np.maximum(np.abs(x) - 1, 0)),
            "seed": np.arange(8),
            "step": [0, 100],
        },
    )


def plane() -> xr.Dataset:
    """Six seeds of two classes over a grid of the plane, by one logit."""
    axis = np.linspace(-1, 1, 7)
    x = np.stack([each.ravel() for each in np.meshgrid(axis, axis)], 1)
    slopes = np.array([[1.0, 0.2], [0.8, -0.3], [-0.5, 1.0], [1.2, 0.4], [0.1, 0.1], [1.0, np.nan]])
    logits = slopes @ x.T
    return xr.Dataset(
        {"prediction": (("seed", "point", "output"), logits[..., None])},
        {
            "x_test": (("point", "input"), x),
            "distance": ("point", np.zeros(len(x))),
            "seed": np.arange(6),
        },
    )


def swept() -> xr.Dataset:
    """Hits over a learning rate and a width: rates that rise and fall."""
    rng = np.random.default_rng(1)
    rates = np.array([[0.05, 0.3, 0.9, 0.6, 0.0], [0.1, 0.6, 1.0, 0.9, 0.1]])
    hit = rng.random((2, 5, 20)) < rates[..., None]
    return xr.Dataset(
        {"hit": (("width", "learning_rate", "seed"), hit)},
        {"width": [4, 16], "learning_rate": np.geomspace(1e-4, 1, 5), "seed": np.arange(20)},
        attrs={"of": "test_loss", "below": 0.1},
    )


def crossed_streams() -> xr.Dataset:
    """Losses of four initial weights crossed with three draws of the data, twice each."""
    rng = np.random.default_rng(2)
    effect = rng.normal(size=(4, 1, 1)) + 0.4 * rng.normal(size=(1, 3, 1))
    values = np.exp(effect + 0.3 * rng.normal(size=(4, 3, 2)))
    dims = ("init_seed", "data_seed", "seed")
    coords = {"init_seed": np.arange(4), "data_seed": np.arange(3), "seed": np.arange(2)}
    return xr.Dataset({"test_loss": (dims, values)}, coords)


RUNS = losses()
FUNCTIONS = functions()
PLANE = plane()
SWEPT = swept()
CROSSED = crossed_streams()
HITS = stats.success(RUNS, below=0.3)
RATES = stats.rate(HITS)
FEW = {"resamples": 50}
# With one axis more, two seeds alike, and numbers of half the precision
BY_WIDTH = xr.concat([RUNS, 0.5 * RUNS], xr.Variable("width", [4, 16])).transpose("recipe", ...)
BY_WIDTH["test_loss"][{"recipe": 1, "seed": slice(2)}] = BY_WIDTH.test_loss[0, :, :2].values
HITS_BY_WIDTH = stats.success(BY_WIDTH, below=0.3)
SINGLE = RUNS.map(lambda values: values.astype(np.float32))
NEVER = stats.success(RUNS.sel(recipe=["adam"]), below=1e-9)
PAIR = ("sgd", "adam")
KINDS = stats.endings(RUNS.isel(recipe=0), HITS.isel(recipe=0))


def five_claims(level: float = 0.95) -> xr.Dataset:
    """Five claims, of which two are of pairs."""
    adam, sgd, wide = (
        partial(stats.rate, HITS.sel(recipe=name)) for name in ("adam", "sgd", "wide")
    )
    helps = partial(stats.compare, HITS, "wide", "adam")
    lower = partial(stats.improvement, RUNS, "wide", "sgd", **FEW)
    statements = [
        stats.Claim("adam usually learns it", "adam", "success", adam, stats.USUALLY),
        stats.Claim("wide networks always do", "wide", "success", wide, stats.ALWAYS),
        stats.Claim("width helps", "wide, adam", "success", helps, stats.HELPS),
        stats.Claim("width gives less error", "wide, sgd", "error", lower, stats.BETTER),
        stats.Claim("SGD never learns it", "sgd", "success", sgd, stats.NEVER),
    ]
    return stats.claims("a thread", statements, level)


def three_numbers(level: float = 0.95) -> xr.Dataset:
    """Three reported numbers among the losses of adam."""
    ends = RUNS.test_loss.isel(recipe=0, step=-1, drop=True)
    numbers = [
        stats.Reported("a post", "adam", ends, 0.2),
        stats.Reported("a paper", "adam", ends, 0.31, rounding=0.01),
        stats.Reported("a talk", "adam", ends, 100.0),
    ]
    return stats.reported("a thread", numbers, level)


TIMES = np.array([[1.0, 2, 2, 3, 9, 9, 9], [2.0, 3, 5, 5, 6, 7, 9]])
EVENTS = np.array([[1, 1, 0, 1, 0, 0, 0], [1, 0, 1, 1, 1, 1, 0]])
P_VALUES = xr.DataArray([0.001, 0.02, 0.03, 0.2, 0.9], dims="claim")
COUNTS = np.array([0, 1, 7, 10]), 10

FACTORS = {"scaling": ["raw", "z"], "optimizer": ["sgd", "adam"]}
QUARTERS = {
    ("raw", "sgd"): HITS.sel(recipe="adam"),
    ("raw", "adam"): HITS.sel(recipe="sgd"),
    ("z", "sgd"): HITS.sel(recipe="sgd"),
    ("z", "adam"): HITS.sel(recipe="wide"),
}

# ---- the statistics ------------------------------------------------------------------------------

CASES: dict[str, Callable[[], Any]] = {
    "aggregate": lambda: stats.aggregate(RUNS, **FEW),
    "aggregate, median": lambda: stats.aggregate(RUNS, statistic="median", level=0.9, worst=50.0),
    "aggregate, mean": lambda: stats.aggregate(RUNS.sel(recipe="wide"), statistic="mean", **FEW),
    "asymptote": lambda: stats.asymptote(FUNCTIONS),
    "asymptote, of a scale": lambda: stats.asymptote(FUNCTIONS, scale=2.0, tol=0.05, center=0.2),
    "below_floor": lambda: stats.below_floor(RUNS, 0.1),
    "best": lambda: stats.best(RATES),
    "best_cutoff": lambda: stats.best_cutoff(HITS),
    "best_of": lambda: stats.best_of(RUNS, tries=(1, 2, 5), **FEW),
    "best_of, median": lambda: stats.best_of(RUNS, tries=(1, 3), statistic="median", level=0.9),
    "best_of, accuracy": lambda: stats.best_of(RUNS, (1, 4), of="test_accuracy", **FEW),
    "best_seeds": lambda: stats.best_seeds(RUNS.sel(recipe="wide"), 3),
    "binomial_interval": lambda: stats.binomial_interval(*COUNTS),
    "binomial_interval, wilson": lambda: stats.binomial_interval(*COUNTS, 0.9, "wilson"),
    "boundary": lambda: stats.boundary(stats.rate(SWEPT), "learning_rate", **FEW),
    "boundary, linear": lambda: stats.boundary(
        stats.rate(SWEPT), "learning_rate", log=False, level=0.9, resamples=20, rng=3
    ),
    "claims": five_claims,
    "claims_page": lambda: stats.claims_page(five_claims(), "Five claims"),
    "claims_table": lambda: stats.claims_table(five_claims()),
    "claims_table, markdown": lambda: stats.claims_table(five_claims(), "markdown"),
    "claims_table, latex": lambda: stats.claims_table(five_claims(), "latex"),
    "compare": lambda: stats.compare(HITS, *PAIR),
    "compare, exact": lambda: stats.compare(HITS, *PAIR, when="first", interval="exact"),
    "compare, score": lambda: stats.compare(HITS, *PAIR, level=0.9, interval="score"),
    "compare_times": lambda: stats.compare_times(HITS, *PAIR),
    "compare_values": lambda: stats.compare_values(RUNS, *PAIR, **FEW),
    "compare_values, median": lambda: stats.compare_values(
        RUNS, *PAIR, statistic="median", level=0.9, worst=9.0
    ),
    "confidence_sequence": lambda: stats.confidence_sequence(*COUNTS, width=0.1),
    "crossed": lambda: stats.crossed(QUARTERS, FACTORS),
    "crossed, effects": lambda: stats.effects(stats.crossed(QUARTERS, FACTORS)),
    "decisions": lambda: stats.decisions(PLANE, above=0),
    "decisions, named inputs": lambda: stats.decisions(
        PLANE.assign_coords(input=["height", "weight"]), above=0
    ),
    "decisions, above": lambda: stats.decisions(PLANE, above=0.25),
    "discoveries": lambda: stats.discoveries(P_VALUES),
    "discoveries, by": lambda: stats.discoveries(P_VALUES, 0.1, "by"),
    "effects": lambda: stats.effects(SWEPT),
    "effects, interactions": lambda: stats.effects(SWEPT, interactions=True, level=0.9),
    "endings": lambda: KINDS,
    "endings, named": lambda: stats.endings(RUNS, HITS, {"start": 1.0}, tolerance=0.5),
    "enough": lambda: [stats.enough(5, 20), stats.enough(0, 2_000)],
    "ensemble": lambda: stats.ensemble(FUNCTIONS.isel(seed=slice(7)), (1, 2, 3), loss="squared"),
    "ensemble, of one": lambda: stats.ensemble(FUNCTIONS, (1,), loss="squared", among=1),
    "ensemble, the best": lambda: stats.ensemble(
        FUNCTIONS.isel(seed=slice(7)), (1, 2), loss="squared", among=4, statistic="median"
    ),
    "error_by_distance": lambda: stats.error_by_distance(FUNCTIONS),
    "error_by_distance, relative": lambda: stats.error_by_distance(FUNCTIONS, relative=True),
    "ert": lambda: stats.ert(HITS, **FEW),
    "ert_ratio": lambda: stats.ert_ratio(HITS, *PAIR, **FEW),
    "excess": lambda: stats.excess(RUNS, 0.1),
    "exponent": lambda: stats.exponent(RUNS.sel(recipe="wide"), "step", of="loss", **FEW),
    "failure_causes": lambda: stats.failure_causes(RUNS, 0.05, 0.3, 1.0),
    "falling": lambda: stats.falling(RUNS),
    "falling, since the start": lambda: stats.falling(RUNS, slope=0.3, since=0.1),
    "highest": lambda: stats.highest(RATES.drop_vars("recipe").assign_coords(recipe=list("abc"))),
    "improvement": lambda: stats.improvement(RUNS, *PAIR, **FEW),
    "improvement, all": lambda: stats.improvement(RUNS, *PAIR, pairs="all", level=0.9, **FEW),
    "kaplan_meier": lambda: stats.kaplan_meier(TIMES, EVENTS),
    "kaplan_meier, wilson": lambda: stats.kaplan_meier(TIMES, EVENTS, [0, 2, 8], "wilson", 0.9),
    "kaplan_meier, log-log": lambda: stats.kaplan_meier(TIMES, EVENTS, [1, 5], "log-log"),
    "kaplan_meier, linear": lambda: stats.kaplan_meier(TIMES, EVENTS, [1, 5], "linear"),
    "logrank": lambda: stats.logrank(HITS.sel(recipe="adam"), HITS.sel(recipe="wide")),
    "majority": lambda: stats.majority(KINDS),
    "mcnemar": lambda: stats.mcnemar(np.array([0, 1, 9]), np.array([0, 6, 2])),
    "mean_interval": lambda: stats.mean_interval([0.1, 0.2, 0.2, 0.9], (0, 1)),
    "order_quantiles": lambda: stats.order_quantiles(RUNS.test_loss.values[:, :, -1], 0.3),
    "pair": lambda: stats.pair(HITS, *PAIR),
    "paired_interval": lambda: stats.paired_interval(np.array([0, 4]), np.array([1, 1]), 12),
    "paired_interval, exact": lambda: stats.paired_interval(4, 1, 12, 0.9, "exact"),
    "paired_interval, score": lambda: stats.paired_interval(4, 1, 12, 0.9, "score"),
    "performance_profile": lambda: stats.performance_profile(HITS),
    "performance_profile, ratios": lambda: stats.performance_profile(HITS, (1, 3), level=0.9),
    "phase_tolerant_error": lambda: stats.phase_tolerant_error(FUNCTIONS, 0.2),
    "phase_tolerant_error, stretch": lambda: stats.phase_tolerant_error(
        FUNCTIONS, 0.1, 0.05, where="inside"
    ),
    "pick": lambda: stats.pick(RUNS),
    "pick, above": lambda: stats.pick(RUNS, "test_accuracy", above=True),
    "plan": lambda: stats.plan((0.5, 0.9), (0.05, 0.2)),
    "plateaus": lambda: stats.plateaus(RUNS, {"start": 0.9}, tolerance=0.5, least=0.1),
    "power": lambda: stats.power(50, 0.5, 0.8),
    "power, correlated": lambda: stats.power(40, 0.4, 0.6, 0.5, 0.9),
    "profile": lambda: stats.profile(RUNS, thresholds=(0.1, 0.3, 1.0)),
    "profile, of accuracies": lambda: stats.profile(
        RUNS, "test_accuracy", (0.5, 0.9), when="first", above=True, interval="wilson", level=0.9
    ),
    "profile, own thresholds": lambda: stats.profile(RUNS, floor=0.01).isel(
        threshold=slice(0, None, 25)
    ),
    "profile, of nothing finite": lambda: stats.profile(RUNS + np.inf).isel(
        threshold=slice(None, None, 20)
    ),
    "profile, of negative values": lambda: stats.profile(
        RUNS.assign(gain=-RUNS.test_loss), "gain", above=True
    ).isel(threshold=slice(0, None, 25)),
    "quantiles": lambda: stats.quantiles(RUNS, q=(0.25, 0.5)),
    "quantiles, worst": lambda: stats.quantiles(RUNS, "test_loss", (0.9,), level=0.9, worst=7.0),
    "ranking": lambda: stats.ranking(HITS),
    "rate": lambda: RATES,
    "rate, wilson": lambda: stats.rate(HITS, when="first", interval="wilson", level=0.9),
    "reading": lambda: stats.reading(HITS),
    "reading, first": lambda: stats.reading(HITS, "first"),
    "report": lambda: stats.report(RUNS, below=0.3, show=None, **FEW),
    "table": lambda: stats.table(stats.report(RUNS, below=0.3, show=None, **FEW)),
    "table, markdown": lambda: stats.table(
        stats.report(RUNS, below=0.3, show=None, **FEW), "markdown"
    ),
    "reported": three_numbers,
    "reported_table": lambda: stats.reported_table(three_numbers()),
    "restart": lambda: stats.restart(HITS, **FEW),
    "restart_gain": lambda: stats.restart_gain(HITS, **FEW),
    "restricted_mean": lambda: stats.restricted_mean(HITS),
    "restricted_mean, until": lambda: stats.restricted_mean(HITS, 50, event="settled", level=0.9),
    "running_rate": lambda: stats.running_rate(HITS, width=0.1),
    "seeds_for_power": lambda: stats.seeds_for_power(0.5, 0.8, correlation=0.3),
    "seeds_for_width": lambda: stats.seeds_for_width(np.array([0.1, 0.5]), 0.1, 0.9),
    "shares": lambda: stats.shares(KINDS, interval="wilson", level=0.9),
    "success": lambda: HITS,
    "success, above": lambda: stats.success(RUNS, above=0.8, of="test_accuracy"),
    "surface": lambda: stats.surface(PLANE),
    "survival": lambda: stats.survival(HITS),
    "survival, log-log": lambda: stats.survival(HITS, event="settled", band="log-log", level=0.9),
    "symmetry": lambda: stats.symmetry(FUNCTIONS),
    "symmetry, odd": lambda: stats.symmetry(FUNCTIONS, "odd", 0.0),
    "time_quantiles": lambda: stats.time_quantiles(HITS, (0.25, 0.5)),
    "time_to_success": lambda: stats.time_to_success(HITS),
    "time_to_success, settled": lambda: stats.time_to_success(HITS, "settled"),
    "tries_needed": lambda: stats.tries_needed(HITS, 0.9),
    "variance_components": lambda: stats.variance_components(CROSSED, resamples=200),
    "variance_components, ranks": lambda: stats.variance_components(
        CROSSED, scale="rank", level=0.9, resamples=200, rng=1
    ),
    "aggregate, by width": lambda: stats.aggregate(BY_WIDTH, **FEW),
    "best, without names": lambda: stats.best(RATES.drop_vars("recipe")),
    "best_cutoff, by width": lambda: stats.best_cutoff(HITS_BY_WIDTH),
    "best_of, by width": lambda: stats.best_of(BY_WIDTH, (1, 3), **FEW),
    "best_seeds, all": lambda: stats.best_seeds(RUNS.sel(recipe="wide"), SEEDS),
    "claims, at another level": lambda: five_claims(0.9),
    "compare, by width": lambda: stats.compare(HITS_BY_WIDTH, *PAIR),
    "compare_times, by width": lambda: stats.compare_times(HITS_BY_WIDTH, *PAIR, event="settled"),
    "compare_values, by width": lambda: stats.compare_values(BY_WIDTH, *PAIR, **FEW, rng=1),
    "endings, by width": lambda: stats.endings(BY_WIDTH, HITS_BY_WIDTH, of="test_loss"),
    "ert, by width": lambda: stats.ert(HITS_BY_WIDTH, level=0.9, **FEW, rng=1),
    "ert, never": lambda: stats.ert(NEVER, **FEW),
    "ert_ratio, by width": lambda: stats.ert_ratio(HITS_BY_WIDTH, *PAIR, level=0.9, **FEW),
    "exponent, by width": lambda: stats.exponent(BY_WIDTH, "step", statistic="mean", **FEW),
    "improvement, by width": lambda: stats.improvement(BY_WIDTH, *PAIR, **FEW, rng=1),
    "improvement, all by width": lambda: stats.improvement(BY_WIDTH, *PAIR, pairs="all", **FEW),
    "kaplan_meier, one curve": lambda: stats.kaplan_meier(TIMES[0], EVENTS[0], level=0.9),
    "logrank, by width": lambda: stats.logrank(
        HITS_BY_WIDTH.sel(recipe="adam"), HITS_BY_WIDTH.sel(recipe="sgd"), "settled"
    ),
    "majority, by width": lambda: stats.majority(stats.endings(BY_WIDTH, HITS_BY_WIDTH), level=0.5),
    "mean_interval, in steps": lambda: stats.mean_interval([[1, 2], [3, 5]], (0, 5), 0.9, 1.0),
    "order_quantiles, three axes": lambda: stats.order_quantiles(
        BY_WIDTH.test_loss.values[..., -1], [0.1, 0.5, 0.98]
    ),
    "performance_profile, by width": lambda: stats.performance_profile(HITS_BY_WIDTH, (1, 2)),
    "phase_tolerant_error, two": lambda: stats.phase_tolerant_error(
        xr.concat([FUNCTIONS, FUNCTIONS], "recipe"), 0.1
    ),
    "pick, by width": lambda: stats.pick(BY_WIDTH),
    "power, of nothing": lambda: [stats.power(20, 0.3, 0.0), stats.power(20, 1.0, 0.6)],
    "quantiles, by width": lambda: stats.quantiles(BY_WIDTH, "test_loss", (0.02, 0.9)),
    "ranking, first": lambda: stats.ranking(HITS, when="first", level=0.9),
    "ranking, by width": lambda: stats.ranking(HITS_BY_WIDTH, level=0.9),
    "rate, never": lambda: stats.rate(NEVER),
    "report, of one record": lambda: stats.report(
        RUNS.isel(step=-1, drop=True), below=0.3, show=None, **FEW
    ),
    "report, by width": lambda: stats.report(BY_WIDTH, above=0.1, level=0.9, show=None, **FEW),
    "reported, at another level": lambda: three_numbers(0.8),
    "restart, by width": lambda: stats.restart(HITS_BY_WIDTH, level=0.9, **FEW),
    "restart, never": lambda: stats.restart(NEVER, **FEW),
    "restart_gain, by width": lambda: stats.restart_gain(HITS_BY_WIDTH, level=0.9, **FEW),
    "restart_gain, never": lambda: stats.restart_gain(NEVER, **FEW),
    "restricted_mean, by width": lambda: stats.restricted_mean(HITS_BY_WIDTH),
    "restricted_mean, never": lambda: stats.restricted_mean(NEVER),
    "running_rate, by width": lambda: stats.running_rate(HITS_BY_WIDTH, "first", 0.9),
    "shares, by width": lambda: stats.shares(stats.endings(BY_WIDTH, HITS_BY_WIDTH)),
    "success, single precision": lambda: stats.success(SINGLE, below=0.3),
    "survival, by width": lambda: stats.survival(HITS_BY_WIDTH, band="wilson"),
    "survival, never": lambda: stats.survival(NEVER),
    "table, by width": lambda: stats.table(
        stats.report(BY_WIDTH, below=0.3, show=None, **FEW), "latex"
    ),
    "time_quantiles, by width": lambda: stats.time_quantiles(HITS_BY_WIDTH, level=0.9),
    "time_quantiles, never": lambda: stats.time_quantiles(NEVER),
    "tries_needed, by width": lambda: stats.tries_needed(HITS_BY_WIDTH, when="first", level=0.9),
    "variance_components, as they are": lambda: stats.variance_components(
        CROSSED, over=("init_seed", "data_seed"), scale="linear", resamples=100
    ),
    "verdict": lambda: [stats.verdict(0.6, 0.7, stats.USUALLY), stats.verdict(0.4, 0.7, (0.5, 1))],
}


# ---- how they are written ------------------------------------------------------------------------


def labelled(value: Any) -> Any:
    """A result of xarray as a dictionary."""
    if isinstance(value, xr.DataArray):
        return labelled(value.to_dataset(name=value.name or "values")) | {"name": value.name}
    if isinstance(value, xr.Variable):
        return {"dims": list(value.dims), "kind": value.dtype.kind, "values": value.values}
    if isinstance(value, xr.Dataset):
        return {
            "coords": {name: labelled(each.variable) for name, each in value.coords.items()},
            "variables": {name: labelled(each.variable) for name, each in value.items()},
            "attrs": value.attrs,
        }
    return value


def plain(value: Any) -> Any:
    """A result as lists, dictionaries, words and numbers of nine digits.

    What is not finite is a word.
    """
    value = labelled(value)
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if not isinstance(value, float):
        return value
    if not np.isfinite(value):
        return str(value)
    return float(f"{value:.9g}")


def arguments_of(function: Callable) -> dict[str, str]:
    """The arguments of a function that may be left out, and what they are then."""
    parameters = inspect.signature(function).parameters.values()
    return {one.name: repr(one.default) for one in parameters if one.default is not one.empty}


def defaults() -> dict[str, dict[str, Any]]:
    """What is taken where nothing is said, by statistics, optimisers, schedules and rules."""
    functions = {name: getattr(stats, name) for name in stats.__all__}
    arguments = {name: arguments_of(one) for name, one in functions.items() if callable(one)}
    numbers = {}
    for name in optimizers.KNOWN:
        numbers[name] = {"learning_rate": optimizers.default_rate(name)} | optimizers.defaults(name)
    classes = {}
    for module in (schedules, stops):
        for name in module.__all__:
            if callable(one := getattr(module, name)):
                classes[name] = arguments_of(one)
    return {"statistics": arguments, "optimizers": numbers, "schedules and rules": classes}


def main() -> None:
    """Write what every statistic gives now, and what is taken where nothing is said."""
    DEFAULTS.write_text(json.dumps(defaults(), indent=1) + "\n")
    lines = [f"{json.dumps(name)}: {json.dumps(plain(case()))}" for name, case in CASES.items()]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(lines)} results of approx {ap.__version__}, {RECORDED.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
