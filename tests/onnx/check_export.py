#!/usr/bin/env python3
"""What pare reads and writes again must mean the same: a cross-check with onnx.checker and ONNX Runtime.

usage: check_export.py ROUNDTRIP MODELS_FOLDER
ROUNDTRIP is the program of roundtrip.c. Every model, and small ones made here that cover the forms of older opsets, is
read and written; the result must pass onnx.checker (full check), load without warnings and give the outputs of the
original on seeded inputs. The same at older and newer opsets, where a model may be refused, but not at its own. Says "skipped" where the packages are missing; the folder may be missing.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime as ort
    from compare_ort import random_inputs
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
ROUNDTRIP, FOLDER = sys.argv[1], sys.argv[2]
OPSETS = (7, 8, 9, 10, 11, 12, 13, 15, 18, 20, 23, 25)
RANDOM = np.random.default_rng(1)


# ---- models of older opsets, one form each ----

def model(opset, nodes, x_shape, constants=(), outputs=("y",), x_type=FLOAT, ir_version=None):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", x_type, x_shape)],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [c if isinstance(c, onnx.TensorProto) else numpy_helper.from_array(c[1], c[0]) for c in constants])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                             ir_version=ir_version or max(4, min(10, opset - 6)))
    types = onnx.shape_inference.infer_shapes(made).graph.output
    for output, inferred in zip(made.graph.output, types):
        output.CopyFrom(inferred)
        if not output.type.tensor_type.elem_type:
            output.type.tensor_type.elem_type = FLOAT
    return made


def node(op, inputs="x", outputs="y", **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def ints(name, *values):
    return name, np.array(values, np.int64)


def floats(name, *values):
    return name, np.array(values, np.float32)


def scalar(name, value, dtype=np.float32):
    return name, np.array(value, dtype)


def batch_normalization(opset, **attributes):
    statistics = [floats(n, *v) for n, v in
                  (("s", (1, 2, .5)), ("b", (0, 1, -1)), ("m", (.1, .2, .3)), ("v", (1, 2, 3)))]
    return model(opset, [node("BatchNormalization", "x s b m v", **attributes)], [2, 3, 4, 4], statistics)


def made_models():
    shape = [2, 3, 4, 4]
    yield "clip_7", model(7, [node("Clip", min=-.5, max=.25)], shape)
    yield "clip_7_min", model(7, [node("Clip", min=0.)], shape)
    yield "clip_11", model(11, [node("Clip", "x low")], shape, [scalar("low", -.25)])
    yield "dropout_7", model(7, [node("Dropout", outputs="y mask", ratio=.3)], shape)
    yield "dropout_12", model(12, [node("Dropout", "x ratio")], shape, [scalar("ratio", .3)])
    yield "pad_7", model(7, [node("Pad", mode="constant", pads=[0, 0, 1, 2, 0, 0, 3, 0], value=1.5)], shape)
    yield "pad_7_reflect", model(7, [node("Pad", mode="reflect", pads=[0, 0, 1, 2, 0, 0, 3, 0])], shape)
    yield "pad_11", model(11, [node("Pad", "x p")], shape, [ints("p", 0, 0, 1, 2, 0, 0, 3, 0)])
    yield "slice_7", model(7, [node("Slice", starts=[1, 0], ends=[3, -1], axes=[1, 3])], shape)
    yield "slice_7_all", model(7, [node("Slice", starts=[0, 1], ends=[9, 2])], shape)
    yield "slice_10", model(10, [node("Slice", "x s e a t")], shape,
                            [ints("s", 3), ints("e", -9), ints("a", 2), ints("t", -2)])
    yield "split_7", model(7, [node("Split", outputs="y z", axis=1, split=[1, 2])], shape, outputs=("y", "z"))
    yield "split_7_equal", model(7, [node("Split", outputs="y z", axis=2)], shape, outputs=("y", "z"))
    yield "split_13", model(13, [node("Split", outputs="y z", axis=3)], shape, outputs=("y", "z"))
    yield "split_18", model(18, [node("Split", outputs="y z", axis=1, num_outputs=2)], shape, outputs=("y", "z"))
    yield "squeeze_7", model(7, [node("Squeeze", axes=[1])], [2, 1, 3])
    yield "squeeze_7_all", model(7, [node("Squeeze")], [2, 1, 3])
    yield "squeeze_11_negative", model(11, [node("Squeeze", axes=[-2])], [2, 1, 3])
    yield "unsqueeze_7", model(7, [node("Unsqueeze", axes=[0, 2])], [2, 3])
    yield "unsqueeze_13", model(13, [node("Unsqueeze", "x a")], [2, 3], [ints("a", -1)])
    for opset in (7, 11, 13):
        yield f"reduce_mean_{opset}", model(opset, [node("ReduceMean", axes=[2, 3], keepdims=0)], shape)
    yield "reduce_mean_7_all", model(7, [node("ReduceMean")], shape)
    yield "reduce_mean_18", model(18, [node("ReduceMean", "x a")], shape, [ints("a", 1)])
    yield "softmax_7_last", model(7, [node("Softmax", axis=3)], shape)
    yield "softmax_7_flat", model(7, [node("Softmax")], shape)
    yield "softmax_7_all", model(7, [node("Softmax", axis=0)], shape)
    yield "softmax_7_ones", model(7, [node("Softmax", axis=1)], [2, 10, 1, 1])
    yield "softmax_7_inner", model(7, [node("Relu", outputs="r"), node("Softmax", "r", "t"), node("Relu", "t")], shape)
    yield "softmax_11_negative", model(11, [node("Softmax", axis=-2)], shape)
    yield "softmax_13", model(13, [node("Softmax", axis=1)], shape)
    yield "upsample_7", model(7, [node("Upsample", mode="nearest", scales=[1., 1., 2., 3.])], shape)
    yield "upsample_9", model(9, [node("Upsample", "x s", mode="nearest")], shape, [floats("s", 1, 1, 2, 2)])
    yield "upsample_9_linear", model(9, [node("Upsample", "x s", mode="linear")], shape, [floats("s", 1, 1, 2, 2)])
    yield "resize_10", model(10, [node("Resize", "x s")], shape, [floats("s", 1, 1, 2, 1.5)])
    yield "resize_10_down", model(10, [node("Resize", "x s")], shape, [floats("s", 1, 1, .5, .6)])
    yield "resize_10_linear", model(10, [node("Resize", "x s", mode="linear")], shape, [floats("s", 1, 1, 2, .5)])
    yield "resize_11", model(11, [node("Resize", "x roi s", mode="linear",
                                       coordinate_transformation_mode="align_corners")], shape,
                             [floats("roi"), floats("s", 1, 1, 2, 2)])
    yield "resize_11_sizes", model(11, [node("Resize", "x roi s z", nearest_mode="floor")], shape,
                                   [floats("roi"), floats("s"), ints("z", 2, 3, 7, 8)])
    yield "batch_normalization_7", batch_normalization(7, epsilon=1e-3, momentum=.8, spatial=1)
    yield "batch_normalization_9", batch_normalization(9, momentum=.8)
    yield "batch_normalization_15", batch_normalization(15, training_mode=0)
    yield "max_pool_8", model(8, [node("MaxPool", outputs="y i", kernel_shape=[2, 2], storage_order=0)], shape)
    yield "gemm_7", model(7, [node("Gemm", "x b c", transB=1, alpha=.5)], [2, 3],
                          [("b", RANDOM.random((4, 3), np.float32)), ("c", RANDOM.random((1, 4), np.float32))])
    yield "prelu_9", model(9, [node("PRelu", "x s")], shape, [("s", RANDOM.random((3, 1, 1), np.float32))])
    yield "hard_swish_14", model(14, [node("HardSwish")], shape)
    yield "arg_max_7", model(7, [node("ArgMax", axis=1)], shape)
    yield "constant_of_shape", model(9, [node("Shape", outputs="t"), node(
        "ConstantOfShape", "t", "c", value=helper.make_tensor("v", FLOAT, [1], [2.5])), node("Add", "x c")], shape)
    yield "unnamed_output", model(11, [node("Relu", outputs="r"), node("Sigmoid", "r")], shape)
    yield from constant_forms()
    yield from quantized_forms()


def constant_forms():
    for name, attribute in (("float", {"value_float": 2.}), ("floats", {"value_floats": [1., 2., 3.]})):
        yield f"constant_{name}", model(13, [node("Constant", "", "c", **attribute), node("Mul", "x c")], [2, 3])
    yield "constant_ints", model(13, [node("Constant", "", "c", value_ints=[3, 2]), node("Reshape", "x c")], [2, 3])
    yield "constant_int", model(13, [node("Constant", "", "c", value_int=1), node("Gather", "x c", axis=1)], [2, 3])
    for name, type_ in (("float16", TensorProto.FLOAT16), ("bfloat16", TensorProto.BFLOAT16), ("double", TensorProto.DOUBLE)):
        weight = helper.make_tensor("w", type_, [3, 2], [.5, -1.25, 2, 0, 3, 1])
        yield f"typed_{name}", model(13, [node("Cast", "w", "f", to=FLOAT), node("MatMul", "x f")], [2, 3], [weight])


def quantized_forms():
    yield "qdq_13", model(13, [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z")], [2, 3],
                          [scalar("s", .125), scalar("z", 3, np.uint8)])
    yield "qdq_13_axis", model(13, [node("QuantizeLinear", "x s z", "q", axis=0),
                                    node("DequantizeLinear", "q s z", axis=0)], [2, 3],
                               [floats("s", .125, .25), ("z", np.array([1, -2], np.int8))])
    yield "q_output_dtype_21", model(21, [node("QuantizeLinear", "x s", "q", output_dtype=TensorProto.INT16),
                                          node("DequantizeLinear", "q s")], [2, 3], [scalar("s", .125)])
    for name, type_ in (("int4", TensorProto.INT4), ("uint4", TensorProto.UINT4)):
        weight = helper.make_tensor("w", type_, [3], [1, 7, 3])
        yield f"dequantize_{name}", model(21, [node("DequantizeLinear", "w s", "f"), node("Mul", "x f")], [2, 3],
                                          [weight, scalar("s", .5)])
    weight = helper.make_tensor("w", TensorProto.INT2, [5], [1, -2, 0, -1, 1])
    yield "dequantize_int2", model(25, [node("DequantizeLinear", "w s", "f"), node("Mul", "x f")], [2, 5],
                                   [weight, scalar("s", .5)], ir_version=13)


# ---- the check ----

COUNTS = {"equal": 0, "refused": 0}

class Warnings:
    """Collects what is written to the process's stderr, where ONNX Runtime puts its warnings."""

    def __enter__(self):
        self.file = tempfile.TemporaryFile()
        self.saved = os.dup(2)
        os.dup2(self.file.fileno(), 2)
        return self

    def __exit__(self, *_):
        os.dup2(self.saved, 2)
        os.close(self.saved)
        self.file.seek(0)
        self.text = self.file.read().decode(errors="replace")


def session(path):
    options = ort.SessionOptions()
    options.log_severity_level = 2
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def largest_difference(a, b):
    if a.shape != b.shape or a.dtype != b.dtype:
        return f"{a.dtype}{list(a.shape)} became {b.dtype}{list(b.shape)}"
    scale = float(np.abs(a).max(initial=0)) or 1.
    worst = float(np.abs(a.astype(np.float64) - b).max(initial=0)) / scale
    return f"outputs differ by {worst:g}" if worst > 1e-5 else None


def difference(source, folder):
    """None when all is well, else what is wrong."""
    once, twice = os.path.join(folder, "once.onnx"), os.path.join(folder, "twice.onnx")
    opset = onnx.load(source, load_external_data=False).opset_import[0].version
    for read, written in ((source, once), (once, twice)):
        run = subprocess.run([ROUNDTRIP, read, written, "25" if opset == 25 else "21"], capture_output=True, text=True)
        if run.returncode:
            return run.stderr.strip()
    with open(once, "rb") as first, open(twice, "rb") as second:
        if first.read() != second.read():
            return "reading and writing again gives other bytes"
    onnx.checker.check_model(once, full_check=True)
    with Warnings() as warnings:
        mine = session(once)
    if warnings.text:
        return warnings.text.strip()
    with Warnings():  # the original may deserve some
        original = session(source)
    return unequal(original, mine) or difference_of_opsets(source, original, opset, once)


def unequal(original, mine):
    if [v.name for v in original.get_outputs()] != [v.name for v in mine.get_outputs()]:
        return "the outputs have other names"
    inputs = random_inputs(original, RANDOM)
    for a, b in zip(original.run(None, inputs), mine.run(None, inputs)):
        problem = largest_difference(a, b)
        if problem:
            return problem
    return None


def difference_of_opsets(source, original, own, path):
    for opset in sorted({own, *OPSETS}):
        run = subprocess.run([ROUNDTRIP, source, path, str(opset)], capture_output=True, text=True)
        if run.returncode and "has no words for" in run.stderr and opset != own:
            COUNTS["refused"] += 1
            continue
        if run.returncode:
            return f"opset {opset}: {run.stderr.strip()}"
        onnx.checker.check_model(path, full_check=True)
        with Warnings():
            problem = unequal(original, session(path))
        if problem:
            return f"opset {opset}: {problem}"
        COUNTS["equal"] += 1
    return None


def sources(folder):
    for name, made in made_models():
        path = os.path.join(folder, f"{name}.onnx")
        onnx.save(made, path)
        yield name, path
    if not os.path.isdir(FOLDER):
        print(f"without the models of {FOLDER}: there is no such folder")
        return
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".onnx"):
            yield name, os.path.join(FOLDER, name)


def main():
    failed = count = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, path in sources(folder):
            try:
                problem = difference(path, folder)
            except Exception as error:  # the checker's and the runtime's own complaints
                problem = f"{type(error).__name__}: {error}"
            count += 1
            failed += problem is not None
            if problem:
                print(f"{name}: {problem}")
    print(f"{count} models, {failed} failed; at chosen opsets {COUNTS['equal']} equal, {COUNTS['refused']} refused")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
