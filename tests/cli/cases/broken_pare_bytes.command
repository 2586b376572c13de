pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt --bits 8 -o out --quiet >text
head -c 300 out/model.pare >short.pare && pare inspect short.pare
printf X | dd of=out/model.pare bs=1 seek=200 conv=notrunc 2>dd.log && pare inspect out/model.pare
