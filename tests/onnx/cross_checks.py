"""ONNX Runtime against integer programs: cross_checks.py PARE FAULTY REWRITTEN SAMPLE MODELS DATA

Random networks of the program REWRITTEN, then the network of the folder SAMPLE and, where it is there, those of MODELS
taken to fixed point by PARE. FAULTY is PARE with a kernel that rounds half up: the comparison must see it.
"""
import pathlib
import subprocess
import sys
import tempfile

import check_quantized

import numpy as np
import onnx

SAMPLES = 1000
RANDOM_SAMPLES = 1  # their batch size is fixed

KWS_DIVISOR = 1 / 0.5847029089927673
CIFAR_MEAN, CIFAR_STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
# Model, data, divisor, mean, std, layout, widths.
SAMPLE = ("fashion_mnist", "fashion_mnist", 255, None, None, "nchw", "2..8")
NETWORKS = [
    ("torch16_convnet_avgpool_mnist", "mnist", 255, None, None, "nchw", "2..8"),
    ("cntk_mnist8", "mnist", 1, None, None, "nchw", "8"),
    ("tf2onnx_cifar10_small", "cifar10", 255, None, None, "nhwc", "4..8"),
    ("mlperf_tiny_dscnn_kws", "kws", KWS_DIVISOR, 83 / KWS_DIVISOR, 1, "nchw", "8"),
    ("resnet20_cifar10", "cifar10", 255, CIFAR_MEAN, CIFAR_STD, "nchw", "8"),
    ("paper_seq_mnist", "mnist", 255, None, None, "nhwc", "8"),
]


def random_inputs(model, rng):
    shapes = {i.name: [d.dim_value for d in i.type.tensor_type.shape.dim] for i in model.graph.input}
    return {name: rng.uniform(-4, 4, [RANDOM_SAMPLES] + shape[1:]).astype(np.float32) for name, shape in shapes.items()}


def check_random(program, faulty, rewritten, scratch):
    """True when no random network differs, and some do with the fault."""
    subprocess.run([rewritten, scratch], check=True, stdout=subprocess.DEVNULL)
    rng = np.random.default_rng(1)
    files = sorted(scratch.glob("random_*.onnx"))
    wrong = seen = elements = 0
    for file in files:
        folder = scratch / file.stem
        folder.mkdir()
        file = file.rename(folder / "model.onnx")
        inputs = random_inputs(onnx.load(file), rng)
        differing, compared = check_quantized.compare(program, folder, inputs, RANDOM_SAMPLES, quiet=True)
        wrong += differing
        elements += compared
        seen += check_quantized.compare(faulty, folder, inputs, RANDOM_SAMPLES, quiet=True)[0] > 0
    print(f"random: {len(files)} networks, {elements} integers, {wrong} differ; the fault shows in {seen} networks")
    return wrong == 0 and seen > 0


def preprocess(x, scale, mean, std, layout):
    x = x.astype(np.float32) / np.float32(scale)
    if mean is not None:
        x = (x - np.float32(mean).reshape(1, -1, 1, 1)) / np.float32(std).reshape(1, -1, 1, 1)
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1) if layout == "nhwc" else x)


def quantize(program, model, data, network, out):
    _, name, scale, mean, std, layout, bits = network
    command = [program, "quantize", model, "--data", data / f"{name}_val.npz", "--scale", f"1/{scale}",
               "--bits", bits, "--max-drop", "10%", "--quiet", "-o", out]
    if (data / f"{name}_calib.npz").exists():
        command += ["--calib", data / f"{name}_calib.npz"]
    if mean is not None:
        command += ["--mean", ",".join(map(str, np.atleast_1d(mean))), "--std", ",".join(map(str, np.atleast_1d(std)))]
    if layout == "nhwc":
        command += ["--layout", "nhwc"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode not in (0, 4):
        sys.exit(f"{model}: exit {run.returncode}: {run.stderr.strip()}")


def check_network(program, faulty, models, data, network, scratch):
    name, samples, scale, mean, std, layout, _ = network
    folder = scratch / name
    quantize(program, models / f"{name}.onnx", data, network, folder)
    x = preprocess(np.load(data / f"{samples}_val.npz")["x"][:SAMPLES], scale, mean, std, layout)
    inputs = {onnx.load(folder / "model.onnx").graph.input[0].name: x}
    wrong, _ = check_quantized.compare(program, folder, inputs, SAMPLES)
    fault, _ = check_quantized.compare(faulty, folder, inputs, 20, quiet=True)
    if fault == 0:
        print(f"{name}: a kernel that rounds half up is not seen")
    return wrong == 0 and fault > 0


def main():
    program, faulty, rewritten = sys.argv[1:4]
    sample, models, data = map(pathlib.Path, sys.argv[4:7])
    with tempfile.TemporaryDirectory() as scratch:
        same = check_random(program, faulty, rewritten, pathlib.Path(scratch))
        same = check_network(program, faulty, sample, sample, SAMPLE, pathlib.Path(scratch)) and same
        for network in NETWORKS if models.exists() else ():
            same = check_network(program, faulty, models, data, network, pathlib.Path(scratch)) and same
    if not models.exists():
        print("random networks and the sample only: no ../shared")
    sys.exit(0 if same else 1)


main()
