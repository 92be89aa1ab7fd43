#!/usr/bin/env bash
# Expected: MLPRegressor descends the loss that it reports, half the mean squared error over rows and outputs, so its
#   plain SGD step is the learning rate times that loss's gradient.
# Found: the step is as many times larger as there are outputs: with five outputs, five times the gradient of loss_.
#   The penalty alpha is not multiplied, so its weight against the data shrinks in the same proportion.
# Version: scikit-learn 1.9.1.
# Consequence: the same learning rate and alpha mean different things with one output and with several, as in an
#   autoencoder; numbers do not carry over to a framework whose mean is a mean also in its gradient.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq scikit-learn==1.9.1 scipy==1.18.1 numpy==2.5.5
"$folder/venv/bin/python" -W ignore - <<'PY'
import copy

import numpy as np
import sklearn
from sklearn.neural_network import MLPRegressor

RATE, ROWS = 0.1, 30
x = np.random.default_rng(0).normal(size=(ROWS, 2))
print("scikit-learn", sklearn.__version__)
for outputs in (1, 2, 5):
    y = np.repeat(x[:, :1] ** 2, outputs, axis=1)
    net = MLPRegressor(
        hidden_layer_sizes=(4,),
        solver="sgd",
        momentum=0,
        alpha=0,
        learning_rate_init=RATE,
        batch_size=ROWS,
        random_state=0,
    )
    net.partial_fit(x, y)
    before = copy.deepcopy(net)
    net.partial_fit(x, y)

    def loss(shift):
        moved = copy.deepcopy(before)
        moved.intercepts_[-1][0] += shift
        return 0.5 * np.mean((moved.predict(x).reshape(y.shape) - y) ** 2)

    assert np.isclose(net.loss_, loss(0.0)), "the behaviour changed"
    slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
    step = before.intercepts_[-1][0] - net.intercepts_[-1][0]
    penalised = copy.deepcopy(before).set_params(alpha=1.0).partial_fit(x, y)
    penalty = net.coefs_[-1][0, 0] - penalised.coefs_[-1][0, 0]
    data, decay = step / (RATE * slope), penalty / (RATE * before.coefs_[-1][0, 0] / ROWS)
    print(f"{outputs} outputs: step / (rate * slope of loss_) = {data:.6f}, the penalty's part alone {decay:.6f}")
    assert np.allclose((data, decay), (outputs, 1), rtol=1e-5), "the behaviour changed"
PY
