"""Sphinx configuration."""

from hyperspy_clusterquant import __version__

project = "hyperspy-clusterquant"
author = "The hyperspy-clusterquant developers"
copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
# Names in single backticks become links where there is something to link to.
default_role = "py:obj"

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

autosummary_generate = False
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "alabaster"
html_title = "hyperspy-clusterquant"
html_static_path = ["_static"]
html_theme_options = {
    "description": "Phases, compositions and error bars from STEM-EDX maps",
    "fixed_sidebar": True,
    "page_width": "1080px",
}
