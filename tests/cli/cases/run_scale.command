pare run cnn.onnx --input unlabelled.npz --scale 1/255 -o y.npz && show_npz y.npz
