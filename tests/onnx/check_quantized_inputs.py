#!/usr/bin/env python3
"""Networks that ONNX Runtime quantised, and its operators on codes: check_quantized_inputs.py PARE MODELS

Operators: each on seeded random codes, scales and zero points; every output code must be ONNX Runtime's, and floats within
1e-5 of the largest; `pare clean` must leave a model with the same codes. Networks: quantize_static in both formats (QDQ, QOperator), unsigned and signed activations, weights
per channel and per tensor; every quantised value must have ONNX Runtime's codes. (Signed activations of QDQ are compared
at the outputs alone: where inner values are asked for, ONNX Runtime computes them in float.) quantize_dynamic: outputs within
1e-5 of the largest (2e-2 behind an LSTM, whose states pare does not round); the network is then quantised at 8 bits, the
report says so, and every code is ONNX Runtime's. The networks of the folder are used where it exists, and one made here
always."""
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)

RANDOM = np.random.default_rng(1)
NETWORKS = ["mlperf_tiny_resnet8", "mlperf_tiny_dscnn_kws", "mobilenet_v1_025_vww96", "tf2onnx_cifar10_small",
            "torch18_resnet_2b_cifar10", "cgan32"]
MICROSOFT = "com.microsoft"
# Input index of the output's zero point: it names the output's type.
ZERO_POINT = {"QuantizeLinear": 2, "QLinearConv": 7, "QLinearMatMul": 7, "QGemm": 8, "QLinearAdd": 7, "QLinearMul": 7,
              "QLinearAveragePool": 4, "QLinearGlobalAveragePool": 4, "QLinearSoftmax": 4, "QLinearSigmoid": 4,
              "QLinearConcat": 1, "QLinearLeakyRelu": 4}


# ---- operators ----

class Maker:
    """One node, whose inputs are constants or, for those with a name that begins with x, inputs of the model."""

    def __init__(self, op, domain="", opset=17, **attributes):
        self.op, self.domain, self.opset, self.attributes = op, domain, opset, attributes
        self.names, self.feeds, self.constants = [], {}, []

    def put(self, array, fed=False):
        name = f"{'x' if fed else 'c'}{len(self.names)}" if array is not None else ""
        self.names.append(name)
        if fed:
            self.feeds[name] = array
        elif array is not None:
            self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return self

    def codes(self, kind, *shape, fed=True, low=None, high=None):
        info = np.iinfo(kind)
        low, high = info.min if low is None else low, info.max if high is None else high
        return self.put(RANDOM.integers(low, high + 1, shape).astype(kind), fed)

    def scale(self, size=(), around=0.02):
        return self.put((RANDOM.uniform(0.5, 2, size) * around).astype(np.float32))

    def zero(self, kind, size=(), value=None):
        info = np.iinfo(kind)
        return self.put(RANDOM.integers(info.min, info.max + 1, size).astype(kind) if value is None
                        else np.full(size, value, kind))

    def model(self, outputs=1):
        node = helper.make_node(self.op, self.names, [f"y{i}" for i in range(outputs)], domain=self.domain,
                                **self.attributes)
        inputs = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
                  for n, a in self.feeds.items()]
        graph = helper.make_graph([node], "g", inputs, [helper.make_empty_tensor_value_info(n) for n in node.output],
                                  self.constants)
        domains = [helper.make_opsetid("", self.opset), helper.make_opsetid(MICROSOFT, 1)]
        made = helper.make_model(graph, opset_imports=domains, ir_version=8)
        with tempfile.TemporaryDirectory() as folder:  # ONNX Runtime knows the types of its own operators
            path = str(pathlib.Path(folder) / "m.onnx")
            onnx.save(made, path)
            for output, known in zip(graph.output, session_of(path).get_outputs()):
                kind = {"tensor(float)": TensorProto.FLOAT, "tensor(uint8)": TensorProto.UINT8,
                        "tensor(int8)": TensorProto.INT8, "tensor(int32)": TensorProto.INT32}[known.type]
                for own in made.graph.output:
                    if own.name == known.name:
                        own.type.tensor_type.elem_type = kind
        return made, self.feeds


def operators():
    for x in (np.uint8, np.int8):
        for w in (np.uint8, np.int8):
            if x == np.int8 and w == np.uint8:
                continue  # ONNX Runtime has no such kernel
            name = f"{x.__name__}_{w.__name__}"
            zero = 0 if w == np.int8 else None
            for group, bias in ((1, True), (2, False), (4, True)):
                m = Maker("QLinearConv", group=group, pads=[1, 0, 1, 2], strides=[1, 2])
                m.codes(x, 2, 4, 9, 10).scale().zero(x).codes(w, 8, 4 // group, 3, 3, fed=False).scale((8,))
                m.zero(w, (8,), 0 if zero == 0 else 128).scale(around=0.2).zero(x)
                yield f"QLinearConv_{name}_{group}", (m.codes(np.int32, 8, fed=False, low=-9000, high=9000)
                                                      if bias else m).model()
            m = Maker("QLinearMatMul").codes(x, 3, 5, 24).scale().zero(x).codes(w, 24, 7, fed=False).scale()
            yield f"QLinearMatMul_{name}", m.zero(w, value=zero).scale(around=0.2).zero(x).model()
            m = Maker("QGemm", MICROSOFT, alpha=0.7, transB=1).codes(x, 5, 24).scale().zero(x).codes(w, 7, 24, fed=False)
            m.scale().zero(w, value=zero).codes(np.int32, 7, fed=False, low=-9000, high=9000).scale(around=0.2).zero(x)
            yield f"QGemm_{name}", m.model()
            m = Maker("QGemm", MICROSOFT).codes(x, 5, 24).scale().zero(x).codes(w, 24, 7, fed=False).scale((7,))
            yield f"QGemm_float_{name}", m.zero(w, (7,), 0 if zero == 0 else 100).model()
            m = Maker("MatMulInteger").codes(x, 2, 5, 24).codes(w, 24, 7, fed=False).zero(x)
            yield f"MatMulInteger_{name}", m.zero(w).model()
            m = Maker("MatMulIntegerToFloat", MICROSOFT).codes(x, 5, 24).codes(w, 24, 7, fed=False).scale().scale((7,))
            yield f"MatMulIntegerToFloat_{name}", m.zero(x).zero(w, (7,), 0).put(RANDOM.normal(size=7).astype(np.float32)).model()
        for op in ("QLinearAdd", "QLinearMul"):
            for shapes in (((256, 256), (256, 256)), ((3, 4, 5), (4, 1)), ((2, 3), ())):
                m = Maker(op, MICROSOFT).codes(x, *shapes[0]).scale().zero(x).codes(x, *shapes[1]).scale().zero(x)
                yield f"{op}_{x.__name__}_{len(shapes[1])}", m.scale().zero(x).model()
        for op, attributes in (("QLinearSigmoid", {}), ("QLinearLeakyRelu", {"alpha": 0.1})):
            for around in (0.01, 0.05, 0.3):
                m = Maker(op, MICROSOFT, **attributes).put(np.arange(256).astype(x), fed=True).scale(around=around).zero(x)
                yield f"{op}_{x.__name__}_{around}", m.scale(around=0.01).zero(x, value=np.iinfo(x).min).model()
        m = Maker("QLinearAveragePool", MICROSOFT, kernel_shape=[3, 2], strides=[2, 1]).codes(x, 2, 3, 9, 8).scale()
        yield f"QLinearAveragePool_{x.__name__}", m.zero(x).scale().zero(x).model()
        m = Maker("QLinearGlobalAveragePool", MICROSOFT).codes(x, 2, 33, 7, 6).scale().zero(x).scale().zero(x)
        yield f"QLinearGlobalAveragePool_{x.__name__}", m.model()
        m = Maker("QLinearConcat", MICROSOFT, axis=1).scale().zero(x).codes(x, 2, 3).scale().zero(x).codes(x, 2, 4)
        yield f"QLinearConcat_{x.__name__}", m.scale().zero(x).model()
        for opset, shape, axis in ((13, (4, 10), -1), (13, (2, 5, 3), 1), (12, (2, 5, 3), 1)):
            m = Maker("QLinearSoftmax", MICROSOFT, opset=17, axis=axis)
            m.attributes["opset"] = opset
            m.codes(x, *shape).scale(around=0.1).zero(x).put(np.float32(1 / 256)).zero(x, value=np.iinfo(x).min)
            yield f"QLinearSoftmax_{x.__name__}_{opset}_{axis}", m.model()
    m = Maker("ConvInteger", pads=[1, 1, 1, 1]).codes(np.uint8, 1, 3, 6, 6).codes(np.uint8, 4, 3, 3, 3, fed=False)
    yield "ConvInteger", m.zero(np.uint8).zero(np.uint8).model()
    for low, high in ((-1, 3), (2, 5), (-4, -1), (0, 0)):
        made = Maker("DynamicQuantizeLinear").put(RANDOM.uniform(low, high, (7, 9)).astype(np.float32), fed=True)
        yield f"DynamicQuantizeLinear_{low}", made.model(3)
    yield from fused()


def normal(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def fused():
    for activation, values in (("Relu", []), ("LeakyRelu", [0.2]), ("HardSigmoid", [0.3, 0.4]), ("Clip", [-0.5, 0.5]),
                               ("Tanh", [])):
        m = Maker("FusedConv", MICROSOFT, activation=activation, pads=[1, 1, 1, 1],
                  **({"activation_params": values} if values else {}))
        yield f"FusedConv_{activation}", m.put(normal(1, 3, 5, 5), True).put(normal(4, 3, 3, 3)).put(normal(4)).model()
    m = Maker("FusedConv", MICROSOFT, activation="Relu", pads=[1, 1, 1, 1]).put(normal(1, 3, 5, 5), True)
    yield "FusedConv_sum", m.put(normal(4, 3, 3, 3)).put(normal(4)).put(normal(1, 4, 5, 5), True).model()
    m = Maker("FusedGemm", MICROSOFT, activation="LeakyRelu", activation_alpha=0.3, transB=1)
    yield "FusedGemm", m.put(normal(5, 6), True).put(normal(4, 6)).put(normal(4)).model()
    for name, a, b, options in (("plain", (5, 6), (6, 4), {"alpha": 0.5}), ("turned", (2, 6, 5), (2, 4, 6), {"transA": 1, "transB": 1}),
                                ("batch", (5, 2, 3, 6), (4, 2, 3, 6), {"transBatchA": 1, "transBatchB": 1, "transB": 1}),
                                ("both", (6, 2, 3, 5), (2, 3, 6, 4), {"transBatchA": 1, "transA": 1, "alpha": 2.0})):
        yield f"FusedMatMul_{name}", Maker("FusedMatMul", MICROSOFT, **options).put(normal(*a), True).put(normal(*b), True).model()
    yield "QuickGelu", Maker("QuickGelu", MICROSOFT, alpha=1.5).put(normal(4, 8), True).model()
    m = Maker("DynamicQuantizeMatMul", MICROSOFT).put(normal(5, 24), True).codes(np.uint8, 24, 7, fed=False).scale()
    yield "DynamicQuantizeMatMul", m.zero(np.uint8).put(normal(7)).model()
    yield "Gelu", Maker("Gelu", MICROSOFT).put(normal(4, 8), True).model()
    yield "FastGelu", Maker("FastGelu", MICROSOFT).put(normal(4, 8), True).put(normal(8)).model()
    yield "BiasGelu", Maker("BiasGelu", MICROSOFT).put(normal(4, 8), True).put(normal(8)).model()
    m = Maker("SkipLayerNormalization", MICROSOFT, epsilon=1e-3).put(normal(2, 3, 8), True).put(normal(2, 3, 8), True)
    yield "SkipLayerNormalization", m.put(normal(8)).put(normal(8)).put(normal(8)).model()


# ---- networks ----

class Calibration(CalibrationDataReader):
    def __init__(self, name, shape):
        self.samples = iter([{name: normal(*shape)} for _ in range(8)])

    def get_next(self):
        return next(self.samples, None)


def small_network():
    """Convolutions, a residual sum, pools and a dense layer."""
    constants = {"w1": normal(8, 3, 3, 3) / 5, "b1": normal(8), "w2": normal(8, 8, 3, 3) / 8, "b2": normal(8),
                 "w3": normal(8, 1, 3, 3) / 3, "b3": normal(8), "w4": normal(5, 8), "b4": normal(5)}
    nodes = [helper.make_node("Conv", ["x", "w1", "b1"], ["a"], pads=[1, 1, 1, 1]), helper.make_node("Relu", ["a"], ["b"]),
             helper.make_node("Conv", ["b", "w2", "b2"], ["c"], pads=[1, 1, 1, 1]), helper.make_node("Add", ["b", "c"], ["d"]),
             helper.make_node("MaxPool", ["d"], ["e"], kernel_shape=[2, 2], strides=[2, 2]),
             helper.make_node("Conv", ["e", "w3", "b3"], ["f"], group=8), helper.make_node("Sigmoid", ["f"], ["g"]),
             helper.make_node("Mul", ["f", "g"], ["h"]), helper.make_node("GlobalAveragePool", ["h"], ["i"]),
             helper.make_node("Flatten", ["i"], ["j"]), helper.make_node("Gemm", ["j", "w4", "b4"], ["k"], transB=1),
             helper.make_node("Softmax", ["k"], ["y"])]
    graph = helper.make_graph(nodes, "small", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 16, 16])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
                              [numpy_helper.from_array(v, k) for k, v in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)


def fixed_shape(value):
    return [d if isinstance(d, int) else (1 if k == 0 else 48) for k, d in enumerate(value.shape)]


def expose(model):
    """Every quantised value becomes an output."""
    known = {o.name for o in model.graph.output}
    types = {i.name: i.data_type for i in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in ZERO_POINT and node.output[0] not in known:
            output = helper.make_empty_tensor_value_info(node.output[0])
            output.type.tensor_type.elem_type = types.get(node.input[ZERO_POINT[node.op_type]], TensorProto.UINT8)
            model.graph.output.append(output)
    return model


def networks(models, folder):
    base = folder / "base.onnx"
    for name in ["small"] + [n for n in NETWORKS if (models / f"{n}.onnx").exists()]:
        model = small_network() if name == "small" else onnx.load(models / f"{name}.onnx")
        if model.opset_import[0].version < 13:
            model = onnx.version_converter.convert_version(model, 13)
        onnx.save(model, base)
        first = session_of(str(base)).get_inputs()[0]
        shape = fixed_shape(first)
        for style in (QuantFormat.QDQ, QuantFormat.QOperator):
            for signed in (False, True):
                out = folder / "quantized.onnx"
                quantize_static(str(base), str(out), Calibration(first.name, shape), quant_format=style, per_channel=not signed,
                                activation_type=QuantType.QInt8 if signed else QuantType.QUInt8,
                                weight_type=QuantType.QInt8)
                made = onnx.load(out)
                made = made if signed and style == QuantFormat.QDQ else expose(made)
                yield f"{name}_{style.name}_{'signed' if signed else 'unsigned'}", (made, {first.name: normal(*shape)})


# ---- dynamic quantisation ----

def small_lstm():
    constants = {"w": normal(2, 32, 6) / 3, "r": normal(2, 32, 8) / 3, "b": normal(2, 64) / 3, "v": normal(8, 4)}
    nodes = [helper.make_node("LSTM", ["x", "w", "r", "b"], ["a"], hidden_size=8, direction="bidirectional"),
             helper.make_node("MatMul", ["a", "v"], ["y"])]
    graph = helper.make_graph(nodes, "lstm", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [5, 3, 6])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [5, 2, 3, 4])],
                              [numpy_helper.from_array(v, k) for k, v in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)


def quantize_again(pare, path, shape, folder):
    """What is wrong with an 8-bit network made of a dynamically quantised one, or None."""
    np.savez(folder / "data.npz", x=normal(32, *shape[1:]))
    run = subprocess.run([pare, "quantize", path, "--data", folder / "data.npz", "--metric", "agreement", "--bits", "8",
                          "--max-drop", "100%", "-o", folder / "again", "--quiet"], capture_output=True, text=True)
    if run.returncode:
        return f"quantize: {run.stderr.strip()}"
    if json.loads((folder / "again" / "report.json").read_text()).get("requantized") is not True:
        return "the report does not say that it was quantised already"
    if not (folder / "again" / "model.pare").exists():
        return "not all of it is in integers"
    run = subprocess.run([pare, "verify", folder / "again"], capture_output=True, text=True)
    return None if run.returncode == 0 else f"verify: {run.stdout[-300:]}{run.stderr.strip()}"


def dynamic(pare, folder):
    """(name, what is wrong or None) for each network and way to quantise it dynamically."""
    for name, model, shape in (("small", small_network(), (1, 3, 16, 16)), ("lstm", small_lstm(), (5, 3, 6))):
        for kind in (QuantType.QUInt8, QuantType.QInt8):
            for per_channel in (False, True):
                base, path, problem = folder / "base.onnx", folder / "dynamic.onnx", None
                onnx.save(model, base)
                quantize_dynamic(str(base), str(path), weight_type=kind, per_channel=per_channel)
                feeds = {"x": normal(*shape)}
                np.savez(folder / "in.npz", **feeds)
                run = subprocess.run([pare, "run", path, "--input", folder / "in.npz", "-o", folder / "out.npz", "--quiet"],
                                     capture_output=True, text=True)
                if run.returncode:
                    problem = run.stderr.strip()
                else:
                    expected, got = session_of(str(path)).run(None, feeds)[0], np.load(folder / "out.npz")["y"]
                    worst = float(np.abs(got - expected).max() / np.abs(expected).max())
                    problem = f"floats differ by {worst:g}" if worst > (2e-2 if name == "lstm" else 1e-5) else None
                if problem is None and name == "small":
                    problem = quantize_again(pare, path, shape, folder)
                yield f"{name}_dynamic_{kind.name}_{'channel' if per_channel else 'tensor'}", problem


# ---- the comparison ----

def session_of(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def behind_sigmoid(made):
    """Codes of a Sigmoid, which ONNX Runtime approximates: one in a hundred may be a step off."""
    floats = {n.output[0] for n in made.graph.node if n.op_type == "Sigmoid"}
    return {n.output[0] for n in made.graph.node if n.op_type == "QLinearSigmoid" or
            (n.op_type == "QuantizeLinear" and n.input[0] in floats)}


def difference(got, expected, name, approximate):
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return f"{got.dtype}{list(got.shape)} instead of {expected.dtype}{list(expected.shape)}"
    if expected.dtype.kind in "iu":
        wrong = int((got != expected).sum())
        close = int(np.abs(got.astype(int) - expected.astype(int)).max(initial=0)) <= 1
        if name in approximate and close and wrong <= max(1, expected.size // 100):
            return None
        return f"{wrong} of {expected.size} codes differ" if wrong else None
    worst = float(np.abs(got - expected).max(initial=0)) / (float(np.abs(expected).max(initial=0)) or 1)
    return f"floats differ by {worst:g}" if worst > 1e-5 else None


def compare(pare, made, feeds, folder):
    """(codes compared, what is wrong or None or "refused ...")"""
    path, inputs, outputs = folder / "model.onnx", folder / "in.npz", folder / "out.npz"
    onnx.save(made, path)
    np.savez(inputs, **feeds)
    session = session_of(str(path))
    expected = session.run(None, feeds)
    run = subprocess.run([pare, "run", path, "--input", inputs, "-o", outputs, "--quiet"], capture_output=True, text=True)
    if run.returncode:
        return 0, f"refused: {run.stderr.strip()}" if "not supported" in run.stderr else run.stderr.strip()
    run = subprocess.run([pare, "clean", path, "-o", folder / "clean.onnx", "--quiet"], capture_output=True, text=True)
    if run.returncode:
        return 0, f"clean: {run.stderr.strip()}"
    for before, after in zip(expected, session_of(str(folder / "clean.onnx")).run(None, feeds)):
        if before.dtype.kind in "iu" and not np.array_equal(before, after):
            return 0, f"clean: {int((before != after).sum())} of {before.size} codes differ"
    got = np.load(outputs)
    names = [o.name for o in session.get_outputs()]
    approximate = behind_sigmoid(made)
    problems = [f"{n}: {d}" for n, e in zip(names, expected) if (d := difference(got[n], e, n, approximate))]
    codes = sum(e.size for e in expected if e.dtype.kind in "iu")
    return codes, "; ".join(problems[:3]) or None


def main():
    pare, models = sys.argv[1], pathlib.Path(sys.argv[2])
    failed = count = codes = refused = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for cases in (operators(), networks(models, folder)):
            for case, (made, feeds) in cases:
                compared, problem = compare(pare, made, feeds, folder)
                count += 1
                codes += compared
                refused += bool(problem and problem.startswith("refused"))
                failed += bool(problem) and not problem.startswith("refused")
                if problem:
                    print(f"{case}: {problem}")
        for case, problem in dynamic(pare, folder):
            count += 1
            failed += problem is not None
            if problem:
                print(f"{case}: {problem}")
    if not models.is_dir():
        print(f"without the networks of {models}: there is no such folder")
    print(f"{count} models, {codes} codes compared, {refused} refused, {failed} failed")
    return 1 if failed or codes < 100000 else 0


if __name__ == "__main__":
    sys.exit(main())
