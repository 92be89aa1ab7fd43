"""The part of a figure's script that all figures share."""

from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from approx.plot import STYLE, save

QUICK_LOOK = "Quick look: few seeds, settings and steps, not the experiment"


def figure_script(
    name: str, draw: Callable[[Path], Figure], folder: Path, summaries: Path | None = None
) -> Callable[..., None]:
    """The `main` of a script that draws a figure, for `tyro.cli`.

    Args:
        name: of the files, without a suffix.
        draw: a function of the folder of results that draws the figure, in the style of papers.
        folder: that the script draws into by default; the folder "results" stands beside it.
        summaries: the folder of small committed files, for a figure that is drawn from these and
            not from results.

    Example:
        >>> main = study.figure_script("map_sine", draw, Path(__file__).parent)
    """
    quick_look = folder.parent / "results" / "quick"

    def write(source: Path, figures: Path, note: str = "") -> None:
        with plt.style.context(STYLE):
            figure = draw(source)
            print(*save(figure, figures, name, note), sep="\n")
        plt.close(figure)

    def of_results(
        results: Path = folder.parent / "results", figures: Path = folder, quick: bool = False
    ) -> None:
        """Draw the figure.

        Args:
            results: the folder that the experiment wrote to.
            figures: the folder to draw into.
            quick: draw what `--quick` wrote, in results/quick.
        """
        if quick:
            write(results / "quick", results / "quick", QUICK_LOOK)
        else:
            write(results, figures)

    if summaries is None:
        return of_results

    def of_summaries(
        summaries: Path = summaries, figures: Path = folder, quick: bool = False
    ) -> None:
        """Draw the figure.

        Args:
            summaries: the folder that the experiment wrote its summaries to.
            figures: the folder to draw into.
            quick: draw what `--quick` wrote, in results/quick.
        """
        if quick:
            write(quick_look, quick_look, QUICK_LOOK)
        else:
            write(summaries, figures)

    return of_summaries
