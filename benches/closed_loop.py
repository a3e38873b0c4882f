"""A load for latencies: a few connections, each with its next request when it has its answer.

One thread without a library: it takes some 20 µs a request, which is little beside what a handler
with a small limit needs.
"""

import os
import selectors
import socket
import threading
import time

REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


class Load:
    def __init__(self, port, connections, cpu=None):
        self.port, self.connections, self.cpu = port, connections, cpu

    def run(self, seconds):
        """The latency of each request that was answered, in seconds."""
        allowed = os.sched_getaffinity(0)
        if self.cpu is not None:
            os.sched_setaffinity(0, {self.cpu})
        try:
            return self._run(seconds)
        finally:
            os.sched_setaffinity(0, allowed)

    def _run(self, seconds):
        latencies = []
        with selectors.DefaultSelector() as selector:
            for _ in range(self.connections):
                stream = socket.create_connection(("127.0.0.1", self.port), 10)
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(stream, selectors.EVENT_READ, [0.0, b""])
                self._ask(selector.get_key(stream))
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                for key, _ in selector.select(1):
                    received = key.fileobj.recv(65536)
                    if not received:
                        raise RuntimeError("the handler has closed a connection")
                    key.data[1] += received
                    if is_whole(key.data[1]):
                        if not key.data[1].startswith(b"HTTP/1.1 200"):
                            raise RuntimeError(f"the handler answers {key.data[1][:80]!r}")
                        latencies.append(time.monotonic() - key.data[0])
                        self._ask(key)
            for key in list(selector.get_map().values()):
                key.fileobj.close()
        if not latencies:
            raise RuntimeError("the handler has answered nothing")
        return latencies

    @staticmethod
    def _ask(key):
        key.data[:] = [time.monotonic(), b""]
        key.fileobj.sendall(REQUEST)


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def is_whole(answer):
    head, separator, body = answer.partition(b"\r\n\r\n")
    if b"chunked" in head.lower():
        return body.endswith(b"0\r\n\r\n")
    return bool(separator) and body.endswith(b"\n")


def discard(stream):
    """Reads what nobody looks at, so that whoever writes it never waits."""
    def read():
        try:
            while stream.read(65536):
                pass
        except ValueError:  # closed meanwhile
            pass
    threading.Thread(target=read, daemon=True).start()
