"""A chain of layers in words that no framework owns, and the model that it becomes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from approx import models
from approx.models import scalings


class Layer(NamedTuple):
    """One layer.

    Attributes:
        kind: "dense" (values: units, bias, initializer), "activation" (function), "dropout"
            (rate), "normalization" (center, scale), or "batch_norm", "layer_norm" and "noise",
            whose values are those of the layers of `models`.
        name: the layer in the words of its framework, for errors.
        values: see `kind`.
    """

    kind: str
    name: str
    values: Mapping[str, Any] = {}


class Block(NamedTuple):
    """A dense layer, what its outputs go through, and the rate at which they drop out."""

    dense: Layer
    activation: Any = "linear"
    dropout: float | None = None


def model(layers: Sequence[Layer]) -> Any:
    """The fastest model that is this chain: an `MLP`, in a scaling or not, or else a `Chain`.

    Args:
        layers: in the order in which data go through them.

    Raises:
        ValueError: no dense layer.
    """
    if not any(layer.kind == "dense" for layer in layers):
        raise ValueError("the model has no dense layer, so there is nothing to train")
    rest = list(layers)
    scaled = []
    while rest[0].kind == "normalization":
        scaled.append(rest.pop(0))
    blocks = as_blocks(rest)
    if blocks is None:
        return chain(layers)
    made: Any = perceptron(blocks)
    for layer in reversed(scaled):
        made = scalings.PerFeature(made, **layer.values)
    return made


def as_blocks(layers: Sequence[Layer]) -> list[Block] | None:
    """The layers as those of an `MLP`; None if they are none.

    In an `MLP`, a dense layer is followed by one activation at most and then by one dropout at
    most, and nothing drops out of its outputs.
    """
    blocks: list[Block] = []
    for layer in layers:
        if layer.kind == "dense":
            blocks.append(Block(layer))
            continue
        if not blocks:
            return None
        last = blocks[-1]
        if layer.kind == "activation" and last.activation == "linear" and last.dropout is None:
            blocks[-1] = last._replace(activation=layer.values["function"])
        elif layer.kind == "dropout" and last.dropout is None:
            blocks[-1] = last._replace(dropout=layer.values["rate"])
        else:
            return None
    biases = {block.dense.values["bias"] for block in blocks}
    if len(biases) > 1 or blocks[-1].dropout is not None:
        return None
    return blocks


def perceptron(blocks: Sequence[Block]) -> models.MLP:
    """The `MLP` of these blocks."""
    *hidden, output = blocks
    values = [block.dense.values for block in blocks]
    initializers = [each["initializer"] for each in values]
    activations = [block.activation for block in hidden]
    rates = tuple(block.dropout or 0.0 for block in hidden)
    options: dict[str, Any] = {}
    if any(rates):
        options["dropout"] = in_one(rates)
    if output.activation != "linear":
        options["output_activation"] = output.activation
    if activations:
        options["activation"] = in_one(activations)
    return models.MLP(
        tuple(each["units"] for each in values[:-1]),
        outputs=values[-1]["units"],
        bias=values[0]["bias"],
        initializer=in_one(initializers, list),
        **options,
    )


def in_one(values: Sequence[Any], several: Callable[[Sequence[Any]], Any] = tuple) -> Any:
    """The one value, if all are the same, and else all of them."""
    first = values[0]
    if all(value == first for value in values):
        return first
    return several(values)


def normalization(center: Any, scale: Any) -> Any:
    """A scaling of the inputs inside a chain, `(x - center) / scale`."""
    centers, scales = np.broadcast_arrays(np.ravel(center), np.ravel(scale))
    if len(centers) == 1:
        return models.Rescaling(1 / float(scales[0]), -float(centers[0] / scales[0]))
    return models.Normalization(centers.tolist(), (scales**2).tolist())


MAKERS: dict[str, Callable[..., Any]] = {
    "dense": models.Dense,
    "activation": models.Activation,
    "dropout": models.Dropout,
    "normalization": normalization,
    "batch_norm": models.BatchNorm,
    "layer_norm": models.LayerNorm,
    "noise": models.GaussianNoise,
}


def chain(layers: Sequence[Layer]) -> Any:
    """The `Chain` of these layers."""
    return models.Chain([MAKERS[layer.kind](**layer.values) for layer in layers])
