"""The gallery: figures/README.md, every figure with what it shows, and how it was made.

Reads the committed figures, the results or the files of rates that they were drawn from, and the
experiments' docstrings.
"""

import ast
import hashlib
import math
import re
from collections.abc import Sequence
from pathlib import Path

import tyro

import approx as ap

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
SUMMARY_FOLDER = ROOT / "experiments" / "summaries"
RATES = "_rates"  # how the names of files of rates end

# figure -> pattern of the names of the results that it is drawn from, the rows of a study, or the
# summaries with the rates of its maps
FIGURES = {
    "hero": "square_recipes/rows",
    "map_square": r"map_square_(tanh|relu)",
    "map_square_times": r"map_square_tanh",
    "map_square_seeds": r"map_square_tanh",
    "map_square_range": r"map_square_(range|relu)",
    "map_interval": r"map_interval_(sgd|adam)_(raw|z)_rates",
    "map_interval_width": r"map_interval_width_rates",
    "map_sine": r"map_sine_(width|spectrum)",
    "map_sine_snake": r"map_sine_snake",
    "map_identity": r"map_identity_(sgd|adam)_rates",
    "map_waveform": r"map_waveform_(sgd|adam)_\d+_rates",
    "map_clusters": r"map_clusters_(bare|biases)_rates",
    "square": "square_recipes/rows",
    "square_floors": r"square_(floors|sources)",
    "interval": "interval/rows",
    "waveform": "waveform/rows",
    "identity": "identity/rows",
    "clusters": "clusters/rows",
    "sine": "sine/rows",
    "second_order": r"second_order_.*",
    "spirals": r"spirals_(circles|spirals)",
    "decay": r"decay_(adam|lbfgs|lm)",
    "product": r"product_all",
    "parity": r"parity_(signs|bits|kept)_\d",
    "spectral_bias": r"spectral_bias_all",
    "kan": r"kan_(product|formula|maximum)_.*",
    "arithmetic": r"arithmetic_(add|sub|mul|div)",
    "modular": r"modular_(many|few)",
}
# Figure -> experiment, where they are called differently
MADE_BY = {
    "hero": "square",
    "map_square_times": "map_square",
    "map_square_seeds": "map_square",
    "map_square_range": "map_square",
    "map_interval_width": "map_interval",
    "map_sine_snake": "map_sine",
}
# script -> its figures, the pattern of the summaries that it draws, and the command
SUMMARIES = {
    "claims": (
        ("claims",),
        "*_claims.csv",
        "`python figures/claims.py`, after the experiments",
    ),
    "square_remedies": (
        ("square_remedies",),
        "square_rows.csv",
        "`python experiments/square_remedies.py`, then `python figures/square_remedies.py`",
    ),
    "square_scaling": (
        ("square_scaling",),
        "square_rows.csv",
        "`python experiments/square_remedies.py`, then `python figures/square_scaling.py`",
    ),
    "speed": (("speed",), "speed.json", "`make bench`"),
    "frameworks": (
        ("frameworks",),
        "frameworks.csv",
        "`python experiments/frameworks.py`, then `python figures/frameworks.py`",
    ),
}

HEAD = """# Gallery

Every figure with what it shows, the commands that make it, what they cost, and from how many """
HEAD += """trainings it is drawn.
The commands draw a PDF and an SVG too. `make figures` runs them all and writes this page.
`make drawings` draws the figures again from the results that there are.
"""


def paths_of(results: Path, pattern: str) -> list[Path]:
    """The files of results or of rates whose names fit a pattern, or the folders of a study's rows.

    Raises:
        FileNotFoundError: there are none.
    """
    if pattern.endswith("/rows"):
        paths = sorted((results / pattern).glob("*"))
    else:
        folder = SUMMARY_FOLDER if pattern.endswith(RATES) else results
        paths = [path for path in sorted(folder.glob("*.nc")) if re.fullmatch(pattern, path.stem)]
    if not paths:
        raise FileNotFoundError(f"no results {pattern} in {results}: make figures first")
    return paths


def facts(results: Path, pattern: str) -> str:
    """Trainings, how fast they were made, seeds and fingerprints of the results of a figure.

    Raises:
        FileNotFoundError: there are none.
    """
    fingerprints, seeds, trainings, speeds = [], [], 0, []
    for path in paths_of(results, pattern):
        about, seed, trained = counts_of(path)
        fingerprints.append(about["fingerprint"])
        seeds.append(seed)
        trainings += trained
        if "trainings_per_second" in about:
            speeds.append(about["trainings_per_second"])
    fast = f", {between(speeds)} a second" if speeds else ""
    made = f"{trainings:,} trainings{fast}, {between(seeds)} seeds a setting"
    return f"{made}; {whose(fingerprints)}"


def counts_of(path: Path) -> tuple[dict, int, int]:
    """What a result, or a file of rates, says of itself; its seeds of a setting, and trainings."""
    if path.stem.endswith(RATES):
        rates = ap.study.load_rates(path)
        return rates.attrs, int(rates.n.max()), int(rates.n.sum())
    runs = ap.load(path)
    sizes = {dim: size for dim, size in runs["loss"].sizes.items() if dim != "step"}
    return runs.attrs, sizes["seed"], math.prod(sizes.values())


def between(numbers: list) -> str:
    """The least and the greatest number as text, or the one number that all are."""
    ends = [f"{number:,.0f}" for number in (min(numbers), max(numbers))]
    return " to ".join(dict.fromkeys(ends))


def whose(fingerprints: list[str]) -> str:
    """The fingerprint of the results, or how many there are and one of them together."""
    if len(fingerprints) == 1:
        return f"fingerprint {fingerprints[0][:12]}"
    joined = hashlib.sha256(" ".join(sorted(fingerprints)).encode()).hexdigest()
    return f"{len(fingerprints)} results, together {joined[:12]}"


def paragraph(folder: str, name: str, begin: str) -> str:
    """What a script's docstring says after a word, to the end of that paragraph.

    What follows the word "Writes" in it is left out.
    """
    text = ast.get_docstring(ast.parse((ROOT / folder / f"{name}.py").read_text())) or ""
    found = re.search(
        rf"^{begin}(.*?)(?=\n\n|\sWrites\s|\Z)",
        text,
        re.DOTALL | re.MULTILINE,
    )
    return " ".join(found[1].split()) if found else ""


def section(title: str, images: Sequence[str], shows: str, about: str) -> str:
    """A section of the page."""
    drawn = "\n\n".join(f"![{title}]({image}.png)" for image in images)
    return f"## {title}\n\n{drawn}\n\n{shows}\n\n{about}\n"


def entry(name: str, pattern: str, results: Path) -> str:
    """The section of a figure that is drawn from results."""
    experiment = MADE_BY.get(name, name)
    title = paragraph("figures" if name in MADE_BY else "experiments", name, "").removesuffix(".")
    made = f"`python experiments/{experiment}.py`, then `python figures/{name}.py`"
    cost = paragraph("experiments", experiment, "Cost: ")
    about = f"{made}. Cost: {cost} {facts(results, pattern).capitalize()}."
    return section(title, [name], paragraph("figures", name, "Shows: "), about)


def entry_of_summaries(name: str, images: tuple[str, ...], pattern: str, command: str) -> str:
    """The section of figures that are drawn from the experiments' tables."""
    title = paragraph("figures", name, "").removesuffix(".")
    files = sorted(SUMMARY_FOLDER.glob(pattern))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    cost = paragraph("figures", name, "Cost: ")
    about = f"{command}. Cost: {cost} Drawn from {pattern}, fingerprint {digest}."
    return section(title, images, paragraph("figures", name, "Shows: "), about)


def earlier_section(page: str, name: str) -> str:
    """The section of a figure as the page has it, or "" if it has none."""
    for found in re.findall(r"^## .*?(?=^## |\Z)", page, re.DOTALL | re.MULTILINE):
        if f"]({name}.png)" in found:
            return found.rstrip("\n") + "\n"
    return ""


def main(
    results: Path = ROOT / "results", figures: Path = FOLDER, only: tuple[str, ...] = ()
) -> None:
    """Write the gallery.

    Args:
        results: the folder that the experiments wrote to.
        figures: the folder of the figures, in which README.md is written.
        only: figures whose sections are written anew; the others stay as the page has them. Left
            out, all are.
    """
    path = figures / "README.md"
    page = path.read_text() if path.exists() else ""
    sections = []
    for name, pattern in FIGURES.items():
        if only and name not in only:
            sections.append(earlier_section(page, name))
        else:
            sections.append(entry(name, pattern, results))
    sections += [entry_of_summaries(name, *about) for name, about in SUMMARIES.items()]
    path.write_text("\n".join([HEAD, *filter(None, sections)]))
    print(path)


if __name__ == "__main__":
    tyro.cli(main)
