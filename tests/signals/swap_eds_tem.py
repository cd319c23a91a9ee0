"""Pytest plugin that puts our classes in the place of exspy's EDS-TEM classes.

Used by test_exspy_suite.py, in a process of its own.
"""

import sys

import exspy
import exspy.signals

from hyperspy_clusterquant.signals import ClusteredEDSSpectrum, LazyClusteredEDSSpectrum

SWAPPED = {
    "EDSTEMSpectrum": ClusteredEDSSpectrum,
    "LazyEDSTEMSpectrum": LazyClusteredEDSSpectrum,
}

for module in list(sys.modules.values()):
    if getattr(module, "__name__", "").startswith("exspy"):
        for name, cls in SWAPPED.items():
            if hasattr(module, name):
                setattr(module, name, cls)

_load = exspy.data.EDS_TEM_FePt_nanoparticles


def _load_swapped(*args, **kwargs):
    s = _load(*args, **kwargs)
    s.set_signal_type("EDS_TEM_clustered")
    return s


exspy.data.EDS_TEM_FePt_nanoparticles = _load_swapped


def pytest_runtest_makereport(item, call):
    if call.when == "call" and hasattr(item.instance, "signal"):
        kind = type(item.instance.signal).__name__
        if kind.endswith("EDSTEMSpectrum"):
            raise AssertionError(f"{item.nodeid} ran on exspy's {kind}")
