"""Writes and reads the classic NetCDF formats by hand, so that verdicts do not depend on the library under test.

CDF-1, CDF-2 (64-bit offsets) and CDF-5 (64-bit data). Values stay as they are stored: big-endian bytes in the order of the
dimensions, without padding. encode() can also write files that lie: about the number of records, or the length of dimensions.
"""

import struct
from dataclasses import dataclass, field

BYTE, CHAR, SHORT, INT, FLOAT, DOUBLE, UBYTE, USHORT, UINT, INT64, UINT64 = range(1, 12)
CODES = {
    BYTE: "b",
    CHAR: "c",
    SHORT: "h",
    INT: "i",
    FLOAT: "f",
    DOUBLE: "d",
    UBYTE: "B",
    USHORT: "H",
    UINT: "I",
    INT64: "q",
    UINT64: "Q",
}
SIZES = {kind: struct.calcsize(">" + code) for kind, code in CODES.items()}
FLOATING = (FLOAT, DOUBLE)
DEFAULT_FILL = {
    SHORT: -32767,
    INT: -2147483647,
    FLOAT: 9.969209968386869e36,
    DOUBLE: 9.969209968386869e36,
    USHORT: 65535,
    UINT: 4294967295,
    INT64: -9223372036854775806,
    UINT64: 18446744073709551614,
}
DIMENSIONS, VARIABLES, ATTRIBUTES = 10, 11, 12


class FormatError(Exception):
    """The bytes are no classic NetCDF file."""


def pack(kind, numbers):
    """Numbers (CHAR: text or bytes) as stored bytes."""
    if kind == CHAR:
        return numbers if isinstance(numbers, bytes) else numbers.encode()
    return struct.pack(f">{len(numbers)}{CODES[kind]}", *numbers)


def unpack(kind, data):
    """Stored bytes as a list of numbers (CHAR: as bytes)."""
    if kind == CHAR:
        return data
    return list(struct.unpack(f">{len(data) // SIZES[kind]}{CODES[kind]}", data))


@dataclass
class Attribute:
    name: str
    kind: int
    data: bytes

    def value(self):
        """A text, or a list of numbers."""
        return self.data.decode(errors="replace") if self.kind == CHAR else unpack(self.kind, self.data)


def text(name, value):
    return Attribute(name, CHAR, value.encode())


def number(name, kind, *values):
    return Attribute(name, kind, pack(kind, values))


@dataclass
class Variable:
    name: str
    dims: list  # names
    kind: int
    data: bytes
    attributes: list = field(default_factory=list)

    def attribute(self, name):
        return next((a for a in self.attributes if a.name == name), None)

    def value(self, name, default=None):
        found = self.attribute(name)
        return default if found is None else found.value()

    def numbers(self):
        return unpack(self.kind, self.data)


@dataclass
class Dataset:
    version: int = 1  # 1, 2 or 5
    dims: dict = field(default_factory=dict)  # name: length
    record: str = ""  # the unlimited dimension
    attributes: list = field(default_factory=list)
    variables: list = field(default_factory=list)

    def variable(self, name):
        return next((v for v in self.variables if v.name == name), None)

    def frames(self, variable, dim):
        """The bytes of each slice along `dim`, the other dimensions in their order."""
        at = variable.dims.index(dim)
        length, inner, outer = self.dims[dim], SIZES[variable.kind], 1
        for name in variable.dims[at + 1 :]:
            inner *= self.dims[name]
        for name in variable.dims[:at]:
            outer *= self.dims[name]
        return [
            b"".join(variable.data[(o * length + t) * inner : (o * length + t + 1) * inner] for o in range(outer))
            for t in range(length)
        ]


def _padded(data):
    return data + b"\0" * (-len(data) % 4)


class _Encoder:
    def __init__(self, dataset, numrecs, declared):
        self.set, self.wide = dataset, dataset.version == 5
        self.declared = {**dataset.dims, **(declared or {})}
        self.order = list(dataset.dims)
        self.records = [v for v in dataset.variables if v.dims and v.dims[0] == dataset.record]
        self.numrecs = dataset.dims.get(dataset.record, 0) if numrecs is None else numrecs

    def count(self, n):
        return struct.pack(">Q" if self.wide else ">I", n)

    def name(self, word):
        data = word.encode()
        return self.count(len(data)) + _padded(data)

    def tagged(self, tag, items):
        return (struct.pack(">I", tag) if items else b"\0" * 4) + self.count(len(items)) + b"".join(items)

    def attributes(self, attributes):
        return self.tagged(
            ATTRIBUTES,
            [
                self.name(a.name) + struct.pack(">I", a.kind) + self.count(len(a.data) // SIZES[a.kind]) + _padded(a.data)
                for a in attributes
            ],
        )

    def slice_bytes(self, v):
        """Bytes of a whole variable, or of one record of it, in this file."""
        return len(v.data) // max(1, self.set.dims[self.set.record]) if v in self.records else len(v.data)

    def header(self, begins):
        dims = [self.name(d) + self.count(0 if d == self.set.record else self.declared[d]) for d in self.order]
        variables = []
        for v, begin in zip(self.set.variables, begins):
            size = self.slice_bytes(v) + -self.slice_bytes(v) % 4
            variables.append(
                self.name(v.name)
                + self.count(len(v.dims))
                + b"".join(self.count(self.order.index(d)) for d in v.dims)
                + self.attributes(v.attributes)
                + struct.pack(">I", v.kind)
                + self.count(size if self.wide else min(size, 2**32 - 1))
                + struct.pack(">I" if self.set.version == 1 else ">Q", begin)
            )
        return (
            b"CDF"
            + bytes([self.set.version])
            + self.count(self.numrecs)
            + self.tagged(DIMENSIONS, dims)
            + self.attributes(self.set.attributes)
            + self.tagged(VARIABLES, variables)
        )

    def file(self):
        at, begins = len(self.header([0] * len(self.set.variables))), {}
        fixed = [v for v in self.set.variables if v not in self.records]
        for v in fixed:
            begins[v.name] = at
            at += len(_padded(v.data))
        for v in self.records:
            begins[v.name] = at
            at += self.record_size(v)
        out = [self.header([begins[v.name] for v in self.set.variables])] + [_padded(v.data) for v in fixed]
        for t in range(self.set.dims.get(self.set.record, 0) if self.records else 0):
            for v in self.records:
                size = self.slice_bytes(v)
                out.append(v.data[t * size : (t + 1) * size] + b"\0" * (self.record_size(v) - size))
        return b"".join(out)

    def record_size(self, v):
        """A single record variable is not padded to four bytes, several are."""
        size = self.slice_bytes(v)
        return size if len(self.records) == 1 else size + -size % 4


def encode(dataset, numrecs=None, declared=None):
    """The file's bytes. numrecs, declared {dimension: length}: what the header says instead of the truth."""
    return _Encoder(dataset, numrecs, declared).file()


class _Decoder:
    def __init__(self, data):
        if data[:3] != b"CDF" or data[3:4] not in (b"\1", b"\2", b"\5"):
            raise FormatError("no classic NetCDF file")
        self.data, self.at = data, 4
        self.set = Dataset(version=data[3])
        self.numrecs = self.count()

    def take(self, n):
        if n < 0 or self.at + n > len(self.data):
            raise FormatError(f"ends within the header, at byte {len(self.data)}")
        piece = self.data[self.at : self.at + n]
        self.at += n
        return piece

    def word(self):
        return struct.unpack(">I", self.take(4))[0]

    def count(self):
        return struct.unpack(">Q", self.take(8))[0] if self.set.version == 5 else self.word()

    def padded(self, n):
        piece = self.take(n)
        self.take(-n % 4)
        return piece

    def name(self):
        return self.padded(self.count()).decode(errors="surrogateescape")

    def items(self, tag):
        found, n = self.word(), self.count()
        if found not in (0, tag) or (found == 0 and n):
            raise FormatError(f"tag {found} where {tag} was expected")
        return range(n)

    def attributes(self):
        out = []
        for _ in self.items(ATTRIBUTES):
            name, kind = self.name(), self.word()
            if kind not in SIZES:
                raise FormatError(f"attribute {name} is of the unknown type {kind}")
            out.append(Attribute(name, kind, self.padded(self.count() * SIZES[kind])))
        return out

    def file(self):
        names = []
        for _ in self.items(DIMENSIONS):
            name, length = self.name(), self.count()
            names.append(name)
            if length == 0:
                self.set.record = name
            self.set.dims[name] = length or self.numrecs
        self.set.attributes = self.attributes()
        begins = []
        for _ in self.items(VARIABLES):
            name, rank = self.name(), self.count()
            dims = [names[self.count()] for _ in range(rank)]
            attributes, kind = self.attributes(), self.word()
            self.count()
            begins.append(self.word() if self.set.version == 1 else struct.unpack(">Q", self.take(8))[0])
            self.set.variables.append(Variable(name, dims, kind, b"", attributes))
        self.read_values(begins)
        return self.set

    def read_values(self, begins):
        records = [v for v in self.set.variables if v.dims and v.dims[0] == self.set.record]
        sizes = {}
        for v in self.set.variables:
            size = SIZES[v.kind]
            for d in v.dims[1:] if v in records else v.dims:
                size *= self.set.dims[d]
            sizes[v.name] = size
        stride = sum(s if len(records) == 1 else s + -s % 4 for s in (sizes[v.name] for v in records))
        for v, begin in zip(self.set.variables, begins):
            starts = [begin + t * stride for t in range(self.numrecs)] if v in records else [begin]
            v.data = b"".join(self.data[s : s + sizes[v.name]] for s in starts)
            if len(v.data) != sizes[v.name] * len(starts):
                raise FormatError(f"the values of {v.name} are cut short")


def decode(data):
    """The dataset in a classic file. Raises FormatError."""
    try:
        return _Decoder(data).file()
    except (IndexError, OverflowError, MemoryError) as error:
        raise FormatError(str(error)) from error
