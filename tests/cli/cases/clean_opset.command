pare clean cnn.onnx -o small.onnx --opset 9 --data val.npz --scale 1/255 && pare check small.onnx | head -n 1
