"""Odd inputs that have a meaning: types, packings, marks of gaps, axes, several files, names."""

from dataclasses import replace

import netcdf3 as nc
from bench import Case, HAS_NCCOPY
from inputs import Recipe, make_part, over_time
from request import TRAINING, Request, fill, same_fill

SMALL = {"frames": 7, "rows": 8, "columns": 10}
METHODS = ["linear", "linear", "mean", "nearest", "climatology", "temporal", "laplace"]
NAMES = ["v", "sst", "2m_temp", "a-b", "a.b", "température", "x" * 100, "a+b@c", "V", "spread"]


def random_type(rng):
    """Type, packing and range of values that fit together."""
    kind = rng.choice([nc.FLOAT, nc.FLOAT, nc.DOUBLE, nc.DOUBLE, nc.SHORT, nc.INT, nc.BYTE])
    if kind in nc.FLOATING:
        level, amplitude = rng.choice([(0.0, 1.0), (280.0, 5.0), (-3.0, 0.1), (0.0, 1e-8), (0.0, 1e20), (5.0, 0.0)])
        return {
            "kind": kind,
            "level": level,
            "amplitude": amplitude,
            "scale": 1.0,
            "offset": 0.0,
            "mark": rng.choice(["nan", "_FillValue", "missing_value", "valid_range", "valid_max", "default"]),
        }
    scale = rng.choice([0.01, 0.5]) if kind != nc.BYTE else 0.1
    level = rng.choice([0.0, 273.15])
    return {
        "kind": kind,
        "level": level,
        "amplitude": 5.0,
        "scale": scale,
        "offset": level,
        "mark": rng.choice(["_FillValue", "missing_value"] + ["default"] * (kind != nc.BYTE)),
    }


def random_axes(rng):
    units, kind, step = rng.choice(
        [
            ("days since 2000-01-01", nc.DOUBLE, 86400),
            ("hours since 1900-01-01 00:00:00", nc.INT, 3600),
            ("seconds since 1970-01-01", nc.INT, 3600),
            ("days since 1850-01-01", nc.FLOAT, 86400),
            ("minutes since 2000-01-01", nc.DOUBLE, 60),
            ("days since 2000-01-01", nc.SHORT, 86400),
        ]
    )
    return {
        "units": units,
        "time_kind": kind,
        "step": step,
        "calendar": rng.choice(["", "standard", "proleptic_gregorian"]),
        "order": rng.choice(["tyx", "tyx", "tyx", "tzyx", "yxt", "xyt", "ytx", "zyxt"]),
        "descending": rng.random() < 0.3,
        "circle": rng.random() < 0.3,
        "record": rng.random() < 0.7,
        "bounds": rng.choice([0, 0, 2]),
        "quality": rng.choice([0, nc.INT, nc.FLOAT, nc.BYTE]),
        "extras": rng.random() < 0.5,
    }


def random_recipe(rng):
    recipe = {
        **SMALL,
        **random_type(rng),
        **random_axes(rng),
        "version": rng.choice([1, 2, 5]),
        "gaps": rng.choice(["pixels", "pixels", "pixels", "land", "frame", "blocks"]),
        "share": rng.uniform(0.15, 0.45),
    }
    if HAS_NCCOPY and rng.random() < 0.25:
        recipe["container"] = rng.choice(["nc4", "nc7"])
    return recipe


def options(rng, recipe):
    """Mostly a classical fill; training where the gaps suit it."""
    if recipe["gaps"] == "pixels" and rng.random() < 0.15:
        return list(TRAINING)
    return ["--method", rng.choice(METHODS)] + (["--fill-static"] if rng.random() < 0.2 else [])


def single_file(rng):
    recipe = random_recipe(rng)
    name = rng.choice(NAMES) if recipe.get("container", "classic") == "classic" else "v"
    part = make_part("in.nc", [Recipe(**recipe, name=name)], rng)
    request = Request([part], options=options(rng, recipe), expected="fills")
    return Case(f"one file: {recipe}", lambda bench: fill(bench, request))


def several_files(rng):
    """One variable over time, in any order of names; what differs between files is chosen here."""
    recipe = random_recipe(rng)
    recipe.update(order="tyx", gaps="pixels")
    pool = [
        ("days since 2000-01-01", nc.DOUBLE),
        ("days since 2000-01-06", nc.DOUBLE),
        ("hours since 2000-01-01", nc.INT),
        ("hours since 1999-12-31 12:00:00", nc.DOUBLE),
        ("seconds since 1970-01-01", nc.INT),
    ]
    recipe.update(step=86400, units=pool[0][0], time_kind=nc.DOUBLE, calendar="")
    differs = rng.choice(["nothing", "units", "time kind", "packing", "quality", "bounds", "time packing"])
    kinds, count = [nc.DOUBLE, nc.INT, nc.FLOAT, nc.SHORT], rng.choice([2, 3])
    choices = [(rng.choice(pool), rng.choice(kinds), rng.choice(kinds)) for _ in range(count)]

    def change(i):
        (units, kind), time_kind, quality = choices[i]
        return {
            "nothing": {},
            "units": {"units": units, "time_kind": kind},
            "time kind": {"time_kind": time_kind},
            "packing": {} if recipe["kind"] in nc.FLOATING else {"offset": recipe["offset"] + i},
            "quality": {"quality": quality},
            "bounds": {"bounds": 2, "bounds_kind": kinds[i % 2]},
            "time packing": {"time_kind": nc.INT, "time_scale": [1.0, 0.5, 0.25][i]},
        }[differs]

    parts = over_time(Recipe(**recipe), count, rng, change)
    rng.shuffle(parts)
    request = Request(
        parts, options=options(rng, recipe), expected="fills" if differs in ("nothing", "units", "packing") else "either"
    )
    return Case(f"{count} files over time that differ in {differs}: {recipe}", lambda bench: fill(bench, request))


def several_variables(rng):
    """Two variables, in one file or each in its own."""
    recipe = random_recipe(rng)
    recipe["order"] = "tyx"
    recipes = [Recipe(**recipe, name="v"), Recipe(**{**recipe, **random_type(rng)}, name="w")]
    together = rng.random() < 0.5
    parts = [make_part("in.nc", recipes, rng)] if together else [make_part(f"{r.name}.nc", [r], rng) for r in recipes]
    request = Request(parts, variables=["v", "w"], options=["--method", rng.choice(METHODS)], expected="fills")
    return Case(f"two variables, {'one file' if together else 'two files'}: {recipe}", lambda bench: fill(bench, request))


def same_again(rng):
    """Two runs of one command give the same bits."""
    recipe = {**random_recipe(rng), "gaps": "pixels"}
    chosen = rng.choice([TRAINING, ["--method", rng.choice(METHODS)]])
    seed, threads = str(rng.randrange(100)), rng.choice(["1", "2"])
    part = make_part("in.nc", [Recipe(**recipe)], rng)
    requests = [
        Request([part], options=[*chosen, "--seed", seed], output=name, expected="fills", threads=threads)
        for name in ("a.nc", "b.nc")
    ]

    def body(bench):
        if all(fill(bench, request).code == 0 for request in requests):
            bench.require(same_fill(bench, requests[0], "a.nc", "b.nc"), "the same command gave other bits the second time")

    return Case(f"the same run twice, {chosen[:2]}, {threads} threads: {recipe}", body)


def broken_meaning(rng):
    """Contents that cannot mean what they say: either refused, or filled soundly."""
    what = rng.choice(
        [
            "unsorted times",
            "doubled times",
            "text scale_factor",
            "scale_factor 0",
            "times of NaN",
            "no time variable",
            "empty units",
            "two levels",
            "fill value of another type",
            "valid_range of three",
            "one frame",
            "all missing",
            "nothing missing",
            "existing spread",
            "infinite value",
            "coordinate with a gap",
            "text scale of time",
            "longitudes of NaN",
            "valid_range upside down",
            "calendar 360_day",
            "one column",
        ]
    )
    recipe = Recipe(**SMALL, share={"all missing": 2.0, "nothing missing": 0.0}.get(what, 0.3))
    recipe = (
        replace(recipe, frames=1) if what == "one frame" else replace(recipe, columns=1) if what == "one column" else recipe
    )
    part = make_part("in.nc", [recipe], rng)
    expected = break_part(part, what)
    request = Request([part], options=["--method", rng.choice(METHODS)], expected=expected)
    return Case(f"an input with {what}", lambda bench: fill(bench, request))


def break_part(part, what):
    """Changes a part; what is expected of it then."""
    v, time, lon = (part.data.variable(name) for name in ("v", "time", "lon"))
    nan, word = float("nan"), nc.SIZES[v.kind]
    if what in ("unsorted times", "doubled times"):
        values = time.numbers()
        values[2] = values[1] if what == "doubled times" else values[0] - 3
        time.data = nc.pack(nc.DOUBLE, values)
        return "refuses"
    if what in ("times of NaN", "longitudes of NaN"):
        target = time if what == "times of NaN" else lon
        target.data = nc.pack(nc.DOUBLE, [nan]) + target.data[8:]
        return "refuses"
    if what == "existing spread":
        part.data.variables.append(nc.Variable("v_spread", v.dims, v.kind, v.data, []))
        return "either"
    if what in ("all missing", "nothing missing", "one frame"):
        return "refuses"
    if what == "infinite value":
        v.data = nc.pack(nc.FLOAT, [float("inf")]) + v.data[word:]
        return "refuses"
    attributes = {
        "text scale_factor": nc.text("scale_factor", "0.1"),
        "scale_factor 0": nc.number("scale_factor", nc.DOUBLE, 0.0),
        "fill value of another type": nc.number("_FillValue", nc.INT, -999),
        "valid_range of three": nc.number("valid_range", nc.FLOAT, -9, 9, 10),
        "valid_range upside down": nc.number("valid_range", nc.FLOAT, 9, -9),
    }
    if what in attributes:
        v.attributes.append(attributes[what])
        return "refuses" if "scale_factor" in what else "either"
    if what == "text scale of time":
        time.attributes.append(nc.text("scale_factor", "2"))
        return "refuses"
    return reshape_part(part, what)


def reshape_part(part, what):
    """Changes that concern axes."""
    time = part.data.variable("time")
    if what == "no time variable":
        part.data.variables.remove(time)
    elif what == "empty units":
        time.attributes = [nc.text("units", "")]
    elif what == "two levels":
        part.data.dims.update(level=2, lat=part.data.dims["lat"] // 2)
        part.data.variable("v").dims.insert(1, "level")
        part.data.variable("lat").data = part.data.variable("lat").data[: 4 * part.data.dims["lat"]]
        return "refuses"
    elif what == "calendar 360_day":
        time.attributes.append(nc.text("calendar", "360_day"))
        return "fills"
    elif what == "coordinate with a gap":
        part.data.variable("lat").attributes.append(nc.number("_FillValue", nc.FLOAT, -30.0))
    return "either"


MAKERS = {single_file: 2, several_files: 2, several_variables: 1, broken_meaning: 2, same_again: 1}


def random_input(rng):
    return rng.choices(list(MAKERS), MAKERS.values())[0](rng)


FAMILIES = {"inputs": (5, random_input)}
