"""Phases, compositions and error bars from STEM-EDX maps: a HyperSpy extension."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
