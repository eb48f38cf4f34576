"""Too little of everything: disk, file size, memory, open files; allocations and system calls that fail."""

import os

from bench import Case, Skip
from inputs import single
from request import QUICK, TRAINING, Request, fill, judge_fill

STATE = ["--checkpoint", "disk/state", "--save-every", "0"]
EXTRAS = ["--report", "disk/r.json", "--picture", "disk/p.png"]
LEAVES = ("disk/r.json", "disk/p.png", "disk/state")


def some_options(rng):
    """Everything that writes: the output, a report, a picture, a checkpoint."""
    options = list(QUICK) if rng.random() < 0.5 else [*TRAINING, *(STATE if rng.random() < 0.6 else [])]
    return options + (EXTRAS if rng.random() < 0.5 else [])


def request_on_disk(rng, **recipe):
    part = single(rng, version=rng.choice([1, 2, 5]), container=rng.choice(["classic", "classic", "nc4", "nc7"]), **recipe)
    return Request(part, options=some_options(rng), output="disk/out.nc", leaves=LEAVES, threads=rng.choice(["1", "2"]))


def put_existing(bench, request):
    """An output of an earlier run, which must not be lost."""
    bench.put("disk/out.nc", b"kept")
    request.options = [*request.options, "--overwrite"]


def full_disk(rng):
    request, kilobytes, existing = request_on_disk(rng), rng.randrange(1, 20) * 4, rng.random() < 0.5

    def body(bench):
        if os.geteuid() != 0:
            raise Skip("a small disk needs root to mount it")
        bench.small_disk("disk", kilobytes)
        if existing:
            put_existing(bench, request)
        fill(bench, request)

    return Case(f"a disk of {kilobytes} kB: {request.options}", body)


def read_only(rng):
    request = request_on_disk(rng, rows=8, columns=10)
    request.expected, request.word = "refuses", "disk"

    def body(bench):
        if os.geteuid() != 0:
            raise Skip("a disk that can only be read needs root to mount it")
        bench.small_disk("disk", 100)
        bench.tool("mount", "-o", "remount,ro", str(bench.path("disk")))
        fill(bench, request)

    return Case(f"a disk that can only be read: {request.options}", body)


def limited(rng):
    """Limits of the shell."""
    what, amount = rng.choice(
        [
            ("f", rng.randrange(1, 40)),  # with 0 no message can be written either
            ("v", rng.randrange(150_000, 1_500_000)),
            ("n", rng.randrange(4, 16)),
            ("v", rng.randrange(150_000, 400_000)),
            ("s", rng.choice([64, 256, 1024])),
            ("c", 0),
        ]
    )
    request, existing = request_on_disk(rng, rows=8, columns=10), rng.random() < 0.3

    def body(bench):
        bench.path("disk").mkdir()
        if existing:
            put_existing(bench, request)
        result = fill(bench, request, judge=False, before=f"ulimit -{what} {amount};")
        if result.code == 127 or (what == "s" and result.killed_by):
            raise Skip(f"the system cannot start a program under ulimit -{what}")
        judge_again(bench, request, result, existing)

    return Case(f"ulimit -{what} {amount}: {request.options} --threads {request.threads}", body)


def judge_again(bench, request, result, existing):
    """For runs that were not judged at once: what was there before them is known."""
    before = {p.file: bench.path(p.file).read_bytes() for p in request.parts} | {"disk": "folder"}
    if existing:
        before["disk/out.nc"] = b"kept"
    judge_fill(bench, request, before, result)


def stdout_full(rng):
    request = request_on_disk(rng, rows=8, columns=10)

    def body(bench):
        bench.path("disk").mkdir()
        result = fill(bench, request, after=">/dev/full")
        bench.expected = "exit 1, with a line, and the output there"
        bench.require(result.code == 1, f"exit {result.code} though standard output could not be written")
        bench.require(bench.path(request.output).exists(), "the output is not there")

    return Case(f"standard output is /dev/full: {request.options}", body)


CALLS = [
    ("new", ["once", "always"], 30000),
    ("new", ["once"], 3000),
    ("allocate", ["once", "always"], 1000),
    ("mmap", ["once", "always"], 3),
    ("write", ["short", "EINTR", "ENOSPC", "EIO", "always"], 14),
    ("read", ["short", "EINTR", "EIO"], 60),
    ("fsync", ["once", "always"], 6),
    ("rename", ["once", "always"], 4),
]


def failing_call(rng):
    """One call of the system fails, by the preloaded library."""
    kind, ways, most = rng.choice(CALLS)
    how, number = rng.choice(ways), int(most ** rng.random())
    request, existing = request_on_disk(rng, rows=8, columns=10), rng.random() < 0.3
    request.threads = "1" if rng.random() < 0.7 else "2"

    def body(bench):
        if not bench.settings.faults:
            raise Skip("no --faults LIB was given")
        bench.path("disk").mkdir()
        if existing:
            put_existing(bench, request)
        result = fill(bench, request, before=f"export LD_PRELOAD={bench.settings.faults} ROBUSTNESS_FAULT='{kind} {how} {number}';")
        if how == "once" and f"{request.output}: out of memory while it was written" in result.err:
            bench.expected = "what was computed is kept under another name"
            kept = list(bench.path("disk").glob("out.nc.rescued.*"))
            bench.require(len(kept) == 1, f"one allocation failed while the output was written: {len(kept)} files keep its values")

    return Case(f"call {number} of {kind} fails ({how}): {request.options} --threads {request.threads}", body)


def random_disk(rng):
    return rng.choice([full_disk, full_disk, full_disk, read_only, stdout_full])(rng)


FAMILIES = {"disks": (2, random_disk), "limits": (2, limited), "faults": (4, failing_call)}
