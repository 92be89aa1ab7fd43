"""The look of the gallery's pictures."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

import approx as ap


def reset(conf: dict[str, Any], name: str | Path) -> None:
    """Switch on the style of a journal's column before and after each example."""
    plt.style.use(ap.plot.STYLE)
    plt.rcParams.update({"figure.dpi": 200, "savefig.dpi": 200})
