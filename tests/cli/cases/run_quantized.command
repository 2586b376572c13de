pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt --bits 8 -o out --quiet >text
for file in model.onnx model.pare; do pare run out/$file --input calib.npz --preprocess --all-values -o $file.npz; done
cmp model.onnx.npz model.pare.npz && show_npz model.pare.npz | cut -d: -f1
