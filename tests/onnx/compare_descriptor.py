#!/usr/bin/env python3
"""Holds proto/onnx.proto against the descriptor of the installed `onnx` package, field by field.

usage: compare_descriptor.py PROTOC PROTO_FILE
Prints every difference and exits 1 when there is one; says "skipped" when the package is missing.
"""
import os
import subprocess
import sys
import tempfile

try:
    from google.protobuf import descriptor_pb2
    from onnx import onnx_ml_pb2
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)


def ours(protoc, path):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "onnx.descriptor")
        subprocess.run(
            [protoc, f"--proto_path={os.path.dirname(path)}", f"--descriptor_set_out={out}", path], check=True
        )
        with open(out, "rb") as file:
            return descriptor_pb2.FileDescriptorSet.FromString(file.read()).file[0]


def theirs():
    out = descriptor_pb2.FileDescriptorProto()
    onnx_ml_pb2.DESCRIPTOR.CopyToProto(out)
    return out


def facts_of_enum(place, enum, facts):
    for value in enum.value:
        facts[f"{place}.{enum.name}.{value.name}"] = value.number


def facts_of_message(place, message, facts):
    place = f"{place}.{message.name}"
    facts[f"{place} reserved numbers"] = sorted(n for r in message.reserved_range for n in range(r.start, r.end))
    facts[f"{place} reserved names"] = sorted(message.reserved_name)
    for field in message.field:
        oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None
        facts[f"{place}.{field.name}"] = (
            field.number, field.type, field.label, field.type_name, oneof, field.options.packed, field.default_value)
    for enum in message.enum_type:
        facts_of_enum(place, enum, facts)
    for nested in message.nested_type:
        facts_of_message(place, nested, facts)


def facts_of_file(file):
    facts = {"package": file.package, "syntax": file.syntax or "proto2"}
    for enum in file.enum_type:
        facts_of_enum("", enum, facts)
    for message in file.message_type:
        facts_of_message("", message, facts)
    return facts


def main():
    mine, reference = facts_of_file(ours(sys.argv[1], sys.argv[2])), facts_of_file(theirs())
    # An older package knows less than the schema here; what it does know must agree.
    differences = [f"{key}: {mine.get(key)} here, {value} in the onnx package"
                   for key, value in reference.items()
                   if mine.get(key) != value and not key.endswith(".IR_VERSION")]
    for line in differences:
        print(line)
    newer = sorted(set(mine) - set(reference))
    print(f"{len(reference)} facts compared, {len(differences)} differ, {len(newer)} unknown to the package")
    if len(reference) < 100:
        print("the onnx package's descriptor is implausibly small")
        return 1
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
