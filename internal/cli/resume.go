package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// resumable are the ids to wait for again: those that may still run, and that the command accepts.
func (r *run) resumable() []string {
	ids := slices.DeleteFunc(slices.Clone(r.open), func(id string) bool { return checkID("task id", id) != nil })
	slices.Sort(ids)
	return slices.Compact(ids)
}

// resume is the command that waits again, as it was given, a flag and its value in one word; nil: there is nothing to
// wait for.
func (r *run) resume(ids []string) []string {
	words := []string{"taskwait kafka wait"}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, flag+" "+quote(value))
		}
	}
	add("--instance", r.target.instance)
	add("--region", r.target.region)
	add("--endpoint", r.target.endpoint)
	add("--project", r.target.project)
	words = append(words, r.given...)
	if len(ids) == 0 && (len(r.selection.ids) > 0 || !slices.ContainsFunc(r.outcomes, outcome.maybeRunning)) {
		return nil
	}
	since := r.selection.since.UTC().Format(time.RFC3339)
	if r.state != nil { // which wants the arguments that it has
		ids, since = r.selection.given(), r.selection.sinceGiven
		if r.final() {
			words = append(words, "--state-new")
		}
	}
	switch {
	case len(chunks(ids)) > 1:
		return append(words, "-")
	case len(ids) > 0:
		if slices.ContainsFunc(ids, func(id string) bool { return strings.HasPrefix(id, "-") }) {
			words = append(words, "--")
		}
		for _, id := range ids {
			words = append(words, quote(id))
		}
		return words
	case r.selection.name != "":
		add("--name", r.selection.name)
		add("--since", since)
	case r.selection.all:
		words = append(words, "--all")
		if r.selection.expect > 0 {
			words = append(words, fmt.Sprintf("--expect %d", r.selection.expect))
		}
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
