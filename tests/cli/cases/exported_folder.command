pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt --bits 8 -o out --quiet >text
pare export out/model.pare -o firmware --quiet
for command in verify inspect "pick --point 1"; do pare $command firmware; echo $?; done
