pare --version | grep -c "^pare [0-9]*[.][0-9]*[.][0-9]*$"
