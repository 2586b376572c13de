pare quantize cnn.onnx --data val.npz --max-drop 1 -o out
