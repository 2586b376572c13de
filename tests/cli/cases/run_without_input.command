pare run cnn.onnx -o y.npz
