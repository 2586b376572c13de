pare quantize cnn.onnx --data val.npz --calib val.npz --scale 1/255 --max-drop 30pt -o out --quiet >text; ls out | grep -c model
