"""Promise: a loss that sees the network is what its formula says, however it is trained."""

from dataclasses import replace

import cloudpickle
import jax
import jax.numpy as jnp
import numpy as np
import pages
import pytest
from conftest import QUICK

import approx as ap
from approx.numerics import lanes
from approx.numerics.products import ravel
from approx.sweep import choice, facts
from approx.training import evaluation, network_losses
from approx.training.inputs import Batch
from approx.training.steps import residual_count

X = np.random.default_rng(0).uniform(-1, 1, (7, 2))
WEIGHTS = {
    "w": np.array([[0.5, -1.0, 0.3], [0.2, 0.4, -0.7]]),
    "b": np.array([0.1, -0.2, 0.3]),
    "v": np.array([[1.0, 0.5], [-2.0, 0.3], [0.7, -0.4]]),
}
PARAMS = [
    {"w": WEIGHTS["w"], "b": WEIGHTS["b"]},
    {"w": WEIGHTS["v"], "b": np.array([0.4, -0.1])},
]
# XLA's own tanh is compiled faster
TWO = ap.Recipe(model=ap.MLP((3,), "xla_tanh", outputs=2))


def by_hand(x):
    """Values, Jacobian (n, o, i) and Laplacian of the network of `PARAMS`, in numpy."""
    h = np.tanh(x @ WEIGHTS["w"] + WEIGHTS["b"])
    first, second = 1 - h**2, -2 * h * (1 - h**2)
    values = h @ WEIGHTS["v"] + PARAMS[1]["b"]
    jacobian = np.einsum("nh,ih,ho->noi", first, WEIGHTS["w"], WEIGHTS["v"])
    return values, jacobian, second @ ((WEIGHTS["w"] ** 2).sum(0)[:, None] * WEIGHTS["v"])


def decay_residuals(network, batch):
    u, du = ap.derivative(network, batch.x)
    return {"equation": du + u, "start": network(jnp.zeros((1, 1))) - 1}


def decay_loss(network, batch):
    found = decay_residuals(network, batch)
    return {"equation": found["equation"][:, 0] ** 2, "start": found["start"][0, 0] ** 2}


BY_LOSS = ap.losses.of_network(decay_loss)
BY_RESIDUALS = ap.losses.of_network(residuals=decay_residuals)
POINTS = ap.given(np.linspace(0, 5, 6), np.zeros((6, 1)), loss=BY_LOSS)
FOUR = ap.Recipe(model=ap.MLP((4,), "tanh"), steps=1, records=2)
CHEAP = replace(FOUR, model=ap.MLP((4,), "xla_tanh"))


def network(x):
    return network_losses.network_of(PARAMS, TWO, 2)(x)


def quick(function):
    """A function as one program that is compiled fast."""
    return jax.jit(function, compiler_options=QUICK)


def test_derivatives_are_those_of_the_formula():
    """Those of a network, and of the sine up to the fourth."""

    def all_of_them(x):
        found = ap.jacobian(network, x), ap.laplacian(network, x)
        of_one_input = ap.jacobian(jnp.sin, x[:, :1])
        in_columns = ap.derivative(network, x, column=1)
        return *found, in_columns, ap.derivative(jnp.sin, x, order=4), of_one_input

    values, jacobian, laplacian = by_hand(X)
    (found, slopes), (_, curvature), (_, second), sines, one_input = quick(all_of_them)(X)
    np.testing.assert_allclose(one_input[0], np.sin(X[:, :1]), atol=1e-5)
    np.testing.assert_allclose(one_input[1][:, :, 0], np.cos(X[:, :1]), atol=1e-5)
    np.testing.assert_allclose(found, values, rtol=1e-5)
    np.testing.assert_allclose(slopes, jacobian, atol=1e-5)
    np.testing.assert_allclose(curvature, laplacian, atol=1e-5)
    np.testing.assert_allclose(second, jacobian[..., 1], atol=1e-5)
    # Of an elementwise function, the derivative in one column is 0 in the others
    x = X[:, :1]
    for have, want in zip(sines, (np.sin(x), np.cos(x), -np.sin(x)), strict=False):
        np.testing.assert_allclose(have[:, :1], want, atol=1e-5)
    np.testing.assert_allclose(sines[4][:, 0], np.sin(X[:, 0]), atol=1e-5)


def four(seed):
    """Parameters of a network with four hidden units."""
    rng = np.random.default_rng(seed)
    shapes = ((1, 4), (4,)), ((4, 1), (1,))
    draw = [[rng.normal(size=shape).astype("float32") for shape in layer] for layer in shapes]
    return [{"w": w, "b": b} for w, b in draw]


def numpy_terms(params, x):
    """The two terms of the decay's loss in numpy."""
    (w, b), (v, c) = [(each["w"], each["b"]) for each in params]

    def u_and_slope(x):
        h = np.tanh(x @ w + b)
        return h @ v + c, (1 - h**2) @ (w[0][:, None] * v)

    u, du = u_and_slope(x)
    return (du + u)[:, 0] ** 2, (u_and_slope(np.zeros((1, 1)))[0] - 1)[0, 0] ** 2


SIX = np.linspace(0, 5, 6)[:, None].astype("float32")
ZEROS = jnp.zeros((6, 1))
SQUARED = replace(POINTS, loss=BY_RESIDUALS)


def test_the_loss_and_its_squares_are_those_of_numpy():
    """The loss, a partial batch, and what Levenberg-Marquardt is told, of one network."""
    params = four(0)
    weights = np.array([1, 1, 0, 1, 0, 0], "float32")

    def all_of_them(params, weights):
        rows = SIX, ZEROS, weights
        means = network_losses.means(params, rows, {}, BY_LOSS, CHEAP)
        losses = [ap.loss(params, SIX, ZEROS, task, CHEAP) for task in (POINTS, SQUARED)]
        found = network_losses.linearised(params, (SIX, ZEROS, None), SQUARED, CHEAP)
        return means, losses, found, jax.grad(ap.loss)(params, SIX, ZEROS, POINTS, CHEAP)

    rows, start = numpy_terms(params, SIX)
    means, losses, (r, jacobian), slope = quick(all_of_them)(params, weights)
    np.testing.assert_allclose(losses, rows.mean() + start, rtol=1e-5)
    np.testing.assert_allclose(means["equation"], (rows * weights).sum() / 3, rtol=1e-5)
    np.testing.assert_allclose(means["start"], start, rtol=1e-5)

    assert residual_count(SQUARED, CHEAP, params, (SIX, ZEROS)) == len(r) == 7
    assert residual_count(POINTS, CHEAP, params, (SIX, ZEROS)) == 0
    np.testing.assert_allclose((r**2).sum() / 6, rows.mean() + start, rtol=1e-5)
    # The gradient of a mean of squares is 2 Jᵀr / n
    np.testing.assert_allclose(2 * jacobian.T @ r / 6, ravel(slope), rtol=1e-4, atol=1e-5)
    wide = [{name: leaf.astype(float) for name, leaf in layer.items()} for layer in params]

    def moved(by):
        wide[1]["w"] = params[1]["w"] + by * np.eye(4, 1)
        rows, start = numpy_terms(wide, SIX)
        return rows.mean() + start

    central = (moved(1e-4) - moved(-1e-4)) / 2e-4
    np.testing.assert_allclose(slope[1]["w"][0, 0], central, rtol=1e-4)


def test_squares_of_residuals_are_the_normal_equations():
    """Of twenty rows and thirteen parameters, so that `JᵀJ` is the smaller matrix."""
    params = four(1)
    x = np.linspace(0, 5, 20)[:, None].astype("float32")
    batch = Batch(jnp.asarray(x), jnp.zeros((20, 1)))
    task = replace(SQUARED, x=x, y=np.zeros((20, 1)), distance=np.zeros(20))

    def all_of_them(params):
        found = evaluation.squares(params, batch, task, CHEAP)
        linear = network_losses.linearised(params, (batch.x, batch.y, None), task, CHEAP)
        return found, linear, jax.grad(ap.loss)(params, *batch[:2], task, CHEAP)

    found, (r, jacobian), slope = quick(all_of_them)(params)
    np.testing.assert_allclose(found.value, (r**2).sum() / 20, rtol=1e-5)
    np.testing.assert_allclose(found.matrix, jacobian.T @ jacobian, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.right, jacobian.T @ r, rtol=1e-4, atol=1e-5)
    assert found.gradient_norm == pytest.approx(np.linalg.norm(ravel(slope)), rel=1e-4)


def test_lanes_are_each_networks_own():
    """Values and gradients of many networks at once, against each network alone."""
    alone = [four(seed) for seed in range(3)]
    many = jax.tree.map(lambda *leaves: np.stack(leaves, -1), *alone)

    def all_of_them(many):
        batch = network_losses.Batch(jnp.asarray(SIX[..., None]), ZEROS[..., None])
        found, _, gradient = network_losses.in_lanes_sums(many, batch, POINTS, CHEAP, graded=True)
        slope = jax.grad(ap.loss)(alone[2], SIX, ZEROS, POINTS, CHEAP)
        return found, gradient, slope

    found, gradient, slope = quick(all_of_them)(many)
    for lane, params in enumerate(alone):
        rows, start = numpy_terms(params, SIX)
        np.testing.assert_allclose(found["equation"][lane], rows.sum(), rtol=2e-5)
        np.testing.assert_allclose(found["start"][lane], 6 * start, rtol=2e-5)
    for have, want in zip(jax.tree.leaves(gradient), jax.tree.leaves(slope), strict=True):
        np.testing.assert_allclose(have[..., 2], want, rtol=1e-4, atol=1e-5)


def test_lanes_have_the_numbers_of_their_task():
    task = ap.tasks.decay(rate=0.7)
    many = jax.tree.map(lambda *leaves: np.stack(leaves, -1), four(0), four(1))
    task_numbers = task.numbers
    assert task_numbers

    def all_of_them(many):
        batch = Batch(jnp.asarray(SIX[..., None]), ZEROS[..., None])
        found, n, _ = network_losses.in_lanes_sums(many, batch, task, CHEAP, graded=False)
        rows = SIX, ZEROS, None
        alone = network_losses.means(four(1), rows, task_numbers, task.loss, CHEAP)
        return found, n, alone

    found, n, alone = quick(all_of_them)(many)
    for name in alone:
        np.testing.assert_allclose(found[name][1] / n, alone[name], rtol=1e-5)


@jax.custom_jvp
def bent(x):
    """A function with a derivative of its own."""
    return jnp.where(x > 0, x, 0.1 * x)


@bent.defjvp
def _slope_of_bent(primals, tangents):
    return bent(*primals), jnp.where(primals[0] > 0, 1.0, 0.1) * tangents[0]


OPERATIONS = {
    "number by number": lambda x, w, c: jnp.tanh(x) * jnp.maximum(x, c) ** 2,
    "a slice": lambda x, w, c: x[1:4:2, :2] - x[0, 1:],
    "a row and a turn": lambda x, w, c: x[::-1].T + c,
    "shared behind own": lambda x, w, c: jnp.concatenate([x, jnp.ones((2, 3)), x * c], 0),
    "a stack": lambda x, w, c: jnp.stack([x, jnp.zeros((5, 3)), -x], 1),
    "a shape": lambda x, w, c: x.reshape(3, 5, 1).squeeze(-1),
    "a broadcast": lambda x, w, c: jnp.broadcast_to(c, (2, 3)) + x[:2],
    "a product": lambda x, w, c: x @ w + c,
    "products of many": lambda x, w, c: jnp.einsum("ni,io,mi->nmo", x, w, x),
    "a reduction": lambda x, w, c: (x.sum(0), x.max(1), (x > 0).all(), x.prod()),
    "a program inside": lambda x, w, c: jax.jit(lambda x: x + jnp.sin(c))(x),
    "a program traced before": lambda x, w, c: jax.jit(jnp.sin).trace(x)(x) * c,
    "its own derivative": lambda x, w, c: bent(x - 0.2),
    "a derivative": lambda x, w, c: jax.grad(lambda w: (bent(x @ w) ** 2).sum())(w),
    "a sort": lambda x, w, c: jnp.sort(x, 0),
    "a part at a place": lambda x, w, c: jax.lax.dynamic_slice_in_dim(x, 1, 2) * c,
    "running sums": lambda x, w, c: jnp.cumsum(x, 0),
    "nothing of its own": lambda x, w, c: jnp.arange(3.0) * c,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_in_lanes_are_those_of_vmap(name):
    """Of four networks with rows and weights of their own, which share a number."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(5, 3, 4)), rng.normal(size=(3, 2, 4))
    shared = np.full((1,), 0.3)
    of_one = OPERATIONS[name]
    found = quick(lambda *given: lanes.in_lanes(of_one, *given))(x, w, shared)
    alike = np.full(4, 0.3)
    wanted = quick(jax.vmap(of_one, in_axes=-1, out_axes=-1))(x, w, alike)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_operations_without_a_rule_of_their_own_are_right():
    """Whatever is traced: a sort, a loop, a product with a batch axis."""
    many = np.random.default_rng(3).normal(size=(4, 4, 3)).astype("float32")

    def of_one(a):
        turned = jax.lax.fori_loop(0, 2, lambda _, v: v @ a, jnp.sort(a, axis=0))
        return turned, jnp.einsum("ij,ijk->ik", a, jnp.stack([a, 2 * a], 2)), jnp.ones(2)

    sorted_and_turned, batched, ones = quick(lambda a: lanes.in_lanes(of_one, a))(many)
    assert ones.shape == (2, 3)
    for lane in range(3):
        a = many[..., lane]
        expected = np.sort(a, axis=0) @ a @ a
        np.testing.assert_allclose(sorted_and_turned[..., lane], expected, rtol=1e-4, atol=1e-5)
        squares = (a**2).sum(1)
        np.testing.assert_allclose(batched[:, 1, lane], 2 * squares, rtol=1e-4)


# Programs that were traced before
MEAN_AWAY, SINES = (
    jax.jit(function).trace(X.astype("float32")) for function in (lambda x: x - x.mean(), jnp.sin)
)
MIXING = {
    "the mean": (lambda x: (x - x.mean())[:, 0], "reduce_sum"),
    "the place": (lambda x: x[:, 0] * jnp.arange(7.0), "mul"),
    "the first row": (lambda x: x[:, 0] * x[0, 0], "slice"),
    "the order": (lambda x: jnp.sort(x[:, 0]), "sort"),
    "a product of rows": (lambda x: (x @ x.T)[:, 0], "transpose"),
    "no rows": (lambda x: jnp.ones(7), "the order of rows"),
    "the slope": (lambda x: ap.jacobian(network, x)[1].sum((1, 2)), ""),
    "a program of the mean": (lambda x: MEAN_AWAY(x)[:, 0], "reduce_sum"),
    "a program of rows": (lambda x: SINES(x)[:, 0], ""),
    "several": (lambda x: jnp.concatenate([x, 2 * x], 1).max(1) + jax.nn.relu(x[:, 1]), ""),
}


@pytest.mark.parametrize("case", MIXING)
def test_it_is_noticed_which_losses_mix_rows(case):
    function, operation = MIXING[case]
    program = jax.make_jaxpr(function)(X.astype("float32"))
    assert lanes.mixed_rows(program, [lanes.OF_ROWS], 7) == operation


def mean_square(network, batch):
    return (network(batch.x) ** 2).mean()


def forms(loss, **options):
    task = replace(POINTS, loss=ap.losses.of_network(loss))
    return choice.possible_forms(facts.find(task, replace(FOUR, **options)))


def test_lanes_are_taken_where_rows_stand_apart():
    assert forms(decay_loss) == ["vmap", "lanes"]
    assert forms(mean_square) == ["vmap"]
    assert forms(lambda network, batch: batch.x[:, 0] / len(batch.x)) == ["vmap"]


def first_square(network, batch):
    return network(batch.x)[:, 0] ** 2


def by_mean(network, batch):
    return network(batch.x)[:, 0] ** 2 * batch.x.mean()


def by_distance(network, batch):
    """Of rows that stand apart, but for a thousandth of their mean."""
    return (network(batch.x)[:, 0] - batch.y[:, 0] - 1e-3 * batch.x.mean()) ** 2


def by_counted_mean(network, batch):
    weights = 1.0 if batch.weights is None else batch.weights
    return network(batch.x)[:, 0] ** 2 * (batch.x[:, 0] * weights).sum()


def recipe_of(**options):
    return replace(FOUR, **options)


def test_rows_may_mix_where_none_fills_up_a_batch_or_counts():
    task = replace(POINTS, loss=ap.losses.of_network(by_mean))
    facts.find(task, recipe_of(batch_size=3))
    facts.find(replace(task, loss=ap.losses.of_network(by_counted_mean)), recipe_of(batch_size=4))


REFUSED = {
    "no row values": (lambda network, batch: network(batch.x) ** 2, {}, "has shape \\(6, 1\\)"),
    "a word": (lambda network, batch: "loss", {}, "the loss is 'loss'"),
    "an integer": (lambda network, batch: jnp.ones(6, int), {}, "of type int32"),
    "no name": (lambda network, batch: {"a b": jnp.ones(6)}, {}, "needs a name"),
    "a point": (lambda network, batch: network(jnp.zeros((1, 2))), {}, "takes points of shape"),
    "a partial batch": (mean_square, {"batch_size": 4}, "leaves a partial batch of the 6 rows"),
    "rows that mix": (by_mean, {"batch_size": 4}, "values of rows that depend on other rows"),
    "rows that mix a little": (by_distance, {"batch_size": 4}, "values of rows that depend"),
    "lm": (decay_loss, {"optimizer": "lm", "learning_rate": None}, "'lm' needs residuals"),
    "r2": (
        first_square,
        {"model": ap.MLP((4,), outputs=2), "stop": ap.stops.Patience(of="validation_r2")},
        "R²",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    loss, options, words = REFUSED[case]
    validation = 0.5 if case == "r2" else 0.0
    task = replace(POINTS, loss=ap.losses.of_network(loss), validation=validation)
    with pytest.raises((TypeError, ValueError), match=words):
        facts.find(task, recipe_of(**options))


MADE_WRONG = {
    "none": (lambda: ap.losses.of_network(), TypeError, "one function"),
    "both": (
        lambda: ap.losses.of_network(decay_loss, residuals=decay_residuals),
        TypeError,
        "one function",
    ),
    "no function": (lambda: ap.losses.of_network("mse"), TypeError, "must be a function"),
    "a wrong test": (lambda: replace(POINTS, loss=replace(BY_LOSS, test="mze")), ValueError, "mze"),
    "labels": (
        lambda: replace(POINTS, loss=replace(BY_LOSS, test="cross_entropy")),
        ValueError,
        "targets are labels",
    ),
    "no targets": (lambda: ap.drawn(None, (0, 1), 9, [0.5]), ValueError, "f is None"),
    "noise": (
        lambda: ap.drawn(None, (0, 1), 9, [0.5], loss=BY_LOSS, noise=0.1),
        ValueError,
        "noise=0.1",
    ),
    "no residual": (lambda: ap.tasks.decay(loss="mse"), ValueError, "sees the network"),
    "a column": (lambda: ap.derivative(network, X, column=2), ValueError, "column is 2"),
    "an order": (lambda: ap.derivative(network, X, order=0), ValueError, "order is 0"),
    "a vector": (lambda: ap.derivative(network, X[0]), ValueError, "have one row each"),
    "targets of another shape": (
        lambda: facts.find(ap.given(X, X, X, X, loss=ap.losses.of_network(first_square)), FOUR),
        ValueError,
        "the model's outputs there",
    ),
}


@pytest.mark.parametrize("case", MADE_WRONG)
def test_refused_when_it_is_made(case):
    call, error, words = MADE_WRONG[case]
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    "task",
    [ap.tasks.decay(rate=0.7), ap.tasks.oscillator(2.0), ap.tasks.logistic(rate=1.5)],
    ids=["decay", "oscillator", "logistic"],
)
def test_solutions_solve_their_equations(task):
    """The residuals of the known solution are 0, up to rounding; the weight is one of squares."""

    def residuals(t, above):
        shown = ap.losses.Seen(t, t, None, {**task.numbers, "boundary_weight": 4.0})
        return task.loss(lambda t: task.targets(t) + above, shown)

    t = np.linspace(0, float(task.end), 9, dtype="float32")[:, None]
    solved, shifted = quick(lambda t: (residuals(t, 0.0), residuals(t, 0.5)))(t)
    for values in solved.values():
        np.testing.assert_allclose(values, 0, atol=2e-5)
    np.testing.assert_allclose(shifted["start"][0, 0], 2 * 0.5, rtol=1e-5)


# ---- whole trainings -----------------------------------------------------------------------------

MOVES = {
    "sgd": {},
    "batches that end with a partial one": {"batch_size": 4},
    "rows kept for validation, l2": {"l2": 0.01},
    "bfgs": {"optimizer": "bfgs", "learning_rate": None},
    "lbfgs": {"optimizer": "lbfgs", "learning_rate": None},
    "lm": {"optimizer": "lm", "learning_rate": None},
    "lm with l2": {"optimizer": "lm", "l2": 0.01, "learning_rate": None},
    "float64": {"dtype": "float64"},
    "dropout": {"model": ap.MLP((8,), "tanh", dropout=0.1)},
}


PARTIAL = "batches that end with a partial one"


@pytest.mark.parametrize(
    "case", [PARTIAL, *(pytest.param(c, marks=pytest.mark.slow) for c in MOVES if c != PARTIAL)]
)
def test_the_forms_agree_and_the_loss_falls(case):
    validation = 0.25 if "validation" in case else 0.0
    task = ap.given(
        np.linspace(0, 5, 13), np.zeros((13, 1)), loss=BY_RESIDUALS, validation=validation
    )
    options = {"learning_rate": 0.02, "steps": 30, "records": 3} | MOVES[case]
    recipe = replace(FOUR, **options)
    made = {}
    for form in choice.possible_forms(facts.find(task, recipe)):
        made[form] = ap.run(
            task, recipe, seeds=9, form=form, progress=False, compiler_options=QUICK
        )
        loss = made[form].loss
        total = made[form].loss_equation + made[form].loss_start
        np.testing.assert_allclose(loss, total, rtol=1e-4)
        assert (loss.isel(step=-1) < loss.isel(step=0)).all()
    assert ("lanes" in made) == ("lm" not in case and case != "dropout")
    if "lanes" in made:
        # Quasi-Newton steps amplify rounding
        for name, values in made["vmap"].data_vars.items():
            np.testing.assert_allclose(made["lanes"][name], values, rtol=2e-3, atol=3e-4)


def test_accuracy_and_test_points_are_judged_by_the_tasks_own_rules():
    """Of a loss that sees the network, with a partial batch."""
    x, at = np.linspace(0, 3, 6)[:, None], np.linspace(0, 2, 9)[:, None]

    def near(outputs, targets):
        return (jnp.abs(outputs - targets) < 0.4)[:, 0]

    loss = ap.losses.of_network(decay_loss, test="mae")
    task = ap.given(x, np.exp(-x), at, np.exp(-at), loss=loss, correct=near)
    recipe = replace(CHEAP, batch_size=4, learning_rate=0.05, steps=4)
    kept = {"keep": ("params", "prediction"), "keep_at": (4,), "form": "vmap"}
    runs = ap.run(task, recipe, seeds=8, progress=False, compiler_options=QUICK, **kept)
    runs = runs.isel(step=-1)
    for seed in range(8):
        params = ap.params(runs, seed=seed)
        hidden = np.tanh(x @ params[0]["w"] + params[0]["b"])
        away = np.abs(hidden @ params[1]["w"] + params[1]["b"] - np.exp(-x))
        assert runs.accuracy[seed] == pytest.approx((away < 0.4).mean())
        error = np.abs(runs.prediction.values[seed] - np.exp(-at)).mean()
        assert runs.test_loss[seed] == pytest.approx(error, rel=1e-4)
    assert len(np.unique(runs.accuracy)) > 2


@pytest.mark.slow
def test_decay_in_ten_lines_is_solved_by_every_seed():
    task = ap.drawn(lambda x: jnp.exp(-x), (0.0, 5.0), rows=64, loss=BY_RESIDUALS)
    recipe = ap.Recipe(optimizer="lm", steps=100, dtype="float64")
    runs = ap.run(task, recipe, seeds=32, progress=False)
    error = abs(runs.prediction - runs.y_test).max(("point", "output"))
    assert error.median() < 1e-3


@pytest.mark.slow
def test_numbers_of_the_task_are_swept_and_points_drawn_anew():
    task = ap.tasks.decay(size=16, test_size=21)
    recipe = replace(FOUR, learning_rate=0.02, steps=40, batches="stream", batch_size=8)
    swept = {"boundary_weight": [0.0, 1.0], "rate": [0.5, 1.0]}
    runs = ap.run(task, recipe, seeds=8, progress=False, compiler_options=QUICK, **swept)
    assert runs.loss.sizes == {"boundary_weight": 2, "rate": 2, "seed": 8, "step": 2}
    assert (runs.loss_start.sel(boundary_weight=0) == 0).all()
    assert (runs.loss_start.sel(boundary_weight=1, step=0) > 0).all()
    last = runs.y_test.sel(rate=0.5).isel(point=-1)
    np.testing.assert_allclose(last, np.exp(-2.5), rtol=1e-5)


@pytest.mark.slow
def test_slopes_and_monotonicity_are_learned():
    """Sobolev training (Czarnecki et al. 2017), and a penalty on falling outputs."""
    x = np.linspace(-1, 1, 12)

    def sobolev(network, batch):
        u, du = ap.derivative(network, batch.x)
        return ((u - batch.y[:, :1]) ** 2 + (du - batch.y[:, 1:]) ** 2)[:, 0]

    def rising(network, batch):
        u, du = ap.derivative(network, batch.x)
        return {
            "error": ((u - batch.y) ** 2)[:, 0],
            "falling": 100 * jax.nn.relu(-du)[:, 0] ** 2,
        }

    options = {"seeds": 8, "progress": False, "compiler_options": QUICK}
    recipe = ap.Recipe(optimizer="bfgs", steps=200, options={"maxit": 1000}, dtype="float64")
    slopes = np.stack([x**2, 2 * x], 1)
    task = ap.given(x, slopes, x, x**2, loss=ap.losses.of_network(sobolev))
    runs = ap.run(task, recipe, **options)
    assert runs.loss.isel(step=-1).median() < 1e-4
    assert runs.test_loss.isel(step=-1).median() < 1e-4
    task = ap.given(x, x**2, x, x**2, loss=ap.losses.of_network(rising))
    runs = ap.run(task, recipe, **options)
    assert (runs.prediction.diff("point") > -0.05).all()


@pytest.mark.slow
def test_without_a_solution_there_is_no_test_loss(tmp_path):
    """A folder notices another function, and functions travel to executors."""

    def scaled(factor):
        def loss(network, batch):
            u, du = ap.derivative(network, batch.x)
            return factor * (du + u)[:, 0] ** 2

        return ap.drawn(None, (0.0, 1.0), rows=9, loss=ap.losses.of_network(loss))

    options = {"seeds": 3, "progress": False, "compiler_options": QUICK}
    runs = ap.run(scaled(1.0), FOUR, out=tmp_path / "sweep", **options)
    assert "test_loss" not in runs
    assert "y_test" not in runs.coords
    assert runs.prediction.shape == (3, 1000, 1)
    copied = cloudpickle.loads(cloudpickle.dumps(scaled(2.0)))
    assert np.allclose(ap.run(copied, FOUR, **options).loss, 2 * runs.loss)
    with pytest.raises(ValueError, match="other"):
        ap.run(scaled(2.0), FOUR, out=tmp_path / "sweep", **options)


@pytest.mark.slow
def test_a_study_compares_weights_of_the_start():
    task = ap.tasks.decay(size=16, test_size=21)
    recipe = replace(FOUR, optimizer="bfgs", learning_rate=None, steps=60)
    changes = {"ten": {"boundary_weight": 10.0}, "wider": {"widths": (8,)}}
    study = ap.Study(task, recipe, below=1e-2, changes=changes)
    assert "seeds succeed" in study.run(seeds=8).report()


@pytest.mark.slow
def test_the_page_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "equations"}
    for block in pages.blocks(pages.ROOT / "docs" / "equations.md"):
        exec(block, names)
    assert names["runs"].loss_falling.sizes["seed"] == 8
