"""Promise: the experiments on tasks of the catalogue judge what they say, and their figures can be
drawn; their committed verdicts are those of their committed rates.
"""

import jax
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scripts import ROOT, script

import approx as ap

SUMMARIES = ROOT / "experiments" / "summaries"
NAMES = (
    "spirals",
    "decay",
    "product",
    "parity",
    "spectral_bias",
    "kan",
    "arithmetic",
    "modular",
)
# The quick looks of these compile longer than they train; unoptimised they take half the time
COMPILED_FOR_LONG = ("spirals", "decay", "product", "parity")


def test_a_solution_fails_by_its_start_or_by_its_curve():
    """Six known functions: the solution, a wrong amplitude, a bump, and one that diverged."""
    decay = script("experiments", "decay")
    t = np.linspace(0, 5, 11)
    right = np.exp(-t)
    functions = [right, 0.5 * right, right + 0.02 * np.sin(t), right + 5e-3 * t, right + np.nan]
    functions.append(right + 5e-4)
    runs = xr.Dataset(
        {"prediction": (("seed", "point", "output"), np.stack(functions)[..., None])},
        {"y_test": (("point", "output"), right[:, None]), "seed": np.arange(6)},
    )
    found = decay.errors(runs)
    bump = 0.02 * abs(np.sin(t)).max()
    np.testing.assert_allclose(found.largest, [0, 0.5, bump, 0.025, np.inf, 5e-4], atol=1e-12)
    became = ["right", "start wrong", "curve wrong", "curve wrong", "start wrong", "right"]
    assert decay.kinds(runs).values.tolist() == became
    close = [True, False, False, False, False, True]
    for most in (decay.CLOSE, decay.CLOSER):
        assert decay.hits(runs, most).hit.values.tolist() == close


def test_components_are_those_of_a_known_sum():
    """Re(c e^(iπkx)) of c = 2 - i is 2 cos(πkx) + sin(πkx); a constant is no component."""
    spectral = script("experiments", "spectral_bias")
    x = np.linspace(-1, 1, 129)
    slow, fast = spectral.PERIODS[[0, -1]]
    f = 3 + 2 * np.cos(np.pi * slow * x) + np.sin(np.pi * slow * x) - np.sin(np.pi * fast * x)
    found = spectral.components(x, np.stack([f, 2 * f]))
    expected = np.array([2 - 1j, 0, 0, 1j])
    np.testing.assert_allclose(found, [expected, 2 * expected], atol=1e-12)


def test_a_sine_is_learned_while_its_component_is_near():
    spectral = script("experiments", "spectral_bias")
    x = np.linspace(-1, 1, 129)[:, None]
    y = np.sin(np.pi * x * spectral.PERIODS + [0.1, 2, -1, 4]).sum(1, keepdims=True)
    without = np.zeros_like(y)
    outputs = np.stack([without, 0.85 * y, 1.15 * y, 0.7 * y])[None, None]
    runs = xr.Dataset(
        {"prediction": (("recipe", "seed", "kept_step", "point", "output"), outputs)},
        {
            "x_test": (("point", "input"), x),
            "y_test": (("point", "output"), y),
            "recipe": ["relu"],
            "seed": [0],
            "step": [0, 1, 2, 3],
            "kept_step": [0, 1, 2, 3],
        },
    )
    hits = spectral.learned(runs)
    for periods in spectral.PERIODS:
        assert hits.hit.sel(periods=periods).values.ravel().tolist() == [False, True, True, False]
    assert (spectral.times(hits).time.values == 1).all()


def test_rows_of_parity_are_shown_or_kept():
    parity = script("experiments", "parity")
    task = parity.three_quarters(6)
    assert (len(task.x), len(task.x_test)) == (48, 16)
    rows = np.concatenate([task.x, task.x_test])
    assert len(np.unique(rows, axis=0)) == 64
    odd = (rows > 0).sum(1) % 2
    assert np.concatenate([task.y, task.y_test])[:, 0].tolist() == odd.tolist()


def test_right_arithmetic_extrapolates_and_an_error_of_two_percent_does_not():
    arithmetic = script("experiments", "arithmetic")
    task = arithmetic.task("div")
    x, y = np.asarray(task.x_test), np.asarray(task.y_test)[:, 0]
    np.testing.assert_allclose(y, (x[:, 0] + x[:, 1]) / x.sum(1), rtol=1e-6)
    beyond = np.asarray(task.distance) > 0
    assert beyond.tolist() == [False] * arithmetic.TESTED + [True] * arithmetic.TESTED
    errors = y[beyond].var() * np.array([0.005, 0.02]) ** 2
    runs = xr.Dataset(
        {"outside_loss": (("recipe", "seed", "step"), errors[None, :, None])},
        {
            "recipe": ["NAU"],
            "step": [5],
            "distance": ("point", np.asarray(task.distance)),
            "y_test": (("point", "output"), np.asarray(task.y_test)),
        },
    )
    hits = arithmetic.extrapolates(runs, "NAU").hit
    assert hits.values.ravel().tolist() == [True, False]


def test_the_kan_and_the_mlps_have_as_many_parameters():
    networks = script("experiments", "kan").NETWORKS
    counts = {}
    for name, model in networks.items():
        shapes = jax.eval_shape(model.init, jax.random.key(0), np.zeros((1, 2), np.float32))
        counts[name] = sum(leaf.size for leaf in jax.tree.leaves(shapes))
    assert counts == {"KAN": 150, "MLP 37": 149, "MLP 10-10": 151}


def test_equal_time_is_the_last_record_within_the_time_of_the_kan():
    """A step of the KAN takes 3.5 times as long, so that its 2,000 steps are 7,000 of the MLP."""
    kan = script("experiments", "kan")
    runs = {}
    for function in kan.FUNCTIONS:
        for network, microseconds in {"KAN": 3.5, "MLP 37": 1.0}.items():
            steps = np.array([0, 2_000])
            if network != "KAN":
                steps = np.array([0, 2_000, 6_000, 8_000])
            coords, attrs = {"step": steps}, {"microseconds": microseconds}
            runs[kan.labelled(function, network)] = xr.Dataset(coords=coords, attrs=attrs)
    assert kan.equal_time(runs, "MLP 37") == 6_000
    assert kan.until(runs, "formula", "MLP 37", "steps").step.values[-1] == 2_000
    assert kan.until(runs, "formula", "MLP 37", "time").step.values[-1] == 6_000


def test_the_other_sums_are_known_late_or_at_once():
    """Three seeds: known with the shown ones, known three times later, and never."""
    modular = script("experiments", "modular")
    shown = np.array([[0, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1]], float)
    others = np.array([[0, 1, 1, 1], [0, 0, 0.5, 0.95], [0, 0.1, 0.2, 0.3]])
    dims = ("seed", "step")
    runs = xr.Dataset(
        {"accuracy": (dims, shown), "test_accuracy": (dims, others)},
        {"seed": [0, 1, 2], "step": [0, 10, 20, 30]},
    )
    assert modular.times(modular.knows(runs)).values.tolist() == [10, 30, np.inf]
    assert modular.late(runs).hit.values.tolist() == [False, True, False]
    assert modular.ever(modular.knows(runs)).hit.values.tolist() == [True, True, False]


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_verdicts_are_those_of_the_committed_rates(name):
    """Verdicts follow from their intervals, and each claim about one rate has that of its line."""
    verdicts = pd.read_csv(SUMMARIES / f"{name}_verdicts.csv")
    rates = pd.read_csv(SUMMARIES / f"{name}_rates.csv")
    assert (rates.n == 128).all()
    for line in verdicts.itertuples():
        said = ap.stats.verdict(line.low_all, line.high_all, (line.holds_from, line.holds_to))
        assert line.verdict == said, line.claim
        assert line.n == 0 or line.low_all <= line.effect <= line.high_all
    shown = set(
        rates.filter(regex="^(rate|close|closer|fitted|between|outside|knows)$").to_numpy().ravel()
    )
    of_all = verdicts[(verdicts.n == 128) & verdicts.holds_from.isin([0.5, 0.95, 0.0])]
    alone = [effect for effect in of_all.effect if effect in shown]
    assert len(alone) >= {"kan": 1}.get(name, 2)  # whose other claims are on pairs


@pytest.mark.slow  # from three to thirty programs each
@pytest.mark.parametrize("name", NAMES)
def test_a_quick_look_is_trained_judged_and_drawn(name, request, tmp_path, capsys):
    if name in COMPILED_FOR_LONG:
        request.getfixturevalue("soon")
    experiment = script("experiments", name)
    experiment.main(results=tmp_path, quick=True)
    assert "not the experiment" in capsys.readouterr().out
    quick = tmp_path / "quick"
    rates = pd.read_csv(quick / f"{name}_rates.csv")
    assert (rates.n == 8).all()
    verdicts = pd.read_csv(quick / f"{name}_verdicts.csv")
    assert set(verdicts.verdict) <= {"supported", "undecided", "contradicted"}
    script("figures", name).main(results=tmp_path, quick=True)
    assert {path.suffix for path in quick.glob(f"{name}.p*")} == {".pdf", ".png"}
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")} == {"quick"}
