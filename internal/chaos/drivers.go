package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/taskwait/taskwait"
)

// drivers are the ways to wait for the task of a script. Beside a second task that never ends the list is asked too.
var drivers = []struct {
	name string
	wait func(ctx context.Context, c *chaos, opts ...taskwait.Option) (taskwait.Task, error)
}{
	{"WaitForTask", func(ctx context.Context, c *chaos, opts ...taskwait.Option) (taskwait.Task, error) {
		w, err := taskwait.New(c, opts...)
		if err != nil {
			return taskwait.Task{}, err
		}
		return w.WaitForTask(ctx, c.ID)
	}},
	{"WaitForTasks", func(ctx context.Context, c *chaos, opts ...taskwait.Option) (taskwait.Task, error) {
		return amongMany(ctx, c, c.ID, []string{c.ID}, opts)
	}},
	{"WaitForTasks, with a list", func(ctx context.Context, c *chaos, opts ...taskwait.Option) (taskwait.Task, error) {
		return amongMany(ctx, listing{c}, c.ID, []string{bystander, c.ID}, opts)
	}},
	{"Poll, stored after each", pollStored},
	{"Resume, cut after answers", resumeCut},
}

// Stored is a wait as another process gets it.
func Stored(w *taskwait.Wait) (*taskwait.Wait, error) {
	b, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	back := &taskwait.Wait{}
	return back, json.Unmarshal(b, back)
}

// pollStored makes each poll in what could be a process of its own.
func pollStored(ctx context.Context, c *chaos, opts ...taskwait.Option) (taskwait.Task, error) {
	wait := &taskwait.Wait{ID: c.ID}
	for {
		w, err := taskwait.New(c, opts...)
		if err != nil {
			return taskwait.Task{}, err
		}
		p, err := w.Poll(ctx, wait)
		if p.Done || err != nil {
			return p.Task, err
		}
		select {
		case <-ctx.Done():
			return w.Resume(ctx, wait)
		case <-time.After(p.Next):
		}
		if wait, err = Stored(wait); err != nil {
			return taskwait.Task{}, err
		}
	}
}

// resumeCut ends every third stay, on average, in the callback, and goes on in what could be another process.
func resumeCut(ctx context.Context, c *chaos, opts ...taskwait.Option) (taskwait.Task, error) {
	wait := &taskwait.Wait{ID: c.ID}
	for {
		stay, cut := context.WithCancel(ctx)
		w, err := taskwait.New(c, append(opts, taskwait.WithProgress(func(taskwait.Progress) {
			if rand.IntN(3) == 0 {
				cut()
			}
		}))...)
		if err != nil {
			cut()
			return taskwait.Task{}, err
		}
		task, err := w.Resume(stay, wait)
		cut()
		if ctx.Err() != nil || !errors.Is(err, context.Canceled) {
			return task, err
		}
		if wait, err = Stored(wait); err != nil {
			return taskwait.Task{}, err
		}
	}
}

const bystander = "bystander"

func amongMany(ctx context.Context, src taskwait.Source, id string, ids []string,
	opts []taskwait.Option) (taskwait.Task, error) {
	w, err := taskwait.New(src, opts...)
	if err != nil {
		return taskwait.Task{}, err
	}
	for task, err := range w.WaitForTasks(ctx, ids) {
		if task.ID == id {
			return task, err
		}
	}
	return taskwait.Task{}, errors.New("the task has no result")
}

// listing is a chaos that is a Lister.
type listing struct{ *chaos }

// Task answers for the bystander by itself.
func (l listing) Task(ctx context.Context, id string) (taskwait.Task, error) {
	if id == bystander {
		return taskwait.Task{Status: taskwait.StatusExecuting}, nil
	}
	return l.chaos.Task(ctx, id)
}

// Tasks asks the real source, and notes it if the answer tells of the task. What goes wrong with a list is no answer.
func (l listing) List(ctx context.Context, b taskwait.ListRequest) ([]taskwait.Task, string, error) {
	e := &event{sent: time.Since(l.start), means: Rows, list: true}
	tasks, next, err := l.Source.(taskwait.Lister).List(ctx, b) //nolint:errcheck // a driver for Listers
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range tasks {
		if e.status, e.arrived = t.Status, time.Since(l.start); t.ID == l.ID {
			if t.Status == "" {
				e.means = Bare
			}
			l.events = append(l.events, e)
			break
		}
	}
	return tasks, next, err
}
