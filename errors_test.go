package taskwait

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func named(status Status, name string) answer {
	a := seen(status)
	a.Value.Kind = name
	return a
}

// TestErrorTexts has one row for each way in which a wait can end without success, word for word.
func TestErrorTexts(t *testing.T) {
	running := named(StatusExecuting, "bindInstancePublicIp")
	unavailable := answer{
		Err: &QueryError{Code: "APIGW.0201", RequestID: "5b62", Err: errors.New("503 Service Unavailable: backend down")},
	}
	denied := &QueryError{
		Class: ClassPermanent, Code: "DMS.10240002", RequestID: "5b63", Err: errors.New("403 Forbidden: no permission"),
	}
	missing := answer{Err: &QueryError{Class: ClassNotFound, Err: errors.New("no task with this id")}}
	disk := named(StatusFailed, "resize")
	disk.Value.FailureCode, disk.Value.FailureReason = "DMS.1", "disk\nfull"
	tests := []struct {
		name  string
		cloud *cloud
		opts  []Option
		ctx   func(*testing.T) context.Context
		want  string
	}{
		{
			name: "failed", cloud: script(running, running, named(StatusFailed, "bindInstancePublicIp")),
			want: `taskwait: task "id": task failed after 10s: FAILED (bindInstancePublicIp), 3 polls`,
		},
		{
			name: "failed, and the service says why", cloud: script(disk),
			want: `taskwait: task "id": task failed after 0s: FAILED (resize): DMS.1 disk\nfull, 1 poll`,
		},
		{
			name: "deleted", cloud: script(seen(StatusDeleted)),
			want: `taskwait: task "id": task record deleted after 0s: DELETED, 1 poll`,
		},
		{
			name: "cancelled", cloud: script(seen(StatusCancelled)),
			want: `taskwait: task "id": task cancelled after 0s: CANCELLED, 1 poll`,
		},
		{
			name: "timed out", cloud: script(running), opts: []Option{WithTimeout(30 * time.Minute)},
			want: `taskwait: task "id": timed out after 30m0s: EXECUTING (bindInstancePublicIp, seen 0s ago), 361 polls`,
		},
		{
			name: "timed out, an error on the way", cloud: script(running, unavailable, running),
			opts: []Option{WithTimeout(9 * time.Second)},
			want: `taskwait: task "id": timed out after 9s: EXECUTING (bindInstancePublicIp, seen 0s ago), 3 polls, 1 error, ` +
				`last: 503 Service Unavailable: backend down (APIGW.0201, request id 5b62)`,
		},
		{
			name: "timed out, the final poll failed", cloud: script(running, running, answer{Err: denied}),
			opts: []Option{WithTimeout(9 * time.Second)},
			want: `taskwait: task "id": timed out after 9s: it is not known whether the task has finished, ` +
				`last seen EXECUTING (bindInstancePublicIp) 4s ago; since then 1 poll failed, 3 polls, 1 error, ` +
				`the final poll failed: 403 Forbidden: no permission (DMS.10240002, request id 5b63)`,
		},
		{
			name: "timed out, an unknown status", cloud: script(seen("PAU\x1bSED")), opts: []Option{WithTimeout(time.Second)},
			want: `taskwait: task "id": timed out after 1s: answered, in a status that is not known: ` +
				`"PAU\x1bSED" (seen 0s ago), 2 polls`,
		},
		{
			name: "the context was cancelled", cloud: script(running),
			ctx:  func(t *testing.T) context.Context { return cancelAfter(t, 1234567*time.Microsecond, nil) },
			want: `taskwait: task "id": context canceled after 1.235s: EXECUTING (bindInstancePublicIp, seen 1s ago), 1 poll`,
		},
		{
			name: "the context was cancelled, with a cause", cloud: script(running),
			ctx: func(t *testing.T) context.Context { return cancelAfter(t, 1*time.Second, errors.New("shutting down")) },
			want: `taskwait: task "id": context canceled (shutting down) after 1s: ` +
				`EXECUTING (bindInstancePublicIp, seen 1s ago), 1 poll`,
		},
		{
			name: "the context was dead", cloud: script(running), ctx: cancelled,
			want: `taskwait: task "id": context canceled after 0s: not polled yet, 0 polls`,
		},
		{
			name: "not found", cloud: script(missing),
			want: `taskwait: task "id": task not found after 1m0s: never seen, 13 polls, 13 errors, last: no task with this id`,
		},
		{
			name: "found, then not", cloud: script(running, missing),
			want: `taskwait: task "id": task not found after 1m5s: last seen EXECUTING (bindInstancePublicIp) 1m5s ago; ` +
				`since then 13 polls failed, 14 polls, 13 errors, last: no task with this id`,
		},
		{
			name: "another task's answer", cloud: script(answer{Value: Task{ID: "other", Status: StatusSuccess}}),
			opts: []Option{WithNotFoundGrace(0)},
			want: `taskwait: task "id": task not found after 5s: never seen, 2 polls, 2 errors, last: ` +
				`the service answered for another task, "other"`,
		},
		{
			name: "nothing but errors", cloud: script(unavailable), opts: []Option{WithErrorTolerance(0)},
			want: `taskwait: task "id": could not query after 10s: never answered, 3 polls, 3 errors, last: ` +
				`503 Service Unavailable: backend down (APIGW.0201, request id 5b62)`,
		},
		{
			name: "a text without end", cloud: script(answer{Err: errors.New(strings.Repeat("é", 1000))}),
			opts: []Option{WithErrorTolerance(0)},
			want: `taskwait: task "id": could not query after 10s: never answered, 3 polls, 3 errors, last: ` +
				strings.Repeat("é", 128) + `…`,
		},
		{
			name: "the schedule ended", cloud: script(running),
			opts: []Option{WithBackOff(func() backoff.BackOff { return &backoff.StopBackOff{} })},
			want: `taskwait: task "id": backoff said stop after 0s: EXECUTING (bindInstancePublicIp, seen 0s ago), 1 poll`,
		},
		{
			name:  "an id that the Source refuses",
			cloud: script(answer{Err: &QueryError{Class: ClassPermanent, Err: checkID("a b")}}),
			want: `taskwait: task "id": invalid id after 0s: never seen, 1 poll, 1 error, last: ` +
				`taskwait: invalid id: task id "a b" holds ' ' at byte 1, ` +
				`want none of / \ ? # % { } nor white space or what does not print`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.ctx != nil {
					ctx = tt.ctx(t)
				}
				_, err, _ := waitFor(ctx, newWaiter(t, tt.cloud, every(5*time.Second)), tt.opts...)
				if err == nil || err.Error() != tt.want {
					t.Errorf("error = %v\nwant    %s", err, tt.want)
				}
			})
		})
	}
	if got, want := (&WaitError{}).
		Error(), `taskwait: task "": stopped waiting after 0s: not polled yet, 0 polls`; got != want {
		t.Errorf("the zero WaitError says %s, want %s", got, want)
	}
}

func TestInvalidInput(t *testing.T) {
	asked := script(seen(StatusSuccess))
	w := newWaiter(t, asked)
	tests := []struct {
		name string
		id   string
		opts []Option
		want error
		text string
	}{
		{
			"timeout", "id", []Option{WithTimeout(-1)}, ErrInvalidOption,
			`taskwait: invalid option: WithTimeout -1ns, want at least 0s`,
		},
		{
			"run timeout", "id", []Option{WithRunTimeout(-1)}, ErrInvalidOption,
			`taskwait: invalid option: WithRunTimeout -1ns, want at least 0s`,
		},
		{
			"interval", "id", []Option{WithInterval(0, time.Second)}, ErrInvalidOption,
			`taskwait: invalid option: WithInterval: min 0s, want at least 1ms`,
		},
		{
			"interval, crossed", "id", []Option{WithInterval(2*time.Second, time.Second)}, ErrInvalidOption,
			`taskwait: invalid option: WithInterval: max 1s, want at least 2s`,
		},
		{
			"initial delay", "id", []Option{WithInitialDelay(-time.Second)}, ErrInvalidOption,
			`taskwait: invalid option: WithInitialDelay -1s, want at least 0s`,
		},
		{
			"query timeout", "id", []Option{WithQueryTimeout(0)}, ErrInvalidOption,
			`taskwait: invalid option: WithQueryTimeout 0s, want at least 1ms`,
		},
		{
			"tolerance", "id", []Option{WithErrorTolerance(-1)}, ErrInvalidOption,
			`taskwait: invalid option: WithErrorTolerance -1ns, want at least 0s`,
		},
		{
			"grace", "id", []Option{WithNotFoundGrace(-1)}, ErrInvalidOption,
			`taskwait: invalid option: WithNotFoundGrace -1ns, want at least 0s`,
		},
		{
			"nil option", "id", []Option{WithTimeout(1), nil}, ErrInvalidOption,
			`taskwait: invalid option: option 2 of 2 is nil`,
		},
		{
			"zero logger", "id", []Option{WithLogger(&zap.Logger{})}, ErrInvalidOption,
			`taskwait: invalid option: WithLogger: a zero zap.Logger, want one made by zap.New`,
		},
		{
			"nil BackOff", "id", []Option{WithBackOff(func() backoff.BackOff { return nil })}, ErrInvalidOption,
			`taskwait: invalid option: WithBackOff: the function returned nil`,
		},
		{"empty", "", nil, ErrInvalidID, `taskwait: invalid id: task id "" is empty`},
		{
			"long", strings.Repeat("a", 257), nil, ErrInvalidID,
			`taskwait: invalid id: task id "` + strings.Repeat("a", 256) + `…" has 257 bytes, want at most 256`,
		},
		{"dot", ".", nil, ErrInvalidID, `taskwait: invalid id: task id "." would walk the path`},
		{"dots", "..", nil, ErrInvalidID, `taskwait: invalid id: task id ".." would walk the path`},
		{"no UTF-8", "a\xff", nil, ErrInvalidID, `taskwait: invalid id: task id "a\xff" is not UTF-8`},
	}
	for _, r := range []string{
		"/", `\`, "?", "#", "%", "{", "}", " ", "\t", "\n", "\x00", "\x7f", "\u0085", "\u00a0", "\u2028", "\u200b", "\ufeff",
		"\u202e",
	} {
		tests = append(tests, struct {
			name string
			id   string
			opts []Option
			want error
			text string
		}{fmt.Sprintf("%q", r), "a" + r, nil, ErrInvalidID, ""})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, ctx := range []context.Context{t.Context(), cancelled(t)} { // a dead context makes no difference
				_, err := w.WaitForTask(ctx, tt.id, tt.opts...)
				if !errors.Is(err, tt.want) || tt.text != "" && err.Error() != tt.text {
					t.Errorf("error = %v\nwant    %s", err, tt.text)
				}
				if e := asWaitError(t, err); e.ID != tt.id || !e.StillRunning() || e.Polls != 0 {
					t.Errorf("id %q, StillRunning %v, %d polls; want %q, true, none", e.ID, e.StillRunning(), e.Polls, tt.id)
				}
			}
			if _, err := New(asked, tt.opts...); tt.want == ErrInvalidOption && tt.name != "nil BackOff" &&
				(err == nil || err.Error() != tt.text) {
				t.Errorf("New: error = %v\nwant    %s", err, tt.text)
			}
		})
	}
	var none context.Context
	if _, err := w.WaitForTask(none, "id"); !errors.Is(err, ErrInvalidOption) {
		t.Errorf("nil context: %v", err)
	}
	if len(asked.asked) != 0 {
		t.Errorf("%d queries were made, want none", len(asked.asked))
	}
	for _, id := range []string{
		"8abfa7b272adc5b40172b73130065ae7", "...", "a.b", "a:b;c=d&e+f", "ключ", strings.Repeat("a", 256),
	} {
		if err := checkID(id); err != nil {
			t.Errorf("checkID(%q) = %v, want nil", id, err)
		}
	}
}

func TestErrorJSON(t *testing.T) {
	e := &WaitError{
		ID: "id", Task: Task{ID: "id", Status: StatusExecuting}, Polls: 3, Errors: 1, Elapsed: time.Second,
		LastErr: errors.New("reset"), Reason: ErrTimeout, FinalPollFailed: true,
	}
	want := `{"error":"taskwait: task \"id\": timed out after 1s: it is not known whether the task has finished, ` +
		`last seen EXECUTING, 3 polls, 1 error, the final poll failed: reset","reason":"timed out","id":"id",` +
		`"task":{"id":"id","status":"EXECUTING"},"polls":3,"errors":1,"elapsed":1000000000,"stillRunning":true,` +
		`"finalPollFailed":true}`
	if got, err := json.Marshal(e); err != nil || string(got) != want {
		t.Errorf("JSON = %s, %v\nwant   %s", got, err, want)
	}
}

// allReasons are the errors that say how a wait has ended.
var allReasons = []error{
	ErrTaskFailed, ErrTaskDeleted, ErrTaskCancelled, ErrTimeout, ErrTaskNotFound, ErrQuery, ErrStalled, ErrBackOffStopped,
	ErrInvalidOption, ErrInvalidID, ErrNotStarted, ErrOutcomeUnknown, ErrAmbiguous, context.Canceled,
	context.DeadlineExceeded,
}

// TestErrorIdentity checks that errors.Is and As tell the truth about this wait, whatever lies behind it.
func TestErrorIdentity(t *testing.T) {
	sibling := &WaitError{
		ID: "sibling", Task: Task{ID: "sibling", Status: StatusFailed}, Reason: ErrTaskFailed,
		LastErr: &QueryError{Code: "theirs"},
	}
	clientTimeout := fmt.Errorf("Get: %w (Client.Timeout exceeded)", context.DeadlineExceeded)
	synctest.Test(t, func(t *testing.T) {
		_, err, _ := waitFor(cancelAfter(t, time.Second, sibling), newWaiter(t, script(answer{Err: clientTimeout})))
		for _, target := range allReasons {
			if got, want := errors.Is(err, target), target == context.Canceled; got != want {
				t.Errorf("errors.Is(err, %v) = %v, want %v", target, got, want)
			}
		}
		var q *QueryError
		if we := asWaitError(t, err); we.ID != "id" || errors.As(err, &q) || !errors.Is(err, sibling) ||
			!errors.Is(err, clientTimeout) {
			t.Errorf("%v: %v, want this wait's own, with the cause and the last error in reach", we.ID, q)
		}
		_, err, _ = waitFor(cancelAfter(t, time.Second, fmt.Errorf("open: %w", fs.ErrNotExist)),
			newWaiter(t, script(answer{Err: &QueryError{Code: "ours"}})))
		if !errors.As(err, &q) || q.Code != "ours" || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v: %v, want the QueryError of this wait and the cause", err, q)
		}
		_, err, _ = waitFor(t.Context(), newWaiter(t, script(answer{Err: clientTimeout})), WithErrorTolerance(0))
		if !errors.Is(err, ErrQuery) || !errors.Is(err, clientTimeout) || errors.Is(err, context.DeadlineExceeded) ||
			errors.Is(err, ErrTimeout) {
			t.Errorf("a client's own timeout: %v looks like our deadline", err)
		}
	})
}

// TestErrorReason: Reason says in a word how a wait ended, and a query's error is reached where it has ended the wait.
func TestErrorReason(t *testing.T) {
	running, trouble := seen(StatusExecuting), &QueryError{Class: ClassThrottled, Code: "T.1", Err: fs.ErrClosed}
	refused := &QueryError{Class: ClassPermanent, Code: "P.1", Err: fs.ErrPermission}
	missing := &QueryError{Class: ClassNotFound, Code: "N.1"}
	stop := func() backoff.BackOff { return &backoff.StopBackOff{} }
	soon := func(t *testing.T) context.Context { return cancelAfter(t, 7*time.Second, nil) }
	tests := []struct {
		name   string
		cloud  *cloud
		opts   []Option
		ctx    func(*testing.T) context.Context
		reason error
		code   string // of the query's error that is reached
		failed bool   // so did the final poll
	}{
		{name: "failed after a throttle", cloud: script(answer{Err: trouble}, seen(StatusFailed)), reason: ErrTaskFailed},
		{name: "refused", cloud: script(running, answer{Err: refused}), reason: ErrQuery, code: "P.1"},
		{name: "not found", cloud: script(answer{Err: missing}), reason: ErrTaskNotFound, code: "N.1"},
		{
			name: "timed out after a throttle", cloud: script(answer{Err: trouble}, running),
			opts: []Option{WithTimeout(time.Minute)}, reason: ErrTimeout,
		},
		{
			name: "timed out, throttled", cloud: script(answer{Err: trouble}), opts: []Option{WithTimeout(time.Minute)},
			reason: ErrTimeout, code: "T.1", failed: true,
		},
		{
			name: "stalled", cloud: script(running, answer{Err: trouble}, running),
			opts: []Option{WithStallTimeout(9 * time.Second)}, reason: ErrStalled,
		},
		{
			name: "stopped", cloud: script(answer{Err: trouble}), opts: []Option{WithBackOff(stop)}, reason: ErrBackOffStopped,
			code: "T.1",
		},
		{name: "cancelled", cloud: script(answer{Err: trouble}), ctx: soon, reason: context.Canceled, code: "T.1"},
		{
			name: "cancelled after a throttle", cloud: script(answer{Err: trouble}, running), ctx: soon,
			reason: context.Canceled,
		},
		{name: "a bad option", cloud: script(running), opts: []Option{WithTimeout(-1)}, reason: ErrInvalidOption},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.ctx != nil {
					ctx = tt.ctx(t)
				}
				_, err, _ := waitFor(ctx, newWaiter(t, tt.cloud, every(5*time.Second)), tt.opts...)
				e := asWaitError(t, err)
				if e.Reason != tt.reason || e.FinalPollFailed != tt.failed || !errors.Is(err, tt.reason) {
					t.Errorf("Reason %v, FinalPollFailed %v for %v; want %v, %v", e.Reason, e.FinalPollFailed, err, tt.reason,
						tt.failed)
				}
				var q *QueryError
				if got := errors.As(err, &q); got != (tt.code != "") || got && q.Code != tt.code {
					t.Errorf("errors.As gives %v for %v, want the code %q", q, err, tt.code)
				}
				if got, want := errors.Is(err, fs.ErrClosed), tt.code == "T.1"; got != want {
					t.Errorf("errors.Is reaches what the wait was in: %v for %v, want %v", got, err, want)
				}
			})
		})
	}
}

// TestErrorFake: a user's test makes an error of the exported fields, and code under test cannot tell.
func TestErrorFake(t *testing.T) {
	reset := errors.New("reset")
	running := Task{ID: "id", Status: StatusExecuting}
	failed := Task{ID: "id", Status: StatusFailed}
	tests := []struct {
		fake  WaitError
		is    []error
		still bool
		text  string
	}{
		{
			WaitError{ID: "id", Task: failed, Reason: ErrTaskFailed, Polls: 1, LastErr: reset}, []error{ErrTaskFailed}, false,
			`taskwait: task "id": task failed after 0s: FAILED, 1 poll, last: reset`,
		},
		{
			WaitError{ID: "id", Task: running, Reason: ErrTimeout, Polls: 2}, []error{ErrTimeout, context.DeadlineExceeded},
			true, `taskwait: task "id": timed out after 0s: last seen EXECUTING, 2 polls`,
		},
		{
			WaitError{ID: "id", Reason: context.DeadlineExceeded}, []error{context.DeadlineExceeded}, true,
			`taskwait: task "id": context deadline exceeded after 0s: not polled yet, 0 polls`,
		},
		{
			WaitError{ID: "id", Reason: ErrQuery, LastErr: reset}, []error{ErrQuery, reset}, true,
			`taskwait: task "id": could not query after 0s: not polled yet, 0 polls, last: reset`,
		},
		{
			WaitError{ID: "id", Task: failed, Reason: ErrAmbiguous}, []error{ErrAmbiguous}, true,
			`taskwait: task "id": ambiguous after 0s: FAILED, 0 polls`,
		},
		{
			WaitError{Operation: "resize", Reason: ErrNotStarted, LastErr: reset}, []error{ErrNotStarted, reset}, false,
			`taskwait: operation resize: not started after 0s: it was refused, 0 polls, last: reset`,
		},
		{
			WaitError{Operation: "resize", Reason: ErrOutcomeUnknown}, []error{ErrOutcomeUnknown}, true,
			`taskwait: operation resize: outcome unknown after 0s: it may have been started, do not send it again unseen, ` +
				`no task of it has been seen, 0 polls`,
		},
		{
			WaitError{ID: "", Reason: ErrInvalidID}, []error{ErrInvalidID}, true,
			`taskwait: task "": invalid id after 0s: not polled yet, 0 polls`,
		},
		{WaitError{ID: "id"}, nil, true, `taskwait: task "id": stopped waiting after 0s: not polled yet, 0 polls`},
	}
	for _, tt := range tests {
		err := error(&tt.fake)
		for _, target := range append(slices.Clone(allReasons), reset) {
			if got, want := errors.Is(err, target), slices.Contains(tt.is, target); got != want {
				t.Errorf("%v: errors.Is(err, %v) = %v, want %v", err, target, got, want)
			}
		}
		if tt.fake.StillRunning() != tt.still || err.Error() != tt.text {
			t.Errorf("StillRunning %v, text %s\nwant         %v,      %s", tt.fake.StillRunning(), err, tt.still, tt.text)
		}
	}
}

// secret stands in a task's params, as an SDK's value holds them.
const secret = "pa55w0rd"

type row struct{ Params *string }

func (r row) String() string { return "row with " + *r.Params }

// TestSecrets prints what holds a Task in every usual way.
func TestSecrets(t *testing.T) {
	params := `{"password":"` + secret + `"}`
	a := named(StatusExecuting, "kafkaConfigModify")
	a.Value.Raw = &row{Params: &params}
	core, logs := observer.New(zap.DebugLevel)
	log := zap.New(core)
	var out strings.Builder
	show := func(v any) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			fmt.Fprintf(&out, verb+"\n", v)
			fmt.Fprintf(&out, verb+"\n", &v)
		}
		text, err := json.Marshal(v)
		fmt.Fprintln(&out, string(text), err)
		log.Info("shown", zap.Any("value", v))
		log.Sugar().Infow("shown", "value", v)
	}
	synctest.Test(t, func(t *testing.T) {
		task, err, _ := waitFor(t.Context(), newWaiter(t, script(a)), WithTimeout(time.Minute), WithLogger(log),
			WithProgress(func(p Progress) { show(p); show(&p) }))
		if task.Raw != a.Value.Raw {
			t.Error("the task has lost its Raw")
		}
		we := asWaitError(t, err)
		for _, v := range []any{
			task, &task, []Task{task}, map[string]Task{"x": task}, struct{ task Task }{task}, err, we, we.Task,
		} {
			show(v)
		}
	})
	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{})
	for _, entry := range logs.All() {
		line, err := encoder.EncodeEntry(entry.Entry, entry.Context)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(line.String())
	}
	if s := out.String(); strings.Contains(s, secret) || strings.Contains(s, fmt.Sprintf("%x", secret)) ||
		len(s) < 10_000 {
		t.Errorf("%d bytes were printed, and the secret is in them", len(s))
	}
}

func TestLogLines(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	synctest.Test(t, func(t *testing.T) {
		throttled := answer{Err: &QueryError{Class: ClassThrottled, Err: errors.New("429 Too Many Requests")}}
		c := script(seen(StatusCreated), throttled, throttled, reset, named("PAUSED", "resize"), named("PAUSED", "resize"),
			named(StatusSuccess, "resize"))
		if _, err, _ := waitFor(t.Context(), newWaiter(t, c, every(4*time.Second), WithLogger(zap.New(core)))); err != nil {
			t.Fatal(err)
		}
	})
	want := []string{
		`debug polled task=id kind= status=CREATED polls=1 errors=0 elapsed=0s next=4s`,
		`info status changed task=id kind= status=CREATED polls=1 errors=0 elapsed=0s next=4s`,
		`debug polled task=id kind= status=CREATED polls=2 errors=1 elapsed=4s next=4s error=429 Too Many Requests`,
		`warn trouble task=id kind= status=CREATED polls=2 errors=1 elapsed=4s next=4s error=429 Too Many Requests`,
		`debug polled task=id kind= status=CREATED polls=3 errors=2 elapsed=8s next=4s error=429 Too Many Requests`,
		`debug polled task=id kind= status=CREATED polls=4 errors=3 elapsed=12s next=4s error=connection reset`,
		`warn trouble task=id kind= status=CREATED polls=4 errors=3 elapsed=12s next=4s error=connection reset`,
		`debug polled task=id kind=resize status=PAUSED polls=5 errors=3 elapsed=16s next=4s error=unknown status "PAUSED"`,
		`info status changed task=id kind=resize status=PAUSED polls=5 errors=3 elapsed=16s next=4s`,
		`warn trouble task=id kind=resize status=PAUSED polls=5 errors=3 elapsed=16s next=4s error=unknown status "PAUSED"`,
		`debug polled task=id kind=resize status=PAUSED polls=6 errors=3 elapsed=20s next=4s error=unknown status "PAUSED"`,
		`debug polled task=id kind=resize status=SUCCESS polls=7 errors=3 elapsed=24s next=0s`,
		`info status changed task=id kind=resize status=SUCCESS polls=7 errors=3 elapsed=24s next=0s`,
		`info wait ended task=id kind=resize status=SUCCESS polls=7 errors=3 elapsed=24s next=0s`,
	}
	var got []string
	for _, e := range logs.All() {
		line := e.Level.String() + " " + e.Message
		for _, f := range e.Context {
			enc := zapcore.NewMapObjectEncoder()
			f.AddTo(enc)
			line += fmt.Sprintf(" %s=%v", f.Key, enc.Fields[f.Key])
		}
		got = append(got, line)
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("log lines:\n%s\nwant:\n%s", g, w)
	}
}
