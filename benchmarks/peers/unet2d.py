"""Times the 2-D UNet's training step and K = 10 ensemble in lacuna and in PyTorch, alternately, and prints the ratios.

usage: python3 unet2d.py BENCH_UNET_STEP [--rounds 15] [--threads 1 2] [--precision float|bfloat16] [--json OUT.json]
needs PyTorch (Debian: python3-torch) and the program bench_unet_step (benchmarks/unet_step.cpp, release build)

Both sides run the same network (hidden 32, multipliers 1-2-2, 1 173 025 parameters) on the same batch (16 images of 32 x 32): noise,
contexts, masked loss, backward, clipping, Adam; lacuna also keeps the moving average of the weights. A round times a few steps of
each side in turn, and its ratio is that of their medians; a ratio above 1 says that lacuna takes less time. On a machine that does
other work at the same time the figures mean little. In bfloat16 PyTorch runs under autocast, and through torch.compile too
where that works.
"""
import math
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

import comparison


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width, 1, 1))

    def forward(self, x):
        return F.normalize(x, dim=1) * x.shape[1] ** 0.5 * self.gain


class Block(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(i, o, 3, padding=1), Norm(o)

    def forward(self, x, parts=None):
        x = self.norm(self.conv(x))
        return F.silu(x if parts is None else x * (parts[0] + 1) + parts[1])


class Residual(nn.Module):
    def __init__(self, i, o, time_width=0):
        super().__init__()
        self.time = nn.Linear(time_width, 2 * o) if time_width else None
        self.block1, self.block2 = Block(i, o), Block(o, o)
        self.skip = nn.Conv2d(i, o, 1) if i != o else nn.Identity()

    def forward(self, x, f=None):
        parts = self.time(f)[:, :, None, None].chunk(2, 1) if self.time else None
        return self.block2(self.block1(x, parts)) + self.skip(x)


class UNet(nn.Module):
    def __init__(self, inputs=2, outputs=1, hidden=32, multipliers=(1, 2, 2)):
        super().__init__()
        self.half, t = hidden // 2, 4 * hidden
        self.time = nn.Sequential(nn.Linear(hidden, t), nn.GELU(), nn.Linear(t, t), nn.SiLU())
        self.first = nn.Conv2d(inputs, hidden, 5, padding=2)
        widths = [hidden] + [hidden * m for m in multipliers]
        pairs = list(zip(widths[:-1], widths[1:]))
        last = len(pairs) - 1
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for k, (a, b) in enumerate(pairs):
            step = nn.Conv2d(b, b, 4, 2, 1) if k < last else nn.Identity()
            self.down.append(nn.ModuleList([Residual(a, b, t), Residual(b, b, t), step]))
        self.middle1, self.middle2 = Residual(b, b, t), Residual(b, b, t)
        for k, (a, b) in enumerate(reversed(pairs)):
            step = nn.ConvTranspose2d(a, a, 4, 2, 1) if k < last else nn.Identity()
            self.up.append(nn.ModuleList([Residual(2 * b, a, t), Residual(a, a, t), step]))
        self.last, self.out = Residual(2 * hidden, hidden), nn.Conv2d(hidden, outputs, 1)

    def forward(self, x, t):
        angle = t[:, None] * torch.exp(torch.arange(self.half) * -(math.log(10000) / (self.half - 1)))
        f = self.time(torch.cat((angle.sin(), angle.cos()), -1))
        x = first = self.first(x)
        skips = []
        for a, b, step in self.down:
            x = b(a(x, f), f)
            skips.append(x)
            x = step(x)
        x = self.middle2(self.middle1(x, f), f)
        for a, b, step in self.up:
            x = step(b(a(torch.cat((x, skips.pop()), 1), f), f))
        return self.out(self.last(torch.cat((x, first), 1)))


class Torch(comparison.Peer):
    """The PyTorch side in one memory format."""

    autocast = False

    def __init__(self, layout, autocast=False, compiled=False):
        torch.manual_seed(0)
        self.layout, self.autocast, self.net = layout, autocast, UNet().to(memory_format=layout)
        assert sum(p.numel() for p in self.net.parameters()) == 1173025
        self.optimizer = torch.optim.Adam(self.net.parameters(), 1e-3, betas=(0.95, 0.999))
        self.truth = torch.randn(16, 1, 32, 32)
        self.observed = (torch.rand_like(self.truth) < 0.3).float()
        if compiled:
            self.net = torch.compile(self.net)

    def estimate(self, x, t):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.autocast):
            return self.net(x.to(memory_format=self.layout), t).float()

    def draw(self, t):
        alpha = torch.exp(-0.25 * t**2 * 19.9 - 0.05 * t)[:, None, None, None]
        noisy = alpha * self.truth + (1 - alpha**2).sqrt() * torch.randn_like(self.truth)
        context, query = (self.observed * (torch.rand_like(self.truth) < 0.7) for _ in range(2))
        return torch.cat((context, context * noisy), 1), query

    def step(self):
        t = torch.rand(16)
        x, query = self.draw(t)
        estimate = self.estimate(x, t)
        loss = ((query * (estimate - self.truth)) ** 2).sum() / query.sum()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()

    @torch.no_grad()
    def ensemble(self):
        x = torch.cat([self.draw(torch.full((16,), 1e-3))[0] for _ in range(10)])
        self.estimate(x, torch.full((160,), 1e-3))


def peers(precision):
    if precision == "float":
        return {"channels-last": Torch(torch.channels_last), "channels-first": Torch(torch.contiguous_format)}
    sides = {"autocast": Torch(torch.channels_last, autocast=True)}
    try:
        compiled = Torch(torch.channels_last, autocast=True, compiled=True)
        compiled.step()
        sides["compiled"] = compiled
    except Exception as error:  # of many kinds: no torch.compile, no compiler, no support in it
        print("torch.compile does not run here: %s" % str(error).splitlines()[0], file=sys.stderr)
    return sides


if __name__ == "__main__":
    comparison.main(__doc__, peers, (("step", 3), ("ensemble", 2)), ("float", "bfloat16"))
