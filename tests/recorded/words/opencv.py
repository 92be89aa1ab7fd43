"""Record OpenCV's ANN_MLP (opencv-python-headless); see problem.md."""

import json
import tempfile
from pathlib import Path

import cv2
import numpy as np
from problem import START, X, Y, firsts, flat, parts

ML = cv2.ml
NO_SCALING = ML.ANN_MLP_NO_INPUT_SCALE | ML.ANN_MLP_NO_OUTPUT_SCALE
X32, Y32 = X.astype(np.float32), Y.astype(np.float32)


def network(hidden=3, inputs=2, outputs=2, activation=ML.ANN_MLP_SIGMOID_SYM, a=0.0, b=0.0):
    net = ML.ANN_MLP_create()
    net.setLayerSizes(np.array([inputs, hidden, outputs]))
    net.setActivationFunction(activation, a, b)
    return net


def read(net):
    """The weights, as the net has them: for scaled inputs and outputs."""
    one, two = net.getWeights(1), net.getWeights(2)
    return one[:-1], one[-1], two[:-1], two[-1]


def saved(net):
    """The net's own file, as text."""
    file = Path(tempfile.mkdtemp()) / "net.json"
    net.save(str(file))
    return file


def with_start(net, flags=0):
    """The net with the given weights, by way of a file, as there is no setWeights."""
    net.setTermCriteria((cv2.TERM_CRITERIA_COUNT, 1, 0))
    net.train(ML.TrainData_create(X32, ML.ROW_SAMPLE, Y32), flags)
    file = saved(net)
    w = parts(START)
    pieces = [np.vstack([w["w1"], w["b1"]]), np.vstack([w["w2"], w["b2"]])]
    weights = json.dumps([np.ravel(p).tolist() for p in pieces])
    text = file.read_text()
    begin = text.index('"weights"')
    file.write_text(text[:begin] + f'"weights": {weights}' + "\n    }\n}\n")
    return ML.ANN_MLP_load(str(file))


def case(scaled=True, method="RPROP", activation=ML.ANN_MLP_SIGMOID_SYM, a=0.0, b=0.0):
    after = []
    for steps in (1, 2, 3):
        net = with_start(network(activation=activation, a=a, b=b), 0 if scaled else NO_SCALING)
        criteria = cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS
        net.setTermCriteria((criteria, steps, 1e-12))
        if method == "BACKPROP":
            net.setTrainMethod(ML.ANN_MLP_BACKPROP, 0.05, 0.1)
        else:
            net.setTrainMethod(ML.ANN_MLP_RPROP, 0.1)
        # The scales stay those of the first call, whatever the flags say now
        net.train(ML.TrainData_create(X32, ML.ROW_SAMPLE, Y32), ML.ANN_MLP_UPDATE_WEIGHTS)
        after.append(flat(*read(net)))
    options = {"scaled": scaled, "method": method, "activation": activation, "a": a, "b": b}
    outputs = [[float(f"{v:.6g}") for v in row] for row in net.predict(X32)[1]]
    return {"options": options, "after": after, "outputs": outputs}


def scales():
    """What the net multiplies inputs by and adds, column by column; and the same of targets."""
    net = network()
    net.setTermCriteria((cv2.TERM_CRITERIA_COUNT, 1, 0))
    net.train(ML.TrainData_create(X32, ML.ROW_SAMPLE, Y32))
    return {
        "inputs": net.getWeights(0).ravel().tolist(),
        "targets": net.getWeights(4).ravel().tolist(),
    }


def init():
    """First weights of 2-3-2 in many trainings of one net, which draws on where it stood.

    A new net begins with the same weights every time. One step with the smallest step size there is
    leaves them as they are, to six digits.
    """
    net = network()
    net.setTrainMethod(ML.ANN_MLP_RPROP, 2e-7)
    net.setTermCriteria((cv2.TERM_CRITERIA_COUNT, 1, 0))
    data = ML.TrainData_create(X32, ML.ROW_SAMPLE, Y32)

    def draw():
        net.train(data)
        return read(net)

    return firsts(draw)


def main():
    kinds = [case(), case(scaled=False), case(scaled=False, a=1.0, b=1.0), case(method="BACKPROP")]
    cases = {json.dumps(each["options"]): each for each in kinds}
    print(
        json.dumps(
            {
                "opencv": {
                    "version": cv2.__version__,
                    "cases": cases,
                    "scales": scales(),
                    "init": init(),
                }
            }
        )
    )


main()
