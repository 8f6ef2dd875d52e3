package taskwait_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
)

// secret must be seen nowhere.
const secret = "hunter2-hunter2"

// inMotion makes a wait, in virtual time, to which answers were given.
func inMotion(
	t *testing.T, id string, opts []taskwait.Option, answers ...func() (taskwait.Task, error),
) *taskwait.Wait {
	t.Helper()
	n := 0
	w := newWaiter(t, taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
		a := answers[n]
		n++
		task, err := a()
		task.Raw = &struct{ Password string }{secret}
		return task, err
	}), append([]taskwait.Option{every(10 * time.Second)}, opts...)...)
	wait := &taskwait.Wait{ID: id}
	for range answers {
		p, err := w.Poll(t.Context(), wait)
		if err != nil && !p.Done {
			t.Fatal(err)
		}
		time.Sleep(p.Next)
	}
	return wait
}

func stillRuns() (taskwait.Task, error) {
	return taskwait.Task{Status: taskwait.StatusExecuting, Kind: "bindInstancePublicIp", CreatedAt: time.Now()}, nil
}

func failsWith(err error) func() (taskwait.Task, error) {
	return func() (taskwait.Task, error) { return taskwait.Task{}, err }
}

func is(status taskwait.Status) func() (taskwait.Task, error) {
	return func() (taskwait.Task, error) {
		task, err := stillRuns()
		task.Status, task.FailureCode, task.FailureReason = status, "DMS.00500000", "out of disk"
		if status.Succeeded() {
			task.FailureCode, task.FailureReason = "", ""
		}
		return task, err
	}
}

const ordinaryID = "8abfa7b37d2a4a3b017d2a5f4e6c0012"

// golden are the stored waits of each release, by file.
var golden = []struct {
	file string
	make func(*testing.T) *taskwait.Wait
	want string // of the Task
}{
	{"fresh", func(*testing.T) *taskwait.Wait { return &taskwait.Wait{ID: ordinaryID} }, "no status"},
	{"running", func(t *testing.T) *taskwait.Wait {
		return inMotion(t, ordinaryID, []taskwait.Option{taskwait.WithStalePhase("RUNNING")}, stillRuns, stillRuns, stillRuns)
	}, "EXECUTING (bindInstancePublicIp)"},
	{"in-trouble", func(t *testing.T) *taskwait.Wait {
		return inMotion(t, ordinaryID, nil, stillRuns, failsWith(taskwait.NotFound(nil)), failsWith(unavailable()),
			failsWith(unavailable()))
	}, "EXECUTING (bindInstancePublicIp)"},
	{"finished", func(t *testing.T) *taskwait.Wait {
		return inMotion(t, ordinaryID, nil, stillRuns, is(taskwait.StatusFailed))
	}, "FAILED (bindInstancePublicIp), DMS.00500000 out of disk"},
	{"unconfirmed", func(t *testing.T) *taskwait.Wait {
		opts := []taskwait.Option{confirmations(5), taskwait.WithTimeout(15 * time.Second)}
		return inMotion(t, ordinaryID, opts, stillRuns, is(taskwait.StatusSuccess), is(taskwait.StatusSuccess))
	}, "SUCCESS, unconfirmed (bindInstancePublicIp)"},
}

// TestStoredForEver: what a release has stored is read by all later ones. Today it is stored byte for byte the same.
func TestStoredForEver(t *testing.T) {
	for _, g := range golden {
		virtually(t, g.file, func(t *testing.T) {
			got := inJSON(t, g.make(t)) + "\n"
			b, err := os.ReadFile(filepath.Join("testdata", "wait-v1-"+g.file+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if got != string(b) {
				t.Errorf("got\n%swant\n%s", got, b)
			}
			wait := &taskwait.Wait{}
			if err := json.Unmarshal(b, wait); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("wait for task %q: %s", ordinaryID, g.want)
			if wait.String() != want {
				t.Errorf("got %s, want %s", wait, want)
			}
			if again := inJSON(t, wait) + "\n"; again != string(b) {
				t.Errorf("read and stored again: got\n%swant\n%s", again, b)
			}
		})
	}
}

// TestNotAStoredWait: what cannot be is an error, which says what is wrong, and leaves the Wait as it was.
func TestNotAStoredWait(t *testing.T) {
	const not, cannot = "taskwait: not a stored wait: ", `taskwait: the stored wait for "a" is impossible: `
	const at = `"at":"2026-11-28T10:00:00Z"`
	begun := func(more string) string {
		return `{"v":1,"id":"a",` + at + `,"began":0,"planned":0,"started":0` + more + `}`
	}
	const seen = `,"changed":0,"task":{"status":"EXECUTING"}`
	for _, tt := range []struct{ name, json, want string }{
		{"null", `null`, not + "it has no version"},
		{"empty text", `""`, not + "json: cannot unmarshal string into Go value of type taskwait.storedHead"},
		{"list", `[]`, ""},
		{"number", `7`, ""},
		{"nothing in it", `{}`, not + "it has no version"},
		{"no version", `{"id":"a"}`, not + "it has no version"},
		{"a negative version", `{"v":-1,"id":"a"}`, not + "it has no version"},
		{"a later version", `{"v":2,"id":"a","new":7}`, not +
			"version 2, want at most 1: a later version of this library has written it"},
		{"a version in words", `{"v":"1"}`, ""},
		{"a field that is unknown", `{"v":1,"id":"a","new":7}`, not + `json: unknown field "new"`},
		{"an id that is a number", `{"v":1,"id":7}`, ""},
		{"a wrong type", begun(`,"polls":"7"`), ""},
		{"a fraction", begun(`,"polls":1.5`), ""},
		{"too great a number", begun(`,"polls":99999999999`), ""},
		{"no time", `{"v":1,"id":"a","polls":7}`, cannot + "it does not say when it was stored"},
		{"no begin", `{"v":1,"id":"a",` + at + `}`, cannot + "it does not say when it began"},
		{"no begin of the task", `{"v":1,"id":"a",` + at + `,"began":0}`, cannot + "it does not say when it began"},
		{"no plan", `{"v":1,"id":"a",` + at + `,"began":0,"started":0}`, cannot +
			"planned: it does not say when the next poll is due"},
		{"a plan in two hundred years", `{"v":1,"id":"a",` + at + `,"began":0,"started":0,"planned":-6307200000000000000}`,
			cannot + "planned: it does not say when the next poll is due"},
		{"stored before computers", `{"v":1,"id":"a","at":"0001-01-01T00:00:00Z","began":0,"planned":0,"started":0}`,
			cannot + "at: year 1"},
		{"stored in the far future", `{"v":1,"id":"a","at":"9999-01-01T00:00:00Z","began":0,"planned":0,"started":0}`,
			cannot + "at: year 9999"},
		{"stored at no time", `{"v":1,"id":"a","at":"yesterday","began":0,"planned":0,"started":0}`, ""},
		{"began after it was stored", `{"v":1,"id":"a",` + at + `,"began":-2000000000,"planned":0,"started":0}`,
			cannot + "began: -2s before it was stored"},
		{"began before computers", `{"v":1,"id":"a",` + at + `,"began":6307200000000000000,"planned":0,"started":0}`,
			cannot + "began: 1752000h0m0s before it was stored"},
		{"passed in the future", begun(`,"passed":-3600000000000`), cannot + "passed: -1h0m0s before it was stored"},
		{"ran in the future", begun(`,"ran":-3600000000000`), cannot + "ran: -1h0m0s before it was stored"},
		{"changed in the future", begun(`,"changed":-3600000000000`), cannot + "changed: -1h0m0s before it was stored"},
		{"a run without a begin", begun(`,"erring":{"n":3}`), cannot + "erring: since when, and how often: 3"},
		{"a run of none", begun(`,"refused":{"since":0,"n":0}`), cannot + "refused: since when, and how often: 0"},
		{"a run of too many", begun(`,"notFound":{"since":0,"n":3000000000}`), ""},
		{"a run in the future", begun(`,"erring":{"since":-3600000000000,"n":3}`), cannot +
			"erring: -1h0m0s before it was stored"},
		{"negative step", begun(`,"step":-1`), cannot + "step: -1"},
		{"negative polls", begun(`,"polls":-1`), cannot + "polls: -1"},
		{"negative errors", begun(`,"errors":-1`), cannot + "errors: -1"},
		{"negative failing", begun(`,"failing":-1`), cannot + "failing: -1"},
		{"negative success", begun(`,"success":-1`), cannot + "success: -1"},
		{"a task and not when", begun(`,"task":{"status":"EXECUTING"}`), cannot +
			"the task, or when it was seen, is missing"},
		{"when, and no task", begun(`,"changed":0`), cannot + "the task, or when it was seen, is missing"},
		{"over, and no task", begun(`,"over":true`), cannot + "it has seen the task, and does not say what"},
		{"running, and no task", begun(`,"running":0`), cannot + "it has seen the task, and does not say what"},
		{"over, and it runs", begun(seen + `,"over":true`), cannot + `the task is over, and its status is "EXECUTING"`},
		{"successes, and it runs", begun(seen + `,"success":2`), cannot +
			`the task has succeeded, and its status is "EXECUTING"`},
		{"details of no time", begun(seen + `,"details":{"percent":7}`), cannot + "details: since when, and 0s left"},
		{"details in the future", begun(seen + `,"details":{"at":-3600000000000}`), cannot +
			"details: -1h0m0s before it was stored"},
		{"negative time left", begun(seen + `,"details":{"at":0,"left":-1}`), cannot + "details: since when, and -1ns left"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wait := &taskwait.Wait{ID: "before"}
			err := wait.UnmarshalJSON([]byte(tt.json))
			if err == nil || tt.want != "" && err.Error() != tt.want || !strings.HasPrefix(err.Error(), "taskwait: ") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if got := inJSON(t, wait); got != `{"v":1,"id":"before"}` {
				t.Errorf("got the Wait %s, want it as it was", got)
			}
		})
	}
	for _, tt := range []struct{ name, json string }{
		{"it has not begun", `{"v":1,"id":"a"}`},
		{"it has", begun("")},
		{"it runs", begun(seen)},
		{"white space", " \n" + begun("") + "\t\n"},
	} {
		if err := json.Unmarshal([]byte(tt.json), &taskwait.Wait{}); err != nil {
			t.Errorf("%s: got %v, want a Wait", tt.name, err)
		}
	}
	for _, more := range []string{`{}`, `1`, `x`, `}`, `,`, begun("")} {
		if err := (&taskwait.Wait{}).UnmarshalJSON([]byte(begun("") + more)); err == nil {
			t.Errorf("got no error with %s behind it", more)
		}
	}
}

// TestCutJSON: JSON that was cut anywhere is an error.
func TestCutJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, g := range golden {
			whole := inJSON(t, g.make(t))
			for n := range len(whole) {
				wait := &taskwait.Wait{ID: "before"}
				if err := wait.UnmarshalJSON([]byte(whole[:n])); err == nil || wait.ID != "before" {
					t.Errorf("%s, cut after %d bytes: got %v, want an error", g.file, n, wait)
				}
			}
		}
	})
}

// TestStoredSize: a stored wait is short, also where all that came from outside is hostile.
func TestStoredSize(t *testing.T) {
	hostile := []string{
		strings.Repeat(`"`, 5000), strings.Repeat(`\`, 5000), strings.Repeat("\x00\x1b\r\n", 5000),
		strings.Repeat("\xff", 5000),
		strings.Repeat("🤷‍♀️", 5000), strings.Repeat("<&>", 5000), strings.Repeat("\u2028", 5000), strings.Repeat("é", 5000),
	}
	synctest.Test(t, func(t *testing.T) {
		longest := ""
		for _, g := range golden {
			if s := inJSON(t, g.make(t)); len(s) > len(longest) {
				longest = s
			}
		}
		t.Logf("%d bytes, the longest of the ordinary ones: %s", len(longest), longest)
		if len(longest) > 600 {
			t.Errorf("got %d bytes for an ordinary one, want at most 600", len(longest))
		}
		for _, text := range hostile {
			for id, most := range map[string]int{
				strings.Repeat("i", 256): 1500, strings.Repeat("🤷", 64): 1500, strings.Repeat(`"`, 256): 1500 + 256,
			} {
				wait := hostileWait(t, id, text)
				s := inJSON(t, wait)
				if len(s) > most {
					t.Errorf("got %d bytes, want at most %d: %s", len(s), most, s)
				}
				back := throughJSON(t, wait)
				if got := inJSON(t, back); got != s || back.ID != id {
					t.Errorf("got\n%s, want\n%s", got, s)
				}
			}
		}
	})
}

// hostileWait is a wait of which all is stored that there can be, and where a text is everywhere.
func hostileWait(t *testing.T, id, text string) *taskwait.Wait {
	t.Helper()
	percent := 1 << 30
	task := taskwait.Task{
		Status: taskwait.Status(text), Kind: text, Phase: text, FailureCode: text, FailureReason: text, Percent: &percent,
		CreatedAt: time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC),
		UpdatedAt: time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	}
	refusal := &taskwait.QueryError{Class: taskwait.ClassPermanent, StatusCode: 403, Err: errors.New("no permission")}
	n := 0
	src := &detailed{clock: newClock(func(time.Duration) (taskwait.Task, error) {
		n++
		return task, []error{nil, taskwait.NotFound(nil), refusal, unavailable(), unavailable()}[n-1]
	}), details: func(time.Duration) (taskwait.Task, error) {
		return taskwait.Task{Percent: &percent, Remaining: 1e17 + 1, Steps: []taskwait.Step{{Name: text}}}, nil
	}}
	src.takes = 123456789
	w := newWaiter(t, src, every(10*time.Second), taskwait.WithStalePhase("RUNNING"))
	wait := &taskwait.Wait{ID: id}
	for range 5 {
		time.Sleep(poll(t, w, wait).Next)
	}
	return wait
}

// TestStoredTimes: times that a service can report break no JSON.
func TestStoredTimes(t *testing.T) {
	east, west := time.FixedZone("", 14*3600), time.FixedZone("", -12*3600)
	for _, at := range []time.Time{
		time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 1, east),
		time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Unix(0, 0), time.Date(9999, 12, 31, 23, 0, 0, 0, west), time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Unix(1<<60, 0),
	} {
		virtually(t, fmt.Sprint(at.Year()), func(t *testing.T) {
			wait := inMotion(t, "id", nil, func() (taskwait.Task, error) {
				return taskwait.Task{Status: taskwait.StatusExecuting, CreatedAt: at, UpdatedAt: at}, nil
			})
			s := inJSON(t, wait)
			if got := inJSON(t, throughJSON(t, wait)); got != s {
				t.Errorf("got\n%s, want\n%s", got, s)
			}
		})
	}
	virtually(t, "a pause of two hundred years", func(t *testing.T) {
		w := newWaiter(t, newClock(becomes(taskwait.StatusSuccess, time.Hour)), every(200*365*24*time.Hour))
		wait := &taskwait.Wait{ID: "id"}
		poll(t, w, wait)
		throughJSON(t, wait)
	})
}

// TestNoSecretIsStored: nothing of Raw is in a Wait, however it is written.
func TestNoSecretIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, g := range golden {
			wait := g.make(t)
			holder := struct {
				Wait    taskwait.Wait
				Pointer *taskwait.Wait
			}{*wait, wait}
			var all strings.Builder
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T", "%p"} {
				fmt.Fprintf(&all, verb+" "+verb+" "+verb+"\n", wait, *wait, holder)
			}
			b, err := json.Marshal(holder)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(b)
			if strings.Contains(all.String(), secret) || strings.Contains(all.String(), fmt.Sprintf("%x", secret)) {
				t.Errorf("%s: got the secret in %s", g.file, all.String())
			}
			if wait.Task().Raw != nil {
				t.Errorf("%s: got Raw in the Task, want none", g.file)
			}
		}
	})
}

// TestWaitAsAValue: a Wait that stands in a struct as a value is stored and printed as one behind a pointer is.
func TestWaitAsAValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wait := golden[1].make(t)
		b, err := json.Marshal(struct{ Wait taskwait.Wait }{*wait})
		if want := `{"Wait":` + inJSON(t, wait) + `}`; err != nil || string(b) != want {
			t.Errorf("got %s, %v, want %s", b, err, want)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
			if got, want := fmt.Sprintf(verb, *wait), wait.String(); got != want {
				t.Errorf("%s: got %s, want %s", verb, got, want)
			}
		}
	})
}

// TestStoredID: an id that JSON cannot hold is not stored as another one.
func TestStoredID(t *testing.T) {
	b, err := json.Marshal(&taskwait.Wait{ID: "a\xff"})
	const want = `taskwait: the wait for "a\xff" cannot be stored: its id is not UTF-8`
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %s, %v, want %s", b, err, want)
	}
}

// TestClockStepsBack: a clock that has stepped back since a wait was stored lengthens none of its bounds.
func TestClockStepsBack(t *testing.T) {
	for _, by := range []time.Duration{time.Minute, time.Hour, 24 * time.Hour} {
		for _, e := range endings {
			virtually(t, fmt.Sprint(e.name, " ", by), func(t *testing.T) {
				src := newClock(e.answer)
				w := newWaiter(t, src, append(e.opts, every(10*time.Second))...)
				wait := &taskwait.Wait{ID: "id"}
				for range 5 {
					time.Sleep(poll(t, w, wait).Next)
				}
				poll(t, w, wait)
				var fields map[string]json.RawMessage
				if err := json.Unmarshal([]byte(inJSON(t, wait)), &fields); err != nil {
					t.Fatal(err)
				}
				var at time.Time
				if err := json.Unmarshal(fields["at"], &at); err != nil {
					t.Fatal(err)
				}
				fields["at"], _ = json.Marshal(at.Add(by))
				b, _ := json.Marshal(fields)
				wait = &taskwait.Wait{}
				if err := json.Unmarshal(b, wait); err != nil {
					t.Fatal(err)
				}
				_, err := w.Resume(t.Context(), wait)
				if took := time.Since(src.start); !errors.Is(err, e.want) || took > e.at+time.Second {
					t.Errorf("got %v after %v, want %v after %v", err, took, e.want, e.at)
				}
			})
		}
	}
}

// FuzzWaitJSON reads anything. What is accepted is stored as the same for ever, and Poll says nothing of it that it
// does not say itself.
func FuzzWaitJSON(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "wait-v*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("got the files %v, %v, want some", files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"v":1,"id":"a","at":"2026-11-28T10:00:00Z","began":0,"planned":0,"started":0}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		wait := &taskwait.Wait{}
		if err := wait.UnmarshalJSON(b); err != nil {
			return
		}
		first, err := json.Marshal(wait)
		if err != nil {
			t.Fatalf("%s was read and cannot be stored: %v", b, err)
		}
		back := throughJSON(t, wait)
		if again := inJSON(t, back); again != string(first) {
			t.Fatalf("got\n%s, want\n%s", again, first)
		}
		stored := back.Task().Status
		w, err := taskwait.New(taskwait.SourceFunc(func(context.Context, string) (taskwait.Task, error) {
			return taskwait.Task{Status: taskwait.StatusExecuting}, nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		p, err := w.Poll(t.Context(), back)
		said := errors.Is(err, taskwait.ErrTaskFailed) || errors.Is(err, taskwait.ErrTaskDeleted) ||
			errors.Is(err, taskwait.ErrTaskCancelled) || p.Done && err == nil
		if said && (!stored.Terminal() || stored.Succeeded() != (err == nil)) {
			t.Fatalf("%s: got %v and %v of %q", b, p.Task, err, stored)
		}
		inJSON(t, back)
		throughJSON(t, back)
	})
}
