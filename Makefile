# Short names. All of it is in .ci/, which has no need of make.
.PHONY: test lint fuzz bench ci mutate compare structure

test: ; go test ./...
lint: ; .ci/run format vet lint
fuzz: ; .ci/run fuzz
bench: ; go test -run '^$$' -bench . ./...
ci: ; .ci/run

# Mutation testing; T=schedule for one target, see .ci/mutate.
mutate: ; .ci/mutate $(T)

# Speed, memory and punctuality of this tree beside another commit: make compare OLD=622c647
compare: ; .ci/compare $(OLD)

# The figures of the layout, and what one poll passes through.
structure:
	go run ./internal/repocheck/structure
	go run ./internal/repocheck/pollpath
