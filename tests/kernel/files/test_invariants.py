"""Each invariant finds the damage that it is there for."""

from __future__ import annotations

import pytest

from kernel.abi import flags as f
from kernel.files.descriptors import Slot
from kernel.files.records import ObjectUnused
from tests.support.files_actor import LoneFiles, Process, files


@pytest.fixture
def process():
    process = Process(LoneFiles(input_ended=False))
    process.call(files.Mknod, b"p", f.S_IFIFO | 0o666, 0)
    return process


@pytest.fixture
def state(process):
    return process.actor.state


def found(state):
    return {violation.name for violation in state.check()}


def test_a_settled_state_is_sound(state):
    assert found(state) == set()


def test_description_references(state):
    state.descriptions[1].references += 1
    assert found(state) == {"description_references"}


def test_a_descriptor_without_description(state):
    state.tables[1].slots[9] = Slot(99, close_on_exec=False)
    assert "description_references" in found(state)


def test_descriptor_limits(state):
    state.tables[1].slots[-1] = state.tables[1].slots.pop(0)
    assert found(state) == {"descriptor_limits"}


def test_table_users(state):
    state.tables[1].users = 0
    assert found(state) == {"table_users"}
    state.tables[1].users = 1
    state.contexts[1].users = 0
    assert found(state) == {"table_users"}


def test_link_counts(process, state):
    number = process.stat(b"p").st_ino
    state.inodes.edit(number).nlink = 2
    assert found(state) == {"link_counts"}
    state.inodes.edit(number).nlink = 1
    state.inodes.edit(process.stat(b"/tmp").st_ino).name = b"other"
    assert found(state) == {"link_counts"}


def test_a_name_that_leads_nowhere(process, state):
    state.inodes.remove(process.stat(b"p").st_ino)
    assert "link_counts" in found(state)


def test_inode_references(process, state):
    state.inodes.edit(process.stat(b"p").st_ino).references = 1
    assert found(state) == {"inode_references"}


def test_unused_inodes(process, state):
    state.inodes.edit(process.stat(b"p").st_ino).pipe = 5
    assert found(state) == {"unused_inodes"}


def test_fifo_tickets(process, state):
    process.open(b"p")
    assert found(state) == set()
    slot = state.tables[1].slots.pop(3)
    assert found(state) == {"fifo_tickets"}
    state.tables[1].slots[3] = slot
    state.inodes.edit(process.stat(b"p").st_ino).pipe += 1
    assert found(state) == {"fifo_tickets"}


def test_console_tickets(process, state):
    process.call(files.Read, 0, 1)
    assert found(state) == set()
    (ticket,) = state.console_waits
    state.console_waits[ticket] = type(state.console_waits[ticket])(99, 1)
    assert "console_tickets" in found(state)


def test_terminal_ended(state):
    state.terminal.line += b"x"
    assert found(state) == set()
    state.terminal.ended = True
    assert found(state) == {"terminal_ended"}


def test_effects_told(state):
    state.effects.append(ObjectUnused(2))
    assert found(state) == {"effects_told"}
