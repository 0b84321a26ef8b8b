"""pid.py - a process asks for its own process identifier."""
from userspace.libc import *


async def main():
    await printf("my pid is: %d\n", await getpid())
    return 0
