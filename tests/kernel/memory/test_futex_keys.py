"""Futex keys: two threads that mean the same word get the same key, and nobody else does."""

from __future__ import annotations

import pytest

from kernel.abi import flags as f
from kernel.abi.errno_values import EFAULT, EINVAL
from kernel.abi.errnos import SysError
from kernel.abi.layout import USER_END
from kernel.memory.futex_keys import futex_key, futex_word
from tests.support.memory_machine import PAGE, SHARED, MemoryMachine


@pytest.fixture
def machine():
    return MemoryMachine()


def test_a_shared_word_has_one_key_wherever_it_is_mapped(machine):
    first, second = machine.new_space(), machine.new_space()
    file = machine.file(2, bytes(PAGE))
    one = machine.mmap(first, PAGE, flags=f.MAP_SHARED, file=file)
    machine.mmap(second, PAGE)
    other = machine.mmap(second, PAGE, flags=f.MAP_SHARED, file=file)
    assert one != other
    assert futex_key(machine.memory, first, one + 8, private=False) == (0, 2, 8)
    assert futex_key(machine.memory, second, other + 8, private=False) == (0, 2, 8)


def test_a_private_words_key_survives_copy_on_write(machine):
    parent = machine.new_space()
    address = machine.mmap(parent, PAGE)
    machine.store(parent, address, 1)
    before = futex_key(machine.memory, parent, address, private=False)
    child = machine.fork(parent)
    machine.store(parent, address, 2)
    assert futex_key(machine.memory, parent, address, private=False) == before == (1, parent, address)
    assert futex_key(machine.memory, child, address, private=False) == (1, child, address)


def test_the_private_flag_is_believed(machine):
    number = machine.new_space()
    address = machine.mmap(number, PAGE, flags=SHARED)
    assert futex_key(machine.memory, number, address, private=True) == (1, number, address)


def test_unaligned_is_einval_and_unreadable_is_efault(machine):
    number = machine.new_space()
    hidden = machine.mmap(number, PAGE, f.PROT_NONE)
    refusals = [(hidden + 2, False, EINVAL), (hidden, False, EFAULT), (0, False, EFAULT), (USER_END, True, EFAULT), (-4, True, EFAULT)]
    for address, private, errno in refusals:
        with pytest.raises(SysError) as refused:
            futex_key(machine.memory, number, address, private)
        assert refused.value.errno == errno
    with pytest.raises(SysError) as refused:
        futex_word(machine.memory, number, hidden)
    assert refused.value.errno == EFAULT


def test_a_word_is_read_unsigned_and_a_fresh_page_reads_zero(machine):
    number = machine.new_space()
    address = machine.mmap(number, PAGE)
    assert futex_word(machine.memory, number, address) == 0
    for byte in range(4):
        machine.store(number, address + byte, 0xFF)
    assert futex_word(machine.memory, number, address) == 0xFFFF_FFFF
    assert machine.memory.peek(number, address) == -1
    assert machine.memory.peek(number, address + PAGE) is None
