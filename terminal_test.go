package taskwait

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"
)

func TestStatus(t *testing.T) {
	tests := []struct {
		status                     Status
		terminal, succeeded, known bool
	}{
		{StatusCreated, false, false, true},
		{StatusExecuting, false, false, true},
		{StatusSuccess, true, true, true},
		{StatusFailed, true, false, true},
		{StatusDeleted, true, false, true},
		{StatusCancelled, true, false, true},
		{"", false, false, false},
		{"PAUSED", false, false, false},
		{"success", false, false, false},
		{"Success", false, false, false},
		{"SUCCESS ", false, false, false},
		{"CANCELED", false, false, false},
	}
	for _, tt := range tests {
		s := tt.status
		if s.Terminal() != tt.terminal || s.Succeeded() != tt.succeeded || s.known() != tt.known {
			t.Errorf("%q: terminal %v, succeeded %v, known %v; want %v, %v, %v",
				s, s.Terminal(), s.Succeeded(), s.known(), tt.terminal, tt.succeeded, tt.known)
		}
	}
}

func TestTaskString(t *testing.T) {
	percent := 40
	task := Task{
		ID:            "8abf",
		Kind:          "resize",
		Status:        StatusExecuting,
		Percent:       &percent,
		Remaining:     90 * time.Second,
		FailureCode:   "X",
		FailureReason: "late",
	}
	if got, want := task.String(), `task "8abf": EXECUTING (resize), 40%, 1m30s left, X late`; got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
}

func TestTook(t *testing.T) {
	tests := []struct {
		name string
		task Task
		want time.Duration
	}{
		{"ended", Task{Status: StatusSuccess, CreatedAt: t0, UpdatedAt: t0.Add(3 * time.Second)}, 3 * time.Second},
		{"failed", Task{Status: StatusFailed, CreatedAt: t0, UpdatedAt: t0.Add(3 * time.Second)}, 3 * time.Second},
		{"running", Task{Status: StatusExecuting, CreatedAt: t0, UpdatedAt: t0.Add(time.Millisecond)}, 0},
		{"no end", Task{Status: StatusSuccess, CreatedAt: t0}, 0},
		{"no beginning", Task{Status: StatusSuccess, UpdatedAt: t0}, 0},
		{"ended before it began", Task{Status: StatusFailed, CreatedAt: t0, UpdatedAt: t0.Add(-time.Second)}, 0},
	}
	for _, tt := range tests {
		if got := tt.task.Took(); got != tt.want {
			t.Errorf("%s: Took = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestTaskJSON(t *testing.T) {
	percent := 40
	full := Task{
		ID: "8abf", Kind: "resize", Status: StatusFailed, Percent: &percent, Remaining: time.Second, CreatedAt: t0,
		UpdatedAt:   t0,
		FailureCode: "X", FailureReason: "late", Raw: &percent,
	}
	want := `{"id":"8abf","kind":"resize","status":"FAILED","failureCode":"X","failureReason":"late","percent":40,` +
		`"remaining":1000000000,"createdAt":"2026-11-23T12:00:00Z","updatedAt":"2026-11-23T12:00:00Z"}`
	text, err := json.Marshal(full)
	if err != nil || string(text) != want {
		t.Errorf("JSON = %s, %v\nwant   %s", text, err, want)
	}
	var back Task
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if full.Raw = nil; !reflect.DeepEqual(back, full) {
		t.Errorf("back from JSON: %v, want %v", back, full)
	}
	if text, _ := json.Marshal(Task{ID: "8abf", Status: StatusCreated}); string(
		text,
	) != `{"id":"8abf","status":"CREATED"}` {
		t.Errorf("JSON of a bare task = %s", text)
	}
}

// TestUnknownStatusIsNoSuccess: a status that nobody knows neither succeeds nor fails.
func TestUnknownStatusIsNoSuccess(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		for _, status := range []Status{"PAUSED", "SUCCESS ", "Success", "success", "SUCCESSFUL"} {
			var told []string
			_, err, elapsed := d.waitFor(t.Context(), newWaiter(t, script(seen(status)), WithTimeout(time.Hour)),
				WithProgress(func(p Progress) { told = append(told, fmt.Sprint(p.Err)) }))
			if !errors.Is(err, ErrTimeout) || elapsed != time.Hour || !asWaitError(t, err).StillRunning() {
				t.Errorf("%q: after %v: %v, want ErrTimeout after 1h, still running", status, elapsed, err)
			}
			if want := fmt.Sprintf("unknown status %q", string(status)); told[0] != want {
				t.Errorf("%q: progress told of %q, want %q", status, told[0], want)
			}
		}
	})
}

// TestEveryTerminalStatus: each terminal status ends a wait with its error, and no other does.
func TestEveryTerminalStatus(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		for status, want := range map[Status]error{
			StatusSuccess: nil, StatusFailed: ErrTaskFailed, StatusDeleted: ErrTaskDeleted, StatusCancelled: ErrTaskCancelled,
		} {
			task, err, elapsed := d.waitFor(t.Context(), newWaiter(t, script(seen(status))))
			if !errors.Is(err, want) || elapsed != 0 || task.Status != status {
				t.Errorf("%s: %v after %v, with %v; want %v at once", status, err, elapsed, task, want)
			}
			if want != nil && asWaitError(t, err).StillRunning() {
				t.Errorf("%s: still running", status)
			}
		}
		for _, status := range []Status{StatusCreated, StatusExecuting} {
			if _, err, _ := d.waitFor(cancelAfter(t, time.Hour, nil), newWaiter(t, script(seen(status)))); !errors.Is(
				err,
				context.Canceled,
			) {
				t.Errorf("%s: %v, want it to wait on", status, err)
			}
		}
	})
}
