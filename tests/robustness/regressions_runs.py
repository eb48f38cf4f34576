"""Known defects of version 0.1.0 that show in how a run goes: signals, limits, options, odd paths, other runs."""

import os
import random
import re
import signal
import socket
import subprocess

import oracle
from bench import Case, Skip, send_when, snapshot
from family_interruptions import STEPS, finish, unbroken, usual_part
from family_surroundings import environment, odd_input, odd_output, two_on_one_checkpoint, two_on_one_output
from inputs import single
from request import QUICK, TRAINING, Request, fill, judge_fill, write_inputs

SMALL = {"frames": 9, "rows": 8, "columns": 10}
LONG = ["--minutes", "5", "--hidden", "4", "--batch", "2", "--members", "2", "--mask", "pixels", "--background", "none"]


LONG_NAME = "x" * 251 + ".out"  # too long for a temporary name beside it


def part():
    return single(random.Random(8), **SMALL)[0]


def input_replaced():
    """Replaced once training has begun: exit 1, and no output made of both."""
    (new,) = single(random.Random(9), **SMALL, level=3.0, file="new.nc")

    def body(bench):
        request = Request([part()], options=[*STEPS, "--checkpoint", "state", "--save-every", "0"])
        write_inputs(bench, request)
        write_inputs(bench, Request([new]))
        replace = send_when(bench.path("state/state.safetensors").exists, 0)
        bench.expected = "exit 1 and no output: the input is no longer what was read"
        result = bench.run(
            *request.words(), during=lambda process: (replace(process), bench.path("new.nc").rename(bench.path("in.nc")))
        )
        bench.require(result.code == 1, f"exit {result.code}")
        for problem in oracle.ending(result):
            bench.bad(problem)
        bench.require(not bench.path("out.nc").exists(), "an output was written")

    return Case("the input is replaced during training", body)


def stopped(number):
    """The step is finished, the state saved, a line says how to go on; then the end is that of an unbroken run."""

    def make():
        def body(bench):
            mine = usual_part()
            request = Request(
                [mine],
                options=[*STEPS, "--checkpoint", "state", "--resume", "--overwrite", "--save-every", "0"],
                leaves=("state",),
            )
            write_inputs(bench, request)
            unbroken(bench, mine)
            before = snapshot(bench.folder)
            result = bench.run(*request.words(), during=send_when(bench.path("state/state.safetensors").exists, number))
            bench.expected = f"exit {128 + number} of its own, a line with --resume, no temporary files, then the same bits"
            judge_fill(bench, request, before, result)
            bench.require(
                result.code == 128 + number and "--resume" in result.err,
                f"exit {result.code} with: {result.err.strip()[:100]!r}",
            )
            finish(bench, request, before)

        return Case(f"{number.name} during training", body)

    return make


def stale_files():
    """Temporary files of a program that is gone are removed, those of one that lives are not."""

    def body(bench):
        gone = subprocess.Popen(["true"])
        gone.wait()
        request = Request([part()])
        write_inputs(bench, request)
        host = socket.gethostname().replace(".", "-")[:64]
        stale, alive = (bench.put(f".out.nc.{host}.{pid}.0.tmp", b"half") for pid in (gone.pid, os.getpid()))
        result = bench.run(*request.words())
        bench.require(result.code == 0, f"exit {result.code}: {result.err.strip()}")
        bench.expected = "the dead program's temporary file is removed, the living one's stays"
        bench.require(not stale.exists(), "the temporary file of a dead program is still there")
        bench.require(alive.exists(), "the temporary file of a living program was removed")

    return Case("temporary files of an earlier run", body)


def memory_limit():
    """Never more planned than asked for."""

    def body(bench):
        for size in (20, 40, 45, 60, 100):
            options = [
                "--steps",
                "4",
                "--hidden",
                "8",
                "--members",
                "2",
                "--mask",
                "pixels",
                "--memory",
                f"{size}MB",
                "--overwrite",
            ]
            request = Request([part()], options=options)
            write_inputs(bench, request)
            result = bench.run(*request.words())
            for problem in oracle.ending(result):
                bench.bad(problem)
            planned = [float(n) for n in re.findall(r"planned peak memory (?:of )?(\d+(?:\.\d+)?) MB", result.out)]
            if result.code == 0 and planned:
                bench.require(max(planned) <= size, f"--memory {size}MB: planned {max(planned):g} MB and trained")

    return Case("--memory of 20 to 100 MB", body)


def address_space(options):
    def make():
        def body(bench):
            request = Request([part()], options=[*options, "--overwrite"])
            write_inputs(bench, request)
            before = snapshot(bench.folder)
            for megabytes in range(150, 650, 50):
                bench.path("out.nc").unlink(missing_ok=True)
                judge_fill(bench, request, before, bench.run(*request.words(), before=f"ulimit -v {megabytes * 1000};"))

        return Case(f"ulimit -v of 150 to 600 MB: {options[:2]}", body)

    return make


def early(title, options, word="", output="out.nc"):
    """What is known before training is said before training."""

    def make():
        def body(bench):
            request = Request(
                [part()], options=[*LONG, *options], output=output, expected="refuses", word=word, leaves=("state",)
            )
            fill(bench, request, limit=10)

        return Case(title, body)

    return make


def early_or_good(title, options, output="out.nc", leaves=(), folder=None):
    """What may work, or be refused before training."""

    def make():
        def body(bench):
            if folder:
                bench.path(folder).mkdir()
            result = fill(bench, Request([part()], options=[*TRAINING, *options], output=output, leaves=leaves))
            bench.require(result.code == 0 or "network:" not in result.out, "refused after training only")

        return Case(title, body)

    return make


def lost_picture():
    """A picture that cannot be written takes neither output nor report with it."""

    def body(bench):
        if os.geteuid() != 0:
            raise Skip("a small disk needs root to mount it")
        bench.small_disk("disk", 4)
        bench.put("disk/full", b"x" * 4096)
        request = Request(
            [part()], options=[*QUICK, "--report", "r.json", "--picture", "disk/p.png"], leaves=("r.json", "disk/p.png")
        )
        bench.expected = "output and report are there, and a line tells of the picture"
        result = fill(bench, request)
        bench.require(bench.path("out.nc").exists() and bench.path("r.json").exists(), "output or report are lost")
        bench.require("p.png" in result.err, "nothing tells of the picture")

    return Case("a picture on a full disk", body)


def refused(options, word, variables=None):
    def make():
        def body(bench):
            request = Request([part()], options=list(options), expected="refuses", word=word, variables=variables)
            fill(bench, request, limit=15)

        return Case(f"{options} is refused", body)

    return make


def many_threads():
    """More threads than anyone has: soon done, or soon refused."""
    return Case("--threads 1024", lambda bench: fill(bench, Request([part()], options=TRAINING, threads="1024"), limit=20))


def threads_told():
    """One thread where two were asked for: it ends, and says how many it uses."""

    def body(bench):
        request = Request([part()], options=TRAINING, threads="2", expected="fills")
        result = fill(bench, request, env={"OMP_THREAD_LIMIT": "1"}, limit=20)
        bench.require("thread" in result.out + result.err, "nothing says how many threads are used")

    return Case("OMP_THREAD_LIMIT=1 --threads 2", body)


def file_size():
    def body(bench):
        request = Request([part()])
        result = fill(bench, request, before="ulimit -f 4;")
        bench.require(result.code == 1, f"exit {result.code}, expected 1")

    return Case("ulimit -f 4", body)


def output_full():
    def body(bench):
        result = fill(bench, Request([part()]), after=">/dev/full")
        bench.require(
            result.code == 1 and bench.path("out.nc").exists(), f"exit {result.code}, expected 1 and the output there"
        )

    return Case("standard output is /dev/full", body)


def other_seed():
    def body(bench):
        options = [*TRAINING, "--checkpoint", "state"]
        if fill(bench, Request([part()], options=options, expected="fills", leaves=("state",))).code == 0:
            fill(
                bench,
                Request(
                    [part()],
                    options=[*options, "--resume", "--seed", "2"],
                    output="b.nc",
                    expected="refuses",
                    word="seed",
                    leaves=("state",),
                ),
            )

    return Case("--resume with another seed", body)


def seeded(maker, *words):
    return lambda: maker(random.Random(1), *words)


def two_at_once(maker, accept):
    """The first random variant that is wanted."""

    def make():
        return next(case for case in (maker(random.Random(i)) for i in range(100)) if accept in case.title)

    return make


CASES = {
    "input-replaced": input_replaced,
    "thread-limit": threads_told,
    "omp-dynamic": lambda: Case(
        "OMP_DYNAMIC=true --threads 2",
        lambda bench: fill(
            bench, Request([part()], options=TRAINING, threads="2", expected="fills"), env={"OMP_DYNAMIC": "true"}, limit=20
        ),
    ),
    "two-outputs": two_at_once(
        two_on_one_output,
        "0.00 s apart: ['--steps', '200', '--hidden', '4', '--batch', '2', '--members', '2', "
        "'--mask', 'pixels', '--background', 'none']",
    ),
    "two-checkpoints": two_at_once(two_on_one_checkpoint, "0.00 s"),
    **{f"stopped-{number.name}": stopped(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)},
    "stale-files": stale_files,
    "memory-limit": memory_limit,
    "address-space": address_space(TRAINING),
    "address-space-linear": address_space(QUICK),
    "output-in-checkpoint": early_or_good(
        "the output lies in the checkpoint folder", ["--checkpoint", "state"], "state/out.nc", ("state",)
    ),
    "output-in-folder": early_or_good(
        "the output lies in a checkpoint folder that is there", ["--checkpoint", "state"], "state/out.nc", ("state",), "state"
    ),
    "output-is-checkpoint": early("the output is the checkpoint folder", ["--checkpoint", "state"], "state", "state"),
    "contexts-tiny": early("--contexts 1e-300", ["--contexts", "1e-300"], "contexts"),
    "long-output": early_or_good("an output's name of 255 bytes", [], LONG_NAME),
    "long-report": early_or_good("a report's name of 255 bytes", ["--report", LONG_NAME], leaves=(LONG_NAME,)),
    "long-picture": early_or_good("a picture's name of 255 bytes", ["--picture", LONG_NAME], leaves=(LONG_NAME,)),
    "lost-picture": lost_picture,
    "steps-0": refused(["--steps", "0"], "--steps"),
    "steps-empty": refused(["--steps", ""], "--steps"),
    "learn-frames-wraps": refused([*QUICK, "--learn-frames", "0:4294967305"], "--learn-frames"),
    "minutes-huge": refused(["--minutes", "-1e308"], "--minutes"),
    "save-every-huge": refused(["--checkpoint", "state", "--save-every", "-1e308"], "--save-every"),
    "learning-rate-huge": refused([*TRAINING, "--learning-rate", "-1e308"], "--learning-rate"),
    "ratio-huge": refused([*TRAINING, "--ratio", "1e308"], "--ratio"),
    "withhold-huge": refused([*QUICK, "--withhold", "1e308"], "--withhold"),
    "threads-1024": many_threads,
    "file-size": file_size,
    "head": seeded(environment, "| head -1"),
    "output-full": output_full,
    "fifo": seeded(odd_input, "FIFO"),
    "other-seed": other_seed,
    **{f"dangling-{i}": (lambda i=i: odd_output(random.Random(i), "dangling link")) for i in range(4)},
}
