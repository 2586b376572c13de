pare eval cnn.onnx --frobnicate
