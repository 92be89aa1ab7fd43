#!/usr/bin/env bash
# Expected: training for one epoch changes the weights once, and N epochs make N updates of gradient descent.
# Found: neurolab's batch trainers measure the error, and stop before they use the last gradient: epochs=1 returns an
#   error and leaves every weight as it was, and N epochs make N - 1 updates. Calling train(epochs=1) in a loop, to
#   look at the network in between, never trains it.
# Version: neurolab 0.3.5, numpy 1.26.4.
# Consequence: a learning curve drawn epoch by epoch is flat for ever, and counts of epochs are off by one against
#   other frameworks.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq neurolab==0.3.5 numpy==1.26.4
"$folder/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import neurolab
import numpy as np

x = np.linspace(-1, 1, 21)[:, None]
y = x**2


def trained(calls, epochs):
    np.random.seed(0)
    net = neurolab.net.newff([[-1, 1]], [3, 1])
    net.trainf = neurolab.train.train_gd
    for _ in range(calls):
        net.train(x, y, epochs=epochs, show=0, goal=0, lr=0.01)
    return np.concatenate([layer.np[name].ravel() for layer in net.layers for name in ("w", "b")])


print("neurolab", version("neurolab"))
start = trained(0, 1)
change = {case: float(abs(trained(*case) - start).max()) for case in ((1, 1), (50, 1), (1, 2), (1, 50))}
for (calls, epochs), largest in change.items():
    print(f"{calls} x train(epochs={epochs}): largest change of a weight {largest:.4g}")
assert change[1, 1] == change[50, 1] == 0 < change[1, 2] < change[1, 50], "the behaviour changed"
PY
