"""Directories, links, renames, symbolic links, paths, the working directory."""

from observe import *

from userspace.libc import *


@expect((True, "0o755", 2, 3, "EEXIST", "ENOENT", "ENOTDIR"))
async def mkdir_makes_a_directory_and_counts_links():
    await mkdir("d", 0o777)
    st = await stat("d")
    await mkdir("d/e")
    await file_with("a")
    return (
        S_ISDIR(st.st_mode),
        await mode_of("d"),
        st.st_nlink,
        (await stat("d")).st_nlink,
        await attempt(mkdir("d")),
        await attempt(mkdir("none/d")),
        await attempt(mkdir("a/d")),
    )


@expect(("ENOTEMPTY", "ENOTDIR", "ENOENT", "EINVAL", "ENOTEMPTY", None, 2))
async def rmdir_wants_an_empty_directory():
    await mkdir("d")
    await mkdir("d/e")
    await file_with("a")
    seen = (
        await attempt(rmdir("d")),
        await attempt(rmdir("a")),
        await attempt(rmdir("none")),
        await attempt(rmdir("d/e/.")),
        await attempt(rmdir("d/e/..")),
        await attempt(rmdir("d/e")),
    )
    return *seen, (await stat("d")).st_nlink


@expect(("EBUSY", "EEXIST", "EISDIR"))
async def the_root_is_not_to_be_moved():
    return await attempt(rmdir("/")), await attempt(mkdir("/")), await attempt(unlink("/"))


@expect(("EISDIR", "ENOENT", "ENOTDIR", "ENOTDIR", None))
async def unlink_wants_a_file():
    await mkdir("d")
    await file_with("a")
    return (
        await attempt(unlink("d")),
        await attempt(unlink("none")),
        await attempt(unlink("a/b")),
        await attempt(unlink("a/")),
        await attempt(unlink("a")),
    )


@expect((2, True, "EPERM", "EEXIST", "ENOENT", b"one", 1))
async def hard_links_are_two_names_of_one_file():
    await file_with("a", b"one")
    await mkdir("d")
    await link("a", "b")
    first, second = await stat("a"), await stat("b")
    seen = (
        first.st_nlink,
        first.st_ino == second.st_ino,
        await attempt(link("d", "e")),
        await attempt(link("a", "b")),
        await attempt(link("none", "c")),
    )
    await unlink("a")
    return *seen, await content("b"), (await stat("b")).st_nlink


@expect((True, True))
async def link_does_not_follow_a_symbolic_link():
    await symlink("nowhere", "s")
    await link("s", "t")
    return S_ISLNK((await lstat("t")).st_mode), (await lstat("t")).st_ino == (await lstat("s")).st_ino


@expect(("target", 6, "0o777", "EINVAL", "ENOENT", "EEXIST", "ENOENT", "ENOENT"))
async def symbolic_links_hold_text():
    await symlink("target", "s")
    await file_with("a")
    st = await lstat("s")
    return (
        await readlink("s"),
        st.st_size,
        await mode_of("s"),
        await attempt(readlink("a")),
        await attempt(stat("s")),
        await attempt(symlink("x", "s")),
        await attempt(symlink("", "t")),
        await attempt(readlink("")),
    )


@expect(("ELOOP", "ELOOP", "ELOOP", None))
async def a_circle_of_links_is_eloop():
    await symlink("t", "s")
    await symlink("s", "t")
    return await attempt(stat("s")), await attempt(open("s/x", O_RDONLY)), await attempt(chdir("t")), await attempt(unlink("s"))


@expect((b"deep", "ELOOP"))
async def forty_links_are_followed_and_not_one_more():
    await file_with("l0", b"deep")
    for n in range(41):
        await symlink(f"l{n}", f"l{n + 1}")
    return await content("l40"), await attempt(open("l41", O_RDONLY))


@expect(("ENAMETOOLONG", None, "ENAMETOOLONG", "ENAMETOOLONG"))
async def names_and_paths_have_a_greatest_length():
    return (
        await attempt(file_with("n" * 256)),
        await attempt(file_with("n" * 255)),
        await attempt(stat("x/" * 2048)),
        await attempt(mkdir("d" * 300)),
    )


@expect(("ENOENT", "ENOENT", "ENOTDIR", "ENOTDIR", "ENOTDIR"))
async def the_way_to_a_name_must_be_directories():
    await file_with("a")
    return (
        await attempt(stat("none/b")),
        await attempt(stat("")),
        await attempt(stat("a/")),
        await attempt(stat("a/.")),
        await attempt(stat("a/../a")),
    )


@expect((b"v", b"v", b"v", True, True))
async def dots_slashes_and_links_on_the_way():
    await mkdir("d")
    await mkdir("d/e")
    await file_with("d/f", b"v")
    await symlink("d/e", "s")
    return (
        await content("d//./e/../f"),
        await content("s/../f"),
        await content("./d/../s/.././f"),
        (await stat("s/")).st_ino == (await stat("d/e")).st_ino,
        S_ISLNK((await lstat("s")).st_mode),
    )


@expect((b"new", "ENOENT", 1, b"old"))
async def rename_replaces_a_file_that_is_still_read():
    await file_with("a", b"new")
    await file_with("b", b"old")
    fd = await open("b", O_RDONLY)
    await rename("a", "b")
    return await content("b"), await attempt(stat("a")), (await stat("b")).st_nlink, await read(fd, 10)


@expect(("EISDIR", "ENOTDIR", "ENOTEMPTY", "EINVAL", "ENOENT", "ENOENT", None, None))
async def rename_checks_kinds():
    await mkdir("d")
    await mkdir("full")
    await file_with("full/x")
    await file_with("a")
    return (
        await attempt(rename("a", "d")),
        await attempt(rename("d", "a")),
        await attempt(rename("d", "full")),
        await attempt(rename("full", "full/inside")),
        await attempt(rename("none", "b")),
        await attempt(rename("a", "none/b")),
        await attempt(rename("a", "a")),
        await attempt(rename("full", "d")),
    )


@expect((2, None, 2))
async def renaming_one_link_over_another_does_nothing():
    await file_with("a")
    await link("a", "b")
    before = (await stat("a")).st_nlink
    return before, await attempt(rename("a", "b")), (await stat("a")).st_nlink


@expect((3, 2, True))
async def moving_a_directory_moves_its_dotdot():
    await mkdir("d")
    await mkdir("e")
    await mkdir("d/sub")
    await rename("d/sub", "e/sub")
    return (await stat("e")).st_nlink, (await stat("d")).st_nlink, (await stat("e/sub/..")).st_ino == (await stat("e")).st_ino


@expect(("EBUSY", "EBUSY", "ENOTEMPTY", "ENOTDIR"))
async def rename_of_dots_and_slashes():
    await mkdir("d")
    await mkdir("d/e")
    await file_with("a")
    return (
        await attempt(rename("d/.", "x")),
        await attempt(rename("d", "d/e/..")),
        await attempt(rename("d/e", "d")),
        await attempt(rename("a", "b/")),
    )


@expect((["a", "b", "d"], ["x"], "ENOTDIR", "ENOENT"))
async def a_directory_lists_its_names():
    await mkdir("d")
    await file_with("a")
    await symlink("nowhere", "b")
    await file_with("d/x")
    mine = [name for name in sorted(await listdir(".")) if name in ("a", "b", "d", "x")]
    return mine, await listdir("d"), await attempt(listdir("a")), await attempt(listdir("none"))


@expect((True, True, "ENOENT", "ENOTDIR"))
async def chdir_moves_and_getcwd_tells():
    home = await getcwd()
    await mkdir("d")
    await file_with("a")
    await chdir("d")
    inside = await getcwd() == home + "/d"
    await chdir("..")
    return inside, await getcwd() == home, await attempt(chdir("none")), await attempt(chdir("a"))


@expect((True, "ENOTDIR", "EBADF", True))
async def fchdir_moves_to_an_open_directory_wherever_it_is_now():
    home = await getcwd()
    await mkdir("d")
    await file_with("a")
    directory, file = await open("d", O_RDONLY | O_DIRECTORY), await open("a", O_RDONLY)
    await rename("d", "e")
    await fchdir(directory)
    inside = await getcwd() == home + "/e"
    return inside, await attempt(fchdir(file)), await attempt(fchdir(99)), await getcwd() == home + "/e"


@expect((True,))
async def getcwd_follows_no_link():
    home = await getcwd()
    await mkdir("d")
    await symlink("d", "s")
    await chdir("s")
    return (await getcwd() == home + "/d",)


@expect(("ENOENT", "ENOENT", "ENOENT", 0))
async def a_removed_working_directory():
    await mkdir("d")
    await chdir("d")
    await rmdir("../d")
    return (
        await attempt(getcwd()),
        await attempt(open("x", O_CREAT | O_WRONLY, 0o644)),
        await attempt(mkdir("y")),
        (await stat(".")).st_nlink,
    )


async def chdir_away():
    await chdir("/")


@expect((("exited", 0), True))
async def a_childs_working_directory_is_its_own():
    home = await getcwd()
    return await in_child(chdir_away), await getcwd() == home


@expect((True, 33152, 35273, 5, 8))
async def stat_tells_what_a_file_is():
    await file_with("a", b"12345", 0o600)
    st = await stat("a")
    await chmod("a", 0o4711)
    return S_ISREG(st.st_mode), st.st_mode, (await stat("a")).st_mode, st.st_size, st.st_blocks


@expect((1048577, 8))
async def a_hole_takes_no_blocks():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    await pwrite(fd, b"x", 1 << 20)
    st = await fstat(fd)
    return st.st_size, st.st_blocks


@expect((True, True, True))
async def changes_move_the_times():
    await file_with("a", b"1")
    before = await stat("a")
    await nanosleep(20_000_000)
    await file_with("a", b"2")
    written = await stat("a")
    await nanosleep(20_000_000)
    await chmod("a", 0o600)
    moded = await stat("a")
    return (
        written.st_mtime_ns > before.st_mtime_ns,
        moded.st_mtime_ns == written.st_mtime_ns,
        moded.st_ctime_ns > written.st_ctime_ns,
    )


@expect((None, "EEXIST", "EPERM", True, "EINVAL"))
async def mknod_makes_files():
    return (
        await attempt(mknod("a", S_IFREG | 0o644)),
        await attempt(mknod("a", S_IFREG | 0o644)),
        await attempt(mknod("d", S_IFDIR | 0o755)),
        S_ISREG((await stat("a")).st_mode),
        await attempt(mknod("l", S_IFLNK | 0o777)),
    )
