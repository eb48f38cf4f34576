"""Whether an output of lacuna-fill is right: values, flags, spread, times and all around them, against the inputs' truth."""

import math

import netcdf3 as nc
from bench import HAS_NCCOPY, Skip
from inputs import parse_units

PACKING = {"scale_factor", "add_offset", "_FillValue", "missing_value", "valid_range", "valid_min", "valid_max", "_Unsigned"}


class Unreadable(Exception):
    """The output is no sound NetCDF file."""


def read(bench, path):
    """The dataset of a file in any format."""
    content = path.read_bytes()
    if content[:3] != b"CDF":
        if content[1:4] != b"HDF":
            raise Unreadable(f"begins with {content[:8]!r}")
        if not HAS_NCCOPY:
            raise Skip("nccopy is not there (Debian: netcdf-bin)")
        copy = bench.folder.parent / f"{bench.folder.name}.classic"
        bench.tool("nccopy", "-k", "cdf5", str(path), str(copy))
        content = copy.read_bytes()
    try:
        return nc.decode(content)
    except nc.FormatError as error:
        raise Unreadable(str(error)) from error


def parts_of(request, name):
    """The files that hold a variable, in the order of time."""
    return sorted((p for p in request.parts if name in p.observed), key=lambda p: p.seconds[0])


def unsigned_bits(variable, numbers):
    if variable.value("_Unsigned") != "true":
        return numbers
    size = 1 << 8 * nc.SIZES[variable.kind]
    return [n % size for n in numbers]


def attribute_number(variable, name, default):
    """The first number of an attribute; a text is none."""
    found = variable.attribute(name)
    return default if found is None or found.kind == nc.CHAR else found.value()[0]


def unpacked(variable, numbers):
    """Numbers as stored, by scale_factor and add_offset."""
    scale, offset = attribute_number(variable, "scale_factor", 1.0), attribute_number(variable, "add_offset", 0.0)
    return [n * scale + offset for n in unsigned_bits(variable, numbers)]


def missing_test(variable):
    """A predicate on stored numbers, by the attributes of the variable."""
    codes = [a.value()[0] for a in variable.attributes if a.name in ("_FillValue", "missing_value") and a.kind != nc.CHAR]
    if variable.attribute("_FillValue") is None and variable.kind in nc.DEFAULT_FILL:
        codes.append(nc.DEFAULT_FILL[variable.kind])
    low, high = variable.value("valid_range", [-math.inf, math.inf])[:2]
    low, high = attribute_number(variable, "valid_min", low), attribute_number(variable, "valid_max", high)
    if variable.value("_Unsigned") == "true":
        low, high = -math.inf, math.inf  # their bits are meant as unsigned
    return lambda n: n != n or n in codes or not low <= n <= high


class VariableCheck:
    """One filled variable against its parts."""

    def __init__(self, request, out, name):
        self.request, self.out, self.name = request, out, name
        self.parts = parts_of(request, name)
        self.inputs = [p.data.variable(name) for p in self.parts]
        self.observed = [frame for p in self.parts for frame in p.observed[name]]
        self.truth = [frame for p in self.parts for frame in p.truth[name]]
        self.stored = [frame for p, v in zip(self.parts, self.inputs) for frame in p.data.frames(v, "time")]
        self.owners = [v for p, v in zip(self.parts, self.inputs) for _ in p.seconds]
        self.ever = [any(frame[i] for frame in self.observed) for i in range(len(self.observed[0]))]

    def problems(self):
        found = {end: self.out.variable(self.name + end) for end in ("", "_spread", "_observed")}
        for end, variable in found.items():
            if variable is None:
                yield f"the output has no variable {self.name}{end}"
                return
            if variable.dims != self.inputs[0].dims:
                yield f"{self.name}{end} has the dimensions {variable.dims}, expected {self.inputs[0].dims}"
                return
        frames = {end: self.out.frames(v, "time") for end, v in found.items()}
        if {len(f) for f in frames.values()} != {len(self.observed)}:
            yield f"{self.name} has {len(frames[''])} frames, expected {len(self.observed)}"
            return
        self.widened = any(v.kind != found[""].kind for v in self.inputs) or any(
            unpacking(v) != unpacking(found[""]) for v in self.inputs
        )
        yield from self.values(found[""], frames[""])
        yield from self.flags_and_spread(found, frames)
        yield from attributes_lost(found[""], self.inputs, PACKING if self.widened else set())

    def to_be_filled(self, t, i):
        return not self.observed[t][i] and (self.ever[i] or "--fill-static" in self.request.options)

    def values(self, variable, frames):
        missing, size = missing_test(variable), nc.SIZES[variable.kind]
        changed = unfilled = 0
        self.fills = []
        for t, frame in enumerate(frames):
            numbers = nc.unpack(variable.kind, frame)
            real = unpacked(variable, numbers)
            owner = self.owners[t]
            before = unpacked(owner, nc.unpack(owner.kind, self.stored[t])) if self.widened else None
            for i, seen in enumerate(self.observed[t]):
                if seen and self.widened:
                    changed += abs(real[i] - before[i]) > 1e-6 * abs(before[i])
                elif seen:
                    changed += frame[i * size : (i + 1) * size] != self.stored[t][i * size : (i + 1) * size]
                elif missing(numbers[i]):
                    unfilled += self.to_be_filled(t, i)
                else:
                    self.fills.append((real[i], self.truth[t][i]))
        if changed:
            yield f"{changed} observed values of {self.name} were changed"
        if unfilled:
            yield f"{unfilled} gaps of {self.name} were not filled"
        yield from self.quality_of_fills(variable)

    def quality_of_fills(self, variable):
        """Fills are finite and near the truth, as far as the method and the stored type allow."""
        fills = [f for f, _ in self.fills]
        if not all(map(math.isfinite, fills)):
            yield f"fills of {self.name} are not finite"
            return
        recipe = self.parts[0].recipes[self.name]
        method = self.request.options[1] if "--method" in self.request.options else "diffusion"
        if recipe.gaps != "pixels" or recipe.share > 0.5 or not fills or self.request.expected != "fills":
            return
        resolution = stored_resolution(recipe, [*self.inputs, variable])
        error = max(abs(f - t) / max(recipe.amplitude, resolution) for f, t in self.fills)
        rms = math.sqrt(sum(((f - t) / max(recipe.amplitude, resolution)) ** 2 for f, t in self.fills) / len(fills))
        if error > (30 if method == "diffusion" else 4):
            yield f"a fill of {self.name} is {error:.3g} amplitudes off"
        elif method == "linear" and rms > 0.35 and recipe.amplitude > 2 * resolution:
            yield f"fills of {self.name} do not follow the data: their error is {rms:.2g} amplitudes, expected below 0.35"

    def flags_and_spread(self, found, frames):
        wrong_flags = wrong_spread = 0
        for t in range(len(self.observed)):
            flags = nc.unpack(found["_observed"].kind, frames["_observed"][t])
            spread = nc.unpack(found["_spread"].kind, frames["_spread"][t])
            for i, seen in enumerate(self.observed[t]):
                must = self.to_be_filled(t, i)
                wrong_flags += flags[i] != 1 if seen else flags[i] != 0 if must else flags[i] not in (0, -1)
                if seen:
                    wrong_spread += spread[i] != 0
                elif flags[i] == 0:
                    wrong_spread += (
                        not 0 <= spread[i] < 9e36 if found["_spread"].kind == nc.FLOAT else not 0 <= spread[i] < math.inf
                    )
        if wrong_flags:
            yield f"{wrong_flags} flags of {self.name}_observed are wrong"
        if wrong_spread:
            yield f"{wrong_spread} values of {self.name}_spread are wrong: expected 0 where observed, else finite and from 0"


def stored_resolution(recipe, variables):
    """How finely values are stored at best: a step of the packing, else of the type at this level."""
    if (recipe.scale, recipe.offset) != (1.0, 0.0):
        return recipe.scale
    if recipe.kind not in nc.FLOATING:
        return 1.0
    relative = 1e-6 if any(v.kind == nc.FLOAT for v in variables) else 1e-14
    return max(relative * abs(recipe.level), 1e-290)


def unpacking(variable):
    return [variable.value(a) for a in ("scale_factor", "add_offset", "_Unsigned")]


def same_attribute(attribute, variable):
    """Whether a variable has an attribute; a _FillValue of another type than the variable's may come in the right one."""
    found = variable.attribute(attribute.name)
    if (
        found is None
        or attribute.name != "_FillValue"
        or found.kind == attribute.kind
        or nc.CHAR in (found.kind, attribute.kind)
    ):
        return found is not None and found.data == attribute.data
    return found.kind == variable.kind and found.value() == attribute.value()


def attributes_lost(out, originals, except_for):
    """Attributes of an original (any of several files') that the output has not, or has another value of."""

    def lost(original):
        return [a.name for a in original.attributes if a.name not in except_for and not same_attribute(a, out)]

    fewest = min((lost(o) for o in originals), key=len)
    if fewest:
        yield f"attributes of {out.name} were lost or changed: {', '.join(fewest)}"


def time_problems(request, out, parts):
    """Times are in one unit, increasing, and the truth."""
    time = out.variable("time")
    originals = [p.data.variable("time") for p in parts]
    if time is None or originals[0] is None:
        if originals[0] is not None:
            yield "the output has no time"
        return
    if originals[0].value("units") == "":
        return  # a time without a unit is a number of frames
    try:
        unit, epoch = parse_units(time.value("units"))
    except (ValueError, KeyError, AttributeError):
        yield f"the output's time is in '{time.value('units')}'"
        return
    values = unpacked(time, time.numbers())
    expected = [s for p in parts for s in p.seconds]
    if len(values) != len(expected):
        yield f"the output has {len(values)} times, expected {len(expected)}"
        return
    kinds = {time.kind, *(v.kind for v in originals)}
    for value, truth in zip(values, expected):
        tolerance = 1e-3 + unit * abs(value) * (2.0**-22 if nc.FLOAT in kinds else 1e-12)
        if not abs(epoch + value * unit - truth) <= tolerance:
            yield f"times are wrong: one is {epoch + value * unit - truth:+.6g} s off"
            break
    if any(not a < b for a, b in zip(values, values[1:])):
        yield "times do not increase"
    if not units_differ(parts):
        yield from attributes_lost(time, originals, PACKING)


def units_differ(parts):
    return len({p.recipe.units for p in parts}) > 1


def is_field(data, v):
    return "time" in v.dims and sum(data.dims[d] > 1 for d in v.dims if d != "time") >= 2


def companion_problems(out, parts):
    """Coordinates and whatever else is no field, over all files."""
    first, taken = parts[0].data, {v for p in parts for v in p.observed}
    for v in first.variables:
        if v.name in taken or v.name == "time" or is_field(first, v):
            continue
        copy = out.variable(v.name)
        if copy is None:
            if not (v.name == "time_bnds" and units_differ(parts)):
                yield f"{v.name} is not in the output"
            continue
        if "time" not in v.dims:
            if copy.data != v.data or copy.dims != v.dims:
                yield f"{v.name} was changed"
            yield from attributes_lost(copy, [v], set())
        elif v.dims.index("time") == 0 and copy.kind != nc.CHAR:
            yield from companion_over_time(out, copy, parts)


def companion_over_time(out, copy, parts):
    frames = out.frames(copy, "time")
    expected = []
    for p in parts:
        v = p.data.variable(copy.name)
        expected += [unpacked(v, nc.unpack(v.kind, f)) for f in p.data.frames(v, "time")] if v else [None] * len(p.seconds)
    to_seconds = copy.name == "time_bnds" and units_differ(parts)
    if to_seconds:
        unit, epoch = parse_units(out.variable("time").value("units"))
        expected = [
            [(s + (i - 0.5) * p.recipe.step - epoch) / unit for i in range(p.recipe.bounds)] for p in parts for s in p.seconds
        ]
    for frame, truth in zip(frames, expected):
        values = unpacked(copy, nc.unpack(copy.kind, frame))
        if truth is not None and (
            len(values) != len(truth) or any(abs(a - b) > 1e-6 * max(1.0, abs(b)) for a, b in zip(values, truth))
        ):
            yield f"{copy.name} is wrong: {values[:2]} where the files say {truth[:2]}"
            return


def problems(bench, request, path):
    """All that is wrong with an output."""
    out = read(bench, path)
    found = []
    for name in request.variables:
        found += VariableCheck(request, out, name).problems()
    parts = parts_of(request, request.variables[0])
    found += time_problems(request, out, parts)
    found += companion_problems(out, parts)
    originals = [nc.Variable("the file", [], nc.INT, b"", p.data.attributes) for p in request.parts]
    found += attributes_lost(nc.Variable("the file", [], nc.INT, b"", out.attributes), originals, {"history"})
    return found
