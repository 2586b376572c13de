#!/usr/bin/env python3
"""Writes src/onnx/opsets.def from the schemas of the installed onnx package, or with --check compares: every row of the
file must be what the package says, as far as its opsets go."""
import re
import sys

NEWEST = 28
# TensorProto.DataType of the types whose coming and going makes a row: those that pare holds as they are.
TYPES = {"float": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7, "bool": 9, "double": 11,
         "uint32": 12, "uint64": 13, "uint4": 21, "int4": 22, "uint2": 25, "int2": 26}
LEFT_OUT = re.compile(r"String|Sequence|Optional|Random|Multinomial|Bernoulli|Image|Tfidf|Regex|^Constant$|Experimental|"
                      r"^(Adagrad|Adam|Momentum|Gradient)$")


def type_mask(schema):
    names = {t[len("tensor("):-1] for port in list(schema.inputs) + list(schema.outputs) for t in port.types
             if t.startswith("tensor(")}
    return sum(1 << TYPES[name] for name in names if name in TYPES)


def row(schema):
    return (min(schema.min_input, 1000), min(schema.max_input, 1000), min(schema.max_output, 1000),
            " ".join(sorted(schema.attributes)), type_mask(schema), schema.deprecated)


def rows():
    import onnx.defs
    by_name = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "" and not LEFT_OUT.search(schema.name) and schema.since_version <= NEWEST:
            by_name.setdefault(schema.name, []).append(schema)
    for name, schemas in sorted(by_name.items()):
        schemas.sort(key=lambda s: s.since_version)
        first = [s for s in schemas if s.since_version <= 7][-1:]
        previous = None
        for schema in first + [s for s in schemas if s.since_version > 7]:
            if row(schema) != previous:
                previous = row(schema)
                inputs_min, inputs_max, outputs, attributes, types, gone = previous
                if gone:
                    yield f"OPSET({name}, {schema.since_version}, 0, 0, 0, 0, \"\")"
                else:
                    yield (f"OPSET({name}, {schema.since_version}, {inputs_min}, {inputs_max}, {outputs}, "
                           f"0x{types:07x}, \"{attributes}\")")


HEAD = """/* The forms of ONNX's operators by opset (default domain, opsets 7 to 28), from the standard's operator schemas:
 *
 *   OPSET(name, since opset, inputs min, max, outputs max, types, attributes)
 *
 * A row holds until the next one of its operator. types: a bit per TensorProto.DataType that some input or output may
 * have. No outputs: the operator is gone. Written by tests/onnx/opset_table.py, and compared by it. */
"""


def main():
    text = HEAD + "\n".join(rows()) + "\n"
    path = sys.argv[-1]
    if sys.argv[1] != "--check":
        open(path, "w").write(text)
        return 0
    import onnx.defs
    known = onnx.defs.onnx_opset_version()
    ours = {line for line in open(path).read().splitlines() if re.match(r"OPSET\(\w+, (\d+)", line)
            and int(re.match(r"OPSET\(\w+, (\d+)", line)[1]) <= known}
    theirs = set(text[len(HEAD):].splitlines())
    for line in sorted(ours ^ theirs):
        print("here only:" if line in ours else "package only:", line)
    print(f"{path}: {len(ours)} rows compared with onnx {onnx.__version__}, {len(ours ^ theirs)} differ")
    return 1 if ours != theirs or len(ours) < 100 else 0


if __name__ == "__main__":
    try:
        import onnx  # noqa: F401
    except ImportError:
        print("skipped: no Python package onnx")
        sys.exit(0)
    sys.exit(main())
