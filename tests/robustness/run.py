#!/usr/bin/env python3
"""A battery of hostile runs of lacuna-fill, lacuna-reproduce and generate.

Known defects come first, then random cases of all families in proportion to their weights, chosen by the seed. Exits 1 if any run
ended in another way than it may: with a sound output, or with a clear message and nothing lost.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import family_damage
import family_inputs
import family_interruptions
import family_options
import family_programs
import family_resources
import family_surroundings
import regressions
from bench import Bench, Settings, Skip

MODULES = [
    family_inputs,
    family_damage,
    family_options,
    family_interruptions,
    family_resources,
    family_surroundings,
    family_programs,
]
FAMILIES = {name: entry for module in MODULES for name, entry in module.FAMILIES.items()}
OUTCOMES = ("good", "bad", "skipped")


def make_case(identity):
    """The case of an id, FAMILY:SEED:NUMBER or regressions:NAME."""
    family, _, rest = identity.partition(":")
    if family == "regressions":
        case = regressions.CASES[rest]()
    else:
        case = FAMILIES[family][1](random.Random(identity))
    case.family, case.id = family, identity
    return case


def identities(seed, only):
    """Ids without end: the regressions, then families drawn by weight."""
    if not only or "regressions" in only:
        yield from (f"regressions:{name}" for name in regressions.CASES)
    names = [n for n in FAMILIES if not only or n in only]
    rng, count = random.Random(seed), Counter()
    while names:
        family = rng.choices(names, [FAMILIES[n][0] for n in names])[0]
        count[family] += 1
        yield f"{family}:{seed}:{count[family]}"


def judge(settings, identity, keep):
    """Runs a case in a new folder. Returns its outcome, and lines that tell of it."""
    folder = Path(tempfile.mkdtemp(prefix=identity.replace(":", "-")[:60] + "-", dir=settings.work))
    case = bench = None
    try:
        case = make_case(identity)
        (folder / "case").mkdir()
        bench = Bench(settings, case, folder / "case")
        case.body(bench)
    except Skip as reason:
        return "skipped", [str(reason)]
    except Exception:  # a mistake of the battery must not end it
        return "bad", [f"{identity}: the battery itself failed", traceback.format_exc()]
    finally:
        if bench:
            bench.clean_up()
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    if not bench.problems:
        return "good", []
    lines = [
        f"BAD {identity}: {case.title}",
        f"  repeat: {repeat_command(settings, identity)}",
        f"  expected: {bench.expected}",
    ]
    lines += [f"  came: {problem}" for problem in dict.fromkeys(bench.problems)]
    return "bad", lines + [f"  command: {command}" for command in bench.commands[-2:]]


def repeat_command(settings, identity):
    faults = f" --faults {settings.faults}" if settings.faults else ""
    return f"{sys.argv[0]} --programs {settings.programs}{faults} --case {identity} --keep"


class Battery:
    """Takes cases until time or number is used up."""

    def __init__(self, settings, options):
        self.settings, self.options = settings, options
        self.counts, self.reasons, self.lock = {}, Counter(), threading.Lock()
        self.bad = []
        self.end = time.monotonic() + options.seconds if options.seconds else None
        self.todo = iter([options.case] if options.case else identities(options.seed, options.only))
        self.left = options.runs or sys.maxsize

    def next(self):
        with self.lock:
            if self.left == 0 or (self.end and time.monotonic() > self.end):
                return None
            self.left -= 1
            return next(self.todo, None)

    def work(self):
        while (identity := self.next()) is not None:
            began = time.monotonic()
            outcome, lines = judge(self.settings, identity, self.options.keep)
            with self.lock:
                counts = self.counts.setdefault(identity.split(":")[0], Counter())
                counts[outcome] += 1
                counts["seconds"] += time.monotonic() - began
                if outcome == "skipped":
                    self.reasons[lines[0]] += 1
                elif lines:
                    self.bad.append(identity)
                    print("\n".join(lines), flush=True)

    def table(self):
        print(f"\n{'family':16}" + "".join(f"{word:>9}" for word in (*OUTCOMES, "s a run")))
        for family, counts in sorted(self.counts.items()):
            total = sum(counts[o] for o in OUTCOMES)
            print(f"{family:16}" + "".join(f"{counts[o]:9}" for o in OUTCOMES) + f"{counts['seconds'] / total:9.2f}")
        for reason, count in self.reasons.items():
            print(f"skipped {count}: {reason}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", required=True, type=Path, help="folder of lacuna-fill, lacuna-reproduce and generate")
    parser.add_argument("--faults", type=Path, help="the library made of faults.cpp; without it the family faults is skipped")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="begin no further case after so long")
    parser.add_argument("--runs", type=int, help="so many cases (2000 where neither this nor --seconds is given)")
    parser.add_argument(
        "--only", nargs="+", choices=["regressions", *FAMILIES], metavar="FAMILY", help="of " + ", ".join(FAMILIES)
    )
    parser.add_argument("--case", help="repeat this one")
    parser.add_argument("--keep", action="store_true", help="keep the folders of the cases")
    parser.add_argument("--jobs", type=int, default=1, help="cases at once")
    options = parser.parse_args()
    if not options.seconds and not options.runs and not options.case:
        options.runs = 2000
    return options


def main():
    options = parse()
    work = Path(tempfile.mkdtemp(prefix="robustness-"))
    settings = Settings(options.programs.resolve(), options.faults.resolve() if options.faults else None, work)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    battery = Battery(settings, options)
    try:
        with ThreadPoolExecutor(options.jobs) as pool:
            for done in [pool.submit(battery.work) for _ in range(options.jobs)]:
                done.result()
    finally:
        if options.keep:
            print(f"folders are kept in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    battery.table()
    return 1 if battery.bad else 0


def take_signals():
    """Whoever ignores signals (nohup, a job in the background) hands that on, and the programs would ignore them too."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    os.umask(0o022)
    take_signals()
    sys.exit(main())
