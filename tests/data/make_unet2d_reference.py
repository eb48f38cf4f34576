"""Writes unet2d_reference.safetensors: a small 2-D UNet, one batch, its output, loss and gradients, computed by PyTorch.

usage: python3 make_unet2d_reference.py OUTPUT.safetensors        needs PyTorch (Debian: python3-torch)

The network of benchmarks/peers/unet2d.py, an independent implementation of lacuna::nn::UNet, for tests/nn/unet_reference.cpp.
Parameters and gradients carry PyTorch's names and layouts: "parameter.NAME", "gradient.NAME"; the batch is "input" (B, C, H, W),
"times", "target", "query"; then "output", "loss".
"""
import json
import os
import struct
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../benchmarks/peers"))
from unet2d import UNet


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
