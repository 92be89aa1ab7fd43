"""Figures as files, the same bytes whenever they are drawn anew."""

from pathlib import Path

from matplotlib.figure import Figure

# What each format would write of the time and of the program: a date in the PDF, matplotlib's version in the PNG.
METADATA: dict[str, dict[str, None]] = {".pdf": {"CreationDate": None}, ".png": {"Software": None}}


def save(figure: Figure, folder: Path | str, name: str, note: str = "") -> list[Path]:
    """Write a figure as PDF and as PNG; the folder is made. The same figure gives the same bytes, on any day.

    Args:
        figure: what to write.
        folder: where to.
        name: of the files, without a suffix.
        note: a line of its own above the figure, such as that it shows a quick look only.

    Returns:
        The files written, folder/name.pdf and folder/name.png.
    """
    files = {Path(folder) / f"{name}{suffix}": metadata for suffix, metadata in METADATA.items()}
    Path(folder).mkdir(parents=True, exist_ok=True)
    if note:
        figure.suptitle("\n".join(filter(None, (note, figure.get_suptitle()))), color="#D55E00")
    for path, metadata in files.items():
        figure.savefig(path, metadata=metadata)
    return list(files)
