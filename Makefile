# Short names. All of it is in .ci/run, which has no need of make.
.PHONY: test lint fuzz bench ci

test: ; go test ./...
lint: ; .ci/run format vet lint
fuzz: ; .ci/run fuzz
bench: ; go test -run '^$$' -bench . ./...
ci: ; .ci/run
