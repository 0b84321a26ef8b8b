"""Users and groups of a process, and what they allow: setuid(2), setgid(2), the permission of kill(2).

Each process has a real, an effective and a saved id. Privilege is effective uid 0 (there are no capabilities). The effective ids also
travel in every request's `Caller`, where files checks them; here stands the truth that changes it.

Not modelled: supplementary groups, set-user-ID programs, file system ids of their own. Manual: credentials(7), kill(2).
"""

from __future__ import annotations

from typing import Final

import msgspec

from kernel.abi.errno_values import EINVAL, EPERM
from kernel.abi.errnos import SysError

INVALID_ID: Final = 0xFFFF_FFFF  # (uid_t)-1 names nobody


class Credentials(msgspec.Struct, frozen=True):
    """The six ids of a process."""

    uid: int = 0
    euid: int = 0
    suid: int = 0
    gid: int = 0
    egid: int = 0
    sgid: int = 0

    @property
    def privileged(self) -> bool:
        """May do what root may."""
        return self.euid == 0

    def setuid(self, uid: int) -> Credentials:
        """Change user ids, setuid: root sets all three, others only the effective one, to real or saved. Raises EINVAL, EPERM."""
        _check_id(uid)
        if self.privileged:
            return msgspec.structs.replace(self, uid=uid, euid=uid, suid=uid)
        if uid not in (self.uid, self.suid):
            raise SysError(EPERM)
        return msgspec.structs.replace(self, euid=uid)

    def setgid(self, gid: int) -> Credentials:
        """Change group ids, setgid: the same for groups; privilege is still the effective uid. Raises EINVAL, EPERM."""
        _check_id(gid)
        if self.privileged:
            return msgspec.structs.replace(self, gid=gid, egid=gid, sgid=gid)
        if gid not in (self.gid, self.sgid):
            raise SysError(EPERM)
        return msgspec.structs.replace(self, egid=gid)

    def may_signal(self, target: Credentials) -> bool:
        """kill(2): real or effective uid of the sender equals real or saved uid of the target, or privilege."""
        return self.privileged or self.euid in (target.uid, target.suid) or self.uid in (target.uid, target.suid)

    def owns(self, target: Credentials) -> bool:
        """What sched_setaffinity(2) and setpriority(2) ask: effective uid equals the target's real or effective uid, or privilege."""
        return self.privileged or self.euid in (target.uid, target.euid)

    def may_inspect(self, target: Credentials) -> bool:
        """What ptrace(2)'s access check asks, for /proc/PID/fd, maps and exe, and prlimit(2): all of the target's ids are the caller's."""
        users = self.uid == target.uid == target.euid == target.suid
        groups = self.gid == target.gid == target.egid == target.sgid
        return self.privileged or (users and groups)


ROOT: Final = Credentials()


def _check_id(number: int) -> None:
    if number < 0 or number >= INVALID_ID:
        raise SysError(EINVAL)
