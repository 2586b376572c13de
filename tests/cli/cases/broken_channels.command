pare eval cnn.onnx --data three_channels.npz
