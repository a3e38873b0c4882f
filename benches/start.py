"""From nothing to the end of a program that greets: the wall time of the whole process."""

from harness import P1, P2, Row


def rows(bench):
    found = []
    for world, folder in [("0.2", P2), ("0.1", P1)]:
        wasm = folder / "hello.wasm"
        contenders = {"theirs": lambda: bench.wall(bench.wasmtime_run(wasm))}
        if bench.wasmpod:
            image = {"name": "hello", "image": f"file:{wasm}"}
            file = bench.pod(f"hello-{folder.parent.name[-2:]}", [image], restartPolicy="Never")
            contenders["ours"] = lambda: bench.wall(bench.wasmpod_run(file))
        medians = bench.alternate(50, warm_up=3, **contenders)
        ms = {name: seconds * 1e3 for name, seconds in medians.items()}
        found.append(Row(f"start: hello, warm cache, WASI {world}", "ms", ms["theirs"], ms.get("ours"), 0.5, 0.3))
    return found
