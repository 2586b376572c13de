pare inspect cnn.onnx --json
