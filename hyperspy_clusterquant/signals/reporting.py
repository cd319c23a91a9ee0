"""A page to hand over: the method of the signal classes, and what it collects."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import check_has_clusters
from hyperspy_clusterquant._warn import warn
from hyperspy_clusterquant.report.content import Content
from hyperspy_clusterquant.report.page import page_of
from hyperspy_clusterquant.report.writing import (
    check_folder,
    unwritten_named,
    with_suffix,
    write_text,
)
from hyperspy_clusterquant.results.composition import CompositionTable
from hyperspy_clusterquant.results.homogeneity import ClusterHomogeneity
from hyperspy_clusterquant.results.line_maps import MapSignificance
from hyperspy_clusterquant.results.significance import SignificanceTable
from hyperspy_clusterquant.results.stability import ClusterStability
from hyperspy_clusterquant.signals.axes import counts_of, energy_in_kev
from hyperspy_clusterquant.signals.metadata import elements_of
from hyperspy_clusterquant.signals.provenance import calls_of, origin_of
from hyperspy_clusterquant.xrays.lines import alpha_lines, line_energy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from hyperspy_clusterquant.results.clusters import ClusterResult

#: Pixels times channels up to which maps of lines and homogeneity are looked at if nothing is said:
#: with the compositions, that takes less than 20 s on two cores.
MOST_VALUES = 1e8


@dataclass(frozen=True)
class Part:
    """A part of a report: the class of its result, and the method that finds it.

    `not_run` says why it is not run if nothing is said: what clusters again never is, what looks
    at every pixel is up to `MOST_VALUES`.
    """

    kind: type
    method: str
    not_run: str = ""
    of_clusters: bool = True


AGAIN, LARGE = "as it clusters again", "as the map is large"
PARTS = {
    "quantification": Part(CompositionTable, "cluster_quantification"),
    "significance": Part(SignificanceTable, "cluster_significance", AGAIN),
    "homogeneity": Part(ClusterHomogeneity, "cluster_homogeneity", LARGE),
    "stability": Part(ClusterStability, "cluster_stability", AGAIN),
    "line_maps": Part(MapSignificance, "map_significance", LARGE, of_clusters=False),
}


class ClusterReports:
    """What is handed over."""

    def cluster_report(
        self,
        filename: str | PathLike[str] = "report.html",
        result: ClusterResult | str | None = None,
        *,
        quantification: CompositionTable | dict | bool | None = None,
        significance: SignificanceTable | dict | bool | None = None,
        homogeneity: ClusterHomogeneity | dict | bool | None = None,
        stability: ClusterStability | dict | bool | None = None,
        line_maps: MapSignificance | dict | bool | None = None,
        compounds: Mapping[str, str] | None = None,
        title: str | None = None,
        notes: str = "",
        overwrite: bool | None = None,
        show_progressbar: bool | None = None,
    ) -> Path:
        """Write a page about clusters that any browser shows, without Python and without network.

        It holds the map with names, colours, shares and scale, where pointing at a cluster
        shows its spectrum, and clicking its fit with the residual, its composition with what the
        uncertainty is made of, and what was found of it; the classic maps with their significance;
        and how it was made: file, parameters, versions, remarks, the calls that do it again, and
        what to cite. It is one file, which can be mailed, opened and printed.

        Each of the five parts may be given as what its method returned, as a dictionary of
        keywords for that method, as True to run it with its defaults, or as False to leave it
        out. If nothing is said, what takes some seconds is run: compositions, and up to 100 million
        channels of all pixels also homogeneity and maps of lines. What clusters again is not. The
        page says which, and why a part could not be had.

        Parameters
        ----------
        filename : str or path
            Of the page, ``.html``.
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        quantification : CompositionTable, dict or bool, optional
            Of `cluster_quantification`, which is run if nothing is said.
        significance : SignificanceTable, dict or bool, optional
            Of `cluster_significance`, which is run only if asked for.
        homogeneity : ClusterHomogeneity, dict or bool, optional
            Of `cluster_homogeneity`, which is run if nothing is said and the map is not large.
        stability : ClusterStability, dict or bool, optional
            Of `cluster_stability`, which is run only if asked for.
        line_maps : MapSignificance, dict or bool, optional
            Of `map_significance`, which is run if nothing is said and the map is not large.
        compounds : dict of str: str, optional
            Reference compounds with their formulas, such as ``{"jalpaite": "Ag3CuS2"}``, of which
            the nearest are shown, see `CompositionTable.nearest_compounds`.
        title, notes : str, optional
            Title of the page, by default that of the signal, and what you want to say on it.
        overwrite : bool, optional
            As in ``s.save``: True replaces a file, None asks. A file that is not to be replaced is
            an error.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.

        Returns
        -------
        pathlib.Path
            Of the page.

        Raises
        ------
        ValueError
            If there is no result, a part belongs to other clusters, or the suffix is wrong.
        FileNotFoundError
            If there is no such folder.
        FileExistsError
            If there is such a file, which is not to be replaced.
        OSError
            If it cannot be written, as on a full disk. A file that was there stays as it was.

        See Also
        --------
        export_clusters : The same and all numbers as files in a folder.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> table = s.cluster_quantification(
        ...     kfactors=s.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"],
        ...     show_progressbar=False)
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = s.cluster_report(
        ...         f"{folder}/report.html", quantification=table, homogeneity=False,
        ...         compounds={"chalcopyrite": "CuFeS2"}, show_progressbar=False)
        ...     page.stat().st_size < 1e6
        True
        """
        path = with_suffix(filename, (".html", ".htm"), "A report")
        check_folder(path)
        result = self._get_cluster_result(result)
        check_has_clusters(result)
        parts = {
            "quantification": quantification, "significance": significance,
            "homogeneity": homogeneity, "stability": stability, "line_maps": line_maps,
        }  # fmt: skip
        check_parts(parts, result)
        check_may_write(path, overwrite)
        content = self._content(result, parts, compounds, title, notes, show_progressbar)
        page = page_of(content)
        with unwritten_named(path, "The report"):
            write_text(path, page)
        return path

    def _content(self, result, parts, compounds, title, notes, show_progressbar):
        """Everything that a report shows, a `Content`."""
        with recorded_warnings() as said:
            found, missing, options = self._parts(result, parts, show_progressbar)
        quantified = found["quantification"]
        if compounds is not None and quantified is None:
            raise ValueError(
                "`compounds` are compared with compositions, of which there are none: "
                f"{missing['quantification']}"
            )
        energy = energy_in_kev(self)
        lines = alpha_lines(elements_of(self), energy[0], energy[-1])
        general, origin = self.metadata.get_item("General.title", ""), origin_of(self)
        return Content(
            title=str(title or general or (origin.file and Path(origin.file).stem) or "Clusters"),
            notes=str(notes or ""),
            result=result,
            energy=energy,
            spectra=self._sums_of_labels(result, energy, show_progressbar),
            lines={line: line_energy(line) for line in lines},
            compounds=None if compounds is None else quantified.nearest_compounds(compounds),
            missing=missing,
            origin=origin,
            calls=calls_of(self, result, quantified, options),
            warnings=tuple(said),
            **found,
        )

    def _parts(self, result, parts, show_progressbar):
        """Results by the parts' names, why some are None, and what their methods were told."""
        found, missing, options = dict.fromkeys(PARTS), {}, {}
        is_large = result.labels.size * len(energy_in_kev(self)) > MOST_VALUES
        for name, given in parts.items():
            part = PARTS[name]
            if isinstance(given, part.kind):
                found[name] = given
                continue
            is_slow = part.not_run == AGAIN or (part.not_run == LARGE and is_large)
            if given is False or (given is None and is_slow):
                why = "Left out" if given is False else f"Not run, {part.not_run}"
                missing[name] = f"{why}: s.{part.method}() tells, and {name}= shows it."
                continue
            keywords = dict(given) if isinstance(given, dict) else {}
            first = (result,) if part.of_clusters else ()
            try:
                found[name] = getattr(self, part.method)(
                    *first, **{"show_progressbar": show_progressbar, **keywords}
                )
            except ValueError as error:
                # What was asked for must be there; of the rest, the page says why it is not.
                if given is not None:
                    raise
                missing[name] = f"Could not be found: {error}"
                continue
            if name != "quantification":  # what was asked of that, the table says itself
                options[part.method] = keywords
        return found, missing, options

    def _sums_of_labels(self, result, energy, show_progressbar):
        """Counts summed over the pixels with each label: those that are stored, if they are."""
        stored = result.spectra
        if stored is not None and np.array_equal(result.energy, energy):
            return stored
        spectra = self.get_cluster_spectra(result, "hard", show_progressbar=show_progressbar)
        return np.asarray(counts_of(spectra))


def check_parts(parts, result):
    """Raise unless the parts of a report are of the right kind, and of these clusters."""
    for name, given in parts.items():
        part = PARTS[name]
        if given is None or isinstance(given, bool | dict):
            continue
        if not isinstance(given, part.kind):
            raise TypeError(
                f"`{name}` must be what s.{part.method}() returned, a dictionary of its keywords, "
                f"True, False or None; got {type(given).__name__}."
            )
        names = getattr(given, "cluster_names", None)
        if part.of_clusters and tuple(names) != result.cluster_names:
            raise ValueError(
                f"`{name}` is of other clusters ({', '.join(names)}) than the result "
                f"{result.name!r} ({', '.join(result.cluster_names)}). Run s.{part.method}(...) of "
                "this result, also after clusters were merged or renamed."
            )
        if part.of_clusters and not _is_of(given, result):
            raise ValueError(
                f"`{name}` is of clusters with other pixels than those of {result.name!r}. Run "
                f"s.{part.method}(...) of this result."
            )
        shape = getattr(given, "images", np.zeros((1, *result.labels.shape))).shape[1:]
        if shape != result.labels.shape:
            raise ValueError(
                f"`{name}` is of a map of shape {shape}, the result of one of shape "
                f"{result.labels.shape}."
            )


def _is_of(given, result):
    """Whether what a part holds of the pixels of its clusters is that of a result."""
    labels = getattr(getattr(given, "result", given), "labels", None)
    if labels is not None:
        return np.array_equal(labels, result.labels)
    pixels = getattr(given, "pixels", ())  # none, of a table of other origin
    return not pixels or tuple(pixels) == tuple(result.sizes.tolist())


def check_may_write(path, overwrite):
    """Raise a FileExistsError if there is a file that is not to be replaced; None asks."""
    from rsciio.utils.path import overwrite as ask

    if overwrite not in (None, True, False):
        raise ValueError(f"`overwrite` must be True, False or None, not {overwrite!r}.")
    if path.is_dir():
        raise FileExistsError(f"{str(path)!r} is a folder. Give the name of a file.")
    if not path.exists() or overwrite or (overwrite is None and ask(path)):
        return
    raise FileExistsError(
        f"{str(path)!r} is there and was left as it is. Pass overwrite=True to replace it, or give "
        "another name."
    )


@contextmanager
def recorded_warnings():
    """Warnings for users as texts in a list, and all to the user, each once, whatever happens."""
    said, caught = [], []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            yield said
    finally:
        different = {(of.category, str(of.message)): of.message for of in caught}
        said += [text for category, text in different if issubclass(category, UserWarning)]
        for message in different.values():
            warn(message)
