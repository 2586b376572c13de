pare eval --help
