"""Compiling a large guest for the first time: the whole of `run` with an empty cache on our side, with the optimising
compiler, and the compiler alone on theirs, once as it is and once with the epoch checks that our guests have.
And its first start as it is, beside a run of theirs without a cache."""

import os
import shutil
import time
from pathlib import Path

from harness import Row


def rows(bench):
    guest = os.environ.get("BENCH_LARGE_GUEST")
    if not guest:
        raise RuntimeError("BENCH_LARGE_GUEST names no program (benches/README.md says which)")
    guest = Path(guest).resolve()
    arguments = os.environ.get("BENCH_LARGE_GUEST_ARGS", "").split()
    contenders = {
        "theirs": lambda: compile_theirs(bench, guest),
        "theirs with epochs": lambda: compile_theirs(bench, guest, "-W", "epoch-interruption=y"),
    }
    if bench.wasmpod:
        image = {"name": "large", "image": f"file:{guest}", "args": arguments}
        file = bench.pod("large", [image], restartPolicy="Never")
        contenders["ours"] = lambda: compile_ours(bench, file, "optimised")
    medians = bench.alternate(5, **contenders)
    what = f"cold compile, {guest.name}, {guest.stat().st_size >> 20} MiB"
    yield Row(what, "s", medians["theirs"], medians.get("ours"), 1.05, None,
              note="ours includes the start and the run")
    yield Row(f"{what}, epoch checks on both sides", "s", medians["theirs with epochs"],
              medians.get("ours"), 1.05, None)
    contenders = {"theirs": lambda: bench.wall([bench.wasmtime, "run", "-C", "cache=n", guest, *arguments])}
    if bench.wasmpod:
        contenders["ours"] = lambda: compile_ours(bench, file, "quick")
    medians = bench.alternate(5, **contenders)
    yield Row(f"first start, {guest.name}", "s", medians["theirs"], medians.get("ours"), 0.5, None)


def compile_theirs(bench, guest, *options):
    return bench.wall([bench.wasmtime, "compile", *options, guest, "-o", bench.folder / "large.cwasm"])


def compile_ours(bench, file, first_code):
    cache = Path(bench.environment["XDG_CACHE_HOME"])
    shutil.rmtree(cache, ignore_errors=True)
    bench.environment["WASMPOD_FIRST_CODE"] = first_code
    took = bench.wall(bench.wasmpod_run(file))
    # Better code is made behind it: nothing is measured meanwhile.
    while any(cache.glob("wasmpod/code/quick/*")):
        time.sleep(0.05)
    return took
