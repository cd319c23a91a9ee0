import hyperspy.api as hs
import pytest

from hyperspy_clusterquant.signals.origins import NODE, carry_origin, is_changed, path_of


@pytest.fixture
def loaded(sulfide, tmp_path):
    """A map from a file."""
    sulfide.save(tmp_path / "a map.hspy")
    return hs.load(tmp_path / "a map.hspy")


def cropped_in_place(s):
    s.crop(0, 2, 10)
    return s


@pytest.mark.parametrize(
    ("made", "changed"),
    [
        (lambda s: s, False),
        (lambda s: s.deepcopy(), False),
        (lambda s: s.as_lazy(), False),
        (lambda s: s.inav[:10], True),
        (lambda s: s.inav[:10].deepcopy(), True),
        (lambda s: s.isig[:100], True),
        (lambda s: s.rebin(scale=[2, 2, 1]), True),
        (lambda s: s.transpose(navigation_axes=[1, 0]), True),
        (lambda s: s.swap_axes(0, 1), True),
        (cropped_in_place, True),
        (lambda s: cropped_in_place(s.deepcopy()), True),
    ],
)
def test_the_file_is_known_of_what_is_made_of_a_map(loaded, tmp_path, made, changed):
    before = loaded.metadata.as_dictionary()
    made_of_it = made(loaded)
    assert path_of(made_of_it) == tmp_path / "a map.hspy"
    assert is_changed(made_of_it) == changed
    if made_of_it is not loaded:
        assert loaded.metadata.as_dictionary() == before
        # It is not saved over the file that it was made of.
        assert not made_of_it.tmp_parameters.has_item("filename")


def test_what_is_saved_comes_from_its_new_file(loaded, tmp_path):
    loaded.inav[:10].save(tmp_path / "part.hspy")
    part = hs.load(tmp_path / "part.hspy")
    assert (path_of(part), is_changed(part)) == (tmp_path / "part.hspy", False)
    part = part.isig[:100]
    assert (path_of(part), is_changed(part)) == (tmp_path / "part.hspy", True)
    # Also over the file that it was made of.
    loaded.crop(0, 0, 10)
    loaded.save(tmp_path / "a map.hspy", overwrite=True)
    again = hs.load(tmp_path / "a map.hspy")
    assert (path_of(again), is_changed(again)) == (tmp_path / "a map.hspy", False)


def test_of_a_map_from_nowhere_nothing_is_noted(sulfide):
    part = sulfide.inav[:10].rebin(scale=[2, 2, 1]).deepcopy()
    assert path_of(part) is None
    assert not is_changed(part)
    carry_origin(sulfide, part, changed=True)
    assert not part.metadata.has_item(NODE)
