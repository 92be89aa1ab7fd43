"""Train x² on 21 points with ten hidden units by a library's defaults; print the final errors.

    python small_libraries.py neurolab|pyrenn|opencv [seeds]

prints the mean squared errors of all seeds as a JSON list. neurolab and pyrenn need numpy < 2. A
training of pyrenn can run for ever, where no step lowers its error; it then counts with the error
that it has after five seconds of the processor's time.
"""

import contextlib
import io
import json
import signal
import sys

import numpy as np

X = np.linspace(-1, 1, 21)
Y = X**2


def with_neurolab(seed):
    import neurolab

    np.random.seed(seed)
    net = neurolab.net.newff([[-1, 1]], [10, 1])
    with contextlib.redirect_stdout(io.StringIO()):
        net.train(X[:, None], Y[:, None])
    return net.sim(X[:, None])[:, 0]


class TooLongError(Exception):
    """A training does not end."""


def ring(*_):
    raise TooLongError


def with_pyrenn(seed):
    import pyrenn

    np.random.seed(seed)
    net = pyrenn.CreateNN([1, 10, 1])
    signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, 5)  # of the processor's time, whoever else uses it
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            pyrenn.train_LM(X, Y, net)
    except TooLongError:
        pass
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return pyrenn.NNOut(X, net)


NETS = []


def with_opencv(seed):
    """A new net draws the same weights every time; one that is trained again draws on."""
    import cv2

    x, y = X.astype(np.float32)[:, None], Y.astype(np.float32)[:, None]
    if not NETS:
        net = cv2.ml.ANN_MLP_create()
        net.setLayerSizes(np.array([1, 10, 1]))
        net.setActivationFunction(cv2.ml.ANN_MLP_SIGMOID_SYM)
        NETS.append(net)
    NETS[0].train(cv2.ml.TrainData_create(x, cv2.ml.ROW_SAMPLE, y))
    return NETS[0].predict(x)[1][:, 0]


def main():
    fit = {"neurolab": with_neurolab, "pyrenn": with_pyrenn, "opencv": with_opencv}[sys.argv[1]]
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    print(json.dumps([float(np.mean((fit(seed) - Y) ** 2)) for seed in range(seeds)]))


main()
