"""cat(1): copy files, or stdin for `-` and where none is named, to stdout. -u is accepted: nothing is buffered anyway."""
from userspace.libc import *

CHUNK = 131072  # bytes

class WriteError(Exception):
    """stdout takes no more."""

async def copy(fd):
    while data := await read(fd, CHUNK):
        while data:
            try:
                data = data[await write(1, data):]
            except OSError as error:
                raise WriteError(strerror(error.errno)) from None

async def show(name):
    """True if all of it was copied."""
    fd = 0
    try:
        if name != "-":
            fd = await open(name, O_RDONLY)
        await copy(fd)
    except OSError as error:
        await fprintf(stderr, "cat: %s: %s\n", name, strerror(error.errno))
        return False
    finally:
        if fd > 0:
            await close(fd)
    return True

async def main(argv):
    names, status, options = [], EXIT_SUCCESS, True
    for word in argv[1:]:
        if options and word == "--":
            options = False
        elif options and word != "-" and word.startswith("-"):
            unknown = word[1:].strip("u") if not word.startswith("--") else word
            if unknown.startswith("--"):
                await fprintf(stderr, "cat: unrecognized option '%s'\n", word)
            elif unknown:
                await fprintf(stderr, "cat: invalid option -- '%s'\n", unknown[0])
            if unknown:
                await fprintf(stderr, "Try 'cat --help' for more information.\n")
                return EXIT_FAILURE
        else:
            names.append(word)
    try:
        for name in names or ["-"]:
            if not await show(name):
                status = EXIT_FAILURE
    except WriteError as error:
        await fprintf(stderr, "cat: write error: %s\n", str(error))
        return EXIT_FAILURE
    return status
