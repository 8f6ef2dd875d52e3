package huawei

import (
	"context"
	"errors"
	"net/http"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/wire"
)

// conflicts are the codes of a 400 by which the service refuses a change because something else runs, or because of the
// instance's state, which may be passing (DMS error codes, read 2026-11-24; the last is the billing centre's for an
// instance that is being unsubscribed).
var conflicts = map[string]bool{"DMS.00400017": true, "DMS.00400026": true, "CBC.99003651": true}

// conflicting are the statuses of such a refusal.
var conflicting = map[int]bool{http.StatusConflict: true, http.StatusLocked: true}

// Mutate is [Query] for a call that changes something, and must not be made twice. The Start of a [taskwait.Operation]
// calls it. Its errors tell three cases apart. The call was refused: ClassConflict, ClassThrottled, ClassPermanent,
// ClassNotFound. It was never sent: ClassNotSent. It may have been carried out: ClassTransient and the context's error,
// for an answer of 408 or 5xx, one that does not decode, a redirect, a connection that broke, the end of ctx.
func Mutate[T any](
	ctx context.Context, c *Caller, permission string, call func(*core.HcHttpClient) (T, error),
) (Reply[T], error) {
	if ctx.Err() != nil {
		return Reply[T]{}, &taskwait.QueryError{Class: taskwait.ClassNotSent, Err: ctx.Err()}
	}
	value, rec, err := invoke(ctx, c, permission, call)
	if err == nil && rec.status >= http.StatusMultipleChoices {
		err = &taskwait.QueryError{Err: errors.New(wire.StatusText(rec.status) + ": neither accepted nor refused")}
	}
	if err != nil {
		return Reply[T]{At: rec.date(), rec: rec}, mutationError(err, rec)
	}
	return Reply[T]{value, rec.date(), taskwait.RetryAfter(rec.header), rec}, nil
}

// NotSent returns the error of a Start of a [taskwait.Operation] that makes a query first, and got err for it. Nothing
// was sent, so Start may be called again (ClassNotSent). An error that is throttled or permanent keeps its class.
func NotSent(err error) *taskwait.QueryError {
	var q *taskwait.QueryError
	if errors.As(err, &q) && q.Class != taskwait.ClassTransient {
		return q // throttled, or for good
	}
	n := &taskwait.QueryError{Class: taskwait.ClassNotSent, Err: err}
	if q != nil {
		n.Code, n.RequestID, n.RetryAfter = q.Code, q.RequestID, q.RetryAfter
	}
	return n
}

// mutationError is err, of a call that must not be made twice unless that is known to be safe.
func mutationError(err error, rec *recorder) error {
	var q *taskwait.QueryError
	classified := errors.As(err, &q)
	switch {
	case classified && q.Class == taskwait.ClassPermanent && conflicts[q.Code],
		classified && conflicting[statusOf(err, rec)]:
		q.Class = taskwait.ClassConflict
	case classified && q.Class == taskwait.ClassThrottled && statusOf(err, rec) >= http.StatusInternalServerError:
		q.Class = taskwait.ClassTransient // it may have come from behind the gateway
	case classified && q.Class != taskwait.ClassTransient, rec.unbound():
	case !rec.mayHaveBeenSent():
		return &taskwait.QueryError{Class: taskwait.ClassNotSent, Err: err}
	}
	return err
}
