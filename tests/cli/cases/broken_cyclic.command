pare inspect cyclic.onnx
