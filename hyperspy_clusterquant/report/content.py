"""What a report shows, all of it found before."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hyperspy_clusterquant._frozen import Frozen, FrozenDict
from hyperspy_clusterquant.results.clusters import ClusterResult
from hyperspy_clusterquant.results.composition import CompositionTable
from hyperspy_clusterquant.results.homogeneity import ClusterHomogeneity
from hyperspy_clusterquant.results.line_maps import MapSignificance
from hyperspy_clusterquant.results.significance import SignificanceTable
from hyperspy_clusterquant.results.stability import ClusterStability

#: Where a map comes from of which no file is known.
NOT_KNOWN = "not known: made in memory, or cropped, binned or copied since it was loaded"


@dataclass(frozen=True, eq=False, kw_only=True)
class Origin(Frozen):
    """Where the counts of a map come from, and what is known of them.

    Attributes
    ----------
    file : str
        Name of the file with its folder, "" if it is not known.
    changed : bool
        Whether the map was cropped, binned or turned since it was loaded.
    digest : str
        SHA-256 of the file's bytes, or in words why there is none.
    facts : FrozenDict
        What else is known of map, microscope and detector, texts by their names.
    versions : FrozenDict
        Of the software that made the report, by its names.
    made : str
        Date and time of the report.
    """

    file: str = ""
    changed: bool = False
    digest: str = ""
    facts: dict = field(default_factory=FrozenDict)
    versions: dict = field(default_factory=FrozenDict)
    made: str = ""

    @property
    def in_words(self):
        """The file, and what was done with it."""
        since = " (cropped, binned or turned since it was loaded)" if self.changed else ""
        return f"{self.file}{since}" if self.file else NOT_KNOWN


@dataclass(frozen=True, eq=False, kw_only=True)
class Content(Frozen):
    """Everything that a report shows.

    Attributes
    ----------
    title : str
    notes : str
        What the author wants to say, in paragraphs.
    result : ClusterResult
    energy : array (channels,)
        In keV, ascending.
    spectra : array (n_clusters, channels)
        Counts summed over the pixels with each label.
    lines : FrozenDict
        Energies in keV of the X-ray lines to be named, by the names of the lines.
    quantification, significance, homogeneity, stability, line_maps
        Results on these clusters and this map, or None.
    compounds : pandas.DataFrame or None
        Of `CompositionTable.nearest_compounds`.
    missing : FrozenDict
        In words why a part is None, by its name.
    origin : Origin
    calls : str
        What to type to do it again.
    warnings : tuple of str
        What the user was warned of while the report was made.
    """

    title: str
    result: ClusterResult
    energy: np.ndarray
    spectra: np.ndarray
    notes: str = ""
    lines: dict = field(default_factory=FrozenDict)
    quantification: CompositionTable | None = None
    significance: SignificanceTable | None = None
    homogeneity: ClusterHomogeneity | None = None
    stability: ClusterStability | None = None
    line_maps: MapSignificance | None = None
    compounds: object = None
    missing: dict = field(default_factory=FrozenDict)
    origin: Origin = field(default_factory=Origin)
    calls: str = ""
    warnings: tuple = ()
