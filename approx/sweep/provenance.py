"""Everything that decides the bits of a result: told as JSON, hashed, and compared.

The sha256 of it is the result's fingerprint.
"""

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import jax
import numpy as np
from jax import random

from approx.sweep.numbers import numbers
from approx.sweep.plans import Plan
from approx.sweep.processors import processor
from approx.sweep.programs import Block

# Entries of a provenance that say which trainings there are
WHICH = ("grid", "seeds", "cross", "table")

PACKAGES = ("jax", "jaxlib", "optax", "flax", "numpy", "jax-cuda13-plugin", "jax-cuda12-plugin")
FEW = 16  # seeds that a provenance lists; of more it has a digest
SHORT = 60  # characters of a value that is told in full


# ---- digests -------------------------------------------------------------------------------------


def fingerprint(source: Mapping[str, Any]) -> str:
    """The sha256 of a provenance, or of other entries, whatever their order."""
    return hashlib.sha256(json.dumps(source, sort_keys=True).encode()).hexdigest()


def marks(source: Mapping[str, Any]) -> dict[str, str]:
    """The attributes by which a result says what made it.

    `identity` is the former name of `fingerprint`; results have both in this version.
    """
    found = fingerprint(source)
    return {"fingerprint": found, "identity": found, "provenance": json.dumps(source)}


def digest(*arrays: Any) -> str:
    """The sha256 of arrays: of their shapes, types and bytes."""
    sha = hashlib.sha256()
    for array in map(np.ascontiguousarray, arrays):
        sha.update(f"{array.dtype.str}{array.shape}".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def describe_seeds(seeds: np.ndarray) -> Any:
    """Seeds as a provenance holds them: the list of a few, the number and the digest of many."""
    if len(seeds) <= FEW:
        return seeds.tolist()
    return f"{len(seeds)} {digest(seeds.astype(np.int64))}"


# ---- the machine ---------------------------------------------------------------------------------


@lru_cache
def versions() -> dict[str, str]:
    """The versions of Python and of the packages that compute the numbers."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


# ---- the provenance ------------------------------------------------------------------------------


def provenance(plan: Plan, block: Block) -> dict[str, Any]:
    """Everything that decides the bits of a result, as JSON can hold it.

    Args:
        plan: the trainings.
        block: the compiled program.
    """
    device = jax.local_devices()[0]
    device_name = device.device_kind
    if device.platform == "cpu":
        device_name = processor()
    params = None
    if plan.init_params is not None:
        params = digest(*jax.tree.leaves(plan.init_params))
    return {
        "program": block.text,
        "arrays": digest(*plan.arrays),
        "numbers": constant_numbers(plan),
        "table": digest(plan.numbers),
        "grid": {name: values.tolist() for name, values in plan.grid.items()},
        "seeds": describe_seeds(plan.seeds),
        "freeze": plan.freeze,
        "cross": {name: describe_seeds(seeds) for name, seeds in plan.cross.items()},
        "root": np.asarray(random.key_data(plan.root)).tolist(),
        "init_params": params,
        "lanes": plan.lanes,
        "form": plan.structure.form,
        "compiler_options": block.options,
        "environment": {"XLA_FLAGS": os.environ.get("XLA_FLAGS", "")},
        "versions": versions(),
        "processor": device_name,
    }


def constant_numbers(plan: Plan) -> dict[str, float | None]:
    """The numbers of task and recipe that are not swept, by their full names."""
    swept = plan.entry.swept.values()
    found: dict[str, float | None] = {}
    for name, value in numbers(plan.task, plan.recipe).items():
        if name in swept:
            continue
        found[name] = value if value is None else float(value)
    return found


def common(source: Mapping[str, Any]) -> dict[str, Any]:
    """A provenance without the entries that say which trainings there are."""
    return {name: value for name, value in source.items() if name not in WHICH}


def differences(new: Any, old: Any, name: str = "") -> Iterator[str]:
    """Say in words where two provenances differ.

    Args:
        new: the one that is asked for.
        old: the one that is there.
        name: the entry that these two values are of.

    Example:
        >>> list(differences({"numbers": {"recipe.l2": 0.1}}, {"numbers": {"recipe.l2": None}}))
        ['numbers.recipe.l2 is 0.1, was None']
    """
    if isinstance(new, dict) and isinstance(old, dict):
        for key in dict.fromkeys([*new, *old]):
            inner = f"{name}.{key}" if name else key
            yield from differences(new.get(key), old.get(key), inner)
    elif new != old:
        yield f"{name} is {in_short(new)}, was {in_short(old)}"


def in_short(value: Any) -> str:
    """A value as text, or the beginning of it."""
    text = str(value)
    if len(text) < SHORT:
        return text
    return f"{text[:12]}..."
