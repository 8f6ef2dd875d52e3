package kafkatasks

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/lenient"
)

var _ taskwait.Detailer = (*Source)(nil)

// Details queries the progress of a task. The service reports it only for expansions (API page "Querying Background
// Task Progress", 2025-12-31). For another task a wait makes this query once. The page does not document the unit of
// the remaining time; seconds are assumed. It needs no permission that is documented.
//
// The SDK cannot read the documented answer, whose times are numbers, or null, where the SDK wants strings. So the
// answer is read here, leniently: a value that cannot be read is unknown.
func (s *Source) Details(ctx context.Context, t taskwait.Task) (taskwait.Task, error) {
	if err := errors.Join(s.Validate(), checkID("task id", t.ID)); err != nil {
		return t, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	var p progress
	reply, err := get(ctx, s.caller, "", "/v2/{project_id}/instances/{instance_id}/tasks/{task_id}/progress",
		&resource{InstanceId: s.instanceID, TaskId: t.ID}, &p)
	switch {
	case err != nil:
		return t, err
	case value(reply.Value.Body) == "":
		return t, reply.Lacks("progress")
	}
	p.fill(&t, reply.At)
	if t.Percent == nil && t.Steps == nil {
		return t, &taskwait.QueryError{
			Class: taskwait.ClassNotFound,
			Err:   errors.New("the service reports no progress of this task"),
		}
	}
	return t, nil
}

// progress is the service's answer; any of it may be a number, a number in a string, null or missing.
type progress struct {
	Percentage *loose          `json:"progress_percentage"`
	RemainTime *loose          `json:"remain_time"`
	StepList   json.RawMessage `json:"step_list"`
}

// step is one of its steps. The status was spelt "statue" until it was fixed in one place and broken in another.
type step struct {
	Name      *loose `json:"name"`
	Status    *loose `json:"status"`
	Statue    *loose `json:"statue"`
	StartTime *loose `json:"start_time"`
	EndTime   *loose `json:"end_time"`
}

func (p *progress) fill(t *taskwait.Task, asOf time.Time) {
	t.Percent, t.Remaining, t.Steps = nil, 0, nil
	t.Percent = lenient.Percent(p.Percentage.trimmed(), false)
	t.Remaining = lenient.Seconds(p.RemainTime.trimmed())
	var steps []json.RawMessage
	if json.Unmarshal(p.StepList, &steps) != nil {
		return
	}
	for _, text := range steps {
		var s step
		if json.Unmarshal(text, &s) != nil {
			continue
		}
		t.Steps = append(t.Steps, taskwait.Step{
			Name: s.Name.trimmed(), Status: cmp.Or(s.Status.trimmed(), s.Statue.trimmed()),
			StartedAt: s.StartTime.time(asOf), EndedAt: s.EndTime.time(asOf),
		})
	}
}
