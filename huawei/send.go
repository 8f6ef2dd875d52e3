package huawei

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait"
)

// conflicts are the codes of a 400 by which the service refuses a change because something else runs, or because of the
// instance's state, which may be passing (DMS error codes, read 2026-11-24; the last is the billing centre's for an
// instance that is being unsubscribed).
var conflicts = map[string]bool{"DMS.00400017": true, "DMS.00400026": true, "CBC.99003651": true}

// Send is [Ask] for a call that changes something, and must not be made twice. It is what the Start of a
// [taskwait.Operation] calls: its errors tell apart what was refused (ClassConflict, ClassThrottled, ClassPermanent,
// ClassNotFound), what never left (ClassNotSent), and what may have been carried out (ClassTransient, and the context's
// error): an answer of 408 or 5xx, one that does not decode, a redirect, a connection that broke, the end of ctx.
func Send[T any](ctx context.Context, c *Caller, permission string, call func(*core.HcHttpClient) (T, error)) (resp T, asOf time.Time, err error) {
	var none T
	if ctx.Err() != nil {
		return none, asOf, &taskwait.QueryError{Class: taskwait.ClassNotSent, Err: ctx.Err()}
	}
	resp, wire, err := invoke(ctx, c, permission, call)
	switch {
	case err == nil && wire.status >= http.StatusMultipleChoices:
		err = &taskwait.QueryError{Err: errors.New(statusText(wire.status) + ": neither accepted nor refused")}
	case err == nil:
		return resp, wire.date(), nil
	}
	return none, wire.date(), unsafe(err, wire)
}

// unsafe is err, of a call that must not be made twice unless that is known to be safe.
func unsafe(err error, wire *transport) error {
	var q *taskwait.QueryError
	told := errors.As(err, &q)
	switch {
	case told && q.Class == taskwait.ClassPermanent && conflicts[q.Code]:
		q.Class = taskwait.ClassConflict
	case told && q.Class == taskwait.ClassThrottled && statusOf(err, wire) >= http.StatusInternalServerError:
		q.Class = taskwait.ClassTransient // it may have come from behind the gateway
	case told && q.Class != taskwait.ClassTransient, wire.unbound():
	case !wire.left():
		return &taskwait.QueryError{Class: taskwait.ClassNotSent, Err: err}
	}
	return err
}
