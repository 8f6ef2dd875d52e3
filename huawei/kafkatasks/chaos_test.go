package kafkatasks_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

var (
	chaosRuns  = flag.Int("chaos", 40, "how many random scripts TestChaos plays")
	chaosFirst = flag.Uint64("chaos.first", 1, "the first of them")
	chaosSeed  = flag.Uint64("chaos.seed", 0, "the one script to play; 0: as many as -chaos says")
)

// meaning is what an answer must mean to a wait, in the oracle's eyes.
type meaning string

const (
	rows      meaning = "rows" // what the task's script says at that moment
	unknown   meaning = "unknown status"
	blank     meaning = "empty status" // transient, where there is a row
	missing   meaning = "not found"
	absent    meaning = "no such instance" // not found, and permanent if it comes again within 10 s
	throttled meaning = "throttled"
	transient meaning = "transient"
	permanent meaning = "permanent"
	denied    meaning = "denied"                 // permanent, but it may pass where there was a good answer
	lagging   meaning = "lagging"                // a row of a task that runs, whatever the truth
	unsigned  meaning = "unsigned"               // the request could not be signed: transient
	bare      meaning = "a row without a status" // transient alone, nothing in a list; but the instance is there
)

// rowFaults are further answers of the query for the task chaosID: rows that are odd, and a good answer that says when
// to come again. And one is no answer at all.
var rowFaults = []struct {
	means meaning
	fault fakecloud.Fault
}{
	{unsigned, fakecloud.Fault{}},
	{lagging, oddRow(`"user_id":7,"params":{"a":[1]},"created_at":1763350067752`)},
	{lagging, oddRow(`"created_at":"1970-01-01T00:00:00Z","updated_at":"9999-12-31T23:59:59Z"`)},
	{lagging, oddRow(`"created_at":"yesterday","updated_at":-1,"name":null`)},
	{lagging, oddRow(`"created_at":"2020-01-01T00:00:00+24:00","more":{"x":[null]}`)},
	{lagging, oddRow(`"name":"late"`, "Retry-After", "7")},
	{
		lagging,
		fakecloud.Respond(200, "\ufeff"+`{"tasks":[null,7,{},{"id":"`+chaosID+`","status":" CREATED "}]} {"more":1}`),
	},
	{bare, fakecloud.Respond(200, `{"tasks":[{"id":"`+chaosID+`","status":null}]}`)},
	{missing, fakecloud.Respond(200, `{"tasks":[null,{"status":"SUCCESS"},{"id":"other","status":"SUCCESS"}]}`)},
	{missing, fakecloud.Error(404, "DMS.00404033", "This task does not exist.")},
	{transient, fakecloud.Respond(404, "")},
	{transient, fakecloud.Respond(404, "default backend - 404", "Content-Type", "text/plain")},
	{throttled, fakecloud.Respond(200, `{"error_code":"APIGW.0308","error_msg":"over ratelimit,limit:5,time:10 second"}`)},
}

const chaosID = "chaos"

func oddRow(fields string, headers ...string) fakecloud.Fault {
	row := `{"task_count":1,"tasks":[{"id":"` + chaosID + `","status":"EXECUTING",` + fields + `}]}`
	return fakecloud.Respond(200, row, headers...)
}

// faults are what can befall a request, how often, and what it must mean.
var faults = []struct {
	weight int
	means  meaning
	fault  fakecloud.Fault
	says   string // where it is known by what it says
}{
	{weight: 60, means: rows, fault: fakecloud.Serve()},
	{weight: 10, means: rows, fault: fakecloud.Slow(1500 * time.Millisecond)},
	{weight: 5, means: rows, fault: fakekafka.SeveralRows()},
	{weight: 5, means: unknown, fault: fakekafka.Status("PAUSED")},
	{weight: 2, means: blank, fault: fakekafka.Status("")},
	{weight: 6, means: missing, fault: fakekafka.NotListed()},
	{weight: 4, means: missing, fault: fakekafka.WrongID(), says: "another id"},
	{weight: 3, means: absent, fault: gone404},
	{weight: 3, means: throttled, fault: fakecloud.Throttle(0)},
	{weight: 3, means: throttled, fault: fakecloud.Throttle(17 * time.Second)},
	{weight: 3, means: throttled, fault: fakekafka.ThrottleAs404()},
	{weight: 2, means: throttled, fault: fakecloud.Respond(503, "", "Retry-After", "9")},
	{weight: 6, means: transient, fault: fakecloud.Unavailable()},
	{weight: 6, means: transient, fault: fakecloud.Drop()},
	{weight: 3, means: transient, fault: fakecloud.Truncate()},
	{weight: 2, means: transient, fault: fakecloud.Stall()},
	{weight: 4, means: transient, fault: fakecloud.Hang()},
	{weight: 3, means: transient, fault: fakecloud.HTML(200)},
	{weight: 3, means: transient, fault: fakecloud.HTML(502)},
	{weight: 2, means: transient, fault: fakecloud.Respond(200, "{}")},
	{weight: 2, means: transient, fault: fakecloud.Respond(200, "null")},
	{weight: 2, means: transient, fault: fakecloud.Respond(200, "")},
	{weight: 2, means: transient, fault: fakecloud.Respond(204, "")},
	{weight: 2, means: transient, fault: fakecloud.Respond(302, "", "Location", "/login")},
	{weight: 2, means: missing, fault: fakecloud.Respond(200, `{"task_count":1,"tasks":[]}`)},
	{weight: 2, means: transient, fault: fakecloud.Error(408, "DMS.111501024", "Timeout.")},
	{weight: 2, means: transient, fault: fakecloud.HTML(404)},
	{weight: 2, means: transient, fault: fakecloud.Respond(404, `{"code":"not_found","message":"No such route."}`)},
	{weight: 1, means: transient, fault: fakecloud.Respond(409, "")},
	{weight: 1, means: transient, fault: fakecloud.Respond(423, "")},
	{
		weight: 2, means: transient,
		fault: fakecloud.Respond(200, `{"error_code":"DMS.00500000","error_msg":"Internal error."}`),
	},
	{
		weight: 2, means: transient,
		fault: fakecloud.Respond(200, `{"error_code":"DMS.00404022","error_msg":"This instance does not exist.","tasks":[]}`),
	},
	{weight: 1, means: transient, fault: fakecloud.Respond(200, `{"task_count":"7","tasks":{}}`)},
	{weight: 1, means: permanent, fault: fakecloud.Error(400, "DMS.00400070", "Invalid task ID format.")},
	{weight: 1, means: denied, fault: fakecloud.Error(403, "DMS.00403002", "No permission.")},
	{weight: 1, means: permanent, fault: fakecloud.Error(404, "DMS.00404001", "The requested URL does not exist.")},
}

func pick(rnd *rand.Rand) int {
	total := 0
	for _, f := range faults {
		total += f.weight
	}
	n := rnd.IntN(total)
	for i, f := range faults {
		if n -= f.weight; n < 0 {
			return i
		}
	}
	panic("not reached")
}

// event is one query, as it really was.
type event struct {
	sent, arrived time.Duration // since the start
	means         meaning
	status        taskwait.Status // of the task in the cloud when the answer was made
	cut           bool            // the wait cancelled the query
	list          bool            // it was a page of the list
}

// chaos is one random script, and what came of it.
type chaos struct {
	timeout, ctxEnd  time.Duration // 0: none
	tolerance, grace time.Duration
	steps            []fakekafka.Step
	listedAfter      time.Duration
	source           *kafkatasks.Source
	unsigned         *kafkatasks.Source // whose credential fails

	id     string
	start  time.Time
	mu     sync.Mutex
	means  []meaning
	asked  int
	events []*event
}

func span(rnd *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(rnd.Int64N(int64(to-from)))
}

func newChaos(t *testing.T, rnd *rand.Rand) *chaos {
	c := &chaos{tolerance: span(rnd, 0, 3*time.Minute), grace: span(rnd, 0, 2*time.Minute), start: time.Now()}
	if rnd.IntN(2) == 0 {
		c.timeout = span(rnd, time.Second, 10*time.Minute)
	}
	if c.timeout == 0 || rnd.IntN(3) == 0 {
		c.ctxEnd = span(rnd, time.Second, 12*time.Minute)
	}
	ends := []taskwait.Status{
		taskwait.StatusSuccess, taskwait.StatusSuccess, taskwait.StatusFailed, taskwait.StatusDeleted,
		taskwait.StatusCancelled, taskwait.StatusExecuting,
	}
	c.steps = []fakekafka.Step{
		{Status: taskwait.StatusCreated}, {After: span(rnd, 1, time.Minute), Status: taskwait.StatusExecuting},
		{After: span(rnd, time.Minute, 8*time.Minute), Status: ends[rnd.IntN(len(ends))]},
	}
	if rnd.IntN(4) == 0 {
		c.listedAfter = span(rnd, 1, time.Minute)
	}
	cloud := fakekafka.New(fakecloud.WithLatency(span(rnd, 0, 300*time.Millisecond)))
	for range rnd.IntN(60) {
		if odd := rowFaults[rnd.IntN(len(rowFaults))]; rnd.IntN(8) == 0 {
			if odd.means != unsigned {
				cloud.Inject(fakekafka.RouteShowTask, odd.fault)
			}
			c.means = append(c.means, odd.means)
			continue
		}
		i := pick(rnd)
		cloud.Inject(fakekafka.RouteShowTask, faults[i].fault)
		c.means = append(c.means, faults[i].means)
	}
	if rnd.IntN(5) == 0 { // bad to the end
		i := pick(rnd)
		cloud.Inject(fakekafka.RouteShowTask, faults[i].fault.For(time.Hour))
		for range 1000 {
			c.means = append(c.means, faults[i].means)
		}
	}
	for range rnd.IntN(60) {
		fault := faults[pick(rnd)].fault
		if odd := rowFaults[rnd.IntN(len(rowFaults))]; odd.means != unsigned && rnd.IntN(8) == 0 {
			fault = odd.fault
		}
		cloud.Inject(fakekafka.RouteListTasks, fault)
	}
	for range rnd.IntN(3) * rnd.IntN(150) { // so that the list has several pages
		cloud.AddTask("kafka-1", fakekafka.Script{Duration: time.Hour})
	}
	c.id = cloud.AddTask("kafka-1", fakekafka.Script{ID: chaosID, Steps: c.steps, ListedAfter: c.listedAfter})
	c.source = kafkatasks.New(newClient(t, cloud), "kafka-1")
	c.unsigned = kafkatasks.New(failing(t, cloud), "kafka-1")
	return c
}

// failing is a client whose credential fails: its file is missing while it is rotated, say.
func failing(t *testing.T, cloud *fakekafka.Cloud) *kafka.KafkaClient {
	client := newClient(t, cloud)
	client.HcClient.WithCredential(&missingKeys{client.HcClient.GetCredential()})
	return client
}

type missingKeys struct{ auth.ICredential }

func (*missingKeys) ProcessAuthRequest(
	*impl.DefaultHttpClient, *request.DefaultHttpRequest,
) (*request.DefaultHttpRequest, error) {
	return nil, errors.New("the token file is missing")
}

func newClient(t testing.TB, cloud *fakekafka.Cloud) *kafka.KafkaClient {
	t.Helper()
	return clientOver(t, cloud.Transport())
}

func clientOver(t testing.TB, wire http.RoundTripper) *kafka.KafkaClient {
	t.Helper()
	credential, err := basic.NewCredentialsBuilder().WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).
		WithProjectId(fakecloud.DefaultProject).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(wire)).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return kafka.NewKafkaClient(client)
}

// Task asks the real source, and notes what really happened.
func (c *chaos) Task(ctx context.Context, id string) (taskwait.Task, error) {
	c.mu.Lock()
	e := &event{sent: time.Since(c.start), means: rows}
	if c.asked < len(c.means) {
		e.means = c.means[c.asked]
	}
	c.asked++
	c.events = append(c.events, e)
	c.mu.Unlock()
	source := c.source
	if e.means == unsigned {
		source, e.means = c.unsigned, transient
	}
	task, err := source.Task(ctx, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	e.arrived, e.cut = time.Since(c.start), ctx.Err() != nil
	for _, s := range c.steps {
		if e.arrived >= s.After {
			e.status = s.Status
		}
	}
	switch listed := e.arrived >= c.listedAfter; {
	case !listed && (e.means == rows || e.means == unknown || e.means == blank):
		e.means = missing
	case e.means == blank:
		e.means = bare
	}
	return task, err
}

// oracle is how a wait with these events must end, and with which of them; a second opinion, written from the rules.
func (c *chaos) oracle() (outcome string, last int) {
	var bad, gone, refused []time.Duration
	good := false
	// bears reports whether a refusal of a query that was sent then may pass yet.
	bears := func(means meaning, sent time.Duration) bool {
		return means == denied && good && (len(refused) < 2 || sent < refused[0]+time.Minute)
	}
	final, absentAt := -1, -time.Hour
	for i, e := range c.events {
		late := c.timeout > 0 && e.arrived >= c.timeout
		means := e.inTheLightOf(&absentAt)
		if c.ctxEnd > 0 && e.arrived >= c.ctxEnd {
			return "context", i
		}
		if means == bare {
			continue // of a list
		}
		switch means {
		case denied:
			refused = append(refused, e.arrived)
		case rows, unknown, lagging, missing:
			refused, good = nil, good || means != missing
		}
		if means == rows && e.status.Terminal() {
			return string(e.status), i
		}
		if c.timeout > 0 && e.sent >= c.timeout {
			repeated := means == transient || means == throttled || bears(means, e.arrived)
			if final = i; !repeated || e.arrived >= c.timeout+4*time.Second {
				return "timeout", i
			}
			continue
		}
		if means != transient && means != denied {
			bad = nil
		}
		if means == permanent || means == denied && !bears(means, e.sent) {
			return "query", i
		}
		switch means {
		case transient:
			if bad = append(bad, e.arrived); !late && len(bad) >= 3 && e.arrived-bad[0] >= c.tolerance {
				return "query", i
			}
		case missing:
			if gone = append(gone, e.arrived); !late && len(gone) >= 2 && e.sent >= gone[0]+c.grace {
				return "not found", i
			}
		case rows, unknown, lagging:
			gone = nil
		case throttled:
		}
	}
	if repeats := c.timeout + 4*time.Second; final >= 0 && (c.ctxEnd == 0 || c.ctxEnd >= repeats) {
		return "timeout", final
	}
	return "context", len(c.events) - 1
}

// inTheLightOf is what an answer means after those before. absentAt is when the last one said that there is no such
// instance, since the task was seen.
func (e *event) inTheLightOf(absentAt *time.Duration) meaning {
	switch {
	case e.cut:
		return transient
	case e.means == rows || e.means == unknown || e.means == lagging || e.means == bare:
		if *absentAt = -time.Hour; e.means == bare && !e.list {
			return transient
		}
	case e.means == absent:
		before := *absentAt
		if *absentAt = e.arrived; e.arrived-before <= 10*time.Second {
			return permanent
		}
		return missing
	}
	return e.means
}

// outcome is what WaitForTask made of it.
func outcome(err error) string {
	for _, k := range []struct {
		err  error
		name string
	}{
		{nil, "SUCCESS"}, {taskwait.ErrTaskFailed, "FAILED"}, {taskwait.ErrTaskDeleted, "DELETED"},
		{taskwait.ErrTaskCancelled, "CANCELLED"},
		{taskwait.ErrTimeout, "timeout"}, {taskwait.ErrQuery, "query"}, {taskwait.ErrTaskNotFound, "not found"},
		{context.DeadlineExceeded, "context"},
	} {
		if errors.Is(err, k.err) {
			return k.name
		}
	}
	return err.Error()
}

// drivers are the ways to wait for the task of a script. Beside a second task that never ends the list is asked too.
var drivers = []struct {
	name string
	wait func(ctx context.Context, c *chaos, opts ...taskwait.Option) (taskwait.Task, error)
}{
	{"WaitForTask", func(ctx context.Context, c *chaos, opts ...taskwait.Option) (taskwait.Task, error) {
		w, err := taskwait.New(c, opts...)
		if err != nil {
			return taskwait.Task{}, err
		}
		return w.WaitForTask(ctx, c.id)
	}},
	{"WaitForTasks", func(ctx context.Context, c *chaos, opts ...taskwait.Option) (taskwait.Task, error) {
		return amongMany(ctx, c, c.id, []string{c.id}, opts)
	}},
	{"WaitForTasks, with a list", func(ctx context.Context, c *chaos, opts ...taskwait.Option) (taskwait.Task, error) {
		return amongMany(ctx, listing{c}, c.id, []string{bystander, c.id}, opts)
	}},
	{"Poll, stored after each", pollStored},
	{"Resume, cut after answers", resumeCut},
}

// stored is a wait as another process gets it.
func stored(w *taskwait.Wait) (*taskwait.Wait, error) {
	b, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	back := &taskwait.Wait{}
	return back, json.Unmarshal(b, back)
}

// pollStored makes each poll in what could be a process of its own.
func pollStored(ctx context.Context, c *chaos, opts ...taskwait.Option) (taskwait.Task, error) {
	wait := &taskwait.Wait{ID: c.id}
	for {
		w, err := taskwait.New(c, opts...)
		if err != nil {
			return taskwait.Task{}, err
		}
		p, err := w.Poll(ctx, wait)
		if p.Done || err != nil {
			return p.Task, err
		}
		select {
		case <-ctx.Done():
			return w.Resume(ctx, wait)
		case <-time.After(p.Next):
		}
		if wait, err = stored(wait); err != nil {
			return taskwait.Task{}, err
		}
	}
}

// resumeCut ends every third stay, on average, in the callback, and goes on in what could be another process.
func resumeCut(ctx context.Context, c *chaos, opts ...taskwait.Option) (taskwait.Task, error) {
	wait := &taskwait.Wait{ID: c.id}
	for {
		stay, cut := context.WithCancel(ctx)
		w, err := taskwait.New(c, append(opts, taskwait.WithProgress(func(taskwait.Progress) {
			if rand.IntN(3) == 0 {
				cut()
			}
		}))...)
		if err != nil {
			cut()
			return taskwait.Task{}, err
		}
		task, err := w.Resume(stay, wait)
		cut()
		if ctx.Err() != nil || !errors.Is(err, context.Canceled) {
			return task, err
		}
		if wait, err = stored(wait); err != nil {
			return taskwait.Task{}, err
		}
	}
}

const bystander = "bystander"

func amongMany(ctx context.Context, src taskwait.Source, id string, ids []string,
	opts []taskwait.Option) (taskwait.Task, error) {
	w, err := taskwait.New(src, opts...)
	if err != nil {
		return taskwait.Task{}, err
	}
	for task, err := range w.WaitForTasks(ctx, ids) {
		if task.ID == id {
			return task, err
		}
	}
	return taskwait.Task{}, errors.New("the task has no result")
}

// listing is a chaos that is a Lister.
type listing struct{ *chaos }

// Task answers for the bystander by itself.
func (l listing) Task(ctx context.Context, id string) (taskwait.Task, error) {
	if id == bystander {
		return taskwait.Task{Status: taskwait.StatusExecuting}, nil
	}
	return l.chaos.Task(ctx, id)
}

// Tasks asks the real source, and notes it if the answer tells of the task. What goes wrong with a list is no answer.
func (l listing) List(ctx context.Context, b taskwait.ListRequest) ([]taskwait.Task, string, error) {
	e := &event{sent: time.Since(l.start), means: rows, list: true}
	tasks, next, err := l.source.List(ctx, b)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range tasks {
		if e.status, e.arrived = t.Status, time.Since(l.start); t.ID == l.id {
			if t.Status == "" {
				e.means = bare
			}
			l.events = append(l.events, e)
			break
		}
	}
	return tasks, next, err
}

// TestChaos plays random scripts of answers, faults and latencies through the real SDK, and compares each outcome with
// the oracle's. To play a million:
//
//	go test -run TestChaos ./huawei/kafkatasks -chaos 1000000 -timeout 0
func TestChaos(t *testing.T) {
	t.Parallel()
	from, to := *chaosFirst, *chaosFirst+uint64(*chaosRuns)-1
	if *chaosSeed != 0 {
		from, to = *chaosSeed, *chaosSeed
	}
	for i := range drivers {
		t.Run(drivers[i].name, func(t *testing.T) {
			t.Parallel()
			seen := map[string]int{}
			for seed := from; seed <= to; seed++ {
				synctest.Test(t, func(t *testing.T) { seen[playChaos(t, seed, i)]++ })
				if t.Failed() {
					t.Fatalf("to play it again: go test -run TestChaos ./huawei/kafkatasks -chaos.seed %d", seed)
				}
			}
			t.Logf("%d scripts: %v", to-from+1, seen)
		})
	}
}

func playChaos(t *testing.T, seed uint64, driver int) string {
	c := newChaos(t, rand.New(rand.NewPCG(seed, seed)))
	ctx := t.Context()
	if c.ctxEnd > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.ctxEnd)
		defer cancel()
	}
	task, err := drivers[driver].wait(ctx, c, taskwait.WithTimeout(c.timeout), taskwait.WithErrorTolerance(c.tolerance),
		taskwait.WithNotFoundGrace(c.grace), taskwait.WithQueryTimeout(10*time.Second))
	elapsed := time.Since(c.start)
	synctest.Wait() // a call that was left behind ends
	got := outcome(err)
	want, ok := c.expects(got, elapsed)
	switch {
	case !ok:
		t.Errorf("seed %d: %s after %v, want %s\n%v", seed, got, elapsed, want, c)
	case got == "context" && elapsed != c.ctxEnd:
		t.Errorf("seed %d: the context ended after %v, the wait after %v", seed, c.ctxEnd, elapsed)
	case c.timeout > 0 && elapsed > c.timeout+5*time.Second:
		t.Errorf("seed %d: over %v after the start, with a timeout of %v", seed, elapsed, c.timeout)
	case (got == "SUCCESS") != task.Status.Succeeded() || err != nil && !strings.Contains(err.Error(), c.id):
		t.Errorf("seed %d: %v with %v", seed, err, task)
	}
	return got
}

// expects asks the oracle whether got is right, and whether the wait has ended with the answer that brought it. Of
// answers that came at one instant, from the list and alone, either may have been looked at first; and beside a row of
// the list, what is not a row may not have been looked at.
func (c *chaos) expects(got string, elapsed time.Duration) (want string, ok bool) {
	all := c.events
	defer func() { c.events = all }()
	for variant := range 3 {
		listFirst := variant > 0
		if variant == 2 {
			c.events = slices.DeleteFunc(slices.Clone(all), func(e *event) bool {
				return e.means != rows && e.means != unknown && e.means != lagging &&
					slices.ContainsFunc(all, func(l *event) bool { return l.list && l.arrived == e.arrived })
			})
		}
		slices.SortStableFunc(c.events, func(a, b *event) int {
			if a.arrived != b.arrived || a.list == b.list {
				return cmp.Compare(a.arrived, b.arrived)
			}
			if a.list == listFirst {
				return -1
			}
			return 1
		})
		var last int
		want, last = c.oracle()
		late := slices.IndexFunc(c.events[last+1:], func(e *event) bool { return e.arrived < elapsed || e.sent > elapsed })
		if got == want && late < 0 {
			return want, true
		}
		want = fmt.Sprintf("%s by query %d of %d", want, last+1, len(c.events))
	}
	return want, false
}

func (c *chaos) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "timeout %v, context %v, tolerance %v, grace %v, listed after %v, steps %v\n", c.timeout, c.ctxEnd,
		c.tolerance, c.grace, c.listedAfter, c.steps)
	for i, e := range c.events {
		fmt.Fprintf(&b, "%3d sent %v arrived %v: %s (%s, cut %v, list %v)\n", i+1, e.sent, e.arrived, e.means, e.status,
			e.cut, e.list)
	}
	return b.String()
}
