pare inspect nan_weight.onnx
