pare inspect --help
