import pickle

import numpy as np
import pytest

from geodata.study import Adjacency, RoadNetwork, TravelMatrix, compute_digest


def _matrix() -> TravelMatrix:
    numbers = np.ones((2, 1), dtype=np.float32)
    snap = np.zeros(2, dtype=np.float32)
    return TravelMatrix("walk", ("a", "b"), ("s",), numbers, numbers * 70, snap, snap[:1])


@pytest.mark.parametrize("again", [lambda value: value, lambda value: pickle.loads(pickle.dumps(value))])
def test_arrays_are_read_only_also_after_pickling(again) -> None:  # type: ignore[no-untyped-def]
    matrix = again(_matrix())
    with pytest.raises(ValueError, match="read-only"):
        matrix.time_min[0, 0] = 5
    with pytest.raises(AttributeError):
        matrix.mode = "drive"
    adjacency = again(Adjacency(("a",), ("b",), np.array([3.0])))
    assert not adjacency.border_m.flags.writeable


def test_the_callers_array_stays_writable() -> None:
    numbers = np.ones((1, 1), dtype=np.float32)
    TravelMatrix("walk", ("a",), ("s",), numbers, numbers, numbers[0], numbers[0])
    numbers[0, 0] = 2


def test_a_matrix_of_the_wrong_shape_is_refused() -> None:
    numbers = np.ones((2, 2), dtype=np.float32)
    with pytest.raises(ValueError, match="expected shape"):
        TravelMatrix("walk", ("a", "b"), ("s",), numbers, numbers, numbers[0], numbers[0])


def test_columns_are_found_by_id() -> None:
    assert list(_matrix().columns(["s"])) == [0]
    with pytest.raises(KeyError):
        _matrix().columns(["t"])


def test_network_counts_nodes() -> None:
    none = np.zeros(0, dtype=np.float32)
    xy = np.zeros(3)
    network = RoadNetwork("walk", np.zeros(4, dtype=np.int32), np.zeros(0, dtype=np.int32), none, none, xy, xy)
    assert network.n_nodes == 3


def test_digest_tells_content_apart() -> None:
    one, two = np.array([1, 2]), np.array([[1, 2]])
    digests = {compute_digest(one), compute_digest(two), compute_digest("ab", "c"), compute_digest("a", "bc")}
    assert len(digests) == 4
    assert compute_digest(one) == compute_digest(np.array([1, 2]))
