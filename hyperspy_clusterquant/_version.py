from importlib.metadata import version

__version__ = version("hyperspy-clusterquant")
