"""Modes, umask, access, owners, the sticky bit, set-user-ID of a process."""

from observe import *

from userspace.libc import *

USER = 1000


async def as_user(fn, *arguments):
    """In a child without privileges."""
    return await told_by_child(demoted, fn, arguments)


async def demoted(fn, arguments):
    await setgid(USER)
    await setuid(USER)
    return await fn(*arguments)


@expect(("0o644", "0o600", "0o755", "0o666", 0o22, 0o77))
async def the_umask_takes_bits_away():
    await file_with("a", mode=0o666)
    before = await umask(0o077)
    await file_with("b", mode=0o666)
    again = await umask(0)
    await umask(0o022)
    await mkdir("d", 0o777)
    await umask(0)
    await mkfifo("f", 0o666)
    return await mode_of("a"), await mode_of("b"), await mode_of("d"), await mode_of("f"), before, again


@expect((0o777, 0o22))
async def the_umask_keeps_only_permission_bits():
    first = await umask(0o7777)
    return await umask(first), first


@expect(("0o4751", "0o640", "ENOENT", "EBADF", "0o1777"))
async def chmod_sets_twelve_bits():
    await file_with("a")
    await mkdir("d")
    await chmod("a", 0o4751)
    first = await mode_of("a")
    fd = await open("a", O_RDONLY)
    await fchmod(fd, 0o640)
    await chmod("d", 0o1777)
    return first, await mode_of("a"), await attempt(chmod("none", 0)), await attempt(fchmod(55, 0)), await mode_of("d")


async def try_all(path):
    return (
        await attempt(access(path, R_OK)),
        await attempt(access(path, W_OK)),
        await attempt(access(path, X_OK)),
        await attempt(access(path, F_OK)),
    )


@expect(((None, "EACCES", "EACCES", None), ("EACCES", "EACCES", None, None), ("EACCES", "EACCES", "EACCES", None)))
async def others_have_the_last_three_bits():
    seen = []
    for name, mode in (("r", 0o774), ("x", 0o771), ("none", 0o770)):
        await file_with(name)
        await chmod(name, mode)
        seen.append(await as_user(try_all, name))
    return tuple(seen)


@expect(((None, None, "EACCES", None), (None, None, None, None), "EINVAL"))
async def root_may_do_all_but_execute_what_nobody_may():
    await file_with("a")
    await chmod("a", 0o000)
    plain = await try_all("a")
    await chmod("a", 0o001)
    return plain, await try_all("a"), await attempt(access("a", 8))


async def opens(path):
    seen = []
    for flags in (O_RDONLY, O_WRONLY, O_RDWR):
        fd = await attempt(open(path, flags))
        seen.append("open" if isinstance(fd, int) else fd)
    return seen


@expect((("open", "EACCES", "EACCES"), ("EACCES", "open", "EACCES"), ("open", "open", "open")))
async def open_wants_the_bits_of_its_mode():
    seen = []
    for name, mode in (("r", 0o704), ("w", 0o702), ("rw", 0o706)):
        await file_with(name)
        await chmod(name, mode)
        seen.append(await as_user(opens, name))
    return tuple(seen)


async def own_file():
    await file_with("d/mine", b"", 0o077)
    st = await stat("d/mine")
    return [await opens("d/mine"), st.st_uid, st.st_gid, await attempt(chmod("d/mine", 0o600)), await opens("d/mine")]


@expect((("EACCES", "EACCES", "EACCES"), 1000, 1000, None, ("open", "open", "open")))
async def the_owner_has_only_the_owners_bits():
    await umask(0)
    await mkdir("d", 0o777)
    return await as_user(own_file)


async def in_closed_directory():
    return [
        await attempt(open("d/f", O_RDONLY)),
        await attempt(listdir("d")),
        await attempt(chdir("d")),
        await attempt(open("d/new", O_CREAT | O_WRONLY, 0o644)),
        await attempt(unlink("d/f")),
    ]


@expect(("EACCES", ("f",), "EACCES", "EACCES", "EACCES"))
async def a_directory_without_search_can_only_be_listed():
    await mkdir("d")
    await file_with("d/f")
    await chmod("d", 0o744)
    return await as_user(in_closed_directory)


@expect((4, "EACCES", None, "EACCES", "EACCES"))
async def a_directory_without_read_can_be_entered():
    await mkdir("d")
    await file_with("d/f")
    await symlink("d/f", "s")
    await chmod("d", 0o711)
    return await as_user(in_search_directory)


async def in_search_directory():
    fd = await attempt(open("d/f", O_RDONLY))
    return [
        4 if isinstance(fd, int) else fd,
        await attempt(listdir("d")),
        await attempt(stat("s")) and None,
        await attempt(rename("d/f", "d/g")),
        await attempt(mkdir("d/h")),
    ]


async def with_others_files():
    return [
        await attempt(chmod("d/f", 0o777)),
        await attempt(unlink("d/f")),
        await attempt(rename("d/f", "d/g")),
        await attempt(mkdir("d/mine")),
        await attempt(rmdir("d/mine")),
        await attempt(truncate("d/f", 0)),
    ]


@expect(("EPERM", "EPERM", "EPERM", None, None, "EACCES"))
async def in_a_sticky_directory_files_belong_to_their_owners():
    await mkdir("d")
    await file_with("d/f")
    await chmod("d", 0o1777)
    return await as_user(with_others_files)


@expect(("EPERM", None, "ENOENT", None, None, "ENOENT"))
async def in_a_writable_directory_any_name_can_be_removed():
    await mkdir("d")
    await file_with("d/f")
    await chmod("d", 0o777)
    return await as_user(with_others_files)


async def change_user():
    await setuid(USER)
    return [
        await getuid(),
        await geteuid(),
        await attempt(setuid(0)),
        await attempt(setuid(USER)),
        await attempt(setgid(0)),
        await attempt(setgid(7)),
        await getgid(),
    ]


@expect((1000, 1000, "EPERM", None, None, "EPERM", 0))
async def giving_up_root_is_for_good():
    return await told_by_child(change_user)


async def signal_root():
    await setuid(USER)
    return [await attempt(kill(await getppid(), 0)), await attempt(kill(await getppid(), SIGTERM)), await attempt(kill(0, 0))]


@expect(("EPERM", "EPERM", None))
async def a_user_may_not_signal_root():
    return await told_by_child(signal_root)


async def raise_limits():
    await setrlimit(RLIMIT_NOFILE, (100, 200))
    await setuid(USER)
    return [
        await attempt(setrlimit(RLIMIT_NOFILE, (200, 200))),
        await attempt(setrlimit(RLIMIT_NOFILE, (200, 201))),
        await attempt(setrlimit(RLIMIT_NOFILE, (201, 200))),
        await attempt(setrlimit(RLIMIT_NOFILE, (10, 20))),
        await getrlimit(RLIMIT_NOFILE),
        await attempt(setrlimit(RLIMIT_NOFILE, (20, 21))),
    ]


@expect((None, "EPERM", "EINVAL", None, (10, 20), "EPERM"))
async def a_user_may_lower_limits_and_not_raise_the_hard_one():
    return await told_by_child(raise_limits)


async def be_nice():
    await setuid(USER)
    return [await nice(5), await attempt(nice(-1)), await attempt(setpriority(PRIO_PROCESS, 0, 0)), await getpriority(PRIO_PROCESS, 0)]


@expect((5, "EPERM", "EACCES", 5))
async def a_user_may_only_become_nicer():
    return await told_by_child(be_nice)


async def write_to(path):
    await write(await open(path, O_WRONLY), b"x")


@expect(("0o777", "0o767", "0o6777"))
async def a_users_write_clears_set_user_id():
    for name, mode in (("a", 0o6777), ("b", 0o6767), ("roots", 0o6777)):
        await file_with(name)
        await chmod(name, mode)
    await as_user(write_to, "a")
    await as_user(write_to, "b")
    await write_to("roots")
    return await mode_of("a"), await mode_of("b"), await mode_of("roots")


@expect(("EACCES", "EACCES", None))
async def execution_wants_an_x_bit_even_of_root():
    await file_with("a", b"#!/bin/true\n", 0o644)
    await mkdir("d")
    return await attempt(execv("./a", ["a"])), await attempt(execv("./d", ["d"])), await attempt(chmod("a", 0o755))
