package jobs_test

import (
	"flag"
	"testing"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakejobs "github.com/taskwait/taskwait/fakecloud/jobs"
	"github.com/taskwait/taskwait/internal/chaos"
)

var (
	chaosRuns  = flag.Int("chaos", 10, "how many random scripts TestChaos plays of each shape")
	chaosFirst = flag.Uint64("chaos.first", 1, "the first of them")
	chaosSeed  = flag.Uint64("chaos.seed", 0, "the one script to play; 0: as many as -chaos says")
)

// faults are what can befall a request beside those of any API.
var faults = append(chaos.Faults(),
	chaos.Fault{Weight: 5, Means: chaos.Rows, Fault: fakejobs.SeveralRows()},
	chaos.Fault{Weight: 5, Means: chaos.Unknown, Fault: fakejobs.Status("PAUSED")},
	chaos.Fault{Weight: 2, Means: chaos.Blank, Fault: fakejobs.Status("")},
	chaos.Fault{Weight: 6, Means: chaos.Missing, Fault: fakecloud.Error(404, "X.404", "There is no such job.")},
	chaos.Fault{Weight: 4, Means: chaos.Missing, Fault: fakejobs.WrongID()},
	chaos.Fault{Means: chaos.Permanent, Fault: fakecloud.Error(400, "X.400", "Invalid id.")},
	chaos.Fault{Means: chaos.Denied, Fault: fakecloud.Error(403, "X.403", "No permission.")},
	chaos.Fault{Means: chaos.Permanent, Fault: fakecloud.Error(404, "APIGW.0101", "The API does not exist.")},
)

// TestChaos plays random scripts of answers, faults and latencies with each shape of an answer. To play a million:
//
//	go test -run TestChaos ./huawei/jobs -chaos 1000000 -timeout 0
func TestChaos(t *testing.T) {
	t.Parallel()
	from, to := *chaosFirst, *chaosFirst+uint64(*chaosRuns)-1
	if *chaosSeed != 0 {
		from, to = *chaosSeed, *chaosSeed
	}
	for shape := range shapes {
		t.Run(string(shape), func(t *testing.T) {
			start := func(t *testing.T, s *chaos.Script) chaos.Started { return startChaos(t, shape, s) }
			chaos.Run(t, &chaos.Service{Faults: faults, Start: start}, from, to,
				"go test -run TestChaos/"+string(shape)+" ./huawei/jobs -chaos.seed")
		})
	}
}

// startChaos starts the job of a script. What a shape has no word for ends as a failure, and is told so to the oracle.
func startChaos(t *testing.T, shape fakejobs.Shape, s *chaos.Script) chaos.Started {
	cloud := fakejobs.New(fakecloud.WithLatency(s.Latency))
	for i, route := range shapes[shape].routes {
		cloud.Inject(route, [][]fakecloud.Fault{s.Show, s.List}[i]...)
	}
	for range s.Others {
		cloud.AddJob(shape, fakejobs.Script{Steps: []fakejobs.Step{{Status: taskwait.StatusExecuting}}})
	}
	script := fakejobs.Script{ListedAfter: s.ListedAfter}
	for i := range s.Steps {
		step := &s.Steps[i]
		known := shape.Word(step.Status) != string(step.Status) || step.Status == taskwait.StatusSuccess
		if !known && shape != fakejobs.DMS {
			step.Status = taskwait.StatusFailed
		}
		script.Steps = append(script.Steps, fakejobs.Step(*step))
	}
	return chaos.Started{ID: cloud.AddJob(shape, script), Source: shapes[shape].source(clientOver(t, cloud.Transport()))}
}
