"""The invariants of `FilesState`, each counted afresh from the other side.

description_references   descriptors in all tables and pins of waiting calls are what a description counts
inode_references         descriptions, working directories, waiting opens and object pins are what an inode counts
link_counts              names in all directories are what an inode's nlink says
unused_inodes            an inode without name and use is gone; a FIFO that nobody has open has no pipe
descriptor_limits        descriptor numbers are not negative
table_users              a table and a context have users
fifo_tickets             an open that waits holds a reserved descriptor and its FIFO's pipe
console_tickets          a console read that waits pins an open description
terminal_ended           after the end of input nothing is left unread in the line being edited
effects_told             nothing that others must hear is left untold
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel.files.descriptors import RESERVED, Slot
from kernel.files.inodes import NO_PIPE, PROC
from kernel.invariants import Violation

if TYPE_CHECKING:
    from kernel.files.files import FilesState


def check(state: FilesState) -> Iterator[Violation]:
    """All of them."""
    yield from _descriptions(state)
    yield from _inode_references(state)
    yield from _links(state)
    yield from _waits(state)
    for fs, context in state.contexts.items():
        if context.users < 1:
            yield Violation("table_users", f"fs {fs} has no user")
    if state.terminal.ended and state.terminal.line:
        yield Violation("terminal_ended", f"{len(state.terminal.line)} bytes in the line being edited")
    if state.effects:
        yield Violation("effects_told", f"{state.effects}")


def _descriptions(state: FilesState) -> Iterator[Violation]:
    counted: Counter[int] = Counter()
    for number, table in state.tables.items():
        yield from table.check(number, state.descriptions)
        counted.update(slot.description for slot in table.slots.values())
    pins = Counter(wait.description for wait in state.console_waits.values())
    for number, description in state.descriptions.items():
        if description.references != counted[number] + pins[number] or description.pins != pins[number]:
            found = f"found {counted[number]} descriptors and {pins[number]} waiting calls"
            yield Violation("description_references", f"description {number} counts {description.references} ({description.pins}), {found}")


def _inode_references(state: FilesState) -> Iterator[Violation]:
    counted = Counter(description.inode for description in state.descriptions.values())
    counted.update(context.place.inode for context in state.contexts.values())
    counted.update(wait.inode for wait in state.fifo_waits.values())
    for pin in state.object_pins.values():
        counted[pin.inode] += pin.count
    for inode in state.inodes.all():
        if inode.references != counted[inode.number]:
            yield Violation("inode_references", f"inode {inode.number} counts {inode.references}, found {counted[inode.number]}")
        if inode.references == 0 and (inode.nlink == 0 or inode.anonymous or inode.pipe != NO_PIPE):
            yield Violation("unused_inodes", f"inode {inode.number} should be gone, or its pipe")


def _links(state: FilesState) -> Iterator[Violation]:
    names: Counter[int] = Counter()
    inside: Counter[int] = Counter()  # directories by parent
    for inode in state.inodes.all():
        for name, entry in (inode.entries or {}).items():
            names[entry.number] += 1
            child = state.inodes.find(entry.number)
            if child is None:
                yield Violation("link_counts", f"{name!r} in inode {inode.number} leads nowhere")
            elif child.is_directory:
                inside[inode.number] += 1
                if (child.parent, child.name) != (inode.number, name):
                    yield Violation("link_counts", f"directory {child.number} does not know its name {name!r}")
    for inode in state.inodes.all():
        expected = names[inode.number]
        if inode.anonymous:
            expected = 1
        elif inode.is_directory and (names[inode.number] or inode.parent == inode.number):
            expected = 2 + inside[inode.number]
        if inode.nlink != expected:
            yield Violation("link_counts", f"inode {inode.number} has nlink {inode.nlink}, found {expected}")


def _waits(state: FilesState) -> Iterator[Violation]:
    for ticket, wait in state.fifo_waits.items():
        table = state.tables.get(wait.table)
        inode = state.inodes.find(wait.inode)
        if table is None or table.slots.get(wait.fd, Slot(PROC, close_on_exec=False)).description != RESERVED:
            yield Violation("fifo_tickets", f"open of thread {ticket.tid} holds no reserved descriptor {wait.fd}")
        if inode is None or not inode.is_fifo or inode.pipe != wait.pipe:
            yield Violation("fifo_tickets", f"open of thread {ticket.tid} waits on pipe {wait.pipe}, which is not inode {wait.inode}'s")
    for ticket, read in state.console_waits.items():
        if read.description not in state.descriptions:
            yield Violation("console_tickets", f"read of thread {ticket.tid} waits on description {read.description}, which is closed")
