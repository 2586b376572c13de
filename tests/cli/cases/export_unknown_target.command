pare export model.pare --to rust -o device
