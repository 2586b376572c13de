pare inspect --input-shape 1,4 two_inputs.onnx
