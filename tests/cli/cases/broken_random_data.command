pare eval cnn.onnx --data random.npz
