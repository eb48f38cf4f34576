"""Times the space-time UNet's forward pass and training step in lacuna and in PyTorch, alternately, and prints the ratios.

usage: python3 space_time_unet.py BENCH_SPACE_TIME_UNET_STEP [--rounds 5] [--threads 1 2] [--precision float|bfloat16] [--json OUT.json]
needs PyTorch (Debian: python3-torch) and the program bench_space_time_unet_step (benchmarks/space_time_unet_step.cpp, release build)

Both sides run the same network (hidden 32, multipliers 1-2-2, 1 276 515 parameters) on 8 samples of 8 frames of 32 x 32. PyTorch's is
written as published: 3-D convolutions on (B, C, T, H, W), tensors rearranged around every attention. A step is forward, masked loss
and backward. A round times each side in turn, and its ratio is PyTorch's time over lacuna's: above 1 lacuna takes less. On a machine
that does other work at the same time the figures mean little.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

import comparison

PARAMETERS = 1276515


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width, 1, 1, 1))

    def forward(self, x):
        return F.normalize(x, dim=1) * x.shape[1] ** 0.5 * self.gamma


class LayerNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, width, 1, 1, 1))

    def forward(self, x):
        var, mean = torch.var(x, dim=1, unbiased=False, keepdim=True), torch.mean(x, dim=1, keepdim=True)
        return (x - mean) / (var + 1e-5).sqrt() * self.gamma


class Wrapped(nn.Module):
    """Gives the published names: fn inside fn."""

    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, x, *more):
        return self.fn(x, *more)


class PreNorm(Wrapped):
    def __init__(self, width, fn):
        super().__init__(fn)
        self.norm = LayerNorm(width)

    def forward(self, x, *more):
        return self.fn(self.norm(x), *more)


class Residual(Wrapped):
    def forward(self, x, *more):
        return self.fn(x, *more) + x


class Block(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.proj, self.norm = nn.Conv3d(i, o, (1, 3, 3), padding=(0, 1, 1)), RMSNorm(o)

    def forward(self, x, parts=None):
        x = self.norm(self.proj(x))
        return F.silu(x if parts is None else x * (parts[0] + 1) + parts[1])


class ResnetBlock(nn.Module):
    def __init__(self, i, o, time_width=0):
        super().__init__()
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(time_width, 2 * o)) if time_width else None
        self.block1, self.block2 = Block(i, o), Block(o, o)
        self.res_conv = nn.Conv3d(i, o, 1) if i != o else nn.Identity()

    def forward(self, x, t=None):
        parts = self.mlp(t)[:, :, None, None, None].chunk(2, 1) if self.mlp else None
        return self.block2(self.block1(x, parts)) + self.res_conv(x)


class SpatialLinearAttention(nn.Module):
    def __init__(self, width, heads=2, features=32):
        super().__init__()
        self.heads, self.scale = heads, features**-0.5
        self.to_qkv = nn.Conv2d(width, 3 * heads * features, 1, bias=False)
        self.to_out = nn.Conv2d(heads * features, width, 1)

    def forward(self, x):
        b, c, t, h, w = x.shape
        x = x.transpose(1, 2).reshape(b * t, c, h, w)
        q, k, v = (p.reshape(b * t, self.heads, -1, h * w) for p in self.to_qkv(x).chunk(3, 1))
        context = torch.einsum("bhdn,bhen->bhde", k.softmax(-1), v)
        out = torch.einsum("bhde,bhdn->bhen", context, q.softmax(-2) * self.scale)
        return self.to_out(out.reshape(b * t, -1, h, w)).reshape(b, t, c, h, w).transpose(1, 2)


class Rotary(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.freqs = nn.Parameter(10000 ** (-torch.arange(0, features, 2) / features), requires_grad=False)

    def forward(self, x):
        angle = (torch.arange(x.shape[-2])[:, None] * self.freqs).repeat_interleave(2, -1)
        turned = torch.stack((-x[..., 1::2], x[..., ::2]), -1).flatten(-2)
        return x * angle.cos() + turned * angle.sin()


class Attention(nn.Module):
    def __init__(self, width, features, rotary=None, heads=2):
        super().__init__()
        self.heads, self.scale, self.rotary_emb = heads, features**-0.5, rotary
        self.to_qkv = nn.Linear(width, 3 * heads * features, bias=False)
        self.to_out = nn.Linear(heads * features, width, bias=False)

    def forward(self, x, bias=None):  # (..., n, c)
        q, k, v = (p.unflatten(-1, (self.heads, -1)).transpose(-2, -3) for p in self.to_qkv(x).chunk(3, -1))
        q = q * self.scale
        if self.rotary_emb is not None:
            q, k = self.rotary_emb(q), self.rotary_emb(k)
        scores = torch.einsum("...hid,...hjd->...hij", q, k)
        scores = scores if bias is None else scores + bias
        scores = (scores - scores.amax(-1, keepdim=True).detach()).softmax(-1)
        return self.to_out(torch.einsum("...hij,...hjd->...hid", scores, v).transpose(-2, -3).flatten(-2))


class OverFrames(Wrapped):
    def forward(self, x, bias):
        b, c, t, h, w = x.shape
        y = self.fn(x.permute(0, 3, 4, 2, 1).reshape(b, h * w, t, c), bias)
        return y.reshape(b, h, w, t, c).permute(0, 4, 3, 1, 2)


class OverPositions(Wrapped):
    def forward(self, x):
        b, c, t, h, w = x.shape
        y = self.fn(x.permute(0, 2, 3, 4, 1).reshape(b, t, h * w, c))
        return y.reshape(b, t, h, w, c).permute(0, 4, 1, 2, 3)


class PositionBias(nn.Module):
    def __init__(self, heads):
        super().__init__()
        self.relative_attention_bias = nn.Embedding(32, heads)

    def forward(self, t):
        n = torch.arange(t)[:, None] - torch.arange(t)[None, :]
        far = 8 + (torch.log(n.abs().clamp(min=1) / 8.0) / math.log(4) * 8).long()
        bucket = 16 * (n < 0) + torch.where(n.abs() < 8, n.abs(), far.clamp(max=15))
        return self.relative_attention_bias(bucket).permute(2, 0, 1)


class SpaceTimeUNet(nn.Module):
    def __init__(self, inputs=2, outputs=1, hidden=32, multipliers=(1, 2, 2), heads=2):
        super().__init__()
        self.half, t, rotary = hidden // 2, 4 * hidden, Rotary(4)
        temporal = lambda width: Residual(PreNorm(width, OverFrames(Attention(width, 4, rotary))))
        linear = lambda width: Residual(PreNorm(width, SpatialLinearAttention(width)))
        self.time_rel_pos_bias = PositionBias(heads)
        self.init_conv = nn.Conv3d(inputs, hidden, (1, 5, 5), padding=(0, 2, 2))
        self.init_temporal_attn = temporal(hidden)
        self.time_mlp = nn.Sequential(nn.Identity(), nn.Linear(hidden, t), nn.GELU(), nn.Linear(t, t))
        widths = [hidden] + [hidden * m for m in multipliers]
        pairs = list(zip(widths[:-1], widths[1:]))
        last = len(pairs) - 1
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        for k, (a, b) in enumerate(pairs):
            step = nn.Conv3d(b, b, (1, 4, 4), (1, 2, 2), (0, 1, 1)) if k < last else nn.Identity()
            self.downs.append(nn.ModuleList([ResnetBlock(a, b, t), ResnetBlock(b, b, t), linear(b), temporal(b), step]))
        self.mid_block1, self.mid_block2 = ResnetBlock(b, b, t), ResnetBlock(b, b, t)
        self.mid_spatial_attn = Residual(PreNorm(b, OverPositions(Attention(b, 32))))
        self.mid_temporal_attn = temporal(b)
        for k, (a, b) in enumerate(reversed(pairs)):
            step = nn.ConvTranspose3d(a, a, (1, 4, 4), (1, 2, 2), (0, 1, 1)) if k < last else nn.Identity()
            self.ups.append(nn.ModuleList([ResnetBlock(2 * b, a, t), ResnetBlock(a, a, t), linear(a), temporal(a), step]))
        self.final_conv = nn.Sequential(ResnetBlock(2 * hidden, hidden), nn.Conv3d(hidden, outputs, 1))

    def forward(self, x, t):
        bias = self.time_rel_pos_bias(x.shape[2])
        angle = t[:, None] * torch.exp(torch.arange(self.half) * -(math.log(10000) / (self.half - 1)))
        f = self.time_mlp(torch.cat((angle.sin(), angle.cos()), -1))
        x = first = self.init_temporal_attn(self.init_conv(x), bias)
        skips = []
        for a, b, linear, temporal, step in self.downs:
            x = temporal(linear(b(a(x, f), f)), bias)
            skips.append(x)
            x = step(x)
        x = self.mid_temporal_attn(self.mid_spatial_attn(self.mid_block1(x, f)), bias)
        x = self.mid_block2(x, f)
        for a, b, linear, temporal, step in self.ups:
            x = step(temporal(linear(b(a(torch.cat((x, skips.pop()), 1), f), f)), bias))
        return self.final_conv(torch.cat((x, first), 1))


class Torch(comparison.Peer):
    def __init__(self, precision):
        torch.manual_seed(0)
        self.precision, self.net = precision, SpaceTimeUNet()
        assert sum(p.numel() for p in self.net.parameters()) == PARAMETERS
        shape = (8, 1, 8, 32, 32)
        mask = (torch.rand(shape) < 0.5).float()
        self.input = torch.cat((mask, mask * torch.randn(shape)), 1)
        self.target, self.query = torch.randn(shape), (torch.rand(shape) < 0.3).float()
        self.t = torch.full((8,), 0.5)

    def estimate(self):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.precision == "bfloat16"):
            return self.net(self.input, self.t).float()

    def step(self):
        self.net.zero_grad(set_to_none=True)
        residual = self.query * (self.estimate() - self.target)
        ((residual**2).sum() / self.query.sum()).backward()

    @torch.no_grad()
    def forward(self):
        self.estimate()


if __name__ == "__main__":
    comparison.main(__doc__, lambda precision: {"published": Torch(precision)}, (("forward", 1), ("step", 1)), ("float", "bfloat16"))
