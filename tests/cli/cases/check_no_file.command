pare check nothing.onnx
