"""libc's thin wrappers on the real machine: processes, exec, signals, time, files, memory, scheduling; shapes, errors and edge cases."""

from tests.support.machines import ran_well, run

ATTEMPT = """
import errno

async def attempt(call):
    try:
        return str(await call)
    except OSError as error:
        return errno.errorcode[error.errno]
"""


def words(body: str, prelude: str = "") -> list[str]:
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    show = "async def show(value):\n    await printf('%s\\n', str(value))\n"
    return ran_well(run(f"{ATTEMPT}\n{prelude}\n{show}\nasync def main():\n{lines}")).stdout.decode().split("\n")[:-1]


def test_wait_gives_pid_and_status_word_and_fails_without_children():
    assert words("""
pid = await fork()
if pid == 0:
    await _exit(256 + 7)
await show(await waitpid(pid, 0) == (pid, 7 << 8))
await show(await attempt(wait()))
await show(await attempt(waitpid(pid, -1)))
pid = await fork()
if pid == 0:
    await kill(await getpid(), SIGTERM)
found, status, usage = await wait4(pid, 0)
await show((found == pid, WIFSIGNALED(status), WTERMSIG(status) == SIGTERM, usage.ru_utime >= 0))
""") == ["True", "ECHILD", "EINVAL", "(True, True, True, True)"]


def test_exec_takes_environments_in_three_ways_and_searches_path():
    prelude = """
async def child(*call):
    pid = await fork()
    if pid == 0:
        fn, *arguments = call
        await printf("%s ", await attempt(fn(*arguments)))
        await exit(9)
    _, status = await waitpid(pid, 0)
    return WEXITSTATUS(status)
"""
    assert words("""
await setenv("PATH", "/nothing:/tmp:/bin")
await show(await child(execv, "/bin/false", ["false"]))
await show(await child(execvp, "true", ["true"]))
await show(await child(execvpe, "true", ["true"], {"A": "1"}))
await show(await child(execve, "/bin/true", ["true"], environ))
await show(await child(execve, "true", ["true"], {}))
await show(await child(execvp, "no-such-program", ["x"]))
await show(await child(execvp, "", ["x"]))
await close(await creat("/tmp/false", 0o644))
await show(await child(execvp, "false", ["false"]))
await unsetenv("PATH")
await show(await child(execvp, "false", ["false"]))
""", prelude) == ["1", "0", "0", "0", "ENOENT 9", "ENOENT 9", "ENOENT 9", "1", "1"]


def test_signal_and_sigaction_give_the_previous_handler_also_in_a_child():
    assert words("""
await show(await signal(SIGUSR1, handler) == SIG_DFL)
before = await sigaction(SIGUSR1)
await show((before.handler is handler, before.mask == {SIGUSR1}, before.flags == SA_RESTART))
await show((await sigaction(SIGUSR1, SigAction(SIG_IGN, [SIGINT], SA_NODEFER))).handler is handler)
await show(tuple(await sigaction(SIGUSR1, SigAction(handler, {SIGINT, SIGHUP}))) == (SIG_IGN, {SIGINT}, SA_NODEFER))
if await fork() == 0:
    await show((await sigaction(SIGUSR1)).handler is handler)
    await exit(0)
await wait()
await show(await attempt(sigaction(SIGKILL, SigAction(handler))))
await show(await attempt(sigaction(65)))
await show(await attempt(sigaction(SIGINT, SigAction(handler, [65]))))
""", "async def handler(signo):\n    pass\n") == [
        "True", "(True, True, True)", "True", "True", "True", "EINVAL", "EINVAL", "EINVAL",
    ]  # fmt: skip


def test_masks_pending_sigwait_and_raise():
    assert words("""
await sigaction(SIGUSR1, SigAction(handler))
await show(await sigprocmask(SIG_BLOCK, [SIGUSR1, SIGUSR2, SIGKILL]))
await raise_signal(SIGUSR1)
await show(await sigpending() == {SIGUSR1})
await show(await sigprocmask(99, None) == {SIGUSR1, SIGUSR2})
await show(await attempt(sigprocmask(99, [])))
await kill(await getpid(), SIGUSR2)
await show(await sigwait([SIGUSR2]) == SIGUSR2)
await show(await attempt(sigsuspend([])))
await pthread_sigmask(SIG_SETMASK, [])
await raise_signal(SIGUSR1)
await show(await attempt(killpg(-1, 0)))
await show(await attempt(kill(9999, 0)))
await show(await attempt(kill(0, 65)))
await show(await attempt(tgkill(await getpid(), 9999, 0)))
""", "async def handler(signo):\n    await show(f'handler {signo}')\n") == [
        "set()", "True", "True", "EINVAL", "True", "handler 10", "EINTR", "handler 10", "EINVAL", "ESRCH", "EINVAL", "ESRCH",
    ]  # fmt: skip


def test_sleeps_end_early_for_a_handler_and_say_what_is_left():
    assert words("""
await signal(SIGALRM, handler)
await show(await alarm(10))
await show(await alarm(1))
await show(await sleep(3))
await alarm(1)
try:
    await nanosleep(3_000_000_000)
except InterruptedError as error:
    await show(1_990_000_000 < error.remaining_ns < 2_000_000_000)
await alarm(1)
await show(await attempt(pause()))
await show(await attempt(nanosleep(-1)))
await show(await attempt(usleep(-1)))
await show(await attempt(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, 0)))
await show(await attempt(clock_nanosleep(77, 0, 1)))
""", "async def handler(signo):\n    pass\n") == ["0", "10", "1", "True", "EINTR", "EINVAL", "EINVAL", "None", "EINVAL"]


def test_clocks_start_where_the_contract_says():
    assert words("""
await show(await time())
await show(0 <= await clock_gettime(CLOCK_MONOTONIC) < 1_000_000)
await show(await attempt(clock_gettime(77)))
before = await clock_gettime(CLOCK_MONOTONIC)
await usleep(1500)
await show(1_500_000 <= await clock_gettime(CLOCK_MONOTONIC) - before < 1_600_000)
await show(await clock_getres(CLOCK_MONOTONIC))
""") == ["1700000000", "True", "EINVAL", "True", "1"]


def test_file_calls_have_the_shapes_of_os():
    assert words("""
fd = await open("/tmp/f", O_CREAT | O_RDWR, 0o640)
await show(await writev(fd, [b"ab", b"", b"cdef"]))
await show(await pread(fd, 3, 1))
await show(await pwrite(fd, b"XY", 4))
await show(await lseek(fd, 0, SEEK_SET))
page = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
await show(await readv(fd, [(page, 2), (page + 100, 9)]))
await show(await read_bytes(page + 100, 4))
await show(await read(fd, 9))
await show(await lseek(fd, 0, SEEK_SET))
await show(await read_into(fd, page + 200, 100))
await show(await write_from(fd, page + 200, 2))
await show(await attempt(write_from(fd, 8, 2)))
await show(await attempt(pread(fd, -1, 0)) in ("EINVAL", "EFAULT", str(b"abcdXYab")))
s = await fstat(fd)
await show((S_ISREG(s.st_mode), oct(s.st_mode & 0o777), s.st_size, s.st_nlink))
await show(await attempt(dup(-1)))
await show(await dup2(fd, 20))
await show(await fcntl(20, F_GETFL) & O_ACCMODE == O_RDWR)
await show(await attempt(lseek(fd, 0, 99)))
await show(await isatty(1))
await show(await isatty(fd))
await show(await isatty(99))
""") == [
        "6", "b'bcd'", "2", "0", "6", "b'cdXY'", "b''", "0", "6", "2", "EFAULT", "True", "(True, '0o640', 8, 1)", "EBADF", "20", "True",
        "EINVAL", "True", "False", "False",
    ]  # fmt: skip


def test_names_and_directories():
    assert words("""
await mkdir("/tmp/d")
await chdir("/tmp/d")
await show(await getcwd())
await close(await creat("a", 0o600))
await link("a", "b")
await symlink("a", "s")
await show(await readlink("s"))
await mkfifo("p")
await show(sorted(await listdir()))
await rename("b", "c")
await unlink("a")
await show(await attempt(stat("s")))
await show(S_ISLNK((await lstat("s")).st_mode))
await show(S_ISFIFO((await stat("p")).st_mode))
await show(await attempt(rmdir("/tmp/d")))
await show(await attempt(listdir("c")))
await show(await attempt(mknod("n", S_IFREG | 0o600)))
await chmod("n", 0o400)
await show(await attempt(access("n", F_OK)))
await show(oct(await umask(0o77)))
await show(await attempt(openat(AT_FDCWD, "nul\\0ignored", O_CREAT | O_EXCL | O_WRONLY)))
await show("nul" in await listdir("."))
await show(await pipe2(O_CLOEXEC))
await show(await attempt(pipe2(1)))
""") == [
        "/tmp/d", "a", "['a', 'b', 'p', 's']", "ENOENT", "True", "True", "ENOTEMPTY", "ENOTDIR", "None", "None", "0o22", "3", "True",
        "(4, 5)", "EINVAL",
    ]  # fmt: skip


def test_arguments_of_the_wrong_type_are_a_type_error_of_the_program():
    for call in ('close("3")', 'write(1, "text")', "open(3, 0)", "execv('/bin/ls', 'ls')", "kill(None, 1)", "writev(1, b'data')"):
        result = run(f"""
async def main():
    try:
        await {call}
    except TypeError as error:
        await printf("refused")
""")
        assert result.stdout == b"refused", call


def test_memory_calls_and_shared_memory_by_name():
    assert words("""
await show(await attempt(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS)))
start = await sbrk(0)
await show(await sbrk(8192) == start)
await i32.at(start).store(5)
await show(await attempt(brk(start)))
await show(await sbrk(0) == start)
await show(await attempt(brk(1 << 46)))
fd = await shm_open("/name", O_CREAT | O_RDWR, 0o600)
await show(await fcntl(fd, F_GETFD) == FD_CLOEXEC)
await ftruncate(fd, 4096)
page = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
await i32.at(page).store(7)
await show(await pread(fd, 4, 0))
await show(await attempt(msync(page, 4096, MS_SYNC)))
await show(await attempt(msync(page, 4096, MS_SYNC | MS_ASYNC)))
await show(await attempt(mprotect(page, 4096, PROT_READ)))
await show(await attempt(munmap(page, 4096)))
await show(await listdir("/dev/shm"))
await shm_unlink("name")
await show([await attempt(shm_open(name, O_RDWR, 0)) for name in ("/name", "", "/a/b", "x" * 256, ".")])
await show([await attempt(shm_unlink(name)) for name in ("/name", "", "/a/b", "x" * 256)])
""") == [
        "EINVAL", "True", "None", "True", "ENOMEM", "True", "b'\\x07\\x00\\x00\\x00'", "None", "EINVAL", "None", "None", "['name']",
        "['ENOENT', 'EINVAL', 'EINVAL', 'ENAMETOOLONG', 'EINVAL']", "['ENOENT', 'ENOENT', 'ENOENT', 'ENAMETOOLONG']",
    ]  # fmt: skip


def test_scheduling_calls_take_a_tid():
    assert words("""
await show(await sched_getaffinity(0))
await sched_setaffinity(0, [1])
await show(await sched_getaffinity(await gettid()))
await sched_yield()
await show(await sched_getcpu())
await show(await attempt(sched_setaffinity(0, [])))
await show(await attempt(sched_getaffinity(9999)))
await show(await nice(5))
await show(await nice(100))
await show(await getpriority(PRIO_PROCESS, 0))
await setpriority(PRIO_PROCESS, await gettid(), -30)
await show(await getpriority(PRIO_PROCESS, 0))
await show(await attempt(getpriority(9, 0)))
await show([await sysconf(name) for name in ("SC_NPROCESSORS_ONLN", "_SC_NPROCESSORS_CONF", "SC_PAGESIZE", "SC_CLK_TCK")])
await show(await attempt(sysconf("SC_NOTHING")))
""") == [
        "{0, 1, 2, 3}", "{1}", "1", "EINVAL", "ESRCH", "5", "19", "19", "-20", "EINVAL", "[4, 4, 4096, 100]", "EINVAL",
    ]  # fmt: skip


def test_identity_limits_and_names():
    assert words("""
await show(await getpid() == await gettid() == 100)
await show((await getppid(), await getuid(), await getegid()))
await show(await prctl(PR_GET_NAME))
await prctl(PR_SET_NAME, "a-name-that-is-too-long")
await show(await prctl(PR_GET_NAME))
await show(await attempt(prctl(12345)))
await show(await getrlimit(RLIMIT_STACK))
await setrlimit(RLIMIT_NOFILE, (10, 20))
await show(await getrlimit(RLIMIT_NOFILE))
await show(await sysconf("SC_OPEN_MAX"))
await show(await attempt(getrlimit(99)))
await show((await uname()).sysname)
await show(len(await getrandom(20)))
await show((await getrusage(RUSAGE_SELF)).ru_utime >= 0)
await show((await times()).elapsed > 0)
await show(await attempt(getpgid(9999)))
await show(await attempt(setsid()) in ("EPERM", "100"))
""") == [
        "True", "(1, 0, 0)", "program", "a-name-that-is-", "EINVAL", "(8388608, 18446744073709551615)", "(10, 20)", "10", "EINVAL",
        "Linux", "20", "True", "True", "ESRCH", "True",
    ]  # fmt: skip


def test_the_raw_futex_call_compares_and_wakes():
    assert words("""
word = await alloca(i32)
await word.store(1)
await show(await attempt(futex(word, FUTEX_WAIT, 2)))
await show(await attempt(futex(word.address, FUTEX_WAIT, 1, 1000)))
await show(await futex(word, FUTEX_WAKE, 1))
await show(await attempt(futex(8, FUTEX_WAIT, 0)))
await show(await attempt(futex(word.address + 1, FUTEX_WAIT, 0)))
await show(await attempt(futex(word, 77, 0)))
await word.store(-1)
await show(await attempt(futex(word, FUTEX_WAIT, -1, 1000)))
await show(await attempt(futex(word, FUTEX_WAIT, -1, -1)))
""") == ["EAGAIN", "ETIMEDOUT", "0", "EFAULT", "EINVAL", "ENOSYS", "ETIMEDOUT", "EINVAL"]


def test_bytes_cross_a_pipe_from_a_child_and_then_it_is_at_its_end():
    assert words("""
reader, writer = await pipe()
if await fork() == 0:
    await write(writer, b"through")
    await _exit(0)
await close(writer)
await show(await read(reader, 100))
await show(await read(reader, 100))
await wait()
""") == ["b'through'", "b''"]
