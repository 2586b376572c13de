pare run two_inputs.onnx --input left=rows.npy --input right=rows.npy -o y.npz && show_npz y.npz
