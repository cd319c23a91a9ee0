"""A `CompositionTable` as text, LaTeX, HTML, data frame and CSV file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hyperspy_clusterquant._text import in_columns

#: Row of the entropy.
ENTROPY = "S_conf/R"
#: Factor of an absorption correction that is worth a remark.
NOTICEABLE = 1.0005


def as_text(table):
    """Plain text like the paper's table."""
    cells = _cells(table, "{value} ± {std}", "< {value}")
    head, rule, *rows, _ = in_columns([[table.unit, *table.cluster_names], *cells])
    return "\n".join([head, rule, *rows[:-1], rule, rows[-1], *_notes(table)])


def as_latex(table):
    r"""LaTeX ``tabular``."""
    rows = _cells(table, "${value} \\pm {std}$", "$< {value}$")
    rows[-1][0] = r"$S_\mathrm{conf}/R$"
    special = str.maketrans(
        {sign: rf"\{sign}" for sign in "_%&#${}"}
        | {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}
    )
    escaped = [cell.translate(special) for cell in (table.unit, *table.cluster_names)]
    return "\n".join(
        [
            rf"\begin{{tabular}}{{l{'c' * len(table.cluster_names)}}}",
            r"\hline",
            " & ".join(escaped) + r" \\",
            r"\hline",
            *(" & ".join(row) + r" \\" for row in rows),
            r"\hline",
            r"\end{tabular}",
            *(rf"\par{{\footnotesize {note.translate(special)}}}" for note in _notes(table)),
        ]
    )


def as_html(table):
    """HTML table with the remarks below."""
    import html

    paragraphs = "".join(f"<p>{html.escape(remark)}</p>" for remark in remarks(table))
    return as_dataframe(table, text=True).to_html() + paragraphs


def as_dataframe(table, text):
    """See `CompositionTable.to_dataframe`."""
    import pandas as pd

    if text:
        rows = _cells(table, "{value} ± {std}", "< {value}")
        columns = pd.Index(table.cluster_names, name=table.unit)
        return pd.DataFrame([r[1:] for r in rows], index=[r[0] for r in rows], columns=columns)
    values = np.vstack([table.percent.T, table.configurational_entropy])
    stds = np.vstack([table.percent_std.T, table.configurational_entropy_std])
    return pd.DataFrame(
        np.stack([values, stds], axis=-1).reshape(len(values), -1),
        index=pd.Index([*table.elements, ENTROPY], name="element"),
        columns=pd.MultiIndex.from_product([table.cluster_names, [table.unit, "std"]]),
    )


def write_csv(table, path):
    """See `CompositionTable.to_csv`."""
    import pandas as pd

    n_clusters, n_elements = table.atomic_percent.shape
    in_atomic_percent = replace(table, composition_units="atomic")
    columns = {
        "cluster": np.repeat(table.cluster_names, n_elements),
        "element": np.tile(table.elements, n_clusters),
        "line": np.tile(table.xray_lines, n_clusters),
        "kfactor": np.tile([table.kfactors[line] for line in table.xray_lines], n_clusters),
    }
    for name, values in {
        "atomic_percent": table.atomic_percent,
        "std_counting": table.std_counting,
        "std_kfactor": table.std_kfactor,
        "std": table.std,
        "upper_limit": in_atomic_percent.upper_limit,
        "weight_percent": table.weight_percent,
        "weight_percent_std": table.weight_percent_std,
        "counts": table.intensities,
        "counts_std": table.intensities_std,
    }.items():
        columns[name] = values.ravel()
    pd.DataFrame(columns).to_csv(path, index=False)


def remarks(table):
    """What was decided on the way, one text each, tuple of str."""
    found = []
    theory = [line for line in table.xray_lines if _is_theory(table, line)]
    if theory and len(theory) < len(table.xray_lines):
        found.append(f"* k-factor from theory: {', '.join(theory)}")
    if table.absorption is not None:
        found.append(_absorption_remark(table))
    if table.calibration is not None:
        energies = table.calibration.fit.design.energy[[0, -1]]
        shifts = table.calibration.shift(energies)
        found.append(
            f"Energy axis moved by {shifts[0]:+.1f} eV at {energies[0]:.1f} keV and "
            f"{shifts[1]:+.1f} eV at {energies[1]:.1f} keV, resolution at Mn Ka "
            f"{table.calibration.scale.resolution:.1f} eV"
        )
    quality = [fit.reduced_chi_square for fit in table.fits if fit.counts.sum() > 0]
    if quality:
        found.append(
            f"Squared residual per channel of the fits: {min(quality):.1f} to "
            f"{max(quality):.1f} (1 = noise)"
        )
    if table.unexplained:
        peaks = ", ".join(map(str, table.unexplained))
        found.append(f"Peaks that no declared element explains: {peaks}")
    return tuple(found)


def _absorption_remark(table):
    thickness = sorted(set(table.absorption.thickness))
    shown = " to ".join(f"{t:g}" for t in dict.fromkeys((thickness[0], thickness[-1])))
    known = ~np.isnan(table.absorption_factors).any(axis=1)
    if not known.any():
        return f"Absorption not corrected for {shown} nm: there are no counts of the lines"
    densities = np.array(table.absorption.density)[known]
    density = " to ".join(dict.fromkeys(f"{d:.2f}" for d in (densities.min(), densities.max())))
    largest = table.absorption_factors[known].max(axis=0)
    factors = ", ".join(
        f"{line} x{factor:.3f}"
        for line, factor in zip(table.xray_lines, largest, strict=True)
        if factor > NOTICEABLE
    )
    return (
        f"Absorption corrected for {shown} nm, {density} g/cm3, take-off angle "
        f"{table.absorption.take_off_angle:.1f} degrees: up to {factors or 'less than 0.05 %'}"
    )


def _notes(table):
    """Remarks on what changed the numbers, which stand below them."""
    return [remark for remark in remarks(table) if remark.startswith(("*", "Absorption"))]


def _is_theory(table, line):
    return table.kfactors.sources.get(line) == "theory"


def _cells(table, template, limit):
    """Rows of text: elements, then the entropy, one column for each cluster."""
    theory = [_is_theory(table, line) for line in table.xray_lines]
    rows = []
    for n, element in enumerate(table.elements):
        cells = [
            number_with_std(value, std, template)
            if detected or not np.isfinite(value)
            else limit.format(value=number_with_std(most, 0.1 * most, "{value}"))
            for value, std, detected, most in zip(
                table.percent[:, n], table.percent_std[:, n], table.detected[:, n],
                table.upper_limit[:, n], strict=True,
            )
        ]  # fmt: skip
        rows.append([element + ("*" if theory[n] and not all(theory) else ""), *cells])
    entropy = zip(table.configurational_entropy, table.configurational_entropy_std, strict=True)
    rows.append([ENTROPY, *(number_with_std(v, s, template) for v, s in entropy)])
    return rows


def number_with_std(value, std, template="{value} ± {std}"):
    """A number and its standard deviation, rounded to two digits of the latter.

    Examples
    --------
    >>> number_with_std(25.412, 1.345)
    '25.4 ± 1.3'
    >>> number_with_std(0.0123, 0.0004)
    '0.01230 ± 0.00040'
    """
    if not np.isfinite(value):
        return "-"
    if not np.isfinite(std) or std <= 0:
        return f"{value:.3g}"
    decimals = int(np.clip(1 - np.floor(np.log10(std)), 1, 6))
    return template.format(value=f"{value:.{decimals}f}", std=f"{std:.{decimals}f}")
