"""From a path to an inode: path_resolution(7).

`walk` takes one component after the other: search permission on the directory, then the name's length, then the look-up. A symbolic link
on the way is spliced into what is left of the path, at most 40 times (ELOOP). What happens at the *last* component is the caller's choice:

    FOLLOW    open, stat, chdir, chmod: a link is followed
    NOFOLLOW  lstat, readlink, O_NOFOLLOW: it is not, unless a slash follows the name
    PARENT    mkdir, unlink, rename: never; the caller looks at `kind` and `trailing` itself
    CREATE    open(O_CREAT): as FOLLOW, but a trailing slash is EISDIR; CREATE_EXCLUSIVE (O_EXCL) does not follow

The name may be missing (`found` is 0): that is an error only to some callers, and the parent is what the others need.
A path that leads into /proc ends the walk: `proc` are the parts below it, and their meaning is `processes`' business.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from kernel.abi.errno_values import EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR
from kernel.abi.errnos import SysError
from kernel.abi.flags import NAME_MAX, PATH_MAX, SYMLOOP_MAX
from kernel.files.inodes import PROC, ROOT, Inode, InodeTable
from kernel.files.permissions import MAY_EXECUTE, Credentials, require


class Last(IntEnum):
    """What to do at the last component."""

    FOLLOW = 0
    NOFOLLOW = 1
    PARENT = 2
    CREATE = 3
    CREATE_EXCLUSIVE = 4


class Kind(IntEnum):
    """What the last component is."""

    NORMAL = 0
    DOT = 1
    DOTDOT = 2
    ROOT = 3  # there is none: "/"


class Place(NamedTuple):
    """Where a relative path starts: a directory, or a directory below /proc."""

    inode: int
    proc: tuple[str, ...] = ()


class Walk(NamedTuple):
    """Where a path led."""

    parent: int  # directory that holds the last component
    name: bytes  # the last component
    found: int  # inode of the last component; 0: there is none
    kind: Kind
    trailing: bool  # a slash follows it
    proc: tuple[str, ...] | None = None  # parts below /proc


ROOT_PLACE: Final = Place(ROOT)


def check_path(path: bytes) -> None:
    """What getname() refuses: ENOENT for an empty path, ENAMETOOLONG for 4096 bytes or more."""
    if not path:
        raise SysError(ENOENT)
    if len(path) >= PATH_MAX:
        raise SysError(ENAMETOOLONG)


def walk(inodes: InodeTable, start: Place, path: bytes, who: Credentials, last: Last) -> Walk:
    """Resolve `path`. Raises ENOENT (a directory on the way), ENOTDIR, EACCES, ELOOP, ENAMETOOLONG, and EISDIR for CREATE."""
    check_path(path)
    if path.startswith(b"/"):
        start = ROOT_PLACE
    if start.proc:
        return walk_in_proc(inodes, list(start.proc), path, who, last)
    current = inodes.get(start.inode)
    if not current.is_directory:
        raise SysError(ENOTDIR)
    rest = path.lstrip(b"/")
    links = 0
    while rest:
        if current.number == PROC:
            return walk_in_proc(inodes, [], rest, who, last)
        require(current, MAY_EXECUTE, who)
        name, slash, rest = rest.partition(b"/")
        rest = rest.lstrip(b"/")
        trailing = bool(slash) and not rest
        if not rest and last >= Last.CREATE and trailing and name not in (b".", b".."):
            raise SysError(EISDIR)
        number = look_up(current, name)
        inode = inodes.find(number) if number else None
        if inode is not None and inode.is_link and (rest or _follows(last, trailing)):
            links += 1
            if links > SYMLOOP_MAX:
                raise SysError(ELOOP)
            rest = inode.target + (b"/" + rest if rest or trailing else b"")
            if rest.startswith(b"/"):
                current = inodes.get(ROOT)
                rest = rest.lstrip(b"/")
            continue
        if not rest:
            return _arrived(current, name, inode, trailing, last)
        current = _enter(inode)
    if current.number == PROC:
        return Walk(PROC, b"", PROC, Kind.ROOT, trailing=True, proc=())
    return Walk(current.number, b"", current.number, Kind.ROOT, trailing=True)


def look_up(directory: Inode, name: bytes) -> int:
    """The inode number of `name` in `directory`, 0 if there is none. ENAMETOOLONG."""
    if len(name) > NAME_MAX:
        raise SysError(ENAMETOOLONG)
    if name == b".":
        return directory.number
    if name == b"..":
        return directory.parent
    assert directory.entries is not None, "names are looked up in directories"
    entry = directory.entries.get(name)
    return 0 if entry is None else entry.number


def walk_in_proc(inodes: InodeTable, parts: list[str], rest: bytes, who: Credentials, last: Last) -> Walk:
    """Go on below /proc. ".." is taken by name here, since only `processes` knows what the names are; it may lead out again."""
    names = [name for name in rest.split(b"/") if name not in (b"", b".")]
    for index, name in enumerate(names):
        if len(name) > NAME_MAX:
            raise SysError(ENAMETOOLONG)
        if name != b"..":
            parts.append(name.decode("utf-8", "surrogateescape"))
        elif parts:
            parts.pop()
        else:
            outside = b"/".join(names[index + 1 :]) or b"."
            return walk(inodes, ROOT_PLACE, outside + (b"/" if rest.endswith(b"/") else b""), who, last)
    return Walk(PROC, names[-1] if names else b".", PROC, Kind.NORMAL if parts else Kind.ROOT, rest.endswith(b"/"), tuple(parts))


def path_of(inodes: InodeTable, number: int) -> bytes | None:
    """The absolute path of a directory; None if it, or one above it, was removed: getcwd(3)."""
    parts: list[bytes] = []
    while number != ROOT:
        inode = inodes.find(number)
        if inode is None or inode.nlink == 0:
            return None
        parts.append(inode.name)
        number = inode.parent
    return b"/" + b"/".join(reversed(parts))


def name_path(inodes: InodeTable, parent: int, name: bytes) -> bytes:
    """The absolute path of `name` in the directory `parent`."""
    above = path_of(inodes, parent) or b""
    return above.rstrip(b"/") + b"/" + name


def is_ancestor(inodes: InodeTable, above: int, number: int) -> bool:
    """Is the directory `above` the directory `number`, or one over it?"""
    while number not in (above, ROOT):
        inode = inodes.find(number)
        if inode is None:  # below a removed directory
            return False
        number = inode.parent
    return number == above


def _follows(last: Last, trailing: bool) -> bool:
    if last in (Last.PARENT, Last.CREATE_EXCLUSIVE):
        return False
    return last is not Last.NOFOLLOW or trailing


def _enter(inode: Inode | None) -> Inode:
    if inode is None:
        raise SysError(ENOENT)
    if not inode.is_directory:
        raise SysError(ENOTDIR)
    return inode


def _arrived(current: Inode, name: bytes, inode: Inode | None, trailing: bool, last: Last) -> Walk:
    kind = Kind.DOT if name == b"." else Kind.DOTDOT if name == b".." else Kind.NORMAL
    if inode is not None and trailing and last is not Last.PARENT and not inode.is_directory:
        raise SysError(ENOTDIR)
    found = 0 if inode is None else inode.number
    proc = () if found == PROC and last is not Last.PARENT else None
    return Walk(current.number, name, found, kind, trailing, proc)
