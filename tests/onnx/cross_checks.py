"""ONNX Runtime against integer programs: cross_checks.py PARE FAULTY REWRITTEN SAMPLE

Random networks of the program REWRITTEN, then the network of the folder SAMPLE taken to fixed point by PARE. FAULTY is
PARE with a kernel that rounds half up: the comparison must see it.
"""
import pathlib
import subprocess
import sys
import tempfile

import check_quantized
import networks

import numpy as np
import onnx

SAMPLES = 1000
RANDOM_SAMPLES = 1  # their batch size is fixed

SAMPLE = networks.Network("fashion_mnist", "fashion_mnist", "1/255", None, None, "nchw", "2..8")


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


def check_sample(program, faulty, folder, scratch):
    out = scratch / SAMPLE.name
    val = folder / f"{SAMPLE.data}_val.npz"
    networks.quantize(program, SAMPLE, folder / f"{SAMPLE.name}.onnx", val, out, "--bits", SAMPLE.mixed, "--max-drop",
                      "10%")
    x = networks.preprocess(np.load(val)["x"][:SAMPLES], SAMPLE)
    inputs = {onnx.load(out / "model.onnx").graph.input[0].name: x}
    wrong, _ = check_quantized.compare(program, out, inputs, SAMPLES)
    fault, _ = check_quantized.compare(faulty, out, inputs, 20, quiet=True)
    if fault == 0:
        print(f"{SAMPLE.name}: a kernel that rounds half up is not seen")
    return wrong == 0 and fault > 0


def main():
    program, faulty, rewritten = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as scratch:
        same = check_random(program, faulty, rewritten, pathlib.Path(scratch))
        same = check_sample(program, faulty, pathlib.Path(sys.argv[4]), pathlib.Path(scratch)) and same
    sys.exit(0 if same else 1)


main()
