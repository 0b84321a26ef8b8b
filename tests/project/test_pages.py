"""The pages of docs/ say what the code says: generated parts are compared, and what pages name must exist.

`TRAPLINE_PAGES=write pytest tests/project/test_pages.py` makes the parts between `<!-- generated: name -->` and `<!-- end -->` anew.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from actors.events import CATEGORIES, Event
from kernel.abi.syscalls import TABLE
from trapline.log.reader import event_name, event_types
from userspace import libc

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "kernel/README.md", "actors/README.md", "docs/design.md", "docs/differences.md", "docs/events.md")
GENERATED = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
FOLDERS = ("userspace", "actors", "kernel", "trapline")


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


# ---- generated parts -------------------------------------------------------------------------------------------------------------


def map_of_modules() -> Iterator[str]:
    """Every module with the first sentence of its docstring, by folder."""
    folders = sorted(
        {path.parent for top in FOLDERS for path in (ROOT / top).rglob("*.py")},
        key=lambda path: (FOLDERS.index(path.relative_to(ROOT).parts[0]), path),
    )
    for folder in folders:
        modules = [path for path in sorted(folder.glob("*.py")) if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
        if not modules:
            continue
        yield f"**`{folder.relative_to(ROOT).as_posix()}/`**\n"
        for path in modules:
            first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n\n")[0].replace("\n", " ")
            yield f"- `{path.name}` {first.removeprefix(f'{path.name} - ')}"
        yield ""


def partial_calls() -> Iterator[str]:
    """The rows of the system call table whose support is partial."""
    yield "| Call | |"
    yield "|---|---|"
    for row in sorted(TABLE.values(), key=lambda row: row.name):
        if row.support == "partial":
            yield f"| `{row.name}` | {row.note} |"


def comments_of_fields() -> dict[str, dict[str, str]]:
    """Class -> field -> the comment behind it, from the source of the schema."""
    source = text_of("actors/events.py")
    lines = source.splitlines()
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            fields = [statement for statement in node.body if isinstance(statement, ast.AnnAssign)]
            found[node.name] = {field.target.id: lines[field.lineno - 1].partition("  # ")[2] for field in fields}
    return found


def schema_of_events() -> Iterator[str]:
    """Every record by category, with its fields, their types and what they mean."""
    comments = comments_of_fields()
    yield "Every record has `event`, its name, and these fields:\n"
    yield from fields_of(Event, comments["Event"], ())
    for category in CATEGORIES:
        yield f"\n## {category}"
        for kind in event_types():
            if kind.category == category:
                yield f"\n### `{event_name(kind)}`\n\n{' '.join((kind.__doc__ or '').split())}\n"
                yield from fields_of(kind, comments[kind.__name__], Event.__struct_fields__)


def fields_of(kind: type[Event], comments: dict[str, str], without: tuple[str, ...]) -> Iterator[str]:
    for field in msgspec.structs.fields(kind):
        if field.name not in without:
            shown = getattr(field.type, "__name__", str(field.type)) if "[" not in str(field.type) else str(field.type)
            meaning = comments.get(field.name, "")
            yield f"- `{field.name}` {shown.replace('typing.', '')}" + (f": {meaning}" if meaning else "")


GENERATORS = {"map": map_of_modules, "partial": partial_calls, "events": schema_of_events}


@pytest.mark.parametrize("page", PAGES)
def test_generated_parts_are_up_to_date(page):
    text = text_of(page)
    fresh = GENERATED.sub(lambda match: match[1] + "\n".join(GENERATORS[match[2]]()).strip("\n") + "\n" + match[3], text)
    if os.environ.get("TRAPLINE_PAGES") == "write":
        (ROOT / page).write_text(fresh, encoding="utf-8")
    assert fresh == text_of(page), f"{page}: make it anew: TRAPLINE_PAGES=write pytest {Path(__file__).relative_to(ROOT)}"


# ---- names ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_something(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text_of(page))
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page):
    """`actors/calls.py` in backquotes, relative to the root."""
    named = set(re.findall(r"`((?:kernel|actors|userspace|trapline|configs|tests|docs)/[\w/]*(?:\.\w+)?)`", text_of(page)))
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


@pytest.mark.parametrize("page", ["docs/design.md", "actors/README.md"])
def test_every_message_that_a_page_names_exists(page):
    """`processes.Clone`: an owner's name and a class of its messages."""
    owners = [path.stem for path in sorted((ROOT / "actors" / "messages").glob("*.py")) if path.stem not in ("__init__", "base")]
    written = GENERATED.sub("", text_of(page))
    named = set(re.findall(rf"`({'|'.join(owners)})\.([A-Z]\w+)`", written))
    missing = [f"{owner}.{name}" for owner, name in sorted(named) if not hasattr(importlib.import_module(f"actors.messages.{owner}"), name)]
    assert missing == []
    assert page != "docs/design.md" or len(named) > 40


def test_what_is_said_not_to_be_there_is_not_there():
    section = text_of("docs/differences.md").partition("## Not there")[2].partition("\n## ")[0]
    named = re.findall(r"`(\w+)`", section)
    assert len(named) > 30
    assert [name for name in named if name in libc.__all__] == []


def test_every_section_that_a_comment_refers_to_exists():
    """`DESIGN 7` in a comment is section 7 of docs/design.md."""
    sections = {int(number) for number in re.findall(r"^## (\d+)\.", text_of("docs/design.md"), re.MULTILINE)}
    sources = [path.read_text(encoding="utf-8") for folder in (*FOLDERS, "tests") for path in sorted((ROOT / folder).rglob("*.py"))]
    referred = {int(number) for source in sources for number in re.findall(r"DESIGN (\d+)", source)}
    assert sorted(referred - sections) == []


def test_every_law_that_a_comment_refers_to_exists():
    laws = set(
        re.findall(r"^(?:   - \*\*)?(\d[bc]?)\.", text_of("docs/design.md").partition("## 6.")[2].partition("\n## ")[0], re.MULTILINE)
    )
    assert laws == {"1", "2", "2b", "2c", "3", "4", "5", "6", "7", "8", "9"}
    sources = [path.read_text(encoding="utf-8") for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    assert sorted({law for source in sources for law in re.findall(r"\blaw (\d[bc]?)\b", source)} - laws) == []
