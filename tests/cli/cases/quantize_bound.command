pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 0% -o out --quiet >text 2>message
echo $? && ls out && grep -o "bound of 0 %: NOT held" text && test -s message
