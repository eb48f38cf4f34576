#!/usr/bin/env python3
"""Classical fills of the generated Kolmogorov flow, beside the figures of an independent generator of the same set.

    build/release/examples/generate kolmogorov -o kolmogorov.nc --samples 16
    python3 benchmarks/kolmogorov.py kolmogorov.nc

Prints the mean squared error over ALL positions (observed ones are exact) x 1e3, one mask per trajectory, shared by its frames; the
deviation over trajectories over the square root of their number is beside it. Needs python3-numpy, python3-scipy, python3-netcdf4;
telea and navier_stokes python3-opencv.
"""
import argparse

import netCDF4
import numpy as np
import scipy.linalg
import scipy.ndimage
import scipy.sparse
import scipy.sparse.linalg

from protocol import mask

COLUMNS = ["p80", "p60", "p20", "b8"]
REFERENCE = {
    "zero": [2.96, 5.82, 11.4, 1.54],
    "temporal": [1.47, 2.94, 6.05, 1.48],
    "laplace": [0.188, 0.486, 2.32, 1.36],
    "kriging": [0.165, 0.337, 1.74, 1.29],
    "telea": [0.506, 1.28, 3.92, 1.66],
    "navier_stokes": [0.277, 0.707, 3.09, 1.58],
    "telea_8bit": [0.506, 1.28, 3.92, 1.66],
    "navier_stokes_8bit": [0.277, 0.707, 3.09, 1.58],
}


def zero(x, observed, column):
    return np.where(observed, x, 0)


def temporal(x, observed, column):
    """Weighted mean of the observed values within 5 cells: exp(-distance of the value's cell to the nearest gap / 5)."""
    weight = np.exp(-scipy.ndimage.distance_transform_edt(observed) / 5) * observed
    box = lambda a: scipy.ndimage.uniform_filter(a, (1,) * (a.ndim - 2) + (11, 11), mode="constant")
    above, below = box(np.where(observed, x * weight, 0)), box(weight)
    filled = np.where(below > 1e-12, above / np.maximum(below, 1e-300), 0)
    return np.where(observed, x, filled)


def laplace(x, observed, column):
    """The harmonic extension, free at the grid's borders."""
    height, width = observed.shape
    number = np.arange(height * width).reshape(height, width)
    pairs = np.concatenate([np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], 1), np.stack([number[:-1].ravel(), number[1:].ravel()], 1)])
    ones = np.ones(len(pairs))
    links = scipy.sparse.coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(number.size,) * 2)
    links = (links + links.T).tocsr()
    matrix = scipy.sparse.diags(np.asarray(links.sum(1)).ravel()) - links
    gap, there = np.where(~observed.ravel())[0], np.where(observed.ravel())[0]
    flat = x.reshape(len(x), -1)
    solve = scipy.sparse.linalg.factorized(matrix[gap][:, gap].tocsc())
    right = -(matrix[gap][:, there] @ flat[:, there].T)
    out = flat.copy()
    out[:, gap] = np.stack([solve(np.ascontiguousarray(r)) for r in right.T])
    return out.reshape(x.shape)


def kriging(x, observed, column, nugget=1e-4):
    """Simple kriging about zero: Matern-3/2 of 4 cells; for blocks an exponential of 4 cells and the observations within 14 cells of
    a gap."""
    height, width = observed.shape
    place = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), -1).reshape(-1, 2).astype(float)
    gap, there = ~observed.ravel(), observed.ravel().copy()
    if column.startswith("b"):
        there &= scipy.ndimage.distance_transform_edt(observed).ravel() <= 14
    def covariance(a, b):
        d = np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1)) / 4
        return np.exp(-d) if column.startswith("b") else (1 + np.sqrt(3) * d) * np.exp(-np.sqrt(3) * d)
    c = covariance(place[there], place[there])
    c[np.diag_indices_from(c)] += nugget
    flat = x.reshape(len(x), -1)
    weights = scipy.linalg.cho_solve(scipy.linalg.cho_factor(c, lower=True, overwrite_a=True), flat[:, there].T)
    out = flat.copy()
    out[:, gap] = (covariance(place[gap], place[there]) @ weights).T
    return out.reshape(x.shape)


def inpaint(x, observed, fast_marching, low=None, high=None):
    """OpenCV's, radius 3. With low and high: eight bits between them, clipped, as the paper ran it, and their middle under the mask;
    else in float as lacuna does, 0 to 255 over the range of the frame's observations and their mean under the mask."""
    import cv2

    gaps, method = (~observed * 255).astype(np.uint8), cv2.INPAINT_TELEA if fast_marching else cv2.INPAINT_NS
    out = []
    for frame in x:
        eight_bits = low is not None
        u = np.where(observed, frame, (low + high) / 2 if eight_bits else frame[observed].mean())
        a, b = (low, high) if eight_bits else (u.min(), u.max())
        u = (u - a) / (b - a) * 255
        u = np.clip(u, 0, 255).astype(np.uint8) if eight_bits else u.astype(np.float32)
        out.append(np.where(observed, frame, cv2.inpaint(u, gaps, 3, method) / 255.0 * (b - a) + a))
    return np.stack(out)


def telea(x, observed, column):
    return inpaint(x, observed, True)


def navier_stokes(x, observed, column):
    return inpaint(x, observed, False)


def telea_8bit(x, observed, column):
    return inpaint(x, observed, True, -1, 1)


def navier_stokes_8bit(x, observed, column):
    return inpaint(x, observed, False, -1, 1)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file")
    p.add_argument("--methods", nargs="+", default=["zero", "temporal", "laplace", "kriging"], choices=list(REFERENCE))
    p.add_argument("--columns", nargs="+", default=COLUMNS, choices=COLUMNS)
    p.add_argument("--every", type=int, default=4, help="score every so many frames")
    p.add_argument("--trajectories", type=int, default=10**9, help="score so many, the first ones")
    p.add_argument("--seed", type=int, default=0)
    o = p.parse_args()
    errors = {}
    with netCDF4.Dataset(o.file) as d:
        for sample in np.where(d["complete"][:] == 1)[0][: o.trajectories]:
            x = np.asarray(d["vorticity"][sample, :: o.every], float)
            for column in o.columns:
                observed = mask(column, *x.shape[1:], np.random.default_rng([o.seed, sample, COLUMNS.index(column)]))
                for method in o.methods:
                    filled = globals()[method](x, observed, column)
                    errors.setdefault((method, column), []).append(((filled - x) ** 2).mean() * 1e3)
    print("%-18s" % "method" + "".join("%26s" % c for c in o.columns))
    for method in o.methods:
        cells = []
        for column in o.columns:
            e, reference = np.array(errors[method, column]), REFERENCE[method][COLUMNS.index(column)]
            cells.append("%.3f+-%.3f (%.3f, %+.0f%%)" % (e.mean(), e.std() / np.sqrt(len(e)), reference, 100 * (e.mean() / reference - 1)))
        print("%-18s" % method + "".join("%26s" % c for c in cells))


if __name__ == "__main__":
    main()
