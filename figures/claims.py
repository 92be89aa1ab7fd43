"""What the threads claim, and what hundreds of seeds say of it: every claim a row, by thread.

Reads experiments/summaries/*_claims.csv, which the experiments write, and draws figures/claims.pdf and .png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import tyro

import approx as ap

FOLDER = Path(__file__).parent
INCHES = 0.17  # of height for a row


def main(
    summaries: Path = FOLDER.parent / "experiments" / "summaries", figures: Path = FOLDER, quick: bool = False
) -> None:
    """Draw the figure.

    Args:
        summaries: the folder that the experiments wrote their tables of claims to.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        summaries = figures = FOLDER.parent / "results" / "quick"
    files = sorted(summaries.glob("*_claims.csv"))
    if not files:
        raise SystemExit(f"no tables of claims in {summaries}: run the experiments first")
    found = ap.stats.read_claims(*files)
    plt.style.use(ap.plot.STYLE)
    rows = found.sizes["claim"] + 2 * len(files)
    figure, ax = plt.subplots(figsize=(7.0, 0.8 + INCHES * rows))
    ap.plot.claims(found, ax, wrap=78)
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "claims", note), sep="\n")
    plt.close(figure)
    for verdict, n in found.verdict.to_series().value_counts().items():
        print(f"{verdict}: {n}")


if __name__ == "__main__":
    tyro.cli(main)
