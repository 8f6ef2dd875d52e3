package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/schedule"
)

// durations are how long tasks took in earlier runs, and in this one. A nil *durations knows nothing and keeps nothing.
type durations struct {
	path    string
	known   *schedule.History
	fault   string                   // what is wrong with the file; empty: nothing
	foreign bool                     // the file is left alone: a newer version of this program has written it, say
	running map[string]bool          // the tasks that this run has seen running
	ended   map[string]taskwait.Task // and then succeeded
}

// openHistory reads what earlier runs have left in the cache folder. nil: there is no such folder.
func openHistory(cache, of string) *durations {
	if cache == "" {
		return nil
	}
	d := &durations{
		path: historyPath(cache, of), known: &schedule.History{},
		running: map[string]bool{}, ended: map[string]taskwait.Task{},
	}
	h, err := readHistory(d.path)
	var newer newerError
	switch {
	case err == nil:
		d.known = h
	case errors.As(err, &newer):
		d.foreign, d.fault = true, fmt.Sprintf("%s: %v; it is left alone, and nothing is remembered", d.path, err)
	case errors.Is(err, errDamaged):
		d.fault = fmt.Sprintf("%s: %v; it is kept as %s", d.path, err, filepath.Base(damagedPath(d.path)))
		if moved := d.merge(); moved != nil {
			d.foreign, d.fault = true, fmt.Sprintf("%s: %v, nor moved: %v", d.path, err, moved)
		}
	default:
		d.fault = err.Error()
	}
	return d
}

// historyPath is the file of whatever has that name; empty: of Kafka.
func historyPath(cache, of string) string {
	if of != "" {
		of = "-" + strings.Map(func(r rune) rune {
			if r == '.' || r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
				return r
			}
			return '_'
		}, of)
	}
	return filepath.Join(cache, "taskwait", "history"+of+".json")
}

// errDamaged is the error for a file that is no history.
var errDamaged = errors.New("the history of earlier runs cannot be read")

// readHistory reads a file. No file is a history that knows nothing.
func readHistory(path string) (*schedule.History, error) {
	h := &schedule.History{}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return h, nil
	case err != nil:
		return nil, fmt.Errorf("the history of earlier runs: %w", err)
	case json.Unmarshal(text, h) == nil:
		return h, nil
	case historyVersion(text) > currentVersion():
		return nil, newerError{historyVersion(text)}
	}
	return nil, errDamaged
}

// historyVersion is the version that a file says it has; 0: none.
func historyVersion(text []byte) int {
	var saved struct {
		Version int `json:"version"`
	}
	if json.Unmarshal(text, &saved) != nil {
		return 0
	}
	return saved.Version
}

// currentVersion is the version that this program writes.
func currentVersion() int {
	text, err := json.Marshal(&schedule.History{})
	if err != nil {
		return 0
	}
	return historyVersion(text)
}

// problem is what is wrong with the file; empty: nothing.
func (d *durations) problem() string {
	if d == nil {
		return ""
	}
	return d.fault
}

// watch notes what a task does. A task that had ended when it was first seen may have been counted by an earlier run.
// One that fails says nothing of how long others take.
func (d *durations) watch(t *taskwait.Task) {
	switch {
	case d == nil || t.ID == "":
	case !t.Status.Terminal():
		d.running[t.ID] = true
	case d.running[t.ID] && t.Status == taskwait.StatusSuccess:
		d.ended[t.ID] = *t
	}
}

// save adds what this run has seen to the file. One command at a time does that, so that none loses what another has
// seen. The worst that can happen is to know less the next time, which is reported and no failure.
func (d *durations) save(warn func(string)) {
	if d == nil || d.foreign || len(d.ended) == 0 {
		return
	}
	if err := d.merge(); err != nil {
		warn("the history cannot be saved: " + err.Error())
	}
}

// merge adds what has ended to the file. A damaged one is moved out of the way.
func (d *durations) merge() error {
	if err := os.MkdirAll(filepath.Dir(d.path), 0o700); err != nil {
		return err
	}
	unlock, err := lockFile(d.path+".lock", lockPatience)
	if err != nil {
		return err
	}
	defer unlock()
	h, err := readHistory(d.path)
	if errors.Is(err, errDamaged) {
		h, err = &schedule.History{}, os.Rename(d.path, damagedPath(d.path))
	}
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(d.ended)) {
		t := d.ended[id]
		h.Add(t.Kind, t.Took())
	}
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return replaceFile(d.path, text, (*os.File).Sync)
}

// kinds are the names of tasks that are known: those in the history, and those that the service is documented to use.
func (s *env) kinds() []string {
	names := map[string]bool{}
	for _, name := range documentedKinds {
		names[name] = true
	}
	var saved struct {
		Kinds map[string]json.RawMessage `json:"kinds"`
	}
	if text, err := os.ReadFile(historyPath(s.cache, "")); err == nil && json.Unmarshal(text, &saved) == nil {
		for name := range saved.Kinds {
			names[clip(name)] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// documentedKinds are the names of tasks on the pages of the API, and those that its operations were seen to start.
var documentedKinds = []string{
	"bindInstancePublicIp", "unbindInstancePublicIp", "kafkaConfigModify", "kafkaInstanceExtend",
	"kafkaResetConsumerOffset",
	"kafkaUpgrade",
}
