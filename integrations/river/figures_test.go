package riverwait_test

import (
	"context"
	"database/sql"
	"flag"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	riverwait "github.com/taskwait/taskwait/integrations/river"
)

// What the figures are measured with; by default little, to see that all is done.
var (
	waits  = flag.Int("waits", 20, "how many waits there are")
	atOnce = flag.Int("workers", 200, "how many jobs a client works at once where polls are counted")
	window = flag.Duration("window", time.Second, "for how long polls are counted, each time")
	rounds = flag.Int("rounds", 1, "how often polls are counted")
	task   = flag.Duration("task", time.Second, "how long a task takes: from half to one and a half of that")
)

// busy is a client that works up to so many jobs at once, and looks for them that often.
func busy[TTx any](t *testing.T, e *engine[TTx], queue string, workers *river.Workers, n int, every time.Duration,
) *river.Client[TTx] {
	t.Helper()
	client, err := river.NewClient(e.driver, riverwait.SetTimeouts(&river.Config{
		Workers: workers, Queues: map[string]river.QueueConfig{queue: {MaxWorkers: n}},
		FetchPollInterval: every,
	}))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func insertAll[TTx any](t *testing.T, client *river.Client[TTx], queue string, args func(i int) river.JobArgs) {
	t.Helper()
	all := make([]river.InsertManyParams, *waits)
	for i := range all {
		all[i] = river.InsertManyParams{Args: args(i), InsertOpts: &river.InsertOpts{Queue: queue}}
	}
	if _, err := client.InsertManyFast(t.Context(), all); err != nil {
		t.Fatal(err)
	}
}

// bare is a job that snoozes as a wait does, and does nothing else.
type bare struct {
	riverwait.Args
}

func (bare) Kind() string { return "bare" }

const (
	snooze = time.Second            // the pause of both kinds of job where polls are counted
	often  = 100 * time.Millisecond // between two looks for jobs
)

func TestThroughputSQLite(t *testing.T)   { testThroughput(t, onSQLite(t)) }
func TestThroughputPostgres(t *testing.T) { testThroughput(t, onPostgres(t)) }

// testThroughput counts runs in turns: of jobs that wait, and of bare ones.
func testThroughput[TTx any](t *testing.T, e *engine[TTx]) {
	var polls, runs atomic.Int64
	waiter, err := taskwait.New(taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
		polls.Add(1)
		return taskwait.Task{ID: id, Status: taskwait.StatusExecuting}, nil
	}), taskwait.WithInterval(snooze, snooze))
	if err != nil {
		t.Fatal(err)
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &riverwait.Worker[riverwait.Args]{
		Waiter: riverwait.ByName(map[string]*taskwait.Waiter{"": waiter}),
	})
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[bare]) error {
		runs.Add(1)
		return river.JobSnooze(snooze)
	}))
	insertAll(t, busy(t, e, "waits", workers, *atOnce, often), "waits", func(i int) river.JobArgs {
		return riverwait.Args{TaskID: strconv.Itoa(i)}
	})
	insertAll(t, busy(t, e, "bare", workers, *atOnce, often), "bare", func(i int) river.JobArgs { return bare{riverwait.Args{TaskID: strconv.Itoa(i)}} })
	var ours, theirs int64
	for range *rounds {
		ours += countIn(t, busy(t, e, "waits", workers, *atOnce, often), &polls)
		theirs += countIn(t, busy(t, e, "bare", workers, *atOnce, often), &runs)
	}
	seconds := float64(*rounds) * window.Seconds()
	t.Logf("%d waits: %.0f polls/s, bare jobs %.0f/s: %.0f %%", *waits, float64(ours)/seconds, float64(theirs)/seconds,
		100*float64(ours)/float64(theirs))
	if ours == 0 || theirs == 0 {
		t.Errorf("%d polls, %d bare runs; want some of each", ours, theirs)
	}
}

// countIn is how often n was counted up within the window, while client works.
func countIn[TTx any](t *testing.T, client *river.Client[TTx], n *atomic.Int64) int64 {
	t.Helper()
	if err := client.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(*window / 2)
	before := n.Load()
	time.Sleep(*window)
	counted := n.Load() - before
	if err := client.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	return counted
}

// tasks are those of one instance, in the cloud. They have begun at once.
type tasks struct {
	cloud  *fakekafka.Cloud
	client *kafka.KafkaClient
	ids    []string
	ends   map[string]time.Time

	mu     sync.Mutex
	delays []time.Duration // from a task's end until the caller knew
	over   chan struct{}   // closed when all have ended
}

func newTasks(t *testing.T) *tasks {
	t.Helper()
	c := &tasks{
		cloud: fakekafka.New(fakecloud.WithLatency(20 * time.Millisecond)), ends: map[string]time.Time{},
		over: make(chan struct{}),
	}
	credential, err := basic.NewCredentialsBuilder().WithAk(fakecloud.DefaultAccessKey).
		WithSk(fakecloud.DefaultSecretKey).WithProjectId(fakecloud.DefaultProject).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	settings := config.DefaultHttpConfig().WithHttpRoundTripper(c.cloud.Transport())
	hc, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithHttpConfig(settings).
		WithCredential(credential).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	c.client = kafka.NewKafkaClient(hc)
	began := time.Now()
	for range *waits {
		takes := *task/2 + rand.N(*task)
		id := c.cloud.AddTask("kafka-1", fakekafka.Script{CreatedAt: began, Duration: takes})
		c.ids, c.ends[id] = append(c.ids, id), began.Add(takes)
	}
	return c
}

// ended notes that the end of a task is known.
func (c *tasks) ended(t taskwait.Task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.delays = append(c.delays, time.Since(c.ends[t.ID])); len(c.delays) == len(c.ids) {
		close(c.over)
	}
}

func (c *tasks) report(t *testing.T, how string) {
	t.Helper()
	slices.Sort(c.delays)
	requests := len(c.cloud.Requests())
	t.Logf("%s: %d waits, %.2f requests each, delay %.1f s (median), %.1f s (p95)", how, len(c.ids),
		float64(requests)/float64(len(c.ids)), c.delays[len(c.delays)/2].Seconds(), c.delays[len(c.delays)*95/100].Seconds())
	if requests == 0 {
		t.Errorf("%s: there was no request", how)
	}
}

// schedule is the default one where a task takes 40 s.
func schedule() taskwait.Option { return taskwait.WithInterval(*task/10, *task*3/4) }

func TestRequestsSQLite(t *testing.T)   { testRequests[*sql.Tx](t, onSQLite(t)) }
func TestRequestsPostgres(t *testing.T) { testRequests[pgx.Tx](t, onPostgres(t)) }

// testRequests counts the requests for the tasks of one instance: with the Lister that kafkatasks is, with polls that
// are made together, and without a Lister.
func testRequests[TTx any](t *testing.T, e *engine[TTx]) {
	for _, tt := range []struct {
		name   string
		source func(*kafkatasks.Source) taskwait.Source
		put    time.Duration
	}{
		{"listed", func(s *kafkatasks.Source) taskwait.Source { return s }, 0},
		{"together", func(s *kafkatasks.Source) taskwait.Source { return s }, *task / 8},
		{"alone", func(s *kafkatasks.Source) taskwait.Source { return taskwait.SourceFunc(s.Task) }, 0},
	} {
		c := newTasks(t)
		waiter, err := taskwait.New(tt.source(kafkatasks.New(c.client, "kafka-1")), schedule())
		if err != nil {
			t.Fatal(err)
		}
		workers := river.NewWorkers()
		river.AddWorker(workers, &riverwait.Worker[riverwait.Args]{
			Waiter: riverwait.ByName(map[string]*taskwait.Waiter{tt.name: waiter}), Together: tt.put,
			Done: func(_ context.Context, _ *river.Job[riverwait.Args], task taskwait.Task, err error) error {
				c.ended(task)
				return err
			},
		})
		client := busy(t, e, tt.name, workers, 1000, river.FetchPollIntervalDefault)
		insertAll(t, client, tt.name, func(i int) river.JobArgs {
			return riverwait.Args{Source: tt.name, TaskID: c.ids[i]}
		})
		if err := client.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		<-c.over
		if err := client.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		c.report(t, tt.name)
	}
}

// TestRequestsInOneProcess is what testRequests is compared with: a loop over the same tasks.
func TestRequestsInOneProcess(t *testing.T) {
	c := newTasks(t)
	waiter, err := taskwait.New(kafkatasks.New(c.client, "kafka-1"), schedule())
	if err != nil {
		t.Fatal(err)
	}
	for task, err := range waiter.WaitForTasks(t.Context(), c.ids) {
		if err != nil {
			t.Error(err)
		}
		c.ended(task)
	}
	c.report(t, "in one process")
}
