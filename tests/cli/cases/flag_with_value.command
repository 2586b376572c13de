pare inspect cnn.onnx --json=yes
