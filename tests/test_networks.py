"""Promise: every network of the catalogue is its formula, for one network and for many at once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import QUICK
from scipy.interpolate import BSpline

import approx as ap
from approx.models import arithmetic, draws, kan

M = ap.models
X = np.random.default_rng(0).uniform(-1, 1, (6, 2)).astype(np.float32)
KEY = jax.random.key(0)
EVERY = {
    "KAN": M.KAN((3,)),
    "Chebyshev KAN": M.KAN((3,), basis="chebyshev", base=None),
    "KAN, own base": M.KAN((), degree=1, grid=2, base=jnp.sin, spline_scale=False),
    "Fourier": M.Fourier(3, 2.0, (4,)),
    "trained Fourier": M.Fourier(3, widths=(), trainable=True),
    "SIREN": M.SIREN((4, 3)),
    "RBF": M.RBF(4),
    "RBF, range": M.RBF(4, centers=(-1, 1), width=0.5),
    "product units": M.ProductUnits(3),
    "NAC": M.NAC(),
    "NAC product": M.Arithmetic(("nac", "nac_product")),
    "NALU": M.NALU((3,)),
    "NAU": M.NAU(),
    "NMU": M.NMU((2, 3)),
    "Residual": M.Residual(4, 2, "tanh", norm="layer"),
    "Highway": M.Highway(4, 2),
}
SEVERAL = ("NMU",)  # the others are slow tests


def compiled(function, *arguments):
    return jax.jit(function, compiler_options=QUICK)(*arguments)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def silu(z):
    return z * sigmoid(z)


def numbers(params):
    """Parameters in numpy's float64."""
    return jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params)


def with_numbers(params, seed=1):
    """The same parameters with other numbers, none of them 0 or 1."""
    leaves, tree = jax.tree.flatten(params)
    rng = np.random.default_rng(seed)
    drawn = [rng.uniform(0.1, 0.9, leaf.shape).astype(np.float32) for leaf in leaves]
    return jax.tree.unflatten(tree, drawn)


def shapes(model, inputs=2, rows=6):
    return jax.eval_shape(model.init, KEY, jnp.zeros((rows, inputs)))


# ---- many networks at once -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [name if name in SEVERAL else pytest.param(name, marks=pytest.mark.slow) for name in EVERY],
)
def test_many_networks_on_the_last_axis_are_each_its_own(name):
    """Values and slopes, with each network's own inputs, and without a product of matrices."""
    model = EVERY[name]
    each = [with_numbers(shapes(model), seed) for seed in range(2)]
    many = jax.tree.map(lambda *leaves: np.stack(leaves, -1), *each)
    first = jax.tree.map(lambda *leaves: np.stack(leaves), *each)
    own = np.stack([X, X[::-1]], -1)

    def squares(params, x):
        return (model.apply(params, x) ** 2).sum((0, 1))

    def both(many, first, one, own):
        lanes = jax.value_and_grad(lambda params: squares(params, own).sum())(many)
        of_one = jax.value_and_grad(squares)
        alone = jax.vmap(of_one)(first, jnp.moveaxis(own, -1, 0))
        shared = model.apply(many, own[..., :1])
        return lanes, alone, shared, model.apply(one, own[..., 0])

    (value, slopes), (values, own_slopes), shared, last = compiled(both, many, first, each[1], own)
    np.testing.assert_allclose(value, values.sum(), rtol=1e-4)
    for a, b in zip(jax.tree.leaves(slopes), jax.tree.leaves(own_slopes), strict=True):
        b = np.moveaxis(np.asarray(b), 0, -1)
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4 * max(np.abs(b).max(), 1e-3))
    np.testing.assert_allclose(shared[..., 1], last, rtol=1e-4, atol=1e-5)
    assert "dot_general" not in str(jax.make_jaxpr(model.apply)(many, own))


# ---- formulas ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("degree", "grid"), [(3, 5), (1, 2)])
def test_splines_are_those_of_scipy(degree, grid):
    x = np.linspace(-2.9, 3.01, 60).reshape(30, 2)

    def one(x):
        return kan.splines(x[None, None], (-1.0, 2.0), grid, degree)[0, 0]

    found = compiled(lambda x: kan.splines(x, (-1.0, 2.0), grid, degree), x.astype(np.float32))
    knots = -1 + 3 / grid * np.arange(-degree, grid + degree + 1)
    bases = range(grid + degree)
    wanted = [BSpline.basis_element(knots[j : j + degree + 2], extrapolate=False)(x) for j in bases]
    np.testing.assert_allclose(found, np.nan_to_num(np.stack(wanted, -1)), atol=3e-6)
    slopes = compiled(jax.vmap(jax.vmap(jax.jacfwd(one))), x.astype(np.float32))
    elements = [
        BSpline.basis_element(knots[j : j + degree + 2], extrapolate=False).derivative()(x)
        for j in bases
    ]
    np.testing.assert_allclose(slopes, np.nan_to_num(np.stack(elements, -1)), atol=2e-5)
    inside = (x >= -1) & (x < 2)
    np.testing.assert_allclose(np.asarray(found).sum(-1)[inside], 1, atol=3e-6)


def kan_of_splines(model, params, x):
    for layer in params["layers"]:
        knots = -1 + 2 / model.grid * np.arange(-model.degree, model.grid + model.degree + 1)
        k, y = model.grid + model.degree, silu(x) @ layer["w_b"]
        for i in range(x.shape[1]):
            for j in range(k):
                element = BSpline.basis_element(knots[j : j + model.degree + 2], False)
                basis = np.nan_to_num(element(x[:, i]))[:, None]
                y = y + basis * (layer["w_s"][i] * layer["c"][i * k + j])
        x = y
    return x


def kan_of_polynomials(model, params, x):
    for layer in params["layers"]:
        degrees = range(model.degree + 1)
        values = [np.polynomial.Chebyshev.basis(k)(np.tanh(x)) for k in degrees]
        x = np.stack(values, -1).reshape(len(x), -1) @ layer["c"]
    return x


def fourier(model, params, x):
    turns = 2 * np.pi * x @ params["batch_stats"]["frequencies"]
    first, last = params["params"]
    waves = np.concatenate([np.cos(turns), np.sin(turns)], 1)
    return np.maximum(waves @ first["w"] + first["b"], 0) @ last["w"] + last["b"]


def rbf(model, params, x):
    away = ((x[:, :, None] - params["centers"]) ** 2).sum(1)
    bumps = np.exp(-away * params["inverse"] ** 2 / 2)
    return bumps @ params["output"]["w"] + params["output"]["b"]


def residual(model, params, x):
    first, *blocks, last = params
    h = x @ first["w"] + first["b"]
    for block in blocks:
        z = (h - h.mean(1, keepdims=True)) / np.sqrt(h.var(1, keepdims=True) + 1e-5)
        z = z * block["norm"]["scale"] + block["norm"]["bias"]
        z = np.tanh(z @ block["in"]["w"] + block["in"]["b"])
        h = h + z @ block["out"]["w"] + block["out"]["b"]
    return h @ last["w"] + last["b"]


def highway(model, params, x):
    first, *layers, last = params
    h = x @ first["w"] + first["b"]
    for layer in layers:
        t = sigmoid(h @ layer["gate"]["w"] + layer["gate"]["b"])
        h = t * np.tanh(h @ layer["unit"]["w"] + layer["unit"]["b"]) + (1 - t) * h
    return h @ last["w"] + last["b"]


FORMULAS = {
    "KAN": kan_of_splines,
    "Chebyshev KAN": kan_of_polynomials,
    "Fourier": fourier,
    "RBF": rbf,
    "Residual": residual,
    "Highway": highway,
}


def test_outputs_are_those_of_the_formulas():
    params = {name: with_numbers(shapes(EVERY[name])) for name in FORMULAS}
    found = compiled(
        lambda params: {name: EVERY[name].apply(params[name], jnp.asarray(X)) for name in FORMULAS},
        params,
    )
    for name in FORMULAS:
        wanted = FORMULAS[name](EVERY[name], numbers(params[name]), X.astype(np.float64))
        np.testing.assert_allclose(found[name], wanted, rtol=1e-4, atol=1e-5, err_msg=name)


def test_cells_are_those_of_the_papers():
    rng = np.random.default_rng(3)
    w, m, gate = rng.uniform(-1.5, 1.5, (3, 2, 3))
    x = rng.uniform(-2, 2, (5, 2))
    params = {"w": jnp.float32(w), "m": jnp.float32(m), "gate": jnp.float32(gate)}
    found = compiled(
        lambda x: {name: cell.apply(params, x) for name, cell in M.CELLS.items()}, jnp.float32(x)
    )
    nac = np.tanh(w) * sigmoid(m)
    size = np.log(np.abs(x) + 1e-7)
    g = sigmoid(x @ gate)
    inside = np.clip(w, 0, 1)
    wanted = {
        "linear": x @ w,
        "product_units": np.exp(size @ w) * np.cos(np.pi * ((x < 0).astype(float) @ w)),
        "nac": x @ nac,
        "nac_product": np.exp(size @ nac),
        "nalu": g * (x @ nac) + (1 - g) * np.exp(size @ nac),
        "nau": x @ np.clip(w, -1, 1),
        "nmu": (x[:, :, None] * inside + 1 - inside).prod(1),
    }
    assert set(wanted) == set(found)
    for name, outputs in found.items():
        np.testing.assert_allclose(outputs, wanted[name], rtol=2e-4, atol=2e-5, err_msg=name)


def test_arithmetic_units_with_whole_weights_compute_what_they_are_named_for():
    product = M.NMU((2,))
    exact = {"layers": [{"w": jnp.eye(2)}, {"w": jnp.ones((2, 1))}]}
    half = {"layers": [{"w": jnp.eye(2)}, {"w": jnp.array([[1.0], [0.7]])}]}

    def found(x, w):
        slopes = jax.vmap(jax.grad(lambda w: arithmetic.clamped(w, 0, 1)))(w)
        return product.apply(exact, x), slopes, product.sparsity(exact), product.sparsity(half)

    outputs, slopes, none, some = compiled(found, X, np.float32([-0.5, 0.5, 1.5]))
    np.testing.assert_allclose(outputs, X[:, :1] * X[:, 1:], rtol=1e-6)
    np.testing.assert_array_equal(slopes, [1, 1, 1])
    assert float(none) == 0
    assert float(some) == pytest.approx(0.3)


# ---- first weights -------------------------------------------------------------------------------


def test_first_weights_have_the_distributions_of_their_sources():
    """Over 300 networks: means, standard deviations and bounds, each within 4 standard errors."""
    bits = np.random.default_rng(1).integers(0, 2**32, (300, 256), np.uint32)
    made = {
        "kan": M.KAN((4,), init_noise=0.1),
        "chebyshev": M.KAN((4,), basis="chebyshev", base=None),
        "fourier": M.Fourier(8, 3.0),
        "nac": M.NAC((3,)),
        "nau": M.NAU((3,)),
        "nmu": M.NMU((3,)),
        "highway": M.Highway(4, 1, gate_bias=-2.0),
        "rbf": M.RBF(4, centers=(1, 3), width=0.5),
    }
    x = jnp.zeros((5, 2))

    def starts(bits):
        return {name: model.init(draws.BitSource(bits), x) for name, model in made.items()}

    first = compiled(jax.vmap(starts), bits)

    def check(values, sd, mean=0.0, bound=None):
        values = np.asarray(values).ravel()
        assert abs(values.mean() - mean) < 4 * sd / np.sqrt(values.size)
        assert abs(values.std() / sd - 1) < 4 / np.sqrt(values.size)
        if bound is not None:
            assert 0.99 * bound < np.abs(values - mean).max() <= bound

    layer = first["kan"]["layers"][0]
    check(layer["c"], 0.1)
    check(layer["w_b"], np.sqrt(2 / (2 + 4)), bound=1.0)  # Glorot: ±√(6 / (2 + 4))
    assert (np.asarray(layer["w_s"]) == 1).all()
    check(first["chebyshev"]["layers"][1]["c"], 1 / (4 * 4))
    check(first["fourier"]["batch_stats"]["frequencies"], 3.0)
    layer = first["nac"]["layers"][0]
    weights = np.tanh(layer["w"]) * sigmoid(np.asarray(layer["m"]))
    assert abs(weights.var() / (2 / 5) - 1) < 0.1  # two inputs and three outputs
    bound = min(0.5, np.sqrt(6 / 5))
    check(first["nau"]["layers"][0]["w"], bound / np.sqrt(3), bound=bound)
    check(first["nmu"]["layers"][1]["w"], 0.25 / np.sqrt(3), mean=0.5, bound=0.25)
    assert (np.asarray(first["highway"][1]["gate"]["b"]) == -2).all()
    check(first["rbf"]["centers"], 1 / np.sqrt(3), mean=2.0, bound=1.0)
    np.testing.assert_allclose(first["rbf"]["inverse"], 2.0)


def test_centres_are_training_rows_and_widths_follow_their_distance():
    params = compiled(lambda key: M.RBF(4).init(key, jnp.asarray(X)), KEY)
    centers = np.asarray(params["centers"]).T
    which = [int(np.argmin(np.abs(X - center).sum(1))) for center in centers]
    np.testing.assert_allclose(centers, X[which])
    assert len(set(which)) == 4
    apart = max(np.linalg.norm(a - b) for a in centers for b in centers)
    np.testing.assert_allclose(params["inverse"], np.sqrt(8) / apart, rtol=1e-5)


def test_siren_is_an_mlp_of_sines():
    assert M.SIREN((4, 3)) == ap.MLP((4, 3), "sin", initializer="siren", frequency=30.0)


def test_first_weights_ask_for_no_deeper_keys_than_can_be_drawn_beforehand():
    for name, model in EVERY.items():
        requests = draws.Requests()
        jax.eval_shape(lambda model=model, r=requests: model.init(r, jnp.zeros((6, 2))))
        assert requests.made, name
        assert max(len(each.path) for each in requests.made) <= draws.DEPTH, name


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: M.KAN(5), TypeError, "must be a tuple of hidden widths"),
        (lambda: M.KAN((0,)), ValueError, "must be whole and at least 1"),
        (lambda: M.KAN(degree=0), ValueError, "degree is 0"),
        (lambda: M.KAN(basis="fourier"), ValueError, "one of spline, chebyshev"),
        (lambda: M.KAN(base="relu7"), ValueError, "unknown base 'relu7'"),
        (lambda: M.KAN(grid_range=(1, -1)), ValueError, "low below high"),
        (lambda: M.KAN(init_noise=-1.0), ValueError, "init_noise is -1"),
        (lambda: M.KAN(noise=0.1), TypeError, "has no argument 'noise'"),
        (lambda: M.Fourier(0), ValueError, "features is 0"),
        (lambda: M.Fourier(scale="big"), TypeError, "scale is 'big'"),
        (lambda: M.RBF(4, centers="rows"), ValueError, "'data', or a pair"),
        (lambda: M.RBF(4, width=0.0), ValueError, "width is 0.0; it must be above 0"),
        (lambda: M.RBF(1), ValueError, "give its width"),
        (lambda: M.RBF(9).init(KEY, jnp.zeros((5, 1))), ValueError, "9 of 5 training rows"),
        (lambda: M.Arithmetic("nalus"), ValueError, "did you mean 'nalu'"),
        (lambda: M.Arithmetic(("nau", "nmu"), ()), ValueError, "2 names, for 1 layers"),
        (lambda: M.NMU(3), TypeError, "must be a tuple"),
        (lambda: M.Residual(8, 0), ValueError, "blocks is 0"),
        (lambda: M.Residual(norm="batch"), ValueError, "None or 'layer'"),
        (lambda: M.Highway(gate_bias="low"), TypeError, "gate_bias is 'low'"),
    ],
)
def test_what_makes_no_network_is_refused_in_words(make, error, said):
    with pytest.raises(error, match=said):
        make()


# ---- trainings -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_ten_steps_of_lanes_as_with_vmap(name):
    task = ap.given(X, np.column_stack([X[:, 0] * X[:, 1]]))
    recipe = ap.Recipe(
        model=EVERY[name], learning_rate=0.01, steps=10, records=11, batch_size=4, l2=0.01
    )
    options = {"seeds": 3, "lanes": 8, "progress": False}
    kept = ("prediction", "params", "gradient_norm", "weight_norm")
    plain = ap.run(task, recipe, form="vmap", keep=kept, compiler_options=QUICK, **options)
    fast = ap.run(task, recipe, form="lanes", keep=kept, **options)
    assert (plain.loss.isel(step=-1) < plain.loss.isel(step=0)).any()
    for variable in plain.data_vars:
        a, b = plain[variable].values, fast[variable].values
        largest = np.nanmax(np.abs(a))
        np.testing.assert_allclose(b, a, rtol=5e-3, atol=5e-4 * largest, err_msg=variable)


@pytest.mark.parametrize("model", [M.Fourier(3), ap.scalings.PerFeature(M.Fourier(3))])
def test_fixed_frequencies_are_no_running_averages(model):
    assert not ap.scalings.mixes_rows(model, compiled(model.init, KEY, X))
    chain = M.Chain([M.Dense(2), M.BatchNorm()])
    assert ap.scalings.mixes_rows(chain, compiled(chain.init, KEY, X))


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["lm", "bfgs"])
def test_methods_of_second_order_leave_fixed_frequencies_alone(optimizer):
    loss = ap.losses.of_network(residuals=lambda network, batch: network(batch.x) - batch.y)
    for task in (ap.given(X, X[:, :1]), ap.given(X, X[:, :1], loss=loss)):
        recipe = ap.Recipe(model=EVERY["Fourier"], optimizer=optimizer, steps=40, l2=1e-4)
        runs = ap.run(task, recipe, seeds=2, keep=("params",), keep_at=(0, 40), progress=False)
        first, last = (ap.params(runs, seed=1, kept_step=step) for step in (0, 40))
        a, b = (params["batch_stats"]["frequencies"] for params in (first, last))
        np.testing.assert_array_equal(a, b)
        assert (runs.loss.isel(step=-1) < 0.5 * runs.loss.isel(step=0)).all()


@pytest.mark.slow
def test_fixed_frequencies_stay_and_are_not_decayed():
    task = ap.given(X, X[:, :1])
    recipe = ap.Recipe(
        model=EVERY["Fourier"], optimizer="adamw", learning_rate=0.1, steps=5, l2=0.1, batch_size=4
    )
    runs = ap.run(task, recipe, seeds=2, keep=("params",), keep_at=(0, 5), progress=False)
    first, last = (ap.params(runs, seed=1, kept_step=step) for step in (0, 5))
    a, b = (params["batch_stats"]["frequencies"] for params in (first, last))
    np.testing.assert_array_equal(a, b)
    assert (first["params"][0]["w"] != last["params"][0]["w"]).any()
