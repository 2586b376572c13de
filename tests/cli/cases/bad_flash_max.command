pare pick out --flash-max 64bits
