"""One page that holds everything: no other file, no network, nothing but a browser."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from hyperspy_clusterquant._text import Markup, tag
from hyperspy_clusterquant.report.making import making_section, references_section
from hyperspy_clusterquant.report.maps import label_images
from hyperspy_clusterquant.report.numbers import as_json, channels_joined, numbers_of
from hyperspy_clusterquant.report.sections import (
    cluster_sections,
    composition_section,
    evidence_section,
    line_maps_section,
    map_section,
    paragraphs,
)


def page_of(content):
    """The page of a report.

    Parameters
    ----------
    content : Content

    Returns
    -------
    str
        HTML, to be written in UTF-8.
    """
    images, stack, step, ratio = label_images(content.result)
    script, style = (_resource(name) for name in ("page.js", "page.css"))
    origin = content.origin
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content="hyperspy-clusterquant"),
        tag("link", rel="icon", href="data:,"),
        tag("title", content.title),
        tag("style", Markup(style)),
    )
    body = tag(
        "body",
        tag(
            "header",
            tag("h1", content.title),
            tag("p", _summary(content), class_="summary"),
            tag("p", f"Report made {origin.made} with hyperspy-clusterquant", class_="hint"),
            paragraphs(filter(None, content.notes.split("\n"))),
            tag("noscript", tag("p", "Spectra, and pointing at the map, need JavaScript.",
                                class_="missing")),
        ),
        tag(
            "main",
            map_section(content, images, ratio),
            cluster_sections(content),
            composition_section(content),
            evidence_section(content),
            line_maps_section(content),
            making_section(content),
            references_section(content),
            _left_out(content, step),
        ),
        tag("script", as_json(numbers_of(content, stack, step)), type="application/json",
            id="numbers"),
        tag("script", Markup(script)),
    )  # fmt: skip
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _summary(content):
    result = content.result
    clusters = "1 cluster" if result.n_clusters == 1 else f"{result.n_clusters} clusters"
    shape = " × ".join(map(str, reversed(result.labels.shape)))
    kind = "line scan" if result.labels.ndim == 1 else "map"
    kind = "stack" if result.labels.ndim > 2 else kind
    name = result.name if result.name == result.workflow else f"{result.name}, {result.workflow}"
    return f"{clusters} ({name}) in a {kind} of {shape} pixels"


def _left_out(content, step):
    """What the page does not show in full, for the reader to know."""
    join = channels_joined(content.result.n_clusters, len(content.energy))
    said = []
    if step > 1:
        said.append(f"The map is drawn with every {step}th row and column.")
    if join > 1:
        said.append(f"Spectra are drawn with {join} channels joined into one.")
    return tag("p", " ".join(said), class_="hint") if said else None


def _policy(script):
    """What the browser may do: show what the page holds, run its one script, and load nothing."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _resource(name):
    """Text of a file beside this one, without what would end its element."""
    text = resources.files(__package__).joinpath(name).read_text("utf8")
    if "</" in text:
        raise ValueError(f"{name} holds '</', which would end its element in the page.")
    return text
