"""Coverage-guided fuzzing: ``python -m tests.fuzz images --seconds 600``; needs the group ``fuzz`` (atheris).

Targets: images, cards, tflite. Each starts from seeds that the tests' own code makes, keeps what it finds in a
``--corpus`` when one is given, and stops at the first input that raises anything but ``FaceliveError``, runs for over a
minute or takes over 3 GB; the input is written to ``--finds``. Branches of facelive, of Pillow's Python and of the
JSON reader guide it; decoders and runtimes in C run, but do not guide. The last line is a summary as JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.trials import CONTAINED

NAMES = ("images", "cards", "tflite")
SECONDS_AN_INPUT = 60
MEGABYTES = 3072
LONGEST = {"images": 16_384, "cards": 4_096, "tflite": 8_192}


def main() -> int:
    """Fuzz one target, or all in turn, in a process each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="+", choices=[*NAMES, "all"])
    parser.add_argument("--seconds", type=int, default=20, help="for each target")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; 0 takes the time")
    parser.add_argument("--corpus", type=Path, help="a folder to go on from and to grow")
    parser.add_argument("--finds", type=Path, default=Path(tempfile.gettempdir()), help="where failing inputs go")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return _fuzz(options.targets[0], options)
    chosen = list(NAMES) if "all" in options.targets else options.targets
    return max([_watched(target, options) for target in chosen])


def _watched(target: str, options: argparse.Namespace) -> int:
    """Run a target in another process, show what it prints, and sum it up."""
    command = [sys.executable, "-m", "tests.fuzz", target, "--inside", "--finds", str(options.finds)]
    command += ["--seconds", str(options.seconds), "--seed", str(options.seed)]
    command += ["--corpus", str(options.corpus)] if options.corpus else []
    executions = coverage = features = kept = contained = 0
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        assert process.stderr is not None
        for line in process.stderr:
            done = re.match(r"(?:#|Done )(\d+)", line)
            executions = max(executions, int(done[1]) if done else 0)
            contained += line.startswith(CONTAINED)
            seen = re.search(r"cov: (\d+) ft: (\d+) corp: (\d+)", line)
            if seen:
                coverage, features, kept = map(int, seen.groups())
            if not (seen or line.startswith(CONTAINED)) or "pulse" in line or "INITED" in line or "DONE" in line:
                print(line, end="", file=sys.stderr, flush=True)
    summary = {"target": target, "seconds": options.seconds, "executions": executions, "coverage": coverage}
    summary |= {"features": features, "corpus": kept, "contained": contained, "failed": bool(process.returncode)}
    print(json.dumps(summary), flush=True)
    return int(bool(process.returncode))


def _fuzz(target: str, options: argparse.Namespace) -> int:
    try:
        import atheris
    except ImportError:
        print("fuzzing needs atheris: pip install -e . --group fuzz on CPython 3.11", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["facelive", "PIL", "json"]):  # whose branches count as coverage
        from PIL import Image
        from tests.fuzz.targets import SEEDS, TARGETS

        Image.init()
    with tempfile.TemporaryDirectory() as scratch:
        corpus = options.corpus or Path(scratch)
        corpus.mkdir(parents=True, exist_ok=True)
        for content in SEEDS[target]():
            (corpus / hashlib.sha1(content).hexdigest()).write_bytes(content)
        arguments = [
            sys.argv[0],
            f"-max_total_time={options.seconds}",
            f"-seed={options.seed}",
            f"-max_len={LONGEST[target]}",
            f"-timeout={SECONDS_AN_INPUT}",
            f"-rss_limit_mb={MEGABYTES}",
            f"-artifact_prefix={options.finds}{os.sep}",
            "-print_final_stats=1",
            "-reload=0",
            str(corpus),
        ]
        atheris.Setup(arguments, TARGETS[target])
        atheris.Fuzz()  # ends the process
    return 0


if __name__ == "__main__":
    sys.exit(main())
