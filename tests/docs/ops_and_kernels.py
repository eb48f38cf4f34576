#!/usr/bin/env python3
"""Lists what an op or a kernel still lacks, and what is listed of one that is gone.

usage: ops_and_kernels.py SOURCE_DIR

An op is found by one name everywhere. Demanded of include/lacuna/ops/<name>.hpp: tests/ops/<name>.cpp; where it names an op,
include/lacuna/cuda/ops/<name>.hpp and a row in the first table of docs/cuda.md. Demanded of kernels/<name>.cuh: planted bugs; where
it has a kernel, tests/kernels/<name>.cpp, the bytes of every launch, a budget of every kernel, a row in the second table and a
case in benchmarks/kernels.cu.
"""
import json
import pathlib
import re
import sys

# (file, what it need not have): why. An exemption that nothing needs is an error too.
EXEMPT = {
    ("ops/activation_functions.hpp", "test"): "tested with ops/activation.hpp",
    ("ops/attention.hpp", "test"): "projections and tiles of three ops, tested with each (tests/ops/attention_checks.hpp)",
    ("ops/canvas_functions.hpp", "test"): "tested with ops/canvas.hpp",
    ("ops/frame_channels.hpp", "test"): "tested with ops/frame_axis.hpp",
    ("ops/grid_coordinates.hpp", "test"): "tested with ops/conditioned_linear.hpp",
    ("ops/lane_fft.hpp", "test"): "tested with ops/spectral_axis.hpp, and physics/plane_fft.hpp",
    ("ops/onednn_primitives.hpp", "test"): "how oneDNN 2 and 3 are asked, tested with ops/convolution_onednn.hpp",
    ("ops/time_embedding_functions.hpp", "test"): "tested with ops/time_embedding.hpp",
    ("kernels/partial_sums.cuh", "test"): "second stage of others, tested with column_sums, layer_norm and linear_attention",
    ("kernels/partial_sums.cuh", "bytes"): "second stage of others, counted with them",
    ("kernels/partial_sums.cuh", "benchmark"): "second stage of others, timed with column_sums",
    ("kernels/port.cuh", "mutant"): "the language, of which kernels are written",
    ("kernels/rms_norm_parameters.cuh", "test"): "second stage of rms_norm_silu, tested with it",
}


def text_of(path):
    return path.read_text() if path.exists() else ""


def code_of(path):
    """A file without its comments."""
    return re.sub(r"//[^\n]*", "", text_of(path))


def launches_of(code):
    """The functions that launch a file's kernels, without those that only others of the file call."""
    names = re.findall(r"\bvoid (\w+)\(Stream stream", code)
    return [name for name in names if len(re.findall(rf"\b{name}(?:<[^;()]*>)?\(", code)) == names.count(name)]


def table_of(page, heading):
    """The rows of the table whose first line begins so: the first cell of each."""
    begin = page.find(heading)
    return re.findall(r"^\| ([^|]+) \|", page[begin:].split("\n\n")[0], re.MULTILINE)[1:] if begin >= 0 else []


def ops_findings(root, table):
    found, names = [], []
    folder = root / "include/lacuna"
    for header in sorted((folder / "ops").glob("*.hpp")):
        file = f"ops/{header.name}"
        if not (root / "tests/ops" / f"{header.stem}.cpp").exists():
            found.append((file, "test", f"tests/ops/{header.stem}.cpp"))
        ops = re.findall(r"[ .]op(?:<[\w:]+>)?\(\s*\"(\w+)\"", code_of(header))
        names += ops
        if ops and not (folder / "cuda/ops" / header.name).exists():
            found.append((file, "twin", f"include/lacuna/cuda/ops/{header.name}"))
        rows = " ".join(table)
        found += [(file, "row", f"a row of `{op}` in docs/cuda.md, of what runs on a GPU") for op in ops if f"`{op}`" not in rows]
    if len(names) < 20:
        found.append(("ops", "op", "names of ops: the pattern has lost them"))
    for name in re.findall(r"`(\w+)`", " ".join(table)):
        if name not in names:
            found.append(("docs/cuda.md", "op", f"an op {name}, of which the table has a row"))
    umbrella = text_of(folder / "cuda/ops.hpp")
    for header in sorted((folder / "cuda/ops").glob("*.hpp")):
        if f'"lacuna/cuda/ops/{header.name}"' not in umbrella:
            found.append((f"cuda/ops/{header.name}", "include", "its place in include/lacuna/cuda/ops.hpp"))
        if not (folder / "ops" / header.name).exists():
            found.append((f"cuda/ops/{header.name}", "twin", f"include/lacuna/ops/{header.name}"))
    return found


def kernel_findings(root, page, table):
    found = []
    tests = root / "tests/kernels"
    mutants = text_of(tests / "mutants/list")
    traffic = "".join(code_of(path) for path in sorted(tests.glob("traffic*.cpp")))
    benchmarks = "".join(code_of(path) for path in [root / "benchmarks/kernels.cu", *sorted(root.glob("benchmarks/kernels/*.hpp"))])
    budgets = [re.sub("<.*", "", key) for key in json.loads(text_of(tests / "nvcc/budget.json"))["kernels"]]
    for header in sorted((root / "kernels").glob("*.cuh")):
        file = f"kernels/{header.name}"
        code = code_of(header)
        if f"file: {header.name}\n" not in mutants:
            found.append((file, "mutant", "a planted bug in tests/kernels/mutants/list"))
        kernels = re.findall(r"__global__[^;{]*?\b(\w+)\(", re.sub(r"__launch_bounds__\((?:[^()]|\([^()]*\))*\)", "", code))
        if not kernels:
            continue
        if not (tests / f"{header.stem}.cpp").exists():
            found.append((file, "test", f"tests/kernels/{header.stem}.cpp"))
        launches = launches_of(code)
        calls = {name: rf"kernels::{name}(?:<[^;()]*>)?\(" for name in launches}
        found += [(file, "bytes", f"the bytes of {name}() in tests/kernels/traffic*.cpp") for name in launches
                  if not re.search(calls[name], traffic)]
        found += [(file, "budget", f"a budget of {name} in tests/kernels/nvcc/budget.json") for name in kernels if name not in budgets]
        if f"`{header.name}`" not in table:
            found.append((file, "row", "a row in docs/cuda.md, of the kernels"))
        if not any(re.search(call, benchmarks) for call in calls.values()):
            found.append((file, "benchmark", "a case in benchmarks/kernels.cu"))
    for name in sorted(set(re.findall(r"`(\w+\.cuh)`", page)) | set(re.findall(r"^file: (.+)$", mutants, re.MULTILINE))):
        if not (root / "kernels" / name).exists():
            found.append((name, "kernel", f"kernels/{name}, which docs/cuda.md or a planted bug names"))
    planted = len(re.findall(r"^name: ", mutants, re.MULTILINE))
    if f"| {planted} planted bugs |" not in page:
        found.append(("docs/cuda.md", "count", f"the number of planted bugs, {planted}"))
    return found


def findings(root):
    """What is missing, as lines."""
    page = text_of(root / "docs/cuda.md")
    found = ops_findings(root, table_of(page, "| op | on a GPU |")) + kernel_findings(root, page, table_of(page, "| file | "))
    needed = {(file, what) for file, what, _ in found}
    lines = [f"{file} lacks {lacking}" for file, what, lacking in found if (file, what) not in EXEMPT]
    lines += [f"{file} is exempt from '{what}' for nothing" for file, what in EXEMPT if (file, what) not in needed]
    return lines


def main():
    lines = findings(pathlib.Path(sys.argv[1]))
    for line in lines:
        print(line)
    print(f"{len(lines)} things are missing" if lines else "every op and every kernel has all that it should")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
