"""A user's Python file that asks a question: it is run, and its names are read."""

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

WANTED = (
    "a question file defines `study` (an ap.Study); or `task` and `recipe`, for which the usual "
    "remedies are tried, perhaps with `below`, `above` or `of`"
)


def run(path: Path) -> dict[str, Any]:
    """Run a Python file, and give the names that it defines.

    Its `__name__` is not "__main__", and it can import its neighbours.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file that is no Python, or that raised an error, with its line.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.suffix != ".py":
        raise ValueError(f"{path} is no Python file; a table of data is given as --data {path}")
    sys.path.insert(0, str(path.resolve().parent))
    name = f"question_{path.stem}"
    spec: Any = importlib.util.spec_from_file_location(name, path.resolve())
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its functions are found by this name
    execute(spec, module, path)
    return vars(module)


def execute(spec: Any, module: ModuleType, path: Path) -> None:
    """Run a module.

    Raises:
        ValueError: in place of any error in it, with the user's line.
    """
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        line = (error.text or "").strip()
        where = f"{path}, line {error.lineno}: {line}"
        raise ValueError(f"{where}\n  {type(error).__name__}: {error.msg}") from error
    except Exception as error:
        raise ValueError(f"{users_line(error, path)}\n  {type(error).__name__}: {error}") from error


def users_line(error: Exception, path: Path) -> str:
    """The last line of the user's file that an error passed through."""
    here = str(path.resolve())
    frames = [each for each in traceback.extract_tb(error.__traceback__) if each.filename == here]
    if not frames:
        return str(path)
    return f"{path}, line {frames[-1].lineno}: {frames[-1].line}"


def check_names(names: dict[str, Any], path: Path) -> None:
    """Refuse a file that asks nothing.

    Raises:
        ValueError: with the names that are missing.
    """
    if "study" in names:
        return
    missing = [name for name in ("task", "recipe") if name not in names]
    if len(missing) == 2:
        raise ValueError(f"{path} defines neither `study` nor `task` and `recipe`: {WANTED}")
    if missing:
        raise ValueError(f"{path} defines no `{missing[0]}`: {WANTED}")
