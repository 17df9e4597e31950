"""A task that judges stored photos, with Celery."""

from __future__ import annotations

import functools
import os
from typing import Any

from celery import Celery

from facelive import ImageError, LivenessDetector

app = Celery(
    "liveness",
    broker=os.environ.get("BROKER_URL", "memory://"),
    backend=os.environ.get("RESULT_URL", "cache+memory://"),
    result_expires=600,  # seconds: verdicts on people are kept no longer than needed
)


@functools.cache
def detector() -> LivenessDetector:
    """One per worker process, made after the fork."""
    return LivenessDetector()


@app.task
def liveness(path: str) -> dict[str, Any]:
    """Judge the photo at ``path``; one that cannot be read is not tried again."""
    try:
        return detector().predict(path).to_dict()
    except ImageError as error:
        return {"error": str(error)}
