"""Does it hold for a million frames, and with sixteen threads on one detector?

    python -m tests.benchmarks.soak --frames 1000000
    python -m tests.benchmarks.soak --threads 16 --seconds 300

The first judges frames on one stream, whole pictures in with every file and every face found anew, and prints the
resident memory and the open files after the first thousand and at the end. The second lets threads judge the same
pictures on one detector and compares every score with the one that a single thread gave before.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import sys
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from facelive import LivenessDetector
from facelive.tflite import runtime_name

PORTRAIT = Path(__file__).parents[2] / "examples" / "portrait.jpg"
WARM_UP = 1_000
EVERY = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, help="compare threads instead")
    parser.add_argument("--seconds", type=float, help="stop after so long, whatever is left")
    parser.add_argument("--model", default="default")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"CPython {platform.python_version()}, {runtime_name()}, {os.cpu_count()} cores, load {load:.1f}", flush=True)
    seconds = options.seconds or float("inf")
    detector = LivenessDetector(options.model)
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
    print(
        f"resident memory: {first[0]:.1f} MB after {WARM_UP:,} frames, {last[0]:.1f} MB at the end, peak {peak:.1f} MB"
    )
    print(f"open files: {first[1]} after {WARM_UP:,} frames, {last[1]} at the end")
    return 0


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
