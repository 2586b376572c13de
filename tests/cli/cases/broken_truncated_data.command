pare eval cnn.onnx --data truncated.npz
