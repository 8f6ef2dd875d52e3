package poll

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskwait/taskwait/internal/guard"
	"github.com/taskwait/taskwait/internal/limiter"
)

// TestForeignFunctions reads the source, so that no foreign function can come to run under the lock. The rule: do and
// run hold no lock, and are called where none is held: by start with go, or by tick, once its step has ended. Poll,
// List and Classify are called by do alone, and LatePanic after Unlock. Nobody looks into an error, whose Is, As,
// Unwrap and Error are foreign too.
func TestForeignFunctions(t *testing.T) {
	got := map[string][]string{}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %v, %v, want the source", files, err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && !strings.HasSuffix(name, "_test.go") {
				noteCalls(f, got)
			}
		}
	}
	want := map[string][]string{
		".Poll":      {"do"},
		".List":      {"do"},
		".Classify":  {"do"},
		".LatePanic": {"stepAndKeepOne, after Unlock"},
		".do":        {"run"},
		".run":       {"begin", "tick, after its step"}, // begin makes start of it
		".start":     {"stepAndKeepOne, go", "stepAndUnlock, go"},
		".Is":        nil,
		".As":        nil,
		".AsType":    nil,
		".Unwrap":    nil,
		".Error":     nil,
	}
	for name := range want {
		slices.Sort(got[name])
		if !slices.Equal(got[name], want[name]) {
			t.Errorf("%s: got called by %q, want %q", name, got[name], want[name])
		}
	}
}

// noteCalls notes who calls what: f, and what is to be known of the place.
func noteCalls(f *ast.FuncDecl, into map[string][]string) {
	how := map[ast.Node]string{}
	unlocked := false
	ast.Inspect(f, func(n ast.Node) bool {
		if g, ok := n.(*ast.GoStmt); ok {
			how[g.Call] = ", go"
		}
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		name := called(call)
		if name == "p.mu.Unlock" {
			unlocked = true
		}
		by := f.Name.Name + how[call]
		switch short := name[strings.LastIndex(name, ".")+1:]; {
		case short == "LatePanic" && unlocked:
			by += ", after Unlock"
		case short == "run" && len(call.Args) == 1:
			if step, ok := call.Args[0].(*ast.CallExpr); ok && called(step) == "p.stepAndKeepOne" {
				by += ", after its step"
			}
		}
		if dot := strings.LastIndex(name, "."); dot >= 0 {
			into[name[dot:]] = append(into[name[dot:]], by)
		}
		return true
	})
}

// called is the name of what is called: "c.poller.cfg.Poll".
func called(c *ast.CallExpr) string {
	var name func(e ast.Expr) string
	name = func(e ast.Expr) string {
		switch e := e.(type) {
		case *ast.Ident:
			return e.Name
		case *ast.SelectorExpr:
			return name(e.X) + "." + e.Sel.Name
		}
		return "?"
	}
	return name(c.Fun)
}

// callsBack is an error of a Source that uses the Poller wherever somebody looks into it.
type callsBack struct{ use func(string) }

func (e *callsBack) Error() string { e.use("Error"); return "calls back" }
func (e *callsBack) Is(error) bool { e.use("Is"); return false }
func (e *callsBack) As(any) bool   { e.use("As"); return false }
func (e *callsBack) Unwrap() error { e.use("Unwrap"); return nil }

// TestCallsBack makes sure that foreign code can use the Poller whose it is: none runs under the lock.
func TestCallsBack(t *testing.T) {
	for _, withList := range []bool{false, true} {
		t.Run(fmt.Sprint("list ", withList), func(t *testing.T) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				callBack(withList)
			}()
			select {
			case <-done:
			case <-time.After(time.Minute):
				t.Fatal("got a deadlock")
			}
		})
	}
}

// callBack plays a Source that uses the Poller in every foreign function. It runs in real time: in a bubble, a
// goroutine that waits for a lock stops the clock, and the watchdog with it.
func callBack(withList bool) {
	var p *Poller[row]
	var abandoned atomic.Int64
	seen := make(chan string, 1000)
	var calls atomic.Int64
	use := func(where string) {
		defer func() {
			_ = recover() // its subscription may be given a panic of another call
			seen <- where
		}()
		ended, end := context.WithCancel(context.Background())
		s := p.Subscribe(ended, []string{"mine", "yours"}, Terms{First: time.Now().Add(time.Hour),
			End: time.Now().Add(2 * time.Hour)})
		end()
		s.Plan(0, time.Now().Add(time.Hour), time.Time{})
		defer s.Close()
		next(s, ended)
		s.Done(0)
	}
	answer := func() error {
		switch calls.Add(1) % 3 {
		case 1:
			return &callsBack{use}
		case 2:
			return &fault{Trouble{Throttled: true, After: time.Nanosecond}, "throttled"}
		}
		time.Sleep(time.Millisecond) // so that most panics come when the subscription was closed
		panic(&callsBack{use})
	}
	cfg := &Config[row]{
		Poll: func(context.Context, string) (row, error) { use("Poll"); return row{}, answer() },
		ID:   func(r *row) string { return r.id }, Terminal: func(r *row) bool { return r.v >= last },
		Classify: func(err error) Trouble {
			use("Classify")
			var none *callsBack
			return Trouble{ByContext: errors.Is(err, context.Canceled) && errors.As(err, &none)}
		},
		Limiter: limiter.New(quotaFunc(func(ctx context.Context) error {
			use("Wait")
			return ctx.Err()
		})),
		QueryTimeout: time.Hour, Abandoned: &abandoned,
		LatePanic: func(*guard.PanicError, any) { use("LatePanic") },
	}
	if withList {
		cfg.List = func(context.Context, ListRequest) ([]row, string, error) { use("List"); return nil, "", answer() }
	}
	p = New(*cfg)
	want := map[string]bool{"Poll": true, "Classify": true, "Wait": true, "LatePanic": true}
	if withList {
		want["List"] = true
	}
	for len(want) > 0 {
		sub := p.Subscribe(context.Background(), []string{"a", "b"}, Terms{First: time.Now(), Pause: time.Second})
		for range 2 {
			select {
			case where := <-seen:
				delete(want, where)
			case <-time.After(time.Second): // all has been called; the rest comes at Close
			}
		}
		sub.Close()
		for more := true; more; {
			select {
			case where := <-seen:
				delete(want, where)
			default:
				more = false
			}
		}
	}
	for abandoned.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
}
