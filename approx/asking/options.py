"""What `approx ask` can be told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SEEDS = 256


@dataclass(frozen=True)
class Success:
    """What counts as success, and of what.

    Attributes:
        below: the largest value that counts as success.
        above: the smallest value that counts as success, of an accuracy.
        of: what is judged, such as test_loss, validation_loss, loss or test_accuracy.
    """

    below: float | None = None
    above: float | None = None
    of: str | None = None


@dataclass(frozen=True)
class Data:
    """A question about a table of data, in place of a Python file.

    Attributes:
        data: a CSV file with the names of its columns in the first line.
        target: the column that is to be learned. Text in it is taken as classes.
        inputs: the columns that it is learned from; all others by default.
        labels: take the numbers of the target as names of classes too.
        model: the network: the widths of its hidden layers, then an activation, such as "MLP(16,
            16, relu)"; initializer=keras may follow.
        optimizer: such as adam, sgd, momentum, rmsprop, adam_keras, lm.
        rate: the learning rate; 0.001 by default.
        steps: the number of steps; 1,000 by default.
        epochs: the number of epochs, in place of steps.
        batch_size: rows per step; all rows by default.
        validation: the share of the rows that is kept from training and judged. Of classes these
            rows are the test rows, the same for all seeds.
        hold_out: which rows these are: drawn at random, or the last ones.
    """

    data: Path | None = None
    target: str | None = None
    inputs: tuple[str, ...] = ()
    labels: bool = False
    model: str = "MLP(16, tanh)"
    optimizer: str = "adam"
    rate: float | None = None
    steps: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    validation: float = 0.2
    hold_out: Literal["random", "last"] = "random"


@dataclass(frozen=True)
class Effort:
    """How much is trained, and where the answer goes.

    Attributes:
        seeds: how many seeds each row has; with a budget at most.
        quick: a first look: 32 seeds of the baseline and of a handful of rows.
        budget: a time such as 2m. Seeds are added until all is decided or the time is over.
        only: labels of the rows that are trained, such as baseline tanh.
        out: the folder for report.md, report.html, figure.png, the tables and the trainings.
    """

    seeds: int = SEEDS
    quick: bool = False
    budget: str | None = None
    only: tuple[str, ...] = ()
    out: Path = Path("answer")
