pare run cnn.onnx --input val.npz -o y.npz
