"""One photo in, one verdict out, with Flask."""

from __future__ import annotations

from typing import Any

from flask import Flask, request

from facelive import ImageError, LivenessDetector

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 8 * 2**20  # refused before it is read
detector = LivenessDetector()  # one per process, shared by its threads


@app.post("/liveness")
def liveness() -> dict[str, Any]:
    """Judge the file field ``picture``."""
    picture = request.files.get("picture")
    if picture is None:
        raise ImageError("send the picture as a file in the field 'picture'")
    return detector.predict(picture.stream).to_dict()


@app.errorhandler(ImageError)
def not_a_picture(error: ImageError) -> tuple[dict[str, str], int]:
    return {"error": str(error)}, 400
