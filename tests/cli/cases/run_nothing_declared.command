pare run cnn.onnx --input unlabelled.npz --preprocess -o y.npz
