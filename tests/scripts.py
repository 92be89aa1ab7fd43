"""Scripts of experiments/ and figures/ as modules."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[1]


def script(folder: str, name: str):
    """One script as a module."""
    spec = importlib.util.spec_from_file_location(f"{folder}_{name}", ROOT / folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
