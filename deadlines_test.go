package taskwait

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/taskwait/taskwait/internal/poll"
)

// TestTimeoutWhileAQueryHangs: the timeout holds where a query hangs.
func TestTimeoutWhileAQueryHangs(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		c := &cloud{answers: []answer{running}, latency: time.Hour, deaf: true}
		_, err, elapsed := d.waitFor(t.Context(), newWaiter(t, c, WithTimeout(10*time.Second)))
		if !errors.Is(err, ErrTimeout) || elapsed != 10*time.Second+poll.FinalAllowance {
			t.Errorf("after %v: %v, want ErrTimeout after 15s", elapsed, err)
		}
		time.Sleep(time.Hour)
	})
}

// TestNotFoundIsNotPending: the grace is waited out, and no longer.
func TestNotFoundIsNotPending(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		_, err, elapsed := d.waitFor(t.Context(), newWaiter(t, script(notFound)))
		if !errors.Is(err, ErrTaskNotFound) || elapsed != defaultNotFoundGrace || !asWaitError(t, err).StillRunning() {
			t.Errorf("after %v: %v, want ErrTaskNotFound after the grace", elapsed, err)
		}
		if _, err, _ = d.waitFor(t.Context(), newWaiter(t, until(50*time.Second, notFound, success))); err != nil {
			t.Errorf("listed after 50 s: %v", err)
		}
	})
}

// TestGraceIsTime: the grace does not depend on the interval.
func TestGraceIsTime(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		for _, pause := range []time.Duration{time.Second, 7 * time.Second, 30 * time.Second, time.Hour} {
			_, err, elapsed := d.waitFor(t.Context(), newWaiter(t, script(notFound), every(pause)))
			if !errors.Is(err, ErrTaskNotFound) || elapsed != time.Minute {
				t.Errorf("polling every %v: %v after %v, want ErrTaskNotFound after 1m", pause, err, elapsed)
			}
		}
	})
}

// TestTimeIsUsedToTheEnd: a task that ends with the timeout has ended in time.
func TestTimeIsUsedToTheEnd(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		const limit = 10 * time.Minute
		_, err, elapsed := d.waitFor(
			t.Context(),
			newWaiter(t, until(limit-time.Millisecond, running, success), WithTimeout(limit)),
		)
		if err != nil || elapsed > limit {
			t.Errorf("done 1 ms before the timeout: %v after %v", err, elapsed)
		}
		_, err, elapsed = d.waitFor(t.Context(), newWaiter(t, until(limit, running, success), WithTimeout(limit)))
		if err != nil || elapsed != limit {
			t.Errorf("done at the timeout: %v after %v", err, elapsed)
		}
		c := script(running)
		_, err, _ = d.waitFor(t.Context(), newWaiter(t, c, WithTimeout(time.Second)))
		if want := []float64{0, 1}; !errors.Is(err, ErrTimeout) || !reflect.DeepEqual(c.seconds(), want) {
			t.Errorf("timeout below the interval: %v, asked at %v s, want %v s", err, c.seconds(), want)
		}
	})
}

// TestClamp: the poll before the context's deadline is planned once, where a pause would pass it. A deadline that is
// over plans nothing.
func TestClamp(t *testing.T) {
	now := time.Now()
	const lead = 9 * time.Second // of the ten that are left
	for _, tt := range []struct {
		name    string
		left    time.Duration // until the context's deadline
		pause   time.Duration
		want    time.Duration
		planned time.Duration // 0: it is not
	}{
		{"a shorter pause", 10 * time.Second, lead - 1, lead - 1, 0},
		{"the pause ends then", 10 * time.Second, lead, lead, lead},
		{"a longer pause", 10 * time.Second, lead + 1, lead, lead},
		{"at the deadline", 0, time.Second, time.Second, 0},
		{"after the deadline", -time.Second, time.Second, time.Second, 0},
	} {
		s := newState()
		got := (&deadlines{ctxEnd: now.Add(tt.left)}).clamp(&s, now, now, tt.pause)
		var planned time.Time
		if tt.planned > 0 {
			planned = now.Add(tt.planned)
		}
		if got != tt.want || !s.deadlinePollAt.Equal(planned) {
			t.Errorf("%s: %v and a poll at %v, want %v and %v", tt.name, got, s.deadlinePollAt, tt.want, planned)
		}
	}
}

// TestShortenForStall: the pause ends where the task will have stalled, if it was seen.
func TestShortenForStall(t *testing.T) {
	now := time.Now()
	l := &deadlines{stall: time.Minute}
	s := newState()
	s.lastChangedAt = now.Add(-50 * time.Second)
	for seen, want := range map[bool]time.Duration{true: 10 * time.Second, false: 30 * time.Second} {
		if got := l.shorten(&s, &observation{seen: seen}, now, 30*time.Second); got != want {
			t.Errorf("seen %v: %v, want %v", seen, got, want)
		}
	}
}
