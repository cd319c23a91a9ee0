"""The results that are kept with a map, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hyperspy_clusterquant._checks import as_names
from hyperspy_clusterquant._text import Told, in_html
from hyperspy_clusterquant.results.cluster_html import thumbnail_of
from hyperspy_clusterquant.signals.storage import read_results, remove_results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperspy_clusterquant.results.clusters import ClusterResult

#: Pixels of the screen of the longer side of the map of a result in the list of them.
THUMBNAIL = 56


class KeptResults(Told, Mapping):
    """Clustering results of a map by name, the newest last.

    New ones come by the clustering methods and by ``s.keep_clusters``.

    Examples
    --------
    >>> from hyperspy_clusterquant.data import six_cation_sulfide
    >>> s = six_cation_sulfide(size=48, channels=512)
    >>> result = s.cluster_pca_gmm(n_clusters=4, show_progressbar=False)
    >>> s.clusters
    name     workflow  clusters  components
    ---------------------------------------
    pca_gmm  pca_gmm   4         2
    ---------------------------------------
    >>> s.clusters.remove("pca_gmm")
    >>> s.clusters
    no clustering results
    """

    def __init__(self, signal):
        self._signal = signal

    def __getitem__(self, name: str) -> ClusterResult:
        results = read_results(self._signal)
        if name not in results:
            raise KeyError(f"There is no result {name!r}; there are {list(results)}.")
        return results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(read_results(self._signal))

    def __len__(self) -> int:
        return len(read_results(self._signal))

    def _told(self):
        rows = [
            (name, result.workflow, str(result.n_clusters), str(result.n_components))
            for name, result in self.items()
        ]
        if not rows:
            return ["no clustering results"]
        return [[("name", "workflow", "clusters", "components"), *rows]]

    def _repr_html_(self):
        if not len(self):
            return in_html(self._told())
        head, *rows = self._told()[0]
        pictures = [thumbnail_of(result, THUMBNAIL) for result in self.values()]
        shown = [(picture, *row) for picture, row in zip(pictures, rows, strict=True)]
        newest = f"{list(self)[-1]!r} is the newest, which methods take if none is named"
        return in_html([[("", *head), *shown], newest])

    def _ipython_key_completions_(self):
        return list(self)

    def __setitem__(self, name, result):
        raise TypeError(f"Keep a result with s.keep_clusters(result, name={name!r}).")

    def __delitem__(self, name):
        raise TypeError(f"Forget a result with s.clusters.remove({name!r}).")

    def remove(self, *names: str) -> None:
        """Forget results, also what HyperSpy's own cluster plots show of them.

        Parameters
        ----------
        *names : str
            Of one result or of several.

        Raises
        ------
        ValueError
            If there is no such result.
        """
        asked = [name for given in names for name in as_names("names", given)]
        if not asked or not all(name in self for name in asked):
            raise ValueError(
                f"Name the results to remove, of those there are: {list(self)}; got {asked}."
            )
        remove_results(self._signal, asked)


class ResultsOfSignal:
    """Descriptor of ``s.clusters``: a property, but one that IPython looks into.

    For its completion of names IPython evaluates no properties, as these may compute.
    """

    def __get__(self, signal, owner=None) -> KeptResults:
        # asked of the class, which users do not, it is itself
        return self if signal is None else KeptResults(signal)  # type: ignore[return-value]

    def __set__(self, signal, value):
        raise AttributeError("Keep a result with s.keep_clusters(result, name=...).")
