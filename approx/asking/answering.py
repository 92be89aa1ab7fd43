"""From a question to its answer in a folder."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from approx.asking import scripts, tables
from approx.asking.options import Data, Effort, Success

if TYPE_CHECKING:
    from approx.study import Study

QUICK_SEEDS = 32
# The rows of a quick look at the usual remedies
QUICK_ROWS = (
    "inputs standardised",
    "inputs and targets standardised",
    "its own rate tuned",
    "4 times as wide",
    "relu",
    "tanh",
    "3 times as long",
)
QUICK_OWN = 5  # rows of a quick look at a user's own study


def ask(question: Path | None, success: Success, data: Data, effort: Effort) -> int:
    """Answer a question, print the verdict, and write the answer into a folder.

    Args:
        question: a Python file; None if the question is about a table of data.
        success: what counts as success, where the file does not say it.
        data: the table of data, and how it is learned.
        effort: how much is trained, and where the answer goes.

    Returns:
        The exit status, 0.

    Raises:
        FileNotFoundError, ValueError: a question that cannot be answered, with what would be right.
    """
    check_question(question, data)
    try:
        study, notes = understood(question, success, data, effort.seeds)
        rows = chosen_rows(study, effort)
    except (TypeError, MemoryError) as error:
        raise ValueError(str(error)) from error
    for note in notes:
        print(note)
    if rows is not None and study.judged is None and not study.trained.by_row:
        study = replace(study, judged=judged(study, rows))
    stopped = train(study, rows, effort)
    if not study.trained.by_row:
        raise ValueError("stopped before any row was trained: there is no answer")
    written = write(study, effort.out)
    print()
    print("\n".join(written))
    if stopped:
        print("It was stopped: the answer is that of the rows trained until then.")
    return 0


def check_question(question: Path | None, data: Data) -> None:
    """Refuse no question, and two.

    Raises:
        ValueError: with the two ways to ask.
    """
    is_table = data.data is not None or data.target is not None
    if question is None and not is_table:
        raise ValueError(
            "ask what? Give a Python file, approx ask QUESTION.py, or a table, approx ask --data "
            'points.csv --target y --model "MLP(16, relu)" --below 0.01'
        )
    if question is not None and is_table:
        raise ValueError(f"give either the file {question} or --data and --target, not both")


def understood(
    question: Path | None, success: Success, data: Data, seeds: int
) -> tuple["Study", list[str]]:
    """The study that answers a question, and what is to be said about it before."""
    if question is None:
        asked = tables.asked(data)
        study, doubts = of_remedies(
            asked.task, asked.recipe, seeds, title=asked.title, **vars(success)
        )
        return study, [*asked.notes, *doubts]
    names = scripts.run(question)
    scripts.check_names(names, question)
    if "study" in names:
        return own_study(names["study"], success, question), []
    limits = {name: names.get(name) for name in ("below", "above", "of")}
    given = {name: value for name, value in vars(success).items() if value is not None}
    if "below" in given or "above" in given:
        limits["below"] = limits["above"] = None
    limits |= given
    return of_remedies(names["task"], names["recipe"], seeds, title=question.stem, **limits)


def of_remedies(task: Any, recipe: Any, seeds: int, **options: Any) -> tuple["Study", list[str]]:
    """The study of the usual remedies, and what is doubtful of it.

    The best of several seeds is left out where there are not so many.
    """
    from approx.study import remedies
    from approx.study.remedies import TRIES

    skip = ["restarts"] if seeds < TRIES else []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        study = remedies(task, recipe, skip=skip, **options)
    doubts = [str(each.message) for each in caught if each.category is UserWarning]
    return study, [f"Doubtful: {doubt}." for doubt in doubts]


def own_study(study: Any, success: Success, question: Path) -> "Study":
    """A user's own study, checked."""
    from approx.study import Study

    if not isinstance(study, Study):
        raise ValueError(f"`study` in {question} is a {type(study).__name__}, not an ap.Study")
    if success != Success():
        raise ValueError(
            f"the study in {question} says itself what counts as success: leave --below, --above "
            "and --of out"
        )
    if study.title or study.trained.by_row:  # a copy would have nothing trained
        return study
    return replace(study, title=question.stem)


# ---- training ------------------------------------------------------------------------------------


def chosen_rows(study: "Study", effort: Effort) -> list[str] | None:
    """The labels of the rows that are trained; None for all.

    Raises:
        ValueError: a label that is none.
    """
    from approx.study.trainer import wanted_rows

    if effort.only:
        return wanted_rows(study, effort.only)
    if not effort.quick:
        return None
    others = [label for label in study.rows if label != "baseline"]
    usual = [label for label in others if label in QUICK_ROWS]
    return ["baseline", *(usual or others[:QUICK_OWN])]


def judged(study: "Study", rows: Sequence[str]) -> list[str]:
    """The labels that get a verdict where only some rows are trained."""
    found = [label for label in rows if label != "baseline" and not study.rows[label].levels]
    found += [label for label, view in study.views.items() if view.of in rows]
    return found


def train(study: "Study", rows: list[str] | None, effort: Effort) -> bool:
    """Train a study, and say whether it was stopped by Ctrl-C."""
    seeds = min(effort.seeds, QUICK_SEEDS) if effort.quick else effort.seeds
    try:
        study.run(seeds, budget=effort.budget, only=rows)
    except KeyboardInterrupt:
        return True
    return False


# ---- the answer ----------------------------------------------------------------------------------


def write(study: "Study", folder: Path) -> list[str]:
    """Write the answer into a folder.

    Returns:
        The lines to print: the verdict, then where the answer lies.
    """
    import matplotlib

    matplotlib.use("Agg")  # no window is needed
    from approx.study import files
    from approx.study.sentences import verdict_in_sentences

    answer = study.answer()
    answer.write(folder)
    files.save_runs(study.trained.by_row, folder)
    (folder / "report.html").write_text(answer.report("html"))
    answer.figure(folder / "figure.png")
    sentences = verdict_in_sentences(answer)
    return [
        *sentences,
        "",
        f"The whole answer: {folder / 'report.md'}, {folder / 'report.html'}, "
        f"{folder / 'figure.png'}, and the tables and trainings beside them.",
    ]
