"""What every framework's module gives: a `Question`, and the `Conventions` that stand behind it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from approx.tasks import Task
from approx.training.recipes import Recipe


@dataclass(frozen=True)
class Question:
    """A framework's code as something that `run`, `train` and `Study` can be asked.

    It unpacks into its task and its recipe.

    Attributes:
        task: what is learned.
        recipe: how it is learned.
        notes: sentences that say what the framework reports or does that differs from here.

    Example:
        >>> question = ap.frameworks.keras.question(model, X, y, epochs=100)
        >>> runs = ap.run(*question, seeds=256)
    """

    task: Task
    recipe: Recipe
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Any]:
        """The task, then the recipe."""
        yield self.task
        yield self.recipe


@dataclass(frozen=True)
class Conventions:
    """What a framework does unless it is told otherwise.

    Attributes:
        framework: its name, as its users write it.
        version: the version that was measured.
        rows: for each topic, such as "first weights", a sentence that says what the framework does.
        measured: how the sentences were found.
    """

    framework: str
    version: str
    rows: Mapping[str, str]
    measured: str
