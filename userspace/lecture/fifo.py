"""fifo.py - a child writes a line into a named pipe, its parent reads it."""
from userspace.libc import *

FIFO_PATH = "/tmp/myfifo"

async def main():
    await mkfifo(FIFO_PATH, 0o666)
    pid = await fork()
    if pid == 0:
        fd = await open(FIFO_PATH, O_WRONLY)  # returns when the reader opens its side
        await write(fd, b"Hello from child!\n")
        await close(fd)
    else:
        fd = await open(FIFO_PATH, O_RDONLY)  # returns when the writer opens its side
        data = await read(fd, 127)
        if data:
            await printf("Parent received: %s", data.decode())
        await close(fd)
        await unlink(FIFO_PATH)
    return 0
