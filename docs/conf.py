"""How Sphinx builds the documentation: `make docs`, without network, every warning an error."""

import os
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]
os.environ["PYTHONPATH"] = str(ROOT)  # the notebook's kernel is a process of its own
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import approx as ap  # noqa: E402

project = "approx"
author = "the approx developers"
copyright = "the approx developers; text and figures CC BY 4.0, code MIT"
version = release = ap.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "examples", "api/examples_of"]
html_static_path = ["_static"]

# ---- what stands in single backquotes of a docstring is a name: linked where it has a page ----
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [("py:(obj|class|mod|exc|data|meth|attr|func)", r"[\s\S]*")]

# ---- API reference ----
autosummary_generate = False  # every module has one page, written by hand and tested
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
autodoc_default_options = {"members": True, "undoc-members": False, "member-order": "bysource"}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_use_admonition_for_examples = False

# ---- pages in Markdown, and the notebook that is executed ----
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_timeout = 200
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_output_stderr = "remove"  # announcements of what a run will cost

# ---- gallery: one picture and about ten lines for every panel ----
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "doc_module": ("approx",),
    "reference_url": {"approx": None},
    "backreferences_dir": "api/examples_of",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "notebook_extensions": set(),  # a notebook beside each example would be a page of its own
    "capture_repr": (),
    "show_memory": False,
    "min_reported_time": 10_000,
    "reset_modules": ("matplotlib", "gallery_style.reset"),
    "within_subsection_order": "FileNameSortKey",
    "plot_gallery": True,
    "remove_config_comments": True,
    "thumbnail_size": (400, 280),
}

# ---- look ----
html_theme = "pydata_sphinx_theme"
html_title = "approx"
html_css_files = ["approx.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 7,
}
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True


# ---- docstrings and pages as they stand in the source, in the words of Sphinx ----
EXAMPLE = re.compile(r"^( *)Examples?:\n+(?! *(?:>>>|`))", re.MULTILINE)
QUOTED = re.compile(r"(`+[^`]*`+)")
BAR_OR_STAR = re.compile(r"\||(?<=[ (])\*(?=\w)")
OUTSIDE = re.compile(r"\]\((?=\.\./(?:\.\./)?(?:experiments|findings)/[^)]*\.md\))")


def plain_bars(text: str) -> str:
    """Text in which |x| and *axis are no markup, outside of backquotes."""
    parts = QUOTED.split(text)
    escaped = [BAR_OR_STAR.sub(r"\\\g<0>", part) for part in parts[::2]]
    parts[::2] = escaped
    return "".join(parts)


def in_restructured_text(app: Any, what: str, name: str, of: Any, options: Any, lines: list[str]):
    """Code of an example is a block of code; bars and stars mean themselves."""
    text = "\n".join(lines)
    found = re.search(r"^ *Examples?:$", text, re.MULTILINE)
    end = found.start() if found else len(text)
    text = plain_bars(text[:end]) + EXAMPLE.sub(r"\1Example::\n\n", text[end:])
    lines[:] = text.split("\n")


def with_reports(app: Any, name: str, content: list[str]) -> None:
    """Pages outside of this folder are files to be opened, and the figures have a page here."""
    text = OUTSIDE.sub("](path:", content[0])
    content[0] = text.replace("](../figures/README.md)", "](figures.md)")


def with_explorer(app: Any, error: Exception | None) -> None:
    """Write the file that docs/explorer.md shows, by the lines that stand there."""
    if error is not None or app.builder.format != "html":
        return
    page = (HERE / "explorer.md").read_text()
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1)
    place = Path(app.outdir) / "_static" / "explored.html"
    exec(code.replace('"explorer.html"', repr(str(place))), {})


def setup(app: Any) -> None:
    """Connect what prepares docstrings, before napoleon reads them, and pages."""
    app.connect("autodoc-process-docstring", in_restructured_text, priority=400)
    app.connect("source-read", with_reports)
    app.connect("build-finished", with_explorer)
