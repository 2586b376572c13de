pare quantize --help
