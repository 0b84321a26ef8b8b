"""The tree at boot: what a machine finds in its file system before the first program runs (hier(7)).

    /bin         images of the programs that come with the machine
    /home/user   images of the user's folder: the first working directory
    /etc/passwd  root and the user
    /dev         null zero random urandom console tty, and shm for shared memory
    /proc        empty here: `processes` knows what is in it
    /tmp         mode 1777

One `BootTree` serves all machines that boot the same programs: it is never changed (machines copy what they edit, see inodes.py), and an
inode is made when it is first looked at, so that an image which nobody touches need not even be built: `bin` and `home` may be mappings
that make their values on demand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from kernel.abi.flags import S_IFDIR, S_IFREG
from kernel.files.devices import DEVICES, DeviceNode
from kernel.files.inodes import BOOT_TIME_NS, FIRST_COOKIE, PROC, ROOT, Entry, Inode

BIN: Final = 3
DEV: Final = 4
ETC: Final = 5
HOME: Final = 6
HOME_USER: Final = 7
TMP: Final = 8
SHM: Final = 9
PASSWD: Final = 10
FIRST_DEVICE: Final = 11
FIRST_PROGRAM: Final = FIRST_DEVICE + len(DEVICES)

DEFAULT_USER_ID: Final = 1000  # of "user" in /etc/passwd on machines whose programs run as root


class BootTree:
    """The immutable template. `bin` and `home` map file names to images."""

    __slots__ = ("_made", "_names", "_programs", "first_free", "gid", "uid")

    def __init__(self, bin: Mapping[str, bytes], home: Mapping[str, bytes], uid: int = 0, gid: int = 0) -> None:
        self.uid = uid  # who owns /home/user
        self.gid = gid
        self._made: dict[int, Inode] = {}  # a cache: always what `_make` gives
        self._programs: dict[int, tuple[Mapping[str, bytes], str]] = {}
        bin_names = self._number(bin, FIRST_PROGRAM)
        home_names = self._number(home, FIRST_PROGRAM + len(bin_names))
        self.first_free = FIRST_PROGRAM + len(self._programs)
        devices = {node.name: FIRST_DEVICE + index for index, node in enumerate(DEVICES)}
        self._names: dict[int, dict[bytes, int]] = {
            ROOT: {b"bin": BIN, b"dev": DEV, b"etc": ETC, b"home": HOME, b"proc": PROC, b"tmp": TMP},
            PROC: {},
            BIN: bin_names,
            DEV: {**devices, b"shm": SHM},
            ETC: {b"passwd": PASSWD},
            HOME: {b"user": HOME_USER},
            HOME_USER: home_names,
            TMP: {},
            SHM: {},
        }

    def find(self, number: int) -> Inode | None:
        """Its inode of that number, made now if this is the first look."""
        inode = self._made.get(number)
        if inode is None and 0 < number < self.first_free:
            inode = self._made[number] = self._make(number)
        return inode

    def numbers(self) -> Iterator[int]:
        """All of its inode numbers."""
        return iter(range(ROOT, self.first_free))

    def __deepcopy__(self, memo: object) -> BootTree:
        return self  # it never changes

    def _number(self, programs: Mapping[str, bytes], first: int) -> dict[bytes, int]:
        numbers = {}
        for number, name in enumerate(programs, first):
            self._programs[number] = (programs, name)
            numbers[name.encode("utf-8", "surrogateescape")] = number
        return numbers

    def _make(self, number: int) -> Inode:
        if number in self._names:
            return self._directory(number)
        if number == PASSWD:
            return self._file(number, 0o644, self._passwd(), 0, 0)
        if number in self._programs:
            programs, name = self._programs[number]
            owner = (self.uid, self.gid) if number in self._names[HOME_USER].values() else (0, 0)
            return self._file(number, 0o755, programs[name], *owner)
        return self._device(number, DEVICES[number - FIRST_DEVICE])

    def _directory(self, number: int) -> Inode:
        names = self._names[number]
        entries = {name: Entry(child, FIRST_COOKIE + index) for index, (name, child) in enumerate(names.items())}
        parent, name = next(
            ((above, name) for above, inside in self._names.items() for name, child in inside.items() if child == number), (ROOT, b"")
        )
        owner = (self.uid, self.gid) if number == HOME_USER else (0, 0)
        mode = {TMP: 0o1777, SHM: 0o1777, PROC: 0o555}.get(number, 0o755)
        inode = Inode(number, S_IFDIR | mode, *owner, 2, BOOT_TIME_NS, BOOT_TIME_NS, BOOT_TIME_NS)
        inode.nlink += sum(child in self._names for child in names.values())
        inode.entries = entries
        inode.next_cookie += len(entries)
        inode.parent = parent
        inode.name = name
        return inode

    def _file(self, number: int, mode: int, content: bytes, uid: int, gid: int) -> Inode:
        inode = Inode(number, S_IFREG | mode, uid, gid, 1, BOOT_TIME_NS, BOOT_TIME_NS, BOOT_TIME_NS)
        inode.size = len(content)
        inode.seed = content
        return inode

    def _device(self, number: int, node: DeviceNode) -> Inode:
        return Inode(number, node.mode, 0, 0, 1, BOOT_TIME_NS, BOOT_TIME_NS, BOOT_TIME_NS, device=node.device)

    def _passwd(self) -> bytes:
        uid, gid = self.uid or DEFAULT_USER_ID, self.gid or DEFAULT_USER_ID
        return b"root:x:0:0:root:/:/bin/sh\nuser:x:%d:%d:user:/home/user:/bin/sh\n" % (uid, gid)
