"""What a run of lacuna-fill was asked for, and how its outcome is judged."""

from dataclasses import dataclass, field

import oracle
import output_check
from bench import HAS_NCCOPY, TIME_LIMIT, Skip, snapshot

TRAINING = ["--steps", "4", "--hidden", "4", "--batch", "2", "--members", "2", "--mask", "pixels"]
QUICK = ["--method", "linear"]


@dataclass
class Request:
    """expected: fills, refuses or either. word: in the message of a refusal, any of several divided by |."""

    parts: list
    variables: list = None
    options: list = field(default_factory=lambda: list(QUICK))
    output: str = "out.nc"
    expected: str = "either"
    word: str = ""
    threads: str = "1"
    leaves: tuple = ()  # other files that the run may make, such as the report; of a folder all that is below it

    def __post_init__(self):
        if self.variables is None:
            self.variables = list(self.parts[0].observed)

    def words(self):
        out = ["lacuna-fill", *[p.file for p in self.parts]]
        for name in self.variables:
            out += ["-v", name]
        return [*out, "-o", self.output, "--threads", self.threads, *self.options]


def write_inputs(bench, request):
    """Writes the files of a request that are not there yet."""
    for part in request.parts:
        path = bench.path(part.file)
        if path.exists():
            continue
        bench.put(part.file, part.bytes())
        if part.recipe.container != "classic":
            if not HAS_NCCOPY:
                raise Skip("nccopy is not there (Debian: netcdf-bin)")
            bench.tool("nccopy", "-k", part.recipe.container, part.file, part.file + ".four")
            bench.path(part.file + ".four").rename(path)


def fill(bench, request, judge=True, **how):
    """Writes the inputs, runs the tool and judges the outcome."""
    write_inputs(bench, request)
    before = snapshot(bench.folder)
    bench.expected = {
        "fills": "exit 0 with a sound output",
        "refuses": f"exit 1 with a message that has '{request.word}'",
        "either": bench.expected,
    }[request.expected]
    how.setdefault("limit", TIME_LIMIT / 3 if request.expected == "refuses" else TIME_LIMIT)
    result = bench.run(*request.words(), **how)
    if judge:
        judge_fill(bench, request, before, result)
    return result


def same_fill(bench, request, one, other):
    """Whether two outputs, of any names, hold the same bits in what was filled."""
    first, second = (output_check.read(bench, bench.path(name)) for name in (one, other))
    return all(
        first.variable(v + end).data == second.variable(v + end).data
        for v in request.variables
        for end in ("", "_spread", "_observed")
    )


def judge_damaged(bench, request, before, result):
    """As judge_fill, where the inputs' truth is lost: a run may end either way, and must lose nothing."""
    for problem in oracle.ending(result):
        bench.bad(problem)
    after = snapshot(bench.folder)
    for problem in oracle.leftovers(before, after, request, result.code == 0):
        bench.bad(problem)
    for name, content in before.items():
        if after.get(name) != content and not oracle.may_change(name, request):
            bench.bad(f"{name} was changed or removed")
    if request.output in after and after[request.output] != before.get(request.output):
        try:
            output_check.read(bench, bench.path(request.output))
        except output_check.Unreadable as error:
            bench.bad(f"the output cannot be read: {error}")
    if request.expected == "refuses":
        bench.require(result.code != 0, "exit 0 where a refusal was expected")
        if result.code == 1 and not oracle.says(result.err, request.word):
            bench.bad(f"the message has no '{request.word}'")


def judge_rescued(bench, request, after, result):
    """A result that could not be written under its name may lie under another, readable and told of."""
    for name in after:
        if not name.startswith(request.output + oracle.RESCUED):
            continue
        bench.require(name.rsplit("/", 1)[-1] in result.err, f"{name} was made and no message tells of it")
        try:
            values = output_check.read(bench, bench.path(name))
            bench.require(all(values.variable(v) for v in request.variables), f"{name} has not all variables")
        except output_check.Unreadable as error:
            bench.bad(f"{name} cannot be read: {error}")


def judge_fill(bench, request, before, result):
    """Reports everything that is wrong with the outcome of a run."""
    for problem in oracle.ending(result):
        bench.bad(problem)
    if result.timed_out:
        return  # it was killed: what is left behind is the battery's doing
    after = snapshot(bench.folder)
    kept = dict(before)
    if result.code == 0:
        kept.pop(request.output, None)
        if request.expected == "refuses":
            bench.bad("exit 0 where a refusal was expected")
        for problem in oracle.filled(bench, request):
            bench.bad(problem)
        for problem in oracle.leftovers(before, after, request, True):
            bench.bad(problem)
    else:
        if request.output in after and after[request.output] != before.get(request.output):
            for problem in oracle.filled(bench, request):  # an error after the output was renamed is no loss
                bench.bad(f"after exit {result.code}: {problem}")
        judge_rescued(bench, request, after, result)
        if request.expected == "fills" and not result.signalled:
            bench.bad("no output where one was expected")
        if request.expected == "refuses" and result.code == 1 and not oracle.says(result.err, request.word):
            bench.bad(f"the message has no '{request.word}'")
        for problem in oracle.leftovers(before, after, request, False):
            bench.bad(problem)
    for name, content in kept.items():
        if after.get(name) != content and not oracle.may_change(name, request):
            bench.bad(f"{name} was changed or removed")
