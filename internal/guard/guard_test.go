package guard

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestRun(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name string
		f    func()
		want error // is among what done is given
		text string
	}{
		{"returns", func() {}, nil, ""},
		{"panics with an error", func() { panic(boom) }, boom, "taskwait: panic in a Source: boom\n\ngoroutine"},
		{"panics with a string", func() { panic("no error") }, nil, "taskwait: panic in a Source: no error\n\ngoroutine"},
		{"ends its goroutine", runtime.Goexit, ErrGoexit, "the Source ended its goroutine with runtime.Goexit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got error
			calls := 0
			var wg sync.WaitGroup
			wg.Go(func() { Run(tt.f, func(err error) { got = err; calls++ }) })
			wg.Wait()
			if calls != 1 || tt.want != nil && !errors.Is(got, tt.want) {
				t.Errorf("got %v in %d calls of done, want %v in one", got, calls, tt.want)
			}
			switch {
			case tt.text == "" && got != nil:
				t.Errorf("got %v, want nil", got)
			case tt.text != "" && !strings.HasPrefix(got.Error(), tt.text):
				t.Errorf("got %q, want it to begin with %q", got, tt.text)
			}
		})
	}
}

type key struct{}

func TestCall(t *testing.T) {
	base, end := context.WithCancel(context.WithValue(context.Background(), key{}, "value"))
	end()
	tests := []struct {
		name      string
		before    func(*Call) // before it runs
		during    func(*Call)
		ran, late bool
		left      int64 // abandoned calls while f runs
	}{
		{name: "returns", ran: true},
		{name: "cancelled", during: (*Call).Cancel, ran: true},
		{name: "abandoned before it runs", before: func(c *Call) { c.Abandon() }, late: true},
		{name: "abandoned while it runs", during: func(c *Call) { c.Abandon() }, ran: true, late: true, left: 1},
		{name: "abandoned twice", during: func(c *Call) { c.Abandon(); c.Abandon() }, ran: true, late: true, left: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c Call
			var counter atomic.Int64
			c.Begin(base, &counter)
			if tt.before != nil {
				tt.before(&c)
			}
			ran, done, late := false, 0, false
			c.Run(func(ctx context.Context) {
				ran = true
				if ctx.Err() != nil || ctx.Value(key{}) != "value" {
					t.Errorf("got a context with error %v and value %v, want one that has not ended, and the values of base", ctx.Err(), ctx.Value(key{}))
				}
				if tt.during != nil {
					tt.during(&c)
					if ctx.Err() == nil {
						t.Error("got a context that goes on, want one that was cancelled")
					}
				}
				if got := counter.Load(); got != tt.left {
					t.Errorf("got %d abandoned calls, want %d", got, tt.left)
				}
			}, func(err error, l bool) {
				done++
				if late = l; err != nil {
					t.Errorf("got %v, want nil", err)
				}
			})
			if ran != tt.ran || done != 1 || late != tt.late || counter.Load() != 0 {
				t.Errorf("got ran %v, done %d times, late %v, %d abandoned; want %v, once, %v, 0", ran, done, late, counter.Load(), tt.ran, tt.late)
			}
			if c.Abandon() || counter.Load() != 0 {
				t.Error("got a call abandoned after it has returned, want false and nothing counted")
			}
		})
	}
}

// TestCallAgain makes sure that a call which returned can be used again without an allocation.
func TestCallAgain(t *testing.T) {
	var c Call
	var counter atomic.Int64
	base := context.Background()
	f, done := func(context.Context) {}, func(error, bool) {}
	if got := testing.AllocsPerRun(100, func() { c.Begin(base, &counter); c.Run(f, done) }); got != 0 {
		t.Errorf("got %v allocations for each call, want 0", got)
	}
}
