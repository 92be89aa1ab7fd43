"""`Study`: a question about a small network, and the calls that answer it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from approx.study import files
from approx.study.answers import Answer
from approx.study.declaration import Declaration
from approx.study.judgement import judge
from approx.study.notebooks import html_of_answer, html_of_declaration
from approx.study.trainer import run_study


@dataclass(frozen=True, eq=False)
class Study(Declaration):
    """A question about a small network: a baseline, what counts as success, and what is changed.

    `run` trains every row on the same seeds. `report` and `figure` then say how often the baseline
    succeeds, which changes help, what became of the seeds that fail, and which claims hold.

    Attributes:
        task: what the baseline learns.
        recipe: how the baseline learns.
        below: the largest value of `of` that counts as success.
        above: the smallest value of `of` that counts as success. Without `below`, `above` and
            `success`, a classification succeeds with an accuracy of at least 0.95, and a regression
            by least squares with a mean squared error of at most 1% of its targets' variance.
        of: the variable that is judged; by default the loss or the accuracy on the test points,
            else on the validation rows, else on the training rows.
        success: in place of a threshold, a function of a row's runs that gives hits
            (`stats.success`), or a dictionary {name: such a function} of several measures, the
            first of which decides.
        when: which success of a seed counts, see `stats.reading`; "last" is at its last record.
        changes: {label: change}. A change is a dictionary of alterations by dotted names, such as
            {"model.activation": "tanh"}, {"epochs": 300}, {"inputs": "standardise"}; or a Recipe, a
            Task, a pair of both, or a function of (task, recipe) that returns one of these. An
            entry "tune": {"learning_rate": [...]} chooses that number for this row on other seeds.
        factors: {factor: {level: change}} for a factorial of all combinations; or {dotted name:
            [values]}. A level that is a function sees what the other levels have changed.
        skip: a function of {factor: level} that is true for combinations that make no sense.
        views: {label: view}, other looks at trained rows: `study.best_of`, `study.until`.
        against: {label of a row or a view: label of the row that it is compared with}; all others
            are compared with the baseline.
        claims: what is claimed, as `ap.never`, `ap.helps`, ... make it.
        reported: numbers of a source, as `study.Reported`.
        plateaus: {name: training loss} at which a training may stay; a function of a row's label
            that gives such a dictionary; None takes those that are known in closed form.
        tolerance: relative half-width of a plateau, see `stats.endings`.
        fits: a training loss at or below which a row's training data count as fitted, so that seeds
            that fit them and fail otherwise are told apart; a function of a row's label that gives
            such a loss; None for none.
        tune: numbers that are tuned for every row, {name: values}.
        tuning_seeds: the seeds that choose them; none of those that are reported.
        matters: the smallest difference of two rates that matters.
        level: the probability that no verdict of the report is wrong; also that of each interval.
        judged: labels of the rows that get a verdict; None is all changes and views.
        options: {label: options of `ap.run` for this row}. There "seeds" is a factor on the seeds
            that are asked for, such as 0.25 or 4; and "init_params" may be a function of an array
            of seeds that gives each of them its first parameters.
        keep: what `ap.run` keeps of each training.
        metrics: further metrics, as `ap.run` takes them.
        title: of the report.
        source: where the question comes from.

    Raises:
        TypeError, ValueError: before anything is trained, with what would be right.

    Example:
        >>> study = ap.Study(task, recipe, below=0.01, changes={"longer": {"steps": 10_000}})
        >>> study.run(seeds=256)
        >>> print(study.report())
        >>> study.figure("answer.png")
    """

    def run(
        self,
        seeds: int = 256,
        *,
        budget: str | float | None = None,
        until_decided: bool = False,
        only: Sequence[str] | None = None,
        out: str | Path | None = None,
        progress: bool = True,
    ) -> "Study":
        """Train every row on the same seeds; what is trained already is not trained again.

        The next rows are compiled while one is trained. After Ctrl-C the same call goes on.

        Whoever reads a report, and then adds seeds because of what it says, has looked twice: the
        intervals allow for that with `budget` and `until_decided` only.

        Args:
            seeds: how many seeds (0, 1, ...) each row has; with `budget` or `until_decided` at
                most.
            budget: a time such as "2m" or "30s", or seconds. Seeds are then added in batches, each
                as large as all before, until every verdict is decided or the time is over; the
                first batch of 64 seeds is trained whatever it takes. Rows that are decided get no
                further seeds. The intervals allow for having looked several times.
            until_decided: as `budget`, without an end but `seeds`.
            only: labels of rows; the others are not trained, and claims about them are left out.
            out: a folder in which every training is kept as soon as it is finished, so that another
                process can go on.
            progress: whether to show how far it is and how long it takes yet.

        Returns:
            This study, so that calls can be chained.

        Raises:
            TypeError, ValueError: an option that cannot be, before anything is trained.
            KeyboardInterrupt: at Ctrl-C, with all that was trained kept in this study.

        Example:
            >>> study.run(seeds=4096, budget="2m")
        """
        run_study(
            self,
            seeds=seeds,
            budget=budget,
            until_decided=until_decided,
            only=only,
            out=out,
            progress=progress,
        )
        return self

    def runs(self, label: str) -> xr.Dataset:
        """The trainings of a row or a view, as `ap.run` returns them.

        Args:
            label: of the row or view.

        Raises:
            KeyError: no such row, or one that is not trained yet.
        """
        return self.trained.runs(self.views, label)

    def answer(self) -> Answer:
        """All numbers of the report as tables; see `study.Answer`.

        Raises:
            RuntimeError: nothing is trained yet.
        """
        if self.trained.answer is None:
            self.trained.answer = judge(self)
        return self.trained.answer

    def report(self, form: str = "text") -> str:
        """The answer in plain sentences, then in tables.

        Args:
            form: "text", "markdown", "html" (one file, whose tables can be sorted) or "latex".

        Raises:
            RuntimeError: nothing is trained yet.
            ValueError: an unknown format.

        Example:
            >>> Path("answer.html").write_text(study.report("html"))
        """
        return self.answer().report(form)

    def figure(self, path: str | Path | None = None) -> Any:
        """Draw the answer: every row's rate, its difference to the baseline, and what became of it.

        Args:
            path: a file to write, such as "answer.png" or "answer.pdf"; None writes none.

        Returns:
            The matplotlib figure.

        Raises:
            RuntimeError: nothing is trained yet.
        """
        return self.answer().figure(path)

    def save(self, folder: str | Path) -> list[Path]:
        """Write the tables, the report and the trainings of every row into a folder.

        Args:
            folder: is made if it is missing. `Study.load` reads it.

        Returns:
            The files written.
        """
        written = self.answer().write(folder)
        return [*written, *files.save_runs(self.trained.by_row, Path(folder))]

    @staticmethod
    def load(folder: str | Path) -> Answer:
        """Read what `save` wrote.

        The functions of a study cannot be kept in files, so this gives its `Answer`: all tables,
        `report`, `figure`, and the runs of every row. To train more, build the study again and give
        `run` the folder `out=` that it had.

        Args:
            folder: that `save` wrote to.

        Raises:
            FileNotFoundError: there is no study.
        """
        return Answer.load(folder)

    def _repr_html_(self) -> str:
        """What is found, or what will be trained, which a notebook shows."""
        if self.trained.by_row:
            return html_of_answer(self.answer())
        return html_of_declaration(self)
