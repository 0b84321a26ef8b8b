"""Arguments and results as strace would show them, and views that keep names and time in order whatever is filtered."""

import pytest

from actors import events as e
from actors.recorder import plain
from kernel.abi.decode import decode_arguments
from kernel.abi.ops import In
from tests.support.command_line import run_text, trapline
from trapline.log.show import call, outcome


def enter(name, *args):
    """As the core logs it, and a view shows it."""
    logged = [plain(value) for value in decode_arguments(name, args)]
    return call(e.SysEnter(nr=0, name=name, args=logged, file="p.py", line=1, pc=0))


@pytest.mark.parametrize(
    ("name", "args", "shown"),
    [
        ("mmap", (0, 80, 3, 33, -1, 0), "mmap(NULL, 80, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0)"),
        ("mprotect", (4096, 80, 0), "mprotect(0x1000, 80, PROT_NONE)"),
        ("futex", (0xA00008, 0, 2, None, 0, 0), "futex(0xa00008, FUTEX_WAIT, 2, NULL, NULL, 0)"),
        ("futex", (0xA00008, 129, 1, None, 0, 0), "futex(0xa00008, FUTEX_WAKE|FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0)"),
        ("clone", (17, 0, 0, 0, 0, 0, None), "clone(SIGCHLD, NULL, NULL, NULL, NULL, NULL, NULL)"),
        ("openat", (-100, b"/tmp/x", 0o101, 0o644), 'openat(AT_FDCWD, "/tmp/x", O_WRONLY|O_CREAT, 0644)'),
        ("openat", (-100, b"x", 0, 0), 'openat(AT_FDCWD, "x", O_RDONLY, 0)'),
        ("kill", (100, 9), "kill(100, SIGKILL)"),
        ("kill", (100, 0), "kill(100, 0)"),
        ("wait4", (-1, 1), "wait4(-1, WNOHANG)"),
        ("write", (1, b"hello\n"), 'write(1, "hello\\n")'),
        ("write", (1, In(0x802000, 15)), "write(1, 0x802000+15)"),
        ("execve", (b"/bin/ls", (b"/bin/ls", b"-l"), ()), 'execve("/bin/ls", ["/bin/ls", "-l"], [])'),
        ("rt_sigaction", (2, None), "rt_sigaction(SIGINT, NULL)"),
        ("fcntl", (3, 9999, 0), "fcntl(3, 9999, 0)"),
    ],
)
def test_arguments_have_their_names_in_c(name, args, shown):
    assert enter(name, *args) == shown


@pytest.mark.parametrize(
    ("name", "result", "error", "shown"),
    [
        ("close", None, "", "0"),
        ("read", 5, "", "5"),
        ("read", "abc", "", '"abc"'),
        ("read", -1, "EINTR", "EINTR"),
        ("mmap", "0x400000000000", "", "0x400000000000"),
        ("wait4", [101, "WIFEXITED(s) && WEXITSTATUS(s) == 0", [1, 0]], "", "[101, WIFEXITED(s) && WEXITSTATUS(s) == 0, [1, 0]]"),
    ],
)
def test_results_are_shown_as_in_c(name, result, error, shown):
    assert outcome(e.SysExit(nr=0, name=name, result=result, error=error)) == shown


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("views")
    text = "async def main():\n    if await fork():\n        await wait()\n    await printf('x\\n')\n"
    assert run_text(path, text, "--log", "log.jsonl").returncode == 0
    return path


def test_threads_keep_their_names_when_the_events_that_name_them_are_filtered_away(folder):
    shown = trapline(folder, "log", "log.jsonl", "--event", "page_fault_user,program_output").stdout
    assert "program/101" in shown
    assert "?/" not in shown


def test_lanes_go_by_time_although_a_log_goes_by_cause(folder):
    lines = trapline(folder, "log", "lanes", "log.jsonl").stdout.splitlines()[1:]
    times = [int(line.split()[0].replace(",", "")) for line in lines]
    assert times == sorted(times)


def test_calls_of_libc_before_main_name_no_line(folder):
    shown = trapline(folder, "log", "log.jsonl", "--event", "sys_enter", "--limit", "1").stdout
    assert "set_tid_address(0x" in shown
    assert "at=" not in shown
