"""/proc/PID is read while that process executes, ends, or is collected: old news, ENOENT or ESRCH, never a broken kernel."""

import pytest

from tests.support.machines import program, sweep

READ = """
async def main(argv):
    pid = await fork()
    if pid == 0:
        await dawdle(100)
        await _exit(0)
    await dawdle(150)
    try:
        content = await {read}
        order = b"alive" if content and b"zombie" not in content else b"ended"
    except OSError as error:
        assert error.errno in (EACCES, ENOENT, ESRCH), error
        order = b"ended"
    await waitpid(pid, 0)
    await write(1, order)
"""

STATE = """
async def reaper(pid):
    await dawdle(100)
    await waitpid(pid, 0)

async def main(argv):
    pid = await fork()
    if pid == 0:
        await dawdle(150)
        await _exit(0)
    thread = await pthread_create(reaper, pid)
    try:
        fd = await open(f"/proc/{pid}/stat", O_RDONLY)
        await dawdle(100)
        text = await read(fd, 1000)
        state = text.rsplit(b")", 1)[1].split()[0]
        assert state in (b"R", b"S", b"D", b"Z"), state
        order = b"a zombie" if state == b"Z" else b"alive"
    except OSError as error:
        assert error.errno in (ENOENT, ESRCH), error
        order = b"gone"
    await pthread_join(thread)
    await write(1, order)
"""

EXEC = """
async def main(argv):
    pid = await fork()
    if pid == 0:
        await execv("./then", ["then"])
    await dawdle(150)
    fd = await open(f"/proc/{pid}/comm", O_RDONLY)
    name = await read(fd, 100)
    await waitpid(pid, 0)
    await write(1, name.strip())
"""

LIST = """
async def main(argv):
    pid = await fork()
    if pid == 0:
        await dawdle(250)
        await _exit(0)
    await dawdle(60)
    names = await listdir("/proc")
    got, _ = await waitpid(pid, WNOHANG)
    if not got:
        await waitpid(pid, 0)
    assert str(pid) in names, "a child that was not collected is missing"
    assert str(pid) not in await listdir("/proc"), "a child that was collected is listed"
    await write(1, b"exit first" if got else b"list first")
"""


@pytest.mark.parametrize("file", ["status", "maps", "cmdline", "fd"])
def test_a_process_ends_while_its_files_are_read(file: str) -> None:
    """The request is parked in files while processes asks memory and others: does it come to an end whichever of them knows it last?"""
    path = f'f"/proc/{{pid}}/{file}"'
    read = f"listdir({path})" if file == "fd" else f"read(await open({path}, O_RDONLY), 1000)"
    sweep(READ.replace("{read}", read), orders=("alive", "ended"))


def test_a_process_is_seen_alive_as_a_zombie_or_not_at_all() -> None:
    """Read while it ends and is collected by another thread: is each of the three seen at some time?"""
    sweep(STATE, orders=("alive", "a zombie", "gone"))


def test_a_process_has_its_old_or_its_new_name_while_it_executes() -> None:
    """Does the name change at one moment?"""
    sweep(program(EXEC, then="async def main(argv): await _exit(0)"), orders=("program", "then"))


def test_a_child_is_listed_until_it_is_collected() -> None:
    """/proc as a directory: zombies are in it."""
    sweep(LIST, orders=("exit first", "list first"))
