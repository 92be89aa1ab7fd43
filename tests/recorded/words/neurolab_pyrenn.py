"""Record neurolab and pyrenn (needs numpy < 2); see problem.md."""

import contextlib
import io
import json
from importlib.metadata import version

import neurolab
import numpy as np
import pyrenn
from problem import START, X, Y, firsts, flat, parts

TRANSFERS = {"TanSig": neurolab.trans.TanSig, "LogSig": neurolab.trans.LogSig}
LINEAR = neurolab.trans.PureLin
BOX = [[-2, 3], [-2, 3]]


def read(net):
    one, two = (layer.np for layer in net.layers)
    return one["w"].T, one["b"], two["w"].T, two["b"]


def network(start=None, hidden="TanSig", output="TanSig"):
    kinds = [{**TRANSFERS, "PureLin": LINEAR}[name]() for name in (hidden, output)]
    net = neurolab.net.newff(BOX, [3, 2], transf=kinds)
    if start is not None:
        w = parts(start)
        for layer, n in zip(net.layers, "12", strict=True):
            layer.np["w"][:], layer.np["b"][:] = w["w" + n].T, w["b" + n]
    return net


def neurolab_case(trainer, transfers=("TanSig", "TanSig"), error=None, **options):
    after, reported = [], []
    for steps in (1, 2, 3):
        net = network(START, *transfers)
        if error:
            net.errorf = getattr(neurolab.error, error)()
        net.trainf = getattr(neurolab.train, trainer)
        adapt = options.get("adapt", False)
        # In batches neurolab stops before the last update: N epochs are N - 1 steps
        late = trainer != "train_bfgs" and not adapt
        epochs = steps + late
        goal = 0.0
        errors = net.train(X, Y, epochs=epochs, goal=goal, show=0, **options)
        after.append(flat(*read(net)))
        reported.append(float(f"{errors[-1]:.9g}"))
    options = {"trainf": trainer, "transf": list(transfers), "errorf": error, **options}
    return {"options": options, "after": after, "reported": reported}


def neurolab_cases():
    linear = ("TanSig", "PureLin")
    yield neurolab_case("train_gd")
    yield neurolab_case("train_gd", linear, lr=0.05)
    yield neurolab_case("train_gd", ("LogSig", "PureLin"), adapt=True, lr=0.05)
    yield neurolab_case("train_gd", linear, error="MSE")
    yield neurolab_case("train_gd", linear, rr=0.1)
    yield neurolab_case("train_gdm")
    yield neurolab_case("train_gda", linear, lr=0.05)
    yield neurolab_case("train_gdx", linear, lr=0.05)
    yield neurolab_case("train_rprop")
    yield neurolab_case("train_bfgs")
    yield neurolab_case("train_bfgs", linear)


def pyrenn_order(net):
    """Numbers of pyrenn's vector of weights in the order of problem.md."""
    net["w"] = np.arange(17.0)
    inputs, layers, biases = pyrenn.w2Wb(net)
    one = inputs[1, 1, 0].T
    two = layers[2, 1, 0].T
    return np.concatenate([np.ravel(p) for p in (one, biases[1], two, biases[2])]).astype(int)


def pyrenn_case(scale=1.0, **options):
    order = pyrenn_order(pyrenn.CreateNN([2, 3, 2]))
    after, reported = [], []
    for steps in (1, 2, 3):
        net = pyrenn.CreateNN([2, 3, 2])
        net["w"] = np.empty(17)
        net["w"][order] = START
        with contextlib.redirect_stdout(io.StringIO()):
            trained = pyrenn.train_LM(
                X.T * scale, np.minimum(Y.T * scale, 2.5), net, k_max=steps, **options
            )
        after.append([float(f"{v:.9g}") for v in trained["w"][order]])
        reported.append(float(f"{trained['ErrorHistory'][-1]:.9g}"))
    return {"options": {**options, "scale": scale}, "after": after, "reported": reported}


def pyrenn_init():
    net = pyrenn.CreateNN([2, 3, 2])
    first = net["w"].copy()
    w = parts(first[pyrenn_order(net)])
    return w["w1"], w["b1"], w["w2"], w["b2"]


def main():
    np.random.seed(0)
    cases = {json.dumps(case["options"]): case for case in neurolab_cases()}
    found = {"version": version("neurolab"), "cases": cases}
    for name, transfers in {
        "init": (),
        "init_linear": ("TanSig", "PureLin"),
        "init_log": ("LogSig", "PureLin"),
    }.items():
        found[name] = firsts(lambda t=transfers: read(network(None, *t)))
    print(json.dumps({"neurolab": found}))
    cases = [pyrenn_case(), pyrenn_case(scale=3.0), pyrenn_case(dampfac=0.01, dampconst=4.0)]
    cases = {json.dumps(case["options"]): case for case in cases}
    found = {"version": version("pyrenn"), "cases": cases, "init": firsts(pyrenn_init)}
    print(json.dumps({"pyrenn": found}))


main()
