"""Record ten steps of Keras and of PyTorch from given weights, for tests/test_parity.py.

Not part of the test suite: needs `pip install keras jax torch numpy`. Writes keras.json and
torch.json beside itself. The network is 1-3-1 tanh on 7 rows, full batch, mean squared error,
float32 throughout.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
HERE = Path(__file__).parent

import keras  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

X = np.linspace(-1, 1, 7, dtype=np.float32)[:, None]
Y = (X**2 - 0.3 * X).astype(np.float32)
W1 = np.array([[0.5, -0.8, 1.1]], np.float32)
B1 = np.array([0.1, -0.2, 0.3], np.float32)
W2 = np.array([[0.7], [-0.4], [0.9]], np.float32)
B2 = np.array([0.05], np.float32)
TINY = 1e-6  # scales the targets and the output weights so that gradients are near Adam's epsilon
STEPS = 10


def with_keras(optimizer, l2=0.0, tiny=1.0, l2_everywhere=True, batch_size=7):
    """Losses before each step (or, with batches, the mean that Keras prints per epoch) and the
    final parameters.
    """
    k = keras.regularizers.L2(l2) if l2 else None
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(3, "tanh", kernel_regularizer=k),
            keras.layers.Dense(1, kernel_regularizer=k if l2_everywhere else None),
        ]
    )
    model.set_weights([W1, B1, W2 * tiny, B2 * tiny])
    model.compile(optimizer, "mse")
    fit = {"batch_size": batch_size, "epochs": STEPS, "shuffle": False, "verbose": 0}
    losses = model.fit(X, Y * tiny, **fit).history["loss"]
    return {"loss": losses, "params": [w.tolist() for w in model.get_weights()]}


def with_torch(make, tiny=1.0):
    """Losses before each step and the final parameters."""
    model = torch.nn.Sequential(torch.nn.Linear(1, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    with torch.no_grad():
        for p, w in zip(model.parameters(), (W1.T, B1, W2.T * tiny, B2 * tiny), strict=True):
            p.copy_(torch.tensor(w))
    optimizer, losses = make(model.parameters()), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(torch.tensor(X)), torch.tensor(Y * tiny))
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    w1, b1, w2, b2 = (p.detach().numpy() for p in model.parameters())
    return {"loss": losses, "params": [w1.T.tolist(), b1.tolist(), w2.T.tolist(), b2.tolist()]}


K, T = keras.optimizers, torch.optim
KERAS = {
    "sgd": lambda: with_keras(K.SGD(0.1)),
    "momentum": lambda: with_keras(K.SGD(0.1, momentum=0.9)),
    "nesterov": lambda: with_keras(K.SGD(0.1, momentum=0.9, nesterov=True)),
    "adam_keras": lambda: with_keras(K.Adam(0.03)),
    "adam_keras tiny": lambda: with_keras(K.Adam(0.03), tiny=TINY),
    "adamw_keras": lambda: with_keras(K.AdamW(0.03)),
    "rmsprop_keras": lambda: with_keras(K.RMSprop(0.03)),
    "rmsprop_keras tiny": lambda: with_keras(K.RMSprop(0.03), tiny=TINY),
    "sgd in order, batches of 3": lambda: with_keras(K.SGD(0.1), batch_size=3),
    "sgd l2": lambda: with_keras(K.SGD(0.1), l2=0.05),
    "sgd l2 hidden": lambda: with_keras(K.SGD(0.1), l2=0.05, l2_everywhere=False),
}
TORCH = {
    "sgd": lambda: with_torch(lambda p: T.SGD(p, 0.1)),
    "momentum": lambda: with_torch(lambda p: T.SGD(p, 0.1, momentum=0.9)),
    "nesterov": lambda: with_torch(lambda p: T.SGD(p, 0.1, momentum=0.9, nesterov=True)),
    "adam": lambda: with_torch(lambda p: T.Adam(p, 0.03)),
    "adam tiny": lambda: with_torch(lambda p: T.Adam(p, 0.03), tiny=TINY),
    "adamw": lambda: with_torch(lambda p: T.AdamW(p, 0.03)),
    "rmsprop": lambda: with_torch(lambda p: T.RMSprop(p, 0.03)),
    "rmsprop tiny": lambda: with_torch(lambda p: T.RMSprop(p, 0.03), tiny=TINY),
}

if __name__ == "__main__":
    versions = {"keras": keras.__version__, "torch": torch.__version__.split("+")[0]}
    for name, table in (("keras", KERAS), ("torch", TORCH)):
        numbers = {case: record() for case, record in table.items()}
        text = json.dumps({"version": versions[name], "cases": numbers}, indent=1)
        (HERE / f"{name}.json").write_text(text + "\n")
