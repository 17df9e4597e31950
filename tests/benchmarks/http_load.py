"""What the HTTP layer costs: ``python -m tests.benchmarks.http_load``.

Uploads and bare calls of ``predict`` alternate, so that both meet the same load of the machine.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import secrets
import shutil
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.examples.flask_app import scene
from tests.examples.flask_app.browser import Browsers
from tests.examples.flask_app.serving import free_port, serving_process

from facelive import LivenessDetector

WARM_UP = 100


class Client:
    """A client on one kept connection, with a session of its own."""

    def __init__(self, port: int, picture: bytes) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._session = ""
        self._picture = picture
        self._sent = 0

    def upload(self) -> float:
        """Send the picture once; return how long that took, in ms."""
        boundary = secrets.token_hex(16)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="picture"; filename="f.jpg"\r\n\r\n'
        self._sent += 1  # behind the picture's end: the same bytes twice would be refused
        tail = f"{id(self)} {self._sent}\r\n--{boundary}--\r\n"
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Cookie": f"facelive_session={self._session}",
        }
        start = time.perf_counter()
        self._connection.request("POST", "/upload", head.encode() + self._picture + tail.encode(), headers)
        response = self._connection.getresponse()
        answer = json.loads(response.read())
        took_ms = (time.perf_counter() - start) * 1000
        assert response.status == 200, answer
        self._session = answer["session"]
        return took_ms


def resident_mib(pid: int) -> float:
    """The memory a process holds, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the system does not tell a process's memory")


def described(times_ms: list[float]) -> str:
    """Median and 99th percentile."""
    return f"p50 {statistics.median(times_ms):.2f} ms, p99 {statistics.quantiles(times_ms, n=100)[98]:.2f} ms"


def cpu_s(pid: int) -> float:
    """The processor time that a process has used: what a busy machine does not stretch as it does a wall clock."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def latency(port: int, server: int, picture: bytes, rounds: int) -> None:
    """Time one client's uploads next to bare predictions."""
    detector, client = LivenessDetector(), Client(port, picture)
    uploads, predictions, predicting_s = [], [], 0.0
    detector.predict(picture)
    before_s = cpu_s(server)
    for _ in range(rounds):
        uploads.append(client.upload())
        start, start_cpu = time.perf_counter(), time.process_time()
        detector.predict(picture)
        predictions.append((time.perf_counter() - start) * 1000)
        predicting_s += time.process_time() - start_cpu
    serving_ms, predicting_ms = (cpu_s(server) - before_s) / rounds * 1000, predicting_s / rounds * 1000
    print(f"upload   {described(uploads)}")
    print(f"predict  {described(predictions)}")
    added = statistics.median(uploads) - statistics.median(predictions)
    print(f"the HTTP layer adds {added:.2f} ms at p50")
    print(f"processor time: {serving_ms:.2f} ms an upload in the server, {predicting_ms:.2f} ms a bare predict")


def throughput(port: int, picture: bytes, clients: int, requests: int) -> None:
    """Several clients at once."""

    def work(client: Client) -> list[float]:
        return [client.upload() for _ in range(requests // clients)]

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        times = [took for one in threads.map(work, [Client(port, picture) for _ in range(clients)]) for took in one]
    rate = len(times) / (time.perf_counter() - start)
    print(f"{clients} clients at once: {rate:.0f} requests/s, {described(times)}")


def first_verdict(port: int) -> None:
    """From pressing 'Verify' to the verdict, in a real browser with a film before its camera."""
    if not (shutil.which("chromium") or shutil.which("google-chrome")):
        print("no Chromium here: the time to the first verdict was not measured")
        return
    browsers = Browsers()
    with tempfile.TemporaryDirectory() as folder:
        browser = browsers.start(film=scene.mjpeg(scene.live(), Path(folder) / "live.mjpeg"))
        times = []
        for _ in range(5):
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}/")
            start = time.perf_counter()
            page.click("#verify")
            page.wait_for_selector("body[data-state=live]", timeout=60_000)
            times.append(time.perf_counter() - start)
            page.close()
        browsers.close()
    print(f"first verdict on the page: {statistics.median(times):.2f} s after 'Verify' (median of {len(times)})")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="What the HTTP layer costs.")
    parser.add_argument("--rounds", type=int, default=500, help="uploads that are timed one by one")
    parser.add_argument("--requests", type=int, default=10_000, help="requests after which memory is read")
    options = parser.parse_args()
    picture, port = scene.jpeg(scene.live()), free_port()
    machine = f"CPython {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}; a 640x480 JPEG of {len(picture)} bytes")
    with serving_process(port, {"FACELIVE_REMEMBERED_FRAMES": "100000"}) as server:
        client = Client(port, picture)
        for _ in range(WARM_UP):
            client.upload()
        before = resident_mib(server.pid)
        latency(port, server.pid, picture, options.rounds)
        for clients in (2, 8):
            throughput(port, picture, clients, max(clients, options.requests // 4))
        for _ in range(max(0, options.requests - WARM_UP - options.rounds - options.requests // 2)):
            client.upload()
        after = resident_mib(server.pid)
        print(f"memory {before:.0f} MiB after {WARM_UP} requests, {after:.0f} MiB after {options.requests}")
        first_verdict(port)


if __name__ == "__main__":
    main()
