"""The check: guide the person into the oval, send one picture after the other, and end with the backend's decision."""

from __future__ import annotations

import asyncio
import contextlib

import flet as ft
import flet_camera as fc
from examples.flutter_client.backend import Backend, Seen
from examples.flutter_client.view import STOPPED, View

__all__ = ["App"]

SHORTEST_PAUSE_S = 0.3
LONGEST_VISIT_S = 60.0
TIME_IS_UP = Seen("trouble", "Time is up", "The camera is off. Press Verify when you are ready.")
NO_CAMERA = Seen("trouble", "No camera found", "Connect a camera or allow this app to use it, then press Verify.")
CAMERA_LOST = Seen("trouble", "The camera stopped", "Close other apps that use it, then press Verify.")
STARTING = Seen("starting", "One moment", "The camera is starting. Allow it if you are asked.")


class App:
    """One person's check, from the first button to the last.

    Args:
        page: Where it is shown.
        server: The backend's address.
    """

    def __init__(self, page: ft.Page, server: str) -> None:
        self._page = page
        self._backend = Backend(server)
        self._cameras: list[fc.CameraDescription] = []
        self._chosen = 0
        self._check: asyncio.Task[None] | None = None
        self._button = asyncio.Lock()  # Flet runs each press in a task of its own
        self._view = View(page, verify=self.verify, stop=self.stop, change=self.change)
        page.on_disconnect = self._pause
        page.on_close = self._leave

    async def verify(self) -> None:
        """Start a new visit with the chosen camera."""
        async with self._button:
            await self._end()
            self._check = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the check."""
        async with self._button:
            await self._end()
            self._view.running(False)
            self._view.show(STOPPED)

    async def change(self) -> None:
        """Go on with the next camera, in a new visit."""
        self._chosen += 1
        await self.verify()

    async def _run(self) -> None:
        self._view.show(STARTING)
        self._view.running(True)
        opened = await self._backend.open()
        if opened.state != "guiding":
            self._finish(opened)
            return
        try:
            await self._open()
        except Exception:  # Flet raises RuntimeError, and FletException on a desktop, with the platform's words
            self._finish(NO_CAMERA)
            return
        self._view.running(True, changeable=len(self._cameras) > 1)
        self._view.show(opened)
        try:
            self._finish(await self._keep_looking())
        except Exception:  # the camera was pulled out, or the page was left; raised as above
            self._finish(CAMERA_LOST)

    def _finish(self, seen: Seen) -> None:
        """The camera is off, and the end is shown."""
        self._view.film(False)
        self._view.running(False, again=seen.state != "out")
        self._view.show(seen)

    async def _open(self) -> None:
        self._view.film(True)
        self._cameras = await self._view.camera.get_available_cameras()
        if not self._cameras:
            raise RuntimeError("there is no camera")
        camera = self._cameras[self._chosen % len(self._cameras)]
        await self._view.camera.initialize(camera, fc.ResolutionPreset.MEDIUM, enable_audio=False)

    async def _keep_looking(self) -> Seen:
        clock = asyncio.get_running_loop()
        latest = clock.time() + LONGEST_VISIT_S
        while clock.time() < latest:
            picture = await self._view.camera.take_picture()
            sent = clock.time()
            seen = await self._backend.judge(picture)
            if seen.done:
                return seen
            self._view.show(seen)
            # As long as the answer took: a slow server or network is asked less often.
            await asyncio.sleep(max(SHORTEST_PAUSE_S, clock.time() - sent, seen.wait_s))
        return TIME_IS_UP

    async def _end(self) -> None:
        if self._check is not None:
            self._check.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._check
            self._check = None
        self._view.film(False)
        await self._backend.forget()

    async def _pause(self) -> None:
        async with self._button:
            await self._end()  # the page may come back

    async def _leave(self) -> None:
        await self._pause()
        await self._backend.close()
