"""Promise: styles change what they should: no style is left switched on, the text of panels grows
with it, and the colours of bars are told apart in grey.
"""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from scripts import script

from approx import plot
from approx.plot import extrapolations
from approx.study import drawing


@pytest.mark.parametrize("turn", [1, 2])
def test_no_style_is_left_to_the_next_test(turn):
    assert plt.rcParams["axes.titlelocation"] == plt.rcParamsDefault["axes.titlelocation"]
    plt.style.use(plot.STYLE)  # as the figures' scripts do
    assert plt.rcParams["axes.titlelocation"] == "left"


def test_text_inside_panels_grows_with_the_style():
    """A talk's text is as many times larger inside the panels as on their axes."""
    sizes = {}
    for style in (plot.STYLE, plot.TALK_STYLE):
        with plt.style.context(["default", style]):
            ax = plt.subplots()[1]
            plot.corner(ax, 64)
            sizes[style] = (ax.texts[0].get_size(), plt.rcParams["axes.labelsize"])
    small, label = np.array(sizes[plot.TALK_STYLE]) / sizes[plot.STYLE]
    assert small == pytest.approx(label)
    assert sizes[plot.STYLE] == (pytest.approx(7.0), 7.5)


def lightness(color):
    """CIE 1976 L* of a colour, from 0 for black to 100 for white."""
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return 116 * np.cbrt(y) - 16 if y > 216 / 24389 else y * 24389 / 27


BARS = {verdict: look.fill for verdict, look in script("figures", "claims").BARS.items()}
TABLES = {
    "endings": [(look.color, look.hatch) for look in drawing.LOOKS.values()],
    "failure causes": [(color, "") for color in extrapolations.FILLS],
    "claims": [(fill["facecolor"], fill.get("hatch", "")) for fill in BARS.values()],
    "interval": [(color, "") for color in script("figures", "interval").COLORS.values()],
    "map_square": [(color, "") for color in script("figures", "map_square").COLORS.values()],
    "square_causes": [(look[1], "") for look in script("figures", "square_causes").KINDS.values()],
}
# Figure: the colour of each line, and its dashes or its mark
LINES = {
    "clusters": [look[1:] for look in script("figures", "clusters").ACCURACIES.values()],
    "clusters_advice": [look[1:] for look in script("figures", "clusters_advice").GROUPS.values()],
    "waveform": [
        (look["color"], look["linestyle"] + look["marker"])
        for look in script("figures", "waveform").STYLES.values()
    ],
    "waveform_advice": [
        (color, mark)
        for _, color, mark, _ in script("figures", "waveform_advice").MEASURES.values()
    ],
    "second_order": [
        (color, f"{dashes} {width}")
        for _, color, dashes, width in script("figures", "second_order").METHODS.values()
    ],
    "square_floors": [look[1:] for look in script("figures", "square_floors").SERIES.values()],
}


@pytest.mark.parametrize("name", LINES)
def test_lines_are_told_apart_without_their_colour(name):
    """Any two have other dashes, marks or widths."""
    looks = [str(look) for _, look in LINES[name]]
    assert len(set(looks)) == len(looks)


@pytest.mark.parametrize("name", TABLES)
def test_fills_are_told_apart_in_grey_and_light_is_good(name):
    """Fills without hatching differ by ten units of lightness; the first, success, is the lightest.

    Ten units are four times the 2.3 at which two patches side by side are just told apart
    (M. Mahy, L. Van Eycken, A. Oosterlinck, Color Research & Application 19, 105-121, 1994).
    """
    plain = [lightness(color) for color, hatch in TABLES[name] if not hatch]
    assert np.diff(np.sort(plain)).min() >= 10
    assert plain[0] == max(plain)
    hatched = [look for look in TABLES[name] if look[1]]
    assert len(set(hatched)) == len(hatched)
