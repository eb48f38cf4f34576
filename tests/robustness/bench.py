"""One case's own folder, and the programs run in it: with a time limit, with every command and every problem written down."""

import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

TIME_LIMIT = 60  # seconds; every run of a case takes a few at most
HAS_NCCOPY = shutil.which("nccopy") is not None


class Skip(Exception):
    """This case cannot be judged here; the text says why."""


@dataclass
class Settings:
    """What all cases share."""

    programs: Path
    faults: Path = None
    work: Path = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    references: dict = field(default_factory=dict)  # results of unbroken runs, by their command


@dataclass
class Result:
    command: str
    code: int  # as a shell tells it: 128 + n for signal n that killed it
    killed_by: int  # the signal, or 0
    out: str
    err: str
    seconds: float
    timed_out: bool = False
    signalled: float = None  # seconds after the start at which the case sent a signal that found the program alive


@dataclass
class Case:
    """body(bench) runs programs and reports problems through bench.bad()."""

    title: str
    body: object
    family: str = ""
    id: str = ""
    seconds: float = 0


def snapshot(folder):
    """Every name below the folder with its content: bytes, or where a link points."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_file():
            found[name] = path.read_bytes()
        else:
            found[name] = "folder" if path.is_dir() else "special"
    return found


class Bench:
    def __init__(self, settings, case, folder):
        self.settings, self.case, self.folder = settings, case, Path(folder)
        self.commands, self.problems, self.cleanups = [], [], []
        self.expected = "exit 0 with a sound output, or exit 1 with a clear line and nothing lost"

    def bad(self, problem):
        self.problems.append(problem)

    def require(self, good, problem):
        if not good:
            self.bad(problem)
        return good

    def path(self, name):
        return self.folder / name

    def put(self, name, content):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def tool(self, *words):
        """A command outside the tool that prepares the case (nccopy, mount). Skips the case where it fails."""
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, timeout=TIME_LIMIT)
        if done.returncode:
            raise Skip(f"{words[0]}: {done.stderr.strip().splitlines()[-1:]}")
        return done.stdout

    def small_disk(self, name, kilobytes):
        """A file system of so many kilobytes, mounted on a folder of the case."""
        self.path(name).mkdir()
        self.tool("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(self.path(name)))
        self.cleanups.append(lambda: subprocess.run(["umount", "-l", str(self.path(name))], capture_output=True))
        return self.path(name)

    def start(self, words, env=None, before="", stdin=subprocess.DEVNULL, after="", cwd=None):
        """Starts a program through a shell, in a process group of its own. before: shell words such as `ulimit -n 9;`."""
        program = str(self.settings.programs / words[0])
        line = " ".join(shlex.quote(str(w)) for w in [program, *words[1:]])
        run = "" if "|" in after or before.startswith("exec ") else "exec "
        full = f"{before} {run}{line} {after}".strip()
        shown = " ".join(f"{k}={shlex.quote(v)}" for k, v in (env or {}).items())
        self.commands.append(f"cd {self.folder} && {shown + ' ' if shown else ''}bash -c {shlex.quote(full)}")
        out, err = (open(self.folder.parent / f"run{len(self.commands)}.{end}", "wb+") for end in ("stdout", "stderr"))
        process = subprocess.Popen(
            ["bash", "-c", full],
            cwd=cwd or self.folder,
            stdin=stdin,
            stdout=out,
            stderr=err,
            env={**os.environ, "OMP_WAIT_POLICY": "passive", **(env or {})},
            start_new_session=True,
        )
        process.began, process.files, process.command = time.monotonic(), (out, err), self.commands[-1]
        return process

    def finish(self, process, limit=TIME_LIMIT, signalled=None):
        """Waits for a started program; past the limit its whole group is killed."""
        timed_out = False
        try:
            process.wait(max(0.1, limit - (time.monotonic() - process.began)))
        except subprocess.TimeoutExpired:
            timed_out = True
        try:  # also what a killed shell left behind
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        code = process.wait()
        seconds = time.monotonic() - process.began
        texts = []
        for file in process.files:
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
            file.close()
        return Result(process.command, 128 - code if code < 0 else code, max(0, -code), *texts, seconds, timed_out, signalled)

    def run(self, *words, limit=TIME_LIMIT, during=None, **how):
        """Runs a program to its end. during(process): called while it runs, may return when it sent a signal."""
        process = self.start(words, **how)
        signalled = during(process) if during else None
        return self.finish(process, limit, signalled)

    def reference(self, key, make):
        """make(), once for all cases: what an unbroken run gives."""
        with self.settings.lock:
            if key not in self.settings.references:
                self.settings.references[key] = make()
            return self.settings.references[key]

    def clean_up(self):
        for cleanup in reversed(self.cleanups):
            cleanup()


def wait_until(ready, process, limit=20.0):
    """Polls until ready() or the program's end; whether it became ready."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if ready():
            return True
        if process.poll() is not None:
            return bool(ready())
        time.sleep(0.001)
    return False


def send_after(seconds, number):
    """For Bench.run(during=...): sends a signal so many seconds after the start, unless the program has ended."""

    def act(process):
        try:
            process.wait(seconds)
            return None
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            return time.monotonic() - process.began

    return act


def send_when(ready, number, delay=0.0):
    """Sends a signal once ready() holds, a little later if asked."""

    def act(process):
        wait_until(ready, process)
        return send_after(delay, number)(process)

    return act
