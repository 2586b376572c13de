pare eval cnn.onnx --data unlabelled.npz --scale 1/255
