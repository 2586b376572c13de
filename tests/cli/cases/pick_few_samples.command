pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt --bits 16 -o out --quiet >text
pare pick out --drop-max 1% -o other --quiet 2>message; echo $?
sed 's/[0-9][0-9.]*/N/g' message
