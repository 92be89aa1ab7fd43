"""Tables as text, markdown or LaTeX, from rows of texts whose first row holds the titles."""

import re

Rows = list[list[str]]


def check_form(form: str) -> None:
    """Raise a ValueError that lists the formats unless `form` is one of them."""
    if form not in LAYOUTS:
        raise ValueError(f"the format must be one of {', '.join(LAYOUTS)}; got {form!r}")


def as_text(rows: Rows, caption: str) -> str:
    """A table for a terminal, columns aligned by spaces."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_text_row(row, widths) for row in rows]
    rule = "-" * (sum(widths) + 2 * len(widths) - 2)
    return "\n".join([lines[0], rule, *lines[1:], caption])


def _text_row(row: list[str], widths: list[int]) -> str:
    """One row of a table for a terminal."""
    padded = [entry.ljust(width) for entry, width in zip(row, widths, strict=True)]
    return "  ".join(padded).rstrip()


def as_markdown(rows: Rows, caption: str) -> str:
    """A table in GitHub's markdown."""
    lines = [_markdown_row(row) for row in rows]
    rule = "|" + " --- |" * len(rows[0])
    return "\n".join([lines[0], rule, *lines[1:], "", caption])


def _markdown_row(row: list[str]) -> str:
    """One row of a table in markdown, where a bar divides the entries."""
    escaped = [entry.replace("|", "\\|") for entry in row]
    return "| " + " | ".join(escaped) + " |"


def as_latex(rows: Rows, caption: str) -> str:
    """A table in LaTeX with the package booktabs; the caption becomes a comment."""
    lines = [" & ".join(map(_escaped, row)) + r" \\" for row in rows]
    columns = "l" + "r" * (len(rows[0]) - 1)
    document = [
        r"\begin{tabular}{" + columns + "}",
        r"\toprule",
        lines[0],
        r"\midrule",
        *lines[1:],
        r"\bottomrule",
        r"\end{tabular}",
        "% " + caption,
    ]
    return "\n".join(document)


ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "_": r"\_",
        "%": r"\%",
        "&": r"\&",
        "#": r"\#",
        "$": r"\$",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": "$<$",
        ">": "$>$",
    }
)


def _escaped(text: str) -> str:
    """A text with the characters escaped that mean something in LaTeX."""
    return re.sub(r"\binf\b", r"$\\infty$", text.translate(ESCAPES))


LAYOUTS = {"text": as_text, "markdown": as_markdown, "latex": as_latex}
