"""A fork while a thread uses the library for the first time: the child must not wait for a thread it does not have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageCms, features

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def in_a_fresh_process(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=300
    )


def test_a_fork_waits_while_a_thread_loads() -> None:
    code = (
        "import os, sys, threading, time\n"
        "from facelive.forks import LOADING\n"
        "def load():\n"
        "    with LOADING: started.set(); time.sleep(0.3); done.append(1)\n"
        "started, done = threading.Event(), []\n"
        "threading.Thread(target=load).start(); started.wait()\n"
        "child = os.fork()\n"
        "if not child: os._exit(0 if done and LOADING.acquire(timeout=5) else 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    assert in_a_fresh_process(code).returncode == 0


STORM = """
import os, sys, threading, time
import numpy as np
from facelive import LivenessDetector
from facelive.faces import BundledFaceDetector
picture, children = np.full((480, 640, 3), 90, np.uint8), []
for number in range(20):
    detector = LivenessDetector(faces=BundledFaceDetector())
    warming = threading.Thread(target=detector.predict, args=(picture,))
    warming.start()
    time.sleep(number / 1000)
    child = os.fork()
    if not child:
        detector.predict(picture)
        os._exit(0)
    children.append(child)
    warming.join()
end = time.monotonic() + 60
while children and time.monotonic() < end:
    children = [child for child in children if not os.waitpid(child, os.WNOHANG)[0]]
    time.sleep(0.01)
for child in children:
    os.kill(child, 9)
sys.exit(len(children))
"""


def test_no_child_hangs_that_is_forked_while_a_thread_loads() -> None:
    done = in_a_fresh_process(STORM)
    assert done.returncode == 0, f"{done.returncode} of 20 children hung {done.stderr}"


# A module that is imported while the fork is not held back is locked for ever in the child.
IMPORTS = """
import sys
from facelive.forks import LOADING
from facelive import LivenessDetector
class Watch:
    def find_spec(self, name, path=None, target=None):
        if not LOADING._is_owned():
            print(name)
sys.meta_path.insert(0, Watch())
import numpy as np
detector = LivenessDetector()
result = detector.predict(np.full((480, 640, 3), 90, np.uint8))
for path in sys.argv[1:]:
    result = detector.predict(path)
    detector.session().update(path)
    detector.stream().update(open(path, "rb").read())
result.annotate(path)
"""


def test_what_a_first_call_imports_is_imported_while_forks_wait(portrait_path: Path, tmp_path: Path) -> None:
    picture, paths = Image.open(portrait_path).convert("RGB"), [portrait_path]
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("PNG", "GIF", "BMP", "TIFF", "WEBP"):
        if kind != "WEBP" or features.check("webp"):
            paths.append(tmp_path / f"picture.{kind.lower()}")
            picture.save(paths[-1], kind, icc_profile=profile)
    done = in_a_fresh_process(IMPORTS, *paths)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
