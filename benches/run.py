#!/usr/bin/env python3
"""Measures wasmpod beside its peers and prints docs/performance.md's table.

    run.py [--quick] [--json FILE] [ROWS ...]

ROWS are start, http, streams, density, compile (all of them unless said). The programs come from
$WASMPOD and $WASMTIME or from PATH; without wasmpod the peers are measured alone.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import compiling
import density
import harness
import http_load
import start
import streams

SECTIONS = {"start": start.rows, "http": http_load.rows, "streams": streams.rows,
            "density": density.rows, "compile": compiling.rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROWS", help="start, http, streams, density, compile")
    parser.add_argument("--quick", action="store_true", help="few rounds: does it work at all?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    options = parser.parse_args()
    unknown = set(options.rows) - set(SECTIONS)
    if unknown:
        parser.error(f"no such rows: {', '.join(sorted(unknown))}")

    bench = harness.Bench(program("WASMTIME", "wasmtime"), program("WASMPOD", "wasmpod", needed=False), options.quick)
    found, failed = [], False
    try:
        describe(bench)
        print("| what | theirs | ours | unit | ratio | must | aim | reached |")
        print("|---|---|---|---|---|---|---|---|")
        for name in options.rows or SECTIONS:
            try:
                for row in SECTIONS[name](bench):
                    found.append(row)
                    print(line(row), flush=True)
            except Exception as error:  # one failure must not lose the other rows
                failed = True
                print(f"{name}: {error}", file=sys.stderr)
    finally:
        bench.close()
    if options.json:
        options.json.write_text(json.dumps([asdict(row) | {"ratio": row.ratio} for row in found], indent=1))
    return 1 if failed else 0


def program(variable, name, needed=True):
    path = os.environ.get(variable) or shutil.which(name)
    if path and Path(path).is_file():
        return Path(path).resolve()
    if needed:
        sys.exit(f"{name} is missing: put it on PATH or name it in ${variable} (benches/README.md)")
    print(f"{name} is missing: its peers are measured alone", file=sys.stderr)
    return None


def describe(bench):
    cpu = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    print(f"{os.cpu_count()} CPUs ({cpu}), Linux {platform.release()}, "
          f"load {os.getloadavg()[0]:.2f} at the start")
    for path in filter(None, [bench.wasmtime, bench.wasmpod]):
        version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout.strip()
        print(f"{version or path.name}, {path.stat().st_size / 2**20:.1f} MiB")
    print()


def line(row):
    def number(value):
        return "-" if value is None else f"{value:.4g}"
    goals = [number(goal) for goal in (row.must, row.aim)]
    note = f" ({row.note})" if row.note else ""
    return (f"| {row.name}{note} | {number(row.theirs)} | {number(row.ours)} | {row.unit} | "
            f"{number(row.ratio)} | {goals[0]} | {goals[1]} | {row.verdict()} |")


if __name__ == "__main__":
    sys.exit(main())
