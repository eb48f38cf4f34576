"""Known defects of version 0.1.0 that show in what is read: times, companions, cut files, large and small numbers."""

import json
import os
import random
import re
from dataclasses import replace

import netcdf3 as nc
import oracle
import output_check
from bench import HAS_NCCOPY, Case, Skip, snapshot
from family_damage import run_damaged
from inputs import Recipe, make_part, over_time, single
from request import QUICK, TRAINING, Request, fill, judge_damaged

SMALL = {"frames": 6, "rows": 8, "columns": 10}


def in_time(changes, names=None, expected="either", word="", **recipe):
    """Files over time, one for each of the changes, named on the command line in the order of `names`."""

    def make():
        rng = random.Random(str(changes))
        parts = over_time(Recipe(**{**SMALL, **recipe}), len(changes), rng, lambda i: changes[i], names and sorted(names))
        if names:
            parts.sort(key=lambda p: names.index(p.file))
        return Case(
            f"files that differ: {changes}, in the order {[p.file for p in parts]}",
            lambda bench: fill(bench, Request(parts, expected=expected, word=word)),
        )

    return make


def in_order(changes):
    """Files named out of order: right, and the same to the last bit as in order."""

    def make():
        rng = random.Random(str(changes))
        parts = over_time(Recipe(**SMALL), len(changes), rng, lambda i: changes[i], ["a.nc", "b.nc", "c.nc"])

        def body(bench):
            fill(bench, Request(parts[::-1], expected="fills"))
            fill(bench, Request(parts, expected="fills", output="sorted.nc"))
            if not bench.problems:
                values = [output_check.read(bench, bench.path(n)).variable("v").data for n in ("out.nc", "sorted.nc")]
                bench.require(values[0] == values[1], "the order of the names changes the fill")

        return Case(f"files named out of order: {changes}", body)

    return make


def text_against_number():
    """A variable of texts in one file, of numbers in the other."""
    parts = over_time(Recipe(**SMALL, quality=nc.INT), 2, random.Random(1))

    def body(bench):
        if not HAS_NCCOPY:
            raise Skip("nccopy is not there (Debian: netcdf-bin)")
        for part in parts:
            bench.put(part.file, part.bytes())
        written = bench.tool("ncdump", parts[1].file)
        written = re.sub(r"int quality\(time\)", "string quality(time)", written)
        written = re.sub(r"quality = [^;]*;", 'quality = "a", "b", "c", "d", "e", "f" ;', written)
        bench.put("part1.cdl", written)
        bench.tool("ncgen", "-k", "nc4", "-o", parts[1].file, "part1.cdl")
        bench.tool("nccopy", "-k", "nc4", parts[0].file, "part0.four")
        bench.path("part0.four").rename(bench.path(parts[0].file))
        for order in (parts, parts[::-1]):
            request = Request(order, output=f"from_{order[0].file}")
            before = snapshot(bench.folder)
            result = bench.run(*request.words())
            for problem in [
                *oracle.ending(result),
                *oracle.leftovers(before, snapshot(bench.folder), request, result.code == 0),
            ]:
                bench.bad(problem)
            if result.code == 0:
                bench.bad("exit 0: one quality has texts, the other numbers")

    return Case("texts in one file, numbers in the other", body)


def cut_netcdf3():
    """Cut by fewer bytes than the header has."""
    (part,) = single(random.Random(1), **SMALL)
    whole = part.bytes()

    def body(bench):
        for less in (1, 8, 100, 300):
            run_damaged(bench, Request([part], expected="refuses", word="in.nc", output=f"{less}.nc"), whole[:-less])

    return Case("a NetCDF-3 file cut by a few bytes", body)


def huge_dimension():
    (part,) = single(random.Random(1), **SMALL, record=False)
    part.declared = {"time": 2**31 - 8}
    request = Request([part], expected="refuses", word="in.nc")
    return Case("a time of 2^31 frames declared", lambda bench: run_damaged(bench, request, part.bytes()))


def sparse_dimension():
    """A whole file of dimensions so long that their values fit into no memory; on the disk it takes nothing."""
    (part,) = single(random.Random(1), **SMALL, record=False, version=5)
    part.declared = {"time": 2**27}
    content = part.bytes()

    def body(bench):
        bench.put("in.nc", content)
        os.truncate(bench.path("in.nc"), len(content) + 2**27 * (8 + 4 * 80))
        result = bench.run(*Request([part]).words(), before="ulimit -v 3000000;", limit=20)
        bench.expected = "exit 1, with a line that tells of the size"
        bench.require(result.code == 1, f"exit {result.code}")
        for problem in oracle.ending(result):
            bench.bad(problem)
        bench.require(
            oracle.says(result.err, "in.nc|memory|134217728"),
            f"the message does not tell what is too large: {result.err.strip()}",
        )

    return Case("a time of 2^27 frames, and memory for less", body)


def magnitude(level, amplitude, options, kind=nc.DOUBLE):
    def make():
        recipe = Recipe(**SMALL, kind=kind, level=level, amplitude=amplitude, share=0.3)
        request = Request(
            [make_part("in.nc", [recipe], random.Random(2))],
            options=[*options, "--report", "r.json"],
            expected="fills",
            leaves=("r.json",),
        )

        def body(bench):
            result = fill(bench, request)
            if result.code != 0:
                return
            errors = json.loads(bench.path("r.json").read_text())["withheld_nmse"]
            best = errors.get("linear", errors.get("lacuna"))
            bench.require(
                best is not None and best < 0.5 * errors["mean"], f"held-out errors: {errors}, expected well below the mean's"
            )

        return Case(f"{level:g} + {amplitude:g} * signal, {options[:2]}", body)

    return make


def rewrite_state(content, change):
    """A safetensors file with another header."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    change(header["__metadata__"])
    text = json.dumps(header, separators=(",", ":")).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


def checkpoint_step(word):
    """The state tells of a step that cannot be."""

    def make():
        (part,) = single(random.Random(3), **SMALL)
        options = [*TRAINING, "--background", "none", "--checkpoint", "state"]

        def body(bench):
            if fill(bench, Request([part], options=options, expected="fills", leaves=("state",))).code != 0:
                return
            path = bench.path("state/state.safetensors")
            path.write_bytes(rewrite_state(path.read_bytes(), lambda data: data.update(step=word)))
            again = Request(
                [part],
                options=[*options, "--resume"],
                output="again.nc",
                expected="refuses",
                word="state.safetensors",
                leaves=("state",),
            )
            before = snapshot(bench.folder)
            judge_damaged(bench, again, before, bench.run(*again.words(), limit=15))

        return Case(f"a checkpoint of 4 steps that says step {word}", body)

    return make


def checkpoint_bits():
    """Many bits of the state, one after another: refused, or the same result."""
    (part,) = single(random.Random(3), **SMALL)
    options = [*TRAINING, "--background", "none", "--checkpoint", "state"]

    def body(bench):
        rng = random.Random(4)
        if fill(bench, Request([part], options=options, expected="fills", leaves=("state",))).code != 0:
            return
        path = bench.path("state/state.safetensors")
        whole = path.read_bytes()
        header = 8 + int.from_bytes(whole[:8], "little")
        for i in range(30):
            changed = bytearray(whole)
            at = rng.randrange(header)
            for place in [at] if i < 20 else rng.sample(range(header, len(whole)), 50):
                at, changed[place] = place, changed[place] ^ 1 << rng.randrange(7)
            path.write_bytes(changed)
            again = Request([part], options=[*options, "--resume", "--overwrite"], output="again.nc", leaves=("state",))
            result = bench.run(*again.words(), limit=20)
            for problem in oracle.ending(result):
                bench.bad(f"bit at byte {at}: {problem}")
            if result.code == 0:
                values = [output_check.read(bench, bench.path(n)).variable("v").data for n in ("out.nc", "again.nc")]
                bench.require(
                    values[0] == values[1],
                    f"went on from a state with a bit changed at byte {at} of {len(whole)} to another result",
                )

    return Case("bits of a checkpoint changed", body)


def one_file(title, expected, change, word="", options=None, **recipe):
    def make():
        (part,) = single(random.Random(5), **{**SMALL, **recipe})
        change(part)
        return Case(
            title, lambda bench: fill(bench, Request([part], expected=expected, word=word, options=options or list(QUICK)))
        )

    return make


def set_times(values):
    def change(part):
        part.data.variable("time").data = nc.pack(nc.DOUBLE, values)

    return change


def existing_spread():
    """A v_spread of the input gives way to the tool's, and that is said."""
    (part,) = single(random.Random(6), **SMALL)
    v = part.data.variable("v")
    part.data.variables.append(nc.Variable("v_spread", v.dims, v.kind, v.data, []))

    def body(bench):
        result = fill(bench, Request([part]))
        if result.code == 0:
            bench.require("v_spread" in result.out + result.err, "nothing says that the input's v_spread is not kept")

    return Case("the input has a v_spread", body)


def group_variable():
    """A variable within a group is not found by -v group/v; the message must help."""
    (part,) = single(random.Random(6), **SMALL, record=False)

    def body(bench):
        if not HAS_NCCOPY:
            raise Skip("nccopy is not there (Debian: netcdf-bin)")
        bench.put("in.nc", part.bytes())
        inner = bench.tool("ncdump", "in.nc").split("{", 1)[1].rsplit("}", 1)[0]
        bench.put("in.cdl", "netcdf in {\ngroup: g {\n" + inner + "\n}\n}\n")
        bench.tool("ncgen", "-k", "nc4", "-o", "in.nc", "in.cdl")
        request = replace(Request([part], expected="refuses", word="group"), variables=["g/v"])
        before = snapshot(bench.folder)
        judge_damaged(bench, request, before, bench.run(*request.words()))

    return Case("-v g/v of a group", body)


DAYS = "days since 2000-01-0"
CASES = {
    "time-int-double": in_time([{"time_kind": nc.INT}, {"time_kind": nc.DOUBLE}]),
    "time-double-int": in_time([{"time_kind": nc.DOUBLE}, {"time_kind": nc.INT}]),
    "bounds-double-int": in_time([{"bounds_kind": nc.DOUBLE}, {"bounds_kind": nc.INT}], bounds=2, step=2 * 86400),
    "bounds-length": in_time([{"bounds": 2}, {"bounds": 3}], expected="refuses", word="time_bnds"),
    "quality-kinds": in_time([{"quality": nc.INT}, {"quality": nc.DOUBLE}]),
    "quality-packing": in_time([{"quality_scale": 1.0}, {"quality_scale": 0.5}], quality=nc.SHORT),
    "time-packing": in_time([{"time_scale": 0.5}, {"time_scale": 0.25}], time_kind=nc.INT),
    "text-against-number": text_against_number,
    "order-days": in_order([{"units": DAYS + "6"}, {"units": DAYS + "1"}]),
    "order-days-back": in_order([{"units": DAYS + "1"}, {"units": DAYS + "6"}]),
    "order-hours": in_order([{"units": "hours since 2000-01-01"}, {"units": DAYS + "1"}]),
    "order-three": in_order([{"units": DAYS + "6"}, {"units": "hours since 2000-01-01"}, {"units": DAYS + "2"}]),
    "order-same-units": in_order([{}, {}, {}]),
    "netcdf3-cut": cut_netcdf3,
    "huge-dimension": huge_dimension,
    "sparse-dimension": sparse_dimension,
    "offset-linear": magnitude(1e9, 0.1, QUICK),
    "offset-lacuna": magnitude(1e9, 0.1, TRAINING),
    "offset-float": magnitude(1e4, 1.0, QUICK, nc.FLOAT),
    "huge-values": magnitude(0.0, 1e300, QUICK),
    "tiny-values": magnitude(0.0, 1e-200, QUICK),
    **{f"checkpoint-step-{word}": checkpoint_step(word) for word in ("9", "5x", "1e3", "-1", "99999999999999999999", "")},
    "checkpoint-bits": checkpoint_bits,
    "fill-value-type": one_file(
        "_FillValue of another type",
        "either",
        lambda p: p.data.variable("v").attributes.append(nc.number("_FillValue", nc.DOUBLE, -999.0)),
        options=TRAINING,
    ),
    "existing-spread": existing_spread,
    "group": group_variable,
    "text-scale": one_file(
        "a text as scale_factor",
        "refuses",
        lambda p: p.data.variable("v").attributes.append(nc.text("scale_factor", "0.1")),
        "scale_factor",
    ),
    "times-unsorted": one_file("times that go back", "refuses", set_times([5.0, 6.0, 9.0, 7.0, 8.0, 10.0]), "time"),
    "times-doubled": one_file("a time twice", "refuses", set_times([5.0, 6.0, 6.0, 7.0, 8.0, 9.0]), "time"),
}
