"""Everything that decides the bits of a result: told as JSON, hashed into its identity, and
compared.
"""

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import random

from approx.sweep.numbers import numbers, qualify
from approx.sweep.plans import Plan
from approx.sweep.programs import Block


def identity(source: Mapping[str, Any]) -> str:
    """The sha256 of everything that decides the bits of a result, in a canonical order."""
    return hashlib.sha256(json.dumps(source, sort_keys=True).encode()).hexdigest()


def digest(*arrays: Any) -> str:
    """The sha256 of arrays: shapes, types and bytes."""
    sha = hashlib.sha256()
    for array in map(np.ascontiguousarray, arrays):
        sha.update(f"{array.dtype.str}{array.shape}".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that take part in the numbers."""
    found = {"python": platform.python_version()}
    for name in (
        "jax",
        "jaxlib",
        "optax",
        "flax",
        "numpy",
        "jax-cuda13-plugin",
        "jax-cuda12-plugin",
    ):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """The CPU's model and widest vectors: XLA compiles for them, and calls every one of them `cpu`."""
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return f"{platform.machine()} {platform.processor()}".strip()
    entries = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    entries = {name.strip(): value.strip() for name, value in entries.items()}
    flags = entries.get("flags", "").split()
    vectors = next((name for name in ("avx512f", "avx2", "avx", "sse4_2") if name in flags), "")
    name = entries.get("model name") or platform.machine()
    return f"{name} family {entries.get('cpu family', '?')} model {entries.get('model', '?')} {vectors}".strip()


def describe_seeds(seeds: np.ndarray) -> Any:
    """Seeds as provenance holds them: a few as they are, many by number and digest."""
    return seeds.tolist() if len(seeds) <= 16 else f"{len(seeds)} {digest(seeds.astype(np.int64))}"


def provenance(plan: Plan, block: Block) -> dict[str, Any]:
    """Everything that decides the bits of a result, as JSON can hold it."""
    device = jax.local_devices()[0]
    swept = {name: values.tolist() for name, values in plan.grid.items()}
    constant = numbers(plan.task, plan.recipe)
    for name in swept:
        del constant[qualify(name, plan.task, plan.recipe)]
    return {
        "program": block.text,
        "arrays": digest(*plan.arrays),
        "numbers": {
            name: None if value is None else float(value) for name, value in constant.items()
        },
        "table": digest(plan.numbers),
        "grid": swept,
        "seeds": describe_seeds(plan.seeds),
        "freeze": plan.freeze,
        "cross": {name: describe_seeds(seeds) for name, seeds in plan.cross.items()},
        "root": np.asarray(random.key_data(plan.root)).tolist(),
        "init_params": None
        if plan.init_params is None
        else digest(*jax.tree.leaves(plan.init_params)),
        "lanes": plan.lanes,
        "form": plan.structure.form,
        "compiler_options": block.options,
        "environment": {name: os.environ.get(name, "") for name in ("XLA_FLAGS",)},
        "versions": versions(),
        "processor": processor() if device.platform == "cpu" else device.device_kind,
    }


# Entries of a provenance that say which trainings there are
WHICH = ("grid", "seeds", "cross", "table")


def common(source: Mapping[str, Any]) -> dict[str, Any]:
    """All of a provenance but which trainings there are."""
    return {name: value for name, value in source.items() if name not in WHICH}


def differences(new: Any, old: Any, name: str = "") -> Iterator[str]:
    """In words, where two provenances differ."""
    if isinstance(new, dict) and isinstance(old, dict):
        for key in dict.fromkeys([*new, *old]):
            yield from differences(new.get(key), old.get(key), f"{name}.{key}" if name else key)
    elif new != old:
        short = [
            text if len(text := str(value)) < 60 else f"{text[:12]}..." for value in (new, old)
        ]
        yield f"{name} is {short[0]}, was {short[1]}"
