"""Storm of January 1996: gappy files from six variables, lacuna-fill on them whole, scored in the test frames (52-63).

usage: python3 benchmarks/storm.py PATH/lacuna-fill [--columns p20 p10 b8 b5] [--seeds 4] [--inductive] [--out storm.json] [-- options of lacuna-fill]
Needs python3-numpy, python3-netcdf4 and the Debian package libncarg-data.
Frames 48-51 are dropped, so that windows of 3 never straddle two masks; points outside the domain and lost frames are not scored.
With 20 windows some points are never observed by chance: --fill-static has them filled like the others.
"""
import os

import netCDF4
import numpy as np

import protocol

FILES = ["Pstorm", "Tstorm", "Ustorm", "Vstorm", "U500storm", "V500storm"]


def load(folder):
    fields = []
    for name in FILES:
        with netCDF4.Dataset(os.path.join(folder, name + ".cdf")) as d:
            v = [x for x in d.variables.values() if x.ndim == 3][0]
            fields.append(np.ma.masked_invalid(v[:]).astype(float).filled(np.nan))
            lat, lon = d["lat"][:].data, d["lon"][:].data
    truth, keep = np.stack(fields), np.r_[0:48, 52:64]
    return {"names": FILES, "truth": truth[:, keep], "time": 6.0 * keep, "time_units": "hours since 1996-01-05 00:00",
            "lat": lat, "lon": lon, "domain": np.isfinite(truth[0, 0]), "options": ["--fill-static"], "train": "0:42", "test": slice(48, 60),
            "deviation": np.nanstd(truth[:, :42], (1, 2, 3), keepdims=True)}


if __name__ == "__main__":
    protocol.main(__doc__, "/usr/share/ncarg/data/cdf", load, 2000)
