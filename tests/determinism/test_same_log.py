"""Same program, same config, same seed: same log, byte for byte (law 5), whatever drives the machine and however Python hashes."""

from tests.determinism.comparing import HASH_SEEDS, TRIPLES, first_difference, same_everywhere
from tests.support.machines import FULL


def test_logs_are_equal_under_every_driver_and_hash_seed_and_when_replayed(tmp_path):
    same_everywhere(tmp_path, len(TRIPLES) if FULL else 5, HASH_SEEDS if FULL else HASH_SEEDS[:2])


def test_the_first_difference_is_named():
    assert first_difference("abc", "abc") == ""
    assert first_difference(["a", "b"], ["a", "c"]) == "they differ first at 1:\n  b\n  c"
    assert first_difference(["a"], ["a", "b"]) == "they differ first at 1:\n  (the end)\n  b"
