"""Runs that are killed or asked to stop at random moments, and go on from their checkpoint."""

import random
import shutil
import signal

import oracle
from bench import Case, Skip, send_after, send_when, snapshot
from inputs import single
from request import Request, fill, judge_fill, same_fill, write_inputs

STEPS = ["--steps", "60", "--hidden", "4", "--batch", "2", "--members", "2", "--mask", "pixels", "--background", "none"]
STATE = ["--checkpoint", "state", "--save-every", "0", "--resume", "--overwrite"]


def usual_part():
    """The same input for all cases, so that one unbroken run serves them all."""
    return single(random.Random(7), frames=9, rows=8, columns=10)[0]


def unbroken(bench, part):
    """Puts the output of a run that nothing stopped beside the others. Returns the seconds that it takes with a checkpoint."""

    def make():
        whole = bench.run(*Request([part], options=STEPS, output="unbroken.nc").words())
        if whole.code != 0:
            raise Skip(f"an unbroken run fails: {whole.err.strip()}")
        timed = bench.run(*Request([part], options=[*STEPS, *STATE], output="timed.nc").words())
        content = bench.path("unbroken.nc").read_bytes()
        bench.path("timed.nc").unlink(missing_ok=True)
        shutil.rmtree(bench.path("state"), ignore_errors=True)
        return content, timed.seconds

    content, seconds = bench.reference("unbroken", make)
    bench.put("unbroken.nc", content)
    return seconds


def finish(bench, request, before):
    """The last run, which must end where an unbroken one ends, and clear up what killed runs left."""
    request.expected = "fills"
    result = bench.run(*request.words())
    judge_fill(bench, request, before, result)
    if result.code == 0:
        bench.require(
            same_fill(bench, request, "unbroken.nc", request.output),
            "the resumed run ended with other bits than an unbroken one",
        )


def kills(rng):
    """Killed at random moments, then ended."""
    moments = [rng.random() for _ in range(rng.randrange(1, 4))]

    def body(bench):
        part = usual_part()
        request = Request([part], options=[*STEPS, *STATE], leaves=("state",))
        write_inputs(bench, request)
        seconds = unbroken(bench, part)
        before = snapshot(bench.folder)
        for moment in moments:
            bench.run(*request.words(), during=send_after(moment * seconds, signal.SIGKILL))
        bench.expected = "the last run ends bit for bit as an unbroken one, and nothing temporary is left"
        finish(bench, request, before)

    return Case(f"killed {len(moments)} times, then resumed", body)


def kill_without_checkpoint(rng):
    """A killed run leaves the output as it was; the next clears up."""
    moment, method = rng.random(), rng.choice(["linear", "nearest", "kriging"])

    def body(bench):
        request = Request([usual_part()], options=["--method", method, "--overwrite"])
        write_inputs(bench, request)
        bench.put("out.nc", b"kept")
        before = snapshot(bench.folder)
        bench.run(*request.words(), during=send_after(moment * 0.06, signal.SIGKILL))
        content = bench.path("out.nc").read_bytes()
        if content != b"kept":
            for problem in oracle.filled(bench, request):
                bench.bad(f"after the kill: {problem}")
        request.expected = "fills"
        judge_fill(bench, request, before, bench.run(*request.words()))

    return Case(f"{method} killed", body)


def signals(rng):
    """Asked to stop while it trains: the state is saved, and a line says how to go on."""
    number = rng.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    delay, every = rng.uniform(0, 0.4), rng.choice(["0", "60"])
    twice = rng.random() < 0.2

    def body(bench):
        part = usual_part()
        options = [*STEPS, "--checkpoint", "state", "--save-every", every, "--resume", "--overwrite"]
        request = Request([part], options=options, leaves=("state",))
        write_inputs(bench, request)
        unbroken(bench, part)
        before = snapshot(bench.folder)
        bench.expected = f"exit {128 + number}, a line that names --resume, the state saved; then the same bits as unbroken"
        state = bench.path("state/state.safetensors")
        act = send_when(state.exists if every == "0" else lambda: bench.path("state").exists(), number, delay)
        result = bench.run(*request.words(), during=lambda p: (act(p), act(p))[0] if twice else act(p))
        judge_fill(bench, request, before, result)
        if result.code == 128 + number and not result.killed_by:
            if state.exists() and not twice:  # a second signal may end it at once
                bench.require("--resume" in result.err, "the line does not name --resume")
        finish(bench, request, before)

    return Case(f"{number.name} {delay:.2f} s into training, --save-every {every}{', twice' if twice else ''}", body)


def signal_without_checkpoint(rng):
    number = rng.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    delay = rng.uniform(0, 0.3)
    options = rng.choice([STEPS, ["--method", "kriging"], ["--method", "linear"]])

    def body(bench):
        request = Request([usual_part()], options=[*options, "--overwrite"])
        write_inputs(bench, request)
        bench.put("out.nc", b"kept")
        fill(bench, request, during=send_after(delay, number))

    return Case(f"{number.name} after {delay:.2f} s, without a checkpoint", body)


FAMILIES = {
    "kills": (2, lambda rng: (kills if rng.random() < 0.7 else kill_without_checkpoint)(rng)),
    "signals": (2, lambda rng: (signals if rng.random() < 0.7 else signal_without_checkpoint)(rng)),
}
