pare quantize cnn.onnx --data unlabelled.npz --metric top1 -o out
