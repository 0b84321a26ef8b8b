"""A process group becomes orphaned when the last parent outside it ends: members that are stopped then get SIGHUP and SIGCONT."""

from tests.support.machines import sweep

HANGUP = """
async def on_hangup(signo):
    await write(9, b"h")

async def main(argv):
    r, w = await pipe()
    ready, tell = await pipe()
    await dup2(w, 9)
    middle = await fork()
    if middle == 0:
        child = await fork()
        if child == 0:
            await sigaction(SIGHUP, SigAction(on_hangup))
            await setpgid(0, 0)
            await write(tell, b"%05d" % await getpid())
            while True:
                await compute(1000)
        assert len(await read(ready, 5)) == 5
        await kill(child, SIGSTOP)
        await write(tell, b"%05d" % child)
        await _exit(0)
    await waitpid(middle, 0)
    child = int(await read(ready, 5))
    await kill(child, SIGSTOP)  # nobody can wait for it, but it can be seen
    while await state_of(child) != "T":
        await sched_yield()
    await fcntl(r, F_SETFL, O_NONBLOCK)
    try:
        order = b"stop first" if await read(r, 1) == b"h" else b""
    except BlockingIOError:
        order = b"end first"
    await kill(child, SIGKILL)
    await write(1, order)

async def state_of(pid):
    fd = await open(f"/proc/{pid}/stat", O_RDONLY)
    text = await read(fd, 300)
    await close(fd)
    return text.rsplit(b")", 1)[1].split()[0].decode()
"""


def test_a_stopped_member_of_a_group_that_becomes_orphaned_is_hung_up() -> None:
    """The father ends while the child stops: is it hung up and continued exactly if it had stopped before?"""
    sweep(HANGUP, orders=("stop first", "end first"))
