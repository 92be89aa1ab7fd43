"""flax: an nnx or linen module, an optimiser and a loss as a task and a recipe."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np
import optax

from approx import models
from approx.frameworks import fits
from approx.frameworks.questions import Conventions, Question
from approx.models.adapters import STATISTICS, has_averages
from approx.tasks import losses
from approx.training.recipes import Recipe

NAMES = {
    "l2_loss": "the mean over the outputs of half the squared error",
    "squared_error": "mse",
}


# 12 parameters: flax has no `fit`, and each of these is a line of a user's own loop
def question(  # noqa: PLR0913
    module: Any,
    x: Any,
    y: Any,
    *,
    optimizer: Any,
    loss: Any = "mse",
    epochs: int,
    batch_size: int | None = None,
    shuffle: bool = True,
    validation_data: Any = None,
    start: str = "drawn",
    test: Any = None,
    **recipe: Any,
) -> Question:
    """A flax module, and what a training loop does with it, as a task and a recipe.

    Args:
        module: a flax.linen module; or a function that makes a flax.nnx module of its random
            numbers, such as `lambda rngs: Net(rngs=rngs)`; or an nnx module, with start="as given".
        x: training inputs, (n,) or (n, i).
        y: targets, (n,), (n, o), or integer labels.
        optimizer: an nnx.Optimizer, or an optax transformation.
        loss: a name of `losses.LOSSES`; or a function (outputs, targets) that gives one loss for
            each row (n,), or for each output (n, o), whose mean is then taken.
        epochs: how often every row is shown.
        batch_size: rows of a batch; None is all rows in every step.
        shuffle: whether the rows are shuffled in every epoch.
        validation_data: rows (x, y) for validation; None for none.
        start: "drawn", so that every seed draws its weights anew; or "as given", so that all seeds
            start from the weights that the module has now.
        test: rows (x, y) for the test loss; None for none.
        recipe: further fields of the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe.

    Raises:
        TypeError: no flax module, no optimiser.
        ValueError: an nnx module whose weights are to be drawn: it does not keep how it drew them.

    Example:
        >>> def net(rngs):
        ...     return nnx.Sequential(nnx.Linear(1, 10, rngs=rngs), nnx.tanh, ...)
        >>> asked = {"optimizer": optax.adam(1e-2), "epochs": 500}
        >>> runs = ap.run(*ap.frameworks.flax.question(net, X, y, **asked), seeds=64)

    """
    fits.check_start(start)
    fits.check_epochs({"epochs": epochs, "batch_size": batch_size})
    task = fits.task_of(x, y, loss=loss_of(loss), validation_data=validation_data, test=test)
    model = model_of(module, start)
    check_fits(model, task)
    fields = {
        "model": model,
        "optimizer": transformation_of(optimizer),
        "learning_rate": None,
        "epochs": epochs,
        **fits.batches(batch_size, fits.trained_rows(task), shuffle),
        **fits.recipe_fields("flax", recipe),
    }
    return Question(task, Recipe(**fields), NOTES)


def transformation_of(optimizer: Any) -> optax.GradientTransformation:
    """The optax transformation of an nnx.Optimizer, or the one that was given.

    Raises:
        TypeError: neither.
    """
    found = getattr(optimizer, "tx", optimizer)
    if not (hasattr(found, "init") and hasattr(found, "update")):
        raise TypeError(
            f"{optimizer!r} is no optimiser; give an nnx.Optimizer or an optax transformation, "
            "such as optax.adam(1e-3)"
        )
    return found


@dataclass(frozen=True)
class Rows:
    """A loss whose mean over the outputs is taken, so that there is one number for each row.

    Attributes:
        function: (outputs, targets) -> (n,) or (n, o).
    """

    function: Callable

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """One loss for each row.

        Raises:
            ValueError: one number for all rows.
        """
        found = self.function(outputs, targets)
        if found.ndim == 0:
            raise ValueError(
                "the loss gives one number for all rows; give a function without the mean, whose "
                "values are one for each row"
            )
        return found.mean(tuple(range(1, found.ndim)))


def loss_of(loss: Any) -> Any:
    """A loss by name, or a function with one value for each row."""
    if isinstance(loss, str):
        losses.find(loss)
        return loss
    if not callable(loss):
        raise TypeError(f"the loss is {loss!r}; give a name or a function (outputs, targets)")
    return Rows(loss)


# ---- modules -------------------------------------------------------------------------------------


def model_of(module: Any, start: str) -> Any:
    """A module as a model of a recipe.

    Raises:
        TypeError: no flax module.
        ValueError: an nnx module whose weights are to be drawn.
    """
    if isinstance(module, type):
        raise TypeError(
            f"{module.__name__} is a class; give a linen module, {module.__name__}(...), or a "
            f"function that makes an nnx module, lambda rngs: {module.__name__}(..., rngs=rngs)"
        )
    if is_of(module, "flax.linen"):
        if start == "as given":
            raise ValueError(
                'start="as given": a linen module has no weights of its own; give them to '
                "run(init_params=)"
            )
        return module
    if is_of(module, "flax.nnx"):
        if start == "drawn":
            raise ValueError(
                f"{type(module).__name__} has drawn its weights already, and flax does not keep "
                "how. Give the function that makes it, such as lambda rngs: Net(rngs=rngs), so "
                "that every seed draws its own; or say "
                'start="as given"'
            )
        return Nnx(lambda rngs: module, given=True)
    if callable(module):
        return Nnx(module)
    raise TypeError(
        f"{module!r} is no flax module; give a linen module, or a function rngs -> nnx module"
    )


def check_fits(model: Any, task: Any) -> None:
    """Refuse a module that cannot be made, or that cannot take the rows.

    Raises:
        ValueError: with what flax says.
    """
    rows = jax.ShapeDtypeStruct(np.shape(task.x), np.float32)
    init, apply = models.functions(model)
    try:
        params = jax.eval_shape(init, jax.random.key(0), rows)
        jax.eval_shape(apply, params, rows)
    except Exception as error:
        said = str(error).strip().split("\n")[0]
        raise ValueError(
            f"the module cannot be made, or cannot take inputs of shape {rows.shape}: {said}"
        ) from error


def is_of(module: Any, package: str) -> bool:
    """Whether an object is a module of flax.linen or of flax.nnx."""
    kinds = type(module).__mro__
    return any(kind.__module__.startswith(package) and kind.__name__ == "Module" for kind in kinds)


@dataclass(frozen=True, eq=False)
class Nnx:
    """An nnx module as a model: its parameters are a tree, and its structure stays the same.

    Attributes:
        make: a function of nnx.Rngs that makes the module.
        given: whether it gives a module that is there already.
    """

    make: Callable
    given: bool = False

    @cached_property
    def parts(self) -> tuple[Any, Any, Any]:
        """The module's structure, the shapes of what is trained and averaged, and the rest.

        Raises:
            TypeError: the function makes something else.
        """
        from flax import nnx

        module = self.make(nnx.Rngs(0))
        if not is_of(module, "flax.nnx"):
            raise TypeError(f"{self.make!r} gives {type(module).__name__}, which is no nnx module")
        parts: Any = nnx.split(module, nnx.Param, nnx.BatchStat, ...)
        structure, params, averages, rest = parts
        shapes = jax.eval_shape(lambda: (params, averages))
        return structure, shapes, rest

    def init(self, key: Any, x: Any) -> Any:
        """The parameters as nested dictionaries, and the running averages if there are any."""
        from flax import nnx

        del x
        module = self.make(nnx.Rngs(key))
        params = nnx.to_pure_dict(nnx.state(module, nnx.Param))
        averages = nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))
        if averages:
            return {"params": params, STATISTICS: averages}
        return params

    def merged(self, params: Any, key: Any) -> Any:
        """The module with these parameters, in training if there is a key."""
        from flax import nnx

        structure, shapes, rest = self.parts
        given = [params["params"], params[STATISTICS]] if has_averages(params) else [params, {}]
        states = jax.tree.map(lambda leaf: leaf, shapes)
        for state, values in zip(states, given, strict=True):
            nnx.replace_by_pure_dict(state, values)
        module = nnx.merge(structure, *states, rest, copy=True)
        if key is None:
            module.eval()
            return module
        module.train()
        nnx.reseed(module, default=key)
        return module

    def apply(self, params: Any, x: Any, key: Any = None) -> Any:
        """Outputs (n, o); with a key, as in training."""
        return self.merged(params, key)(x)

    def averages(self, params: Any, x: Any, key: Any) -> Any:
        """The running averages after a batch with the inputs x (n, i)."""
        from flax import nnx

        module = self.merged(params, key)
        module(x)
        return nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))


NOTES = (
    "flax leaves the loss that is reported to the user's loop; here it is the mean of the rows.",
)
CONVENTIONS = Conventions(
    framework="flax",
    version="0.12.12",
    rows={
        "first weights": "LeCun normal, truncated at two standard deviations: variance 1 / in.",
        "first biases": "0.",
        "activations": "as built; nnx.gelu is the approximation by tanh.",
        "loss that is descended": "the user's; optax.l2_loss has a half.",
        "loss that is reported": "what the loop prints.",
        "optimiser": "optax's, whose Adam is PyTorch's.",
        "batches": "those of the loop.",
        "batch normalisation": "averages keep the share 0.99, epsilon is 1e-5; a module that goes "
        "through jax.jit loses them without a word.",
        "stopping": "none.",
        "precision": "float32.",
    },
    measured="the module itself is called, so nothing is imitated.",
)
