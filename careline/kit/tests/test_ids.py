"""Identifiers: rising, unique wherever they are made, and small enough for a signed 64-bit column."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from careline.kit import ids

NODE = 0xFFF << 10


def test_ids_strictly_rise_even_when_a_millisecond_is_used_up() -> None:
    made = [ids.new_id() for _ in range(20_000)]
    assert all(earlier < later for earlier, later in pairwise(made))
    assert {one & NODE for one in made} == {made[0] & NODE}


def test_ids_of_many_threads_never_meet() -> None:
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda _: [ids.new_id() for _ in range(3000)], range(8)))
    made = [one for row in rows for one in row]
    assert len(set(made)) == len(made) == 24_000


def test_a_forked_process_numbers_from_a_row_of_its_own() -> None:
    reading, writing = os.pipe()
    burst = [ids.new_id() for _ in range(5000)]  # borrowed milliseconds: the child must not go on from here
    child = os.fork()
    if child == 0:
        os.write(writing, "\n".join(str(ids.new_id()) for _ in range(500)).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as said:
        theirs = [int(line) for line in said]
    ours = [*burst, *(ids.new_id() for _ in range(5000))]
    assert len(theirs) == 500
    assert not set(theirs) & set(ours)
    assert {one & NODE for one in theirs} != {ours[0] & NODE}


def test_a_fork_while_another_thread_makes_an_id_does_not_hang_the_child() -> None:
    busy, done = threading.Event(), threading.Event()

    def hold() -> None:
        with ids._lock:
            busy.set()
            done.wait(10)

    threading.Thread(target=hold, daemon=True).start()
    busy.wait(10)
    child = os.fork()
    if child == 0:
        os._exit(0 if ids.new_id() else 1)
    end_s = time.monotonic() + 10
    ended, status = os.waitpid(child, os.WNOHANG)
    while not ended and time.monotonic() < end_s:
        time.sleep(0.01)
        ended, status = os.waitpid(child, os.WNOHANG)
    done.set()
    if not ended:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert (bool(ended), status) == (True, 0)


def test_an_id_fits_63_bits_until_2093_and_tells_its_moment() -> None:
    before = ids.id_at(int(time.time() * 1000) - 5)
    made = ids.new_id()
    assert before < made < ids.id_at(int(time.time() * 1000) + 60_000)
    assert 0 < made < 2**63
    assert ids.id_at(1_704_067_200_000 + 2**41 - 1) < 2**63  # September 2093
    assert ids.id_at(0) == 0


def test_tokens_are_url_safe_and_never_repeat() -> None:
    made = {ids.new_token() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(token) == 32 and token.replace("-", "").replace("_", "").isalnum() for token in made)
