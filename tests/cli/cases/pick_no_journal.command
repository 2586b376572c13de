pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt -o out --quiet >text
rm out/journal.jsonl
pare pick out --point 1 -o other
