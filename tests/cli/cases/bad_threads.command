pare inspect cnn.onnx --threads 0
