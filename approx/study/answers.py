"""`Answer`: the tables of a study with the calls that report, draw and keep them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import xarray as xr

from approx.study import files
from approx.study.notebooks import html_of_answer
from approx.study.reports import report
from approx.study.tables import Tables


@dataclass(frozen=True, eq=False)
class Answer(Tables):
    """What a study found: its tables, and the calls that report, draw and keep them.

    `study.tables.Tables` says what each table holds: `rows`, `endings`, `effects`, `claims` and
    `reported`, with what is said of the whole in `facts`.

    Example:
        >>> answer = study.answer()
        >>> answer.rows[["label", "rate", "low", "high", "n"]]
    """

    def report(self, form: str = "text") -> str:
        """The answer in plain sentences, then in tables.

        Args:
            form: "text", "markdown", "html" (one file, whose tables can be sorted) or "latex".

        Raises:
            ValueError: an unknown format.
        """
        return report(self, form)

    def figure(self, path: str | Path | None = None) -> Any:
        """Draw the answer, and write it to a file if one is given.

        Args:
            path: such as "answer.png" or "answer.pdf".

        Returns:
            The matplotlib figure.
        """
        from approx.study.drawing import figure  # it imports matplotlib, which is slow

        return figure(self, path)

    def write(self, folder: str | Path, name: str = "") -> list[Path]:
        """Write the tables and the report into a folder.

        Args:
            folder: is made if it is missing.
            name: stands before the names of all files; "" for none.

        Returns:
            The files written: a CSV of each table that is not empty, study.json and report.md.
        """
        return files.write(self, self.report("markdown"), Path(folder), name)

    @classmethod
    def load(cls, folder: str | Path, name: str = "", runs: str | Path | None = None) -> "Answer":
        """Read what `write` wrote.

        Args:
            folder: that `write` or `Study.save` wrote to.
            name: that stands before the names of all files.
            runs: the folder of the trainings, which `Study.save` wrote or `Study.run` was given as
                `out=`; by default the same folder.

        Raises:
            FileNotFoundError: there is no study.
            ValueError: a file that is damaged, or written by a newer version.
        """
        found = files.read(Path(folder), name)
        if runs is not None:
            found = replace(found, folder=Path(runs))
        return cls(**vars(found))

    def runs(self, label: str) -> xr.Dataset:
        """The trainings of a row, from the folder that this answer was loaded from.

        Args:
            label: of the row.

        Raises:
            KeyError: the folder has no such row.
            RuntimeError: this answer was not loaded from a folder.
            ValueError: the trainings are others than those that the tables were made of.
        """
        return files.load_row(self, label)

    def __repr__(self) -> str:
        """The numbers of rows and claims."""
        return f"<Answer: {len(self.main_rows)} rows, {len(self.claims)} claims>"

    def _repr_html_(self) -> str:
        """The sentences and the rates of the report, which a notebook shows."""
        return html_of_answer(self)
