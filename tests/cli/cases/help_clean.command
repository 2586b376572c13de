pare help clean
