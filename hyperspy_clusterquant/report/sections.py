"""The sections of a report, from what was found to HTML."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hyperspy_clusterquant._text import Coloured, Markup, in_html, p_text, tag
from hyperspy_clusterquant.clusters.catalogue import word_for_noise
from hyperspy_clusterquant.clusters.labels import MASKED, NOISE
from hyperspy_clusterquant.plotting.style import (
    MASK_COLOUR,
    NOISE_COLOUR,
    cluster_colours,
    line_label,
)
from hyperspy_clusterquant.plotting.thumbnails import width_over_height
from hyperspy_clusterquant.report.maps import (
    as_stack,
    classic_image,
    map_figure,
    scale_bar,
    titles_of,
    unit_of,
)
from hyperspy_clusterquant.results.composition_text import number_with_std

#: Reference compounds that are shown of each cluster, the nearest first.
MOST_COMPOUNDS = 5
#: A map that is so much wider than high has the whole width of the page.
WIDE = 2.5


def section(number, title, *inside):
    """A section with its heading and a number that links name."""
    return tag("section", tag("h2", title), *inside, id=f"section-{number}")


def paragraphs(texts, class_=None):
    """Texts as paragraphs."""
    return Markup("".join(tag("p", text, class_=class_) for text in texts))


def bullets(texts):
    """Texts as a list, each once; nothing of none."""
    texts = list(dict.fromkeys(texts))
    return tag("ul", *(tag("li", text) for text in texts)) if texts else None


def table(head, rows, class_="numbers"):
    """Rows of texts below a head."""
    lines = (tag("tr", *(tag("td", cell) for cell in row)) for row in rows)
    return tag(
        "table",
        tag("thead", tag("tr", *(tag("th", cell) for cell in head))),
        tag("tbody", *lines),
        class_=class_,
    )


# --- map ----------------------------------------------------------------------------------


def map_section(content, images, ratio):
    """The map with names, colours, shares and scale, and the place of the spectra beside it."""
    result = content.result
    titles = titles_of(result.axes, len(images))
    chooser = None
    if len(images) > 1:
        options = (tag("option", title, value=n) for n, title in enumerate(titles))
        chooser = tag("p", tag("label", "Map: ", tag("select", *options, id="chooser")))
    figure = map_figure(
        images,
        ratio,
        scale_bar(result.axes, result.labels.shape[-1]),
        [f"Map of the clusters, {title}" if len(images) > 1 else "Map of the clusters"
         for title in titles],
        id="map",
    )  # fmt: skip
    scan = tag("div", id="scan", class_="chart") if result.labels.ndim == 1 else None
    hint = "Point at the map for the cluster and its spectrum, click for its details below."
    return section(
        1,
        "Clusters",
        tag(
            "div",
            tag("div", chooser, figure, tag("p", hint, id="readout", class_="hint"), scan),
            tag("div", _legend(result), tag("div", id="spectra", class_="chart")),
            class_="columns wide" if ratio > WIDE else "columns",
        ),
        bullets(result.parameters.get("remarks", ())),
    )


def _legend(result):
    """Names, colours, pixels, shares and areas of the clusters, which can be clicked."""
    kept = max(np.count_nonzero(result.labels != MASKED), 1)
    unit, size = pixel_size(result.axes)
    head = ["cluster", "pixels", "share", *([f"{_kind(result.axes)} ({unit})"] if unit else [])]
    rows = []
    for k, (name, colour, pixels) in enumerate(
        zip(result.cluster_names, cluster_colours(result.n_clusters), result.sizes, strict=True)
    ):
        button = tag("button", Coloured(name, colour), type="button", data_cluster=k)
        area = [_three(pixels * size)] if unit else []
        rows.append((button, f"{pixels}", f"{pixels / kept:.1%}", *area))
    noise = word_for_noise(result.workflow)
    for value, colour, what in ((NOISE, NOISE_COLOUR, noise), (MASKED, MASK_COLOUR, "left out")):
        if pixels := np.count_nonzero(result.labels == value):
            share = f"{pixels / kept:.1%}" if value == NOISE else ""
            area = [_three(pixels * size)] if unit else []
            rows.append((Coloured(what, colour), f"{pixels}", share, *area))
    return table(head, rows, class_="numbers legend")


def _three(value):
    """A number with three digits, and all before the point."""
    return f"{float(f'{value:.3g}'):.15g}"


def _kind(axes):
    return "length" if len(axes) == 1 else "area"


def pixel_size(axes):
    """Unit of the area of a pixel (of a line scan, its length), and how much it is in that.

    ("", 1.0) where the axes do not say.
    """
    own = axes[-2:]
    units = {unit_of(axis) for axis in own}
    if len(units) != 1 or "" in units:
        return "", 1.0
    unit = units.pop()
    size = float(np.prod([abs(axis["scale"]) for axis in own]))
    return (unit, size) if len(own) == 1 else (f"{unit}²", size)


# --- clusters -----------------------------------------------------------------------------


def cluster_sections(content):
    """What is known of each cluster, one after the other; the page shows the one that is chosen."""
    result = content.result
    colours = cluster_colours(result.n_clusters)
    articles = [
        tag(
            "article",
            tag("h3", Coloured(name, colours[k])),
            *_of_cluster(content, k),
            id=f"cluster-{k}",
            class_="cluster",
        )
        for k, name in enumerate(result.cluster_names)
    ]
    return section(2, "Cluster by cluster", *articles)


def _of_cluster(content, k):
    """Spectrum, composition, compounds and verdicts of a cluster."""
    found = []
    quantified = content.quantification
    if quantified is not None and quantified.fits:
        caption = (
            "Counts, fit and families of X-ray lines; below, what is left over in standard "
            "deviations. Drag over energies to see them larger, double-click to go back."
        )
        if quantified.weights == "phase":
            caption = f"Spectrum of the phase, without what blur mixed in. {caption}"
    else:
        caption = "Counts of the pixels with this label."
    chart = tag("div", class_="chart fit", data_cluster=k)
    found.append(tag("figure", chart, tag("figcaption", caption)))
    if quantified is not None:
        found += _budget(quantified, k)
    if content.compounds is not None:
        found.append(_compounds(content, k))
    return [*found, *_verdicts(content, k)]


def _budget(quantified, k):
    """Composition of a cluster, and what its uncertainty is made of."""
    if quantified.background[k]:
        text = (
            "Background: what there is of the elements is no more than stray X-rays of the sample."
        )
        return [tag("p", text)]
    atomic = replace(quantified, composition_units="atomic")
    shown = atomic.to_dataframe(text=True).iloc[:, k].tolist()
    head = ["element", "line", "at%", "counting", "k-factors", "mixing", "mixed in", "wt%",
            "counts of the line"]  # fmt: skip
    rows = []
    for n, (element, line) in enumerate(
        zip(quantified.elements, quantified.xray_lines, strict=True)
    ):
        stds = (of[k, n] for of in (atomic.std_counting, atomic.std_kfactor, atomic.std_mixing))
        weight = quantified.weight_percent[k, n], quantified.weight_percent_std[k, n]
        counts = quantified.intensities[k, n], quantified.intensities_std[k, n]
        rows.append(
            (element, line_label(line), shown[n], *(f"± {_two(std)}" for std in stds),
             f"{quantified.mixing[k, n]:+.2g}", number_with_std(*weight),
             f"{counts[0]:.0f} ± {_two(counts[1])}")
        )  # fmt: skip
    entropy = quantified.configurational_entropy[k], quantified.configurational_entropy_std[k]
    return [
        tag("h4", "Composition, and what its uncertainty is made of"),
        table(head, rows),
        tag(
            "p",
            "One standard deviation each, in at%: of the counts, of the k-factors, and of what is "
            "mixed in from neighbours, which had moved the composition by what stands under mixed "
            f"in. Below the 95 % limit is what stands with <. Configurational entropy: "
            f"{number_with_std(*entropy)} R.",
            class_="hint",
        ),
    ]


def _two(value):
    """A number with two digits."""
    return f"{value:.2g}" if not value >= 99.5 else f"{value:.0f}"


def _compounds(content, k):
    """Reference compounds nearest to a cluster."""
    near = content.compounds
    rows = near[near.index == content.result.cluster_names[k]].head(MOST_COMPOUNDS)
    head = ["compound", "formula", "distance (σ)", "largest difference (at%)"]
    cells = [
        (row.compound, row.formula, _two(row.distance), _two(row.difference))
        for row in rows.itertuples()
    ]
    return Markup(tag("h4", "Nearest compounds") + table(head, cells))


def _verdicts(content, k):
    """Whether a cluster is distinct, one inside, and found again, as far as that was asked."""
    found, names = [], content.result.cluster_names
    if content.significance is not None and content.result.n_clusters > 1:
        tested = content.significance
        verdicts, effect = tested.verdicts, tested.effect_size
        found += [
            f"{verdicts[k, j]}: {names[j]} (p {p_text(tested.adjusted_p_values[k, j])}"
            + (f", {effect[k, j]:.2g} at%)" if np.isfinite(effect[k, j]) else ")")
            for j in range(len(names))
            if j != k
        ]
    if content.homogeneity is not None:
        found.append(content.homogeneity.summary[k])
    if content.stability is not None and len(content.stability.jaccard):
        overlap = content.stability.per_cluster[k]
        found.append(
            f"Found again in halves of the counts: {content.stability.verdicts[k]} "
            f"(overlap {overlap:.2f})."
        )
    return [tag("h4", "Is it real?"), bullets(found)] if found else []


# --- the map as a whole -------------------------------------------------------------------


def composition_section(content):
    """Compositions side by side, and what was decided on the way."""
    quantified = content.quantification
    if quantified is None:
        return section(3, "Composition", _missing(content, "quantification"))
    shown = quantified.to_dataframe(text=True)
    colours = cluster_colours(len(shown.columns))
    head = [quantified.unit, *map(Coloured, shown.columns, colours)]
    rows = [(element, *values) for element, values in zip(shown.index, shown.values, strict=True)]
    return section(
        3,
        "Composition",
        table(head, rows),
        bullets(quantified.remarks),
        tag("h4", "k-factors"),
        Markup(quantified.kfactors._repr_html_()),
    )


def evidence_section(content):
    """What tests say, or why they were not made."""
    parts = []
    for name, title in (
        ("significance", "Are the clusters distinct?"),
        ("homogeneity", "Is every cluster one composition?"),
        ("stability", "Do they come back?"),
    ):
        found = getattr(content, name)
        said = _missing(content, name) if found is None else _told(content, name)
        parts += [tag("h3", title), said]
        if found is None:
            earlier = content.result.findings.get(name, ())
            parts.append(bullets([f"Found earlier: {sentence}" for sentence in earlier]))
    return section(4, "Is it real?", *parts)


def _told(content, name):
    """What a test tells; what stands below is not said twice."""
    found = getattr(content, name)
    if name == "stability":
        return Markup(found._repr_html_())  # with its map
    elsewhere = content.homogeneity.summary if content.homogeneity is not None else ()
    others = () if name == "homogeneity" else elsewhere
    return in_html([part for part in found._told() if part not in others])


def line_maps_section(content):
    """Classic maps, each with its significance."""
    found = content.line_maps
    if found is None:
        return section(5, "Maps of X-ray lines", _missing(content, "line_maps"))
    shape = as_stack(found.images[0]).shape[1:]
    ratio = width_over_height(shape, found.axes)
    figures = []
    for line, values, p, varies, absorbed in zip(
        found.xray_lines, found.images, found.p_values, found.significant, found.absorbed,
        strict=True,
    ):  # fmt: skip
        verdict = "varies beyond thickness and noise" if varies else "thickness and noise only"
        verdict = "cannot be told from absorption or drift" if absorbed else verdict
        verdict = f"{verdict} (p {p_text(p)})" if np.isfinite(p) else "no counts to compare"
        bar = scale_bar(found.axes, shape[1])
        picture = map_figure([classic_image(values)], ratio, bar, [f"Map of {line_label(line)}"])
        caption = tag("figcaption", tag("b", line_label(line)), ": ", verdict)
        figures.append(tag("figure", picture, caption))
    of_stack = "Of the stack, the first map is shown. " if found.images[0].ndim > 2 else ""
    return section(
        5,
        "Maps of X-ray lines",
        tag("p", f"{of_stack}Net counts, from zero (black) up; each map has a scale of its own.",
            class_="hint"),
        tag("div", *figures, class_="maps"),
        in_html(found._told()),
    )  # fmt: skip


def _missing(content, name):
    """Why a part is not there."""
    return tag("p", content.missing.get(name, "Not looked at."), class_="missing")
