"""Figures as files, the same bytes whenever they are drawn anew."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

# Left out is what each format would write of the time and of the program: a date, and matplotlib's version.
FORMATS: dict[str, dict[str, Any]] = {
    ".pdf": {"metadata": {"CreationDate": None}},  # for print
    ".png": {"metadata": {"Software": None}, "dpi": 200},  # for screens
}


def save(figure: Figure, folder: Path | str, name: str, note: str = "") -> list[Path]:
    """Write a figure as PDF, for print, and as PNG, for screens; the folder is made.

    The same figure gives the same bytes, on any day.

    Args:
        figure: what to write.
        folder: where to.
        name: of the files, without a suffix.
        note: a line of its own above the figure, such as that it shows a quick look only.

    Returns:
        The files written, folder/name.pdf and folder/name.png.
    """
    files = {Path(folder) / f"{name}{suffix}": options for suffix, options in FORMATS.items()}
    Path(folder).mkdir(parents=True, exist_ok=True)
    if note:
        figure.suptitle("\n".join(filter(None, (note, figure.get_suptitle()))), color="#D55E00")
    for path, options in files.items():
        figure.savefig(path, **options)
    return list(files)
