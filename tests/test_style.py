"""Promise: no test finds the style that another one, or a figure's script, has left switched on."""

import matplotlib.pyplot as plt
import pytest

from approx import plot


@pytest.mark.parametrize("turn", [1, 2])
def test_no_style_is_left_to_the_next_test(turn):
    assert plt.rcParams["axes.titlelocation"] == plt.rcParamsDefault["axes.titlelocation"]
    plt.style.use(plot.STYLE)  # as the figures' scripts do
    assert plt.rcParams["axes.titlelocation"] == "left"
