"""FNOC winds: makes gappy files, runs lacuna-fill on them whole and scores what it filled in the test frames (1991-92).

usage: python3 benchmarks/winds.py PATH/lacuna-fill [--columns p20 p10 b8 b5] [--seeds 4] [--inductive] [--out winds.json] [-- options of lacuna-fill]
Needs python3-numpy, python3-netcdf4 and the Debian package ferret-datasets.
Score: mean squared error over missing points, in units of the standard deviation of the complete training frames (1982-89).
One mask per 3-month window, shared by the months and both wind components.
"""
import netCDF4
import numpy as np

import protocol


def load(path):
    with netCDF4.Dataset(path) as d:
        truth = np.stack([np.asarray(d[n][:], float) for n in ("UWND", "VWND")])[:, :, :72]
        return {"names": ["U", "V"], "truth": truth, "time": d["TIME"][:].data, "time_units": d["TIME"].units,
                "lat": d["FNOCY"][:72].data, "lon": d["FNOCX"][:].data, "domain": None, "options": [], "train": "0:96", "test": slice(108, 132),
                "deviation": truth[:, :96].std((1, 2, 3), keepdims=True)}


if __name__ == "__main__":
    protocol.main(__doc__, "/usr/share/ferret-vis/data/monthly_navy_winds.cdf", load, 1000)
