pare inspect truncated.onnx
