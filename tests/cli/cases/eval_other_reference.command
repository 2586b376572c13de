pare eval cnn.onnx --data val.npz --reference two_inputs.onnx
