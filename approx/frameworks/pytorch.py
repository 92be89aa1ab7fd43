"""PyTorch: an `nn.Sequential`, an optimiser, a loss and a scheduler as a task and a recipe.

`question` takes the objects; `translated` takes what `pytorch_objects` makes of them, plain
dictionaries. PyTorch is never imported. All conventions were measured with PyTorch 2.13.0.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from approx.frameworks import chains, fits
from approx.frameworks.pytorch_layers import layers_of
from approx.frameworks.pytorch_objects import described, described_scheduler
from approx.frameworks.pytorch_training import length_of, loss_of, optimizer_of, scheduler_of
from approx.frameworks.questions import Conventions, Question
from approx.training.recipes import Recipe


# 14 parameters: PyTorch has no `fit`, and each of these is a line of a user's own loop
def question(  # noqa: PLR0913
    model: Any,
    x: Any,
    y: Any,
    *,
    optimizer: Any,
    loss: Any,
    epochs: int,
    batch_size: int | None = None,
    shuffle: bool = True,
    drop_last: bool = False,
    scheduler: Any = None,
    scheduler_every: str = "epoch",
    validation_data: Any = None,
    start: str = "drawn",
    initializer: Any = None,
    test: Any = None,
    **recipe: Any,
) -> Question:
    """An `nn.Sequential`, and what a training loop does with it, as a task and a recipe.

    Args:
        model: an nn.Sequential.
        x: training inputs, (n,) or (n, i), as arrays or tensors.
        y: targets, (n,), (n, o), or integer labels.
        optimizer: of torch.optim, with the model's parameters.
        loss: a loss module, such as nn.MSELoss().
        epochs: how often every row is shown.
        batch_size: rows of a batch, as of a DataLoader; None is all rows in every step.
        shuffle: whether the rows are shuffled in every epoch, as of a DataLoader.
        drop_last: whether a last batch that is not full is left out, as of a DataLoader.
        scheduler: of torch.optim.lr_scheduler, on this optimizer; None for none.
            ReduceLROnPlateau is told the validation loss, or without validation rows the mean of
            the epoch's batch losses.
        scheduler_every: when the loop calls scheduler.step(): after each "epoch" or each "step".
        validation_data: rows (x, y) for validation; None for none.
        start: "drawn", so that every seed draws its weights as PyTorch's layers do; or "as given",
            so that all seeds start from the weights that the model has now.
        initializer: of all Linear layers, where the model's were drawn by torch.nn.init: a name of
            models.INITIALIZERS or a pair (weights, biases), such as ("xavier_uniform", "zeros");
            None is PyTorch's own.
        test: rows (x, y) for the test loss; None for none.
        recipe: further fields of the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe.

    Raises:
        TypeError: no PyTorch object.
        ValueError: a layer, a loss or an option that cannot be translated faithfully, by its name;
            weights that PyTorch's layers would not have drawn, with start="drawn".

    Example:
        >>> adam = torch.optim.Adam(model.parameters())
        >>> asked = {"optimizer": adam, "loss": nn.MSELoss(), "epochs": 100, "batch_size": 32}
        >>> runs = ap.run(*ap.frameworks.pytorch.question(model, X, y, **asked), seeds=256)

    """
    fits.check_start(start)
    said = described(model, optimizer, loss)
    x, y = fits.as_array(x), fits.as_array(y, "y")
    fit = {"epochs": epochs, "batch_size": batch_size, "shuffle": shuffle, "drop_last": drop_last}
    fits.check_epochs(fit)
    if scheduler is not None:
        calls = epochs
        if scheduler_every == "step":
            calls = epochs * fits.steps_of_epoch(len(x), batch_size, drop_last)
        said["scheduler"] = described_scheduler(optimizer, scheduler, calls)
        said["scheduler"]["every"] = scheduler_every
    rows = {"validation_data": validation_data, "test": test}
    first = start if initializer is None else initializer
    return translated(
        said, x, y, fit, start=first, rows=rows, recipe=fits.recipe_fields("pytorch", recipe)
    )


def translated(
    said: Mapping[str, Any],
    x: Any,
    y: Any,
    fit: Mapping[str, Any],
    *,
    start: Any = "drawn",
    rows: Mapping[str, Any] | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> Question:
    """The question of plain dictionaries.

    Args:
        said: see `pytorch_objects.described`.
        x: training inputs.
        y: targets or labels.
        fit: `epochs`, `batch_size`, `shuffle` and `drop_last`.
        start: "drawn", "as given", or an initialiser of all Linear layers.
        rows: further options of `fits.task_of`.
        recipe: further fields of the recipe.

    Raises:
        ValueError: what cannot be translated, by its name.
    """
    fits.check_epochs(fit)
    layers = layers_of(said["layers"], start)
    meant = loss_of(said["loss"], layers, y)
    held = fits.converted(rows or {}, lambda other: loss_of(said["loss"], layers, other).y)
    task = fits.task_of(x, meant.y, loss=meant.loss, **held)
    check_inputs(said["layers"], task)
    trained = fits.trained_rows(task)
    size, shuffle = fit.get("batch_size"), fit.get("shuffle", True)
    per_epoch = fits.steps_of_epoch(trained, size, fit.get("drop_last", False))
    fields = {
        "model": chains.model(meant.layers),
        **length_of(said["optimizer"], fit["epochs"]),
        **optimizer_of(said["optimizer"]),
        **scheduler_of(said.get("scheduler"), per_epoch, bool(task.validation)),
        **meant.recipe,
        **({"dtype": "float64"} if said.get("dtype") == "float64" else {}),
        **fits.batches(size, trained, shuffle, fit.get("drop_last", False)),
        **(recipe or {}),
    }
    return Question(task, Recipe(**fields), fits.sentences(NOTES, meant.notes))


def check_inputs(layers: Sequence[Mapping[str, Any]], task: Any) -> None:
    """Refuse a Linear that takes another number of inputs than it is given.

    Raises:
        ValueError: with both numbers.
    """
    columns, giver = task.x.reshape(len(task.x), -1).shape[1], "x"
    for n, one in enumerate(layers):
        if one["class_name"] == "Linear":
            fits.check_columns(f"layer {n} (Linear)", one["in_features"], columns, giver)
            columns, giver = one["out_features"], f"layer {n}"


NOTES = (
    "PyTorch leaves it to the loop which loss is reported: `batch_loss` here is the mean of the "
    "batches before each update, and `loss` that of the network as it stands.",
)
CONVENTIONS = Conventions(
    framework="PyTorch",
    version="2.13.0",
    rows={
        "first weights": "U(±1 / sqrt(in)).",
        "first biases": "U(±1 / sqrt(in)), with the weights' in.",
        "activations": "as built; LeakyReLU has the slope 0.01, GELU is the exact one.",
        "loss that is descended": "MSELoss is the mean over rows and outputs; targets (n,) against "
        "outputs (n, 1) are broadcast to (n, n) with a warning only, which is refused here.",
        "loss that is reported": "what the loop prints.",
        "cross-entropy": "of logits, for labels or for probabilities; BCELoss is of probabilities, "
        "whose logarithms are bounded by -100.",
        "optimiser": "SGD has the rate 0.001, Adam too, with epsilon 1e-8 added to the corrected "
        "root; the first step of SGD with dampening is not damped.",
        "weight decay": "of all but AdamW is added to the gradient, biases too; AdamW takes rate "
        "times 0.01 times w off.",
        "batches": "those of the loop; a DataLoader shuffles anew in each epoch, and its last "
        "batch has the rows that are left.",
        "scaling": "none.",
        "batch normalisation": "averages take in the share 0.1, epsilon is 1e-5; the variance is "
        "the population's in training and the sample's in the average.",
        "stopping": "none.",
        "precision": "that of the tensors, float32 by default.",
    },
    measured="ten steps of 35 combinations were recorded on a CPU and compared in weights and "
    "losses; the distribution of 2,000 first weights was compared.",
)
