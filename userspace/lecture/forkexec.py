"""forkexec.py - the child of a fork becomes another program: /bin/ls -l, with an empty environment."""
from userspace.libc import *


async def main():
    args = ["/bin/ls", "-l"]
    await printf("[%d] Parent, forking\n", await getpid())
    try:
        pid = await fork()
    except OSError:
        await printf("fork error!\n")
        return -1
    if pid == 0:
        await printf("[%d] child, calling execve()\n", await getpid())
        try:
            await execve("/bin/ls", args, {})
        except OSError:
            await printf("execve error!\n")  # reached only if there is no such program
    return 0
