"""All claims as one HTML page, whose table can be sorted and searched."""

from html import escape
from typing import NamedTuple

import xarray as xr

from approx.stats.evidence import Region, verdict
from approx.stats.evidence_files import claims_rows
from approx.stats.layouts import Rows
from approx.stats.pages import Html, page

OWN = 5  # the column of `claims_rows` that holds the interval at the level of the table
DRAWING = (
    "In the drawings the pale bar is where the effect must lie for the claim to hold, the line is "
    "the interval that decides, and the dot is the effect."
)
WIDTH, HEIGHT = 100, 14  # pixels of a drawing
# As in `plot.VERDICTS`, the orange darker so that it can be read as text
COLORS = {"supported": "#0072b2", "undecided": "#555555", "contradicted": "#b34700"}


class Table(NamedTuple):
    """A table of a page; see `pages.page`."""

    title: str
    rows: Rows
    caption: str


def claims_page(judged: xr.Dataset, title: str = "Claims") -> str:
    """What `claims` returned as a page: one HTML file whose table can be sorted and searched.

    Every claim has its verdict, its effect with the interval at the level of the table, the wider
    interval that decides, the region in which the effect must lie, the number of seeds, what was
    compared, how it was measured, and where the claim comes from. A drawing shows on an axis from
    -1 to 1 the region as a pale bar, the interval that decides as a line, and the effect as a dot.

    Args:
        judged: what `claims` or `read_claims` returned.
        title: of the page.

    Returns:
        The page as a text.

    Raises:
        ValueError: something that `claims` did not return.

    Example:
        >>> found = stats.read_claims("square_claims.csv", "sine_claims.csv")
        >>> Path("claims.html").write_text(stats.claims_page(found))
    """
    rows, caption = claims_rows(judged)
    texts = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    own = rows[0][OWN]
    heads = ["claim and setting", "verdict", "effect", own, "decided by", "-1 to 1", "holds if"]
    body: Rows = [[*heads, "n", "source"]]
    for text, (_, row) in zip(texts, judged.to_dataframe().iterrows(), strict=True):
        entries = [
            with_setting(text, row.get("remark", "")),
            badge(text["verdict"]),
            text["effect"],
            text[own],
            text["decided by"],
            drawn(row.effect, (row.low_all, row.high_all), (row.holds_from, row.holds_to)),
            text["holds if"],
            text["n"],
            row.source,
        ]
        body.append(entries)
    table = Table("Every claim", body, f"{caption} {DRAWING}")
    return page(title, "", [counted(judged)], [table], choices=("verdict", "source"))


def counted(judged: xr.Dataset) -> str:
    """A sentence on how many claims got which verdict."""
    counts = judged.verdict.to_series().value_counts()
    supported, contradicted, undecided = (
        counts.get(verdict, 0) for verdict in ("supported", "contradicted", "undecided")
    )
    return (
        f"The seeds support {supported} of {judged.sizes['claim']} claims, contradict "
        f"{contradicted}, and leave {undecided} undecided."
    )


def with_setting(text: dict[str, str], remark: object) -> Html:
    """A claim, below it what was compared and measured, and a remark if there is one."""
    lines = [f"{text['recipes']}: {text['measure']}"]
    if isinstance(remark, str) and remark:
        lines.append(remark)
    below = "".join(f"<br><small>{escape(line)}</small>" for line in lines)
    return Html(escape(text["claim"]) + below)


def badge(found: str) -> Html:
    """A verdict in its colour."""
    return Html(f'<strong style="color: {COLORS[found]}">{found}</strong>')


def drawn(effect: float, interval: Region, region: Region) -> Html:
    """The region of a claim, the interval and the effect on an axis from -1 to 1."""
    color = COLORS[verdict(*interval, region)]
    middle = HEIGHT / 2
    begin, end = map(place, region)
    low, high = map(place, interval)
    pale = f'<rect x="{begin:.1f}" width="{end - begin:.1f}" height="{HEIGHT}" fill="#dce6ec"/>'
    zero = f'<path d="M{place(0):.1f} 0V{HEIGHT}" stroke="#888888"/>'
    line = f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="{color}" stroke-width="2"/>'
    dot = f'<circle cx="{place(effect):.1f}" cy="{middle}" r="3" fill="{color}"/>'
    parts = pale + zero + line + dot
    return Html(f'<svg width="{WIDTH}" height="{HEIGHT}" aria-hidden="true">{parts}</svg>')


def place(value: float) -> float:
    """Where a value from -1 to 1 lies on the drawing, in pixels."""
    return 4 + (WIDTH - 8) * (value + 1) / 2
