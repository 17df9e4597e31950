"""Resident memory after the first verdict, beside an interpreter that has run the model once, in fresh processes."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import numpy as np

from facelive.bench.costs import Cost
from facelive.detector import LivenessDetector
from facelive.models import LivenessModel
from facelive.results import FaceBox

__all__ = ["resident"]

_STATUS = Path("/proc/self/status")


def resident(model: LivenessModel) -> Iterator[Cost]:
    """One line where the system says how much of a process is resident, as Linux does; else none."""
    if _STATUS.exists():
        bare, whole = (_resident_mb(model, what) for what in ("invoke", "verdict"))
        yield Cost("resident after the first verdict", whole, "bare invoke", bare, unit="mb")


def _resident_mb(model: LivenessModel, what: str) -> float:
    code = "from facelive.bench import memory; memory.main()"
    done = subprocess.run(
        [sys.executable, "-c", code, what], input=pickle.dumps(model), capture_output=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Do what the command line says with the model on standard input; print the resident megabytes."""
    model: LivenessModel = pickle.load(sys.stdin.buffer)  # from ``_resident_mb``, nobody else
    if sys.argv[1] == "verdict":
        detector, grain = LivenessDetector(model), np.random.default_rng(0).integers(80, 180, (480, 640, 3), np.uint8)
        detector.predict(grain)
        detector.predict(grain, face=FaceBox(250, 130, 390, 310))
    model.network.interpreter().invoke()
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    (resident_kb,) = (line.split()[1] for line in lines if line.startswith("VmRSS:"))
    print(int(resident_kb) / 1024)
