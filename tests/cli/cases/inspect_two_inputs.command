pare inspect two_inputs.onnx
