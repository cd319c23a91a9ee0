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


def pytest_configure(config):
    # Not on import: pytest imports this file also when it looks for doctests.
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("exspy"):
            for name, cls in SWAPPED.items():
                if hasattr(module, name):
                    setattr(module, name, cls)

    load = exspy.data.EDS_TEM_FePt_nanoparticles

    def load_swapped(*args, **kwargs):
        s = load(*args, **kwargs)
        s.set_signal_type("EDS_TEM_clustered")
        return s

    exspy.data.EDS_TEM_FePt_nanoparticles = load_swapped


def pytest_runtest_makereport(item, call):
    if call.when == "call" and hasattr(item.instance, "signal"):
        kind = type(item.instance.signal).__name__
        if kind.endswith("EDSTEMSpectrum"):
            raise AssertionError(f"{item.nodeid} ran on exspy's {kind}")
