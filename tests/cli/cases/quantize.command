pare quantize cnn.onnx --data val.npz --calib calib.npz --scale 1/255 --max-drop 30pt -o out --quiet >text
echo $? && ls out && tail -n 1 text
