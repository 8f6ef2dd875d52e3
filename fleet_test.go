package taskwait

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// fleet is a Source of many tasks, with a list in pages.
type fleet struct {
	tasks   map[string]*fleetTask
	order   []string // of the list
	size    int      // of a page; 0: no list
	latency time.Duration
	page    func(n int) error // what goes wrong with the n-th page asked for, from 1; nil: nothing
	single  func(id string) error

	mu      sync.Mutex
	asked   []time.Time
	singles map[string]int
	pages   int
}

type fleetTask struct {
	ends     time.Time
	outcome  Status
	unlisted bool
	unknown  bool
}

func newFleet(size int) *fleet {
	return &fleet{tasks: map[string]*fleetTask{}, size: size, singles: map[string]int{}, latency: 50 * time.Millisecond}
}

func (f *fleet) add(n int, took func(i int) time.Duration) (ids []string) {
	for i := range n {
		id := fmt.Sprintf("task-%d", len(f.order))
		f.tasks[id] = &fleetTask{ends: time.Now().Add(took(i)), outcome: StatusSuccess}
		f.order = append(f.order, id)
		ids = append(ids, id)
	}
	return ids
}

func logNormal(seed uint64, median time.Duration, sigma float64) func(int) time.Duration {
	r := rand.New(rand.NewPCG(seed, seed))
	return func(int) time.Duration { return time.Duration(float64(median) * math.Exp(sigma*r.NormFloat64())) }
}

func (f *fleet) state(id string, at time.Time) Task {
	t := Task{ID: id, Status: StatusExecuting}
	if s := f.tasks[id]; !at.Before(s.ends) {
		t.Status = s.outcome
	}
	return t
}

func (f *fleet) arrive(ctx context.Context, note func()) error {
	f.mu.Lock()
	f.asked = append(f.asked, time.Now())
	note()
	f.mu.Unlock()
	if f.latency <= 0 { // at once, without a timer
		return ctx.Err()
	}
	select {
	case <-time.After(f.latency):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *fleet) Task(ctx context.Context, id string) (Task, error) {
	if err := f.arrive(ctx, func() { f.singles[id]++ }); err != nil {
		return Task{}, err
	}
	if f.single != nil {
		if err := f.single(id); err != nil {
			return Task{}, err
		}
	}
	if t := f.tasks[id]; t == nil || t.unknown {
		return Task{}, &QueryError{Class: ClassNotFound, Err: errors.New("no such task")}
	}
	return f.state(id, time.Now()), nil
}

// listed is a fleet that is a Lister.
type listed struct{ *fleet }

func (f listed) List(ctx context.Context, b ListRequest) (tasks []Task, next string, err error) {
	n := 0
	if err := f.arrive(ctx, func() { f.pages++; n = f.pages }); err != nil {
		return nil, "", err
	}
	if f.page != nil {
		if err := f.page(n); err != nil {
			return nil, "", err
		}
	}
	from, _ := strconv.Atoi(b.Page)
	to := min(from+f.size, len(f.order))
	for _, id := range f.order[from:to] {
		if t := f.tasks[id]; !t.unlisted && !t.unknown {
			tasks = append(tasks, f.state(id, time.Now()))
		}
	}
	if to < len(f.order) {
		next = strconv.Itoa(to)
	}
	return tasks, next, nil
}

// gather collects the results by id, and how late each came.
func (f *fleet) gather(
	t *testing.T,
	w *Waiter,
	ids []string,
	opts ...Option,
) (got map[string]error, delay time.Duration) {
	t.Helper()
	got = map[string]error{}
	for task, err := range w.WaitForTasks(t.Context(), ids, opts...) {
		if _, twice := got[task.ID]; twice {
			t.Errorf("%s came twice", task.ID)
		}
		got[task.ID] = err
		if s := f.tasks[task.ID]; s != nil {
			delay += time.Since(s.ends) / time.Duration(len(ids))
		}
	}
	if want := len(ids); len(got) != want {
		t.Errorf("%d results, want %d", len(got), want)
	}
	return got, delay
}

func succeeded(t *testing.T, got map[string]error) {
	t.Helper()
	for _, id := range slices.Sorted(maps.Keys(got)) {
		if got[id] != nil {
			t.Errorf("%s: %v", id, got[id])
		}
	}
}

// source is f with a list or without one.
func (f *fleet) source() Source {
	if f.size > 0 {
		return listed{f}
	}
	return f
}
