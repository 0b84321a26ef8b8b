"""ls(1): names of files and directories, sorted by their bytes.

-l long, -1 one a line, -C columns (what a terminal gets), -a all, -A all but . and .., -d directories themselves, -i inode numbers,
-r reverse, -R subdirectories too, -S by size, -t by time. Exit status 1: minor trouble; 2: a path that was named cannot be looked at.
"""
from userspace.libc import *

WIDTH = 80  # columns of a terminal
HALF_YEAR = 31556952 // 2  # seconds; older files show their year
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
TYPES = {S_IFDIR: "d", S_IFLNK: "l", S_IFIFO: "p", S_IFSOCK: "s", S_IFCHR: "c", S_IFBLK: "b"}

class Entry:
    """A name with what lstat says of it."""

    def __init__(self, name, path, status):
        self.name, self.path, self.status = name, path, status

def mode_text(mode):
    letters = [letter if mode >> (8 - index) & 1 else "-" for index, letter in enumerate("rwxrwxrwx")]
    for bit, place, letter in ((S_ISUID, 2, "s"), (S_ISGID, 5, "s"), (S_ISVTX, 8, "t")):
        if mode & bit:
            letters[place] = letter if letters[place] == "x" else letter.upper()
    return TYPES.get(mode & S_IFMT, "-") + "".join(letters)

def date_text(seconds, now):
    """Month, day, and the time of day (UTC) or the year. The date from the day number: Howard Hinnant's civil_from_days."""
    days, rest = divmod(seconds, 86400)
    era, day_of_era = divmod(days + 719468, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = (shifted + 2) % 12
    year = year_of_era + era * 400 + (month < 2)
    last = f"{rest // 3600:02}:{rest // 60 % 60:02}" if now - HALF_YEAR < seconds <= now else f"{year:5}"
    return f"{MONTHS[month]} {day_of_year - (153 * shifted + 2) // 5 + 1:2} {last}"

def user_text(number):
    return "root" if number == 0 else str(number)

async def name_text(entry, options):
    if "l" in options and S_ISLNK(entry.status.st_mode):
        return f"{entry.name} -> {await readlink(entry.path)}"
    return entry.name

async def print_long(entries, options):
    now = await time()
    rows = []
    for entry in entries:
        s = entry.status
        device = s.st_mode & S_IFMT in (S_IFCHR, S_IFBLK)
        size = f"{s.st_rdev >> 8 & 0xFFF}, {s.st_rdev & 0xFF:3}" if device else str(s.st_size)
        start = (str(s.st_ino),) if "i" in options else ()
        date = date_text(s.st_mtime_ns // 10**9, now)
        rows.append((*start, mode_text(s.st_mode), str(s.st_nlink), user_text(s.st_uid), user_text(s.st_gid), size, date))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = len(widths) - 4  # user and group are flushed left
    for entry, row in zip(entries, rows, strict=True):
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells[left : left + 2] = [row[place].ljust(widths[place]) for place in (left, left + 1)]
        await fputs(f"{' '.join(cells)} {await name_text(entry, options)}\n", stdout)

async def print_columns(names):
    """As many columns as fit, filled downwards."""
    if not names:
        return
    for rows in range(1, len(names) + 1):
        columns = [names[start : start + rows] for start in range(0, len(names), rows)]
        widths = [max(map(len, column)) + 2 for column in columns]
        if sum(widths) - 2 < WIDTH or rows == len(names):
            break
    for row in range(rows):
        line = "".join(column[row].ljust(width) for column, width in zip(columns, widths, strict=True) if row < len(column))
        await fputs(line.rstrip() + "\n", stdout)

async def print_entries(entries, options):
    if "l" in options:
        await print_long(entries, options)
        return
    names = [(f"{entry.status.st_ino} " if "i" in options else "") + await name_text(entry, options) for entry in entries]
    if "C" in options:
        await print_columns(names)
    else:
        for name in names:
            await fputs(name + "\n", stdout)

def arrange(entries, options):
    entries.sort(key=lambda entry: entry.name.encode("utf-8", "surrogateescape"))
    if "t" in options:
        entries.sort(key=lambda entry: -entry.status.st_mtime_ns)
    elif "S" in options:
        entries.sort(key=lambda entry: -entry.status.st_size)
    if "r" in options:
        entries.reverse()

async def complain(what, path, error):
    await fflush(stdout)
    await fprintf(stderr, "ls: %s '%s': %s\n", what, path, strerror(error.errno))

async def list_directory(path, options, headed, first):
    """0 or 1; the blank line and the heading come only if the directory can be read."""
    names = await listdir(path)
    if headed:
        await fputs(f"{'' if first else chr(10)}{path}:\n", stdout)
    wanted = names if "a" in options or "A" in options else [name for name in names if name[0] != "."]
    if "a" in options:
        wanted = [".", "..", *wanted]
    entries, status = [], 0
    for name in wanted:
        full = f"{path}{'' if path.endswith('/') else '/'}{name}"
        try:
            entries.append(Entry(name, full, await lstat(full)))
        except OSError as error:
            await complain("cannot access", full, error)
            status = 1
    arrange(entries, options)
    if "l" in options:
        await fputs(f"total {sum(entry.status.st_blocks for entry in entries) // 2}\n", stdout)
    await print_entries(entries, options)
    if "R" in options:
        for entry in entries:
            if S_ISDIR(entry.status.st_mode) and entry.name not in (".", ".."):
                status = max(status, await visit(entry.path, options, True, False, 1))
    return status

async def visit(path, options, headed, first, trouble):
    """List one directory; `trouble` is the status if it cannot be opened."""
    try:
        return await list_directory(path, options, headed, first)
    except OSError as error:
        await complain("cannot open directory", path, error)
        return trouble

async def look_at(path, options):
    """A link that is named stands for what it points to, unless it is shown itself or points nowhere."""
    if "d" not in options and "l" not in options:
        try:
            return await stat(path)
        except FileNotFoundError:
            pass
    return await lstat(path)

async def parse(argv):
    """(options, paths), or (None, …) after a complaint."""
    options, paths, more = ["C"] if await isatty(1) else ["1"], [], True
    for word in argv[1:]:
        if more and word == "--":
            more = False
        elif more and word.startswith("--"):
            await fprintf(stderr, "ls: unrecognized option '%s'\nTry 'ls --help' for more information.\n", word)
            return None, []
        elif more and word.startswith("-") and word != "-":
            for letter in word[1:]:
                if letter not in "laAdiCrRSt1":
                    await fprintf(stderr, "ls: invalid option -- '%s'\nTry 'ls --help' for more information.\n", letter)
                    return None, []
                options = [kept for kept in options if kept not in "lC1" or letter not in "lC1"] + [letter]
        else:
            paths.append(word)
    return options, paths

async def main(argv):
    options, paths = await parse(argv)
    if options is None:
        return 2
    files, folders, status = [], [], 0
    for path in paths or ["."]:
        try:
            entry = Entry(path, path, await look_at(path, options))
        except OSError as error:
            await complain("cannot access", path, error)
            status = 2
            continue
        (folders if S_ISDIR(entry.status.st_mode) and "d" not in options else files).append(entry)
    arrange(files, options)
    arrange(folders, options)
    await print_entries(files, options)
    headed = len(paths) > 1 or "R" in options
    for number, entry in enumerate(folders):
        status = max(status, await visit(entry.path, options, headed, not files and number == 0, 2))
    return status
