"""libc: what `from userspace.libc import *` gives to a program. The contract of each name stands where it is defined.

The list is explicit, one import for each header; `__all__` is what the list names, with the names that begin with an underscore.
"""

from __future__ import annotations

from userspace.layout import Array, Struct, char
from userspace.libc import constants as _constants
from userspace.libc.abort import _exit, abort
from userspace.libc.barrier import pthread_barrier_destroy, pthread_barrier_init, pthread_barrier_t, pthread_barrier_wait
from userspace.libc.condition import (
    pthread_cond_broadcast,
    pthread_cond_destroy,
    pthread_cond_init,
    pthread_cond_signal,
    pthread_cond_t,
    pthread_cond_timedwait,
    pthread_cond_wait,
)
from userspace.libc.constants import *
from userspace.libc.environment import environ, getenv, setenv, unsetenv
from userspace.libc.files import (
    S_ISCHR,
    S_ISDIR,
    S_ISFIFO,
    S_ISLNK,
    S_ISREG,
    S_ISSOCK,
    access,
    chdir,
    chmod,
    close,
    creat,
    dup,
    dup2,
    dup3,
    fchmod,
    fcntl,
    fstat,
    fsync,
    ftruncate,
    getcwd,
    ioctl,
    isatty,
    link,
    listdir,
    lseek,
    lstat,
    mkdir,
    mkfifo,
    mknod,
    open,
    openat,
    pipe,
    pipe2,
    pread,
    pwrite,
    read,
    read_into,
    readlink,
    readv,
    rename,
    rmdir,
    stat,
    symlink,
    truncate,
    umask,
    unlink,
    write,
    write_from,
    writev,
)
from userspace.libc.futex import futex
from userspace.libc.malloc import calloc, free, malloc, realloc
from userspace.libc.mman import brk, mmap, mprotect, msync, munmap, sbrk, shm_open, shm_unlink
from userspace.libc.mutex import (
    pthread_mutex_destroy,
    pthread_mutex_init,
    pthread_mutex_lock,
    pthread_mutex_t,
    pthread_mutex_trylock,
    pthread_mutex_unlock,
)
from userspace.libc.process import (
    WCOREDUMP,
    WEXITSTATUS,
    WIFCONTINUED,
    WIFEXITED,
    WIFSIGNALED,
    WIFSTOPPED,
    WSTOPSIG,
    WTERMSIG,
    become,
    clone,
    execv,
    execve,
    execvp,
    execvpe,
    fork,
    wait,
    wait4,
    waitpid,
)
from userspace.libc.pthread import (
    pthread_create,
    pthread_detach,
    pthread_exit,
    pthread_getname_np,
    pthread_join,
    pthread_kill,
    pthread_self,
    pthread_setaffinity_np,
    pthread_setname_np,
    pthread_tryjoin_np,
)
from userspace.libc.sched import getpriority, nice, sched_getaffinity, sched_getcpu, sched_setaffinity, sched_yield, setpriority
from userspace.libc.semaphore import sem_destroy, sem_getvalue, sem_init, sem_post, sem_t, sem_timedwait, sem_trywait, sem_wait
from userspace.libc.signal import (
    SigAction,
    alarm,
    kill,
    killpg,
    pause,
    pthread_sigmask,
    raise_signal,
    sigaction,
    siginfo,
    signal,
    sigpending,
    sigprocmask,
    sigsuspend,
    sigwait,
    tgkill,
    tkill,
)
from userspace.libc.stdio import (
    fclose,
    fdopen,
    fflush,
    fgets,
    fopen,
    fprintf,
    fputs,
    fread,
    fwrite,
    getline,
    perror,
    printf,
    puts,
    setvbuf,
    stderr,
    stdin,
    stdout,
    strerror,
)
from userspace.libc.stdlib import atexit, exit, rand, srand
from userspace.libc.string import atomic_thread_fence, compute, cpu_relax, memcpy, memset, read_bytes, strsignal, write_bytes
from userspace.libc.time import clock_getres, clock_gettime, clock_nanosleep, nanosleep, sleep, time, usleep
from userspace.libc.unistd import (
    getegid,
    geteuid,
    getgid,
    getpgid,
    getpgrp,
    getpid,
    getppid,
    getrandom,
    getrlimit,
    getrusage,
    getsid,
    gettid,
    getuid,
    prctl,
    setpgid,
    setrlimit,
    setsid,
    setuid,
    sysconf,
    times,
    uname,
)
from userspace.ref import Global, alloca, sizeof
from userspace.scalars import i8, i16, i32, i64, ptr, u8, u16, u32, u64

_names = {name for name, value in globals().items() if not name.startswith("_") and not isinstance(value, type(_constants))}
_names -= {"annotations"}
_names |= {"_exit", *_constants.__all__}

__all__ = []
__all__ += sorted(_names)  # computed, so that no name can stand above and not here
