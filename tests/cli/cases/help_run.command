pare run --help
