package taskwait

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf8"

	"github.com/taskwait/taskwait/internal/text"
)

// storedVersion is the version of the JSON of a Wait. Whatever changes in storedWait makes it another one, and what was
// stored in an older one is read for ever: testdata has one of each.
const storedVersion = 1

// storedWait is a Wait in JSON. Times are counted back from SavedAt: so they keep what lies between them, whatever
// becomes of the clock.
type storedWait struct {
	Version  int         `json:"v"`
	ID       string      `json:"id"`
	SavedAt  *time.Time  `json:"at,omitempty"` // nil: it has not begun, and there is nothing more
	Began    *ago        `json:"began,omitempty"`
	PassedAt *ago        `json:"passed,omitempty"`
	Planned  *ago        `json:"planned,omitempty"`
	Started  *ago        `json:"started,omitempty"`
	Ran      *ago        `json:"ran,omitempty"`
	Running  *ago        `json:"running,omitempty"`
	Changed  *ago        `json:"changed,omitempty"`
	Looks    uint32      `json:"looks,omitempty"`
	Step     int32       `json:"step,omitempty"`
	Polls    int32       `json:"polls,omitempty"`
	Errors   int32       `json:"errors,omitempty"`
	Failing  int32       `json:"failing,omitempty"`
	Erring   *storedRun  `json:"erring,omitempty"`
	NotFound *storedRun  `json:"notFound,omitempty"`
	Refused  *storedRun  `json:"refused,omitempty"`
	Success  int32       `json:"success,omitempty"`
	Left     bool        `json:"left,omitempty"`   // the stale phase
	Listed   bool        `json:"listed,omitempty"` // a list was readable
	Plain    bool        `json:"plain,omitempty"`  // there are no details
	Over     bool        `json:"over,omitempty"`   // the task has ended
	Task     *storedTask `json:"task,omitempty"`   // nil: none was seen
	Op       *storedOp   `json:"op,omitempty"`     // nil: it is of no operation

	Details *storedDetails `json:"details,omitempty"` // what a Detailer has last reported; nil: nothing
}

// storedHead is what each version of it has.
type storedHead struct {
	Version int `json:"v"`
}

// ago is a time, in nanoseconds before SavedAt.
type ago time.Duration

// storedRun is a streak.
type storedRun struct {
	Since *ago `json:"since"`
	Count int  `json:"n"`
}

// storedTask is what is kept of a Task.
type storedTask struct {
	Status      Status     `json:"status,omitempty"`
	Kind        string     `json:"kind,omitempty"`
	Phase       string     `json:"phase,omitempty"`
	Code        string     `json:"code,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	Percent     *int       `json:"percent,omitempty"`
	CreatedAt   *time.Time `json:"created,omitempty"`
	UpdatedAt   *time.Time `json:"updated,omitempty"`
	Unconfirmed bool       `json:"unconfirmed,omitempty"`
}

// storedDetails is what is kept of what a Detailer has reported.
type storedDetails struct {
	At      *ago          `json:"at"`
	Percent *int          `json:"percent,omitempty"`
	Steps   uint32        `json:"steps,omitempty"` // their appearance
	Left    time.Duration `json:"left,omitempty"`
}

// storedOp is what is kept of an Operation.
type storedOp struct {
	Name     string     `json:"name"`
	Key      string     `json:"key,omitempty"`
	Before   *time.Time `json:"before,omitempty"` // Attempt.At
	Seen     []string   `json:"seen,omitempty"`
	Sent     *ago       `json:"sent,omitempty"`
	Accepted *ago       `json:"accepted,omitempty"`
	Found    bool       `json:"found,omitempty"`
}

// How much of a text is stored, in bytes of JSON.
const (
	storedWord   = 64
	storedReason = 256
)

// MarshalJSON gives the form in which a Wait is stored. A Wait that has not changed gives the same bytes again.
func (w Wait) MarshalJSON() ([]byte, error) {
	if !utf8.ValidString(w.ID) {
		return nil, fmt.Errorf("taskwait: the wait for %s cannot be stored: its id is not UTF-8", text.Quote(w.ID))
	}
	x := storedWait{Version: storedVersion, ID: w.ID}
	if !w.savedAt.IsZero() {
		w.store(&x)
	}
	return json.Marshal(x)
}

func (w *Wait) store(x *storedWait) {
	at := w.savedAt.UTC()
	back := func(t time.Time) *ago {
		if t.IsZero() {
			return nil
		}
		d := ago(min(max(w.savedAt.Sub(t), -longestWait), longestWait))
		return &d
	}
	run := func(s streak) *storedRun {
		if s.count == 0 {
			return nil
		}
		return &storedRun{back(s.since), s.count}
	}
	s := &w.state
	x.SavedAt, x.Began, x.PassedAt, x.Planned = &at, back(w.began), back(w.passedAt), back(s.plannedAt)
	x.Started, x.Ran, x.Running = back(s.taskStartedAt), back(s.runAt), back(s.lastRunningAt)
	x.Changed, x.Looks = back(s.lastChangedAt), s.looks
	x.Step, x.Polls, x.Errors, x.Failing = s.step, s.polls, s.errors, s.failing
	x.Erring, x.NotFound, x.Refused = run(s.errorStreak), run(s.notFoundStreak), run(s.refusalStreak)
	x.Success, x.Left, x.Listed = s.successStreak, s.leftStalePhase, s.listReadable
	x.Plain, x.Over = s.noDetails, s.concluded
	if b := w.start; b != nil {
		x.Op = &storedOp{
			Name: b.name, Key: b.attempt.Key, Before: stamp(b.attempt.At), Seen: b.attempt.Seen,
			Sent: back(b.sentAt), Accepted: back(b.acceptedAt), Found: b.found,
		}
	}
	if !s.seen() {
		return
	}
	t := &s.task
	x.Task = &storedTask{
		Status: Status(short(string(t.Status), storedWord)), Kind: short(t.Kind, storedWord),
		Phase: short(t.Phase, storedWord), Code: short(t.FailureCode, storedWord),
		Reason: short(t.FailureReason, storedReason), Percent: t.Percent,
		CreatedAt: stamp(t.CreatedAt), UpdatedAt: stamp(t.UpdatedAt), Unconfirmed: t.Unconfirmed,
	}
	if r := s.reported; r != nil {
		x.Details = &storedDetails{back(r.at), r.percent, r.looks, r.left}
	}
}

// stamp is a time of the service's that JSON can hold; nil: it is unknown.
func stamp(t time.Time) *time.Time {
	t = t.UTC()
	if y := t.Year(); t.IsZero() || y < 1 || y > 9999 {
		return nil
	}
	return &t
}

// short cuts a text so that JSON needs no more than n bytes for it. What does not print is escaped.
func short(s string, n int) string {
	s = text.Clip(s)
	for width(s) > n {
		_, last := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-last]
	}
	return s
}

// width is how many bytes encoding/json needs for a text that prints.
func width(s string) int {
	n := len(s)
	for i := range len(s) {
		switch s[i] {
		case '"', '\\':
			n++
		case '<', '>', '&':
			n += len(`\u003c`) - 1
		}
	}
	return n
}

// UnmarshalJSON brings back what was stored. An error says what is wrong with it, and leaves w as it was: nothing is
// guessed. It is one where a later version has stored it, where it was cut, and where its times cannot be.
func (w *Wait) UnmarshalJSON(b []byte) error {
	var x storedWait
	if err := decodeStored(b, &x); err != nil {
		return fmt.Errorf("taskwait: not a stored wait: %w", err)
	}
	y := Wait{ID: x.ID}
	if x != (storedWait{Version: x.Version, ID: x.ID}) {
		if err := x.check(); err != nil {
			return fmt.Errorf("taskwait: the stored wait for %s cannot be: %w", text.Quote(x.ID), err)
		}
		y.restore(&x, time.Now())
	}
	*w = y
	return nil
}

// decodeStored reads it in one pass: what a later version has written is told apart when that fails.
func decodeStored(b []byte, x *storedWait) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	wrong := d.Decode(x)
	version := x.Version
	if wrong != nil {
		var v storedHead
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		version = v.Version
	}
	switch {
	case version > storedVersion:
		return fmt.Errorf("version %d, want at most %d: a later version of this library has written it", version,
			storedVersion)
	case version < 1:
		return errors.New("it has no version")
	case wrong != nil:
		return wrong
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more behind it")
	}
	return nil
}

const (
	// longestWait is how long ago anything in a stored wait can have been, and how far ahead its next poll.
	longestWait = 100 * 365 * 24 * time.Hour
	// storedSlack is how much later than SavedAt what has happened may be: none of our times is.
	storedSlack = time.Second
)

// check says what in a stored wait cannot be.
func (x *storedWait) check() error {
	if x.SavedAt == nil {
		return errors.New("it does not say when it was stored")
	}
	if y := x.SavedAt.Year(); y < 1970 || y > 2261 {
		return fmt.Errorf("at: year %d", y)
	}
	if x.Began == nil || x.Started == nil {
		return errors.New("it does not say when it began")
	}
	if p := x.Planned; p == nil || *p < -ago(longestWait) || *p > ago(longestWait) {
		return errors.New("planned: it does not say when the next poll is due")
	}
	if err := x.checkPast(); err != nil {
		return err
	}
	return x.checkCounts()
}

// checkPast checks the times of what has happened.
func (x *storedWait) checkPast() error {
	past := map[string]*ago{
		"began": x.Began, "passed": x.PassedAt, "started": x.Started, "ran": x.Ran, "running": x.Running,
		"changed": x.Changed,
	}
	for name, run := range map[string]*storedRun{"erring": x.Erring, "notFound": x.NotFound, "refused": x.Refused} {
		switch {
		case run == nil:
		case run.Since == nil || run.Count < 1 || run.Count > math.MaxInt32:
			return fmt.Errorf("%s: since when, and how often: %d", name, run.Count)
		default:
			past[name] = run.Since
		}
	}
	if d := x.Details; d != nil {
		if d.At == nil || d.Left < 0 {
			return fmt.Errorf("details: since when, and %v left", d.Left)
		}
		past["details"] = d.At
	}
	if x.Op != nil {
		past["sent"], past["accepted"] = x.Op.Sent, x.Op.Accepted
	}
	for name, a := range past {
		if a != nil && (*a < -ago(storedSlack) || *a > ago(longestWait)) {
			return fmt.Errorf("%s: %v before it was stored", name, time.Duration(*a))
		}
	}
	return nil
}

func (x *storedWait) checkCounts() error {
	for name, n := range map[string]int32{
		"step": x.Step, "polls": x.Polls, "errors": x.Errors, "failing": x.Failing, "success": x.Success,
	} {
		if n < 0 {
			return fmt.Errorf("%s: %d", name, n)
		}
	}
	switch t := x.Task; {
	case (t == nil) != (x.Changed == nil):
		return errors.New("the task, or when it was seen, is missing")
	case t == nil && (x.Over || x.Success > 0 || x.Running != nil):
		return errors.New("it has seen the task, and does not say what")
	case x.Op == nil && x.ID == "", x.Op != nil && x.Op.Found && x.ID == "":
		return errors.New("it does not say what it waits for")
	case x.Over && !t.Status.Terminal():
		return fmt.Errorf("the task is over, and its status is %s", text.Quote(string(t.Status)))
	case x.Success > 0 && !t.Status.Succeeded():
		return fmt.Errorf("the task has succeeded, and its status is %s", text.Quote(string(t.Status)))
	}
	return nil
}

// restore makes w what x says, now. Should the clock have stepped back since, no time has passed: no bound becomes
// longer by that.
func (w *Wait) restore(x *storedWait, now time.Time) {
	w.savedAt = now.Add(-max(now.Sub(*x.SavedAt), 0))
	at := func(a *ago) time.Time {
		if a == nil {
			return time.Time{}
		}
		return w.savedAt.Add(-time.Duration(*a))
	}
	run := func(r *storedRun) streak {
		if r == nil {
			return streak{}
		}
		return streak{at(r.Since), r.Count}
	}
	w.began, w.passedAt = at(x.Began), at(x.PassedAt)
	w.state = state{
		task: Task{ID: x.ID}, looks: x.Looks, step: x.Step, polls: x.Polls, errors: x.Errors, failing: x.Failing,
		taskStartedAt: at(x.Started), runAt: at(x.Ran), lastRunningAt: at(x.Running), lastChangedAt: at(x.Changed),
		plannedAt: at(x.Planned), errorStreak: run(x.Erring), notFoundStreak: run(x.NotFound), refusalStreak: run(x.Refused),
		successStreak: x.Success, leftStalePhase: x.Left, listReadable: x.Listed, noDetails: x.Plain, concluded: x.Over,
	}
	if o := x.Op; o != nil {
		w.start = &started{
			name: o.Name, attempt: Attempt{Key: o.Key, At: given(o.Before), Seen: o.Seen},
			sentAt: at(o.Sent), acceptedAt: at(o.Accepted), found: o.Found,
		}
	}
	t := x.Task
	if t == nil {
		return
	}
	w.state.task = Task{
		ID: x.ID, Status: t.Status, Kind: t.Kind, Phase: t.Phase, FailureCode: t.Code, FailureReason: t.Reason,
		Percent: t.Percent, CreatedAt: given(t.CreatedAt), UpdatedAt: given(t.UpdatedAt), Unconfirmed: t.Unconfirmed,
	}
	if d := x.Details; d != nil {
		w.state.reported = &reported{at: at(d.At), percent: d.Percent, looks: d.Steps, left: d.Left}
	}
}

func given(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
