pare run cnn.onnx --input images.npy --all-values -o y.npz
