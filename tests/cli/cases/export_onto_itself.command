pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt --bits 8 -o out --quiet >text
cp out/model.pare before.pare && ln out/model.pare hard && ln -s model.pare out/soft
for target in out/model.pare out/../out/model.pare hard out/soft; do pare export out/model.pare --to pare -o $target; echo $?; done
for form in c qdq; do pare export out/model.onnx --to $form -o out/model.onnx; echo $?; done
cmp before.pare out/model.pare
