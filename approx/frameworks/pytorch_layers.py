"""PyTorch's layers, from dictionaries, as layers of a chain."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from approx import models
from approx.frameworks import fits
from approx.frameworks.chains import Layer


def layers_of(said: Sequence[Mapping[str, Any]], start: Any) -> list[Layer]:
    """The layers of a described module.

    Raises:
        ValueError: a layer, or an option of it, that cannot be translated.
    """
    found = []
    for n, one in enumerate(said):
        name = f"layer {n} ({one['class_name']})"
        if one.get("frozen"):
            raise ValueError(
                f"{name} does not train its {one['frozen']}; all layers are trained here"
            )
        make = fits.known("the layer", one["class_name"], LAYERS, NEAREST_LAYERS, "PyTorch")
        found += make(name, one, start)
    return found


def linear(name: str, one: Mapping[str, Any], start: Any) -> list[Layer]:
    """PyTorch's Linear, whose weights are `(outputs, inputs)`."""
    weights = one.get("weights", {})
    bias = weights.get("bias")
    initializer: Any = "pytorch"
    if start == "as given":
        matrix = np.asarray(weights["weight"]).T
        of_biases = "zeros" if bias is None else fits.constant(bias)
        initializer = (fits.constant(matrix), of_biases)
    elif start != "drawn":
        initializer = start
    elif weights:
        check_default(name, one["in_features"], weights)
    values = {
        "units": one["out_features"],
        "bias": bias is not None,
        "initializer": initializer,
    }
    return [Layer("dense", name, values)]


def check_default(name: str, fan_in: int, weights: Mapping[str, Any]) -> None:
    """Refuse weights that the layer did not draw itself: beyond its bound, or all the same.

    PyTorch draws weights and biases from `U(±1 / sqrt(fan_in))`.

    Raises:
        ValueError: with the largest of them.
    """
    bound = 1 / math.sqrt(fan_in)
    for array, values in weights.items():
        most, spread = np.abs(values).max(), np.ptp(values)
        if most > bound * (1 + 1e-6) or (spread == 0 and (np.size(values) > 1 or not most)):
            raise ValueError(
                f"{name} has a {array} that PyTorch would not draw: its largest number is "
                f"{most:.3g}, and the bound 1/sqrt({fan_in}) is {bound:.3g}. If it was set by "
                'hand, say start="as given" to train from it, or give initializer=, such as '
                '("xavier_uniform", "zeros")'
            )


def norm_values(name: str, one: Mapping[str, Any], start: Any) -> dict[str, Any]:
    """Epsilon, and whether there are a scale and a center."""
    affine = one.get("affine", one.get("elementwise_affine", True))
    weights = one.get("weights", {})
    arrays = [values for array, values in weights.items() if array != "num_batches_tracked"]
    fits.check_fresh(name, arrays, start)
    return {"epsilon": one["eps"], "scale": affine, "bias": affine and "bias" in weights}


def batch_norm(name: str, one: Mapping[str, Any], start: Any) -> list[Layer]:
    """PyTorch's BatchNorm1d: averages take the share `momentum` in, and variances are unbiased."""
    fits.refuse(name, one, {"track_running_stats": True}, "leave it out")
    if "momentum" not in one:
        raise ValueError(f"{name} has momentum=None, a plain mean of all batches; give it a number")
    averages = {"momentum": 1 - one["momentum"], "unbiased": True}
    return [Layer("batch_norm", name, norm_values(name, one, start) | averages)]


def layer_norm(name: str, one: Mapping[str, Any], start: Any) -> list[Layer]:
    """PyTorch's LayerNorm over the outputs of a row."""
    if len(one["normalized_shape"]) != 1:
        raise ValueError(
            f"{name} is over {one['normalized_shape']}; only rows of numbers are known"
        )
    return [Layer("layer_norm", name, norm_values(name, one, start))]


def dropout(name: str, one: Mapping[str, Any], _: Any) -> list[Layer]:
    """PyTorch's Dropout; none for a rate of 0."""
    return [Layer("dropout", name, {"rate": one["p"]})] if one["p"] else []


def nothing(*_: Any) -> list[Layer]:
    """A layer that changes nothing in rows of numbers."""
    return []


# ---- activations ---------------------------------------------------------------------------------


def activation(function: Any, **ours: str) -> Callable[..., list[Layer]]:
    """The translation of an activation.

    Args:
        function: our name.
        ours: our names of its numbers, by PyTorch's.
    """

    def make(name: str, one: Mapping[str, Any], _: Any) -> list[Layer]:
        chosen = function
        if ours:
            numbers = {ours[each]: one[each] for each in ours}
            chosen = models.activation(function, **numbers)
        return [Layer("activation", name, {"function": chosen})]

    return make


def gelu(name: str, one: Mapping[str, Any], _: Any) -> list[Layer]:
    """PyTorch's GELU: exact, or by tanh."""
    function = "gelu_tanh" if one["approximate"] == "tanh" else "gelu"
    return [Layer("activation", name, {"function": function})]


def softplus(name: str, one: Mapping[str, Any], _: Any) -> list[Layer]:
    """PyTorch's Softplus with beta 1; above its threshold it is the identity, to rounding."""
    fits.refuse(name, one, {"beta": 1.0}, "beta must be 1")
    if one["threshold"] < 15:
        raise ValueError(f"{name} has threshold={one['threshold']}; it must be at least 15")
    return [Layer("activation", name, {"function": "softplus"})]


def of_rows(function: str, name: str, one: Mapping[str, Any], _: Any) -> list[Layer]:
    """PyTorch's Softmax and LogSoftmax over the outputs of a row."""
    if one.get("dim") not in (1, -1):
        raise ValueError(f"{name} has dim={one.get('dim')}; it must be 1, the outputs of a row")
    return [Layer("activation", name, {"function": function})]


LAYERS: dict[str, Callable[..., list[Layer]]] = {
    "Linear": linear,
    "Dropout": dropout,
    "BatchNorm1d": batch_norm,
    "LayerNorm": layer_norm,
    "Identity": nothing,
    "Flatten": nothing,
    "ReLU": activation("relu"),
    "Tanh": activation("tanh"),
    "Sigmoid": activation("sigmoid"),
    "LeakyReLU": activation("leaky_relu", negative_slope="slope"),
    "ELU": activation("elu", alpha="alpha"),
    "CELU": activation("celu", alpha="alpha"),
    "SELU": activation("selu"),
    "GELU": gelu,
    "SiLU": activation("silu"),
    "Mish": activation("mish"),
    "ReLU6": activation("relu6"),
    "Softplus": softplus,
    "Softsign": activation("softsign"),
    "Hardtanh": activation("hard_tanh", min_val="low", max_val="high"),
    "Hardsigmoid": activation("hard_sigmoid"),
    "Hardswish": activation("hard_silu"),
    "Hardshrink": activation("hard_shrink", lambd="threshold"),
    "Softshrink": activation("soft_shrink", lambd="threshold"),
    "Tanhshrink": activation("tanh_shrink"),
    "LogSigmoid": activation("log_sigmoid"),
    "Softmax": partial(of_rows, "softmax"),
    "LogSoftmax": partial(of_rows, "log_softmax"),
}
NEAREST_LAYERS = {
    "PReLU": "LeakyReLU, whose slope is not trained",
    "RReLU": "LeakyReLU",
    "AlphaDropout": "Dropout",
    "Dropout1d": "Dropout",
    "RMSNorm": "LayerNorm",
    "GroupNorm": "LayerNorm",
    "LazyLinear": "Linear",
    "Bilinear": "a flax module of the same layers, given to Recipe(model=)",
    "Conv1d": "a flax module of the same layers, given to Recipe(model=)",
    "Conv2d": "a flax module of the same layers, given to Recipe(model=)",
    "LSTM": "a flax module of the same layers, given to Recipe(model=)",
}
