"""A data set of one's own with names, classes, validation rows and points without targets."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import ArrayLike, Float

from approx.tasks import labels, losses, tables
from approx.tasks.arguments import spelled, translated
from approx.tasks.data import STATIC, Points, Task
from approx.tasks.own import OPTIONS, Given, check_columns, check_labels, check_lengths, given
from approx.tasks.tables import Table
from approx.tasks.values import as_targets, check_precision, shortened

NO_LABEL = -1  # stands for the label of a point that has none
# By which rule outputs name a class, by the function that says whether they name the right one
DECISIONS = {
    losses.same_side: "above 0",
    losses.same_sign: "above 0",
    losses.same_half: "above 0.5",
    losses.same_largest: "largest",
    losses.same_class: "largest",
}
NAMED = ("inputs", "outputs")


@spelled
@register_dataclass
@dataclass(frozen=True, kw_only=True, eq=False)
class OwnData(Given):
    """A data set of one's own, every seed's alike. Made by `data`, which checks it.

    Attributes:
        x_validation: inputs of validation rows that were given as such (v, i), or None.
        y_validation: their targets, or None.
        at: inputs of the points that have no target (m, i), or None.
        input_names: of the columns of x, or None.
        output_names: of the outputs, or None.
        class_names: of the classes, in the order of their numbers; None if targets are numbers.

    """

    x_validation: Float[ArrayLike, "v i"] | None = None
    y_validation: ArrayLike | None = None
    at: Float[ArrayLike, "m i"] | None = None
    input_names: tuple[Any, ...] | None = field(default=None, metadata=STATIC)
    output_names: tuple[Any, ...] | None = field(default=None, metadata=STATIC)
    class_names: tuple[Any, ...] | None = field(default=None, metadata=STATIC)

    def __post_init__(self):
        super().__post_init__()
        if self.x_validation is not None and self.validation:
            raise ValueError(
                f"validation is {self.validation}, a share of the training rows, and there are "
                "validation rows of their own: say one of the two"
            )

    @property
    def validated(self):
        """Whether there are validation rows."""
        return bool(self.validation) or self.x_validation is not None

    @property
    def unjudged(self):
        """How many of the points have no target: the last ones."""
        return 0 if self.at is None else jnp.shape(self.at)[0]

    def split(self, key, noise_key):
        """Training rows, and the validation rows that were given, or a share of the rows."""
        if self.x_validation is None:
            return super().split(key, noise_key)
        held_out = jnp.asarray(self.x_validation), jnp.asarray(self.y_validation)
        return self.rows(key, noise_key), held_out

    def points(self):
        """The test points, if there are any, and behind them those without targets.

        Their distance is nan, and their target nan, or -1 in place of a label.
        """
        if self.at is None:
            return super().points()
        x, y = jnp.asarray(self.at), jnp.asarray(self.y)
        unknown = jnp.nan if jnp.issubdtype(y.dtype, jnp.floating) else NO_LABEL
        targets = jnp.full((x.shape[0], *y.shape[1:]), unknown, y.dtype)
        alone = Points(x, targets, jnp.full(x.shape[0], jnp.nan))
        if not self.tested:
            return alone
        return Points(*map(jnp.concatenate, zip(super().points(), alone, strict=True)))

    def axis_names(self):
        """The names of the inputs and of the outputs."""
        named = {"input": self.input_names, "output": self.output_names}
        return {axis: names for axis, names in named.items() if names is not None}

    def target_notes(self):
        """The names of the classes, in the order of their numbers; how outputs name a class."""
        found = {}
        if self.class_names is not None:
            found["classes"] = json.dumps(list(self.class_names))
        rule = self.correct or losses.CORRECT.get(str(self.loss))
        if rule in DECISIONS:
            found["decision"] = DECISIONS[rule]
        return found

    def check_precision(self, dtype: str) -> None:
        """Refuse or warn of data that a dtype cannot hold; see `values.check_precision`.

        Raises:
            ValueError: naming the value.

        """
        super().check_precision(dtype)
        for name in ("x_validation", "y_validation", "at"):
            values = getattr(self, name)
            if isinstance(values, np.ndarray) and values.dtype.kind == "f":
                check_precision(name, values, dtype)


class Rows(NamedTuple):
    """Inputs and targets as they are trained on: x (n, i), and y (n, o) or labels (n,)."""

    x: np.ndarray
    y: np.ndarray


NO_ROWS: Any = Rows(None, None)  # type: ignore[arg-type]


class Reader(NamedTuple):
    """How all rows of a data set are read: as the training rows are.

    Attributes:
        inputs: the training inputs.
        targets: the training targets.
        classes: that the targets name, in order; None if the targets are numbers.
        loss: of the task.
    """

    inputs: Table
    targets: Table
    classes: labels.Classes | None
    loss: Any

    def read_inputs(self, name: str, table: Table) -> np.ndarray:
        """Inputs (n, i), with their columns in the order of the training inputs'.

        Raises:
            ValueError: another number of columns, or other columns.
        """
        found = tables.numbers(name, tables.in_order(name, table, "x", self.inputs))
        width = (self.inputs.values.shape[1:] or (1,))[0]
        if found.shape[1] != width:
            raise ValueError(f"{name} has {found.shape[1]} columns, and x has {width}")
        return found

    def read_targets(self, name: str, table: Table) -> np.ndarray:
        """Targets as the loss takes them."""
        if self.classes is not None:
            return labels.encoded(name, table, self.classes, self.loss)
        table = tables.in_order(name, table, "y", self.targets)
        if self.loss == "cross_entropy":
            column = labels.vector(table)
            return as_targets(name, table.values if column is None else column, True)
        return tables.numbers(name, table)

    def read_rows(self, names: Sequence[str], given: Any) -> Rows:
        """Inputs and targets that belong together.

        Raises:
            ValueError: another number of columns or of rows than fits; rows in another order.
        """
        inputs, targets = map(tables.read, names, given)
        return self.rows_of(names, inputs, targets)

    def rows_of(self, names: Sequence[str], inputs: Table, targets: Table) -> Rows:
        """The same, of tables that were read."""
        of_x, of_y = names
        tables.check_aligned(of_x, inputs, of_y, targets)
        found = Rows(self.read_inputs(of_x, inputs), self.read_targets(of_y, targets))
        check_lengths(f"{of_x} and {of_y}", found.x, found.y)
        return found


# A public verb: a user sets few of these, and by name
def data(  # noqa: PLR0913
    x: Any,
    y: Any,
    *,
    test: Any = None,
    validation: Any = 0.0,
    at: Any = None,
    names: Any = None,
    classes: Any = None,
    distance: Any = None,
    noise: ArrayLike | None = None,
    **options,
) -> OwnData:
    """A data set of your own as a task: arrays, lists, or tables of pandas and xarray.

    `test_loss` is the mean over all test rows, unless `distance` says that some lie outside. Names
    of columns and of classes become coordinates of the result. `given` takes arrays exactly as
    they are.

    Args:
        x: training inputs, (n,) or (n, i). Columns hold numbers, or True and False.
        y: training targets, (n,) or (n, o). For `loss="cross_entropy"`, and for the other losses of
            classes, y may name a class for each row: words, or any whole numbers. The classes are
            then numbered in sorted order, and a model needs one output for each; with two classes
            and "binary_cross_entropy", "brier" or a hinge loss it has one output, and the second
            class is 1.
        test: test inputs and targets (x, y). Columns that have names are found by name.
        validation: a share of the rows that is kept from training (see `Task.hold_out` for which),
            or validation inputs and targets (x, y), which are never trained on.
        at: inputs (m, i) without targets, for decision boundaries and curves. Predictions are
            recorded there, behind those at the test rows, and count in no loss and no accuracy. In
            the result their `role` is "at" and their `distance` nan.
        names: {"inputs": [...], "outputs": [...]}, for arrays without names or in place of theirs.
        classes: all classes in the order of their numbers; those of the training rows, sorted, if
            left out. A whole number says how many there are, and labels stay 0, 1, ... as they are.
        distance: of each test row to the training range; see `given`.
        noise: standard deviation of normal noise on the training targets, redrawn per seed.
        options: `loss`, `correct`, `hold_out` of `Task`.

    Raises:
        TypeError: values that are no real numbers, such as columns of words.
        ValueError: shapes that do not fit, missing values, columns that only the test rows have,
            a class that no training row has, rows of x and y in different orders.

    Example:
        `data(table[["a", "b"]], table.kind, validation=0.2, loss="cross_entropy")`

    """
    options = translated("data", options, OPTIONS)
    loss = losses.known(options.get("loss", Task.loss))
    inputs, targets = tables.read("x", x), tables.read("y", y)
    known = labels.classes_of(targets, loss, classes)
    if known is not None:
        check_no_noise(noise)
    reader = Reader(inputs, targets, known, loss)
    rows = reader.rows_of(("x", "y"), inputs, targets)
    tested, share, held = NO_ROWS, 0.0, NO_ROWS
    if test is not None:
        check_pair("test", test)
        tested = reader.read_rows(("x_test", "y_test"), test)
    elif distance is not None:
        raise ValueError("distance is that of test rows, and there are none: give test=(x, y)")
    if isinstance(validation, tuple | list):
        check_no_share(options)
        held = validation_rows(reader, validation, rows)
    else:
        share = validation
    if at is not None:
        at = reader.read_inputs("at", tables.read("at", at))
    options |= counted(known, classes, loss)
    made = given(*rows, *tested, distance=distance, noise=noise, validation=share, **options)
    plain = {each.name: getattr(made, each.name) for each in fields(Given)}
    if held.y is not None and made.classes is not None:
        check_labels("y_validation", held.y, made.classes)
    named = axis_names(names or {}, reader, rows)
    return OwnData(**plain, **named, x_validation=held.x, y_validation=held.y, at=at)


def counted(known: labels.Classes | None, classes: Any, loss: Any) -> dict[str, Any]:
    """How many classes the labels have, as an option of `given`; nothing if they are no labels."""
    if known is not None and loss == "cross_entropy":
        return {"classes": len(known)}
    if isinstance(classes, int | np.integer):
        return {"classes": classes}
    return {}


def validation_rows(reader: Reader, pair: Any, rows: Rows) -> Rows:
    """The validation rows that a user gives.

    Raises:
        TypeError: no pair of inputs and targets.
        ValueError: rows that do not fit the training rows.
    """
    check_pair("validation", pair)
    held = reader.read_rows(("x_validation", "y_validation"), pair)
    check_columns("y and y_validation", rows.y, held.y)
    return held


def check_pair(name: str, value: Any) -> None:
    """Refuse what is no pair of inputs and targets.

    Raises:
        TypeError: with what is right.
    """
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(f"{name} is {shortened(value)}; it must be a pair {name}=(x, y)")


def check_no_share(options: Mapping[str, Any]) -> None:
    """Refuse a way to choose validation rows beside validation rows that are given.

    Raises:
        ValueError: with the way.
    """
    if "hold_out" in options:
        raise ValueError(
            f"hold_out={options['hold_out']!r} chooses validation rows among the training rows, "
            "and validation=(x, y) gives them: leave one of the two out"
        )


def check_no_noise(noise: Any) -> None:
    """Refuse noise on the numbers of classes.

    Raises:
        ValueError: with the noise.
    """
    if noise is not None:
        raise ValueError(f"noise is {shortened(noise)}, and y names classes, which have no noise")


# ---- names ---------------------------------------------------------------------------------------


def axis_names(names: Any, reader: Reader, rows: Rows) -> dict[str, Any]:
    """The names of inputs, outputs and classes, as fields of `OwnData`.

    Args:
        names: as a user gave them; see `data`.
        reader: of the data.
        rows: the training rows.

    Raises:
        TypeError: no dictionary.
        ValueError: names of something else, another number of names, one name twice.
    """
    if not isinstance(names, Mapping):
        raise TypeError(
            f"names is {shortened(names)}; it must be a dictionary such as "
            '{"inputs": ["width", "height"], "outputs": ["price"]}'
        )
    unknown = sorted(set(names) - set(NAMED), key=str)
    if unknown:
        raise ValueError(f"names has {unknown}; it names {' and '.join(map(repr, NAMED))}")
    inputs = names.get("inputs", tables.text_names(reader.inputs.columns))
    outputs = names.get("outputs")
    classes = None
    if reader.classes is not None:
        classes = labels.names_of(reader.classes)
        if outputs is not None:
            raise ValueError(
                'names has "outputs", and the outputs are those of the classes: say '
                "classes=[...], all classes in order"
            )
        outputs = classes[1:] if reader.loss in labels.OF_TWO else classes
    elif outputs is None and rows.y.ndim == 2:
        outputs = tables.text_names(reader.targets.columns)
    if outputs is not None and rows.y.ndim == 2:
        outputs = checked_names("outputs", outputs, rows.y.shape[1])
    if inputs is not None:
        inputs = checked_names("inputs", inputs, rows.x.shape[1])
    return {"input_names": inputs, "output_names": outputs, "class_names": classes}


def checked_names(what: str, names: Any, count: int) -> tuple[Any, ...]:
    """Names as a tuple.

    Raises:
        ValueError: another number of names than there are columns, or one name twice.
    """
    found = tuple(names) if not isinstance(names, str) else (names,)
    if len(found) != count or len(set(found)) != count:
        raise ValueError(
            f"the names of {what} are {shortened(list(found))}; there must be {count}, "
            "all different"
        )
    return found


# ---- points of a plane ---------------------------------------------------------------------------


def mesh(low: Any, high: Any, n: Any = 101) -> np.ndarray:
    """The points of an even grid of a box, for `at=` and `x_test`.

    Every input has n values from low to high, ends included. The first input changes fastest.

    Args:
        low: the lower end of each input (i,).
        high: the upper end of each input (i,).
        n: how many values each input has, at least 2.

    Returns:
        Points (n^i, i).

    Raises:
        ValueError: ends that do not fit or are out of order; fewer than two values; more than ten
            million points.

    Example:
        `data(x, y, at=mesh((-2, -1), (2, 1), n=101))`

    """
    lows = np.atleast_1d(np.asarray(low, float))
    highs = np.atleast_1d(np.asarray(high, float))
    if lows.shape != highs.shape or lows.ndim != 1 or not (lows < highs).all():
        raise ValueError(
            f"low is {shortened(low)} and high is {shortened(high)}; they must be one number for "
            "each input, and low below high"
        )
    if not isinstance(n, int | np.integer) or n < 2:
        raise ValueError(f"n is {shortened(n)}; it must be a whole number of at least 2")
    if math.pow(n, len(lows)) > 10**7:
        raise ValueError(f"n={n} for {len(lows)} inputs are {n}^{len(lows)} points: take fewer")
    axes = [np.linspace(*ends, int(n)) for ends in zip(lows, highs, strict=True)]
    grid = np.meshgrid(*reversed(axes), indexing="ij")
    return np.stack([part.ravel() for part in reversed(grid)], axis=1)
