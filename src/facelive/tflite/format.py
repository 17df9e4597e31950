"""Walks a ``.tflite`` file before a runtime does: tflite-runtime crashes the process on a broken one.

The layout is FlatBuffers with the TFLite schema (tensorflow/lite/schema/schema.fbs). Only what a runtime follows
blindly is checked: that every offset stays inside the file, that tensors, buffers and operator codes that are referred
to exist, and that no part is referred to so often that reading it takes longer than the file is long. It is no proof
that a hostile file is harmless; load models from people you trust.
"""

from __future__ import annotations

import math
import struct
from typing import Iterator, Optional

from facelive.errors import ModelError

__all__ = ["check_tflite", "last_operator"]

# Field numbers of the tables of interest, as the schema orders them.
_MODEL_CODES, _MODEL_SUBGRAPHS, _MODEL_BUFFERS, _MODEL_METADATA, _MODEL_SIGNATURES = 1, 2, 4, 6, 7
_CODE_SHORT, _CODE_CUSTOM, _CODE_BUILTIN = 0, 1, 3
_GRAPH_TENSORS, _GRAPH_INPUTS, _GRAPH_OUTPUTS, _GRAPH_OPERATORS = 0, 1, 2, 3
_TENSOR_SHAPE, _TENSOR_BUFFER, _TENSOR_NAME, _TENSOR_QUANTIZATION, _TENSOR_SIGNATURE = 0, 2, 3, 4, 7
_METADATA_NAME, _METADATA_BUFFER = 0, 1
_SIGNATURE_INPUTS, _SIGNATURE_OUTPUTS, _SIGNATURE_KEY, _SIGNATURE_GRAPH = 0, 1, 2, 4
_MAP_NAME, _MAP_TENSOR = 0, 1
_QUANTIZATION_MIN, _QUANTIZATION_MAX, _QUANTIZATION_SCALE, _QUANTIZATION_ZERO = 0, 1, 2, 3
_OPERATOR_CODE, _OPERATOR_INPUTS, _OPERATOR_OUTPUTS, _OPERATOR_OPTIONS, _OPERATOR_CUSTOM = 0, 1, 2, 4, 5
_BUFFER_DATA = 0

# Numbers of operators, as the schema counts them.
_ENDINGS = {14: "sigmoid", 25: "softmax"}
# Concatenation, dequantize, reshape, squeeze, strided_slice, cast, slice, expand_dims, pack, quantize.
_SAME_VALUES = {2, 6, 22, 43, 45, 53, 65, 70, 83, 114}
_SUB = 41

_MOST_ELEMENTS = 1 << 28  # of all tensors of a graph: a gibibyte; the largest model that comes along has 6 million


def check_tflite(content: bytes, name: str = "model") -> None:
    """Check that a file is a complete TFLite model; else a ``ModelError`` names it and says what is wrong."""
    if content[4:8] != b"TFL3":
        raise ModelError(f"{name} is not a TFLite file: hand in the .tflite that the converter wrote")
    try:
        _check_model(_Table(content, _offset(content, 0), _Budget(len(content))))
    except (struct.error, IndexError) as error:
        raise ModelError(f"{name} cannot be loaded: the file is cut short or damaged ({error})") from error


def last_operator(content: bytes) -> Optional[str]:
    """``"sigmoid"`` or ``"softmax"`` if a file ends in one, else ``None``.

    Steps that only reshape, convert, pick or put side by side are passed over, and so is ``1 - p``.
    """
    try:
        model = _Table(content, _offset(content, 0), _Budget(len(content)))
        codes = [max(code.int8(_CODE_SHORT), code.uint32(_CODE_BUILTIN)) for code in model.tables(_MODEL_CODES)]
        graph = next(model.tables(_MODEL_SUBGRAPHS))
        operators = list(graph.tables(_GRAPH_OPERATORS))
        made = {tensor for operator in operators for tensor in operator.integers(_OPERATOR_OUTPUTS)}
        wanted = graph.integers(_GRAPH_OUTPUTS)[0]
        for operator in reversed(operators):
            if wanted in operator.integers(_OPERATOR_OUTPUTS):
                code, inputs = codes[operator.uint32(_OPERATOR_CODE)], operator.integers(_OPERATOR_INPUTS)
                from_constant = code == _SUB and inputs[0] not in made
                if code not in _SAME_VALUES and not from_constant:
                    return _ENDINGS.get(code)
                wanted = inputs[int(from_constant)]
    except (ModelError, struct.error, IndexError, StopIteration):
        pass  # whoever loads the file says what is wrong with it
    return None


def _check_model(model: _Table) -> None:
    codes = sum(1 for code in model.tables(_MODEL_CODES) if code.vector(_CODE_CUSTOM, 1))
    buffers = sum(1 for buffer in model.tables(_MODEL_BUFFERS) if buffer.vector(_BUFFER_DATA, 1))
    graphs = list(model.tables(_MODEL_SUBGRAPHS))
    if not graphs:
        raise IndexError("no graph")
    for note in model.tables(_MODEL_METADATA):
        note.vector(_METADATA_NAME, 1)
        _below(note.uint32(_METADATA_BUFFER), buffers, "buffer")
    sizes = [_check_graph(graph, codes, buffers) for graph in graphs]
    for signature in model.tables(_MODEL_SIGNATURES):
        signature.vector(_SIGNATURE_KEY, 1)
        graph = signature.uint32(_SIGNATURE_GRAPH)
        _below(graph, len(graphs), "graph")
        for field in (_SIGNATURE_INPUTS, _SIGNATURE_OUTPUTS):
            for named in signature.tables(field):
                named.vector(_MAP_NAME, 1)
                _below(named.uint32(_MAP_TENSOR), sizes[graph], "tensor")


def _check_graph(graph: _Table, codes: int, buffers: int) -> int:
    """Check one graph; return how many tensors it has."""
    tensors = elements = 0
    for tensor in graph.tables(_GRAPH_TENSORS):
        tensors += 1
        elements += _elements(tensor)
        if elements > _MOST_ELEMENTS:
            raise IndexError("its tensors would fill the memory")
        tensor.vector(_TENSOR_NAME, 1)
        tensor.vector(_TENSOR_SIGNATURE, 4)
        _check_quantization(tensor.table(_TENSOR_QUANTIZATION))
        _below(tensor.uint32(_TENSOR_BUFFER), buffers, "buffer")
    _check_indices(graph, _GRAPH_INPUTS, 0, tensors)
    _check_indices(graph, _GRAPH_OUTPUTS, 0, tensors)
    for operator in graph.tables(_GRAPH_OPERATORS):
        _below(operator.uint32(_OPERATOR_CODE), codes, "operator code")
        # Only operators that keep a state lack inputs or outputs; of any other the runtime would reach out of bounds.
        if not _check_indices(operator, _OPERATOR_INPUTS, -1, tensors):  # -1: an optional input left out
            raise IndexError("an operator without input")
        if not _check_indices(operator, _OPERATOR_OUTPUTS, 0, tensors):
            raise IndexError("an operator without output")
        operator.table(_OPERATOR_OPTIONS)
        operator.vector(_OPERATOR_CUSTOM, 1)
    return tensors


def _elements(tensor: _Table) -> int:
    return math.prod(max(1, size) for size in tensor.integers(_TENSOR_SHAPE))


def _check_quantization(quantization: Optional[_Table]) -> None:
    if quantization is not None:
        quantization.vector(_QUANTIZATION_MIN, 4)
        quantization.vector(_QUANTIZATION_MAX, 4)
        scales = quantization.vector(_QUANTIZATION_SCALE, 4)[1]
        zeros = quantization.vector(_QUANTIZATION_ZERO, 8)[1]
        if scales != zeros:
            raise IndexError(f"{scales} scales for {zeros} zero points")


def _check_indices(table: _Table, field: int, lowest: int, count: int) -> int:
    """Check a list of tensors; return how many it names."""
    indices = table.integers(field)
    for index in indices:
        if index < lowest:
            raise IndexError(f"tensor {index}")
        _below(index, count, "tensor")
    return len(indices)


def _below(index: int, count: int, what: str) -> None:
    if index >= count:
        raise IndexError(f"{what} {index} of {count}")


def _offset(content: bytes, position: int) -> int:
    """Follow the unsigned offset at a position; both ends must lie in the file."""
    target = position + int(struct.unpack_from("<I", content, position)[0])
    if target >= len(content):
        raise IndexError(f"offset to byte {target} of {len(content)}")
    return target


class _Budget:
    """Tables and indices left to read: a file whose tables share their parts could hold millions in a few kilobytes."""

    def __init__(self, left: int) -> None:
        self._left = left  # each takes at least four bytes in an honest file

    def spend(self, items: int) -> None:
        self._left -= items
        if self._left < 0:
            raise IndexError("its parts are shared")


class _Table:
    """A FlatBuffers table: a signed step back to its vtable, which lists where each field lies."""

    def __init__(self, content: bytes, position: int, budget: _Budget) -> None:
        budget.spend(1)
        self.content = content
        self.budget = budget
        self._position = position
        self._vtable = position - int(struct.unpack_from("<i", content, position)[0])
        if self._vtable < 0:
            raise IndexError(f"vtable at byte {self._vtable}")
        self._vtable_size, size = struct.unpack_from("<HH", content, self._vtable)
        if self._vtable + self._vtable_size > len(content) or position + size > len(content):
            raise IndexError(f"table at byte {position} of {len(content)}")
        fields = struct.unpack_from(f"<{max(0, self._vtable_size - 4) // 2}H", content, self._vtable + 4)
        if any(field and not 4 <= field < size for field in fields):
            raise IndexError(f"a field outside the table at byte {position}")

    def _field(self, number: int) -> Optional[int]:
        entry = 4 + 2 * number
        if entry + 2 > self._vtable_size:
            return None
        offset = int(struct.unpack_from("<H", self.content, self._vtable + entry)[0])
        return self._position + offset if offset else None

    def uint32(self, number: int) -> int:
        position = self._field(number)
        return 0 if position is None else int(struct.unpack_from("<I", self.content, position)[0])

    def vector(self, number: int, item_size: int) -> tuple[int, int]:
        """Start and length of a vector, ``(0, 0)`` when the field is absent."""
        position = self._field(number)
        if position is None:
            return 0, 0
        start = _offset(self.content, position)
        length = int(struct.unpack_from("<I", self.content, start)[0])
        if start + 4 + length * item_size > len(self.content):
            raise IndexError(f"{length} items from byte {start} of {len(self.content)}")
        return start + 4, length

    def int8(self, number: int) -> int:
        position = self._field(number)
        return 0 if position is None else int(struct.unpack_from("<b", self.content, position)[0])

    def integers(self, number: int) -> tuple[int, ...]:
        start, length = self.vector(number, 4)
        self.budget.spend(length)
        return struct.unpack_from(f"<{length}i", self.content, start)

    def table(self, number: int) -> Optional[_Table]:
        position = self._field(number)
        return None if position is None else _Table(self.content, _offset(self.content, position), self.budget)

    def tables(self, number: int) -> Iterator[_Table]:
        start, length = self.vector(number, 4)
        for position in range(start, start + 4 * length, 4):
            yield _Table(self.content, _offset(self.content, position), self.budget)
