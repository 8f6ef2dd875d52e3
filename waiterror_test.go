package taskwait

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

type customError struct{ text string }

func (c *customError) Error() string { return c.text }

// TestLastErrBesideTheContexts: the last error does not hide the context's.
func TestLastErrBesideTheContexts(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		custom := &customError{"EOF"}
		_, err, _ := d.waitFor(cancelAfter(t, time.Minute, nil), newWaiter(t, script(answer{Err: custom})))
		var got *customError
		if !errors.Is(err, context.Canceled) || !errors.As(err, &got) || got != custom || !errors.Is(err, custom) {
			t.Errorf("%v: want Canceled and the last error in one", err)
		}
	})
}

// TestContextsErrorBesideLastErr: the context's error does not hide the last one.
func TestContextsErrorBesideLastErr(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		unavailable := answer{Err: &QueryError{Code: "DMS.00500000", Err: errors.New("503 Service Unavailable")}}
		task, err, _ := d.waitFor(
			ctx,
			newWaiter(t, script(append([]answer{running}, repeat(9, unavailable)...)...), every(4*time.Second)),
		)
		we := asWaitError(t, err)
		if we.LastErr != unavailable.Err || we.Polls != 6 || we.Errors != 5 || we.Task.Status != StatusExecuting ||
			task.Status != StatusExecuting {
			t.Errorf("%#v with %v", we, task)
		}
		want := `taskwait: task "id": context deadline exceeded after 20s: last seen EXECUTING 20s ago; ` +
			`since then 5 polls failed, 6 polls, 5 errors, last: 503 Service Unavailable (DMS.00500000)`
		if err.Error() != want {
			t.Errorf("text = %s\nwant   %s", err, want)
		}
	})
}

// TestCauseAndCanceled: the error Is both the cause and context.Canceled.
func TestCauseAndCanceled(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		boom := errors.New("boom")
		_, err, _ := d.waitFor(cancelAfter(t, time.Second, boom), newWaiter(t, script(running)))
		if !errors.Is(err, boom) || !errors.Is(err, context.Canceled) {
			t.Errorf("%v: want both boom and Canceled", err)
		}
	})
}

// TestTextOfACancellation: the text says what happened.
func TestTextOfACancellation(t *testing.T) {
	throughEach(t, func(t *testing.T, d driver) {
		_, err, _ := d.waitFor(cancelAfter(t, time.Second, nil), newWaiter(t, script(running)))
		if s := err.Error(); strings.Contains(s, "timed out") || strings.Contains(s, "%!") || strings.Contains(s, "<nil>") {
			t.Errorf("text = %s", s)
		}
	})
}

// TestNoSecretInTexts: net/http puts the user and the query of a URL into its errors. Neither error nor log shows them.
func TestNoSecretInTexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &url.Error{Op: "Get", URL: "https://a-secret@h/t?sign=a-secret", Err: errors.New("reset")}
		core, logs := observer.New(zap.DebugLevel)
		w, err := New(SourceFunc(func(context.Context, string) (Task, error) { return Task{}, broken }),
			WithTimeout(time.Second), WithLogger(zap.New(core)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.WaitForTask(t.Context(), "id")
		said := fmt.Sprint(err, Permanent(broken), logs.All())
		if strings.Contains(said, "a-secret") || !strings.Contains(err.Error(), `Get "https://h/t": reset`) {
			t.Errorf("got %s\nwant no secret, and the URL without it", said)
		}
		if !errors.Is(err, ErrTimeout) {
			t.Errorf("got %v, want %v", err, ErrTimeout)
		}
	})
}
