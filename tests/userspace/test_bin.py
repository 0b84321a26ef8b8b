"""The programs in /bin against the host's own (coreutils) where output can be compared, else against the man page."""

import shutil
import subprocess

import pytest

from tests.support.machines import program, ran_well, run
from trapline.machine import Machine

IN_A_FOLDER = """
async def main(argv):
    await mkdir("/tmp/d")
    await chdir("/tmp/d")
    for name, size in (("beta", 10), ("alpha", 3), ("Zeta", 0), (".hidden", 5), ("with-a-longer-name", 1)):
        fd = await open(name, O_CREAT | O_WRONLY, 0o644)
        await write(fd, b"x" * size)
        await close(fd)
    await mkdir("sub", 0o755)
    await close(await creat("sub/inner", 0o600))
    await symlink("alpha", "link")
    await mkfifo("pipe", 0o644)
    await execv("/bin/" + argv[1], argv[1:])
"""


def ours(*argv: str, stdin: bytes = b"", source: str = "") -> tuple[int, str, str]:
    found = program(source) if source else argv[0]
    result = Machine("quad", seed=1).run(found, argv if source else argv[1:], stdin)
    return result.status, result.stdout.decode(), result.stderr.decode()


def hosts(*argv: str, stdin: bytes = b"") -> tuple[int, str, str]:
    path = shutil.which(argv[0])
    if path is None:
        pytest.skip(f"the host has no {argv[0]}")
    result = subprocess.run([path, *argv[1:]], input=stdin, capture_output=True, check=False, env={"LC_ALL": "C"})
    return result.returncode, result.stdout.decode(), result.stderr.decode().replace(path, argv[0])


@pytest.mark.parametrize("argv", [
    ("true", "--nothing"), ("false",), ("echo",), ("echo", "a", "b  c"), ("echo", "-n", "a"), ("echo", "-nn", "a"), ("echo", "-nx", "a"),
    ("echo", "-e", r"a\tb\\\0101\x41\q\x"), ("echo", "-e", r"a\cb", "c"), ("echo", "-eE", r"a\t"), ("echo", "--", "-n"), ("echo", "-", "x"),
    ("cat", "/nothing"), ("cat", "/tmp"), ("cat", "-z"), ("cat", "--zz"), ("cat", "-u", "-"), ("cat",), ("cat", "/nothing", "-"),
    ("sleep",), ("sleep", "x"), ("sleep", "1", "2x", "y"), ("sleep", "-1"), ("sleep", "."), ("sleep", "0.001", "0s"), ("sleep", ".002"),
    ("ls", "/nothing"), ("ls", "-Y"), ("ls", "--nothing"),
])  # fmt: skip
def test_output_and_status_are_the_hosts(argv):
    assert ours(*argv, stdin=b"one\ntwo\n") == hosts(*argv, stdin=b"one\ntwo\n")


def test_sleep_takes_sums_and_suffixes():
    result = ran_well(Machine("quad", seed=1).run("sleep", ("1.5", "0.5s", "1m", "1h")))
    assert 3662 * 10**9 <= result.time_ns < 3663 * 10**9


def listing(*argv: str) -> tuple[int, str, str]:
    return ours("ls", *argv, source=IN_A_FOLDER)


def test_ls_sorts_by_bytes_and_hides_dot_names():
    assert listing("-1") == (0, "Zeta\nalpha\nbeta\nlink\npipe\nsub\nwith-a-longer-name\n", "")
    assert listing("-1a")[1].split()[:4] == [".", "..", ".hidden", "Zeta"]
    assert listing("-1A")[1].split()[:2] == [".hidden", "Zeta"]
    assert listing("-1r")[1].split()[0] == "with-a-longer-name"


def test_ls_fills_columns_downwards_on_a_terminal():
    assert listing() == (0, "Zeta  alpha  beta  link  pipe  sub  with-a-longer-name\n", "")


def test_long_listing_has_mode_links_owner_size_and_date():
    status, text, _ = listing("-l")
    lines = text.splitlines()
    assert status == 0
    assert lines[0].startswith("total ")
    modes = [line.split()[0] for line in lines[1:]]
    assert modes == ["-rw-r--r--"] * 3 + ["lrwxrwxrwx", "prw-r--r--", "drwxr-xr-x", "-rw-r--r--"]
    assert lines[2].split() == ["-rw-r--r--", "1", "root", "root", "3", "Nov", "14", "22:13", "alpha"]
    assert lines[4].endswith(" link -> alpha")
    assert len({line.index(" root") for line in lines[1:]}) == 1


def test_ls_lists_files_first_then_directories_under_their_names():
    assert listing("-1", "sub", "beta", "nothing") == (
        2, "beta\n\nsub:\ninner\n", "ls: cannot access 'nothing': No such file or directory\n",
    )  # fmt: skip
    assert listing("-d", "sub") == (0, "sub\n", "")
    assert listing("-1", "sub") == (0, "inner\n", "")
    assert listing("-1R", "sub") == (0, "sub:\ninner\n", "")


def test_cat_copies_files_larger_than_its_buffer():
    source = """
    async def main():
        fd = await open("/tmp/big", O_CREAT | O_WRONLY, 0o644)
        await write(fd, b"0123456789" * 20000)
        await close(fd)
        await execv("/bin/cat", ["cat", "/tmp/big"])
    """
    assert ran_well(run(source)).stdout == b"0123456789" * 20000
