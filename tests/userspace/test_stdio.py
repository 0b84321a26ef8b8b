"""stdio streams live in simulated memory and buffer as glibc's."""

from __future__ import annotations

import errno

import pytest

from kernel.abi import ops
from kernel.abi.errnos import Failure
from kernel.abi.flags import FUTEX_PRIVATE_FLAG, FUTEX_WAIT, FUTEX_WAKE
from kernel.abi.syscalls import NUMBERS
from tests.support.fake_cpu import FakeCpu
from userspace.libc import (
    _IOFBF,
    _IOLBF,
    _IONBF,
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
)
from userspace.libc.libc_data import FILE, STDOUT
from userspace.libc.stdio import flush_at_exit
from userspace.libc.streams import WAITED_FOR, lock_stream


def writes(cpu: FakeCpu) -> list[bytes]:
    return [data for _, data in cpu.written]


def run(program, terminal: bool = False) -> FakeCpu:
    cpu = FakeCpu(terminal)
    cpu.run(program(cpu))
    return cpu


def test_a_terminal_gets_whole_lines():
    async def program(cpu):
        await printf("one ")
        assert not cpu.written
        await printf("two\nthree")
        assert writes(cpu) == [b"one two\n"]
        await puts("!")
        assert writes(cpu)[1:] == [b"three!\n"]

    run(program, terminal=True)


def test_a_file_gets_blocks_and_exit_writes_the_rest():
    async def program(cpu):
        await printf("%s", "x" * 4000)
        await puts("y" * 99)
        assert writes(cpu) == [b"x" * 4000 + b"y" * 96]
        await fputs("z" * 9000, stdout)
        assert writes(cpu)[1:] == [b"yyy\n" + b"z" * 4092, b"z" * 4096]
        await flush_at_exit()

    assert run(program).output(1) == b"x" * 4000 + b"y" * 99 + b"\n" + b"z" * 9000


def test_stderr_is_unbuffered_one_write_for_each_call():
    async def program(cpu):
        await fprintf(stderr, "a%db", 5)
        await fputs("c\nd", stderr)

    assert run(program).written == [(2, b"a5b"), (2, b"c\nd")]


def test_a_printf_takes_few_ops():
    async def program(cpu):
        await puts("first")
        before = len(cpu.trace)
        assert await printf("second %d\n", 2) == 9
        kinds = [type(op).__name__ for op in cpu.trace[before:]]
        assert kinds == ["Register", "CompareExchange", "ReadLine", "WriteLine", "Store", "Syscall", "Store", "ReadModifyWrite"]

    run(program, terminal=True)


def test_text_waits_in_simulated_memory_so_a_copy_of_it_has_it_too():
    """fork duplicates unflushed text: the child's memory is a copy, and its exit writes the text once more."""
    parent, child = FakeCpu(), FakeCpu()
    parent.run(printf("unflushed"))
    child.memory.pages = {number: bytearray(page) for number, page in parent.memory.pages.items()}
    parent.run(fflush(stdout))
    child.run(fflush(None))
    assert parent.output(1) == child.output(1) == b"unflushed"


def test_fflush_without_a_stream_writes_all_streams():
    async def program(cpu):
        stream = await fopen("f", "w")
        await fputs("in f", stream)
        await fputs("out", stdout)
        await fflush()

    assert writes(run(program)) == [b"in f", b"out"]


def test_a_failed_write_raises_and_loses_the_text():
    async def program(cpu):
        write = cpu.calls[NUMBERS["write"]]
        cpu.calls[NUMBERS["write"]] = lambda *_: Failure(errno.EPIPE)
        with pytest.raises(BrokenPipeError):
            await puts("lost")
        cpu.calls[NUMBERS["write"]] = write
        await puts("kept")

    assert writes(run(program, terminal=True)) == [b"kept\n"]


def test_a_short_write_is_continued():
    async def program(cpu):
        write = cpu.calls[NUMBERS["write"]]
        cpu.calls[NUMBERS["write"]] = lambda fd, data: write(fd, ops.In(data.address, min(2, data.count)))
        await puts("abc")

    assert writes(run(program, terminal=True)) == [b"ab", b"c\n"]


def test_setvbuf_changes_how_a_stream_buffers():
    async def program(cpu):
        await setvbuf(stdout, _IONBF)
        await fputs("a", stdout)
        await setvbuf(stdout, _IOLBF)
        await fputs("b\nc", stdout)
        await setvbuf(stdout, _IOFBF, 4)
        await fputs("de\nfgh", stdout)
        await fflush(stdout)
        with pytest.raises(OSError, match="Invalid argument"):
            await setvbuf(stdout, 9)

    assert writes(run(program)) == [b"a", b"b\n", b"c", b"de\nf", b"gh"]


def test_lines_are_read_as_they_stand():
    async def program(cpu):
        cpu.paths[b"f"] = bytearray(b"one\n" + b"long " * 30 + b"\nlast")
        stream = await fopen("f", "r")
        assert await fgets(100, stream) == "one\n"
        assert await fgets(6, stream) == "long "
        assert await getline(stream) == "long " * 29 + "\n"
        assert await getline(stream) == "last"
        assert await getline(stream) is None
        assert await fgets(10, stream) is None
        await fclose(stream)
        assert 3 not in cpu.files

    run(program)


def test_fread_gives_what_there_is_and_large_ones_pass_the_buffer():
    async def program(cpu):
        cpu.paths[b"f"] = bytearray(bytes(range(256)) * 60)
        stream = await fopen("f", "r")
        assert await fread(10, stream) == bytes(range(10))
        before = len(cpu.trace)
        assert await fread(20000, stream) == (bytes(range(256)) * 60)[10:]
        assert await fread(5, stream) == b""
        reads = [op.args[1] for op in cpu.trace[before:] if isinstance(op, ops.Syscall) and op.nr == NUMBERS["read"]]
        assert reads[0] == 12288, "whole blocks go past the buffer"

    run(program)


def test_reading_the_terminal_shows_the_prompt_first():
    async def program(cpu):
        cpu.files[0].content[:] = b"answer\n"
        await printf("question? ")
        assert await getline(stdin) == "answer\n"
        assert cpu.written == [(1, b"question? ")]

    run(program, terminal=True)


def test_an_update_stream_gives_back_what_it_read_ahead_before_it_writes():
    async def program(cpu):
        cpu.paths[b"f"] = bytearray(b"abcdef")
        stream = await fopen("f", "r+")
        assert await fread(2, stream) == b"ab"
        await fwrite(b"XY", stream)
        await fclose(stream)
        assert cpu.paths[b"f"] == b"abXYef"

    run(program)


def test_appending_goes_to_the_end():
    async def program(cpu):
        cpu.paths[b"f"] = bytearray(b"abc")
        stream = await fopen("f", "a")
        await fputs("d", stream)
        await fclose(stream)
        assert cpu.paths[b"f"] == b"abcd"

    run(program)


def test_the_wrong_direction_and_bad_modes_are_refused():
    async def program(cpu):
        cpu.paths[b"f"] = bytearray(b"abc")
        reader = await fopen("f", "r")
        with pytest.raises(OSError, match="Bad file descriptor"):
            await fputs("x", reader)
        with pytest.raises(OSError, match="Bad file descriptor"):
            await getline(await fopen("g", "w"))
        with pytest.raises(OSError, match="Invalid argument"):
            await fopen("f", "q")
        with pytest.raises(FileNotFoundError):
            await fopen("missing", "r")
        with pytest.raises(OSError, match="Invalid argument"):
            await fdopen(3, "w")
        with pytest.raises(OSError, match="Bad file descriptor"):
            await fdopen(77, "r")

    run(program)


def test_closing_frees_the_stream_and_takes_it_off_the_list():
    async def program(cpu):
        streams = [await fopen(name, "w") for name in "abc"]
        for stream in streams:
            await fputs("text", stream)
        await fclose(streams[1])
        again = await fopen("d", "w")
        assert again == streams[1], "the memory is used again"
        await fflush()
        assert writes(cpu) == [b"text", b"text", b"text"]

    run(program)


def test_perror_names_the_error_being_handled():
    async def program(cpu):
        try:
            await fopen("missing", "r")
        except OSError:
            await perror("fopen")
        await perror("")

    assert writes(run(program)) == [b"fopen: No such file or directory\n", b"Success\n"]


# ---- the lock ---------------------------------------------------------------------------------------------------------------


def test_the_owner_of_a_stream_may_print_while_it_prints():
    async def program(cpu):
        await lock_stream(stdout)
        await puts("from a handler")

    assert writes(run(program, terminal=True)) == [b"from a handler\n"]


def test_another_thread_sleeps_until_the_stream_is_given_back():
    first, second = FakeCpu(), FakeCpu()
    second.memory = first.memory
    second.registers["pthread_self"] = 0x7000_0000
    waits = []
    second.calls[NUMBERS["futex"]] = lambda word, op, value, *_: waits.append((word, op, value)) or 0
    wakes = []
    first.calls[NUMBERS["futex"]] = lambda word, op, value, *_: wakes.append((word, op, value)) or 0
    holder, waiter = first.start(puts("first")), second.start(puts("second"))
    for _ in range(3):
        next(holder)
    while not waits:
        next(waiter)
    assert waits == [(STDOUT, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1 | WAITED_FOR)]
    for _ in holder:
        pass
    assert wakes == [(STDOUT, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1)]
    for _ in waiter:
        pass
    second.run(fflush(stdout))
    assert second.output(1) == b"first\nsecond\n"
    assert first.run(FILE.at(STDOUT).lock.load()) == 0
