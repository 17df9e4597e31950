"""The one door to what may crash: a TFLite runtime, and the files it is given."""

from facelive.tflite.format import check_tflite, last_operator
from facelive.tflite.interpreter import TFLiteModel
from facelive.tflite.runtimes import RUNTIMES, runtime_name
from facelive.tflite.trial import try_out

__all__ = ["RUNTIMES", "TFLiteModel", "last_operator", "load_network", "runtime_name"]


def load_network(content: bytes, *, name: str = "model", num_threads: int = 1, known: bool = False) -> TFLiteModel:
    """Load a ``.tflite`` file; one that is not known is walked and then tried in another process first.

    Args:
        content: The bytes of the file.
        name: What errors call it.
        num_threads: Threads inside one call; 1 is fastest at the sizes bundled here.
        known: Whether its hash is the one that its card names: such a file is loaded at once.

    Raises:
        ModelError: The bytes are not a TFLite model that this runtime can run.
        RuntimeUnavailableError: No TFLite runtime works here.
    """
    if not known:
        check_tflite(content, name)
        try_out(content, name)
    return TFLiteModel(content, name=name, num_threads=num_threads, checked=True)
