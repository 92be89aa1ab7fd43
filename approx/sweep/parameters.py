"""Parameters by name: from a model's pytree to named arrays and back."""

from collections.abc import Callable
from typing import Any

import jax
from jaxtyping import PyTree


def leaf_name(path: tuple) -> str:
    """The name that a parameter has in results.

    Args:
        path: the keys that lead to it, as `jax.tree_util.tree_map_with_path` gives them.

    Example:
        The array `params[0]["w"]` is called `params.0.w`.
    """
    parts = (jax.tree_util.keystr((part,), simple=True) for part in path)
    name = ".".join(["params", *parts])
    return name.replace("/", ":")  # netCDF keeps the slash for its groups


def skeleton(params: PyTree) -> Any:
    """How parameters are nested, as JSON can hold it, with their names in place of the arrays.

    A dictionary becomes {"dict": {key: ...}}, a list {"list": [...]} and a tuple {"tuple": [...]}.

    Raises:
        ValueError: the parameters are in containers of another kind.

    """
    return as_json(jax.tree_util.tree_map_with_path(lambda path, _: leaf_name(path), params))


def as_json(node: Any) -> Any:
    """The nesting of names as `skeleton` describes it."""
    if node is None or type(node) is str:
        return node
    if type(node) is dict and all(type(key) is str for key in node):
        return {"dict": {key: as_json(value) for key, value in node.items()}}
    if type(node) in (list, tuple):
        return {type(node).__name__: [as_json(value) for value in node]}
    raise ValueError(
        f"parameters can be kept in dictionaries, lists and tuples, not in a {type(node).__name__}"
    )


def rebuild(nesting: Any, leaf: Callable[[str], Any]) -> PyTree:
    """The parameters from their `skeleton`.

    Args:
        nesting: what `skeleton` gave.
        leaf: gives the array that has a name.
    """
    if nesting is None:
        return None
    if isinstance(nesting, str):
        return leaf(nesting)
    ((kind, inner),) = nesting.items()
    if kind == "dict":
        return {key: rebuild(value, leaf) for key, value in inner.items()}
    values = [rebuild(value, leaf) for value in inner]
    if kind == "tuple":
        return tuple(values)
    return values
