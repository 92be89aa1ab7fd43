"""The tables of a study's answer: reports, figures and files are made of these alone."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True, eq=False)
class Tables:
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
        folder: of the trainings, where the tables were loaded from files; or None.
    """

    facts: dict[str, Any]
    rows: pd.DataFrame
    endings: pd.DataFrame
    effects: pd.DataFrame
    claims: pd.DataFrame
    reported: pd.DataFrame
    folder: Path | None = field(default=None, repr=False)

    @property
    def main(self) -> str:
        """The name of the measure that verdicts are about."""
        return next(iter(self.facts["measures"]))

    @property
    def main_rows(self) -> pd.DataFrame:
        """The rows by the measure that verdicts are about."""
        return self.rows[self.rows.measure == self.main]
