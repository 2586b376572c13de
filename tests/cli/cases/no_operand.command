pare inspect
