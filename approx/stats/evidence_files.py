"""Tables of judged claims and reported numbers, printed and written to files."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from approx.stats.csv_files import read_csv
from approx.stats.evidence import labelled, percent, tested_at_once
from approx.stats.labels import check_result
from approx.stats.layouts import LAYOUTS, Rows, check_form

UNKNOWN = "unknown"  # the interval that decided, in files written before exact intervals decided
NEEDED = {"claim", "effect", "low_all", "level_all", "verdict", "level"}  # columns of a file

# ---- tables --------------------------------------------------------------------------------------


def claims_table(judged: xr.Dataset, form: str = "text") -> str:
    """What `claims` returned as a table, with the interval that decides each verdict.

    Args:
        judged: what `claims` or `read_claims` returned.
        form: "text", "markdown" or "latex".

    Returns:
        The table as a text.

    Raises:
        ValueError: an unknown format, or something that `claims` did not return.

    Example:
        >>> print(stats.claims_table(stats.claims("a thread", statements), "markdown"))
    """
    check_form(form)
    rows, caption = claims_rows(judged)
    return LAYOUTS[form](rows, caption)


def claims_rows(judged: xr.Dataset) -> tuple[Rows, str]:
    """The rows of the table of claims, titles first, and its caption."""
    check_result(judged, "claims", ("effect", "low_all", "level_all", "verdict"))
    own = f"{_level(judged)} interval"
    heads = ["claim", "recipes", "measure", "holds if", "effect", own, "decided by", "n", "verdict"]
    rows = [heads]
    for claim, row in judged.to_dataframe().iterrows():
        texts = [
            str(claim),
            row.compared,
            row.measure,
            f"{row.holds_from:g} to {row.holds_to:g}",
            f"{row.effect:.3f}",
            _interval(row.low, row.high),
            f"{_interval(row.low_all, row.high_all)} at {percent(row.level_all)}",
            str(row.n),
            row.verdict,
        ]
        rows.append(texts)
    caption = (
        f"{tested_at_once(judged)}. Supported: that interval lies inside the region of the claim; "
        "contradicted: outside; undecided: it reaches over an edge. Effects are probabilities, or "
        "differences of probabilities on the same seeds."
    )
    return rows, caption


def reported_table(numbers: xr.Dataset, form: str = "text") -> str:
    """What `reported` returned as a table.

    Args:
        numbers: what `reported` returned.
        form: "text", "markdown" or "latex".

    Returns:
        The table as a text.

    Raises:
        ValueError: an unknown format, or something that `reported` did not return.

    Example:
        >>> print(stats.reported_table(stats.reported("a thread", numbers)))
    """
    check_form(form)
    rows, caption = reported_rows(numbers)
    return LAYOUTS[form](rows, caption)


def reported_rows(numbers: xr.Dataset) -> tuple[Rows, str]:
    """The rows of the table of reported numbers, titles first, and its caption."""
    check_result(numbers, "reported", ("value", "quantile", "q50", "place"))
    interval = f"{_level(numbers)} interval"
    heads = ["number", "recipe", "reported", "ours: 5, 50, 95%", "quantile", interval, "n", "place"]
    rows = [heads]
    for number, row in numbers.to_dataframe().iterrows():
        texts = [
            str(number),
            row.recipe,
            f"{row.value:.4g}",
            ", ".join(f"{q:.4g}" for q in (row.q05, row.q50, row.q95)),
            f"{row['quantile']:.2f}",
            f"[{row.low:.2f}, {row.high:.2f}]",
            str(row.n),
            row.place,
        ]
        rows.append(texts)
    caption = (
        "Quantile: the share of our seeds below the reported number; inside: in their middle 95%. "
        f"Each place is judged by that number's own {interval}."
    )
    return rows, caption


def _level(data: xr.Dataset) -> str:
    """The level of a table's intervals as a text."""
    return f"{100 * data.attrs['level']:g}%"


def _interval(low: float, high: float) -> str:
    """An interval with three decimals."""
    return f"[{low:.3f}, {high:.3f}]"


# ---- files ---------------------------------------------------------------------------------------


def write_claims(
    folder: Path | str,
    name: str,
    judged: xr.Dataset,
    numbers: xr.Dataset | None = None,
    note: str = "",
    sections: Mapping[str, pd.DataFrame | str] | None = None,
    show: bool = True,
) -> list[Path]:
    """Write the tables of a case to files, and print them too.

    The files are folder/name_claims.csv, folder/name_claims.md, and folder/name_reported.csv where
    there are reported numbers.

    Args:
        folder: where to write; the folder is made if it is missing.
        name: of the case.
        judged: what `claims` returned.
        numbers: what `reported` returned.
        note: a remark below the title, such as that this is a quick look only.
        sections: further tables or texts of the .md, by title. Floats are shown with four digits.
        show: whether to print what the .md says, as text.

    Returns:
        The files written.

    Raises:
        ValueError: something that `claims` or `reported` did not return.

    Example:
        >>> stats.write_claims("findings", "square", stats.claims("a thread", statements))
    """
    contents = (name, judged, numbers, note, sections or {})
    document = _document(*contents, form="markdown")
    files = {f"{name}_claims.csv": _csv(judged)}
    if numbers is not None:
        files[f"{name}_reported.csv"] = _csv(numbers)
    files[f"{name}_claims.md"] = document
    paths = _write_texts(Path(folder), files)
    if show:
        print(_document(*contents, form="text"), flush=True)
    return paths


def _write_texts(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write texts to files of a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return [folder / name for name in files]


def _document(
    name: str,
    judged: xr.Dataset,
    numbers: xr.Dataset | None,
    note: str,
    sections: Mapping[str, pd.DataFrame | str],
    form: str,
) -> str:
    """Everything that is said of a case, with titles marked as the format wants."""
    mark = ""
    if form == "markdown":
        mark = "#"
    parts = [f"{mark} Claims: {name}", note, claims_table(judged, form)]
    if numbers is not None:
        parts.append(f"{2 * mark} Reported numbers among our seeds")
        parts.append(reported_table(numbers, form))
    for title, body in sections.items():
        parts.append(f"{2 * mark} {title}")
        parts.append(_section(body, form))
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _section(body: pd.DataFrame | str, form: str) -> str:
    """The text of a section: a text as it is, or a table in the layout of that name."""
    if isinstance(body, str):
        return body
    return LAYOUTS[form](_texts(body), "").rstrip()


def _texts(frame: pd.DataFrame) -> Rows:
    """A table's texts, its titles first; a named index becomes columns."""
    if any(frame.index.names):
        frame = frame.reset_index()
    titles = [str(column) for column in frame.columns]
    rows = [titles]
    for row in frame.itertuples(index=False):
        rows.append([_text(value) for value in row])
    return rows


def _text(value: object) -> str:
    """One entry of a table: a float with four digits, nothing for nan."""
    if not isinstance(value, float):
        return str(value)
    if np.isnan(value):
        return ""
    return f"{value:.4g}"


def _csv(data: xr.Dataset) -> str:
    """A table with its level as comma-separated values."""
    frame = data.to_dataframe().assign(level=data.attrs["level"])
    return frame.to_csv(float_format="%.6g", lineterminator="\n")


def read_claims(*paths: Path | str) -> xr.Dataset:
    """Tables of claims that `write_claims` wrote, one after another.

    Each table keeps its own error rate.

    Args:
        paths: the csv files.

    Returns:
        As `claims` does, over the claims of all files.

    Raises:
        ValueError: no file, a file that is no such table, or tables of different levels.

    Example:
        >>> stats.read_claims("findings/square_claims.csv", "findings/sine_claims.csv")
    """
    if not paths:
        raise ValueError("no file was given; give the csv files that write_claims wrote")
    whole = pd.concat([_read_table(path) for path in paths])
    level = _common_level(whole.pop("level"))
    return labelled(whole, level)


def _common_level(levels: pd.Series) -> float:
    """The confidence level of all rows, or a ValueError if they differ."""
    different = levels.unique()
    if len(different) > 1:
        shown = ", ".join(f"{x:g}" for x in different)
        raise ValueError(f"the tables have different levels: {shown}")
    return float(different[0])


def _read_table(path: Path | str) -> pd.DataFrame:
    """One table of claims, or a ValueError that says what it lacks."""
    frame = read_csv(path)
    _check_columns(frame, path)
    if "interval" not in frame:
        frame["interval"] = UNKNOWN
    return frame.set_index("claim")


def _check_columns(frame: pd.DataFrame, path: Path | str) -> None:
    """Raise a ValueError if the table lacks a column of a table of claims."""
    missing = NEEDED - set(frame.columns)
    if missing:
        raise ValueError(f"{path} is no table of claims: it lacks {', '.join(sorted(missing))}")
