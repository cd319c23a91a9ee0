"""What nobody can change once it is made, also not in copies and pickles of it."""

from __future__ import annotations

from dataclasses import fields

import numpy as np


class FrozenDict(dict):
    """A dictionary that cannot be changed, nor what is in it.

    Examples
    --------
    >>> found = FrozenDict({"a": [1, 2]})
    >>> found | {"b": 3}
    {'a': (1, 2), 'b': 3}
    """

    _INSTEAD = (
        "old | {name: value}, or, without some, {name: value for name, value in old.items() if ...}"
    )

    def __init__(self, *args, **kwargs):
        super().__init__({key: freeze(value) for key, value in dict(*args, **kwargs).items()})

    def _refuse(self, *_, **__):
        raise TypeError(
            f"{type(self).__name__} cannot be changed. Make a new one: {self._INSTEAD}."
        )

    __setitem__ = __delitem__ = update = setdefault = pop = popitem = clear = _refuse

    def __or__(self, other):
        merged = super().__or__(other)
        return merged if merged is NotImplemented else type(self)(merged)

    def __ior__(self, other):
        return self | other

    def copy(self):
        """Itself: nobody can change it."""
        return self

    __copy__ = copy

    def __deepcopy__(self, _):
        return self

    def __reduce__(self):
        return type(self), (dict(self),)


def freeze(value, copy=True):
    """Value with arrays read-only (copied if they were not), tuples for lists, frozen mappings."""
    if isinstance(value, np.ndarray):
        if value.flags.writeable:
            value = value.copy() if copy else value
            value.setflags(write=False)
        return value
    if type(value) is dict:
        return FrozenDict(value)
    if type(value) in (list, tuple):
        return tuple(freeze(item, copy) for item in value)
    return value


def same(one, other):
    """Whether two values are equal, arrays element by element; NaN equals NaN."""
    if isinstance(one, np.ndarray) != isinstance(other, np.ndarray):
        return False
    if isinstance(one, np.ndarray):
        if one.shape != other.shape or (one.dtype == object) != (other.dtype == object):
            return False
        numbers = one.dtype.kind in "fc" and other.dtype.kind in "fc"
        return np.array_equal(one, other, equal_nan=numbers)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(v, other[k]) for k, v in one.items())
    both_nan = isinstance(one, float) and one != one and other != other
    return both_nan or bool(one == other)


class Frozen:
    """Base of the frozen dataclasses (with ``eq=False``): frozen to the last array, and comparable.

    Two are equal if all their fields are, but for those declared with ``compare=False``.
    """

    def __post_init__(self):
        for field in fields(self):
            object.__setattr__(self, field.name, freeze(getattr(self, field.name)))

    def __getstate__(self):
        # Not what is cached: it can be made again.
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __setstate__(self, state):
        for name, value in state.items():
            # numpy forgets in pickles and deep copies that an array was read-only.
            object.__setattr__(self, name, freeze(value, copy=False))

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return all(
            same(getattr(self, f.name), getattr(other, f.name)) for f in fields(self) if f.compare
        )

    def __hash__(self):
        shown = (getattr(self, field.name) for field in fields(self) if field.compare)
        return hash((type(self), *(v for v in shown if isinstance(v, str | int))))
