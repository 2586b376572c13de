pare eval cnn.onnx --data val.npz --scale 1/255 --predictions p.npz && show_npz p.npz
