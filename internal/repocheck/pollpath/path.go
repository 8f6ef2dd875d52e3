package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is one of the tracer's: a function is entered or left. Func is an index of the functions, or source.
type event struct {
	Func      int
	Exit      bool
	Goroutine int
}

// source stands for the method of the Source, which is not the library's.
const source = -1

// step is a function that is entered during one poll.
type step struct {
	function
	caller           function // zero: the goroutine begins here
	goroutine, depth int
	back             bool // after the Source was called
	after            bool // after the function that begins a poll has returned
	entry            bool // its file is entered: neither the caller nor the step before it is in that file
}

// life returns the steps of one poll: from an entry into the function named from to the next one, with one call of the
// Source between them. It is the last whole one but one, when nothing is new any more.
func life(events []event, funcs []function, from string) ([]step, error) {
	start, end, err := cycle(events, funcs, from)
	if err != nil {
		return nil, err
	}
	var (
		steps       []step
		stacks      = map[int][]int{} // by goroutine
		back, after bool
		last        = [2]string{} // the file entered last, on the way down and on the way back
	)
	for i, e := range events[:end] {
		stack := stacks[e.Goroutine]
		if e.Exit {
			stacks[e.Goroutine] = stack[:len(stack)-1]
			after = after || i > start && e == leaving(events[start])
			continue
		}
		stacks[e.Goroutine] = append(stack, e.Func)
		switch {
		case i < start:
		case e.Func == source:
			back = true
		default:
			s := step{function: funcs[e.Func], caller: caller(stack, funcs)}
			s.goroutine, s.depth, s.back, s.after = e.Goroutine, len(stack), back, after
			way := 0
			if back {
				way = 1
			}
			s.entry = s.caller.file != s.file && last[way] != s.file
			if s.entry {
				last[way] = s.file
			}
			steps = append(steps, s)
		}
	}
	return steps, nil
}

// leaving returns the event that ends what e begins.
func leaving(e event) event {
	e.Exit = true
	return e
}

// caller returns the function on top of the stack.
func caller(stack []int, funcs []function) function {
	if len(stack) == 0 || stack[len(stack)-1] == source {
		return function{}
	}
	return funcs[stack[len(stack)-1]]
}

// cycle returns the index of an entry into from, and of the next one.
func cycle(events []event, funcs []function, from string) (start, end int, err error) {
	var marks []int
	for i, e := range events {
		if !e.Exit && e.Func != source && funcs[e.Func].name == from {
			marks = append(marks, i)
		}
	}
	for k := len(marks) - 3; k >= 0; k-- {
		calls := 0
		for _, e := range events[marks[k]:marks[k+1]] {
			if e.Func == source && !e.Exit {
				calls++
			}
		}
		if calls == 1 {
			return marks[k], marks[k+1], nil
		}
	}
	return 0, 0, fmt.Errorf("%w: %d entries into %s", errNoCycle, len(marks), from)
}

var errNoCycle = errors.New("no two successive entries with one call of the Source between them")

// print writes the steps and what they add up to.
func print(w io.Writer, steps []step) {
	for _, back := range []bool{false, true} {
		fmt.Fprintln(w, map[bool]string{false: "down to the call of the Source:", true: "back from it:"}[back])
		for _, s := range steps {
			if s.back != back {
				continue
			}
			mark := " "
			if s.entry {
				mark = ">"
			}
			fmt.Fprintf(w, "  g%-4d %s %-32s %s%s\n", s.goroutine, mark, s.file, strings.Repeat(". ", s.depth), s.name)
		}
	}
	down, back := entries(steps)
	fmt.Fprintf(w, "\n%-34s %5s %5s\n", "entries into a file", "down", "back")
	for _, file := range files(steps) {
		fmt.Fprintf(w, "%-34s %5d %5d\n", file, down[file], back[file])
	}
	fmt.Fprintf(w, "\n%d functions in %d files, entered %d times\n", distinct(steps), len(files(steps)), len(steps))
	fmt.Fprintf(w, "%d of them call into another file\n", jumps(steps))
	after := slices.DeleteFunc(slices.Clone(steps), func(s step) bool { return !s.after })
	fmt.Fprintf(w, "%d functions in %d files from the return of %s to its next call\n",
		distinct(after), len(files(after)), steps[0].name)
}

// entries returns how often each file is entered on the way down to the call, and on the way back.
func entries(steps []step) (down, back map[string]int) {
	down, back = map[string]int{}, map[string]int{}
	for _, s := range steps {
		switch {
		case !s.entry:
		case s.back:
			back[s.file]++
		default:
			down[s.file]++
		}
	}
	return down, back
}

// distinct returns how many functions are entered, each counted once.
func distinct(steps []step) int {
	all := map[function]bool{}
	for _, s := range steps {
		all[s.function] = true
	}
	return len(all)
}

// jumps returns how many functions call one of another file: where a reader has to turn to another page.
func jumps(steps []step) int {
	all := map[function]bool{}
	for _, s := range steps {
		if s.caller.file != "" && s.caller.file != s.file {
			all[s.caller] = true
		}
	}
	return len(all)
}

func files(steps []step) []string {
	all := map[string]bool{}
	for _, s := range steps {
		all[s.file] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// broken returns which limits the steps pass; a negative limit allows all.
func broken(steps []step, maxFunctions, maxEntries int) (all []string) {
	if n := distinct(steps); maxFunctions >= 0 && n > maxFunctions {
		all = append(all, fmt.Sprintf("got %d functions, want at most %d", n, maxFunctions))
	}
	down, back := entries(steps)
	for _, file := range files(steps) {
		if n := max(down[file], back[file]); maxEntries >= 0 && n > maxEntries {
			all = append(all, fmt.Sprintf("%s: got entered %d times on one way, want at most %d", file, n, maxEntries))
		}
	}
	return all
}
