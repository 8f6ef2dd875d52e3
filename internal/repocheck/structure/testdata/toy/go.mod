module example.com/toy

go 1.25.0
