#!/usr/bin/env python3
"""The battery's own tests: what it writes is NetCDF, and its oracle finds every kind of broken outcome."""

import copy
import math
import random
import shutil
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

import netcdf3 as nc
import oracle
from bench import Bench, Case, Result, Settings, snapshot
from inputs import Recipe, make_part, over_time, parse_units
from request import Request, judge_fill
from run import FAMILIES, identities, make_case

SMALL = {"frames": 5, "rows": 6, "columns": 8}


def ended(code=0, err="", out="", **more):
    return Result("lacuna-fill in.nc", code, more.pop("killed_by", 0), out, err, 0.1, **more)


def right_output(request):
    """What a faultless tool would write: the truth in every gap."""
    parts = sorted(request.parts, key=lambda p: p.seconds[0])
    out = copy.deepcopy(parts[0].data)
    frames = sum(len(p.seconds) for p in parts)
    out.dims["time"] = frames
    for v in out.variables:
        if "time" in v.dims:
            v.data = b"".join(p.data.variable(v.name).data for p in parts)
    unit, epoch = parse_units(parts[0].recipe.units)
    out.variable("time").data = nc.pack(nc.DOUBLE, [(s - epoch) / unit for p in parts for s in p.seconds])
    v = out.variable("v")
    observed = [seen for p in parts for frame in p.observed["v"] for seen in frame]
    truth = [value for p in parts for frame in p.truth["v"] for value in frame]
    numbers = v.numbers()
    v.data = nc.pack(v.kind, [n if seen else value for n, seen, value in zip(numbers, observed, truth)])
    out.variables += [
        nc.Variable("v_spread", v.dims, nc.FLOAT, nc.pack(nc.FLOAT, [0.0 if seen else 0.5 for seen in observed])),
        nc.Variable("v_observed", v.dims, nc.BYTE, nc.pack(nc.BYTE, [int(seen) for seen in observed])),
    ]
    return out


class Format(unittest.TestCase):
    def datasets(self):
        for version in (1, 2, 5):
            for record in (True, False):
                for bounds in (0, 2):
                    yield make_part(
                        "in.nc",
                        [
                            Recipe(
                                **SMALL,
                                version=version,
                                record=record,
                                bounds=bounds,
                                extras=bool(bounds),
                                quality=nc.SHORT,
                                kind=nc.SHORT,
                                scale=0.1,
                                mark="_FillValue",
                            )
                        ],
                        random.Random(1),
                    ).data

    def test_what_is_written_reads_back(self):
        for data in self.datasets():
            content = nc.encode(data)
            back = nc.decode(content)
            self.assertEqual(back.variables, data.variables)
            self.assertEqual((back.dims, back.attributes), (data.dims, data.attributes))
            self.assertEqual(nc.encode(back), content)

    def test_a_single_record_variable_is_not_padded(self):
        data = nc.Dataset(1, {"time": 3, "x": 3}, "time", [], [nc.Variable("v", ["time", "x"], nc.BYTE, b"abcdefghi")])
        self.assertTrue(nc.encode(data).endswith(b"abcdefghi"))
        data.variables.append(nc.Variable("w", ["time"], nc.SHORT, b"ABCDEF"))
        self.assertTrue(nc.encode(data).endswith(b"abc\0AB\0\0def\0CD\0\0ghi\0EF\0\0"))
        self.assertEqual(nc.decode(nc.encode(data)).variables, data.variables)

    def test_cut_and_foreign_bytes_are_told(self):
        content = nc.encode(next(self.datasets()))
        for length in [*range(0, 400, 7), len(content) - 1]:
            with self.assertRaises(nc.FormatError):
                nc.decode(content[:length])

    def test_headers_can_lie(self):
        data = next(self.datasets())
        self.assertEqual(struct.unpack(">I", nc.encode(data, numrecs=77)[4:8])[0], 77)
        self.assertIn(struct.pack(">I", 2**31), nc.encode(data, declared={"lat": 2**31}))

    @unittest.skipUnless(shutil.which("nccopy"), "nccopy is not there (Debian: netcdf-bin)")
    def test_the_netcdf_library_agrees(self):
        with tempfile.TemporaryDirectory() as folder:
            for i, data in enumerate(self.datasets()):
                path, other, back = (Path(folder, f"{i}{end}") for end in (".nc", ".four", ".five"))
                path.write_bytes(nc.encode(data))
                subprocess.run(["nccopy", "-k", "nc4", path, other], check=True)
                subprocess.run(["nccopy", "-k", "cdf5", other, back], check=True)
                found = nc.decode(back.read_bytes())
                self.assertEqual(
                    [(v.name, v.data, v.attributes) for v in found.variables],
                    [(v.name, v.data, v.attributes) for v in data.variables],
                )


class Verdict(unittest.TestCase):
    """Plants one mistake after another into a faultless outcome."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.request = Request(
            [make_part("in.nc", [Recipe(**SMALL, extras=True, quality=nc.INT, bounds=2)], random.Random(1))], expected="fills"
        )

    def judge(self, change=lambda out: None, result=None, request=None, leave=()):
        request = request or self.request
        folder = Path(tempfile.mkdtemp(dir=self.folder)) / "case"
        folder.mkdir()
        bench = Bench(Settings(folder), Case("", None), folder)
        for part in request.parts:
            bench.put(part.file, part.bytes())
        before = snapshot(folder)
        result = result or ended()
        if result.code == 0:
            out = right_output(request)
            changed = change(out)
            bench.put("out.nc", changed if isinstance(changed, bytes) else nc.encode(out))
        for name in leave:
            bench.put(name, b"x")
        judge_fill(bench, request, before, result)
        return bench.problems

    def assert_bad(self, word, *args, **more):
        problems = self.judge(*args, **more)
        self.assertTrue(any(word in p for p in problems), f"'{word}' is not among {problems}")

    def plant(self, name, index, number):
        """Changes one number of a variable: the first, or the first of the observed or missing cells."""

        def change(out):
            v = out.variable(name)
            flags = [seen for p in self.request.parts for frame in p.observed["v"] for seen in frame]
            at = index if isinstance(index, int) else flags.index(index == "observed")
            numbers = v.numbers()
            numbers[at] = number
            v.data = nc.pack(v.kind, numbers)

        return change

    def test_a_faultless_outcome_is_good(self):
        self.assertEqual(self.judge(), [])

    def test_values(self):
        self.assert_bad("observed values", self.plant("v", "observed", 0.123))
        self.assert_bad("not filled", self.plant("v", "missing", math.nan))
        self.assert_bad("not filled", self.plant("v", "missing", nc.DEFAULT_FILL[nc.FLOAT]))
        self.assert_bad("amplitudes off", self.plant("v", "missing", 1e6))
        self.assert_bad("not finite", self.plant("v", "missing", math.inf))
        self.assert_bad(
            "do not follow",
            lambda out: [
                self.plant("v", i, 0.9)(out)
                for i, seen in enumerate(s for frame in self.request.parts[0].observed["v"] for s in frame)
                if not seen
            ]
            and None,
        )

    def test_flags_and_spread(self):
        self.assert_bad("flags", self.plant("v_observed", "observed", 0))
        self.assert_bad("flags", self.plant("v_observed", "missing", 1))
        self.assert_bad("flags", self.plant("v_observed", "missing", -1))
        for number in (math.nan, -1.0, nc.DEFAULT_FILL[nc.FLOAT], math.inf):
            self.assert_bad("v_spread", self.plant("v_spread", "missing", number))
        self.assert_bad("v_spread", self.plant("v_spread", "observed", 0.1))
        self.assert_bad("no variable v_spread", lambda out: out.variables.remove(out.variable("v_spread")))

    def test_surroundings(self):
        self.assert_bad("times are wrong", self.plant("time", 2, 3.0))
        self.assert_bad("attributes of v", lambda out: out.variable("v").attributes.pop())
        self.assert_bad("attributes of lat", lambda out: out.variable("lat").attributes.pop())
        self.assert_bad("attributes of the file", lambda out: out.attributes.pop(0))
        self.assert_bad("lon was changed", self.plant("lon", 1, 3.0))
        self.assert_bad("area is not in the output", lambda out: out.variables.remove(out.variable("area")))
        self.assert_bad("quality is wrong", self.plant("quality", 1, 77))
        self.assert_bad("time_bnds is wrong", self.plant("time_bnds", 1, 77.0))
        self.assert_bad("cannot be read", lambda out: nc.encode(out)[:-40])
        self.assert_bad("cannot be read", lambda out: b"")

    def test_files_over_time(self):
        parts = over_time(Recipe(**SMALL), 2, random.Random(1), lambda i: {"units": f"days since 2000-01-0{i + 1}"})
        request = Request(parts[::-1], expected="fills")
        self.assertEqual(self.judge(request=request), [])

        def shift(out):
            time = out.variable("time")
            time.data = nc.pack(nc.DOUBLE, [t + (i >= 5) for i, t in enumerate(time.numbers())])

        self.assert_bad("times are wrong", shift, request=request)

    def test_leftovers(self):
        for name in (".out.nc.77.0.tmp", "out.nc.lock", "core"):
            self.assertTrue(self.judge(leave=[name]))
        self.assert_bad("was changed", leave=["in.nc"])
        self.assert_bad("cannot be read", result=ended(1, "a line"), leave=["out.nc"])

    def test_endings(self):
        either = Request(self.request.parts)
        self.assertEqual(self.judge(result=ended(1, "lacuna-fill: in.nc: no"), request=either), [])
        for result in (
            ended(1),
            ended(1, "\n"),
            ended(1, "a\nb\nc\nd\n"),
            ended(1, "lacuna-fill: std::bad_alloc"),
            ended(1, "x " + "9" * 300),
            ended(1, "terminate called after"),
            ended(2, "a line"),
            ended(127, "a line"),
            ended(139, "", killed_by=11),
            ended(134, "Aborted", killed_by=6),
            ended(137, "", killed_by=9, timed_out=True),
            ended(153, "", killed_by=25),
            ended(130, "stopped"),
            ended(130, "", signalled=1.0),
            ended(130, "stopped", signalled=1.0, killed_by=2),
            ended(139, "", signalled=1.0, killed_by=11),
        ):
            self.assertTrue(self.judge(result=result, request=either), result)
        self.assertEqual(self.judge(result=ended(130, "go on with --resume", signalled=1.0), request=either), [])
        self.assertEqual(self.judge(result=ended(137, "", killed_by=9, signalled=1.0), request=either), [])

    def test_expectations(self):
        self.assert_bad("no output", result=ended(1, "a line"))
        self.assert_bad("refusal", request=Request(self.request.parts, expected="refuses"))
        self.assert_bad(
            "no 'scale'", result=ended(1, "a line"), request=Request(self.request.parts, expected="refuses", word="scale")
        )

    def test_words_of_the_command_may_be_repeated(self):
        long = "9" * 300
        self.assertEqual(list(oracle.message(f"--seed {long}: no", f"lacuna-fill --seed {long}")), [])


class Cases(unittest.TestCase):
    def test_an_id_always_makes_the_same_case(self):
        for family in FAMILIES:
            for number in range(20):
                identity = f"{family}:3:{number}"
                self.assertEqual(make_case(identity).title, make_case(identity).title)

    def test_the_seed_chooses_the_cases(self):
        def first(seed):
            ids = identities(seed, list(FAMILIES))
            return [next(ids) for _ in range(200)]

        self.assertEqual(first(1), first(1))
        self.assertNotEqual(first(1), first(2))
        self.assertEqual({i.split(":")[0] for i in first(1)}, set(FAMILIES))


if __name__ == "__main__":
    unittest.main()
