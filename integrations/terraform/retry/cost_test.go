package retry_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	theirs "github.com/hashicorp/terraform-plugin-sdk/v2/helper/retry"
	"github.com/taskwait/taskwait/integrations/terraform/retry"
	"github.com/taskwait/taskwait/internal/footprint"
)

// packages are the two, by the wait of each.
var packages = []struct {
	name string
	wait func(context.Context, *retry.StateChangeConf) (any, error)
}{
	{"taskwait", func(ctx context.Context, c *retry.StateChangeConf) (any, error) { return c.WaitForStateContext(ctx) }},
	{"HashiCorp", func(ctx context.Context, c *retry.StateChangeConf) (any, error) {
		their := theirs.StateChangeConf(*c)
		return their.WaitForStateContext(ctx)
	}},
}

// bill is what waits have cost.
type bill struct {
	polls, lost int
	delay       time.Duration // between the end of what was waited for and that of the wait, of those that were not lost
}

// TestCost compares the two on 2,000 things that take from seconds to half an hour: how often Refresh is called, how
// long after the end the wait is over, and how many waits end in an error that says nothing of the thing.
func TestCost(t *testing.T) {
	for _, tt := range []struct {
		name    string
		conf    retry.StateChangeConf
		failing float64 // of the calls, with 502
		lost    bool    // some of theirs are
	}{
		{"PollInterval 10 s", retry.StateChangeConf{PollInterval: 10 * time.Second}, 0, false},
		{"pauses that double", retry.StateChangeConf{}, 0, false},
		{"one call in 200 fails", retry.StateChangeConf{PollInterval: 10 * time.Second}, 0.005, true},
	} {
		var bills [2]bill
		for n, p := range packages {
			r := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // the same things for both
			for range 2000 {
				bills[n].add(t, p.wait, tt.conf, time.Duration(float64(time.Minute)*(0.1+r.ExpFloat64()*5)), tt.failing, r)
			}
			b := &bills[n]
			ended := 2000 - b.lost
			t.Logf("%-22s %-10s %6.1f calls a wait, delay %5.2f s, %d lost", tt.name, p.name, float64(b.polls)/2000,
				b.delay.Seconds()/float64(ended), b.lost)
		}
		ours, theirs := bills[0], bills[1]
		switch {
		case ours.lost > 0 || theirs.lost > 0 != tt.lost:
			t.Errorf("%s: %d waits are lost, and %d of theirs", tt.name, ours.lost, theirs.lost)
		case !tt.lost && ours != theirs:
			t.Errorf("%s: got %+v, want theirs, %+v", tt.name, ours, theirs)
		}
	}
}

// add waits for a thing that takes so long.
func (b *bill) add(t *testing.T, wait func(context.Context, *retry.StateChangeConf) (any, error),
	c retry.StateChangeConf, takes time.Duration, failing float64, r *rand.Rand,
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c.Pending, c.Target, c.Timeout = []string{"p"}, []string{"t"}, 2*time.Hour
		c.Refresh = func() (any, string, error) {
			b.polls++
			switch over := time.Since(start) >= takes; {
			case failing > 0 && r.Float64() < failing:
				return nil, "", status(502)
			case over:
				return 1, "t", nil
			}
			return 1, "p", nil
		}
		if _, err := wait(t.Context(), &c); err != nil {
			b.lost++
			return
		}
		b.delay += time.Since(start) - takes
	})
}

// TestPollCost prints what a call costs beside Refresh: processor time, virtual clock included, and allocations.
func TestPollCost(t *testing.T) {
	const polls = 20_000
	for _, p := range packages {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		synctest.Test(t, func(t *testing.T) {
			left := polls
			c := retry.StateChangeConf{Target: []string{"t"}, Timeout: 1 << 60, PollInterval: time.Second}
			c.Refresh = func() (any, string, error) {
				if left--; left == 0 {
					return 1, "t", nil
				}
				return 1, "p", nil
			}
			if _, err := p.wait(t.Context(), &c); err != nil {
				t.Error(err)
			}
		})
		runtime.ReadMemStats(&after)
		t.Logf("%-10s %4.1f allocations, %.0f B a call", p.name, float64(after.Mallocs-before.Mallocs)/polls,
			float64(after.TotalAlloc-before.TotalAlloc)/polls)
	}
}

// BenchmarkSleepingWait measures what a wait holds while it sleeps.
func BenchmarkSleepingWait(b *testing.B) {
	for _, p := range packages {
		b.Run(p.name, func(b *testing.B) {
			footprint.Measure(b, func(ctx context.Context, asleep func()) {
				c := retry.StateChangeConf{Target: []string{"t"}, Timeout: time.Hour, PollInterval: time.Minute}
				c.Refresh = func() (any, string, error) { asleep(); return 1, "p", nil }
				_, _ = p.wait(ctx, &c)
			})
		})
	}
}
