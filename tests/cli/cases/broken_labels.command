pare eval cnn.onnx --data label_3_of_3.npz
