"""lacuna-reproduce and generate: killed, on a full disk, with damaged files, and with wrong options."""

import json
import os
import signal
from pathlib import Path

import oracle
from bench import Case, Skip, send_after, snapshot
from family_damage import cut, flip

SETTINGS = Path(__file__).resolve().parents[2] / "examples" / "reproduce" / "settings.json"
TABLE = [
    "lacuna-reproduce",
    "5",
    "--budget",
    "smoke",
    "--columns",
    "advection",
    "--rows",
    "UNet",
    "--threads",
    "1",
    "--folder",
    "r",
]
SAMPLES = ["generate", "advection", "--samples", "200", "--size", "16", "--threads", "1"]
ENDINGS = [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]


def judge_ending(bench, result):
    """The exit code and the message. These programs may die of a signal: the same command goes on."""
    if result.signalled is None or not result.killed_by:
        for problem in oracle.ending(result):
            bench.bad(problem)


def rows_of(bench):
    """What the table holds, apart from times."""
    try:
        return json.loads(bench.path("r/smoke/table5.json").read_text())["rows"]
    except (OSError, ValueError, KeyError) as error:
        bench.bad(f"the table cannot be read: {error}")
        return None


def whole_table(bench):
    """The rows of a run that nothing stopped, and its seconds."""

    def make():
        result = bench.run(*TABLE[:-1], "unbroken")
        if result.code != 0:
            raise Skip(f"lacuna-reproduce fails: {result.err.strip()}")
        return json.loads(bench.path("unbroken/smoke/table5.json").read_text())["rows"], result.seconds

    return bench.reference("table", make)


def finish_table(bench, expected="fills"):
    """The same command again, which must end with the same rows, or be refused where that is allowed."""
    result = bench.run(*TABLE)
    judge_ending(bench, result)
    rows, _ = whole_table(bench)
    if result.code == 0:
        bench.require(rows_of(bench) == rows, "the table has other rows than one made without a stop")
        left = [n for n in snapshot(bench.path("r")) if oracle.temporary(n)]
        bench.require(not left, f"left behind: {left}")
    elif expected == "fills":
        bench.bad(f"exit {result.code}: {result.err.strip()[-200:]}")


def table_killed(rng):
    moments, number = [rng.random() for _ in range(rng.randrange(1, 3))], rng.choice(ENDINGS)

    def body(bench):
        bench.expected = "the last run ends with the same table as one without a stop"
        _, seconds = whole_table(bench)
        for moment in moments:
            judge_ending(bench, bench.run(*TABLE, during=send_after(moment * seconds, number)))
        finish_table(bench)

    return Case(f"lacuna-reproduce, {number.name} at {moments}", body)


def table_damaged(rng):
    """A file that an earlier run left is damaged: the next one is refused, or makes the same table."""
    cuts, choice, draw = rng.random() < 0.4, rng.random(), rng.random()

    def body(bench):
        finish_table(bench)
        files = [p for p in sorted(bench.path("r").rglob("*")) if p.is_file() and p.suffix in (".json", ".safetensors", ".nc")]
        path = files[int(choice * len(files))]
        content = path.read_bytes()
        path.write_bytes(
            content[: cut(content, rng)] if cuts else flip(content, rng, 0, None if draw < 0.5 else min(len(content), 400))[0]
        )
        if path.suffix == ".nc" and not cuts or "parameters" in path.name:
            judge_ending(bench, bench.run(*TABLE))  # a sample that differs in one bit makes another table
            return
        bench.path("r/smoke/table5.json").unlink(missing_ok=True) if path.name != "table5.json" else None
        finish_table(bench, "either")

    return Case("lacuna-reproduce, a file of an earlier run " + ("cut" if cuts else "with a bit changed"), body)


def settings_damaged(rng):
    """The file of settings: cut, with a bit changed, or with a value nobody expects."""
    whole = SETTINGS.read_bytes()
    how = rng.choice(["cut", "flip", "value", "value", "value", "shape"])
    content = whole
    if how == "cut":
        content = whole[: cut(whole, rng)]
    elif how == "flip":
        content = flip(whole, rng, 0, whole.index(b'"small"'))[0]
    elif how == "shape":
        content = rng.choice(
            [b"", b"[]", b"null", b"{}", b'{"smoke": 1}', b'{"smoke": []}', b'{"smoke": {}}', b"[" * 100000, b"\xff\xfe"]
        )
    else:
        tree = json.loads(whole)
        entry = tree["smoke"]["advection pixels"]
        name = rng.choice(list(entry))
        entry[name] = rng.choice([0, -1, 1e30, 1.5, "x", None, [], {}, True, 2**63, 10**330, -(2**31), ""])
        content, how = json.dumps(tree).encode(), f"{name} = {str(entry[name])[:30]!r}"

    def body(bench):
        bench.put("settings.json", content)
        result = bench.run(*TABLE, "--settings", "settings.json", before="ulimit -v 8000000;", limit=30)
        judge_ending(bench, result)

    return Case(f"lacuna-reproduce, settings changed ({how})", body)


def table_options(rng):
    words = rng.choice(
        [
            ["3"],
            ["10"],
            [""],
            ["x"],
            ["5", "--budget", "x"],
            ["5", "--budget", ""],
            ["5", "--columns", "x"],
            ["5", "--rows", "x"],
            ["5", "--seeds", "-1"],
            ["5", "--seeds", "1e308"],
            ["5", "--seeds", "9" * 330],
            ["5", "--settings", "absent"],
            ["5", "--settings", "."],
            ["5", "--device", "cuda:99"],
            ["5", "--threads", "-1"],
            ["--show", "absent"],
            ["--show", "/dev/null"],
            ["5", "--era5", "absent"],
            ["1", "--columns", "era5"],
            ["5", "--folder", "/dev/null/x"],
            [],
        ]
    )

    def body(bench):
        bench.expected = "exit 1, with a line"
        result = bench.run("lacuna-reproduce", *(words + (["--budget", "smoke"] if "--budget" not in words else [])), limit=20)
        judge_ending(bench, result)
        bench.require(result.code != 0, "exit 0")

    return Case(f"lacuna-reproduce {words}", body)


def table_full_disk(rng):
    kilobytes = rng.randrange(1, 60) * 4

    def body(bench):
        if os.geteuid() != 0:
            raise Skip("a small disk needs root to mount it")
        whole_table(bench)
        disk = bench.small_disk("r", kilobytes)
        judge_ending(bench, bench.run(*TABLE))
        bench.tool("mount", "-o", "remount,size=20m", str(disk))
        finish_table(bench)

    return Case(f"lacuna-reproduce on a disk of {kilobytes} kB, which then grows", body)


def whole_samples(bench):
    """The bytes of a file made without a stop, and the seconds that it takes."""

    def make():
        result = bench.run(*SAMPLES, "-o", "unbroken.nc")
        if result.code != 0:
            raise Skip(f"generate fails: {result.err.strip()}")
        return bench.path("unbroken.nc").read_bytes(), result.seconds

    return bench.reference("samples", make)


def finish_samples(bench, name="s.nc", expected="fills"):
    result = bench.run(*SAMPLES, "-o", name)
    judge_ending(bench, result)
    whole, _ = whole_samples(bench)
    if result.code == 0:
        bench.require(bench.path(name).read_bytes() == whole, "the samples differ from those made without a stop")
    elif expected == "fills":
        bench.bad(f"exit {result.code}: {result.err.strip()[-200:]}")
    left = [n for n in snapshot(bench.folder) if oracle.temporary(n)]
    bench.require(not left, f"left behind: {left}")


def samples_killed(rng):
    moments, number = [rng.random() for _ in range(rng.randrange(1, 4))], rng.choice(ENDINGS)

    def body(bench):
        bench.expected = "the last run ends with the same file as one without a stop"
        _, seconds = whole_samples(bench)
        for moment in moments:
            judge_ending(bench, bench.run(*SAMPLES, "-o", "s.nc", during=send_after(moment * seconds, number)))
        finish_samples(bench)

    return Case(f"generate, {number.name} at {moments}", body)


def samples_damaged(rng):
    cuts = rng.random() < 0.5

    def body(bench):
        whole, _ = whole_samples(bench)
        bench.put("s.nc", whole[: cut(whole, rng)] if cuts else flip(whole, rng, 0, 6000)[0])
        if cuts:
            finish_samples(bench, expected="either")
        else:
            judge_ending(bench, bench.run(*SAMPLES, "-o", "s.nc"))

    return Case("generate, its file " + ("cut" if cuts else "with a bit changed"), body)


def samples_little_disk(rng):
    """A full disk, or a limit on the size of files; then room."""
    kilobytes, limit = rng.randrange(1, 200) * 4, rng.random() < 0.5

    def body(bench):
        whole_samples(bench)
        if limit:
            judge_ending(bench, bench.run(*SAMPLES, "-o", "s.nc", before=f"ulimit -f {kilobytes};"))
            return finish_samples(bench)
        if os.geteuid() != 0:
            raise Skip("a small disk needs root to mount it")
        disk = bench.small_disk("disk", kilobytes)
        judge_ending(bench, bench.run(*SAMPLES, "-o", "disk/s.nc"))
        bench.tool("mount", "-o", "remount,size=60m", str(disk))
        finish_samples(bench, "disk/s.nc")

    return Case(f"generate with room for {kilobytes} kB ({'ulimit -f' if limit else 'a small disk'}), then more", body)


def samples_options(rng):
    words = rng.choice(
        [
            ["waves"],
            ["advection", "--samples", "-1"],
            ["advection", "--samples", "1e308"],
            ["advection", "--samples", "9" * 330],
            ["advection", "--size", "-1"],
            ["advection", "--size", "4"],
            ["advection", "--size", "4097"],
            ["advection", "--seed", "-1"],
            ["advection", "--seed", "x"],
            ["advection", "--threads", "1025"],
            ["advection", "--size", ""],
            [""],
            [],
            ["advection", "--samples", "3", "-o", ""],
            ["advection", "--samples", "3", "-o", "."],
            ["advection", "--samples", "3", "-o", "x" * 300],
            ["advection", "--samples", "3", "-o", "absent/s.nc"],
            ["advection", "--samples", "3", "-o", "/dev/null"],
        ]
    )

    def body(bench):
        bench.expected = "exit 1, with a line"
        before = snapshot(bench.folder)
        result = bench.run("generate", *words, *([] if "-o" in words else ["-o", "s.nc"]), limit=20)
        judge_ending(bench, result)
        bench.require(result.code != 0, "exit 0")
        bench.require(snapshot(bench.folder) == before, "files were made")

    return Case(f"generate {[w[:40] for w in words]}", body)


def samples_faults(rng):
    kind, how, most = rng.choice(
        [
            ("write", "short", 30),
            ("write", "ENOSPC", 30),
            ("write", "EINTR", 30),
            ("fsync", "once", 4),
            ("new", "once", 3000),
            ("rename", "once", 2),
            ("read", "short", 20),
        ]
    )
    number = int(most ** rng.random())

    def body(bench):
        if not bench.settings.faults:
            raise Skip("no --faults LIB was given")
        whole_samples(bench)
        fault = f"export LD_PRELOAD={bench.settings.faults} ROBUSTNESS_FAULT='{kind} {how} {number}';"
        judge_ending(bench, bench.run(*SAMPLES, "-o", "s.nc", before=fault))
        finish_samples(bench)

    return Case(f"generate, call {number} of {kind} fails ({how})", body)


def one_of(*makers):
    return lambda rng: rng.choice(makers)(rng)


FAMILIES = {
    "reproduce": (
        1,
        one_of(table_killed, table_damaged, table_damaged, settings_damaged, settings_damaged, table_options, table_full_disk),
    ),
    "generate": (
        2,
        one_of(samples_killed, samples_damaged, samples_damaged, samples_little_disk, samples_options, samples_faults),
    ),
}
