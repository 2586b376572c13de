pare check --json cnn.onnx
