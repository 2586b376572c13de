pare quantize cnn.onnx --data val.npz --metric top3 -o out
