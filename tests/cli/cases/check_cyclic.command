pare check cyclic.onnx
