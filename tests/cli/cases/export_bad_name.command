for name in "" Kws 1st kws-2 _kws string test_vector pare_kws a23456789012345678901234567890123; do pare export model.pare --name "$name" -o device; echo $?; done
