"""Both stores keep sessions apart, forget them in time, and lose no vote to another request."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from tests.examples.flask_app.serving import free_port

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)

from examples.flask_app.redis_store import RedisStore
from examples.flask_app.stores import MemoryStore, SessionStore, State, StoreError

from facelive import LivenessDetector
from facelive.challenges import ScreenLight


def count(state: State, now_ms: float) -> tuple[int, State]:
    """A change that counts how often a session was changed."""
    changes = 1 + (state["changes"] if state else 0)
    return changes, {"changes": changes}


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> SessionStore:
    if request.param == "memory":
        return MemoryStore(ttl_s=60, max_sessions=100, max_frames=3)
    url = request.getfixturevalue("redis_url")
    import redis

    redis.Redis.from_url(url).flushall()
    return RedisStore(url, ttl_s=60, max_frames=3)


def test_a_session_goes_on_under_its_id(store: SessionStore) -> None:
    session, first = store.change(None, count)
    again, second = store.change(session, count)
    assert (again, first, second) == (session, 1, 2)


def test_an_id_that_the_store_did_not_make_opens_a_fresh_session(store: SessionStore) -> None:
    invented = "A" * 32
    session, changes = store.change(invented, count)
    assert session != invented
    assert changes == 1
    assert store.change(invented, count)[1] == 1


def test_a_forgotten_session_does_not_come_back(store: SessionStore) -> None:
    session, _ = store.change(None, count)
    store.forget(session)
    store.forget(session)
    store.forget(None)
    again, changes = store.change(session, count)
    assert again != session
    assert changes == 1


def test_a_session_is_read_and_may_end_with_a_change(store: SessionStore) -> None:
    session, _ = store.change(None, count)
    assert store.read(session) == {"changes": 1}
    assert store.change(session, lambda state, now_ms: ("over", None)) == (session, "over")
    assert store.read(session) is None
    assert store.read("A" * 32) is None


def test_its_clock_runs_and_no_caller_sets_it(store: SessionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def when(state: State, now_ms: float) -> tuple[float, State]:
        return now_ms, {}

    first = store.change(None, when)[1]
    monkeypatch.setattr("time.time", lambda: 0.0)
    time.sleep(0.01)
    assert 10 <= store.change(None, when)[1] - first < 60_000


def test_tries_are_counted_for_each_name_and_forgiven(store: SessionStore) -> None:
    assert store.tries(["client", "account"]) == 0
    assert [store.tries(["client", "account"], add=1) for _ in range(2)] == [1, 2]
    assert store.tries(["client", "another account"], add=1) == 3
    assert (store.tries(["account"]), store.tries(["another account"]), store.tries([])) == (2, 1, 0)
    store.forgive(["client", "account"])
    assert store.tries(["client", "account", "another account"]) == 1


def test_tries_counted_at_once_are_all_counted(store: SessionStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        counted = list(threads.map(lambda _: store.tries(["client"], add=1), range(40)))
    assert sorted(counted) == list(range(1, 41))


def test_memory_forgets_tries_in_time_and_keeps_few() -> None:
    now = 0.0
    store = MemoryStore(ttl_s=60, max_sessions=2, tries_within_s=10, clock=lambda: now)
    store.tries(["a"], add=1)
    now = 9.0
    assert store.tries(["a"], add=1) == 2
    now = 10.0
    assert store.tries(["a"]) == 0
    store.tries(["b", "c", "d"], add=1)
    assert store.tries(["b"]) == 0, "no more names than sessions"


def test_redis_forgets_tries_by_itself(redis_url: str) -> None:
    import redis

    store, server = RedisStore(redis_url, ttl_s=60, tries_within_s=10), redis.Redis.from_url(redis_url)
    for _ in range(2):
        store.tries(["x"], add=1)
        assert 0 < server.ttl("facelive:tries:x") <= 10


@pytest.mark.parametrize("kept", [b"{", b"[1]", b"null", b"\xff", b"7", b"[" * 9999], ids=range(6))
def test_a_damaged_state_in_redis_is_none(redis_url: str, kept: bytes) -> None:
    import redis

    store = RedisStore(redis_url, ttl_s=60)
    session, _ = store.change(None, count)
    redis.Redis.from_url(redis_url).set(f"facelive:session:{session}", kept)
    assert store.change(session, count) == (session, 1)


def test_no_change_is_lost_when_requests_of_one_session_meet(store: SessionStore) -> None:
    session, _ = store.change(None, count)
    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda _: store.change(session, count)[1], range(200)))
    assert sorted(seen) == list(range(2, 202))


def test_ids_are_long_and_never_repeat(store: SessionStore) -> None:
    ids = {store.change(None, count)[0] for _ in range(50)}
    assert len(ids) == 50
    assert {len(one) for one in ids} == {32}


def test_the_last_frames_are_remembered_and_the_oldest_is_forgotten_first(store: SessionStore) -> None:
    frames = [bytes([number]) * 16 for number in range(4)]
    assert [store.remember(frame) for frame in frames[:3]] == [True, True, True]
    assert [store.remember(frame) for frame in frames[:3]] == [False, False, False]
    assert store.remember(frames[3])
    assert store.remember(frames[0]), "the fourth pushed the first out"


def test_one_of_many_that_send_the_same_frame_at_once_is_first(store: SessionStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        first = list(threads.map(lambda _: store.remember(b"x" * 16), range(40)))
    assert first.count(True) == 1


def test_memory_forgets_what_is_not_used_and_keeps_what_is() -> None:
    now = 0.0
    store = MemoryStore(ttl_s=10, max_sessions=100, clock=lambda: now)
    idle, _ = store.change(None, count)
    used, _ = store.change(None, count)
    now = 6.0
    store.change(used, count)
    now = 12.0
    assert store.change(used, count) == (used, 3)
    assert store.change(idle, count)[0] != idle
    assert len(store) == 2


def test_ten_thousand_sessions_take_little_memory() -> None:
    now = 0.0
    store = MemoryStore(ttl_s=60, max_sessions=10_000, clock=lambda: now)

    visit = LivenessDetector().session(challenge=ScreenLight()).state
    visit = {**visit, "scores": [0.1] * 5, "face_px": [1.5, 2.5, 3.5, 4.5]}

    def full(_: State, now_ms: float) -> tuple[None, State]:
        return None, {"kind": "light", "visit": json.loads(json.dumps(visit))}

    tracemalloc.start()
    for _ in range(12_000):
        store.change(None, full)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(store) == 10_000
    assert taken < 40 * 2**20, f"{taken / len(store):.0f} bytes a session"
    now = 61.0
    store.change(None, count)
    assert len(store) == 1


def test_memory_holds_no_more_sessions_than_allowed() -> None:
    store = MemoryStore(ttl_s=60, max_sessions=3)
    ids = [store.change(None, count)[0] for _ in range(3)]
    store.change(ids[0], count)
    store.change(None, count)
    assert len(store) == 3
    assert store.change(ids[0], count)[1] == 3
    assert store.change(ids[1], count)[0] != ids[1]


def test_redis_forgets_sessions_by_itself(redis_url: str) -> None:
    import redis

    session, _ = RedisStore(redis_url, ttl_s=60).change(None, count)
    left = redis.Redis.from_url(redis_url).ttl(f"facelive:session:{session}")
    assert 0 < left <= 60


def test_a_redis_that_is_not_there_is_a_store_error() -> None:
    pytest.importorskip("redis", reason="redis is not installed: pip install -r examples/flask_app/requirements.txt")
    store = RedisStore(f"redis://127.0.0.1:{free_port()}/0", ttl_s=60, max_frames=3)

    def remember() -> bool:
        return store.remember(b"x" * 16)

    def tries() -> int:
        return store.tries(["x"])

    for attempt in (store.check, lambda: store.change(None, count), lambda: store.forget("A" * 32), remember, tries):
        with pytest.raises(StoreError):
            attempt()


def test_a_redis_that_takes_no_writes_is_a_store_error(redis_url: str) -> None:
    import redis

    server = redis.Redis.from_url(redis_url)
    store = RedisStore(redis_url, ttl_s=60, max_frames=3)
    server.config_set("min-replicas-to-write", 1)
    try:
        for attempt in (store.check, lambda: store.change(None, count), lambda: store.remember(b"y" * 16)):
            with pytest.raises(StoreError):
                attempt()
    finally:
        server.config_set("min-replicas-to-write", 0)
    store.check()


@contextmanager
def forgetful(redis_url: str) -> Iterator[str]:
    """A way to Redis that breaks once, after a transaction was carried out and before its answer is back."""
    to, broken = urlsplit(redis_url), threading.Event()

    class Carry(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((to.hostname or "", to.port or 0)) as server:
                while asked := self.request.recv(65536):
                    server.sendall(asked)
                    answered = server.recv(65536)
                    if b"EXEC" in asked and not broken.is_set():
                        broken.set()
                        return
                    self.request.sendall(answered)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Carry) as way:
        way.daemon_threads = True
        threading.Thread(target=way.serve_forever, daemon=True).start()
        try:
            yield f"redis://127.0.0.1:{way.server_address[1]}/0"
        finally:
            way.shutdown()


def test_a_lost_answer_never_votes_or_refuses_twice(redis_url: str) -> None:
    import redis

    redis.Redis.from_url(redis_url).flushall()
    direct = RedisStore(redis_url, ttl_s=60, max_frames=3)
    session, _ = direct.change(None, count)
    with forgetful(redis_url) as url, pytest.raises(StoreError):
        RedisStore(url, ttl_s=60).change(session, count)
    assert direct.change(session, count)[1] == 3, "the change before it was made once"
    with forgetful(redis_url) as url:
        assert RedisStore(url, ttl_s=60, max_frames=3).remember(b"z" * 16) is True
