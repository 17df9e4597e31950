"""A task that judges stored photos, with Celery: ``celery -A docs.recipes.celery_app worker``."""

from __future__ import annotations

import functools
import os
from typing import Any

from celery import Celery

from facelive import ImageError, LivenessDetector

app = Celery("liveness", broker=os.environ.get("BROKER_URL", "memory://"), backend="cache+memory://")
app.conf.task_ignore_result = False
app.conf.result_expires = 600  # a verdict about a person is not kept for longer than it is needed


@functools.cache
def detector() -> LivenessDetector:
    """One per worker process, made after the fork."""
    return LivenessDetector()


@app.task
def liveness(path: str) -> dict[str, Any]:
    """Judge the photo at ``path``; a photo that cannot be read is an answer, because another try would not help."""
    try:
        return detector().predict(path).to_dict()
    except ImageError as error:
        return {"error": str(error)}
