pare inspect cnn.onnx two_inputs.onnx
