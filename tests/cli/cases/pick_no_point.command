pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt -o out --quiet >text
pare pick out --point 1000 -o other --quiet 2>message; echo $?
sed 's/found [0-9]*/found N/' message; ls other
