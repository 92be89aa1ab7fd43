"""Record ten steps of every optimiser and its options, for tests/test_optimizers.py.

Not part of the test suite. `python3.11 tests/recorded/optimizers.py` makes a virtual environment in
the temporary folder, installs Keras (on PyTorch), PyTorch, scikit-learn and, in one of its own,
neurolab at the versions of `PINNED`, and compiles a few lines of C against FANN (Debian's
libfann-dev, version 2.2.0). It writes optimizers.json beside itself. The network is 1-3-1 tanh on 7
rows, full batch unless said, float32 (neurolab: float64).

Each case has the words of `approx` beside the numbers: optimizer, rate and options of a Recipe.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PINNED = {
    "main": ("torch==2.13.0", "keras==3.15.1", "scikit-learn==1.9.1"),
    "neurolab": ("neurolab==0.3.5", "numpy<2", "setuptools"),
}
STEPS = 10
W1, B1 = [[0.5, -0.8, 1.1]], [0.1, -0.2, 0.3]
W2, B2 = [[0.7], [-0.4], [0.9]], [0.05]


def data():
    """Seven rows of a parabola."""
    import numpy as np

    x = np.linspace(-1, 1, 7, dtype=np.float32)[:, None]
    return x, (x**2 - np.float32(0.3) * x).astype(np.float32)


def start():
    """The weights before the first step."""
    import numpy as np

    return [np.array(values, np.float32) for values in (W1, B1, W2, B2)]


def rounded(values):
    """A nested list of numbers of eight digits, which hold a float32."""
    if isinstance(values, list | tuple):
        return [rounded(value) for value in values]
    return float(f"{float(values):.8g}")


def case(ours, losses, params):
    """One case: the words of approx, the losses before each step, and the last parameters."""
    return {"ours": ours, "loss": rounded(losses), "params": rounded(params)}


# ---- Keras ---------------------------------------------------------------------------------------


def with_keras(optimizer):
    """Losses before each step, and the last parameters."""
    import keras

    x, y = data()
    layers = [keras.Input((1,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.set_weights(start())
    model.compile(optimizer, "mse")
    fit = {"batch_size": 7, "epochs": STEPS, "shuffle": False, "verbose": 0}
    losses = model.fit(x, y, **fit).history["loss"]
    return losses, [w.tolist() for w in model.get_weights()]


# name -> (Keras' class and arguments, optimizer and options here); the rate is 0.03 unless given
KERAS = {
    "SGD": ("SGD", {}, "sgd_keras", {}),
    "SGD momentum": ("SGD", {"momentum": 0.9}, "sgd_keras", {"momentum": 0.9}),
    "SGD Nesterov": (
        "SGD",
        {"momentum": 0.9, "nesterov": True},
        "sgd_keras",
        {"momentum": 0.9, "nesterov": True},
    ),
    "SGD weight decay": ("SGD", {"weight_decay": 0.5}, "sgd_keras", {"weight_decay": 0.5}),
    "SGD clipnorm": ("SGD", {"clipnorm": 0.1}, "sgd_keras", {"clipnorm": 0.1}),
    "SGD global clipnorm": (
        "SGD",
        {"global_clipnorm": 0.1},
        "sgd_keras",
        {"global_clipnorm": 0.1},
    ),
    "SGD clipvalue": ("SGD", {"clipvalue": 0.1}, "sgd_keras", {"clipvalue": 0.1}),
    "SGD average every 5": (
        "SGD",
        {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 5},
        "sgd_keras",
        {"ema_momentum": 0.9, "ema_every": 5},
    ),
    "SGD average at the end": (
        "SGD",
        {"use_ema": True, "ema_momentum": 0.9},
        "sgd_keras",
        {"ema_momentum": 0.9, "ema_every": STEPS},
    ),
    "RMSprop": ("RMSprop", {}, "rmsprop_keras", {}),
    "RMSprop momentum": ("RMSprop", {"momentum": 0.5}, "rmsprop_keras", {"momentum": 0.5}),
    "RMSprop centered": ("RMSprop", {"centered": True}, "rmsprop_keras", {"centered": True}),
    "RMSprop centered momentum rho": (
        "RMSprop",
        {"centered": True, "momentum": 0.5, "rho": 0.7},
        "rmsprop_keras",
        {"centered": True, "momentum": 0.5, "decay": 0.7},
    ),
    "RMSprop weight decay": (
        "RMSprop",
        {"weight_decay": 0.5},
        "rmsprop_keras",
        {"weight_decay": 0.5},
    ),
    "Adam": ("Adam", {}, "adam_keras", {}),
    "Adam amsgrad": (
        "Adam",
        {"amsgrad": True, "beta_2": 0.6},
        "adam_keras",
        {"amsgrad": True, "b2": 0.6},
    ),
    "Adam weight decay": ("Adam", {"weight_decay": 0.5}, "adam_keras", {"weight_decay": 0.5}),
    "Adam clipnorm": ("Adam", {"clipnorm": 0.01}, "adam_keras", {"clipnorm": 0.01}),
    "Adam epsilon": ("Adam", {"epsilon": 0.1}, "adam_keras", {"eps": 0.1}),
    "AdamW": ("AdamW", {}, "adamw_keras", {}),
    "AdamW amsgrad": (
        "AdamW",
        {"amsgrad": True, "beta_2": 0.6, "weight_decay": 0.5},
        "adamw_keras",
        {"amsgrad": True, "b2": 0.6, "weight_decay": 0.5},
    ),
    "AdamW global clipnorm": (
        "AdamW",
        {"global_clipnorm": 0.01, "weight_decay": 0.5},
        "adamw_keras",
        {"global_clipnorm": 0.01, "weight_decay": 0.5},
    ),
    "Adagrad": ("Adagrad", {}, "adagrad_keras", {}),
    "Adagrad accumulator 0": (
        "Adagrad",
        {"initial_accumulator_value": 0.0, "epsilon": 1e-3},
        "adagrad_keras",
        {"initial_accumulator": 0.0, "eps": 1e-3},
    ),
    "Adadelta": ("Adadelta", {"learning_rate": 1.0}, "adadelta_keras", {}),
    "Adadelta rho epsilon": (
        "Adadelta",
        {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3},
        "adadelta_keras",
        {"rho": 0.8, "eps": 1e-3},
    ),
    "Adamax": ("Adamax", {}, "adamax_keras", {}),
    "Adamax epsilon": (
        "Adamax",
        {"beta_2": 0.6, "epsilon": 0.1},
        "adamax_keras",
        {"b2": 0.6, "eps": 0.1},
    ),
    "Nadam": ("Nadam", {}, "nadam_keras", {}),
    "Nadam epsilon": (
        "Nadam",
        {"beta_1": 0.6, "epsilon": 0.1},
        "nadam_keras",
        {"b1": 0.6, "eps": 0.1},
    ),
    "Ftrl": ("Ftrl", {}, "ftrl_keras", {}),
    "Ftrl all": (
        "Ftrl",
        {
            "learning_rate_power": -0.7,
            "initial_accumulator_value": 0.2,
            "l1_regularization_strength": 0.05,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.02,
            "beta": 0.1,
        },
        "ftrl_keras",
        {
            "rate_power": -0.7,
            "initial_accumulator": 0.2,
            "l1": 0.05,
            "l2": 0.1,
            "l2_shrinkage": 0.02,
            "beta": 0.1,
        },
    ),
    "Lion": ("Lion", {}, "lion_keras", {}),
    "Lion weight decay": (
        "Lion",
        {"weight_decay": 0.5, "beta_1": 0.6},
        "lion_keras",
        {"weight_decay": 0.5, "b1": 0.6},
    ),
    "Lamb": ("Lamb", {}, "lamb_keras", {}),
    "Adafactor": ("Adafactor", {}, "adafactor_keras", {}),
    "Adafactor all": (
        "Adafactor",
        {
            "learning_rate": 0.5,
            "beta_2_decay": -0.5,
            "epsilon_1": 1e-3,
            "epsilon_2": 0.3,
            "clip_threshold": 0.8,
        },
        "adafactor_keras",
        {"b2_decay": -0.5, "eps": 1e-3, "eps_scale": 0.3, "clip_threshold": 0.8},
    ),
}
# Schedules of Keras with SGD and momentum: class, arguments, schedule here and its arguments
KERAS_SCHEDULES = {
    "ExponentialDecay": (
        {"decay_steps": 4, "decay_rate": 0.5},
        "Exponential",
        {"steps": 4, "factor": 0.5},
    ),
    "ExponentialDecay staircase": (
        {"decay_steps": 4, "decay_rate": 0.5, "staircase": True},
        "Exponential",
        {"steps": 4, "factor": 0.5, "staircase": True},
    ),
    "InverseTimeDecay": (
        {"decay_steps": 4, "decay_rate": 0.5},
        "InverseTime",
        {"steps": 4, "decay": 0.5},
    ),
    "InverseTimeDecay staircase": (
        {"decay_steps": 4, "decay_rate": 0.5, "staircase": True},
        "InverseTime",
        {"steps": 4, "decay": 0.5, "staircase": True},
    ),
    "PolynomialDecay": (
        {"decay_steps": 6, "end_learning_rate": 0.01, "power": 2.0},
        "Polynomial",
        {"steps": 6, "end": 0.1, "power": 2.0},
    ),
    "PolynomialDecay cycle": (
        {"decay_steps": 4, "end_learning_rate": 0.01, "cycle": True},
        "Polynomial",
        {"steps": 4, "end": 0.1, "cycle": True},
    ),
    "CosineDecay": ({"decay_steps": 6, "alpha": 0.1}, "Cosine", {"steps": 6, "end": 0.1}),
    "CosineDecay warmup": (
        {"decay_steps": 6, "alpha": 0.1, "warmup_steps": 3, "warmup_target": 0.2},
        "Cosine",
        {"steps": 6, "end": 0.1, "warmup": 3, "peak": 2.0},
    ),
    "CosineDecayRestarts": (
        {"first_decay_steps": 3, "t_mul": 2.0, "m_mul": 0.5, "alpha": 0.1},
        "CosineRestarts",
        {"steps": 3, "longer": 2.0, "lower": 0.5, "end": 0.1},
    ),
    "PiecewiseConstantDecay": (
        {"boundaries": [2, 5], "values": [0.1, 0.05, 0.2]},
        "Piecewise",
        {"after": [2, 5], "factors": [1.0, 0.5, 2.0]},
    ),
}


def keras_cases():
    """Every case of Keras."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    found = {}
    for name, (kind, theirs, optimizer, options) in KERAS.items():
        theirs = {"learning_rate": 0.03} | theirs
        result = with_keras(getattr(keras.optimizers, kind)(**theirs))
        ours = {"optimizer": optimizer, "rate": theirs["learning_rate"], "options": options}
        found[f"keras {name}"] = case(ours, *result)
    for name, (theirs, schedule, numbers) in KERAS_SCHEDULES.items():
        kind = getattr(keras.optimizers.schedules, name.split()[0])
        if name == "CosineDecay warmup":
            theirs = {"initial_learning_rate": 0.0} | theirs
        elif "values" not in theirs:
            theirs = {"initial_learning_rate": 0.1} | theirs
        result = with_keras(keras.optimizers.SGD(kind(**theirs), momentum=0.9))
        ours = {"optimizer": "sgd_keras", "rate": 0.1, "options": {"momentum": 0.9}}
        ours["schedule"] = [schedule, numbers]
        found[f"keras {name}"] = case(ours, *result)
    return found


# ---- PyTorch -------------------------------------------------------------------------------------


def with_torch(make, make_schedule=None, kernels=False):
    """Losses before each step, and the last parameters.

    With `kernels`, weights and biases are two groups, and only the weights decay.
    """
    import torch

    x, y = (torch.tensor(values) for values in data())
    w1, b1, w2, b2 = start()
    model = torch.nn.Sequential(torch.nn.Linear(1, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    with torch.no_grad():
        for p, w in zip(model.parameters(), (w1.T, b1, w2.T, b2), strict=True):
            p.copy_(torch.tensor(w))
    params = list(model.parameters())
    groups = params
    if kernels:
        groups = [{"params": params[::2]}, {"params": params[1::2], "weight_decay": 0.0}]
    optimizer, losses = make(groups), []
    schedule = make_schedule(optimizer) if make_schedule else None
    for _ in range(STEPS):

        def closure():
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(model(x), y)
            loss.backward()
            return loss

        losses.append(optimizer.step(closure).item())
        if schedule:
            schedule.step()
    w1, b1, w2, b2 = (p.detach().numpy() for p in params)
    return losses, [w1.T.tolist(), b1.tolist(), w2.T.tolist(), b2.tolist()]


TORCH = {
    "SGD": ("SGD", {}, "sgd", {}),
    "SGD momentum": ("SGD", {"momentum": 0.9}, "sgd", {"momentum": 0.9}),
    "SGD dampening": (
        "SGD",
        {"momentum": 0.9, "dampening": 0.3},
        "sgd",
        {"momentum": 0.9, "dampening": 0.3},
    ),
    "SGD Nesterov": (
        "SGD",
        {"momentum": 0.9, "nesterov": True},
        "sgd",
        {"momentum": 0.9, "nesterov": True},
    ),
    "SGD weight decay": ("SGD", {"weight_decay": 0.5}, "sgd", {"weight_decay": 0.5}),
    "SGD momentum weight decay": (
        "SGD",
        {"momentum": 0.9, "weight_decay": 0.5},
        "sgd",
        {"momentum": 0.9, "weight_decay": 0.5},
    ),
    "Adam": ("Adam", {}, "adam", {}),
    "Adam amsgrad": (
        "Adam",
        {"amsgrad": True, "betas": (0.9, 0.6)},
        "adam",
        {"amsgrad": True, "b2": 0.6},
    ),
    "Adam weight decay": ("Adam", {"weight_decay": 0.5}, "adam", {"weight_decay": 0.5}),
    "Adam epsilon": ("Adam", {"eps": 0.1}, "adam", {"eps": 0.1}),
    "AdamW": ("AdamW", {}, "adamw", {}),
    "AdamW amsgrad": (
        "AdamW",
        {"amsgrad": True, "betas": (0.9, 0.6), "weight_decay": 0.5},
        "adamw",
        {"amsgrad": True, "b2": 0.6, "weight_decay": 0.5},
    ),
    "Adagrad": ("Adagrad", {}, "adagrad", {}),
    "Adagrad all": (
        "Adagrad",
        {"lr_decay": 0.2, "weight_decay": 0.1, "initial_accumulator_value": 0.3, "eps": 0.01},
        "adagrad",
        {"rate_decay": 0.2, "weight_decay": 0.1, "initial_accumulator": 0.3, "eps": 0.01},
    ),
    "Adadelta": ("Adadelta", {"lr": 1.0}, "adadelta", {}),
    "Adadelta all": (
        "Adadelta",
        {"lr": 2.0, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.1},
        "adadelta",
        {"rho": 0.7, "eps": 1e-3, "weight_decay": 0.1},
    ),
    "Adamax": ("Adamax", {}, "adamax", {}),
    "Adamax all": (
        "Adamax",
        {"betas": (0.8, 0.6), "eps": 0.1, "weight_decay": 0.1},
        "adamax",
        {"b1": 0.8, "b2": 0.6, "eps": 0.1, "weight_decay": 0.1},
    ),
    "NAdam": ("NAdam", {}, "nadam", {}),
    "NAdam all": (
        "NAdam",
        {"betas": (0.8, 0.6), "eps": 0.1, "weight_decay": 0.1, "momentum_decay": 0.5},
        "nadam",
        {"b1": 0.8, "b2": 0.6, "eps": 0.1, "weight_decay": 0.1, "momentum_decay": 0.5},
    ),
    "NAdam decoupled": (
        "NAdam",
        {"weight_decay": 0.5, "decoupled_weight_decay": True},
        "nadam",
        {"weight_decay": 0.5, "decoupled": True},
    ),
    "RAdam": ("RAdam", {}, "radam", {}),
    "RAdam all": (
        "RAdam",
        {"betas": (0.8, 0.6), "eps": 0.1, "weight_decay": 0.1},
        "radam",
        {"b1": 0.8, "b2": 0.6, "eps": 0.1, "weight_decay": 0.1},
    ),
    "RAdam decoupled": (
        "RAdam",
        {"betas": (0.9, 0.9), "weight_decay": 0.5, "decoupled_weight_decay": True},
        "radam",
        {"b2": 0.9, "weight_decay": 0.5, "decoupled": True},
    ),
    "RMSprop": ("RMSprop", {}, "rmsprop", {}),
    "RMSprop momentum": ("RMSprop", {"momentum": 0.5}, "rmsprop", {"momentum": 0.5}),
    "RMSprop centered": ("RMSprop", {"centered": True}, "rmsprop", {"centered": True}),
    "RMSprop all": (
        "RMSprop",
        {"alpha": 0.7, "momentum": 0.5, "centered": True, "weight_decay": 0.1, "eps": 0.1},
        "rmsprop",
        {"decay": 0.7, "momentum": 0.5, "centered": True, "weight_decay": 0.1, "eps": 0.1},
    ),
    "Rprop": ("Rprop", {}, "rprop", {}),
    "Rprop all": (
        "Rprop",
        {"etas": (0.7, 1.5), "step_sizes": (0.02, 0.2)},
        "rprop",
        {"shrink": 0.7, "grow": 1.5, "shortest": 0.02, "longest": 0.2},
    ),
    "ASGD": ("ASGD", {}, "asgd", {}),
    "ASGD all": (
        "ASGD",
        {"lr": 0.3, "lambd": 0.1, "alpha": 0.6, "weight_decay": 0.1},
        "asgd",
        {"lambd": 0.1, "alpha": 0.6, "weight_decay": 0.1},
    ),
}
TORCH_SCHEDULES = {
    "StepLR": ({"step_size": 3, "gamma": 0.5}, "Step", {"every": 3, "factor": 0.5}),
    "MultiStepLR": (
        {"milestones": [2, 5], "gamma": 0.5},
        "MultiStep",
        {"after": [2, 5], "factor": 0.5},
    ),
    "ConstantLR": (
        {"factor": 0.3, "total_iters": 4},
        "Constant",
        {"factor": 0.3, "steps": 4},
    ),
    "ExponentialLR": ({"gamma": 0.8}, "Exponential", {"steps": 1, "factor": 0.8}),
    "LinearLR": (
        {"start_factor": 0.2, "end_factor": 0.9, "total_iters": 6},
        "Linear",
        {"start": 0.2, "end": 0.9, "steps": 6},
    ),
    "PolynomialLR": ({"total_iters": 6, "power": 2.0}, "Polynomial", {"steps": 6, "power": 2.0}),
    "CosineAnnealingLR": (
        {"T_max": 6, "eta_min": 0.01},
        "CosineAnnealing",
        {"steps": 6, "end": 0.1},
    ),
    "CosineAnnealingWarmRestarts": (
        {"T_0": 3, "T_mult": 2, "eta_min": 0.01},
        "CosineRestarts",
        {"steps": 3, "longer": 2.0, "end": 0.1},
    ),
    "OneCycleLR": (
        {"max_lr": 0.1, "total_steps": 12, "cycle_momentum": False},
        "OneCycle",
        {"steps": 12},
    ),
    "OneCycleLR linear three": (
        {
            "max_lr": 0.1,
            "total_steps": 12,
            "cycle_momentum": False,
            "anneal_strategy": "linear",
            "three_phase": True,
            "pct_start": 0.25,
            "div_factor": 10.0,
            "final_div_factor": 100.0,
        },
        "OneCycle",
        {
            "steps": 12,
            "anneal": "linear",
            "three_phase": True,
            "rise": 0.25,
            "first": 0.1,
            "last": 0.001,
        },
    ),
}
LBFGS = {
    "LBFGS": {"lr": 1.0, "max_iter": 4},
    "LBFGS short memory": {"lr": 0.5, "max_iter": 4, "history_size": 2},
}


def torch_cases():
    """Every case of PyTorch."""
    from torch import optim

    found = {}
    for name, (kind, theirs, optimizer, options) in TORCH.items():
        theirs = {"lr": 0.03} | theirs

        def make(params, kind=kind, theirs=theirs):
            return getattr(optim, kind)(params, **theirs)

        ours = {"optimizer": optimizer, "rate": theirs["lr"], "options": options}
        found[f"torch {name}"] = case(ours, *with_torch(make))
    for kind, optimizer in (("SGD", "sgd"), ("Adam", "adam"), ("AdamW", "adamw")):

        def make(groups, kind=kind):
            return getattr(optim, kind)(groups, lr=0.03, weight_decay=0.5)

        options = {"weight_decay": 0.5, "kernels_only": True}
        ours = {"optimizer": optimizer, "rate": 0.03, "options": options}
        found[f"torch {kind} decay of kernels"] = case(ours, *with_torch(make, kernels=True))
    for name, (theirs, schedule, numbers) in TORCH_SCHEDULES.items():

        def make(params):
            return optim.SGD(params, lr=0.1, momentum=0.9)

        kind = name.split()[0]

        def plan(optimizer, kind=kind, theirs=theirs):
            return getattr(optim.lr_scheduler, kind)(optimizer, **theirs)

        ours = {"optimizer": "sgd", "rate": 0.1, "options": {"momentum": 0.9}}
        ours["schedule"] = [schedule, numbers]
        found[f"torch {name}"] = case(ours, *with_torch(make, plan))
    for name, theirs in LBFGS.items():
        options = {"memory_size": theirs.get("history_size", 100)}
        ours = {"optimizer": "lbfgs_torch", "rate": theirs["lr"], "options": options}
        ours["steps"] = theirs["max_iter"] * STEPS
        result = with_torch(lambda params, theirs=theirs: optim.LBFGS(params, **theirs))
        found[f"torch {name}"] = case(ours, *result)
    return found


# ---- scikit-learn --------------------------------------------------------------------------------

SKLEARN = {
    "sgd": ({"solver": "sgd", "alpha": 0}, "sgd_sklearn", {}),
    "sgd plain momentum": (
        {"solver": "sgd", "alpha": 0, "momentum": 0.5, "nesterovs_momentum": False},
        "sgd_keras",
        {"options": {"momentum": 0.5}},
    ),
    "adam": ({"solver": "adam", "alpha": 0}, "adam_sklearn", {}),
    "adam epsilon": (
        {"solver": "adam", "alpha": 0, "epsilon": 0.1},
        "adam_sklearn",
        {"options": {"eps": 0.1}},
    ),
    "sgd alpha, batches of 3": (
        {"solver": "sgd", "alpha": 0.6, "batch_size": 3},
        "sgd_sklearn",
        {"l2": 0.3, "l2_per": "rows", "batch_size": 3, "batches": "order", "steps": 30},
    ),
    "adam alpha": (
        {"solver": "adam", "alpha": 0.6},
        "adam_sklearn",
        {"l2": 0.3, "l2_per": "rows", "batch_size": 7, "batches": "order"},
    ),
    "sgd invscaling": (
        {"solver": "sgd", "alpha": 0, "learning_rate": "invscaling", "power_t": 0.3},
        "sgd_sklearn",
        {"schedule": ["InverseScaling", {"rows": 7, "power": 0.3}]},
    ),
}


def sklearn_cases():
    """Every case of scikit-learn."""
    import warnings

    from sklearn.neural_network import MLPRegressor

    warnings.simplefilter("ignore")
    x, y = data()
    found = {}

    class Given(MLPRegressor):
        """Its weights are those given."""

        def _init_coef(self, fan_in, fan_out, dtype):
            w1, b1, w2, b2 = start()
            return (w1, b1) if fan_in == 1 else (w2, b2)

    for name, (theirs, optimizer, more) in SKLEARN.items():
        theirs = {"batch_size": 7} | theirs
        model = Given(
            hidden_layer_sizes=(3,),
            activation="tanh",
            learning_rate_init=0.03,
            max_iter=STEPS,
            shuffle=False,
            tol=0.0,
            n_iter_no_change=1000,
            **theirs,
        )
        model.fit(x, y[:, 0])
        (w1, w2), (b1, b2) = model.coefs_, model.intercepts_
        params = [w1.tolist(), b1.tolist(), w2.tolist(), b2.tolist()]
        ours = {"optimizer": optimizer, "rate": 0.03, "loss": "half_squared_error"} | more
        found[f"sklearn {name}"] = case(ours, model.loss_curve_, params)
    return found


# ---- neurolab ------------------------------------------------------------------------------------

NEUROLAB = {
    "train_gd": ({"lr": 0.02}, "sgd"),
    "train_gdm": ({"lr": 0.1}, "gdm_neurolab"),
    "train_gda": ({"lr": 0.15}, "gda_neurolab"),
    "train_gdx": ({"lr": 0.3}, "gdx_neurolab"),
    "train_rprop": ({"lr": 0.07}, "rprop_minus"),
    "TrainRpropM": ({"lr": 0.07}, "rprop_neurolab"),
}


def neurolab_cases():
    """Every case of neurolab, whose N epochs are N - 1 updates."""
    import neurolab as nl
    import numpy as np
    from neurolab.train import gd, trainer

    x, y = (values.astype(float) for values in data())
    found = {}
    for name, (theirs, optimizer) in NEUROLAB.items():
        layers = [nl.trans.TanSig(), nl.trans.PureLin()]
        net = nl.net.newff([[-1, 1]], [3, 1], layers)
        for layer, w, b in zip(net.layers, start()[::2], start()[1::2], strict=True):
            layer.np["w"][:] = w.T
            layer.np["b"][:] = b
        train = getattr(nl.train, name, None) or trainer(getattr(gd, name))
        net.trainf = train
        losses = net.train(x, y, epochs=STEPS + 1, show=0, goal=0.0, **theirs)
        params = []
        for layer in net.layers:
            params += [np.asarray(layer.np["w"]).T.tolist(), np.asarray(layer.np["b"]).tolist()]
        ours = {"optimizer": optimizer, "rate": theirs["lr"]}
        ours |= {"loss": "half_squared_error", "reduction": "sum"}
        if "rprop" in optimizer:
            ours["options"] = {"shortest": 1e-9}
        found[f"neurolab {name}"] = case(ours, losses[:STEPS], params)
    return found


# ---- FANN ----------------------------------------------------------------------------------------

FANN = r"""
#include <stdio.h>
#include <fann.h>
int main(void) {
  struct fann *net = fann_create_standard(3, 1, 3, 1);
  struct fann_train_data *data = fann_create_train(7, 1, 1);
  struct fann_connection c[10];
  float weights[10] = {0.5f, 0.1f, -0.8f, -0.2f, 1.1f, 0.3f, 0.7f, -0.4f, 0.9f, 0.05f};
  for (int n = 0; n < 7; n++) {
    float x = (float)(-1.0 + n / 3.0);
    data->input[n][0] = x;
    data->output[n][0] = x * x - 0.3f * x;
  }
  fann_set_activation_function_hidden(net, FANN_SIGMOID_SYMMETRIC);
  fann_set_activation_function_output(net, FANN_LINEAR);
  fann_set_activation_steepness_hidden(net, 1);
  fann_set_activation_steepness_output(net, 1);
  fann_set_train_error_function(net, FANN_ERRORFUNC_LINEAR);
  fann_set_training_algorithm(net, FANN_TRAIN_RPROP);
  fann_get_connection_array(net, c);
  for (int n = 0; n < 10; n++) c[n].weight = weights[n];
  fann_set_weight_array(net, c, 10);
  for (int n = 0; n < 10; n++) printf("%.9g\n", fann_train_epoch(net, data));
  fann_get_connection_array(net, c);
  for (int n = 0; n < 10; n++) printf("%.9g\n", c[n].weight);
  return 0;
}
"""


def fann_cases():
    """FANN's RPROP; a connection array has the weights of each unit and then its bias."""
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "fann.c"), Path(folder, "fann")
        source.write_text(FANN)
        command = ["cc", str(source), "-o", str(program), "-lfann", "-lm"]
        subprocess.run(command, check=True)
        output = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    values = [float(line) for line in output.split()]
    losses, w = values[:STEPS], values[STEPS:]
    params = [[[w[0], w[2], w[4]]], [w[1], w[3], w[5]], [[w[6]], [w[7]], [w[8]]], [w[9]]]
    ours = {"optimizer": "rprop_fann", "rate": 0.1, "options": {}}
    return {"fann RPROP": case(ours, losses, params)}


PARTS = {
    "main": ("keras_cases", "torch_cases", "sklearn_cases", "fann_cases"),
    "neurolab": ("neurolab_cases",),
}


def record(environment):
    """The cases of one environment, printed as JSON."""
    found = {}
    for name in PARTS[environment]:
        found |= globals()[name]()
    print(json.dumps(found))


def main():
    """Make both environments, record in each, and write what was recorded."""
    cases = {}
    for environment, packages in PINNED.items():
        folder = Path(os.environ.get("RECORDING", tempfile.gettempdir())) / f"optim-{environment}"
        python = folder / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            install = [str(python), "-m", "pip", "install", "-q", *packages]
            subprocess.run(install, check=True)
        command = [str(python), __file__, environment]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        cases |= json.loads(output.splitlines()[-1])
    lines = [f" {json.dumps(name)}: {json.dumps(found)}" for name, found in cases.items()]
    versions = json.dumps([*PINNED["main"], *PINNED["neurolab"], "fann 2.2.0"])
    text = f'{{"versions": {versions},\n"cases": {{\n' + ",\n".join(lines) + "\n}}\n"
    (HERE / "optimizers.json").write_text(text)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        record(sys.argv[1])
    else:
        main()
