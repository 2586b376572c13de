pare export model.pare
