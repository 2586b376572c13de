pare check float_middle.onnx
