// Command structure prints the figures by which the layout of the module is judged:
//
//	go run ./internal/repocheck/structure [flags] [directory of a checkout]
//
// With limits as flags it exits 1 if one is passed.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
)

// maxColumns is the longest line that lll lets pass; see .golangci.yml.
const maxColumns = 120

// limits are the greatest values that are allowed; a negative one allows all.
type limits struct {
	rootFiles, arrows, inCycles, largestCycle, exported, longLines int
}

func main() {
	var l limits
	flag.IntVar(&l.rootFiles, "max-root-files", -1, "files of the root, tests not counted")
	flag.IntVar(&l.arrows, "max-arrows", -1, "arrows between the root's files")
	flag.IntVar(&l.inCycles, "max-in-cycles", -1, "arrows of the root that lie in cycles")
	flag.IntVar(&l.largestCycle, "max-cycle", -1, "files in the root's largest cycle")
	flag.IntVar(&l.exported, "max-exported", -1, "exported top-level names of the root")
	flag.IntVar(&l.longLines, "max-long-lines", -1, "lines over 120 columns")
	edges := flag.Bool("edges", false, "print each arrow, with the names behind it")
	flag.Parse()
	dir := "."
	if flag.NArg() > 0 {
		dir = flag.Arg(0)
	}
	broken, err := report(os.Stdout, dir, l, *edges)
	if err != nil {
		fmt.Fprintln(os.Stderr, "structure:", err)
		os.Exit(2)
	}
	for _, b := range broken {
		fmt.Fprintln(os.Stderr, "structure:", b)
	}
	if len(broken) > 0 {
		os.Exit(1)
	}
}

// report prints the table for the module in dir, and returns what passes its limit.
func report(out io.Writer, dir string, l limits, edges bool) (broken []string, err error) {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	row := func(name string, value, limit int) {
		note := ""
		if limit >= 0 && value > limit {
			note = fmt.Sprintf("over the limit of %d", limit)
			broken = append(broken, fmt.Sprintf("%s: got %d, want at most %d", name, value, limit))
		}
		fmt.Fprintf(w, "%s\t%d\t%s\n", name, value, note)
	}
	for _, sub := range []string{".", "internal/poll"} {
		if _, err := os.Stat(filepath.Join(dir, sub)); err != nil {
			continue
		}
		p, err := load(dir, "./"+sub)
		if err != nil {
			return nil, err
		}
		g, here := p.arrows(), limits{-1, -1, -1, -1, -1, -1}
		name := sub
		if sub == "." {
			name, here = "root", l
		}
		row(name+": files", len(p.files), here.rootFiles)
		row(name+": lines of code", p.code, -1)
		row(name+": arrows between files", g.size(), here.arrows)
		row(name+": arrows in cycles", g.inCycles(), here.inCycles)
		largest := g.largestCycle()
		row(name+": files in the largest cycle", len(largest), here.largestCycle)
		row(name+": exported top-level names", len(p.exported()), here.exported)
		if edges {
			fmt.Fprintf(w, "%s: the largest cycle: %v\n", name, largest)
			g.print(w)
		}
	}
	long, err := longLines(dir, maxColumns)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, t := range long {
		row(fmt.Sprintf("%s: lines over %d columns", t.name, maxColumns), t.count, -1)
		total += t.count
	}
	row(fmt.Sprintf("all: lines over %d columns", maxColumns), total, l.longLines)
	return broken, w.Flush()
}
