"""Promise: everything in the catalogue works, alone and together, with one compilation for equal
recipes.
"""

import subprocess
import sys
from dataclasses import dataclass, field, replace
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import QUICK
from scripts import ROOT

import approx as ap
from approx.sweep import blocks

STEPS = 60
quick = partial(jax.jit, compiler_options=QUICK)
train = quick(ap.train)
LABELS = ap.given(np.linspace(-1, 1, 30), np.repeat([0, 1, 2], 10), loss="cross_entropy")
SIDES = ap.given(np.linspace(-1, 1, 30), np.linspace(-1, 1, 30) > 0.2, loss="binary_cross_entropy")
SMALL = ap.tasks.square(range=1.0)
PRODUCT = ap.task(lambda x: x[:, :1] * x[:, 1:], np.random.default_rng(0).uniform(-1, 1, (20, 2)))
TASKS = {
    "square": SMALL,
    "square drawn": ap.tasks.square(range=1.0, size=40, inputs="uniform", validation=0.2),
    "sine": ap.tasks.sine(range=1.0, size=32, noise=0.1),
    "function": ap.task(
        lambda x: np.maximum(0, 1 - abs(x)), np.linspace(-2, 2, 41), np.linspace(-4, 4, 101)
    ),
    "two inputs": PRODUCT,
    "half": replace(SMALL, loss="half_squared_error"),
    "own loss of two inputs": replace(
        PRODUCT,
        loss=lambda f, y: jnp.abs(f - y).sum(1),
        correct=lambda f, y: jnp.abs(f - y)[:, 0] < 0.1,
    ),
    "labels": LABELS,
    "sides": SIDES,
    "equation": ap.tasks.decay(size=21),
}


# A recipe, and what is kept of it, whose program several tests share
DESCENT = ap.Recipe(model=ap.MLP((4,)), optimizer="sgd", steps=20, records=(0, 10, 20))
KEPT = {"keep": ("params",), "keep_at": (10,)}


class Told(nn.Module):
    """Dropout by flax's commonest signature."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(1)(nn.Dropout(0.9, deterministic=not train)(nn.tanh(nn.Dense(6)(x))))


class Flax(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.Dropout(0.1, deterministic=not self.has_rng("dropout"))(nn.tanh(nn.Dense(6)(x)))
        return nn.Dense(1)(x)


def pair_init(key, x):
    return {"w": jax.random.normal(key, (x.shape[1], 1))}


def pair_apply(params, x):
    return jnp.sin(x @ params["w"])


def losses(task, recipe, seed=3):
    return np.asarray(train(jax.random.key(seed), task, recipe).loss)


def falls(values):
    return np.isfinite(values).all() and values[-1] < 0.9 * values[0]


# The whole catalogue in as few programs as it has optimisers: task, activation, optimiser, batches
TOGETHER = [
    ("square", "tanh", "sgd", ("epoch", 8)),
    ("square drawn", "gaussian", "rmsprop", ("stream", 7)),
    ("sine", "sin", "momentum", ("order", 7)),
    ("function", "relu", "nesterov", None),
    ("two inputs", "square", "rmsprop_keras", ("epoch", 20)),
    ("half", "snake", "adam", ("once", 7)),
    ("own loss of two inputs", "gelu", "adamw", ("replacement", 7)),
    ("labels", "sigmoid", "adam_keras", None),
    ("sides", "xla_tanh", "adamw_keras", None),
    ("equation", "tanh", "adam", ("epoch", 8)),
    ("square", "linear", optax.lion, None),
    ("function", "tanh", optax.adabelief, None),
]


def test_the_table_holds_the_whole_catalogue():
    tasks, activations, optimizers, batches = (set(names) for names in zip(*TOGETHER, strict=True))
    assert tasks == set(TASKS)
    assert activations <= set(ap.models.ACTIVATIONS)
    assert {name for name in optimizers if isinstance(name, str)} < set(ap.optimizers.OPTIMIZERS)
    kinds = {pair[0] for pair in batches if pair is not None}
    assert kinds == set(ap.sampling.KINDS)


# Tasks whose losses, metrics and batches differ; the optimisers and activations of the others are
# compared with numpy elsewhere
ALWAYS = ("square drawn", "sine", "own loss of two inputs", "labels")


@pytest.mark.parametrize(
    ("name", "activation", "optimizer", "batches"),
    [
        case if case[0] in ALWAYS else pytest.param(*case, marks=pytest.mark.slow)
        for case in TOGETHER
    ],
)
def test_together(name, activation, optimizer, batches):
    outputs, initializer, its_batches = 1, "pytorch", {}
    if name == "labels":
        outputs = 3
    if activation == "sin":
        initializer = "siren"
    if batches is not None:
        its_batches = {"batches": batches[0], "batch_size": batches[1]}
    model = ap.MLP((8,), activation, outputs=outputs, initializer=initializer)
    recipe = ap.Recipe(
        model=model, optimizer=optimizer, learning_rate=0.02, steps=200, **its_batches
    )
    trace = train(jax.random.key(0), TASKS[name], recipe)
    assert falls(np.asarray(trace.loss))
    assert trace.prediction.shape == (1, jax.eval_shape(TASKS[name].points).x.shape[0], outputs)
    judged = ("labels", "sides", "own loss of two inputs")
    assert (trace.accuracy is not None) == (name in judged)
    assert (trace.validation_loss is not None) == (name == "square drawn")
    if trace.accuracy is not None:  # of so many rows, the shares of them: no mean of means, no sum
        rows = len(TASKS[name].rows(jax.random.key(0), jax.random.key(0))[0])
        right = np.asarray(trace.accuracy) * rows
        np.testing.assert_allclose(right, np.round(right), atol=1e-4)
        assert right.min() >= 0
        assert right.max() <= rows
        assert len(np.unique(right)) > 1  # it is learned


# Their outputs, or their slopes, are 0 for small sums
UNFIT = {"hard_shrink", "soft_shrink", "tanh_shrink"}


@pytest.mark.slow  # alone, what test_together trains in company
@pytest.mark.parametrize("activation", sorted(set(ap.models.ACTIVATIONS) - UNFIT))
def test_activations(activation):
    initializer = "siren" if activation == "sin" else "pytorch"
    assert falls(
        losses(
            SMALL,
            ap.Recipe(
                model=ap.MLP((8,), activation, initializer=initializer),
                steps=200,
                learning_rate=0.02,
            ),
        )
    )


@pytest.mark.parametrize(
    "initializer",
    ["keras", "pytorch", "sklearn", "he_normal", "siren", jax.nn.initializers.lecun_normal()],
)
@pytest.mark.parametrize("bias", [True, False])
def test_initializers(initializer, bias):
    model = ap.MLP((8, 8), "gaussian", initializer=initializer, bias=bias, init_scale=0.5)
    params = jax.eval_shape(model.init, jax.random.key(0), np.ones((4, 2), np.float32))
    assert [layer["w"].shape for layer in params] == [(2, 8), (8, 8), (8, 1)]
    assert all(("b" in layer) == bias for layer in params)
    if bias:
        # One program trains all
        common = ap.Recipe(model=ap.MLP((8,), "gaussian"), steps=STEPS, learning_rate=0.03)
        first = quick(replace(model, widths=(8,)).init)
        start = first(jax.random.key(3), np.ones((4, 1), np.float32))
        assert falls(np.asarray(train(jax.random.key(3), SMALL, common, params=start).loss))


@pytest.mark.slow  # alone, what test_together trains in company
@pytest.mark.parametrize("optimizer", [*ap.optimizers.OPTIMIZERS, optax.lion, optax.adabelief])
def test_optimizers(optimizer):
    rate = 1.0 if str(optimizer).startswith("adadelta") else 0.01  # Adadelta sizes its own steps
    assert falls(losses(SMALL, ap.Recipe(optimizer=optimizer, learning_rate=rate, steps=STEPS)))


def test_a_finished_optax_transformation():
    chain = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1))
    assert falls(losses(SMALL, ap.Recipe(optimizer=chain, learning_rate=None, steps=STEPS)))


def test_a_transformation_of_the_models_own_parameters(quiet):
    """With a mask in their shape, which no other parameters have."""
    masked = optax.adamw(0.01, mask=lambda params: [{"w": True, "b": False} for _ in params])
    recipe = ap.Recipe(optimizer=masked, learning_rate=None, steps=2)
    runs = ap.run(SMALL, recipe, seeds=2, **quiet)
    assert (runs.evaluations.isel(step=-1) == 2).all()


@pytest.mark.parametrize("schedule", ["cosine", "linear", optax.exponential_decay(1.0, 10, 0.9)])
def test_schedules_multiply_the_learning_rate(schedule):
    factor = {"cosine": lambda t: (1 + np.cos(np.pi * t / 4)) / 2, "linear": lambda t: 1 - t / 4}
    factor = (
        factor.get(schedule, lambda t: 0.9 ** (t / 10))
        if isinstance(schedule, str)
        else lambda t: 0.9 ** (t / 10)
    )
    transformation = ap.optimizers.make("sgd", 0.5, {}, schedule, 4)
    state = transformation.init(1.0)
    for step in range(4):
        update, state = transformation.update(jnp.float32(1), state)
        assert float(update) == pytest.approx(-0.5 * factor(step), rel=1e-6)


@pytest.mark.parametrize("model", [Flax(), (pair_init, pair_apply)], ids=["flax", "pair"])
def test_models_of_ones_own(model, quiet, count_compiles):
    recipe = ap.Recipe(model=model, steps=STEPS, learning_rate=0.03)
    runs = ap.run(SMALL, recipe, seeds=3, **quiet)
    assert (runs.loss.isel(step=-1) < runs.loss.isel(step=0)).all()
    with count_compiles() as compiles:
        ap.run(SMALL, replace(recipe, learning_rate=0.01), seeds=5, **quiet)
    assert not compiles


@pytest.mark.slow  # alone, what test_together trains in company
@pytest.mark.parametrize(
    ("batches", "size"),
    [("epoch", 8), ("epoch", 7), ("order", 7), ("replacement", 7), ("stream", 7), ("epoch", 21)],
)
def test_batches(batches, size):
    task = ap.tasks.square(range=1.0, inputs="uniform") if batches == "stream" else SMALL
    assert falls(
        losses(task, ap.Recipe(batches=batches, batch_size=size, steps=STEPS, learning_rate=0.02))
    )


@pytest.mark.parametrize("model", [Told(), Flax()])
def test_flax_dropout_is_on_in_training_and_off_in_judging(model):
    recipe = ap.Recipe(model=model, optimizer="sgd", learning_rate=1e-6, steps=2, records=(0, 1, 2))
    trace = train(jax.random.key(0), SMALL, recipe)
    loss, batch_loss = np.asarray(trace.loss), np.asarray(trace.batch_loss)
    assert abs(loss[1] - loss[0]) < 1e-4  # nothing has moved
    assert abs(batch_loss[1] - loss[0]) > 1e-4
    assert batch_loss[1] != batch_loss[2]


@pytest.mark.slow
def test_recipes_of_other_inputs_never_share_a_program(quiet):
    """Their lowered texts were once alike where a number or an array is not used."""
    hat = TASKS["function"]
    recipes = {
        name: ap.Recipe(model=nn.Dense(1), optimizer=name, steps=3) for name in ("adam", "adamw")
    }
    ap.run(hat, recipes, seeds=2, **quiet)
    for l2 in (None, 1e-3):
        ap.run(hat, ap.Recipe(model=nn.Dense(1), l2=l2, steps=3), seeds=2, **quiet)
    shapes = {}
    for which in ("a", "b"):
        task = Either(a=np.ones((4, 1)), b=np.full((4, 1), 9.0), which=which)
        shapes[which] = ap.run(task, ap.Recipe(steps=3), seeds=2, **quiet)
    assert (shapes["a"].loss != shapes["b"].loss).all()
    assert shapes["a"].fingerprint != shapes["b"].fingerprint


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True, eq=False)
class Either(ap.Task):
    """A user's own task, of which one array is not used."""

    a: np.ndarray
    b: np.ndarray
    which: str = field(default="a", metadata={"static": True})

    def rows(self, key, noise_key):
        return jnp.linspace(-1, 1, 4)[:, None], jnp.asarray(getattr(self, self.which))

    def points(self):
        return jnp.linspace(-1, 1, 4)[:, None], jnp.asarray(getattr(self, self.which)), jnp.zeros(4)


@pytest.mark.slow
def test_numpy_numbers_are_numbers(quiet):
    options = quiet | {"lanes": np.int64(4), "threads": np.int64(1), "seeds": np.int64(3)}
    recipe = ap.Recipe(
        steps=np.int64(4),
        batch_size=np.int32(5),
        learning_rate=np.float32(0.1),
        records=np.arange(5),
    )
    assert ap.run(SMALL, recipe, **options).sizes["seed"] == 3


def test_points_all_inside_or_all_outside(quiet):
    recipe = ap.Recipe(model=ap.MLP(()), optimizer="sgd", steps=2)
    inside = ap.given(np.arange(4.0), np.arange(4.0), np.arange(4.0), np.arange(4.0))
    assert "outside_loss" not in ap.run(inside, recipe, seeds=2, **quiet)
    outside = ap.task(np.square, np.linspace(-1, 1, 9), np.linspace(2, 3, 9))
    runs = ap.run(outside, recipe, seeds=2, **quiet)
    assert "test_loss" not in runs
    with pytest.raises(ValueError, match="test_loss"):
        ap.stats.success(runs, below=1.0)


@pytest.mark.slow
def test_jit_is_no_jit():
    recipe = ap.Recipe(model=ap.MLP((4,), dropout=0.1), batch_size=8, steps=2, records=3)
    with jax.disable_jit():
        plain = ap.train(jax.random.key(0), SMALL, recipe)
    compiled = train(jax.random.key(0), SMALL, recipe)
    for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(compiled), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_equal_recipes_and_changed_numbers_compile_once(tanh, quiet, count_compiles):
    ap.run(SMALL, tanh, seeds=3, **quiet)
    with count_compiles() as compiles:
        ap.run(
            SMALL,
            ap.Recipe(
                **{k: getattr(tanh, k) for k in ("model", "optimizer", "learning_rate", "steps")}
            ),
            **quiet,
        )
        ap.run(SMALL, replace(tanh, learning_rate=1e-3, options={"b1": 0.8}), seeds=20, **quiet)
        ap.run(replace(SMALL, range=2.0), tanh, seeds=[5, 900], key=3, **quiet)
        ap.run(SMALL, tanh, seeds=2, learning_rate=[0.1, 0.2, 0.3], init_scale=[1.0, 2.0], **quiet)
    assert not compiles


def test_a_fresh_lambda_finds_its_program(quiet, count_compiles):
    def make():
        model = ap.MLP((4,), lambda z: z * jnp.tanh(z))
        return ap.Recipe(model=model, optimizer="sgd", steps=10)

    ap.run(SMALL, make(), seeds=2, **quiet)
    with count_compiles() as compiles:
        ap.run(SMALL, make(), seeds=2, **quiet)
    # A look at the data, which is not found by its text; not the block's two programs
    assert len(compiles) <= 1


def test_train_can_be_vmapped_and_differentiated():
    recipe = ap.Recipe(model=ap.MLP((4,)), batch_size=6, steps=20)
    keys = jax.random.split(jax.random.key(0), 3)
    many = jax.eval_shape(jax.vmap(ap.train, (0, None, None)), keys, SMALL, recipe)
    assert many.loss.shape == (3, 21)

    def final(rate):
        changed = replace(recipe, optimizer="sgd", learning_rate=rate, dtype="float64")
        losses = ap.train(keys[0], SMALL, changed).loss
        return losses[-1], losses

    with jax.enable_x64(True):
        of_rates = quick(jax.vmap(jax.value_and_grad(final, has_aux=True)))
        rates = np.array([0.01, 0.01 + 1e-6, 0.01 - 1e-6])
        (last, losses), slopes = jax.tree.map(np.asarray, of_rates(rates))
    assert losses.shape == (3, 21)
    assert (losses[:, -1] < losses[:, 0]).all()
    assert slopes[0] == pytest.approx((last[1] - last[2]) / 2e-6, rel=1e-4)


def test_own_metrics_norms_and_kept_steps(quiet):
    recipe = ap.Recipe(model=ap.MLP((4,)), steps=20, records=(0, 5, 10, 20))
    kept = {"keep": ("prediction", "params", "gradient_norm", "weight_norm"), "keep_at": (5, 20)}
    metrics = {"at_zero": lambda params, predict: predict(jnp.zeros((1, 1)))[0, 0]}
    runs = ap.run(SMALL, recipe, seeds=3, metrics=metrics, **kept, **quiet)
    assert runs.prediction.dims == ("seed", "kept_step", "point", "output")
    middle = int(np.abs(runs.x_test.values[:, 0]).argmin())
    at_zero = runs.prediction.isel(point=middle, output=0)
    np.testing.assert_allclose(
        runs.at_zero.sel(step=[5, 20]).values, at_zero.values, rtol=1e-6, atol=1e-7
    )
    predict = quick(ap.predict)
    for step in (5, 20):
        params = ap.params(runs, seed=2, kept_step=step)
        norm = np.sqrt(sum((p**2).sum() for p in jax.tree.leaves(params)))
        assert float(runs.weight_norm.sel(seed=2, step=step)) == pytest.approx(norm, rel=1e-5)
        points = predict(params, runs.x_test.values, recipe)
        np.testing.assert_allclose(
            points, runs.prediction.sel(seed=2, kept_step=step), rtol=1e-5, atol=1e-6
        )
    last = ap.params(runs.sel(kept_step=20), seed=2, kept_step=20)
    jax.tree.map(np.testing.assert_array_equal, last, params)
    with pytest.raises(KeyError, match=r"kept at step 20 only, not at 5: run with keep_at=\(5,\)"):
        ap.params(runs.sel(kept_step=20), kept_step=5)
    x = np.linspace(-1, 1, 21, dtype=np.float32)[:, None]
    slope = quick(jax.grad(ap.loss))(params, x, x**2, SMALL, recipe)
    norm = np.sqrt(sum((np.asarray(leaf) ** 2).sum() for leaf in jax.tree.leaves(slope)))
    assert float(runs.gradient_norm.sel(seed=2, step=20)) == pytest.approx(norm, rel=1e-5)


def test_recipes_of_one_task_share_the_program_that_looks_at_its_data():
    """Whatever their network, optimiser and records are; another task or precision has its own."""

    def program(task, recipe):
        structure, numbers, arrays = blocks.flatten(task, recipe, ap.Keep(), "vmap")
        table = np.array([numbers], recipe.dtype)
        given = blocks.Inputs(jax.random.key(0), np.zeros((1, 5), np.uint32), table, arrays)
        return blocks.of_task(structure, given)

    task = ap.given([0.0, 1.0, 2.0], [1.0, 2.0, 4.0], noise=0.1)
    recipe = ap.Recipe(model=ap.MLP((3,)), steps=5)
    known, inputs = program(task, recipe)
    assert inputs.numbers.tolist() == [[np.float32(0.1)]]
    assert all(map(np.array_equal, inputs.arrays, (task.x, task.y, task.distance)))
    for other in (
        replace(recipe, model=ap.MLP((7,), "relu")),
        replace(recipe, optimizer="sgd", learning_rate=0.1, l2=0.01),
        replace(recipe, steps=9, records=2, batch_size=2),
    ):
        assert program(task, other)[0] == known
    assert program(task, replace(recipe, dtype="float64"))[0] != known
    assert program(ap.tasks.square(), recipe)[0] != known


def test_warm_starts_go_on_from_where_another_run_ended(quiet):
    """One program trains all."""
    recipe = replace(DESCENT, learning_rate=0.05)
    whole = ap.run(SMALL, recipe, seeds=3, **KEPT, **quiet)
    rest = ap.run(SMALL, recipe, seeds=3, init_params=ap.params(whole), **KEPT, **quiet)
    np.testing.assert_allclose(rest.loss.sel(step=0), whole.loss.sel(step=10), rtol=1e-6)
    np.testing.assert_allclose(rest.loss.sel(step=10), whole.loss.sel(step=20), rtol=1e-5)
    one = ap.params(whole, seed=1)
    shared = ap.run(SMALL, recipe, seeds=3, init_params=one, **KEPT, **quiet)
    assert len(np.unique(shared.loss.isel(step=0))) == 1
    by_itself = quick(lambda: ap.train(jax.random.key(5), SMALL, recipe, params=one).loss[0])()
    assert by_itself == pytest.approx(shared.loss[0, 0].item(), rel=1e-6)


@pytest.mark.slow
def test_frozen_streams(quiet):
    task = ap.tasks.square(range=1.0, inputs="uniform", noise=0.1)
    recipe = ap.Recipe(model=ap.MLP((4,), dropout=0.2), batch_size=7, steps=5, records=6)

    def first_losses(**options):
        return ap.run(task, recipe, seeds=4, **options, **quiet).loss.isel(step=0).values

    free = first_losses()
    assert len(np.unique(free)) == 4
    frozen = first_losses(freeze=("init", "data", "noise"))
    assert (frozen == free[0]).all()
    of_two = first_losses(freeze={"init": 2, "data": 2, "noise": 2})
    assert (of_two == free[2]).all()
    every = ap.run(task, recipe, seeds=4, freeze=ap.Keys._fields, **quiet).loss
    assert (every == every.isel(seed=0)).all()
    order = ap.run(task, recipe, seeds=4, freeze=("init", "data", "noise", "dropout"), **quiet).loss
    assert (order.isel(step=0) == order.isel(step=0, seed=0)).all()
    assert len(np.unique(order.isel(step=-1))) == 4


def test_divergence_is_data(quiet):
    runs = ap.run(SMALL, replace(DESCENT, learning_rate=1e6), seeds=3, **KEPT, **quiet)
    assert not np.isfinite(runs.loss.isel(step=-1)).any()
    assert float(ap.stats.rate(ap.stats.success(runs, below=1.0)).rate) == 0


def test_what_is_imported_late_is_found_by_dir():
    """In a process of its own: here they are imported already. Looking does not import them, nor do
    commands, which need not wait for what asking a question needs.
    """
    own = ["approx.study", "approx.stats", "approx.plot"]
    heavy = ["matplotlib", "xarray", "pandas", "scipy", *own]
    look = (
        "import sys, approx.commands; "
        f"print([name for name in {heavy} if name in sys.modules]); "
        "import approx as ap; "
        f"print(set(ap.__all__) <= set(dir(ap)), {heavy[0]!r} in sys.modules); "
        "ap.stats; from approx import study; "
        "print([name for name in ('matplotlib', 'scipy.stats') if name in sys.modules]); "
        "print(set(study.__all__) <= set(dir(study)), "
        "all(hasattr(study, name) for name in study.__all__))"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}
    )
    seen = ["[]", "True", "False", "[]", "True", "True"]
    assert done.stdout.split() == seen, done.stderr
