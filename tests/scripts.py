"""Scripts of experiments/ and figures/ as modules."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.text import Text

import approx as ap

ROOT = Path(__file__).parents[1]


def script(folder: str, name: str):
    """One script as a module."""
    spec = importlib.util.spec_from_file_location(f"{folder}_{name}", ROOT / folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_judged_anew(
    monkeypatch: pytest.MonkeyPatch, folder: Path, main: Callable, **options
) -> None:
    """What was saved is judged again without training, and gives the tables that are in the folder,
    byte by byte.
    """

    def refuse(*_, **__):
        raise AssertionError("trained what is in the folder of results")

    before = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
    assert before
    for name in before:
        (folder / name).unlink()
    with monkeypatch.context() as context:
        context.setattr(ap, "run", refuse)
        main(**options, saved=True)
    after = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
    assert after.keys() == before.keys()
    assert [name for name in before if after[name] != before[name]] == []


def assert_answered_anew(folder: Path, main: Callable, **options) -> None:
    """The same call trains nothing again, and gives the tables that are in the folder, byte by
    byte.
    """
    before = {path: path.read_bytes() for path in folder.glob("*.csv")}
    trained = {path: path.stat().st_mtime_ns for path in folder.rglob("chunk-*.nc")}
    assert before
    assert trained
    for path in before:
        path.unlink()
    main(**options)
    assert trained == {path: path.stat().st_mtime_ns for path in folder.rglob("chunk-*.nc")}
    assert before == {path: path.read_bytes() for path in folder.glob("*.csv")}


def said(figure):
    """All words of a figure that has been drawn."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))
