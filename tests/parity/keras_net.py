"""x² with ten tanh units in Keras: the last mean squared errors, and the objects as dictionaries.

It prints JSON. Called by compare.py in an environment with keras and jax alone.
"""

import json
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from objects import load

X = np.linspace(-1, 1, 21, dtype=np.float32)[:, None]
EPOCHS, SIZE = 60, 8


def made():
    """The model of a user's script, with its first weights."""
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(10, "tanh"), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.03), "mse")
    return model


def start_anew(model) -> None:
    """Other first weights, and an optimiser that has made no step; the program stays compiled."""
    model.set_weights(made().get_weights())
    for variable in model.optimizer.variables:
        if variable.path != model.optimizer._learning_rate.path:
            variable.assign(np.zeros(variable.shape))


def main(seeds: int) -> None:
    model = made()
    said = load("keras").described(model)
    losses, begun = [], time.perf_counter()
    for seed in range(seeds):
        keras.utils.set_random_seed(seed)
        start_anew(model)
        model.fit(X, X**2, epochs=EPOCHS, batch_size=SIZE, verbose=0)
        losses.append(float(np.mean((np.asarray(model(X)) - X**2) ** 2)))
    fit = {"epochs": EPOCHS, "batch_size": SIZE, "shuffle": True}
    taken = time.perf_counter() - begun
    print(json.dumps({"losses": losses, "seconds": taken, "said": said, "fit": fit}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
