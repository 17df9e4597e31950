"""The check: a picture is taken, judged, and shown, and only then the next one is taken."""

from __future__ import annotations

import asyncio
import contextlib

import flet as ft
import flet_camera as fc
from examples.flutter_client.backend import Backend, Seen
from examples.flutter_client.view import STOPPED, View

__all__ = ["App"]

SHORTEST_PAUSE_S = 0.3
NO_CAMERA = Seen("trouble", "No camera found", "Connect a camera or allow this app to use it, then press Verify.")
CAMERA_LOST = Seen("trouble", "The camera stopped", "Close other apps that use it, then press Verify.")
STARTING = Seen("starting", "One moment", "The camera is starting. Allow it if you are asked.")
LOOKING = Seen("looking", "Looking", "Hold your face in the oval.")


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
        """Start a new vote with the chosen camera."""
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
        """Go on with the next camera, in a new vote."""
        self._chosen += 1
        await self.verify()

    async def _run(self) -> None:
        self._view.show(STARTING)
        self._view.running(True)
        try:
            await self._open()
        except Exception:  # Flet raises RuntimeError, and FletException on a desktop, with the platform's words
            self._view.running(False)
            self._view.show(NO_CAMERA)
            return
        self._view.running(True, changeable=len(self._cameras) > 1)
        self._view.show(LOOKING)
        try:
            await self._keep_looking()
        except Exception:  # the camera was pulled out, or the page was left; raised as above
            self._view.running(False)
            self._view.show(CAMERA_LOST)

    async def _open(self) -> None:
        self._cameras = await self._view.camera.get_available_cameras()
        if not self._cameras:
            raise RuntimeError("there is no camera")
        camera = self._cameras[self._chosen % len(self._cameras)]
        await self._view.camera.initialize(camera, fc.ResolutionPreset.MEDIUM, enable_audio=False)

    async def _keep_looking(self) -> None:
        clock = asyncio.get_running_loop()
        while True:
            picture = await self._view.camera.take_picture()
            sent = clock.time()
            seen = await self._backend.judge(picture)
            self._view.show(seen)
            # As long as the answer took: a slow server or network is asked less often.
            await asyncio.sleep(max(SHORTEST_PAUSE_S, clock.time() - sent, seen.wait_s))

    async def _end(self) -> None:
        if self._check is not None:
            self._check.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._check
            self._check = None
        await self._backend.forget()

    async def _pause(self) -> None:
        async with self._button:
            await self._end()  # the page may come back

    async def _leave(self) -> None:
        await self._pause()
        await self._backend.close()
