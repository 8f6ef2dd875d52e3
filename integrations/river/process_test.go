package riverwait_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/taskwait/taskwait"
	riverwait "github.com/taskwait/taskwait/integrations/river"
)

// What a worker's process is told.
const (
	envEngine  = "RIVERWAIT_TEST_ENGINE" // sqlite or postgres; empty: it is no worker
	envDSN     = "RIVERWAIT_TEST_DSN"
	envService = "RIVERWAIT_TEST_SERVICE"
	envTimeout = "RIVERWAIT_TEST_TIMEOUT" // of the wait
)

// pause is that between two polls. Whoever kills between them has that much time for it.
const pause = 2 * time.Second

func TestMain(m *testing.M) {
	if engine := os.Getenv(envEngine); engine != "" {
		log.Fatal(workIn(engine, os.Getenv(envDSN)))
	}
	code := m.Run()
	postgres.stop()
	os.Exit(code)
}

// workIn is a process that works jobs until it is killed, or nobody holds its standard input any more.
func workIn(engine, dsn string) error {
	if engine == "sqlite" {
		e, err := openSQLite(dsn)
		if err != nil {
			return err
		}
		return work(e)
	}
	e, err := openPostgres(dsn)
	if err != nil {
		return err
	}
	return work(e)
}

func work[TTx any](e *engine[TTx]) error {
	timeout, err := time.ParseDuration(os.Getenv(envTimeout))
	if err != nil {
		return err
	}
	waiter, err := taskwait.New(taskwait.SourceFunc(query), taskwait.WithTimeout(timeout),
		taskwait.WithInterval(pause, pause))
	if err != nil {
		return err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &riverwait.Worker[riverwait.Args]{
		Waiter: func(string) (*taskwait.Waiter, error) { return waiter, nil },
	})
	client, err := river.NewClient(e.driver, riverwait.SetTimeouts(&river.Config{
		Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 10}},
		FetchPollInterval: 200 * time.Millisecond,
	}))
	if err != nil {
		return err
	}
	if err := client.Start(context.Background()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return cmp.Or(err, io.EOF)
}

// query asks the remote service.
func query(ctx context.Context, id string) (taskwait.Task, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv(envService)+"/"+id, nil)
	if err != nil {
		return taskwait.Task{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return taskwait.Task{}, err
	}
	defer func() { _ = response.Body.Close() }()
	if err := taskwait.CheckResponse(response); err != nil {
		return taskwait.Task{}, err
	}
	task := taskwait.Task{ID: id}
	return task, json.NewDecoder(response.Body).Decode(&task)
}

// remote is a service in the test's own process. It answers as its answers say, and then with the last one for ever.
type remote struct {
	url     string
	answers []answer
	hanging chan struct{} // gets an element when an answer hangs

	mu       sync.Mutex
	asked    int
	answered int
}

func newRemote(t *testing.T, answers ...answer) *remote {
	r := &remote{answers: answers, hanging: make(chan struct{}, len(answers))}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

func (r *remote) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	a := r.answers[min(r.asked, len(r.answers)-1)]
	r.asked++
	if !a.hangs {
		r.answered++
	}
	r.mu.Unlock()
	if a.hangs {
		r.hanging <- struct{}{}
		<-request.Context().Done()
		return
	}
	fmt.Fprintf(w, `{"id":%q,"status":%q}`, request.URL.Path[1:], a.status)
}

func (r *remote) counts() (asked, answered int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked, r.answered
}

// killed is a wait whose first worker is killed.
type killed[TTx any] struct {
	*engine[TTx]
	*remote
	client  *river.Client[TTx]
	id      int64 // of the job
	timeout time.Duration
}

func newKilled[TTx any](t *testing.T, e *engine[TTx], timeout time.Duration, answers ...answer) *killed[TTx] {
	t.Helper()
	client, err := river.NewClient(e.driver, &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	inserted, err := client.Insert(t.Context(), riverwait.Args{TaskID: "8d1b"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &killed[TTx]{e, newRemote(t, answers...), client, inserted.Job.ID, timeout}
}

// start begins a worker's process, and returns what kills it.
func (k *killed[TTx]) start(t *testing.T) (kill func()) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), envEngine+"="+k.name, envDSN+"="+k.dsn, envService+"="+k.url,
		envTimeout+"="+k.timeout.String())
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // held until this process ends
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	return kill
}

// until waits for what the row of the job shows.
func (k *killed[TTx]) until(t *testing.T, shown func(*rivertype.JobRow) bool) *rivertype.JobRow {
	t.Helper()
	for {
		job, err := k.client.JobGet(t.Context(), k.id)
		if err != nil {
			t.Fatal(err)
		}
		if shown(job) {
			return job
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func always(*rivertype.JobRow) bool { return true }

// stored is what the tests read of a wait in the metadata of its job.
type stored struct {
	At    time.Time
	Began time.Duration // before At
	Polls int
}

func (k *killed[TTx]) stored(t *testing.T, job *rivertype.JobRow) (s stored) {
	t.Helper()
	if err := json.Unmarshal([]byte(waitOf(t, job)), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// ended waits for the end of the job, and checks that one wait has made all the polls, on one budget.
func (k *killed[TTx]) ended(t *testing.T, before *rivertype.JobRow) *rivertype.JobRow {
	t.Helper()
	job := k.until(t, func(job *rivertype.JobRow) bool { return job.FinalizedAt != nil })
	was, is := k.stored(t, before), k.stored(t, job)
	began := was.At.Add(-was.Began)
	if got := is.At.Add(-is.Began); got.Sub(began).Abs() > time.Millisecond { // clocks drift by nanoseconds
		t.Errorf("the wait began at %v, want %v as before", got, began)
	}
	if _, answered := k.counts(); is.Polls != answered || was.Polls >= is.Polls {
		t.Errorf("the wait knows of %d polls, %d of them before, and the service of %d", is.Polls, was.Polls, answered)
	}
	return job
}

func TestKilledBetweenPollsSQLite(t *testing.T) { t.Parallel(); testKilledBetweenPolls(t, onSQLite(t)) }

func TestKilledBetweenPollsPostgres(t *testing.T) {
	t.Parallel()
	testKilledBetweenPolls(t, onPostgres(t))
}

// A worker is killed while the job snoozes. The next one goes on, and it is no attempt.
func testKilledBetweenPolls[TTx any](t *testing.T, e *engine[TTx]) {
	k := newKilled(t, e, time.Hour, executing(3, answer{status: taskwait.StatusSuccess})...)
	kill := k.start(t)
	k.until(t, func(job *rivertype.JobRow) bool { return snoozes(job) == 2 })
	kill()
	before := k.until(t, always)
	if before.State == rivertype.JobStateRunning {
		t.Fatal("it was killed during a poll")
	}
	k.start(t)
	job := k.ended(t, before)
	if job.State != rivertype.JobStateCompleted || job.Attempt != 1 || len(job.Errors) != 0 {
		t.Errorf("%s after attempt %d, errors %v; want completed, 1, none", job.State, job.Attempt, job.Errors)
	}
}

func snoozes(job *rivertype.JobRow) int {
	var metadata struct{ Snoozes int }
	if json.Unmarshal(job.Metadata, &metadata) != nil {
		return -1
	}
	return metadata.Snoozes
}

func TestKilledDuringPollSQLite(t *testing.T) { t.Parallel(); testKilledDuringPoll(t, onSQLite(t)) }

func TestKilledDuringPollPostgres(t *testing.T) { t.Parallel(); testKilledDuringPoll(t, onPostgres(t)) }

// A worker is killed while it waits for an answer. The next one makes that poll again; the task has failed meanwhile.
func testKilledDuringPoll[TTx any](t *testing.T, e *engine[TTx]) {
	k := newKilled(t, e, time.Hour, executing(2, answer{hangs: true}, answer{status: taskwait.StatusFailed})...)
	kill := k.start(t)
	<-k.hanging
	kill()
	before := k.until(t, always)
	if before.State != rivertype.JobStateRunning {
		t.Fatalf("%s, want it running", before.State)
	}
	k.start(t)
	job := k.ended(t, before)
	if job.State != rivertype.JobStateCancelled || job.Attempt != 2 || len(job.Errors) != 2 {
		t.Errorf("%s after attempt %d, errors %v; want cancelled, 2, the rescue and the failure", job.State, job.Attempt,
			job.Errors)
	}
	if asked, _ := k.counts(); asked != 4 {
		t.Errorf("%d queries, want 4", asked)
	}
	var got riverwait.Outcome
	if err := json.Unmarshal(job.Output(), &got); err != nil || got.Task.Status != taskwait.StatusFailed {
		t.Errorf("output %s, %v; want FAILED", job.Output(), err)
	}
}

func TestKilledAndOutOfTimeSQLite(t *testing.T) { t.Parallel(); testKilledAndOutOfTime(t, onSQLite(t)) }

func TestKilledAndOutOfTimePostgres(t *testing.T) {
	t.Parallel()
	testKilledAndOutOfTime(t, onPostgres(t))
}

// The time of a wait runs out while no worker is alive. The next one makes the final poll, at once.
func testKilledAndOutOfTime[TTx any](t *testing.T, e *engine[TTx]) {
	k := newKilled(t, e, 3*time.Second, executing(1)...)
	kill := k.start(t)
	k.until(t, func(job *rivertype.JobRow) bool { return snoozes(job) == 1 })
	kill()
	before := k.until(t, always)
	was := k.stored(t, before)
	time.Sleep(time.Until(was.At.Add(-was.Began).Add(k.timeout)))
	k.start(t)
	job := k.ended(t, before)
	if is := k.stored(t, job); is.Polls != was.Polls+1 || job.State != rivertype.JobStateCancelled {
		t.Errorf("%s after %d polls, %d of them before; want it cancelled after one more", job.State, is.Polls, was.Polls)
	}
}
