package taskwait_test

import (
	"context"
	"time"

	"github.com/taskwait/taskwait"
)

// statuses is a Source that gives these answers in turn, and the last one again and again. Yours asks a service.
func statuses(all ...taskwait.Status) taskwait.Source {
	next := 0
	return taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
		s := all[min(next, len(all)-1)]
		next++
		return taskwait.Task{ID: id, Kind: "bindInstancePublicIp", Status: s}, nil
	})
}

// A short interval keeps the examples short.
var often = taskwait.WithInterval(time.Millisecond, time.Millisecond)

// ends is a Source of tasks that have ended so.
func ends(all map[string]taskwait.Status) taskwait.Source {
	return taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
		return taskwait.Task{ID: id, Status: all[id]}, nil
	})
}
