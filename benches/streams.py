"""A 64-byte round trip and a stream of bytes between two guests: two processes and the kernel's
loopback on their side, two containers of one Pod on ours."""

from contextlib import ExitStack

from harness import P2, Row
from http_load import free_port

TCP = P2 / "tcp.wasm"
NETWORK = ("-S", "inherit-network")
OUR_PORT = 7000
ROUND_TRIPS = r"rtt_us (?P<min>\S+) (?P<median>\S+) (?P<mean>\S+) (?P<p99>\S+)"
BULK = r"bulk_gibs (?P<value>\S+)"


def rows(bench):
    count = "2000" if bench.quick else "20000"
    rtt = ("rtt", [count, "1000"], ROUND_TRIPS)
    bulk = ("bulk", ["256" if bench.quick else "2048"], BULK)

    pinned = compare(bench, rtt, "median", cpus="0")
    yield Row("round trip of 64 bytes, one CPU", "µs, median", *pinned, 1 / 5, 1 / 10)
    crowded = compare(bench, rtt, "mean", spinners=2)
    yield Row("round trip of 64 bytes beside two spinners", "µs, mean", *crowded, 1 / 8, 1 / 20)
    stream = compare(bench, bulk, "value", cpus="0")
    yield Row("one stream of bytes, one CPU", "GiB/s", *stream, 5, 8, more_is_better=True)


def compare(bench, deed, figure, cpus=None, spinners=0):
    contenders = {"theirs": lambda: theirs(bench, deed, figure, cpus, spinners)}
    if bench.wasmpod:
        contenders["ours"] = lambda: ours(bench, deed, figure, cpus, spinners)
    medians = bench.alternate(5, **contenders)
    return [medians["theirs"], medians.get("ours")]


def theirs(bench, deed, figure, cpus, spinners):
    word, amounts, pattern = deed
    address = f"127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        def start(*arguments):
            command = bench.wasmtime_run(TCP, *arguments, options=NETWORK)
            return stack.enter_context(bench.start(command, cpus=cpus))

        start("server", address).line("listening")
        for _ in range(spinners):
            start("spin")
        return float(start(word, address, *amounts).line(pattern).group(figure))


def ours(bench, deed, figure, cpus, spinners):
    word, amounts, pattern = deed
    address = f"127.0.0.1:{OUR_PORT}"
    image = f"file:{TCP}"
    containers = [
        {"name": "server", "image": image, "args": ["server", address]},
        {"name": "client", "image": image, "args": [word, address, *amounts]},
        *({"name": f"spinner-{number}", "image": image, "args": ["spin"]} for number in range(spinners)),
    ]
    file = bench.pod("talk", containers, restartPolicy="Never")
    with bench.start(bench.wasmpod_run(file), cpus=cpus) as pod:
        return float(pod.line(pattern).group(figure))
