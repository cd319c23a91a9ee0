"""Edits of clusters: what they do to labels, and that they can be taken back."""

import numpy as np
import pytest

from hyperspy_clusterquant.explore.edits import Editor

LABELS = np.array([[0, 0, 0, 1], [0, 2, 2, 1], [-1, 2, -2, 1]])
DRAWN = np.array([[0, 0, 1, 1], [0, 2, 2, 1], [2, -1, -2, 1]])


def mask_of(*places):
    mask = np.zeros(LABELS.shape, dtype=bool)
    for place in places:
        mask[place] = True
    return mask


@pytest.fixture
def editor():
    return Editor(LABELS, DRAWN, ("matrix", "shell", "core"))


def test_a_new_cluster_in_both_labels(editor):
    number = editor.new(mask_of((0, 0), (0, 2), (2, 2)), "corner")
    assert number == 3
    expected, drawn = LABELS.copy(), DRAWN.copy()
    expected[0, [0, 2]] = drawn[0, [0, 2]] = 3  # (2, 2) is left out
    np.testing.assert_array_equal(editor.now.labels, expected)
    np.testing.assert_array_equal(editor.now.drawn, drawn)
    assert editor.now.names == {0: "matrix", 1: "shell", 2: "core", 3: "corner"}
    # What it was made from stays as it was.
    assert editor.start.labels[0, 0] == 0


def test_names_that_are_not_given_are_free(editor):
    editor.new(mask_of((0, 0)))
    editor.new(mask_of((0, 1)))
    assert list(editor.now.names.values())[3:] == ["selection 1", "selection 2"]
    with pytest.raises(ValueError, match="a cluster 'core' already"):
        editor.new(mask_of((0, 2)), "core")
    with pytest.raises(ValueError, match="No pixel"):
        editor.new(mask_of((2, 2)))


def test_add_split_merge_rename_and_drop(editor):
    editor.add(mask_of((2, 0), (0, 3)), 2)
    assert editor.now.labels[2, 0] == editor.now.labels[0, 3] == 2
    editor.split(mask_of((1, 1), (1, 3)), 2, "inclusion")
    assert (editor.now.labels[1, 1], editor.now.labels[1, 3]) == (3, 1)
    editor.merge([1, 3])
    assert (editor.now.labels == 3).sum() == 0
    assert editor.now.names == {0: "matrix", 1: "shell", 2: "core"}
    editor.rename(1, "<b>ß & co</b>")
    editor.drop([0])
    assert editor.now.names == {1: "<b>ß & co</b>", 2: "core"}
    assert (editor.now.labels == 0).sum() == 0
    np.testing.assert_array_equal(editor.now.labels == -2, LABELS == -2)
    assert [edit.kind for edit in editor.edits] == ["add", "split", "merge", "rename", "drop"]


def test_undo_and_redo_go_back_and_forth(editor):
    states = [editor.now]
    steps = (
        lambda: editor.new(mask_of((0, 0)), "a"),
        lambda: editor.merge([0, 1]),
        lambda: editor.rename(2, "b"),
        lambda: editor.drop([2]),
    )
    for step in steps:
        step()
        states.append(editor.now)
    for state in states[-2::-1]:
        editor.undo()
        np.testing.assert_array_equal(editor.now.labels, state.labels)
        np.testing.assert_array_equal(editor.now.drawn, state.drawn)
        assert editor.now.names == state.names
    assert not editor.can_undo
    with pytest.raises(ValueError, match="no edit to take back"):
        editor.undo()
    for state in states[1:]:
        editor.redo()
        np.testing.assert_array_equal(editor.now.labels, state.labels)
        assert editor.now.names == state.names
    assert not editor.can_redo
    editor.undo()
    editor.rename(0, "other")  # from here on, there is nothing to redo
    with pytest.raises(ValueError, match="another was made since"):
        editor.redo()


def test_a_split_takes_what_is_drawn_of_the_cluster(editor):
    """And not what all counts say, which know the half that tests it."""
    number = editor.split(mask_of((0, 1), (0, 2), (0, 3)), 1)
    expected = mask_of((0, 2), (0, 3))
    np.testing.assert_array_equal(editor.now.labels == number, expected)
    np.testing.assert_array_equal(editor.now.drawn == number, expected)


def test_numbers_are_not_used_twice(editor):
    editor.new(mask_of((0, 0)), "a")
    editor.undo()
    assert editor.new(mask_of((0, 1)), "b") == 4


def test_a_cluster_whose_pixels_are_all_taken_is_gone(editor):
    editor.new(LABELS == 1, "taken")
    # One of its pixels is left in the half that is drawn.
    assert editor.now.names == {0: "matrix", 1: "shell", 2: "core", 3: "taken"}
    editor.undo()
    editor.new((LABELS == 1) | (DRAWN == 1), "taken")
    assert editor.now.names == {0: "matrix", 2: "core", 4: "taken"}
    editor.undo()
    assert 1 in editor.now.names


def test_what_cannot_be_done(editor):
    with pytest.raises(ValueError, match=r"no cluster 7; there are 0 \('matrix'\)"):
        editor.rename(7, "a")
    with pytest.raises(ValueError, match="at least two"):
        editor.merge([1, 1])
    with pytest.raises(ValueError, match="'core' already"):
        editor.rename(0, "core")
    with pytest.raises(ValueError, match="Give a name"):
        editor.rename(0, "")
    with pytest.raises(ValueError, match="All of 'shell' is selected"):
        editor.split(DRAWN == 1, 1)
    with pytest.raises(ValueError, match="or nothing of it"):
        editor.split(DRAWN == 0, 1)
    with pytest.raises(ValueError, match="Choose the clusters"):
        editor.drop([])
    assert not editor.edits


def test_memberships_are_whole_where_somebody_drew(editor):
    memberships = np.zeros((5, *LABELS.shape), dtype=np.float32)
    for k in range(3):
        memberships[k] = 0.2 + 0.4 * (k == LABELS)
    memberships[:, LABELS == -2] = 0
    editor.new(mask_of((0, 0)), "a")
    editor.merge([0, 1])
    editor.drop([2])
    after = editor.now.memberships_after(memberships, editor.edits)
    assert after[:, 0, 0].tolist() == [0, 0, 0, 1, 0]
    np.testing.assert_allclose(after[:, 0, 3], [0.8, 0, 0, 0, 0], rtol=1e-6)
    assert after[2].sum() == 0
    assert (after.sum(axis=0) <= 1 + 1e-6).all()
