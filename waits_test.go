package taskwait_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
)

// waitsOf are the waits of w, as texts.
func waitsOf(w *taskwait.Waiter) (all []string) {
	for p := range w.Waits() {
		s := fmt.Sprintf("%s%s %s, %d polls", p.Operation, p.Task.ID, p.Task.Status, p.Polls)
		if p.Err != nil {
			s += ", " + p.Err.Error()
		}
		if p.Next > 0 {
			s += fmt.Sprintf(", next in %v", p.Next)
		}
		all = append(all, s)
	}
	return all
}

// TestWaits: a wait is seen from its start until it has returned.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := statusesOf("", taskwait.StatusExecuting, "NEW", taskwait.StatusExecuting, taskwait.StatusSuccess)
		n := 0
		src := taskwait.SourceFunc(func(ctx context.Context, _ string) (taskwait.Task, error) {
			time.Sleep(time.Second)
			n++
			if n == 4 {
				return taskwait.Task{}, errors.New("reset")
			}
			return answer(ctx, n)
		})
		w, err := taskwait.New(src, taskwait.WithInterval(9*time.Second, 9*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		check := func(want ...string) {
			t.Helper()
			synctest.Wait()
			if got := waitsOf(w); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		check()
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			_, err := w.WaitForTask(t.Context(), "id", taskwait.WithProgress(func(p taskwait.Progress) {
				if p.Done {
					time.Sleep(time.Minute)
				}
			}))
			if err != nil {
				t.Error(err)
			}
		}()
		check("id , 0 polls")
		time.Sleep(2 * time.Second)
		check("id , 1 polls, an answer without a status, next in 8s")
		time.Sleep(10 * time.Second)
		check("id EXECUTING, 2 polls, next in 8s")
		time.Sleep(8500 * time.Millisecond)
		check("id EXECUTING, 2 polls")
		time.Sleep(1500 * time.Millisecond)
		check(`id NEW, 3 polls, unknown status "NEW", next in 8s`)
		time.Sleep(10 * time.Second)
		check("id NEW, 4 polls, reset, next in 8s")
		time.Sleep(10 * time.Second)
		check("id SUCCESS, 5 polls")
		<-returned
		check()
	})
}

// TestWaitsOfMany: of many tasks those are seen that have not ended, and the oldest call comes first.
func TestWaitsOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		src := taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
			status := taskwait.StatusExecuting
			if id == "short" && time.Since(began) > time.Second || time.Since(began) > time.Minute {
				status = taskwait.StatusSuccess
			}
			return taskwait.Task{Status: status, Raw: "secret"}, nil
		})
		w, err := taskwait.New(src, taskwait.WithInterval(9*time.Second, 9*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := w.WaitForAll(t.Context(), []string{"long", "short", "long"}); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		op := operation("made")
		op.Name, op.Start = "resize", func(context.Context, taskwait.Attempt) (string, error) {
			time.Sleep(10 * time.Second)
			return "made", nil
		}
		all.Go(func() {
			if _, err := w.Do(t.Context(), op); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Second)
		got, want := waitsOf(w), []string{
			"long EXECUTING, 1 polls, next in 8s", "short EXECUTING, 1 polls, next in 8s", "resize , 0 polls",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		time.Sleep(10 * time.Second)
		got, want = waitsOf(w), []string{
			"long EXECUTING, 2 polls, next in 7s", "made EXECUTING, 2 polls, next in 8s",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		for p := range w.Waits() {
			if p.Task.Raw != nil || p.Wait != nil || p.SeenAgo == 0 || p.Elapsed == 0 {
				t.Errorf("got %+v, want times, no Raw and no Wait", p)
			}
			break // leaving the loop is allowed
		}
		all.Wait()
		if got := waitsOf(w); got != nil {
			t.Errorf("got %q, want none", got)
		}
	})
}

// TestWaitsWhileWaiting: with calls that come and go, answers that come in, and callbacks that look, too, there is
// neither a race nor a deadlock, and each wait that is there is seen.
func TestWaitsWhileWaiting(t *testing.T) {
	var polls atomic.Int64
	src := taskwait.SourceFunc(func(_ context.Context, id string) (taskwait.Task, error) {
		if polls.Add(1)%7 == 0 {
			return taskwait.Task{Status: taskwait.StatusSuccess}, nil
		}
		return taskwait.Task{Kind: "k" + id, Status: taskwait.StatusExecuting}, nil
	})
	var w *taskwait.Waiter
	own := func(id string) taskwait.Option {
		return taskwait.WithProgress(func(taskwait.Progress) {
			for p := range w.Waits() {
				if p.Task.ID == id {
					return
				}
			}
			t.Errorf("the wait for %q does not see itself", id)
		})
	}
	w, err := taskwait.New(src, taskwait.WithInterval(time.Millisecond, time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for k := range 20 {
				id := strconv.Itoa(i) + "-" + strconv.Itoa(k)
				switch k % 4 {
				case 0:
					_, _ = w.WaitForTask(t.Context(), id, own(id))
				case 1:
					_, _ = w.WaitForAll(t.Context(), []string{id, id + "b"})
				case 2:
					_, _ = w.Do(t.Context(), operation(id))
				case 3:
					_, _ = w.Poll(t.Context(), &taskwait.Wait{ID: id}, own(id))
				}
			}
		})
	}
	all.Wait()
	if got := waitsOf(w); got != nil {
		t.Errorf("got %q, want none", got)
	}
}

// BenchmarkWaits is one look at 10,000 waits.
func BenchmarkWaits(b *testing.B) {
	const n = 10_000
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	src := taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
		return taskwait.Task{Status: taskwait.StatusExecuting}, nil
	})
	w, err := taskwait.New(src, taskwait.WithInterval(time.Hour, time.Hour))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	var asleep sync.WaitGroup
	asleep.Add(n)
	for _, id := range ids {
		all.Go(func() {
			_, _ = w.WaitForTask(ctx, id, taskwait.WithProgress(func(p taskwait.Progress) {
				if !p.Done {
					asleep.Done()
				}
			}))
		})
	}
	asleep.Wait()
	b.ReportAllocs()
	for b.Loop() {
		seen := 0
		for range w.Waits() {
			seen++
		}
		if seen != n {
			b.Fatalf("got %d waits, want %d", seen, n)
		}
	}
}
