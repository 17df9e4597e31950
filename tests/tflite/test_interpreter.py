from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from facelive import ModelError
from facelive.tflite import RUNTIMES, TFLiteModel, runtime_name

NETWORKS = Path(__file__).parents[1] / "networks"
PORTRAIT = Path(__file__).parents[2] / "examples" / "portrait.jpg"


def network(name: str = "sigmoid") -> TFLiteModel:
    return TFLiteModel((NETWORKS / f"{name}.tflite").read_bytes(), name=name)


def batch(*means: float) -> npt.NDArray[np.float32]:
    return np.stack([np.full((32, 32, 3), mean, np.float32) for mean in means])


def in_a_fresh_process(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_runtime_is_found() -> None:
    assert runtime_name() in RUNTIMES


def test_batches_of_any_size_follow_each_other() -> None:
    model = network()
    for means in ([0.25], [0.1, 0.2, 0.9], [0.5], [0.0] * 8):
        assert model.run(batch(*means))[0].ravel().tolist() == pytest.approx(means, abs=1e-4)


def test_a_file_converted_for_one_picture_runs_batches_one_by_one() -> None:
    model = network("one_at_a_time")
    assert model.run(batch(0.1, 0.2, 0.9))[0].ravel().tolist() == pytest.approx([0.1, 0.2, 0.9], abs=1e-4)


def test_results_are_not_overwritten_by_the_next_run() -> None:
    model = network()
    first = model.run(batch(0.25))[0]
    model.run(batch(0.75))
    assert first.item() == pytest.approx(0.25, abs=1e-4)


def test_threads_share_a_model_and_never_an_answer() -> None:
    model, wrong, errors = network(), [], []

    def work(seed: int) -> None:
        try:
            for mean in np.random.default_rng(seed).random(100).astype(np.float32):
                answer = model.run(batch(mean))[0].item()
                if abs(answer - mean) > 1e-4:
                    wrong.append((mean, answer))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, errors) == ([], [])


def test_a_closed_model_says_so() -> None:
    model = network()
    model.close()
    with pytest.raises(ModelError, match="closed"):
        model.run(batch(0.5))


def test_a_batch_of_the_wrong_shape_is_refused_and_the_model_lives_on() -> None:
    model = network()
    with pytest.raises(ModelError, match="cannot run a batch"):
        model.run(np.zeros((1, 32, 32), np.float32))
    assert model.run(batch(0.5))[0].item() == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"not a model at all", b"\x89PNG\r\n\x1a\n" * 9])
def test_other_bytes_are_no_tflite_file(content: bytes) -> None:
    with pytest.raises(ModelError, match="not a TFLite file"):
        TFLiteModel(content)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.99])
def test_a_file_cut_short_is_refused(share: float) -> None:
    content = (NETWORKS / "sigmoid.tflite").read_bytes()
    with pytest.raises(ModelError, match="cut short or damaged"):
        TFLiteModel(content[: int(len(content) * share)])


def test_without_a_runtime_the_error_names_each_one_and_the_pip_line() -> None:
    blocked = (
        "import sys; [sys.modules.__setitem__(n, None) for n in ('ai_edge_litert', 'tflite_runtime', 'tensorflow')]; "
    )
    done = in_a_fresh_process(blocked + "import facelive.tflite as r; r.runtime_name()")
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("facelive.errors.RuntimeUnavailableError: no TFLite runtime works here")
    for name in RUNTIMES:
        assert f"{name}: ModuleNotFoundError" in last
    assert "run: pip install ai-edge-litert" in last


def test_an_unknown_choice_of_runtime_lists_the_known() -> None:
    done = in_a_fresh_process("import facelive.tflite as r; r.runtime_name()", FACELIVE_RUNTIME="onnx")
    assert "FACELIVE_RUNTIME is 'onnx'; set it to one of ai_edge_litert" in done.stderr


def test_a_chosen_runtime_is_the_one_used() -> None:
    name = runtime_name()
    done = in_a_fresh_process("import facelive.tflite as r; print(r.runtime_name())", FACELIVE_RUNTIME=name)
    assert done.stdout.strip() == name


def test_a_runtime_that_imports_but_cannot_build_is_passed_over() -> None:
    broken = (
        "import sys, types; m = types.ModuleType('ai_edge_litert.interpreter')\n"
        "class Interpreter:\n"
        "    def __init__(self, **options): raise SystemError('built for another NumPy')\n"
        "m.Interpreter = Interpreter; sys.modules['ai_edge_litert.interpreter'] = m\n"
        "sys.modules['ai_edge_litert'] = types.ModuleType('ai_edge_litert')\n"
        "sys.modules['tflite_runtime'] = None; sys.modules['tensorflow'] = None\n"
        "import facelive.tflite as r; r.runtime_name()"
    )
    assert "ai_edge_litert: SystemError: built for another NumPy" in in_a_fresh_process(broken).stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_builds_its_own_interpreter() -> None:
    code = (
        "import os, sys, numpy as np, pathlib, facelive.tflite as r\n"
        f"m = r.TFLiteModel(pathlib.Path({str(NETWORKS / 'sigmoid.tflite')!r}).read_bytes(), num_threads=2)\n"
        "x = np.full((1, 32, 32, 3), 0.25, np.float32); m.run(x)\n"
        "child = os.fork()\n"
        "answer = m.run(x)[0].item()\n"
        "if child == 0: os._exit(0 if abs(answer - 0.25) < 1e-4 else 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    assert in_a_fresh_process(code).returncode == 0


def test_the_greeting_of_a_runtime_is_dropped_and_nothing_else() -> None:
    code = (
        "import os, facelive.tflite.runtimes as r\n"
        "with r._without_greeting(): os.write(2, b'INFO: created\\nERROR: broken\\n')\n"
        "from facelive import LivenessDetector; LivenessDetector(); os.write(2, b'after\\n')"
    )
    assert in_a_fresh_process(code).stderr.splitlines()[:2] == ["ERROR: broken", "after"]


def test_tensorflow_is_used_where_nothing_else_is() -> None:
    """Where a module ``tensorflow.lite`` is imported by its name, it has no interpreter."""
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("TensorFlow is not installed: it was not tried as the only runtime")
    code = (
        "import sys; sys.modules['ai_edge_litert'] = sys.modules['tflite_runtime'] = None\n"
        "from facelive import LivenessDetector; from facelive.tflite import runtime_name\n"
        f"print(runtime_name(), LivenessDetector().predict({str(PORTRAIT)!r}).verdict)"
    )
    assert in_a_fresh_process(code).stdout.split() == ["tensorflow", "live"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory a process has asked for")
def test_two_hundred_and_fifty_megabytes_are_enough_to_load_and_judge() -> None:
    code = (
        "import resource; from pathlib import Path; from facelive import LivenessDetector\n"
        "used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 250 * 2**20,) * 2)\n"
        f"print(LivenessDetector().predict({str(PORTRAIT)!r}).verdict)"
    )
    done = in_a_fresh_process(code)
    if runtime_name() == "tensorflow":
        pytest.skip("TensorFlow alone takes more than that")
    assert done.stdout.strip() == "live", done.stderr
