pare eval cnn.onnx --data val.npz --scale 1/0
