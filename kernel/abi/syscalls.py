"""THE system call table: one row a call; routing, `trapline syscalls`, the docs and the completeness tests all come from it.

Numbers and signatures are Linux's for x86-64. `owner` is the actor that serves the call ("core" where the current thread is enough).
`restart` says what becomes of a call that a signal interrupted (signal(7), "Interruption of system calls"):

    never            it does not block, or is never interrupted
    restart          SA_RESTART restarts it, without the flag it fails with EINTR
    restart_untimed  the same, but with a timeout it behaves as restart_block
    nohand           EINTR as soon as a handler ran, SA_RESTART or not; without a handler it goes on
    restart_block    as nohand, and going on keeps the absolute deadline that was computed first

`deadline_arg` is the index of an argument that is a relative time in ns (or None): the core replaces it by an absolute deadline,
computed once, so that a restart keeps it. `support` is "full" or "partial"; what is missing stands in `note`.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Row(msgspec.Struct, frozen=True):
    """One system call."""

    number: int
    name: str
    signature: str  # C prototype, as the man page has it, without the name
    owner: str
    blocks: bool = False
    restart: str = "never"
    support: str = "full"
    note: str = ""
    deadline_arg: int = -1

    @property
    def page(self) -> str:
        """The man page, by the name that programs use: `pread(2)` for pread64, `sigaction(2)` for rt_sigaction."""
        name = "stat" if self.name == "newfstatat" else self.name.removeprefix("rt_").removesuffix("64")
        return f"{name}(2)"


def _row(number: int, name: str, signature: str, owner: str, restart: str = "", *, partial: str = "", deadline_arg: int = -1) -> Row:
    return Row(number, name, signature, owner, bool(restart), restart or "never", "partial" if partial else "full", partial, deadline_arg)


_ROWS: Final = (
    _row(0, "read", "(int fd, void *buf, size_t count) -> ssize_t", "files", "restart",
         partial="processes in the background may read the terminal: no SIGTTIN"),
    _row(1, "write", "(int fd, const void *buf, size_t count) -> ssize_t", "files", "restart"),
    _row(3, "close", "(int fd) -> int", "files"),
    _row(5, "fstat", "(int fd, struct stat *st) -> int", "files"),
    _row(8, "lseek", "(int fd, off_t offset, int whence) -> off_t", "files"),
    _row(9, "mmap", "(void *addr, size_t length, int prot, int flags, int fd, off_t offset) -> void *", "memory"),
    _row(10, "mprotect", "(void *addr, size_t length, int prot) -> int", "memory"),
    _row(11, "munmap", "(void *addr, size_t length) -> int", "memory"),
    _row(12, "brk", "(void *addr) -> void *", "memory"),
    _row(13, "rt_sigaction", "(int signum, const struct sigaction *act, struct sigaction *old) -> int", "signals"),
    _row(14, "rt_sigprocmask", "(int how, const sigset_t *set, sigset_t *old) -> int", "signals"),
    _row(15, "rt_sigreturn", "(void) -> void", "core"),
    _row(16, "ioctl", "(int fd, unsigned long request, ...) -> int", "files",
         partial="FIONREAD, TCGETS, TIOCGWINSZ, TIOCGPGRP and TIOCSPGRP, which takes any group; others ENOTTY"),
    _row(17, "pread64", "(int fd, void *buf, size_t count, off_t offset) -> ssize_t", "files"),
    _row(18, "pwrite64", "(int fd, const void *buf, size_t count, off_t offset) -> ssize_t", "files"),
    _row(21, "access", "(const char *path, int mode) -> int", "files"),
    _row(24, "sched_yield", "(void) -> int", "core"),
    _row(26, "msync", "(void *addr, size_t length, int flags) -> int", "memory"),
    _row(32, "dup", "(int fd) -> int", "files"),
    _row(33, "dup2", "(int fd, int fd2) -> int", "files"),
    _row(34, "pause", "(void) -> int", "signals", "nohand"),
    _row(35, "nanosleep", "(const struct timespec *req, struct timespec *rem) -> int", "timers", "restart_block", deadline_arg=0),
    _row(37, "alarm", "(unsigned seconds) -> unsigned", "timers"),
    _row(39, "getpid", "(void) -> pid_t", "core"),
    _row(56, "clone", "(unsigned long flags, void *stack, int *parent_tid, int *child_tid, unsigned long tls) -> long", "processes",
         partial="no namespaces and no CLONE_PIDFD: EINVAL; CLONE_PTRACE, CLONE_UNTRACED and CLONE_IO change nothing"),
    _row(59, "execve", "(const char *path, char *const argv[], char *const envp[]) -> int", "processes"),
    _row(60, "exit", "(int status) -> void", "processes"),
    _row(61, "wait4", "(pid_t pid, int *status, int options, struct rusage *usage) -> pid_t", "processes", "restart"),
    _row(62, "kill", "(pid_t pid, int sig) -> int", "processes"),
    _row(63, "uname", "(struct utsname *buf) -> int", "core"),
    _row(72, "fcntl", "(int fd, int cmd, ...) -> int", "files",
         partial="F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETPIPE_SZ; others EINVAL"),
    _row(74, "fsync", "(int fd) -> int", "files"),
    _row(76, "truncate", "(const char *path, off_t length) -> int", "files"),
    _row(77, "ftruncate", "(int fd, off_t length) -> int", "files"),
    _row(79, "getcwd", "(char *buf, size_t size) -> char *", "files"),
    _row(80, "chdir", "(const char *path) -> int", "files"),
    _row(81, "fchdir", "(int fd) -> int", "files"),
    _row(82, "rename", "(const char *from, const char *to) -> int", "files"),
    _row(83, "mkdir", "(const char *path, mode_t mode) -> int", "files"),
    _row(84, "rmdir", "(const char *path) -> int", "files"),
    _row(86, "link", "(const char *from, const char *to) -> int", "files"),
    _row(87, "unlink", "(const char *path) -> int", "files"),
    _row(88, "symlink", "(const char *target, const char *path) -> int", "files"),
    _row(89, "readlink", "(const char *path, char *buf, size_t size) -> ssize_t", "files"),
    _row(90, "chmod", "(const char *path, mode_t mode) -> int", "files"),
    _row(91, "fchmod", "(int fd, mode_t mode) -> int", "files"),
    _row(95, "umask", "(mode_t mask) -> mode_t", "files"),
    _row(98, "getrusage", "(int who, struct rusage *usage) -> int", "processes",
         partial="run time, all of it as user time, and switches; the other fields are 0"),
    _row(100, "times", "(struct tms *buf) -> clock_t", "processes", partial="all run time counts as user time; system time is 0"),
    _row(102, "getuid", "(void) -> uid_t", "core"),
    _row(104, "getgid", "(void) -> gid_t", "core"),
    _row(105, "setuid", "(uid_t uid) -> int", "processes", partial="other threads of the process keep their ids where files are concerned"),
    _row(106, "setgid", "(gid_t gid) -> int", "processes", partial="other threads of the process keep their ids where files are concerned"),
    _row(107, "geteuid", "(void) -> uid_t", "core"),
    _row(108, "getegid", "(void) -> gid_t", "core"),
    _row(109, "setpgid", "(pid_t pid, pid_t pgid) -> int", "processes"),
    _row(110, "getppid", "(void) -> pid_t", "processes"),
    _row(111, "getpgrp", "(void) -> pid_t", "processes"),
    _row(112, "setsid", "(void) -> pid_t", "processes"),
    _row(121, "getpgid", "(pid_t pid) -> pid_t", "processes"),
    _row(124, "getsid", "(pid_t pid) -> pid_t", "processes"),
    _row(127, "rt_sigpending", "(sigset_t *set) -> int", "signals"),
    _row(128, "rt_sigtimedwait", "(const sigset_t *set, siginfo_t *info, const struct timespec *timeout) -> int", "signals", "nohand",
         deadline_arg=1),
    _row(130, "rt_sigsuspend", "(const sigset_t *mask) -> int", "signals", "nohand"),
    _row(133, "mknod", "(const char *path, mode_t mode, dev_t dev) -> int", "files", partial="regular files and FIFOs; devices are EPERM"),
    _row(140, "getpriority", "(int which, id_t who) -> int", "processes"),
    _row(141, "setpriority", "(int which, id_t who, int prio) -> int", "processes"),
    _row(157, "prctl", "(int option, ...) -> int", "processes", partial="PR_SET_NAME and PR_GET_NAME; others EINVAL"),
    _row(186, "gettid", "(void) -> pid_t", "core"),
    _row(200, "tkill", "(pid_t tid, int sig) -> int", "processes"),
    _row(202, "futex", "(uint32_t *word, int op, uint32_t val, ...) -> long", "memory", "restart_untimed",
         partial="FUTEX_WAIT and FUTEX_WAKE, private and shared; others ENOSYS", deadline_arg=3),
    _row(203, "sched_setaffinity", "(pid_t tid, size_t size, const cpu_set_t *mask) -> int", "processes"),
    _row(204, "sched_getaffinity", "(pid_t tid, size_t size, cpu_set_t *mask) -> int", "processes"),
    _row(217, "getdents64", "(int fd, void *buf, size_t count) -> ssize_t", "files"),
    _row(218, "set_tid_address", "(int *tidptr) -> pid_t", "processes"),
    _row(228, "clock_gettime", "(clockid_t clock, struct timespec *ts) -> int", "core"),
    _row(229, "clock_getres", "(clockid_t clock, struct timespec *ts) -> int", "core"),
    _row(230, "clock_nanosleep", "(clockid_t clock, int flags, const struct timespec *req, struct timespec *rem) -> int", "timers",
         "restart_block"),
    _row(231, "exit_group", "(int status) -> void", "processes"),
    _row(234, "tgkill", "(pid_t tgid, pid_t tid, int sig) -> int", "processes"),
    _row(257, "openat", "(int dirfd, const char *path, int flags, mode_t mode) -> int", "files", "restart"),
    _row(262, "newfstatat", "(int dirfd, const char *path, struct stat *st, int flags) -> int", "files"),
    _row(292, "dup3", "(int fd, int fd2, int flags) -> int", "files"),
    _row(293, "pipe2", "(int fds[2], int flags) -> int", "files"),
    _row(302, "prlimit64", "(pid_t pid, int resource, const struct rlimit *new, struct rlimit *old) -> int", "processes",
         partial="NOFILE, NPROC, FSIZE, STACK (at execve) and NICE are enforced; the others are kept and shown"),
    _row(309, "getcpu", "(unsigned *cpu, unsigned *node) -> int", "core"),
    _row(318, "getrandom", "(void *buf, size_t size, unsigned flags) -> ssize_t", "files"),
)

TABLE: Final[dict[int, Row]] = {row.number: row for row in _ROWS}
BY_NAME: Final[dict[str, Row]] = {row.name: row for row in _ROWS}
NUMBERS: Final[dict[str, int]] = {row.name: row.number for row in _ROWS}

assert len(TABLE) == len(_ROWS) == len(BY_NAME), "a number or a name stands twice in the table"
