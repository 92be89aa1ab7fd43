"""Regularisers of single layers as the penalty of a recipe."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Penalty(NamedTuple):
    """What one dense layer adds to the loss: `l1 Σ |w| + l2 Σ w²` over its weights, and its biases.

    Attributes:
        l1: factor of the weights' absolute values.
        l2: factor of the weights' squares.
        bias_l1: as l1, of the biases.
        bias_l2: as l2, of the biases.
    """

    l1: float = 0.0
    l2: float = 0.0
    bias_l1: float = 0.0
    bias_l2: float = 0.0


def fields(layers: Sequence[Penalty]) -> dict[str, Any]:
    """The fields `l1`, `l2` and `l2_on` of a recipe, for the penalties of all dense layers.

    Raises:
        ValueError: penalties that differ from layer to layer in another way than "all weights",
            "all but the last layer's" or "weights and biases alike".
    """
    found: dict[str, Any] = {}
    places = {}
    for name in ("l1", "l2"):
        of_weights = [getattr(layer, name) for layer in layers]
        of_biases = [getattr(layer, f"bias_{name}") for layer in layers]
        if any(of_weights) or any(of_biases):
            found[name] = max(of_weights)
            places[name] = where(name, of_weights, of_biases)
    if len(set(places.values())) > 1:
        raise ValueError(
            f"l1 is on {places['l1']!r} and l2 on {places['l2']!r}; both must be on the same "
            "parameters"
        )
    if places:
        found["l2_on"] = next(iter(places.values()))
    return found


def where(name: str, of_weights: Sequence[float], of_biases: Sequence[float]) -> str:
    """The parameters that one penalty is on, in the words of a recipe.

    Raises:
        ValueError: none of these words is right.
    """
    alike = len(set(of_weights)) == 1
    if alike and not any(of_biases):
        return "kernels"
    if alike and list(of_biases) == list(of_weights):
        return "all"
    *hidden, last = of_weights
    if not last and hidden and len(set(hidden)) == 1 and not any(of_biases):
        return "hidden"
    raise ValueError(
        f"the {name} factors of the layers' weights are {[*of_weights]} and of their biases "
        f"{[*of_biases]}; there is one factor on all weights, on all but the last layer's, or on "
        "all weights and biases alike"
    )
