"""Float runs against ONNX Runtime: compare_ort.py RUN_FLOAT MODELS

Every .onnx file of the folder is run on seeded random inputs by both. Outputs must agree to 1e-4 of the largest
absolute value; models with operators that pare does not have are listed as refused.
"""
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)

TOLERANCE = 1e-4
BATCH = 3
OTHER = 48  # size of open dimensions that are not the batch
REFUSED = 4
# Sizes and values that random inputs would not meet, by the names of all inputs: of silero_vad_v5.
MADE_UP = [{"input": [1, 512], "state": [2, 1, 128], "sr": np.array(16000, np.int64)}]


def session_of(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def random_inputs(session, rng):
    for made_up in MADE_UP:
        if {value.name for value in session.get_inputs()} == made_up.keys():
            return {name: rng.uniform(-1, 1, v).astype(np.float32) if isinstance(v, list) else v
                    for name, v in made_up.items()}
    types = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(double)": np.float64}
    inputs = {}
    for value in session.get_inputs():
        sizes = [d if isinstance(d, int) and d > 0 else (BATCH if i == 0 else OTHER) for i, d in enumerate(value.shape)]
        inputs[value.name] = rng.uniform(-1, 1, sizes).astype(types[value.type])
    return inputs


def largest_error(got, expected):
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return float("inf")
    if expected.size == 0:
        return 0.0
    scale = np.max(np.abs(expected.astype(np.float64)))
    return np.max(np.abs(got.astype(np.float64) - expected)) / max(scale, 1e-30)


def compare(program, path, folder, rng):
    """The largest relative error, or the message of a refusal."""
    session = session_of(path)
    inputs = random_inputs(session, rng)
    np.savez(folder / "in.npz", **inputs)
    run = subprocess.run([program, path, folder / "in.npz", folder / "out.npz"], capture_output=True, text=True)
    if run.returncode == REFUSED:
        return None, run.stderr.strip()
    if run.returncode != 0:
        return float("inf"), run.stderr.strip()
    expected = session.run(None, inputs)
    got = np.load(folder / "out.npz")
    names = [value.name for value in session.get_outputs()]
    return max(largest_error(got[name], e) for name, e in zip(names, expected)), ""


def main():
    program, models = sys.argv[1], pathlib.Path(sys.argv[2])
    if not models.is_dir():
        print("skipped: no ../shared")
        return 0
    wrong = compared = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(models.glob("*.onnx")):
            rng = np.random.default_rng(1)
            error, message = compare(program, path, pathlib.Path(folder), rng)
            if error is None:
                print(f"{path.name:40} refused: {message}")
                continue
            compared += 1
            wrong += not error <= TOLERANCE
            print(f"{path.name:40} {error:.2e} {'ok' if error <= TOLERANCE else 'WRONG'} {message}")
    print(f"{compared} compared, {wrong} wrong")
    return 0 if wrong == 0 and compared > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
