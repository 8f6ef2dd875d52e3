package kafkatasks_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"github.com/taskwait/taskwait/internal/chaos"
)

const (
	bind   = "bindInstancePublicIp"
	unbind = "unbindInstancePublicIp"
)

func pointer[T any](v T) *T { return &v }

// bindIP binds a public IP, by a request that answers with no id.
func bindIP(id, ip string) func(*kafka.KafkaClient) error {
	return func(c *kafka.KafkaClient) error {
		_, err := c.ModifyKafkaPublicIpAccessSwitch(&model.ModifyKafkaPublicIpAccessSwitchRequest{
			InstanceId: id, Body: &model.ModifyKafkaPublicIpAccessSwitchReq{PublicipId: &ip},
		})
		return err
	}
}

func resize(id string, storage int32) func(*kafka.KafkaClient) (*string, error) {
	return func(c *kafka.KafkaClient) (*string, error) {
		resp, err := c.ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{
			InstanceId: id, Body: &model.ResizeEngineInstanceReq{OperType: "storage", NewStorageSpace: &storage},
		})
		if err != nil {
			return nil, err
		}
		return resp.JobId, nil
	}
}

func waiterOn(t testing.TB, source taskwait.Source, opts ...taskwait.Option) *taskwait.Waiter {
	t.Helper()
	w, err := taskwait.New(source, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func waitErrorOf(t testing.TB, err error) *taskwait.WaitError {
	t.Helper()
	var e *taskwait.WaitError
	if !errors.As(err, &e) {
		t.Fatalf("error = %v, want a WaitError", err)
	}
	return e
}

// count counts what was carried out on a route.
func count(cloud *fakekafka.Cloud, r fakecloud.Route) (n int) {
	for _, o := range cloud.Operations() {
		if o.Route == r {
			n++
		}
	}
	return n
}

// TestNoID finds the tasks of operations that answer with no id, among others of the same name and at all speeds.
func TestNoID(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cloud  []fakecloud.Option
		older  []fakekafka.Script
		script fakekafka.Script
		want   error
	}{
		{name: "the only one"},
		{name: "an older one has failed", older: []fakekafka.Script{{Outcome: "FAILED"}}},
		{
			name: "an older one has succeeded, ours fails", older: []fakekafka.Script{{}},
			script: fakekafka.Script{Outcome: "FAILED"}, want: taskwait.ErrTaskFailed,
		},
		{
			name: "an older one still runs", cloud: []fakecloud.Option{fakekafka.WithoutConflicts()},
			older: []fakekafka.Script{{Duration: time.Hour, Outcome: "FAILED"}},
		},
		{
			name: "it appears later", older: []fakekafka.Script{{Outcome: "FAILED"}},
			script: fakekafka.Script{ListedAfter: 12 * time.Second, Duration: time.Minute},
		},
		{
			name: "it is over when it appears", script: fakekafka.Script{ListedAfter: 12 * time.Second, Outcome: "CANCELLED"},
			want: taskwait.ErrTaskCancelled,
		},
		{
			name: "the service is ahead", cloud: []fakecloud.Option{fakecloud.WithClockSkew(14 * time.Minute)},
			older: []fakekafka.Script{{Outcome: "FAILED"}},
		},
		{
			name: "the service is behind", cloud: []fakecloud.Option{fakecloud.WithClockSkew(-14 * time.Minute)},
			older: []fakekafka.Script{{Outcome: "FAILED"}},
		},
		{
			name:   "by its clock it begins before it is sent",
			script: fakekafka.Script{CreatedAt: time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC)}, older: []fakekafka.Script{{}},
		},
		{name: "many others", older: slices.Repeat([]fakekafka.Script{{Outcome: "FAILED"}}, 250)},
		{
			name: "slow answers", cloud: []fakecloud.Option{fakecloud.WithLatency(4 * time.Second)},
			older: []fakekafka.Script{{Outcome: "FAILED"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New(tt.cloud...)
				cloud.AddInstance("kafka-1")
				for _, s := range tt.older {
					s.Name = bind
					cloud.AddTask("kafka-1", s)
				}
				time.Sleep(4 * time.Second)
				cloud.OnPublicIP(tt.script)
				source := kafkatasks.New(newClient(t, cloud), "kafka-1")
				task, err := waiterOn(t, source, taskwait.WithTimeout(10*time.Minute)).
					Do(t.Context(), source.OperationNamed(bind, bindIP("kafka-1", "ip-1")))
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
					t.Errorf("error = %v, want %v", err, tt.want)
				}
				if ours := cloud.Operations(); len(ours) != 1 || task.ID != ours[0].TaskID || task.Kind != bind {
					t.Errorf("got %v, want that of %+v", task, ours)
				}
			})
		})
	}
}

// firstOfName is how the official Terraform provider finds a task (v1.82: the first row with the name, whenever it
// began).
func firstOfName(c *kafka.KafkaClient, id, name string) (taskID, status string, err error) {
	resp, err := c.ListBackgroundTasks(&model.ListBackgroundTasksRequest{InstanceId: id})
	if err != nil {
		return "", "", err
	}
	for _, row := range *resp.Tasks {
		if *row.Name == name {
			return *row.Id, *row.Status, nil
		}
	}
	return "", "", errors.New("none")
}

// TestFirstOfName shows why the first row of that name will not do: it is an old task's until ours is listed.
func TestFirstOfName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		client := newClient(t, cloud)
		source := kafkatasks.New(client, "kafka-1")
		old := cloud.AddTask("kafka-1", fakekafka.Script{Name: bind, Outcome: "FAILED"})
		time.Sleep(time.Minute)
		cloud.OnPublicIP(fakekafka.Script{ListedAfter: 3 * time.Second, Duration: 20 * time.Second})
		var wrongID, wrongStatus string
		op := source.OperationNamed(bind, func(c *kafka.KafkaClient) error {
			err := bindIP("kafka-1", "ip-1")(c)
			if err == nil {
				wrongID, wrongStatus, err = firstOfName(client, "kafka-1", bind)
			}
			return err
		})
		task, err := waiterOn(t, source).Do(t.Context(), op)
		if err != nil || task.ID != cloud.Operations()[0].TaskID {
			t.Errorf("%v, %v; want the task of %+v", task, err, cloud.Operations())
		}
		if wrongID != old || wrongStatus != "FAILED" {
			t.Errorf("the first row is that of %s, %s; want the old one's, FAILED", wrongID, wrongStatus)
		}
	})
}

// TestTwoAtOnce: of two tasks that may be it none is guessed, unless the caller can tell them apart.
func TestTwoAtOnce(t *testing.T) {
	for _, known := range []bool{false, true} {
		t.Run(fmt.Sprint("known ", known), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New(fakekafka.WithoutConflicts(), fakecloud.WithLatency(100*time.Millisecond))
				cloud.OnPublicIP(fakekafka.Script{Duration: 30 * time.Second})
				cloud.AddInstance("kafka-1")
				source := kafkatasks.New(newClient(t, cloud), "kafka-1")
				w := waiterOn(t, source, taskwait.WithTimeout(5*time.Minute))
				errs, ids := map[string]error{}, map[string]string{}
				done := make(chan func())
				for _, ip := range []string{"ip-1", "ip-2"} {
					go func() {
						var fits []func(taskwait.Task) bool
						if known {
							fits = append(fits, func(task taskwait.Task) bool {
								return strings.Contains(*task.Raw.(*model.ListBackgroundTasksRespTasks).Params, ip)
							})
						}
						task, err := w.Do(t.Context(), source.OperationNamed(bind, bindIP("kafka-1", ip), fits...))
						done <- func() { errs[ip], ids[ip] = err, task.ID }
					}()
				}
				(<-done)()
				(<-done)()
				if len(cloud.Operations()) != 2 {
					t.Fatalf("carried out: %+v, want two", cloud.Operations())
				}
				for _, ip := range []string{"ip-1", "ip-2"} {
					if known {
						if errs[ip] != nil || ids[ip] == "" || ids["ip-1"] == ids["ip-2"] {
							t.Errorf("%s: %s, %v; want a task of its own", ip, ids[ip], errs[ip])
						}
						continue
					}
					e := waitErrorOf(t, errs[ip])
					if !errors.Is(e, taskwait.ErrAmbiguous) || len(e.Candidates) != 2 || !e.StillRunning() {
						t.Errorf("%s: %v with %v, want ErrAmbiguous with both", ip, e, e.Candidates)
					}
					for _, o := range cloud.Operations() {
						if !strings.Contains(e.Error(), o.TaskID) {
							t.Errorf("%q does not name %s", e, o.TaskID)
						}
					}
				}
			})
		})
	}
}

// TestOperationFaults: what befalls the request that changes something decides what may be said of it.
func TestOperationFaults(t *testing.T) {
	for _, tt := range []struct {
		name       string
		fault      fakecloud.Fault
		want       error // nil: it comes to a good end
		carriedOut int
		candidates int
	}{
		{name: "none", fault: fakecloud.Serve(), carriedOut: 1},
		{name: "slow", fault: fakecloud.Slow(5 * time.Second), carriedOut: 1},
		{name: "throttled", fault: fakecloud.Throttle(0).Times(3), carriedOut: 1},
		{name: "throttled as 404", fault: fakekafka.ThrottleAs404(), carriedOut: 1},
		{
			name:  "another task runs",
			fault: fakecloud.Error(400, "DMS.00400017", "This DMS instance job task is still running."), carriedOut: 1,
		},
		{name: "wrong once, and nothing runs", fault: fakecloud.Error(400, "DMS.00400026", "Not allowed."), carriedOut: 1},
		{
			name: "wrong twice, and nothing runs", fault: fakecloud.Error(400, "DMS.00400026", "Not allowed.").Times(2),
			want: taskwait.ErrNotStarted,
		},
		{
			name: "refused", fault: fakecloud.Error(400, "DMS.00400062", "Invalid request parameter."),
			want: taskwait.ErrNotStarted,
		},
		{name: "forbidden", fault: fakecloud.Error(403, "DMS.00403002", "No permission."), want: taskwait.ErrNotStarted},
		{
			name: "no such instance", fault: fakecloud.Error(404, "DMS.00404022", "This instance does not exist."),
			want: taskwait.ErrNotStarted,
		},
		{name: "dropped before", fault: fakecloud.Drop(), want: taskwait.ErrOutcomeUnknown},
		{
			name: "dropped after", fault: fakecloud.DropAnswer(), want: taskwait.ErrOutcomeUnknown, carriedOut: 1, candidates: 1,
		},
		{name: "unavailable", fault: fakecloud.Unavailable(), want: taskwait.ErrOutcomeUnknown},
		{
			name: "unavailable for a while", fault: fakecloud.Respond(503, "", "Retry-After", "9"),
			want: taskwait.ErrOutcomeUnknown,
		},
		{name: "a page of a proxy", fault: fakecloud.HTML(502), want: taskwait.ErrOutcomeUnknown},
		{
			name: "a timeout of the gateway", fault: fakecloud.Error(504, "APIGW.0203", "Backend timeout."),
			want: taskwait.ErrOutcomeUnknown,
		},
		{name: "redirected", fault: fakecloud.Respond(302, "", "Location", "/login"), want: taskwait.ErrOutcomeUnknown},
		{name: "no answer", fault: fakecloud.Hang(), want: taskwait.ErrOutcomeUnknown},
		{name: "stalled", fault: fakecloud.Stall(), want: taskwait.ErrOutcomeUnknown, carriedOut: 1, candidates: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				cloud.AddTask("kafka-1", fakekafka.Script{Name: bind, Outcome: "FAILED"})
				time.Sleep(time.Minute)
				cloud.Inject(fakekafka.RoutePublicIP, tt.fault)
				source := kafkatasks.New(newClient(t, cloud), "kafka-1")
				task, err := waiterOn(t, source, taskwait.WithTimeout(10*time.Minute)).
					Do(t.Context(), source.OperationNamed(bind, bindIP("kafka-1", "ip-1")))
				if n := count(cloud, fakekafka.RoutePublicIP); n != tt.carriedOut {
					t.Errorf("carried out %d times, want %d", n, tt.carriedOut)
				}
				if tt.want == nil {
					if err != nil || task.ID != cloud.Operations()[0].TaskID {
						t.Errorf("%v, %v", task, err)
					}
					return
				}
				e := waitErrorOf(t, err)
				if !errors.Is(err, tt.want) || len(e.Candidates) != tt.candidates ||
					e.StillRunning() != (tt.want == taskwait.ErrOutcomeUnknown) {
					t.Errorf("%v with %d candidates, still running %v; want %v with %d", err, len(e.Candidates), e.StillRunning(),
						tt.want, tt.candidates)
				}
				if tt.candidates == 1 && e.Candidates[0].ID != cloud.Operations()[0].TaskID {
					t.Errorf("got %v, want %+v", e.Candidates, cloud.Operations())
				}
			})
		})
	}
}

// TestAskingFaults: what befalls the queries before and after the operation delays it and changes nothing.
func TestAskingFaults(t *testing.T) {
	for i, f := range faults {
		if f.Means == chaos.Permanent {
			continue
		}
		for _, route := range []fakecloud.Route{fakekafka.RouteListTasks, fakekafka.RouteShowTask} {
			t.Run(fmt.Sprintf("%s %s %d", route, f.Means, i), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cloud := fakekafka.New()
					cloud.OnPublicIP(fakekafka.Script{Duration: time.Minute})
					cloud.AddTask("kafka-1", fakekafka.Script{Name: bind, Outcome: "FAILED"})
					time.Sleep(5 * time.Second)
					cloud.Inject(route, f.Fault)
					if f.Means != chaos.Absent { // which is believed when it comes twice
						cloud.Inject(route, f.Fault)
					}
					cloud.Inject(route, fakecloud.Serve(), f.Fault)
					source := kafkatasks.New(newClient(t, cloud), "kafka-1")
					task, err := waiterOn(t, source, taskwait.WithTimeout(time.Hour)).
						Do(t.Context(), source.OperationNamed(bind, bindIP("kafka-1", "ip-1")))
					passing := f.Means == chaos.Transient || f.Means == chaos.Throttled
					if misled := route == fakekafka.RouteListTasks && !passing; misled {
						// An answer that looks good and hides rows is beyond what anybody can find out: then it is an
						// error, or right.
						if err == nil && task.ID != cloud.Operations()[0].TaskID {
							t.Errorf("got %v, want that of %+v", task, cloud.Operations())
						}
						return
					}
					if err != nil || len(cloud.Operations()) != 1 || task.ID != cloud.Operations()[0].TaskID {
						t.Errorf("%v, %v; want that of %+v", task, err, cloud.Operations())
					}
				})
			})
		}
	}
}

// TestBusy: refused because something else runs, the operation waits until that is over.
func TestBusy(t *testing.T) {
	for _, tt := range []struct {
		name    string
		busy    func(*fakekafka.Cloud)
		timeout time.Duration
		want    error
		says    string
		refused int // requests that were refused
		after   time.Duration
	}{
		{
			name: "a task runs", busy: func(c *fakekafka.Cloud) {
				c.AddTask("kafka-1", fakekafka.Script{Name: "kafkaUpgrade", Duration: 10 * time.Minute})
			},
			timeout: time.Hour, says: "kafkaUpgrade", refused: 1, after: 10 * time.Minute,
		},
		{
			name: "it restarts", busy: func(c *fakekafka.Cloud) {
				c.SetStatus("kafka-1", "RESTARTING")
				time.AfterFunc(5*time.Minute, func() { c.SetStatus("kafka-1", "") })
			},
			timeout: time.Hour, says: "RESTARTING", refused: 1, after: 5 * time.Minute,
		},
		{
			name: "longer than there is time", busy: func(c *fakekafka.Cloud) {
				c.AddTask("kafka-1", fakekafka.Script{Name: "kafkaUpgrade", Duration: 10 * time.Minute})
			},
			timeout: 2 * time.Minute, want: taskwait.ErrTimeout, says: "kafkaUpgrade", refused: 1,
		},
		{
			name: "never allowed", busy: func(c *fakekafka.Cloud) { c.SetStatus("kafka-1", "FROZEN") },
			timeout: time.Hour, want: taskwait.ErrNotStarted, says: "", refused: 2,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				cloud.AddInstance("kafka-1")
				tt.busy(cloud)
				start := time.Now()
				source := kafkatasks.New(newClient(t, cloud), "kafka-1")
				said := ""
				_, err := waiterOn(t, source, taskwait.WithTimeout(tt.timeout)).
					Do(t.Context(), source.Operation("resize", resize("kafka-1", 600)),
						taskwait.WithProgress(func(p taskwait.Progress) {
							if p.Err != nil {
								said += p.Err.Error() + "\n"
							}
						}))
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || !strings.Contains(said, tt.says) {
					t.Errorf("%v, having said %q; want %v and %q", err, said, tt.want, tt.says)
				}
				refused := 0
				for _, r := range cloud.Requests() {
					if r.Route == fakekafka.RouteResize && r.Status == 400 {
						refused++
					}
				}
				done := cloud.Operations()
				switch {
				case refused != tt.refused:
					t.Errorf("refused %d times, want %d: it is to ask before it tries again", refused, tt.refused)
				case tt.want != nil && (len(done) != 0 || !errors.Is(err, taskwait.ErrNotStarted)):
					t.Errorf("%v, carried out %+v; want ErrNotStarted, and nothing", err, done)
				case tt.want == nil && (len(done) != 1 || done[0].Time.Sub(start) < tt.after):
					t.Errorf("carried out %+v, want it once, %v after %v", done, tt.after, start)
				}
				time.Sleep(10 * time.Minute) // what was left behind ends
			})
		})
	}
}

// TestIDIsNeverLost: whatever ends the wait, the id is in the result and in the error, and can be waited for again.
func TestIDIsNeverLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		cloud.AddInstance("kafka-1")
		cloud.OnResize(fakekafka.Script{Duration: 20 * time.Minute})
		source := kafkatasks.New(newClient(t, cloud), "kafka-1")
		w := waiterOn(t, source)
		cancelled, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		_, err := w.Do(cancelled, source.Operation("resize", resize("kafka-1", 600)))
		e := waitErrorOf(t, err)
		if id := cloud.Operations()[0].TaskID; e.ID != id || !e.StillRunning() || !strings.Contains(e.Error(), id) {
			t.Fatalf("error = %v with the id %q, want that of %s", err, e.ID, id)
		}
		task, err := w.WaitForTask(t.Context(), e.ID)
		if state, _ := cloud.Instance("kafka-1"); err != nil || task.ID != e.ID || state.Storage != 600 {
			t.Errorf("%v, %v, %d GB; want it resized", task, err, state.Storage)
		}
		if len(cloud.Operations()) != 1 {
			t.Errorf("carried out: %+v", cloud.Operations())
		}
	})
}

// TestMissingJobID: an answer that should have an id and has none is no reason to lose the task.
func TestMissingJobID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		cloud.AddTask("kafka-1", fakekafka.Script{})
		time.Sleep(time.Minute)
		source := kafkatasks.New(newClient(t, cloud), "kafka-1")
		task, err := waiterOn(t, source).
			Do(t.Context(), source.Operation("resize", func(c *kafka.KafkaClient) (*string, error) {
				_, err := resize("kafka-1", 600)(c)
				return nil, err
			}))
		if err != nil || task.ID != cloud.Operations()[0].TaskID {
			t.Errorf("%v, %v; want that of %+v", task, err, cloud.Operations())
		}
	})
}

// TestLongListBehindAQuota: a list of several pages does not begin anew with each throttled one.
func TestLongListBehindAQuota(t *testing.T) {
	for _, tt := range []struct{ rows, quota, requests int }{{150, 1, 40}, {1500, 10, 90}} {
		t.Run(fmt.Sprintf("%d rows, %d a second", tt.rows, tt.quota), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New(fakecloud.WithQuota(tt.quota))
				for range tt.rows {
					cloud.AddTask("kafka-1", fakekafka.Script{Name: bind, Outcome: "FAILED"})
				}
				time.Sleep(time.Minute)
				cloud.OnPublicIP(fakekafka.Script{Duration: time.Minute})
				source := kafkatasks.New(newClient(t, cloud), "kafka-1")
				if tasks, err := source.ListSince(t.Context(), time.Time{}); err != nil || len(tasks) != tt.rows {
					t.Errorf("%d tasks, %v; want %d", len(tasks), err, tt.rows)
				}
				start := time.Now()
				task, err := waiterOn(t, source, taskwait.WithTimeout(time.Hour)).
					Do(t.Context(), source.OperationNamed(bind, bindIP("kafka-1", "ip-1")))
				took, requests := time.Since(start), len(cloud.Requests())
				if err != nil || task.ID != cloud.Operations()[0].TaskID || took > 5*time.Minute || requests > tt.requests {
					t.Errorf("%v, %v after %v and %d requests; want that of %+v after a minute or two, %d requests", task, err, took,
						requests, cloud.Operations(), tt.requests)
				}
			})
		})
	}
}

// TestExampleOperationNamed runs in virtual time the example that takes more than ten seconds.
func TestExampleOperationNamed(t *testing.T) {
	if got, want := printed(t, ExampleSource_OperationNamed), "bindInstancePublicIp SUCCESS <nil>\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

// printed returns what an example prints in virtual time.
func printed(t *testing.T, example func()) string {
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	os.Stdout = out
	synctest.Test(t, func(*testing.T) { example() })
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
