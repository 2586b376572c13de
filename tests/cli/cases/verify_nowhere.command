pare verify nowhere
