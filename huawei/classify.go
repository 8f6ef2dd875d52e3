package huawei

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	"github.com/taskwait/taskwait"
)

// The codes that do not mean what their status says are from the DMS error codes (published for the same software by Open
// Telekom Cloud) and the API gateway's, read 2026-11-23.

// noRoutes are those of a 404 that is about the URL, not the task.
var noRoutes = map[string]bool{"DMS.00404001": true, "APIGW.0101": true, "APIG.0101": true}

// throttles are the codes of a throttle, whatever the status: DMS.10240407 is sent as a 404.
var throttles = map[string]bool{"APIGW.0308": true, "APIG.0308": true, "DMS.10240407": true}

// classify says what an error of the SDK means for a wait. What the recorder saw comes first: to the SDK a body that
// does not decode has status 200 and is an error of the service, and one that was cut off has status 0.
func classify(err error, rec *recorder, permission string) *taskwait.QueryError {
	var service *sdkerr.ServiceResponseError
	answered := errors.As(err, &service)
	status := statusOf(err, rec)
	switch {
	case status >= http.StatusBadRequest && rec.cut == nil:
		return refused(err, service, status, rec.header, permission)
	case status >= http.StatusBadRequest && status != http.StatusNotFound: // whose code may say that it is a throttle
		return refused(err, nil, status, rec.header, permission)
	case rec.cut != nil:
		return &taskwait.QueryError{Err: safe{fmt.Sprintf("%s: the answer was cut off: %v", statusText(status), rec.cut), err}}
	case status > 0:
		return &taskwait.QueryError{RequestID: rec.header.Get("X-Request-Id"), Err: safe{statusText(status) + ": the answer does not decode", err}}
	}
	q := &taskwait.QueryError{Err: safe{text(err.Error()), err}}
	var network *url.Error
	built := answered || errors.As(err, &network) && network.Op != "parse"
	if !rec.sent && rec.base != nil && !built {
		q.Class = taskwait.ClassPermanent // the request could not even be built: no key, a malformed endpoint
	}
	return q
}

// statusOf is the status of the answer; 0: there was none.
func statusOf(err error, rec *recorder) int {
	var service *sdkerr.ServiceResponseError
	if rec.status == 0 && errors.As(err, &service) {
		return service.StatusCode
	}
	return rec.status
}

// refused is an answer of 400 or more.
func refused(err error, service *sdkerr.ServiceResponseError, status int, header http.Header, permission string) *taskwait.QueryError {
	q := &taskwait.QueryError{RequestID: header.Get("X-Request-Id")}
	message := ""
	if service != nil {
		if q.Code = service.ErrorCode; q.Code == "" {
			q.Code = codeIn(service.ErrorMessage) // the SDK wants a message beside a code, or shows the whole body as one
		} else {
			message = service.ErrorMessage
		}
		if q.RequestID == "" {
			q.RequestID = service.RequestId
		}
	}
	q.RetryAfter = retryAfter(header, time.Now())
	q.Class = classOf(status, q.Code, q.RetryAfter)
	if q.Class == taskwait.ClassThrottled && q.RetryAfter == 0 && service != nil {
		q.RetryAfter = window(service.ErrorMessage)
	}
	words := statusText(status)
	if status == http.StatusForbidden && permission != "" {
		words += ", this needs the permission " + permission // before the service's words, which may be long
	}
	if message != "" {
		words += ": " + text(message)
	}
	q.Err = safe{words, err}
	return q
}

func classOf(status int, code string, retryAfter time.Duration) taskwait.Class {
	switch {
	case throttles[code] || status == http.StatusTooManyRequests:
		return taskwait.ClassThrottled
	case status == http.StatusServiceUnavailable && retryAfter > 0:
		return taskwait.ClassThrottled
	case status >= http.StatusInternalServerError || status == http.StatusRequestTimeout:
		return taskwait.ClassTransient
	case status == http.StatusNotFound && !noRoutes[code]:
		return taskwait.ClassNotFound
	}
	return taskwait.ClassPermanent
}

// longest is the most seconds that are read of a Retry-After: a year. The wait honours far less.
const longest = 365 * 24 * 60 * 60

// retryAfter reads a Retry-After header: seconds, or a date, which is compared with the answer's own Date, because
// clocks differ. What cannot be read, and what is past, is 0.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(v, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(n, longest)) * time.Second
	}
	t, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(t.Sub(now), 0), longest*time.Second)
}

// The gateway words a throttle as "… policy user over ratelimit,limit:100,time:1 minute".
var windows = regexp.MustCompile(`(?i)\btime:\s*(\d{1,4})\s*(second|minute|hour|day)`)

// window reads the length of the gateway's window; 0: there is none.
func window(message string) time.Duration {
	m := windows.FindStringSubmatch(message)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	unit := map[string]time.Duration{"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	return time.Duration(n) * unit[strings.ToLower(m[2])]
}

var codes = regexp.MustCompile(`"(?:error_code|errorCode|code)"\s*:\s*"([A-Za-z0-9._-]{1,64})"`)

func codeIn(body string) string {
	if m := codes.FindStringSubmatch(body); m != nil {
		return m[1]
	}
	return ""
}

func statusText(status int) string {
	if s := http.StatusText(status); s != "" {
		return strconv.Itoa(status) + " " + s
	}
	return "status " + strconv.Itoa(status)
}

// text makes a text of the service's fit to be shown.
func text(s string) string { return (&taskwait.QueryError{Err: errors.New(s)}).Error() }

// safe is an error of the SDK with a text of our own: the SDK's may quote a whole body, with what is secret in it.
// errors.As still finds the SDK's error; to print that is then the caller's decision.
type safe struct {
	text string
	err  error
}

// Error gives our text.
func (s safe) Error() string { return s.text }

// Unwrap gives the SDK's error.
func (s safe) Unwrap() error { return s.err }

// Format writes our text, whatever the verb.
func (s safe) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.text)) }
