pare inspect cnn.onnx --memory
