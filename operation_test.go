package taskwait

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// starter is the service behind an operation: what Start, Find and Busy answer in turn, the last one again and again.
type starter struct {
	starts []error
	ids    []string // those of the starts
	finds  []any    // []Task or error; nil: nothing can be found
	busy   []string // nil: it is not asked
	slow   time.Duration
	deaf   bool

	started, looked, asked []float64
	begin                  time.Time
}

func take[T any](all []T, n int) T { return all[min(n, len(all)-1)] }

func (s *starter) now() float64 { return time.Since(s.begin).Seconds() }

func (s *starter) operation() Operation {
	s.begin = time.Now()
	op := Operation{Name: "resize", Start: s.start}
	if s.finds != nil {
		op.Find = s.find
	}
	if s.busy != nil {
		op.Busy = func(context.Context) (string, error) {
			s.asked = append(s.asked, s.now())
			return take(s.busy, len(s.asked)-1), nil
		}
	}
	return op
}

func (s *starter) start(ctx context.Context, _ Attempt) (id string, err error) {
	n := len(s.started)
	s.started = append(s.started, s.now())
	if s.slow > 0 {
		done := ctx.Done()
		if s.deaf {
			done = nil
		}
		select {
		case <-time.After(s.slow):
		case <-done:
			return "", ctx.Err()
		}
	}
	if s.ids != nil {
		id = take(s.ids, n)
	}
	return id, take(s.starts, n)
}

func (s *starter) find(context.Context, Attempt) ([]Task, error) {
	s.looked = append(s.looked, s.now())
	switch a := take(s.finds, len(s.looked)-1).(type) {
	case error:
		return nil, a
	case []Task:
		return a, nil
	}
	return nil, nil
}

func refusal(c Class) error {
	return &QueryError{Class: c, Code: "DMS.00400017", Err: errors.New("no")}
}

func TestDo(t *testing.T) {
	ours, other := Task{
		ID:     "id",
		Kind:   "resize",
		Status: StatusExecuting,
	}, Task{
		ID:     "other",
		Kind:   "resize",
		Status: StatusExecuting,
	}
	busy, good := seen(StatusExecuting), seen(StatusSuccess)
	conflict, throttled, notSent := refusal(ClassConflict), refusal(ClassThrottled), refusal(ClassNotSent)
	one := []string{"id"}
	cut := errors.New("connection reset")
	tests := []struct {
		name    string
		s       starter
		looks   []answer
		opts    []Option
		want    []error // what the error Is; nil: success
		not     []error
		id      string // in the task, or the error
		started []float64
		elapsed float64
		found   int // candidates
	}{
		{
			name: "an id", s: starter{starts: []error{nil}, ids: one}, looks: []answer{busy, good}, id: "id",
			started: []float64{0}, elapsed: 5,
		},
		{
			name: "the task fails", s: starter{starts: []error{nil}, ids: one}, looks: []answer{seen(StatusFailed)},
			id: "id", want: []error{ErrTaskFailed}, not: []error{ErrNotStarted, ErrOutcomeUnknown},
			started: []float64{0},
		},
		{
			name: "the wait times out: the id is not lost", s: starter{starts: []error{nil}, ids: one},
			looks: []answer{busy}, opts: []Option{WithTimeout(8 * time.Second)}, id: "id",
			want: []error{ErrTimeout, context.DeadlineExceeded}, not: []error{ErrNotStarted, ErrOutcomeUnknown},
			started: []float64{0}, elapsed: 8,
		},
		{
			name: "throttled, then accepted", s: starter{starts: []error{throttled, nil}, ids: []string{"", "id"}},
			looks: []answer{good}, id: "id", started: []float64{0, 5}, elapsed: 5,
		},
		{
			name: "never left, then accepted", s: starter{starts: []error{notSent, nil}, ids: []string{"", "id"}},
			looks: []answer{good}, id: "id", started: []float64{0, 5}, elapsed: 5,
		},
		{
			name: "never left, for too long", s: starter{starts: []error{notSent}}, looks: []answer{good},
			opts: []Option{WithErrorTolerance(10 * time.Second)}, want: []error{ErrQuery, ErrNotStarted},
			started: []float64{0, 5, 10}, elapsed: 10,
		},
		{
			name:  "busy for a while",
			s:     starter{starts: []error{conflict, nil}, ids: []string{"", "id"}, busy: []string{"resize", "resize", ""}},
			looks: []answer{busy, good}, id: "id", started: []float64{0, 15}, elapsed: 20,
		},
		{
			name: "busy twice",
			s: starter{
				starts: []error{conflict, conflict, nil},
				ids:    []string{"", "", "id"},
				busy:   []string{"x", "", "x", ""},
			},
			looks: []answer{good}, id: "id", started: []float64{0, 10, 20}, elapsed: 20,
		},
		{
			name: "busy to the end: nothing is begun at the deadline",
			s:    starter{starts: []error{conflict}, busy: []string{"x", "x", ""}}, looks: []answer{good},
			opts: []Option{WithTimeout(14 * time.Second)},
			want: []error{ErrTimeout, ErrNotStarted, context.DeadlineExceeded}, not: []error{ErrOutcomeUnknown},
			started: []float64{0}, elapsed: 14,
		},
		{
			name: "conflict, and nobody to ask", s: starter{starts: []error{conflict, nil}, ids: []string{"", "id"}},
			looks: []answer{good}, id: "id", started: []float64{0, 5}, elapsed: 5,
		},
		{
			name: "one budget for all", s: starter{starts: []error{conflict, nil}, ids: []string{"", "id"}},
			looks: []answer{busy}, opts: []Option{WithTimeout(12 * time.Second)}, id: "id", want: []error{ErrTimeout},
			not: []error{ErrNotStarted}, started: []float64{0, 5}, elapsed: 12,
		},
		{
			name: "refused", s: starter{starts: []error{refusal(ClassPermanent)}}, want: []error{ErrNotStarted},
			not: []error{ErrQuery, ErrOutcomeUnknown}, started: []float64{0},
		},
		{
			name: "not found is a refusal", s: starter{starts: []error{refusal(ClassNotFound)}},
			want: []error{ErrNotStarted}, started: []float64{0},
		},

		{
			name: "an unclear answer is not sent again", s: starter{starts: []error{cut}},
			want: []error{ErrOutcomeUnknown}, not: []error{ErrNotStarted, ErrQuery}, started: []float64{0},
		},
		{
			name: "transient is unclear", s: starter{starts: []error{refusal(ClassTransient)}},
			want: []error{ErrOutcomeUnknown}, started: []float64{0},
		},
		{
			name: "unclear, and a task appears", s: starter{starts: []error{cut}, finds: []any{nil, []Task{ours}}},
			want: []error{ErrOutcomeUnknown}, started: []float64{0}, elapsed: 5, found: 1,
		},
		{
			name: "unclear, and none appears", s: starter{starts: []error{cut}, finds: []any{nil}},
			want: []error{ErrOutcomeUnknown}, started: []float64{0}, elapsed: 10,
		},
		{
			name: "unclear, and two appear", s: starter{starts: []error{cut}, finds: []any{[]Task{ours, other}}},
			want: []error{ErrOutcomeUnknown}, not: []error{ErrAmbiguous}, started: []float64{0}, found: 2,
		},
		{
			name: "no answer in time", s: starter{starts: []error{nil}, ids: one, slow: time.Hour},
			want: []error{ErrOutcomeUnknown}, started: []float64{0}, elapsed: 35,
		},
		{
			name: "no answer in time, from one that is deaf",
			s:    starter{starts: []error{nil}, ids: one, slow: 52 * time.Second, deaf: true}, looks: []answer{good},
			id: "id", started: []float64{0}, elapsed: 55,
		},
		{
			name: "in flight at the deadline", s: starter{starts: []error{nil}, ids: one, slow: 12 * time.Second},
			looks: []answer{good}, opts: []Option{WithTimeout(10 * time.Second)}, id: "id", started: []float64{0},
			elapsed: 12,
		},
		{
			name: "stuck at the deadline",
			s:    starter{starts: []error{nil}, ids: one, slow: time.Hour, finds: []any{nil}}, looks: []answer{good},
			opts: []Option{WithTimeout(10 * time.Second)}, want: []error{ErrTimeout, ErrOutcomeUnknown},
			not: []error{ErrNotStarted}, started: []float64{0}, elapsed: 14,
		},

		{
			name: "found at once", s: starter{starts: []error{nil}, finds: []any{[]Task{ours}}},
			looks: []answer{busy, good}, id: "id", started: []float64{0}, elapsed: 10,
		},
		{
			name:  "found later",
			s:     starter{starts: []error{nil}, finds: []any{nil, errors.New("reset"), []Task{ours}}},
			looks: []answer{good}, id: "id", started: []float64{0}, elapsed: 10,
		},
		{
			name: "never found", s: starter{starts: []error{nil}, finds: []any{nil}}, want: []error{ErrTaskNotFound},
			not: []error{ErrNotStarted, ErrOutcomeUnknown}, started: []float64{0}, elapsed: 60,
		},
		{
			name: "two of them", s: starter{starts: []error{nil}, finds: []any{[]Task{ours, other}}},
			want: []error{ErrAmbiguous}, started: []float64{0}, found: 2,
		},
		{
			name:  "another one turns up by the end",
			s:     starter{starts: []error{nil}, finds: []any{[]Task{ours}, []Task{other, ours}}},
			looks: []answer{busy, good}, id: "id", want: []error{ErrAmbiguous}, started: []float64{0}, elapsed: 10,
			found: 2,
		},
		{
			name: "it was another one", s: starter{starts: []error{nil}, finds: []any{[]Task{ours}, []Task{other}}},
			looks: []answer{good}, id: "id", want: []error{ErrAmbiguous}, started: []float64{0}, elapsed: 10,
			found: 1,
		},
		{
			name: "its record is gone by the end", s: starter{starts: []error{nil}, finds: []any{[]Task{ours}, nil}},
			looks: []answer{good}, id: "id", started: []float64{0}, elapsed: 10,
		},
		{
			name:  "no doubt about a failure either",
			s:     starter{starts: []error{nil}, finds: []any{[]Task{ours}, []Task{other, ours}}},
			looks: []answer{seen(StatusFailed)}, id: "id", want: []error{ErrAmbiguous}, not: []error{ErrTaskFailed},
			started: []float64{0}, elapsed: 10, found: 2,
		},
		{
			name: "no id and nothing to find it by", s: starter{starts: []error{nil}}, want: []error{ErrTaskNotFound},
			not: []error{ErrNotStarted}, started: []float64{0},
		},
		{
			name: "an id that cannot be one", s: starter{starts: []error{nil}, ids: []string{"a/b"}}, id: "a/b",
			want: []error{ErrInvalidID}, not: []error{ErrNotStarted}, started: []float64{0},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if tt.looks == nil {
					tt.looks = []answer{failed(ClassPermanent, 0)} // is not asked
				}
				s := &tt.s
				begin := time.Now()
				task, err := newWaiter(t, script(tt.looks...), every(5*time.Second)).Do(t.Context(), s.operation(), tt.opts...)
				if elapsed := time.Since(begin).Seconds(); elapsed != tt.elapsed {
					t.Errorf("elapsed = %v s, want %v", elapsed, tt.elapsed)
				}
				if !reflect.DeepEqual(s.started, tt.started) {
					t.Errorf("started at %v s, want %v", s.started, tt.started)
				}
				checkDone(t, task, err, tt.want, tt.not, tt.id, tt.found)
				time.Sleep(time.Hour)
			})
		})
	}
}

func checkDone(t *testing.T, task Task, err error, want, not []error, id string, found int) {
	t.Helper()
	if (err == nil) != (want == nil) {
		t.Fatalf("error = %v, want %v", err, want)
	}
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("error %v is not %v", err, w)
		}
	}
	for _, n := range not {
		if errors.Is(err, n) {
			t.Errorf("error %v is %v", err, n)
		}
	}
	if err == nil {
		if task.ID != id || task.Status != StatusSuccess {
			t.Errorf("task = %v, want SUCCESS of %q", task, id)
		}
		return
	}
	e := asWaitError(t, err)
	if e.ID != id || len(e.Candidates) != found || e.Operation != "resize" {
		t.Errorf("id %q, %d candidates, operation %q; want %q, %d, resize", e.ID, len(e.Candidates), e.Operation, id, found)
	}
	if e.StillRunning() != !(errors.Is(err, ErrNotStarted) || e.Task.Status.Terminal() && !errors.Is(err, ErrAmbiguous)) {
		t.Errorf("still running: %v after %v", e.StillRunning(), err)
	}
}

// TestDoStops: the end of the context is the end of Do, and the error tells what was under way.
func TestDoStops(t *testing.T) {
	tests := []struct {
		name  string
		s     starter
		looks answer
		after time.Duration
		want  error // besides context.Canceled
		id    string
	}{
		{name: "before the start", s: starter{starts: []error{nil}}, after: 0, want: ErrNotStarted},
		{
			name: "while busy", s: starter{starts: []error{refusal(ClassConflict)}, busy: []string{"x"}},
			after: 7 * time.Second, want: ErrNotStarted,
		},
		{
			name: "in the middle of the call",
			s:    starter{starts: []error{nil}, ids: []string{"id"}, slow: 10 * time.Second}, after: 7 * time.Second,
			want: ErrOutcomeUnknown,
		},
		{
			name: "while looking for the task", s: starter{starts: []error{nil}, finds: []any{nil}},
			after: 7 * time.Second, want: context.Canceled,
		},
		{
			name: "while waiting", s: starter{starts: []error{nil}, ids: []string{"id"}},
			looks: seen(StatusExecuting), after: 7 * time.Second, want: context.Canceled, id: "id",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := cancelAfter(t, tt.after, errors.New("that will do"))
				if tt.after == 0 {
					synctest.Wait()
				}
				begin := time.Now()
				_, err := newWaiter(t, script(tt.looks), every(5*time.Second)).Do(ctx, tt.s.operation())
				if !errors.Is(err, context.Canceled) || !errors.Is(err, tt.want) || time.Since(begin) > tt.after {
					t.Errorf("%v after %v, want %v after %v", err, time.Since(begin), tt.want, tt.after)
				}
				if e := asWaitError(t, err); e.ID != tt.id || !strings.Contains(err.Error(), "that will do") {
					t.Errorf("id %q, want %q: %v", e.ID, tt.id, err)
				}
			})
		})
	}
}

// TestDoTells checks what Progress and the errors say.
func TestDoTells(t *testing.T) {
	tests := []struct {
		name  string
		s     starter
		looks []answer
		opts  []Option
		want  string
		tells []string
	}{
		{
			name:  "busy, then done",
			s:     starter{starts: []error{refusal(ClassConflict), nil}, ids: []string{"", "id"}, busy: []string{"x", ""}},
			looks: []answer{seen(StatusExecuting), seen(StatusSuccess)}, want: "<nil>",
			tells: []string{
				`"" no (DMS.00400017) 5s`, `"" busy: x 5s`, // free at 10 s
				`EXECUTING <nil> 5s`, `SUCCESS <nil> 0s`, `SUCCESS done <nil>`,
			},
		},
		{
			name: "refused", s: starter{starts: []error{refusal(ClassPermanent)}},
			want: `taskwait: operation resize: not started after 0s: it was refused, 1 poll, 1 error, last: no (DMS.00400017)`,
			tells: []string{
				`"" no (DMS.00400017) 0s`,
				`"" done taskwait: operation resize: not started after 0s: it was refused, 1 poll, 1 error, last: ` +
					`no (DMS.00400017)`,
			},
		},
		{
			name: "busy to the end", s: starter{starts: []error{refusal(ClassConflict)}, busy: []string{"x"}},
			opts: []Option{WithTimeout(5 * time.Second)},
			want: `taskwait: operation resize: timed out after 5s: it was not started, 2 polls, 2 errors, ` +
				`the final poll failed: busy: x`,
		},
		{
			name: "unclear",
			s: starter{
				starts: []error{errors.New("reset")}, finds: []any{[]Task{{ID: "a", Kind: "resize", Status: StatusExecuting}}},
			},
			want: `taskwait: operation resize: outcome unknown after 0s: it may have been started, ` +
				`do not send it again unseen, perhaps as "a" EXECUTING (resize), 1 poll, 1 error, last: reset`,
		},
		{
			name: "unclear, nothing seen", s: starter{starts: []error{errors.New("reset")}, finds: []any{nil}},
			want: `taskwait: operation resize: outcome unknown after 0s: it may have been started, ` +
				`do not send it again unseen, no task of it has been seen, 1 poll, 1 error, last: reset`,
		},
		{
			name: "ambiguous",
			s: starter{
				starts: []error{nil}, finds: []any{[]Task{{ID: "a", Status: StatusExecuting}, {ID: "b", Status: StatusCreated}}},
			},
			want: `taskwait: operation resize: ambiguous after 0s: it was started, perhaps as "a" EXECUTING or "b" CREATED, ` +
				`2 polls, 1 error, last: 2 tasks may be the operation's`,
		},
		{
			name: "never found", s: starter{starts: []error{nil}, finds: []any{nil}},
			opts: []Option{WithNotFoundGrace(5 * time.Second)},
			want: `taskwait: operation resize: task not found after 5s: it was started, its task is not known, 3 polls, ` +
				`2 errors, last: no task of the operation has appeared`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var tells []string
				tell := WithProgress(func(p Progress) {
					status := string(p.Task.Status)
					if status == "" {
						status = `""`
					}
					if p.Done {
						tells = append(tells, fmt.Sprintf("%s done %v", status, p.Outcome))
					} else {
						tells = append(tells, fmt.Sprintf("%s %v %v", status, p.Err, p.Next))
					}
				})
				_, err := newWaiter(
					t,
					script(tt.looks...),
					every(5*time.Second),
					tell,
				).Do(t.Context(), tt.s.operation(), tt.opts...)
				if got := fmt.Sprint(err); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
				if tt.tells != nil && !reflect.DeepEqual(tells, tt.tells) {
					t.Errorf("got  %q\nwant %q", tells, tt.tells)
				}
			})
		})
	}
}

func TestDoRejects(t *testing.T) {
	w := newWaiter(t, script(seen(StatusSuccess)))
	start := func(context.Context, Attempt) (string, error) { return "id", nil }
	for name, do := range map[string]func() error{
		"no Start": func() error { _, err := w.Do(t.Context(), Operation{Name: "x"}); return err },
		//nolint:staticcheck // that is what is tested
		"nil context": func() error { _, err := w.Do(nil, Operation{Start: start}); return err },
		"a bad option": func() error {
			_, err := w.Do(t.Context(), Operation{Start: start}, WithConfirmations(-1))
			return err
		},
	} {
		err := do()
		if !errors.Is(err, ErrInvalidOption) || !errors.Is(err, ErrNotStarted) || asWaitError(t, err).StillRunning() {
			t.Errorf("%s: %v, want ErrInvalidOption and ErrNotStarted, and nothing running", name, err)
		}
	}
}

// TestDoPanics: a panic in Start comes to the caller of Do.
func TestDoPanics(t *testing.T) {
	defer func() {
		if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "boom") {
			t.Errorf("recovered %v", v)
		}
	}()
	_, err := newWaiter(
		t,
		script(seen(StatusSuccess)),
	).Do(t.Context(), Operation{Start: func(context.Context, Attempt) (string, error) { panic("boom") }})
	t.Errorf("returned %v", err)
}
