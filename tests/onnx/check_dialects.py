#!/usr/bin/env python3
"""The dialects of `pare export`: check_dialects.py PARE SAMPLES

The sample network, and a small residual one with random weights, quantised at 8, 12 and 16 bits. `integer` must give the codes of the integer program in ONNX Runtime,
every one of them, at all optimisation levels; `qdq` where every sum is exact in float32; `qonnx`, which ONNX Runtime does
not know, is read back as an integer program with the same outputs and widths."""
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)

SAMPLES = 64
WIDTHS = ("8", "12", "16")
ERRORS = {"8": 3e-2, "12": 3e-3, "16": 2e-4}  # of the output, relative
LEVELS = (onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL)


def call(pare, *arguments):
    run = subprocess.run([pare, *map(str, arguments)], capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))}: exit {run.returncode}: {run.stderr.strip()}")


def codes_in_onnx_runtime(path, inputs, level):
    """Every quantised value, by its name."""
    model = onnx.load(path)
    types = {i.name: i.data_type for i in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear" and node.output[0] not in {o.name for o in model.graph.output}:
            output = onnx.helper.make_empty_tensor_value_info(node.output[0])
            output.type.tensor_type.elem_type = types[node.input[2]]
            model.graph.output.append(output)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return {n: v for n, v in zip(names, session.run(names, inputs)) if v.dtype.kind in "iu"}


def differing(mine, theirs):
    count = wrong = 0
    for name, values in theirs.items():
        count += values.size
        wrong += int((mine[name].astype(np.int64) != values.astype(np.int64)).sum())
    return count, wrong


def widths(pare, path):
    """Of weights and values, layer by layer; a bias may take fewer bits than it was given."""
    run = subprocess.run([pare, "inspect", path, "--json"], capture_output=True, text=True, check=True)
    return [(layer["op"], part, layer[part] and (layer[part]["bits"], layer[part]["frac"]))
            for layer in json.loads(run.stdout)["layers"] for part in ("weight", "output")]


def write_residual(path):
    """A block whose input is added to its convolution, and one whose input goes through a convolution too."""
    random, nodes, constants = np.random.default_rng(7), [], []

    def constant(name, *shape):
        values = random.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32)
        constants.append(onnx.numpy_helper.from_array(values, name))
        return name

    def constant_of(name, x):
        constants.append(onnx.numpy_helper.from_array(np.array(x, np.float32), name))
        return name

    def node(op, inputs, output, **attributes):
        nodes.append(onnx.helper.make_node(op, inputs, [output], **attributes))
        return output

    def conv(x, name, channels, size, stride=1):
        out, into = channels
        weights = [constant(f"{name}_weight", out, into, size, size), constant(f"{name}_bias", out)]
        return node("Conv", [x, *weights], name, pads=[size // 2] * 4, strides=[stride] * 2)

    a = node("Relu", [conv("x", "stem", (8, 1), 3)], "a")
    b = node("Relu", [node("Add", [conv(a, "inner", (8, 8), 3), a], "sum")], "b")
    c = node("Relu", [conv(b, "half", (16, 8), 3, 2)], "c")
    silent = node("Relu", [node("Sub", [conv(c, "low", (16, 16), 1), constant_of("far", 100)], "below")], "silent")
    quiet = node("Add", [conv(c, "quiet", (16, 16), 3), silent], "quiet_sum")  # nothing is known of how large it gets
    d = node("Add", [conv(quiet, "last", (16, 16), 3), conv(b, "shortcut", (16, 8), 1, 2)], "d")
    flat = node("Flatten", [node("GlobalAveragePool", [node("Relu", [d], "e")], "mean")], "flat")
    node("Gemm", [flat, constant("dense_weight", 10, 16), constant("dense_bias", 10)], "y", transB=1)
    x, y = (onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s) for n, s in (("x", ["N", 1, 28, 28]), ("y", ["N", 10])))
    graph = onnx.helper.make_graph(nodes, "residual", [x], [y], constants)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), path)


def relative_error(model, other, inputs):
    """Of the last float output of `other`, root mean square."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    x, y = (onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run(None, inputs)[0].astype(float)
            for path in (model, other))
    return float(np.sqrt(np.mean((x - y) ** 2) / np.mean(x**2)))


def check(pare, model, data, bits, flags, folder):
    """Lines of what is wrong."""
    out, problems = folder / f"{model.stem}{bits}", []
    call(pare, "quantize", model, "--data", data, "--scale", "1/255", "--bits", bits,
         "--keep-channels", *flags, "-o", out, "--quiet")
    for dialect in ("qdq", "qonnx", "integer"):
        call(pare, "export", out / "model.onnx", "--to", dialect, "-o", out / f"{dialect}.onnx", "--quiet")
        if dialect != "qonnx":
            onnx.checker.check_model(str(out / f"{dialect}.onnx"), full_check=True)
    if (out / "qdq.onnx").read_bytes() != (out / "model.onnx").read_bytes():
        problems.append("qdq is not the model.onnx of quantize")
    name = onnx.load(out / "model.onnx").graph.input[0].name
    inputs = {name: np.load(data)["x"][:SAMPLES].astype(np.float32).reshape(SAMPLES, 1, 28, 28) / np.float32(255)}
    np.savez(out / "in.npz", **inputs)
    error = relative_error(model, out / "model.onnx", inputs)
    print(f"{model.stem}, {bits} bits: output error {error:.1e}")
    if error > ERRORS[bits]:
        problems.append(f"model.onnx is {error:.1e} off the float network")
    call(pare, "run", out / "model.pare", "--input", out / "in.npz", "-o", out / "codes.npz", "--all-values", "--quiet")
    call(pare, "run", out / "model.onnx", "--input", out / "in.npz", "-o", out / "y.npz", "--quiet")
    call(pare, "run", out / "qonnx.onnx", "--input", out / "in.npz", "-o", out / "qonnx.npz", "--quiet")
    codes = dict(np.load(out / "codes.npz"))
    for level in LEVELS:
        for dialect in ("qdq", "integer"):
            count, wrong = differing(codes, codes_in_onnx_runtime(out / f"{dialect}.onnx", inputs, level))
            must = dialect == "integer" or bits == "8"
            print(f"{model.stem}, {bits} bits, {dialect}, {level.name}: {wrong} of {count} codes differ{'' if must else ' (may)'}")
            if count == 0 or (wrong and must):
                problems.append(f"{dialect}: {wrong} of {count} codes differ")
    if widths(pare, out / "qonnx.onnx") != widths(pare, out / "model.onnx"):
        problems.append("qonnx: read back with other widths")
    for key, values in np.load(out / "y.npz").items():
        other = np.load(out / "qonnx.npz")[key]
        if not np.array_equal(values, other):
            problems.append(f"qonnx: {key} differs by {np.abs(values - other).max()}")
    return problems


def main():
    pare, samples = sys.argv[1], pathlib.Path(sys.argv[2])
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_residual(folder / "residual.onnx")
        networks = ((samples / "fashion_mnist.onnx", ("--max-drop", "50pt")),
                    (folder / "residual.onnx", ("--metric", "agreement", "--max-drop", "99%")))
        for (model, flags), bits in itertools.product(networks, WIDTHS):
            for problem in check(pare, model, samples / "fashion_mnist_val.npz", bits, flags, folder):
                print(f"{model.stem}, {bits} bits: {problem}")
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
