"""A rewritten ONNX against its integer program: check_quantized.py PARE FOLDER INPUTS.npz [SAMPLES]

FOLDER is what `pare quantize` wrote, or holds a model.onnx alone; INPUTS.npz holds the inputs, preprocessed, under the
names of the model's inputs. ONNX Runtime runs model.onnx, graph optimisations off and at their highest, with the output
of every QuantizeLinear made an output of the graph; PARE runs model.pare and model.onnx with --all-values. The integers
must be equal wherever report.json (or `pare inspect`) says that float32 is exact, for that layer and all before it.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

CHUNK = 50
SAMPLES = 1000


def layers_of(program, folder):
    """Each layer's name and whether float32 is exact for it."""
    report = folder / "report.json"
    inspect = [program, "inspect", folder / "model.onnx", "--json"]
    text = report.read_text() if report.exists() else subprocess.run(inspect, capture_output=True, check=True).stdout
    return {layer["name"]: layer["exact_in_float32"] for layer in json.loads(text)["layers"]}


class Network:
    """model.onnx with its codes as outputs, and which of them are certain."""

    def __init__(self, program, folder):
        self.model = onnx.load(folder / "model.onnx")
        onnx.checker.check_model(self.model, full_check=True)
        graph = self.model.graph
        self.producers = {name: node for node in graph.node for name in node.output}
        self.exact = layers_of(program, folder)
        self.certainty = {}
        self.quantizers = [node for node in graph.node if node.op_type == "QuantizeLinear"]
        shapes = {v.name: v for v in onnx.shape_inference.infer_shapes(self.model).graph.value_info}
        graph.output.extend(shapes[node.output[0]] for node in self.quantizers)

    def node_is_exact(self, node):
        return self.exact.get(node.name, True)

    def certain(self, name):
        """Whether every layer from the inputs to this value is exact."""
        if name not in self.certainty:
            node = self.producers.get(name)
            self.certainty[name] = node is None or (
                self.node_is_exact(node) and all(self.certain(i) for i in node.input if i))
        return self.certainty[name]

    def session(self, level):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        options.log_severity_level = 2  # warnings are shown
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(self.model.SerializeToString(), options,
                                            providers=["CPUExecutionProvider"])


def run_session(session, names, inputs):
    """All samples at once, or one by one where the batch size is fixed."""
    batched = all(isinstance(i.shape[0], str) or i.shape[0] is None for i in session.get_inputs())
    count = len(next(iter(inputs.values())))
    if batched or count == 1:
        return dict(zip(names, session.run(names, inputs)))
    runs = [session.run(names, {k: v[i:i + 1] for k, v in inputs.items()}) for i in range(count)]
    return {name: np.concatenate([r[k] for r in runs]) for k, name in enumerate(names)}


def run_pare(program, file, inputs, scratch):
    np.savez(scratch / "in.npz", **inputs)
    command = [program, "run", file, "--input", scratch / "in.npz", "--all-values", "-o", scratch / "out.npz", "--quiet"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{file}: {run.stderr.strip()}")
    with np.load(scratch / "out.npz") as out:
        return {name: out[name] for name in out.files}


def differences(expected, got, name):
    if name not in got or got[name].shape != expected[name].shape:
        return expected[name].size
    return int(np.count_nonzero(expected[name].astype(np.int64) != got[name].astype(np.int64)))


class Tally:
    """Differing elements per comparison and value."""

    def __init__(self):
        self.counts = {}
        self.elements = 0

    def add(self, pair, name, count):
        if count > 0:
            self.counts[pair, name] = self.counts.get((pair, name), 0) + count


def compare_chunk(program, folder, network, sessions, inputs, scratch, tally):
    names = [node.output[0] for node in network.quantizers]
    packed = run_pare(program, folder / "model.pare", inputs, scratch) if (folder / "model.pare").exists() else None
    rewritten = run_pare(program, folder / "model.onnx", inputs, scratch)
    for level, session in sessions.items():
        theirs = run_session(session, names, inputs)
        for name in names:
            tally.elements += theirs[name].size
            tally.add(f"model.onnx, runtime {level}", name, differences(theirs, rewritten, name))
    for name in set(packed or {}) | set(rewritten) if packed is not None else ():
        same = name in packed and name in rewritten and np.array_equal(packed[name], rewritten[name], equal_nan=True)
        if not same:
            tally.add("model.pare, model.onnx", name, 1)


def compare(program, folder, inputs, samples=SAMPLES, quiet=False):
    """How many integers differ where all is certain, and how many were compared. Unless quiet, prints a line for the
    network and one per value that differs."""
    network = Network(program, folder)
    levels = onnxruntime.GraphOptimizationLevel
    sessions = {"off": network.session(levels.ORT_DISABLE_ALL), "all": network.session(levels.ORT_ENABLE_ALL)}
    tally = Tally()
    count = min(samples, len(next(iter(inputs.values()))))
    with tempfile.TemporaryDirectory() as scratch:
        for at in range(0, count, CHUNK):
            chunk = {k: v[at:min(at + CHUNK, count)] for k, v in inputs.items()}
            compare_chunk(program, folder, network, sessions, chunk, pathlib.Path(scratch), tally)
    certain = [n for n in network.quantizers if network.certain(n.output[0])]
    wrong = {k: v for k, v in tally.counts.items() if network.certain(k[1]) or k[0] == "model.pare, model.onnx"}
    if not quiet:
        print(f"{folder.name}: {count} samples, {len(network.quantizers)} values, {len(certain)} of them certain, "
              f"{tally.elements} integers, {sum(tally.counts.values())} differ, {sum(wrong.values())} of them certain")
    for (pair, name), different in sorted(tally.counts.items()) if not quiet else ():
        print(f"  {name} ({pair}): {different} differ{'' if (pair, name) in wrong else ', not certain'}")
    return sum(wrong.values()), tally.elements


def check(program, folder, inputs, samples=SAMPLES):
    """True when all that is certain is equal."""
    return compare(program, folder, inputs, samples)[0] == 0


def main():
    program, folder, inputs = sys.argv[1:4]
    samples = int(sys.argv[4]) if len(sys.argv) > 4 else SAMPLES
    with np.load(inputs) as file:
        same = check(program, pathlib.Path(folder), {name: file[name] for name in file.files}, samples)
    sys.exit(0 if same else 1)


try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(0)

if __name__ == "__main__":
    main()
