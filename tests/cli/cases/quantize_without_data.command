pare quantize cnn.onnx -o out
