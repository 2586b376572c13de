pare check doubles.onnx
