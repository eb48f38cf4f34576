"""Damaged files: flipped bits and cuts of NetCDF-3, NetCDF-4 and checkpoints, and headers that lie."""

from bench import Case, snapshot
from inputs import single
from request import TRAINING, Request, fill, judge_damaged, same_fill, write_inputs

SMALL = {"frames": 7, "rows": 8, "columns": 10}
CHECKPOINT = [*TRAINING, "--background", "none", "--checkpoint", "state"]


def flip(data, rng, first=0, last=None):
    """One bit, seldom a whole byte, at a random place."""
    at = rng.randrange(first, last or len(data))
    other = rng.choice([0, 255, 127]) if rng.random() < 0.2 else data[at] ^ 1 << rng.randrange(8)
    return data[:at] + bytes([other]) + data[at + 1 :], at


def cut(data, rng):
    """A length that loses something: short, a few bytes less, or any."""
    return rng.choice(
        [rng.randrange(0, 8), len(data) - rng.randrange(1, 9), len(data) - rng.randrange(1, 200), rng.randrange(len(data))]
    )


def run_damaged(bench, request, content):
    """Runs on a first file that has other bytes than its recipe."""
    bench.put(request.parts[0].file, content)
    before = snapshot(bench.folder)
    judge_damaged(bench, request, before, bench.run(*request.words()))


def damaged_netcdf3(rng):
    (part,) = single(rng, **SMALL, version=rng.choice([1, 2, 5]), extras=True, record=rng.random() < 0.6, bounds=2)
    whole = part.bytes()
    if rng.random() < 0.4:
        length = max(0, cut(whole, rng))
        request = Request([part], expected="refuses", word="in.nc")
        return Case(
            f"NetCDF-3 of {len(whole)} bytes cut to {length}", lambda bench: run_damaged(bench, request, whole[:length])
        )
    header = len(whole) - sum(len(v.data) for v in part.data.variables)
    content, at = flip(whole, rng, 0, header if rng.random() < 0.9 else None)
    return Case(f"NetCDF-3 with byte {at} of {len(whole)} changed", lambda bench: run_damaged(bench, Request([part]), content))


def damaged_netcdf4(rng):
    (part,) = single(rng, **SMALL, container=rng.choice(["nc4", "nc7"]), extras=True)
    cuts, draws = rng.random() < 0.4, rng.random()

    def body(bench):
        request = Request([part], expected="refuses" if cuts else "either", word="in.nc")
        write_inputs(bench, request)
        whole = bench.path("in.nc").read_bytes()
        content = whole[: max(0, cut(whole, rng))] if cuts else flip(whole, rng, 0, None if draws < 0.5 else len(whole) // 2)[0]
        run_damaged(bench, request, content)

    return Case("NetCDF-4, " + ("cut short" if cuts else "with a byte changed"), body)


def lying_header(rng):
    what = rng.choice(["records", "length"])
    (part,) = single(rng, **SMALL, version=rng.choice([1, 2, 5]), record=what == "records")
    huge = rng.choice([2, 1000, 2**20, 2**31 - 4, 2**32 - 2 if part.data.version == 5 else 2**31 - 8])
    if what == "records":
        part.numrecs = part.recipe.frames + huge
    else:
        name = rng.choice(["time", "lat", "lon"])
        part.declared = {name: part.data.dims[name] + huge}
    content = part.bytes()
    request = Request([part], expected="refuses", word="in.nc")
    return Case(
        f"a header that tells of {huge} more in {what} than there are", lambda bench: run_damaged(bench, request, content)
    )


def damaged_checkpoint(rng):
    """A changed checkpoint is refused, or the run ends the same."""
    (part,) = single(rng, **SMALL, seed=1)
    cuts = rng.random() < 0.25
    in_header = rng.random() < 0.6

    def body(bench):
        request = Request([part], options=CHECKPOINT, leaves=("state",), expected="fills")
        if fill(bench, request).code != 0:
            return
        whole = bench.path("state/state.safetensors").read_bytes()
        header = 8 + int.from_bytes(whole[:8], "little")
        content = whole[: cut(whole, rng)] if cuts else flip(whole, rng, 0, header if in_header else None)[0]
        bench.put("state/state.safetensors", content)
        again = Request([part], options=[*CHECKPOINT, "--resume"], leaves=("state",), output="again.nc")
        before = snapshot(bench.folder)
        result = bench.run(*again.words())
        judge_damaged(bench, again, before, result)
        if result.code == 0:
            bench.require(
                same_fill(bench, request, "out.nc", "again.nc"), "went on from a damaged checkpoint to another result"
            )

    return Case("a checkpoint " + ("cut short" if cuts else "with a bit changed"), body)


def edited_checkpoint(rng):
    """Texts of the checkpoint's header changed to others of the same length."""
    (part,) = single(rng, **SMALL, seed=1)
    step = rng.choice(["9", "x", "-", " ", "0"])

    def body(bench):
        request = Request([part], options=CHECKPOINT, leaves=("state",), expected="fills")
        if fill(bench, request).code != 0:
            return
        path = bench.path("state/state.safetensors")
        whole = path.read_bytes()
        if b'"step":"4"' not in whole:
            return
        path.write_bytes(whole.replace(b'"step":"4"', f'"step":"{step}"'.encode()))
        again = Request([part], options=[*CHECKPOINT, "--resume"], leaves=("state",), output="again.nc", expected="refuses")
        before = snapshot(bench.folder)
        judge_damaged(bench, again, before, bench.run(*again.words()))

    return Case(f"a checkpoint that says step {step} of 4", body)


def random_damage(rng):
    return rng.choice(
        [damaged_netcdf3] * 4
        + [damaged_netcdf4] * 3
        + [lying_header, damaged_checkpoint, damaged_checkpoint, edited_checkpoint]
    )(rng)


FAMILIES = {"damage": (5, random_damage)}
