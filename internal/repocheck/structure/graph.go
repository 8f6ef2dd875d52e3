package main

import (
	"fmt"
	"go/ast"
	"go/types"
	"io"
	"maps"
	"slices"
	"strings"
)

// graph says which file uses which names of which other file of the same package.
type graph map[string]map[string]map[string]bool // from, to, names

// arrows returns the graph of the package. Uses are those of functions, types, variables and constants of the package's
// scope, of methods, and of fields.
func (p *pkg) arrows() graph {
	g := graph{}
	for i, f := range p.files {
		from := p.names[i]
		g[from] = map[string]map[string]bool{}
		ast.Inspect(f, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			obj := p.info.Uses[id]
			if obj == nil || obj.Pkg() != p.types || !p.counts(obj) {
				return true
			}
			if to := p.fset.Position(obj.Pos()).Filename; to != from {
				if g[from][to] == nil {
					g[from][to] = map[string]bool{}
				}
				g[from][to][id.Name] = true
			}
			return true
		})
	}
	return g
}

func (p *pkg) counts(obj types.Object) bool {
	switch o := obj.(type) {
	case *types.Func:
		return true // of the scope, or a method: nothing else is a Func
	case *types.Var:
		return o.IsField() || o.Parent() == p.types.Scope()
	}
	return obj.Parent() == p.types.Scope()
}

// size returns the number of arrows.
func (g graph) size() (n int) {
	for _, to := range g {
		n += len(to)
	}
	return n
}

// inCycles returns how many arrows lie in a cycle: both their ends are in one strongly connected component.
func (g graph) inCycles() (n int) {
	for _, component := range g.components() {
		for _, from := range component {
			for to := range g[from] {
				if slices.Contains(component, to) {
					n++
				}
			}
		}
	}
	return n
}

// largestCycle returns the files of the largest strongly connected component; none if no file is in a cycle.
func (g graph) largestCycle() (largest []string) {
	for _, component := range g.components() {
		if len(component) > max(1, len(largest)) {
			largest = component
		}
	}
	return largest
}

// components returns the strongly connected components: files that reach one another.
func (g graph) components() (all [][]string) {
	placed := map[string]bool{}
	for _, from := range slices.Sorted(maps.Keys(g)) {
		if placed[from] {
			continue
		}
		var component []string
		for to := range g.reach(from) {
			if to == from || g.reach(to)[from] {
				component, placed[to] = append(component, to), true
			}
		}
		slices.Sort(component)
		all = append(all, component)
	}
	return all
}

// reach returns from and all files that it uses, through others too.
func (g graph) reach(from string) map[string]bool {
	seen, todo := map[string]bool{from: true}, []string{from}
	for len(todo) > 0 {
		next := todo[0]
		todo = todo[1:]
		for to := range g[next] {
			if !seen[to] {
				seen[to], todo = true, append(todo, to)
			}
		}
	}
	return seen
}

// print writes each arrow on a line; those in cycles are marked.
func (g graph) print(w io.Writer) {
	for _, from := range slices.Sorted(maps.Keys(g)) {
		for _, to := range slices.Sorted(maps.Keys(g[from])) {
			mark := ""
			if g.reach(to)[from] {
				mark = "in a cycle"
			}
			names := slices.Sorted(maps.Keys(g[from][to]))
			fmt.Fprintf(w, "  %s -> %s\t%s\t%s\n", from, to, mark, strings.Join(names, " "))
		}
	}
}
