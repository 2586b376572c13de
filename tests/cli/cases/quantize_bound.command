pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 0.01pt -o out --quiet >text
echo $? && ls out && grep -o "bound of 0.01 points: NOT held" text
