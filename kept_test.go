package taskwait

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestWaitText: a Wait says what it is for, whatever the verb.
func TestWaitText(t *testing.T) {
	percent := 40
	fresh := &Wait{ID: "a\x1b"}
	seen := &Wait{ID: "id"}
	seen.state.task = Task{Status: StatusExecuting, Percent: &percent, FailureReason: "a\nb"}
	for _, tt := range []struct {
		name string
		wait *Wait
		want string
	}{
		{"fresh", fresh, `wait for task "a\x1b": no status`},
		{"seen", seen, `wait for task "id": EXECUTING, 40%, a\nb`},
		{"nil", nil, "<nil>"},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%10d"} {
			if got := fmt.Sprintf(verb, tt.wait); got != tt.want {
				t.Errorf("%s, %s: got %s, want %s", tt.name, verb, got, tt.want)
			}
		}
	}
	if got := seen.Task(); got.ID != "id" || got.Status != StatusExecuting {
		t.Errorf("got the Task %v, want that of the wait", got)
	}
}

// TestGoOnAfterTheEnd: when the next poll comes, and until when it is a final one, where a wait goes on.
func TestGoOnAfterTheEnd(t *testing.T) {
	const timeout, s = 100 * time.Second, time.Second
	for _, tt := range []struct {
		name    string
		planned time.Duration // since it began
		now     time.Duration
		want    time.Duration // the pause from now
		end     time.Duration
	}{
		{"in time", 30 * s, 20 * s, 10 * s, timeout},
		{"due", 30 * s, 30 * s, 0, timeout},
		{"late", 30 * s, 40 * s, 0, timeout},
		{"planned beyond the end, which was later then", 300 * s, 40 * s, 60 * s, timeout},
		{"at the end", timeout, timeout, 0, timeout},
		{"the final poll is late", timeout, 500 * s, 0, 500 * s},
		{"the poll before it is late", 80 * s, 500 * s, 0, 500 * s},
		{"the end has become an earlier one", 300 * s, 200 * s, 0, 200 * s},
		{"the final poll is repeated", timeout + 2*s, timeout + s + 500*time.Millisecond, 500 * time.Millisecond, timeout},
		{"its repetition is due", timeout + 2*s, timeout + 2*s, 0, timeout},
		{"its repetition is late", timeout + 2*s, 500 * s, 0, timeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
			l := &deadlines{began: began, timeout: timeout}
			w := &Wait{ID: "id", savedAt: began, began: began}
			w.state.plannedAt = began.Add(tt.planned)
			st := &state{task: Task{ID: "id"}}
			now := began.Add(tt.now)
			first := w.goOn(l, st, "", now)
			end, _ := l.end(st)
			if got := first.Sub(now); got != tt.want || !end.Equal(began.Add(tt.end)) || !st.plannedAt.Equal(first) {
				t.Errorf("got the next poll in %v and the end after %v, want %v and %v", got, end.Sub(began), tt.want, tt.end)
			}
		})
	}
}

// TestClocksOfStoredWait: what lies between the times of a wait is what it was, however the clock was set meanwhile.
func TestClocksOfStoredWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		time.Sleep(time.Minute)
		w := &Wait{ID: "id", savedAt: time.Now(), began: began}
		w.state = state{taskStartedAt: began.Add(-time.Hour), plannedAt: time.Now().Add(10 * time.Second)}
		w.state.errorStreak.add(began.Add(30 * time.Second))
		b, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name string
			set  time.Duration // the clock is set by this, backwards if it is negative
			away time.Duration // as a wait sees it then
		}{
			{"it goes on", time.Minute, time.Minute}, {"it stands still", 0, 0}, {"it steps back", -time.Hour, 0},
			{"it steps ahead", 24 * time.Hour, 24 * time.Hour},
		} {
			var x storedWait
			if err := decodeStored(b, &x); err != nil {
				t.Fatal(err)
			}
			var y Wait
			now := w.savedAt.Add(tt.set)
			y.restore(&x, now)
			for what, d := range map[string][2]time.Duration{
				"since it was stored": {now.Sub(y.savedAt), tt.away},
				"since it began":      {now.Sub(y.began), tt.away + time.Minute},
				"since the task did":  {now.Sub(y.state.taskStartedAt), tt.away + time.Minute + time.Hour},
				"until the next poll": {y.state.plannedAt.Sub(now), 10*time.Second - tt.away},
				"since the error":     {now.Sub(y.state.errorStreak.since), tt.away + 30*time.Second},
			} {
				if d[0] != d[1] {
					t.Errorf("%s: got %v %s, want %v", tt.name, d[0], what, d[1])
				}
			}
		}
	})
}
