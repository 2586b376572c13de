pare eval cnn.onnx
