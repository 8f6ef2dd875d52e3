// Command compare measures another commit beside the tree that it stands in, through the public face alone:
//
//	go run ./internal/repocheck/compare [-run regexp] [-race=false] commit [rounds]
//
// It builds figures_test.go against both trees, runs each figure in a process of its own, old and new in turn, and
// prints the medians. Punctuality is measured a second time with the race detector, unless -race=false is given.
package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

const figuresFile = "internal/repocheck/compare/figures_test.go"

// tests are those of figures_test.go, in the order in which they are printed.
var tests = []string{
	"TestPoll", "TestFirstPoll", "TestAsleepOnOneWaiter", "TestAsleepOnManyWaiters", "TestMillion", "TestPunctuality",
}

func main() {
	only := flag.String("run", ".", "the `regexp` of the tests to run")
	race := flag.Bool("race", true, "measure punctuality with the race detector too; needs a C compiler")
	flag.Parse()
	rounds := 5
	if n, err := strconv.Atoi(flag.Arg(1)); err == nil && n > 0 {
		rounds = n
	} else if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: compare [-run regexp] [-race=false] commit [rounds]")
		os.Exit(2)
	}
	if err := compare(flag.Arg(0), rounds, *only, *race); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// run is one test of one kind of build.
type run struct {
	test string
	race bool
}

func compare(commit string, rounds int, only string, race bool) error {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	here, err := output(".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	old := filepath.Join(scratch, "old")
	if _, err := output(here, "git", "worktree", "add", "--detach", old, commit); err != nil {
		return err
	}
	defer func() { _, _ = output(here, "git", "worktree", "remove", "--force", old) }()
	var runs []run
	for _, t := range tests {
		if wanted.MatchString(t) {
			runs = append(runs, run{test: t})
		}
	}
	if race && wanted.MatchString("TestPunctuality") {
		runs = append(runs, run{"TestPunctuality", true})
	}
	trees := []tree{{name: "old", dir: old}, {name: "new", dir: here}}
	for i := range trees {
		if err := trees[i].build(here, scratch, runs); err != nil {
			return err
		}
	}
	got, err := measure(trees, runs, rounds)
	if err != nil {
		return err
	}
	got.print(rounds)
	return nil
}

// tree is a checkout, and the test binary of it, without and with the race detector.
type tree struct {
	name, dir string
	bin       map[bool]string
}

func (t *tree) build(here, scratch string, runs []run) error {
	replace := map[string]string{filepath.Join(t.dir, figuresFile): filepath.Join(here, figuresFile)}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	file := filepath.Join(scratch, t.name+".json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		return err
	}
	t.bin = map[bool]string{}
	for _, r := range runs {
		if t.bin[r.race] != "" {
			continue
		}
		t.bin[r.race] = filepath.Join(scratch, fmt.Sprintf("%s-%v.test", t.name, r.race))
		_, err := output(t.dir, "go", "test", "-c", "-vet=off", "-tags=figures", "-buildvcs=false", "-overlay="+file,
			fmt.Sprintf("-race=%v", r.race), "-o", t.bin[r.race], "./"+filepath.ToSlash(filepath.Dir(figuresFile)))
		if err != nil {
			return err
		}
	}
	return nil
}

// figure is one row: values by tree.
type figure struct {
	name, unit string
	values     map[string][]float64
}

type figures []*figure

var line = regexp.MustCompile(`(?m)^figure: (.*): (\S+) (\S*)$`)

// measure runs everything rounds times, the trees in turn, each first in every other round.
func measure(trees []tree, runs []run, rounds int) (all figures, err error) {
	for _, r := range runs {
		for range rounds {
			for _, t := range trees {
				if err := all.run(t, r); err != nil {
					return nil, err
				}
			}
			slices.Reverse(trees)
		}
		fmt.Fprintf(os.Stderr, "%s measured (race detector: %v)\n", r.test, r.race)
	}
	return all, nil
}

// run runs one test once.
func (f *figures) run(t tree, r run) error {
	out, err := output(t.dir, t.bin[r.race], "-test.run=^"+r.test+"$", "-test.timeout=20m")
	for _, m := range line.FindAllStringSubmatch(out, -1) {
		f.add(t.name, m[1], r.race, m[2], m[3])
	}
	return err
}

func (f *figures) add(tree, name string, race bool, value, unit string) {
	if race {
		name += ", -race"
	}
	i := slices.IndexFunc(*f, func(x *figure) bool { return x.name == name })
	if i < 0 {
		i = len(*f)
		*f = append(*f, &figure{name: name, unit: unit, values: map[string][]float64{}})
	}
	v, err := strconv.ParseFloat(value, 64)
	if err != nil {
		panic(err) // figures_test.go prints numbers
	}
	(*f)[i].values[tree] = append((*f)[i].values[tree], v)
}

func (f figures) print(rounds int) {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "median of %d (least–most)\told\t\tnew\t\tnew/old\t\n", rounds)
	for _, x := range f {
		fmt.Fprintf(w, "%s\t", strings.TrimSuffix(x.name+" ["+x.unit+"]", " []"))
		for _, t := range []string{"old", "new"} {
			v := slices.Sorted(slices.Values(x.values[t]))
			fmt.Fprintf(w, "%.5g\t(%.4g–%.4g)\t", median(v), v[0], v[len(v)-1])
		}
		fmt.Fprintf(w, "%.2f\t\n", median(x.values["new"])/median(x.values["old"]))
	}
	_ = w.Flush()
}

func median(v []float64) float64 {
	v = slices.SortedFunc(slices.Values(v), cmp.Compare)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

func output(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%v: %w\n%s%s", cmd, err, out, &stderr)
	}
	return strings.TrimSpace(string(out)), nil
}
