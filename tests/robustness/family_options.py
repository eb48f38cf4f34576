"""Every option with words it takes, words it must refuse, and words that only must not harm; then options at random."""

from bench import Case
from inputs import single
from request import Request, fill

SMALL = {"frames": 9, "rows": 8, "columns": 10}
BASE = {"--steps": "4", "--hidden": "4", "--batch": "2", "--members": "2", "--mask": "pixels", "--background": "none"}
HUGE = "9" * 330
NO_NUMBERS = ["", "x", "1x", "nan", HUGE, "-1e308", "--"]
# option: (good words, words to refuse, words where either is right)
TABLE = {
    "--method": (
        ["mean", "linear", "nearest", "climatology", "temporal", "laplace", "dineof", "kriging", "optimal-interpolation"],
        ["", "spline", "LINEAR", HUGE],
        ["telea", "navier-stokes", "diffusion"],
    ),
    "--window": (["1", "2", "3", "9"], ["0", "-1", "10", "1e9", "4294967297", *NO_NUMBERS], []),
    "--stride": (["0", "1", "3"], ["-1", "4294967296", *NO_NUMBERS], ["4", "2147483647"]),
    "--learn-frames": (
        ["0:9", "0:6", "3:9"],
        [
            *["0:0", "5:3", "0:4294967305", "4294967296:4294967300", "0:10", "-1:5"],
            *["0:", ":9", "1:2:3", "0:9x", "1e0:9"],
            *NO_NUMBERS,
        ],
        ["8:9", "+0:9"],
    ),
    "--background": (["auto", "none", "climatology", "kriging", "climatology+kriging"], ["", "x", HUGE], []),
    "--mask": (["auto", "pixels", "empirical"], ["", "x", HUGE], ["blocks"]),
    "--ratio": (["0", "0.5", "0.9"], ["1", "-0.1", "inf", *NO_NUMBERS], ["1e-300", "0.999999999"]),
    "--contexts": (["auto", "self", "policy", "0.5", "1"], ["0", "1.5", "-1", "1e-300", "inf", *NO_NUMBERS], ["all", "0.01"]),
    "--members": (["2", "5", "auto"], ["0", "1", "-1", "1001", "1e1", *NO_NUMBERS], []),
    "--samples": (["0", "2"], ["1", "-1", "1001", "4294967298", *NO_NUMBERS], []),
    "--sampling-steps": ([], ["0", "-1", "10001", *NO_NUMBERS], ["1", "3"]),
    "--steps": (["1", "4"], ["0", "-1", "1e3", "0x4", "99999999999999999999", " 4", *NO_NUMBERS], []),
    "--minutes": (["0.01", "1e300"], ["-1", "inf", "1e999", *NO_NUMBERS], ["0", "1e-300"]),
    "--seed": (["0", "1", "18446744073709551615"], ["-1", "18446744073709551616", "1.5", *NO_NUMBERS], []),
    "--device": (["cpu"], ["", "gpu", "cuda", "cuda:0", "cuda:99", "cuda:-1", "cuda:1x", "cuda:", HUGE], []),
    "--threads": (["1", "2", "0", "3"], ["-1", "1025", "4294967297", *NO_NUMBERS], ["1024"]),
    "--withhold": (["0.1", "0.5", "0.3"], ["0", "0.6", "-0.1", "1", "inf", *NO_NUMBERS], ["1e-300", "0.001"]),
    "--network": (["unet", "fno", "space-time-unet"], ["", "UNET2", HUGE], []),
    "--hidden": (["4", "6"], ["0", "3", "5", "-4", "1025", *NO_NUMBERS], []),
    "--batch": (["0", "1", "3"], ["-1", "4097", "4294967298", *NO_NUMBERS], []),
    "--crop": (["-1", "0", "8"], ["-2", *NO_NUMBERS], ["1", "3", "1000", "2147483647"]),
    "--memory": (
        ["8GB", "500MiB", "2e3MB"],
        ["0", "0GB", "-1GB", "1", "8", "GB", "nanGB", "infGB", "1e308GB", "8GBx", *NO_NUMBERS],
        ["60MB", "1e-9GB"],
    ),
    "--precision": (["float"], ["tf32", "double", "", HUGE], ["bfloat16"]),
    "--learning-rate": (["0.001", "1e-6"], ["0", "-1", "inf", *NO_NUMBERS], ["1e308", "1e-300", "1e30"]),
    "--save-every": ([], ["-1", *NO_NUMBERS], ["0", "1e300", "inf"]),
    "--report": (["r.json"], [".", "absent/r.json", "out.nc", "in.nc", "./in.nc", "x" * 300], [""]),
    "--picture": (["p.png"], [".", "absent/p.png", "./out.nc", "in.nc", "y" * 300], [""]),
    "--checkpoint": (["state"], ["in.nc", "in.nc/x"], ["", "."]),
    "--variable": ([], ["", "absent", "g/v", "/v", "time", "lat", HUGE, "v"], []),
}
FLAGS = ["--recompute", "--fill-static", "--allow-unexposed", "--profile", "--overwrite", "--resume"]


def flatten(options):
    return [word for pair in options.items() for word in pair if word is not None]


def request_of(rng, given):
    options = {**({} if "--method" in given and given["--method"] != "diffusion" else BASE), **given}
    threads = options.pop("--threads", "1")
    if "--samples" in given or "--sampling-steps" in given:
        options.pop("--members", None)
    if "--ratio" in given or "--method" in given:
        options.pop("--minutes", None)
    leaves = [
        w
        for w in (options.get("--report"), options.get("--picture"), options.get("--checkpoint"))
        if w and w not in ("in.nc", "./in.nc", "out.nc")
    ]
    return Request(single(rng, **SMALL), options=flatten(options), threads=threads, leaves=tuple(leaves))


def one_option(rng):
    """One option alone, all else usual."""
    option = rng.choice(list(TABLE))
    verdicts = [(word, verdict) for words, verdict in zip(TABLE[option], ("fills", "refuses", "either")) for word in words]
    word, verdict = rng.choice(verdicts)
    given = {option: word}
    if option == "--save-every":
        given["--checkpoint"] = "state"
    if option == "--sampling-steps":
        given["--samples"] = "2"
    request = request_of(rng, given)
    request.expected = verdict
    if verdict == "refuses":
        request.word = f"{option}|{option[2:]}|{word[:30]}" if word else f"{option}|{option[2:]}|empty"
    if option in ("--report", "--picture", "--variable") and word:
        request.word = word[:30] + "|variable|name"
    if option == "--window" and verdict == "refuses":
        request.word = "window"
    return Case(f"{option} '{word[:40]}'", lambda bench: fill(bench, request))


def many_options(rng):
    """Several options with any of their words."""
    given = {}
    for option in rng.sample([o for o in TABLE if o != "--variable"], rng.randrange(2, 6)):
        good, bad, either = TABLE[option]
        given[option] = rng.choice(good + either) if rng.random() < 0.85 and good + either else rng.choice(bad)
    for flag in rng.sample(FLAGS, rng.randrange(0, 3)):
        given[flag] = None
    request = request_of(rng, given)
    return Case(
        f"options {[w[:40] for w in request.options]} --threads {request.threads[:40]}", lambda bench: fill(bench, request)
    )


def random_options(rng):
    return (one_option if rng.random() < 0.6 else many_options)(rng)


FAMILIES = {"options": (5, random_options)}
