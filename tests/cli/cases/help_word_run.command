pare help run
