pare eval cnn.onnx --data val.npz && echo with: && pare eval cnn.onnx --data val.npz --scale 1/255
