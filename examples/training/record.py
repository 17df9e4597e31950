"""The measured figures as the documentation reads them: a JSON file per model, and its curves over the threshold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["by_luminance", "curve", "record", "rounded"]

AT = np.linspace(0.02, 0.98, 49)


def curve(labels: npt.NDArray[np.float64], kinds: npt.NDArray[Any], scores: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Both errors over the threshold.

    Args:
        labels: (N,): 1 live, 0 attack.
        kinds: (N,): species.
        scores: (N,): P(live).

    Returns:
        ``at`` (thresholds), ``apcer`` of the worst species and ``bpcer`` there.

    Example:
        >>> found = curve(np.array([1.0, 0.0]), np.array(["bona_fide", "print"]), np.array([0.9, 0.1]))
        >>> max(found["apcer"]), max(found["bpcer"])
        (1.0, 1.0)
    """
    species = [scores[(labels == 0) & (kinds == kind)] for kind in np.unique(kinds[labels == 0])]
    live = scores[labels == 1]
    return {
        "at": AT.round(2).tolist(),
        "apcer": [max(float(np.mean(values >= at)) for values in species) for at in AT],
        "bpcer": [float(np.mean(live < at)) for at in AT],
    }


def by_luminance(
    labels: npt.NDArray[np.float64], crops: npt.NDArray[np.uint8], scores: npt.NDArray[np.float64]
) -> list[dict[str, float]]:
    """BPCER at 0.5 by the brightness of the face's middle, darkest tenth first.

    Args:
        labels: (N,): 1 live, 0 attack.
        crops: uint8, (N, 128, 128, 3), RGB: the near view.
        scores: (N,): P(live).
    """
    live = np.flatnonzero(labels == 1)
    middle = crops[live][:, 40:88, 40:88].astype(np.float32) @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    luminance = middle.mean((1, 2))
    tenths = [one for one in np.array_split(np.argsort(luminance, kind="stable"), 10) if len(one)]
    return [
        {
            "luminance_to": float(luminance[one].max()),
            "live": len(one),
            "bpcer": float(np.mean(scores[live[one]] < 0.5)),
        }
        for one in tenths
    ]


def record(folder: Path, name: str, found: dict[str, Any]) -> Path:
    """Add figures to those of a model, ``folder/NAME.json``; the same keys are replaced.

    Args:
        folder: Made when missing.
        name: Of the model.
        found: By the name of the measurement.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known["measured"] = {**known.get("measured", {}), **rounded(found)}
    path.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def rounded(value: Any, digits: int = 4) -> Any:
    """The same nest of dictionaries and lists with its floats rounded."""
    if isinstance(value, dict):
        return {key: rounded(one, digits) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(one, digits) for one in value]
    return round(float(value), digits) if isinstance(value, float) else value
