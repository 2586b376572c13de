#!/usr/bin/env python3
"""pare clean under ONNX Runtime: check_clean.py PARE MODELS

Every .onnx file of the folder is checked and cleaned, at its own opset, the usual one and the newest; the result must pass
onnx.checker and give the outputs of the original to 1e-4 of the largest, and be no larger unless the report says why.
What `pare check` calls unusable must be refused by `pare clean`, and nothing else; what only cannot be quantised is cleaned."""
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    from compare_ort import largest_error, random_inputs, session_of
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)

NEWEST = 25
TOLERANCE = 1e-4
UNUSABLE = 3


def bytes_of(path):
    data = pathlib.Path(f"{path}.data")
    return path.stat().st_size + (data.stat().st_size if data.exists() else 0)


def problem_of(pare, model, opset, folder):
    """None when all is well, else what is wrong; and whether the opset has no words for it."""
    out = folder / "out.onnx"
    run = subprocess.run([pare, "clean", model, "-o", out, "--opset", str(opset), "--json"], capture_output=True, text=True)
    if run.returncode:
        return run.stderr.strip()
    if run.stderr and "not compared numerically" not in run.stderr: # for sizes that the model does not run with
        return f"warns: {run.stderr.strip()}"
    report = json.loads(run.stdout)
    onnx.checker.check_model(str(out), full_check=True)
    if bytes_of(out) > bytes_of(model) and not report["growth"]:
        return f"grew from {bytes_of(model)} to {bytes_of(out)} bytes without a word"
    original, cleaned = session_of(model), session_of(out)
    inputs = random_inputs(original, np.random.default_rng(opset))
    pairs = zip(cleaned.run(None, inputs), original.run(None, inputs))
    worst = max(largest_error(got, expected) for got, expected in pairs)
    return f"outputs differ by {worst:g}" if worst > TOLERANCE else None


def check(pare, model, folder):
    """"refused", or what is wrong, or None."""
    verdict = subprocess.run([pare, "check", model, "--json"], capture_output=True, text=True)
    findings = json.loads(verdict.stdout)["findings"]
    if (verdict.returncode == UNUSABLE) != any(f["blocks"] for f in findings):
        return f"check exits {verdict.returncode} with {len(findings)} findings"
    readable = all(f["kind"] == "float" for f in findings if f["blocks"])
    own = onnx.load(model, load_external_data=False).opset_import[0].version
    for opset in sorted({max(own, 9), 21, NEWEST}):
        problem = problem_of(pare, model, opset, folder)
        if not readable:
            return "refused" if problem else "cleaned, although check calls it unusable"
        if problem:
            return f"opset {opset}: {problem}"
    return None


def main():
    pare, models = sys.argv[1], pathlib.Path(sys.argv[2])
    if not models.is_dir():
        print("skipped: no ../shared")
        return 0
    failed = refused = count = 0
    with tempfile.TemporaryDirectory() as folder:
        for model in sorted(models.glob("*.onnx")):
            problem = check(pare, model, pathlib.Path(folder))
            count += 1
            refused += problem == "refused"
            failed += problem not in (None, "refused")
            print(f"{model.name}: {problem or 'equal'}")
    print(f"{count} models, {refused} refused, {failed} failed")
    return 1 if failed or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
