"""What the person sees: built from Flet's controls, told by `Seen` what to show."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import flet as ft
import flet.canvas as cv
import flet_camera as fc
from examples.flutter_client.backend import Seen, State

__all__ = ["IDLE", "View"]

IDLE = Seen("idle", "Show your face", "Press Verify and hold your face in the oval. It takes a few seconds.")
STOPPED = Seen("idle", "Stopped", "The camera is off. Press Verify to start again.")

_WARN, _SPOOF, _INK = ("#8a5200", "#f2bd6b"), ("#b3261e", "#ff9d94"), ("#15201c", "#eaf0ed")
_TONES: dict[State, tuple[str, str]] = {  # on light, on dark
    "idle": _INK,
    "starting": _INK,
    "guiding": _WARN,
    "looking": ("#3450d1", "#a9b8ff"),
    "live": ("#0a6b44", "#62d8a4"),
    "spoof": _SPOOF,
    "out": _SPOOF,
    "trouble": _WARN,
}
_ICONS: dict[State, ft.IconData] = {
    "live": ft.Icons.CHECK_CIRCLE,
    "spoof": ft.Icons.CANCEL,
    "out": ft.Icons.CANCEL,
    "trouble": ft.Icons.ERROR,
}
_SHAPES: dict[str, ft.IconData] = {  # the preview is a mirror: the person's left is on the left
    "move_left": ft.Icons.ARROW_BACK,
    "turn_left": ft.Icons.ARROW_BACK,
    "move_right": ft.Icons.ARROW_FORWARD,
    "turn_right": ft.Icons.ARROW_FORWARD,
    "move_up": ft.Icons.ARROW_UPWARD,
    "move_down": ft.Icons.ARROW_DOWNWARD,
    "come_closer": ft.Icons.ZOOM_OUT_MAP,
    "face_the_camera": ft.Icons.ZOOM_OUT_MAP,
    "move_back": ft.Icons.ZOOM_IN_MAP,
    "more_light": ft.Icons.LIGHT_MODE,
}

Action = Callable[[], Awaitable[None]]


class View:
    """One screen: the camera, how far the visit is, what to do, and the buttons.

    Args:
        page: Where it is shown; changed.
        verify: Starts the check.
        stop: Ends it.
        change: Takes the next camera.
    """

    def __init__(self, page: ft.Page, *, verify: Action, stop: Action, change: Action) -> None:
        self._page = page
        self.camera = fc.Camera(preview_enabled=True, expand=True)
        self._film = ft.Container(expand=True)
        self._line = ft.Paint(stroke_width=3, style=ft.PaintingStyle.STROKE)
        done = ft.Paint(stroke_width=6, style=ft.PaintingStyle.STROKE, color="#62d8a4")
        self._ring = cv.Arc(3, 3, 219, 294, start_angle=-math.pi / 2, sweep_angle=0, paint=done)
        self._oval = cv.Canvas([cv.Oval(3, 3, 219, 294, self._line), self._ring], width=225, height=300)
        self._shape = ft.Icon(ft.Icons.ARROW_BACK, visible=False, size=80, color="#ffffff")
        self._icon = ft.Icon(ft.Icons.CHECK_CIRCLE, visible=False, size=30)
        self._headline = ft.Text(size=32, weight=ft.FontWeight.W_700)
        self._advice = ft.Text(size=16)
        advice = ft.Container(self._advice, height=46)  # room for two lines, so that nothing below it jumps
        self._spoken = ft.Semantics(live_region=True, container=True, exclude_semantics=True, content=advice)
        self._verify = ft.FilledButton("Verify", on_click=verify, expand=True, height=52)
        self._stop = ft.FilledButton("Stop", on_click=stop, expand=True, height=52, visible=False)
        self._change = ft.OutlinedButton("Change the Cam", on_click=change, expand=True, height=52, disabled=True)
        page.title = "facelive"
        page.theme_mode = ft.ThemeMode.SYSTEM
        page.theme = page.dark_theme = ft.Theme(color_scheme_seed="#3450d1", font_family="Roboto")
        page.padding = 0
        page.bgcolor = "#0f1513" if self._dark else "#f4f5f2"
        page.add(self._screen())
        self.show(IDLE)

    def _screen(self) -> ft.Control:
        stage = ft.Container(
            ft.Stack(
                [
                    self._film,
                    ft.Container(self._oval, alignment=ft.Alignment.CENTER, expand=True),
                    ft.Container(self._shape, alignment=ft.Alignment.CENTER, expand=True),
                ],
                fit=ft.StackFit.EXPAND,
            ),
            bgcolor="#1b2421",
            border_radius=24,
            clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
            height=380,
        )
        heading = ft.Row([self._icon, self._headline])
        buttons = ft.Row([self._verify, self._stop, self._change])
        note = ft.Text("Pictures go to the server, are judged in its memory and are not kept.", size=13)
        column = ft.Column(
            [stage, heading, self._spoken, buttons, note],
            spacing=14,
            width=480,
            scroll=ft.ScrollMode.AUTO,
        )
        return ft.SafeArea(
            ft.Container(column, padding=20, alignment=ft.Alignment.TOP_CENTER, expand=True), expand=True
        )

    def show(self, seen: Seen) -> None:
        """Show a state and send it to the screen."""
        tone = self._tone(seen.state)
        self._headline.value, self._headline.color = seen.headline, tone
        self._icon.visible = seen.state in _ICONS
        self._icon.icon, self._icon.color = _ICONS.get(seen.state, ft.Icons.CHECK_CIRCLE), tone
        self._advice.value = seen.advice
        self._spoken.label = f"{seen.headline}. {seen.advice}"
        self._ring.sweep_angle = 2 * math.pi * seen.progress
        self._shape.visible = seen.guidance in _SHAPES
        self._shape.icon = _SHAPES.get(seen.guidance, ft.Icons.ARROW_BACK)
        self._line.color = "#ffffff" if seen.state == "looking" else _TONES[seen.state][1]
        self._page.update()

    def running(self, on: bool, *, changeable: bool = False, again: bool = True) -> None:
        """Offer what can be done now: stop and perhaps change, or verify, or nothing."""
        self._verify.visible, self._stop.visible = not on and again, on
        self._change.disabled = not changeable
        self._page.update()

    def film(self, on: bool) -> None:
        """Put a camera on the stage, or take it away, which turns it off."""
        if on:
            self.camera = fc.Camera(preview_enabled=True, expand=True)
        self._film.content = self.camera if on else None
        self._page.update()

    def _tone(self, state: State) -> str:
        return _TONES[state][self._dark]

    @property
    def _dark(self) -> bool:
        return self._page.platform_brightness is ft.Brightness.DARK
