pare check cnn.onnx
