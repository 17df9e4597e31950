"""The bytes of a picture, from wherever a caller has it: a path, a data URL, base64, a file, an opened Pillow image."""

from __future__ import annotations

import base64
import binascii
import inspect
import os
import re
import stat
from pathlib import Path
from typing import IO, Any, List, Optional, Union

from PIL import Image

from facelive.errors import ImageError
from facelive.images.limits import MAX_BYTES, refuse_bytes
from facelive.words import shown

__all__ = ["from_file", "from_path", "from_text", "is_closed", "not_yet_decoded"]

_REREAD = ("JPEG", "MPO", "PNG", "GIF", "BMP", "TIFF")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_BASE64_STARTS = ("/9j/", "_9j_", "iVBORw0KGgo", "R0lGOD", "UklGR")  # JPEG, PNG, GIF, WebP


def from_text(text: str) -> bytes:
    """A data URL, a picture in base64, or else a path."""
    bare = text[: MAX_BYTES * 2].strip().strip("\"'").strip()
    if bare[:5].lower() == "data:":
        header, comma, body = bare.partition(",")
        if not comma or not header.lower().endswith(";base64"):
            raise ImageError("a data URL must look like data:image/jpeg;base64,… with the picture after the comma")
        return _from_base64(body)
    if bare.startswith(_BASE64_STARTS) and len(bare) > 64:
        return _from_base64(bare)
    if not bare:
        raise ImageError("the path is empty: give the path of a picture file")
    return from_path(text)


def _from_base64(body: str) -> bytes:
    if "%" in body:
        raise ImageError("the base64 is percent-encoded: decode it with urllib.parse.unquote first")
    if " " in body and re.search(r"\S \S", body):
        raise ImageError("the base64 has blanks inside, as when a form turned '+' into them: percent-encode the field")
    digits = body.encode("ascii", "replace").translate(_URL_SAFE, b"\t\r\n ").rstrip(b"=")
    if len(digits) > MAX_BYTES * 4 // 3 + 4:
        refuse_bytes()
    try:
        return base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError("the text does not hold valid base64: encode the picture again") from error


def from_path(path: Union[str, os.PathLike[str]]) -> bytes:
    """What an ordinary file holds; a pipe or a device might never end."""
    try:
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise ImageError(
                f"'{shown(path)}' is a pipe or a device, which may never end: open it and hand in the file"
            )
        with Path(path).open("rb") as file:
            return from_file(file)
    except ImageError:
        raise
    except (OSError, ValueError, TypeError) as error:  # ValueError: a null byte; TypeError: a path made of bytes
        reason = getattr(error, "strerror", None) or shown(error)
        raise ImageError(f"cannot open '{shown(path)}': {reason}; give the path of a picture file") from error


def from_file(file: IO[bytes]) -> bytes:
    """What is left to read of a binary file, whatever its ``read`` raises."""
    parts: List[bytes] = []
    left = MAX_BYTES + 1
    try:
        while left > 0 and (part := file.read(left)):  # a pipe gives what has come so far
            if not isinstance(part, bytes):
                raise ImageError(_no_bytes(part))
            parts.append(part)
            left -= len(part)
    except (ImageError, MemoryError):
        raise
    except TypeError as error:
        raise ImageError(
            f"read() of this {type(file).__name__} takes no size: hand in the bytes that its read() gives"
        ) from error
    except ValueError as error:  # a JPEG opened as text is no UTF-8
        closed = "closed" in str(error)
        cure = "hand it in while it is open" if closed else "open it in binary mode"
        raise ImageError(f"cannot read the picture's file ({shown(error)}): {cure}") from error
    except Exception as error:  # a damaged archive, a connection that ended
        raise ImageError(f"reading the picture's file failed ({type(error).__name__}: {shown(error)})") from error
    if left <= 0:
        refuse_bytes()
    if not parts:
        raise ImageError("the picture is empty: 0 bytes" + _already_read(file))
    return b"".join(parts)


def _no_bytes(part: Any) -> str:
    if inspect.isawaitable(part):
        if inspect.iscoroutine(part):
            part.close()
        return "the file's read() is asynchronous: hand in what 'await file.read()' gives"
    return f"the file gave {type(part).__name__}, not bytes: open it in binary mode"


def _already_read(file: Any) -> str:
    try:
        return " from here to its end; it was read before: call seek(0) first" if file.tell() > 0 else ""
    except Exception:  # a pipe cannot say where it is
        return ""


def is_closed(image: Image.Image) -> bool:
    """Whether a Pillow image was closed before its pixels were read."""
    return bool(getattr(image, "tile", None)) and getattr(image, "fp", None) is None


def not_yet_decoded(image: Image.Image) -> Optional[bytes]:
    """The file of a Pillow image that is only opened so far, left where it stood; ``None`` if there is none to read."""
    file: Any = getattr(image, "fp", None)
    if image.format not in _REREAD or not getattr(image, "tile", None) or image.tell() or not hasattr(file, "seek"):
        return None
    if getattr(image, "decoderconfig", ()):  # the program asked for a draft
        return None
    try:
        place = file.tell()
        file.seek(0)
        try:
            return from_file(file)
        finally:
            file.seek(place)
    except (OSError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        return None
