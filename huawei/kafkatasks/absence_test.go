package kafkatasks_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

// What a task's query may be answered with, where the instance may be gone.
var (
	gone404   = fakecloud.Error(404, "DMS.00404022", "This instance does not exist.")
	forbidden = fakecloud.Error(403, "DMS.00403002", "No permission.")
)

// classOf is the class of an error, and "task" where there is none.
func classOf(err error) string {
	var q *taskwait.QueryError
	switch {
	case err == nil:
		return "task"
	case errors.As(err, &q):
		return q.Class.String()
	}
	return err.Error()
}

// TestInstanceIsGone: an answer that there is no such instance is believed when it comes again soon.
func TestInstanceIsGone(t *testing.T) {
	const s = time.Second
	type query struct {
		after time.Duration
		fault fakecloud.Fault
		want  string
	}
	serve, empty := fakecloud.Serve(), fakekafka.NotListed()
	for _, tt := range []struct {
		name    string
		queries []query
	}{
		{"at once", []query{{0, gone404, "not found"}, {0, gone404, "permanent"}}},
		{"ten seconds apart", []query{{0, gone404, "not found"}, {10 * s, gone404, "permanent"}}},
		{"longer apart", []query{
			{0, gone404, "not found"}, {11 * s, gone404, "not found"}, {11 * s, gone404, "not found"},
			{10 * s, gone404, "permanent"},
		}},
		{"for good", []query{
			{0, gone404, "not found"}, {s, gone404, "permanent"}, {s, gone404, "permanent"},
		}},
		{"the task between", []query{
			{0, gone404, "not found"}, {s, serve, "task"}, {s, gone404, "not found"}, {s, gone404, "permanent"},
		}},
		{"another task between", []query{
			{0, gone404, "not found"}, {s, fakekafka.WrongID(), "not found"}, {s, gone404, "permanent"},
		}},
		{"an empty list between", []query{{0, gone404, "not found"}, {s, empty, "not found"}, {s, gone404, "permanent"}}},
		{"trouble between", []query{
			{0, gone404, "not found"}, {s, fakecloud.Unavailable(), "transient"}, {s, gone404, "permanent"},
		}},
		{"an unknown status between", []query{
			{0, gone404, "not found"}, {s, fakekafka.Status("PAUSED"), "task"}, {s, gone404, "not found"},
		}},
		{"what another 404 says", []query{
			{0, gone404, "not found"}, {s, fakecloud.HTML(404), "transient"},
			{s, fakecloud.Error(404, "DMS.00404033", "This task does not exist."), "not found"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				id := cloud.AddTask("kafka-1", fakekafka.Script{Duration: time.Hour})
				source := kafkatasks.New(newClient(t, cloud), "kafka-1")
				for i, q := range tt.queries {
					time.Sleep(q.after)
					cloud.Inject(fakekafka.RouteShowTask, q.fault)
					_, err := source.Task(t.Context(), id)
					if classOf(err) != q.want {
						t.Fatalf("query %d: %v (%s), want %s", i+1, err, classOf(err), q.want)
					}
				}
			})
		})
	}
}

// TestInstanceIsGoneAtOnce: answers to queries that were under way at the same time, as those of two Waiters are, are
// one answer; the next query's is the second.
func TestInstanceIsGoneAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New(fakecloud.WithLatency(time.Second))
		id := cloud.AddTask("kafka-1", fakekafka.Script{Duration: time.Hour})
		source := kafkatasks.New(newClient(t, cloud), "kafka-1")
		cloud.Inject(fakekafka.RouteShowTask, gone404.Times(4))
		got := make([]string, 3)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 300 * time.Millisecond)
				_, err := source.Task(t.Context(), id)
				got[i] = classOf(err)
			})
		}
		wg.Wait()
		_, err := source.Task(t.Context(), id)
		if got = append(got, classOf(err)); !slices.Equal(got, []string{"not found", "not found", "not found", "permanent"}) {
			t.Errorf("the answers mean %q, want the last alone permanent", got)
		}
	})
}

// TestInstanceIsGoneElsewhere: what one task's query was answered with, or a list's, which is always "not found", says
// nothing of another's; but a list that shows a task is an answer for it.
func TestInstanceIsGoneElsewhere(t *testing.T) {
	cloud := fakekafka.New()
	ids := []string{cloud.AddTask("kafka-1", fakekafka.Script{}), cloud.AddTask("kafka-1", fakekafka.Script{})}
	source := kafkatasks.New(newClient(t, cloud), "kafka-1")
	task := func(i int) error {
		cloud.Inject(fakekafka.RouteShowTask, gone404)
		_, err := source.Task(t.Context(), ids[i])
		return err
	}
	list := func(faults ...fakecloud.Fault) error {
		cloud.Inject(fakekafka.RouteListTasks, faults...)
		_, err := source.ListSince(t.Context(), time.Time{})
		return err
	}
	page := func() error {
		_, _, err := source.List(t.Context(), taskwait.ListRequest{IDs: ids})
		return err
	}
	for i, step := range []struct {
		err  error
		want string
	}{
		{task(0), "not found"}, {task(1), "not found"}, {list(gone404), "not found"}, {task(0), "permanent"},
		{list(), "task"}, {task(0), "not found"}, {list(gone404), "not found"}, {list(gone404), "not found"},
		{task(0), "permanent"}, {page(), "task"}, {task(0), "not found"},
	} {
		if classOf(step.err) != step.want {
			t.Errorf("step %d: %v, want %s", i+1, step.err, step.want)
		}
	}
}

// TestWaitForGoneInstance: the instance is deleted while its task is waited for, in whatever way.
func TestWaitForGoneInstance(t *testing.T) {
	for _, way := range []struct {
		name string
		wait func(ctx context.Context, w *taskwait.Waiter, ids []string) error
	}{
		{"one", func(ctx context.Context, w *taskwait.Waiter, ids []string) error {
			_, err := w.WaitForTask(ctx, ids[0])
			return err
		}},
		{"many", func(ctx context.Context, w *taskwait.Waiter, ids []string) error {
			_, err := w.WaitForAll(ctx, ids)
			return err
		}},
	} {
		t.Run(way.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New(fakekafka.WithoutConflicts())
				var ids []string
				for range 3 {
					ids = append(ids, cloud.AddTask("kafka-1", fakekafka.Script{Duration: time.Hour}))
				}
				client := newClient(t, cloud)
				w := waiterOn(t, kafkatasks.New(client, "kafka-1"), taskwait.WithInterval(5*time.Second, 8*time.Second))
				deleted := kafkatasks.UntilDeleted(client)
				gone := make(chan time.Time, 1)
				go func() {
					_, err := waiterOn(t, deleted).Do(t.Context(), deleted.Delete("kafka-1"), taskwait.WithTimeout(time.Hour))
					if err != nil {
						t.Errorf("the deletion: %v", err)
					}
					gone <- time.Now()
				}()
				err := way.wait(t.Context(), w, ids)
				const text = `instance "kafka-1" does not exist: 404 Not Found: This instance does not exist.`
				var q *taskwait.QueryError
				if !errors.Is(err, taskwait.ErrQuery) || errors.Is(err, taskwait.ErrTaskNotFound) ||
					!strings.Contains(err.Error(), text) {
					t.Errorf("error = %v, want ErrQuery: %s", err, text)
				}
				if !errors.As(err, &q) || q.Class != taskwait.ClassPermanent || q.Code != "DMS.00404022" {
					t.Errorf("error = %#v, want a permanent one with the code", q)
				}
				if late := time.Since(<-gone); late > 20*time.Second {
					t.Errorf("%v after the end of the instance, want within two polls", late)
				}
			})
		})
	}
}

// asked is how many requests for a route have reached the cloud.
func asked(cloud *fakekafka.Cloud, r fakecloud.Route) (n int) {
	for _, req := range cloud.Requests() {
		if req.Route == r {
			n++
		}
	}
	return n
}

// TestLastingRefusal: where a 403 lasts after good answers, the instance is asked once, and the error says which.
func TestLastingRefusal(t *testing.T) {
	const refused = "403 Forbidden, this needs the permission dms:instance:getBackgroundTask: No permission."
	page := fakecloud.Respond(403, "<html><head><title>Blocked</title></head></html>")
	for _, tt := range []struct {
		name     string
		first    fakecloud.Fault
		then     fakecloud.Fault
		instance fakecloud.Fault
		asked    int // the instance, of the four refusals of which two last
		text     string
	}{
		{"a permission is missing", fakecloud.Serve(), forbidden, fakecloud.Serve(), 1,
			`instance "kafka-1" exists, but the query is refused: ` + refused},
		{"a proxy's page", fakecloud.Serve(), page, fakecloud.Serve(), 1,
			`instance "kafka-1" exists, but the query is refused: 403 Forbidden: a page, "Blocked"`},
		{"an empty list before", fakekafka.NotListed(), forbidden, fakecloud.Serve(), 1,
			`instance "kafka-1" exists, but the query is refused: ` + refused},
		{"the instance is gone", fakecloud.Serve(), forbidden, gone404, 1,
			`instance "kafka-1" does not exist: 404 Not Found: This instance does not exist. (DMS.00404022, `},
		{"nothing can be seen", fakecloud.Serve(), forbidden, forbidden, 1,
			`instance "kafka-1" cannot be seen either: ` + refused},
		{"the instance does not answer", fakecloud.Serve(), forbidden, fakecloud.Unavailable(), 2, refused},
		{"no good answer before", fakecloud.Unavailable(), forbidden, fakecloud.Serve(), 0, refused},
		{"401", fakecloud.Serve(), fakecloud.Error(401, "APIGW.0301", "Incorrect."), fakecloud.Serve(), 0, "401 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				id := cloud.AddTask("kafka-1", fakekafka.Script{Duration: time.Hour})
				source := kafkatasks.New(newClient(t, cloud), "kafka-1")
				cloud.Inject(fakekafka.RouteShowTask, tt.first, tt.then.For(time.Hour))
				cloud.Inject(fakekafka.RouteShowInstance, tt.instance.For(time.Hour))
				var err error
				for i := range 5 {
					if n := asked(cloud, fakekafka.RouteShowInstance); n > 0 && i <= 3 {
						t.Errorf("the instance was asked before the refusal lasted")
					}
					_, err = source.Task(t.Context(), id)
					time.Sleep(10 * time.Second)
				}
				if classOf(err) != "permanent" || !strings.HasPrefix(err.Error(), tt.text) {
					t.Errorf("error = %v (%s), want a permanent one: %s", err, classOf(err), tt.text)
				}
				if n := asked(cloud, fakekafka.RouteShowInstance); n != tt.asked {
					t.Errorf("the instance was asked %d times, want %d", n, tt.asked)
				}
			})
		})
	}
}

// TestRefusalIsOver: a good answer ends what is known of a refusal.
func TestRefusalIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		id := cloud.AddTask("kafka-1", fakekafka.Script{Duration: time.Hour})
		source := kafkatasks.New(newClient(t, cloud), "kafka-1")
		cloud.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), forbidden.Times(2), fakecloud.Serve(), forbidden.Times(3))
		for i, want := range []string{"task", "403 ", "instance ", "task", "403 ", "instance ", "instance "} {
			_, err := source.Task(t.Context(), id)
			got := "task"
			if err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, want) {
				t.Errorf("query %d: %s, want %s…", i+1, got, want)
			}
			time.Sleep(20 * time.Second)
		}
		if n := asked(cloud, fakekafka.RouteShowInstance); n != 2 {
			t.Errorf("the instance was asked %d times, want once in each run of refusals", n)
		}
	})
}

// TestWaitThroughRefusal: a 403 that lasts ends the wait, and the error says whether the instance is gone.
func TestWaitThroughRefusal(t *testing.T) {
	for want, instance := range map[string]fakecloud.Fault{
		`instance "kafka-1" exists, but the query is refused: 403 Forbidden`: fakecloud.Serve(),
		`instance "kafka-1" does not exist: 404 Not Found`:                   gone404,
	} {
		synctest.Test(t, func(t *testing.T) {
			cloud := fakekafka.New()
			id := cloud.AddTask("kafka-1", fakekafka.Script{Duration: time.Hour})
			cloud.Inject(fakekafka.RouteShowTask, fakecloud.Serve(), fakecloud.Serve(), forbidden.For(time.Hour))
			cloud.Inject(fakekafka.RouteShowInstance, instance.For(time.Hour))
			w := waiterOn(t, kafkatasks.New(newClient(t, cloud), "kafka-1"))
			began := time.Now()
			_, err := w.WaitForTask(t.Context(), id)
			if !errors.Is(err, taskwait.ErrQuery) || !strings.Contains(err.Error(), want) {
				t.Errorf("error = %v, want ErrQuery: %s", err, want)
			}
			if took := time.Since(began); took < 20*time.Second || took > 2*time.Minute {
				t.Errorf("after %v, want between the time after which a refusal lasts and two minutes", took)
			}
		})
	}
}
