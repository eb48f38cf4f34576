#!/usr/bin/env python3
"""Compiles all kernels for one architecture and holds what ptxas and PTX say against budget.json.

usage: check.py NVCC SOURCE_DIR WORK_DIR ARCHITECTURE [compiler flags...]

Demanded of every kernel: no stack frame, no spills, no double arithmetic, no atomics, registers and shared memory within the
budget, and at least the named number of 16-byte (and, where named, 8-byte) global loads and stores. A kernel without a budget,
and a budget without a kernel, are errors too.
"""
import json
import pathlib
import re
import subprocess
import sys


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return done.stdout + done.stderr


def from_ptxas(log):
    """Mangled name -> what ptxas -v tells."""
    kernels, current = {}, None
    for line in log.splitlines():
        if found := re.search(r"Compiling entry function '(\w+)'", line):
            current = kernels.setdefault(found[1], {"shared": 0})
        elif found := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line):
            current.update(stack=int(found[1]), spills=int(found[2]) + int(found[3]))
        elif found := re.search(r"Used (\d+) registers", line):
            current["registers"] = int(found[1])
            if found := re.search(r"(\d+) bytes smem", line):
                current["shared"] = int(found[1])
    return kernels


def from_ptx(text):
    """Mangled name -> counts of the instructions that matter."""
    kernels = {}
    for body in re.split(r"\.visible \.entry ", text)[1:]:
        name = re.match(r"\w+", body)[0]
        kernels[name] = {
            "loads16": len(re.findall(r"\bld\.global\.(?:nc\.)?v4\.[fbu]32", body)),
            "stores16": len(re.findall(r"\bst\.global\.v4\.[fbu]32", body)),
            "loads8": len(re.findall(r"\bld\.global\.(?:nc\.)?v2\.[fbu]32", body)),
            "stores8": len(re.findall(r"\bst\.global\.v2\.[fbu]32", body)),
            "doubles": len(re.findall(r"\.f64\b", body)),
            "atomics": len(re.findall(r"\b(?:atom|red)\.", body)),
        }
    return kernels


def main():
    nvcc, source, work, architecture, *flags = sys.argv[1:]
    folder = pathlib.Path(source) / "tests/kernels/nvcc"
    budgets = json.loads((folder / "budget.json").read_text())["kernels"]
    work = pathlib.Path(work) / f"sm_{architecture}"
    work.mkdir(parents=True, exist_ok=True)
    log = run([nvcc, *flags, f"-arch=sm_{architecture}", "-Xptxas", "-v", "-cubin", "-o", str(work / "instances.cubin"),
               "--keep", "--keep-dir", str(work), str(folder / "instances.cu")])
    kernels = from_ptxas(log)
    for name, counts in from_ptx((work / "instances.ptx").read_text()).items():
        kernels[name].update(counts)
    names = run(["c++filt", *kernels]).splitlines()

    failures, used = 0, set()
    for name, k in zip(names, kernels.values()):
        short = re.sub(r"^void lacuna::kernels::|\(.*$", "", name)
        pattern = next((p for p in budgets if short.startswith(p)), None)
        if pattern is None:
            print(f"FAIL  {short}: has no budget")
            failures += 1
            continue
        used.add(pattern)
        budget = budgets[pattern]
        wrong = [what for what in ("stack", "spills", "doubles", "atomics") if k[what] != 0]
        wrong += [what for what in ("registers", "shared") if k[what] > budget[what]]
        wrong += [what for what in ("loads16", "stores16", "loads8", "stores8") if k[what] < budget.get(what, 0)]
        failures += bool(wrong)
        print(("FAIL  " if wrong else "ok    ") + f"sm_{architecture} {short}: " +
              ", ".join(f"{what} {k[what]}" for what in sorted(k)) + (f"; out of budget: {', '.join(wrong)}" if wrong else ""))
    for pattern in set(budgets) - used:
        print(f"FAIL  the budget of {pattern} fits no kernel")
        failures += 1
    sys.exit(failures != 0)


main()
