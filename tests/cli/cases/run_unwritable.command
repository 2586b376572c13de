pare run cnn.onnx --input images.npy -o no/such/folder/y.npz
