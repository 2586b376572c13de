"""Networks that others trained, what their inputs want, and how PARE is called for them."""
import collections
import subprocess

import numpy as np

Network = collections.namedtuple("Network", "name data scale mean std layout mixed")

CIFAR_MEAN = (0.4914, 0.4822, 0.4465)
# The last column: the widths of a run in which layers get different ones.
LABELLED = [
    Network("paper_seq_mnist", "mnist", "1/255", None, None, "nhwc", "2,4"),
    Network("paper_seq_cifar10", "cifar10", "1/255", None, None, "nhwc", "2,4"),
    Network("paper_branched_fashion_mnist", "fashion_mnist_96", "1/255", None, None, "nhwc", "3,6"),
    Network("resnet20_cifar10", "cifar10", "1/255", CIFAR_MEAN, (0.2023, 0.1994, 0.2010), "nchw", "3,6"),
    Network("mlperf_tiny_resnet8", "cifar10", "1", None, None, "nchw", "2..8"),
    Network("mlperf_tiny_dscnn_kws", "kws", "0.5847029089927673", (83 * 0.5847029089927673,), None, "nchw", "2..8"),
    Network("tf2onnx_cifar10_small", "cifar10", "1/255", None, None, "nhwc", "2..8"),
    Network("torch18_resnet_2b_cifar10", "cifar10", "1/255", CIFAR_MEAN, (0.2471, 0.2435, 0.2616), "nchw", "2..8"),
    Network("cntk_mnist8", "mnist", "1", None, None, "nchw", "2..8"),
    Network("mnist", "mnist", "1/127.5", (1,), None, "nchw", "2..8"),
    Network("torch16_convnet_avgpool_mnist", "mnist", "1/255", None, None, "nchw", "2..8"),
    Network("tf2onnx_cnn_fashion_mnist", "fashion_mnist", "1", None, None, "nhwc", "2..8"),
]
# Without labels, on images made for them (see check_networks.py).
UNLABELLED = [
    Network("mobilenet_v1_025_vww96", "images_96", "1/255", None, None, "nchw", "3,6"),
    Network("rul_cnn", "random_20", "1", None, None, "nchw", "2..8"),
    Network("mnist_concat", "random_792", "1", None, None, "nchw", "2..8"),
    Network("ppocr_cls", "random_48_192", "1", None, None, "nchw", "3,6"),
    Network("cgan32", "random_5", "1", None, None, "nchw", "3,6"),
]


def _text(values):
    return ",".join(map(repr, values))


def preprocessing(network):
    """The options that declare it."""
    options = ["--scale", network.scale, "--layout", network.layout]
    options += ["--mean", _text(network.mean)] if network.mean else []
    return options + (["--std", _text(network.std)] if network.std else [])


def preprocess(x, network):
    """In float32 and in this order, as PARE does it."""
    numerator, _, denominator = network.scale.partition("/")
    x = x.astype(np.float32) * np.float32(float(numerator) / float(denominator or 1))
    channels = (1, -1) + (1,) * (x.ndim - 2)
    x = x - np.float32(network.mean).reshape(channels) if network.mean else x
    x = x / np.float32(network.std).reshape(channels) if network.std else x
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1) if network.layout == "nhwc" else x)


def call(program, *arguments, allowed=(0,)):
    """What it prints. Any other exit code ends the test with its message."""
    run = subprocess.run([program, *arguments, "--quiet"], capture_output=True, text=True)
    if run.returncode not in allowed:
        raise SystemExit(f"{' '.join(map(str, arguments))}: exit {run.returncode}: {run.stderr.strip()}")
    return run.stdout


def quantize(program, network, model, data, out, *options):
    """The bound may be missed: what is written is compared, not judged."""
    call(program, "quantize", model, "--data", data, *preprocessing(network), *options, "-o", out, allowed=(0, 4))
