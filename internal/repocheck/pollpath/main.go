// Command pollpath prints which functions of the library one poll of a lone wait passes through, in steady state:
//
//	go run ./internal/repocheck/pollpath [flags] [directory of a checkout]
//
// It builds the library with a call of a tracer in each function, by go build -overlay, and runs one WaitForTask of it
// in virtual time. With limits as flags it exits 1 if one is passed.
package main

import (
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed trace.go.txt
var traceSource string

//go:embed run_test.go.txt
var runSource string

const (
	tracerDir = "internal/pollpathtrace" // exists in the overlay only
	library   = ".,schedule,internal/poll,internal/guard,internal/limiter,internal/pacing,internal/text,internal/ids"
)

func main() {
	from := flag.String("from", "wait.takeIn", "the `function` whose entry begins a poll and ends the one before")
	packages := flag.String("packages", library, "the `directories` that are traced, where they exist")
	maxFunctions := flag.Int("max-functions", -1, "functions of one poll")
	maxEntries := flag.Int("max-entries", -1, "entries into a file on the way down to the Source, and on the way back")
	flag.Parse()
	dir := "."
	if flag.NArg() > 0 {
		dir = flag.Arg(0)
	}
	steps, err := run(dir, strings.Split(*packages, ","), *from)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pollpath:", err)
		os.Exit(2)
	}
	print(os.Stdout, steps)
	over := broken(steps, *maxFunctions, *maxEntries)
	for _, b := range over {
		fmt.Fprintln(os.Stderr, "pollpath:", b)
	}
	if len(over) > 0 {
		os.Exit(1)
	}
}

// run traces the module in dir.
func run(dir string, packages []string, from string) ([]step, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "pollpath-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	o := overlay{dir: dir, scratch: scratch, Replace: map[string]string{}}
	if err := o.build(packages); err != nil {
		return nil, err
	}
	events, err := o.trace()
	if err != nil {
		return nil, err
	}
	return life(events, o.funcs, from)
}

// overlay is what the go command reads in place of files of dir.
type overlay struct {
	dir, scratch, module string
	funcs                []function
	Replace              map[string]string
}

func (o *overlay) build(packages []string) (err error) {
	if o.module, err = o.output("go", "list", "-m"); err != nil {
		return err
	}
	for _, p := range packages {
		all, err := filepath.Glob(filepath.Join(o.dir, p, "*.go"))
		if err != nil {
			return err
		}
		for _, path := range all {
			if err := o.instrument(path); err != nil {
				return err
			}
		}
	}
	for name, src := range map[string]string{"trace.go": traceSource, "run_test.go": runSource} {
		src = strings.ReplaceAll(src, "MODULE", o.module)
		if err := o.put(filepath.Join(o.dir, tracerDir, name), []byte(src)); err != nil {
			return err
		}
	}
	out, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.scratch, "overlay.json"), out, 0o600)
}

func (o *overlay) instrument(path string) error {
	if strings.HasSuffix(path, "_test.go") {
		return nil
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(o.dir, path)
	if err != nil {
		return err
	}
	src, err = instrument(src, filepath.ToSlash(rel), o.module+"/"+tracerDir, &o.funcs)
	if err != nil {
		return err
	}
	return o.put(path, src)
}

// put makes src stand in for the file at path.
func (o *overlay) put(path string, src []byte) error {
	stand := filepath.Join(o.scratch, fmt.Sprintf("%d.go", len(o.Replace)))
	o.Replace[path] = stand
	return os.WriteFile(stand, src, 0o600)
}

// trace builds the test, runs it, and returns what the tracer has written.
func (o *overlay) trace() (events []event, err error) {
	bin, out := filepath.Join(o.scratch, "run.test"), filepath.Join(o.scratch, "events.json")
	overlayFlag := "-overlay=" + filepath.Join(o.scratch, "overlay.json")
	if _, err := o.output("go", "test", "-c", "-vet=off", overlayFlag, "-o", bin, "./"+tracerDir); err != nil {
		return nil, err
	}
	cmd := exec.Command(bin)
	cmd.Dir, cmd.Env = o.scratch, append(os.Environ(), "POLLPATH_EVENTS="+out)
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	written, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	return events, json.Unmarshal(written, &events)
}

// output runs a command in dir.
func (o *overlay) output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = o.dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%v: %w\n%s", cmd, err, &stderr)
	}
	return strings.TrimSpace(string(out)), nil
}
