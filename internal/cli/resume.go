package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// resumable are the ids to wait for again: those that may still run, and that the command accepts.
func (r *run) resumable() []string {
	ids := slices.DeleteFunc(slices.Clone(r.open), func(id string) bool { return r.subject.check(id) != nil })
	slices.Sort(ids)
	return slices.Compact(ids)
}

// resume is the command that waits again, as it was given, a flag and its value in one word; nil: there is nothing to
// wait for. What was started is waited for by its id, unless the state knows more.
func (r *run) resume(ids []string) []string {
	if len(ids) == 0 && (len(r.selection.ids) > 0 || !slices.ContainsFunc(r.outcomes, outcome.maybeRunning)) {
		return nil
	}
	if r.subject.command == "" { // the demonstration
		return nil
	}
	starts := r.starts != nil && r.state != nil && !r.final()
	words := []string{"taskwait " + r.subject.command + " wait"}
	if starts {
		words[0] = "taskwait " + r.subject.command + " start"
	}
	words = append(addFlags(words, r.subject.flags...), r.given...)
	switch {
	case starts:
		return append(addFlags(words, "--state", r.state.given, "--body", r.starts.body), r.starts.operation)
	case r.starts != nil && len(ids) == 0:
		return nil
	case r.starts != nil || r.state == nil:
		return r.sought(words, ids, r.selection.since.UTC().Format(time.RFC3339))
	}
	if words = addFlags(words, "--state", r.state.given); r.final() {
		words = append(words, "--state-new")
	}
	return r.sought(words, r.selection.given(), r.selection.sinceGiven) // the state wants the arguments that it has
}

// addFlags adds those flags that have a value.
func addFlags(words []string, flags ...string) []string {
	for i := 0; i < len(flags); i += 2 {
		if flags[i+1] != "" {
			words = append(words, flags[i]+" "+quote(flags[i+1]))
		}
	}
	return words
}

// sought adds what is waited for.
func (r *run) sought(words, ids []string, since string) []string {
	switch {
	case len(chunks(ids)) > 1:
		return append(words, "-")
	case len(ids) > 0:
		if slices.ContainsFunc(ids, func(id string) bool { return strings.HasPrefix(id, "-") }) {
			words = append(words, "--")
		}
		for _, id := range ids {
			words = append(words, r.subject.wordOf(id))
		}
		return words
	case r.selection.name != "":
		return addFlags(words, "--name", r.selection.name, "--since", since)
	}
	words = append(words, "--all")
	if r.selection.expect > 0 {
		words = append(words, fmt.Sprintf("--expect %d", r.selection.expect))
	}
	return words
}

// quote makes a word of s that a POSIX shell reads as s.
func quote(s string) string {
	plain := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.:/@=+",
			c)
	}
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !plain(c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
