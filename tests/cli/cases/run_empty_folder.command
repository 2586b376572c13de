pare run two_inputs.onnx --input no_protos -o y.npz
