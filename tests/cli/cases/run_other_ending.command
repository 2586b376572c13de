pare run cnn.onnx --input images.npy -o y.npy
