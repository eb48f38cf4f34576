#!/usr/bin/env python3
"""Plants bugs, one at a time, into a copy of the headers that read files and resume runs, and demands that a test fails.

usage: mutants.py [--compiler CXX] [--jobs N] [NAME...]
Each bug: what it is, the test that catches it, the header, the text that is replaced (first occurrence), what takes its place.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

MUTANTS = [
    ("records of a classic file lack the last one", "data/netcdf_classic", "data/netcdf_classic.hpp",
     "product(records_ - 1, recorded == 1", "product(records_ - 2 + (records_ < 2), recorded == 1"),
    ("a single record variable is padded", "data/netcdf_classic", "data/netcdf_classic.hpp",
     "recorded == 1 ? p.bytes : record", "recorded == 0 ? p.bytes : record"),
    ("a shortened classic file is whole if its header is there", "data/netcdf_handle", "data/netcdf_handle.hpp",
     "size >= needed, path", "size >= needed / 2, path"),
    ("a FIFO is opened", "data/netcdf_handle", "data/netcdf_handle.hpp",
     "std::filesystem::is_regular_file(path, ignored)", "true"),
    ("text for a number is taken as absent", "data/netcdf_read", "data/netcdf_handle.hpp",
     "!a || is_numeric(a->type), file.path()", "true, file.path()"),
    ("the units of the file that is named first are kept", "data/netcdf_read", "data/netcdf_series.hpp",
     "  std::sort(order.begin(), order.end());\n", ""),
    ("times that stand still are taken", "data/netcdf_read", "data/netcdf_series.hpp",
     "return !(a < b); }", "return !(a <= b); }"),
    ("an offset is left out when a time is converted", "data/netcdf_companions", "data/netcdf_series.hpp",
     "(from_.seconds(t) - to_.epoch) / to_.unit", "from_.seconds(t) / to_.unit"),
    ("companions of other types are copied as they are", "data/netcdf_companions", "data/netcdf_companions.hpp",
     "!same_encoding(in, v, file, *other)", "false"),
    ("companions of another length are copied", "data/netcdf_companions", "data/netcdf_companions.hpp",
     "other->dims[d].size == v.dims[d].size", "true"),
    ("bounds are looked for under the first file's name", "data/netcdf_companions", "data/netcdf_companions.hpp",
     'return file.find(text_attribute(file, own_time->id, "bounds"));', "return file.find(name);"),
    ("large offsets are kept in float", "data/netcdf_read", "data/netcdf_read.hpp",
     "half_range > 0 && largest / 2 > much_larger * half_range", "false"),
    ("tiny values become zero", "data/netcdf_read", "data/netcdf_read.hpp",
     "(largest > 0 && largest < small)", "false"),
    ("floats in a file are centred too", "data/netcdf_read", "data/netcdf_read.hpp",
     "affine.is_identity() || netcdf::stored_as_float(series)", "affine.is_identity()"),
    ("a changed input is written out", "data/netcdf_write", "data/netcdf_write.hpp",
     "now.content == input.content && now.observed == input.observed", "true"),
    ("a spread is written in the numbers of memory", "data/netcdf_write", "data/netcdf_plan.hpp",
     "return affine(i).factor * static_cast<double>(filled.spread[i]);", "return static_cast<double>(filled.spread[i]);"),
    ("the checksum leaves out the tensors", "model/checkpoint", "model/checkpoint.hpp",
     "    add(tensor.bytes);\n", ""),
    ("the checksum leaves out the values of the metadata", "model/checkpoint", "model/checkpoint.hpp",
     "    add(value);\n", ""),
    ("a checksum is not compared", "model/checkpoint", "model/checkpoint.hpp",
     'all.metadata["checksum"] == std::to_string(checksum_of(all))', "true"),
    ("a state that is not finite is saved", "model/checkpoint", "model/checkpoint.hpp",
     "require(all_finite(*values), \"training", "require(true, \"training"),
    ("5x is a number", "model/checkpoint", "core/parse_number.hpp",
     "failed != std::errc{} || end != text.data() + text.size()", "failed != std::errc{}"),
    ("the second moment is not restored", "model/checkpoint", "model/checkpoint.hpp",
     '    restore("second_moment", state.second_moment);\n', ""),
    ("options are compared after digests", "model/checkpoint", "model/checkpoint.hpp",
     "for (const Mark& mark : fingerprint_) require_same", "for (std::size_t i = fingerprint_.size(); i-- > 0;)\n"
     "      if (const Mark& mark = fingerprint_[i]; true) require_same"),
    ("another run's file is overwritten", "data/atomic_file", "data/atomic_file.hpp",
     "existing_ == Existing::replaced", "true"),
    ("a link is replaced by a file", "data/atomic_file", "data/atomic_file.hpp",
     "target_ = followed(path).string();", "target_ = path;"),
    ("a lock is given twice", "data/file_lock", "data/file_lock.hpp",
     "require<DataError>(!taken, path", "require<DataError>(true, path"),
    ("temporary files of living runs are removed", "data/stale_files", "data/stale_files.hpp",
     "::kill(pid, 0) != 0 && errno == ESRCH", "true"),
]


def run(command, timeout):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, text=True, check=False)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        return -1, "timed out"


def build(compiler, include, test, main, program):
    flags = ["-std=c++20", "-O0", "-w", "-fopenmp", f"-I{include}", f"-I{ROOT / 'tests'}", "-isystem", "/usr/include/eigen3"]
    return run([compiler, *flags, str(ROOT / "tests" / f"{test}.cpp"), str(main), "-o", str(program), "-lnetcdf", "-pthread"], 600)


def verdict(compiler, work, main, number, mutant):
    name, test, header, before, after = mutant
    place = work / str(number)
    shutil.copytree(ROOT / "include", place)
    path = place / "lacuna" / header
    text = path.read_text()
    if before not in text:
        return False, f"FAIL  the text is not there: {name}"
    path.write_text(text.replace(before, after, 1))
    code, output = build(compiler, place, test, main, place / "test")
    if code != 0:
        return False, f"FAIL  does not compile: {name}\n{output[-2000:]}"
    code, _ = run([str(place / "test"), "--abort"], 120)
    shutil.rmtree(place, ignore_errors=True)
    return code != 0, f"{'ok    caught' if code != 0 else 'FAIL  not caught'} ({test}): {name}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("names", nargs="*", help="only bugs with such words in their name")
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if not options.names or any(word in m[0] for word in options.names)]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        work = Path(folder)
        main_object = work / "main.o"
        code, output = run([options.compiler, "-std=c++20", "-O0", "-w", f"-I{ROOT / 'tests'}", "-c", str(ROOT / "tests/main.cpp"),
                            "-o", str(main_object)], 600)
        if code != 0:
            sys.exit(f"mutants.py: tests/main.cpp does not compile\n{output}")
        with ThreadPoolExecutor(options.jobs) as pool:
            todo = [pool.submit(verdict, options.compiler, work, main_object, i, m) for i, m in enumerate(chosen)]
            caught = 0
            for done in todo:
                good, line = done.result()
                caught += good
                print(line, flush=True)
    print(f"{caught} of {len(chosen)} caught")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
