"""Write figures to files, with the same bytes whenever they are drawn anew."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

# Each format would write when and by which program it was made: a date, and matplotlib's version.
# Both are left out, so that the same figure has the same bytes.
FORMATS: dict[str, dict[str, Any]] = {
    ".pdf": {"metadata": {"CreationDate": None}},  # for print
    ".svg": {"metadata": {"Date": None, "Creator": None}},  # for pages and slides
    ".png": {"metadata": {"Software": None}, "dpi": 200},  # for screens
}


def save(
    figure: FigureBase | Axes | Sequence[Axes] | np.ndarray,
    folder: Path | str,
    name: str,
    note: str = "",
) -> list[Path]:
    """Write a figure as PDF, for print, SVG, for slides, and PNG, for screens; the folder is made.

    The same figure gives the same bytes, on any day.

    Args:
        figure: what to write: a figure, or axes of it, such as a panel returns, or several, such as
            `facets` returns.
        folder: where to.
        name: of the files, without a suffix.
        note: a line of its own above the figure, such as that it shows a quick look only.

    Returns:
        The files written: folder/name.pdf, folder/name.svg and folder/name.png.

    Raises:
        TypeError: neither a figure nor axes. ValueError: axes of several figures, or none.

    Example:
        plot.save(plot.success_curve(stats.success(runs, below=0.01)), "figures", "success")
    """
    whole = figure_of(figure)
    files = {Path(folder) / f"{name}{suffix}": options for suffix, options in FORMATS.items()}
    Path(folder).mkdir(parents=True, exist_ok=True)
    if note:
        _write_note(whole, note)
    room: dict[str, Any] = {}
    if whole.get_layout_engine() is None:
        # Nothing has made room for labels: the page is made as large as they need
        room = {"bbox_inches": "tight"}
    with plt.rc_context({"svg.hashsalt": "approx"}):  # without a salt, names in an SVG are random
        for path, options in files.items():
            whole.savefig(path, **options, **room)
    return list(files)


def _write_note(figure: Figure, note: str) -> None:
    """Write a note above the title of a figure."""
    lines = filter(None, (note, figure.get_suptitle()))
    figure.suptitle("\n".join(lines), color="#D55E00")


def figure_of(given: Any) -> Figure:
    """The figure that a figure, a part of it, or axes belong to.

    Raises:
        TypeError: neither a figure nor axes. ValueError: axes of several figures, or none.
    """
    if isinstance(given, FigureBase):
        return given.get_figure(root=True)
    all_axes = _listed(given)
    _check_axes(all_axes)
    there = [one for one in all_axes if one.figure is not None]  # not those that were removed
    figures = list(dict.fromkeys(one.get_figure(root=True) for one in there))
    if len(figures) != 1:
        raise ValueError(
            f"the axes to save are those of {len(figures)} figures: save each figure by itself"
        )
    return figures[0]


def _listed(given: Any) -> list[Any]:
    """What was given as a list: the entries of an array, a list or a tuple, or one thing."""
    if isinstance(given, np.ndarray):
        return given.ravel().tolist()
    if isinstance(given, list | tuple):
        return list(given)
    return [given]


def _check_axes(given: list[Any]) -> None:
    """Raise a TypeError for anything but axes."""
    others = [one for one in given if not isinstance(one, Axes)]
    if others:
        kind = type(others[0]).__name__
        raise TypeError(f"save writes a figure or axes of one, not a {kind}")
