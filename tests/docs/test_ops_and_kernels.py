#!/usr/bin/env python3
"""That ops_and_kernels.py finds what is missing: in copies of the source tree from which one thing is taken at a time.

usage: test_ops_and_kernels.py SOURCE_DIR
"""
import pathlib
import shutil
import sys
import tempfile

import ops_and_kernels

READ = ["include/lacuna/ops", "include/lacuna/cuda", "kernels", "tests/ops", "tests/kernels", "docs/cuda.md",
        "benchmarks/kernels.cu", "benchmarks/kernels"]


def removed(name):
    def change(root):
        (root / name).unlink()
    return change


def replaced(name, old, new=""):
    def change(root):
        path = root / name
        text = path.read_text()
        assert old in text, f"{name} has no '{old}'"
        path.write_text(text.replace(old, new))
    return change


def added(name, text):
    def change(root):
        (root / name).write_text(text)
    return change


CASES = [  # a change, and what the check then says
    (removed("tests/ops/gated_add.cpp"), ["ops/gated_add.hpp lacks tests/ops/gated_add.cpp"]),
    (removed("include/lacuna/cuda/ops/canvas.hpp"), ["ops/canvas.hpp lacks include/lacuna/cuda/ops/canvas.hpp"]),
    (replaced("include/lacuna/cuda/ops.hpp", '#include "lacuna/cuda/ops/canvas.hpp"\n'),
     ["cuda/ops/canvas.hpp lacks its place in include/lacuna/cuda/ops.hpp"]),
    (added("include/lacuna/cuda/ops/lonely.hpp", ""),
     ["cuda/ops/lonely.hpp lacks its place in include/lacuna/cuda/ops.hpp",
      "cuda/ops/lonely.hpp lacks include/lacuna/ops/lonely.hpp"]),
    (replaced("docs/cuda.md", "`layer_norm`, `concatenate`", "`concatenate`"),
     ["ops/layer_norm.hpp lacks a row of `layer_norm` in docs/cuda.md, of what runs on a GPU"]),
    (replaced("docs/cuda.md", "`layer_norm`, `concatenate`", "`layer_norms`, `layer_norm`, `concatenate`"),
     ["docs/cuda.md lacks an op layer_norms, of which the table has a row"]),
    (removed("tests/kernels/frame_axis.cpp"), ["kernels/frame_axis.cuh lacks tests/kernels/frame_axis.cpp"]),
    (replaced("tests/kernels/mutants/list", "file: canvas.cuh", "file: vector.cuh"),
     ["kernels/canvas.cuh lacks a planted bug in tests/kernels/mutants/list"]),
    (replaced("tests/kernels/mutants/list", "name: the tail of an array is dropped\n"), None),
    (replaced("tests/kernels/traffic.cpp", "kernels::split<S>"),
     ["kernels/concatenate.cuh lacks the bytes of split() in tests/kernels/traffic*.cpp"]),
    (replaced("tests/kernels/nvcc/budget.json", '"split_kernel"', '"cut_kernel"'),
     ["kernels/concatenate.cuh lacks a budget of split_kernel in tests/kernels/nvcc/budget.json"]),
    (replaced("docs/cuda.md", "\n| `cast.cuh` |", "\n| cast |"), ["kernels/cast.cuh lacks a row in docs/cuda.md, of the kernels"]),
    (replaced("benchmarks/kernels/images.hpp", "kernels::accumulate<float>", "// "),
     ["kernels/accumulate.cuh lacks a case in benchmarks/kernels.cu"]),
    (added("tests/ops/lane_fft.cpp", ""), ["ops/lane_fft.hpp is exempt from 'test' for nothing"]),
    (removed("kernels/shared_tile.cuh"), None),
]


def main():
    source = pathlib.Path(sys.argv[1])
    wrong = 0
    for change, expected in [(lambda root: None, [])] + CASES:
        with tempfile.TemporaryDirectory() as scratch:
            root = pathlib.Path(scratch)
            for name in READ:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if (source / name).is_dir() else shutil.copy)(source / name, root / name)
            change(root)
            lines = ops_and_kernels.findings(root)
        if (lines != expected) if expected is not None else not lines:
            print(f"expected {expected if expected is not None else 'some finding'}, got {lines}")
            wrong += 1
    print(f"{wrong} of {len(CASES) + 1} trees were judged wrongly" if wrong else f"all {len(CASES) + 1} trees are judged rightly")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
