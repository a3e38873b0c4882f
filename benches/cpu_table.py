#!/usr/bin/env python3
"""Measures what CPU requests and limits come to, beside what they should.

    cpu_table.py [--seconds N] [--quick] [--no-cgroup] [ROWS ...]

ROWS are between, inside, limits, latency (all of them unless said). The exit status is 1 if a
figure is outside of what it must be. wasmpod comes from $WASMPOD or from PATH.
"""

import argparse
import json
import os
import shutil
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import closed_loop
import harness
from harness import P2
from http_load import free_port, wait_for_answer
from run import describe, program

# Computes for ever, and says so every ten milliseconds or so of CPU time: a line counts the same in every
# container.
SPINNER = """
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\08\\00\\00\\00\\02\\00\\00\\00.\\n")
  (func (export "_start") (local $left i32)
    (loop $for_ever
      (local.set $left (i32.const 15000000))
      (loop $chunk
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $chunk (local.get $left)))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
      (br $for_ever))))
"""

WARM_UP = 2
HANDLER_PORT = 8080
HANDLER_LIMIT = 250


@dataclass
class Figure:
    """One line of the table; `must` and `aim` are deviations in %, or the figure itself if absolute."""

    name: str
    expected: float
    measured: float
    must: float
    aim: float
    unit: str = "cores"
    absolute: bool = False

    @property
    def deviation(self):
        return (self.measured / self.expected - 1) * 100

    def verdict(self):
        figure = self.measured if self.absolute else abs(self.deviation)
        return "aim" if figure <= self.aim else "must" if figure <= self.must else "MISSED"

    def line(self):
        deviation = "" if self.absolute else f"{self.deviation:+.2f} %"
        sign, unit = ("≤ ", "") if self.absolute else ("± ", " %")
        return (f"| {self.name} | {self.expected:.4g} | {self.measured:.4g} | {self.unit} | {deviation} | "
                f"{sign}{self.must:g}{unit} | {sign}{self.aim:g}{unit} | {self.verdict()} |")


class Table:
    def __init__(self, bench, options):
        self.bench, self.seconds = bench, options.seconds
        self.with_cgroup = not options.no_cgroup
        cores = sorted(os.sched_getaffinity(0))
        # Two, so that the figures are the same on every machine.
        self.cores = cores[:2]
        self.spinner = bench.folder / "spin.wat"
        self.spinner.write_text(SPINNER)

    def container(self, name, request=None, limit=None):
        resources = {}
        if request:
            resources["requests"] = {"cpu": f"{request}m"}
        if limit:
            resources["limits"] = {"cpu": f"{limit}m"}
        return {"name": name, "image": f"file:{self.spinner}", "resources": resources}

    def start(self, stack, name, containers, cpus, **spec):
        file = self.bench.pod(name, containers, restartPolicy="Never", **spec)
        options = ["--quiet", *(["--cgroup"] if self.with_cgroup else [])]
        running = stack.enter_context(self.bench.start(self.bench.wasmpod_run(file, *options), cpus=cpus))
        closed_loop.discard(running.process.stdout)
        return running

    def pinned(self, cores):
        return ",".join(map(str, cores))

    def measure(self, pods):
        """Cores that each Pod used, from outside; they must all run by now."""
        time.sleep(WARM_UP)
        began, before = time.monotonic(), [cpu_nanos(pod.pid) for pod in pods]
        time.sleep(self.seconds)
        # Read in the same order, so that each has its own window.
        after = [cpu_nanos(pod.pid) for pod in pods]
        elapsed = time.monotonic() - began
        return [(late - early) / 1e9 / elapsed for early, late in zip(before, after)]

    # ---- the rows

    def between(self):
        must, aim = (5, 2) if self.with_cgroup else (10, 5)
        for count in range(1, 5):
            with ExitStack() as stack:
                pods = [self.start(stack, f"pod-{number}", [self.container("a", 250), self.container("b", 250)],
                                   self.pinned(self.cores)) for number in range(count)]
                used = self.measure(pods)
            expected = len(self.cores) / count
            # The one that is furthest off.
            worst = max(used, key=lambda cores: abs(cores - expected))
            yield Figure(f"{count} Pods of 500m, two spinners each: the furthest off", expected, worst, must, aim)
        one = self.cores[-1:]
        with ExitStack() as stack:
            pods = [self.start(stack, f"pod-{request}", [self.container("a", request)], self.pinned(one))
                    for request in (250, 750)]
            small, large = self.measure(pods)
        yield Figure("a Pod of 250m beside one of 750m, one core", 0.25, small, must, aim)
        yield Figure("the one of 750m", 0.75, large, must, aim)
        if shutil.which("wrk") and len(self.cores) > 1:
            yield from self.handlers(one, must, aim)

    def handlers(self, one, must, aim):
        with ExitStack() as stack:
            pods, ports = [], []
            for request in (250, 750):
                pod, port = self.handler(stack, f"web-{request}", one, {"requests": {"cpu": f"{request}m"}})
                pods.append(pod)
                ports.append(port)
            for port in ports:
                command = ["wrk", "-t1", "-c16", f"-d{WARM_UP + self.seconds + 2}s", f"http://127.0.0.1:{port}/"]
                load = stack.enter_context(self.bench.start(command, cpus=self.pinned(self.cores[:1])))
                closed_loop.discard(load.process.stdout)
            small, large = self.measure(pods)
        yield Figure("an HTTP handler of 250m beside one of 750m, under load, one core", 0.25, small, must, aim)
        yield Figure("the one of 750m", 0.75, large, must, aim)

    def inside(self):
        one = self.cores[-1:]
        with ExitStack() as stack:
            containers = [self.container("small", 250), self.container("large", 750)]
            pod = self.start(stack, "both", containers, self.pinned(one))
            time.sleep(WARM_UP)
            before = {name: self.lines("both", name) for name in ("small", "large")}
            used = self.measure([pod])[0]
            done = {name: self.lines("both", name) - before[name] for name in before}
        whole = sum(done.values())
        for name, expected in [("small", 0.25), ("large", 0.75)]:
            title = f"{int(expected * 1000)}m of the two containers of a Pod, one core"
            yield Figure(title, expected, done[name] / whole * used, 3, 1)

    def lines(self, pod, container):
        """How many chunks a container has computed."""
        logs = list((self.bench.folder / "state/logs/pods").glob(f"default_{pod}_*/{container}/*"))
        if not logs:
            raise RuntimeError(f"no log of {container} in Pod {pod}")
        return sum(log.read_bytes().count(b"\n") for log in logs if not log.name.endswith(".gz"))

    def limits(self):
        for limit in (500, 100, 900):
            with ExitStack() as stack:
                containers = [self.container("a", limit=limit)]
                used = self.measure([self.start(stack, "limited", containers, self.pinned(self.cores))])[0]
            yield Figure(f"a spinner limited to {limit}m", limit / 1000, used, 1, 0.5)
        with ExitStack() as stack:
            limit = min(1500, 750 * len(self.cores))
            containers = [self.container(name) for name in "abcd"]
            resources = {"limits": {"cpu": f"{limit}m"}}
            pod = self.start(stack, "limited", containers, self.pinned(self.cores), resources=resources)
            used = self.measure([pod])[0]
        yield Figure(f"a Pod limited to {limit}m, four spinners", limit / 1000, used, 1, 0.5)

    def latency(self):
        if len(self.cores) < 2 or os.geteuid() != 0:
            print("latency: needs root and two cores", file=sys.stderr)
            return
        quota = Quota.find()
        if quota is None:
            print("latency: there is no cpu controller to make a cgroup in", file=sys.stderr)
            return
        results = {}
        for name in ("engine", "kernel"):
            with ExitStack() as stack:
                limits = {"limits": {"cpu": f"{HANDLER_LIMIT}m"}} if name == "engine" else {}
                pod, port = self.handler(stack, f"web-{name}", self.cores[-1:], limits, cgroup=False)
                if name == "kernel":
                    stack.enter_context(quota.around(pod, HANDLER_LIMIT))
                load = closed_loop.Load(port, connections=32, cpu=self.cores[0])
                load.run(WARM_UP)
                before, began = cpu_nanos(pod.pid), time.monotonic()
                latencies = load.run(self.seconds)
                used = (cpu_nanos(pod.pid) - before) / 1e9 / (time.monotonic() - began)
                results[name] = closed_loop.percentile(latencies, 99)
                print(f"{name}: {len(latencies) / self.seconds:.0f} requests a second, {used:.3f} cores, "
                      f"p50 {closed_loop.percentile(latencies, 50) * 1e3:.2f} ms, "
                      f"p99 {results[name] * 1e3:.2f} ms, max {max(latencies) * 1e3:.2f} ms", file=sys.stderr)
        yield Figure(f"p99 of a handler limited to {HANDLER_LIMIT}m, against a kernel's quota", 1,
                     results["engine"] / results["kernel"], 1.0, 0.5, unit="ratio", absolute=True)

    def handler(self, stack, name, cores, resources, cgroup=True):
        web = {"name": "web", "image": f"file:{P2 / 'http_tiny.wasm'}", "resources": resources,
               "ports": [{"containerPort": HANDLER_PORT}]}
        port = free_port()
        options = ["--publish", f"{port}:{HANDLER_PORT}", *(["--cgroup"] if cgroup and self.with_cgroup else [])]
        command = self.bench.wasmpod_run(self.bench.pod(name, [web]), *options)
        pod = stack.enter_context(self.bench.start(command, cpus=self.pinned(cores)))
        wait_for_answer(pod, port)
        closed_loop.discard(pod.process.stdout)
        return pod, port


def cpu_nanos(pid):
    """Of the process and those it has started: with `--cgroup` a Pod is in one of its own."""
    return sum(map(process_nanos, harness.family(pid)))


def process_nanos(pid):
    """CPU time of a process with all its threads, ended ones included, as the scheduler counts it:
    clock_getcpuclockid(3)."""
    return time.clock_gettime_ns((~pid << 3) | 2)


class Quota:
    """A cgroup with a bandwidth of the kernel's, for comparison."""

    def __init__(self, folder, version):
        self.folder, self.version = folder, version

    @staticmethod
    def find():
        for line in Path("/proc/self/mounts").read_text().splitlines():
            _, folder, kind, flags, *_ = line.split()
            if kind == "cgroup" and "cpu" in flags.split(","):
                return Quota(Path(folder), 1)
            controllers = Path(folder, "cgroup.subtree_control")
            if kind == "cgroup2" and controllers.exists() and "cpu" in controllers.read_text().split():
                return Quota(Path(folder), 2)
        return None

    def around(self, running, milli):
        """Moves the process in; leaving the context moves it out and removes the cgroup."""
        stack = ExitStack()
        home = self.folder / f"wasmpod-bench-{os.getpid()}"
        home.mkdir()
        stack.callback(remove, home)
        if self.version == 1:
            (home / "cpu.cfs_quota_us").write_text(str(milli * 100))
        else:
            (home / "cpu.max").write_text(f"{milli * 100} 100000")
        (home / "cgroup.procs").write_text(str(running.pid))
        stack.callback(lambda: (self.folder / "cgroup.procs").write_text(str(running.pid)))
        return stack


def remove(folder):
    for _ in range(50):
        try:
            return folder.rmdir()
        except OSError:
            time.sleep(0.1)


SECTIONS = ("between", "inside", "limits", "latency")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROWS", help=", ".join(SECTIONS))
    parser.add_argument("--seconds", type=float, default=10, help="how long each figure is measured")
    parser.add_argument("--quick", action="store_true", help="two seconds each: does it work at all?")
    parser.add_argument("--no-cgroup", action="store_true", help="Pods share the machine without the host's cgroups")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    unknown = set(options.rows) - set(SECTIONS)
    if unknown:
        parser.error(f"no such rows: {', '.join(sorted(unknown))}")
    if options.quick:
        options.seconds = 2
    if not options.no_cgroup and os.geteuid() != 0:
        print("not root: Pods share the machine without the host's cgroups", file=sys.stderr)
        options.no_cgroup = True

    bench = harness.Bench(None, program("WASMPOD", "wasmpod"), options.quick)
    found, failed = [], False
    try:
        table = Table(bench, options)
        describe(bench)
        print(f"On {len(table.cores)} of them, {'with' if table.with_cgroup else 'without'} cgroups of the host, "
              f"{options.seconds:g} s each.\n")
        print("| what | expected | measured | unit | deviation | must | aim | reached |")
        print("|---|---|---|---|---|---|---|---|")
        for name in options.rows or SECTIONS:
            try:
                for figure in getattr(table, name)():
                    found.append(figure)
                    print(figure.line(), flush=True)
            except Exception as error:  # one failure must not lose the other rows
                failed = True
                print(f"{name}: {error}", file=sys.stderr)
    finally:
        bench.close()
    if options.json:
        options.json.write_text(json.dumps([asdict(figure) for figure in found], indent=1))
    return 1 if failed or any(figure.verdict() == "MISSED" for figure in found) else 0


if __name__ == "__main__":
    sys.exit(main())
