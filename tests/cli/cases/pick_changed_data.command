pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt -o out --quiet >text
cp wrong_labels.npz val.npz
pare pick out --point 1 -o other
