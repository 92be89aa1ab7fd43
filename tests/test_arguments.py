"""Promise: an argument under another framework's name is understood, or answered with advice."""

import inspect
import warnings

import numpy as np
import pytest

import approx as ap
from approx.training.checks import check

X = np.arange(5.0)


def test_names_that_mean_one_thing_are_accepted():
    assert ap.Recipe(lr=0.1) == ap.Recipe(learning_rate=0.1)
    assert ap.given(X, X, validation_split=0.4).validation == 0.4
    assert ap.tasks.square(validation_split=0.4).validation == 0.4
    assert ap.task(np.abs, X, validation_split=0.4).distance.tolist() == [0, 0, 0, 1, 2]


def test_constructors_show_their_own_arguments():
    assert "learning_rate" in inspect.signature(ap.Recipe).parameters
    assert list(inspect.signature(ap.MLP).parameters)[:2] == ["widths", "activation"]


REFUSED = {
    "twice": (lambda: ap.Recipe(lr=1, learning_rate=1), "'learning_rate' twice: 'lr'"),
    "a word of Keras": (lambda: ap.MLP(units=16), r"no argument 'units'; did you mean widths=\(16"),
    "of scikit-learn": (lambda: ap.Recipe(max_iter=9), "no argument 'max_iter'; .* epochs="),
    "a slip": (lambda: ap.Recipe(learnig_rate=9), "did you mean learning_rate="),
    "of the task": (lambda: ap.Recipe(loss="mse"), r"did you mean ap.given\(x, y, loss="),
    "of run": (lambda: ap.Recipe(random_state=1), r"did you mean ap.run\(..., seeds="),
    "without a name": (lambda: ap.Recipe(ap.MLP()), r"such as Recipe\(model=...\); 1 were given"),
    "nothing like it": (lambda: ap.MLP(zebra=1), "no argument 'zebra'; it has: widths, activation"),
    "data": (lambda: ap.given(X, X, validation_data=(X, X)), "'validation_data'; .*validation="),
}


@pytest.mark.parametrize("case", REFUSED)
def test_others_are_answered(case):
    call, words = REFUSED[case]
    with pytest.raises(TypeError, match=words):
        call()


def test_widths_that_seem_to_count_inputs_and_outputs_get_a_word():
    square = ap.given(np.ones((4, 2)), X[:4])
    with pytest.warns(UserWarning, match=r"this network is 2-2-16-1-1; for 2-16-1 say .*\(16,\)"):
        check(square, ap.Recipe(model=ap.MLP([2, 16, 1]), steps=1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(square, ap.Recipe(model=ap.MLP((2, 16)), steps=1))
        check(square, ap.Recipe(model=ap.MLP((8, 4, 8)), steps=1))
