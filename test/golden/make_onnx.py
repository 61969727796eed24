"""Small networks exported by PyTorch to ONNX, with their outputs and gradients computed by PyTorch.

    pip install torch==2.13.0 onnx==1.23.2 onnxscript==0.7.2 safetensors==0.8.0
    python make_onnx.py [NAME...] [--out DIR]

Per network NAME.onnx and NAME.safetensors with `input.<name>`, `upstream`, `output`, and `gradient.<name>` by inputs and
weights, the names being those in the .onnx file. The file's metadata names the output, and the sizes of open axes.
"""

import argparse
import json
import logging
import warnings
from pathlib import Path

import onnx
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F


class ResNet(nn.Module):
    """Batch norm, max pooling, strided shortcuts, global average pooling."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 5, stride=2, padding=2, bias=False)
        self.stem_norm = nn.BatchNorm2d(8)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.a1, self.n1 = nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16)
        self.a2, self.n2 = nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.shortcut = nn.Conv2d(8, 16, 1, stride=2)
        self.head = nn.Linear(16, 5)

    def forward(self, pixels):
        x = self.pool(F.relu(self.stem_norm(self.stem(pixels))))
        x = F.relu(self.n2(self.a2(F.relu(self.n1(self.a1(x))))) + self.shortcut(x))
        return self.head(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class Transformer(nn.Module):
    """Patches, class token, layer norm, attention written out, gelu; any batch."""

    def __init__(self, fused):
        super().__init__()
        self.fused = fused
        self.patches = nn.Conv2d(3, 24, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, 24))
        self.positions = nn.Parameter(torch.randn(1, 10, 24))
        self.norm1, self.norm2 = nn.LayerNorm(24), nn.LayerNorm(24)
        self.qkv, self.out = nn.Linear(24, 72), nn.Linear(24, 24)
        self.up, self.down = nn.Linear(24, 48), nn.Linear(48, 24)
        self.head = nn.Linear(24, 1)

    def attention(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, 4, c // 4).permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            y = (q @ k.transpose(-2, -1) / (c // 4) ** 0.5).softmax(-1) @ v
        return self.out(y.transpose(1, 2).reshape(b, n, c))

    def forward(self, pixels):
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        x = x + self.attention(self.norm1(x))
        x = x + self.down(F.gelu(self.up(self.norm2(x))))
        return self.head(x[:, 0])


class ConvNext(nn.Module):
    """Depthwise convolution, layer norm over channels last, layer scale, tanh gelu."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 2, stride=2)
        self.depthwise = nn.Conv2d(12, 12, 7, padding=3, groups=12)
        self.norm = nn.LayerNorm(12, eps=1e-6)
        self.up, self.down = nn.Linear(12, 48), nn.Linear(48, 12)
        self.gamma = nn.Parameter(torch.randn(12))

    def forward(self, pixels):
        x = self.stem(pixels)
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.gamma * self.down(F.gelu(self.up(y), approximate="tanh"))
        x = x + y.permute(0, 3, 1, 2)
        return F.normalize(x.mean([2, 3]), dim=-1)


class UNet(nn.Module):
    """Reflection padding, group norm, transposed convolution, bilinear and nearest upsampling, skips."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3)
        self.norm = nn.GroupNorm(4, 8)
        self.down = nn.Conv2d(8, 12, 3, stride=2, padding=1)
        self.deep = nn.Conv2d(12, 12, 3, padding=2, dilation=2)
        self.up = nn.ConvTranspose2d(12, 8, 4, stride=2, padding=1)
        self.last = nn.Conv2d(28, 3, 1)

    def forward(self, pixels):
        skip = F.silu(self.norm(self.first(F.pad(pixels, (1, 1, 1, 1), mode="reflect"))))
        low = F.leaky_relu(self.deep(F.elu(self.down(skip))), 0.2)
        smooth = F.interpolate(low, scale_factor=2, mode="bilinear", align_corners=False)
        cornered = F.interpolate(low[:, :4], size=skip.shape[-2:], mode="bilinear", align_corners=True)
        blocks = F.interpolate(low[:, 4:8], scale_factor=2, mode="nearest")
        return torch.tanh(self.last(torch.cat([self.up(low), smooth, torch.cat([cornered, blocks], 1)], 1)))


class MobileNet(nn.Module):
    """Hard swish, clipped relu, squeeze and excite, average pooling, ceil mode, several powers and reductions."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.squeeze, self.excite = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)
        self.slope = nn.PReLU(8)
        self.head = nn.Conv2d(8, 6, 1)

    def forward(self, pixels):
        x = F.hardswish(self.stem(pixels))
        x = F.relu6(self.depthwise(x) * 3)
        x = x * F.hardsigmoid(self.excite(F.relu(self.squeeze(x.mean([2, 3], keepdim=True)))))
        x = F.max_pool2d(self.slope(x - 0.5), 3, 2, ceil_mode=True)
        x = F.avg_pool2d(self.head(x), 3, 2, padding=1)
        mixed = x.clamp(min=-0.3).pow(2).sum(1) + torch.logsumexp(x, 1) + F.mish(x).amax(1) + F.softplus(x).norm(dim=1)
        return mixed.flatten(1).std(1) + mixed.mean((1, 2))


class Text(nn.Module):
    """Embedding, causal mask, pooling at the largest token id."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(30, 16)
        self.positions = nn.Parameter(torch.randn(7, 16))
        self.norm = nn.LayerNorm(16)
        self.qkv = nn.Linear(16, 48)

    def forward(self, ids):
        n = ids.shape[1]
        x = self.embedding(ids) + self.positions[:n]
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        scores = q @ k.transpose(1, 2) / 4
        mask = torch.triu(torch.full((n, n), float("-inf")), 1)
        x = x + (scores + mask).softmax(-1) @ v
        return x[torch.arange(x.shape[0]), ids.argmax(-1)]


class Recurrent(nn.Module):
    """What cannot be imported: an LSTM, and the largest few of its results."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 6)

    def forward(self, steps):
        return torch.topk(self.lstm(steps)[0], 2).values


torch.manual_seed(0)


def picture(size, batch=2):
    return torch.randn(batch, 3, *size)


# name: network, input, exporter arguments, weights to differentiate by, sizes of open axes
CASES = {
    "resnet": (ResNet, {"pixels": picture((24, 20))}, {"dynamo": False, "opset_version": 17, "keep_norms": True},
               ["stem_norm.weight", "a1.weight", "shortcut.bias"], {}),
    "resnet-dynamo": (ResNet, {"pixels": picture((24, 20))}, {"dynamo": True}, ["shortcut.weight"], {}),
    "transformer": (lambda: Transformer(False), {"pixels": picture((12, 12))},
                    {"dynamo": False, "opset_version": 11, "dynamic_axes": {"pixels": {0: "batch"}}},
                    ["positions", "norm1.weight", "patches.weight"], {"batch": 2}),
    "transformer-dynamo": (lambda: Transformer(True), {"pixels": picture((12, 12))}, {"dynamo": True, "open": {"pixels": {0: "count"}}},
                           ["positions", "norm2.bias", "token"], {"count": 2}),
    "convnext": (ConvNext, {"pixels": picture((16, 12))},
                 {"dynamo": False, "opset_version": 13, "dynamic_axes": {"pixels": {2: "height", 3: "width"}}},
                 ["depthwise.weight", "gamma"], {"height": 16, "width": 12}),
    "convnext-dynamo": (ConvNext, {"pixels": picture((16, 12))}, {"dynamo": True}, ["depthwise.weight", "gamma"], {}),
    "unet": (UNet, {"pixels": picture((8, 12))},
             {"dynamo": False, "opset_version": 16, "dynamic_axes": {"pixels": {2: "height", 3: "width"}}},
             ["up.weight", "first.weight", "deep.weight"], {"height": 8, "width": 12}),
    "unet-dynamo": (UNet, {"pixels": picture((8, 12))}, {"dynamo": True}, ["up.weight", "down.bias"], {}),
    "mobilenet": (MobileNet, {"pixels": picture((22, 18))}, {"dynamo": False, "opset_version": 17}, ["depthwise.weight", "head.bias"], {}),
    "mobilenet-dynamo": (MobileNet, {"pixels": picture((22, 18))}, {"dynamo": True}, ["depthwise.weight", "head.bias"], {}),
    "text": (Text, {"ids": torch.randint(0, 30, (2, 7))}, {"dynamo": False, "opset_version": 14, "dynamic_axes": {"ids": {0: "batch", 1: "tokens"}}},
             ["embedding.weight", "positions"], {"batch": 2, "tokens": 7}),
    "text-dynamo": (Text, {"ids": torch.randint(0, 30, (2, 7))}, {"dynamo": True}, ["embedding.weight", "norm.weight"], {}),
    "recurrent": (Recurrent, {"steps": torch.randn(3, 2, 4)}, {"dynamo": False, "opset_version": 17}, [], {}),
}


def jolt(network):
    """Moves every parameter and statistic away from 0 and 1."""
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                tensor.add_(torch.randn_like(tensor) * 0.2)
                if name.endswith("running_var"):
                    tensor.abs_().add_(0.3)


def export(network, inputs, path, dynamo, opset_version=None, dynamic_axes=None, keep_norms=False, open=None):
    arguments = {"input_names": list(inputs), "output_names": ["y"], "dynamo": dynamo, "opset_version": opset_version}
    if keep_norms:
        arguments["training"] = torch.onnx.TrainingMode.PRESERVE
    if dynamo:
        arguments["external_data"] = False
        arguments["verbose"] = False
        if open:
            arguments["dynamic_shapes"] = {n: {a: torch.export.Dim(d, min=1, max=64) for a, d in axes.items()} for n, axes in open.items()}
    else:
        arguments["dynamic_axes"] = dynamic_axes
    torch.onnx.export(network, tuple(inputs.values()), str(path), **arguments)
    model = onnx.load(path)
    # Source locations and shapes of inner values: large, and nothing reads them.
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del model.graph.value_info[:]
    del model.metadata_props[:]
    onnx.save(model, path)
    return {tensor.name for tensor in model.graph.initializer}


def make(name, out):
    build, inputs, arguments, weights, dimensions = CASES[name]
    torch.manual_seed(sum(name.encode()))
    network = build().eval()
    jolt(network)
    stored = export(network, inputs, out / f"{name}.onnx", **arguments)
    missing = [weight for weight in weights if weight not in stored]
    assert not missing, f"{name}: {missing} not among {sorted(stored)}"
    if name == "recurrent":
        return
    watched = {n: t.clone().requires_grad_() for n, t in inputs.items() if t.is_floating_point()}
    output = network(*({**inputs, **watched}.values()))
    upstream = torch.randn_like(output)
    parameters = dict(network.named_parameters())
    wrt = {**watched, **{weight: parameters[weight] for weight in weights}}
    gradients = torch.autograd.grad(output, list(wrt.values()), upstream)
    tensors = {f"input.{n}": t for n, t in inputs.items()}
    tensors |= {"upstream": upstream, "output": output.detach()}
    tensors |= {f"gradient.{n}": g for n, g in zip(wrt, gradients)}
    metadata = {"output": "y", "dimensions": json.dumps(dimensions)}
    save_file({n: t.contiguous() for n, t in tensors.items()}, out / f"{name}.safetensors", metadata)
    (out / f"{name}.safetensors").chmod(0o644)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=list(CASES))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "onnx")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or CASES:
        make(name, arguments.out)
        print(name)


if __name__ == "__main__":
    main()
