package taskwait_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
)

// observation is what an observer has heard of one wait.
type observation struct {
	id    string // that it was called with
	heard []taskwait.Progress
}

// observers make an observer that puts the observation into the context, and keeps it.
type observers struct{ all []*observation }

type earsKey struct{}

func (e *observers) observe(ctx context.Context, id string) (context.Context, func(taskwait.Progress)) {
	o := &observation{id: id}
	e.all = append(e.all, o)
	return context.WithValue(ctx, earsKey{}, o), func(p taskwait.Progress) { o.heard = append(o.heard, p) }
}

// of is the observation in a context; nil: there is none.
func of(ctx context.Context) *observation {
	o, _ := ctx.Value(earsKey{}).(*observation)
	return o
}

// observedIn notes whose values each query has, as the ids of their observations, and answers.
func observedIn(queries *[]string, answer answers) taskwait.SourceFunc {
	return func(ctx context.Context, id string) (taskwait.Task, error) {
		name := "none"
		if o := of(ctx); o != nil {
			name = "of " + o.id
		}
		*queries = append(*queries, name)
		t, err := answer(ctx, len(*queries))
		t.ID = id
		return t, err
	}
}

// TestObserver: whatever the method, the observer is told what the callback does, before it, and its values reach each
// query.
func TestObserver(t *testing.T) {
	resume := func(ctx context.Context, w *taskwait.Waiter, opts ...taskwait.Option) error {
		_, err := w.Resume(ctx, &taskwait.Wait{ID: "id"}, opts...)
		return err
	}
	all := append(slices.Clone(methods), struct {
		name string
		wait func(ctx context.Context, w *taskwait.Waiter, opts ...taskwait.Option) error
	}{"Resume", resume})
	for _, m := range all {
		t.Run(m.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var e observers
				var queries []string
				src := observedIn(&queries, statusesOf(taskwait.StatusCreated, taskwait.StatusExecuting, taskwait.StatusSuccess))
				w, err := taskwait.New(src, taskwait.WithObserver(e.observe))
				if err != nil {
					t.Fatal(err)
				}
				told := 0
				err = m.wait(t.Context(), w, taskwait.WithProgress(func(p taskwait.Progress) {
					told++
					heard := e.all[0].heard
					if len(heard) != told || fmt.Sprint(heard[told-1]) != fmt.Sprint(p) {
						t.Errorf("the callback's %d-th call: got %v; the observer has heard %d, want the same", told, p, len(heard))
					}
				}))
				if err != nil || len(e.all) != 1 || len(queries) != 3 {
					t.Fatalf("got %v, %d observations, %d queries; want nil, 1, 3", err, len(e.all), len(queries))
				}
				o := e.all[0]
				for _, q := range queries {
					if q != "of "+o.id {
						t.Errorf("got a query with the values %q, want those of the observation of %q", q, o.id)
					}
				}
				if len(o.heard) != told || told < 4 || !o.heard[told-1].Done {
					t.Errorf("the observer heard %d, the callback %d; want the same, at least 4, the last with Done",
						len(o.heard), told)
				}
			})
		})
	}
}

// TestObserverOfPoll: each call of Poll that makes a query is observed, and told of its end.
func TestObserverOfPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e observers
		var queries []string
		src := observedIn(&queries, statusesOf(taskwait.StatusExecuting, taskwait.StatusSuccess))
		w, err := taskwait.New(src, taskwait.WithObserver(e.observe))
		if err != nil {
			t.Fatal(err)
		}
		wait := &taskwait.Wait{ID: "id"}
		p, err := w.Poll(t.Context(), wait)
		if err != nil || p.Done {
			t.Fatalf("got %v, %v; want a wait that goes on", p, err)
		}
		stored, err := json.Marshal(wait)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Poll(t.Context(), wait); err != nil || len(e.all) != 1 { // too early
			t.Errorf("got %v and %d observations, want nil and 1", err, len(e.all))
		}
		heard := e.all[0].heard
		if len(heard) != 2 || heard[0].Interrupted || !heard[1].Interrupted || heard[1].Done || heard[1].Next != p.Next {
			t.Errorf("the observer heard %v; want the answer, then that Poll returns", heard)
		}
		if again, err := json.Marshal(wait); err != nil || string(again) != string(stored) {
			t.Errorf("got the Wait %s, %v; want %s", again, err, stored)
		}
		time.Sleep(p.Next)
		if p, err = w.Poll(t.Context(), wait); err != nil || !p.Done || len(e.all) != 2 {
			t.Fatalf("got %v, %v, %d observations; want the end, nil, 2", p, err, len(e.all))
		}
		if p, err = w.Poll(t.Context(), wait); err != nil || !p.Done || len(e.all) != 3 || len(e.all[2].heard) != 1 {
			t.Errorf("got %v, %v, %d observations; want the end again, told once", p, err, len(e.all))
		}
	})
}

// TestObserverIsToldWhenInterrupted: there is always a last call.
func TestObserverIsToldWhenInterrupted(t *testing.T) {
	running := func(_ context.Context, id string) (taskwait.Task, error) {
		if id == "done" {
			return taskwait.Task{Status: taskwait.StatusSuccess}, nil
		}
		return taskwait.Task{Status: taskwait.StatusExecuting, Raw: "secret"}, nil
	}
	tests := []struct {
		name string
		src  taskwait.SourceFunc
		wait func(ctx context.Context, w *taskwait.Waiter)
		want []string
	}{
		{"the loop is left", running, func(ctx context.Context, w *taskwait.Waiter) {
			for task, err := range w.WaitForTasks(ctx, []string{"a/b", "a/b", "done", "goes-on"}) {
				if task.ID == "a/b" && err != nil { // the first one that is invalid
					break
				}
			}
		}, []string{"done: interrupted", "goes-on: interrupted", "a/b: done"}},
		{"the loop is left later", running, func(ctx context.Context, w *taskwait.Waiter) {
			for task, err := range w.WaitForTasks(ctx, []string{"done", "goes-on", "done"}) {
				if task.ID == "done" && err == nil {
					break
				}
			}
		}, []string{"done: done", "goes-on: interrupted"}},
		{"the context ends", running, func(ctx context.Context, w *taskwait.Waiter) {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			_, _ = w.WaitForTask(ctx, "id")
		}, []string{"id: done"}},
		{"the Source panics", func(context.Context, string) (taskwait.Task, error) { panic("no") },
			func(ctx context.Context, w *taskwait.Waiter) {
				defer func() { _ = recover() }()
				_, _ = w.WaitForTask(ctx, "id")
			}, []string{"id: interrupted"}},
		{"an operation's Source panics", func(context.Context, string) (taskwait.Task, error) { panic("no") },
			func(ctx context.Context, w *taskwait.Waiter) {
				defer func() { _ = recover() }()
				_, _ = w.Do(ctx, operation("id"))
			}, []string{": interrupted"}},
		{"a bad id", running, func(ctx context.Context, w *taskwait.Waiter) { _, _ = w.WaitForTask(ctx, "a/b") }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var e observers
				w, err := taskwait.New(tt.src, taskwait.WithObserver(e.observe))
				if err != nil {
					t.Fatal(err)
				}
				tt.wait(t.Context(), w)
				var got []string
				for _, o := range e.all {
					for i, p := range o.heard {
						last := p.Done || p.Interrupted
						if last != (i == len(o.heard)-1) {
							t.Errorf("of %q the observer heard %v; want Done or Interrupted once, in the end", o.id, o.heard)
						}
						if p.Interrupted && p.Task.Raw != nil {
							t.Errorf("got Raw %v, want nil", p.Task.Raw)
						}
					}
					p := o.heard[len(o.heard)-1]
					got = append(got, o.id+": "+map[bool]string{true: "done", false: "interrupted"}[p.Done])
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				for p := range w.Waits() {
					t.Errorf("got %v among the waits, want none", p)
				}
			})
		})
	}
}

// TestObserverReturnsNothing: neither a context nor a function is needed, and the end of a context is not heeded.
func TestObserverReturnsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		for _, values := range []context.Context{nil, ended} {
			observer := func(context.Context, string) (context.Context, func(taskwait.Progress)) { return values, nil }
			var queries []string
			src := observedIn(&queries, statusesOf(taskwait.StatusExecuting, taskwait.StatusSuccess))
			w, err := taskwait.New(src, taskwait.WithObserver(observer))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.WaitForTask(t.Context(), "id"); err != nil || len(queries) != 2 {
				t.Errorf("got %v after %d queries, want nil after 2", err, len(queries))
			}
		}
	})
}

// pages is a Lister whose tasks run for 10 s, and which notes whose values its queries have.
type pages struct {
	began   time.Time
	queries map[string]int
}

func (p *pages) task(id string) taskwait.Task {
	status := taskwait.StatusExecuting
	if time.Since(p.began) >= 10*time.Second {
		status = taskwait.StatusSuccess
	}
	return taskwait.Task{ID: id, Status: status}
}

func (p *pages) Task(ctx context.Context, id string) (taskwait.Task, error) {
	p.queries["task of "+of(ctx).id]++
	return p.task(id), nil
}

func (p *pages) List(ctx context.Context, r taskwait.ListRequest) (tasks []taskwait.Task, next string, err error) {
	p.queries["list of "+of(ctx).id]++
	for _, id := range r.IDs {
		tasks = append(tasks, p.task(id))
	}
	return tasks, "", nil
}

func (p *pages) Details(ctx context.Context, t taskwait.Task) (taskwait.Task, error) {
	p.queries["details of "+of(ctx).id]++
	return t, nil
}

// TestObserverAndLists: a list has the values of one wait, and the others hear of which.
func TestObserverAndLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e observers
		src := &pages{began: time.Now(), queries: map[string]int{}}
		w, err := taskwait.New(src, taskwait.WithObserver(e.observe))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WaitForAll(t.Context(), []string{"a", "b", "c"}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.WaitForTask(t.Context(), "d"); err != nil {
			t.Fatal(err)
		}
		lists, others := 0, 0
		for _, id := range []string{"a", "b", "c"} {
			lists += src.queries["list of "+id]
		}
		for _, o := range e.all {
			for _, p := range o.heard {
				if by := of(p.Context()); by != nil && by != o {
					others++
				}
			}
		}
		if lists < 2 || others < lists {
			t.Errorf("got queries %v, and %d answers of other waits' queries; want lists with values, heard by two each",
				src.queries, others)
		}
		if got := src.queries["task of d"]; got != 1 {
			t.Errorf("got %d queries with the values of d, want 1: %v", got, src.queries)
		}
	})
}

// TestObserverOfDo: the values reach the operation's functions, and the operation's name is heard until there is its
// task.
func TestObserverOfDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e observers
		var calls []string
		called := func(ctx context.Context, name string) {
			if of(ctx) == nil {
				name += " without values"
			}
			calls = append(calls, name)
		}
		refused := false
		op := taskwait.Operation{
			Name: "resize", Kind: "resizeInstance",
			Before: func(ctx context.Context) (taskwait.Attempt, error) {
				called(ctx, "Before")
				return taskwait.Attempt{}, nil
			},
			Start: func(ctx context.Context, _ taskwait.Attempt) (string, error) {
				called(ctx, "Start")
				if !refused {
					refused = true
					return "", &taskwait.QueryError{Class: taskwait.ClassConflict, Err: errors.New("busy")}
				}
				return "", nil
			},
			Busy: func(ctx context.Context) (string, error) { called(ctx, "Busy"); return "", nil },
			Find: func(ctx context.Context, _ taskwait.Attempt) ([]taskwait.Task, error) {
				called(ctx, "Find")
				return []taskwait.Task{{ID: "id", Status: taskwait.StatusExecuting}}, nil
			},
		}
		var queries []string
		src := observedIn(&queries, statusesOf(taskwait.StatusExecuting, taskwait.StatusSuccess))
		w, err := taskwait.New(src, taskwait.WithObserver(e.observe))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Do(t.Context(), op); err != nil {
			t.Fatal(err)
		}
		want := []string{"Before", "Start", "Busy", "Before", "Start", "Find", "Find"}
		if !slices.Equal(calls, want) || !slices.Equal(queries, []string{"of ", "of "}) {
			t.Errorf("got calls %q and queries %q, want %q and two with values", calls, queries, want)
		}
		if len(e.all) != 1 {
			t.Fatalf("got %d observations, want 1", len(e.all))
		}
		for _, p := range e.all[0].heard {
			if (p.Task.ID == "") != (p.Operation == "resize") {
				t.Errorf("got task %q and operation %q, want one of them", p.Task.ID, p.Operation)
			}
		}
	})
}

// TestPermitAfter: an answer says how long its query waited for its permit.
func TestPermitAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := time.Now().Add(7 * time.Second)
		l := taskwait.NewLimiter(quotaFunc(func(ctx context.Context) error {
			time.Sleep(time.Until(gate))
			return ctx.Err()
		}))
		w, err := taskwait.New(taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
			return taskwait.Task{Status: taskwait.StatusSuccess}, nil
		}), taskwait.WithLimiter(l))
		if err != nil {
			t.Fatal(err)
		}
		var got []time.Duration
		_, err = w.WaitForTask(t.Context(), "id", taskwait.WithProgress(func(p taskwait.Progress) {
			got = append(got, p.PermitAfter)
		}))
		if want := []time.Duration{7 * time.Second, 0}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v; want nil, %v", err, got, want)
		}
	})
}

type quotaFunc func(context.Context) error

func (f quotaFunc) Wait(ctx context.Context) error { return f(ctx) }

// TestObserverPanics: what an observer or a callback panics with is raised by the call, which is no wait any more.
func TestObserverPanics(t *testing.T) {
	running := taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
		return taskwait.Task{Status: taskwait.StatusExecuting}, nil
	})
	bad := func(taskwait.Progress) { panic("no") }
	observers := []struct {
		name    string
		observe func(context.Context, string) (context.Context, func(taskwait.Progress))
	}{
		{"as a wait begins", func(context.Context, string) (context.Context, func(taskwait.Progress)) { panic("no") }},
		{"as it goes on", func(ctx context.Context, _ string) (context.Context, func(taskwait.Progress)) { return ctx, bad }},
	}
	for _, o := range observers {
		for _, m := range methods {
			t.Run(o.name+"/"+m.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, err := taskwait.New(running, taskwait.WithObserver(o.observe))
					if err != nil {
						t.Fatal(err)
					}
					defer func() {
						if got := recover(); got != "no" {
							t.Errorf("got the panic %v, want no", got)
						}
						for p := range w.Waits() {
							t.Errorf("got %v among the waits, want none", p)
						}
					}()
					err = m.wait(t.Context(), w)
					t.Errorf("got %v, want a panic", err)
				})
			})
		}
	}
}

// TestObserverOfOtherContext: values of a context that is not the wait's keep neither its end nor its cause away.
func TestObserverOfOtherContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other, stop := context.WithCancelCause(context.Background())
		stop(errors.New("another's cause"))
		for _, values := range []context.Context{context.Background(), other} {
			w, err := taskwait.New(taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
				return taskwait.Task{Status: taskwait.StatusExecuting}, nil
			}), taskwait.WithObserver(func(context.Context, string) (context.Context, func(taskwait.Progress)) {
				return values, nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range methods {
				ctx, cancel := context.WithCancelCause(t.Context())
				why := errors.New("why")
				go func() { synctest.Wait(); cancel(why) }()
				if err := m.wait(ctx, w); !errors.Is(err, why) || !errors.Is(err, context.Canceled) {
					t.Errorf("%s: got %v, want it to be %v", m.name, err, why)
				}
			}
		}
	})
}
