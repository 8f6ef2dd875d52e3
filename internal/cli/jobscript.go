package cli

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakejobs "github.com/taskwait/taskwait/fakecloud/jobs"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/internal/text"
)

// jobScript is a job of another service than DMS.
type jobScript struct {
	Shape       string       `yaml:"shape"`
	ID          string       `yaml:"id"`
	Name        string       `yaml:"name"`
	Age         span         `yaml:"age"`
	Duration    span         `yaml:"duration"`
	Outcome     string       `yaml:"outcome"`
	ListedAfter span         `yaml:"listed-after"`
	Steps       []stepScript `yaml:"steps"`
	Code        string       `yaml:"code"`
	Reason      string       `yaml:"reason"`
	Jobs        []jobScript  `yaml:"jobs"`
}

// jobs adds those of other services. What DMS has is said by tasks and instances.
func (s *cloudScript) jobs(cloud *fakekafka.Cloud) error {
	jobs := fakejobs.Beside(cloud.Gateway, fakejobs.WithSpeed(cmp.Or(s.Speed, 1)))
	shapes := slices.DeleteFunc(fakejobs.Shapes(), func(shape fakejobs.Shape) bool {
		return shape == fakejobs.DMS || shape == fakejobs.Resource
	})
	for i := range s.Jobs {
		shape := fakejobs.Shape(s.Jobs[i].Shape)
		if !slices.Contains(shapes, shape) {
			return fmt.Errorf("a job of shape %s, want one of %q", text.Quote(s.Jobs[i].Shape), shapes)
		}
		jobs.AddJob(shape, s.Jobs[i].script())
	}
	return nil
}

func (j *jobScript) script() fakejobs.Script {
	s := fakejobs.Script{
		ID: j.ID, Name: j.Name, Duration: time.Duration(j.Duration), Outcome: taskwait.Status(j.Outcome),
		ListedAfter: time.Duration(j.ListedAfter), Code: j.Code, Reason: j.Reason,
	}
	if j.Age != 0 {
		s.CreatedAt = time.Now().Add(-time.Duration(j.Age))
	}
	for _, step := range j.Steps {
		s.Steps = append(s.Steps, fakejobs.Step{After: time.Duration(step.After), Status: taskwait.Status(step.Status)})
	}
	for i := range j.Jobs {
		s.Jobs = append(s.Jobs, j.Jobs[i].script())
	}
	return s
}

// jobKinds are the kinds of faults that change what an answer tells of a job.
func (f *faultScript) jobKinds() map[string]func() fakecloud.Fault {
	return map[string]func() fakecloud.Fault{
		"wrong-id": fakejobs.WrongID, "several-rows": fakejobs.SeveralRows, "not-listed": fakejobs.NotListed,
		"status": func() fakecloud.Fault { return fakejobs.Status(f.Message) },
	}
}
