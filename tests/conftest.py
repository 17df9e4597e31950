"""Pictures and models that tests share; nothing here needs more than the repository."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import settings
from PIL import Image

# A machine that is busy is no failure: speed is measured in tests/benchmarks, never asserted here.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

collect_ignore = ["networks/make.py"]  # needs TensorFlow; the files it writes are committed

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def portrait_path() -> Path:
    """NASA's portrait of Eileen Collins, 512x512, public domain."""
    return ROOT / "examples" / "portrait.jpg"


@pytest.fixture(scope="session")
def portrait(portrait_path: Path) -> npt.NDArray[np.uint8]:
    """The portrait as uint8, (512, 512, 3), RGB."""
    return np.asarray(Image.open(portrait_path))


@pytest.fixture(scope="session")
def model_path() -> Path:
    """A bundled ``.tflite`` file, as a user's own would lie on disk."""
    return ROOT / "src" / "facelive" / "assets" / "mobilenet_v2.tflite"
