package sourcetest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/sourcetest"
)

// status is an answer with a task in this status.
func status(s taskwait.Status) sourcetest.Answer {
	return sourcetest.Answer{Task: taskwait.Task{Status: s}}
}

func after(d time.Duration, a sourcetest.Answer) sourcetest.Answer {
	a.After = d
	return a
}

func times(n int, a sourcetest.Answer) sourcetest.Answer {
	a.Times = n
	return a
}

// said is an answer in one word.
func said(task taskwait.Task, err error) string {
	var q *taskwait.QueryError
	switch {
	case errors.As(err, &q):
		return q.Class.String()
	case err != nil:
		return err.Error()
	}
	return string(task.Status)
}

func TestScript(t *testing.T) {
	created, executing, success := status("CREATED"), status("EXECUTING"), status("SUCCESS")
	eof := sourcetest.Answer{Err: io.EOF}
	for _, tt := range []struct {
		name   string
		script []sourcetest.Answer
		polls  []time.Duration // since the first
		want   string
	}{
		{"one answer stays", []sourcetest.Answer{success}, []time.Duration{0, 1, time.Hour}, "SUCCESS SUCCESS SUCCESS"},
		{
			"one after the other", []sourcetest.Answer{created, eof, success}, []time.Duration{0, 1, 2, 3},
			"CREATED EOF SUCCESS SUCCESS",
		},
		{
			"times", []sourcetest.Answer{times(2, eof), times(1, created), success}, []time.Duration{0, 1, 2, 3},
			"EOF EOF CREATED SUCCESS",
		},
		{"times of the last", []sourcetest.Answer{times(2, eof)}, []time.Duration{0, 1, 2}, "EOF EOF EOF"},
		{
			"a time table", []sourcetest.Answer{created, after(10, executing), after(20, success)},
			[]time.Duration{0, 9, 10, 11, 19, 20, 21}, "CREATED CREATED EXECUTING EXECUTING EXECUTING SUCCESS SUCCESS",
		},
		{
			"a late poll", []sourcetest.Answer{created, after(10, executing), after(20, success)}, []time.Duration{0, 30},
			"CREATED SUCCESS",
		},
		{
			"more than Times until the next", []sourcetest.Answer{times(2, eof), after(10, success)},
			[]time.Duration{0, 1, 2, 10}, "EOF EOF EOF SUCCESS",
		},
		{"fewer than Times", []sourcetest.Answer{times(9, eof), after(10, success)}, []time.Duration{0, 10}, "EOF SUCCESS"},
		{
			"a time table, then one after the other", []sourcetest.Answer{created, after(10, times(2, eof)), success},
			[]time.Duration{0, 15, 16, 17}, "CREATED EOF EOF SUCCESS",
		},
		{
			"one after the other, between two times",
			[]sourcetest.Answer{created, after(10, eof), executing, after(20, success)},
			[]time.Duration{0, 10, 11, 12, 20}, "CREATED EOF EXECUTING EXECUTING SUCCESS",
		},
		{"passed over", []sourcetest.Answer{created, eof, after(20, success)}, []time.Duration{0, 20}, "CREATED SUCCESS"},
		{
			"not there at first", []sourcetest.Answer{after(10, success)}, []time.Duration{0, 9, 10},
			"not found not found SUCCESS",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			source := sourcetest.Script(tt.script...) // outside of the bubble, too
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var got []string
				for _, at := range tt.polls {
					time.Sleep(time.Until(began.Add(at)))
					got = append(got, said(source.Task(t.Context(), "one")))
				}
				if got := strings.Join(got, " "); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			})
		})
	}
}

// TestScriptByID: every id has the script for itself, from its own first poll on.
func TestScriptByID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourcetest.Script(times(2, status("CREATED")), status("EXECUTING"), after(time.Minute, status("SUCCESS")))
		poll := func(id string) string {
			task, err := source.Task(t.Context(), id)
			if task.ID != id {
				t.Errorf("got the id %q, want %q", task.ID, id)
			}
			return said(task, err)
		}
		got := []string{poll("a"), poll("a"), poll("a"), poll("b")}
		time.Sleep(59 * time.Second)
		got = append(got, poll("c"))
		time.Sleep(time.Second)
		got = append(got, poll("a"), poll("b"), poll("c"), poll("c"))
		want := []string{
			"CREATED", "CREATED", "EXECUTING", "CREATED", "CREATED", "SUCCESS", "SUCCESS", "CREATED", "EXECUTING",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestScriptTask(t *testing.T) {
	percent, raw := 50, new(int)
	answers := []sourcetest.Answer{{Times: 2, Task: taskwait.Task{
		ID: "another", Status: "EXECUTING", Percent: &percent, Steps: []taskwait.Step{{Name: "one"}}, Raw: raw,
	}}, {Err: io.EOF, Task: taskwait.Task{ID: "a"}}}
	source := sourcetest.Script(answers...)
	answers[0].Err = io.EOF // the script has its own
	a, err := source.Task(t.Context(), "a")
	if err != nil || a.ID != "another" || a.Raw != raw {
		t.Fatalf("got %v, %v, want the task as it was given", a, err)
	}
	*a.Percent, a.Steps[0].Name = 99, "mine"
	if b, err := source.Task(t.Context(), "a"); err != nil || *b.Percent != 50 || b.Steps[0].Name != "one" {
		t.Errorf("got %v, %v, want an answer that shares nothing with the one before", b, err)
	}
	if c, err := source.Task(t.Context(), "a"); !errors.Is(err, io.EOF) || c.ID != "" {
		t.Errorf("got %v, %v, want the error and no task", c, err)
	}
}

// TestScriptContext: a poll that was never sent uses up no answer.
func TestScriptContext(t *testing.T) {
	source := sourcetest.Script(status("CREATED"), status("SUCCESS"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if task, err := source.Task(ended, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v, want context.Canceled", task, err)
	}
	if got := said(source.Task(t.Context(), "a")); got != "CREATED" {
		t.Errorf("got %s, want CREATED", got)
	}
}

func TestScriptConcurrent(t *testing.T) {
	const polls = 100
	source := sourcetest.Script(times(polls/2, status("CREATED")), status("SUCCESS"))
	for _, id := range []string{"a", "b"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			var all sync.WaitGroup
			answers := make(chan string, polls)
			for range polls {
				all.Go(func() { answers <- said(source.Task(t.Context(), id)) })
			}
			all.Wait()
			close(answers)
			count := map[string]int{}
			for a := range answers {
				count[a]++
			}
			if count["CREATED"] != polls/2 || count["SUCCESS"] != polls/2 {
				t.Errorf("got %v, want each %d times", count, polls/2)
			}
		})
	}
}

func TestScriptPanics(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script []sourcetest.Answer
		want   string
	}{
		{"no answer", nil, "there is no answer"},
		{"negative After", []sourcetest.Answer{{After: -1}}, "answer 0: After -1ns and Times 0 must not be negative"},
		{"negative Times", []sourcetest.Answer{{}, {Times: -1}}, "answer 1: After 0s and Times -1 must not be negative"},
		{
			"back in time", []sourcetest.Answer{{After: 2}, {}, {After: 1}},
			"answer 2: After 1ns must be later than 2ns, the one before it",
		},
		{"twice the same time", []sourcetest.Answer{{After: 2}, {After: 2}}, "answer 1: After 2ns must be later than 2ns"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "sourcetest: Script: "+tt.want) {
					t.Errorf("got the panic %q, want it to begin with %q", got, tt.want)
				}
			}()
			sourcetest.Script(tt.script...)
		})
	}
}

// TestScriptWait is how a Script is used: what a wait makes of it, to the second.
func TestScriptWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourcetest.Script(
			status("CREATED"), times(2, sourcetest.Answer{Err: io.EOF}), status("EXECUTING"),
			after(40*time.Minute, status("FAILED")),
		)
		w, err := taskwait.New(source, taskwait.WithInterval(10*time.Second, 10*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		began, errs := time.Now(), 0
		task, err := w.WaitForTask(t.Context(), "one", taskwait.WithProgress(func(p taskwait.Progress) { errs = p.Errors }))
		if took := time.Since(began); !errors.Is(err, taskwait.ErrTaskFailed) || task.ID != "one" || took != 40*time.Minute ||
			errs != 2 {
			t.Errorf("got %v, %v after %v with %d errors, want ErrTaskFailed for \"one\" after 40m and 2 errors", task, err,
				took, errs)
		}
	})
}

// TestScriptRun: a Script is itself a Source as it should be.
func TestScriptRun(t *testing.T) {
	var now taskwait.Source
	sourcetest.Run(t, func(*testing.T) sourcetest.Subject {
		return sourcetest.Subject{
			Source: taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
				return now.Task(ctx, id)
			}),
			ID: "one",
			Arrange: func(s sourcetest.Situation) error {
				answer, ok := arranged[s]
				if !ok {
					return errors.ErrUnsupported
				}
				now = sourcetest.Script(answer)
				return nil
			},
		}
	})
}

var arranged = map[sourcetest.Situation]sourcetest.Answer{
	sourcetest.Created:     status(taskwait.StatusCreated),
	sourcetest.Executing:   {Task: taskwait.Task{Status: taskwait.StatusExecuting, Percent: new(int)}},
	sourcetest.Succeeded:   {Task: taskwait.Task{Status: taskwait.StatusSuccess, Percent: new(int)}},
	sourcetest.Failed:      status(taskwait.StatusFailed),
	sourcetest.OddStatus:   status(sourcetest.UnknownStatus),
	sourcetest.EmptyObject: {Err: io.ErrUnexpectedEOF},
	sourcetest.NoSuchTask:  {After: time.Hour},
	sourcetest.ThrottledFor: {Err: &taskwait.QueryError{
		Class: taskwait.ClassThrottled, RetryAfter: sourcetest.RetryAfter, Err: errors.New("429"),
	}},
}
