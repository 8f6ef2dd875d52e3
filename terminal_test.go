package taskwait

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cenkalti/backoff/v4"
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
		if s.Terminal() != tt.terminal || s.Succeeded() != tt.succeeded || s.Known() != tt.known {
			t.Errorf("%q: terminal %v, succeeded %v, known %v; want %v, %v, %v",
				s, s.Terminal(), s.Succeeded(), s.Known(), tt.terminal, tt.succeeded, tt.known)
		}
		parsed, err := ParseStatus(string(s))
		if tt.known && (parsed != s || err != nil) || !tt.known && (parsed != "" || err == nil) {
			t.Errorf("ParseStatus(%q) = %q, %v", s, parsed, err)
		}
	}
}

// FuzzForeignText checks what is shown of texts that come from outside: printable, valid, short, and the same for what
// was already so; and that an id that passes is one segment of a path.
func FuzzForeignText(f *testing.F) {
	f.Add("plain")
	f.Add("two\nlines \x1b[31m\xff\u202e" + strings.Repeat("é", 300))
	f.Fuzz(func(t *testing.T, s string) {
		c := clip(s)
		if !utf8.ValidString(c) || strings.IndexFunc(c, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 || len(c) > 10*maxText+len("…") {
			t.Errorf("clip(%q) = %q", s, c)
		}
		if len(s) <= maxText && utf8.ValidString(s) && strings.IndexFunc(s, unprintable) < 0 && c != s {
			t.Errorf("clip(%q) = %q, want it unchanged", s, c)
		}
		if err := CheckID("id", s); err == nil {
			if s == "" || s == "." || s == ".." || len(s) > maxID || strings.ContainsAny(s, "/\\?#%{} \t\r\n\x00") {
				t.Errorf("CheckID(%q) = nil", s)
			}
		} else if !errors.Is(err, ErrInvalidID) {
			t.Errorf("CheckID(%q) = %v, want ErrInvalidID", s, err)
		}
	})
}

func TestTaskString(t *testing.T) {
	percent := 40
	task := Task{ID: "8abf", Name: "resize", Status: StatusExecuting, Percent: &percent, Remaining: 90 * time.Second, Failure: Failure{Code: "X", Reason: "late"}}
	if got, want := task.String(), `task "8abf": EXECUTING (resize), 40%, 1m30s left, X late`; got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
}

func TestTaskJSON(t *testing.T) {
	percent := 40
	full := Task{
		ID: "8abf", Name: "resize", Status: StatusFailed, Percent: &percent, Remaining: time.Second, CreatedAt: t0, UpdatedAt: t0,
		Failure: Failure{Code: "X", Reason: "late"}, Raw: &percent,
	}
	want := `{"id":"8abf","name":"resize","status":"FAILED","failure":{"code":"X","reason":"late"},"percent":40,"remaining":1000000000,` +
		`"createdAt":"2026-11-23T12:00:00Z","updatedAt":"2026-11-23T12:00:00Z"}`
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
	if text, _ := json.Marshal(Task{ID: "8abf", Status: StatusCreated}); string(text) != `{"id":"8abf","status":"CREATED"}` {
		t.Errorf("JSON of a bare task = %s", text)
	}
}

// TestBackOffResumed checks that a BackOff of the caller's goes on where a resumed wait was.
func TestBackOffResumed(t *testing.T) {
	doubling := func() backoff.BackOff {
		return backoff.NewExponentialBackOff(backoff.WithInitialInterval(time.Second), backoff.WithMultiplier(2),
			backoff.WithMaxInterval(time.Hour), backoff.WithRandomizationFactor(0), backoff.WithMaxElapsedTime(0))
	}
	fresh := fromBackOff(doubling())
	for step, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
		if got := fresh(step, nil, 0, 0); got != want {
			t.Errorf("step %d: %v, want %v", step, got, want)
		}
		if got := fromBackOff(doubling())(step, nil, 0, 0); got != want {
			t.Errorf("resumed at step %d: %v, want %v", step, got, want)
		}
	}
	drawn := 0
	far := fromBackOff(counting(func() time.Duration { drawn++; return time.Second }))
	if far(1_000_000, nil, 0, 0); drawn != maxReplay+1 {
		t.Errorf("resumed at step 1,000,000: %d drawn, want %d", drawn, maxReplay+1)
	}
}

// TestBackOffLiteral: written as a literal, an ExponentialBackOff gives only zeros until it is reset.
func TestBackOffLiteral(t *testing.T) {
	p := fromBackOff(&backoff.ExponentialBackOff{InitialInterval: time.Second, Multiplier: 2, MaxInterval: 4 * time.Second, Stop: backoff.Stop, Clock: backoff.SystemClock})
	for step, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second} {
		if got := p(step, nil, 0, 0); got != want {
			t.Errorf("step %d: %v, want %v", step, got, want)
		}
	}
}

type counting func() time.Duration

func (c counting) NextBackOff() time.Duration { return c() }
func (c counting) Reset()                     {}
