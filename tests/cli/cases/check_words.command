pare check words.onnx
