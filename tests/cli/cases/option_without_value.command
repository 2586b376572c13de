pare eval cnn.onnx --data
