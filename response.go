package taskwait

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/taskwait/taskwait/internal/text"
	"github.com/taskwait/taskwait/internal/wire"
)

const (
	// maxErrorBody is how much is read of an answer that is an error: a service's code stands near its beginning.
	maxErrorBody = 64 << 10

	// maxRetrySeconds is the most seconds that are read of a Retry-After: a year, which no sum overflows.
	maxRetrySeconds = 365 * 24 * 60 * 60

	// clientClosedRequest is the status in the logs and answers of nginx for a client that has gone.
	clientClosedRequest = 499
)

// transientStatuses are those below 500 that may pass: timeouts, conflicts, locks, too early, a wrong connection.
var transientStatuses = map[int]bool{
	http.StatusRequestTimeout: true, http.StatusConflict: true, http.StatusMisdirectedRequest: true,
	http.StatusLocked: true, http.StatusTooEarly: true, clientClosedRequest: true,
}

// CheckResponse returns nil for an answer with a status of 2xx, and a [*QueryError] otherwise, for a [Source] over
// HTTP:
//
//	if err := taskwait.CheckResponse(resp); err != nil {
//		return taskwait.Task{}, err
//	}
//
// The error has the status, Retry-After, and the code, message and request id of a JSON body. It is ClassThrottled for
// 429, and for 403 and 503 with a Retry-After. It is ClassNotFound for 404 with a code in the body; one without a code
// may be a proxy's page, and is transient. Use [NotFound] where the service's own 404 has no code. It is transient for
// 5xx, 408, 409, 421, 423, 425 and 499, and for what is neither 2xx nor an error, such as a redirect. It is
// ClassPermanent for every other 4xx.
//
// At most 64 KiB of the body are read, and none if the status is 2xx. The caller closes the body.
func CheckResponse(resp *http.Response) error {
	switch {
	case resp == nil:
		return &QueryError{Err: errors.New("there is no answer")}
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return nil
	}
	q := &QueryError{
		StatusCode: resp.StatusCode, RetryAfter: RetryAfter(resp.Header),
		RequestID: text.Clip(resp.Header.Get("X-Request-Id")),
	}
	words := wire.StatusText(resp.StatusCode)
	if resp.Body != nil {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // what was read before an error is enough
		c := wire.Parse(body, 1)
		q.Code, q.RequestID = c.Code, cmp.Or(q.RequestID, c.RequestID)
		words += c.Words()
	}
	q.Class, q.Err = classOfStatus(q), errors.New(words)
	return q
}

// classOfStatus is the one table of HTTP statuses.
func classOfStatus(q *QueryError) Class {
	switch status := q.StatusCode; {
	case status == http.StatusTooManyRequests,
		q.RetryAfter > 0 && (status == http.StatusForbidden || status == http.StatusServiceUnavailable):
		return ClassThrottled
	case status < 400 || status >= 500 || transientStatuses[status]:
		return ClassTransient
	case status != http.StatusNotFound:
		return ClassPermanent
	case q.Code != "":
		return ClassNotFound
	}
	return ClassTransient
}

// RetryAfter reads the header Retry-After, for [Task].RetryAfter and [Throttled]: seconds, or a date, which is compared
// with the answer's own Date, because clocks differ. 0: there is none, it cannot be read, or it is past. At most a
// year.
func RetryAfter(h http.Header) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(v, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(n, maxRetrySeconds)) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(at.Sub(now), 0), maxRetrySeconds*time.Second)
}
