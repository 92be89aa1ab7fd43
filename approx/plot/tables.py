"""A table of shares as a map: every combination of settings with its number, in colour."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from approx.plot.series import axes, small

LIGHT = 0.6  # from this share on the colour is so light that the text on it is black


def table(
    rates: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    ax: Axes | None = None,
    title: str | None = None,
    *,
    texts: np.ndarray | None = None,
    size: float | None = None,
) -> Axes:
    """Shares of every combination of settings; a grey cell has none.

    Args:
        rates: (rows, columns) shares between 0 and 1; nan where there is none.
        rows: names of the rows.
        columns: names of the columns.
        ax: axes to draw on.
        title: the message of the panel.
        texts: (rows, columns) what is written in the cells; the shares in percent if left out.
        size: of that text, in points; 7 beside text of 7.5 if left out.

    Example:
        plot.table(np.array([[0.2, 1.0]]), ["raw"], ["SGD", "Adam"])
    """
    ax = axes(ax, title)
    ax.set_facecolor("0.9")
    ax.imshow(
        np.ma.masked_invalid(rates),
        vmin=0,
        vmax=1,
        aspect="auto",
    )
    middle: dict[str, Any] = {"ha": "center", "va": "center", "linespacing": 1.15}
    for (i, j), rate in np.ndenumerate(rates):
        if np.isfinite(rate):
            text = f"{100 * rate:.0f}" if texts is None else str(texts[i, j])
            color = "white" if rate < LIGHT else "black"
            ax.text(
                j,
                i,
                text,
                size=small() if size is None else size,
                color=color,
                **middle,
            )
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax
