package kafkatasks_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/internal/chaos"
)

var stages = []fakekafka.Stage{
	{Name: "pre_check", Duration: time.Minute}, {Name: "disk_expansion", Duration: 3 * time.Minute},
}

// TestDetails reads the progress of an expansion in each of the shapes in which it may come.
func TestDetails(t *testing.T) {
	for _, tt := range []struct {
		shape fakekafka.ProgressShape
		none  bool
		steps bool
	}{
		{shape: fakekafka.ShapeDocumented, steps: true},
		{shape: fakekafka.ShapeStatue, steps: true},
		{shape: fakekafka.ShapeStrings, steps: true},
		{shape: fakekafka.ShapeText, steps: true},
		{shape: fakekafka.ShapeBare},
		{shape: fakekafka.ShapeEmpty, none: true},
	} {
		t.Run(fmt.Sprint("shape ", tt.shape), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				begun := time.Now()
				id := cloud.AddTask("kafka-1", fakekafka.Script{Stages: stages, Shape: tt.shape})
				time.Sleep(2 * time.Minute)
				task, err := kafkatasks.New(newClient(t, cloud), "kafka-1").
					Details(t.Context(), taskwait.Task{ID: id, Kind: "kept"})
				var q *taskwait.QueryError
				if tt.none {
					if !errors.As(err, &q) || q.Class != taskwait.ClassNotFound {
						t.Errorf("%v, %v; want that there is none", task, err)
					}
					return
				}
				if err != nil || task.Percent == nil || *task.Percent != 50 || task.Remaining != 2*time.Minute ||
					task.Kind != "kept" {
					t.Fatalf("%+v, %v; want 50 %%, 2 min left", task, err)
				}
				want := []taskwait.Step{
					{Name: "pre_check", Status: "COMPLETED", StartedAt: begun.UTC(), EndedAt: begun.Add(time.Minute).UTC()},
					{Name: "disk_expansion", Status: "IN_PROGRESS", StartedAt: begun.Add(time.Minute).UTC()},
				}
				if !tt.steps {
					want = nil
				}
				if !slices.Equal(task.Steps, want) {
					t.Errorf("steps %+v, want %+v", task.Steps, want)
				}
			})
		})
	}
}

// TestOddProgress: what cannot be made out is unknown, and nothing of it is an error.
func TestOddProgress(t *testing.T) {
	for _, tt := range []struct {
		body      string
		percent   int // -1: unknown
		remaining time.Duration
		steps     int
	}{
		{`{"progress_percentage":12.6,"remain_time":90}`, 12, 90 * time.Second, 0},
		{`{"progress_percentage":"12%","remain_time":"1.5"}`, 12, 1500 * time.Millisecond, 0},
		{`{"progress_percentage":100,"remain_time":null,"step_list":null}`, 100, 0, 0},
		{`{"progress_percentage":0,"remain_time":-5,"step_list":[]}`, 0, 0, 0},
		{`{"progress_percentage":5,"remain_time":1e300}`, 5, 0, 0},
		{`{"progress_percentage":5,"remain_time":"soon","step_list":{"name":"x"}}`, 5, 0, 0},
		{`{"progress_percentage":-3,"step_list":[{"name":"x"}]}`, -1, 0, 1},
		{`{"progress_percentage":101,"step_list":[{"name":7,"status":null,"start_time":{},"end_time":[1]}]}`, -1, 0, 1},
		{`{"progress_percentage":[],"step_list":[{}]}`, -1, 0, 1},
	} {
		cloud := fakekafka.New()
		cloud.AddInstance("kafka-1")
		cloud.Inject(fakekafka.RouteProgress, fakecloud.Respond(200, tt.body))
		task, err := kafkatasks.New(newClient(t, cloud), "kafka-1").Details(t.Context(), taskwait.Task{ID: "t"})
		percent := -1
		if task.Percent != nil {
			percent = *task.Percent
		}
		if err != nil || percent != tt.percent || task.Remaining != tt.remaining || len(task.Steps) != tt.steps {
			t.Errorf("%s: %d %%, %v, %d steps, %v", tt.body, percent, task.Remaining, len(task.Steps), err)
		}
	}
}

// TestProgressFaults: whatever befalls the question how far the task is, the wait is as good and as quick without.
func TestProgressFaults(t *testing.T) {
	wait := func(t *testing.T, fault fakecloud.Fault) (cloud *fakekafka.Cloud, took time.Duration, told int) {
		cloud = fakekafka.New()
		id := cloud.AddTask("kafka-1", fakekafka.Script{Duration: 10 * time.Minute})
		cloud.Inject(fakekafka.RouteProgress, fault.For(time.Hour))
		w := waiterOn(t, kafkatasks.New(newClient(t, cloud), "kafka-1"),
			taskwait.WithInterval(10*time.Second, 10*time.Second))
		start := time.Now()
		_, err := w.WaitForTask(t.Context(), id, taskwait.WithProgress(func(p taskwait.Progress) {
			if p.Task.Percent != nil {
				told++
			}
		}))
		if err != nil {
			t.Error(err)
		}
		took = time.Since(start)
		time.Sleep(time.Minute) // what was left behind ends
		return cloud, took, told
	}
	for i, f := range faults {
		t.Run(fmt.Sprint(f.Means, " ", i), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud, took, told := wait(t, f.Fault)
				asked, looks := 0, 0
				for _, r := range cloud.Requests() {
					switch r.Route {
					case fakekafka.RouteProgress:
						asked++
					case fakekafka.RouteShowTask:
						looks++
					}
				}
				if took != 10*time.Minute || told != 0 || looks != 61 || asked > looks {
					t.Errorf("%v, %d looks, %d questions how far it is, %d answers; want 10 min, 61 looks, no more questions, none",
						took, looks, asked, told)
				}
				if f.Means == chaos.Rows && asked != 1 {
					t.Errorf("asked %d times of a task without progress, want once", asked)
				}
			})
		})
	}
}

// TestExpansion: percentage, remaining time and steps are seen, and the looks are planned by what remains.
func TestExpansion(t *testing.T) {
	for _, stage := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			cloud := fakekafka.New()
			script := fakekafka.Script{Duration: 40 * time.Minute}
			if stage {
				script.Stages = []fakekafka.Stage{{Name: "disk_expansion", Duration: 40 * time.Minute}}
			}
			id := cloud.AddTask("kafka-1", script)
			w := waiterOn(t, kafkatasks.New(newClient(t, cloud), "kafka-1"),
				taskwait.WithInterval(5*time.Second, 10*time.Minute))
			start, percents := time.Now(), []int{}
			_, err := w.WaitForTask(t.Context(), id, taskwait.WithProgress(func(p taskwait.Progress) {
				if p.Task.Percent != nil && p.Task.Remaining > 0 {
					percents = append(percents, *p.Task.Percent)
				}
			}))
			late, requests := time.Since(start)-40*time.Minute, len(cloud.Requests())
			t.Logf("stages %v: %d requests, %v late", stage, requests, late)
			if err != nil || !slices.IsSorted(percents) || (len(percents) > 0) != stage {
				t.Errorf("%v, percentages %v", err, percents)
			}
			if stage && (late > time.Minute || requests > 30) {
				t.Errorf("%v late after %d requests: the service's own word was not heeded", late, requests)
			}
		})
	}
}
