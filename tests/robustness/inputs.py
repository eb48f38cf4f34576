"""Makes structured inputs from a recipe: gappy fields of every type, packing, mark of a gap, order of dimensions and time axis.

What was observed, and at which second, is decided here and stays beside the bytes. The oracle takes it from here, not from
the files.
"""

import calendar
import math
from dataclasses import dataclass, field, replace

import netcdf3 as nc

UNIT_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
START = calendar.timegm((2000, 1, 6, 0, 0, 0))


@dataclass(frozen=True)
class Recipe:
    frames: int = 9
    rows: int = 12
    columns: int = 16
    first: int = 0  # number of the first frame, in steps of time from START
    name: str = "v"
    kind: int = nc.FLOAT
    scale: float = 1.0  # packing
    offset: float = 0.0
    level: float = 0.0  # values are level + amplitude * signal
    amplitude: float = 1.0
    mark: str = "nan"  # of a gap: nan, _FillValue, missing_value, valid_range, valid_max, default
    order: str = "tyx"  # of the dimensions; z is a level of size 1
    version: int = 1
    container: str = "classic"  # or nc4, nc7: copied to NetCDF-4 (of the classic model)
    gaps: str = "pixels"  # pixels, blocks, frame (a whole one missing), land
    share: float = 0.4
    record: bool = True  # time is unlimited, where it comes first
    step: int = 86400  # seconds between frames
    units: str = "days since 2000-01-01"
    calendar: str = ""
    time_kind: int = nc.DOUBLE
    time_scale: float = 1.0  # packing of the time
    bounds: int = 0  # length of time_bnds' second dimension, 0: there are none
    bounds_kind: int = nc.DOUBLE
    quality: int = 0  # type of a number per frame, 0: there is none
    quality_scale: float = 1.0
    extras: bool = False  # attributes of all types, a scalar, a static field, a text
    descending: bool = False  # latitudes
    circle: bool = False  # longitudes span it
    seed: int = 0
    unsigned: bool = False  # _Unsigned = "true"


@dataclass
class Part:
    """One file."""

    file: str
    data: nc.Dataset
    recipe: Recipe
    seconds: list  # of each frame, from 1970 on
    recipes: dict = field(default_factory=dict)  # of each variable
    observed: dict = field(default_factory=dict)  # variable: of each frame, whether each cell was
    truth: dict = field(default_factory=dict)  # variable: of each frame, the value of each cell
    numrecs: int = None
    declared: dict = None

    def bytes(self):
        return nc.encode(self.data, self.numrecs, self.declared)


def parse_units(units):
    """Seconds of a unit, and its epoch in seconds from 1970 on."""
    unit, _, date = units.partition(" since ")
    day, _, clock = date.partition(" ")
    year, month, day = (int(x) for x in day.split("-"))
    hours = [int(float(x)) for x in clock.split(":")] if clock else [0]
    epoch = calendar.timegm((year, month, day, *(hours + [0, 0])[:3]))
    return UNIT_SECONDS[unit], epoch


def signal(t, y, x, rows, columns):
    """A smooth field within -1 and 1 that moves."""
    return math.sin(2 * math.pi * x / columns + 0.5 * t) * 0.6 + math.cos(2 * math.pi * y / rows - 0.3 * t) * 0.4


def is_observed(r, rng, t, y, x):
    """Draws whether a cell is observed."""
    if r.gaps == "land" and y < r.rows // 3 and x < r.columns // 3:
        return False
    if r.gaps == "frame" and t == r.frames // 2:
        return False
    if r.gaps == "blocks":
        return (t * 5 + (y // 4) * 3 + x // 4) % 3 != 0
    return rng.random() >= r.share


def gap_code(r):
    """The stored number that marks a gap, and the attributes that say so."""
    floating = r.kind in nc.FLOATING
    low = {nc.BYTE: -120, nc.UBYTE: 0, nc.SHORT: -30000, nc.USHORT: 0, nc.UINT: 0}.get(r.kind, -2000000000)
    if r.unsigned:
        low = -1  # bits of the largest unsigned number
    if r.mark == "nan" and floating:
        return math.nan, []
    if r.mark == "default" and r.kind in nc.DEFAULT_FILL and not r.unsigned:
        return nc.DEFAULT_FILL[r.kind], []
    if r.mark == "missing_value":
        code = -9e33 if floating else low
        return code, [nc.number("missing_value", r.kind, code)]
    if r.mark in ("valid_range", "valid_max") and floating:
        reach = abs(r.level) + 10 * abs(r.amplitude)
        attribute = (
            nc.number("valid_range", r.kind, -reach, reach)
            if r.mark == "valid_range"
            else nc.number("valid_max", r.kind, reach)
        )
        return 2 * reach, [attribute]
    code = -9e33 if floating else low
    return code, [nc.number("_FillValue", r.kind, code)]


def make_variable(r, rng, dims):
    """The variable, and of each frame (cells in the order of the file) which are observed and what is true."""
    code, attributes = gap_code(r)
    names = {"t": "time", "y": "lat", "x": "lon", "z": "level"}
    sizes = {"t": r.frames, "y": r.rows, "x": r.columns, "z": 1}
    cells, seen, true = {}, {}, {}
    for t in range(r.frames):
        for y in range(r.rows):
            for x in range(r.columns):
                seen[t, y, x] = is_observed(r, rng, t, y, x)
                value = r.level + r.amplitude * signal(t + r.first, y, x, r.rows, r.columns)
                true[t, y, x] = value
                stored = (value - r.offset) / r.scale if (r.scale, r.offset) != (1.0, 0.0) else value
                cells[t, y, x] = (stored if r.kind in nc.FLOATING else round(stored)) if seen[t, y, x] else code
    numbers = [None] * len(cells)
    observed, truth = ([[] for _ in range(r.frames)] for _ in range(2))
    for at in range(len(cells)):
        index, rest = {}, at
        for axis in reversed(r.order):
            rest, index[axis] = divmod(rest, sizes[axis])
        key = (index["t"], index["y"], index["x"])
        numbers[at] = cells[key]
        observed[index["t"]].append(seen[key])
        truth[index["t"]].append(true[key])
    if (r.scale, r.offset) != (1.0, 0.0):
        attributes += [nc.number("scale_factor", nc.DOUBLE, r.scale), nc.number("add_offset", nc.DOUBLE, r.offset)]
    if r.unsigned:
        attributes.append(nc.text("_Unsigned", "true"))
    attributes += [nc.text("units", "K"), nc.text("long_name", "something measured")]
    if "z" in r.order:
        dims.setdefault("level", 1)
    return nc.Variable(r.name, [names[a] for a in r.order], r.kind, nc.pack(r.kind, numbers), attributes), observed, truth


def time_variables(r, seconds):
    """The time and what goes with it."""
    unit, epoch = parse_units(r.units)

    def stored(moments, kind, scale):
        values = [(s - epoch) / unit / scale for s in moments]
        return nc.pack(kind, values if kind in nc.FLOATING else [round(v) for v in values])

    time = nc.Variable("time", ["time"], r.time_kind, stored(seconds, r.time_kind, r.time_scale), [nc.text("units", r.units)])
    if r.calendar:
        time.attributes.append(nc.text("calendar", r.calendar))
    if r.time_scale != 1:
        time.attributes.append(nc.number("scale_factor", nc.DOUBLE, r.time_scale))
    out = [time]
    if r.bounds:
        time.attributes.append(nc.text("bounds", "time_bnds"))
        edges = [s + (i - 0.5) * r.step for s in seconds for i in range(r.bounds)]
        out.append(nc.Variable("time_bnds", ["time", "nv"], r.bounds_kind, stored(edges, r.bounds_kind, 1.0)))
    if r.quality:
        values = [(r.first + t + 1) / r.quality_scale for t in range(len(seconds))]
        out.append(
            nc.Variable(
                "quality",
                ["time"],
                r.quality,
                nc.pack(r.quality, values if r.quality in nc.FLOATING else [round(v) for v in values]),
            )
        )
        if r.quality_scale != 1:
            out[-1].attributes.append(nc.number("scale_factor", nc.DOUBLE, r.quality_scale))
    return out


def add_extras(data):
    """What must come through unchanged, though the tool has no use for it."""
    data.attributes += [nc.text("title", "a made-up file"), nc.number("odd", nc.SHORT, 1, -2, 3), nc.text("history", "made")]
    data.dims.setdefault("letters", 5)
    data.variables += [
        nc.Variable("crs", [], nc.INT, nc.pack(nc.INT, [7]), [nc.text("grid_mapping_name", "latitude_longitude")]),
        nc.Variable("site", ["letters"], nc.CHAR, b"north"),
        nc.Variable(
            "area",
            ["lat", "lon"],
            nc.FLOAT,
            nc.pack(nc.FLOAT, [float(i) for i in range(data.dims["lat"] * data.dims["lon"])]),
            [nc.number("_FillValue", nc.FLOAT, -1.0)],
        ),
    ]


def make_part(file, recipes, rng):
    """A file with one variable for each recipe; grid, times and the rest are those of the first."""
    r = recipes[0]
    dims = {"time": r.frames, "lat": r.rows, "lon": r.columns}
    if r.bounds:
        dims["nv"] = r.bounds
    alone = all(s.order[0] == "t" for s in recipes)
    data = nc.Dataset(r.version, dims, "time" if r.record and alone else "")
    seconds = [START + (r.first + t) * r.step for t in range(r.frames)]
    latitudes = [-30.0 + 4.0 * y for y in range(r.rows)]
    width = 360.0 / r.columns if r.circle else 2.0
    data.variables = time_variables(r, seconds) + [
        nc.Variable(
            "lat",
            ["lat"],
            nc.FLOAT,
            nc.pack(nc.FLOAT, latitudes[::-1] if r.descending else latitudes),
            [nc.text("units", "degrees_north")],
        ),
        nc.Variable(
            "lon",
            ["lon"],
            nc.DOUBLE,
            nc.pack(nc.DOUBLE, [width * x for x in range(r.columns)]),
            [nc.text("units", "degrees_east")],
        ),
    ]
    if r.extras:
        add_extras(data)
    part = Part(file, data, r, seconds)
    for recipe in recipes:
        part.recipes[recipe.name] = recipe
        variable, part.observed[recipe.name], part.truth[recipe.name] = make_variable(recipe, rng, data.dims)
        data.variables.append(variable)
    return part


def over_time(recipe, count, rng, change=None, names=None):
    """One variable cut into files that follow each other. change(i): the fields of the recipe that differ in file i."""
    parts = []
    for i in range(count):
        r = replace(recipe, first=recipe.first + i * recipe.frames, **(change(i) if change else {}))
        parts.append(make_part(names[i] if names else f"part{i}.nc", [r], rng))
    return parts


def single(rng, file="in.nc", **recipe):
    """One file of one variable."""
    return [make_part(file, [Recipe(**recipe)], rng)]
