pare eval cnn.onnx --data gone.npz
