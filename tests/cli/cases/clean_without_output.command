pare clean cnn.onnx
