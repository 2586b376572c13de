pare pick nowhere --point 1
