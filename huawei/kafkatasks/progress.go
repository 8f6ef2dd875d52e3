package kafkatasks

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/taskwait/taskwait"
)

var _ taskwait.Detailer = (*Source)(nil)

// Details asks how far a task is. The service tells that for expansions only (API page "Querying Background Task Progress",
// 2025-12-31); of other tasks a wait asks once. That the remaining time is in seconds is how it is read here; the page
// does not say. It needs no permission that is documented.
//
// The SDK cannot read the answer that the service documents, whose times are numbers, or null, where it wants strings; so
// the answer is read here, leniently: what cannot be made out is unknown.
func (s *Source) Details(ctx context.Context, t taskwait.Task) (taskwait.Task, error) {
	if err := errors.Join(s.Validate(), taskwait.CheckID("task id", t.ID)); err != nil {
		return t, &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: err}
	}
	var p progress
	_, err := get(ctx, s.caller, "", "/v2/{project_id}/instances/{instance_id}/tasks/{task_id}/progress",
		&path{InstanceId: s.instanceID, TaskId: t.ID}, &p)
	if err != nil {
		return t, err
	}
	p.tell(&t)
	if t.Percent == nil && t.Steps == nil {
		return t, &taskwait.QueryError{Class: taskwait.ClassNotFound, Err: errors.New("the service tells no progress of this task")}
	}
	return t, nil
}

// progress is the service's answer; any of it may be a number, a number in a string, null or missing.
type progress struct {
	Percentage loose           `json:"progress_percentage"`
	RemainTime loose           `json:"remain_time"`
	StepList   json.RawMessage `json:"step_list"`
}

// step is one of its steps. The status was spelt "statue" until it was mended in one place and broken in another.
type step struct {
	Name      loose `json:"name"`
	Status    loose `json:"status"`
	Statue    loose `json:"statue"`
	StartTime loose `json:"start_time"`
	EndTime   loose `json:"end_time"`
}

// loose is a JSON string, or the text of any other scalar; "" for null.
type loose string

// UnmarshalJSON never fails.
func (l *loose) UnmarshalJSON(text []byte) error {
	var s string
	switch err := json.Unmarshal(text, &s); {
	case err == nil:
		*l = loose(strings.TrimSpace(s))
	case text[0] != '{' && text[0] != '[':
		*l = loose(text)
	}
	return nil
}

func (p *progress) tell(t *taskwait.Task) {
	t.Percent, t.Remaining, t.Steps = nil, 0, nil
	if n, ok := p.Percentage.number(); ok && n >= 0 && n <= 100 {
		percent := int(n)
		t.Percent = &percent
	}
	const year = 365 * 24 * 60 * 60
	if n, ok := p.RemainTime.number(); ok && n > 0 && n <= year {
		t.Remaining = time.Duration(n * float64(time.Second))
	}
	var steps []step
	if json.Unmarshal(p.StepList, &steps) != nil {
		return
	}
	for _, s := range steps {
		status := s.Status
		if status == "" {
			status = s.Statue
		}
		t.Steps = append(t.Steps, taskwait.Step{
			Name: string(s.Name), Status: string(status), StartedAt: s.StartTime.time(), EndedAt: s.EndTime.time(),
		})
	}
}

func (l loose) number() (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSuffix(string(l), "%"), 64)
	return n, err == nil
}

// time reads milliseconds since 1970, or a time as the lists have it.
func (l loose) time() time.Time {
	if n, err := strconv.ParseInt(string(l), 10, 64); err == nil && n > 0 {
		return time.UnixMilli(n).UTC()
	}
	return parseTime(string(l))
}
