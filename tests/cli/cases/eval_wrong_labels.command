pare eval cnn.onnx --data wrong_labels.npz --scale 1/255
