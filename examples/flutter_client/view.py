"""What the person sees: built from Flet's controls, told by `Seen` what to show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import flet as ft
import flet.canvas as cv
import flet_camera as fc
from examples.flutter_client.backend import Seen, State

__all__ = ["IDLE", "View"]

IDLE = Seen("idle", "Show your face", "Press Verify and hold your face in the oval. Five pictures decide.")
STOPPED = Seen("idle", "Stopped", "The camera is off. Press Verify to start again.")

_ON_LIGHT: dict[State, str] = {
    "idle": "#15201c",
    "starting": "#15201c",
    "looking": "#3450d1",
    "live": "#0a6b44",
    "spoof": "#b3261e",
    "rejected": "#8a5200",
    "trouble": "#8a5200",
}
_ON_DARK: dict[State, str] = {
    "idle": "#eaf0ed",
    "starting": "#eaf0ed",
    "looking": "#a9b8ff",
    "live": "#62d8a4",
    "spoof": "#ff9d94",
    "rejected": "#f2bd6b",
    "trouble": "#f2bd6b",
}
_ON_STAGE: dict[State, str] = {**_ON_DARK, "idle": "#93a09a", "starting": "#93a09a", "looking": "#ffffff"}
_ICONS: dict[State, ft.IconData] = {
    "live": ft.Icons.CHECK_CIRCLE,
    "spoof": ft.Icons.CANCEL,
    "trouble": ft.Icons.ERROR,
}

Action = Callable[[], Awaitable[None]]


class View:
    """One screen: the camera, the decision, the votes, and the buttons.

    Args:
        page: Where it is shown; changed.
        verify: Starts the check.
        stop: Ends it.
        change: Takes the next camera.
    """

    def __init__(self, page: ft.Page, *, verify: Action, stop: Action, change: Action) -> None:
        self._page = page
        self.camera = fc.Camera(preview_enabled=True, expand=True)
        self._line = ft.Paint(stroke_width=3, style=ft.PaintingStyle.STROKE)
        self._oval = cv.Canvas([cv.Oval(2, 2, 221, 296, self._line)], width=225, height=300)
        self._icon = ft.Icon(ft.Icons.CHECK_CIRCLE, visible=False, size=30)
        self._headline = ft.Text(size=32, weight=ft.FontWeight.W_700)
        self._percentage = ft.Text(size=18, weight=ft.FontWeight.W_600)
        self._advice = ft.Text(size=16)
        self._dots = ft.Row(spacing=8)
        advice = ft.Container(self._advice, height=46)  # room for two lines, so that nothing below it jumps
        self._spoken = ft.Semantics(live_region=True, container=True, exclude_semantics=True, content=advice)
        self._counted = ft.Semantics(container=True, exclude_semantics=True, content=self._dots)
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
                [self.camera, ft.Container(self._oval, alignment=ft.Alignment.CENTER, expand=True)],
                fit=ft.StackFit.EXPAND,
            ),
            bgcolor="#1b2421",
            border_radius=24,
            clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
            height=380,
        )
        heading = ft.Row(
            [ft.Row([self._icon, self._headline]), self._percentage], alignment=ft.MainAxisAlignment.SPACE_BETWEEN
        )
        buttons = ft.Row([self._verify, self._stop, self._change])
        note = ft.Text("Pictures go to the server, are judged in its memory and are not kept.", size=13)
        column = ft.Column(
            [stage, heading, self._spoken, self._counted, buttons, note],
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
        self._percentage.value = seen.percentage
        self._advice.value = seen.advice
        self._spoken.label = f"{seen.headline}. {seen.advice}"
        self._counted.label = f"{len(seen.votes)} of {seen.window} votes"
        self._dots.controls = [self._dot(seen, index) for index in range(seen.window)]
        self._dots.controls.append(ft.Text(f"{len(seen.votes)} of {seen.window} votes", size=15))
        self._line.color = _ON_STAGE[seen.state]
        self._page.update()

    def running(self, on: bool, *, changeable: bool = False) -> None:
        """Offer what can be done now: stop and perhaps change, or verify."""
        self._verify.visible, self._stop.visible = not on, on
        self._change.disabled = not changeable
        self._page.update()

    def _dot(self, seen: Seen, index: int) -> ft.Control:
        if index >= len(seen.votes):
            return ft.Icon(ft.Icons.RADIO_BUTTON_UNCHECKED, size=22, color=self._tone("idle"))
        state: State = "live" if seen.votes[index] else "spoof"
        return ft.Icon(_ICONS[state], size=22, color=self._tone(state))

    def _tone(self, state: State) -> str:
        return (_ON_DARK if self._dark else _ON_LIGHT)[state]

    @property
    def _dark(self) -> bool:
        return self._page.platform_brightness is ft.Brightness.DARK
