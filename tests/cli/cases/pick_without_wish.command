pare pick out -o other
