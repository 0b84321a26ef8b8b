"""Who may do what: tables of errnos."""

from __future__ import annotations

import pytest

from kernel.abi.errno_values import EINVAL, EPERM
from kernel.abi.errnos import SysError
from kernel.abi.flags import RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_STACK
from kernel.processes.credentials import ROOT, Credentials
from kernel.processes.limits import INFINITY, change, default_limits

USER = Credentials(1000, 1000, 1000, 1000, 1000, 1000)


def errno_of(call: object, *arguments: object) -> int:
    with pytest.raises(SysError) as error:
        call(*arguments)  # type: ignore[operator]
    return error.value.errno


def test_root_gives_all_three_ids_away() -> None:
    assert ROOT.setuid(1000) == Credentials(1000, 1000, 1000, 0, 0, 0)


def test_a_user_may_only_take_ids_that_it_has() -> None:
    assert USER.setuid(1000) == USER
    assert errno_of(USER.setuid, 0) == EPERM
    assert errno_of(USER.setgid, 0) == EPERM
    assert Credentials(1000, 0, 0, 0, 0, 0).setuid(5).uid == 5


@pytest.mark.parametrize("number", [-1, 0xFFFF_FFFF])
def test_the_invalid_id_is_einval(number: int) -> None:
    assert errno_of(ROOT.setuid, number) == EINVAL
    assert errno_of(ROOT.setgid, number) == EINVAL


def test_signals_go_to_processes_of_the_same_user() -> None:
    stranger = Credentials(2000, 2000, 2000)
    assert USER.may_signal(USER)
    assert not USER.may_signal(stranger)
    assert ROOT.may_signal(stranger)
    assert USER.may_signal(Credentials(0, 0, 1000)), "the saved id counts"
    assert not USER.may_signal(Credentials(0, 1000, 0)), "the target's effective id does not"


def test_defaults_are_those_of_linux() -> None:
    limits = default_limits(1024, 4096)
    assert len(limits) == 16
    assert limits[RLIMIT_STACK] == (8 << 20, INFINITY)
    assert limits[RLIMIT_CORE] == (0, INFINITY)
    assert limits[RLIMIT_NOFILE] == (1024, 4096)
    assert limits[RLIMIT_NPROC] == (2048, 2048)


def test_a_soft_limit_moves_up_to_the_hard_one() -> None:
    limits = default_limits(1024, 4096)
    assert change(limits, RLIMIT_NOFILE, (4096, 4096), privileged=False) == (1024, 4096)
    assert change(limits, RLIMIT_NOFILE, None, privileged=False) == (4096, 4096)


@pytest.mark.parametrize(("resource", "wanted", "privileged", "errno"), [
    (16, None, True, EINVAL), (-1, None, True, EINVAL), (RLIMIT_NOFILE, (10, 5), True, EINVAL), (RLIMIT_NOFILE, (10, 5000), False, EPERM),
    (RLIMIT_NOFILE, (10, (1 << 20) + 1), True, EPERM), (RLIMIT_NPROC, (1, INFINITY), False, EPERM),
])
def test_limits_refuse(resource: int, wanted: tuple[int, int] | None, privileged: bool, errno: int) -> None:
    limits = default_limits(1024, 4096)
    with pytest.raises(SysError) as error:
        change(limits, resource, wanted, privileged)
    assert error.value.errno == errno
    assert limits == default_limits(1024, 4096), "a refused call changes nothing"


def test_root_raises_hard_limits() -> None:
    limits = default_limits(1024, 4096)
    change(limits, RLIMIT_NPROC, (-1, -1), privileged=True)
    assert limits[RLIMIT_NPROC] == (INFINITY, INFINITY)
