pare eval cnn.onnx --date val.npz
