package taskwait_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"golang.org/x/time/rate"
)

// service simulates a cloud service in virtual time: tasks that run until an instant, a list in pages, a quota and
// faults. It counts what it is asked. Its fields are set before the first request. It is a Source without a list.
type service struct {
	latency  time.Duration                                 // of each request
	pageSize int                                           // rows of a page of the list
	quota    int                                           // requests a second; above, it throttles. 0: no quota
	retry    time.Duration                                 // Retry-After of the quota's refusals
	fault    func(ctx context.Context, r request) error    // what goes wrong with a request; nil: nothing
	show     func(rows []taskwait.Task) []taskwait.Task    // what a page shows of its rows; nil: the rows
	state    func(id string, at time.Time) taskwait.Status // nil: EXECUTING until the task ends, then SUCCESS

	ends     map[string]time.Time
	order    []string      // of the list
	released chan struct{} // closed at the test's end: calls that heed no context return

	mu        sync.Mutex
	requests  []request
	inFlight  []request
	most      int // single polls in flight that were younger than a second
	mostOfOne int // requests in flight for one id, or for the list
	free      time.Time
	refused   int // by the quota
}

// request is one request that the service got.
type request struct {
	id   string // empty: for a page of the list
	from int    // the first row of the page
	n    int    // counts the requests from 1
	at   time.Time
}

func (r request) lists() bool { return r.id == "" }

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{
		latency: 50 * time.Millisecond, pageSize: 100, retry: time.Second,
		ends: map[string]time.Time{}, released: make(chan struct{}),
	}
	t.Cleanup(func() { close(s.released) })
	return s
}

// add adds n tasks with this prefix. Task i ends after(i) from now.
func (s *service) add(prefix string, n int, after func(i int) time.Duration) (ids []string) {
	for i := range n {
		id := fmt.Sprintf("%s-%d", prefix, i)
		s.ends[id] = time.Now().Add(after(i))
		ids = append(ids, id)
	}
	s.order = append(s.order, ids...)
	return ids
}

// always is an end that does not depend on the task.
func always(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

func (s *service) row(id string) taskwait.Task {
	now, status := time.Now(), taskwait.StatusExecuting
	switch {
	case s.state != nil:
		status = s.state(id, now)
	case !now.Before(s.ends[id]):
		status = taskwait.StatusSuccess
	}
	return taskwait.Task{ID: id, Status: status}
}

// Task answers for one task.
func (s *service) Task(ctx context.Context, id string) (taskwait.Task, error) {
	r := request{id: id}
	defer s.leave(&r)
	if err := s.enter(ctx, &r); err != nil {
		return taskwait.Task{}, err
	}
	if _, known := s.ends[id]; !known {
		return taskwait.Task{}, &taskwait.QueryError{Class: taskwait.ClassNotFound, Err: errors.New("no such task")}
	}
	return s.row(id), nil
}

// page answers with a page of the list, and where the next one begins; 0: there is none.
func (s *service) page(ctx context.Context, from int) (rows []taskwait.Task, next int, err error) {
	r := request{from: from}
	defer s.leave(&r)
	if err := s.enter(ctx, &r); err != nil {
		return nil, 0, err
	}
	to := min(from+s.pageSize, len(s.order))
	for _, id := range s.order[from:to] {
		rows = append(rows, s.row(id))
	}
	if s.show != nil {
		rows = s.show(rows)
	}
	if to < len(s.order) {
		next = to
	}
	return rows, next, nil
}

// enter counts a request and lets the latency pass, or says what goes wrong with it.
func (s *service) enter(ctx context.Context, r *request) error {
	admitted := s.count(r)
	if s.latency > 0 {
		select {
		case <-time.After(s.latency):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if !admitted {
		return throttled(s.retry)
	}
	if s.fault != nil {
		return s.fault(ctx, *r)
	}
	return nil
}

func (s *service) count(r *request) (admitted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.at, r.n = time.Now(), len(s.requests)+1
	s.requests = append(s.requests, *r)
	s.inFlight = append(s.inFlight, *r)
	young, ofOne := 0, 0
	for _, f := range s.inFlight {
		if !r.lists() && !f.lists() && r.at.Sub(f.at) < time.Second {
			young++
		}
		if f.id == r.id {
			ofOne++
		}
	}
	s.most, s.mostOfOne = max(s.most, young), max(s.mostOfOne, ofOne)
	return s.admit(r.at)
}

// admit is the quota: a bucket that holds as many requests as it gains in a second. What is refused costs nothing.
func (s *service) admit(now time.Time) bool {
	if s.quota == 0 {
		return true
	}
	if s.free.Before(now) {
		s.free = now
	}
	each := time.Second / time.Duration(s.quota)
	if s.free.Sub(now) > time.Second-each {
		s.refused++
		return false
	}
	s.free = s.free.Add(each)
	return true
}

func (s *service) leave(r *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight = slices.DeleteFunc(s.inFlight, func(f request) bool { return f.n == r.n })
}

// hang answers when ctx ends, or at the end of the test where the call honours no context.
func (s *service) hang(ctx context.Context, honours bool) error {
	if honours {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.released:
		}
	}
	<-s.released
	return errors.New("the test is over")
}

// asked gives the requests so far: for the list, or for single tasks.
func (s *service) asked(list bool) (all []request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r.lists() == list {
			all = append(all, r)
		}
	}
	return all
}

func throttled(after time.Duration) error {
	err := errors.New("429 too many requests")
	return &taskwait.QueryError{Class: taskwait.ClassThrottled, RetryAfter: after, Err: err}
}

func unavailable() error {
	return &taskwait.QueryError{Class: taskwait.ClassTransient, Err: errors.New("503 service unavailable")}
}

// lister is a service with a list. It is the one place that knows what such a Source looks like.
type lister struct{ *service }

var (
	_ taskwait.Source = (*service)(nil)
	_ taskwait.Lister = lister{}
)

func (l lister) List(ctx context.Context, b taskwait.ListRequest) (tasks []taskwait.Task, next string, err error) {
	from, _ := strconv.Atoi(b.Page)
	tasks, to, err := l.page(ctx, from)
	if to > 0 {
		next = strconv.Itoa(to)
	}
	return tasks, next, err
}

// source is the service, with its list or without.
func (s *service) source(list bool) taskwait.Source {
	if list {
		return lister{s}
	}
	return s
}

// confirmations is how many SUCCESS in a row end a wait.
func confirmations(n int) taskwait.Option { return taskwait.WithConfirmations(n) }

// every makes all pauses d, without jitter.
func every(d time.Duration) taskwait.Option { return taskwait.WithInterval(d, d) }

func limit(perSecond int) taskwait.Option {
	return taskwait.WithLimiter(taskwait.NewLimiter(rate.NewLimiter(rate.Limit(perSecond), 1)))
}

func newWaiter(t *testing.T, src taskwait.Source, opts ...taskwait.Option) *taskwait.Waiter {
	t.Helper()
	w, err := taskwait.New(src, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// virtually runs a subtest in virtual time. It fails if a goroutine is left.
func virtually(t *testing.T, name string, test func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// within is a context that ends after d, so that a wait that would never end fails instead.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// result is how a wait ended, and when.
type result struct {
	task  taskwait.Task
	err   error
	after time.Duration
}

// way is one of the ways to wait for many tasks.
type way struct {
	name string
	wait func(ctx context.Context, w *taskwait.Waiter, ids []string, opts ...taskwait.Option) map[string]result
}

var ways = []way{{"WaitForTask", waitForEach}, {"WaitForTasks", waitForMany}}

// waitForEach waits for each task on a goroutine of its own.
func waitForEach(
	ctx context.Context, w *taskwait.Waiter, ids []string, opts ...taskwait.Option,
) map[string]result {
	begun, results := time.Now(), map[string]result{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			task, err := w.WaitForTask(ctx, id, opts...)
			mu.Lock()
			defer mu.Unlock()
			results[id] = result{task, err, time.Since(begun)}
		})
	}
	all.Wait()
	return results
}

// waitForMany waits for all tasks with one call.
func waitForMany(
	ctx context.Context, w *taskwait.Waiter, ids []string, opts ...taskwait.Option,
) map[string]result {
	begun, results := time.Now(), map[string]result{}
	for task, err := range w.WaitForTasks(ctx, ids, opts...) {
		results[task.ID] = result{task, err, time.Since(begun)}
	}
	return results
}

// operation starts a task by way of Do: the answer to Start is its id.
func operation(id string) taskwait.Operation {
	return taskwait.Operation{Name: "resize", Start: func(context.Context, taskwait.Attempt) (string, error) {
		return id, nil
	}}
}

// succeeded reports an error for each task that did not succeed within most; 0: whenever.
func succeeded(t *testing.T, results map[string]result, ids []string, most time.Duration) {
	t.Helper()
	wrong := 0
	for _, id := range ids {
		r, ok := results[id]
		switch {
		case !ok:
			t.Errorf("%s: no result, want success", id)
		case r.err != nil:
			t.Errorf("%s: got %v, want success", id, r.err)
		case most > 0 && r.after > most:
			t.Errorf("%s: got success after %v, want it within %v", id, r.after, most)
		default:
			continue
		}
		if wrong++; wrong == 3 {
			t.Errorf("(of %d; more are not shown)", len(ids))
			return
		}
	}
}

// unknownOutcome reports whether err says that it is not known whether the task has finished, as a timeout must whose
// final poll was not answered.
func unknownOutcome(err error) bool {
	text := err.Error()
	return errors.Is(err, taskwait.ErrTimeout) && strings.Contains(text, "not known") && !strings.Contains(text, "still")
}
