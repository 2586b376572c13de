pare quantise cnn.onnx
