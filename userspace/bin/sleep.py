"""sleep(1): pause for the sum of its arguments; each is a number of seconds, or with a suffix of m(inutes), h(ours), d(ays)."""
import re

from userspace.libc import *

NUMBER = re.compile(r"(\d*)(?:\.(\d*))?([smhd]?)")
UNITS_NS = {"": 10**9, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
FOREVER = {"inf", "infinity"}

def interval_ns(text):
    """The interval in ns, -1 for ever, or None for what is no interval."""
    if text.lower() in FOREVER:
        return -1
    match = NUMBER.fullmatch(text)
    if not match or not (match[1] or match[2]):
        return None
    fraction = match[2] or ""
    return int((match[1] or "0") + fraction) * UNITS_NS[match[3]] // 10 ** len(fraction)

async def main(argv):
    words = argv[1:]
    for word in words[: words.index("--")] if "--" in words else words:
        if len(word) > 1 and word[0] == "-":
            what = f"unrecognized option '{word}'" if word[1] == "-" else f"invalid option -- '{word[1]}'"
            await fprintf(stderr, "sleep: %s\nTry 'sleep --help' for more information.\n", what)
            return EXIT_FAILURE
    if "--" in words:
        words.remove("--")
    intervals = [interval_ns(word) for word in words]
    for word, interval in zip(words, intervals, strict=True):
        if interval is None:
            await fprintf(stderr, "sleep: invalid time interval '%s'\n", word)
    if not words:
        await fprintf(stderr, "sleep: missing operand\n")
    if not words or None in intervals:
        await fprintf(stderr, "Try 'sleep --help' for more information.\n")
        return EXIT_FAILURE
    while -1 in intervals:
        await pause()
    await nanosleep(sum(intervals))
    return EXIT_SUCCESS
