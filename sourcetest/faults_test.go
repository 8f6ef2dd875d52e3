package sourcetest

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taskwait/taskwait"
)

type sourceFunc = taskwait.SourceFunc

// maker makes a broken Source of a good one.
type maker = func(taskwait.Source, *service) taskwait.Source

// edit changes every Task.
func edit(change func(*taskwait.Task)) maker {
	return func(good taskwait.Source, _ *service) taskwait.Source {
		return sourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
			task, err := good.Task(ctx, id)
			if err == nil {
				change(&task)
			}
			return task, err
		})
	}
}

func says(status, word taskwait.Status) maker {
	return edit(func(t *taskwait.Task) {
		if t.Status == status {
			t.Status = word
		}
	})
}

// on does something else than a good Source in one Situation.
func on(when Situation, do sourceFunc) maker {
	return func(good taskwait.Source, s *service) taskwait.Source {
		return sourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
			if s.situation() == when {
				return do(ctx, id)
			}
			return good.Task(ctx, id)
		})
	}
}

func errorOn(status taskwait.Status) maker {
	return func(good taskwait.Source, _ *service) taskwait.Source {
		return sourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
			task, err := good.Task(ctx, id)
			if err == nil && task.Status == status {
				err = errors.New("unknown status")
			}
			return task, err
		})
	}
}

func class(when Situation, c taskwait.Class) maker {
	return on(when, func(context.Context, string) (taskwait.Task, error) {
		return taskwait.Task{}, &taskwait.QueryError{Class: c, Err: errors.New("no")}
	})
}

func pending(when Situation) maker {
	return on(when, func(context.Context, string) (taskwait.Task, error) {
		return taskwait.Task{Status: taskwait.StatusCreated}, nil
	})
}

func panics(when Situation) maker {
	return on(when, func(context.Context, string) (taskwait.Task, error) { panic("boom") })
}

// firstRow gives the first row for the task that was asked for.
func firstRow(good taskwait.Source, s *service) taskwait.Source {
	return edit(func(t *taskwait.Task) { t.ID = "" })(honestFirstRow(good, s), s)
}

func honestFirstRow(good taskwait.Source, _ *service) taskwait.Source {
	return sourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		rows, err := good.(client).rows(ctx, id)
		if err != nil || len(rows) == 0 {
			return taskwait.Task{}, err
		}
		return taskwait.Task{ID: rows[0].ID, Status: taskwait.Status(rows[0].Status)}, nil
	})
}

// around does something else with every error.
func around(change func(ctx context.Context, err error) error) maker {
	return func(good taskwait.Source, _ *service) taskwait.Source {
		return sourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
			task, err := good.Task(ctx, id)
			if err != nil {
				err = change(ctx, err)
			}
			return task, err
		})
	}
}

func plainErrors(good taskwait.Source, s *service) taskwait.Source {
	return around(func(_ context.Context, err error) error { return errors.New(err.Error()) })(good, s)
}

func hidesContext(good taskwait.Source, s *service) taskwait.Source {
	return around(func(context.Context, error) error { return io.EOF })(good, s)
}

func tidiesUp(good taskwait.Source, s *service) taskwait.Source {
	return around(func(_ context.Context, err error) error { time.Sleep(5 * time.Second); return err })(good, s)
}

func quotesBody(good taskwait.Source, s *service) taskwait.Source {
	return around(func(context.Context, error) error {
		return errors.New("not JSON: " + row(ourID, "EXECUTING"))
	})(good, s)
}

func asksFirst(good taskwait.Source, _ *service) taskwait.Source {
	return sourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		task, err := good.Task(context.WithoutCancel(ctx), id)
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return task, err
	})
}

func deaf(when Situation) maker {
	return func(good taskwait.Source, s *service) taskwait.Source {
		return on(when, func(_ context.Context, id string) (taskwait.Task, error) {
			return good.Task(context.Background(), id)
		})(good, s)
	}
}

func impatient(good taskwait.Source, _ *service) taskwait.Source {
	return sourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		return good.Task(ctx, id)
	})
}

func firstContext(good taskwait.Source, _ *service) taskwait.Source {
	var once sync.Once
	var first context.Context
	return sourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		once.Do(func() { first = ctx })
		return good.Task(first, id)
	})
}

func leaves(good taskwait.Source, _ *service) taskwait.Source {
	return sourceFunc(func(ctx context.Context, id string) (task taskwait.Task, err error) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			task, err = good.Task(context.WithoutCancel(ctx), id)
		}()
		select {
		case <-done:
			return task, err
		case <-ctx.Done():
			return taskwait.Task{}, ctx.Err()
		}
	})
}

func spawns(good taskwait.Source, s *service) taskwait.Source {
	return sourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		go func() { <-s.closed }()
		return good.Task(ctx, id)
	})
}

func retries(good taskwait.Source, _ *service) taskwait.Source {
	return sourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		task, err := good.Task(ctx, id)
		if err != nil {
			time.Sleep(time.Second)
			task, err = good.Task(ctx, id)
		}
		return task, err
	})
}

func silent(taskwait.Source, *service) taskwait.Source {
	return sourceFunc(func(context.Context, string) (taskwait.Task, error) {
		return taskwait.Task{}, errors.New("circuit open")
	})
}

func oneAtATime(good taskwait.Source, _ *service) taskwait.Source {
	var busy atomic.Int64
	return sourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		defer busy.Add(-1)
		if busy.Add(1) > 1 {
			return taskwait.Task{}, errors.New("busy")
		}
		time.Sleep(time.Millisecond)
		return good.Task(ctx, id)
	})
}

func shared(good taskwait.Source, _ *service) taskwait.Source {
	return sourceFunc(func(ctx context.Context, _ string) (taskwait.Task, error) {
		task, err := good.Task(ctx, ourID)
		task.ID = ""
		return task, err
	})
}

func keepsFirst(good taskwait.Source, _ *service) taskwait.Source {
	var first taskwait.Task
	return sourceFunc(func(ctx context.Context, id string) (task taskwait.Task, err error) {
		if first.ID == "" {
			first, err = good.Task(ctx, id)
		}
		return first, err
	})
}

func keepsGood(good taskwait.Source, _ *service) taskwait.Source {
	var last taskwait.Task
	return sourceFunc(func(ctx context.Context, id string) (taskwait.Task, error) {
		if task, err := good.Task(ctx, id); err == nil {
			last = task
		}
		return last, nil
	})
}

func oneRaw(good taskwait.Source, s *service) taskwait.Source {
	var raw taskRow
	return edit(func(t *taskwait.Task) { t.Raw = &raw })(good, s)
}

func onePercent(good taskwait.Source, s *service) taskwait.Source {
	var percent int
	return edit(func(t *taskwait.Task) { t.Percent = &percent })(good, s)
}

func oneInnerRaw(good taskwait.Source, s *service) taskwait.Source {
	type wrapper struct{ Row *taskRow }
	var row taskRow
	return edit(func(t *taskwait.Task) {
		row = *t.Raw.(*taskRow)
		t.Raw = &wrapper{&row}
	})(good, s)
}

func exits(taskwait.Source, *service) taskwait.Source {
	return sourceFunc(func(context.Context, string) (taskwait.Task, error) { runtime.Goexit(); panic("not reached") })
}

func hangs(_ taskwait.Source, s *service) taskwait.Source {
	return sourceFunc(func(context.Context, string) (taskwait.Task, error) { <-s.closed; return taskwait.Task{}, nil })
}
