pare run foreign.onnx --input images.npy -o y.npz && show_npz y.npz
