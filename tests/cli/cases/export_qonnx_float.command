pare export cnn.onnx --to qonnx -o cnn_qonnx.onnx
