"""Keras' layers, initialisers and activations, from dictionaries, as layers of a chain."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from approx import models
from approx.frameworks import fits, penalties
from approx.frameworks.chains import Layer


def layer_of(one: Mapping[str, Any], n: int, start: str) -> list[Layer]:
    """A layer of Keras as layers of a chain.

    Args:
        one: its class, its configuration, and its weights.
        n: its number.
        start: see `question`.

    Raises:
        ValueError: a layer, or an option of it, that cannot be translated.
    """
    kind, config = one["class_name"], one["config"]
    name = f"layer {n}, {config.get('name', '')!r} ({kind})"
    fits.refuse(name, config, {"trainable": True}, "all layers are trained here")
    make = fits.known("the layer", kind, LAYERS, NEAREST_LAYERS, "Keras")
    return make(name, config, one.get("weights", []), start)


def is_dense(one: Mapping[str, Any]) -> bool:
    """Whether a described layer is a dense one."""
    return one["class_name"] == "Dense"


def dense(name: str, config: Mapping[str, Any], weights: Sequence[Any], start: str) -> list[Layer]:
    """A dense layer, and its activation as a layer of its own."""
    without = dict.fromkeys(
        ("kernel_constraint", "bias_constraint", "activity_regularizer", "lora_rank"), None
    )
    fits.refuse(name, config, without, "leave it out")
    initializer: Any
    if start == "as given":
        initializer = tuple(map(fits.constant, weights))
        if len(initializer) == 1:
            initializer = (*initializer, "zeros")
    else:
        initializer = both(config)
    values = {"units": config["units"], "bias": config["use_bias"], "initializer": initializer}
    return [Layer("dense", name, values), *activation(name, {"activation": config["activation"]})]


def both(config: Mapping[str, Any]) -> Any:
    """The initialisers of a dense layer, by one word if they are Keras' own."""
    of_weights = initializer_of(config["kernel_initializer"])
    of_biases = initializer_of(config.get("bias_initializer", {"class_name": "Zeros"}))
    if of_weights == "keras" and of_biases == "zeros":
        return "keras"
    return of_weights, of_biases


def initializer_of(said: Any) -> Any:
    """An initialiser by its name here, with its numbers."""
    if isinstance(said, str):
        said = {"class_name": said, "config": {}}
    config = said.get("config", {})
    make = fits.known("the initializer", said["class_name"], INITIALIZERS, {}, "Keras")
    return make(config)


def activation(name: str, config: Mapping[str, Any], *_: Any) -> list[Layer]:
    """An activation as a layer; none for the linear one."""
    function = activation_of(config["activation"])
    return [] if function == "linear" else [Layer("activation", name, {"function": function})]


def activation_of(said: Any) -> Any:
    """An activation by its name here, or as one with numbers of its own.

    Args:
        said: a word of Keras, or a layer that is an activation, as a dictionary.
    """
    if isinstance(said, str):
        return fits.known("the activation", said, ACTIVATIONS, {}, "Keras")
    if said.get("class_name") == "function":
        return activation_of(said["config"])
    kind = said["class_name"]
    make = fits.known("the activation", kind, ACTIVATION_LAYERS, {"PReLU": "LeakyReLU"}, "Keras")
    return make(said.get("config", {}))


def activation_layer(kind: str) -> Any:
    """The translation of a layer that is an activation."""

    def make(name: str, config: Mapping[str, Any], *_: Any) -> list[Layer]:
        function = activation_of({"class_name": kind, "config": config})
        return [Layer("activation", name, {"function": function})]

    return make


def relu_layer(config: Mapping[str, Any]) -> Any:
    """Keras' ReLU layer: the plain one, one with a slope below 0, or one cut at 6."""
    top = config.get("max_value")
    slope, threshold = config.get("negative_slope", 0.0), config.get("threshold", 0.0)
    if not threshold and top is None:
        return models.activation("leaky_relu", slope=slope) if slope else "relu"
    if not threshold and not slope and top == 6:
        return "relu6"
    raise ValueError(
        f"the layer ReLU with max_value={top}, negative_slope={slope}, threshold={threshold} "
        "cannot be translated; there is: max_value None or 6, a negative_slope without max_value"
    )


def softmax_layer(config: Mapping[str, Any]) -> str:
    """Keras' Softmax layer, over the outputs of a row."""
    fits.refuse("the layer Softmax", config, {"axis": -1}, "the sum is over the outputs of a row")
    return "softmax"


def nothing(*_: Any) -> list[Layer]:
    """A layer that changes nothing in rows of numbers."""
    return []


def dropout(name: str, config: Mapping[str, Any], *_: Any) -> list[Layer]:
    """Keras' Dropout; none for a rate of 0."""
    fits.refuse(name, config, {"noise_shape": None}, "every number drops out by itself here")
    return [Layer("dropout", name, {"rate": config["rate"]})] if config["rate"] else []


def noise(name: str, config: Mapping[str, Any], *_: Any) -> list[Layer]:
    """Keras' GaussianNoise, in training only."""
    return [Layer("noise", name, {"sd": config["stddev"]})]


def normalization(
    name: str, config: Mapping[str, Any], weights: Sequence[Any], _: str
) -> list[Layer]:
    """Keras' Normalization: `(x - mean) / max(sqrt(variance), 1e-7)`, column by column."""
    fits.refuse(name, config, {"invert": False}, "scale the targets and leave it out")
    if weights:
        mean, variance = weights[0], weights[1]
    elif "mean" in config:
        mean, variance = config["mean"], config["variance"]
    else:
        raise ValueError(f"{name} has no mean and variance yet: say layer.adapt(X) first")
    scale = np.maximum(np.sqrt(np.ravel(variance)), 1e-7)
    values = {"center": numbers(mean), "scale": numbers(scale)}
    return [Layer("normalization", name, values)]


def rescaling(name: str, config: Mapping[str, Any], *_: Any) -> list[Layer]:
    """Keras' Rescaling, `scale x + offset`, as `(x - center) / (1 / scale)`."""
    scale, offset = np.ravel(config["scale"]), np.ravel(config.get("offset", 0.0))
    if not (scale > 0).all():
        raise ValueError(
            f"{name} has scale={config['scale']}; only scales above 0 can be translated"
        )
    values = {"center": numbers(-offset / scale), "scale": numbers(1 / scale)}
    return [Layer("normalization", name, values)]


def numbers(values: Any) -> Any:
    """One number, or a tuple of them, as scalings take them."""
    flat = [float(value) for value in np.ravel(values)]
    return flat[0] if len(set(flat)) == 1 else tuple(flat)


def batch_norm(
    name: str, config: Mapping[str, Any], weights: Sequence[Any], start: str
) -> list[Layer]:
    """Keras' BatchNormalization: averages keep the share `momentum`, and variances are biased."""
    fits.refuse(name, config, {"renorm": False, "synchronized": False}, "leave it out")
    norm_start(name, config, weights, start)
    values = {
        "momentum": config["momentum"],
        "epsilon": config["epsilon"],
        "bias": config["center"],
        "scale": config["scale"],
    }
    return [Layer("batch_norm", name, values)]


def norm_start(name: str, config: Mapping[str, Any], weights: Sequence[Any], start: str) -> None:
    """Refuse a normalisation that does not start at scales of 1 and biases of 0.

    Raises:
        ValueError: other initialisers or regularisers; averages that have been trained.
    """
    given = {each: config.get(each, {"class_name": kind}) for each, kind in FRESH.items()}
    for each, said in given.items():
        kind = said if isinstance(said, str) else said["class_name"]
        if kind.lower() != FRESH[each].lower():
            raise ValueError(f"{name} has {each}={kind!r}; it must be {FRESH[each]!r}")
    without = ("beta_regularizer", "gamma_regularizer", "beta_constraint", "gamma_constraint")
    fits.refuse(name, config, dict.fromkeys(without), "leave it out")
    fits.check_fresh(name, weights, start)


def layer_norm(
    name: str, config: Mapping[str, Any], weights: Sequence[Any], start: str
) -> list[Layer]:
    """Keras' LayerNormalization over the outputs of a row."""
    fits.refuse(name, config, {"rms_scaling": False}, "leave it out")
    norm_start(name, config, weights, start)
    values = {"epsilon": config["epsilon"], "bias": config["center"], "scale": config["scale"]}
    return [Layer("layer_norm", name, values)]


def penalty_of(one: Mapping[str, Any]) -> penalties.Penalty:
    """What the regularisers of a dense layer add to the loss."""
    config = one["config"]
    l1, l2 = regularizer_of(config.get("kernel_regularizer"))
    bias_l1, bias_l2 = regularizer_of(config.get("bias_regularizer"))
    return penalties.Penalty(l1, l2, bias_l1, bias_l2)


def regularizer_of(said: Any) -> tuple[float, float]:
    """The two factors of a regulariser. The words "l1" and "l2" are 0.01 each."""
    if said is None:
        return 0.0, 0.0
    if isinstance(said, str):
        said = {"class_name": said, "config": {}}
    config = said.get("config", {})
    read = fits.known("the regularizer", said["class_name"], REGULARIZERS, {}, "Keras")
    return read(config)


def dtype_of(layers: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The recipe's dtype: that of the layers.

    Raises:
        ValueError: layers of several dtypes, or of half precision.
    """
    found = sorted({one["config"].get("dtype", "float32") for one in layers})
    if found not in (["float32"], ["float64"]):
        raise ValueError(f"the layers compute in {', '.join(found)}; there is: float32, float64")
    return {} if found == ["float32"] else {"dtype": "float64"}


# The initialisers of a normalisation, as they must be
FRESH = {
    "beta_initializer": "Zeros",
    "gamma_initializer": "Ones",
    "moving_mean_initializer": "Zeros",
    "moving_variance_initializer": "Ones",
}


# ---- tables --------------------------------------------------------------------------------------


def renamed(function: Callable, name: str, **ours: str) -> Callable[[Mapping[str, Any]], Any]:
    """The translation of something with numbers.

    Args:
        function: makes it, such as `models.activation`.
        name: of it here.
        ours: our names of their numbers, by theirs.
    """

    def make(config: Mapping[str, Any]) -> Any:
        given = {ours[each]: config[each] for each in ours if each in config}
        return function(name, **given)

    return make


def plain(name: str) -> Callable[[Mapping[str, Any]], str]:
    """The translation of something without numbers."""
    return lambda config: name


def variance_scaling(config: Mapping[str, Any]) -> Any:
    """Keras' VarianceScaling, whose names ours are."""
    words = {name: config[name] for name in ("scale", "mode", "distribution") if name in config}
    return models.initializer("variance_scaling", **words)


def random_uniform(config: Mapping[str, Any]) -> Any:
    """Keras' RandomUniform between two numbers."""
    return models.initializer("between", low=config["minval"], high=config["maxval"])


activated = partial(renamed, models.activation)
drawn = partial(renamed, models.initializer)
INITIALIZERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "GlorotUniform": plain("keras"),
    "GlorotNormal": plain("glorot_normal"),
    "HeNormal": plain("he_normal"),
    "HeUniform": plain("he_uniform"),
    "LecunNormal": plain("lecun_normal"),
    "LecunUniform": plain("lecun_uniform"),
    "Zeros": plain("zeros"),
    "Ones": plain("ones"),
    "Constant": drawn("constant", value="value"),
    "RandomNormal": drawn("normal", stddev="sd", mean="mean"),
    "TruncatedNormal": drawn("truncated_normal", stddev="sd", mean="mean"),
    "RandomUniform": random_uniform,
    "VarianceScaling": variance_scaling,
    "Orthogonal": drawn("orthogonal", gain="gain"),
    "OrthogonalInitializer": drawn("orthogonal", gain="gain"),
    "Identity": plain("identity"),
}
ACTIVATIONS: dict[str, Any] = {
    "linear": "linear",
    "relu": "relu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "softmax": "softmax",
    "log_softmax": "log_softmax",
    "elu": "elu",
    "selu": "selu",
    "celu": "celu",
    "gelu": "gelu",
    "silu": "silu",
    "swish": "silu",
    "mish": "mish",
    "relu6": "relu6",
    "softplus": "softplus",
    "softsign": "softsign",
    "exponential": "exponential",
    "log_sigmoid": "log_sigmoid",
    "hard_sigmoid": "hard_sigmoid",
    "hard_silu": "hard_silu",
    "hard_swish": "hard_silu",
    "hard_tanh": "hard_tanh",
    "hard_shrink": "hard_shrink",
    "soft_shrink": "soft_shrink",
    "tanh_shrink": "tanh_shrink",
    "leaky_relu": models.activation("leaky_relu", slope=0.2),
}
ACTIVATION_LAYERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "ReLU": relu_layer,
    "LeakyReLU": activated("leaky_relu", negative_slope="slope"),
    "ELU": activated("elu", alpha="alpha"),
    "Softmax": softmax_layer,
}
LAYERS: dict[str, Callable[..., list[Layer]]] = {
    "InputLayer": nothing,
    "Dense": dense,
    "Activation": activation,
    **{kind: activation_layer(kind) for kind in ACTIVATION_LAYERS},
    "Dropout": dropout,
    "GaussianNoise": noise,
    "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm,
    "Normalization": normalization,
    "Rescaling": rescaling,
    "Flatten": nothing,
}
NEAREST_LAYERS = {
    "PReLU": "LeakyReLU, whose slope is not trained",
    "AlphaDropout": "Dropout",
    "GaussianDropout": "Dropout",
    "SpatialDropout1D": "Dropout",
    "GroupNormalization": "LayerNormalization",
    "RMSNormalization": "LayerNormalization",
    "UnitNormalization": "LayerNormalization",
    "Lambda": "a flax module of the same layers, given to Recipe(model=)",
    "Conv1D": "a flax module of the same layers, given to Recipe(model=)",
    "Conv2D": "a flax module of the same layers, given to Recipe(model=)",
    "LSTM": "a flax module of the same layers, given to Recipe(model=)",
    "GRU": "a flax module of the same layers, given to Recipe(model=)",
    "Embedding": "a flax module of the same layers, given to Recipe(model=)",
}


def l1_and_l2(l1: float, l2: float) -> Callable[[Mapping[str, Any]], tuple[float, float]]:
    """The factors of a regulariser, with these where its configuration has none."""
    return lambda config: (config.get("l1", l1), config.get("l2", l2))


REGULARIZERS = {
    "L1": l1_and_l2(0.01, 0.0),
    "L2": l1_and_l2(0.0, 0.01),
    "L1L2": l1_and_l2(0.0, 0.0),
    "l1": l1_and_l2(0.01, 0.0),
    "l2": l1_and_l2(0.0, 0.01),
    "l1_l2": l1_and_l2(0.01, 0.01),
}
