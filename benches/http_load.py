"""Requests a second, and CPU a request, over 32 connections that are kept open."""

import re
import socket
import subprocess
import time
from contextlib import ExitStack

from harness import P2, Row, cpu_seconds

CONNECTIONS = 32
PORT = 8080
ONE_REQUEST_EACH = ["--max-instance-reuse-count=1", "--max-instance-concurrent-reuse-count=1"]
REUSED = ["--max-instance-reuse-count=1000"]
REUSE_ANNOTATION = "wasmpod.dev/http-reuse.web"


def rows(bench):
    tiny, stream = P2 / "http_tiny.wasm", P2 / "http_stream.wasm"
    rate, cpu = compare(bench, tiny, [], {})
    yield Row("HTTP, fresh instance, tiny", "req/s", *rate, 3, 4.5, more_is_better=True, note=cpu_note(cpu))
    rate, cpu = compare(bench, stream, [], {})
    yield Row("HTTP, fresh instance, 128 KiB stream", "req/s", *rate, 2, 3, more_is_better=True, note=cpu_note(cpu))

    reuse = {REUSE_ANNOTATION: "1000"}
    rate, cpu = compare(bench, tiny, REUSED, reuse)
    # What is compared is work done for the CPU spent, so that more is better here too.
    per_cpu = [None if value is None else 1e6 / value for value in cpu]
    yield Row("HTTP, reused instance, tiny", "req per CPU second", *per_cpu, 1.2, 1.5, more_is_better=True,
              note=f"{rate[0]:.0f} against {rate[1] or 0:.0f} req/s")
    rate, cpu = compare(bench, stream, REUSED, reuse)
    yield Row("HTTP, reused instance, 128 KiB stream", "req/s", *rate, 1.8, 2.5, more_is_better=True, note=cpu_note(cpu))

    rate, cpu = compare(bench, P2 / "http_tiny_p3.wasm", ONE_REQUEST_EACH, {})
    yield Row("HTTP, WASI 0.3, fresh instance, tiny", "req/s", *rate, 2.5, 3.5, more_is_better=True, note=cpu_note(cpu))


def cpu_note(cpu):
    ours = "-" if cpu[1] is None else f"{cpu[1]:.0f}"
    return f"CPU a request: {cpu[0]:.0f} µs theirs, {ours} µs ours"


def compare(bench, wasm, their_options, annotations):
    """([their rate, our rate], [their CPU a request in µs, ours]); both servers run throughout."""
    with ExitStack() as stack:
        port = free_port()
        theirs = stack.enter_context(bench.start(bench.wasmtime_serve(wasm, port, *their_options)))
        wait_for_answer(theirs, port)
        servers = {"theirs": (theirs, port)}
        if bench.wasmpod:
            # With a limit, so that the limiter is at work; epochs and the timeout are always on.
            web = {"name": "web", "image": f"file:{wasm}", "ports": [{"containerPort": PORT}],
                   "resources": {"limits": {"memory": "256Mi"}}}
            port = free_port()
            command = bench.wasmpod_run(bench.pod("web", [web], annotations), "--publish", f"{port}:{PORT}")
            ours = stack.enter_context(bench.start(command))
            wait_for_answer(ours, port)
            servers["ours"] = (ours, port)

        cpu = {name: [] for name in servers}

        def load(name):
            server, port = servers[name]
            before = cpu_seconds(server.pid)
            requests, rate = wrk(port, 1 if bench.quick else 3)
            cpu[name].append((cpu_seconds(server.pid) - before) / requests * 1e6)
            return rate

        rates = bench.alternate(5, **{name: (lambda name=name: load(name)) for name in servers})
        costs = {name: sorted(values)[len(values) // 2] for name, values in cpu.items()}
        return ([rates["theirs"], rates.get("ours")], [costs["theirs"], costs.get("ours")])


def wrk(port, seconds):
    """(requests answered, requests a second). Anything but 200 is an error."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"http://127.0.0.1:{port}/"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise RuntimeError(f"wrk met errors:\n{out}")
    return (int(re.search(r"(\d+) requests in", out).group(1)),
            float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_answer(server, port, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as stream:
                stream.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                if b" 200" in stream.recv(64):
                    return
        except OSError:
            pass
        time.sleep(0.02)
    server.errors.seek(0)
    raise RuntimeError(f"{' '.join(server.command)} does not answer: {server.errors.read()[-800:]!r}")
