#!/usr/bin/env python3
"""Models as exporters write them today: fresh_models.py PARE RUN_FLOAT

Small networks made by PyTorch, through both of its exporters, and by Keras through tf2onnx. Each must run in float like under
ONNX Runtime, to 1e-4 of the largest value (one in half precision to 2e-3), and give the same under ONNX Runtime after pare
clean; the convolutional ones are quantised, too. What is not installed is left out; without any of it the test says "skipped"."""
import importlib
import pathlib
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    from compare_ort import largest_error, session_of
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)

TOLERANCE = 1e-4
HALF_TOLERANCE = 2e-3  # what is computed in half precision is not rounded to it
SAMPLES = 16
NEWEST = "25"


def installed(*names):
    try:
        for name in names:
            importlib.import_module(name)
        return True
    except ImportError:
        return False


def torch_networks():
    """Name, module, shape of its input, and whether it is to be quantised."""
    from torch import nn
    import torch

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
            self.first = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
            self.second = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8))
            self.head = nn.Linear(8, 10)

        def forward(self, x):
            x = self.stem(x)
            x = torch.relu(x + self.second(self.first(x)))
            return self.head(torch.flatten(nn.functional.adaptive_avg_pool2d(x, 1), 1))

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Linear(12, 16)
            self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
            self.norms = nn.ModuleList([nn.LayerNorm(16), nn.LayerNorm(16)])
            self.feed = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))

        def forward(self, x):
            x = self.embed(x)
            x = self.norms[0](x + self.attention(x, x, x, need_weights=False)[0])
            return self.norms[1](x + self.feed(x)).mean(1)

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(6, 8, num_layers=2, bidirectional=True, batch_first=True)
            self.head = nn.Linear(16, 4)

        def forward(self, x):
            return self.head(self.lstm(x)[0][:, -1])

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.down = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU())
            self.deep = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU())
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
            self.out = nn.Conv2d(24, 2, 3, padding=1)

        def forward(self, x):
            x = self.down(x)
            return self.out(torch.cat([x, self.up(self.deep(x))], 1))

    class Half(nn.Module):
        """In half precision between float32 ends."""
        def __init__(self):
            super().__init__()
            self.inner = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                                       nn.Linear(8, 10)).half()

        def forward(self, x):
            return self.inner(x.half()).float()

    depthwise = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU6(),
                              nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.BatchNorm2d(8), nn.Hardswish(),
                              nn.Conv2d(8, 16, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    return [("residual", Residual(), [3, 16, 16], True), ("depthwise", depthwise, [3, 16, 16], True),
            ("encoder", Encoder(), [7, 12], False), ("lstm", Recurrent(), [9, 6], False),
            ("unet", UNet(), [1, 16, 16], False), ("half", Half(), [3, 16, 16], True)]


def export_torch(folder):
    import torch
    torch.manual_seed(1)
    for name, module, shape, quantised in torch_networks():
        module.eval()
        x = torch.randn(2, *shape)
        for dynamo in [False, True] if installed("onnxscript") else [False]:
            path = folder / f"torch_{name}_{'dynamo' if dynamo else 'script'}.onnx"
            open_batch = {"dynamic_shapes": ({0: torch.export.Dim.AUTO},)} if dynamo else {"dynamic_axes": {"x": {0: "n"}}}
            try:
                torch.onnx.export(module, (x,), path, input_names=["x"], output_names=["y"], dynamo=dynamo, **open_batch,
                                  **({"verbose": False} if dynamo else {}))
            except Exception as error:  # whatever an exporter raises is not ours to judge
                print(f"{path.name:36} not exported: {type(error).__name__}")
                continue
            yield path, [2, *shape], quantised


def export_keras(folder):
    import keras
    import tensorflow
    import tf2onnx
    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential([
        layers.Input([16, 16, 3]), layers.Conv2D(8, 3, padding="same", use_bias=False), layers.BatchNormalization(),
        layers.ReLU(), layers.DepthwiseConv2D(3, strides=2, padding="same"), layers.ReLU(6.0), layers.MaxPooling2D(),
        layers.Flatten(), layers.Dense(10), layers.Softmax()])
    path = folder / "keras_cnn.onnx"
    signature = [tensorflow.TensorSpec([None, 16, 16, 3], tensorflow.float32, name="x")]
    run = tensorflow.function(lambda x: model(x), input_signature=signature)
    tf2onnx.convert.from_function(run, input_signature=signature, opset=17, output_path=str(path))
    yield path, [2, 16, 16, 3], True


def made_up(session, shape):
    return {session.get_inputs()[0].name: np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)}


def float_error(run_float, path, shape, folder):
    session = session_of(path)
    inputs = made_up(session, shape)
    np.savez(folder / "in.npz", **inputs)
    run = subprocess.run([run_float, path, folder / "in.npz", folder / "out.npz"], capture_output=True, text=True)
    if run.returncode:
        return float("inf"), run.stderr.strip()
    got = np.load(folder / "out.npz")
    pairs = zip(session.get_outputs(), session.run(None, inputs))
    return max(largest_error(got[value.name], expected) for value, expected in pairs), ""


def tolerance_of(path):
    return HALF_TOLERANCE if "half" in path.name else TOLERANCE


def clean(pare, path, shape, folder):
    """What is wrong with the model after pare clean at the newest opset, or an empty text."""
    out = folder / "clean.onnx"
    run = subprocess.run([pare, "clean", path, "-o", out, "--opset", NEWEST], capture_output=True, text=True)
    if run.returncode:
        return run.stderr.strip()
    original = session_of(path)
    inputs = made_up(original, shape)
    pairs = zip(session_of(out).run(None, inputs), original.run(None, inputs))
    worst = max(largest_error(got, expected) for got, expected in pairs)
    return f"cleaned, outputs differ by {worst:g}" if worst > tolerance_of(path) else ""


def quantise(pare, path, shape, folder):
    """What went wrong, or an empty text."""
    x = np.random.default_rng(2).uniform(-1, 1, [SAMPLES, *shape[1:]]).astype(np.float32)
    np.savez(folder / "samples.npz", x=x)
    run = subprocess.run([pare, "quantize", path, "--data", folder / "samples.npz", "--metric", "sqnr", "--bits", "8",
                          "--max-drop", "100%", "--quiet", "-o", folder / "out"], capture_output=True, text=True)
    return run.stderr.strip() if run.returncode not in (0, 1) or not (folder / "out" / "model.pare").exists() else ""


def check(pare, run_float, path, shape, quantised, folder):
    error, message = float_error(run_float, path, shape, folder)
    good = error <= tolerance_of(path)
    for step in [clean, quantise] if quantised else [clean]:
        message = message or step(pare, path, shape, folder)
    good = good and not message
    print(f"{path.name:36} {error:.1e} {'ok' if good else 'WRONG'}{', quantised' if good and quantised else ''} {message}",
          flush=True)
    return good


def main():
    pare, run_float = sys.argv[1:3]
    warnings.simplefilter("ignore")
    makers = [make for make, names in [(export_torch, ["torch"]), (export_keras, ["tensorflow", "keras", "tf2onnx"])]
              if installed(*names)]
    if not makers:
        print("skipped: neither torch nor tf2onnx is installed")
        return 0
    good, count = True, 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for make in makers:
            for path, shape, quantised in make(folder):
                good = check(pare, run_float, path, shape, quantised, folder) and good
                count += 1
    print(f"{count} models")
    return 0 if good and count else 1


sys.exit(main())
