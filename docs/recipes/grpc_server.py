"""A camera over gRPC: frames in, verdicts out, on one bidirectional call.

A request is the bytes of a JPEG, a response is JSON. With a ``.proto`` of yours,
generated classes take the place of the two serializers.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, Iterator

import grpc

from facelive import ImageError, LivenessDetector

METHOD = "/facelive.Liveness/Watch"
MAX_BYTES = 4 * 2**20

detector = LivenessDetector()
Answers = Iterator[Dict[str, Any]]


def watch(frames: Iterator[bytes], context: grpc.ServicerContext) -> Answers:
    """One call is one client, so it has one stream."""
    stream = detector.stream(max_age_ms=20_000)
    for frame in frames:
        try:
            yield stream.update(frame).to_dict()
        except ImageError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))


def make_server(workers: int = 8) -> grpc.Server:
    """A server without a port; each call in progress holds one of the ``workers``."""
    handler = grpc.stream_stream_rpc_method_handler(
        watch,
        request_deserializer=bytes,
        response_serializer=lambda answer: json.dumps(answer).encode(),
    )
    service, _, method = METHOD[1:].partition("/")
    handlers = grpc.method_handlers_generic_handler(service, {method: handler})
    limits = [("grpc.max_receive_message_length", MAX_BYTES)]
    server = grpc.server(ThreadPoolExecutor(workers), options=limits)
    server.add_generic_rpc_handlers((handlers,))
    return server


if __name__ == "__main__":
    server = make_server()
    server.add_insecure_port("127.0.0.1:50051")  # beyond this machine: add_secure_port
    server.start()
    server.wait_for_termination()
