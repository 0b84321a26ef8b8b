"""signal.py - a handler for SIGUSR1 interrupts useful work, for ever: `kill -USR1 PID` from elsewhere, ^C ends it."""
from userspace.libc import *


async def handle_sigusr1(signum):
    await printf("[%d] signal received!\n", await getpid())
    await fflush(stdout)  # at once, also where stdout is no terminal

async def main():
    action = SigAction(handle_sigusr1, mask=[], flags=SA_RESTART)
    try:
        await sigaction(SIGUSR1, action)
    except OSError:
        await perror("sigaction")
        await exit(EXIT_FAILURE)
    while True:
        await printf("[%d] Doing useful work\n", await getpid())
        await sleep(1)  # ends early when the handler has run: SA_RESTART does not concern it
