"""From a trained network to the float16 file that the app loads; the normalisations are folded into the layers."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from examples.flask_app.digits.alignment import NONE
from examples.flask_app.digits.recogniser import FRAMES
from examples.flask_app.digits.sound import BANDS
from examples.training.voice.network import STEP, Layer, Network

__all__ = ["card", "tflite"]


def tflite(network: Network) -> bytes:
    """The file: float32 (N, 800, 40) in, logits float32 (N, 200, 11) out."""
    import keras
    import tensorflow as tf
    from keras import layers

    sound = keras.Input((FRAMES, BANDS), name="log_mel")
    x = layers.Reshape((FRAMES, 1, BANDS))(sound)
    for layer in network.layers:
        edge = layer.dilation * (layer.size // 2)
        y = layers.ZeroPadding2D(((edge, edge), (0, 0)))(x)
        y = _convolution(y, layer.size, layer.stride, layer.dilation, *_folded(layer))
        x = layers.Add()([x, layers.ReLU()(y)]) if layer.skip else layers.ReLU()(y)
    ends = network.answers
    x = _convolution(x, 1, 1, 1, ends.weight, ends.bias)
    model = keras.Model(sound, layers.Reshape((FRAMES // STEP, NONE + 1), name="digits")(x))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def card(content: bytes, figures: dict[str, Any]) -> dict[str, Any]:
    """What the file is, how it is used, and what it was measured to do."""
    return {
        "name": "digits",
        "description": "English digits in 16 kHz sound: for every 40 ms ten digits or none.",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "least_lead": figures["least_lead"],
        "input": "log-mel frames as examples.flask_app.digits.sound.log_mel gives them, float32 (N, 800, 40)",
        "output": "logits, float32 (N, 200, 11): the digits 0 to 9, and none",
        "licence": "CC-BY-SA-4.0",
        "training": {
            "recordings": "1,200 of the Free Spoken Digit Dataset (CC BY-SA 4.0, "
            "github.com/Jakobovski/free-spoken-digit-dataset): ten digits, six speakers, twenty each, 8 kHz",
            "how": "phrases put together from one speaker's digits; speed, loudness, rooms, microphones and noise "
            "added; hum, garbled speech and made-up vowels as none",
        },
        "measured": {"when": "on each speaker by networks that had not learnt from them; the file learnt from all six"}
        | {name: figures["all"][name] for name in figures["all"]},
        "limits": [
            "Six speakers are too few to say how it does on others.",
            "English only; children, other accents and real microphones at a distance were not measured.",
            "Other words than digits were never learnt from: garbled digits and made-up vowels stood for them.",
            "It tells which digits, not whose voice; a voice synthesised on the spot says them as well.",
        ],
    }


def _convolution(x: Any, size: int, stride: int, dilation: int, weight: torch.Tensor, bias: torch.Tensor) -> Any:
    from keras import layers

    channels = len(bias)
    layer = layers.Conv2D(channels, (size, 1), (stride, 1), dilation_rate=(dilation, 1))
    y = layer(x)
    kernel = weight.detach().numpy().reshape(channels, size, 1, -1).transpose(1, 2, 3, 0)
    layer.set_weights([kernel, bias.detach().numpy()])
    return y


def _folded(layer: Layer) -> tuple[torch.Tensor, torch.Tensor]:
    """The product that does what product and normalisation do."""
    norm = layer.norm
    assert norm.running_var is not None and norm.running_mean is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return layer.linear.weight * scale[:, None], norm.bias - norm.running_mean * scale
