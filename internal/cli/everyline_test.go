package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/schedule"
)

// printed are the lines of a command line with what is around it; or those that none can bring about here.
type printed struct {
	args   string
	set    func(*testing.T, *testEnv) // nil: nothing but the tasks of addTasks
	signal os.Signal                  // after 7 s; nil: none
	lines  func() string              // instead
}

func (p *printed) print(t *testing.T) (stdout string) {
	if p.lines != nil {
		return p.lines()
	}
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		addTasks(w.cloud)
		if p.set != nil {
			p.set(t, w)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		if p.signal != nil {
			time.AfterFunc(7001*time.Millisecond, func() { cancel(signalError{p.signal}) })
		}
		args := strings.Replace(p.args, "BODY", writeBody(t, resizeBody), 1)
		_, stdout, _ = w.run(ctx, append(strings.Fields(args), "--output", "json")...)
	})
	return stdout
}

// inject is a cloud with faults.
func inject(r fakecloud.Route, faults ...fakecloud.Fault) func(*testing.T, *testEnv) {
	return func(_ *testing.T, w *testEnv) { w.cloud.Inject(r, faults...) }
}

// answering is a network with one answer.
func answering(body string) func(*testing.T, *testEnv) {
	return func(_ *testing.T, w *testEnv) {
		w.transport = handled(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	}
}

// expand adds a task whose kind is known, with a progress, and an outage in the middle.
func expand(t *testing.T, w *testEnv) {
	var h schedule.History
	for range 9 {
		h.Add("kafkaInstanceExtend", time.Minute)
	}
	text, err := json.Marshal(&h)
	if w.cache = t.TempDir(); err == nil {
		err = writeHistory(w.cache, text)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.cloud.AddTask(testInstance, fakekafka.Script{ID: "x", Stages: []fakekafka.Stage{
		{Name: "disk_expansion", Duration: time.Minute}}})
	w.cloud.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), fakecloud.Unavailable().Times(2))
}

// many adds more tasks than one line can name.
func many(_ *testing.T, w *testEnv) {
	var ids strings.Builder
	for i := range 250 {
		fmt.Fprintln(&ids, w.cloud.AddTask(testInstance, script(fmt.Sprintf("%032d", i), time.Hour, "SUCCESS")))
	}
	w.stdin = strings.NewReader(ids.String())
}

// unreachable is a network that gets no connection for the first change.
type unreachable struct {
	next   http.RoundTripper
	passed bool
}

func (u *unreachable) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet || u.passed {
		return u.next.RoundTrip(req)
	}
	u.passed = true
	httptrace.ContextClientTrace(req.Context()).GetConn(req.Host)
	return nil, errors.New("no route to the host")
}

const (
	httpStatus = "http wait --status status --success done --code code --reason reason --percent percent "
	operation  = " https://api.example.com/ops/7"
)

// everyLine are command lines that print everything that is ever printed as JSON.
var everyLine = []printed{
	{args: "kafka wait good bad off erased nobody long --timeout 2m"},
	{args: "kafka wait off"},
	{args: "kafka wait nobody"},
	{args: "kafka wait long --timeout 1m"},
	{args: "kafka wait long", signal: os.Interrupt},
	{args: "kafka wait long", signal: syscall.SIGTERM},
	{args: "kafka wait long", signal: syscall.SIGHUP},
	{args: "kafka wait long", signal: syscall.SIGQUIT},
	{args: "kafka wait good", set: inject(fakekafka.RouteShowTask, fakecloud.Throttle(time.Second))},
	{args: "kafka wait good", set: inject(fakekafka.RouteShowTask, fakecloud.Error(403, "DMS.00400503", "no"))},
	{args: "kafka wait good bad", set: inject(fakekafka.RouteListTasks, fakecloud.Error(403, "DMS.00400503", "no"))},
	{args: "kafka wait long --timeout 1m --heartbeat 2s", set: inject(fakekafka.RouteShowTask, fakecloud.Serve(),
		fakecloud.Unavailable().Times(99))},
	{args: "kafka wait x --heartbeat 5s", set: expand},
	{args: "kafka wait x --max-interval 5s", set: expand},
	{args: "kafka wait - --timeout 20s", set: many},
	{args: "kafka wait --all", set: func(_ *testing.T, w *testEnv) {
		w.cloud.AddInstance("kafka-2")
		w.env[instanceName] = "kafka-2"
	}},
	{args: "kafka wait good", set: func(t *testing.T, w *testEnv) {
		if w.cache = t.TempDir(); writeHistory(w.cache, []byte("{")) != nil {
			t.Error("got no history")
		}
	}},
	{args: "kafka start --body BODY resize"},
	{args: "kafka start --body BODY resize", set: func(_ *testing.T, w *testEnv) {
		w.cloud = fakekafka.New()
		w.cloud.AddInstance(testInstance)
		w.cloud.AddTask(testInstance, script("other", time.Minute, "SUCCESS"))
	}},
	{args: "kafka start --body BODY resize", set: inject(fakekafka.RouteResize, fakecloud.Error(403, "DMS.1", "no"))},
	{args: "kafka start --body BODY resize", set: inject(fakekafka.RouteResize, fakecloud.DropAnswer())},
	{args: "kafka start --body BODY resize", set: func(_ *testing.T, w *testEnv) {
		w.transport = &unreachable{next: w.cloud.Transport()}
	}},
	{args: "kafka list"},
	{args: "kafka list --watch --interval 1s", signal: os.Interrupt, set: func(_ *testing.T, w *testEnv) {
		addListed(w)
		w.cloud.Inject(fakekafka.RouteListTasks, fakecloud.Serve(), fakekafka.NotListed(), fakecloud.Unavailable())
	}},
	{args: "kafka list", set: inject(fakekafka.RouteListTasks, fakecloud.Error(403, "DMS.00400503", "no"))},
	{args: "mrs-jobs cancel --cluster c1 j1", set: func(_ *testing.T, w *testEnv) {
		throttled := false
		w.transport = handled(func(w http.ResponseWriter, _ *http.Request) {
			if !throttled {
				w.WriteHeader(http.StatusTooManyRequests)
			}
			throttled = true
		})
	}},
	{args: "mrs-jobs wait --cluster c1 j1 --timeout 1m",
		set: answering(`{"job_detail":{"job_id":"j1","job_state":"RUNNING"}}`)},
	{args: "demo"},
	{args: httpStatus + "--timeout 1m --heartbeat 2s" + operation,
		set: answering(`{"status":"odd","code":"E7","reason":"no room","percent":50}`)},
	{args: httpStatus + "--print url" + operation, set: answering(`{"status":"done","percent":100,"url":"https://x"}`)},
	{args: httpStatus + "--print nothing" + operation, set: answering(`{"status":"done"}`)},
	{lines: tooLong},
	{lines: refusedByLibrary},
}

// tooLong is what is left of lines that are too long.
func tooLong() string {
	code, long := codeFailed, strings.Repeat("x", maxLine)
	return string(encode(&event{
		Event: eventDone, Time: noon, Task: "x", Status: taskwait.StatusFailed, Outcome: failed, Error: long,
	})) + string(encode(&event{
		Event: eventEnd, Time: noon, Outcomes: map[outcome]int{failed: 1}, ExitCode: &code, Resume: long,
	}))
}

// refusedByLibrary is the end where the library refuses an option, which the command has checked before; and where
// nobody has read everything.
func refusedByLibrary() (lines string) {
	s := &env{stdout: io.Discard, stderr: io.Discard}
	s.out, s.errOut = newStream(s.stdout), newStream(s.stderr)
	defer s.out.close()
	defer s.errOut.close()
	s.out.dropped = 1
	r := s.newRun(subject{}, &printing{output: outputJSON}, selection{ids: []string{"x"}})
	r.reporter = jsonReporter{func(line []byte, _ bool) { lines += string(line) }}
	r.end(context.Background(), taskwait.ErrInvalidOption)
	return lines
}
