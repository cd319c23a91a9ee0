"""How it was made: file, parameters, versions, calls, and what to cite."""

from __future__ import annotations

import json

from hyperspy_clusterquant._text import tag
from hyperspy_clusterquant.report.sections import bullets, section, table

#: Parts of a parameter that is a list, and signs of its text, that are shown.
MOST_PARTS = 12
MOST_SIGNS = 300
#: Parameters that stand elsewhere on the page.
ELSEWHERE = ("remarks", "versions")

ALWAYS = (
    (
        "A. S. Eggeman, C. Maddox, M. A. Buckingham, Z. Kho, R. E. Abutbul, S. Meng, X. Aiwanshu "
        "and D. J. Lewis, Faraday Discussions (2025), doi:10.1039/d5fd00101c"
    ),
    "HyperSpy, doi:10.5281/zenodo.592838",
    "eXSpy, doi:10.5281/zenodo.10252344",
    "hyperspy-clusterquant, see CITATION.cff in its repository",
)
#: What to cite for each workflow and each part of a report that is there.
OF_WORKFLOWS = {
    "pca_gmm": (
        "M. R. Keenan and P. G. Kotula, Surf. Interface Anal. 36 (2004) 203 (scaling of counts)",
    ),
    "umap_hdbscan": (
        "L. McInnes et al., J. Open Source Softw. 2 (2017) 205 (HDBSCAN), arXiv:1802.03426 (UMAP)",
        "M. R. Keenan and P. G. Kotula, Surf. Interface Anal. 36 (2004) 203 (scaling of counts)",
    ),
}
OF_PARTS = {
    "quantification": (
        "G. Cliff and G. W. Lorimer, J. Microsc. 103 (1975) 203 (quantification)",
        "T. Schoonjans et al., Spectrochim. Acta B 66 (2011) 776 (xraylib, atomic data)",
        "L. A. Currie, Anal. Chem. 40 (1968) 586 (limits of detection)",
    ),
    "significance": (
        "A. Neufeld et al., Biostatistics 25 (2022) 270 (count splitting)",
        "J. Leiner et al., J. Am. Stat. Assoc. 120 (2025) 135 (data thinning)",
    ),
    "stability": ("C. Hennig, Comput. Stat. Data Anal. 52 (2007) 258 (stability)",),
}


def making_section(content):
    """File, instrument, calls, parameters, versions and warnings."""
    origin, result = content.origin, content.result
    file = [("file", origin.in_words)]
    file += [("SHA-256", origin.digest)] if origin.digest else []
    asked = [(name, _in_words(value)) for name, value in result.parameters.items()
             if name not in ELSEWHERE]  # fmt: skip
    found = result.parameters.get("versions", {})
    versions = [
        (name, found.get(name, "-"), origin.versions.get(name, "-"))
        for name in dict.fromkeys([*found, *origin.versions])
    ]
    return section(
        6,
        "How it was made",
        table(("", ""), [*file, *origin.facts.items()], class_="facts"),
        tag("h3", "Calls that do it again"),
        tag("pre", tag("code", content.calls)),
        _warnings(content),
        tag("h3", "Parameters of the clusters: what was set, and what was chosen"),
        table(("parameter", "value"), [("workflow", result.workflow), *asked], class_="facts"),
        tag("h3", "Versions"),
        table(("software", "of the clusters", "of this report"), versions, class_="facts"),
    )


def _warnings(content):
    """What was remarked of the clusters, and warned of since; other remarks stand with theirs."""
    said = [*content.result.parameters.get("remarks", ()), *content.warnings]
    if not said:
        return None
    return tag("div", tag("h3", "Remarks and warnings"), bullets(said))


def _in_words(value):
    """A parameter as text that is not too long."""
    if isinstance(value, list | tuple) and len(value) > MOST_PARTS:
        head = ", ".join(map(_in_words, value[:MOST_PARTS]))
        return f"{head}, … ({len(value)} in all)"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= MOST_SIGNS else f"{text[:MOST_SIGNS]}…"


def references_of(content):
    """What to cite, a tuple of texts."""
    found = [*ALWAYS, *OF_WORKFLOWS.get(content.result.workflow, ())]
    for name, texts in OF_PARTS.items():
        if getattr(content, name) is not None:
            found += texts
    return tuple(dict.fromkeys(found))


def references_section(content):
    """What to cite."""
    return section(7, "Please cite", bullets(references_of(content)))
