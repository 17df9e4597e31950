"""Judge a camera, a film or a stream: ``python -m examples.webcam``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from examples.webcam.loop import Options, SourceError, run

from facelive import FaceliveError, LivenessDetector

FINISHED, UNUSABLE = 0, 2


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of frames")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.webcam", description="Judge a camera, a film or a stream, frame by frame."
    )
    parser.add_argument(
        "source", nargs="?", default="0", help="a camera's index, a film's path or a stream's URL (default: 0)"
    )
    parser.add_argument("--headless", action="store_true", help="open no window")
    parser.add_argument("--out", default="", metavar="FILM.mp4", help="write a film with the verdicts drawn on it")
    parser.add_argument("--json", action="store_true", help="print one JSON object a frame")
    parser.add_argument("--max-frames", type=_count, default=0, metavar="N", help="end after N frames, 0 for never")
    parser.add_argument("--model", default="default", help="a bundled model's name or the path of a .tflite file")
    options = parser.parse_args(arguments)
    try:
        run(
            LivenessDetector(options.model),
            Options(
                source=options.source,
                headless=options.headless,
                out=options.out,
                as_json=options.json,
                max_frames=options.max_frames,
            ),
            sys.stdout,
        )
    except (FaceliveError, SourceError) as error:
        print(f"not judged: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:  # the camera is released by now
        pass
    except BrokenPipeError:  # whoever read the lines has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FINISHED


if __name__ == "__main__":
    sys.exit(main())
