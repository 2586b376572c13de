"""Real networks, float and fixed point, against ONNX Runtime: check_networks.py PARE MODELS DATA [KEPT]

For every labelled network: `pare eval` in float gives the classes and outputs of ONNX Runtime, 8 bits lose at most half a
point, and with 8 bits and with mixed widths every quantised value is the same integer in ONNX Runtime and in the integer
program. The unlabelled ones are compared too; REFUSED must be refused. PARE_SAMPLES=N: compare on N samples.
The folder KEPT gets NAME-8.pare, NAME-mixed.pare and NAME.npz, 50 samples of its data: tests/device runs them.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import check_quantized
import networks

import numpy as np
import onnxruntime

KEPT_SAMPLES = 50
COMPARED = int(os.environ.get("PARE_SAMPLES", "64"))
FLOAT_SAMPLES = 300
EVALUATED = 2000
SEARCHED = {"8": 256, "mixed": 32}  # samples of the search
TOLERANCE = 1e-4
OVERHEAD_SHARE, OVERHEAD_BYTES = 0.03, 1024  # a .pare file beside the exact bits of its codes
LARGEST_LOSS = 0.5  # points
# No CNNs: they run in float (compare_ort.py), and refuse samples that are none of theirs, or have inputs of another type.
REFUSED = {"acopf14": "wants [1,22]", "silero_vad_v5": "input 'sr' is int64"}


class Job:
    """One network, its data in a scratch folder, and what was found wrong with it."""

    def __init__(self, program, network, models, arrays, scratch, kept):
        self.program, self.network, self.arrays, self.scratch = program, network, arrays, scratch
        self.kept = kept
        self.model = models / f"{network.name}.onnx"
        self.wrong = []

    def samples(self, count):
        """A file of the last `count` ones."""
        path = self.scratch / f"{self.network.data}_{count}.npz"
        if not path.exists():
            np.savez(path, **{name: array[-count:] for name, array in self.arrays.items()})
        return path

    def inputs(self, count):
        name = session_of(self.model).get_inputs()[0].name
        return {name: networks.preprocess(self.arrays["x"][-count:], self.network)}

    def accuracy(self, model, *options):
        report = networks.call(self.program, "eval", model, "--data", self.samples(EVALUATED), *options, "--json")
        return 100 * json.loads(report)["top1"]


def session_of(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def runtime_outputs(model, inputs):
    session = session_of(model)
    names = [output.name for output in session.get_outputs()]
    return check_quantized.run_session(session, names, inputs)


def check_float(job):
    """Classes but ties, and outputs to the tolerance."""
    out = job.scratch / "predictions.npz"
    networks.call(job.program, "eval", job.model, "--data", job.samples(FLOAT_SAMPLES),
                  *networks.preprocessing(job.network), "--predictions", out)
    expected = runtime_outputs(job.model, job.inputs(FLOAT_SAMPLES))
    with np.load(out) as got:
        classes = got["predicted"]
        errors = [np.abs(got[name] - e).max() / np.abs(e).max() for name, e in expected.items()]
    scores = next(iter(expected.values())).reshape(len(classes), -1)
    largest = np.sort(scores, axis=1)[:, -2:]
    tie = largest[:, 0] >= largest[:, -1] - 1e-6 * np.abs(largest[:, -1]) if scores.shape[1] > 1 else False
    different = np.count_nonzero((classes != scores.argmax(axis=1)) & ~tie)
    if different or max(errors) > TOLERANCE:
        job.wrong.append(f"float: {different} classes differ, outputs by {max(errors):.2e}")


def check_loss(job, folder):
    loss = job.accuracy(job.model, *networks.preprocessing(job.network)) - job.accuracy(folder / "model.pare")
    if loss > LARGEST_LOSS:
        job.wrong.append(f"8 bits lose {loss:.2f} points on {min(EVALUATED, len(job.arrays['x']))} samples")
    return f"8 bits lose {loss:.2f} points"


def check_size(job, kind, file):
    """What names, metadata and structure cost beside the codes."""
    report = json.loads(networks.call(job.program, "inspect", file, "--json"))
    exact = report["totals"]["exact_bits"] / 8
    overhead = file.stat().st_size - exact
    limit = OVERHEAD_SHARE * exact + OVERHEAD_BYTES
    if overhead > limit:
        job.wrong.append(f"{kind}: {overhead:.0f} bytes beside {exact:.0f} of codes, more than {limit:.0f}")
    return f"{kind}: {exact:.0f} bytes of codes and {overhead:.0f}, at most {limit:.0f}"


def check_integers(job, kind, widths):
    folder = job.scratch / f"{job.network.name} {kind}"
    metric = [] if "y" in job.arrays else ["--metric", "sqnr"]
    networks.quantize(job.program, job.network, job.model, job.samples(SEARCHED[kind]), folder, "--bits", widths,
                      "--max-drop", "20%", *metric)
    different, compared = check_quantized.compare(job.program, folder, job.inputs(COMPARED), COMPARED)
    if different or compared == 0:
        job.wrong.append(f"{kind}: {different} of {compared} integers differ")
    if job.kept:
        shutil.copy(folder / "model.pare", job.kept / f"{job.network.name}-{kind}.pare")
    return folder


def check_network(job):
    check_float(job)
    eight = check_integers(job, "8", "8")
    loss = check_loss(job, eight) if "y" in job.arrays else "no labels"
    mixed = check_integers(job, "mixed", job.network.mixed)
    sizes = [check_size(job, folder.name.split()[-1], folder / "model.pare") for folder in (eight, mixed)]
    if job.kept:
        shutil.copy(job.samples(KEPT_SAMPLES), job.kept / f"{job.network.name}.npz")
    print(f"{job.network.name}: {'; '.join([*(job.wrong or ['ok']), loss, *sizes])}", flush=True)
    return not job.wrong


def check_refused(program, models, scratch):
    """Those that must be refused are, by name of what is missing, and every other file has been looked at."""
    good = True
    tested = {network.name for network in networks.LABELLED + networks.UNLABELLED}
    np.savez(scratch / "any.npz", x=np.zeros([4, 1], np.float32))
    for model in sorted(models.glob("*.onnx")):
        if model.stem in tested:
            continue
        run = subprocess.run(
            [program, "quantize", model, "--data", scratch / "any.npz", "--quiet", "-o", scratch / "refused"],
            capture_output=True, text=True)
        expected = run.returncode == 3 and REFUSED.get(model.stem, "not in the list") in run.stderr
        good = good and expected
        print(f"{model.stem}: {'refused, as expected' if expected else run.stderr.strip() or 'not refused'}")
    return good


def labelled_arrays(data, network):
    with np.load(data / f"{network.data}_val.npz") as file:
        return {name: file[name] for name in file.files}


def made_arrays(data, network, rng):
    """Small images enlarged, or noise."""
    if network.data == "images_96":
        x = np.load(data / "cifar10_val.npz")["x"][-max(FLOAT_SAMPLES, COMPARED):]
        return {"x": x.repeat(3, axis=2).repeat(3, axis=3)}
    shape = {"random_20": [1, 20, 20], "random_792": [792], "random_5": [5],
             "random_48_192": [3, 48, 192]}[network.data]
    return {"x": rng.uniform(-1, 1, [max(FLOAT_SAMPLES, COMPARED)] + shape).astype(np.float32)}


def main():
    program = sys.argv[1]
    models, data = map(pathlib.Path, sys.argv[2:4])
    kept = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else None
    if not models.exists():
        print("skipped: no ../shared")
        return 0
    if kept:
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        good = check_refused(program, models, scratch)
        for network in networks.LABELLED:
            good = check_network(Job(program, network, models, labelled_arrays(data, network), scratch, kept)) and good
        for network in networks.UNLABELLED:
            good = check_network(Job(program, network, models, made_arrays(data, network, rng), scratch, kept)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
