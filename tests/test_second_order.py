"""Promise: Levenberg-Marquardt, BFGS and L-BFGS are what R, MATLAB and scipy mean by them, over
many seeds.
"""

import csv
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import QUICK as UNOPTIMISED
from scipy import optimize, stats

import approx as ap
from approx.numerics import cholesky
from approx.numerics.products import ravel
from approx.training import evaluation, inverse_hessians, quasi_newton, rules, second_order
from approx.training.checks import check_memory
from approx.training.inputs import Batch
from approx.training.recipes import rule

RECORDED = Path(__file__).parent / "recorded"
X = np.linspace(-1, 1, 33)[:, None]
SQUARE = ap.given(X, X**2)
TANH = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="lm", steps=200, records=(0, 1, 2, 5, 200))
NNET = ap.Recipe(
    model=ap.MLP((2,), "sigmoid", initializer="nnet"), optimizer="bfgs", steps=400, dtype="float64"
)
QUIET = {"progress": False, "keep": ("params",), "keep_at": ()}
LANES = QUIET | {"form": "lanes", "lanes": 16}
SOON = {"progress": False, "keep": (), "compiler_options": UNOPTIMISED}
FUNCTIONS = {
    "banana": (lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2, 2),
    "bowl": (lambda x: (jnp.array([1, 100, 1e4]) * x**2).sum(), 3),
}


def rows(name: str) -> list[dict[str, str]]:
    with (RECORDED / name).open() as file:
        return list(csv.DictReader(file))


@partial(jax.jit, static_argnums=(0, 1))
def minimise(make, f, start, *numbers):
    """A method that is made of numbers on any function, step by step until it stops."""
    method = make(*numbers)

    def step(carry):
        point, state = carry
        slope = rules.Slope(*jax.value_and_grad(f)(state.trial))
        return method.update(point, state, slope, max)

    begun = start, method.init(start)
    return jax.lax.while_loop(lambda carry: carry[1].stopped == 0, step, begun)


@pytest.mark.parametrize(
    "row", rows("optim.csv"), ids=lambda row: f"{row['f']} from {row['x1']} in {row['maxit']}"
)
def test_bfgs_makes_the_evaluations_of_r(row):
    f, size = FUNCTIONS[row["f"]]
    with jax.enable_x64(True):
        # optim's numbers: no absolute tolerance, and the square root of the machine's epsilon.
        numbers = -1e300, float(np.sqrt(np.finfo(float).eps)), float(row["maxit"])
        start = np.array([float(row[name]) for name in ("x1", "x2", "x3")[:size]])
        _, state = jax.device_get(minimise(quasi_newton.bfgs, f, start, *numbers))
    assert (state.evaluations, state.iterations) == (int(row["evaluations"]), int(row["gradients"]))
    # Values at convergence are squares of rounding errors (1e-24 and less).
    np.testing.assert_allclose(state.value, float(row["value"]), rtol=1e-6, atol=1e-21)
    assert (second_order.REASONS[int(state.stopped)] == "iterations used up") == (
        row["iterations_used_up"] == "1"
    )


def test_lbfgs_finds_minima():
    with jax.enable_x64(True):
        point, state = minimise(
            partial(quasi_newton.lbfgs, abstol=-1e300), FUNCTIONS["banana"][0], np.array([-1.2, 1])
        )
        np.testing.assert_allclose(point, [1, 1], atol=1e-6)
        # By the relative change, or, later, because rounding lets no length lower the value.
        assert state.stopped in (second_order.TOLERANCE, second_order.NO_DESCENT)


@cache
def nnet_run(case: str, seeds: int, own: bool, optimised: bool = True):
    """A case of nnet.R here: from its starts, or from our own."""
    data, fit = case.split("_")
    loss = "brier" if fit == "squares" else "binary_cross_entropy"
    task = ap.tasks.interval(standardise=data == "standardised", loss=loss)
    # nnet's decay is on the sum over the 300 rows; without it the same program, with zero for a
    # number
    recipe = replace(NNET, l2=0.01 / 300 if fit == "decay" else 0.0, l2_on="all")
    given = np.array(
        [
            [float(row[f"X{k}"]) for k in range(1, 8)]
            for row in rows("nnet.csv")
            if row["case"] == case
        ]
    )
    first = {"w": given[:, None, [1, 3]], "b": given[:, [0, 2]]}
    start = None if own else [first, {"w": given[:, [5, 6], None], "b": given[:, [4]]}]
    options = {"progress": False, "keep": ()} if optimised else SOON
    return ap.run(task, recipe, seeds=seeds, init_params=start, **options).isel(step=-1)


CASES = (
    "raw_entropy",
    "raw_squares",
    "standardised_entropy",
    "standardised_squares",
    "standardised_decay",
)


@pytest.mark.parametrize(
    ("case", "optimised"),
    [(CASES[0], False), *(pytest.param(case, True, marks=pytest.mark.slow) for case in CASES)],
)
def test_bfgs_ends_where_nnet_does_from_the_same_start(case, optimised):
    there = [row for row in rows("nnet.csv") if row["case"] == case]
    values = np.array([float(row["value"]) for row in there])
    ours = 300 * nnet_run(case, len(there), own=False, optimised=optimised).batch_loss.values
    # A start in 40 may end elsewhere: rounding differs along 100 iterations.
    assert (np.abs(ours - values) < 1e-4 * (1 + values)).mean() >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_bfgs_agrees_with_nnet_in_distribution(case):
    there = [row for row in rows("nnet_values.csv") if row["case"] == case]
    runs = nnet_run(case, 512, own=True)
    # Both stop anywhere below abstol = 1e-4, and within reltol of a plateau: three digits are
    # comparable.
    digits = lambda values: [float(f"{max(value, 1e-4):.2e}") for value in values]  # noqa: E731
    ours, theirs = (
        digits(300 * runs.batch_loss.values),
        digits(float(row["value"]) for row in there),
    )
    assert stats.ks_2samp(ours, theirs).pvalue > 0.001
    for reached in (1.0, 0.9):
        both = runs.accuracy.values, np.array([float(row["accuracy"]) for row in there])
        table = [[(accuracy >= reached).sum(), (accuracy < reached).sum()] for accuracy in both]
        assert stats.fisher_exact(table).pvalue > 0.001
    stopped = [
        (runs.stopped.values == 2).mean(),
        np.mean([r["iterations_used_up"] == "1" for r in there]),
    ]
    assert abs(stopped[0] - stopped[1]) < 0.1  # 512 and 500 seeds: three standard errors of a half


@cache
def trained(dtype: str):
    """Ten tanh units on x², 256 seeds."""
    return ap.run(SQUARE, replace(TANH, dtype=dtype), seeds=256, **LANES)


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
def test_lm_learns_the_square(dtype):
    runs = trained(dtype)
    assert (runs.loss.isel(step=-1) < 1e-6).mean() >= 0.99
    # A worse trial is never taken, up to the rounding of a mean taken in another order.
    assert (runs.loss.diff("step") <= 1e-6 * runs.loss.isel(step=slice(1, None))).all()
    assert (runs.evaluations.sel(step=5) == 5).all()


def test_lm_has_the_same_bits_in_other_company_and_in_segments():
    few = ap.run(SQUARE, TANH, seeds=[213, 4], segment=37, threads=1, **LANES)
    assert few.drop_attrs().equals(trained("float32").sel(seed=[213, 4]).drop_attrs())


@pytest.mark.slow
def test_bfgs_learns_the_square():
    exact = {"abstol": 0.0, "reltol": 0.0, "maxit": 1e9}
    recipe = replace(TANH, optimizer="bfgs", options=exact, dtype="float64", steps=1000, records=2)
    assert (
        ap.run(SQUARE, recipe, seeds=256, progress=False, keep=()).loss.isel(step=-1) < 1e-6
    ).mean() >= 0.95


def unpack(vector, like):
    leaves, tree = jax.tree.flatten(like)
    parts = np.split(vector, np.cumsum([leaf.size for leaf in leaves])[:-1])
    return jax.tree.unflatten(
        tree, [part.reshape(leaf.shape) for part, leaf in zip(parts, leaves, strict=True)]
    )


# Two tanh units cannot do it, so that there are minima to be reached
WAVY = X**2 + 0.1 * np.sin(9 * X)


def tanh_residuals(vector, like, y=X**2):
    """Residuals of one hidden tanh layer in plain numpy."""
    (first, second) = unpack(vector, like)
    return (np.tanh(X @ first["w"] + first["b"]) @ second["w"] + second["b"] - y)[:, 0]


def numeric_jacobian(vector, like):
    eps = 1e-6 * np.eye(len(vector))
    return np.stack(
        [(tanh_residuals(vector + e, like) - tanh_residuals(vector - e, like)) / 2e-6 for e in eps],
        1,
    )


@pytest.mark.parametrize(
    "rows_kept", [33, 21], ids=["normal equations", "fewer residuals than parameters"]
)
def test_lm_takes_the_steps_of_its_formula(rows_kept):
    task = ap.given(X[:rows_kept], X[:rows_kept] ** 2)
    recipe = replace(TANH, dtype="float64", steps=5, records=range(6))
    kept = {"keep": ("params",), "keep_at": range(6)}
    runs = ap.run(task, recipe, seeds=2, **SOON | kept)
    for seed in range(2):
        history = [ap.params(runs, seed=seed, kept_step=step) for step in range(6)]
        vector, mu = flat(history[0]), 1e-3
        for after in history[2:]:  # the first step evaluates the start
            r, jacobian = (f(vector, after)[:rows_kept] for f in (tanh_residuals, numeric_jacobian))
            trial = vector - np.linalg.solve(
                jacobian.T @ jacobian + mu * np.eye(31), jacobian.T @ r
            )
            better = (tanh_residuals(trial, after)[:rows_kept] ** 2).sum() < (r**2).sum()
            vector, mu = (trial, mu * 0.1) if better else (vector, mu * 10)
            ours = flat(after)
            # central differences err by 1e-10 relative, which JᵀJ + μ, of condition 1e6 and more,
            # magnifies
            np.testing.assert_allclose(ours, vector, rtol=1e-3, atol=1e-4)
            vector = ours


def flat(params):
    return np.concatenate([leaf.ravel() for leaf in jax.tree.leaves(params)])


@pytest.mark.slow
def test_lm_ends_where_scipy_does():
    recipe = replace(
        TANH, model=ap.MLP((2,), "tanh"), dtype="float64", steps=1000, records=(0, 1000)
    )
    runs = ap.run(
        ap.given(X, WAVY), recipe, seeds=24, keep=("params",), keep_at=(0, 1000), progress=False
    )
    stopped = runs.stopped.isel(step=-1).values == second_order.TOLERANCE
    assert stopped.mean() > 0.9
    same = []
    for seed in np.flatnonzero(stopped):
        start, end = (ap.params(runs, seed=seed, kept_step=step) for step in (0, 1000))
        scipy = {
            "method": "lm",
            "args": (start, WAVY),
            "xtol": 1e-12,
            "ftol": 1e-12,
            "gtol": 1e-12,
            "max_nfev": 3000,
        }
        there = optimize.least_squares(tanh_residuals, flat(start), **scipy)
        ours = (tanh_residuals(flat(end), start, WAVY) ** 2).mean()
        same.append(abs(ours - 2 * there.cost / len(X)) < 1e-6)
        assert (
            ours - 2 * optimize.least_squares(tanh_residuals, flat(end), **scipy).cost / len(X)
            < 1e-6
        )
    assert np.mean(same) > 0.8  # the others went to another minimum, which is one for scipy too


LINEAR = ("lm", "lm, half", "lm, ridge", "lbfgs")


@pytest.mark.parametrize(
    "names",
    [("lm, ridge",), pytest.param(LINEAR, marks=pytest.mark.slow)],
    ids=["ridge", "all"],
)
def test_lm_and_lbfgs_reach_the_least_squares_of_a_linear_model(names):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
    design = np.c_[x, np.ones(40)]
    floor = ((design @ np.linalg.lstsq(design, y)[0] - y) ** 2).mean()
    ridge = np.linalg.solve(design.T @ design / 80 + 0.1 * np.diag([1, 1, 1, 0]), design.T @ y / 80)
    penalised = ((design @ ridge - y) ** 2).mean() + 0.1 * (ridge[:3] ** 2).sum()
    linear = ap.Recipe(model=ap.MLP((), outputs=2), optimizer="lm", steps=40, records=2)
    recipes = {
        "lm": linear,
        "lm, half": (ap.given(x, y, loss="half_squared_error"), linear),
        "lm, ridge": replace(linear, l2=0.1),
        "lbfgs": replace(linear, optimizer="lbfgs", options={"abstol": 0.0}),
    }
    asked = {name: recipes[name] for name in names}
    runs = ap.run(ap.given(x, y), asked, seeds=8, **SOON).isel(step=-1)
    # float32; a half times two outputs is the mean's
    expected = {"lm": floor, "lm, half": floor, "lm, ridge": penalised, "lbfgs": floor}
    for name in names:
        np.testing.assert_allclose(runs.batch_loss.sel(recipe=name), expected[name], rtol=2e-5)
    of_lm = [name for name in names if name.startswith("lm")]
    assert (runs.evaluations.sel(recipe=of_lm) < 40).all()  # it stopped


QUICK = ("lm", "bfgs")  # lbfgs is bfgs but for its memory


def ends(task, activation="tanh"):
    """Loss and reason of four seeds after 60 steps of each method."""
    base = replace(TANH, model=ap.MLP((3,), activation), steps=60, records=2)
    found = {}
    for name in QUICK:  # tasks of one shape and activation share a program
        runs = ap.run(task, replace(base, optimizer=name), seeds=4, **SOON).isel(step=-1)
        found[name] = runs.loss.values, runs.stopped.values
    return found


@pytest.mark.slow
def test_deficient_problems_end_at_their_least_squares():
    y = np.arange(33.0)[:, None]
    for loss, _ in ends(ap.given(np.ones((33, 1)), y)).values():  # one input only: JᵀJ has rank 1
        np.testing.assert_allclose(loss, y.var(), rtol=1e-4)


@pytest.mark.slow
def test_exploding_problems_end_as_recorded_failures():
    # Squares of 1e36, near the end of float32
    for loss, stopped in ends(ap.given(X, 1e18 + 0 * X)).values():
        assert (np.isfinite(loss) | (stopped != second_order.RUNNING)).all()
    with pytest.warns(UserWarning, match="no finite loss before the first step"):
        infinite = ends(ap.given(X, 1e30 + 0 * X))
    for _, stopped in infinite.values():
        assert (stopped == second_order.NOT_FINITE).all()
    # Trials overflow
    for loss, _ in ends(ap.given(X, np.exp(5 * X)), lambda z: jnp.exp(jnp.exp(z))).values():
        assert np.isfinite(loss).all()


def test_a_line_search_that_fails_says_so():
    """Where every length is refused, for the gradient points the wrong way."""
    with jax.enable_x64(True):
        uphill = jax.custom_jvp(lambda x: (x**2).sum())
        uphill.defjvp(
            lambda primals, tangents: (uphill(*primals), -2 * (primals[0] * tangents[0]).sum())
        )
        point, state = minimise(quasi_newton.bfgs, uphill, np.array([1.0, 2.0]))
    assert second_order.REASONS[int(state.stopped)] == "no descent"
    np.testing.assert_array_equal(point, [1.0, 2.0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lm", "bfgs", "lbfgs"])
def test_trainings_can_be_differentiated(name):
    task, key = ap.given(X, X**2), jax.random.key(0)
    with jax.enable_x64(True):
        recipe = replace(
            TANH, model=ap.MLP((3,)), optimizer=name, steps=6, records=2, dtype="float64", l2=1e-3
        )

        def end(l2):
            return ap.train(key, task, replace(recipe, l2=l2)).loss[-1]

        both = jax.jit(jax.value_and_grad(end), compiler_options=UNOPTIMISED)
        numeric = (both(1e-3 + 1e-8)[0] - both(1e-3 - 1e-8)[0]) / 2e-8  # wider, other trials
        np.testing.assert_allclose(both(1e-3)[1], numeric, rtol=1e-5)


@pytest.mark.slow
def test_zero_gradients_at_the_start_stop_at_once():
    dead = [{"w": -np.ones((1, 3)), "b": -9 * np.ones(3)}, {"w": np.ones((3, 1)), "b": np.ones(1)}]
    task = ap.given(X, 0 * X + 1)  # relu units dead on all rows, and the bias is right
    recipe = replace(TANH, model=ap.MLP((3,), "relu"), steps=20, records=range(21))
    for name in QUICK:
        runs = ap.run(task, replace(recipe, optimizer=name), seeds=2, init_params=dead, **SOON)
        assert (runs.stopped.isel(step=slice(1, None)) == second_order.TOLERANCE).all()
        assert (runs.evaluations.isel(step=-1) == 1).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lm", "bfgs", "lbfgs"])
def test_bits_depend_on_neither_company_nor_segments_and_forms_agree(name):
    recipe = replace(
        TANH,
        model=ap.MLP((3,), "tanh"),
        optimizer=name,
        dtype="float64",
        steps=40,
        records=(0, 7, 40),
    )
    options = {"lanes": 8, "keep": ("params",), "progress": False}
    found = {}
    for form in ("lanes", "vmap"):
        many = ap.run(SQUARE, recipe, seeds=20, form=form, **options)
        few = ap.run(SQUARE, recipe, seeds=[13, 4], form=form, segment=7, threads=1, **options)
        assert few.drop_attrs().equals(many.sel(seed=[13, 4]).drop_attrs())
        found[form] = many.loss.sel(step=7)
    # Later, training magnifies rounding
    np.testing.assert_allclose(found["vmap"], found["lanes"], rtol=1e-6)


@pytest.mark.parametrize("q", [1, 4, 7, pytest.param(31, marks=pytest.mark.slow)])
def test_lanes_solve_positive_definite_systems(q):
    rng = np.random.default_rng(q)
    a = rng.normal(size=(q, 2 * q + 1, 8)).astype(np.float32)
    matrix, right = np.einsum("iks,jks->ijs", a, a), rng.normal(size=(q, 8)).astype(np.float32)
    # Not positive definite: not a number, and nobody else's business
    matrix[..., 3] = -matrix[..., 3]
    solve = jax.jit(cholesky.solve_lanes, compiler_options=UNOPTIMISED)
    found = np.asarray(solve(matrix, right))
    for lane in range(8):
        if lane == 3:
            assert np.isnan(found[:, lane]).all()
        else:
            exact = np.linalg.solve(matrix[..., lane].astype(float), right[:, lane])
            np.testing.assert_allclose(found[:, lane], exact, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_two_loops_are_the_inverse_hessian_of_bfgs(k):
    """`H ← (1 - ρ s yᵀ) H (1 - ρ y sᵀ) + ρ s sᵀ`, begun with `sᵀy / yᵀy` of the last pair."""
    rng = np.random.default_rng(k)
    p, lanes = 4, 2
    steps, gradient = rng.normal(size=(k, p, lanes)), rng.normal(size=(p, lanes))
    bends = steps + 0.3 * rng.normal(size=steps.shape)
    pairs = inverse_hessians.Pairs(jnp.asarray(steps), jnp.asarray(bends))
    found = inverse_hessians.two_loops(pairs, jnp.asarray(gradient))
    for lane in range(lanes):
        s, y = steps[:, :, lane], bends[:, :, lane]
        assert ((s * y).sum(1) > 0).all()
        inverse = s[-1] @ y[-1] / (y[-1] @ y[-1]) * np.eye(p)
        for step, bend in zip(s, y, strict=True):
            rho = 1 / (step @ bend)
            left = np.eye(p) - rho * np.outer(step, bend)
            inverse = left @ inverse @ left.T + rho * np.outer(step, step)
        np.testing.assert_allclose(found[:, lane], inverse @ gradient[:, lane], rtol=1e-4)


def test_the_gradient_of_penalised_squares_is_that_of_their_mean():
    recipe = replace(TANH, model=ap.MLP((3,), "xla_tanh"), l2=0.05)
    params = jax.jit(recipe.model.init, compiler_options=UNOPTIMISED)(jax.random.key(0), X)
    batch = Batch(jnp.asarray(X), jnp.asarray(X**2))

    def both(params):
        found = evaluation.squares(params, batch, SQUARE, recipe)
        return found.gradient_norm, jax.grad(ap.loss)(params, *batch[:2], SQUARE, recipe)

    norm, gradient = jax.jit(both, compiler_options=UNOPTIMISED)(params)
    assert norm == pytest.approx(np.linalg.norm(ravel(gradient)), rel=1e-4)


def test_of_fewer_residuals_than_parameters_every_lane_has_a_gradient_of_its_own():
    rng = np.random.default_rng(0)
    r, jacobian = rng.normal(size=(3, 2)), rng.normal(size=(3, 5, 2))
    found = evaluation.dual_squares(jnp.asarray(r), jnp.asarray(jacobian), 0.5)
    for lane in range(2):
        slope = 2 * 0.5 / 3 * jacobian[..., lane].T @ r[:, lane]
        assert found.gradient_norm[lane] == pytest.approx(np.linalg.norm(slope), rel=1e-5)
        assert found.value[lane] == pytest.approx(0.5 * (r[:, lane] ** 2).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("optimizer", "options", "needed"),
    [
        ("lbfgs", {"memory_size": 7000}, 2 * 7000 * 10**5 * 4),
        ("bfgs", {}, 3 * 10**10 * 4),
        ("lm", {}, (5000 * 10**5 + 3 * 5000**2) * 4),
    ],
)
def test_a_method_is_refused_only_where_its_matrices_do_not_fit(
    optimizer, options, needed, monkeypatch
):
    """Of 100,000 parameters and 5,000 residuals: numbers of four bytes, and the free memory."""
    recipe = ap.Recipe(optimizer=optimizer, options=options)
    for free, fits in ((needed, True), (needed - 1, False)):
        memory = SimpleNamespace(available=free)
        monkeypatch.setattr("psutil.virtual_memory", lambda memory=memory: memory)
        if fits:
            check_memory(recipe, 10**5, 5000)
        else:
            with pytest.raises(MemoryError, match=f"{needed / 1e9:,.1f} GB a network"):
                check_memory(recipe, 10**5, 5000)


def test_a_rule_says_what_it_wants_of_the_data():
    wants = {"adam": rules.GRADIENT, "bfgs": rules.SUM, "lbfgs": rules.SUM, "lm": rules.SQUARES}
    for optimizer, wanted in wants.items():
        assert rule(ap.Recipe(optimizer=optimizer)).wants == wanted


def test_what_a_rule_reports_stands_beside_the_metrics_of_a_user():
    keep = ap.Keep(what=(), metrics=(("zero", lambda params, predict: 0.0),))
    trace, key = {}, jax.random.key(0)
    train = jax.jit(
        lambda key, recipe: ap.train(key, SQUARE, recipe, keep=keep), compiler_options=UNOPTIMISED
    )
    for optimizer, how in (("adam", partial(jax.eval_shape, train)), ("bfgs", train)):
        recipe = ap.Recipe(model=ap.MLP((2,)), optimizer=optimizer, steps=3, records=(0, 1, 3))
        trace[optimizer] = how(key, recipe)
        assert list(trace[optimizer].metrics) == ["zero"]
    assert trace["adam"].reports == {}
    assert trace["bfgs"].reports["evaluations"].tolist() == [0, 1, 3]
    assert trace["bfgs"].reports["stopped"].tolist() == [second_order.RUNNING] * 3
    # The text of a program names its results, and is part of the identity of results that exist
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(trace)]
    assert "['bfgs'].metrics['evaluations']" in paths


@pytest.mark.slow
def test_a_warm_start_goes_on_from_where_another_stopped():
    first = trained("float32")
    then = ap.run(SQUARE, TANH, seeds=256, init_params=ap.params(first), **QUIET)
    np.testing.assert_allclose(then.loss.isel(step=0), first.loss.isel(step=-1), rtol=2e-2)
    # That much because 1e-9 is the square of 3e-5, of which float32 knows 0.2% in numbers about 1.
    assert then.loss.isel(step=-1).median() < 0.9 * first.loss.isel(step=-1).median()


@pytest.mark.slow
def test_work_is_comparable_between_methods():
    adam = ap.Recipe(model=ap.MLP((3,)), steps=20, records=(0, 7, 20))
    recipes = {
        "all rows": adam,
        # 33 rows: 4 batches an epoch, the last of 3
        "batches": replace(adam, batch_size=10, batches="epoch"),
        "drawn": replace(adam, batch_size=10, batches="replacement"),
        "bfgs": replace(adam, optimizer="bfgs", learning_rate=None, options={"maxit": 3.0}),
    }
    runs = ap.run(SQUARE, recipes, seeds=2, **SOON)
    work = runs.evaluations.isel(seed=0)
    np.testing.assert_allclose(work.sel(recipe="all rows"), [0, 7, 20])
    np.testing.assert_allclose(work.sel(recipe="batches"), [0, 1 + 30 / 33, 5], rtol=1e-6)
    np.testing.assert_allclose(work.sel(recipe="drawn"), [0, 70 / 33, 200 / 33], rtol=1e-6)
    assert (runs.stopped.sel(recipe="bfgs").isel(step=-1) == second_order.ITERATIONS).all()
    assert work.sel(recipe="bfgs").isel(step=-1) < 20
    assert runs.stopped.attrs["flag_meanings"].split() == [
        reason.replace(" ", "_") for reason in second_order.REASONS
    ]


@pytest.mark.slow
def test_a_line_search_of_optax_is_given_what_it_needs():
    own = ap.Recipe(
        model=ap.MLP(()), optimizer=optax.lbfgs(), learning_rate=None, steps=20, records=2
    )
    runs = ap.run(
        SQUARE, {"optax": own, "bfgs": replace(own, optimizer="bfgs")}, seeds=2, progress=False
    )
    # The best line is a constant
    np.testing.assert_allclose(runs.loss.isel(step=-1), (X**2).var(), rtol=1e-5)
    assert np.isnan(runs.evaluations.sel(recipe="optax")).all()  # its search does not say how many
