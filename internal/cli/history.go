package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/taskwait/taskwait"
)

// durations are what tasks took in earlier runs, and in this one. A nil *durations knows nothing and keeps nothing.
type durations struct {
	path  string
	known *taskwait.History
	ran   map[string]bool          // the tasks that this run has seen running
	ended map[string]taskwait.Task // and then ended
}

// openHistory reads what earlier runs have left in the cache folder. nil: there is no such folder.
func openHistory(cache string, errOut io.Writer) *durations {
	if cache == "" {
		return nil
	}
	d := &durations{path: filepath.Join(cache, "taskwait", "history.json"), ran: map[string]bool{}, ended: map[string]taskwait.Task{}}
	known, err := readHistory(d.path)
	if err != nil {
		fmt.Fprintf(errOut, "taskwait: what tasks took in earlier runs cannot be read, beginning anew: %v\n", err)
	}
	d.known = known
	return d
}

func readHistory(path string) (*taskwait.History, error) {
	h := taskwait.NewHistory()
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return h, nil
	}
	if err == nil {
		err = json.Unmarshal(text, h)
	}
	if err != nil {
		return taskwait.NewHistory(), fmt.Errorf("%s: %w", path, err)
	}
	return h, nil
}

// watch notes what a task does. One that had ended when it was first seen was counted by an earlier run, perhaps.
func (d *durations) watch(t *taskwait.Task) {
	switch {
	case d == nil || t.ID == "":
	case !t.Status.Terminal():
		d.ran[t.ID] = true
	case d.ran[t.ID]:
		d.ended[t.ID] = *t
	}
}

// save adds what this run has seen to what the file has by now: another run may have written to it meanwhile. Nothing is worth
// failing for: the worst is to know less the next time.
func (d *durations) save() {
	if d == nil || len(d.ended) == 0 {
		return
	}
	h, _ := readHistory(d.path)
	for _, t := range d.ended {
		h.Add(t.Name, t.Took())
	}
	text, err := json.Marshal(h)
	if err != nil {
		return
	}
	_ = replaceFile(d.path, text)
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error is the one that counts
	}
	return err
}
