# What `from userspace.libc import *` gives, for type checkers: mypy and pyright read this file in place of `__init__.py`.
#
# A program is checked without a plugin and without configuration: `shared.counter` is a reference with `load()` and `store()`,
# `Global(i32, 0)` an `i32`, a forgotten `await` an unused coroutine, `shared.counter = 5` an error. Every call is `async def` here, also
# where the real one is a plain function that hands an awaitable on. tests/userspace/test_stubs.py compares this file with the real
# module, name by name and parameter by parameter.

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Self, TypeAlias, overload

from typing_extensions import TypeVar

from kernel.abi.records import Stat as _Stat
from kernel.abi.records import Utsname as _Utsname
from userspace.libc.unistd import process_times as _process_times
from userspace.libc.unistd import rusage as _rusage

__all__ = [
    "ARG_MAX", "AT_EACCESS", "AT_EMPTY_PATH", "AT_FDCWD", "AT_REMOVEDIR", "AT_SYMLINK_NOFOLLOW", "BUFSIZ", "BUS_ADRALN", "BUS_ADRERR",
    "BUS_OBJERR", "CLD_CONTINUED", "CLD_DUMPED", "CLD_EXITED", "CLD_KILLED", "CLD_STOPPED", "CLD_TRAPPED", "CLOCK_BOOTTIME",
    "CLOCK_MONOTONIC", "CLOCK_MONOTONIC_COARSE", "CLOCK_MONOTONIC_RAW", "CLOCK_PROCESS_CPUTIME_ID", "CLOCK_REALTIME",
    "CLOCK_REALTIME_COARSE", "CLOCK_THREAD_CPUTIME_ID", "CLONE_CHILD_CLEARTID", "CLONE_CHILD_SETTID", "CLONE_DETACHED", "CLONE_FILES",
    "CLONE_FS", "CLONE_IO", "CLONE_NEWCGROUP", "CLONE_NEWIPC", "CLONE_NEWNET", "CLONE_NEWNS", "CLONE_NEWPID", "CLONE_NEWUSER",
    "CLONE_NEWUTS", "CLONE_PARENT", "CLONE_PARENT_SETTID", "CLONE_PIDFD", "CLONE_PTRACE", "CLONE_SETTLS", "CLONE_SIGHAND",
    "CLONE_SYSVSEM", "CLONE_THREAD", "CLONE_UNTRACED", "CLONE_VFORK", "CLONE_VM", "CSIGNAL", "E2BIG", "EACCES", "EADDRINUSE",
    "EADDRNOTAVAIL", "EADV", "EAFNOSUPPORT", "EAGAIN", "EALREADY", "EBADE", "EBADF", "EBADFD", "EBADMSG", "EBADR", "EBADRQC", "EBADSLT",
    "EBFONT", "EBUSY", "ECANCELED", "ECHILD", "ECHRNG", "ECOMM", "ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EDEADLK", "EDEADLOCK",
    "EDESTADDRREQ", "EDOM", "EDOTDOT", "EDQUOT", "EEXIST", "EFAULT", "EFBIG", "EHOSTDOWN", "EHOSTUNREACH", "EIDRM", "EILSEQ",
    "EINPROGRESS", "EINTR", "EINVAL", "EIO", "EISCONN", "EISDIR", "EISNAM", "EKEYEXPIRED", "EKEYREJECTED", "EKEYREVOKED", "EL2HLT",
    "EL2NSYNC", "EL3HLT", "EL3RST", "ELIBACC", "ELIBBAD", "ELIBEXEC", "ELIBMAX", "ELIBSCN", "ELNRNG", "ELOOP", "EMEDIUMTYPE", "EMFILE",
    "EMLINK", "EMSGSIZE", "EMULTIHOP", "ENAMETOOLONG", "ENAVAIL", "ENETDOWN", "ENETRESET", "ENETUNREACH", "ENFILE", "ENOANO", "ENOBUFS",
    "ENOCSI", "ENODATA", "ENODEV", "ENOENT", "ENOEXEC", "ENOKEY", "ENOLCK", "ENOLINK", "ENOMEDIUM", "ENOMEM", "ENOMSG", "ENONET",
    "ENOPKG", "ENOPROTOOPT", "ENOSPC", "ENOSR", "ENOSTR", "ENOSYS", "ENOTBLK", "ENOTCONN", "ENOTDIR", "ENOTEMPTY", "ENOTNAM",
    "ENOTRECOVERABLE", "ENOTSOCK", "ENOTSUP", "ENOTTY", "ENOTUNIQ", "ENXIO", "EOF", "EOPNOTSUPP", "EOVERFLOW", "EOWNERDEAD", "EPERM",
    "EPFNOSUPPORT", "EPIPE", "EPROTO", "EPROTONOSUPPORT", "EPROTOTYPE", "ERANGE", "EREMCHG", "EREMOTE", "EREMOTEIO", "ERESTART",
    "ERFKILL", "EROFS", "ESHUTDOWN", "ESOCKTNOSUPPORT", "ESPIPE", "ESRCH", "ESRMNT", "ESTALE", "ESTRPIPE", "ETIME", "ETIMEDOUT",
    "ETOOMANYREFS", "ETXTBSY", "EUCLEAN", "EUNATCH", "EUSERS", "EWOULDBLOCK", "EXDEV", "EXFULL", "EXIT_FAILURE", "EXIT_SUCCESS",
    "FD_CLOEXEC", "FIONREAD", "FPE_INTDIV", "FPE_INTOVF", "FUTEX_BITSET_MATCH_ANY", "FUTEX_CLOCK_REALTIME", "FUTEX_CMP_REQUEUE",
    "FUTEX_FD", "FUTEX_LOCK_PI", "FUTEX_OWNER_DIED", "FUTEX_PRIVATE_FLAG", "FUTEX_REQUEUE", "FUTEX_TID_MASK", "FUTEX_TRYLOCK_PI",
    "FUTEX_UNLOCK_PI", "FUTEX_WAIT", "FUTEX_WAITERS", "FUTEX_WAIT_BITSET", "FUTEX_WAKE", "FUTEX_WAKE_BITSET", "FUTEX_WAKE_OP",
    "F_ADD_SEALS", "F_DUPFD", "F_DUPFD_CLOEXEC", "F_EXLCK", "F_GETFD", "F_GETFL", "F_GETLEASE", "F_GETLK", "F_GETLK64", "F_GETOWN",
    "F_GETPIPE_SZ", "F_GETSIG", "F_GET_SEALS", "F_NOTIFY", "F_OFD_GETLK", "F_OFD_SETLK", "F_OFD_SETLKW", "F_OK", "F_RDLCK", "F_SEAL_GROW",
    "F_SEAL_SEAL", "F_SEAL_SHRINK", "F_SEAL_WRITE", "F_SETFD", "F_SETFL", "F_SETLEASE", "F_SETLK", "F_SETLK64", "F_SETLKW", "F_SETLKW64",
    "F_SETOWN", "F_SETPIPE_SZ", "F_SETSIG", "F_SHLCK", "F_UNLCK", "F_WRLCK", "GRND_NONBLOCK", "GRND_RANDOM", "ILL_ILLOPC", "IPC_CREAT",
    "IPC_EXCL", "IPC_NOWAIT", "IPC_PRIVATE", "IPC_RMID", "IPC_SET", "IPC_STAT", "ITIMER_PROF", "ITIMER_REAL", "ITIMER_VIRTUAL",
    "LINK_MAX", "MAP_ANON", "MAP_ANONYMOUS", "MAP_DENYWRITE", "MAP_EXECUTABLE", "MAP_FILE", "MAP_FIXED", "MAP_FIXED_NOREPLACE",
    "MAP_GROWSDOWN", "MAP_LOCKED", "MAP_POPULATE", "MAP_PRIVATE", "MAP_SHARED", "MAP_SHARED_VALIDATE", "MAP_STACK", "MAP_TYPE",
    "MS_ASYNC", "MS_INVALIDATE", "MS_SYNC", "NAME_MAX", "NSIG", "NULL", "O_ACCMODE", "O_APPEND", "O_ASYNC", "O_CLOEXEC", "O_CREAT",
    "O_DIRECT", "O_DIRECTORY", "O_DSYNC", "O_EXCL", "O_FSYNC", "O_LARGEFILE", "O_NDELAY", "O_NOATIME", "O_NOCTTY", "O_NOFOLLOW",
    "O_NONBLOCK", "O_PATH", "O_RDONLY", "O_RDWR", "O_RSYNC", "O_SYNC", "O_TMPFILE", "O_TRUNC", "O_WRONLY", "PATH_MAX", "PIPE_BUF",
    "POLLERR", "POLLHUP", "POLLIN", "POLLMSG", "POLLNVAL", "POLLOUT", "POLLPRI", "POLLRDBAND", "POLLRDHUP", "POLLRDNORM", "POLLWRBAND",
    "POLLWRNORM", "PRIO_PGRP", "PRIO_PROCESS", "PRIO_USER", "PROT_EXEC", "PROT_NONE", "PROT_READ", "PROT_WRITE", "PR_GET_NAME",
    "PR_GET_PDEATHSIG", "PR_SET_NAME", "PR_SET_PDEATHSIG", "PTHREAD_BARRIER_SERIAL_THREAD", "PTHREAD_CREATE_DETACHED",
    "PTHREAD_CREATE_JOINABLE", "PTHREAD_KEYS_MAX", "PTHREAD_MUTEX_ADAPTIVE_NP", "PTHREAD_MUTEX_DEFAULT", "PTHREAD_MUTEX_ERRORCHECK",
    "PTHREAD_MUTEX_NORMAL", "PTHREAD_MUTEX_RECURSIVE", "PTHREAD_MUTEX_ROBUST", "PTHREAD_MUTEX_STALLED", "PTHREAD_MUTEX_TIMED_NP",
    "PTHREAD_PRIO_INHERIT", "PTHREAD_PRIO_NONE", "PTHREAD_PRIO_PROTECT", "PTHREAD_PROCESS_PRIVATE", "PTHREAD_PROCESS_SHARED",
    "PTHREAD_RWLOCK_PREFER_READER_NP", "PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP", "PTHREAD_RWLOCK_PREFER_WRITER_NP",
    "PTHREAD_STACK_MIN", "P_ALL", "P_PGID", "P_PID", "RAND_MAX", "RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE",
    "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_OFILE", "RLIMIT_RSS", "RLIMIT_RTPRIO",
    "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK", "RLIM_INFINITY", "RUSAGE_CHILDREN", "RUSAGE_SELF", "RUSAGE_THREAD", "R_OK",
    "SA_NOCLDSTOP", "SA_NOCLDWAIT", "SA_NODEFER", "SA_ONSTACK", "SA_RESETHAND", "SA_RESTART", "SA_SIGINFO", "SCHED_BATCH", "SCHED_FIFO",
    "SCHED_IDLE", "SCHED_NORMAL", "SCHED_OTHER", "SCHED_RESET_ON_FORK", "SCHED_RR", "SEEK_CUR", "SEEK_END", "SEEK_SET", "SEGV_ACCERR",
    "SEGV_MAPERR", "SEM_FAILED", "SEM_VALUE_MAX", "SHM_EXEC", "SHM_RDONLY", "SHM_REMAP", "SHM_RND", "SIGABRT", "SIGALRM", "SIGBUS",
    "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP", "SIGILL", "SIGINT", "SIGIO", "SIGIOT", "SIGKILL", "SIGPIPE", "SIGPOLL", "SIGPROF",
    "SIGPWR", "SIGQUIT", "SIGRTMAX", "SIGRTMIN", "SIGSEGV", "SIGSTKFLT", "SIGSTOP", "SIGSYS", "SIGTERM", "SIGTRAP", "SIGTSTP", "SIGTTIN",
    "SIGTTOU", "SIGURG", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGWINCH", "SIGXCPU", "SIGXFSZ", "SIG_BLOCK", "SIG_DFL", "SIG_IGN",
    "SIG_SETMASK", "SIG_UNBLOCK", "SI_ASYNCIO", "SI_KERNEL", "SI_MESGQ", "SI_QUEUE", "SI_SIGIO", "SI_TIMER", "SI_TKILL", "SI_USER",
    "SYMLOOP_MAX", "S_IEXEC", "S_IFBLK", "S_IFCHR", "S_IFDIR", "S_IFIFO", "S_IFLNK", "S_IFMT", "S_IFREG", "S_IFSOCK", "S_IREAD",
    "S_IRGRP", "S_IROTH", "S_IRUSR", "S_IRWXG", "S_IRWXO", "S_IRWXU", "S_ISCHR", "S_ISDIR", "S_ISFIFO", "S_ISGID", "S_ISLNK", "S_ISREG",
    "S_ISSOCK", "S_ISUID", "S_ISVTX", "S_IWGRP", "S_IWOTH", "S_IWRITE", "S_IWUSR", "S_IXGRP", "S_IXOTH", "S_IXUSR", "TCGETS", "TCSADRAIN",
    "TCSAFLUSH", "TCSANOW", "TIMER_ABSTIME", "TIOCGPGRP", "TIOCGWINSZ", "TIOCSCTTY", "TIOCSPGRP", "WCONTINUED", "WCOREDUMP", "WEXITED",
    "WEXITSTATUS", "WIFCONTINUED", "WIFEXITED", "WIFSIGNALED", "WIFSTOPPED", "WNOHANG", "WNOWAIT", "WSTOPPED", "WSTOPSIG", "WTERMSIG",
    "WUNTRACED", "W_OK", "X_OK", "_IOFBF", "_IOLBF", "_IONBF", "Array", "Global", "SigAction", "Struct", "_exit", "abort", "access",
    "alarm", "alloca", "atexit", "atomic_thread_fence", "become", "brk", "calloc", "char", "chdir", "chmod", "clock_getres",
    "clock_gettime", "clock_nanosleep", "clone", "close", "compute", "cpu_relax", "creat", "dup", "dup2", "dup3", "environ", "execv",
    "execve", "execvp", "execvpe", "exit", "fchdir", "fchmod", "fclose", "fcntl", "fdopen", "fflush", "fgets", "fopen", "fork", "fprintf",
    "fputs", "fread", "free", "fstat", "fsync", "ftruncate", "futex", "fwrite", "getcwd", "getegid", "getenv", "geteuid", "getgid",
    "getline", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getrlimit", "getrusage", "getsid", "gettid",
    "getuid", "i8", "i16", "i32", "i64", "ioctl", "isatty", "kill", "killpg", "link", "listdir", "lseek", "lstat", "malloc", "memcpy",
    "memory_order_acq_rel", "memory_order_acquire", "memory_order_consume", "memory_order_relaxed", "memory_order_release",
    "memory_order_seq_cst", "memset", "mkdir", "mkfifo", "mknod", "mmap", "mprotect", "msync", "munmap", "nanosleep", "nice", "open",
    "openat", "pause", "perror", "pipe", "pipe2", "prctl", "pread", "printf", "pthread_barrier_destroy", "pthread_barrier_init",
    "pthread_barrier_t", "pthread_barrier_wait", "pthread_cond_broadcast", "pthread_cond_destroy", "pthread_cond_init",
    "pthread_cond_signal", "pthread_cond_t", "pthread_cond_timedwait", "pthread_cond_wait", "pthread_create", "pthread_detach",
    "pthread_exit", "pthread_getname_np", "pthread_join", "pthread_kill", "pthread_mutex_destroy", "pthread_mutex_init",
    "pthread_mutex_lock", "pthread_mutex_t", "pthread_mutex_trylock", "pthread_mutex_unlock", "pthread_self", "pthread_setaffinity_np",
    "pthread_setname_np", "pthread_sigmask", "pthread_tryjoin_np", "ptr", "puts", "pwrite", "raise_signal", "rand", "read", "read_bytes",
    "read_into", "readlink", "readv", "realloc", "rename", "rmdir", "sbrk", "sched_getaffinity", "sched_getcpu", "sched_setaffinity",
    "sched_yield", "sem_destroy", "sem_getvalue", "sem_init", "sem_post", "sem_t", "sem_timedwait", "sem_trywait", "sem_wait", "setenv",
    "setgid", "setpgid", "setpriority", "setrlimit", "setsid", "setuid", "setvbuf", "shm_open", "shm_unlink", "sigaction", "siginfo",
    "signal", "sigpending", "sigprocmask", "sigsuspend", "sigwait", "sizeof", "sleep", "srand", "stat", "stderr", "stdin", "stdout",
    "strerror", "strsignal", "symlink", "sysconf", "tgkill", "time", "times", "tkill", "truncate", "u8", "u16", "u32", "u64", "umask",
    "uname", "unlink", "unsetenv", "usleep", "wait", "wait4", "waitpid", "write", "write_bytes", "write_from", "writev",
]  # fmt: skip

_T = TypeVar("_T")
_Target = TypeVar("_Target", default=None)  # of a bare `ptr`: void
_Thread: TypeAlias = Callable[[Any], Awaitable[Any]]  # a module-level async function
_Handler: TypeAlias = Callable[..., Awaitable[None]]  # (signo), or (signo, siginfo, context) with SA_SIGINFO

# ---- memory: types, references

class _Reference:
    @property
    def address(self) -> int: ...
    @classmethod
    def at(cls, address: int | _Reference) -> Self: ...
    async def read_bytes(self, n: int = ...) -> bytes: ...
    async def write_bytes(self, data: bytes) -> None: ...

class _Scalar(_Reference, Generic[_T]):
    async def load(self, order: int = ...) -> _T: ...
    async def store(self, value: _T, order: int = ...) -> None: ...
    async def fetch_add(self, value: int, order: int = ...) -> _T: ...
    async def fetch_sub(self, value: int, order: int = ...) -> _T: ...
    async def fetch_and(self, value: int, order: int = ...) -> _T: ...
    async def fetch_or(self, value: int, order: int = ...) -> _T: ...
    async def fetch_xor(self, value: int, order: int = ...) -> _T: ...
    async def exchange(self, value: _T, order: int = ...) -> _T: ...
    async def compare_exchange(self, expected: _T, desired: _T, order: int = ...) -> _T: ...

class i8(_Scalar[int]): ...
class u8(_Scalar[int]): ...
class i16(_Scalar[int]): ...
class u16(_Scalar[int]): ...
class i32(_Scalar[int]): ...
class u32(_Scalar[int]): ...
class i64(_Scalar[int]): ...
class u64(_Scalar[int]): ...

class ptr(_Scalar[Any], Generic[_Target]):  # stores a reference, an address, or None
    @overload
    async def load(self: ptr[None], order: int = ...) -> int: ...
    @overload
    async def load(self, order: int = ...) -> _Target | None: ...
    async def store(self, value: _Target | int | None, order: int = ...) -> None: ...
    @overload
    async def exchange(self: ptr[None], value: _Reference | int | None, order: int = ...) -> int: ...
    @overload
    async def exchange(self, value: _Target | int | None, order: int = ...) -> _Target | None: ...
    @overload
    async def compare_exchange(
        self: ptr[None], expected: _Reference | int | None, desired: _Reference | int | None, order: int = ...
    ) -> int: ...
    @overload
    async def compare_exchange(self, expected: _Target | int | None, desired: _Target | int | None, order: int = ...) -> _Target | None: ...

# No notation of Python's gives `Array[i32, 4]` a type of its own: a number is no type. mypy takes a name of type Any where it stands for
# a type, and asks nothing about its parameters; pyright knows classes with a `__class_getitem__` of their own. mypy holds MYPY for true.
MYPY: bool
if MYPY:
    Array: Any
    char: Any
else:
    class _Sequence(_Reference):
        @property
        def checked(self) -> Any: ...
        def __getitem__(self, index: int) -> Any: ...
        def __len__(self) -> int: ...
        def __iter__(self) -> Iterator[Any]: ...

    class Array(_Sequence):
        def __class_getitem__(cls, parameters: Any) -> Any: ...

    class char(_Sequence):
        def __class_getitem__(cls, n: int) -> Any: ...
        async def read_cstr(self) -> bytes: ...
        async def write_cstr(self, text: bytes | str) -> None: ...

class Struct(_Reference): ...

def Global(type: type[_T], value: Any = ...) -> _T: ...
def sizeof(type: Any) -> int: ...
async def alloca(type: type[_T]) -> _T: ...

# ---- memory: bytes, order, mappings, the heap

async def read_bytes(address: Any, n: int) -> bytes: ...
async def write_bytes(address: Any, data: bytes) -> None: ...
async def memcpy(to: Any, source: Any, n: int) -> None: ...
async def memset(to: Any, byte: int, n: int) -> None: ...
async def atomic_thread_fence(order: int) -> None: ...
async def cpu_relax() -> None: ...
async def compute(ns: int) -> None: ...
def strsignal(signo: int) -> str: ...
async def malloc(size: int) -> int: ...
async def calloc(count: int, size: int) -> int: ...
async def realloc(address: Any, size: int) -> int: ...
async def free(address: Any) -> None: ...
async def mmap(address: int, length: int, prot: int, flags: int, fd: int = ..., offset: int = ...) -> int: ...
async def munmap(address: int, length: int) -> None: ...
async def mprotect(address: int, length: int, prot: int) -> None: ...
async def msync(address: int, length: int, flags: int) -> None: ...
async def brk(address: int) -> None: ...
async def sbrk(increment: int) -> int: ...
async def shm_open(name: str, flags: int, mode: int) -> int: ...
async def shm_unlink(name: str) -> None: ...

# ---- processes

environ: Mapping[str, str]  # a view of the process's simulated memory

async def fork() -> int: ...
async def clone(fn: _Thread, flags: int, arg: Any = ..., *, parent_tid: Any = ..., child_tid: Any = ..., tls: int | None = ...) -> int: ...
async def become(fn: _Thread, *plain: Any) -> None: ...
async def execve(path: str, argv: Sequence[str], env: Mapping[str, str]) -> None: ...
async def execv(path: str, argv: Sequence[str]) -> None: ...
async def execvp(file: str, argv: Sequence[str]) -> None: ...
async def execvpe(file: str, argv: Sequence[str], env: Mapping[str, str]) -> None: ...
async def wait() -> tuple[int, int]: ...
async def waitpid(pid: int, options: int) -> tuple[int, int]: ...
async def wait4(pid: int, options: int) -> tuple[int, int, _rusage]: ...
def WIFEXITED(status: int) -> bool: ...
def WEXITSTATUS(status: int) -> int: ...
def WIFSIGNALED(status: int) -> bool: ...
def WTERMSIG(status: int) -> int: ...
def WCOREDUMP(status: int) -> bool: ...
def WIFSTOPPED(status: int) -> bool: ...
def WSTOPSIG(status: int) -> int: ...
def WIFCONTINUED(status: int) -> bool: ...
async def exit(status: int = ...) -> None: ...
async def atexit(fn: Callable[[], Awaitable[None]]) -> None: ...
async def srand(seed: int) -> None: ...
async def rand() -> int: ...
async def _exit(status: int = ...) -> None: ...
async def abort() -> None: ...
async def getenv(name: str, default: str | None = ...) -> str | None: ...
async def setenv(name: str, value: str, overwrite: int = ...) -> None: ...
async def unsetenv(name: str) -> None: ...
async def getpid() -> int: ...
async def gettid() -> int: ...
async def getppid() -> int: ...
async def getpgrp() -> int: ...
async def getpgid(pid: int) -> int: ...
async def setpgid(pid: int, pgrp: int) -> None: ...
async def getsid(pid: int) -> int: ...
async def setsid() -> int: ...
async def getuid() -> int: ...
async def geteuid() -> int: ...
async def setuid(uid: int) -> None: ...
async def getgid() -> int: ...
async def getegid() -> int: ...
async def setgid(gid: int) -> None: ...
async def prctl(option: int, arg: Any = ...) -> Any: ...
async def getrlimit(resource: int) -> tuple[int, int]: ...
async def setrlimit(resource: int, limits: tuple[int, int]) -> None: ...
async def getrusage(who: int) -> _rusage: ...
async def times() -> _process_times: ...
async def uname() -> _Utsname: ...
async def getrandom(size: int, flags: int = ...) -> bytes: ...
async def sysconf(name: str) -> int: ...

# ---- signals

class SigAction(NamedTuple):
    handler: _Handler | int  # or SIG_DFL, SIG_IGN
    mask: Iterable[int] = ...
    flags: int = ...

class siginfo(NamedTuple):
    si_signo: int
    si_code: int
    si_errno: int
    si_pid: int
    si_uid: int
    si_status: int
    si_value: int
    si_addr: int

async def sigaction(signo: int, act: SigAction | None = ...) -> SigAction: ...
async def signal(signo: int, handler: _Handler | int) -> _Handler | int: ...
async def pthread_sigmask(how: int, mask: Iterable[int] | None) -> set[int]: ...
async def sigprocmask(how: int, mask: Iterable[int] | None) -> set[int]: ...
async def sigpending() -> set[int]: ...
async def sigsuspend(mask: Iterable[int]) -> None: ...
async def sigwait(mask: Iterable[int]) -> int: ...
async def kill(pid: int, signo: int) -> None: ...
async def killpg(pgrp: int, signo: int) -> None: ...
async def tgkill(tgid: int, tid: int, signo: int) -> None: ...
async def tkill(tid: int, signo: int) -> None: ...
async def raise_signal(signo: int) -> None: ...
async def pause() -> None: ...
async def alarm(seconds: int) -> int: ...

# ---- time

async def clock_gettime(clock: int) -> int: ...
async def clock_getres(clock: int) -> int: ...
async def time() -> int: ...
async def nanosleep(ns: int) -> None: ...
async def usleep(microseconds: int) -> None: ...
async def sleep(seconds: int) -> int: ...
async def clock_nanosleep(clock: int, flags: int, ns: int) -> None: ...

# ---- files, pipes

async def open(path: str, flags: int, mode: int = ...) -> int: ...
async def openat(dirfd: int, path: str, flags: int, mode: int = ...) -> int: ...
async def creat(path: str, mode: int) -> int: ...
async def close(fd: int) -> None: ...
async def read(fd: int, n: int) -> bytes: ...
async def read_into(fd: int, address: int, n: int) -> int: ...
async def write(fd: int, data: bytes) -> int: ...
async def write_from(fd: int, address: int, n: int) -> int: ...
async def readv(fd: int, buffers: Sequence[tuple[int, int]]) -> int: ...
async def writev(fd: int, buffers: Sequence[bytes]) -> int: ...
async def pread(fd: int, n: int, offset: int) -> bytes: ...
async def pwrite(fd: int, data: bytes, offset: int) -> int: ...
async def lseek(fd: int, offset: int, whence: int) -> int: ...
async def fsync(fd: int) -> None: ...
async def truncate(path: str, length: int) -> None: ...
async def ftruncate(fd: int, length: int) -> None: ...
async def dup(fd: int) -> int: ...
async def dup2(fd: int, fd2: int) -> int: ...
async def dup3(fd: int, fd2: int, flags: int) -> int: ...
async def fcntl(fd: int, cmd: int, arg: int = ...) -> int: ...
async def ioctl(fd: int, request: int, arg: int | None = ...) -> int: ...
async def isatty(fd: int) -> bool: ...
async def pipe() -> tuple[int, int]: ...
async def pipe2(flags: int) -> tuple[int, int]: ...
def S_ISREG(mode: int) -> bool: ...
def S_ISDIR(mode: int) -> bool: ...
def S_ISFIFO(mode: int) -> bool: ...
def S_ISSOCK(mode: int) -> bool: ...
def S_ISLNK(mode: int) -> bool: ...
def S_ISCHR(mode: int) -> bool: ...
async def stat(path: str) -> _Stat: ...
async def lstat(path: str) -> _Stat: ...
async def fstat(fd: int) -> _Stat: ...
async def access(path: str, mode: int) -> None: ...
async def chmod(path: str, mode: int) -> None: ...
async def fchmod(fd: int, mode: int) -> None: ...
async def umask(mask: int) -> int: ...
async def mkdir(path: str, mode: int = ...) -> None: ...
async def rmdir(path: str) -> None: ...
async def link(source: str, path: str) -> None: ...
async def symlink(target: str, path: str) -> None: ...
async def readlink(path: str) -> str: ...
async def unlink(path: str) -> None: ...
async def rename(source: str, path: str) -> None: ...
async def mkfifo(path: str, mode: int = ...) -> None: ...
async def mknod(path: str, mode: int, device: int = ...) -> None: ...
async def listdir(path: str = ...) -> list[str]: ...
async def getcwd() -> str: ...
async def chdir(path: str) -> None: ...
async def fchdir(fd: int) -> None: ...

# ---- scheduling

async def sched_yield() -> None: ...
async def sched_getcpu() -> int: ...
async def sched_getaffinity(tid: int) -> set[int]: ...
async def sched_setaffinity(tid: int, mask: Iterable[int]) -> None: ...
async def getpriority(which: int, who: int) -> int: ...
async def setpriority(which: int, who: int, priority: int) -> None: ...
async def nice(increment: int) -> int: ...

# ---- futex and what libc builds on it

class pthread_mutex_t(Struct):  # `async with mutex:` locks and unlocks
    async def __aenter__(self) -> None: ...
    async def __aexit__(self, *exc: object) -> None: ...

class pthread_cond_t(Struct): ...
class pthread_barrier_t(Struct): ...
class sem_t(Struct): ...

async def futex(word: Any, op: int, value: int, timeout_ns: int | None = ..., word2: Any = ..., value3: int = ...) -> int: ...
async def pthread_create(
    fn: _Thread, arg: Any = ..., *, detached: bool = ..., affinity: Iterable[int] | None = ..., stacksize: int = ...
) -> int: ...
async def pthread_exit(value: Any = ...) -> None: ...
async def pthread_join(thread: int) -> Any: ...
async def pthread_tryjoin_np(thread: int) -> Any: ...
async def pthread_detach(thread: int) -> None: ...
async def pthread_self() -> int: ...
async def pthread_kill(thread: int, signo: int) -> None: ...
async def pthread_setaffinity_np(thread: int, mask: Iterable[int]) -> None: ...
async def pthread_setname_np(thread: int, name: str) -> None: ...
async def pthread_getname_np(thread: int) -> str: ...
async def pthread_mutex_init(mutex: Any, *, type: int = ..., pshared: int = ...) -> None: ...
async def pthread_mutex_destroy(mutex: Any) -> None: ...
async def pthread_mutex_lock(mutex: Any) -> None: ...
async def pthread_mutex_trylock(mutex: Any) -> None: ...
async def pthread_mutex_unlock(mutex: Any) -> None: ...
async def pthread_cond_init(cond: Any, *, pshared: int = ..., clock: int = ...) -> None: ...
async def pthread_cond_destroy(cond: Any) -> None: ...
async def pthread_cond_wait(cond: Any, mutex: Any) -> None: ...
async def pthread_cond_timedwait(cond: Any, mutex: Any, abstime_ns: int) -> None: ...
async def pthread_cond_signal(cond: Any) -> None: ...
async def pthread_cond_broadcast(cond: Any) -> None: ...
async def pthread_barrier_init(barrier: Any, count: int, *, pshared: int = ...) -> None: ...
async def pthread_barrier_wait(barrier: Any) -> int: ...
async def pthread_barrier_destroy(barrier: Any) -> None: ...
async def sem_init(sem: Any, pshared: int, value: int) -> None: ...
async def sem_destroy(sem: Any) -> None: ...
async def sem_getvalue(sem: Any) -> int: ...
async def sem_trywait(sem: Any) -> None: ...
async def sem_wait(sem: Any) -> None: ...
async def sem_timedwait(sem: Any, abstime_ns: int) -> None: ...
async def sem_post(sem: Any) -> None: ...

# ---- stdio, errors

stdin: Any
stdout: Any
stderr: Any

async def printf(format: str | bytes, *args: Any) -> int: ...
async def fprintf(stream: Any, format: str | bytes, *args: Any) -> int: ...
async def puts(text: str | bytes) -> int: ...
async def fputs(text: str | bytes, stream: Any) -> int: ...
async def fwrite(data: bytes, stream: Any) -> int: ...
async def perror(text: str) -> None: ...
async def fflush(stream: Any = ...) -> None: ...
async def fopen(path: str, mode: str) -> Any: ...
async def fdopen(fd: int, mode: str) -> Any: ...
async def fclose(stream: Any) -> None: ...
async def setvbuf(stream: Any, mode: int, size: int = ...) -> None: ...
async def fgets(n: int, stream: Any) -> str | None: ...
async def getline(stream: Any) -> str | None: ...
async def fread(n: int, stream: Any) -> bytes: ...
def strerror(errno: int | None) -> str: ...  # None: what checkers think `error.errno` might be

# ---- constants: every one has its Linux x86-64 value

ARG_MAX: int
AT_EACCESS: int
AT_EMPTY_PATH: int
AT_FDCWD: int
AT_REMOVEDIR: int
AT_SYMLINK_NOFOLLOW: int
BUFSIZ: int
BUS_ADRALN: int
BUS_ADRERR: int
BUS_OBJERR: int
CLD_CONTINUED: int
CLD_DUMPED: int
CLD_EXITED: int
CLD_KILLED: int
CLD_STOPPED: int
CLD_TRAPPED: int
CLOCK_BOOTTIME: int
CLOCK_MONOTONIC: int
CLOCK_MONOTONIC_COARSE: int
CLOCK_MONOTONIC_RAW: int
CLOCK_PROCESS_CPUTIME_ID: int
CLOCK_REALTIME: int
CLOCK_REALTIME_COARSE: int
CLOCK_THREAD_CPUTIME_ID: int
CLONE_CHILD_CLEARTID: int
CLONE_CHILD_SETTID: int
CLONE_DETACHED: int
CLONE_FILES: int
CLONE_FS: int
CLONE_IO: int
CLONE_NEWCGROUP: int
CLONE_NEWIPC: int
CLONE_NEWNET: int
CLONE_NEWNS: int
CLONE_NEWPID: int
CLONE_NEWUSER: int
CLONE_NEWUTS: int
CLONE_PARENT: int
CLONE_PARENT_SETTID: int
CLONE_PIDFD: int
CLONE_PTRACE: int
CLONE_SETTLS: int
CLONE_SIGHAND: int
CLONE_SYSVSEM: int
CLONE_THREAD: int
CLONE_UNTRACED: int
CLONE_VFORK: int
CLONE_VM: int
CSIGNAL: int
E2BIG: int
EACCES: int
EADDRINUSE: int
EADDRNOTAVAIL: int
EADV: int
EAFNOSUPPORT: int
EAGAIN: int
EALREADY: int
EBADE: int
EBADF: int
EBADFD: int
EBADMSG: int
EBADR: int
EBADRQC: int
EBADSLT: int
EBFONT: int
EBUSY: int
ECANCELED: int
ECHILD: int
ECHRNG: int
ECOMM: int
ECONNABORTED: int
ECONNREFUSED: int
ECONNRESET: int
EDEADLK: int
EDEADLOCK: int
EDESTADDRREQ: int
EDOM: int
EDOTDOT: int
EDQUOT: int
EEXIST: int
EFAULT: int
EFBIG: int
EHOSTDOWN: int
EHOSTUNREACH: int
EIDRM: int
EILSEQ: int
EINPROGRESS: int
EINTR: int
EINVAL: int
EIO: int
EISCONN: int
EISDIR: int
EISNAM: int
EKEYEXPIRED: int
EKEYREJECTED: int
EKEYREVOKED: int
EL2HLT: int
EL2NSYNC: int
EL3HLT: int
EL3RST: int
ELIBACC: int
ELIBBAD: int
ELIBEXEC: int
ELIBMAX: int
ELIBSCN: int
ELNRNG: int
ELOOP: int
EMEDIUMTYPE: int
EMFILE: int
EMLINK: int
EMSGSIZE: int
EMULTIHOP: int
ENAMETOOLONG: int
ENAVAIL: int
ENETDOWN: int
ENETRESET: int
ENETUNREACH: int
ENFILE: int
ENOANO: int
ENOBUFS: int
ENOCSI: int
ENODATA: int
ENODEV: int
ENOENT: int
ENOEXEC: int
ENOKEY: int
ENOLCK: int
ENOLINK: int
ENOMEDIUM: int
ENOMEM: int
ENOMSG: int
ENONET: int
ENOPKG: int
ENOPROTOOPT: int
ENOSPC: int
ENOSR: int
ENOSTR: int
ENOSYS: int
ENOTBLK: int
ENOTCONN: int
ENOTDIR: int
ENOTEMPTY: int
ENOTNAM: int
ENOTRECOVERABLE: int
ENOTSOCK: int
ENOTSUP: int
ENOTTY: int
ENOTUNIQ: int
ENXIO: int
EOF: int
EOPNOTSUPP: int
EOVERFLOW: int
EOWNERDEAD: int
EPERM: int
EPFNOSUPPORT: int
EPIPE: int
EPROTO: int
EPROTONOSUPPORT: int
EPROTOTYPE: int
ERANGE: int
EREMCHG: int
EREMOTE: int
EREMOTEIO: int
ERESTART: int
ERFKILL: int
EROFS: int
ESHUTDOWN: int
ESOCKTNOSUPPORT: int
ESPIPE: int
ESRCH: int
ESRMNT: int
ESTALE: int
ESTRPIPE: int
ETIME: int
ETIMEDOUT: int
ETOOMANYREFS: int
ETXTBSY: int
EUCLEAN: int
EUNATCH: int
EUSERS: int
EWOULDBLOCK: int
EXDEV: int
EXFULL: int
EXIT_FAILURE: int
EXIT_SUCCESS: int
FD_CLOEXEC: int
FIONREAD: int
FPE_INTDIV: int
FPE_INTOVF: int
FUTEX_BITSET_MATCH_ANY: int
FUTEX_CLOCK_REALTIME: int
FUTEX_CMP_REQUEUE: int
FUTEX_FD: int
FUTEX_LOCK_PI: int
FUTEX_OWNER_DIED: int
FUTEX_PRIVATE_FLAG: int
FUTEX_REQUEUE: int
FUTEX_TID_MASK: int
FUTEX_TRYLOCK_PI: int
FUTEX_UNLOCK_PI: int
FUTEX_WAIT: int
FUTEX_WAITERS: int
FUTEX_WAIT_BITSET: int
FUTEX_WAKE: int
FUTEX_WAKE_BITSET: int
FUTEX_WAKE_OP: int
F_ADD_SEALS: int
F_DUPFD: int
F_DUPFD_CLOEXEC: int
F_EXLCK: int
F_GETFD: int
F_GETFL: int
F_GETLEASE: int
F_GETLK: int
F_GETLK64: int
F_GETOWN: int
F_GETPIPE_SZ: int
F_GETSIG: int
F_GET_SEALS: int
F_NOTIFY: int
F_OFD_GETLK: int
F_OFD_SETLK: int
F_OFD_SETLKW: int
F_OK: int
F_RDLCK: int
F_SEAL_GROW: int
F_SEAL_SEAL: int
F_SEAL_SHRINK: int
F_SEAL_WRITE: int
F_SETFD: int
F_SETFL: int
F_SETLEASE: int
F_SETLK: int
F_SETLK64: int
F_SETLKW: int
F_SETLKW64: int
F_SETOWN: int
F_SETPIPE_SZ: int
F_SETSIG: int
F_SHLCK: int
F_UNLCK: int
F_WRLCK: int
GRND_NONBLOCK: int
GRND_RANDOM: int
ILL_ILLOPC: int
IPC_CREAT: int
IPC_EXCL: int
IPC_NOWAIT: int
IPC_PRIVATE: int
IPC_RMID: int
IPC_SET: int
IPC_STAT: int
ITIMER_PROF: int
ITIMER_REAL: int
ITIMER_VIRTUAL: int
LINK_MAX: int
MAP_ANON: int
MAP_ANONYMOUS: int
MAP_DENYWRITE: int
MAP_EXECUTABLE: int
MAP_FILE: int
MAP_FIXED: int
MAP_FIXED_NOREPLACE: int
MAP_GROWSDOWN: int
MAP_LOCKED: int
MAP_POPULATE: int
MAP_PRIVATE: int
MAP_SHARED: int
MAP_SHARED_VALIDATE: int
MAP_STACK: int
MAP_TYPE: int
MS_ASYNC: int
MS_INVALIDATE: int
MS_SYNC: int
NAME_MAX: int
NSIG: int
NULL: int
O_ACCMODE: int
O_APPEND: int
O_ASYNC: int
O_CLOEXEC: int
O_CREAT: int
O_DIRECT: int
O_DIRECTORY: int
O_DSYNC: int
O_EXCL: int
O_FSYNC: int
O_LARGEFILE: int
O_NDELAY: int
O_NOATIME: int
O_NOCTTY: int
O_NOFOLLOW: int
O_NONBLOCK: int
O_PATH: int
O_RDONLY: int
O_RDWR: int
O_RSYNC: int
O_SYNC: int
O_TMPFILE: int
O_TRUNC: int
O_WRONLY: int
PATH_MAX: int
PIPE_BUF: int
POLLERR: int
POLLHUP: int
POLLIN: int
POLLMSG: int
POLLNVAL: int
POLLOUT: int
POLLPRI: int
POLLRDBAND: int
POLLRDHUP: int
POLLRDNORM: int
POLLWRBAND: int
POLLWRNORM: int
PRIO_PGRP: int
PRIO_PROCESS: int
PRIO_USER: int
PROT_EXEC: int
PROT_NONE: int
PROT_READ: int
PROT_WRITE: int
PR_GET_NAME: int
PR_GET_PDEATHSIG: int
PR_SET_NAME: int
PR_SET_PDEATHSIG: int
PTHREAD_BARRIER_SERIAL_THREAD: int
PTHREAD_CREATE_DETACHED: int
PTHREAD_CREATE_JOINABLE: int
PTHREAD_KEYS_MAX: int
PTHREAD_MUTEX_ADAPTIVE_NP: int
PTHREAD_MUTEX_DEFAULT: int
PTHREAD_MUTEX_ERRORCHECK: int
PTHREAD_MUTEX_NORMAL: int
PTHREAD_MUTEX_RECURSIVE: int
PTHREAD_MUTEX_ROBUST: int
PTHREAD_MUTEX_STALLED: int
PTHREAD_MUTEX_TIMED_NP: int
PTHREAD_PRIO_INHERIT: int
PTHREAD_PRIO_NONE: int
PTHREAD_PRIO_PROTECT: int
PTHREAD_PROCESS_PRIVATE: int
PTHREAD_PROCESS_SHARED: int
PTHREAD_RWLOCK_PREFER_READER_NP: int
PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP: int
PTHREAD_RWLOCK_PREFER_WRITER_NP: int
PTHREAD_STACK_MIN: int
P_ALL: int
P_PGID: int
P_PID: int
RAND_MAX: int
RLIMIT_AS: int
RLIMIT_CORE: int
RLIMIT_CPU: int
RLIMIT_DATA: int
RLIMIT_FSIZE: int
RLIMIT_MEMLOCK: int
RLIMIT_MSGQUEUE: int
RLIMIT_NICE: int
RLIMIT_NOFILE: int
RLIMIT_NPROC: int
RLIMIT_OFILE: int
RLIMIT_RSS: int
RLIMIT_RTPRIO: int
RLIMIT_RTTIME: int
RLIMIT_SIGPENDING: int
RLIMIT_STACK: int
RLIM_INFINITY: int
RUSAGE_CHILDREN: int
RUSAGE_SELF: int
RUSAGE_THREAD: int
R_OK: int
SA_NOCLDSTOP: int
SA_NOCLDWAIT: int
SA_NODEFER: int
SA_ONSTACK: int
SA_RESETHAND: int
SA_RESTART: int
SA_SIGINFO: int
SCHED_BATCH: int
SCHED_FIFO: int
SCHED_IDLE: int
SCHED_NORMAL: int
SCHED_OTHER: int
SCHED_RESET_ON_FORK: int
SCHED_RR: int
SEEK_CUR: int
SEEK_END: int
SEEK_SET: int
SEGV_ACCERR: int
SEGV_MAPERR: int
SEM_FAILED: int
SEM_VALUE_MAX: int
SHM_EXEC: int
SHM_RDONLY: int
SHM_REMAP: int
SHM_RND: int
SIGABRT: int
SIGALRM: int
SIGBUS: int
SIGCHLD: int
SIGCLD: int
SIGCONT: int
SIGFPE: int
SIGHUP: int
SIGILL: int
SIGINT: int
SIGIO: int
SIGIOT: int
SIGKILL: int
SIGPIPE: int
SIGPOLL: int
SIGPROF: int
SIGPWR: int
SIGQUIT: int
SIGRTMAX: int
SIGRTMIN: int
SIGSEGV: int
SIGSTKFLT: int
SIGSTOP: int
SIGSYS: int
SIGTERM: int
SIGTRAP: int
SIGTSTP: int
SIGTTIN: int
SIGTTOU: int
SIGURG: int
SIGUSR1: int
SIGUSR2: int
SIGVTALRM: int
SIGWINCH: int
SIGXCPU: int
SIGXFSZ: int
SIG_BLOCK: int
SIG_DFL: int
SIG_IGN: int
SIG_SETMASK: int
SIG_UNBLOCK: int
SI_ASYNCIO: int
SI_KERNEL: int
SI_MESGQ: int
SI_QUEUE: int
SI_SIGIO: int
SI_TIMER: int
SI_TKILL: int
SI_USER: int
SYMLOOP_MAX: int
S_IEXEC: int
S_IFBLK: int
S_IFCHR: int
S_IFDIR: int
S_IFIFO: int
S_IFLNK: int
S_IFMT: int
S_IFREG: int
S_IFSOCK: int
S_IREAD: int
S_IRGRP: int
S_IROTH: int
S_IRUSR: int
S_IRWXG: int
S_IRWXO: int
S_IRWXU: int
S_ISGID: int
S_ISUID: int
S_ISVTX: int
S_IWGRP: int
S_IWOTH: int
S_IWRITE: int
S_IWUSR: int
S_IXGRP: int
S_IXOTH: int
S_IXUSR: int
TCGETS: int
TCSADRAIN: int
TCSAFLUSH: int
TCSANOW: int
TIMER_ABSTIME: int
TIOCGPGRP: int
TIOCGWINSZ: int
TIOCSCTTY: int
TIOCSPGRP: int
WCONTINUED: int
WEXITED: int
WNOHANG: int
WNOWAIT: int
WSTOPPED: int
WUNTRACED: int
W_OK: int
X_OK: int
_IOFBF: int
_IOLBF: int
_IONBF: int
memory_order_acq_rel: int
memory_order_acquire: int
memory_order_consume: int
memory_order_relaxed: int
memory_order_release: int
memory_order_seq_cst: int
