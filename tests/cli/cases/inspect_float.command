pare inspect cnn.onnx
