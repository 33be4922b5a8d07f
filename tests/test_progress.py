import io

from ambidex.progress import PartOfProgress, Progress


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_log_gets_a_line_now_and_then_with_rate_interval_and_time_left():
    log, clock = io.StringIO(), Clock()
    with Progress("insertion", 50, initial=10, stream=log, clock=clock) as progress:
        for done in range(11, 31):
            clock.now += 1.0
            progress.update(done, done, done + 1)
    lines = log.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[1] == "insertion: 20/50, 00:30 left, success 20/21 = 95 % [77, 99]"


def test_before_anything_is_done_the_time_left_is_unknown():
    log, clock = io.StringIO(), Clock()
    with Progress("insertion", 50, stream=log, clock=clock) as progress:
        clock.now += 60.0
        progress.update(0, 0, 0)
    assert log.getvalue() == "insertion: 0/50, time left unknown, no attempt yet\n"


def test_work_that_cannot_fail_has_no_rate():
    log, clock = io.StringIO(), Clock()
    with Progress("rendered", 4, stream=log, clock=clock) as progress:
        clock.now += 60.0
        progress.update(2)
    assert log.getvalue() == "rendered: 2/4, 01:00 left\n"


def test_a_terminal_gets_a_bar():
    terminal = Terminal()
    with Progress("insertion", 50, stream=terminal) as progress:
        progress.update(20, 20, 21)
    assert "20/50" in terminal.getvalue() and "95 % [77, 99]" in terminal.getvalue()


def test_quiet_is_silent():
    for stream in (io.StringIO(), Terminal()):
        clock = Clock()
        with Progress("insertion", 50, quiet=True, stream=stream, clock=clock) as progress:
            clock.now += 60.0
            progress.update(20, 20, 21)
            progress.note("The disk may fill up.")
        assert stream.getvalue() == ""


def test_a_part_counts_on_from_the_parts_before_and_says_its_own_rate():
    log, clock = io.StringIO(), Clock()
    with Progress("scripted", 30, initial=10, stream=log, clock=clock) as whole:
        for before, label in ((10, "from step 25"), (20, "from step 50")):
            with PartOfProgress(whole, before, label) as part:
                clock.now += 60.0
                part.update(5, 1, 5)
    lines = log.getvalue().splitlines()
    assert lines[0] == "scripted: 15/30, 03:00 left, from step 25: success 1/5 = 20 % [4, 62]"
    assert lines[1].startswith("scripted: 25/30, 00:40 left, from step 50: success 1/5")
