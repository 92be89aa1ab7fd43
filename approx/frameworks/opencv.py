"""OpenCV's `ml.ANN_MLP` as a task and a recipe."""

from typing import Any

from approx import models
from approx.frameworks import fits, printed
from approx.frameworks.questions import Conventions, Question
from approx.training import stops
from approx.training.recipes import Recipe

RANGE = 0.95  # targets are scaled to ±0.95
OUTER, INNER = 1.7159, 2.0 / 3.0  # fparam2 and fparam1 of SIGMOID_SYM when both are 0


def symmetric_sigmoid(fparam1: float, fparam2: float) -> Any:
    """SIGMOID_SYM: `b (1 - e^(-a z)) / (1 + e^(-a z)) = b tanh(a z / 2)`."""
    a, b = (fparam1, fparam2) if fparam1 or fparam2 else (INNER, OUTER)
    return models.activation("scaled_tanh", outer=b, inner=a / 2)


ACTIVATIONS = {
    "SIGMOID_SYM": symmetric_sigmoid,
    "IDENTITY": lambda fparam1, fparam2: "linear",
}
REFUSED = {
    "GAUSSIAN": "nearest is SIGMOID_SYM",
    "RELU": "nearest is SIGMOID_SYM",
    "LEAKYRELU": "nearest is SIGMOID_SYM",
}


def question(  # noqa: PLR0913 (the setters of ANN_MLP)
    x: Any,
    y: Any,
    *,
    hidden: Any,
    activation: str = "SIGMOID_SYM",
    fparam1: float = 0.0,
    fparam2: float = 0.0,
    train_method: str = "RPROP",
    dw0: float = 0.1,
    dw_plus: float = 1.2,
    dw_minus: float = 0.5,
    dw_min: float = 1.1920928955078125e-07,
    dw_max: float = 50.0,
    max_count: int = 1000,
    epsilon: float = 0.01,
    no_input_scale: bool = False,
    no_output_scale: bool = False,
    test: Any = None,
    **recipe: Any,
) -> Question:
    """An ANN_MLP of OpenCV, by the names of its setters.

    Args:
        x: inputs, (n,) or (n, i).
        y: outputs, (n,) or (n, o).
        hidden: the middle numbers of `setLayerSizes`; OpenCV refuses a hidden layer of one neuron.
        activation: of hidden and output neurons: "SIGMOID_SYM" or "IDENTITY". OpenCV must be told
            after the layer sizes, or it trains to numbers that are none.
        fparam1: a of SIGMOID_SYM; 0 with fparam2 = 0 stands for 2/3.
        fparam2: b of SIGMOID_SYM; 0 with fparam1 = 0 stands for 1.7159.
        train_method: "RPROP".
        dw0: first step.
        dw_plus: factor on growing steps.
        dw_minus: factor on shrinking steps.
        dw_min: shortest step.
        dw_max: longest step.
        max_count: iterations of the TermCriteria.
        epsilon: the training ends when an iteration changes the error by less than this.
        no_input_scale: whether inputs are left as they are.
        no_output_scale: whether targets are left as they are.
        test: rows (x, y) for the test loss; None for none.
        recipe: further fields of the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe. The recorded loss is the error that OpenCV
        stops by and never tells: the mean over rows of the summed squares of scaled targets.

    Raises:
        ValueError: a word that cannot be translated.

    Example:
        >>> ap.run(*ap.frameworks.opencv.question(x, x**2, hidden=10), seeds=64)

    """
    x, y = printed.rows(x, y)
    printed.find(
        "train_method",
        train_method,
        {"RPROP": True},
        {
            "BACKPROP": 'it shuffles by swapping pairs; nearest is optimizer="momentum", '
            'learning_rate=0.1, options={"momentum": 0.1}, batch_size=1',
            "ANNEAL": "nearest is RPROP",
        },
    )
    widths = printed.widths("hidden", hidden)
    if 1 in widths:
        raise ValueError(f"hidden is {hidden!r}; OpenCV refuses a layer of one neuron, give two")
    function = printed.find("activation", activation, ACTIVATIONS, REFUSED)(fparam1, fparam2)
    model = models.MLP(
        widths, function, y.shape[1], initializer="opencv", output_activation=function
    )
    inputs = None if no_input_scale else printed.to_unit_spread(x)
    outputs = None if no_output_scale else printed.to_range(y, -RANGE, RANGE)
    fields: dict[str, Any] = {
        "model": printed.scaled(model, inputs, outputs),
        "optimizer": "rprop_opencv",
        "learning_rate": dw0,
        "options": {"grow": dw_plus, "shrink": dw_minus, "shortest": dw_min, "longest": dw_max},
        "epochs": max_count,
        "stop": stops.Change(of="epoch_loss", absolute=epsilon),
        "dtype": "float64",
    }
    loss = printed.SquaresOf(1.0, None if outputs is None else outputs.scale)
    return Question(fits.task_of(x, y, loss=loss, test=test), Recipe(**fields | recipe), NOTES)


NOTES = (
    "The loss is in units of the scaled targets; OpenCV reports none.",
    "A new ANN_MLP draws the same weights every time, so that a restart is no restart; here every "
    "seed draws its own.",
)
CONVENTIONS = Conventions(
    "OpenCV ml.ANN_MLP",
    "4.14.0",
    {
        "first weights": "hidden: U(-1, 1) divided by the sum of their sizes; output: U(-1, 1).",
        "first biases": "hidden: U(-1, 1) / that sum, times G (2 j / n - 1); output: U(-1, 1).",
        "activations": "1.7159 tanh(z / 3), hidden and output.",
        "loss that is descended": (
            "mean over rows of the squares, summed over outputs, of scaled targets."
        ),
        "loss that is reported": "none.",
        "optimiser": "RPROP, first step 0.1, with a halved step where a sign changes.",
        "batches": "all rows.",
        "scaling": "inputs to mean 0 and sd 1, targets to ±0.95.",
        "stopping": "change of the loss below 0.01 in one iteration, or 1,000 iterations.",
        "precision": "float64.",
    },
    "three iterations and 2,000 trainings of one net recorded (tests/recorded/words).",
)
