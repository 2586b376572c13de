pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt --bits 8 -o out --quiet >text
pare export out -o device; echo $?
mkdir other && cp out/model.onnx other && pare inspect other; echo $?
pare inspect no_protos; echo $?
for command in verify "pick --point 1"; do pare $command out/model.pare; echo $?; done
cd out && pare verify model.pare
