"""Times the 2-D Fourier neural operator's training step and K = 10 ensemble in lacuna and in PyTorch, alternately.

usage: python3 fno.py BENCH_FNO_STEP [--rounds 15] [--threads 1 2] [--precision float|bfloat16] [--json OUT.json]
needs PyTorch (Debian: python3-torch) and the program bench_fno_step (benchmarks/fno_step.cpp, release build)

Both sides run the same network (hidden 32, modes 16 x 16, 4 layers, time embedding of 128) on the same batch (16 images of 64 x 64)
and do the same work as in unet2d.py, which tells what a round and a ratio are. PyTorch's side concatenates mask, values, time
embedding and grid and transforms with torch.fft, as the published network does; lacuna multiplies the broadcast channels once a
sample. In bfloat16 PyTorch runs under autocast and, having no transforms of bfloat16, transforms in float; so does lacuna.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

import comparison
import unet2d


class Mlp(nn.Module):
    def __init__(self, i, inner, o):
        super().__init__()
        self.fcs = nn.ModuleList([nn.Conv1d(i, inner, 1), nn.Conv1d(inner, o, 1)])

    def forward(self, x):
        return self.fcs[1](F.gelu(self.fcs[0](x.flatten(2)))).unflatten(2, x.shape[2:])


class SpectralConv(nn.Module):
    def __init__(self, width, modes):
        super().__init__()
        self.modes = (modes[0], modes[1] // 2 + 1)
        self.weight = nn.Parameter(width**-0.5 * torch.randn(width, width, *self.modes, dtype=torch.cfloat))
        self.bias = nn.Parameter(torch.zeros(width, 1, 1))

    def forward(self, x):
        x = x.float()
        h, w = x.shape[-2:]
        m, n = self.modes
        f = torch.fft.fftshift(torch.fft.rfft2(x, norm="forward"), dim=-2)
        rows = slice(h // 2 - m // 2, h // 2 - m // 2 + m)
        y = torch.zeros(x.shape[0], self.weight.shape[1], h, w // 2 + 1, dtype=torch.cfloat)
        y[:, :, rows, :n] = torch.einsum("bixy,ioxy->boxy", f[:, :, rows, :n], self.weight)
        return torch.fft.irfft2(torch.fft.ifftshift(y, dim=-2), s=(h, w), norm="forward") + self.bias


class Block(nn.Module):
    def __init__(self, width, modes, last):
        super().__init__()
        self.conv, self.skip, self.mlp = SpectralConv(width, modes), nn.Conv1d(width, width, 1, bias=False), Mlp(width, width // 2, width)
        self.gate, self.last = nn.Parameter(torch.ones(1, width, 1, 1)), last

    def forward(self, x):
        y = self.conv(x) + self.skip(x.flatten(2)).unflatten(2, x.shape[2:])
        y = self.mlp(y if self.last else F.gelu(y)) + self.gate * x
        return y if self.last else F.gelu(y)


class Fno(nn.Module):
    def __init__(self, inputs=2, outputs=1, hidden=32, modes=(16, 16), layers=4, time=128):
        super().__init__()
        self.half = time // 2
        self.time = nn.Sequential(nn.Linear(time, time), nn.GELU(), nn.Linear(time, time))
        self.lifting = Mlp(inputs + time + 2, 2 * hidden, hidden)
        self.blocks = nn.ModuleList([Block(hidden, modes, i == layers - 1) for i in range(layers)])
        self.projection = Mlp(hidden, 2 * hidden, outputs)

    def forward(self, x, t):
        angle = t[:, None] * torch.exp(torch.arange(self.half) * -(math.log(10000) / (self.half - 1)))
        f = self.time(torch.cat((angle.sin(), angle.cos()), -1))
        b, _, h, w = x.shape
        rows, columns = (torch.linspace(0, 1, n + 1)[:-1] for n in (h, w))
        x = torch.cat((x, f[:, :, None, None].expand(-1, -1, h, w), rows[:, None].expand(b, 1, h, w), columns.expand(b, 1, h, w)), 1)
        x = self.lifting(x)
        for block in self.blocks:
            x = block(x)
        return self.projection(x)


class Torch(unet2d.Torch):
    """The PyTorch side; its transforms want channels first."""

    def __init__(self, precision):
        torch.manual_seed(0)
        self.layout, self.autocast, self.net = torch.contiguous_format, precision == "bfloat16", Fno()
        self.optimizer = torch.optim.Adam(self.net.parameters(), 1e-3, betas=(0.95, 0.999))
        self.truth = torch.randn(16, 1, 64, 64)
        self.observed = (torch.rand_like(self.truth) < 0.3).float()
        count = sum(p.numel() * (2 if p.is_complex() else 1) for p in self.net.parameters())
        assert count == PARAMETERS, count


PARAMETERS = 1234081  # as nn::Fno counts them (tests/nn/fno.cpp)

if __name__ == "__main__":
    comparison.main(__doc__, lambda precision: {"torch.fft": Torch(precision)}, (("step", 3), ("ensemble", 2)), ("float", "bfloat16"))
