pare pick --help
