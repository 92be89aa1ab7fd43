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
FORMAT = 1  # of the folder; a newer one is refused
TEXTS = ("label", "ending", "verdict", "change", "against", "tuned", "remark", "fingerprint")


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
        frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
        written.append(path)
    facts = {"format": FORMAT} | tables.facts
    texts = {
        f"{prefix}{FACTS}": json.dumps(facts, indent=1, ensure_ascii=False) + "\n",
        f"{prefix}report.md": report,
    }
    for file, text in texts.items():
        (folder / file).write_text(text)
        written.append(folder / file)
    return written


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
            f"there is no study in {folder}: {path.name} is missing; run the experiment that "
            "writes it first"
        )
    facts = read_facts(path)
    frames = {table: read_table(folder / f"{prefix}{table}.csv") for table in TABLES}
    return Tables(facts=facts, folder=folder, **frames)


def read_facts(path: Path) -> dict[str, Any]:
    """What is said of a whole study, checked."""
    try:
        facts = json.loads(path.read_text())
        found = facts.pop("format")
    except (ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is damaged or no study's file: {error!r}") from error
    if found > FORMAT:
        raise ValueError(f"{path} was written by a newer version of approx (format {found})")
    return facts


def read_table(path: Path) -> pd.DataFrame:
    """A table; an empty one if there is no file."""
    if not path.exists():
        return pd.DataFrame()
    texts = dict.fromkeys(TEXTS, str)
    frame = pd.read_csv(path, dtype=texts, keep_default_na=True)
    for column in ("change", "against", "tuned", "remark", "fingerprint"):
        if column in frame:
            frame[column] = frame[column].fillna("")
    return frame


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
