#!/usr/bin/env python3
"""Measures what a hostile Pod costs the Pod beside it.

    neighbour.py [--seconds N] [--quick] [GUESTS ...]

A handler with a small CPU request answers a request each 5 ms, alone and then beside each of the hostile
GUESTS (all of them unless said), which request nothing and start again for ever. The median latency
beside one must not be more than twice the quiet one, both taken in turns. Nor must the hostile Pod's process
hold more than 16 MiB of memory for each container beyond the container's limit. The exit status is 1 if one of
them is missed, or if a request fails. wasmpod comes from $WASMPOD or from PATH.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import closed_loop
import harness
from harness import P1, P2
from http_load import free_port, wait_for_answer
from run import describe, program

MUST = 2.0
# What hostile containers may hold, their own memory and what the host has for them, and what may come on top.
LIMIT_MIB = 16
MUST_ABOVE, AIM_ABOVE = 16.0, 4.0
PORT = 8080
BETWEEN_REQUESTS = 0.005

# Grows its table until it is denied, for ever.
TABLES = """
(module
  (table 1 funcref)
  (memory (export "memory") 1)
  (func (export "_start")
    (loop $for_ever
      (drop (table.grow 0 (ref.null func) (i32.const 65536)))
      (br $for_ever))))
"""

# What each hostile Pod runs: a guest and its words, once for each core.
HOSTILE = {
    "cpu": (P1 / "toolbox.wasm", ["spin"]),
    "memory": (P1 / "toolbox.wasm", ["allocate-and-free", "1000000"]),
    "stack": (P1 / "toolbox.wasm", ["recurse"]),
    "tables": (TABLES, []),
    "log": (P1 / "toolbox.wasm", ["flood", "1000000000"]),
    "line": (P1 / "toolbox.wasm", ["endless-line"]),
    "files": (P2 / "hoarder.wasm", ["files"]),
    "sockets": (P2 / "hoarder.wasm", ["sockets"]),
    "pipes": (P2 / "hoarder.wasm", ["pipes"]),
    "datagrams": (P2 / "hoarder.wasm", ["datagrams"]),
    "pollables": (P2 / "hoarder.wasm", ["pollables"]),
}


class Neighbour:
    """The handler, and a connection that asks it at an even pace."""

    def __init__(self, bench, stack):
        self.port = free_port()
        container = {"name": "main", "image": f"file:{P2 / 'http_tiny.wasm'}",
                     "ports": [{"containerPort": PORT}],
                     "resources": {"requests": {"cpu": "250m", "memory": "32Mi"}}}
        file = bench.pod("neighbour", [container])
        server = stack.enter_context(bench.start(bench.wasmpod_run(file, "--publish", f"{self.port}:{PORT}")))
        closed_loop.discard(server.process.stdout)
        wait_for_answer(server, self.port)

    def latencies(self, seconds):
        found = []
        with socket.create_connection(("127.0.0.1", self.port), 10) as stream:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                asked = time.monotonic()
                stream.sendall(closed_loop.REQUEST)
                answer = b""
                while not closed_loop.is_whole(answer):
                    received = stream.recv(65536)
                    if not received:
                        raise RuntimeError("the neighbour has closed a connection")
                    answer += received
                if not answer.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(f"the neighbour answers {answer[:80]!r}")
                answered = time.monotonic()
                found.append(answered - asked)
                time.sleep(max(0.0, asked + BETWEEN_REQUESTS - answered))
        return found


def hostile(bench, stack, name):
    image, words = HOSTILE[name]
    if isinstance(image, str):
        text, image = image, bench.folder / f"{name}.wat"
        image.write_text(text)
    containers = [{"name": f"hostile-{core}", "image": f"file:{image}", "args": words,
                   "resources": {"limits": {"memory": f"{LIMIT_MIB}Mi"}}} for core in range(cores())]
    file = bench.pod(f"hostile-{name}", containers, restartPolicy="Always")
    running = stack.enter_context(bench.start(bench.wasmpod_run(file)))
    closed_loop.discard(running.process.stdout)
    return running


def cores():
    return len(os.sched_getaffinity(0))


def above_limit(pid):
    """MiB that a process holds for each container beyond the container's limit: its own needs are in it."""
    status = Path(f"/proc/{pid}/status").read_text()
    kib = sum(int(line.split()[1]) for line in status.splitlines() if line.startswith(("RssAnon", "RssShmem")))
    return max(0.0, kib / 1024 / cores() - LIMIT_MIB)


def measure(bench, neighbour, name, seconds):
    """Median and 99th percentile in ms, quiet and beside the hostile Pod, each half before and after; and MiB."""
    quiet, beside, above = [], [], 0.0
    for _ in range(2):
        quiet += neighbour.latencies(seconds / 2)
        with ExitStack() as stack:
            running = hostile(bench, stack, name)
            # Compiled, started and at it.
            time.sleep(1.5)
            beside += neighbour.latencies(seconds / 2)
            if running.process.poll() is not None:
                raise RuntimeError(f"the hostile Pod {name} has ended with {running.process.returncode}")
            above = max(above, above_limit(running.pid))
    return *(1e3 * figure(values) for values in (quiet, beside)
             for figure in (statistics.median, lambda found: closed_loop.percentile(found, 99))), above


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("guests", nargs="*", metavar="GUESTS", help=", ".join(HOSTILE))
    parser.add_argument("--seconds", type=float, default=6, help="of each measurement")
    parser.add_argument("--quick", action="store_true", help="a second each: does it work?")
    options = parser.parse_args()
    unknown = set(options.guests) - set(HOSTILE)
    if unknown:
        parser.error(f"no such guests: {', '.join(sorted(unknown))}")

    bench = harness.Bench(None, program("WASMPOD", "wasmpod"), options.quick)
    failed = False
    try:
        describe(bench)
        print("| beside | quiet, ms | beside, ms | ratio | must | quiet p99 | beside p99 | "
              f"MiB a container above the limit of {LIMIT_MIB} | must, aim | |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        with ExitStack() as stack:
            neighbour = Neighbour(bench, stack)
            neighbour.latencies(0.5)
            for name in options.guests or HOSTILE:
                try:
                    quiet, quiet_p99, beside, beside_p99, above = measure(
                        bench, neighbour, name, 1 if options.quick else options.seconds)
                except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                    failed = True
                    print(f"{name}: {error}", file=sys.stderr)
                    continue
                ratio = beside / quiet
                is_missed = ratio > MUST or above > MUST_ABOVE
                failed = failed or is_missed
                verdict = "MISSED" if is_missed else "aim" if above <= AIM_ABOVE else "must"
                print(f"| {name} | {quiet:.3f} | {beside:.3f} | {ratio:.2f} | {MUST:g} | "
                      f"{quiet_p99:.2f} | {beside_p99:.2f} | {above:.1f} | {MUST_ABOVE:g}, {AIM_ABOVE:g} | {verdict} |",
                      flush=True)
    finally:
        bench.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
