"""The numbers of a report as tables, for Excel and as CSV, with their units."""

from __future__ import annotations

import json
import re

import numpy as np

from hyperspy_clusterquant.clusters.labels import MASKED
from hyperspy_clusterquant.plotting.style import cluster_colours
from hyperspy_clusterquant.report.sections import pixel_size
from hyperspy_clusterquant.report.tiff import label_values

#: Texts that begin so are formulas for Excel and others (OWASP, "CSV injection"); numbers are not.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?\Z")


def tables_of(content, phases=None):
    """Everything that was found, as `pandas.DataFrame` by the names of the tables.

    Parameters
    ----------
    content : Content
    phases : array (n_clusters, channels), optional
        Spectra of the phases.
    """
    tables = {"clusters": _clusters(content)}
    if content.quantification is not None:
        tables["composition"] = _composition(content.quantification)
        tables["kfactors"] = _kfactors(content.quantification.kfactors)
    if content.compounds is not None:
        tables["compounds"] = content.compounds.reset_index().rename(
            columns={"distance": "distance (std)", "difference": "largest difference (at%)"}
        )
    for name, first in (
        ("significance", None),
        ("homogeneity", None),
        ("stability", "cluster"),
        ("line_maps", "line"),
    ):
        found = getattr(content, name)
        if found is not None:
            frame = found.to_dataframe()
            tables[name] = frame if first is None else frame.rename_axis(first).reset_index()
    tables["spectra"] = _spectra(content, phases)
    tables["parameters"] = _parameters(content)
    return tables


def _clusters(content):
    """A row for each cluster."""
    import pandas as pd

    result = content.result
    kept = max(np.count_nonzero(result.labels != MASKED), 1)
    unit, size = pixel_size(result.axes)
    numbers = np.arange(result.n_clusters)
    columns = {
        "cluster": result.cluster_names,
        "number": numbers,
        "value in labels.tif": label_values(numbers, result.n_clusters),
        "colour": cluster_colours(result.n_clusters),
        "pixels": result.sizes,
        "share (%)": 100 * result.sizes / kept,
    }
    if unit:
        kind = "length" if len(result.axes) == 1 else "area"
        columns[f"{kind} ({unit})"] = result.sizes * size
    if (found := content.quantification) is not None:
        columns["S_conf (R per mole of atoms)"] = found.configurational_entropy
        columns["S_conf std"] = found.configurational_entropy_std
    return pd.DataFrame(columns)


def _composition(found):
    """A row for each cluster and element."""
    from dataclasses import replace

    import pandas as pd

    n_clusters, n_elements = found.atomic_percent.shape
    values = {
        "at%": found.atomic_percent,
        "std (at%)": found.std,
        "std of counts (at%)": found.std_counting,
        "std of k-factors (at%)": found.std_kfactor,
        "std of mixing (at%)": found.std_mixing,
        "mixed in (at%)": found.mixing,
        "95 % limit (at%)": replace(found, composition_units="atomic").upper_limit,
        "wt%": found.weight_percent,
        "std (wt%)": found.weight_percent_std,
        "intensity (counts)": found.intensities,
        "std (counts)": found.intensities_std,
        "detected": found.detected,
    }
    columns = {
        "cluster": np.repeat(found.cluster_names, n_elements),
        "element": np.tile(found.elements, n_clusters),
        "line": np.tile(found.xray_lines, n_clusters),
        **{name: of.ravel() for name, of in values.items()},
        "background": np.repeat(found.background, n_elements),
    }
    return pd.DataFrame(columns)


def _kfactors(kfactors):
    import pandas as pd

    rows = [
        (line, k, kfactors.relative_uncertainty.get(line, np.nan), kfactors.sources[line])
        for line, k in kfactors.items()
    ]
    return pd.DataFrame(rows, columns=["line", "k (by weight)", "relative uncertainty", "from"])


def _spectra(content, phases):
    import pandas as pd

    columns = {"energy (keV)": content.energy}
    for k, name in enumerate(content.result.cluster_names):
        columns[f"{k} {name}: sum (counts)"] = content.spectra[k]
    for k, name in enumerate(content.result.cluster_names if phases is not None else ()):
        columns[f"{k} {name}: phase (counts)"] = phases[k]
    return pd.DataFrame(columns)


def _parameters(content):
    import pandas as pd

    origin, result = content.origin, content.result
    rows = [("file", origin.in_words), ("SHA-256", origin.digest), *origin.facts.items()]
    rows += [("result", result.name), ("workflow", result.workflow)]
    rows += [(name, value if isinstance(value, str) else json.dumps(value, default=str))
             for name, value in result.parameters.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=["parameter", "value"])


# --- files --------------------------------------------------------------------------------


def write_excel(path, tables):
    """Write tables as the sheets of a workbook; texts are texts there, and never formulas."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    book.remove(book.active)
    for name, frame in tables.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        for column, head in enumerate(frame.columns, 1):
            _fill(sheet.cell(1, column), head).font = Font(bold=True)
            width = max([len(str(head)), *(len(str(v)) for v in frame.iloc[:50, column - 1])])
            sheet.column_dimensions[sheet.cell(1, column).column_letter].width = min(width + 2, 60)
        for row, values in enumerate(frame.itertuples(index=False), 2):
            for column, value in enumerate(values, 1):
                _fill(sheet.cell(row, column), value)
    book.save(path)


def _fill(cell, value):
    """Put a value into a cell: numbers as such, what is none as nothing, the rest as text."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, bool | np.bool_):
        cell.value = bool(value)
    elif value is None:
        cell.value = None
    elif isinstance(value, int | float | np.number):
        number = value.item() if isinstance(value, np.number) else value
        cell.value = number if np.isfinite(number) else None
    else:
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", str(value))
        cell.data_type = "s"
    return cell


def write_csv(folder, tables):
    """Write a CSV file for each table, in UTF-8 with the mark by which Excel knows it.

    Texts that programs would take for formulas begin with an apostrophe.
    """
    for name, frame in tables.items():
        shown = frame.astype(object).map(no_formula).rename(columns=no_formula)
        # With such ends of lines, a return inside of a text is quoted as well.
        shown.to_csv(
            folder / f"{name}.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n"
        )


def no_formula(value):
    """What a cell holds, with an apostrophe before a text that would be calculated.

    Examples
    --------
    >>> no_formula("=1+1"), no_formula("-1.5"), no_formula(-1.5), no_formula("Fe-rich")
    ("'=1+1", '-1.5', -1.5, 'Fe-rich')
    """
    is_formula = isinstance(value, str) and value.startswith(FORMULA) and not NUMBER.match(value)
    return f"'{value}" if is_formula else value
