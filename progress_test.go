package taskwait

import (
	"reflect"
	"testing"
	"time"
)

// TestSlowOrPanickingCallback: a slow callback uses up the pause; its panic is raised by the wait.
func TestSlowOrPanickingCallback(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		c := script(repeat(2, running, success)...)
		slow := WithProgress(func(p Progress) {
			if p.Polls == 1 {
				time.Sleep(3 * time.Second)
			} else if p.Polls == 2 {
				time.Sleep(10 * time.Second)
			}
		})
		_, err, _ := d.waitFor(t.Context(), newWaiter(t, c, every(4*time.Second), slow))
		if want := []float64{0, 4, 14}; err != nil || !reflect.DeepEqual(c.seconds(), want) {
			t.Errorf("%v, asked at %v s, want %v s: a slow callback uses up the pause", err, c.seconds(), want)
		}
		defer func() {
			if v := recover(); v != "boom" {
				t.Errorf("raised %v, want the callback's own panic on this goroutine", v)
			}
		}()
		_, _, _ = d.waitFor(t.Context(), newWaiter(t, script(running)), WithProgress(func(Progress) { panic("boom") }))
	})
}

// TestCallbacksInOrder: the callback is called in order, and never after the return.
func TestCallbacksInOrder(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		returned := false
		var polls []int
		last := Progress{}
		_, err, _ := d.waitFor(
			cancelAfter(t, 10500*time.Millisecond, nil),
			newWaiter(t, &cloud{answers: []answer{running}, latency: time.Second}, every(4*time.Second)),
			WithProgress(func(p Progress) {
				if returned {
					t.Error("called after the return")
				}
				polls, last = append(polls, p.Polls), p
			}),
		)
		returned = true
		if want := []int{1, 2, 3}; !reflect.DeepEqual(polls, want) || !last.Done || last.Outcome != err {
			t.Errorf(
				"polls told = %v, last %v %v; want %v, the last with the outcome %v",
				polls,
				last.Done,
				last.Outcome,
				want,
				err,
			)
		}
		time.Sleep(time.Hour)
	})
}
