pare clean cnn.onnx -o small.onnx && pare inspect small.onnx
