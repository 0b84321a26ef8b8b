"""fork.py - parent and child each change their own copy of a global and of a variable on the stack."""
from userspace.libc import *

global_variable = Global(i32, 42)  # a symbol in .data

async def show(who, when, local):
    text = "[%d] %s %s update local = %d, global = %d\n"
    await printf(text, await getpid(), who, when, await local.load(), await global_variable.load())

async def update(local, value):
    await local.store(value)
    await global_variable.store(value)

async def main():
    local = await alloca(i32)  # on the simulated stack, so that fork's copy-on-write has it too
    await local.store(10)
    await show("parent", "before", local)
    try:
        pid = await fork()  # returns twice
    except OSError:
        await printf("fork error!\n")
        return -1
    if pid == 0:
        await show("child,", "before", local)
        await update(local, 100)
        await show("child", "after", local)
    else:
        await update(local, 0)
        await show("parent", "after", local)
    return 0  # both come here
