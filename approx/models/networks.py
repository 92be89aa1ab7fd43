"""What the networks of the catalogue beside `MLP` have in common.

A `Network` is written for one network, as an `MLP` is, and runs in the form "lanes" too: it calls
`contract` and functions that work number by number, and no products of matrices.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Array

from approx.models import activations, draws, initializers
from approx.models.activations import Elementwise
from approx.models.initializers import Place
from approx.numerics.products import of_networks
from approx.tasks.reprs import described


class Network:
    """A network of the catalogue, which can take the form "lanes".

    Subclasses are frozen dataclasses and pytrees with `init(key, x)`, `apply(params, x)` and
    `products(inputs)`.
    """

    dropout: Any = None

    def __init_subclass__(cls, **options: Any):
        """Give every subclass the short repr, which `dataclass` would replace by a long one."""
        super().__init_subclass__(**options)
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = Network.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        """The fields that differ from their defaults."""
        return described(self)

    def products(self, inputs: int) -> list[tuple[int, int]]:
        """The sizes (i, o) of the matrices that a row of so many inputs is multiplied by."""
        raise NotImplementedError(f"{type(self).__name__} defines no products")

    @property
    def functions(self) -> tuple[Any, ...]:
        """The activations of the network: names and functions."""
        chosen = getattr(self, "activation", None), getattr(self, "base", None)
        return tuple(each for each in chosen if each is not None)

    def _settle(self, name: str, value: Any) -> None:
        """Set a field while the network is made; afterwards it is frozen."""
        object.__setattr__(self, name, value)


def applied(chosen: str | Callable, z: Array) -> Array:
    """An activation, by its name or a function of the user's own, of z."""
    activation = activations.find(chosen)
    if not isinstance(chosen, str | Elementwise):
        activation = of_networks(activation)
    return activation(z)


def check_counts(model: Any, *names: str, least: int = 1) -> None:
    """Refuse counts that are not whole numbers of at least `least`; a tuple has several of them.

    Raises:
        TypeError: widths that are no tuple.
        ValueError: with the name and the value.
    """
    for name in names:
        value = getattr(model, name)
        several = name == "widths"
        if several and not isinstance(value, tuple | list):
            raise TypeError(f"widths is {value!r}; it must be a tuple of hidden widths, as in (5,)")
        counts = value if several else (value,)
        for count in counts:
            whole = isinstance(count, int | np.integer) and not isinstance(count, bool)
            if not (whole and count >= least):
                raise ValueError(f"{name} is {value!r}; it must be whole and at least {least}")
        settled = tuple(map(int, counts)) if several else int(value)
        object.__setattr__(model, name, settled)


def dense(
    chosen: Any, source: draws.Source, sizes: tuple[int, int], place: Place | None = None
) -> dict[str, Array]:
    """The first weights (i, o) and biases (o,) of an affine map, by an initialiser of `MLP`."""
    w, b = initializers.layer_of(chosen, source, *sizes, Place() if place is None else place)
    return {"w": w, "b": b}
