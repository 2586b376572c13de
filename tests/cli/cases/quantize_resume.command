pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt -o out --quiet --resume >text
grep -c resumed text
pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt -o out --quiet --resume | sed -n 's/[0-9][0-9]* m/N m/; /resumed/p'
