pare verify --help
