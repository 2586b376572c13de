pare help
