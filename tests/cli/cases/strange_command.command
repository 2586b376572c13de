pare frobnicate
