"""What goes on around a run: inputs that change, other runs at the same time, environments, odd paths."""

import os
import shutil
import socket
from dataclasses import replace

import oracle
from bench import Case, Skip, snapshot, wait_until
from inputs import Recipe, make_part, single
from request import QUICK, TRAINING, Request, fill, judge_fill, write_inputs

SMALL = {"frames": 9, "rows": 8, "columns": 10}
LONG = ["--steps", "200", "--hidden", "4", "--batch", "2", "--members", "2", "--mask", "pixels", "--background", "none"]


def sound_for(bench, request, part):
    """What is wrong with the output if this part was the input."""
    return oracle.filled(bench, replace(request, parts=[part], expected="either"))


def changing_input(rng):
    how = rng.choice(
        ["replaced", "rewritten", "truncated", "removed", "touched", "replaced by the same", "moved away and back"]
    )
    delay, container = rng.uniform(0, 0.5), rng.choice(["classic", "nc4"])
    (old,) = single(rng, **SMALL, container=container)
    (new,) = single(rng, **SMALL, container=container, level=3.0, share=0.3, file="new.nc")

    def act(bench):
        def change(process):
            wait_until(lambda: False, process, delay)
            path, other = bench.path("in.nc"), bench.path("new.nc")
            {
                "replaced": lambda: other.rename(path),
                "rewritten": lambda: path.write_bytes(other.read_bytes()),
                "truncated": lambda: os.truncate(path, path.stat().st_size // 2),
                "removed": path.unlink,
                "touched": path.touch,
                "replaced by the same": lambda: (shutil.copy(path, other), other.rename(path)),
                "moved away and back": lambda: (path.rename(other), other.rename(path)),
            }[how]()

        return change

    def body(bench):
        request = Request([old], options=LONG)
        write_inputs(bench, Request([new]))
        write_inputs(bench, request)
        if how in ("touched", "replaced by the same", "moved away and back"):
            bench.expected = "exit 0: the content is the same; or exit 1 where that came in the middle of reading"
        result = bench.run(*request.words(), during=act(bench))
        for problem in oracle.ending(result):
            bench.bad(problem)
        if result.code == 0 and sound_for(bench, request, old) and sound_for(bench, request, new):
            bench.bad(f"the output is right for neither content of the input: {sound_for(bench, request, old)[0]}")
        if how in ("touched", "replaced by the same"):
            in_the_middle = result.code == 1 and "changed by another program while it was read" in result.err
            bench.require(result.code == 0 or in_the_middle, f"exit {result.code}: {result.err.strip()}")
        elif result.code != 0:
            bench.require(not bench.path("out.nc").exists(), "an output is there after a failure")
        bench.require(not any(oracle.temporary(n) for n in snapshot(bench.folder)), "temporary files are left")

    return Case(f"the input is {how} after {delay:.2f} s ({container})", body)


def two_on_one_output(rng):
    overwrite, gap = rng.random() < 0.4, rng.choice([0.0, 0.0, rng.uniform(0, 0.3)])
    options = rng.choice([QUICK, LONG, TRAINING]) + (["--overwrite"] if overwrite else [])
    parts = [make_part(f"in{i}.nc", [Recipe(**SMALL, level=5.0 * i)], rng) for i in range(2)]

    def body(bench):
        requests = [Request([p], options=options) for p in parts]
        for request in requests:
            write_inputs(bench, request)
        results = run_both(bench, requests, gap)
        winners = [request for request, result in zip(requests, results) if result.code == 0]
        bench.expected = "one run succeeds" + (", or both" if overwrite else "; never both, with one result lost")
        bench.require(overwrite or len(winners) < 2, "both runs ended with exit 0 though there is one output")
        bench.require(winners, "neither run succeeded")
        if winners and all(sound_for(bench, r, r.parts[0]) for r in winners):
            bench.bad(f"the output is none of those that succeeded: {sound_for(bench, winners[0], winners[0].parts[0])[0]}")
        bench.require(not any(oracle.temporary(n) for n in snapshot(bench.folder)), "temporary files are left")

    return Case(f"two runs on one output, {gap:.2f} s apart: {options}", body)


def run_both(bench, requests, gap):
    first = bench.start(requests[0].words())
    wait_until(lambda: False, first, gap)
    second = bench.start(requests[1].words())
    results = [bench.finish(first), bench.finish(second)]
    for result in results:
        for problem in oracle.ending(result):
            bench.bad(problem)
    return results


def two_on_one_checkpoint(rng):
    gap = rng.choice([0.0, rng.uniform(0, 0.3)])
    (part,) = single(rng, **SMALL)

    def body(bench):
        requests = [
            Request(
                [part],
                options=[*LONG, "--checkpoint", "state", "--save-every", "0", "--seed", str(i + 1)],
                output=f"out{i}.nc",
                leaves=("state",),
            )
            for i in range(2)
        ]
        write_inputs(bench, requests[0])
        results = run_both(bench, requests, gap)
        bench.expected = "one run succeeds: the folder holds the state of one"
        bench.require(
            sum(r.code == 0 for r in results) == 1, f"the runs ended with exit {results[0].code} and {results[1].code}"
        )

    return Case(f"two runs on one checkpoint folder, {gap:.2f} s apart", body)


# title: environment, shell words before the program, shell words after it, expected, threads
ENVIRONMENTS = {
    "OMP_THREAD_LIMIT=1 with two threads": ({"OMP_THREAD_LIMIT": "1"}, "", "", "fills", "2"),
    "OMP_DYNAMIC=true with two threads": ({"OMP_DYNAMIC": "true"}, "", "", "fills", "2"),
    "OMP_NUM_THREADS=64": ({"OMP_NUM_THREADS": "64"}, "", "", "fills", "0"),
    "OMP_NUM_THREADS=junk": ({"OMP_NUM_THREADS": "junk"}, "", "", "fills", "0"),
    "OMP_STACKSIZE=1m": ({"OMP_STACKSIZE": "1m"}, "", "", "fills", "2"),
    "OMP_MAX_ACTIVE_LEVELS=0": ({"OMP_MAX_ACTIVE_LEVELS": "0"}, "", "", "fills", "2"),
    "OMP_PROC_BIND=true, one place": ({"OMP_PROC_BIND": "true", "OMP_PLACES": "{0}"}, "", "", "fills", "2"),
    "one processor": ({}, "exec taskset -c 0", "", "fills", "0"),
    "standard input closed": ({}, "", "<&-", "fills", "1"),
    "standard output closed": ({}, "", ">&-", "either", "1"),
    "standard error closed": ({}, "", "2>&-", "fills", "1"),
    "all streams closed": ({}, "", "<&- >&- 2>&-", "either", "1"),
    "| head -1": ({}, "set -o pipefail;", "| head -1", "fills", "1"),
    "| true": ({}, "set -o pipefail;", "| true", "fills", "1"),
    "SIGPIPE ignored, | head -1": ({}, "trap '' PIPE; set -o pipefail;", "| head -1", "fills", "1"),
    "hangup ignored": ({}, "trap '' HUP INT;", "", "fills", "1"),
    "HOME unset": ({}, "unset HOME PATH LANG;", "", "fills", "1"),
    "an empty environment": ({}, "exec env -i", "", "fills", "1"),
    "a locale with decimal commas": ({"LC_ALL": "de_DE.UTF-8"}, "", "", "fills", "1"),
    "TMPDIR absent": ({"TMPDIR": "/absent"}, "", "", "fills", "1"),
    "no file locks of HDF5": ({"HDF5_USE_FILE_LOCKING": "FALSE"}, "", "", "fills", "1"),
    "umask 077": ({}, "umask 077;", "", "fills", "1"),
    "lowest priority": ({}, "exec nice -n 19", "", "fills", "1"),
    "malloc fills with junk": ({"MALLOC_PERTURB_": "165"}, "", "", "fills", "1"),
}


def environment(rng, title=None):
    title = title or rng.choice(list(ENVIRONMENTS))
    env, before, after, expected, threads = ENVIRONMENTS[title]
    options = list(rng.choice([QUICK, QUICK, TRAINING]))
    request = Request(
        single(rng, **SMALL, container=rng.choice(["classic", "nc4"])), options=options, expected=expected, threads=threads
    )

    def body(bench):
        helper = before.split()[1] if before.startswith("exec ") else "bash"
        if not shutil.which(helper):
            raise Skip(f"{helper} is not there")
        fill(bench, request, env=env, before=before, after=after, limit=20)

    return Case(f"{title}: {options}", body)


def removed_folder(rng):
    """Started in a folder that is gone, with absolute paths."""
    (part,) = single(rng, **SMALL)

    def body(bench):
        bench.put("in.nc", part.bytes())
        bench.path("gone").mkdir()
        request = Request([part])
        before = {"in.nc": part.bytes()}
        words = [str(bench.path(w)) if w in ("in.nc", "out.nc") else w for w in request.words()]
        result = bench.run(*words, before=f"cd {bench.path('gone')} && rmdir {bench.path('gone')};")
        judge_fill(bench, request, before, result)

    return Case("started in a folder that was removed", body)


def make_special(bench, kind, name):
    """Puts something under a name that is no plain file."""
    path = bench.path(name)
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(path))
    elif kind == "dangling link":
        path.symlink_to("target.nc")
    elif kind == "link to itself":
        path.symlink_to(name)
    elif kind in ("/dev/null", "/dev/zero", "/dev/full", "/dev/stdin"):
        path.symlink_to(kind)
    elif kind == "empty file":
        path.touch()


SPECIAL = [
    "FIFO",
    "folder",
    "socket",
    "dangling link",
    "link to itself",
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/stdin",
    "empty file",
]


def odd_input(rng, kind=None):
    kind = kind or rng.choice(SPECIAL)
    (part,) = single(rng, **SMALL)

    def body(bench):
        bench.expected = "exit 1 at once, with a line"
        make_special(bench, kind, "in.nc")
        before = snapshot(bench.folder)
        request = Request([part])
        result = bench.run(*request.words(), limit=10)
        for problem in oracle.ending(result):
            bench.bad(problem)
        bench.require(result.code != 0, "exit 0")
        bench.require(snapshot(bench.folder) == before, "files were made or changed")

    return Case(f"an input that is a {kind}", body)


def odd_output(rng, kind=None):
    """Output, report or picture at a name that is no plain file. A link stays a link, and its target is made."""
    kind = kind or rng.choice(SPECIAL)
    where = rng.choice(["out.nc", "out.nc", "r.json", "p.png"])
    options = [*QUICK, "--report", "r.json", "--picture", "p.png"] + (["--overwrite"] if rng.random() < 0.7 else [])
    (part,) = single(rng, **SMALL)

    def body(bench):
        make_special(bench, kind, where)
        request = Request([part], options=options, leaves=("r.json", "p.png", "target.nc"))
        result = fill(bench, request, judge=kind not in ("dangling link", "empty file"), limit=15)
        for problem in oracle.ending(result):
            bench.bad(problem)
        if kind == "dangling link":
            bench.require(bench.path(where).is_symlink(), "the link was replaced by a file")
            if result.code == 0 and bench.path(where).is_symlink():
                bench.require(bench.path("target.nc").exists(), "the link's target was not made")
        if result.code == 0 and where == "out.nc":
            for problem in oracle.filled(bench, request):
                bench.bad(problem)

    return Case(f"{where} is a {kind}: {options}", body)


ODD_NAMES = [
    "with space.nc",
    "new\nline.nc",
    "x" * 252 + ".nc",
    "x" * 240 + ".nc",
    "x" * 255,
    "-o.nc",
    "ü.nc",
    "a'b.nc",
    'a"b.nc',
    "*.nc",
    "%s%n.nc",
    "out",
    ".nc",
    "~.nc",
    "a/../out.nc",
    "./out.nc",
    "absent/out.nc",
    "out.nc/",
    "/dev/full",
    "/proc/out.nc",
    "state/out.nc",
    "state/state.safetensors",
]


def odd_name(rng):
    name = rng.choice(ODD_NAMES)
    options = ["--checkpoint", "state", *TRAINING] if name.startswith("state") else list(QUICK)
    request = Request(single(rng, **SMALL), options=options, output=name, leaves=("state", "out.nc"))

    def body(bench):
        result = fill(bench, request, judge=False, limit=20)
        for problem in oracle.ending(result):
            bench.bad(problem)
        after = snapshot(bench.folder)
        if result.code == 0:
            for problem in oracle.filled(bench, request):
                bench.bad(problem)
        else:
            made = [
                n for n in after if n not in ("in.nc", "state") and not (n.startswith("state/") and name.startswith("state"))
            ]
            bench.require(not made, f"files were made: {made}")
        bench.require(bench.path("in.nc").read_bytes() == request.parts[0].bytes(), "the input was changed")

    return Case(f"the output's name is {name[:60]!r}", body)


def same_file(rng):
    """The output is the input under another name."""
    how = rng.choice(["link", "hard link", "dots", "report", "picture"])
    (part,) = single(rng, **SMALL)

    def body(bench):
        bench.put("in.nc", part.bytes())
        if how == "link":
            bench.path("out.nc").symlink_to("in.nc")
        elif how == "hard link":
            os.link(bench.path("in.nc"), bench.path("out.nc"))
        options = [*QUICK, "--overwrite"] + ([f"--{how}", "./in.nc"] if how in ("report", "picture") else [])
        output = "sub/../in.nc" if how == "dots" else "out.nc"
        bench.path("sub").mkdir()
        fill(bench, Request([part], options=options, output=output, expected="refuses", word="input|in.nc|out.nc"))

    return Case(f"an output that is the input ({how})", body)


def random_path(rng):
    return rng.choice([odd_input, odd_output, odd_name, odd_name, same_file])(rng)


FAMILIES = {
    "changes": (2, changing_input),
    "concurrent": (1, lambda rng: rng.choice([two_on_one_output, two_on_one_output, two_on_one_checkpoint])(rng)),
    "environment": (2, lambda rng: (environment if rng.random() < 0.95 else removed_folder)(rng)),
    "paths": (3, random_path),
}
