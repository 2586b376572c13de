pare clean cnn.onnx -o small.onnx --opset 6
