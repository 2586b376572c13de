"""Networks through `pare quantize`, and the result under ONNX Runtime: check_networks.py PARE SAMPLES SHARED [NAME...]

The sample network and, from the folder SHARED where there is one, networks that others trained. Each is quantised on its
first SEARCHED samples, with one thread and with two, whose files must be the same; check_quantized.py then compares
the integers. The last line is `N passed, N failed, N skipped`.
"""
import pathlib
import subprocess
import sys
import tempfile

import check_quantized

np = check_quantized.np
SEARCHED = 1000
COMPARED = 200
BOUND_NOT_HELD = 4  # with so few samples

# name: data, scale, mean, std, layout of the model's input
NETWORKS = {
    "fashion_mnist": ("fashion_mnist_val", 1 / 255, 0, 1, "nchw"),
    "paper_seq_cifar10": ("cifar10_val", 1 / 255, 0, 1, "nhwc"),
    "resnet20_cifar10": ("cifar10_val", 1 / 255, (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010), "nchw"),
    "mlperf_tiny_dscnn_kws": ("kws_val", 0.5847029089927673, 83 * 0.5847029089927673, 1, "nchw"),
    "torch16_convnet_avgpool_mnist": ("mnist_val", 1 / 255, 0, 1, "nchw"),
    "cntk_mnist8": ("mnist_val", 1, 0, 1, "nchw"),
}


def numbers(values):
    return ",".join(repr(float(v)) for v in np.atleast_1d(values))


def per_channel(values):
    return np.asarray(values, np.float64).reshape(-1, 1, 1)


def preprocessed(x, scale, mean, std, layout):
    x = ((x * scale - per_channel(mean)) / per_channel(std)).astype(np.float32)
    return np.moveaxis(x, 1, -1) if layout == "nhwc" else x


def quantize(pare, model, data, preprocessing, folder, threads):
    scale, mean, std, layout = preprocessing
    command = [pare, "quantize", model, "--data", data, "--scale", repr(scale), "--mean", numbers(mean), "--std",
               numbers(std), "--layout", layout, "--threads", str(threads), "--quiet", "-o", folder]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode not in (0, BOUND_NOT_HELD):
        raise RuntimeError(f"quantize ended with {run.returncode}: {run.stderr.strip()}")


def same_files(one, two):
    different = [n for n in ("model.onnx", "model.pare") if (one / n).read_bytes() != (two / n).read_bytes()]
    for name in different:
        print(f"{name} depends on the number of threads")
    return not different


def check(pare, folder, name, scratch):
    data, *preprocessing = NETWORKS[name]
    models, arrays = (folder / "models", folder / "data") if (folder / "models").is_dir() else (folder, folder)
    model = models / f"{name}.onnx"
    with np.load(arrays / f"{data}.npz") as file:
        x, y = file["x"][:SEARCHED], file["y"][:SEARCHED]
    np.savez(scratch / "data.npz", x=x, y=y)
    two, one = scratch / name, scratch / f"{name}.one"
    quantize(pare, model, scratch / "data.npz", preprocessing, two, 2)
    quantize(pare, model, scratch / "data.npz", preprocessing, one, 1)
    first_input = check_quantized.onnx.load(two / "model.onnx").graph.input[0].name
    inputs = {first_input: preprocessed(x[:COMPARED], *preprocessing)}
    return check_quantized.check(pare, two, inputs) and same_files(two, one)


def main():
    pare, samples, shared, *names = sys.argv[1:]
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory() as scratch:
        for name in names or NETWORKS:
            folder = pathlib.Path(samples if name == "fashion_mnist" else shared)
            if not folder.is_dir():
                print(f"{name}: skipped: no ../shared")
                skipped += 1
                continue
            try:
                good = check(pare, folder, name, pathlib.Path(scratch))
            except (RuntimeError, KeyError, SystemExit) as error:
                print(f"{name}: {error}")
                good = False
            passed += good
            failed += not good
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
