pare help check
