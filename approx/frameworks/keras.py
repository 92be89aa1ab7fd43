"""Keras 3: a compiled model and the arguments of its `fit` as a task and a recipe.

`question` takes the objects; `translated` takes what `keras_objects` makes of them, plain
dictionaries. Keras is never imported. All conventions were measured with Keras 3.15.1.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from approx.frameworks import chains, fits, penalties
from approx.frameworks.keras_layers import dtype_of, is_dense, layer_of, penalty_of
from approx.frameworks.keras_objects import described, described_callback, listed
from approx.frameworks.keras_training import callbacks_of, loss_of, optimizer_of, rules_of
from approx.frameworks.questions import Conventions, Question
from approx.training.recipes import Recipe


# 9 parameters and more: they are those of Keras' fit, under its names
def question(  # noqa: PLR0913
    model: Any,
    x: Any,
    y: Any,
    *,
    epochs: int = 1,
    batch_size: int | None = 32,
    validation_split: float = 0.0,
    validation_data: Any = None,
    shuffle: bool = True,
    callbacks: Any = None,
    start: str = "drawn",
    test: Any = None,
    **recipe: Any,
) -> Question:
    """A compiled Keras model, and the arguments of its `fit`, as a task and a recipe.

    Args:
        model: a compiled keras.Sequential, or a keras.Model that is a chain of layers.
        x: training inputs, (n,) or (n, i).
        y: targets, (n,), (n, o), or integer labels.
        epochs: see Keras' `fit`, as for all up to `callbacks`.
        batch_size: rows of a batch; None is Keras' 32.
        validation_split: share of the rows kept for validation, the last ones.
        validation_data: rows (x, y) for validation.
        shuffle: whether the rows are shuffled in every epoch.
        callbacks: one or several of EarlyStopping, ReduceLROnPlateau and LearningRateScheduler;
            those that change nothing in the training are passed over.
        start: "drawn", so that every seed draws its weights as Keras would; or "as given", so that
            all seeds start from the weights that the model has now.
        test: rows (x, y) for the test loss; None for none.
        recipe: further fields of the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe.

    Raises:
        TypeError: no Keras model.
        ValueError: a model that is not compiled; a layer, a loss or an option that cannot be
            translated faithfully, by its name.

    Example:
        >>> question = ap.frameworks.keras.question(model, X, y, epochs=100, validation_split=0.2)
        >>> runs = ap.run(*question, seeds=256)
        >>> print(ap.stats.rate(ap.stats.success(runs, below=1e-3, of="validation_loss")))

    """
    rows = {"validation": validation_split, "validation_data": validation_data, "test": test}
    said = described(model)
    if not isinstance(shuffle, bool):
        raise ValueError(f"shuffle is {shuffle!r}; there is: True, False")
    fits.check_count("epochs", epochs)
    rate = said["optimizer"]["config"].get("learning_rate")
    fit = {
        "epochs": epochs,
        "batch_size": batch_size,
        "shuffle": shuffle,
        "callbacks": [described_callback(each, epochs, rate) for each in listed(callbacks)],
    }
    return translated(
        said, x, y, fit, start=start, rows=rows, recipe=fits.recipe_fields("keras", recipe)
    )


def translated(
    said: Mapping[str, Any],
    x: Any,
    y: Any,
    fit: Mapping[str, Any],
    *,
    start: str = "drawn",
    rows: Mapping[str, Any] | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> Question:
    """The question of plain dictionaries.

    Args:
        said: see `keras_objects.described`.
        x: training inputs.
        y: targets or labels.
        fit: `epochs`, `batch_size`, `shuffle`, and `callbacks` as dictionaries.
        start: see `question`.
        rows: further options of `fits.task_of`.
        recipe: further fields of the recipe.

    Raises:
        ValueError: what cannot be translated, by its name.
    """
    fits.check_start(start)
    fits.check_epochs(fit)
    layers = [layer for n, one in enumerate(said["layers"]) for layer in layer_of(one, n, start)]
    meant = loss_of(said["loss"], layers, y)
    held = fits.converted(rows or {}, lambda other: loss_of(said["loss"], layers, other).y)
    task = fits.task_of(x, meant.y, loss=meant.loss, **held)
    check_inputs(said["layers"], task)
    trained = fits.trained_rows(task)
    size = 32 if fit.get("batch_size") is None else fit["batch_size"]
    per_epoch = -(-trained // size)
    optimizer = optimizer_of(said["optimizer"])
    watchers = callbacks_of(fit.get("callbacks", ()), per_epoch, optimizer["learning_rate"])
    penalty = penalties.fields([penalty_of(one) for one in said["layers"] if is_dense(one)])
    notes = []
    if penalty and any(rule.of == "validation_loss" for rule in rules_of(watchers)):
        notes.append(
            "Keras' callbacks look at val_loss with the penalties of regularisers in it, the rules "
            "here at the loss of the validation rows alone."
        )
    fields = {
        "model": chains.model(meant.layers),
        "epochs": fit.get("epochs", 1),
        **optimizer,
        **watchers,
        **penalty,
        **fits.batches(size, trained, fit.get("shuffle", True)),
        **dtype_of(said["layers"]),
        **(recipe or {}),
    }
    return Question(task, Recipe(**fields), fits.sentences(NOTES, notes))


def check_inputs(layers: Sequence[Mapping[str, Any]], task: Any) -> None:
    """Refuse inputs that have another number of columns than the first dense layer takes.

    Raises:
        ValueError: with both numbers.
    """
    columns = task.x.reshape(len(task.x), -1).shape[1]
    first = next(one for one in layers if is_dense(one))
    if "weights" in first:
        name = f"the layer {first['config'].get('name', 'Dense')!r}"
        fits.check_columns(name, len(first["weights"][0]), columns, "x")


NOTES = (
    "Keras prints, as the loss of an epoch, the mean over its rows of the loss before each "
    "update, with the penalties of regularisers in it: here that is `batch_loss`, and `loss` is "
    "that of the network as it stands.",
)
CONVENTIONS = Conventions(
    framework="Keras",
    version="3.15.1",
    rows={
        "first weights": "Glorot uniform, U(±sqrt(6 / (in + out))); normal ones are truncated at "
        "two standard deviations.",
        "first biases": "0.",
        "activations": "as built, linear by default; the word leaky_relu has the slope 0.2, the "
        "layer LeakyReLU 0.3, gelu is the exact one.",
        "loss that is descended": "the mean over rows and outputs, and the regularisers' sums: `l2 "
        "Σ w²` without a half.",
        "loss that is reported": "the mean over the rows of an epoch of the loss before each "
        "update, penalties in it; val_loss is that at the end of the epoch, penalties in it too.",
        "cross-entropy": "of probabilities that are clipped to [1e-7, 1 - 1e-7], unless "
        "from_logits is True.",
        "optimiser": "SGD with rate 0.01, momentum 0; Adam with rate 0.001 and epsilon 1e-7, "
        "which is added to the uncorrected root.",
        "weight decay": "takes rate times decay times w off before the step, biases too.",
        "batches": "32 rows, shuffled anew in each epoch; the last batch has the rows that are "
        "left, and is a full step.",
        "validation split": "the last rows as they stand, before any shuffling.",
        "scaling": "none; Normalization is a layer with fixed numbers.",
        "batch normalisation": "averages keep the share 0.99, epsilon is 1e-3, the variance is the "
        "population's in training and in the average.",
        "stopping": "one epoch; EarlyStopping counts epochs without improvement, and restores the "
        "best weights at the end of every training if told to.",
        "precision": "float32, whatever the rows are.",
    },
    measured="ten steps of 55 combinations were recorded with the torch backend and compared in "
    "weights and reported losses; the distribution of 2,000 first weights was compared.",
)
