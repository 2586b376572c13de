pare clean cnn.onnx -o small.onnx --json
