"""echo(1): its arguments, separated by spaces; -n without the newline, -e with backslash escapes, -E without (the default)."""
from userspace.libc import *

ESCAPES = {"a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
NUMBERS = {"0": ("01234567", 8, 3), "x": ("0123456789abcdefABCDEF", 16, 2)}  # digits allowed, base, how many at most

def number(text, start, kind):
    """(character, index after it) of \\0nnn or \\xhh, whose digits begin at `start`."""
    digits, base, most = NUMBERS[kind]
    end = start
    while end < min(start + most, len(text)) and text[end] in digits:
        end += 1
    if end == start:
        return ("\0" if kind == "0" else "\\x"), end
    return bytes([int(text[start:end], base) & 255]).decode("utf-8", "surrogateescape"), end

def unescape(text):
    """(text with its escapes replaced, was there a \\c, which ends all output)."""
    result, index = "", 0
    while index < len(text):
        letter = text[index + 1 : index + 2] if text[index] == "\\" else ""
        if letter == "c":
            return result, True
        if letter in NUMBERS:
            character, index = number(text, index + 2, letter)
            result += character
        elif letter in ESCAPES:
            result += ESCAPES[letter]
            index += 2
        else:
            result += text[index]
            index += 1
    return result, False

async def main(argv):
    words, newline, escapes = argv[1:], True, False
    while words and len(words[0]) > 1 and words[0][0] == "-" and not words[0][1:].strip("neE"):
        for letter in words.pop(0)[1:]:
            if letter == "n":
                newline = False
            else:
                escapes = letter == "e"
    text, stopped = unescape(" ".join(words)) if escapes else (" ".join(words), False)
    try:
        await fputs(text + ("\n" if newline and not stopped else ""), stdout)
        await fflush(stdout)
    except OSError as error:
        await fprintf(stderr, "echo: write error: %s\n", strerror(error.errno))
        return EXIT_FAILURE
    return EXIT_SUCCESS
