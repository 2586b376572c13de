pare export --help
