"""Learned functions over the steps of a training: small multiples, and an animation."""

from base64 import b64encode
from collections.abc import Sequence
from functools import partial
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.animation import AbstractMovieWriter, FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from approx.plot.functions import fan
from approx.plot.learning import SINGLES
from approx.plot.series import axes, check_made

HOLD = 2.0  # seconds for which the last picture stays before a GIF begins anew
DPI = 150  # of the pictures in a file
SUFFIXES = (".gif", ".html")
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 1rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #ffffff; }}
img {{ width: 100%; }}
.controls {{ display: flex; gap: 0.8rem; align-items: center; }}
.controls input {{ flex: 1; accent-color: #0072b2; }}
button {{ font: inherit; min-width: 5rem; }}
</style>
</head>
<body>
<img id="picture" alt="">
<div class="controls"><button id="play">Play</button>
<input id="place" type="range" min="0" max="{last}" value="{last}" aria-label="step">
<output id="step" aria-live="polite"></output></div>
<script id="frames" type="application/json">{frames}</script>
<script>
const {{ steps, pictures }} = JSON.parse(document.getElementById("frames").textContent);
const place = document.getElementById("place"), play = document.getElementById("play");
let clock = null;
function show() {{
  const number = Number(place.value), said = steps[number].toLocaleString("en");
  document.getElementById("picture").src = "data:image/png;base64," + pictures[number];
  document.getElementById("picture").alt = "Learned functions after " + said + " steps";
  document.getElementById("step").textContent = "step " + said;
  place.setAttribute("aria-valuetext", "step " + said);
}}
function stop() {{ clearInterval(clock); clock = null; play.textContent = "Play"; }}
place.addEventListener("input", () => {{ stop(); show(); }});
play.addEventListener("click", () => {{
  if (clock !== null) {{ stop(); return; }}
  if (Number(place.value) === steps.length - 1) place.value = -1;
  play.textContent = "Stop";
  clock = setInterval(() => {{
    place.value = Number(place.value) + 1;
    show();
    if (Number(place.value) === steps.length - 1) stop();
  }}, {pause});
}});
show();
</script>
</body>
</html>
"""


# A public panel: a user sets few of these, and by name
def snapshots(  # noqa: PLR0913
    runs: xr.Dataset,
    steps: Sequence[int] | None = None,
    title: str | None = None,
    *,
    panels: np.ndarray | Sequence[Axes] | None = None,
    columns: int = 3,
    most: int = 6,
    between: Sequence[float] | None = None,
    singles: int = SINGLES,
    output: int = 0,
) -> np.ndarray:
    """Learned functions after several numbers of steps, a panel for each, with the same axes.

    Each panel is what `fan` draws of the predictions that were kept at one step.

    Args:
        runs: predictions over (kept_step, seed, point, output), at points with one input; `ap.run`
            keeps them with `keep_at=(0, 10, 100)`, say.
        steps: which of the kept steps; some of them spread evenly, with the first and the last, if
            left out.
        title: the message of the figure.
        panels: axes to draw on, as many as there are steps; those of a new figure if left out.
        columns: panels in a line.
        most: how many steps are taken if `steps` is left out.
        between, singles, output: as for `fan`.

    Returns:
        The axes, in the order of the steps.

    Raises:
        ValueError: predictions of one step only, a step that was not kept, other than as many
            panels, or what `fan` refuses.

    Example:
        runs = ap.run(task, recipe, seeds=64, keep_at=(0, 10, 100, 1000))
        plot.snapshots(runs, title="The middle is learned first")
    """
    check_made(runs, [], "plot.snapshots", "runs")
    kept = kept_steps(runs, "plot.snapshots")
    chosen = chosen_places(kept, steps, most)
    if panels is None:
        drawn = new_panels(len(chosen), columns)
    else:
        drawn = np.ravel(np.asarray(panels, object))
    if len(drawn) != len(chosen):
        raise ValueError(f"{len(drawn)} panels for {len(chosen)} steps")
    wide = min(columns, len(chosen))
    for number, (ax, place) in enumerate(zip(drawn, chosen, strict=True)):
        names = number == wide - 1  # at the end of the first line, where there is room
        one = runs.isel(kept_step=place)
        said = after(kept[place])
        fan(one, ax, said, between=between, singles=singles, output=output, names=names)
    figure: Any = drawn[0].get_figure(root=True)
    share_limits(drawn)
    for ax in drawn:
        ax.label_outer()
    for ax in drawn[-wide:]:  # the last of each column, those above an empty place too
        ax.tick_params(labelbottom=True)
        ax.set_xlabel("x")
    if title:
        figure.suptitle(title, x=0.01, ha="left", size=plt.rcParams["axes.titlesize"])
    return drawn


# A public panel: a user sets few of these, and by name
def animate(
    runs: xr.Dataset,
    path: str | Path | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    pace: float = 4.0,
    between: Sequence[float] | None = None,
    singles: int = SINGLES,
    output: int = 0,
) -> FuncAnimation:
    """Learned functions while they are learned, as an animation: a picture for each kept step.

    Each picture is what `fan` draws, and all have the same axes. The last one stays for two
    seconds.

    Args:
        runs: predictions over (kept_step, seed, point, output), at points with one input; `ap.run`
            keeps them with `keep_at=(0, 10, 100)`, say.
        path: the file to write: a GIF, or a page (.html) with a slider and a button, which loads
            nothing from elsewhere. None writes none. The folder is made.
        ax: axes to draw on.
        title: the message of the panel; the number of steps stands behind it.
        pace: pictures a second.
        between, singles, output: as for `fan`.

    Returns:
        The animation. Keep it as long as it is shown, for matplotlib does not.

    Raises:
        ValueError: predictions of one step only, another suffix, a pace that is not positive, or
            what `fan` refuses.

    Example:
        runs = ap.run(task, recipe, seeds=64, keep_at=tuple(range(0, 101, 5)))
        plot.animate(runs, "learning.gif", title="x² is learned from the middle")
    """
    check_made(runs, [], "plot.animate", "runs")
    kept = kept_steps(runs, "plot.animate")
    check_animation(path, pace)
    ax = axes(ax)
    draw = partial(draw_frame, ax, runs, kept, title, between, singles, output)
    draw(len(kept) - 1)
    heights = ax.get_ylim()  # of the end, for all
    figure: Any = ax.get_figure(root=True)
    figure.canvas.draw()
    figure.set_layout_engine("none")  # so that nothing moves from picture to picture

    def show(place: int) -> None:
        draw(place)
        ax.set_ylim(heights)

    many = len(kept)
    places = [*range(many), *[many - 1] * round(HOLD * pace)]
    made = FuncAnimation(figure, show, places, init_func=lambda: None, interval=1000 / pace)
    if path is not None:
        write(made, Path(path), kept.tolist(), pace, title or "Learned functions")
    return made


def draw_frame(
    ax: Axes,
    runs: xr.Dataset,
    kept: np.ndarray,
    title: str | None,
    between: Sequence[float] | None,
    singles: int,
    output: int,
    place: int,
) -> None:
    """Draw the functions after one number of steps."""
    ax.clear()
    said = after(kept[place])
    if title:
        said = f"{title}: {said}"
    fan(
        runs.isel(kept_step=place),
        ax,
        said,
        between=between,
        singles=singles,
        output=output,
    )


class PageWriter(AbstractMovieWriter):
    """Writes an animation as a page with a slider and a button, which loads nothing else.

    Args:
        pace: pictures a second.
        steps: the step of each picture; pictures beyond repeat the last one.
        title: of the page.
    """

    def __init__(self, pace: float, steps: Sequence[int], title: str):
        super().__init__(fps=pace)  # type: ignore[arg-type]  # it may be a fraction
        self.steps = steps
        self.title = title
        self.pictures: list[str] = []

    def setup(self, fig: Figure, outfile: Any, dpi: float | None = None) -> None:
        """Note what will be drawn, and into which file."""
        super().setup(fig, outfile, dpi)
        self.pictures = []

    def grab_frame(self, **options: Any) -> None:
        """Keep the present picture as text."""
        if len(self.pictures) == len(self.steps):
            return
        picture = BytesIO()
        self.fig.savefig(
            picture,
            format="png",
            dpi=self.dpi,
            metadata={"Software": None},
            **options,
        )
        self.pictures.append(b64encode(picture.getvalue()).decode())

    def finish(self) -> None:
        """Write the page."""
        listed = ",".join(f'"{picture}"' for picture in self.pictures)
        page = PAGE.format(
            title=escape(self.title),
            last=len(self.steps) - 1,
            frames=f'{{"steps":{list(self.steps)},"pictures":[{listed}]}}',
            pause=round(1000 / self.fps),
        )
        Path(self.outfile).write_text(page, encoding="utf-8")


def write(made: FuncAnimation, path: Path, steps: Sequence[int], pace: float, title: str) -> None:
    """Write an animation to a file, as its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer: Any
    if path.suffix == ".gif":
        writer = PillowWriter(fps=pace)  # type: ignore[arg-type]  # it may be a fraction
    else:
        writer = PageWriter(pace, steps, title)
    made.save(path, writer=writer, dpi=DPI)


# ---- what was given, and what is written ---------------------------------------------------------


def kept_steps(runs: xr.Dataset, panel: str) -> np.ndarray:
    """The steps at which predictions were kept, in increasing order.

    Raises:
        ValueError: there are no predictions, or those of one step only.
    """
    if "prediction" not in runs:
        raise ValueError(
            f"{panel} draws predictions, and none were kept: run with keep=('prediction',) and "
            "keep_at=(0, 10, 100), say"
        )
    if "kept_step" not in runs.prediction.dims:
        raise ValueError(
            f"{panel} draws predictions of several steps, and those of one step were kept: run "
            "with keep_at=(0, 10, 100), say; plot.fan draws those of one step"
        )
    return runs.kept_step.values


def chosen_places(kept: np.ndarray, steps: Sequence[int] | None, most: int) -> list[int]:
    """The places of the steps to draw among those that were kept.

    Raises:
        ValueError: a step that was not kept, or no step.
    """
    if steps is None:
        places = np.linspace(0, len(kept) - 1, min(most, len(kept)))
        return np.round(places).astype(int).tolist()
    there = kept.tolist()
    missing = [step for step in steps if step not in there]
    if missing or not len(steps):
        few = ", ".join(map(str, there[:8]))
        what = f"step {missing[0]} was not kept" if missing else "no step was given"
        raise ValueError(f"{what}; there are {len(there)} kept steps: {few}")
    return [there.index(step) for step in steps]


def check_animation(path: str | Path | None, pace: float) -> None:
    """Refuse a file of another kind, and a pace that is not positive.

    Raises:
        ValueError: saying what would be right.
    """
    if path is not None and Path(path).suffix not in SUFFIXES:
        raise ValueError(f"plot.animate writes {' or '.join(SUFFIXES)}, not {Path(path).name!r}")
    if not pace > 0:
        raise ValueError(f"pace is the number of pictures a second, positive, not {pace}")


def after(step: int) -> str:
    """A number of steps in words."""
    return "after 1 step" if step == 1 else f"after {step:,} steps"


def new_panels(many: int, columns: int) -> np.ndarray:
    """Axes of a new figure in lines of so many columns."""
    wide = min(columns, many)
    high = -(-many // wide)
    size = (min(7.0, 0.6 + 2.2 * wide), 0.4 + 1.8 * high)
    figure, panels = plt.subplots(
        high, wide, sharex=True, sharey=True, squeeze=False, figsize=size, layout="constrained"
    )
    for ax in panels.ravel()[many:]:
        figure.delaxes(ax)
    return panels.ravel()[:many]


def share_limits(drawn: np.ndarray) -> None:
    """Give all panels the vertical limits of the last one."""
    heights = drawn[-1].get_ylim()
    for ax in drawn:
        ax.set_ylim(heights)
