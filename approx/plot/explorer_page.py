"""The page of an explorer: its panels in Bokeh, its text, and its script, in one HTML file."""

import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from bokeh.core.properties import value
from bokeh.embed import json_item
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    CustomJS,
    FixedTicker,
    LinearColorMapper,
    Range1d,
)
from bokeh.models.annotations import BoxAnnotation, Span
from bokeh.plotting import figure
from bokeh.resources import Resources

FOLDER = Path(__file__).parent
INK, QUIET, RULE = "#1a1a1a", "#555555", "#dddddd"
BAND = "#8a8a8a"
SUCCESS = "#0072B2"  # Okabe and Ito's blue, as in `paper.mplstyle`
SHADES = 256
HEIGHTS = {"map": 440, "functions": 300, "plane": 460, "curves": 260}  # pixels
TILES_IN_LINE, GAP, HEAD = 3, 0.06, 0.17  # tiles are 1 wide and 1 high, with room above for a name
# What the script calls when the pointer is over the map, pressed there, or has left it
CALLS = {
    "mousemove": "window.explorer.over(cb_obj.x, cb_obj.y)",
    "tap": "window.explorer.press(cb_obj.x, cb_obj.y)",
    "mouseleave": "window.explorer.leave()",
}


def page_of(about: Mapping[str, Any], arrays: Mapping[str, Any]) -> str:
    """The whole page.

    Args:
        about: titles, axes, thresholds, intervals, as `explorer.thinned` gives them.
        arrays: packed arrays by name.
    """
    items = {name: item_of(panel) for name, panel in panels(about).items()}
    content = {"about": about, "arrays": arrays, "panels": items}
    data = json.dumps(content, separators=(",", ":"), allow_nan=False)
    filled = {
        "TITLE": escape(str(about["title"])),
        "STYLE": (FOLDER / "explorer.css").read_text(encoding="utf-8"),
        "BOKEH": Resources(mode="inline", components=["bokeh"]).render_js(),
        "DATA": data.replace("<", "\\u003c"),  # so that nothing in it ends its element
        "SCRIPT": (FOLDER / "explorer.js").read_text(encoding="utf-8"),
        "GRADIENT": ", ".join(palette()[::15]),
        "CIVIDIS": ", ".join(palette("cividis")[::15]),
    }
    template = (FOLDER / "explorer.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: filled[found.group(1)], template)


def item_of(panel: Any) -> dict[str, Any]:
    """A panel as Bokeh's script reads it, with the same numbers whenever it is made."""
    text = json.dumps(json_item(panel))
    numbers: dict[str, str] = {}

    def renumbered(found: re.Match[str]) -> str:
        number = numbers.setdefault(found.group(1), str(1000 + len(numbers)))
        return f'"p{number}"'

    return json.loads(re.sub(r'"p(\d+)"', renumbered, text))


def panels(about: Mapping[str, Any]) -> dict[str, Any]:
    """The panels that this page has."""
    found = {}
    if about["axes"]:
        found["map"] = map_panel(about["axes"])
    if about["functions"]:
        found["functions"] = functions_panel(about["functions"])
    if about["plane"]:
        found["plane"] = plane_panel(about["plane"])
    if about["curves"]:
        found["curves"] = curves_panel(about)
    return found


def panel_of(name: str, **options: Any) -> Any:
    """An empty panel in the style of the page."""
    panel = figure(
        name=name,
        height=HEIGHTS[name],
        sizing_mode="stretch_width",
        tools="box_zoom,reset,save",
        toolbar_location="right",
        background_fill_color="#ffffff",
        border_fill_color="#ffffff",
        outline_line_color=None,
        **options,
    )
    panel.toolbar.logo = None
    panel.toolbar.autohide = True
    panel.toolbar.active_drag = None  # a finger scrolls the page
    for axis in panel.axis:
        axis.axis_label_text_font = axis.major_label_text_font = "system-ui, sans-serif"
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_font_size = "13px"
        axis.major_label_text_font_size = "12px"
        axis.axis_label_text_color = axis.major_label_text_color = INK
        axis.axis_line_color = axis.major_tick_line_color = QUIET
        axis.minor_tick_line_color = None
    panel.grid.grid_line_color = None
    return panel


def source(name: str, *columns: str) -> ColumnDataSource:
    """A source of data that the script fills."""
    return ColumnDataSource({column: [] for column in columns}, name=name)


# ---- the map -------------------------------------------------------------------------------------


def palette(name: str = "") -> list[str]:
    """The colours of `plot.landscape`, from no success to success, or those of another map."""
    shades = mpl.colormaps[name or mpl.rcParams["image.cmap"]](np.linspace(0, 1, SHADES))
    return [mpl.colors.to_hex(shade) for shade in shades]


def map_panel(axes: Any) -> Any:
    """The map: cells in the colour of their rate, hatching, and frames of two cells."""
    vertical, horizontal = axes
    scales = {False: "linear", True: "log"}
    panel = panel_of(
        "map",
        x_range=Range1d(start=horizontal["edges"][0], end=horizontal["edges"][-1]),
        y_range=Range1d(start=vertical["edges"][0], end=vertical["edges"][-1]),
        x_axis_type=scales[horizontal["log"]],
        y_axis_type=scales[vertical["log"]],
        x_axis_label=horizontal["name"],
        y_axis_label=vertical["name"],
    )
    place = {"left": "left", "right": "right", "bottom": "bottom", "top": "top"}
    mapper = LinearColorMapper(palette=palette(), low=0, high=1)
    color = {"field": "rate", "transform": mapper}
    cells = source("cells", *place, "rate")
    panel.quad(**place, fill_color=color, line_color=color, line_width=0.5, source=cells)
    panel.quad(
        **place,
        fill_alpha=0,
        line_color=None,
        hatch_pattern="right_diagonal_line",
        hatch_color="#ffffff",
        hatch_alpha=0.55,
        hatch_scale=7,
        hatch_weight=0.8,
        source=source("undecided", *place),
    )
    for name, dash in (("hovered", "dotted"), ("chosen", "solid")):
        frame = source(name, *place)
        panel.quad(**place, fill_alpha=0, line_color="#000000", line_width=4, source=frame)
        panel.quad(
            **place,
            fill_alpha=0,
            line_color="#ffffff",
            line_width=1.8,
            line_dash=dash,
            source=frame,
        )
    for event, code in CALLS.items():
        panel.js_on_event(event, CustomJS(code=code))
    return panel


# ---- functions and curves ------------------------------------------------------------------------


def draw_lines(panel: Any, name: str) -> None:
    """Add bands, the median, and the lines of single seeds, all of which the script fills."""
    for part, alpha in (("outer", 0.25), ("inner", 0.4)):
        band = source(f"{name}_{part}", "x", "low", "high")
        panel.varea(
            "x",
            "low",
            "high",
            fill_color=BAND,
            fill_alpha=alpha,
            source=band,
        )
    panel.multi_line(
        "xs",
        "ys",
        line_color="color",
        line_dash="dash",
        line_width=1,
        line_alpha=0.9,
        source=source(f"{name}_seeds", "xs", "ys", "color", "dash"),
    )
    one = source(f"{name}_seed", "x", "y", "color", "dash")
    panel.multi_line("x", "y", line_color="#ffffff", line_width=5, source=one)
    panel.multi_line("x", "y", line_color="color", line_dash="dash", line_width=3, source=one)


def functions_panel(about: Mapping[str, Any]) -> Any:
    """Learned functions with the target, and the range of the training rows."""
    panel = panel_of(
        "functions",
        x_range=Range1d(start=about["x"][0], end=about["x"][1]),
        y_range=Range1d(start=about["y"][0], end=about["y"][1]),
        x_axis_label="x",
        y_axis_label="f(x)",
    )
    shown = BoxAnnotation(name="shown", fill_color="#ececec", fill_alpha=1, line_alpha=0)
    shown.level = "underlay"
    panel.add_layout(shown)
    draw_lines(panel, "functions")
    target = source("target", "x", "y")
    panel.line("x", "y", line_color="#000000", line_width=2, line_dash=[6, 4], source=target)
    return panel


def plane_panel(about: Mapping[str, Any]) -> Any:
    """Tiles of functions of two inputs: the median over seeds, and single seeds."""
    right = TILES_IN_LINE * (1 + GAP) - GAP
    panel = panel_of(
        "plane",
        x_range=Range1d(start=0, end=right),
        y_range=Range1d(start=-TILES_IN_LINE * (1 + HEAD), end=0),
    )
    panel.axis.visible = False
    low, high = about["limits"]
    mapper = LinearColorMapper(palette=palette("cividis"), low=low, high=high)
    tiles = source("tiles", "image", "x", "y", "dw", "dh", "top", "text")
    # The script makes its images with the constructor of this one, which Bokeh does not name
    tiles.data = {name: [0] for name in tiles.data} | {"image": [np.zeros((1, 1))]}
    panel.image("image", "x", "y", "dw", "dh", color_mapper=mapper, source=tiles)
    panel.text(
        "x",
        "top",
        "text",
        text_font=value("system-ui, sans-serif"),  # a plain text would name a column
        text_font_size="12px",
        text_baseline="bottom",
        text_color=INK,
        y_offset=-3,
        source=tiles,
    )
    frame = source("tile", "left", "right", "bottom", "top")
    panel.quad(
        "left",
        "right",
        "top",
        "bottom",
        fill_alpha=0,
        line_color="#000000",
        line_width=3,
        source=frame,
    )
    return panel


def curves_panel(about: Mapping[str, Any]) -> Any:
    """Learning curves, and the part of the panel in which a seed is a success."""
    curves = about["curves"]
    low, high = curves["y"]
    kind = "linear"
    if curves["log"]:
        low, high, kind = 10.0**low, 10.0**high, "log"
    panel = panel_of(
        "curves",
        x_range=Range1d(start=0, end=curves["right"]),
        y_range=Range1d(start=low, end=high),
        y_axis_type=kind,
        x_axis_label="step",
        y_axis_label=about["of"],
    )
    ticks = [0, *range(1, int(curves["right"]) + 1)]
    panel.xaxis.ticker = FixedTicker(ticks=ticks)
    panel.xaxis.major_label_overrides = {tick: tick_text(tick) for tick in ticks}
    if not curves["log"]:
        panel.yaxis.ticker = BasicTicker()
    success = BoxAnnotation(name="success", fill_color=SUCCESS, fill_alpha=0.09, line_alpha=0)
    success.level = "underlay"
    panel.add_layout(success)
    line = Span(name="threshold", dimension="width", line_color=SUCCESS, line_width=1.5)
    panel.add_layout(line)
    draw_lines(panel, "curves")
    return panel


def tick_text(tick: int) -> str:
    """The number of steps at a tick, on an axis that is linear below 1 and logarithmic above."""
    if tick == 0:
        return "0"
    return f"{10 ** (tick - 1):,}"
