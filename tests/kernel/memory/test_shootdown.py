"""Pending shootdowns: who is waited for, and who waits."""

from __future__ import annotations

from kernel.memory.shootdown import Change, PageRange, Shootdowns


def test_the_last_acknowledgement_ends_it():
    shootdowns = Shootdowns()
    pending = shootdowns.begin(Change(None, [PageRange(1, 5, 2)], [9]), [0, 2, 2])
    assert shootdowns.acknowledge(pending.token, 2) is None
    assert shootdowns.acknowledge(pending.token, 0) is None
    assert shootdowns.acknowledge(pending.token, 2) is pending
    assert pending.frames == [9]
    assert not shootdowns.pending


def test_pages_and_spaces_of_pending_shootdowns_are_known():
    shootdowns = Shootdowns()
    first = shootdowns.begin(Change(None, [PageRange(1, 5, 2)]), [0])
    assert shootdowns.of_page(1, 6) is first
    assert shootdowns.of_page(1, 7) is None
    assert shootdowns.of_page(2, 6) is None
    whole = shootdowns.begin(Change(None, [PageRange(1, 0, -1)]), [0])
    assert shootdowns.of_page(1, 7) is whole
    assert shootdowns.of_space(1) is whole
    assert shootdowns.of_space(2) is None


def test_a_shootdown_that_waits_for_nobody_is_seen():
    shootdowns = Shootdowns()
    pending = shootdowns.begin(Change(None, [PageRange(1, 5, 2)]), [0])
    assert not list(shootdowns.check())
    pending.waiting.clear()
    assert [violation.name for violation in shootdowns.check()] == ["shootdown_pending"]
