pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt --bits 8 -o out --quiet >text
for file in model.onnx model.pare; do pare eval out/$file --data val.npz | tail -n +2 >$file.text; done
cmp model.onnx.text model.pare.text && cut -d: -f1 model.pare.text
