"""What an idle Pod keeps: PSS of 50 processes with one sleeping guest each."""

import statistics
import time
from contextlib import ExitStack

from harness import P2, Row, memory_kib

IDLE = P2 / "idle.wasm"


def rows(bench):
    count = 5 if bench.quick else 50
    theirs = idle(bench, [bench.wasmtime_run(IDLE)] * count)
    ours = private = None
    if bench.wasmpod:
        image = {"name": "idle", "image": f"file:{IDLE}"}
        pods = [bench.pod(f"idle-{number}", [image]) for number in range(count)]
        ours, private = idle(bench, [bench.wasmpod_run(pod) for pod in pods])
    note = f"private dirty {theirs[1]:.0f} KiB theirs, {private or 0:.0f} KiB ours; goals in KiB"
    yield Row(f"memory of an idle Pod, PSS, {count} processes", "KiB", theirs[0], ours, 1.2 * 1024, 0.8 * 1024,
              absolute=True, note=note)


def idle(bench, commands):
    """(PSS, private dirty) in KiB, median of all processes together with their children."""
    # The first one compiles, and keeps what that took; only a start from the cache counts.
    with bench.start(commands[0]) as first:
        first.line("idle")
    with ExitStack() as stack:
        running = [stack.enter_context(bench.start(command)) for command in commands]
        for process in running:
            process.line("idle")
        time.sleep(2)
        return tuple(statistics.median(memory_kib(process.pid, key) for process in running)
                     for key in ("Pss", "Private_Dirty"))
