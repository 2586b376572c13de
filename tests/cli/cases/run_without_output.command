pare run cnn.onnx --input images.npy
