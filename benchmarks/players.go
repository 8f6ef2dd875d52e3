package benchmarks

import (
	"context"
	"math"
	"time"

	"github.com/aws/smithy-go/waiter"
	"github.com/cenkalti/backoff/v4"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/retry"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/schedule"
	"k8s.io/apimachinery/pkg/util/wait"
)

// player is somebody who waits for tasks.
type player struct {
	name string
	wait func(ctx context.Context, t *task) error
}

const forever = 1000 * time.Hour

// peers are others, as they come or as they are usually set, and taskwait's default.
func peers() []player {
	return []player{
		{"taskwait, default", waitDefault},
		{"StateChangeConf, default", stateChange(retry.StateChangeConf{})},
		{
			"StateChangeConf, 20 s then 30 s",
			stateChange(retry.StateChangeConf{Delay: 20 * time.Second, PollInterval: 30 * time.Second}),
		},
		{
			"StateChangeConf, 5 s then 5 s",
			stateChange(retry.StateChangeConf{Delay: 5 * time.Second, PollInterval: 5 * time.Second}),
		},
		{
			"StateChangeConf, 10 s then 10 s",
			stateChange(retry.StateChangeConf{Delay: 10 * time.Second, PollInterval: 10 * time.Second}),
		},
		{"backoff/v4, default", exponential},
		{"k8s wait, every 5 s", func(ctx context.Context, t *task) error {
			return wait.PollUntilContextCancel(ctx, 5*time.Second, true, t.ask)
		}},
		{"k8s wait, 1 s ×2 to 30 s", func(ctx context.Context, t *task) error {
			// beyond its cap DelayFunc stays there
			b := wait.Backoff{Duration: time.Second, Factor: 2, Cap: 30 * time.Second, Steps: 6}
			return b.DelayFunc().Until(ctx, true, true, t.ask)
		}},
		{"hcloud-go, 500 ms", hetzner(0)},
		{"hcloud-go, exponential", hetzner(60 * time.Second)},
		{"AWS-style, 2 s to 120 s", aws(2*time.Second, 120*time.Second)},
		{"fixed 5 s", fixed(5 * time.Second)},
		{"fixed 10 s", fixed(10 * time.Second)},
	}
}

// source asks for a task on taskwait's behalf.
func (t *task) source() taskwait.Source {
	return taskwait.SourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		ended, err := t.ask(ctx)
		answer := taskwait.Task{ID: id, Kind: t.kind, Status: taskwait.StatusExecuting, CreatedAt: t.created}
		if ended {
			answer.Status, answer.UpdatedAt = taskwait.StatusSuccess, t.ends
		}
		return answer, err
	})
}

func waitDefault(ctx context.Context, t *task) error {
	w, err := taskwait.New(t.source())
	if err != nil {
		return err
	}
	_, err = w.WaitForTask(ctx, "task")
	return err
}

// learned is taskwait with a history of the kind, which is told beforehand. Each wait begins with the same history, so
// that what was seen is what the row says.
func learned(history func() *schedule.History, cost time.Duration, opts ...taskwait.Option) player {
	return player{"taskwait, learned", func(ctx context.Context, t *task) error {
		h := history()
		h.QueryCost = cost
		w, err := taskwait.New(t.source(), taskwait.WithHistory(h), taskwait.WithKind(t.kind))
		if err != nil {
			return err
		}
		_, err = w.WaitForTask(ctx, "task", opts...)
		return err
	}}
}

func stateChange(conf retry.StateChangeConf) func(context.Context, *task) error {
	return func(ctx context.Context, t *task) error {
		c := conf
		c.Pending, c.Target, c.Timeout = []string{"EXECUTING"}, []string{"SUCCESS"}, forever
		c.Refresh = func() (any, string, error) {
			if ended, err := t.ask(ctx); err != nil || ended {
				return t, "SUCCESS", err
			}
			return t, "EXECUTING", nil
		}
		_, err := c.WaitForStateContext(ctx)
		return err
	}
}

func exponential(ctx context.Context, t *task) error {
	b := backoff.NewExponentialBackOff(backoff.WithMaxElapsedTime(0)) // its own 15 minutes would end most waits
	return backoff.Retry(func() error {
		ended, err := t.ask(ctx)
		if err == nil && !ended {
			err = errNotYet
		}
		return err
	}, backoff.WithContext(b, ctx))
}

// aws is the loop of the waiters that AWS generates, with their own computation of the delay.
func aws(shortest, longest time.Duration) func(context.Context, *task) error {
	return func(ctx context.Context, t *task) error {
		for attempt := int64(1); ; attempt++ {
			if ended, err := t.ask(ctx); err != nil || ended {
				return err
			}
			delay, err := waiter.ComputeDelay(attempt, shortest, longest, forever)
			if err != nil {
				return err
			}
			time.Sleep(delay)
		}
	}
}

func fixed(interval time.Duration) func(context.Context, *task) error {
	return func(ctx context.Context, t *task) error {
		for {
			if ended, err := t.ask(ctx); err != nil || ended {
				return err
			}
			time.Sleep(interval)
		}
	}
}

// patient is learned without the limit of 30 s that WithKind puts on the first look: it is made when the history says
// so.
func patient(w workload, n int, cost time.Duration) player {
	history, first := w.history(n), map[string]time.Duration{}
	for kind, took := range w.took(n) {
		var samples []schedule.Sample
		for i, d := range took[max(0, len(took)-256):] { // what a History keeps, as it weighs it
			samples = append(samples, schedule.Sample{Age: d, Weight: math.Exp2(-float64(min(len(took), 256)-1-i) / 60)})
		}
		first[kind] = schedule.Learn(samples).Delay(0, schedule.ShortestGap, schedule.Policy{QueryCost: cost})
	}
	return player{"taskwait, patient", func(ctx context.Context, t *task) error {
		return learned(history, cost, taskwait.WithInitialDelay(first[t.kind])).wait(ctx, t)
	}}
}
