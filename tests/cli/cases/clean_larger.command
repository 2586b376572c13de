pare clean made_at_run_time.onnx -o small.onnx
