pare eval cnn.onnx --data empty.npz
