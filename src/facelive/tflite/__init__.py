"""The one door to what may crash: a TFLite runtime, and the files it is given."""

from facelive.tflite.format import check_tflite, last_operator
from facelive.tflite.interpreter import TFLiteModel
from facelive.tflite.runtimes import RUNTIMES, runtime_name
from facelive.tflite.trial import try_out

__all__ = ["RUNTIMES", "TFLiteModel", "last_operator", "load_network", "runtime_name"]


def load_network(content: bytes, *, name: str = "model", num_threads: int = 1, known: bool = False) -> TFLiteModel:
    """Load a file as ``TFLiteModel`` does; one that is not ``known`` is walked and tried in another process first.

    A file is known when its hash is the one that its card names.
    """
    if not known:
        check_tflite(content, name)
        try_out(content, name)
    return TFLiteModel(content, name=name, num_threads=num_threads, checked=True)
