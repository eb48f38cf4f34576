"""The verdict on one run: how it ended, what it said, what it left behind. Whether its output is right is in output_check.py."""

import re
import signal

import output_check

GENTLE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RESCUED = ".rescued."  # OUTPUT.rescued.N: a result that could not be written under its name
EARLY = 0.05  # seconds: a program that is not yet in main dies of a signal as the system has it
INTERNAL = re.compile(r"std::|basic_|vector::|map::|_M_|\bsto[id]\b|terminate called|core dumped|Segmentation fault|Aborted")
ENDLESS = re.compile(r"\d{40,}|\.\d{30,}")


def says(message, words):
    """Whether a message has any of several words, divided by |, in any case."""
    return any(word.lower() in message.lower() for word in words.split("|"))


def message(err, command=""):
    """What is wrong with the lines that explain a failure. Words of the command may be repeated, however long."""
    for word in filter(ENDLESS.search, command.replace("'", " ").replace('"', " ").split()):
        err = err.replace(word, "...")
    lines = [line for line in err.splitlines() if line.strip()]
    if not lines:
        yield "exit 1 without a word on standard error"
    if len(lines) > 3:
        yield f"{len(lines)} lines on standard error, expected one to three"
    for line in lines:
        if ENDLESS.search(line):
            yield "a message has a number of too many digits"
        if INTERNAL.search(line):
            yield f"a message tells of the program's inside: {line[:120]}"


def ending(result):
    """What is wrong with the exit code and the messages."""
    if result.timed_out:
        yield f"had not ended after {result.seconds:.0f} s"
    elif result.code == 1:
        yield from message(result.err, result.command)
    elif result.code != 0:
        yield from interrupted(result)


def interrupted(result):
    """Exit codes beyond 1: right after a signal of the case only."""
    names = {int(s): s.name for s in signal.Signals}
    number = result.code - 128
    if result.signalled is None or number not in names:
        yield f"exit {result.code}" + (f" ({names[number]})" if number in names else "") + f": {result.err.strip()[-160:]}"
    elif number not in GENTLE and number != signal.SIGKILL:
        yield f"exit {result.code} ({names[number]}) after another signal was sent"
    elif number in GENTLE and result.killed_by and result.signalled > EARLY:
        yield f"{names[number]} killed it: expected exit {result.code} of its own, after a line that says how to go on"
    elif number in GENTLE and not result.killed_by:
        if not result.err.strip():
            yield f"exit {result.code} without a word on how to go on"
        yield from (p for p in message(result.err) if not p.startswith("exit 1"))


def temporary(name):
    """Names that no program may leave behind."""
    last = name.rsplit("/", 1)[-1]
    return last.startswith(".") or last.endswith((".tmp", ".lock", "~"))


def may_change(name, request):
    """Files that the run was told to write."""
    if "." in request.leaves and name in ("state.safetensors", "parameters.safetensors"):
        return True
    return name == request.output or any(name == leaf or name.startswith(leaf + "/") for leaf in request.leaves)


def leftovers(before, after, request, success):
    """New names that should not be there; after a failure no output either, unless it is whole (judged by the caller)."""
    for name in after:
        if name in before:
            continue
        in_checkpoint = any(name.startswith(leaf + "/") for leaf in request.leaves)
        if in_checkpoint and name.endswith("lock"):
            continue  # a lock of a folder may stay there: to remove it would let in two programs
        if temporary(name):
            yield f"{name} was left behind"
        elif not success and name.startswith(request.output + RESCUED):
            continue
        elif not may_change(name, request):
            yield f"{name} was made though nobody asked for it"


def filled(bench, request):
    """What is wrong with the output of a run that said all went well."""
    path = bench.path(request.output)
    if not path.exists():
        return ["exit 0, but there is no output"]
    try:
        return output_check.problems(bench, request, path)
    except output_check.Unreadable as error:
        return [f"the output cannot be read: {error}"]
