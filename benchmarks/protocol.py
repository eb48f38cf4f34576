"""Masks, gappy files, runs and scores shared by the real-data benchmarks (winds.py, storm.py)."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import netCDF4
import numpy as np


def mask(kind, height, width, random):
    """True = observed. p20, p10: that percentage of pixels; b8, b5: that many of 3 x 3 blocks."""
    if kind[0] == "p":
        m = np.zeros(height * width, bool)
        m[random.permutation(height * width)[: round(int(kind[1:]) / 100 * height * width)]] = True
        return m.reshape(height, width)
    m = np.ones((height, width), bool)
    rows, cols = [0, height // 3, 2 * (height // 3), height], [0, width // 3, 2 * (width // 3), width]
    for block in random.permutation(9)[: 9 - int(kind[1:])]:
        i, j = divmod(block, 3)
        m[rows[i] : rows[i + 1], cols[j] : cols[j + 1]] = False
    return m


def write_file(path, names, fields, time, time_units, lat, lon):
    """fields: (variables, T, H, W) with NaN for missing."""
    with netCDF4.Dataset(path, "w") as d:
        d.createDimension("time", None)
        d.createDimension("lat", len(lat))
        d.createDimension("lon", len(lon))
        for name, values, units in (("time", time, time_units), ("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
            v = d.createVariable(name, "f8", (name,))
            v.units = units
            v[:] = values
        for name, values in zip(names, fields):
            v = d.createVariable(name, "f4", ("time", "lat", "lon"), fill_value=np.float32(-9.9e33))
            v[:] = np.ma.masked_invalid(values)


def run_fill(program, folder, names, extra):
    """Runs lacuna-fill on folder/gappy.nc; returns the filled fields, their spread and the report."""
    out, report = os.path.join(folder, "filled.nc"), os.path.join(folder, "report.json")
    command = [program, os.path.join(folder, "gappy.nc"), "-o", out, "--report", report, "--overwrite"]
    for name in names:
        command += ["-v", name]
    subprocess.run(command + extra, check=True, stdout=subprocess.DEVNULL)
    with netCDF4.Dataset(out) as d:
        read = lambda n: np.ma.filled(d[n][:].astype(float), np.nan)
        filled, spread = np.stack([read(n) for n in names]), np.stack([read(n + "_spread") for n in names])
    with open(report) as f:
        return filled, spread, json.load(f)


def print_table(rows):
    """rows: {column: [per-seed dict]}; prints mean and deviation over seeds of every entry."""
    for column, seeds in rows.items():
        entry = lambda k: "%s %.4f+-%.4f" % (k, np.mean([s[k] for s in seeds]), np.std([s[k] for s in seeds]))
        print(column, " ".join(entry(k) for k in seeds[0]))


def main(description, default_data, load, first_mask_seed):
    """The command line of a benchmark.

    load(path) gives a dict: names, truth (variables, T, H, W), time, time_units, lat, lon, deviation (to standardise by, broadcast
    to truth), train (FIRST:END, frames to learn from with --inductive), test (slice of frames to score), domain (H, W) or None
    (True = may be observed), options (of lacuna-fill).
    """
    own, extra = sys.argv[1:], []
    if "--" in own:
        own, extra = own[: own.index("--")], own[own.index("--") + 1 :]
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("program")
    p.add_argument("--data", default=default_data)
    p.add_argument("--columns", nargs="+", default=["p20", "p10", "b8", "b5"])
    p.add_argument("--seeds", type=int, default=4)
    p.add_argument("--first-seed", type=int, default=0)
    p.add_argument("--inductive", action="store_true", help="learn from the training frames alone; without, from the whole file")
    p.add_argument("--out", default="")
    o = p.parse_args(own)
    case = load(o.data)
    if o.inductive:
        case["options"] = case["options"] + ["--learn-frames", case["train"]]
    rows = {}
    for column in o.columns:
        rows[column] = []
        for seed in range(o.first_seed, o.first_seed + o.seeds):
            row, report = one_run(case, column, np.random.default_rng(first_mask_seed + seed), o.program, ["--seed", str(seed + 1)] + case["options"] + extra)
            rows[column].append(row)
            choices = [report[k] for k in ("method", "settings", "background", "mask", "contexts", "weights", "steps") if k in report]
            print(column, "seed", seed, json.dumps(row), *choices, flush=True)
            if o.out:
                with open(o.out, "w") as f:
                    json.dump(rows, f, indent=1)
    print_table(rows)


def one_run(case, column, random, program, extra):
    """One gappy file, filled and scored: one mask per 3-frame window, shared by frames and variables."""
    truth, names = case["truth"], case["names"]
    _, frames, height, width = truth.shape
    observed = np.repeat(np.stack([mask(column, height, width, random) for _ in range(frames // 3)]), 3, 0)
    inside = np.ones((height, width), bool) if case["domain"] is None else case["domain"]
    observed &= inside
    with tempfile.TemporaryDirectory() as folder:
        gappy = np.where(observed[None], truth, np.nan)
        write_file(os.path.join(folder, "gappy.nc"), names, gappy, case["time"], case["time_units"], case["lat"], case["lon"])
        start = time.time()
        filled, spread, report = run_fill(program, folder, names, extra)
        seconds = time.time() - start
    scored = np.zeros(frames, bool)
    scored[case["test"]] = True
    where = (~observed & inside & scored[:, None, None])[None] & np.isfinite(truth)
    error = (filled - truth) / case["deviation"]
    covered = np.abs(filled - truth)[where] <= 1.645 * spread[where]
    withheld = report["withheld_nmse"]
    row = {"nmse": float((error[where] ** 2).mean())}
    if report["method"] == "diffusion":
        row |= {"withheld": withheld["lacuna"], "withheld_background": withheld["mean" if report["background"] == "none" else report["background"]]}
        row["withheld_coverage90"] = report["spread_trust"]["coverage_90"]
    else:
        row["withheld"] = withheld[report["method"]]
    return row | {"coverage90": float(covered.mean()), "seconds": seconds}, report
