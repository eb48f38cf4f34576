"""What the peers' scripts share: both sides of a comparison run alternately in one go, and the ratios of their times."""
import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time

import torch


class Peer:
    """A side in PyTorch: every kind of work is a method of that name."""

    def times(self, work, repeats):
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            getattr(self, work)()
            times.append(1e3 * (time.perf_counter() - start))
        return times


class Lacuna:
    """Our side: a program that reads "work repeats" and answers with milliseconds."""

    def __init__(self, program, threads, precision):
        self.process = subprocess.Popen([program, str(threads), precision], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def times(self, work, repeats):
        print(work, repeats, file=self.process.stdin, flush=True)
        return [float(x) for x in self.process.stdout.readline().split()]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(program, threads, rounds, precision, make_peers, works):
    torch.set_num_threads(threads)
    lacuna = Lacuna(program, threads, precision)
    peers = make_peers(precision)
    rows = []
    for work, repeats in works:
        sides = {"lacuna": lacuna, **peers}
        for side in sides.values():
            side.times(work, 1)
        medians = {name: [] for name in sides}
        for _ in range(rounds):
            for name, side in sides.items():
                time.sleep(0.05)  # the other side's waiting threads stop spinning
                medians[name].append(statistics.median(side.times(work, repeats)))
        for name in peers:
            ratios = sorted(b / a for a, b in zip(medians["lacuna"], medians[name]))
            rows.append({"work": work, "threads": threads, "peer": name, "lacuna_ms": statistics.median(medians["lacuna"]),
                         "peer_ms": statistics.median(medians[name]), "ratio": statistics.median(ratios),
                         "ratio_low": ratios[len(ratios) // 10], "ratio_high": ratios[-1 - len(ratios) // 10]})
            print("%-9s %7d  %-14s %9.1f %9.1f   %5.2f  (%.2f to %.2f)" % tuple(rows[-1].values()), flush=True)
    lacuna.close()
    return rows


def cpu_model():
    try:
        with open("/proc/cpuinfo") as f:
            return next(line.split(":")[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def main(description, make_peers, works, precisions=("float",)):
    """make_peers(precision) gives {name: Peer}; works are (name, repeats a round)."""
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("program")
    p.add_argument("--rounds", type=int, default=15)
    p.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    p.add_argument("--precision", choices=precisions, default="float")
    p.add_argument("--json")
    o = p.parse_args()
    capability = getattr(torch.backends.cpu, "get_cpu_capability", None) if hasattr(torch.backends, "cpu") else None
    build = torch.__config__.show()
    machine = {"cpu": cpu_model(), "cores": os.cpu_count(), "load": os.getloadavg()[0], "precision": o.precision, "torch": torch.__version__,
               "capability": capability() if capability else build.split("CPU capability usage:")[-1].split()[0],
               "blas": (re.findall(r"BLAS_INFO=(\w+)", build) or ["unknown"])[0],
               "mkldnn": torch.backends.mkldnn.is_available()}
    print(", ".join("%s %s" % item for item in machine.items()))
    if machine["load"] > 0.5:
        print("the machine is at work (load %.1f): do not quote these figures" % machine["load"], file=sys.stderr)
    print("work      threads  PyTorch         lacuna ms  torch ms   ratio  (10 % to 90 % of rounds)")
    rows = [row for threads in o.threads for row in compare(o.program, threads, o.rounds, o.precision, make_peers, works)]
    if o.json:
        with open(o.json, "w") as f:
            json.dump({"machine": machine, "rows": rows}, f, indent=1)

