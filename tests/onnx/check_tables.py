"""Functions of one variable over all codes: check_tables.py PARE

Networks of tables in the words of a rewritten ONNX: QuantizeLinear, DequantizeLinear, functions, and the same again, at
several widths and fractions. Their tables, as PARE makes them, against ONNX Runtime. Where every step of a function is
one float32 operation, no code may differ; the others must be called "not certain".
"""
import pathlib
import sys
import tempfile

import check_quantized

EXACT = [("HardSigmoid", {"alpha": 1 / 6}), ("HardSigmoid", {}), ("HardSigmoid", {"alpha": 0.3, "beta": 0.41}),
         ("HardSwish", {}), ("LeakyRelu", {}), ("LeakyRelu", {"alpha": 1 / 3}), ("ThresholdedRelu", {"alpha": 0.3})]
APPROXIMATE = [("Sigmoid", {}), ("Tanh", {}), ("Elu", {"alpha": 0.7}), ("Selu", {}), ("Celu", {"alpha": 0.7}),
               ("Softplus", {}), ("Softsign", {}), ("Mish", {}), ("Gelu", {})]
# Bits, sign and fraction of the input, and fractions of the outputs.
FORMATS = [(8, True, 5, (5, 3, 0)), (8, True, 4, (7, 2)), (8, False, 5, (4, 6)), (5, True, 2, (3, 1)),
           (16, True, 12, (12, 5, 1)), (16, True, 9, (14, 9, 2)), (16, False, 13, (12, 3)), (12, True, 8, (8, 4))]


def quantizer(nodes, constants, source, name, bits, signed, frac):
    """x of a value's codes, narrowed by a Clip where no type has so many bits."""
    wide = 8 if bits <= 8 else 16
    kind = np.dtype(f"{'' if signed else 'u'}int{wide}")
    constants[name + "_scale"] = np.float32(2.0**-frac)
    constants[name + "_zero"] = np.zeros((), kind)
    codes = ("input" if source == "input" else name) + "_quantized"
    if bits < wide:
        low, high = (-2**(bits - 1), 2**(bits - 1) - 1) if signed else (0, 2**bits - 1)
        constants[name + "_low"] = np.float32(low * 2.0**-frac)
        constants[name + "_high"] = np.float32(high * 2.0**-frac)
        nodes.append(helper.make_node("Clip", [source, name + "_low", name + "_high"], [name + "_clipped"]))
        source = name + "_clipped"
    ends = [name + "_scale", name + "_zero"]
    nodes.append(helper.make_node("QuantizeLinear", [source] + ends, [codes]))
    nodes.append(helper.make_node("DequantizeLinear", [codes] + ends, [name]))


def network(functions, bits, signed, frac, out_fracs):
    nodes, constants, outputs = [], {}, []
    count = 2**bits
    quantizer(nodes, constants, "input", "x", bits, signed, frac)
    for i, (op, attributes) in enumerate(functions):
        for out_frac in out_fracs:
            name = f"y{i}_{out_frac}"
            nodes.append(helper.make_node(op, ["x"], [name + "_real"], name=f"{op}_{name}", **attributes))
            quantizer(nodes, constants, name + "_real", name, 16 if bits > 8 else 8, True, out_frac)
            outputs.append(name)
    ports = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, count]) for name in ["input"] + outputs]
    graph = helper.make_graph(nodes, "tables", ports[:1], ports[1:],
                              [onnx.numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def check(program, folder, functions, bits, signed, frac, out_fracs, certain):
    """True when all tables are equal and certain, or, of functions that are not certain, called so."""
    onnx.save(network(functions, bits, signed, frac, out_fracs), folder / "model.onnx")
    exact = check_quantized.layers_of(program, folder)
    told = [exact.get(f"{op}_y{i}_{out}") for i, (op, _) in enumerate(functions) for out in out_fracs]
    codes = np.arange(2**bits, dtype=np.int64) - (2**(bits - 1) if signed else 0)
    inputs = {"input": (codes * 2.0**-frac).astype(np.float32).reshape(1, -1)}
    different, compared = check_quantized.compare(program, folder, inputs, 1, quiet=True)
    good = different == 0 and all(t is certain for t in told)
    if not good:
        print(f"{bits} bits, fraction {frac}, to {out_fracs}: {different} of {compared} differ, certain: {told}")
    return good


def main():
    program, good, count = sys.argv[1], True, 0
    for form in FORMATS:
        for functions, certain in ((EXACT, True), (APPROXIMATE, False)):
            with tempfile.TemporaryDirectory() as scratch:
                good = check(program, pathlib.Path(scratch), functions, *form, certain) and good
            count += len(functions) * len(form[3])
    print(f"{count} tables, {'equal' if good else 'NOT EQUAL'}")
    sys.exit(0 if good else 1)


try:
    import numpy as np
    import onnx
    from onnx import helper
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(0)

main()
