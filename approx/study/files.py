"""Studies in files: tables as CSV, what is said of the whole as JSON, trainings as netCDF."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from approx.disk import saved
from approx.study.rows import slug
from approx.study.tables import Tables

TABLES = ("rows", "endings", "effects", "claims", "reported")
FACTS = "study.json"
NEEDED = ("title", "source", "measures", "matters", "level", "verdicts", "not_trained", "factors")
FORMAT = 1  # of the folder; a newer one is refused
# Columns of texts, which may say "None" or nothing and mean it
TEXTS = {
    "rows": ("measure", "label", "group", "change", "against", "tuned", "fingerprint"),
    "endings": ("label", "ending"),
    "effects": ("effect", "factor", "at"),
    "claims": ("claim", "source", "compared", "measure", "interval", "verdict", "remark"),
    "reported": ("number", "source", "recipe", "place"),
}
EXACT = ("level", "level_all", "deciding_level")  # columns that are written with all digits


def write(tables: Tables, report: str, folder: Path, name: str) -> list[Path]:
    """Write the tables of a study and its report in Markdown; see `Answer.write`."""
    folder.mkdir(parents=True, exist_ok=True)
    prefix = f"{name}_" if name else ""
    written = []
    for table in TABLES:
        frame = getattr(tables, table)
        path = folder / f"{prefix}{table}.csv"
        if not len(frame):
            path.unlink(missing_ok=True)
            continue
        write_table(frame, path)
        written.append(path)
    lines = {table: len(getattr(tables, table)) for table in TABLES}
    facts = {"format": FORMAT, "lines": lines} | tables.facts
    texts = {
        f"{prefix}{FACTS}": json.dumps(facts, indent=1, ensure_ascii=False) + "\n",
        f"{prefix}report.md": report,
    }
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
        written.append(folder / file)
    return written


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table with six digits, and with all digits where the report needs them."""
    frame = frame.copy()
    for column in EXACT:
        if column in frame:
            frame[column] = [f"{value:.15g}" if pd.notna(value) else "" for value in frame[column]]
    frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n", encoding="utf-8")


def read(folder: Path, name: str) -> Tables:
    """Read what `write` wrote.

    Raises:
        FileNotFoundError: there is no study.
        ValueError: a file that is damaged, or written by a newer version.
    """
    prefix = f"{name}_" if name else ""
    path = folder / f"{prefix}{FACTS}"
    if not path.exists():
        raise FileNotFoundError(
            f"there is no study in {folder}: {path.name} is missing; Study.save writes it. "
            "If a script writes it, run that first"
        )
    facts = read_facts(path)
    lines = facts.pop("lines", {})
    frames = {}
    for table in TABLES:
        file = folder / f"{prefix}{table}.csv"
        frames[table] = read_table(file, table)
        check_lines(file, frames[table], lines.get(table))
    return Tables(facts=facts, folder=folder, **frames)


def read_facts(path: Path) -> dict[str, Any]:
    """What is said of a whole study, checked."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        found = facts.pop("format")
        is_newer = found > FORMAT
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} is damaged or no study's file: {error!r}") from error
    if is_newer:
        raise ValueError(f"{path} was written by a newer version of approx (format {found})")
    lacking = [name for name in NEEDED if name not in facts]
    if lacking:
        raise ValueError(f"{path} is damaged or no study's file: it lacks {', '.join(lacking)}")
    return facts


def read_table(path: Path, table: str) -> pd.DataFrame:
    """A table; an empty one if there is no file.

    Raises:
        ValueError: a file that is no such table.
    """
    if not path.exists():
        return pd.DataFrame()
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except ValueError as error:
        raise ValueError(f"{path} is damaged or no study's table: {error}") from error
    lacking = [column for column in TEXTS[table][:2] if column not in frame]
    if lacking:
        raise ValueError(f"{path} is damaged: it lacks the columns {', '.join(lacking)}")
    for column in frame:
        if column not in TEXTS[table]:
            frame[column] = plain_values(frame[column])
    return frame


def plain_values(entries: pd.Series) -> pd.Series:
    """The entries of a column as numbers if they are; nan where there is none."""
    entries = entries.mask(entries == "")
    try:
        return pd.to_numeric(entries)
    except ValueError:
        return entries


def check_lines(path: Path, frame: pd.DataFrame, lines: int | None) -> None:
    """Refuse a table that has lost lines, or that is missing altogether."""
    if lines is not None and len(frame) != lines:
        raise ValueError(
            f"{path} is damaged or of another study: it has {len(frame)} lines, and {lines} were "
            "written; run the study again"
        )


def save_runs(by_row: Mapping[str, xr.Dataset], folder: Path) -> list[Path]:
    """Write the trainings of every row, each into a file of its own."""
    inside = folder / "runs"
    inside.mkdir(parents=True, exist_ok=True)
    written = []
    for label, runs in by_row.items():
        path = inside / f"{slug(label)}.nc"
        saved.save(runs, path)
        written.append(path)
    return written


def load_row(tables: Tables, label: str) -> xr.Dataset:
    """The trainings of a row from the folder of a study.

    Rows that are the same training are kept once, under the label of the first of them.

    Raises:
        RuntimeError: no folder. KeyError: the folder has no such row.
        ValueError: the trainings are others than those that the tables were made of.
    """
    folder = tables.folder
    if folder is None:
        raise RuntimeError("this answer was not loaded from a folder; use study.runs(label)")
    rows = tables.main_rows
    here = rows[rows.label == label]
    same = rows[rows.fingerprint.isin(here.fingerprint) & (rows.group != "view")]
    path = path_of_row(folder, [label, *same.label])
    if path is None:
        there = [each.stem for each in (*folder.glob("runs/*.nc"), *folder.glob("rows/*"))]
        listed = ", ".join(sorted(there)) or "none"
        raise KeyError(f"no trainings of {label!r} in {folder}; there are: {listed}")
    runs = saved.load(path)
    if len(here) and not str(runs.fingerprint).startswith(here.fingerprint.iloc[0]):
        raise ValueError(
            f"the trainings of {label!r} in {folder} are others than those that the tables were "
            "made of; run the study again"
        )
    return runs


def path_of_row(folder: Path, labels: Iterable[str]) -> Path | None:
    """Where the trainings of the first of some labels are that has any; None if none has."""
    for label in labels:
        for path in (folder / "runs" / f"{slug(label)}.nc", folder / "rows" / slug(label)):
            if path.exists():
                return path
    return None
