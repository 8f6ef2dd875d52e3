package cli

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
)

// blocked is a pipe that nobody reads, until it is opened.
type blocked struct{ open chan struct{} }

func (b blocked) Write(p []byte) (int, error) {
	<-b.open
	return len(p), nil
}

// full is a full disk.
type full struct{}

func (full) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/full", Err: syscall.ENOSPC}
}

// TestBlockedOutput: a reader who does not read delays neither --timeout nor a signal by more than the grace.
func TestBlockedOutput(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 600 {
		ids = append(ids, strings.Repeat("x", 29)+string(rune('a'+i/26))+string(rune('a'+i%26)))
	}
	for _, tt := range []struct {
		name   string
		args   []string
		signal time.Duration
		want   int
		took   time.Duration
	}{
		{"the timeout", []string{"--timeout", "30s", "long"}, 0, 5, 31 * time.Second},
		{"the timeout, as JSON, with many ids", append([]string{"-o", "json", "--timeout", "30s"}, ids...), 0, 4,
			36 * time.Second}, // 5 s for the final polls of so many
		{"a signal", []string{"long"}, 7 * time.Second, 130, 8 * time.Second},
		{"the end before the timeout", []string{"--timeout", "90s", "good"}, 0, 0, 91 * time.Second},
		{"a signal after the end", []string{"good"}, 40 * time.Second, 0, 41 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				addTasks(w.cloud)
				reader := blocked{make(chan struct{})}
				w.stdout = reader
				ctx, cancel := context.WithCancelCause(t.Context())
				if tt.signal > 0 {
					time.AfterFunc(tt.signal, func() { cancel(signalError{os.Interrupt}) })
				}
				began := time.Now()
				code, _, stderr := w.run(ctx, append([]string{"kafka", "wait"}, tt.args...)...)
				if took := time.Since(began); code != tt.want || took != tt.took {
					t.Errorf("got code %d after %v, want %d after %v", code, took, tt.want, tt.took)
				}
				if !strings.Contains(stderr, "of output dropped: nobody has read them in time") {
					t.Errorf("got stderr %q, want that lines were dropped", stderr)
				}
				close(reader.open)
				cancel(nil)
			})
		})
	}
}

// TestBlockedList: a list has no time to keep, so nothing of it is dropped; a signal ends it.
func TestBlockedList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		addTasks(w.cloud)
		reader := blocked{make(chan struct{})}
		w.stdout = reader
		time.AfterFunc(time.Hour, func() { close(reader.open) })
		began := time.Now()
		code, _, stderr := w.run(t.Context(), "kafka", "list")
		if took := time.Since(began); code != 0 || took != time.Hour || strings.Contains(stderr, "dropped") {
			t.Errorf("got code %d after %v, stderr %q, want 0 when everything was read", code, took, stderr)
		}
	})
}

// TestStoppedList: a list that a signal stops while nobody reads it is not complete, and no success.
func TestStoppedList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		addTasks(w.cloud)
		reader := blocked{make(chan struct{})}
		w.stdout = reader
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(signalError{syscall.SIGTERM}) })
		if code, _, _ := w.run(ctx, "kafka", "list"); code != 143 {
			t.Errorf("got code %d, want 143", code)
		}
		close(reader.open)
	})
}

// TestFullDisk: what cannot be written is no success.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args string
		want int
	}{
		{"kafka wait good", 7},
		{"kafka wait --output json good", 7},
		{"kafka wait bad", 1},
		{"kafka list", 7},
		{"kafka list --output json", 7},
		{"kafka list --help", 7},
		{"completion bash", 7},
		{"--version", 7},
		{"demo", 7},
	} {
		t.Run(tt.args, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				addTasks(w.cloud)
				w.stdout = full{}
				code, _, stderr := w.run(t.Context(), strings.Fields(tt.args)...)
				if code != tt.want || !strings.Contains(stderr,
					"the output is not complete: write /dev/full: no space left") {
					t.Errorf("got code %d, stderr %q, want %d and why", code, stderr, tt.want)
				}
			})
		})
	}
}

// TestStream drops what can be lost first, counts it, and keeps the order.
func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		s := newStream(w)
		line := []byte(strings.Repeat("x", maxQueue/4) + "\n")
		for range 6 {
			s.offer(line, true)
		}
		s.offer([]byte("end\n"), false)
		if got := s.lost(); got != 3 {
			t.Errorf("got %d lines dropped, want 3", got)
		}
		var text []byte
		read := make(chan struct{})
		go func() {
			text, _ = io.ReadAll(r)
			close(read)
		}()
		s.flush(t.Context())
		s.close()
		_ = w.Close()
		<-read
		if want := 3*len(line) + len("end\n"); len(text) != want || !strings.HasSuffix(string(text), "\nend\n") {
			t.Errorf("got %d bytes, want %d with the end at the end", len(text), want)
		}
	})
}

// TestChunks splits ids so that no line gets too long, and loses none.
func TestChunks(t *testing.T) {
	var ids []string
	for i := range 700 {
		ids = append(ids, strings.Repeat("i", 1+i%256))
	}
	var all []string
	for _, part := range chunks(ids) {
		all = append(all, part...)
		if n := len(encode(&event{Event: eventTasks, Tasks: part})); n > maxLine/2 {
			t.Errorf("got a line of %d bytes, want at most %d", n, maxLine/2)
		}
	}
	if !slices.Equal(all, ids) {
		t.Errorf("got %d ids, want the %d in their order", len(all), len(ids))
	}
	if parts := chunks(nil); len(parts) != 1 || len(parts[0]) != 0 {
		t.Errorf("chunks(nil) = %q, want one empty part", parts)
	}
}

// TestEncode: an event that JSON cannot hold, or that is too long, is replaced, not lost.
func TestEncode(t *testing.T) {
	odd := time.Date(2026, 11, 24, 12, 0, 0, 0, time.FixedZone("", 24*60*60))
	e := &event{Event: eventStatus, Time: noon, Task: "x"}
	e.fill(&taskwait.Progress{Task: taskwait.Task{Status: "CREATED", CreatedAt: odd, UpdatedAt: odd.AddDate(9000, 0,
		0)}})
	if got := string(encode(e)); !strings.Contains(got, `"created":"2026-11-23T12:00:00Z"`) || strings.Contains(got,
		"updated") {
		t.Errorf("got %s, want the time in UTC, and no year 11026", got)
	}
	for name, e := range map[string]*event{
		"no time":  {Event: eventDone, Time: noon, Created: odd, Task: "x", Outcome: failed},
		"too long": {Event: eventDone, Time: noon, Error: strings.Repeat("x", maxLine), Task: "x", Outcome: failed},
	} {
		got := string(encode(e))
		if len(got) > maxLine || !strings.Contains(got, `"task":"x"`) || !strings.Contains(got, `"outcome":"failed"`) ||
			!strings.Contains(got, "part of this event is missing: ") {
			t.Errorf("%s: got %.300s, want the task, its outcome, and that something is missing", name, got)
		}
	}
}
