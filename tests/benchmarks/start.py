"""What a fresh process pays: import, first verdict, memory, installed size.

    python -m tests.benchmarks.start [--repeats 9]

Each figure is the median over fresh processes, its floor measured in turn with it.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

import facelive

PORTRAIT = Path(__file__).parents[2] / "examples" / "portrait.jpg"
CLOCK = "import time; start = time.perf_counter(); {}; print((time.perf_counter() - start) * 1000)"
# Not ru_maxrss: a child starts with its parent's.
MEMORY = "{}; print(int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) / 1024)"
BASE = "import numpy, PIL.Image"
BARE = (
    "import numpy, PIL.Image, facelive.tflite as r; from facelive.model_files import DEFAULT_MODEL, read_model; "
    "m = r.TFLiteModel(read_model(DEFAULT_MODEL)); "
    "m.run(numpy.zeros((1, 128, 128, 3), 'f'))"
)
VERDICT = f"import facelive; facelive.LivenessDetector().predict({str(PORTRAIT)!r})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    rows = {
        "import numpy, PIL.Image (ms)": CLOCK.format(BASE),
        "import facelive (ms)": CLOCK.format("import facelive"),
        "import facelive and a runtime (ms)": CLOCK.format("import facelive.tflite as r; r.runtime_name()"),
        "import to first verdict (ms)": CLOCK.format(VERDICT),
        "peak memory: NumPy and Pillow (MB)": MEMORY.format(BASE),
        "peak memory: one bare invoke (MB)": MEMORY.format(BARE),
        "peak memory: first verdict (MB)": MEMORY.format(VERDICT),
    }
    values: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(repeats):
        for name, code in rows.items():
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            values[name].append(float(done.stdout))
    for name, own in values.items():
        print(f"{name:<40}{statistics.median(own):9.1f}")
    folder = Path(facelive.__file__).parent
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc")
    print(f"{'installed size without bytecode (MB)':<40}{size / 1e6:9.1f}")


if __name__ == "__main__":
    main()
