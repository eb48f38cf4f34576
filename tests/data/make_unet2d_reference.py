"""Writes unet2d_reference.safetensors: a small 2-D UNet, one batch, its output, loss and gradients, computed by PyTorch.

usage: python3 make_unet2d_reference.py OUTPUT.safetensors        needs PyTorch (Debian: python3-torch)

An independent implementation of lacuna::nn::UNet for tests/nn/unet_reference.cpp. Parameters and gradients carry PyTorch's names
and layouts: "parameter.NAME", "gradient.NAME"; the batch is "input" (B, C, H, W), "times", "target", "query"; then "output", "loss".
"""
import json
import math
import struct
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


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

    def forward(self, x, scale=0.0, shift=0.0):
        return F.silu(self.norm(self.conv(x)) * (scale + 1) + shift)


class Residual(nn.Module):
    def __init__(self, i, o, time_width=0):
        super().__init__()
        if time_width:
            self.time = nn.Linear(time_width, 2 * o)
        self.block1, self.block2 = Block(i, o), Block(o, o)
        self.skip = nn.Conv2d(i, o, 1) if i != o else nn.Identity()

    def forward(self, x, features=None):
        parts = () if features is None else self.time(features)[:, :, None, None].chunk(2, 1)
        return self.block2(self.block1(x, *parts)) + self.skip(x)


class UNet(nn.Module):
    def __init__(self, inputs, outputs, hidden, multipliers=(1, 2, 2)):
        super().__init__()
        self.half, t = hidden // 2, 4 * hidden
        self.time = nn.Sequential(nn.Linear(hidden, t), nn.GELU(), nn.Linear(t, t))
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
        f = F.silu(self.time(torch.cat((angle.sin(), angle.cos()), -1)))
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


def write(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = np.ascontiguousarray(tensor.detach().numpy(), dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    net = UNet(inputs=3, outputs=2, hidden=4)
    with torch.no_grad():
        for name, p in net.named_parameters():
            if name.endswith("gain"):
                p += 0.2 * torch.randn_like(p)
    x, t = torch.randn(2, 3, 12, 16), torch.tensor([0.9, 0.03])
    target, query = torch.randn(2, 2, 12, 16), (torch.rand(2, 2, 12, 16) < 0.4).float()
    output = net(x, t)
    loss = (query * (output - target) ** 2).sum() / query.sum()
    loss.backward()
    tensors = {"input": x, "times": t, "target": target, "query": query, "output": output, "loss": loss.reshape(1)}
    for name, p in net.named_parameters():
        tensors["parameter." + name], tensors["gradient." + name] = p, p.grad
    write(sys.argv[1], tensors)
    print(sum(p.numel() for p in net.parameters()), "parameters, loss", loss.item(), "torch", torch.__version__)


if __name__ == "__main__":
    main()
