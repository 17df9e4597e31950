"""One photo in, one verdict out, with Django, in one file."""

from __future__ import annotations

import functools
import sys

import django
from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

from facelive import ImageError, LivenessDetector

# In a project of yours these lines are already in settings.py.
settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["localhost", "127.0.0.1", "testserver"],
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
    # In memory only: no face touches the disk.
    FILE_UPLOAD_HANDLERS=["django.core.files.uploadhandler.MemoryFileUploadHandler"],
    FILE_UPLOAD_MAX_MEMORY_SIZE=8 * 2**20,
    SECRET_KEY="replace me",
)
django.setup()


@functools.cache
def detector() -> LivenessDetector:
    """One per process, made at the first request: workers are forked before that."""
    return LivenessDetector()


@require_POST
def liveness(request: HttpRequest) -> JsonResponse:
    """Judge the file field ``picture``."""
    picture = request.FILES.get("picture")
    if picture is None:
        return JsonResponse({"error": "send a 'picture' of at most 8 MiB"}, status=400)
    try:
        return JsonResponse(detector().predict(picture).to_dict())
    except ImageError as error:
        return JsonResponse({"error": str(error)}, status=400)


urlpatterns = [path("liveness", liveness)]
application = get_wsgi_application()

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
