"""In which order the examples are read."""

#: The others follow.
ORDER = [
    "first_steps",
    "low_counts",
    "is_it_real",
    "homogeneity",
    "kfactors",
    "absorption",
    "embedded",
    "profile",
    "series",
    "large_maps",
    "explorer",
    "report",
]


def lesson(filename):
    """Sorting key of an example: its place, and its name."""
    name = filename.removeprefix("plot_").removesuffix(".py")
    return ORDER.index(name) if name in ORDER else len(ORDER), name
