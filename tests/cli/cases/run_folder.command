pare run two_inputs.onnx --input protos -o y.npz && show_npz y.npz
