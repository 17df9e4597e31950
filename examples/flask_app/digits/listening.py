"""The sound of a request, and what is refused. It is in memory for that long alone."""

from __future__ import annotations

from examples.flask_app.digits.sound import Samples, SilenceError, SoundError, read_sound
from flask import Request
from werkzeug.exceptions import BadRequest, Conflict, UnprocessableEntity, UnsupportedMediaType

__all__ = ["NotAsked", "sound_of"]

FIELD = "sound"


class NotAsked(Conflict):
    """Another phrase is asked for, or none any more, or not yet."""

    reason = "not_asked"
    description = "These digits are not asked for now: say those on the screen."


class NothingHeard(UnprocessableEntity):
    """The same digits may be said once more."""

    reason = "nothing_heard"


def sound_of(request: Request) -> Samples:
    """The samples in the field ``sound``: float32, (N,), in [-1, 1), 16 kHz, 1 to 8 s.

    Raises:
        UnsupportedMediaType: The request is no multipart form.
        BadRequest: There is no sound, or it is no WAV of 16 bits, one channel and 16 kHz, or too short or long.
        NothingHeard: It is silent.
        RequestEntityTooLarge: The request is too long.
    """
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType(f"Send a multipart form with the field {FIELD!r}.")
    upload = request.files.get(FIELD)
    if upload is None:
        raise BadRequest(f"The form has no sound: send a file in the field {FIELD!r}.")
    try:
        return read_sound(upload.read())
    except SilenceError as error:
        raise NothingHeard(str(error)) from error
    except SoundError as error:
        raise BadRequest(str(error)) from error
