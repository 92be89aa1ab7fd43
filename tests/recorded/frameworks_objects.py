"""Record ten steps of Keras, PyTorch and scikit-learn for tests/test_frameworks_objects.py.

Not part of the test suite. It needs Python 3.11 or newer with

    pip install keras==3.15.1 torch==2.13.0 scikit-learn==1.9.1 numpy

and writes frameworks_objects.json beside itself: for each case the objects as dictionaries (with
the first weights), the arguments of the training, the losses of the epochs as reported, and the
last weights. Every case makes ten steps: five epochs of two batches of four rows, in order.
"""

import importlib.util
import itertools
import json
import os
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
HERE = Path(__file__).parent


import keras  # noqa: E402
import numpy as np  # noqa: E402
import sklearn  # noqa: E402
import torch  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from torch import nn  # noqa: E402

L, K, R = keras.layers, keras.optimizers, keras.regularizers
S, T = keras.optimizers.schedules, torch.optim
EPOCHS, SIZE = 5, 4


def objects(name: str):
    """A file of approx.frameworks, by itself: it needs no JAX."""
    path = HERE.parents[1] / "approx" / "frameworks" / f"{name}_objects.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


OF_KERAS, OF_TORCH = objects("keras"), objects("pytorch")

X = np.array(
    [
        [-1, -0.5],
        [-0.7, 0.6],
        [-0.3, -0.9],
        [-0.1, 0.2],
        [0.2, 0.9],
        [0.4, -0.4],
        [0.8, 0.1],
        [1, 1],
    ],
    np.float32,
)
LABELS = np.array([0, 2, 1, 1, 2, 0, 1, 2])
TARGETS = {
    "y": (X[:, :1] * X[:, 1:] + np.float32(0.3) * X[:, :1]).astype(np.float32),
    "two": np.stack([X[:, 0] * X[:, 1], X[:, 0] - X[:, 1]], 1).astype(np.float32),
    "positive": np.array([[0.5], [1], [2], [0.2], [1.5], [3], [0.7], [1.2]], np.float32),
    "binary": np.array([[0], [1], [1], [0], [1], [0], [0], [1]], np.float32),
    "signs": np.array([[-1], [1], [1], [-1], [1], [-1], [-1], [1]], np.float32),
    "onehot": np.eye(3, dtype=np.float32)[LABELS],
    "soft": (0.8 * np.eye(3)[LABELS] + 0.2 / 3).astype(np.float32),
    "labels": LABELS,
}
OUTPUTS = {"two": 2, "onehot": 3, "soft": 3, "labels": 3}


def numbers(array):
    """Numbers to eight digits, as nested lists."""
    array = np.asarray(array, np.float64)
    return (
        np.array([float(f"{value:.8g}") for value in array.ravel()]).reshape(array.shape).tolist()
    )


def start(shape, n: int):
    """The n-th array of first weights: few digits, and all gradients differ."""
    values = np.sin(1.7 * np.arange(1, np.prod(shape) + 1) + 0.9 * n)
    return np.round(0.7 * values.reshape(shape), 2).astype(np.float32)


# ---- Keras ---------------------------------------------------------------------------------------


def with_keras(layers, loss, optimizer, target="y", size=SIZE, callbacks=()):
    if not isinstance(layers, Whole):
        layers = [*layers, L.Dense(OUTPUTS.get(target, 1))]
    model = keras.Sequential([keras.Input((2,)), *layers])
    model.compile(optimizer, loss)
    for n, layer in enumerate(model.layers):
        if isinstance(layer, L.Dense):
            layer.set_weights([start(w.shape, n + m) for m, w in enumerate(layer.get_weights())])
    said = OF_KERAS.described(model)
    rate = said["optimizer"]["config"]["learning_rate"]
    fit = {"batch_size": size, "epochs": EPOCHS, "shuffle": False}
    found = model.fit(X, TARGETS[target], verbose=0, callbacks=[*callbacks], **fit)
    fit["callbacks"] = [OF_KERAS.described_callback(each, EPOCHS, rate) for each in callbacks]
    trained = [layer for layer in model.layers if not isinstance(layer, L.Normalization)]
    end = [numbers(w) for layer in trained for w in layer.get_weights()]
    return {
        "model": said,
        "fit": fit,
        "target": target,
        "loss": numbers(found.history["loss"]),
        "end": end,
    }


class Whole(list):
    """Layers of which the last is the output; else a dense layer follows."""


def hidden(activation="tanh", **options):
    return L.Dense(3, activation, **options)


def ending(*last):
    return Whole([hidden(), *last])


def normalised():
    layer = L.Normalization()
    layer.adapt(X)
    return [layer, hidden()]


def keras_cases():
    losses = keras.losses
    both = {"kernel_regularizer": R.L2(0.05)}
    yield "relu mse sgd", [hidden("relu")], "mse", K.SGD(0.1)
    yield "tanh mse momentum", [hidden()], "mean_squared_error", K.SGD(0.1, momentum=0.9)
    yield (
        "sigmoid mae nesterov",
        [hidden("sigmoid")],
        "mae",
        K.SGD(0.1, momentum=0.9, nesterov=True),
    )
    yield "elu huber adam", [hidden("elu")], "huber", K.Adam(0.03)
    yield "selu huber(0.2) adam", [hidden("selu")], losses.Huber(0.2), K.Adam(0.03, epsilon=1e-3)
    yield "gelu log_cosh amsgrad", [hidden("gelu")], "log_cosh", K.Adam(0.03, amsgrad=True)
    yield "swish mse adamw", [hidden("swish")], "mse", K.AdamW(0.03, weight_decay=0.1)
    yield "softplus mape adagrad", [hidden("softplus")], "mape", K.Adagrad(0.03), "positive"
    yield "softsign msle adadelta", [hidden("softsign")], "msle", K.Adadelta(1.0), "positive"
    yield "leaky_relu mse adamax", [hidden("leaky_relu")], "mse", K.Adamax(0.03)
    yield "hard_sigmoid mse nadam", [hidden("hard_sigmoid")], "mse", K.Nadam(0.03)
    yield "mish mse ftrl", [hidden("mish")], "mse", K.Ftrl(0.1)
    yield "relu6 mse lion", [hidden("relu6")], "mse", K.Lion(0.01)
    yield "celu mse rmsprop", [hidden("celu")], "mse", K.RMSprop(0.03)
    yield (
        "exponential mse rmsprop momentum",
        [hidden("exponential")],
        "mse",
        K.RMSprop(0.01, momentum=0.9),
    )
    yield (
        "hard_tanh mse rmsprop centered",
        [hidden("hard_tanh")],
        "mse",
        K.RMSprop(0.03, centered=True),
    )
    yield "LeakyReLU layer", [hidden(None), L.LeakyReLU()], "mse", K.SGD(0.1)
    yield "ELU layer", [hidden(None), L.ELU(0.5)], "mse", K.Adam(0.03)
    yield (
        "Activation layer, two hidden",
        [hidden(), hidden(None), L.Activation("relu")],
        "mse",
        K.Adam(),
    )
    yield (
        "no biases",
        Whole([hidden(use_bias=False), L.Dense(1, use_bias=False)]),
        "mse",
        K.Adam(0.03),
    )
    yield "two outputs", [hidden()], "mse", K.Adam(0.03), "two"
    yield (
        "poisson exponential",
        ending(L.Dense(1, "exponential")),
        "poisson",
        K.Adam(0.03),
        "positive",
    )
    yield (
        "sigmoid bce",
        ending(L.Dense(1, "sigmoid")),
        "binary_crossentropy",
        K.Adam(0.03),
        "binary",
    )
    yield (
        "logits bce",
        ending(L.Dense(1)),
        losses.BinaryCrossentropy(from_logits=True),
        K.SGD(0.5),
        "binary",
    )
    yield (
        "softmax cce",
        ending(L.Dense(3, "softmax")),
        "categorical_crossentropy",
        K.Adam(0.03),
        "onehot",
    )
    yield (
        "softmax layer, smoothed cce",
        ending(L.Dense(3), L.Softmax()),
        losses.CategoricalCrossentropy(label_smoothing=0.1),
        K.Adam(0.03),
        "onehot",
    )
    logits = losses.CategoricalCrossentropy(from_logits=True)
    yield "logits cce soft labels", ending(L.Dense(3)), logits, K.SGD(0.5), "soft"
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True)
    yield "logits sparse", ending(L.Dense(3)), sparse, K.RMSprop(0.03), "labels"
    yield (
        "softmax sparse",
        ending(L.Dense(3, "softmax")),
        "sparse_categorical_crossentropy",
        K.Adam(),
        "labels",
    )
    yield "kl_divergence", ending(L.Dense(3, "softmax")), "kl_divergence", K.Adam(0.03), "soft"
    yield "hinge", ending(L.Dense(1)), "hinge", K.SGD(0.1), "signs"
    yield "hinge of 0 and 1", ending(L.Dense(1, "tanh")), "squared_hinge", K.SGD(0.1), "binary"
    yield "l2", Whole([hidden(**both), L.Dense(1, **both)]), "mse", K.Adam(0.03)
    yield "l2 on the hidden layer", [hidden(**both)], "mse", K.SGD(0.1)
    one = {"kernel_regularizer": R.L1(0.05)}
    yield "l1", Whole([hidden(**one), L.Dense(1, **one)]), "mse", K.SGD(0.1)
    mixed = {"kernel_regularizer": R.L1L2(0.02, 0.03), "bias_regularizer": R.L1L2(0.02, 0.03)}
    yield "l1 and l2, biases", Whole([hidden(**mixed), L.Dense(1, **mixed)]), "mse", K.SGD(0.1)
    yield "weight decay", [hidden()], "mse", K.Adam(0.03, weight_decay=0.1)
    yield "clipnorm", [hidden()], "mse", K.SGD(0.5, clipnorm=0.1)
    yield "global_clipnorm", [hidden()], "mse", K.SGD(0.5, global_clipnorm=0.1)
    yield "clipvalue", [hidden()], "mse", K.SGD(0.5, clipvalue=0.05)
    yield "ExponentialDecay", [hidden()], "mse", K.SGD(S.ExponentialDecay(0.2, 3, 0.5))
    yield (
        "PiecewiseConstantDecay",
        [hidden()],
        "mse",
        K.SGD(S.PiecewiseConstantDecay([3, 6], [0.2, 0.1, 0.3])),
    )
    yield "CosineDecay", [hidden()], "mse", K.Adam(S.CosineDecay(0.1, 8, alpha=0.1))
    yield "PolynomialDecay", [hidden()], "mse", K.SGD(S.PolynomialDecay(0.2, 6, 0.01, power=2.0))
    yield (
        "InverseTimeDecay",
        [hidden()],
        "mse",
        K.SGD(S.InverseTimeDecay(0.2, 3, 0.5, staircase=True)),
    )
    yield (
        "batch normalisation",
        # With biases, whose gradient is 0 but for rounding, Adam would walk at random
        [hidden(None, use_bias=False), L.BatchNormalization(), L.Activation("relu")],
        "mse",
        K.Adam(0.03),
    )
    yield "partial batches", [hidden()], "mse", K.Adam(0.03), "y", 3
    stop = keras.callbacks.EarlyStopping("loss", min_delta=0.03, patience=1)
    yield "EarlyStopping", [hidden()], "mse", K.SGD(0.1), "y", SIZE, [stop]
    stop = keras.callbacks.EarlyStopping("loss", 0.5, 2, restore_best_weights=True)
    yield "EarlyStopping, best", [hidden()], "mse", K.Adam(0.3), "y", SIZE, [stop]
    slower = keras.callbacks.ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=0.1)
    yield "ReduceLROnPlateau", [hidden()], "mse", K.SGD(0.1), "y", SIZE, [slower]
    rates = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.7)
    yield "LearningRateScheduler", [hidden()], "mse", K.SGD(0.1), "y", SIZE, [rates]
    yield (
        "batch normalisation without scale",
        [hidden(), L.BatchNormalization(momentum=0.8, epsilon=1e-2, scale=False)],
        "mse",
        K.SGD(0.1),
    )
    yield (
        "layer normalisation",
        [hidden(None), L.LayerNormalization(), L.ReLU()],
        "mse",
        K.Adam(0.03),
    )
    yield "normalisation", normalised(), "mse", K.Adam(0.03)
    yield "rescaling", [L.Rescaling(2.0, offset=0.5), hidden()], "mse", K.Adam(0.03)


# ---- PyTorch -------------------------------------------------------------------------------------


def with_torch(layers, loss, make, target="y", scheduler=None, size=SIZE):
    module = nn.Sequential(*layers)
    with torch.no_grad():
        for n, layer in enumerate(module):
            if isinstance(layer, nn.Linear):
                layer.weight.copy_(torch.tensor(start(tuple(layer.weight.shape), n)))
                if layer.bias is not None:
                    layer.bias.copy_(torch.tensor(start(tuple(layer.bias.shape), n + 1)))
    optimizer = make(module.parameters())
    said = OF_TORCH.described(module, optimizer, loss)
    if scheduler is not None:
        scheduler = scheduler(optimizer)
        said["optimizer"] = OF_TORCH.described_optimizer(optimizer)
        said["scheduler"] = OF_TORCH.described_scheduler(optimizer, scheduler, EPOCHS)
    x, y = torch.tensor(X), torch.tensor(TARGETS[target])
    epochs = []
    for _ in range(EPOCHS):
        total = 0.0
        for begin in range(0, len(x), size):
            total += size * step(
                module, loss, optimizer, x[begin : begin + size], y[begin : begin + size]
            )
        epochs.append(total / len(x))
        if scheduler is not None:
            scheduler.step()
    end = OF_TORCH.layers_of(module)
    return {
        "model": said,
        "fit": {"batch_size": size, "epochs": EPOCHS, "shuffle": False},
        "target": target,
        "loss": numbers(epochs),
        "end": [
            numbers(array)
            for layer in end
            for name, array in layer.get("weights", {}).items()
            if name != "num_batches_tracked"
        ],
    }


def step(module, loss, optimizer, x, y):
    """One step; the loss before it."""

    def value():
        optimizer.zero_grad()
        found = loss(module(x), y)
        found.backward()
        return found

    return optimizer.step(value).item()


def net(activation, units=1, bias=True, end=()):
    return [nn.Linear(2, 3, bias=bias), activation, nn.Linear(3, units, bias=bias), *end]


def torch_cases():
    mse, tanh = nn.MSELoss(), nn.Tanh()
    yield "relu mse sgd", net(nn.ReLU()), mse, lambda p: T.SGD(p, 0.1)
    yield "tanh l1 momentum", net(tanh), nn.L1Loss(), lambda p: T.SGD(p, 0.1, momentum=0.9)
    yield (
        "sigmoid huber dampening",
        net(nn.Sigmoid()),
        nn.HuberLoss(delta=0.3),
        lambda p: T.SGD(p, 0.1, momentum=0.9, dampening=0.5),
    )
    yield (
        "elu smooth_l1 nesterov",
        net(nn.ELU(0.7)),
        nn.SmoothL1Loss(beta=0.5),
        lambda p: T.SGD(p, 0.1, momentum=0.9, nesterov=True),
    )
    yield (
        "leaky_relu mse decay",
        net(nn.LeakyReLU()),
        mse,
        lambda p: T.SGD(p, 0.1, weight_decay=0.1),
    )
    yield "gelu mse adam", net(nn.GELU()), mse, lambda p: T.Adam(p, 0.03)
    yield (
        "gelu tanh mse amsgrad",
        net(nn.GELU("tanh")),
        mse,
        lambda p: T.Adam(p, 0.03, amsgrad=True),
    )
    yield "silu mse adam decay", net(nn.SiLU()), mse, lambda p: T.Adam(p, 0.03, weight_decay=0.1)
    yield "mish mse adamw", net(nn.Mish()), mse, lambda p: T.AdamW(p, 0.03, weight_decay=0.1)
    yield "softplus mse adagrad", net(nn.Softplus()), mse, lambda p: T.Adagrad(p, 0.1, lr_decay=0.1)
    yield "softsign mse adadelta", net(nn.Softsign()), mse, lambda p: T.Adadelta(p)
    yield "relu6 mse adamax", net(nn.ReLU6()), mse, lambda p: T.Adamax(p, 0.03)
    yield "hardtanh mse nadam", net(nn.Hardtanh()), mse, lambda p: T.NAdam(p, 0.03)
    yield "selu mse radam", net(nn.SELU()), mse, lambda p: T.RAdam(p, 0.03)
    yield "celu mse rmsprop", net(nn.CELU()), mse, lambda p: T.RMSprop(p, 0.03)
    yield (
        "hardsigmoid mse rmsprop momentum",
        net(nn.Hardsigmoid()),
        mse,
        lambda p: T.RMSprop(p, 0.03, momentum=0.9, centered=True),
    )
    yield "tanhshrink mse rprop", net(nn.Tanhshrink()), mse, lambda p: T.Rprop(p, 0.01)
    yield "logsigmoid mse asgd", net(nn.LogSigmoid()), mse, lambda p: T.ASGD(p, 0.1)
    yield (
        "hardswish sum",
        net(nn.Hardswish()),
        nn.MSELoss(reduction="sum"),
        lambda p: T.SGD(p, 0.02),
    )
    yield "no biases", net(tanh, bias=False), mse, lambda p: T.Adam(p, 0.03)
    yield "two outputs", net(tanh, 2), mse, lambda p: T.Adam(p, 0.03), "two"
    yield "logits bce", net(tanh), nn.BCEWithLogitsLoss(), lambda p: T.Adam(p, 0.03), "binary"
    yield (
        "sigmoid bce",
        net(tanh, end=[nn.Sigmoid()]),
        nn.BCELoss(),
        lambda p: T.Adam(p, 0.03),
        "binary",
    )
    yield "cross entropy", net(tanh, 3), nn.CrossEntropyLoss(), lambda p: T.Adam(p, 0.03), "labels"
    yield "soft cross entropy", net(tanh, 3), nn.CrossEntropyLoss(), lambda p: T.SGD(p, 0.5), "soft"
    yield (
        "smoothed cross entropy",
        net(tanh, 3),
        nn.CrossEntropyLoss(label_smoothing=0.1),
        lambda p: T.Adam(p, 0.03),
        "labels",
    )
    yield (
        "nll",
        net(tanh, 3, end=[nn.LogSoftmax(1)]),
        nn.NLLLoss(),
        lambda p: T.Adam(p, 0.03),
        "labels",
    )
    yield "poisson", net(tanh), nn.PoissonNLLLoss(), lambda p: T.Adam(p, 0.03), "positive"
    norm = [nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1)]
    yield "batch normalisation", norm, mse, lambda p: T.SGD(p, 0.1)
    yield "lbfgs", net(tanh), mse, lambda p: T.LBFGS(p, 0.5, max_iter=4), "y", None, 8
    norm = [nn.Linear(2, 3), nn.LayerNorm(3), nn.ReLU(), nn.Linear(3, 1)]
    yield "layer normalisation", norm, mse, lambda p: T.Adam(p, 0.03)
    rates = T.lr_scheduler
    for name, make in {
        "StepLR": lambda o: rates.StepLR(o, 2),
        "CosineAnnealingLR": lambda o: rates.CosineAnnealingLR(o, 4),
        "OneCycleLR": lambda o: rates.OneCycleLR(o, 0.3, total_steps=6, cycle_momentum=False),
        "LambdaLR": lambda o: rates.LambdaLR(o, lambda epoch: 0.9**epoch),
    }.items():
        yield name, net(nn.Tanh()), mse, lambda p: T.SGD(p, 0.1), "y", make


# ---- scikit-learn --------------------------------------------------------------------------------


def with_sklearn(kind, target, **options):
    class Given(kind):
        """An estimator with first weights of our own."""

        def _init_coef(self, fan_in, fan_out, dtype):
            n = self.__dict__.setdefault("drawn", 0)
            self.drawn = n + 2
            return start((fan_in, fan_out), n).astype(dtype), start((fan_out,), n + 1).astype(dtype)

    options = {"batch_size": SIZE, "max_iter": EPOCHS, "shuffle": False} | options
    if options.get("solver") == "lbfgs":
        options |= {"batch_size": "auto", "max_iter": 10}
    y = TARGETS[target]
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    estimator = Given(hidden_layer_sizes=(3,), **options)
    estimator.random_state = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X.astype(np.float64), y)
    sizes = [2, 3, estimator.coefs_[-1].shape[1]]
    first = [
        [start((i, o), 2 * n).tolist(), start((o,), 2 * n + 1).tolist()]
        for n, (i, o) in enumerate(itertools.pairwise(sizes))
    ]
    ends = [
        each for pair in zip(estimator.coefs_, estimator.intercepts_, strict=True) for each in pair
    ]
    return {
        "model": {
            "class_name": kind.__name__,
            "params": estimator.get_params(),
            "weights": first,
        },
        "target": target,
        "loss": numbers(getattr(estimator, "loss_curve_", [estimator.loss_])),
        "end": [numbers(each) for each in ends],
    }


def sklearn_cases():
    yield "relu adam", MLPRegressor, "y", {"learning_rate_init": 0.03}
    yield (
        "tanh sgd",
        MLPRegressor,
        "y",
        {"activation": "tanh", "solver": "sgd", "learning_rate_init": 0.1},
    )
    yield (
        "logistic sgd without nesterov",
        MLPRegressor,
        "y",
        {
            "activation": "logistic",
            "solver": "sgd",
            "learning_rate_init": 0.1,
            "nesterovs_momentum": False,
            "alpha": 0.5,
        },
    )
    yield (
        "identity sgd without momentum",
        MLPRegressor,
        "two",
        {
            "activation": "identity",
            "solver": "sgd",
            "learning_rate_init": 0.1,
            "momentum": 0.0,
            "alpha": 0.1,
        },
    )
    yield (
        "invscaling",
        MLPRegressor,
        "y",
        {
            "solver": "sgd",
            "learning_rate": "invscaling",
            "learning_rate_init": 0.3,
        },
    )
    yield (
        "two outputs adam",
        MLPRegressor,
        "two",
        {"activation": "tanh", "learning_rate_init": 0.03},
    )
    yield (
        "adam, epsilon and alpha",
        MLPRegressor,
        "y",
        {
            "activation": "tanh",
            "learning_rate_init": 0.03,
            "epsilon": 1e-2,
            "alpha": 1.0,
            "beta_1": 0.8,
        },
    )
    yield (
        "partial batches",
        MLPRegressor,
        "y",
        {"activation": "tanh", "batch_size": 3, "alpha": 0.5},
    )
    yield "poisson", MLPRegressor, "positive", {"loss": "poisson", "learning_rate_init": 0.03}
    yield "tolerance", MLPRegressor, "y", {"tol": 0.1, "n_iter_no_change": 1}
    yield "lbfgs", MLPRegressor, "y", {"activation": "tanh", "solver": "lbfgs"}
    yield "three classes adam", MLPClassifier, "labels", {"learning_rate_init": 0.03}
    yield "two classes sgd", MLPClassifier, "binary", {"solver": "sgd", "learning_rate_init": 0.1}
    yield (
        "three classes tanh sgd",
        MLPClassifier,
        "labels",
        {
            "activation": "tanh",
            "solver": "sgd",
            "learning_rate_init": 0.2,
            "alpha": 0.1,
        },
    )


# ---- first weights -------------------------------------------------------------------------------

QUANTILES = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0]
WIDE = (5, 400)


def quantiles(array):
    return numbers(np.quantile(np.asarray(array, np.float64), QUANTILES))


def of_keras(kind, **options):
    """Quantiles of the first weights and biases of a layer of 400 units with five inputs."""
    keras.utils.set_random_seed(1)
    layer = L.Dense(WIDE[1], kernel_initializer=kind(**options))
    layer.build((None, WIDE[0]))
    w, b = layer.get_weights()
    said = {"class_name": kind.__name__, "config": OF_KERAS.pruned(kind(**options).get_config())}
    return {"kernel_initializer": said, "weights": quantiles(w), "biases": quantiles(b)}


def first_weights():
    """Quantiles of 2,000 first weights, and of 400 biases."""
    named = keras.initializers
    torch.manual_seed(1)
    linear = nn.Linear(*WIDE)
    found = {
        "keras": [
            of_keras(named.GlorotUniform),
            of_keras(named.GlorotNormal),
            of_keras(named.HeNormal),
            of_keras(named.HeUniform),
            of_keras(named.LecunNormal),
            of_keras(named.LecunUniform),
            of_keras(named.RandomNormal, mean=0.1, stddev=0.2),
            of_keras(named.TruncatedNormal, stddev=0.2),
            of_keras(named.RandomUniform, minval=-0.1, maxval=0.3),
            of_keras(named.VarianceScaling, scale=2.0, mode="fan_out", distribution="uniform"),
            of_keras(named.Orthogonal, gain=2.0),
        ],
        "pytorch": {
            "weights": quantiles(linear.weight.detach()),
            "biases": quantiles(linear.bias.detach()),
        },
        "sklearn": {},
    }
    for activation in ("relu", "logistic"):
        estimator = MLPRegressor(
            hidden_layer_sizes=(WIDE[1],), activation=activation, max_iter=1, random_state=1
        )
        estimator.set_params(learning_rate_init=1e-12)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator.fit(np.ones((2, WIDE[0])), [0, 1])
        found["sklearn"][activation] = {
            "weights": quantiles(estimator.coefs_[0]),
            "biases": quantiles(estimator.intercepts_[0]),
        }
    return found


if __name__ == "__main__":
    cases = {
        "keras": {name: with_keras(*rest) for name, *rest in keras_cases()},
        "pytorch": {name: with_torch(*rest) for name, *rest in torch_cases()},
        "sklearn": {
            name: with_sklearn(kind, target, **options)
            for name, kind, target, options in sklearn_cases()
        },
    }
    recorded = {
        "versions": {
            "keras": keras.__version__,
            "pytorch": torch.__version__.split("+")[0],
            "sklearn": sklearn.__version__,
        },
        "x": X.tolist(),
        "targets": {name: y.tolist() for name, y in TARGETS.items()},
        "quantiles": QUANTILES,
        "first": first_weights(),
        "cases": cases,
    }
    plain = json.loads(json.dumps(recorded), parse_float=lambda f: float(f"{float(f):.9g}"))
    text = json.dumps(plain, separators=(",", ":"))
    (HERE / "frameworks_objects.json").write_text(text + "\n")
    print({name: len(table) for name, table in cases.items()}, len(text))
