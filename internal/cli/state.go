package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
)

const (
	stateVersion = 1
	// stateEvery is how often the state is saved at most, while no task's status changes.
	stateEvery = time.Second
	// maxStateTasks bounds the tasks of one state: all of them are written each time.
	maxStateTasks = 100
	// maxState bounds what is read: a hundred waits have 150 kB.
	maxState = 4 << 20
)

// stateFlags are those of a wait that outlives its process.
type stateFlags struct {
	state    string
	stateNew bool
}

func (f *stateFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.state, "state", "",
		"keep the wait in this file: the same command goes on with it, or reports its end again")
	c.Flags().BoolVar(&f.stateNew, "state-new", false, "with --state: begin a new wait, whatever wait is in the file")
}

// state is a file that keeps a wait, and its lock. A nil *state keeps nothing. It is not safe for concurrent use.
type state struct {
	path   string
	given  string // as it was given
	unlock func()
	kept   keptState
	saved  time.Time
	faulty bool // it was said that it cannot be saved
}

// keptState is what the file holds. Its JSON is a promise: a file of an older version is read for ever.
type keptState struct {
	Version int               `json:"version"`
	Command map[string]string `json:"command"`        // the arguments that say what is waited for, by their names
	PID     int               `json:"pid"`            // of the process that has it
	Held    time.Time         `json:"held"`           // since when
	Begun   time.Time         `json:"begun"`          // for the first time
	Listing seconds           `json:"listing"`        // how long it took from then until the tasks were known
	Since   time.Time         `json:"since,omitzero"` // as --since was then
	Tasks   []*keptTask       `json:"tasks,omitempty"`
	Ended   *keptEnd          `json:"ended,omitempty"`
}

// keptTask is one task's wait, and what its polls have shown.
type keptTask struct {
	ID     string          `json:"id"`
	Wait   json.RawMessage `json:"wait,omitempty"` // a [taskwait.Wait]; none: it has not begun
	Polls  int             `json:"polls,omitempty"`
	Errors int             `json:"errors,omitempty"`
	Seen   time.Time       `json:"seen,omitzero"`
	Failed int             `json:"failed,omitempty"`
}

// wait is the task's, as it was stored.
func (t *keptTask) wait() (*taskwait.Wait, error) {
	w := &taskwait.Wait{ID: t.ID}
	if len(t.Wait) == 0 {
		return w, nil
	}
	err := json.Unmarshal(t.Wait, w)
	if err == nil && w.ID != t.ID {
		err = errors.New("a wait is another task's")
	}
	return w, err
}

// keptEnd is how everything ended: the last events, and the words of the command that waits again.
type keptEnd struct {
	Events []*event `json:"events"`
	Resume []string `json:"resume,omitempty"`
}

// open locks the file and reads it. Arguments other than those of the file are an error, and so is everything that is
// no state: it is left alone. nil: no state is wanted.
func (f *stateFlags) open(command map[string]string, since time.Time, timeout time.Duration) (s *state, err error) {
	if f.state == "" {
		if f.stateNew {
			return nil, errors.New("--state-new needs --state")
		}
		return nil, nil
	}
	s = &state{given: f.state, kept: keptState{Command: command, Since: since}}
	if s.path, err = regularFile(f.state); err == nil {
		s.unlock, err = lockFile(s.path+".lock", 0)
	}
	switch {
	case errors.Is(err, errLocked):
		err = holder(s.path)
	case err == nil:
		if err = s.begin(f.stateNew, timeout); err != nil {
			s.unlock()
		}
	}
	if err != nil {
		return nil, &exitError{codeUsage, fmt.Errorf("--state %s: %w", clip(f.state), err)}
	}
	return s, nil
}

// holder is the error for a state that another process has.
func holder(path string) error {
	kept, err := readState(path)
	if err != nil || kept.PID == 0 {
		return errors.New("another process holds it")
	}
	return fmt.Errorf("process %d has held it since %s", kept.PID, kept.Held.Format(time.RFC3339))
}

// begin reads the file, and makes this process the one that has it.
func (s *state) begin(anew bool, timeout time.Duration) error {
	now, given := time.Now(), s.kept
	kept, err := readState(s.path)
	fresh := errors.Is(err, os.ErrNotExist)
	switch {
	case err != nil && !fresh:
		return err
	case fresh || anew:
		kept = given
		kept.Begun = now.UTC()
	case !maps.Equal(kept.Command, given.Command):
		return fmt.Errorf("it belongs to another command, %s; name another file, or give --state-new to begin a new wait",
			differences(kept.Command, given.Command))
	}
	if s.kept = kept; kept.Begun.After(now) { // a clock was set back
		s.kept.Begun = now.UTC()
	}
	left := timeout - now.Sub(s.kept.Begun)
	if timeout == 0 {
		left = 1
	}
	if s.kept.Ended.final(left) {
		return nil
	}
	s.kept.Version, s.kept.PID, s.kept.Held, s.kept.Ended = stateVersion, os.Getpid(), now.UTC(), nil
	return s.save()
}

// differences says which arguments differ.
func differences(kept, given map[string]string) string {
	all := maps.Clone(kept)
	maps.Copy(all, given)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, is := kept[name], given[name]
		switch {
		case was == is:
		case was == "":
			parts = append(parts, "without "+name)
		case is == "":
			parts = append(parts, fmt.Sprintf("with %s %s", name, clip(was)))
		default:
			parts = append(parts, fmt.Sprintf("with %s %s instead of %s", name, clip(was), clip(is)))
		}
	}
	return strings.Join(parts, ", ")
}

// readState reads a file, which nobody needs to have locked.
func readState(path string) (kept keptState, err error) {
	f, err := os.Open(path)
	if err != nil {
		return kept, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil {
		return kept, err
	}
	return parseState(text)
}

// parseState reads what a file holds.
func parseState(text []byte) (kept keptState, err error) {
	damaged := func(why string) error {
		return fmt.Errorf("this is not a state, or it is damaged: %s; it is left alone", why)
	}
	var head struct {
		Version int `json:"version"`
	}
	if len(text) > maxState {
		return kept, damaged("it is too long")
	}
	if err = json.Unmarshal(text, &head); err == nil && head.Version > stateVersion {
		return kept, fmt.Errorf("%w; it is left alone", newerError{head.Version})
	}
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		return keptState{}, damaged(clip(trim(err)))
	}
	if why := kept.fault(); why != "" {
		return keptState{}, damaged(why)
	}
	return kept, nil
}

// fault says what cannot be true; empty: nothing.
func (k *keptState) fault() string {
	known := map[string]bool{}
	for _, t := range k.Tasks {
		switch {
		case t == nil || t.ID == "" && len(k.Tasks) > 1 || strings.ContainsFunc(t.ID, unicode.IsControl):
			return "a task has no id"
		case known[t.ID]:
			return "a task is in it twice"
		case t.Polls < 0 || t.Errors < 0 || t.Failed < 0:
			return "a task has a negative count"
		}
		if _, err := t.wait(); err != nil {
			return clip(trim(err))
		}
		known[t.ID] = true
	}
	switch {
	case k.Version != stateVersion:
		return "it has no version"
	case len(k.Command) == 0 || plausible(k.Begun).IsZero():
		return "it does not say what has begun, and when"
	case k.Listing < 0 || k.Listing > seconds(expectGrace):
		return "the tasks cannot have become known then"
	case len(k.Tasks) > maxStateTasks:
		return "it has too many tasks"
	case k.Ended.fault():
		return "it does not say how it ended"
	}
	return ""
}

// fault reports whether the events are not those of an end.
func (e *keptEnd) fault() bool {
	if e == nil {
		return false
	}
	n := len(e.Events)
	if n == 0 || slices.Contains(e.Events, nil) {
		return true
	}
	last := e.Events[n-1]
	return last.Event != eventEnd || last.ExitCode == nil || *last.ExitCode < 0 || *last.ExitCode > codeOutput
}

// final reports whether that is how it ends, where a timeout leaves so much time: a task that may still run can be
// waited for again.
func (e *keptEnd) final(left time.Duration) bool {
	if e == nil {
		return false
	}
	for o := range e.Events[len(e.Events)-1].Outcomes {
		if o.maybeRunning() && left > 0 {
			return false
		}
	}
	return true
}

func (k *keptState) ids() (ids []string) {
	for _, t := range k.Tasks {
		ids = append(ids, t.ID)
	}
	return ids
}

// over reports whether there is nothing left to wait for.
func (s *state) over() bool { return s != nil && s.kept.Ended != nil }

// know makes the tasks known that are waited for, unless they are. That of an operation may have no id yet.
func (s *state) know(sel *selection) error {
	if s == nil || len(s.kept.Tasks) > 0 {
		return nil
	}
	ids := sel.ids
	switch {
	case sel.name != "":
		ids = []string{""}
	case len(ids) > maxStateTasks:
		return fmt.Errorf("taskwait: %w: --state keeps at most %d tasks, and there are %d", taskwait.ErrInvalidOption,
			maxStateTasks, len(ids))
	}
	for _, id := range ids {
		s.kept.Tasks = append(s.kept.Tasks, &keptTask{ID: id})
	}
	s.kept.Listing = seconds(min(time.Since(s.kept.Begun), expectGrace))
	return s.save()
}

// budget is what the timeout of a task's wait is, so that it ends when the first begin says; 0: there is none.
func (s *state) budget(t *keptTask, timeout time.Duration) time.Duration {
	used := time.Duration(s.kept.Listing)
	if len(t.Wait) == 0 { // it begins now
		used = time.Since(s.kept.Begun)
	}
	if timeout == 0 {
		return 0
	}
	return max(timeout-used, time.Millisecond)
}

// keep notes a task's wait, and what its polls have shown; nil: nothing new. It must be called in the callback that has
// got w. It saves that if it is time to, or urgent.
func (s *state) keep(w *taskwait.Wait, seen *tracked, urgent bool) error {
	i := slices.IndexFunc(s.kept.Tasks, func(t *keptTask) bool { return t.ID == w.ID || t.ID == "" })
	if i < 0 || s.kept.Ended != nil {
		return errors.New("this wait is not kept here")
	}
	text, err := json.Marshal(w)
	if err != nil {
		return err
	}
	t := s.kept.Tasks[i]
	if t.ID, t.Wait = w.ID, text; seen != nil {
		t.Polls, t.Errors, t.Seen, t.Failed = seen.polls, seen.errors, seen.seen.UTC(), seen.failed
	}
	if !urgent && time.Since(s.saved) < stateEvery {
		return nil
	}
	return s.save()
}

// save writes the file, so that it is there even if the machine stops.
func (s *state) save() error {
	s.saved = time.Now() // what fails is not tried again before its time
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(s.kept); err != nil {
		return err
	}
	if err := replaceFile(s.path, text.Bytes(), (*os.File).Sync); err != nil {
		return err
	}
	if dir, err := os.Open(filepath.Dir(s.path)); err == nil {
		_ = dir.Sync() // which some systems cannot
		_ = dir.Close()
	}
	return nil
}

// close frees the lock.
func (s *state) close() {
	if s != nil {
		s.unlock()
	}
}

// restore makes the run the one that the state is of.
func (r *run) restore(s *state) {
	if r.state = s; s == nil {
		return
	}
	r.begun, r.selection.since = s.kept.Begun, s.kept.Since
	if len(s.kept.Tasks) == 0 {
		return
	}
	for _, t := range s.kept.Tasks {
		r.tasks[t.ID] = &tracked{polls: t.Polls, errors: t.Errors, seen: t.Seen, failed: t.Failed}
	}
	if r.selection.name == "" {
		r.selection.ids = s.kept.ids()
	}
}

// resumeAll goes on with all waits.
func (r *run) resumeAll(ctx context.Context, waiter *taskwait.Waiter) error {
	errs := make([]error, len(r.state.kept.Tasks))
	var all sync.WaitGroup
	for i, t := range r.state.kept.Tasks {
		wait, err := t.wait()
		if err != nil {
			return err
		}
		budget := taskwait.WithTimeout(r.state.budget(t, r.timeout))
		all.Go(func() { _, errs[i] = waiter.Resume(ctx, wait, budget) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// keep keeps what a task's polls have shown. That this fails is reported once.
func (r *run) keep(p *taskwait.Progress, seen *tracked, urgent bool) {
	if r.state != nil && p.Wait != nil && len(r.state.kept.Tasks) > 0 {
		r.unsaved(r.state.keep(p.Wait, seen, urgent))
	}
}

// keepEnd keeps how everything ended, where that is final; e is the last event.
func (r *run) keepEnd(e *event) {
	if r.state == nil {
		return
	}
	if r.final() {
		r.state.kept.Ended = &keptEnd{append(r.last, e), e.command}
	}
	r.unsaved(r.state.save())
}

// final reports whether the same command, begun again with its state, would end as it has: it was not stopped, and the
// service has let it do what it was to do.
func (r *run) final() bool {
	return !slices.ContainsFunc(r.outcomes, func(o outcome) bool {
		return slices.Contains([]outcome{stopped, noAnswer, notStarted, perhapsStarted}, o)
	})
}

func (r *run) unsaved(err error) {
	if err != nil && !r.state.faulty {
		r.state.faulty = true
		r.send(&event{Event: eventWarning, Message: clip("the state cannot be saved: " + err.Error())})
	}
}

// replay reports how everything ended, and gives the exit code as an error, unless it is 0.
func (r *run) replay(ctx context.Context) error {
	events := r.state.kept.Ended.Events
	e := events[len(events)-1]
	if r.forPeople {
		r.env.note(ctx, fmt.Sprintf("%s: this ended at %s", clip(r.state.path), e.Time.Format(time.RFC3339)))
	}
	r.reporter = r.reports()
	r.start("")
	for _, e := range events {
		r.reporter.report(e)
	}
	r.reporter.close()
	r.printValue(events)
	r.env.out.flush(ctx)
	if e.command = r.state.kept.Ended.Resume; r.forPeople {
		r.printSummary(e, signalError{}, false)
	}
	if *e.ExitCode != codeOK {
		return &exitError{code: *e.ExitCode}
	}
	return nil
}
