pare clean float_middle_axis.onnx -o small.onnx --opset 12
