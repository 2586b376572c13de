pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt -o out --quiet >text
pare pick out --flash-max 0.1KB -o other --quiet 2>message; echo $?
sed 's/[0-9][0-9.]*/N/g' message; ls other
