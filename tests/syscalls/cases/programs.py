"""execve: which files run, what the new image keeps and what it loses."""

from observe import *

from userspace.libc import *

counted = Global(i32, 0)


async def count(signo):
    await counted.store(await counted.load() + 1)


async def runs(path, argv):
    """In a child: exec with standard output in a pipe."""
    reader, writer = await pipe()
    pid = await fork()
    if pid == 0:
        await dup2(writer, 1)
        await close(reader)
        await close(writer)
        await execve(path, argv, {})
    await close(writer)
    return await read_all(reader), await end_of(pid)


@expect((b"hello  world\n", ("exited", 0)))
async def a_program_gets_its_arguments():
    return await runs("/bin/echo", ["echo", "hello ", "world"])


@expect((("exited", 0), ("exited", 1)))
async def the_status_of_a_program():
    return await in_child(execv, "/bin/true", ["true"]), await in_child(execv, "/bin/false", ["false"])


@expect(("ENOENT", "ENOENT", "ENOTDIR", "ENOENT", "ENAMETOOLONG", "ELOOP"))
async def names_that_cannot_be_executed():
    await file_with("a", b"", 0o755)
    await symlink("s", "s")
    await symlink("nowhere", "t")
    return (
        await attempt(execv("./none", ["none"])),
        await attempt(execv("", [""])),
        await attempt(execv("a/b", ["b"])),
        await attempt(execv("./t", ["t"])),
        await attempt(execv("n" * 300, ["n"])),
        await attempt(execv("./s", ["s"])),
    )


@expect(("ENOEXEC", "ENOEXEC", "ENOEXEC", "EACCES", "EACCES"))
async def files_that_are_no_programs():
    await file_with("empty", b"", 0o755)
    await file_with("text", b"just some text\n", 0o755)
    await file_with("elf", b"\x7fELF and then nothing", 0o755)
    await file_with("plain", b"#!/bin/true\n", 0o644)
    await mkfifo("f", 0o777)
    return (
        await attempt(execv("./empty", ["x"])),
        await attempt(execv("./text", ["x"])),
        await attempt(execv("./elf", ["x"])),
        await attempt(execv("./plain", ["x"])),
        await attempt(execv("./f", ["x"])),
    )


@expect((b"./script one two\n", ("exited", 0)))
async def a_script_runs_its_interpreter():
    await file_with("script", b"#!/bin/echo\nwhatever\n", 0o755)
    return await runs("./script", ["ignored", "one", "two"])


@expect((b"-x y ./script one\n", ("exited", 0)))
async def an_interpreter_has_one_argument():
    await file_with("script", b"#!  /bin/echo   -x y  \nwhatever\n", 0o755)
    return await runs("./script", ["ignored", "one"])


@expect(("ENOENT", "EACCES", "ENOEXEC", "EACCES"))
async def interpreters_that_cannot_run():
    await file_with("a", b"#!./none\n", 0o755)
    await file_with("plain", b"#!/bin/true\n", 0o644)
    await file_with("b", b"#!./plain\n", 0o755)
    await file_with("c", b"#!\n", 0o755)
    await mkdir("d")
    await file_with("e", b"#!./d\n", 0o755)
    return tuple([await attempt(execv(f"./{name}", [name])) for name in ("a", "b", "c", "e")])


@expect((b"./s1 ./s2\n", ("exited", 0), "ELOOP"))
async def scripts_may_be_run_by_scripts():
    await file_with("s1", b"#!/bin/echo\n", 0o755)
    await file_with("s2", b"#!./s1\n", 0o755)
    await file_with("loop", b"#!./loop\n", 0o755)
    return *await runs("./s2", ["s2"]), await attempt(execv("./loop", ["loop"]))


@expect((b"", ("killed", 9)))
async def close_on_exec_closes():
    reader, writer = await pipe2(O_CLOEXEC)
    pid = await start(execv, "/bin/sleep", ["sleep", "30"])
    await close(writer)
    end = await read(reader, 1)
    await kill(pid, SIGKILL)
    return end, await end_of(pid)


@expect((b"inherited", ("exited", 0)))
async def other_descriptors_stay_open():
    await file_with("a", b"inherited")
    reader, writer = await pipe()
    pid = await fork()
    if pid == 0:
        await dup2(await open("a", O_RDONLY), 0)
        await dup2(writer, 1)
        await execv("/bin/cat", ["cat"])
    await close(writer)
    return await read_all(reader), await end_of(pid)


async def ignores_and_sleeps(ready):
    await sigaction(SIGTERM, SigAction(SIG_IGN))
    await sigaction(SIGUSR1, SigAction(count))
    await execv("/bin/sleep", ["sleep", "30"])


@expect((("killed", 9), ("killed", 10)))
async def ignored_signals_stay_ignored_and_handlers_are_reset():
    seen = []
    for last in (SIGKILL, SIGUSR1):
        reader, writer = await pipe2(O_CLOEXEC)
        pid = await start(ignores_and_sleeps, writer)
        await close(writer)
        await read(reader, 1)
        await kill(pid, SIGTERM)
        await kill(pid, last)
        seen.append(await end_of(pid))
    return tuple(seen)


async def blocks_and_executes():
    await sigprocmask(SIG_BLOCK, [SIGTERM])
    await kill(await getpid(), SIGTERM)
    await execv("/bin/sleep", ["sleep", "0"])


@expect(("exited", 0))
async def the_mask_and_pending_signals_survive():
    return await in_child(blocks_and_executes)


async def alarms_and_executes():
    await alarm(1)
    await execv("/bin/sleep", ["sleep", "30"])


@expect(("killed", 14))
async def an_alarm_survives():
    return await in_child(alarms_and_executes)


@expect((True, b"after\n", ("exited", 0)))
async def the_pid_stays():
    reader, writer = await pipe()
    pid = await fork()
    if pid == 0:
        await dup2(writer, 1)
        await execv("/bin/echo", ["echo", "after"])
    await close(writer)
    text = await read_all(reader)
    found, status = await wait()
    return found == pid, text, ended(status)


@expect(("ENOENT", "EACCES", ("exited", 0)))
async def execvp_searches_the_path():
    await file_with("noexec", b"#!/bin/true\n", 0o644)
    return (
        await attempt(execvp("surely-not-a-program", ["x"])),
        await attempt(execvp("./noexec", ["x"])),
        await in_child(execvp, "true", ["true"]),
    )


@expect(("ETXTBSY", ("exited", 0)))
async def a_file_open_for_writing_cannot_be_executed():
    await file_with("script", b"#!/bin/true\n", 0o755)
    fd = await open("script", O_WRONLY)
    answer = await attempt(execv("./script", ["script"]))
    await close(fd)
    return answer, await in_child(execv, "./script", ["script"])


@expect(("E2BIG",))
async def too_many_arguments_are_e2big():
    return (await attempt(execv("/bin/true", ["x" * 200_000])),)
