"""What a process does about each signal: default, ignore, or a handler. sigaction(2), signal(7).

A table belongs to whoever shares it: threads of a process always, processes made by clone(CLONE_SIGHAND) as well. fork copies it; execve
keeps what is ignored and resets handlers, whose code is gone.
"""

from __future__ import annotations

from typing import Final

import msgspec

from kernel.abi.errno_values import EINVAL
from kernel.abi.errnos import SysError
from kernel.abi.flags import (
    SA_NOCLDSTOP,
    SA_NOCLDWAIT,
    SA_NODEFER,
    SA_ONSTACK,
    SA_RESETHAND,
    SA_RESTART,
    SA_SIGINFO,
    SIG_DFL,
    SIG_IGN,
)
from kernel.abi.signos import (
    DEFAULT_CONTINUE,
    DEFAULT_CORE,
    DEFAULT_IGNORE,
    DEFAULT_TERMINATE,
    NSIG,
    SIGCHLD,
    UNBLOCKABLE,
    bit,
    default_action,
)

KNOWN_FLAGS: Final = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND  # others are cleared


class Action(msgspec.Struct, frozen=True, gc=False):
    """struct sigaction."""

    handler: int = SIG_DFL  # SIG_DFL, SIG_IGN or a .text address
    mask: int = 0  # blocked while the handler runs, besides the signal itself
    flags: int = 0  # SA_*


DEFAULT: Final = Action()


class Dispositions(msgspec.Struct):
    """One table of actions."""

    users: int = 0  # Invariant: table_users - processes that use it
    actions: dict[int, Action] = {}  # by signal; default where nothing stands

    def action(self, signo: int) -> Action:
        """What is set for `signo`."""
        return self.actions.get(signo, DEFAULT)

    def ignores(self, signo: int) -> bool:
        """Is it thrown away: SIG_IGN, or a default that does nothing (SIGCONT's continuing is done at generation)?"""
        handler = self.action(signo).handler
        return handler == SIG_IGN or (handler == SIG_DFL and default_action(signo) in (DEFAULT_IGNORE, DEFAULT_CONTINUE))

    def kills_at_once(self, signo: int) -> bool:
        """Does it end the process without a core dump? Then that is decided when the signal is sent."""
        return self.action(signo).handler == SIG_DFL and default_action(signo) == DEFAULT_TERMINATE

    def dumps_core(self, signo: int) -> bool:
        """Does its default action leave a core dump?"""
        return default_action(signo) == DEFAULT_CORE

    def discards_children(self) -> bool:
        """Do this process's children leave no zombies (wait(2), notes)?"""
        action = self.action(SIGCHLD)
        return action.handler == SIG_IGN or bool(action.flags & SA_NOCLDWAIT)

    def copy(self) -> Dispositions:
        """The table of a fork's child."""
        return Dispositions(1, dict(self.actions))

    def reset_for_exec(self) -> None:
        """Handlers become SIG_DFL, ignored signals stay so; masks and flags are gone."""
        self.actions = {signo: Action(SIG_IGN) for signo, action in self.actions.items() if action.handler == SIG_IGN}

    def set(self, signo: int, handler: int, mask: int, flags: int) -> None:
        """Replace one action; unknown flags are cleared, KILL and STOP cannot be blocked."""
        self.actions[signo] = Action(handler, mask & ~UNBLOCKABLE, flags & KNOWN_FLAGS)

    def sets(self) -> tuple[int, int]:
        """(ignored, caught) as bit sets, for /proc/PID/status."""
        ignored = caught = 0
        for signo, action in self.actions.items():
            if action.handler == SIG_IGN:
                ignored |= bit(signo)
            elif action.handler != SIG_DFL:
                caught |= bit(signo)
        return ignored, caught


def check_signo(signo: int, changes: bool) -> None:
    """rt_sigaction(2)'s EINVAL: no such signal, or an action for one whose action cannot be changed."""
    if not 1 <= signo < NSIG or (changes and bit(signo) & UNBLOCKABLE):
        raise SysError(EINVAL)
