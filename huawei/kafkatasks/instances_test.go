package kafkatasks_test

import (
	"errors"
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
)

// creation is the request for an instance of this name.
func creation(name, description string) func(*kafka.KafkaClient) (*string, error) {
	return func(c *kafka.KafkaClient) (*string, error) {
		body := &model.CreateInstanceByEngineReq{
			Name: name, Description: &description, Password: pointer(password), ProductId: "c6.2u4g.cluster",
			Engine: model.GetCreateInstanceByEngineReqEngineEnum().KAFKA, EngineVersion: "2.7", BrokerNum: 3,
			StorageSpace: 300, AvailableZones: []string{"z1"}, VpcId: "v1", SubnetId: "n1", SecurityGroupId: "g1",
			StorageSpecCode: model.GetCreateInstanceByEngineReqStorageSpecCodeEnum().DMS_PHYSICAL_STORAGE_HIGH_V2,
		}
		resp, err := c.CreatePostPaidKafkaInstance(&model.CreatePostPaidKafkaInstanceRequest{Body: body})
		if err != nil {
			return nil, err
		}
		return resp.InstanceId, nil
	}
}

// TestInstanceStatus is about what the service's words mean to one who waits for the one or the other.
func TestInstanceStatus(t *testing.T) {
	const executing, failed = taskwait.StatusExecuting, taskwait.StatusFailed
	for _, tt := range []struct {
		phase   string
		running taskwait.Status
	}{
		{"CREATING", taskwait.StatusCreated}, {"PENDING", taskwait.StatusCreated}, {"RUNNING", taskwait.StatusSuccess},
		{"RESTARTING", executing}, {"EXTENDING", executing}, {"SHRINKING", executing}, {"CONFIGURING", executing},
		{"ROLLBACK", executing},
		{"FREEZING", executing}, {"DELETING", executing}, {"VOLUMETYPECHANGING", executing},
		{"CONNECTOR_DELETING", executing},
		{"ERROR", failed}, {"CREATEFAILED", failed}, {"EXTENDEDFAILED", failed}, {"ROLLBACKFAILED", failed},
		{"FROZEN", failed},
		{"LEVITATING", "LEVITATING"},
	} {
		cloud := fakekafka.New()
		cloud.SetStatus("kafka-1", tt.phase)
		client := newClient(t, cloud)
		task, err := kafkatasks.UntilRunning(client).Task(t.Context(), "kafka-1")
		if err != nil || task.Status != tt.running || task.Phase != tt.phase || task.ID != "kafka-1" {
			t.Errorf("%s: %v, %v; want %s", tt.phase, task, err, tt.running)
		}
		if (tt.running == failed) != (task.FailureCode == tt.phase) {
			t.Errorf("%s: failure %q", tt.phase, task.FailureCode)
		}
		task, err = kafkatasks.UntilDeleted(client).Task(t.Context(), "kafka-1")
		if err != nil || task.Status != executing || task.Phase != tt.phase {
			t.Errorf("%s, to be gone: %v, %v; want EXECUTING", tt.phase, task, err)
		}
	}
}

// TestGone: only the service's own word that there is no such instance is success. What merely looks like it never is.
func TestGone(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault fakecloud.Fault
		class taskwait.Class // of what is not success
		gone  bool
	}{
		{name: "no such instance", fault: fakecloud.Error(404, "DMS.00404022", "This instance does not exist."), gone: true},
		{name: "a throttle as 404", fault: fakekafka.ThrottleAs404(), class: taskwait.ClassThrottled},
		{
			name: "a wrong route", fault: fakecloud.Error(404, "DMS.00404001", "The requested URL does not exist."),
			class: taskwait.ClassPermanent,
		},
		{
			name: "a wrong API", fault: fakecloud.Error(404, "APIGW.0101", "The API does not exist or has not been published."),
			class: taskwait.ClassPermanent,
		},
		{
			name: "another resource", fault: fakecloud.Error(404, "DMS.00404033", "This topic does not exist."),
			class: taskwait.ClassNotFound,
		},
		{name: "a 404 without a code", fault: fakecloud.Respond(404, "{}")},
		{name: "a 404 without a body", fault: fakecloud.Respond(404, "")},
		{name: "a 404 of a proxy", fault: fakecloud.HTML(404)},
		{
			name: "the code with 400", fault: fakecloud.Error(400, "DMS.00404022", "This instance does not exist."),
			class: taskwait.ClassPermanent,
		},
		{
			name:  "the code with 200",
			fault: fakecloud.Respond(200, `{"error_code":"DMS.00404022","error_msg":"This instance does not exist."}`),
		},
		{name: "an empty object", fault: fakecloud.Respond(200, "{}")},
		{
			name: "another instance", fault: fakecloud.Respond(200, `{"instance_id":"kafka-2","status":"DELETING"}`),
			class: taskwait.ClassNotFound,
		},
		{name: "unavailable", fault: fakecloud.Unavailable()},
		{name: "dropped", fault: fakecloud.Drop()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cloud := fakekafka.New()
			cloud.AddInstance("kafka-1")
			cloud.Inject(fakekafka.RouteShowInstance, tt.fault)
			task, err := kafkatasks.UntilDeleted(newClient(t, cloud)).Task(t.Context(), "kafka-1")
			var q *taskwait.QueryError
			switch {
			case tt.gone:
				if err != nil || task.Status != taskwait.StatusSuccess || task.ID != "kafka-1" {
					t.Errorf("%v, %v; want it gone", task, err)
				}
			case err == nil:
				t.Errorf("%v, want an error", task)
			case errors.As(err, &q) && q.Class != tt.class || q == nil && tt.class != taskwait.ClassTransient:
				t.Errorf("%v, want the class %v", err, tt.class)
			}
		})
	}
}

// TestCreate waits for new instances, well and badly made.
func TestCreate(t *testing.T) {
	for _, tt := range []struct {
		name       string
		change     fakekafka.Change
		fault      fakecloud.Fault
		opts       []taskwait.Option
		want       error
		made       int
		candidates int
	}{
		{name: "well", made: 1},
		{name: "badly", change: fakekafka.Change{Outcome: "CREATEFAILED"}, want: taskwait.ErrTaskFailed, made: 1},
		{
			name: "flapping", made: 1, opts: []taskwait.Option{
				taskwait.WithConfirmations(3),
			}, change: fakekafka.Change{Statuses: []fakekafka.StatusStep{
				{After: 0, Status: "CREATING"}, {After: 100 * time.Second, Status: "RUNNING"},
				{After: 105 * time.Second, Status: "CREATING"},
				{After: 200 * time.Second, Status: "RUNNING"},
			}},
		},
		{
			name: "the answer got lost", fault: fakecloud.DropAnswer(), want: taskwait.ErrOutcomeUnknown, made: 1, candidates: 1,
		},
		{name: "nothing arrived", fault: fakecloud.Drop(), want: taskwait.ErrOutcomeUnknown},
		{name: "refused", fault: fakecloud.Error(400, "DMS.00400971", "Quota exceeded."), want: taskwait.ErrNotStarted},
		{name: "a conflict that passes", fault: fakecloud.Error(409, "DMS.00409001", "Conflict."), made: 1},
		{
			name: "a conflict that stays", fault: fakecloud.Error(409, "DMS.00409001", "Conflict.").Times(9),
			want: taskwait.ErrNotStarted,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				client := newClient(t, cloud)
				running := kafkatasks.UntilRunning(client)
				w := waiterOn(t, running, taskwait.WithTimeout(time.Hour))
				if _, err := w.Do(t.Context(), running.Create("mine", creation("mine", ""))); err != nil {
					t.Fatal(err) // an older one of the same name
				}
				cloud.OnCreate(tt.change)
				cloud.Inject(fakekafka.RouteCreateInstance, tt.fault)
				task, err := w.Do(t.Context(), running.Create("mine", creation("mine", "")), tt.opts...)
				made := cloud.Operations()[1:]
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || len(made) != tt.made {
					t.Fatalf("%v, %d made; want %v, %d", err, len(made), tt.want, tt.made)
				}
				if err != nil {
					if e := waitErrorOf(t, err); len(e.Candidates) != tt.candidates ||
						tt.candidates > 0 && e.Candidates[0].ID != made[0].InstanceID {
						t.Errorf("candidates %v, want %d, of %+v", e.Candidates, tt.candidates, made)
					}
				} else if state, _ := cloud.Instance(task.ID); state.Status != "RUNNING" || task.ID != made[0].InstanceID {
					t.Errorf("%v is %+v, want it running", task, state)
				}
				if strings.Contains(text(err), password) {
					t.Errorf("the password is in %v", err)
				}
			})
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestRestart: the status that has not flipped yet is not the one that is waited for.
func TestRestart(t *testing.T) {
	once, atOnce := taskwait.WithConfirmations(1), taskwait.WithStalePhase("")
	for _, tt := range []struct {
		name   string
		change fakekafka.Change
		fault  fakecloud.Fault
		opts   []taskwait.Option
		want   error
		early  bool // success comes before the restart
		done   int
	}{
		{name: "at once", done: 1},
		{name: "it flips late", change: fakekafka.Change{FlipsAfter: 20 * time.Second}, done: 1},
		{
			name: "an option wins", change: fakekafka.Change{FlipsAfter: 20 * time.Second},
			opts: []taskwait.Option{once, atOnce}, early: true, done: 1,
		},
		{name: "badly", change: fakekafka.Change{Outcome: "ERROR"}, want: taskwait.ErrTaskFailed, done: 1},
		{
			name:  "the batch has refused it",
			fault: fakecloud.Respond(200, `{"results":[{"result":"failed","instance":"kafka-1"}]}`),
			want:  taskwait.ErrNotStarted,
		},
		{
			name:  "the batch does not say",
			fault: fakecloud.Respond(200, `{"results":[{"result":"success","instance":"kafka-2"}]}`),
			want:  taskwait.ErrOutcomeUnknown,
		},
		{name: "the answer got lost", fault: fakecloud.DropAnswer(), want: taskwait.ErrOutcomeUnknown, done: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				cloud.AddInstance("kafka-1")
				cloud.OnRestart(tt.change)
				cloud.Inject(fakekafka.RouteAction, tt.fault)
				running := kafkatasks.UntilRunning(newClient(t, cloud))
				start := time.Now()
				_, err := waiterOn(t, running, taskwait.WithTimeout(time.Hour)).
					Do(t.Context(), running.Restart("kafka-1"), tt.opts...)
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || count(cloud, fakekafka.RouteAction) != tt.done {
					t.Errorf("%v, %d times; want %v, %d", err, count(cloud, fakekafka.RouteAction), tt.want, tt.done)
				}
				if early := time.Since(start) < 90*time.Second; err == nil && early != tt.early {
					t.Errorf("it took %v, early: want %v", time.Since(start), tt.early)
				}
				if e := new(taskwait.WaitError); errors.As(err, &e) && e.ID != "kafka-1" && tt.want != taskwait.ErrNotStarted {
					t.Errorf("the instance's id is lost: %v", err)
				}
			})
		})
	}
}

// TestDelete waits for the end of instances.
func TestDelete(t *testing.T) {
	for _, tt := range []struct {
		name  string
		there bool
		busy  bool
		fault fakecloud.Fault
		opts  []taskwait.Option
		want  error
		done  int
	}{
		{name: "well", there: true, done: 1},
		{name: "there is none", done: 0},
		{name: "a task runs", there: true, busy: true, done: 1},
		{name: "throttled as 404", there: true, fault: fakekafka.ThrottleAs404(), done: 1},
		{name: "the answer got lost", there: true, fault: fakecloud.DropAnswer(), want: taskwait.ErrOutcomeUnknown, done: 1},
		{
			name: "a wrong route", there: true, fault: fakecloud.Error(404, "DMS.00404001", "The requested URL does not exist."),
			want: taskwait.ErrNotStarted,
		},
		{name: "settled", there: true, opts: []taskwait.Option{taskwait.WithConfirmations(2)}, done: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				if tt.there {
					cloud.AddInstance("kafka-1")
				}
				if tt.busy {
					cloud.AddTask("kafka-1", fakekafka.Script{Duration: 10 * time.Minute})
				}
				cloud.Inject(fakekafka.RouteDeleteInstance, tt.fault)
				cloud.Inject(fakekafka.RouteShowInstance, fakecloud.Serve(), fakekafka.ThrottleAs404(), fakecloud.HTML(404))
				client := newClient(t, cloud)
				gone := kafkatasks.UntilDeleted(client)
				_, err := waiterOn(t, gone, taskwait.WithTimeout(time.Hour)).Do(t.Context(), gone.Delete("kafka-1"), tt.opts...)
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) ||
					count(cloud, fakekafka.RouteDeleteInstance) != tt.done {
					t.Errorf("%v, %d times; want %v, %d", err, count(cloud, fakekafka.RouteDeleteInstance), tt.want, tt.done)
				}
				if state, still := cloud.Instance("kafka-1"); err == nil && still {
					t.Errorf("success, and it is still there: %+v", state)
				}
			})
		})
	}
}
