"""Everything of a result as files that other programs read: the method of the signal classes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hyperspy_clusterquant._checks import check_has_clusters
from hyperspy_clusterquant.plotting.files import axes_for_file, panels_for_file, save_axes
from hyperspy_clusterquant.plotting.maps import MOST_MAPS
from hyperspy_clusterquant.plotting.style import panel_size
from hyperspy_clusterquant.report.names import CONTENTS, file_name, others_in, write_contents
from hyperspy_clusterquant.report.page import page_of
from hyperspy_clusterquant.report.tables import tables_of, write_csv, write_excel
from hyperspy_clusterquant.report.tiff import write_images, write_labels
from hyperspy_clusterquant.report.writing import (
    check_folder,
    check_no_working_folder,
    unwritten_named,
    whole_folder,
    write_text,
)
from hyperspy_clusterquant.signals.axes import counts_of
from hyperspy_clusterquant.signals.reporting import PARTS, check_may_write, check_parts

if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from hyperspy_clusterquant.results.clusters import ClusterResult

#: What may be said of the report that is among the files, besides its parts.
OF_REPORT = ("compounds", "title", "notes")
#: Width and height of the picture of a map, and of a line scan, in inches.
OF_MAP, OF_SCAN = (6.8, 4.2), (6.8, 1.8)


class ClusterExport:
    """What other programs read."""

    def export_clusters(
        self,
        result: ClusterResult | str | None = None,
        folder: str | PathLike[str] = "clusters",
        *,
        overwrite: bool | None = None,
        show_progressbar: bool | None = None,
        **report: Any,
    ) -> list[Path]:
        """Write everything of a result to a folder, as files that other programs read.

        - ``report.html``: the page of `cluster_report`;
        - ``clusters.png``: the map of the clusters, or up to twelve of a stack;
        - ``labels.tif``, ``memberships.tif``, ``line_maps.tif``: images that ImageJ opens with the
          size of their pixels. Labels have the clusters' colours: 0 is left out, cluster 0 is 1
          and so on, and noise is 255;
        - ``tables.xlsx`` and ``tables/*.csv``: clusters, compositions, k-factors, verdicts,
          spectra and parameters, with units;
        - ``spectra/*.msa``: for each cluster the sum of its pixels, and the spectrum of its phase,
          as EMSA/MAS;
        - ``contents.csv``: what each file is.

        The folder is there with all of it, or not at all.

        Parameters
        ----------
        result : ClusterResult or str, optional
            Result or its name; default: the newest.
        folder : str or path
            Of the files. It is made; the folder that it is in must be there.
        overwrite : bool, optional
            As in ``s.save``: True replaces what was exported there before, None asks. A folder with
            files of other origin is never replaced.
        show_progressbar : bool, optional
            Default: HyperSpy's preference.
        **report
            What `cluster_report` takes for its parts: ``quantification``, ``significance``,
            ``homogeneity``, ``stability``, ``line_maps``, ``compounds``,
            ``title``, ``notes``.

        Returns
        -------
        list of pathlib.Path
            Of the files.

        Raises
        ------
        ValueError
            If there is no result, a part belongs to other clusters, or the folder is the one that
            Python works in.
        FileNotFoundError
            If the folder is to be made in one that is not there.
        FileExistsError
            If it is there and is not to be replaced.
        OSError
            If it cannot be written, as on a full disk. What was there stays as it was.

        References
        ----------
        EMSA/MAS: R. F. Egerton et al., EMSA Bull. 21 (1991) 35; ISO 22029.

        Examples
        --------
        >>> from hyperspy_clusterquant.data import six_cation_sulfide
        >>> s = six_cation_sulfide(size=48, channels=512)
        >>> result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     files = s.export_clusters(
        ...         result, f"{folder}/clusters", quantification=False, homogeneity=False,
        ...         line_maps=False, show_progressbar=False)
        >>> [file.name for file in files[:3]]
        ['report.html', 'clusters.png', 'labels.tif']
        """
        path = Path(folder)
        if unknown := set(report) - {*PARTS, *OF_REPORT}:
            raise TypeError(
                f"export_clusters knows {', '.join((*PARTS, *OF_REPORT))} besides result, folder, "
                f"overwrite and show_progressbar, not {', '.join(sorted(unknown))}."
            )
        check_no_working_folder(path)
        check_folder(path)
        result = self._get_cluster_result(result)
        check_has_clusters(result)
        parts = {name: report.pop(name, None) for name in PARTS}
        check_parts(parts, result)
        _check_replaced(path, overwrite)
        texts = {"compounds": None, "title": None, "notes": ""} | report
        content = self._content(result, parts, **texts, show_progressbar=show_progressbar)
        # All that is computed, before the first file is made.
        phases, sums = (
            self.get_cluster_spectra(result, kind, show_progressbar=show_progressbar)
            for kind in ("phase", "hard")
        )
        page = page_of(content)
        with unwritten_named(path, "The export"), whole_folder(path) as new:
            write_text(new / "report.html", page)
            described = self._write_files(new, content, phases, sums)
            write_contents(new, described)
        return [path / name for name in (*described, CONTENTS)]

    def _write_files(self, folder, content, phases, sums):
        """Write everything but the report and the list of contents, which is returned."""
        result, axes = content.result, content.result.axes
        described = {
            "report.html": "page with everything, for any browser",
            "clusters.png": "map of the clusters; of a stack, up to twelve",
            "labels.tif": "0 left out, 1 the first cluster and so on, noise 255 (65535)",
            "memberships.tif": "probability of each cluster in each pixel, a slice each",
            "tables.xlsx": "all tables as sheets",
        }
        self._draw_clusters(folder / "clusters.png", result)
        write_labels(folder / "labels.tif", result.labels, result.n_clusters, axes)
        names = result.cluster_names
        write_images(folder / "memberships.tif", result.memberships, names, axes)
        if (maps := content.line_maps) is not None:
            write_images(folder / "line_maps.tif", maps.images, maps.xray_lines, axes)
            described["line_maps.tif"] = "net counts of each X-ray line, a slice each"
        tables = tables_of(content, np.asarray(counts_of(phases)))
        write_excel(folder / "tables.xlsx", tables)
        (folder / "tables").mkdir()
        write_csv(folder / "tables", tables)
        described |= {f"tables/{name}.csv": f"table of {name}" for name in tables}
        return described | _write_spectra(folder, result.cluster_names, sums, phases)

    def _draw_clusters(self, path, result):
        """Write a picture of the clusters, of a stack with one map beside the other."""
        shape = result.labels.shape
        if len(shape) > 2:
            n_maps = min(int(np.prod(shape[:-2])), MOST_MAPS)
            axes = panels_for_file(n_maps, panel_size(shape, result.axes))
            save_axes(self.plot_clusters(result, ax=axes)[0], path)
            return
        ax = axes_for_file(OF_SCAN if len(shape) == 1 else OF_MAP)
        save_axes(self.plot_clusters(result, ax=ax), path)


def _write_spectra(folder, names, sums, phases):
    """Write the spectra of clusters and phases as EMSA/MAS, and say what each file is."""
    described = {}
    (folder / "spectra").mkdir()
    for kind, spectra in (("sum", sums), ("phase", phases)):
        for k, name in enumerate(names):
            file = f"spectra/{file_name(k, name)}_{kind}.msa"
            spectrum = spectra.inav[k]
            # Files of this format hold no other letters than those of ASCII.
            spectrum.metadata.General.title = file_name(k, name)
            spectrum.save(folder / file, overwrite=True, encoding="utf-8")
            described[file] = f"spectrum of {name}, {kind}"
    return described


def _check_replaced(path, overwrite):
    """Raise a FileExistsError if there is something that is not to be replaced; None asks."""
    if path.exists() and not path.is_dir():
        raise FileExistsError(f"{str(path)!r} is a file. Give the name of a folder.")
    if not path.is_dir() or not any(path.iterdir()):
        check_may_write(path / CONTENTS, overwrite)
        return
    if others := others_in(path):
        raise FileExistsError(
            f"The folder {str(path)!r} holds files that were not exported to it: "
            f"{', '.join(others[:5])}{' ...' if len(others) > 5 else ''}. Give another folder, "
            "which is made."
        )
    check_may_write(path / CONTENTS, overwrite)
