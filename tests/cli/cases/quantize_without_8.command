pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt --bits 4,6 -o out --quiet | grep -e '^.pare' -e '^peak activations,' | tr -s ' 0-9,' ' N'
grep -e pare_bytes_8bit -e peak_activation_bytes_8bit out/report.json
