"""Promise: numbers drawn by the shared program are those that JAX draws from the same key."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

import approx as ap
from approx.models import draws
from approx.sweep import programs
from approx.training import checks

KEY = random.key(7)
SQUARE = ap.tasks.square(range=1.0)


def numbers_both_ways(init, wide):
    """What `init` makes of three streams' keys, and of bits that the shared program drew."""
    requests = draws.Requests()
    jax.eval_shape(lambda: init(requests))
    table, seeds = draws.table_of(requests.made), np.arange(3, dtype=np.uint32)
    keys = jax.jit(jax.vmap(lambda seed: random.fold_in(KEY, seed)))(seeds)
    bits = jax.jit(draws.draw, static_argnums=2)(random.key_data(keys), table, wide)
    of_bits = jax.jit(jax.vmap(lambda bits: init(draws.BitSource(bits))))(bits)
    return jax.jit(jax.vmap(init))(keys), of_bits


ALWAYS = [("keras", False), ("matlab", False), (("he", "normal"), True)]
INITIALIZERS = ["keras", "pytorch", "he", "siren", "matlab", "lecun_normal", ("he", "normal")]
OTHERS = [
    pytest.param(name, wide, marks=pytest.mark.slow)
    for name in INITIALIZERS
    for wide in (False, True)
    if (name, wide) not in ALWAYS
]


@pytest.mark.parametrize(("initializer", "wide"), [*ALWAYS, *OTHERS])
def test_bits_give_the_numbers_of_the_key(initializer, wide):
    model = ap.MLP((5,), "sin", initializer=initializer, init_scale=0.7)
    with jax.enable_x64(wide):
        init = lambda source: model.init(draws.as_source(source), jnp.zeros((1, 2)))  # noqa: E731
        of_keys, of_bits = numbers_both_ways(init, wide)
        kinds = {leaf.dtype for leaf in jax.tree.leaves(of_bits)}
        assert kinds == {np.dtype("float64" if wide else "float32")}
        jax.tree.map(np.testing.assert_array_equal, of_keys, of_bits)


STARTS = {
    "lanes": (ap.MLP((9,), "tanh"), {}),
    "vmap": (ap.MLP((9,), "tanh"), {"form": "vmap"}),
    "scaled": (ap.scalings.PerFeature(ap.MLP((4,), "relu", initializer="he"), scale=2.0), {}),
    "larger": (ap.MLP((30, 20), "relu"), {}),
    "too large to be drawn before": (ap.MLP((40, 40), "relu"), {}),
}


@pytest.mark.parametrize(
    "case", ["scaled", *(pytest.param(c, marks=pytest.mark.slow) for c in STARTS if c != "scaled")]
)
def test_a_run_starts_from_the_weights_of_the_model_s_own_init(case):
    """Seeds, scalings, both forms of a program, and a network of more than the least table."""
    model, options = STARTS[case]
    recipe = ap.Recipe(model=model, optimizer="sgd", steps=1, records=(0, 1))
    kept = {"keep": ("params",), "keep_at": (0,), "progress": False, "lanes": 4}
    runs = ap.run(SQUARE, recipe, seeds=[3, 11], **kept, **options)
    first = jax.jit(lambda key: ap.init(key, SQUARE, recipe).params)
    for seed in (3, 11):
        expected = first(random.fold_in(random.key(0, impl="threefry2x32"), seed))
        jax.tree.map(np.testing.assert_array_equal, ap.params(runs, seed=seed), expected)


@pytest.mark.parametrize("initializer", ap.models.INITIALIZERS)
def test_the_numbers_of_every_initializer_can_be_drawn_before(initializer):
    model, x = ap.MLP((3,), "tanh", initializer=initializer), jnp.zeros((1, 2))
    requests, used = draws.Requests(), [0]
    jax.eval_shape(lambda: model.init(requests, x))
    bits = jax.ShapeDtypeStruct((64,), np.uint32)
    jax.eval_shape(lambda bits: model.init(draws.BitSource(bits, used), x), bits)
    assert used == [sum(request.numbers for request in requests.made)]


def test_networks_of_nearly_as_many_parameters_share_the_drawing_program():
    sizes = {draws.table_of([draws.Request((0, 0), count)]).shape[1] for count in (1, 31, 64)}
    assert sizes == {draws.LEAST}
    assert draws.table_of([draws.Request((1,), draws.LEAST + 1)]).shape[1] == 4 * draws.LEAST


def test_a_users_own_initializer_draws_for_itself(quiet):
    def ones(key, shape, dtype):
        return jnp.ones(shape, dtype) + 0 * random.normal(key, shape, dtype)

    model = ap.MLP((), initializer=ones)
    recipe = ap.Recipe(model=model, optimizer="sgd", steps=1, records=(0, 1))
    runs = ap.run(SQUARE, recipe, seeds=2, keep=("params",), **quiet)
    assert runs.fingerprint
    with pytest.raises(draws.OwnKeyNeededError):
        recipe.model.init(draws.Requests(), jnp.zeros((1, 1)))


def test_an_equal_call_traces_and_lowers_nothing_again(quiet, monkeypatch):
    make = partial(ap.Recipe, optimizer="sgd", steps=3)
    recipe = make(model=ap.MLP((3,), "tanh"))
    first = ap.run(SQUARE, recipe, seeds=2, **quiet)
    lowered, built = set(programs._lowered), set(programs._built)
    monkeypatch.setattr(checks, "check", lambda *_: pytest.fail("shapes were found again"))
    again = ap.run(SQUARE, make(model=ap.MLP((3,), "tanh")), seeds=2, **quiet)
    assert set(programs._lowered) == lowered
    assert set(programs._built) == built
    np.testing.assert_array_equal(first.loss, again.loss)


def test_a_changed_setting_of_jax_is_noticed(quiet):
    """The programs of a call follow from JAX's settings too."""
    recipe = ap.Recipe(model=ap.MLP((3,), "tanh"), steps=3)
    ap.run(SQUARE, recipe, seeds=2, **quiet)
    built = len(programs._built)
    before = jax.config.jax_default_matmul_precision
    jax.config.update("jax_default_matmul_precision", "highest")
    try:
        ap.run(SQUARE, recipe, seeds=2, **quiet)
    finally:
        jax.config.update("jax_default_matmul_precision", before)
    assert len(programs._built) == built + 1


def test_a_changed_closure_is_noticed_though_the_shapes_are_remembered(quiet):
    shift = [0.0]

    def own_loss(outputs, targets):
        return ((outputs - targets - shift[0]) ** 2).mean(1)

    task = ap.task(lambda x: x, x=np.linspace(-1, 1, 9), loss=own_loss)
    recipe = ap.Recipe(model=ap.MLP(()), optimizer="sgd", steps=1)
    before = ap.run(task, recipe, seeds=2, **quiet)
    shift[0] = 10.0
    after = ap.run(task, recipe, seeds=2, **quiet)
    assert (after.loss.isel(step=0) > before.loss.isel(step=0) + 50).all()


def test_what_depends_on_values_is_checked_again_though_the_shapes_are_remembered(quiet):
    x = np.linspace(-1, 1, 9)
    recipe = ap.Recipe(model=ap.MLP(()), optimizer="sgd", steps=1)
    ap.run(ap.given(x, x), recipe, seeds=2, **quiet)
    with pytest.raises(ValueError, match="which float32 holds as"):
        ap.run(ap.given(x, x + 1e9 + 1e-3), recipe, seeds=2, **quiet)
