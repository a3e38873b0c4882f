"""What every measurement needs: where the programs are, a folder of its own, processes, /proc.

Contenders take turns within one run, and the median of each counts: on a shared machine single
figures move by a third from one minute to the next, while ratios of turns taken in a row hold.
"""

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GUESTS = ROOT / "guest-examples/target"
P1 = GUESTS / "wasm32-wasip1/release"
P2 = GUESTS / "wasm32-wasip2/release"


@dataclass
class Row:
    """One line of the table. `ratio` is ours against theirs, in the row's own sense."""

    name: str
    unit: str
    theirs: float
    ours: float | None
    must: float
    aim: float | None
    more_is_better: bool = False
    absolute: bool = False  # must and aim speak of our figure, not of the ratio
    note: str = ""

    @property
    def ratio(self):
        return None if self.ours is None or not self.theirs else self.ours / self.theirs

    def verdict(self):
        if self.ratio is None:
            return "not measured"
        figure = self.ours if self.absolute else self.ratio

        def reached(goal):
            return figure >= goal if self.more_is_better else figure <= goal

        if self.aim is not None and reached(self.aim):
            return "aim"
        return "must" if reached(self.must) else "MISSED"


@dataclass
class Bench:
    """The programs under test, copied into a folder that goes away, and how often to measure.

    Copied, because the same binary can run half again as slowly once it has long been in the page
    cache: fresh copies of both make the comparison fair.
    """

    wasmtime: Path | None
    wasmpod: Path | None
    quick: bool
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="wasmpod-bench-")))

    def __post_init__(self):
        self.wasmtime = self.wasmtime and self._copy(self.wasmtime, "wasmtime")
        self.wasmpod = self.wasmpod and self._copy(self.wasmpod, "wasmpod")
        home = self.folder / "home"
        home.mkdir()
        (self.folder / "cache.toml").write_text(f'[cache]\ndirectory = "{self.folder}/wasmtime-cache"\n')
        # A wasmpod of the user's, its state and its cache are not touched. Backtraces slow every
        # error on the host side.
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TERM")}
        self.environment = kept | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home),
                                   "XDG_CACHE_HOME": str(self.folder / "cache"),
                                   "WASMPOD_ROOT": str(self.folder / "state")}

    def _copy(self, program, name):
        copy = self.folder / name
        shutil.copy(program, copy)
        copy.chmod(0o755)
        return copy

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def rounds(self, count):
        return min(count, 2) if self.quick else count

    # ---- commands

    def wasmtime_run(self, wasm, *arguments, options=()):
        return [self.wasmtime, "run", "-C", f"cache-config={self.folder}/cache.toml", *options, wasm, *arguments]

    def wasmtime_serve(self, wasm, port, *options):
        return [self.wasmtime, "serve", "-C", f"cache-config={self.folder}/cache.toml", "-S", "cli",
                f"--addr=127.0.0.1:{port}", *options, wasm]

    def pod(self, name, containers, annotations=None, **spec):
        """Writes a manifest; JSON is YAML."""
        metadata = {"name": name, **({"annotations": annotations} if annotations else {})}
        manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
                    "spec": {"terminationGracePeriodSeconds": 0, **spec, "containers": containers}}
        file = self.folder / f"{name}.yaml"
        file.write_text(json.dumps(manifest, indent=1))
        return file

    def wasmpod_run(self, file, *options):
        return [self.wasmpod, "run", file, *options]

    # ---- running

    def wall(self, command):
        """Seconds from the start of the command to its end. It must succeed."""
        command = [str(word) for word in command]
        null = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)]
        start = time.perf_counter()
        pid = os.posix_spawn(command[0], command, self.environment, file_actions=null)
        status = os.waitpid(pid, 0)[1]
        seconds = time.perf_counter() - start
        if status:
            done = subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True)
            raise RuntimeError(f"{' '.join(command)} ended with {status}: {done.stderr[-800:]}")
        return seconds

    def start(self, command, **options):
        return Running([str(word) for word in command], self.environment, **options)

    def alternate(self, count, warm_up=1, **contenders):
        """Calls the contenders in turn; the median of what each gives, by name."""
        values = {name: [] for name in contenders}
        for round_ in range(warm_up + self.rounds(count)):
            for name, measure in contenders.items():
                value = measure()
                if round_ >= warm_up:
                    values[name].append(value)
        return {name: statistics.median(results) for name, results in values.items()}


class Running:
    """A process in a group of its own; leaving the `with` block ends the group."""

    def __init__(self, command, environment, cpus=None):
        if cpus is not None:
            command = ["taskset", "-c", cpus, *command]
        self.errors = tempfile.TemporaryFile()
        self.command = command
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for number, patience in [(signal.SIGTERM, 5), (signal.SIGKILL, 5)]:
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(patience)
                break
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def line(self, pattern, seconds=120):
        """The first match of the pattern in a line of its standard output."""
        watchdog = time.monotonic() + seconds
        for line in self.process.stdout:
            found = re.search(pattern, line)
            if found:
                return found
            if time.monotonic() > watchdog:
                break
        self.errors.seek(0)
        raise RuntimeError(f"{' '.join(self.command)} never printed {pattern}: "
                           f"{self.errors.read().decode(errors='replace')[-800:]}")


# ---- /proc

TICK = os.sysconf("SC_CLK_TCK")


def family(pid):
    """The process and all that it has started and that still lives."""
    pids = [pid]
    for parent in pids:
        for task in Path(f"/proc/{parent}/task").glob("*"):
            try:
                pids += map(int, (task / "children").read_text().split())
            except OSError:
                continue
    return pids


def cpu_seconds(pid):
    """User and system time of the process and its children so far."""
    total = 0
    for member in family(pid):
        # Fields are counted after the name, which may hold spaces.
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[11:15])) / TICK
    return total


def memory_kib(pid, key):
    """A line of smaps_rollup, summed over the process and its children."""
    total = 0
    for member in family(pid):
        text = Path(f"/proc/{member}/smaps_rollup").read_text()
        total += int(re.search(rf"^{key}:\s+(\d+) kB", text, re.M).group(1))
    return total
