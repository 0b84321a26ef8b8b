"""fork and copy-on-write against a model in which fork copies every byte at once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi import flags as f
from tests.support.memory_machine import PAGE, PRIVATE, RW, SHARED, MemoryMachine, Segfault

PRIVATE_AT = 0x1F_C000  # crosses a border of blocks
SHARED_AT = 0x40_0000
FILE_AT = 0x60_0000
PAGES = 8

STEPS = st.lists(st.tuples(
    st.sampled_from(["store", "store", "store", "fork", "exit", "unmap", "map", "hide", "show", "readonly", "write_file", "truncate"]),
    st.integers(0, 5), st.integers(0, 3 * PAGES - 1), st.integers(1, 3)), max_size=40)


class Model:
    """Bytes by page: private ones per space, shared ones once; and what each space has mapped, with which protection."""

    def __init__(self) -> None:
        self.private: dict[int, dict[int, int]] = {}
        self.prot: dict[int, dict[int, int]] = {}
        self.anonymous = dict.fromkeys(range(PAGES), 0)
        self.file = [7] * PAGES  # of each page; private copies live in `private`
        self.file_pages = PAGES


def address_of(page: int) -> int:
    return (PRIVATE_AT, SHARED_AT, FILE_AT)[page // PAGES] + page % PAGES * PAGE


class Both:
    def __init__(self) -> None:
        self.machine, self.model = MemoryMachine(frames=4000), Model()
        self.file = self.machine.file(2, b"".join(bytes([7]) + bytes(PAGE - 1) for _ in range(PAGES)))
        self.number = self.machine.new_space()
        fixed = f.MAP_FIXED
        self.machine.mmap(self.number, PAGES * PAGE, RW, PRIVATE | fixed, address=PRIVATE_AT)
        self.machine.mmap(self.number, PAGES * PAGE, RW, SHARED | fixed, address=SHARED_AT)
        self.machine.mmap(self.number, PAGES * PAGE, RW, f.MAP_PRIVATE | fixed, address=FILE_AT, file=self.file)
        self.model.private[self.number] = {}
        self.model.prot[self.number] = dict.fromkeys(range(3 * PAGES), RW)

    def expected(self, number: int, page: int) -> int | None:
        """The byte that a load gives; None: a signal."""
        if not self.model.prot[number].get(page):
            return None
        if PAGES <= page < 2 * PAGES:
            return self.model.anonymous[page - PAGES]
        if page >= 2 * PAGES:
            if page - 2 * PAGES >= self.model.file_pages:
                return None
            return self.model.private[number].get(page, self.model.file[page - 2 * PAGES])
        return self.model.private[number].get(page, 0)

    def loaded(self, number: int, page: int) -> int | None:
        try:
            return self.machine.load(number, address_of(page))
        except Segfault:
            return None

    def step(self, step: str, who: int, page: int, value: int) -> None:
        numbers = list(self.model.prot)
        if not numbers:
            return
        number = numbers[who % len(numbers)]
        prot = self.model.prot[number]
        if step == "store":
            self.store(number, page, value)
        elif step == "fork" and len(numbers) < 6:
            child = self.machine.fork(number)
            self.model.private[child] = dict(self.model.private[number])
            self.model.prot[child] = dict(prot)
        elif step == "exit":
            self.machine.exit(number)
            del self.model.prot[number], self.model.private[number]
        elif step == "unmap":
            self.machine.munmap(number, address_of(page), PAGE)
            prot.pop(page, None)
            self.model.private[number].pop(page, None)
        elif step == "map" and page < PAGES:
            self.machine.mmap(number, PAGE, RW, PRIVATE | f.MAP_FIXED, address=address_of(page))
            prot[page] = RW
            self.model.private[number].pop(page, None)
        elif step in {"hide", "show", "readonly"} and page in prot:
            prot[page] = {"hide": 0, "show": RW, "readonly": f.PROT_READ}[step]
            assert self.machine.mprotect(number, address_of(page), PAGE, prot[page]) == 0
        elif step == "write_file":
            self.write_file(page % PAGES, value)
        elif step == "truncate":
            self.truncate(page % PAGES)

    def store(self, number: int, page: int, value: int) -> None:
        allowed = self.expected(number, page) is not None and self.model.prot[number][page] & f.PROT_WRITE
        try:
            self.machine.store(number, address_of(page), value)
            assert allowed
        except Segfault:
            assert not allowed
            return
        if PAGES <= page < 2 * PAGES:
            self.model.anonymous[page - PAGES] = value
        else:
            self.model.private[number][page] = value

    def write_file(self, page: int, value: int) -> None:
        self.machine.memory.objects.write(2, page * PAGE, bytes([value]) + bytes(PAGE - 1))
        for hole in range(self.model.file_pages, page):
            self.model.file[hole] = 0
        self.model.file[page] = value
        self.model.file_pages = max(self.model.file_pages, page + 1)

    def truncate(self, page: int) -> None:
        self.machine.truncate(2, page * PAGE)
        if page < self.model.file_pages:
            for copies in self.model.private.values():
                for gone in range(2 * PAGES + page, 2 * PAGES + self.model.file_pages):
                    copies.pop(gone, None)
        else:
            for hole in range(self.model.file_pages, page):
                self.model.file[hole] = 0
        self.model.file_pages = page


@given(STEPS)
@settings(max_examples=50, deadline=None)
def test_fork_with_copy_on_write_is_a_copy_of_all_bytes(steps):
    both = Both()
    for step in steps:
        both.step(*step)
        assert both.machine.violations() == []
        for number in both.model.prot:
            assert both.loaded(number, step[2]) == both.expected(number, step[2])
    for number in list(both.model.prot):
        assert [both.loaded(number, page) for page in range(3 * PAGES)] == [both.expected(number, page) for page in range(3 * PAGES)]
        both.machine.exit(number)
    assert both.machine.violations() == []
    assert both.machine.used == both.machine.memory.statistics().cached
    both.machine.memory.drop_object(2)
    assert both.machine.used == 0
