pare check truncated.onnx
