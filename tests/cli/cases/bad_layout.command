pare eval cnn.onnx --data val.npz --layout chw
