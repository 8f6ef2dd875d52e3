package taskwait

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// TestTaskRetryAfter: a good answer that says when to come again is honoured, jittered upwards, whatever the schedule, and
// is no trouble.
func TestTaskRetryAfter(t *testing.T) {
	const after = 20 * time.Second
	tests := []struct {
		name string
		opts []Option
	}{
		{name: "the exponential", opts: []Option{every(5 * time.Second)}},
		{name: "a BackOff", opts: []Option{WithBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(time.Second) })}},
		{name: "a service that says what remains", opts: []Option{every(5 * time.Second)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := later(StatusExecuting, after)
				if tt.name == "a service that says what remains" {
					first.Value.Remaining = time.Second
				}
				src := script(first, seen(StatusSuccess))
				progress := WithProgress(func(p Progress) {
					if p.Err != nil || p.Errors != 0 {
						t.Errorf("Progress tells of trouble: %v, %d errors", p.Err, p.Errors)
					}
				})
				if _, err, _ := waitFor(t.Context(), newWaiter(t, src, progress), tt.opts...); err != nil {
					t.Fatal(err)
				}
				if gap := src.asked[1].Sub(src.asked[0]); gap < after || gap > after*11/10 {
					t.Errorf("the second query came after %v, want %v to %v", gap, after, after*11/10)
				}
			})
		})
	}
}
