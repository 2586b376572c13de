pare help fly
