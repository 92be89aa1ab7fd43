"""Promise: lanes are the same trainings as plain vmap: step by step for ten steps, in distribution
afterwards.
"""

import json
from dataclasses import replace
from itertools import batched

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
import xarray as xr
from conftest import QUICK

import approx as ap
from approx.numerics import products
from approx.sweep import choice, facts, layouts, processors, programs

SQUARE = ap.tasks.square(range=1.0)
NOISY = ap.tasks.sine(range=1.0, size=24, noise=0.1)
DRAWN = ap.tasks.square(range=1.0, size=40, inputs="uniform", validation=0.2)
LABELS = ap.given(
    np.linspace(-1, 1, 30), np.repeat([0, 1, 2], 10), loss="cross_entropy", validation=0.1
)
SIDES = ap.given(np.linspace(-1, 1, 30), np.linspace(-1, 1, 30) > 0.2, loss="binary_cross_entropy")
TWO = ap.given(
    np.random.default_rng(0).normal(size=(12, 2)), np.random.default_rng(1).normal(size=(12, 3))
)
RECIPE = ap.Recipe(model=ap.MLP((5, 4)), learning_rate=0.02, steps=10, records=11)


def model(**options):
    return replace(RECIPE, model=replace(RECIPE.model, **options))


def of_activations(names):
    """A network with a layer of each."""
    # With larger weights every layer of every seed moves, also below a threshold
    return replace(RECIPE, model=ap.MLP((4,) * len(names), list(names), init_scale=2.0))


SMALL = replace(RECIPE, model=ap.MLP((3,)))
CASES = {
    **{
        f"activations {' '.join(names)}": (SQUARE, of_activations(names))
        for names in batched(ap.models.ACTIVATIONS, 3)
    },
    **{
        f"optimizer {name}": (SQUARE, replace(SMALL, optimizer=name))
        for name in ap.optimizers.OPTIMIZERS
    },
    **{
        f"batches {kind} {size}": (SQUARE, replace(RECIPE, batches=kind, batch_size=size))
        for kind, size in (("epoch", 7), ("epoch", 8), ("order", 8), ("replacement", 5))
    },
    "batches of many rows": (ap.tasks.sine(range=1.0, size=40), replace(RECIPE, batch_size=16)),
    "stream": (DRAWN, replace(RECIPE, batches="stream", batch_size=6)),
    "drawn rows in batches": (DRAWN, replace(RECIPE, batch_size=6)),
    "noise": (NOISY, RECIPE),
    "labels": (LABELS, replace(model(outputs=3), batch_size=8)),
    "sides": (SIDES, replace(RECIPE, batch_size=8)),
    "half squared error": (replace(SQUARE, loss="half_squared_error"), RECIPE),
    "two inputs, three outputs": (TWO, replace(model(outputs=3), batch_size=5)),
    "dropout": (SQUARE, replace(model(dropout=0.3), batch_size=8)),
    "labels, dropout, l2 on hidden, batches of an epoch": (
        LABELS,
        replace(
            model(outputs=3, dropout=0.3), batches="epoch", batch_size=8, l2=0.1, l2_on="hidden"
        ),
    ),
    "l2": (SQUARE, replace(RECIPE, l2=0.1)),
    "l2 on hidden": (SQUARE, replace(RECIPE, l2=0.1, l2_on="hidden")),
    "l2 on all": (SQUARE, replace(RECIPE, l2=0.1, l2_on="all")),
    "no biases": (SQUARE, model(bias=False)),
    "linear": (SQUARE, replace(RECIPE, model=ap.MLP(()))),
    "schedule": (SQUARE, replace(RECIPE, schedule="cosine")),
    "snake's a": (SQUARE, model(activation="snake", a=2.0)),
    "several activations, softmax, rates of dropout": (
        TWO,
        model(
            activation=["elu", ap.models.activation("leaky_relu", slope=0.3)],
            output_activation="softmax",
            outputs=3,
            dropout=(0.2, 0.1),
            initializer=["lecun_normal", ("he", "normal"), "sklearn"],
        ),
    ),
    "frequency": (SQUARE, model(activation="sin", frequency=3.0, initializer="siren")),
}


ALWAYS = "labels, dropout, l2 on hidden, batches of an epoch"


def is_optimised(case):
    """Whether lanes are compiled as users have them. Optimisers differ in their formulas only."""
    return not case.startswith("optimizer") or case in ("optimizer adam", "optimizer lbfgs_torch")


@pytest.mark.parametrize(
    ("case", "optimised"),
    [
        (ALWAYS, False),
        *(pytest.param(case, is_optimised(case), marks=pytest.mark.slow) for case in CASES),
    ],
)
def test_ten_steps_as_with_vmap(case, optimised):
    """In the slow tests most lanes are as users have them; the quick one sees the formulas."""
    task, recipe = CASES[case]
    assert layouts.possible(facts.find(task, recipe))
    options = {
        "seeds": 5,
        "lanes": 8,
        "progress": False,
        "keep": ("prediction", "params", "gradient_norm", "weight_norm"),
    }
    # Parameters show every gradient; the other cases keep what is computed beside them
    if case.startswith(("optimizer", "activations", "batches")):
        options["keep"] = ("params",)
    plain = ap.run(task, recipe, form="vmap", compiler_options=QUICK, **options)
    assert np.isfinite(plain.loss).all()
    of_lanes = None if optimised else QUICK
    fast = ap.run(task, recipe, form="lanes", compiler_options=of_lanes, **options)
    assert set(plain.data_vars) == set(fast.data_vars)
    for name in plain.data_vars:
        a, b = plain[name].values, fast[name].values
        # float32, ten steps, sums in another order; RMSprop and Adam divide by small roots. A wrong
        # row, mask or weight is off by percents.
        np.testing.assert_allclose(b, a, rtol=2e-3, atol=2e-4 * np.nanmax(np.abs(a)), err_msg=name)


COLUMNS = {
    "activations, l2, Adam": (
        SQUARE,
        replace(model(activation="snake", a=2.0), optimizer="adam", l2=0.1),
    ),
    "labels": (LABELS, model(outputs=3)),
    "sides": (SIDES, RECIPE),
    "noise": (NOISY, replace(RECIPE, schedule="cosine")),
    "two inputs, three outputs": (TWO, model(outputs=3)),
    "no biases": (TWO, model(outputs=3, bias=False)),
    "linear, half squared error": (
        replace(TWO, loss="half_squared_error"),
        replace(RECIPE, model=ap.MLP((), outputs=3)),
    ),
}


@pytest.mark.parametrize(
    "case", [c if c == "labels" else pytest.param(c, marks=pytest.mark.slow) for c in COLUMNS]
)
def test_ten_steps_of_columns_as_with_vmap(case):
    task, recipe = COLUMNS[case]
    kept = ("prediction", "params", "gradient_norm", "weight_norm")
    options = {"seeds": 9, "lanes": 8, "progress": False, "keep": kept, "compiler_options": QUICK}
    plain, fast = (ap.run(task, recipe, form=form, **options) for form in ("vmap", "columns"))
    for name in plain.data_vars:
        a, b = plain[name].values, fast[name].values  # in another order, as above
        np.testing.assert_allclose(b, a, rtol=2e-3, atol=2e-4 * np.nanmax(np.abs(a)), err_msg=name)
    assert '"form": "columns"' in fast.provenance
    cut = ap.run(task, recipe, form="columns", segment=3, **(options | {"seeds": [3, 1]}))
    xr.testing.assert_equal(cut, fast.sel(seed=[3, 1]))


def test_lanes_of_columns_fill_the_vectors_of_a_processor(monkeypatch):
    for vectors, lanes in (("avx2", 8), ("avx512f", 4), ("", 4)):
        monkeypatch.setattr(processors, "processor", lambda vectors=vectors: f"one {vectors}")
        assert choice.lanes_of_form("columns", 4, said=False) == lanes
        assert choice.lanes_of_form("vmap", 4, said=False) == 4
        assert choice.lanes_of_form("columns", 16, said=True) == 16
        assert choice.lanes_of_form("columns", 1, said=True) == 1
    monkeypatch.setattr(processors, "processor", lambda: "one avx2")
    with pytest.warns(UserWarning, match="lanes is 4: .* take 8 lanes"):
        assert choice.lanes_of_form("columns", 4, said=True) == 4


def test_one_network_of_inputs_with_a_last_axis():
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(4, 3, 5)), rng.normal(size=(3, 2)), rng.normal(size=2)
    found = ap.models.affine({"w": w, "b": b}, jax.numpy.asarray(x))
    np.testing.assert_allclose(found, np.einsum("nis,io->nos", x, w) + b[:, None], rtol=1e-5)


def test_columns_where_they_are_faster_and_can_be():
    wide = replace(RECIPE, model=ap.MLP((40, 40)))
    many = ap.tasks.square(range=1.0, size=64)
    assert choice.choose_form(None, facts.find(many, wide), 8) == "columns"
    for task, recipe in ((many, replace(wide, batch_size=32)), (SQUARE, wide)):
        assert choice.choose_form(None, facts.find(task, recipe), 8) == "vmap"
    for recipe in (
        model(dropout=0.1),
        replace(RECIPE, batch_size=4),
        replace(RECIPE, optimizer="bfgs", learning_rate=None),
    ):
        assert not layouts.columns_possible(facts.find(SQUARE, recipe))
        with pytest.raises(ValueError, match='use form="vmap"'):
            ap.run(SQUARE, recipe, seeds=2, form="columns", progress=False)


@pytest.mark.slow  # test_with_a_grid_around_it keeps the same of them to the bit
def test_swept_numbers_reach_every_lane(quiet):
    grid = {
        "range": [1.0, 2.0],
        "learning_rate": [0.01, 0.1],
        "init_scale": [0.5, 1.0],
        "l2": [0.0, 0.1],
    }
    recipe = replace(RECIPE, steps=5, records=6)
    plain = ap.run(SQUARE, recipe, seeds=2, form="vmap", **grid, **quiet)
    fast = ap.run(SQUARE, recipe, seeds=2, form="lanes", **grid, **quiet)
    np.testing.assert_allclose(fast.loss, plain.loss, rtol=1e-4)
    np.testing.assert_allclose(fast.prediction, plain.prediction, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_the_same_distribution_after_chaos_has_set_in():
    task, recipe = (
        ap.tasks.square(),
        ap.Recipe(optimizer="sgd", learning_rate=1e-3, steps=2000, records=2),
    )
    final = [
        ap.run(task, recipe, seeds=256, form=form, keep=(), progress=False).loss.isel(step=-1)
        for form in ("vmap", "lanes")
    ]
    assert (final[0] != final[1]).any()
    # Fixed seeds: the p-value is a number, not a chance. Paired starts make the samples closer than
    # independent ones.
    assert scipy.stats.ks_2samp(*final).pvalue > 0.05


@pytest.mark.slow
def test_metrics_and_kept_steps(quiet):
    metrics = {"at_zero": lambda params, predict: predict(np.zeros((1, 1), np.float32))[0, 0]}
    recipe = replace(RECIPE, records=(0, 3, 10))
    options = {"seeds": 3, "metrics": metrics, "keep_at": (3, 10)} | quiet
    plain, fast = (ap.run(SQUARE, recipe, form=form, **options) for form in ("vmap", "lanes"))
    np.testing.assert_allclose(fast.at_zero, plain.at_zero, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(fast.prediction, plain.prediction, rtol=1e-4, atol=1e-5)
    assert fast.prediction.dims == ("seed", "kept_step", "point", "output")


def own_loss(outputs, targets):
    return abs(outputs - targets)[:, 0]


def sorting_loss(outputs, targets):
    return jnp.sort(outputs - targets, axis=1)[:, 0] ** 2


def close(outputs, targets):
    return abs(outputs - targets).max(1) < 0.1


@pytest.mark.parametrize(
    ("task", "recipe"),
    [
        (
            replace(SQUARE, loss=own_loss, correct=close),
            model(widths=(5,), activation=jax.nn.silu),
        ),
        pytest.param(
            replace(SQUARE, loss=sorting_loss),
            replace(RECIPE, batch_size=5),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["loss, accuracy and activation", "a loss that sorts"],
)
def test_a_users_own_functions_go_in_lanes_as_with_vmap(task, recipe, quiet):
    recipe = replace(recipe, steps=5, records=6)
    plain, fast = (ap.run(task, recipe, seeds=2, form=form, **quiet) for form in ("vmap", "lanes"))
    np.testing.assert_allclose(fast.loss, plain.loss, rtol=1e-4)
    np.testing.assert_allclose(fast.prediction, plain.prediction, rtol=1e-3, atol=1e-4)
    if "accuracy" in plain:
        np.testing.assert_array_equal(fast.accuracy, plain.accuracy)


def test_functions_that_move_the_axis_of_networks_take_vmap_and_it_is_said(quiet, capsys):
    quick = [(replace(SQUARE, loss=own_loss), RECIPE), (SQUARE, model(activation=jax.nn.silu))]
    for task, recipe in quick:
        found = facts.find(task, recipe)
        assert not found.obstacle
        assert choice.choose_form(None, found, 64) == "lanes"
    slow = facts.find(replace(SQUARE, loss=sorting_loss), RECIPE)
    assert slow.obstacle == "the loss uses sort"
    assert choice.choose_form(None, slow, 64) == "vmap"
    few = ap.Recipe(model=ap.MLP(()), steps=2)
    ap.run(slow.task, few, seeds=2, **quiet | {"progress": True})
    assert "(the loss uses sort, so the networks take the form vmap;" in capsys.readouterr().err


def test_a_users_own_model_gets_vmap(quiet):
    pair = replace(RECIPE, model=(RECIPE.model.init, RECIPE.model.apply))
    assert not layouts.possible(facts.find(SQUARE, pair))
    with pytest.raises(ValueError, match='form="lanes" needs an MLP'):
        ap.run(SQUARE, pair, seeds=1, form="lanes", **quiet)
    with pytest.raises(ValueError, match="unknown form 'dots'; there is: vmap, columns, lanes"):
        ap.run(SQUARE, RECIPE, form="dots")


def test_layers_of_more_units_than_lanes_are_good_for_get_vmap():
    def suit(outputs, inputs, widths=(3,)):
        return layouts.suits(replace(RECIPE, model=ap.MLP(widths, outputs=outputs)), 64, inputs)

    assert suit(32, 1)
    assert suit(1, 32)
    assert suit(1, 1, (32, 32))
    assert suit(1, 1, (100,))  # few products
    assert not suit(33, 1)
    assert not suit(1, 33)
    assert not suit(1, 1, (33, 33))
    assert not suit(1, 1, (501,))
    assert not layouts.suits(model(outputs=32), 7, 1)  # lanes


def test_data_shared_by_all_lanes_are_stored_once():
    shown = products.last(
        lambda seed, x: (seed * 2.0, {"x": x}, np.ones((3, 2))), np.arange(4.0), np.zeros((4, 5))
    )
    assert shown[0].shape == (4,)
    assert shown[1]["x"].shape == (5, 4)
    assert shown[2].shape == (3, 2, 1)


@pytest.mark.slow
def test_compiler_options_are_recorded_and_dropped_where_unknown():
    options = programs.accepted({"xla_cpu_prefer_vector_width": 512, "xla_of_another_version": 1})
    assert options == {"xla_cpu_prefer_vector_width": 512}
    source = json.loads(
        ap.run(SQUARE, RECIPE, seeds=2, lanes=8, form="lanes", progress=False).provenance
    )
    assert source["compiler_options"]["advance"] == programs.accepted(layouts.OPTIONS["lanes"])


@pytest.mark.parametrize("shape", [(7,), (7, 1), (7, 3), (7, 2, 3)], ids=str)
@pytest.mark.parametrize("most", [products.MOST_NUMBERED, 1], ids=["counted", "too many to count"])
def test_rows_are_those_of_their_numbers(monkeypatch, shape, most):
    """Of rows that all networks share, and of rows that each network has for itself."""
    monkeypatch.setattr(products, "MOST_NUMBERED", most)
    rng = np.random.default_rng(0)
    index = jnp.asarray(rng.integers(0, 7, (4, 5)), jnp.int32)
    shared, own = rng.normal(size=(*shape, 1)), rng.normal(size=(*shape, 5))
    for values in (shared, own):
        found = np.asarray(products.take(jnp.asarray(values), index))
        for network in range(5):
            its_values = values[..., network % values.shape[-1]]
            expected = its_values[np.asarray(index)[:, network]]
            np.testing.assert_array_equal(found[..., network], expected.astype(np.float32))
