"""Sphinx configuration."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from guide_notebook import write_notebook  # noqa: E402
from lessons import lesson  # noqa: E402
from numpydoc.xref import DEFAULT_LINKS  # noqa: E402
from own_names import is_named_on_page, own_members  # noqa: E402
from unreleased import write_unreleased  # noqa: E402

import hyperspy_clusterquant  # noqa: E402

project = "hyperspy-clusterquant"
author = "The hyperspy-clusterquant developers"
copyright = author
version = release = hyperspy_clusterquant.__version__

extensions = [
    "mathml",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_generated", "_inventories", "_templates"]
# its functions cannot be kept between builds, and need not be
suppress_warnings = ["config.cache"]
templates_path = ["_templates"]
# Names in single backticks become links; `make docs` is strict (-n) about those without a target.
default_role = "py:obj"

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 3

# One page for each class, method and function.
autosummary_generate = True
autosummary_context = {"own_members": own_members}
autodoc_member_order = "bysource"
# what numpydoc shows as parameters says more than annotations
autodoc_typehints = "none"
python_maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
# Types of parameters are links where these are more than str and int.
DEFAULT_LINKS.clear()
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases = {
    name: f"hyperspy_clusterquant.{name}"
    for name in hyperspy_clusterquant.__all__
    if name[0].isupper()
}
numpydoc_xref_aliases |= {
    name: f":class:`{name}`"
    for name in (
        "hyperspy.api.signals.BaseSignal",
        "hyperspy.api.roi.Line2DROI",
        "matplotlib.axes.Axes",
        "pandas.DataFrame",
    )
}
numpydoc_xref_aliases["BaseSignal"] = "hyperspy.api.signals.BaseSignal"

# The text files hold the names that these pages link to: where there is no network, links are made
# of them. With network, all names are known.
INVENTORIES = {
    "numpy": "https://numpy.org/doc/stable",
    "pandas": "https://pandas.pydata.org/docs",
    "matplotlib": "https://matplotlib.org/stable",
    "hyperspy": "https://hyperspy.org/hyperspy-doc/current",
    "exspy": "https://hyperspy.org/exspy",
}
intersphinx_mapping = {
    name: (url, (None, f"_inventories/{name}.txt")) for name, url in INVENTORIES.items()
}
intersphinx_timeout = 10

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "within_subsection_order": lesson,
    "doc_module": "hyperspy_clusterquant",
    "reference_url": {"hyperspy_clusterquant": None},
    "backreferences_dir": None,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    # a page that nobody needs, with scripts from the network
    "write_computation_times": False,
    "plot_gallery": "True",
    "abort_on_example_error": True,
    # what the last line gives, and what is printed
    "capture_repr": ("__repr__",),
    "matplotlib_animations": False,
    "image_scrapers": ("matplotlib",),
    "first_notebook_cell": "%matplotlib inline",
}

html_math_renderer = "mathml"

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "hyperspy-clusterquant"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_css_files = ["custom.css"]
# light or dark as the system is, until a reader chooses
html_context = {"default_mode": "auto"}
html_theme_options = {
    "github_url": "https://github.com/hyperspy/hyperspy-clusterquant",
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    # a button, not a field: the header stays one line
    "navbar_persistent": ["search-button"],
    "show_toc_level": 2,
}
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("index", "installation", "user_guide")}


def setup(app):
    """Connect what is ours."""
    app.connect("config-inited", lambda *_: write_pages())
    app.connect("source-read", without_last_blank_lines)
    app.connect("missing-reference", is_named_on_page)


def without_last_blank_lines(app, docname, source):
    """Take out the blank line that ends an example for doctest, and is a gap in its box."""
    source[0] = source[0].replace("\n\n```\n", "\n```\n")


def write_pages():
    """Write what is made of the guide and of the news."""
    folder = HERE / "_generated"
    folder.mkdir(exist_ok=True)
    write_notebook(HERE, folder)
    write_unreleased(HERE.parent, folder)
