pare run cnn.onnx --input doubles.npy -o y.npz && show_npz y.npz && pare run cnn.onnx --input images.npy -o y.npz && show_npz y.npz
