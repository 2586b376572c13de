#!/usr/bin/env python3
"""Trains the sample network: train.py [DATASET] [OUTPUT]

A small residual network for Fashion-MNIST, in NumPy alone. Writes fashion_mnist.onnx and fashion_mnist_val.npz, the first
2,000 test images with their labels. DATASET is the folder of Debian's package dataset-fashion-mnist, OUTPUT the folder of
this script. The seed is fixed; another BLAS can change the last digits of the weights.
"""
import gzip
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SEED = 1
EPOCHS = 8
BATCH = 100
LEARNING_RATE = 4e-3
VALIDATION_IMAGES = 2000
EPSILON = 1e-5


# ---- data ----


def read_idx(path):
    """An array of the IDX format: two zero bytes, type (8: uint8), rank, sizes as big-endian uint32, elements."""
    data = gzip.open(path).read()
    rank = data[3]
    sizes = np.frombuffer(data, ">u4", rank, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(sizes)


def load(folder, part):
    """Images as uint8 [N, 28, 28, 1] and labels."""
    return read_idx(folder / f"{part}-images-idx3-ubyte.gz")[..., None], read_idx(folder / f"{part}-labels-idx1-ubyte.gz")


# ---- layers: NHWC; forward() keeps what backward() needs ----


class Conv:
    """3x3, padding 1, no bias: a BatchNormalization follows. weight [3, 3, in, out]."""

    def __init__(self, rng, inputs, outputs):
        self.weight = rng.normal(0, np.sqrt(2 / (9 * inputs)), (3, 3, inputs, outputs)).astype(np.float32)
        self.parameters = ["weight"]

    def forward(self, x, training):
        n, h, w, c = x.shape
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        taps = [padded[:, i : i + h, j : j + w] for i in range(3) for j in range(3)]
        self.columns = np.concatenate(taps, axis=3).reshape(-1, 9 * c)
        self.shape = x.shape
        return (self.columns @ self.weight.reshape(9 * c, -1)).reshape(n, h, w, -1)

    def backward(self, gradient):
        n, h, w, c = self.shape
        flat = gradient.reshape(-1, gradient.shape[3])
        self.weight_gradient = (self.columns.T @ flat).reshape(self.weight.shape)
        columns = (flat @ self.weight.reshape(9 * c, -1).T).reshape(n, h, w, 3, 3, c)
        padded = np.zeros((n, h + 2, w + 2, c), np.float32)
        for i in range(3):
            for j in range(3):
                padded[:, i : i + h, j : j + w] += columns[:, :, :, i, j]
        return padded[:, 1:-1, 1:-1]


class BatchNormalization:
    def __init__(self, channels):
        self.scale = np.ones(channels, np.float32)
        self.bias = np.zeros(channels, np.float32)
        self.mean = np.zeros(channels, np.float32)
        self.variance = np.ones(channels, np.float32)
        self.parameters = ["scale", "bias"]

    def forward(self, x, training):
        mean, variance = self.mean, self.variance
        if training:
            mean = x.mean(axis=(0, 1, 2))
            variance = x.var(axis=(0, 1, 2))
            self.mean += 0.05 * (mean - self.mean)
            self.variance += 0.05 * (variance - self.variance)
        self.deviation = np.sqrt(variance + EPSILON)
        self.normal = (x - mean) / self.deviation
        return self.normal * self.scale + self.bias

    def backward(self, gradient):
        axes = (0, 1, 2)
        self.scale_gradient = (gradient * self.normal).sum(axis=axes)
        self.bias_gradient = gradient.sum(axis=axes)
        count = gradient.size / gradient.shape[3]
        mean = (self.bias_gradient + self.normal * self.scale_gradient) / count
        return self.scale / self.deviation * (gradient - mean)


class Relu:
    parameters = ()

    def forward(self, x, training):
        self.positive = x > 0
        return x * self.positive

    def backward(self, gradient):
        return gradient * self.positive


class MaxPool:
    """2x2, stride 2. Of equal elements the first one gets the gradient."""

    parameters = ()

    def forward(self, x, training):
        n, h, w, c = x.shape
        self.shape = x.shape
        windows = x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 5, 2, 4).reshape(n, h // 2, w // 2, c, 4)
        self.chosen = windows.argmax(axis=4)
        return windows.max(axis=4)

    def backward(self, gradient):
        n, h, w, c = self.shape
        windows = (self.chosen[..., None] == np.arange(4)) * gradient[..., None]
        return windows.reshape(n, h // 2, w // 2, c, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(self.shape)


class GlobalAveragePool:
    parameters = ()

    def forward(self, x, training):
        self.shape = x.shape
        return x.mean(axis=(1, 2))

    def backward(self, gradient):
        spread = gradient[:, None, None] / np.float32(self.shape[1] * self.shape[2])
        return np.broadcast_to(spread, self.shape)


class Gemm:
    def __init__(self, rng, inputs, outputs):
        self.weight = rng.normal(0, np.sqrt(1 / inputs), (inputs, outputs)).astype(np.float32)
        self.bias = np.zeros(outputs, np.float32)
        self.parameters = ["weight", "bias"]

    def forward(self, x, training):
        self.input = x
        return x @ self.weight + self.bias

    def backward(self, gradient):
        self.weight_gradient = self.input.T @ gradient
        self.bias_gradient = gradient.sum(axis=0)
        return gradient @ self.weight.T


class Residual:
    """x + body(x)"""

    parameters = ()

    def __init__(self, *body):
        self.body = body

    def forward(self, x, training):
        return x + forward(self.body, x, training)

    def backward(self, gradient):
        return gradient + backward(self.body, gradient)


def forward(layers, x, training=False):
    for layer in layers:
        x = layer.forward(x, training)
    return x


def backward(layers, gradient):
    for layer in reversed(layers):
        gradient = layer.backward(gradient)
    return gradient


def network(rng):
    return [
        Conv(rng, 1, 8), BatchNormalization(8), Relu(), MaxPool(),
        Conv(rng, 8, 16), BatchNormalization(16), Relu(),
        Residual(Conv(rng, 16, 16), BatchNormalization(16), Relu(), Conv(rng, 16, 16), BatchNormalization(16)), Relu(),
        MaxPool(),
        Conv(rng, 16, 32), BatchNormalization(32), Relu(),
        GlobalAveragePool(), Gemm(rng, 32, 10),
    ]  # fmt: skip


# ---- training ----


class Adam:
    """Kingma and Ba, arXiv:1412.6980, algorithm 1."""

    def __init__(self, layers):
        self.slots = [(layer, name) for layer in layers for name in layer.parameters]
        self.first = [np.zeros_like(getattr(layer, name)) for layer, name in self.slots]
        self.second = [np.zeros_like(m) for m in self.first]
        self.steps = 0

    def step(self, rate):
        self.steps += 1
        rate *= np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for (layer, name), m, v in zip(self.slots, self.first, self.second):
            gradient = getattr(layer, name + "_gradient")
            m += 0.1 * (gradient - m)
            v += 0.001 * (gradient * gradient - v)
            getattr(layer, name)[...] -= (rate * m / (np.sqrt(v) + 1e-8)).astype(np.float32)


def flatten(layers):
    for layer in layers:
        yield layer
        yield from flatten(getattr(layer, "body", ()))


def accuracy(layers, x, y):
    right = 0
    for start in range(0, len(x), 500):
        part = slice(start, start + 500)
        right += int((forward(layers, x[part] / np.float32(255)).argmax(axis=1) == y[part]).sum())
    return right / len(x)


def loss_gradient(logits, labels):
    """Of the mean cross-entropy behind a softmax."""
    exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
    gradient = exponential / exponential.sum(axis=1, keepdims=True)
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient / np.float32(len(labels))


def train(layers, rng, x, y):
    optimizer = Adam(list(flatten(layers)))
    steps = EPOCHS * (len(x) // BATCH)
    for epoch in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x), BATCH):
            chosen = order[start : start + BATCH]
            images = x[chosen] / np.float32(255)
            if rng.random() < 0.5:
                images = images[:, :, ::-1]
            backward(layers, loss_gradient(forward(layers, images, training=True), y[chosen]))
            optimizer.step(LEARNING_RATE * 0.5 * (1 + np.cos(np.pi * optimizer.steps / steps)))
        print(f"epoch {epoch + 1} of {EPOCHS} done", flush=True)


# ---- ONNX ----


class Exporter:
    def __init__(self):
        self.nodes, self.initializers, self.counts = [], [], {}

    def initializer(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, op, inputs, **attributes):
        self.counts[op] = self.counts.get(op, 0) + 1
        name = f"{op.lower()}_{self.counts[op]}"
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def layer(self, layer, x):
        prefix = f"{type(layer).__name__.lower()}_{self.counts.get(type(layer).__name__, 0) + 1}."
        if isinstance(layer, Conv):
            weight = self.initializer(prefix + "weight", layer.weight.transpose(3, 2, 0, 1))
            return self.node("Conv", [x, weight], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        if isinstance(layer, BatchNormalization):
            names = ("scale", "bias", "mean", "variance")
            parameters = [self.initializer(prefix + name, getattr(layer, name)) for name in names]
            return self.node("BatchNormalization", [x, *parameters], epsilon=EPSILON)
        if isinstance(layer, Gemm):
            parameters = [self.initializer(prefix + name, getattr(layer, name)) for name in ("weight", "bias")]
            return self.node("Gemm", [self.node("Flatten", [x]), *parameters])
        if isinstance(layer, MaxPool):
            return self.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
        if isinstance(layer, Residual):
            return self.node("Add", [x, self.chain(layer.body, x)])
        return self.node(type(layer).__name__, [x])

    def chain(self, layers, x):
        for layer in layers:
            x = self.layer(layer, x)
        return x


def export(layers, path):
    exporter = Exporter()
    exporter.chain(layers, "image")
    exporter.nodes[-1].output[0] = "logits"
    graph = helper.make_graph(
        exporter.nodes,
        "fashion_mnist",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
        exporter.initializers,
        doc_string="Fashion-MNIST, trained by train.py. Input: pixels times 1/255.",
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="train.py")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def main():
    dataset = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist")
    output = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(__file__).parent
    rng = np.random.default_rng(SEED)
    layers = network(rng)
    train(layers, rng, *load(dataset, "train"))
    x, y = load(dataset, "t10k")
    print(f"top-1 on the {len(x)} test images: {100 * accuracy(layers, x, y):.2f} %")
    x, y = x[:VALIDATION_IMAGES], y[:VALIDATION_IMAGES]
    print(f"top-1 on the first {len(x)}: {100 * accuracy(layers, x, y):.2f} %")
    export(layers, output / "fashion_mnist.onnx")
    np.savez_compressed(output / "fashion_mnist_val.npz", x=x.transpose(0, 3, 1, 2), y=y.astype(np.int64))


if __name__ == "__main__":
    main()
