"""What can be said of a page's code without running it: its names exist, its calls fit."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import approx as ap

ROOT = Path(__file__).parents[1]
STARRED = ast.Starred
OPTIONAL = {"keras", "torch"}  # shown beside our own code; the tests do without them


def blocks(page: Path) -> list[str]:
    """The blocks of Python code of a page, and the cells of a notebook."""
    return re.findall(r"```(?:python|\{code-cell\})\n(.*?)```", page.read_text(), re.DOTALL)


def swept() -> set[str]:
    """Names that a grid may vary: those of recipes, of networks and of the catalogue of tasks."""
    classes = ap.Recipe, ap.MLP
    names = {field.name for each in classes for field in fields(each)}
    makers = [getattr(ap.tasks, name) for name in ap.tasks.__all__]
    for make in filter(callable, makers):
        names |= set(inspect.signature(make).parameters)
    return names


def dotted(node: ast.AST) -> list[str]:
    """The words of `ap.a.b`, or none where a node is anything else."""
    words: list[str] = []
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name) and node.id == "ap":
        return ["ap", *reversed(words)]
    return []


def resolved(words: list[str]) -> Any:
    """What `ap.a.b` is; AttributeError where there is none."""
    found: Any = ap
    for word in words[1:]:
        found = getattr(found, word)
    return found


def made(node: ast.AST, names: dict[str, type]) -> type | None:
    """The class of this package that an expression has the type of, where that can be told."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if not isinstance(node, ast.Call):
        return None
    words = dotted(node.func)
    if len(words) > 1:
        found = resolved(words)
        return found if inspect.isclass(found) else None
    if not isinstance(node.func, ast.Attribute):
        return None
    owner = made(node.func.value, names)
    if owner is None:
        return None
    told = str(inspect.signature(getattr(owner, node.func.attr)).return_annotation)
    return owner if told.strip("'\"").endswith((owner.__name__, "Self")) else None


def bind(function: Any, node: ast.Call, before: int = 0, whole: bool = True) -> None:
    """Bind what stands in a call to a function's signature; TypeError where it does not fit."""
    signature = inspect.signature(function)
    positional = [None] * before + [None for each in node.args if not isinstance(each, STARRED)]
    named = {word.arg: None for word in node.keywords if word.arg is not None}
    stars = any(isinstance(each, STARRED) for each in node.args)
    complete = whole and not stars and all(word.arg is not None for word in node.keywords)
    how = signature.bind if complete else signature.bind_partial
    grid = how(*positional, **named).arguments.get("grid", {})
    unknown = set(grid) - swept()
    if unknown:
        raise TypeError(f"{sorted(unknown)} are neither options nor numbers that can be swept")


def calls(tree: ast.AST, names: dict[str, type]) -> Iterator[tuple[Any, ast.Call, int, bool]]:
    """Each call that can be judged: what is called, how, after how many arguments, and if whole."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        words = dotted(node.func)
        if len(words) > 1:
            yield resolved(words), node, 0, True
        elif isinstance(node.func, ast.Name) and node.func.id == "partial":
            rest = ast.Call(node.func, node.args[1:], node.keywords)
            if dotted(node.args[0]):
                yield resolved(dotted(node.args[0])), rest, 0, False
        elif isinstance(node.func, ast.Attribute):
            owner = made(node.func.value, names)
            if owner is not None:
                yield getattr(owner, node.func.attr), node, 1, True


def imports(tree: ast.AST) -> None:
    """Import what is imported; ImportError where it is not there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name not in OPTIONAL:
                    importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                if not hasattr(module, alias.name):  # but a module of it that nobody has imported
                    importlib.import_module(f"{module.__name__}.{alias.name}")


def check(blocks: list[str]) -> int:
    """Check the blocks of a page, which share their names; how many calls were bound.

    Raises SyntaxError, ImportError, AttributeError or TypeError for what would raise it when run.
    """
    names: dict[str, type] = {}
    count = 0
    for block in blocks:
        tree = ast.parse(block)
        imports(tree)
        for node in ast.walk(tree):
            resolved(dotted(node))
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                owner = made(node.value, names)
                if owner is not None:
                    names[node.targets[0].id] = owner
        for function, node, before, whole in calls(tree, names):
            bind(function, node, before, whole)
            count += 1
    return count
