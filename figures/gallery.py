"""The gallery: figures/README.md, every figure with what it shows, and how it was made.

Reads the committed figures, the results or the files of rates that they were drawn from, and the
experiments' docstrings.
"""

import ast
import hashlib
import math
import re
from pathlib import Path

import tyro

import approx as ap

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
SUMMARY_FOLDER = ROOT / "experiments" / "summaries"
RATES = "_rates"  # how the names of files of rates end

# figure -> what it is drawn from: tables of experiments/summaries, which have an ending; a pattern
# of the names of files of rates there, which ends in _rates; the rows of a study in results/; or a
# pattern of the names of files in results/
FIGURES = {
    "hero": "square_recipes/rows",
    "square": "square_recipes/rows",
    "square_remedies": "square_rows.csv",
    "square_scaling": "square_rows.csv",
    "square_floors": "square_floors.csv, square_exponents.csv",
    "square_causes": "square_causes.csv",
    "square_sources": "square_sources.csv",
    "map_square": r"map_square_(tanh|relu)",
    "map_square_times": r"map_square_tanh",
    "map_square_seeds": r"map_square_tanh",
    "map_square_range": r"map_square_(range|relu)",
    "interval": "interval_rows.csv, interval_endings.csv, interval_functions.csv",
    "interval_remedies": "interval_rows.csv, interval_curves.csv",
    "map_interval": r"map_interval_(sgd|adam)_(raw|z)_rates",
    "map_interval_width": r"map_interval_width_rates",
    "sine": "sine_functions.csv, sine_rows.csv",
    "map_sine": r"map_sine_(width|spectrum)",
    "map_sine_snake": r"map_sine_snake",
    "identity": "identity_examples.csv",
    "identity_remedies": "identity_rows.csv",
    "identity_time": "identity_curves.csv, identity_closed_forms.csv",
    "map_identity": r"map_identity_(sgd|adam)_rates",
    "waveform": "waveform_curves.csv, waveform_rows.csv",
    "waveform_advice": "waveform_rows.csv",
    "map_waveform": r"map_waveform_(sgd|adam)_\d+_rates",
    "clusters": "clusters_curves.csv",
    "clusters_advice": "clusters_rows.csv",
    "clusters_borders": "clusters_networks.csv",
    "map_clusters": r"map_clusters_(bare|biases)_rates",
    "second_order": "second_order_rates.csv",
    "spirals": r"spirals_(circles|spirals)",
    "decay": r"decay_(adam|lbfgs|lm)",
    "product": "product_rates.csv",
    "parity": "parity_rates.csv",
    "spectral_bias": r"spectral_bias_all",
    "kan": r"kan_(product|formula|maximum)_.*",
    "arithmetic": "arithmetic_rates.csv",
    "modular": r"modular_(many|few)",
    "claims": "*_claims.csv",
    "frameworks": "frameworks.csv",
    "speed": "speed.json",
}
# Figure -> experiment, where they are called differently
MADE_BY = {
    "hero": "square",
    "square_scaling": "square_remedies",
    "square_causes": "square_floors",
    "square_sources": "square_floors",
    "map_square_times": "map_square",
    "map_square_seeds": "map_square",
    "map_square_range": "map_square",
    "interval_remedies": "interval",
    "map_interval_width": "map_interval",
    "map_sine_snake": "map_sine",
    "identity_remedies": "identity",
    "identity_time": "identity",
    "waveform_advice": "waveform",
    "clusters_advice": "clusters",
    "clusters_borders": "clusters",
}
# Figure -> how it is made, where no experiment alone does it
COMMANDS = {
    "claims": "`python figures/claims.py`, after the experiments",
    "speed": "`make bench`",
}

HEAD = """# Gallery

Every figure with what it shows, the commands that make it, what they cost, and from how many """
HEAD += """trainings it is drawn.
A *seed* is one random start of a training, and a setting is trained from many of them. Brackets, as
in 5% [4, 8], are 95% intervals. A *thread* is a public question with its answers; [the six
cases](../docs/cases.md) say which. Other words are in [the glossary](../docs/glossary.md).
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
    """The fingerprint of a result, or one checksum of the fingerprints of several."""
    if len(fingerprints) == 1:
        return f"fingerprint {fingerprints[0][:12]}"
    joined = hashlib.sha256(" ".join(sorted(fingerprints)).encode()).hexdigest()
    return f"checksum of the {len(fingerprints)} result files {joined[:12]}"


def paragraph(folder: str, name: str, begin: str) -> str:
    """What a script's docstring says after a word, to the end of that paragraph.

    What follows the word "Writes" in it is left out.
    """
    text = ast.get_docstring(ast.parse((ROOT / folder / f"{name}.py").read_text())) or ""
    found = re.search(
        rf"^{begin}(.*?)(?=\n\n|\nCost: |\sWrites\s|\Z)",
        text,
        re.DOTALL | re.MULTILINE,
    )
    return " ".join(found[1].split()) if found else ""


def is_of_tables(pattern: str) -> bool:
    """Whether a figure is drawn from tables, rather than from results or rates."""
    return pattern.endswith((".csv", ".json"))


def whose_tables(pattern: str) -> str:
    """The tables of a figure, and one checksum of them."""
    files = [path for one in pattern.split(", ") for path in sorted(SUMMARY_FOLDER.glob(one))]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return f"Drawn from {pattern}, checksum {digest[:12]}"


def entry(name: str, results: Path) -> str:
    """The section of a figure: its picture, what it shows, how it is made and from what."""
    pattern = FIGURES[name]
    experiment = MADE_BY.get(name, name)
    from_tables = is_of_tables(pattern)
    title = paragraph("figures", name, "").removesuffix(".")
    usual = f"`python experiments/{experiment}.py`, then `python figures/{name}.py`"
    cost = paragraph("figures", name, "Cost: ")
    if name not in COMMANDS:
        cost = paragraph("experiments", experiment, "Cost: ")
    cost = f" Cost: {cost}" if cost else ""
    source = whose_tables(pattern) if from_tables else facts(results, pattern).capitalize()
    shows = paragraph("figures", name, "Shows: ")
    made = COMMANDS.get(name, usual)
    return f"## {title}\n\n![{title}]({name}.png)\n\n{shows}\n\n{made}.{cost} {source}.\n"


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
    for name in FIGURES:
        if only and name not in only:
            sections.append(earlier_section(page, name))
        else:
            sections.append(entry(name, results))
    path.write_text("\n".join([HEAD, *filter(None, sections)]))
    print(path)


if __name__ == "__main__":
    tyro.cli(main)
