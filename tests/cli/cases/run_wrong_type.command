pare run cnn.onnx --input doubles.npy -o y.npz
