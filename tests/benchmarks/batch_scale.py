"""What Ray costs and brings: a plain loop, one worker, one a core, ``facelive check``, and an archive end to end.

Run from the repository root on a quiet machine: ``python -m tests.benchmarks.batch_scale [--pictures 100000]
[--sample 2000] [--workers N]``. Pictures are 256x256 JPEGs of the public-domain portrait, in a temporary folder (about
1.2 GB for 100,000). Rates come from two runs, of a quarter and of the whole sample, so that starting a worker is not
part of them.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import ray
from examples.batch.score import score
from PIL import Image

from facelive import LivenessDetector

PORTRAIT = Path(__file__).parents[2] / "examples" / "portrait.jpg"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="one a core unless given")
    options = parser.parse_args()
    detector = LivenessDetector()
    ray.init(log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    with tempfile.TemporaryDirectory() as scratch:
        sample, part = Path(scratch, "sample"), Path(scratch, "part")
        make(sample, options.sample)
        make(part, options.sample // 4)
        loop_ms = loop(detector, sample)
        print(f"a plain loop:   {loop_ms:7.2f} ms a picture, {1000 / loop_ms:7.1f} a second", flush=True)
        one_ms = 0.0
        for workers in (1, options.workers):
            started, ms = slope(detector, sample, part, options.sample, workers)
            one_ms = one_ms or ms
            print(
                f"Ray, {workers} worker(s): {ms:7.2f} ms a picture, {1000 / ms:7.1f} a second, "
                f"{one_ms / ms:.2f}x one worker, {loop_ms / ms:.2f}x the loop; {started:.1f} s to start and to end",
                flush=True,
            )
        check_ms = check(sample, part, options.sample, options.workers)
        print(
            f"facelive check --workers {options.workers}: {check_ms:.2f} ms a picture, {1000 / check_ms:.1f} a second"
        )
        print(f"Ray adds {one_ms - loop_ms:.2f} ms a picture to one worker", flush=True)
        archive = Path(scratch, "archive")
        megabytes = make(archive, options.pictures) / 1e6
        memory = Memory()
        seconds = timed(detector, archive, Path(scratch, "archive-out"), options.workers, memory)
        files = sorted(Path(scratch, "archive-out").glob("*.parquet"))
        counts = Counter(path for file in files for path in pq.read_table(file, columns=["path"])["path"].to_pylist())
        print(
            f"{options.pictures:,} pictures, {megabytes:,.0f} MB, {options.workers} workers: {seconds:.1f} s in all, "
            f"{options.pictures / seconds:.1f} a second; {len(files)} files, {sum(f.stat().st_size for f in files):,} "
            f"bytes; {len(counts):,} paths, {sum(counts.values()) - len(counts)} twice"
        )
        print(f"largest worker: {memory.peak_mb:.0f} MB of its own and its share of common pages (PSS)")


def make(folder: Path, count: int) -> int:
    """Write pictures, 500 to a folder; return their bytes."""
    total = 0
    with Image.open(PORTRAIT) as opened:
        portrait = opened.resize((256, 256))
    kinds = []
    for quality in range(60, 95):
        buffer = io.BytesIO()
        portrait.save(buffer, "JPEG", quality=quality)
        kinds.append(buffer.getvalue())
    for number in range(count):
        path = folder / f"{number // 500:05}" / f"{number:07}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        total += path.write_bytes(kinds[number % len(kinds)])
    return total


def loop(detector: LivenessDetector, folder: Path) -> float:
    """Milliseconds per picture of ``predict`` on every file, after a few to warm up."""
    paths = sorted(folder.rglob("*.jpg"))
    for path in paths[:20]:
        detector.predict(path)
    start = time.perf_counter()
    for path in paths:
        detector.predict(path)
    return 1000 * (time.perf_counter() - start) / len(paths)


def slope(detector: LivenessDetector, whole: Path, part: Path, count: int, workers: int) -> tuple[float, float]:
    """Seconds that do not depend on the number of pictures, and milliseconds per picture."""
    with tempfile.TemporaryDirectory() as out:
        short = timed(detector, part, Path(out, "part"), workers)
        long = timed(detector, whole, Path(out, "whole"), workers)
    per_picture = (long - short) / (count - count // 4)
    return long - count * per_picture, 1000 * per_picture


def check(whole: Path, part: Path, count: int, workers: int) -> float:
    """Milliseconds per picture of the command, without its start."""
    seconds = []
    for folder in (part, whole):
        command = [sys.executable, "-m", "facelive", "check", str(folder), "--workers", str(workers), "--json"]
        start = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        seconds.append(time.perf_counter() - start)
        assert done.returncode in (0, 1), done
    return 1000 * (seconds[1] - seconds[0]) / (count - count // 4)


class Memory:
    """The largest proportional set size of a worker process; 0 where /proc does not tell."""

    def __init__(self) -> None:
        self.peak_mb = 0.0

    def look(self) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if b"MapWorker" in (process / "cmdline").read_bytes():
                    found = re.search(r"^Pss:\s+(\d+) kB", (process / "smaps_rollup").read_text(), re.M)
                    self.peak_mb = max(self.peak_mb, int(found[1]) / 1024 if found else 0.0)
            except OSError:  # it ended while we looked
                continue


def timed(detector: LivenessDetector, source: Path, out: Path, workers: int, memory: Memory | None = None) -> float:
    done = threading.Event()

    def watch() -> None:
        while memory is not None and not done.wait(2):
            memory.look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    score(str(source), str(out), detector, workers=workers)
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    return seconds


if __name__ == "__main__":
    main()
