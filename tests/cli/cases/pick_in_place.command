pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 5pt -o out --quiet >text
cp out/model.pare searched.pare
pare pick out --drop-max 100pt --quiet >text; echo $?; cmp -s searched.pare out/model.pare || echo other
pare pick out --drop-max 100pt --quiet | grep -o 'bound of 100 points: held'
