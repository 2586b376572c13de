pare eval cnn.onnx --data val.npz --std 0
