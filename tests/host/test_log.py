"""Reading logs: damage by line number, filters, one line per event, lanes, and why a thread waited."""

from __future__ import annotations

import msgspec
import pytest

from actors import events as e
from trapline.log import lanes, show, why
from trapline.log.reader import Filter, LogError, event_name, event_types, parse, read_log, select

ENCODE = msgspec.json.Encoder().encode


def switch(seq: int, cpu: int, prev: int, following: int, reason: str = "", state: str = "S") -> e.SchedSwitch:
    return e.SchedSwitch(
        seq=seq, time_ns=seq * 100, cpu=cpu, prev_tid=prev, prev_comm="p" if prev else "", prev_state=state if prev else "", reason=reason,
        object="futex:7" if reason else "", next_tid=following, next_comm="p" if following else "", next_space=1,
    )  # fmt: skip


def enter(seq: int, tid: int, name: str, *args: object) -> e.SysEnter:
    return e.SysEnter(
        seq=seq, time_ns=seq * 100, cpu=tid - 100, pid=100, tid=tid, comm="p", nr=0, name=name, args=list(args), file="p.py", line=seq, pc=0
    )


@pytest.fixture
def story() -> list[e.Event]:
    """101 waits for a futex, 100 wakes it."""
    return [
        switch(1, 0, 0, 100),
        switch(2, 1, 0, 101),
        enter(3, 101, "futex", "0x400000000000", "FUTEX_WAIT"),
        switch(4, 1, 101, 0, "futex"),
        enter(5, 100, "futex", "0x400000000000", "FUTEX_WAKE"),
        e.FutexWakeEvent(seq=6, time_ns=600, tid=100, pid=100, actor="ipc", cause=5, address=1 << 46, key=[0, 7, 0], count=1, woken=[101]),
        e.SchedWaking(seq=7, time_ns=700, actor="scheduler", cause=6, target=101, target_comm="p", serial=1, why="wake"),
        e.SchedWakeup(seq=8, time_ns=800, cpu=1, tid=101, pid=100, comm="p", cause=7, target_cpu=1, new=False),
        switch(9, 1, 0, 101),
        e.SysExit(seq=10, time_ns=1000, cpu=0, tid=100, pid=100, comm="p", nr=202, name="futex", result=1, error=""),
    ]


def test_every_kind_of_event_is_read_back_as_it_was(story):
    log = parse(ENCODE(event) for event in story)
    assert log.events == story
    assert log.damage == []


def test_every_kind_of_event_is_in_the_schema():
    assert {"sched_switch", "sys_enter", "futex_wait", "message", "run_start"} <= {event_name(kind) for kind in event_types()}


def test_damaged_lines_are_told_by_number_and_the_rest_is_read(story):
    lines = [ENCODE(event) for event in story]
    lines[2] = b"\xff\xfe garbage"
    lines[4] = lines[4][:30]
    lines[6] = b'{"event":"no_such_event"}'
    log = parse(lines)
    assert [damage.line for damage in log.damage] == [3, 5, 7]
    assert [damage.text.partition(":")[0] for damage in log.damage] == ["cut short", "cut short", "not an event"]
    assert len(log.events) == len(story) - 3


def test_a_newer_schema_is_told():
    start = e.RunStart(
        seq=1,
        schema=99,
        program="p",
        program_hash="",
        argv=[],
        version="9.9",
        config="quad",
        config_hash="",
        strategy="timed",
        granularity="",
        seed=1,
    )
    assert "written with schema 99" in parse([ENCODE(start)]).damage[0].text


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "it is empty"), (b"hello\n", "line 1: not an event log"), (b"\x00\x01\n", "line 1")]
)
def test_a_file_without_any_event_is_refused(tmp_path, content, message):
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(LogError, match=message):
        read_log(str(path))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LogError, match=r"nowhere.jsonl: No such file"):
        read_log(str(tmp_path / "nowhere.jsonl"))


@pytest.mark.parametrize(
    ("wanted", "seqs"),
    [
        (Filter(), list(range(1, 11))),
        (Filter(events=frozenset({"sys_enter"})), [3, 5]),
        (Filter(categories=frozenset({"futex"})), [6]),
        (Filter(tids=frozenset({101})), [3, 8]),
        (Filter(pids=frozenset({100}), cpus=frozenset({1})), [3, 8]),
        (Filter(from_ns=300, to_ns=500), [3, 4, 5]),
    ],
)
def test_filters_let_through_what_was_asked_for(story, wanted, seqs):
    assert [event.seq for event in select(story, wanted)] == seqs


def test_one_line_per_event_with_names_filled_in(story):
    lines = list(show.render(story))
    assert len(lines) == len(story)
    assert lines[3].split()[:3] == ["#4", "400", "cpu1"]
    assert "prev=p/101 S futex (futex:7)" in lines[3]
    assert "call=futex(0x400000000000, FUTEX_WAKE)" in lines[4]
    assert "p/100" in lines[5]  # ipc knew only the number
    assert "cause=#6" in lines[6]


def test_colours_are_only_added_where_they_are_wanted(story):
    assert "\x1b[" not in "".join(show.render(story))
    assert "\x1b[" in "".join(show.render(story, colors=True))


def test_lanes_by_cpu_stand_side_by_side(story):
    lines = list(lanes.by_cpu(story, width=16))
    assert lines[0].split() == ["time", "cpu0", "cpu1"]
    assert lines[2].split() == ["200", "│", ">", "p/101"]
    assert lines[4].split() == ["400", "│", ">", "idle", "(futex)"]


def test_lanes_by_thread_show_running_sleeping_and_ready(story):
    lines = list(lanes.by_thread(story, width=20))
    assert lines[0].split() == ["time", "p/100", "p/101"]
    assert lines[4].split() == ["400", "│", "<", "futex", "futex:7"]
    assert lines[7].split() == ["800", "│", "ready", "on", "cpu1"]
    assert lines[-1].split() == ["1,000", "=", "1", "│"]


def test_a_long_cell_is_cut_to_its_column(story):
    assert all(len(line) <= 16 + 2 * 11 for line in lanes.by_cpu(story, width=10))


def test_why_names_what_was_waited_for_who_woke_and_in_which_call(story):
    assert list(why.explain(story, 101)) == [
        "400 ns: p/101 waited for futex (futex:7)",
        "    in futex(0x400000000000, FUTEX_WAIT) at p.py:3 (#3)",
        "    woken by p/100 (wake) at 700 ns, after 300 ns (#7)",
        "    which was in futex(0x400000000000, FUTEX_WAKE) at p.py:5 (#5)",
        "    because of #6 futex_wake futex wakes 1",
    ]


def test_why_says_that_nobody_woke(story):
    assert list(why.explain(story[:5], 101))[-1] == "    nobody woke it"


def test_why_of_a_thread_that_never_waited_or_is_not_there(story):
    assert list(why.explain(story, 100)) == ["thread 100 never waited in this log"]
    assert list(why.explain(story, 7)) == ["no thread 7 in this log; there are 100, 101"]
