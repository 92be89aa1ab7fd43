"""`Answer`: the tables of a study with the calls that report, draw and keep them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import xarray as xr

from approx.study import files
from approx.study.drawing import figure
from approx.study.reports import report
from approx.study.tables import Tables


@dataclass(frozen=True, eq=False)
class Answer(Tables):
    """What a study found, as tables. Reports and figures use nothing else.

    All rates are shares of all seeds of a row: trainings that diverged count as failures.

    Attributes:
        facts: of the whole: "title", "source", "measures" {name: rule in words}, "matters",
            "level", "verdicts" (how many are right together), "looked_often", "seeds",
            "not_trained", "factors", "claimed" (the labels that claims name).
        rows: one line for each measure and row: `measure`, `label`, `group`, `change`, `n`,
            `successes`, `rate` with `low` and `high`, `difference` to the baseline, or to the row
            `against`, with `difference_low` and `difference_high`, `deciding_low` and
            `deciding_high` (the interval at `deciding_level` that decides), `verdict`, `pvalue`
            (McNemar's), `equal_difference` (where both have seen `equal_rows_seen`) with its
            interval, `median` of the judged variable with the quantiles `q05` and `q95` over seeds,
            `better` (the share of seeds whose value of it ends better than with the other row, ties
            counting half) with its interval, `ert` (expected steps to a success by restarts),
            `steps`, `diverged`, `idle_units`, `tuned`, `fingerprint`.
        endings: how many seeds of each row ended in which way, see `stats.endings`; with the mean
            share of their hidden units that are idle.
        effects: of a factorial, see `stats.effects`.
        claims: see `stats.claims`; with a `remark` on what is known besides the verdict.
        reported: see `stats.reported`.
        folder: that it was loaded from, or None.
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
