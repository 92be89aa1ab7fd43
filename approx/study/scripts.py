"""The part of a figure's script that all figures share."""

from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from approx.plot import STYLE, save

QUICK_LOOK = "Quick look: few seeds, settings and steps, not the experiment"


def draw_and_save(
    name: str, draw: Callable[[Path], Figure], source: Path, figures: Path, note: str
) -> None:
    """Draw a figure from a folder in the style of papers, save it, and print where it is."""
    with plt.style.context(STYLE):
        figure = draw(source)
        print(*save(figure, figures, name, note), sep="\n")
    plt.close(figure)


def figure_script(name: str, draw: Callable[[Path], Figure], folder: Path) -> Callable[..., None]:
    """The `main` of a script that draws a figure, for `tyro.cli`.

    Args:
        name: of the files, without a suffix.
        draw: a function of the folder of results that draws the figure, in the style of papers.
        folder: that the script draws into by default; the folder "results" stands beside it.

    Example:
        >>> main = study.figure_script("map_sine", draw, Path(__file__).parent)
    """

    def main(
        results: Path = folder.parent / "results", figures: Path = folder, quick: bool = False
    ) -> None:
        """Draw the figure.

        Args:
            results: the folder that the experiment wrote to.
            figures: the folder to draw into.
            quick: draw what `--quick` wrote, in results/quick.
        """
        note = ""
        if quick:
            results = figures = results / "quick"
            note = QUICK_LOOK
        draw_and_save(name, draw, results, figures, note)

    return main


def table_figure_script(
    name: str, draw: Callable[[Path], Figure], folder: Path
) -> Callable[..., None]:
    """The `main` of a script that draws a figure from committed tables alone, for `tyro.cli`.

    Args:
        name: of the files, without a suffix.
        draw: a function of the folder of tables that draws the figure, in the style of papers.
        folder: that the script draws into by default; the folders "experiments/summaries" and
            "results" stand beside it.

    Example:
        >>> main = study.table_figure_script("identity_time", draw, Path(__file__).parent)
    """

    def main(
        results: Path = folder.parent / "results",
        summaries: Path = folder.parent / "experiments" / "summaries",
        figures: Path = folder,
        quick: bool = False,
    ) -> None:
        """Draw the figure.

        Args:
            results: the folder whose quick look is drawn with `quick`.
            summaries: the folder of the tables.
            figures: the folder to draw into.
            quick: draw what `--quick` wrote, in results/quick.
        """
        note = ""
        if quick:
            summaries = figures = results / "quick"
            note = QUICK_LOOK
        draw_and_save(name, draw, summaries, figures, note)

    return main
