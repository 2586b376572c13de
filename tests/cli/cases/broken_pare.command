pare inspect short.pare
