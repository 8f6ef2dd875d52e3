package taskwait

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestRunTimeout: the bound of the run begins with the first answer that is not CREATED, and ends the wait by a final
// poll, within five seconds, also where that hangs.
func TestRunTimeout(t *testing.T) {
	created, running := seen(StatusCreated), seen(StatusExecuting)
	tests := []struct {
		name    string
		cloud   *cloud
		want    error
		elapsed time.Duration
	}{
		{
			"queued for long", script(repeat(100, created, running, running, running)...), ErrTimeout,
			500*time.Second + 12*time.Second,
		},
		{
			"done by the final poll", script(repeat(100, created, running, running, running, seen(StatusSuccess))...), nil,
			512 * time.Second,
		},
		{"the final poll hangs", &cloud{answers: []answer{running}, hangs: 12 * time.Second}, ErrTimeout, 17 * time.Second},
		{"always queued", script(repeat(100, created, seen(StatusSuccess))...), nil, 500 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err, elapsed := waitFor(t.Context(),
					newWaiter(t, tt.cloud, every(5*time.Second), WithRunTimeout(12*time.Second)))
				if !errors.Is(err, tt.want) || elapsed != tt.elapsed {
					t.Errorf("%v after %v, want %v after %v", err, elapsed, tt.want, tt.elapsed)
				}
			})
		})
	}
}
