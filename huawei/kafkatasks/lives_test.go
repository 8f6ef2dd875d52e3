package kafkatasks_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
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

var (
	lives     = flag.Int("lives", 10, "how many lives of an instance TestLife plays")
	lifeFirst = flag.Uint64("lives.first", 1, "the first of them")
	lifeSeed  = flag.Uint64("lives.seed", 0, "the one life to play; 0: as many as -lives says")
)

// changeFaults befall requests that change something. None of them is a lie: an answer that says "accepted" comes
// from the service. DropAnswer, Stall and Truncate carry it out and hide that.
var changeFaults = []fakecloud.Fault{
	fakecloud.Serve(), fakecloud.Serve(), fakecloud.Serve(), fakecloud.Serve(), fakecloud.Serve(), fakecloud.Serve(),
	fakecloud.Slow(1500 * time.Millisecond), fakecloud.Slow(time.Minute), fakecloud.Throttle(0),
	fakecloud.Throttle(17 * time.Second), fakekafka.ThrottleAs404(),
	fakecloud.Error(400, "DMS.00400017", "This DMS instance job task is still running."),
	fakecloud.Error(400, "DMS.00400026", "Not allowed."),
	fakecloud.Error(400, "DMS.00400062", "Invalid request parameter."),
	fakecloud.Error(403, "DMS.00403002", "No permission."),
	fakecloud.Drop(), fakecloud.DropAnswer(), fakecloud.Stall(), fakecloud.Truncate(), fakecloud.Hang(),
	fakecloud.Unavailable(),
	fakecloud.Respond(503, "", "Retry-After", "9"), fakecloud.HTML(502), fakecloud.Error(408, "DMS.111501024", "Timeout."),
	fakecloud.Respond(302, "", "Location", "/login"),
}

// honest reports whether a fault may befall a query for this route: it may hide things, but not make up others.
func honest(r fakecloud.Route, f chaos.Fault) bool {
	switch r {
	case fakekafka.RouteListTasks:
		return f.Says != "another id" // that would be another task
	case fakekafka.RouteShowInstance:
		return f.Means != chaos.Absent // that is what one may wait for
	}
	return true
}

// life is one instance's, from its creation to its end.
type life struct {
	t       *testing.T
	seed    uint64
	rnd     *rand.Rand
	cloud   *fakekafka.Cloud
	id      string
	seen    int // operations that have been accounted for
	account []string
}

// step is one operation of a life.
type step struct {
	name  string
	route fakecloud.Route
	wait  *taskwait.Waiter
	op    taskwait.Operation
	opts  []taskwait.Option
	byID  bool // the answer has the task's id
}

// gateway dates answers by a clock of its own, which is ahead of the one that dates tasks.
type gateway struct {
	http.RoundTripper
	ahead time.Duration
}

func (g gateway) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := g.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if date, parsed := http.ParseTime(resp.Header.Get("Date")); parsed == nil {
		resp.Header.Set("Date", date.Add(g.ahead).Format(http.TimeFormat))
	}
	return resp, nil
}

// TestLife plays whole lives of instances under random faults, and compares the outcome of each step with what the
// cloud has really done.
func TestLife(t *testing.T) {
	t.Parallel()
	from, to := *lifeFirst, *lifeFirst+uint64(*lives)-1
	if *lifeSeed != 0 {
		from, to = *lifeSeed, *lifeSeed
	}
	outcomes := map[string]int{}
	for seed := from; seed <= to; seed++ {
		synctest.Test(t, func(t *testing.T) { playLife(t, seed, outcomes) })
		if t.Failed() {
			t.Fatalf("to play it again: go test -run TestLife ./huawei/kafkatasks -lives.seed %d", seed)
		}
	}
	t.Logf("%d lives: %v", to-from+1, outcomes)
}

func playLife(t *testing.T, seed uint64, outcomes map[string]int) {
	rnd := rand.New(rand.NewPCG(seed, 3))
	l := &life{
		t: t, seed: seed, rnd: rnd,
		cloud: fakekafka.New(fakecloud.WithLatency(chaos.Span(rnd, 0, 300*time.Millisecond)),
			fakecloud.WithClockSkew(chaos.Span(rnd, -14*time.Minute, 14*time.Minute))),
	}
	client := clientOver(t, gateway{l.cloud.Transport(), chaos.Span(rnd, 0, 10*time.Second)})
	running, gone := kafkatasks.UntilRunning(client), kafkatasks.UntilDeleted(client)
	settled := []taskwait.Option{taskwait.WithConfirmations(1 + rnd.IntN(3))}
	do := func(s step) error {
		err := l.play(s)
		outcomes[s.name+" "+kind(err)]++
		return err
	}
	for l.id == "" {
		_ = do(step{
			"create", fakekafka.RouteCreateInstance, waiterOn(t, running), running.Create("mine", creation("mine", "")), settled,
			true,
		})
		if t.Failed() {
			return
		}
	}
	source := kafkatasks.New(client, l.id)
	tasks := waiterOn(t, source)
	for n := range 2 + rnd.IntN(5) {
		switch storage := int32(400 + 100*n); rnd.IntN(5) {
		case 0:
			_ = do(step{"resize", fakekafka.RouteResize, tasks, source.Operation("resize", resize(l.id, storage)), nil, true})
		case 1:
			_ = do(step{"bind", fakekafka.RoutePublicIP, tasks, source.OperationNamed(bind, bindIP(l.id, "ip")), nil, false})
		case 2:
			_ = do(step{
				"configure", fakekafka.RouteModifyConfigs, tasks, source.OperationNamed("kafkaConfigModify", configure(l.id)), nil,
				false,
			})
		case 3:
			_ = do(step{
				"reset", fakekafka.RouteResetOffset, tasks, source.OperationNamed("kafkaResetConsumerOffset", resetOffset(l.id)),
				nil, false,
			})
		case 4:
			_ = do(step{"restart", fakekafka.RouteAction, waiterOn(t, running), running.Restart(l.id), settled, true})
		}
		if t.Failed() {
			return
		}
	}
	for tries := 0; ; tries++ {
		err := do(step{"delete", fakekafka.RouteDeleteInstance, waiterOn(t, gone), gone.Delete(l.id), settled, true})
		switch {
		case t.Failed():
			return
		case tries > 200:
			t.Fatalf("seed %d: it lives for ever", seed)
		}
		if _, still := l.cloud.Instance(l.id); err == nil {
			if still {
				t.Errorf("seed %d: deleted, and still there", seed)
			}
			return
		}
	}
}

func configure(id string) func(*kafka.KafkaClient) error {
	return func(c *kafka.KafkaClient) error {
		body := &model.ModifyInstanceConfigsReq{
			KafkaConfigs: &[]model.ModifyInstanceConfig{{Name: pointer("log.retention.hours"), Value: pointer("48")}},
		}
		_, err := c.ModifyInstanceConfigs(&model.ModifyInstanceConfigsRequest{InstanceId: id, Body: body})
		return err
	}
}

func resetOffset(id string) func(*kafka.KafkaClient) error {
	return func(c *kafka.KafkaClient) error {
		_, err := c.ResetMessageOffset(&model.ResetMessageOffsetRequest{
			InstanceId: id, Group: "g", Body: &model.ResetMessageOffsetReq{Partition: -1, MessageOffset: pointer(int64(0))},
		})
		return err
	}
}

// arrange gives the step a future, and trouble.
func (l *life) arrange(s step) []taskwait.Option {
	l.cloud.Clear()
	for range l.rnd.IntN(3) {
		l.cloud.Inject(s.route, changeFaults[l.rnd.IntN(len(changeFaults))])
	}
	for _, r := range []fakecloud.Route{
		fakekafka.RouteListTasks, fakekafka.RouteShowTask, fakekafka.RouteProgress, fakekafka.RouteShowInstance,
		fakekafka.RouteListInstances,
	} {
		for range l.rnd.IntN(12) {
			if f := chaos.Pick(l.rnd, faults); honest(r, f) {
				l.cloud.Inject(r, f.Fault)
			}
		}
	}
	ends := []taskwait.Status{"SUCCESS", "SUCCESS", "SUCCESS", "FAILED", "CANCELLED"}
	script := fakekafka.Script{
		Duration: chaos.Span(l.rnd, time.Second, 20*time.Minute), Outcome: ends[l.rnd.IntN(len(ends))],
		ListedAfter: chaos.Span(l.rnd, 0, 20*time.Second),
	}
	l.cloud.OnPublicIP(script)
	l.cloud.OnConfig(script)
	l.cloud.OnOffsetReset(script)
	if l.rnd.IntN(2) == 0 {
		script.Stages = []fakekafka.Stage{{Name: "expansion", Duration: script.Duration}}
	}
	l.cloud.OnResize(script)
	bad := l.rnd.IntN(5) == 0
	takes := chaos.Span(l.rnd, time.Minute, 20*time.Minute)
	l.cloud.OnCreate(fakekafka.Change{Duration: takes, Outcome: map[bool]string{true: "CREATEFAILED"}[bad]})
	l.cloud.OnRestart(fakekafka.Change{
		Duration: takes, FlipsAfter: chaos.Span(l.rnd, 0, 30*time.Second), Outcome: map[bool]string{true: "ERROR"}[bad],
	})
	l.cloud.OnDelete(fakekafka.Change{Duration: takes, FlipsAfter: chaos.Span(l.rnd, 0, 30*time.Second)})
	opts := append(slices.Clone(s.opts), taskwait.WithNotFoundGrace(chaos.Span(l.rnd, 30*time.Second, 3*time.Minute)),
		taskwait.WithQueryTimeout(20*time.Second))
	if l.rnd.IntN(3) > 0 {
		opts = append(opts, taskwait.WithTimeout(chaos.Span(l.rnd, time.Second, time.Hour)))
	}
	return opts
}

// play makes one step, and checks the account that is given of it.
func (l *life) play(s step) error {
	opts := l.arrange(s)
	ctx, cancel := context.WithTimeout(l.t.Context(), chaos.Span(l.rnd, time.Second, 3*time.Hour))
	defer cancel()
	task, err := s.wait.Do(ctx, s.op, opts...)
	l.cloud.Clear()
	synctest.Wait()
	all := l.cloud.Operations()
	done := all[l.seen:]
	l.seen = len(all)
	l.account = append(l.account, fmt.Sprintf("%s: %v (carried out: %+v)", s.name, err, done))
	if problem := l.audit(s, task, err, done); problem != "" {
		l.t.Errorf("seed %d: %s: %s; got %v, %v\n%s", l.seed, s.name, problem, task, err, strings.Join(l.account, "\n"))
	}
	time.Sleep(2 * time.Hour) // whatever was begun is over
	return err
}

// audit says what is wrong with the account of a step; "": nothing.
func (l *life) audit(s step, task taskwait.Task, err error, done []fakekafka.Operation) string {
	var op fakekafka.Operation
	switch {
	case len(done) > 1:
		return "it was carried out twice"
	case len(done) == 1 && done[0].Route != s.route:
		return "something else was carried out"
	case len(done) == 1:
		op = done[0]
	}
	id := op.TaskID
	if id == "" {
		id = op.InstanceID
	}
	if l.id == "" && len(done) == 1 {
		defer func() { // an instance that was made badly, or that nobody knows of, is not the one to live
			if err == nil {
				l.id = op.InstanceID
			}
		}()
	}
	if err == nil {
		switch {
		case len(done) == 0 && s.name != "delete":
			return "success, and nothing was carried out"
		case s.name != "delete" && task.ID != id:
			return "success of another task"
		case s.name != "delete" && l.became(op) != "SUCCESS":
			return "success, and it became " + l.became(op)
		}
		return ""
	}
	var e *taskwait.WaitError
	if !errors.As(err, &e) {
		return "no WaitError"
	}
	return l.auditError(s, e, done, id)
}

func (l *life) auditError(s step, e *taskwait.WaitError, done []fakekafka.Operation, id string) string {
	started := len(done) == 1
	switch kind(e) {
	case "not started":
		if started || e.StillRunning() {
			return "not started, and it was"
		}
	case "outcome unknown":
		for _, c := range e.Candidates {
			_, still := l.cloud.Instance(c.ID)
			if !(started && c.ID == id) && !(s.name == "delete" && !still) { // it was gone before
				return "a wrong candidate: " + c.ID
			}
		}
		if started && !e.StillRunning() {
			return "it is said not to run"
		}
	case "FAILED", "CANCELLED", "DELETED":
		if !started || e.ID != id || l.became(done[0]) != kind(e) {
			return fmt.Sprint(kind(e), ", and in truth something else")
		}
	default: // we stopped
		switch {
		case !started && s.name != "delete":
			return "said to have been started, and it was not"
		case started && s.byID && e.ID != id || e.ID != "" && started && e.ID != id:
			return "the id is lost, or wrong"
		case !e.StillRunning() && !e.Task.Unconfirmed: // it was seen to have ended, if only once
			return "it is said not to run"
		}
	}
	return ""
}

// became is what became of an operation.
func (l *life) became(op fakekafka.Operation) string {
	if op.TaskID == "" {
		switch i, _ := l.cloud.Instance(op.InstanceID); i.Status {
		case "RUNNING":
			return "SUCCESS"
		case "ERROR", "CREATEFAILED":
			return "FAILED"
		default:
			return i.Status
		}
	}
	for _, t := range l.cloud.Tasks(op.InstanceID) {
		if t.ID == op.TaskID {
			return string(t.Status)
		}
	}
	return "no such task"
}

// kind is how a step has ended.
func kind(err error) string {
	switch {
	case errors.Is(err, taskwait.ErrNotStarted):
		return "not started"
	case errors.Is(err, taskwait.ErrOutcomeUnknown):
		return "outcome unknown"
	case errors.Is(err, taskwait.ErrAmbiguous):
		return "ambiguous"
	}
	return chaos.Outcome(err)
}
