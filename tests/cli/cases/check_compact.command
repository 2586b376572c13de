pare check short.pare
