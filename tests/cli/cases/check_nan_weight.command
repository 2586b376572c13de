pare check nan_weight.onnx
