"""Compiling a large guest for the first time: the whole of `run` with an empty cache on our side,
the compiler alone on theirs."""

import os
import shutil
from pathlib import Path

from harness import Row


def rows(bench):
    guest = os.environ.get("BENCH_LARGE_GUEST")
    if not guest:
        raise RuntimeError("BENCH_LARGE_GUEST names no program (benches/README.md says which)")
    guest = Path(guest).resolve()
    arguments = os.environ.get("BENCH_LARGE_GUEST_ARGS", "").split()
    contenders = {"theirs": lambda: compile_theirs(bench, guest)}
    if bench.wasmpod:
        image = {"name": "large", "image": f"file:{guest}", "args": arguments}
        file = bench.pod("large", [image], restartPolicy="Never")
        contenders["ours"] = lambda: compile_ours(bench, file)
    medians = bench.alternate(5, **contenders)
    yield Row(f"cold compile, {guest.name}, {guest.stat().st_size >> 20} MiB", "s", medians["theirs"],
              medians.get("ours"), 1.05, None, note="ours includes the start and the run")


def compile_theirs(bench, guest):
    return bench.wall([bench.wasmtime, "compile", guest, "-o", bench.folder / "large.cwasm"])


def compile_ours(bench, file):
    shutil.rmtree(bench.environment["XDG_CACHE_HOME"], ignore_errors=True)
    return bench.wall(bench.wasmpod_run(file))
