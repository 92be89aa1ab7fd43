"""The page of all claims: a table that can be sorted and searched, in one HTML file.

Reads experiments/summaries/*_claims.csv, which the experiments write, and writes
figures/claims.html. The figures of `figures/claims.py` show the same claims in print.
"""

from pathlib import Path

import tyro

import approx as ap

FOLDER = Path(__file__).parent
TITLE = "What people were told about small networks, and what the seeds say"


def main(
    summaries: Path = FOLDER.parent / "experiments" / "summaries", figures: Path = FOLDER
) -> None:
    """Write the page.

    Args:
        summaries: the folder that the experiments wrote their tables of claims to.
        figures: the folder to write into.
    """
    files = sorted(summaries.glob("*_claims.csv"))
    if not files:
        raise SystemExit(f"no tables of claims in {summaries}: run the experiments first")
    figures.mkdir(parents=True, exist_ok=True)
    path = figures / "claims.html"
    path.write_text(ap.stats.claims_page(ap.stats.read_claims(*files), TITLE), encoding="utf-8")
    print(path)


if __name__ == "__main__":
    tyro.cli(main)
