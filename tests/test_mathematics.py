"""Promise: each formula is the one it says, against a few lines of numpy, closed forms, and float64
differences.
"""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats
from conftest import QUICK

import approx as ap

KEY = jax.random.key(1)
RNG = np.random.default_rng(0)
OUT, TARGETS, LABELS = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3)), RNG.integers(0, 3, 6)
SIDES = RNG.integers(0, 2, (6, 3)).astype(float)
quick = partial(jax.jit, compiler_options=QUICK)


def loss_of_each(given):
    """The losses of these names, of outputs and targets."""
    return {name: ap.losses.LOSSES[name](*pair) for name, pair in given.items()}


def drawn(*models, inputs=2):
    """The first weights and biases of these models, drawn in one program."""
    init = quick(lambda key, x: [model.init(key, x) for model in models])
    return jax.tree.map(np.asarray, init(KEY, np.ones((1, inputs), np.float32)))


def test_losses():
    targets = {"cross_entropy": LABELS, "binary_cross_entropy": SIDES, "brier": SIDES}
    targets |= {"mse": TARGETS, "half_squared_error": TARGETS}
    with jax.enable_x64(True):
        value = quick(loss_of_each)({name: (OUT, values) for name, values in targets.items()})
    probability = scipy.special.expit(OUT)
    np.testing.assert_allclose(value["mse"], ((OUT - TARGETS) ** 2).mean(1))
    np.testing.assert_allclose(value["half_squared_error"], ((OUT - TARGETS) ** 2).sum(1) / 2)
    np.testing.assert_allclose(
        value["binary_cross_entropy"],
        -(SIDES * np.log(probability) + (1 - SIDES) * np.log(1 - probability)).mean(1),
    )
    np.testing.assert_allclose(value["brier"], ((probability - SIDES) ** 2).mean(1))
    np.testing.assert_allclose(
        value["cross_entropy"], -scipy.special.log_softmax(OUT, 1)[np.arange(6), LABELS]
    )


def test_losses_have_the_names_of_keras_and_pytorch_too():
    names = {
        "mse": ("mean_squared_error", "MSELoss"),
        "mae": ("mean_absolute_error", "L1Loss"),
        "huber": ("HuberLoss",),
        "smooth_l1": ("SmoothL1Loss",),
        "log_cosh": ("logcosh",),
        "mape": ("mean_absolute_percentage_error",),
        "msle": ("mean_squared_logarithmic_error",),
        "kl_divergence": ("kullback_leibler_divergence", "kld"),
        "probability_cross_entropy": ("categorical_crossentropy",),
        "probability_binary_cross_entropy": ("binary_crossentropy", "BCELoss"),
        "binary_cross_entropy": ("BCEWithLogitsLoss",),
    }
    assert {name for others in names.values() for name in others} == {*ap.losses.OTHER_NAMES}
    for name, others in names.items():
        for other in others:
            assert ap.losses.find(other) is ap.losses.LOSSES[name], other


def test_certain_probabilities_have_finite_losses():
    """They count as 1e-7 and 1 - 1e-7, which float32 rounds to 1 - 2^-23."""
    certain, targets = jnp.array([[1.0, 0.0]]), jnp.array([[0.0, 1.0]])
    least, most = -np.log(np.float32(1e-7)), -np.log(1 - np.float64(np.float32(1 - 1e-7)))
    found = ap.losses.find("probability_binary_cross_entropy")(certain, targets)
    np.testing.assert_allclose(found, [(least + most) / 2], rtol=1e-5)
    shares = ap.losses.find("probability_cross_entropy")
    np.testing.assert_allclose(shares(certain, targets), [least], rtol=1e-5)
    np.testing.assert_allclose(shares(certain, 1 - targets), [2.0**-23], rtol=1e-5)


def test_the_losses_of_keras_and_pytorch():
    """Each formula anew in numpy, from outputs, probabilities, one-hot targets or shares."""
    error, (n, k) = OUT - TARGETS, (np.arange(6), LABELS)
    p, shares = scipy.special.softmax(OUT, 1), scipy.special.softmax(TARGETS, 1)
    sides, one_hot = np.where(SIDES > 0, 1.0, -1.0), np.eye(3)[k]
    wrong = np.where(one_hot > 0, -np.inf, OUT).max(1)
    near = np.abs(error)
    expected = {  # outputs, targets, loss
        "sum_squared_error": (OUT, TARGETS, (error**2).sum(1)),
        "mae": (OUT, TARGETS, near.mean(1)),
        "huber": (OUT, TARGETS, np.where(near <= 1, near**2 / 2, near - 0.5).mean(1)),
        "smooth_l1": (OUT, TARGETS, np.where(near <= 1, near**2 / 2, near - 0.5).mean(1)),
        "log_cosh": (OUT, TARGETS, np.log(np.cosh(error)).mean(1)),
        "mape": (OUT, TARGETS, 100 * (near / np.abs(TARGETS)).mean(1)),
        "msle": (p, shares, ((np.log1p(p) - np.log1p(shares)) ** 2).mean(1)),
        "poisson": (p, shares, (p - shares * np.log(p + 1e-7)).mean(1)),
        "poisson_log": (OUT, shares, (np.exp(OUT) - shares * OUT).mean(1)),
        "hinge": (OUT, SIDES, np.maximum(1 - sides * OUT, 0).mean(1)),
        "squared_hinge": (OUT, SIDES, (np.maximum(1 - sides * OUT, 0) ** 2).mean(1)),
        "categorical_hinge": (OUT, one_hot, np.maximum(np.maximum(wrong, 0) - OUT[n, k] + 1, 0)),
        "soft_cross_entropy": (OUT, shares, -(shares * np.log(p)).sum(1)),
        "probability_cross_entropy": (7 * p, one_hot, -np.log(p[n, k])),
        "probability_binary_cross_entropy": (
            p,
            SIDES,
            -(SIDES * np.log(p) + (1 - SIDES) * np.log(1 - p)).mean(1),
        ),
        "kl_divergence": (p, shares, (shares * np.log(shares / p)).sum(1)),
    }
    far_right = {  # outputs that are right by more than the margin
        "hinge": (10 * sides, SIDES),
        "squared_hinge": (10 * sides, SIDES),
        "categorical_hinge": (20 * one_hot - 10, one_hot),
    }
    for name, (outputs, targets) in far_right.items():
        found = ap.losses.find(name)(jnp.float32(outputs), jnp.float32(targets))
        np.testing.assert_array_equal(found, np.zeros(6), name)
    before = {"mse", "half_squared_error", "binary_cross_entropy", "brier", "cross_entropy"}
    assert set(expected) | before == set(ap.losses.LOSSES)
    with jax.enable_x64(True):
        found = quick(loss_of_each)({name: tuple(two) for name, (*two, _) in expected.items()})
    for name, (_, _, values) in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-9, err_msg=name)


def test_losses_with_numbers_and_slopes_at_their_corners():
    error = np.abs(OUT - TARGETS)
    huber = ap.losses.with_numbers("huber", delta=0.3)
    smooth = ap.losses.with_numbers("smooth_l1", beta=0.3)
    known = np.where(error <= 0.3, error**2 / 2, 0.3 * (error - 0.15)).mean(1)

    @quick
    def found(out, targets):
        exact, beyond = jnp.zeros((1, 1)), jnp.full((1, 1), 2.0)
        at_end = jax.grad(lambda p: ap.losses.probability_binary_cross_entropy(p, exact).sum())
        slopes = jax.grad(lambda f: ap.losses.mae(f, exact).sum())(exact), at_end(beyond)
        return huber(out, targets), smooth(out, targets), slopes

    of_huber, of_smooth, slopes = jax.tree.map(np.asarray, found(OUT, TARGETS))
    np.testing.assert_allclose(of_huber, known, rtol=1e-5)
    np.testing.assert_allclose(of_smooth, known / 0.3, rtol=1e-5)
    np.testing.assert_array_equal(slopes, 0)  # the second is clipped, as in Keras
    for words, wrong in {
        "has no numbers": ("mae", {"delta": 1.0}),
        "delta is 0; it must be": ("huber", {"delta": 0}),
    }.items():
        with pytest.raises(ValueError, match=words):
            ap.losses.with_numbers(wrong[0], **wrong[1])
    task = ap.given([0.0, 1.0], [0.0, 1.0], loss="mean_absolute_error")
    assert task.loss == "mae"
    assert ap.given([0.0, 1.0], [0.0, 1.0], loss=ap.losses.mae).loss == "mae"


def test_losses_stay_finite_where_sigmoids_saturate():
    found = quick(loss_of_each)(
        {
            "binary_cross_entropy": (np.array([[200.0], [-200.0]]), np.array([[0.0], [1.0]])),
            "cross_entropy": (np.array([[200.0, -200.0]]), np.array([1])),
        }
    )
    np.testing.assert_allclose(found["binary_cross_entropy"], [200, 200])
    np.testing.assert_allclose(found["cross_entropy"], [400])


def test_the_largest_output_is_the_first_of_equals_and_none_of_numbers_that_are_none():
    largest = quick(ap.losses.largest)
    equal = np.random.default_rng(0).integers(0, 3, (50, 4, 2)).astype(np.float32)
    np.testing.assert_array_equal(largest(equal), np.argmax(equal, 1))
    broken = np.array([[np.nan, 1.0], [np.nan, np.nan], [np.inf, 1.0], [-np.inf, -np.inf]])
    np.testing.assert_array_equal(largest(broken), [2, 2, 0, 0])
    assert not np.any(quick(ap.losses.same_class)(broken[:2], np.array([1, 0])))


def test_errors_in_standardised_units_against_numpy():
    for scale, known in (
        (2.5, 2.5),
        ((0.5, 2.0, 3.0), np.array([0.5, 2.0, 3.0])),
        (None, TARGETS.std(1)[:, None]),
    ):
        found = quick(ap.losses.ScaledError(scale))(OUT, TARGETS)
        np.testing.assert_allclose(found, (((OUT - TARGETS) / known) ** 2).mean(1), rtol=1e-5)


def test_products_of_many_inputs_and_their_derivatives():
    rng = np.random.default_rng(0)
    x, w, g = (rng.normal(size=size) for size in ((3, 128), (128, 2), (3, 2)))
    tall = jnp.asarray(x, jnp.float32), jnp.asarray(w, jnp.float32)
    close = {"rtol": 1e-4, "atol": 1e-5}  # of sums of 128 products of about 1, in float32
    value, pull = jax.vjp(ap.models.contract, *tall)
    np.testing.assert_allclose(value, x @ w, **close)
    for found, known in zip(pull(jnp.asarray(g, jnp.float32)), (g @ w.T, x.T @ g), strict=True):
        np.testing.assert_allclose(found, known, **close)
    np.testing.assert_allclose(jax.jvp(ap.models.contract, tall, tall)[1], 2 * x @ w, **close)
    assert "optimization_barrier" in str(
        jax.make_jaxpr(jax.grad(lambda w: ap.models.contract(tall[0], w).sum()))(tall[1])
    )


def polygon(z, heights, values):
    """FANN's stepwise activation: numpy's interpolation, and a jump to the ends beyond."""
    inside = np.interp(z, values, heights)
    middle = (heights[0] + heights[-1]) / 2
    ends = np.where(z < middle, np.round(heights[0]), np.round(heights[-1]))
    return np.where((z >= values[0]) & (z < values[-1]), inside, ends)


def test_activations_and_their_slopes():
    """Each formula anew in numpy; the slopes by central differences in float64, beside corners."""
    z = np.linspace(-6.05, 6.05, 28)
    e, logistic = np.exp(z), 1 / (1 + np.exp(-z))
    negative = np.exp(np.minimum(z, 0)) - 1
    step = np.array([0.005, 0.05, 0.25, 0.75, 0.95, 0.995])
    logit = np.log(step / (1 - step))
    expected = {
        "tanh": np.tanh(z),
        "relu": np.maximum(z, 0),
        "sigmoid": logistic,
        "gelu": z * scipy.special.ndtr(z),
        "gaussian": np.exp(-(z**2)),
        "sin": np.sin(2.5 * z),
        "snake": z + np.sin(0.7 * z) ** 2 / 0.7,
        "square": z**2,
        "linear": z,
        "xla_tanh": np.tanh(z),
        "elu": np.where(z > 0, z, negative),
        "selu": 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * negative),
        "celu": np.maximum(z, 0) + np.minimum(0, negative),
        "leaky_relu": np.where(z > 0, z, 0.01 * z),
        "relu6": np.clip(z, 0, 6),
        "silu": z * logistic,
        "hard_silu": z * np.clip(z + 3, 0, 6) / 6,
        "mish": z * np.tanh(np.log1p(e)),
        "gelu_tanh": z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
        "softplus": np.log1p(e),
        "softsign": z / (1 + np.abs(z)),
        "exponential": e,
        "hard_sigmoid": np.clip(z / 6 + 0.5, 0, 1),
        "hard_tanh": np.clip(z, -1, 1),
        "hard_shrink": np.where(np.abs(z) > 0.5, z, 0),
        "soft_shrink": np.sign(z) * np.maximum(np.abs(z) - 0.5, 0),
        "tanh_shrink": z - np.tanh(z),
        "threshold": np.where(z > 0, z, 0),
        "log_sigmoid": np.log(logistic),
        "scaled_tanh": 1.7159 * np.tanh(2 * z / 3),
        "elliot": 0.5 * z / 2 / (1 + np.abs(0.5 * z)) + 0.5,
        "elliot_symmetric": 0.5 * z / (1 + np.abs(0.5 * z)),
        "fann_sigmoid": logistic,
        "fann_sigmoid_stepwise": polygon(z, step, logit),
        "fann_tanh": np.tanh(0.5 * z),
        "fann_tanh_stepwise": polygon(z, 2 * step - 1, logit),
        "softmax": e / e.sum(),
        "log_softmax": z - np.log(e.sum()),
    }
    assert set(expected) == set(ap.models.ACTIVATIONS)
    numbers = {"sin": {"frequency": 2.5}, "snake": {"a": 0.7}}
    models = {name: ap.MLP((), name, **numbers.get(name, {})) for name in expected}

    def all_of(z):
        return {name: model.activate(z[None])[0] for name, model in models.items()}

    found = quick(all_of)(z)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=3e-6, atol=3e-6, err_msg=name)
    with jax.enable_x64(True):
        h, both = 1e-5, quick(lambda z: jax.jvp(all_of, (z,), (jnp.ones_like(z),)))
        values, slopes = jax.tree.map(np.asarray, both(z))
        above, below = (jax.tree.map(np.asarray, both(z + d)[0]) for d in (h, -h))
    for name, slope in slopes.items():
        known = (above[name] - below[name]) / (2 * h)
        if name.startswith("fann"):  # of the value, between bounds
            bound, is_tanh = (0.98, True) if "tanh" in name else (0.99, False)
            v = np.clip(values[name], -bound if is_tanh else 0.01, bound)
            known = 0.5 * (1 - v**2) if is_tanh else v * (1 - v)
        np.testing.assert_allclose(slope, known, rtol=1e-6, atol=1e-7, err_msg=name)


def test_activations_with_numbers_of_their_own():
    z = np.linspace(-3, 3, 13)
    for made, expected in (
        (ap.models.activation("leaky_relu", slope=0.3), np.where(z > 0, z, 0.3 * z)),
        (ap.models.activation("hard_sigmoid", slope=0.2), np.clip(0.2 * z + 0.5, 0, 1)),
        (ap.models.activation("scaled_tanh", inner=1 / 3), 1.7159 * np.tanh(z / 3)),
        (ap.models.activation("fann_tanh", steepness=1), np.tanh(z)),
    ):
        np.testing.assert_allclose(quick(ap.MLP((), made).activate)(z), expected, atol=2e-6)
    steep = quick(jax.grad(ap.models.activation("fann_sigmoid", steepness=1)))
    np.testing.assert_allclose(steep(0.0), 0.5)
    assert ap.models.activation("elu", alpha=2) == ap.models.activation("elu", alpha=2.0)
    with pytest.raises(ValueError, match="has no number 'alpha'; it has: slope"):
        ap.models.activation("leaky_relu", alpha=0.3)
    with pytest.raises(TypeError, match="of the activation 'leaky_relu' is '"):
        ap.models.activation("leaky_relu", slope="0.3")


def test_slopes_at_corners_are_those_of_pytorch():
    corners = {
        "relu": (0.0, 0.0),
        "leaky_relu": (0.0, 0.01),
        "relu6": (6.0, 0.0),
        "elu": (0.0, 1.0),
    }
    corners |= {"hard_tanh": (1.0, 0.0), "softsign": (0.0, 1.0)}

    @quick
    def slopes():
        return {name: jax.grad(ap.models.ACTIVATIONS[name])(z) for name, (z, _) in corners.items()}

    found = slopes()
    for name, (_, slope) in corners.items():
        np.testing.assert_allclose(found[name], slope, rtol=1e-6, err_msg=name)


def test_a_network_of_several_activations_and_initialisers():
    """An activation for each layer and one for the outputs; weights and biases layer by layer."""
    model = ap.MLP(
        (4, 3),
        ["relu", "swish"],
        outputs=2,
        initializer=["he", ("pytorch", "ones"), ap.models.initializer("constant", value=0.25)],
        output_activation="softmax",
    )
    x = np.random.default_rng(0).normal(size=(5, 2))
    (first, second, last), (he,) = drawn(model, ap.MLP((), outputs=4, initializer="he"))
    np.testing.assert_array_equal(first["w"], he["w"])
    np.testing.assert_array_equal(second["b"], np.ones(3))
    assert np.abs(second["w"]).max() <= 0.5
    np.testing.assert_array_equal(last["w"], np.full((3, 2), 0.25))
    hidden = np.maximum(x @ first["w"], 0)
    hidden = hidden @ second["w"] + second["b"]
    hidden = hidden / (1 + np.exp(-hidden))
    z = np.exp(hidden @ last["w"] + last["b"])
    found = quick(model.apply)([first, second, last], x.astype(np.float32))
    np.testing.assert_allclose(found, z / z.sum(1, keepdims=True), rtol=1e-5)
    assert replace(model, init_scale=1.0) == model
    assert ap.MLP((2,), initializer=("he", "he")) != ap.MLP((2,), initializer=["he", "he"])
    for words, changes in {
        "activation has 3 entries, for 2 hidden layers": {"activation": ["relu"] * 3},
        "initializer is a list of 2, for 3 layers": {"initializer": ["he", "he"]},
        "initializer is a tuple of 3": {"initializer": ("he", "he", "zeros")},
        "dropout has 1 rates, for 2 hidden layers": {"dropout": (0.1,)},
        "unknown output_activation 'softmx'.*did you mean 'softmax'": {
            "output_activation": "softmx"
        },
    }.items():
        with pytest.raises(ValueError, match=words):
            replace(model, **changes)


def kolmogorov(values, cdf):
    """The p-value that values come from a distribution."""
    return scipy.stats.kstest(np.ravel(values), cdf).pvalue


def test_the_distributions_that_frameworks_were_measured_to_draw():
    """Weights and biases of 60 inputs and 80 units: quantiles against the closed form."""
    i, o = 60, 80
    cut = scipy.stats.truncnorm(-2, 2, scale=1)
    normal, uniform = scipy.stats.norm, scipy.stats.uniform

    def within(bound):
        return uniform(-bound, 2 * bound)

    def truncated(sd):
        return scipy.stats.truncnorm(-2, 2, scale=sd / cut.std())

    glorot, he, lecun = np.sqrt([2 / (i + o), 2 / i, 1 / i])
    known = {  # of the weights; of the biases, or their value
        "sklearn": (within(np.sqrt(6 / (i + o))), within(np.sqrt(6 / (i + o)))),
        "fann": (within(0.1), within(0.1)),
        "weka": (within(0.05), within(0.05)),
        "brainjs": (within(0.2), within(0.2)),
        "synaptic": (within(0.1), within(0.1)),
        "pyrenn": (within(0.5), within(0.5)),
        "ffnet": (within(2.38 / np.sqrt(i + 1)), within(2.38 / np.sqrt(i + 1))),
        "convnetjs": (normal(0, lecun), 0.0),
        "chainer": (normal(0, lecun), 0.0),
        "tfjs": (scipy.stats.truncnorm(-2, 2, scale=glorot), 0.0),
        "mlfnn": (uniform(0, lecun), 0.0),
        "matlab": (within(1), within(1)),
        "normal": (normal(0, 1), 0.0),
        "between": (uniform(0, 1), 0.0),
        "random_normal": (normal(0, 0.05), 0.0),
        "random_uniform": (within(0.05), 0.0),
        "truncated_normal": (scipy.stats.truncnorm(-2, 2, scale=0.05), 0.0),
        "glorot_normal": (truncated(glorot), 0.0),
        "xavier_normal": (normal(0, glorot), 0.0),
        "he_normal": (truncated(he), 0.0),
        "he_uniform": (within(np.sqrt(3) * he), 0.0),
        "lecun_normal": (truncated(lecun), 0.0),
        "lecun_uniform": (within(np.sqrt(3) * lecun), 0.0),
        "variance_scaling": (truncated(lecun), 0.0),
        "ones": (1.0, 0.0),
        "zeros": (0.0, 0.0),
        "constant": (0.0, 0.0),
    }
    in_other_tests = {"keras", "pytorch", "nnet", "he", "uniform", "siren", "identity"}
    by_formula = {"neurolab", "opencv", "orthogonal"}
    assert set(known) | in_other_tests | by_formula == set(ap.models.INITIALIZERS)
    models = [ap.MLP((), outputs=o, initializer=name) for name in known]
    layers = [layer for (layer,) in drawn(*models, inputs=i)]
    for (name, pair), layer in zip(known.items(), layers, strict=True):
        for values, expected in zip((layer["w"], layer["b"]), pair, strict=True):
            if isinstance(expected, float):
                np.testing.assert_array_equal(values, expected, err_msg=name)
            else:
                low, high = expected.support()
                assert low <= np.min(values)
                assert np.max(values) <= high
                assert kolmogorov(values, expected.cdf) > 1e-3, name
    logistic, relu, vector = drawn(
        ap.MLP((o,), "logistic", initializer="sklearn"),
        ap.MLP((o,), "relu", initializer="convnetjs"),
        ap.MLP((), outputs=500, initializer=("zeros", "he_uniform")),
        inputs=i,
    )
    assert kolmogorov(logistic[0]["b"], within(np.sqrt(2 / (i + o))).cdf) > 1e-3
    np.testing.assert_array_equal(relu[0]["b"], np.float32(0.1))
    np.testing.assert_array_equal(relu[1]["b"], 0)
    # Keras' fan-in of a vector
    assert kolmogorov(vector[0]["b"], within(np.sqrt(6 / 500)).cdf) > 1e-3


def test_initialisers_of_a_formula():
    wide = ap.models.initializer("neurolab", low=0.0, high=10.0)
    orthogonal, neurolab, wide, matlab, opencv, uniform = drawn(
        ap.MLP((), outputs=5, initializer="orthogonal"),
        ap.MLP((5,), "sigmoid", initializer="neurolab"),
        ap.MLP((5,), "sigmoid", initializer=wide),
        ap.MLP((5,), "tanh", initializer="matlab"),
        ap.MLP((5,), "tanh", initializer="opencv"),
        ap.MLP((), outputs=5, initializer="uniform"),
    )
    w = orthogonal[0]["w"]
    np.testing.assert_allclose(w @ w.T, np.eye(2), atol=1e-6)
    first, last = neurolab
    size = 0.7 * 5**0.5 * 4  # the logistic function's active range is ±4
    np.testing.assert_allclose(np.linalg.norm(first["w"], axis=0), size, rtol=1e-5)
    places = first["b"] / (size * np.sign(first["w"][0]))
    np.testing.assert_allclose(places, np.linspace(-1, 1, 5), atol=1e-6)
    # Inputs from 0 to 1 instead of -1 to 1: twice the weights, and biases less the sum of these, as
    # neurolab has it; less half of it would leave the units' active range in place
    np.testing.assert_allclose(np.linalg.norm(last["w"]), 2 * 0.7, rtol=1e-5)
    np.testing.assert_allclose(last["b"], -last["w"].sum(0), rtol=1e-5)
    wide = wide[0]
    np.testing.assert_allclose(5 * wide["w"], first["w"], rtol=1e-5)
    np.testing.assert_allclose(wide["b"] + wide["w"].sum(0), first["b"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(matlab[0]["w"], axis=0), size / 2, rtol=1e-5)
    first, last = opencv
    np.testing.assert_allclose(np.abs(first["w"]).sum(0), 1, rtol=1e-5)
    largest = 0.7 * 2 ** (1 / 4) * np.abs(2 * np.arange(5) / 5 - 1)  # times U(-1, 1) / Σ |U(-1, 1)|
    shares = uniform[0]["b"] / np.abs(uniform[0]["w"]).sum(0)
    expected = shares * np.sign(2 * np.arange(5) / 5 - 1) * largest
    np.testing.assert_allclose(first["b"], expected, rtol=1e-5)
    assert np.abs(last["w"]).max() > 0.3  # not divided
    for words, wrong in {
        "has no number 'bound'; it has: sd, mean": ("normal", {"bound": 1.0}),
        "mode is 'fan_it'; there is: fan_in": ("variance_scaling", {"mode": "fan_it"}),
        "unknown initializer 'glorot'": ("glorot", {}),
    }.items():
        with pytest.raises(ValueError, match=words):
            ap.models.initializer(wrong[0], **wrong[1])


def test_initializers_have_the_distributions_they_are_named_after():
    # 20,000 weights: their extremes lie within 1e-3 of the bound with certainty, std within 2%
    n_in, n_out = 50, 400
    bounds = {  # (bound or std of the weights, of the biases)
        "keras": (np.sqrt(6 / (n_in + n_out)), 0),
        "pytorch": (1 / np.sqrt(n_in), 1 / np.sqrt(n_in)),
        "nnet": (0.7, 0.7),
        "uniform": (1, 1),
    }
    models = [ap.MLP((), outputs=n_out, initializer=name, init_scale=3.0) for name in bounds]
    *named, (he,), siren = drawn(
        *models,
        ap.MLP((), outputs=n_out, initializer="he"),
        ap.MLP((n_out,), "sin", outputs=9, initializer="siren", frequency=30.0),
        inputs=n_in,
    )
    for (w_bound, b_bound), (layer,) in zip(bounds.values(), named, strict=True):
        for values, bound in ((layer["w"], 3 * w_bound), (layer["b"], 3 * b_bound)):
            assert np.abs(values).max() <= bound * (1 + 1e-6)
            if bound:
                assert np.abs(values).max() > 0.98 * bound
                assert np.std(values) == pytest.approx(bound / np.sqrt(3), rel=0.06)
    assert np.std(he["w"]) == pytest.approx(np.sqrt(2 / n_in), rel=0.02)
    assert np.abs(he["w"]).max() > 3 * np.sqrt(2 / n_in)  # untruncated
    assert 0.98 / n_in < np.abs(siren[0]["w"]).max() <= 1 / n_in
    assert 0.98 * np.sqrt(6 / n_out) / 30 < np.abs(siren[1]["w"]).max() <= np.sqrt(6 / n_out) / 30
    ((eye,),) = drawn(ap.MLP((), outputs=5, initializer="identity"), inputs=5)
    np.testing.assert_array_equal(eye["w"], np.eye(5))


def test_ten_steps_of_gradient_descent_against_numpy():
    recipe = ap.Recipe(
        model=ap.MLP((10,)),
        optimizer="sgd",
        learning_rate=1e-3,
        steps=10,
        records=range(11),
        l2=0.01,
    )
    with jax.enable_x64(True):
        recipe = replace(recipe, dtype="float64")
        task = ap.tasks.square()
        state = quick(ap.init)(jax.random.key(0), task, recipe)
        trace = quick(ap.train)(jax.random.key(0), task, recipe)
    (w1, b1), (w2, b2) = ((np.array(p["w"]), np.array(p["b"])) for p in state.params)
    x = np.arange(-10.0, 11)[:, None]
    y = x**2
    for step in range(11):
        h = np.tanh(x @ w1 + b1)
        e = h @ w2 + b2 - y
        assert float(trace.loss[step]) == pytest.approx((e**2).mean(), rel=1e-12)
        if step < 10:
            assert float(trace.batch_loss[step + 1]) == pytest.approx(
                (e**2).mean() + 0.01 * ((w1**2).sum() + (w2**2).sum()), rel=1e-12
            )
        d = 2 * e / len(x)
        back = (d @ w2.T) * (1 - h**2)
        w1, b1, w2, b2 = (
            w1 - 1e-3 * (x.T @ back + 0.02 * w1),
            b1 - 1e-3 * back.sum(0),
            w2 - 1e-3 * (h.T @ d + 0.02 * w2),
            b2 - 1e-3 * d.sum(0),
        )


@pytest.mark.parametrize(
    "activation", ["tanh", "gelu", "gaussian", "sin", "snake", "sigmoid", "square"]
)
def test_gradients_against_float64_differences(activation):
    task = ap.tasks.sine(range=1.0, size=9)
    recipe = ap.Recipe(model=ap.MLP((3,), activation), dtype="float64", l2=0.1)
    x, flat = np.linspace(-1, 1, 9)[:, None], np.random.default_rng(2).normal(size=10)

    def of(v, x, y):
        params = [
            {"w": v[:3].reshape(1, 3), "b": v[3:6]},
            {"w": v[6:9].reshape(3, 1), "b": v[9:]},
        ]
        return ap.loss(params, x, y, task, recipe)

    eye = 1e-5 * np.eye(10)
    with jax.enable_x64(True):
        both = quick(jax.vmap(jax.value_and_grad(of), (0, None, None)))
        values, slopes = both(np.concatenate([flat + eye, flat - eye, [flat]]), x, np.sin(x))
    numeric = (np.asarray(values[:10]) - np.asarray(values[10:20])) / 2e-5
    np.testing.assert_allclose(slopes[20], numeric, rtol=1e-6, atol=1e-8)


def test_linear_models_reach_least_squares(quiet):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    y = x @ rng.normal(size=(3, 2)) + 0.3 * rng.normal(size=(40, 2)) + 1
    recipe = ap.Recipe(model=ap.MLP((), outputs=2), optimizer="sgd", learning_rate=0.3, steps=400)
    runs = ap.run(ap.given(x, y), recipe, seeds=2, keep=("params",), **quiet)
    design = np.c_[x, np.ones(40)]
    solution, *_ = np.linalg.lstsq(design, y)
    (layer,) = ap.params(runs, seed=1)
    np.testing.assert_allclose(np.vstack([layer["w"], layer["b"]]), solution, atol=1e-5)
    assert float(runs.loss.isel(step=-1, seed=1)) == pytest.approx(
        ((design @ solution - y) ** 2).mean(), rel=1e-5
    )


X_TEST = np.linspace(-3, 3, 301)


@pytest.fixture(scope="module")
def cubes(quiet):
    """Networks that were trained on cubes from -1 to 1, and judged on those from -3 to 3."""
    task = ap.task(lambda x: x**3, np.linspace(-1, 1, 9), X_TEST)
    return ap.run(task, ap.Recipe(model=ap.MLP((2,)), steps=20), seeds=3, **quiet)


def test_records_against_numpy(cubes):
    runs = cubes
    error = (runs.prediction.values[..., 0] - X_TEST**3) ** 2
    inside = np.abs(X_TEST) <= 1.00001
    np.testing.assert_allclose(runs.test_loss.isel(step=-1), error[:, inside].mean(1), rtol=1e-5)
    np.testing.assert_allclose(
        runs.outside_loss.isel(step=-1), error[:, ~inside].mean(1), rtol=1e-5
    )
    np.testing.assert_allclose(runs.distance, np.maximum(np.abs(X_TEST) - 1, 0), atol=1e-6)


def test_square_data_are_the_integers_and_their_squares():
    x, y = jax.jit(lambda task: task.rows(jax.random.key(0), jax.random.key(0)))(ap.tasks.square())
    np.testing.assert_array_equal(x[:, 0], np.arange(-10, 11))
    np.testing.assert_array_equal(y[:, 0], np.arange(-10, 11) ** 2)
    for half_width in (10.0, 50.0):
        points = jax.jit(lambda task: task.points())(ap.tasks.square(range=half_width))
        assert np.isin([4, -4, 11, 20, 8, -5], points.x[:, 0]).all()
        np.testing.assert_array_equal(points.distance == 0, np.abs(points.x[:, 0]) <= half_width)


def test_dropout_keeps_the_mean_and_its_rate():
    dropped = quick(lambda key, x: ap.models.dropout(key, 0, x, 0.3))
    out = np.asarray(dropped(jax.random.key(0), np.ones((200, 500), np.float32)))
    assert set(np.unique(out)) == {0, np.float32(1 / np.float32(0.7))}
    # Four standard deviations of 100,000 draws
    assert (out == 0).mean() == pytest.approx(0.3, abs=0.006)


def test_every_layer_drops_units_of_its_own():
    """Three tenths of the units are dropped after each of two layers, 0.3² of them after both."""
    same, none = np.eye(400, dtype=np.float32), np.zeros((400, 400), np.float32)
    layers = [{"w": same, "b": none[0]}] * 3
    model = ap.MLP((400, 400), "linear", outputs=400, dropout=0.3)
    drop = quick(lambda params: model.apply(params, jnp.ones((100, 400)), key=KEY))
    ones = [layers[0], {"w": none, "b": none[0] + 1}, layers[2]]
    second = np.asarray(drop(ones)) == 0  # the second layer's mask alone
    either = np.asarray(drop(layers)) == 0  # a unit is 0 if one of the masks drops it
    # Independent masks leave 0.7² = 0.49 of the units, one mask for all 0.7; four deviations of
    # 40,000 draws are 0.01.
    assert second.mean() == pytest.approx(0.3, abs=0.01)
    assert either.mean() == pytest.approx(1 - 0.49, abs=0.01)


@pytest.mark.slow  # test_own_metrics_norms_and_kept_steps compares it too
def test_the_gradients_norm_is_that_of_the_loss(quiet):
    recipe = ap.Recipe(model=ap.MLP((4,)), steps=2, records=(0, 2))
    task = ap.tasks.square(range=1.0)
    runs = ap.run(task, recipe, seeds=2, keep=("params", "gradient_norm"), keep_at=(0, 2), **quiet)
    rows = task.rows(KEY, KEY)
    for step in (0, 2):
        slope = jax.grad(ap.loss)(ap.params(runs, seed=1, kept_step=step), *rows, task, recipe)
        norm = float(np.sqrt(sum((np.asarray(leaf) ** 2).sum() for leaf in jax.tree.leaves(slope))))
        assert float(runs.gradient_norm.sel(seed=1, step=step)) == pytest.approx(norm, rel=1e-5)


def test_the_validation_loss_is_the_mean_over_the_rows_held_out(quiet):
    x = np.arange(10.0)
    recipe = ap.Recipe(model=ap.MLP(()), steps=2, records=(0, 2))
    with pytest.warns(UserWarning, match="end of sorted rows"):
        runs = ap.run(ap.given(x, x**2, validation=0.2), recipe, seeds=2, **quiet)
    outputs = runs.prediction.values[..., 0]  # at all ten rows, as there are no others
    np.testing.assert_allclose(
        runs.validation_loss.isel(step=-1), ((outputs - x**2) ** 2)[:, 8:].mean(1), rtol=1e-5
    )


def test_the_batch_accuracy_is_that_of_the_batches_since_the_last_record(quiet):
    """In the order of the rows, three batches of 100 to an epoch: 0s, 1s, 0s. A constant output is
    right on the 0s.
    """
    recipe = ap.Recipe(
        model=ap.MLP(()), optimizer="sgd", learning_rate=1e-12, steps=6, batch_size=100
    )
    recipe = replace(recipe, batches="order", records=(0, 1, 2, 4, 6))
    below = [{"w": np.zeros((1, 1), np.float32), "b": np.full(1, -1.0, np.float32)}]
    runs = ap.run(ap.tasks.interval(), recipe, seeds=2, init_params=below, **quiet)
    # 0; then 1; then the 1s; then two of 0s; then 1s and 0s
    found = runs.batch_accuracy.isel(seed=0).values
    np.testing.assert_allclose(found[1:], [1, 0, 1, 0.5], rtol=1e-6)


def test_noise_has_its_standard_deviation_and_spares_the_points():
    task = ap.tasks.sine(size=20_000, noise=0.25)
    rows_and_points = quick(lambda task, key: (task.rows(key, key), task.points()))
    (_, y), points = rows_and_points(task, KEY)
    clean = np.sin(np.linspace(-2 * np.pi, 2 * np.pi, 20_000))
    assert np.std(np.asarray(y)[:, 0] - clean) == pytest.approx(0.25, rel=0.02)
    np.testing.assert_allclose(points.y, np.sin(np.asarray(points.x)), atol=1e-6)


def test_validation_rows_are_the_last():
    for n, kept in ((10, 8), (21, 16)):  # Keras keeps floor(n (1 - validation_split))
        task = ap.given(np.arange(float(n)), np.arange(float(n)) ** 2, validation=0.2)
        (x, _), (held, _) = quick(task.split)(KEY, KEY)
        assert x[:, 0].tolist() == list(range(kept))
        assert held[:, 0].tolist() == list(range(kept, n))


def test_the_ends_of_the_range_are_inside_whatever_their_rounding():
    task = ap.task(np.square, np.linspace(-2, 2, 41), np.arange(-4, 4.01, 0.1))
    assert (task.distance == 0).sum() == 41


def test_errors_by_distance(cubes):
    errors = ap.stats.error_by_distance(cubes)
    x, absolute = X_TEST, np.abs(cubes.prediction.values[..., 0] - X_TEST**3)
    np.testing.assert_allclose(
        errors.error.isel(distance=0), absolute[:, np.abs(x) <= 1.00001].mean(1), rtol=1e-5
    )
    for distance in (0.02, 1.0, 2.0):
        beyond = absolute[:, np.abs(np.abs(x) - 1 - distance) < 1e-4].mean(1)
        np.testing.assert_allclose(
            errors.error.sel(distance=distance, method="nearest"), beyond, rtol=1e-5
        )
    assert errors.sizes["distance"] == 101
