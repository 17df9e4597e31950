"""facelive tells a live face from a picture of one.

Example:
    >>> from facelive import LivenessDetector
    >>> LivenessDetector().predict("examples/portrait.jpg").verdict.value
    'live'
"""

from facelive.cards import ModelCard
from facelive.detector import LivenessDetector
from facelive.errors import FaceliveError, ImageError, ModelError, RuntimeUnavailableError, SessionClosedError
from facelive.faces import FaceDetector
from facelive.guidance import Guidance
from facelive.models import LivenessModel, bundled_models
from facelive.quality import QualityPolicy
from facelive.results import FaceBox, LivenessResult, Reason, Verdict
from facelive.session_results import SessionDecision, SessionFrame, SessionReason, SessionState, SessionStep
from facelive.sessions import LivenessSession
from facelive.streams import LivenessStream, StreamState
from facelive.voting import LogAverageVoter, log_average

__version__ = "0.2.0"

__all__ = [
    "FaceBox",
    "FaceDetector",
    "FaceliveError",
    "Guidance",
    "ImageError",
    "LivenessDetector",
    "LivenessModel",
    "LivenessResult",
    "LivenessSession",
    "LivenessStream",
    "LogAverageVoter",
    "ModelCard",
    "ModelError",
    "QualityPolicy",
    "Reason",
    "RuntimeUnavailableError",
    "SessionClosedError",
    "SessionDecision",
    "SessionFrame",
    "SessionReason",
    "SessionState",
    "SessionStep",
    "StreamState",
    "Verdict",
    "bundled_models",
    "log_average",
]
