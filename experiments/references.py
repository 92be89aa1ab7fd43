"""What no network is needed for: classical methods on the six cases, beside the cases' networks.

Question: on each case of the catalogue, what do polynomials, splines, Fourier series, rational
functions, random features, nearest neighbours, forests, kernels and a network's own linearisation
reach with as many parameters as the case's network, inside and outside the training range? Each
case has the thread's network, trained long enough by an optimiser that works; the threads' literal
recipes are in the experiments of the cases.
Expected: classical methods win inside on functions of one variable; outside nobody does, except
who has the target among its functions.
Cost: about five minutes on two cores. Writes experiments/summaries/references.csv, and the tables
between the two marks of docs/references.md.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import tyro
import xarray as xr

import approx as ap

ROOT = Path(__file__).parents[1]
SUMMARIES = Path(__file__).parent / "summaries"
PAGE = ROOT / "docs" / "references.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
ERRORS = {
    "loss": "training",
    "test_loss": "inside",
    "outside_loss": "outside",
    "test_accuracy": "correct inside",
    "outside_accuracy": "correct outside",
}
NETWORK = "network"
FEW = 1  # seeds of the references where a network has thousands of parameters


class Case(NamedTuple):
    """A case of the catalogue.

    Attributes:
        task: as the thread has it.
        recipe: the thread's network with an optimiser that works.
        seeds: of the networks.
        of_references: seeds of the references.
        says: what is trained, for the page.
    """

    task: ap.Task
    recipe: ap.Recipe
    seeds: int
    of_references: int
    says: str


def cases() -> dict[str, Case]:
    """The six cases by name."""
    sigmoid = ap.MLP((2,), "sigmoid", initializer="keras")
    ten = ap.MLP((10,), "tanh")
    levels = ap.MLP((32, 64), "sigmoid", outputs=32, initializer="keras")
    rows = ap.MLP((), outputs=84, initializer="keras")
    relu = ap.MLP((10,), "relu", outputs=4, bias=False)
    return {
        "interval": Case(
            ap.tasks.interval(standardise=True),
            ap.Recipe(
                model=sigmoid,
                optimizer="adam_keras",
                learning_rate=0.1,
                batch_size=32,
                steps=2_000,
            ),
            64,
            8,
            "1-2-1 sigmoid units, standardised inputs, Keras' Adam at 0.1, 200 epochs",
        ),
        "waveform": Case(
            ap.tasks.waveform(classes=32),
            ap.Recipe(
                model=levels,
                optimizer="adam_keras",
                learning_rate=1e-3,
                batch_size=32,
                batches="stream",
                steps=3_000,
            ),
            8,
            FEW,
            "200-32-64-32 sigmoid units, Keras' Adam at 0.001, 3,000 fresh batches of 32",
        ),
        "identity": Case(
            ap.tasks.identity("A", size=2_000),
            ap.Recipe(
                model=rows, optimizer="adam_keras", learning_rate=1e-3, batch_size=8, steps=3_500
            ),
            8,
            FEW,
            "84-84 linear units, data set A with 2,000 rows, Keras' Adam at 0.001, 20 epochs",
        ),
        "square": Case(
            ap.tasks.square(),
            ap.Recipe(
                model=ten, optimizer="adam", learning_rate=1e-2, batch_size=None, steps=15_000
            ),
            64,
            8,
            "1-10-1 tanh units, the 21 integers from -10 to 10, Adam at 0.01, 15,000 steps",
        ),
        "sine": Case(
            ap.tasks.sine(),
            ap.Recipe(
                model=ten, optimizer="adam", learning_rate=1e-2, batch_size=None, steps=5_000
            ),
            64,
            8,
            "1-10-1 tanh units, 256 rows of two periods, Adam at 0.01, 5,000 steps",
        ),
        "clusters": Case(
            ap.tasks.clusters(),
            ap.Recipe(
                model=relu, optimizer="adam", learning_rate=3e-3, batch_size=32, steps=10_000
            ),
            32,
            4,
            "5-10-4 relu units without biases, half squared errors, Adam at 0.003, 40 epochs",
        ),
    }


def compared(name: str, case: Case, quick: bool = False) -> pd.DataFrame:
    """One line for the networks of a case, and one for each reference.

    Args:
        name: of the case.
        case: see `Case`.
        quick: train for 20 steps, with two seeds and cheap references only.
    """
    recipe, seeds, of_references = case.recipe, case.seeds, case.of_references
    methods = None
    if quick:
        recipe = replace(recipe, steps=20)
        seeds = of_references = 2
        methods = ["constant", "polynomial", "spline"]
    runs = ap.run(case.task, recipe, seeds=seeds, keep=(), progress=False)
    found = ap.references(case.task, model=recipe.model, seeds=of_references, methods=methods)
    about = {"case": name, "parameters": found.budget, "counts": "network"}
    lines = [about | {"reference": NETWORK, "n": seeds} | errors_of(runs.isel(step=-1))]
    lines[0]["source"] = runs.fingerprint[:12]
    for reference in found.reference.values.tolist():
        one = found.sel(reference=reference)
        line = {
            "case": name,
            "reference": reference,
            "parameters": int(one.parameters.max()),
            "counts": str(one["counts"].item()),
            "n": of_references,
            "chosen": str(one.chosen.values[0]),
            "note": next(filter(None, one.note.values.tolist()), ""),
            "source": found.attrs["data"][:12],
        }
        lines.append(line | errors_of(one))
    return pd.DataFrame(lines)


def errors_of(found: xr.Dataset) -> dict[str, float]:
    """Median, 5% and 95% quantile over seeds of each error that there is."""
    line: dict[str, float] = {}
    for name in ERRORS:
        if name not in found or np.isnan(found[name]).all():
            continue
        worst = -np.inf if name.endswith("accuracy") else np.inf
        low, middle, high = ap.stats.order_quantiles(
            found[name].values, (0.05, 0.5, 0.95), worst=worst
        )
        line |= {name: middle, f"{name}_q05": low, f"{name}_q95": high}
    return line


# ---- the page ------------------------------------------------------------------------------------


def pages_tables(table: pd.DataFrame, says: dict[str, str]) -> str:
    """A section for each case: its networks, and a table of all references."""
    parts = []
    for name in table.case.unique():
        of_case = table[table.case == name]
        parts.append(f"### {name}\n\nThe networks: {says[name]}.\n\n{section(of_case)}")
    return "\n\n".join(parts)


def section(of_case: pd.DataFrame) -> str:
    """The table of one case in Markdown, and the notes below it."""
    shown = [name for name in ERRORS if name in of_case and of_case[name].notna().any()]
    heads = ["", "parameters", *(ERRORS[name] for name in shown)]
    lines = [f"| {' | '.join(heads)} |", "| --- | ---: |" + " ---: |" * len(shown)]
    notes = []
    for line in of_case.to_dict("records"):
        cells = [str(line["reference"]), size_of(line)]
        cells += [text(name, line[name]) for name in shown]
        lines.append(f"| {' | '.join(cells)} |")
        if isinstance(line.get("note"), str) and line["note"]:
            notes.append(f"- {line['reference']}: {line['note']}")
    return "\n".join(lines + ([""] if notes else []) + notes)


def size_of(line: dict[str, Any]) -> str:
    """How many parameters or rows a line has."""
    count = int(line["parameters"])
    if not count:
        return ""
    return f"{count:,} rows" if line["counts"] == "rows" else f"{count:,}"


def text(name: str, value: float) -> str:
    """An error with two digits, or a share in percent."""
    if np.isnan(value):
        return "none"
    if name.endswith("accuracy"):
        return f"{value:.1%}"
    return f"{value:.1e}"


def write_page(page: Path, tables: str) -> None:
    """Put the tables between the two marks of the page.

    Raises:
        ValueError: a page without the marks.
    """
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} lacks the marks {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}")


def main(
    only: Sequence[str] = (),
    summaries: Path = SUMMARIES,
    page: Path | None = PAGE,
    quick: bool = False,
) -> None:
    """Train, fit, print the tables, and write them.

    Args:
        only: names of cases; the lines of the others stay as they are in the table.
        summaries: the folder of the table.
        page: the page to write the tables into; None for none.
        quick: a look with few steps, seeds and methods.
    """
    path = summaries / "references.csv"
    known = cases()
    parts = {}
    if only and path.exists():
        old = pd.read_csv(path, dtype={"source": str})
        parts = {name: old[old.case == name] for name in old.case.unique()}
    for name in only or known:
        parts[name] = compared(name, known[name], quick)
        print(f"### {name}", section(parts[name]), sep="\n\n", flush=True)
    table = pd.concat([parts[name] for name in known if name in parts])
    table.to_csv(path, index=False, lineterminator="\n", float_format="%.6g")
    print(path)
    if page is not None:
        # The page is made of the table as it is read, which has fewer digits
        table = pd.read_csv(path, dtype={"source": str})
        write_page(page, pages_tables(table, {name: case.says for name, case in known.items()}))
        print(page)


if __name__ == "__main__":
    tyro.cli(main)
