"""Stages run ahead of each other, a few items at most; failures and ends come through."""

import threading

import pytest

from pullfocus.video.frame_pipeline import StageClock, run_ahead, side_by_side


def test_items_come_in_order():
    assert list(run_ahead(iter(range(50)), "numbers")) == list(range(50))


def test_a_failure_comes_after_the_items_before_it():
    def failing():
        yield 1
        raise ValueError("broken")

    items = run_ahead(failing(), "failing")
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_no_more_than_a_few_are_made_before_they_are_wanted():
    made = []

    def counting():
        for number in range(100):
            made.append(number)
            yield number

    items = run_ahead(counting(), "counting", ahead=2)
    next(items)
    for _ in range(200):
        if len(made) >= 4:
            break
        threading.Event().wait(0.01)
    assert len(made) == 4  # one is out, two wait, one is at the door
    items.close()


def test_closing_ends_the_thread_and_closes_what_it_read():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    items = run_ahead(endless(), "endless")
    next(items)
    items.close()
    assert closed.is_set()
    assert not any(thread.name == "endless" for thread in threading.enumerate())


def test_the_clock_adds_up():
    clock = StageClock()
    for _ in range(3):
        with clock.time("decode"):
            pass
    assert clock.count == {"decode": 3}
    assert clock.busy_s["decode"] > 0


def test_work_side_by_side_comes_in_order():
    def slow_if_even(number: int) -> int:
        threading.Event().wait(0.01 if number % 2 == 0 else 0)
        return number * number

    squares = list(side_by_side(slow_if_even, iter(range(20)), 3))
    assert squares == [number * number for number in range(20)]


def test_work_goes_on_side_by_side():
    both = threading.Barrier(2, timeout=10)

    def meet(number: int) -> int:
        both.wait()
        return number

    assert list(side_by_side(meet, iter(range(4)), 2)) == [0, 1, 2, 3]


def test_a_failure_side_by_side_comes_in_its_items_place():
    def fails_at_two(number: int) -> int:
        if number == 2:
            raise ValueError("broken")
        return number

    made = side_by_side(fails_at_two, iter(range(5)), 2)
    assert [next(made), next(made)] == [0, 1]
    with pytest.raises(ValueError, match="broken"):
        next(made)
