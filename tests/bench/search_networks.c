#include "search_networks.h"

#define MODEL(stem) .name = #stem, .model = "models/" #stem ".onnx"
#define DATA(stem) .data = "data/" #stem "_val.npz", .calibration = "data/" #stem "_calib.npz"
#define CIFAR_MEAN ".4914,.4822,.4465"

static const struct published seq_mnist = {62.72, 84.94, 0, 0, 2.46, 4.26, 708, 61};
static const struct published seq_cifar10 = {44.57, 57.17, 0, 0, 3.73, 5.73, 667, 63};
static const struct published branched = {56.99, 85.23, 51.25, 76.75, 3.04, 4.45, 1054, 170};

const struct bench_network bench_networks[] = {
    {MODEL(paper_seq_mnist), DATA(mnist), .scale = "1/255", .layout = "nhwc", .published = &seq_mnist},
    {MODEL(paper_seq_cifar10), DATA(cifar10), .scale = "1/255", .layout = "nhwc", .published = &seq_cifar10},
    {MODEL(paper_branched_fashion_mnist), DATA(fashion_mnist_96), .scale = "1/255", .layout = "nhwc",
     .published = &branched},
    {MODEL(resnet20_cifar10), DATA(cifar10), .scale = "1/255", .mean = CIFAR_MEAN, .std = ".2023,.1994,.2010"},
    {MODEL(mlperf_tiny_resnet8), DATA(cifar10)},
    {MODEL(mlperf_tiny_dscnn_kws), .data = "data/kws_val.npz", .scale = "0.5847029089927673",
     .mean = "48.53034144639969"},
    {MODEL(tf2onnx_cifar10_small), DATA(cifar10), .scale = "1/255", .layout = "nhwc"},
    {MODEL(torch18_resnet_2b_cifar10), DATA(cifar10), .scale = "1/255", .mean = CIFAR_MEAN, .std = ".2471,.2435,.2616"},
    {MODEL(cntk_mnist8), DATA(mnist)},
    {MODEL(mnist), DATA(mnist), .scale = "1/127.5", .mean = "1"},
    {MODEL(torch16_convnet_avgpool_mnist), DATA(mnist), .scale = "1/255"},
    {MODEL(tf2onnx_cnn_fashion_mnist), DATA(fashion_mnist), .layout = "nhwc"},
    /* The sample's folder is `samples`. */
    {.name = "sample", .model = "fashion_mnist.onnx", .data = "fashion_mnist_val.npz", .scale = "1/255"},
};

const size_t bench_network_count = sizeof bench_networks / sizeof *bench_networks;
