pare quantize cnn.onnx --data val.npz --time-limit 5d -o out
