"""Does it hold for a million frames, and with sixteen threads on one detector?

    python -m tests.benchmarks.soak --frames 1000000
    python -m tests.benchmarks.soak --visits --model custom --frames 500000
    python -m tests.benchmarks.soak --threads 16 --seconds 300

The first judges frames on one stream, whole pictures in with every file and every face found anew, and prints the
resident memory and the open files after the first thousand and at the end. The second lets streams and sessions, with
and without challenges, go through JSON before every frame, as a server's do; each visit must end as its like did
before. The third lets threads judge the same pictures on one detector and compares every score with the one that a
single thread gave before.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import sys
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from facelive import LivenessDetector
from facelive.challenges import HeadTurn, ScreenLight
from facelive.tflite import runtime_name

PORTRAIT = Path(__file__).parents[2] / "examples" / "portrait.jpg"
WARM_UP = 1_000
EVERY = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--visits", action="store_true", help="sessions and streams that go through JSON")
    parser.add_argument("--threads", type=int, help="compare threads instead")
    parser.add_argument("--seconds", type=float, help="stop after so long, whatever is left")
    parser.add_argument("--model", default="default")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"CPython {platform.python_version()}, {runtime_name()}, {os.cpu_count()} cores, load {load:.1f}", flush=True)
    seconds = options.seconds or float("inf")
    detector = LivenessDetector(options.model)
    if options.visits:
        return _visit(detector, options.frames, seconds)
    if options.threads:
        return _compare(detector, options.threads, options.seconds or 300.0)
    return _soak(detector, options.frames, seconds)


def pictures() -> list[bytes]:
    """Twelve small JPEGs: the portrait lit in various ways, with a border that moves, and one without a face."""
    image = Image.open(PORTRAIT).convert("RGB").resize((256, 256))
    pixels = np.asarray(image).astype(np.float32)
    made = []
    for number in range(11):
        lit = np.roll(pixels * (0.6 + 0.08 * number), number, axis=1).clip(0, 255).astype(np.uint8)
        made.append(Image.fromarray(lit))
    made.append(Image.new("RGB", (256, 256), (90, 120, 150)))
    return [_jpeg(one) for one in made]


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _soak(detector: LivenessDetector, frames: int, seconds: float) -> int:
    stream, files = detector.stream(max_age_ms=10_000), pictures()
    start = time.monotonic()
    first: tuple[float, int] | None = None
    peak, number = 0.0, 0
    while number < frames and time.monotonic() - start < seconds:
        stream.update(files[number % len(files)], timestamp_ms=number * 40.0)
        number += 1
        if number == min(WARM_UP, frames):
            first = (resident_mb(), open_handles())
        if number % EVERY == 0:
            peak = max(peak, resident_mb())
            _progress(number / frames, f"{number:,} frames, {number / (time.monotonic() - start):.0f}/s, {peak:.1f} MB")
    took = time.monotonic() - start
    assert first is not None, "too few frames"
    last = (resident_mb(), open_handles())
    print(f"\n{number:,} frames in {took:.0f} s, {number / took:.0f} a second")
    _say(first, last, peak)
    return 0


def _visit(detector: LivenessDetector, frames: int, seconds: float) -> int:
    """Visits of each kind in turn, frame by frame: each goes through JSON before every frame, and ends as before."""
    crops = LivenessDetector(detector.model, faces=None)
    files = [(crops, one) for one in faces()] + [(detector, one) for one in pictures()[::6]]
    start, number, visits, different = time.monotonic(), 0, 0, 0
    ends: dict[tuple[int, int], str] = {}
    first, peak = (resident_mb(), open_handles()), 0.0
    while number < frames and time.monotonic() - start < seconds:
        kind, (judge, data) = visits % 4, files[visits // 4 % len(files)]
        taken, end = _stream_visit(judge, data) if kind == 3 else _session_visit(judge, data, kind)
        different += ends.setdefault((kind, visits // 4 % len(files)), end) != end
        if number < WARM_UP <= number + taken:
            first = (resident_mb(), open_handles())
        number, visits = number + taken, visits + 1
        if visits % 100 == 0:
            peak = max(peak, resident_mb())
            _progress(number / frames, f"{number:,} frames, {peak:.1f} MB")
    took, last = time.monotonic() - start, (resident_mb(), open_handles())
    print(f"\n{number:,} frames in {visits:,} visits in {took:.0f} s ({time.process_time():.0f} s of processor time)")
    print(f"visits that ended otherwise than their like: {different}; ends: {sorted(set(ends.values()))}")
    _say(first, last, peak)
    return int(bool(different))


def _session_visit(detector: LivenessDetector, data: bytes, kind: int) -> tuple[int, str]:
    state = None
    for frame in range(12):
        challenge = (None, HeadTurn(side="left"), ScreenLight())[kind]
        session = detector.session(state=state, challenge=challenge)
        assert not session.state_discarded
        step = session.update(data, timestamp_ms=frame * 100)
        if step.decision is not None:
            return frame + 1, f"{step.decision.accepted} {step.decision.reason}"
        state = json.loads(json.dumps(session.state))
    return 12, "open"


def _stream_visit(detector: LivenessDetector, data: bytes) -> tuple[int, str]:
    state, verdict = None, "none"
    for frame in range(8):
        stream = detector.stream(max_age_ms=10_000, state=state)
        verdict = str(stream.update(data, timestamp_ms=frame * 100).verdict)
        state = json.loads(json.dumps(stream.state))
    return 8, verdict


def faces() -> list[bytes]:
    """Six crops of 96 pixels: the portrait's face, darker and lighter, and grey."""
    box = LivenessDetector().predict(PORTRAIT).face
    assert box is not None
    (x, y), half = box.center, box.side_px * 0.75
    face = Image.open(PORTRAIT).convert("RGB").crop((int(x - half), int(y - half), int(x + half), int(y + half)))
    small = np.asarray(face.resize((96, 96))).astype(np.float32)
    lit = [Image.fromarray((small * part).clip(0, 255).astype(np.uint8)) for part in (0.5, 0.7, 0.9, 1.0, 1.2)]
    return [_jpeg(one) for one in (*lit, Image.new("RGB", (96, 96), (127, 127, 127)))]


def _compare(detector: LivenessDetector, threads: int, seconds: float) -> int:
    files = pictures()
    expected = [detector.predict(one) for one in files]
    judged, different, failed = [0] * threads, [0] * threads, []
    first, end = (resident_mb(), open_handles()), time.monotonic() + seconds

    def work(own: int) -> None:
        try:
            while time.monotonic() < end:
                number = (judged[own] + own) % len(files)
                different[own] += detector.predict(files[number]) != expected[number]
                judged[own] += 1
        except Exception as error:
            failed.append(error)

    started = [threading.Thread(target=work, args=(own,)) for own in range(threads)]
    for thread in started:
        thread.start()
    while any(thread.is_alive() for thread in started):
        time.sleep(0.5)
        _progress(
            1 - max(0.0, end - time.monotonic()) / seconds, f"{sum(judged):,} verdicts, {sum(different)} different"
        )
    for thread in started:
        thread.join()
    print(
        f"\n{threads} threads, {seconds:.0f} s: {sum(judged):,} verdicts, {min(judged):,} to {max(judged):,} a thread"
    )
    print(f"results that differ from a single thread's: {sum(different)}; errors: {len(failed)} {failed[:3]}")
    last = (resident_mb(), open_handles())
    print(
        f"resident memory: {first[0]:.1f} MB with one thread, {last[0]:.1f} MB after; open files {first[1]}, {last[1]}"
    )
    return int(bool(sum(different) or failed))


def _say(first: tuple[float, int], last: tuple[float, int], peak: float) -> None:
    after = f"after {WARM_UP:,} frames"
    print(f"resident memory: {first[0]:.1f} MB {after}, {last[0]:.1f} MB at the end, peak {peak:.1f} MB")
    print(f"open files: {first[1]} {after}, {last[1]} at the end")


def resident_mb() -> float:
    """What this process holds in memory now, in MB of 2**20 bytes; Linux."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def open_handles() -> int:
    """How many files, sockets and pipes this process holds open; Linux."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _progress(share: float, what: str) -> None:
    if sys.stderr.isatty():
        done = int(30 * min(1.0, share))
        print(f"\r[{'#' * done}{'.' * (30 - done)}] {share:4.0%} {what}  ", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
