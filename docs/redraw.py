"""Draws every picture of the documentation and of the examples anew: ``python -m docs.redraw``.

Needs the group ``ci``, the examples' requirements and Chromium; one plot counts the training pictures too.
What cannot be drawn here is named and left as it is. The one person shown is the public-domain portrait.
"""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Callable, List, Literal, NamedTuple, Sequence, Tuple

import numpy as np
from docs import figures, moving
from PIL import Image

from facelive import LivenessDetector
from facelive.crops import face_crop

ROOT = Path(__file__).parents[1]
PICTURES = ROOT.parent / "shared" / "data"
BROWSER = ("playwright", "flask_limiter", "waitress")
GAP_PX = 24
PLOTS = ("det", "vote", "groups", "species", "conditions", "light", "threshold")
SPEED = ("call", "sizes", "photos", "workers", "stream")
FACE = (178.0, 70.0, 270.0, 190.0)  # in the portrait


class Step(NamedTuple):
    """Pictures that are drawn together."""

    files: Sequence[str]
    draw: Callable[[], object]
    modules: Sequence[str] = ()
    programs: Sequence[str] = ()
    folders: Sequence[Path] = ()


def main() -> int:
    """Draw what can be drawn here."""
    for step in STEPS:
        files, missing = ", ".join(step.files), _missing(step)
        if missing:
            print(f"left as it is: {files}, for want of {', '.join(missing)}")
            continue
        step.draw()
        print(f"drawn: {files}", flush=True)
    return 0


def _missing(step: Step) -> List[str]:
    missing = [name for name in step.modules if importlib.util.find_spec(name) is None]
    missing += [name for name in step.programs if shutil.which(name) is None]
    return missing + [str(folder) for folder in step.folders if not folder.exists()]


def _visits() -> None:
    moving.draw(ROOT / "docs" / "images" / "visits.webp", ROOT / "examples" / "portrait.jpg")


def _spoofs() -> None:
    from examples.training.attacks.spoofs import contact_rows

    portrait = np.asarray(Image.open(ROOT / "examples" / "portrait.jpg").convert("RGB"))
    rows = contact_rows(portrait, FACE, range(6))
    shown = [np.hstack([face_crop(one.image, one.box, scale=1.6, size=160) for one in row]) for row in rows]
    Image.fromarray(np.vstack(shown)).save(ROOT / "docs" / "training" / "spoofs.jpg", quality=88)


def _quality_plot() -> None:
    from examples.training.face_detector import quality

    quality.main(["--plot", "docs/images/faces-quality.svg"])


def _page() -> None:
    from tests.examples.flask_app import scene
    from tests.examples.flask_app.browser import Browsers, hold_after
    from tests.examples.flask_app.serving import serving

    seen: List[Tuple[Image.Image, str, Literal["light", "dark"]]] = [
        (scene.live(), "looking", "light"),
        (scene.live(), "turning", "light"),
        (scene.live(), "live", "light"),
        (scene.far(), "guiding", "dark"),
        (scene.attack(), "spoof", "dark"),
        (scene.live(), "asking", "light"),
        (scene.live(), "saying", "light"),
    ]
    asked = {name: {"FACELIVE_CHALLENGE": name, "FACELIVE_TRIES": "3"} for name in ("off", "light", "turn", "digits")}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as servers:
        ports = {name: servers.enter_context(serving(None, asked[name])) for name in asked}
        browsers, shots = Browsers(), []
        for picture, state, scheme in seen:
            browser = browsers.start(film=scene.mjpeg(picture, Path(folder, f"{state}.mjpeg")))
            page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
            if state == "looking":
                hold_after(page, 3)
            challenge = {"asking": "light", "turning": "turn", "saying": "digits"}.get(state, "off")
            page.goto(f"http://127.0.0.1:{ports[challenge]}/")
            page.click("#verify")
            if state == "saying":
                page.click("#agree")
            shows = {"turning": "body[data-guidance^=turn_]", "saying": "#say:visible"}
            shown = shows.get(state, f"body[data-state={state}]")
            page.wait_for_selector(shown, timeout=120_000)
            if state == "guiding":
                page.wait_for_selector("body[data-guidance=come_closer]", timeout=120_000)
            page.wait_for_timeout(1000)
            page.screenshot(path=Path(folder, f"{state}.png"))
            shots.append(Image.open(Path(folder, f"{state}.png")).convert("RGB"))
        browsers.close()
    width, height = shots[0].size
    sheet = Image.new("RGB", (len(shots) * (width + GAP_PX) - GAP_PX, height), "white")
    for number, shot in enumerate(shots):
        sheet.paste(shot, (number * (width + GAP_PX), 0))
    _save(sheet, "examples/flask_app/page.png")


def _client() -> None:
    from tests.examples.flask_app import scene
    from tests.examples.flask_app.browser import Browsers
    from tests.examples.flask_app.serving import serving
    from tests.examples.flutter_client.driving import client, opened, says

    with tempfile.TemporaryDirectory() as folder, serving() as backend, client(backend) as port:
        browsers = Browsers()
        page = opened(browsers.start(film=scene.mjpeg(scene.live(), Path(folder, "live.mjpeg"))), port)
        page.get_by_role("button", name="Verify").click()
        says(page, "Looking. Still looking")
        page.screenshot(path=Path(folder, "client.png"), clip={"x": 0, "y": 0, "width": 390, "height": 720})
        _save(Image.open(Path(folder, "client.png")).convert("RGB"), "examples/flutter_client/client.png")
        browsers.close()


def _frame() -> None:
    from tests.examples.flask_app import scene

    seen, stream = scene.live(), LivenessDetector().stream()
    for _ in range(5):
        result = stream.update(seen)
    _save(result.annotate(seen), "examples/webcam/frame.png")


def _save(picture: Image.Image, path: str) -> None:
    picture.quantize(256).save(ROOT / path, optimize=True)


STEPS = (
    Step([f"docs/images/{name}.svg" for name in (*PLOTS, *(f"speed-{one}" for one in SPEED))], figures.main),
    Step(["docs/images/visits.webp"], _visits),
    Step(["docs/training/spoofs.jpg"], _spoofs),
    Step(["docs/images/faces-quality.svg"], _quality_plot, ["matplotlib", "cv2"], folders=[PICTURES]),
    Step(["examples/webcam/frame.png"], _frame, ["cv2"]),
    Step(["examples/flask_app/page.png"], _page, BROWSER, ["chromium"]),
    Step(["examples/flutter_client/client.png"], _client, [*BROWSER, "flet", "flet_camera", "flet_web"], ["chromium"]),
)


if __name__ == "__main__":
    sys.exit(main())
