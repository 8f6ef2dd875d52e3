package benchmarks

import (
	"context"
	"io"
	"log"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/retry"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/footprint"
	"k8s.io/apimachinery/pkg/util/wait"
)

// machine is a waiter whose question costs nothing, so that what is measured is the waiter.
type machine struct {
	name string
	wait func(ctx context.Context, interval time.Duration, ask func() bool) error
}

var machines = []machine{
	{"taskwait", func(ctx context.Context, interval time.Duration, ask func() bool) error {
		w, err := taskwait.New(taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
			if ask() {
				return taskwait.Task{Status: taskwait.StatusSuccess}, nil
			}
			return taskwait.Task{Status: taskwait.StatusExecuting}, nil
		}), taskwait.WithInterval(interval, interval))
		if err != nil {
			return err
		}
		_, err = w.WaitForTask(ctx, "task")
		return err
	}},
	{"StateChangeConf", func(ctx context.Context, interval time.Duration, ask func() bool) error {
		c := retry.StateChangeConf{Pending: []string{"no"}, Target: []string{"yes"}, Timeout: 1 << 60, PollInterval: interval}
		c.Refresh = func() (any, string, error) {
			if ask() {
				return 1, "yes", nil
			}
			return 1, "no", nil
		}
		_, err := c.WaitForStateContext(ctx)
		return err
	}},
	{"k8s wait", func(ctx context.Context, interval time.Duration, ask func() bool) error {
		return wait.PollUntilContextCancel(ctx, interval, true, func(context.Context) (bool, error) { return ask(), nil })
	}},
	{"backoff/v4", func(ctx context.Context, interval time.Duration, ask func() bool) error {
		return backoff.Retry(func() error {
			if ask() {
				return nil
			}
			return errNotYet
		}, backoff.WithContext(backoff.NewConstantBackOff(interval), ctx))
	}},
}

// TestMachinery prints what a poll costs each waiter: processor time, virtual clock included, and allocations.
func TestMachinery(t *testing.T) {
	log.SetOutput(io.Discard)
	const polls = 100_000
	for _, m := range machines {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := processor(t)
		synctest.Test(t, func(t *testing.T) {
			left := polls
			if err := m.wait(t.Context(), time.Second, func() bool { left--; return left == 0 }); err != nil {
				t.Error(err)
			}
		})
		spent := processor(t) - began
		runtime.ReadMemStats(&after)
		t.Logf("%-16s %5.2f µs, %4.1f allocations a poll", m.name, spent.Seconds()*1e6/polls,
			float64(after.Mallocs-before.Mallocs)/polls)
	}
}

// processor is the time that this process has had of the processors.
func processor(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSleepingWait measures what a wait holds while it sleeps.
func BenchmarkSleepingWait(b *testing.B) {
	log.SetOutput(io.Discard)
	for _, m := range machines {
		b.Run(m.name, func(b *testing.B) {
			footprint.Measure(b, func(ctx context.Context, asleep func()) {
				_ = m.wait(ctx, 170*time.Second, func() bool { asleep(); return false }) // from 180 s on StateChangeConf ignores it
			})
		})
	}
}
