pare export cnn.onnx -o device
